"""The widget: it owns the viewport, paints its lines and turns keys into movements and requests."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tui.widgets.looks import resolve
from tui.widgets.transcript import messages
from tui.widgets.transcript.actions import TranscriptActions
from tui.widgets.transcript.cells import wrap
from tui.widgets.transcript.cursor import BlockCursor
from tui.widgets.transcript.highlight import Highlighter
from tui.widgets.transcript.inline import Inline
from tui.widgets.transcript.keys import BINDINGS
from tui.widgets.transcript.lines import MARGIN, Fold, Gutter, Line, Look, Shown, TableView, make_strip
from tui.widgets.transcript.marks import ASCII, UNICODE
from tui.widgets.transcript.styles import DIM, Kind, Palette
from tui.widgets.transcript.viewport import Place, Viewport
from tui.words import _

if TYPE_CHECKING:
    from tui.models import Turn
    from tui.widgets.transcript.search import Mark

_REMEMBERED = 200
"""Conversations whose position and folds are remembered."""
_PAUSE = 0.005
"""Seconds between two slices of layout: keys come through in between."""
_HOLD = 0.1
"""Seconds for which an end that is not laid out yet is not shown on its way: each step would be painted for nothing."""
_WARM_UP = 0.4
"""Seconds after which the parser is imported, if nothing needed it before."""


@dataclass(slots=True, eq=False, repr=False)
class _Kept:
    """What is remembered of a conversation."""

    fold: Fold = field(default_factory=Fold)
    tables: dict[tuple[str, int], TableView] = field(default_factory=dict)
    position: Place | None = None


@dataclass(slots=True, eq=False, repr=False)
class _Row:
    """A row of the widget as it was composed last."""

    line: Line
    gutter: Gutter
    marks: tuple[Mark, ...]
    strip: Strip


class Transcript(TranscriptActions, Widget, can_focus=True):
    """The lines of a conversation. No widget per message: a change repaints the lines that differ, no more."""

    HELP = (
        "Copies and files hold the source text, never the screen. Code, tables and charts have numbers, by which they "
        "are copied one by one; thinking and tool calls are folded to a line."
    )
    BINDING_GROUP_TITLE = "Transcript"
    BINDINGS: ClassVar[list[BindingType]] = [*BINDINGS]
    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Transcript {
        height: 1fr;
        background: $background;
        color: $foreground;
    }
    """

    following: reactive[bool] = reactive(True, init=False, repaint=False)
    """Whether the view stays at the end as the answer grows."""
    new_lines: reactive[int] = reactive(0, init=False, repaint=False)
    """Lines that came below the view since the end was left."""

    CopyRequested = messages.CopyRequested
    ChooseBlock = messages.ChooseBlock
    SaveRequested = messages.SaveRequested
    Retry = messages.Retry
    Stop = messages.Stop
    Feedback = messages.Feedback
    Details = messages.Details
    EditResend = messages.EditResend
    Links = messages.Links
    ComposeRequested = messages.ComposeRequested
    FindRequested = messages.FindRequested

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        ascii_only: bool = False,
        empty_text: str = "",
        zone: tzinfo | None = None,
        highlight: bool = True,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._ascii_only = ascii_only
        self._empty_text = empty_text
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._key = ""
        marks = ASCII if ascii_only else UNICODE
        look = Look(0, Inline(), Highlighter(highlight), marks, zone)
        self._view = Viewport(look)
        self._cursor = BlockCursor(self._view)
        self._palette: Palette | None = None
        self._rows: list[_Row] = []
        self._strips: list[Strip] = []
        """What is painted: the rows, and what lies over or below them."""
        self._news: tuple[Strip | None, int, Strip | None] = None, 0, None
        """The strip over which new lines were told last, how many, and how that looks."""
        self._filtered: tuple[Sequence[LineFilter], Color] = (), Color(0, 0, 0)
        """What the strips went through: Textual's filters, over that background."""
        self._fetching = False
        self._behind = 0.0
        """Since when the end is not laid out, of `perf_counter`; 0 when it is."""
        self._worker_timer: Timer | None = None

    # --- what it shows -------------------------------------------------------------------------------------

    def show(self, turns: Sequence[Turn], *, key: str = "") -> None:
        """Show another conversation. `key` names it: where it was scrolled to and what was folded comes back.

        The same one once more, with other turns, goes on where it is: cursor, search and new lines stay.
        """
        same = bool(key) and key == self._key
        if self._key:
            self._kept[self._key].position = self._view.position()
        kept = self._kept.setdefault(key, _Kept()) if key else _Kept()
        if key:
            self._kept.move_to_end(key)
            while len(self._kept) > _REMEMBERED:
                self._kept.popitem(last=False)
        self._key = key
        if not same:
            self._clear_find()
            self._cursor.clear()
        self._view.look = replace(self._view.look, fold=kept.fold, tables=kept.tables)
        self._view.show(turns)
        self._view.restore(kept.position)
        self._sync()

    def update_turn(self, turn: Turn) -> None:
        """A new turn, or one that changed (same id). What did not change of it costs nothing."""
        if self._view.update(turn) and not self._held_back():
            self._sync()

    def remove_turn(self, turn_id: str) -> None:
        """Take a turn out."""
        self._view.remove(turn_id)
        self._sync()

    @property
    def turns(self) -> Sequence[Turn]:
        return self._view.turns

    @property
    def ascii_only(self) -> bool:
        """Draw with ASCII signs only."""
        return self._ascii_only

    @ascii_only.setter
    def ascii_only(self, value: bool) -> None:
        if value == self._ascii_only:
            return
        self._ascii_only = value
        self._relook(replace(self._view.look, marks=ASCII if value else UNICODE))

    @property
    def empty_text(self) -> str:
        """What stands there while there are no turns."""
        return self._empty_text

    @empty_text.setter
    def empty_text(self, value: str) -> None:
        self._empty_text = value
        self._sync()

    @property
    def ask_hint(self) -> str:
        """The last line of an open ask: the keys that answer it."""
        return self._view.look.ask_hint

    @ask_hint.setter
    def ask_hint(self, value: str) -> None:
        if value != self.ask_hint:
            self._relook(replace(self._view.look, ask_hint=value))

    def _relook(self, look: Look) -> None:
        self._view.relook(look)
        self._rows = []
        self._sync()

    @property
    def stride(self) -> int:
        """Lines that the view moves at a time while an answer grows below it."""
        return self._view.stride

    @stride.setter
    def stride(self, value: int) -> None:
        self._view.stride = value

    @property
    def settled(self) -> bool:
        """Whether everything in view and near it is laid out and coloured."""
        return not (self._fetching or self._view.unfinished or self._view.look.highlighter.wanted)

    # --- painting ------------------------------------------------------------------------------------------

    @property
    def _ready(self) -> bool:
        return self._view.look.width > 0 and self._palette is not None

    def _sync(self) -> None:
        """Bring the rows up to date with the viewport and ask for those that changed to be painted."""
        if not self._ready:
            return
        before = self._strips
        self._lay_rows()
        strips, width = self._strips, self._view.look.width
        changed: list[Region] = []
        start: int | None = None
        for y in range(len(strips) + 1):
            same = y == len(strips) or (y < len(before) and before[y] is strips[y])
            if not same and start is None:
                start = y
            elif same and start is not None:
                changed.append(Region(0, start, width, y - start))
                start = None
        if changed:
            self.refresh(*changed)
        self.following, self.new_lines = self._view.following, self._view.new_lines
        if self._view.unfinished and self._worker_timer is not None:
            self._worker_timer.resume()
        if self._view.look.highlighter.wanted and not self._fetching:
            self._fetching = True
            self.run_worker(self._fetch_colours(), group="colours")

    def _lay_rows(self) -> None:
        """Settle what stands in each row, and make strips of it; rows that stay as they are keep theirs."""
        view, palette = self._view, self._palette
        assert palette is not None
        filters, background = self.get_line_filters(), self.background_colors[1]
        if (filters, background) != self._filtered:
            self._filtered = filters, background
            self._rows = []
        look, width, before = view.look, view.look.width, self._rows
        shown = view.arrange() if view.turns else self._empty_lines(look)
        focused = self.has_focus
        here = None
        if focused and view.turns:
            self._cursor.into(shown)
            here = self._cursor.here()
        marks = self._marks(shown)
        rows: list[_Row] = []
        for y, item in enumerate(shown):
            line = item.line
            gutter = line.gutter
            if here is not None and item.turn == here[0] and here[1].start <= item.number < here[1].end:
                gutter = Gutter.CURSOR
            elif focused and gutter is Gutter.BAR:
                gutter = Gutter.QUIET
            found = marks.get(y, ())
            if y < len(before):
                row = before[y]
                if row.line is line and row.gutter is gutter and row.marks == found:
                    rows.append(row)
                    continue
            if found:
                from tui.widgets.transcript.search import marked

                strip = make_strip(marked(line.spans, found), width, palette, look.marks, gutter)
            else:
                strip = line.strip(width, palette, look.marks, gutter)
            rows.append(_Row(line, gutter, found, self._filter(strip)))
        self._rows = rows
        self._strips = [row.strip for row in rows]
        if (missing := view.height - len(rows)) > 0:
            self._strips += [self._filter(Strip.blank(width, palette[0]))] * missing
        if view.new_lines:
            self._strips[-1] = self._with_news(self._strips[-1], view.new_lines, palette)

    def _filter(self, strip: Strip) -> Strip:
        """What Textual does to the colours of each line: here once, not whenever the line is drawn."""
        filters, background = self._filtered
        for line_filter in filters:
            strip = strip.apply_filter(line_filter, background)
        return strip

    def _with_news(self, strip: Strip, count: int, palette: Palette) -> Strip:
        """The last row, at its right how many lines have come below it."""
        last, told, shown = self._news
        if last is strip and told == count and shown is not None:
            return shown
        words = _("{n} new lines (PgDn)") if count > 1 else _("{n} new line (PgDn)")
        note = Segment(f" {self._view.look.marks.down} {words.format(n=f'{count:,}')} ", palette[Kind.NEWS.key])
        end = self._view.look.width - MARGIN
        start = max(0, end - note.cell_length)
        shown = Strip.join([strip.crop(0, start), self._filter(Strip([note])), strip.crop(end)]).crop(0, end + MARGIN)
        self._news = strip, count, shown
        return shown

    def _empty_lines(self, look: Look) -> list[Shown]:
        """The text for an empty conversation, a third down."""
        rows = wrap(((self._empty_text, DIM),), look.content) if self._empty_text else []
        top = max(0, (self._view.height - len(rows)) // 3) if rows else 0
        blank = Shown(Line(()), -1, 0)
        return [blank] * top + [Shown(Line(row), -1, 0) for row in rows][: self._view.height - top]

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows in `crop`. Everything was laid out when it changed; only a new size is met here first."""
        width = self.size.width
        fits = self._palette is not None and crop.bottom <= len(self._strips) and self._view.look.width == width
        if not fits or self.get_line_filters() != self._filtered[0]:
            self._measure()
            if self._ready:
                self._lay_rows()
        strips = self._strips[crop.y : crop.bottom]
        if len(strips) < crop.height:
            base = self._palette[0] if self._palette else self.rich_style
            strips += [Strip.blank(width, base)] * (crop.height - len(strips))
        if crop.x or crop.width != width:
            strips = [strip.crop_extend(crop.x, crop.right, None) for strip in strips]
        return strips

    def _measure(self) -> None:
        """Take over the size and the styles as they are now."""
        width, height = self.size
        if not width or not height:
            return
        if self._palette is None:
            self._palette = Palette(partial(resolve, self))
        self._view.height = height
        if width != self._view.look.width:
            self._rows = []
            self._view.relook(replace(self._view.look, width=width))

    def on_mount(self) -> None:
        self._worker_timer = self.set_interval(_PAUSE, self._work, pause=True)
        self.set_timer(_WARM_UP, self._warm_up)

    def on_resize(self) -> None:
        self._measure()
        self._sync()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted and self._ready:
            self.call_later(self._restyle)

    def _restyle(self) -> None:
        palette = Palette(partial(resolve, self))
        if palette != self._palette:
            self._palette = palette
            self._rows = []
            self._sync()

    def _work(self) -> None:
        """One slice of the layout that is left to do."""
        if self._held_back():
            return
        self._view.work()
        self._sync()
        if not self._view.unfinished and self._worker_timer is not None:
            self._worker_timer.pause()

    def _held_back(self) -> bool:
        """Whether the end that the view follows is still being laid out, and will be for a moment only."""
        if not self._ready or self._view.lay_end():
            self._behind = 0.0
            return False
        now = perf_counter()
        if not self._behind:
            self._behind = now
        elif now - self._behind >= _HOLD:
            self._behind = now
            return False
        if self._worker_timer is not None:
            self._worker_timer.resume()
        return True

    def _warm_up(self) -> None:
        """Import what draws answers beside the event loop, before the first one needs it."""

        def do() -> None:
            import tui.widgets.transcript.turn_layout  # noqa: F401

            self._view.look.inline.warm_up()

        self.run_worker(asyncio.to_thread(do), group="warm-up")

    async def _fetch_colours(self) -> None:
        try:
            await asyncio.to_thread(self._view.look.highlighter.work)
        finally:
            self._fetching = False
        self._view.recolour()
        self._sync()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self._sync()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_scroll_lines(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_scroll_lines(-3)
