"""What layouts are made of: a line of keyed text, the context it is laid out in, the blocks that the cursor visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from enum import IntEnum
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.strip import Strip

from tui.widgets.transcript.cells import Spans, merge, plain, width_of
from tui.widgets.transcript.marks import UNICODE, Marks
from tui.widgets.transcript.styles import TEXT, Kind, Palette

if TYPE_CHECKING:
    from tui.widgets.transcript.highlight import Highlighter
    from tui.widgets.transcript.inline import Inline

GUTTER = 3
"""Cells left of every line: a space, the accent bar or cursor, a space."""
MARGIN = 1
"""Cells kept free at the right."""
QUESTION = -1
"""Stands for the question where the index of a block is asked for."""


class Gutter(IntEnum):
    NONE = 0
    BAR = 1
    QUIET = 2
    CURSOR = 3


class Line:
    """One line as it will stand on the screen, without its gutter. Equal lines are the same object where possible."""

    __slots__ = ("_gutter", "_palette", "_strip", "_width", "gutter", "spans")

    def __init__(self, spans: Spans, gutter: Gutter = Gutter.NONE) -> None:
        self.spans = spans
        self.gutter = gutter
        self._strip: Strip | None = None
        self._gutter = gutter
        self._width = 0
        self._palette: Palette | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Line) and self.spans == other.spans and self.gutter == other.gutter

    __hash__ = None  # type: ignore[assignment]  # compared, never kept in a set

    def __repr__(self) -> str:
        return f"Line({self.text!r})"

    @property
    def text(self) -> str:
        return "".join([text for text, _ in self.spans])

    def strip(self, width: int, palette: Palette, marks: Marks, gutter: Gutter) -> Strip:
        """This line as `width` cells. The same object again while nothing of it changes."""
        if self._strip is not None and self._gutter is gutter and self._width == width and self._palette is palette:
            return self._strip
        self._strip = make_strip(self.spans, width, palette, marks, gutter)
        self._gutter, self._width, self._palette = gutter, width, palette
        return self._strip


def make_strip(spans: Spans, width: int, palette: Palette, marks: Marks, gutter: Gutter) -> Strip:
    """`spans` behind their gutter as a strip of exactly `width` cells."""
    base = palette[TEXT]
    if gutter is Gutter.NONE:
        segments = [Segment(" " * GUTTER, base)]
    else:
        sign, kind = {
            Gutter.BAR: (marks.bar, Kind.BAR),
            Gutter.QUIET: (marks.quiet_bar, Kind.QUIET_BAR),
            Gutter.CURSOR: (marks.cursor, Kind.CURSOR),
        }[gutter]
        segments = [Segment(" ", base), Segment(sign, palette[kind.key]), Segment(" ", base)]
    segments += [Segment(plain(text), palette[key]) for text, key in merge(spans)]
    cells = GUTTER + width_of([(segment.text, 0) for segment in segments[1 if gutter is Gutter.NONE else 3 :]])
    if cells < width:
        segments.append(Segment(" " * (width - cells), base))
    strip = Strip(segments, max(cells, width))
    return strip if cells <= width else strip.crop(0, width).adjust_cell_length(width, base)


BLANK = Line(())


@dataclass(slots=True, eq=False, repr=False)
class Shown:
    """One line in view."""

    line: Line
    turn: int
    """The turn's index."""
    number: int
    """Of the line within its turn."""


@dataclass(slots=True)
class Unit:
    """A block that the cursor can stand on, and what copying it gives.

    `start` and `end` are line numbers within the list of lines that the unit belongs to.
    """

    kind: str
    start: int
    end: int
    section: int = 0
    """Index of the section of its turn: -1 the question, from 0 the answer's blocks."""
    number: int = 0
    """What `Y` lists it as; 0 where it is not in the list."""
    language: str = ""
    source: str = ""
    foldable: bool = False
    scroll: int = 0
    """Of a table that does not fit: the `TableView.column` with which its last column is in view."""


@dataclass(slots=True)
class TableView:
    """How a table is looked at: as rows (`v`), from which column on (`h`, `l`)."""

    rows: bool = False
    column: int = 0


@dataclass(slots=True)
class Fold:
    """What is unfolded in one conversation: the default and the exceptions, by turn and section."""

    open_all: bool = False
    flipped: set[tuple[str, int]] = field(default_factory=set)

    def is_open(self, turn: str, section: int) -> bool:
        return self.open_all != ((turn, section) in self.flipped)

    def toggle(self, turn: str, section: int) -> None:
        self.flipped ^= {(turn, section)}


@dataclass(slots=True)
class Look:
    """All that a layout depends on beside its block."""

    width: int
    """Of the whole widget, in cells."""
    inline: Inline
    highlighter: Highlighter
    marks: Marks = UNICODE
    zone: tzinfo | None = None
    """For times; None is the machine's own."""
    today: date | None = None
    fold: Fold = field(default_factory=Fold)
    tables: dict[tuple[str, int], TableView] = field(default_factory=dict)
    """By turn and block number."""
    ask_hint: str = ""

    @property
    def content(self) -> int:
        """Cells for content."""
        return max(8, self.width - GUTTER - MARGIN)

    def view(self, turn: str, number: int) -> TableView:
        """How a turn's table of that number is looked at."""
        return self.tables.get((turn, number)) or TableView()

    def clock(self, when: datetime) -> str:
        """`02:14`, with the date where it was not today."""
        local = when.astimezone(self.zone)
        today = self.today or datetime.now(self.zone).date()
        if local.date() == today:
            return local.strftime("%H:%M")
        return local.strftime("%m-%d %H:%M" if local.year == today.year else "%Y-%m-%d %H:%M")


def splice(old: list[Line], start: int, new: Sequence[Line]) -> int | None:
    """Put `new` in the place of `old[start:]`, keeping the objects of equal lines.

    Returns:
        The number of the first line that changed, None where none did.
    """
    kept = min(len(old) - start, len(new))
    first = -1
    merged = list(new)
    for index in range(kept):
        before = old[start + index]
        if before is merged[index] or before == merged[index]:
            merged[index] = before
        elif first < 0:
            first = start + index
    if first < 0:
        if len(old) - start == len(new):
            return None
        first = start + kept
    old[start:] = merged
    return first
