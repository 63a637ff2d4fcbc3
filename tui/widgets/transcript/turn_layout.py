"""One turn as lines: the question, the answer's blocks, how it ended. Only what changed is laid out again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from time import perf_counter
from typing import Protocol

from tui.models import ACTIVE, Block, Problem, TextBlock, Turn
from tui.widgets.transcript.blocks import ERROR, WARNING, Drawn, draw, wrapped
from tui.widgets.transcript.cells import Spans, cut, width_of, wrap
from tui.widgets.transcript.lines import BLANK, Gutter, Line, Look, TableView, Unit, splice
from tui.widgets.transcript.styles import BOLD, DIM, TEXT, Kind
from tui.widgets.transcript.text_section import TextSection
from tui.words import _

QUESTION = -1
_QUESTION_LINES = 14
"""Lines of a long question that are shown while it is folded."""
_QUESTION_MOST = 2000


class Section(Protocol):
    """A part of a turn that is laid out by itself."""

    lines: list[Line]
    complete: bool

    def step(self) -> int | None: ...
    def units(self) -> list[Unit]: ...
    def recolour(self, number: int = 0) -> None: ...
    @property
    def numbers(self) -> int: ...
    @property
    def waiting(self) -> bool: ...


class BlockSection:
    """A block that is drawn as a whole whenever something of it changes."""

    def __init__(self, look: Look, turn: str, index: int, number: int) -> None:
        self.look = look
        self.turn = turn
        self.index = index
        self.number = number
        self.lines: list[Line] = []
        self.complete = False
        self.drawn = Drawn()
        self._block: Block | None = None
        self._live = False

    def feed(self, block: Block, live: bool) -> None:
        if block is not self._block or live != self._live:
            self._block, self._live, self.complete = block, live, False

    def step(self) -> int | None:
        if self._block is None:
            return None
        look = self.look
        self.drawn = draw(
            self._block,
            look,
            opened=look.fold.is_open(self.turn, self.index),
            view=look.tables.get((self.turn, self.number)) or TableView(),
            number=self.number,
            live=self._live,
        )
        self.complete = True
        return splice(self.lines, 0, [Line(row) for row in self.drawn.rows])

    @property
    def numbers(self) -> int:
        return len(self.drawn.parts)

    @property
    def waiting(self) -> bool:
        return self.drawn.waiting

    def recolour(self, number: int = 0) -> None:
        if self.waiting or number in (0, self.number):
            self.complete = False

    def units(self) -> list[Unit]:
        drawn = self.drawn
        kind = type(self._block).__name__.removesuffix("Block").lower()
        whole = Unit(kind, 0, len(self.lines), self.index, foldable=drawn.foldable, source=source_of(self._block))
        if drawn.parts:
            part = drawn.parts[0]
            whole.number, whole.language, whole.source = part.number, part.language, part.text
            whole.kind, whole.columns = part.kind, drawn.columns
        units = [whole]
        for part in drawn.parts[1:]:
            units[-1].end = part.start
            units.append(Unit(part.kind, part.start, part.end, self.index, part.number, part.language, part.text))
            units[-1].end = len(self.lines)
        return units


class RowsSection:
    """Lines that are made elsewhere: the question, the end."""

    def __init__(self, index: int, kind: str) -> None:
        self.index = index
        self.kind = kind
        self.lines: list[Line] = []
        self.complete = True
        self.numbers = 0
        self.waiting = False
        self.foldable = False
        self.source = ""
        self._new: list[Line] | None = None

    def put(self, lines: list[Line], source: str, foldable: bool = False) -> None:
        self._new, self.source, self.foldable, self.complete = lines, source, foldable, False

    def step(self) -> int | None:
        new, self._new, self.complete = self._new, None, True
        return None if new is None else splice(self.lines, 0, new)

    def recolour(self, number: int = 0) -> None:
        """Nothing in it has colours that come later."""

    def units(self) -> list[Unit]:
        end = len(self.lines)
        return [Unit(self.kind, 0, end, self.index, source=self.source, foldable=self.foldable)] if end else []


def source_of(block: Block | None) -> str:
    """What copying or searching a block that is not text or code gives."""
    match block:
        case None:
            return ""
        case TextBlock():
            return block.text
        case _:
            pass
    parts: list[str] = []
    for name in ("name", "title", "text", "arguments", "result", "details", "answered"):
        value = getattr(block, name, "")
        if isinstance(value, str) and value:
            parts.append(value)
    for step in getattr(block, "steps", ()):
        parts.append(step.title)
    for item in (*getattr(block, "items", ()), *getattr(block, "options", ())):
        parts.append(item)
    for link in getattr(block, "links", ()):
        parts += [link.title, link.url]
    for call in getattr(block, "calls", ()):
        parts += [call.name, call.description, call.arguments]
    return "\n".join(part for part in parts if part)


class TurnLayout:
    """The lines of one turn at one width."""

    def __init__(self, look: Look, turn: Turn) -> None:
        self.look = look
        self.turn = turn
        self.lines: list[Line] = []
        self.complete = False
        self._question = RowsSection(QUESTION, "question")
        self._end = RowsSection(len(turn.blocks), "end")
        self._sections: list[TextSection | BlockSection] = []
        self._starts: list[int] = []
        """Where each of question, blocks and end begins, its empty line left out."""
        self._units: list[Unit] | None = None
        self._feed(turn, None)

    def update(self, turn: Turn) -> None:
        """The turn as it is now; `step` lays out what is new."""
        if turn is not self.turn:
            before, self.turn = self.turn, turn
            self._feed(turn, before)

    def _feed(self, turn: Turn, before: Turn | None) -> None:
        if before is None or before.question != turn.question or before.asked_at != turn.asked_at:
            self._feed_question()
        active = turn.state in ACTIVE
        del self._sections[len(turn.blocks) :]
        number, last = 1, len(turn.blocks) - 1
        for index, block in enumerate(turn.blocks):
            kind = TextSection if isinstance(block, TextBlock) else BlockSection
            section = self._sections[index] if index < len(self._sections) else None
            if not isinstance(section, kind) or section.number != number:
                section = kind(self.look, turn.id, index, number)
                self._sections[index : index + 1] = [section]
            if isinstance(section, TextSection) and isinstance(block, TextBlock):
                section.feed(block.text, not active or index < last)
            elif isinstance(section, BlockSection):
                section.feed(block, active and index == last)
            number += section.numbers
        self._end.index = len(turn.blocks)
        lines = [Line(row) for row in end_rows(turn, self.look)]
        problem = turn.problem
        self._end.put(lines, "" if problem is None else f"{problem.title}: {problem.sentence}")
        self.complete = False

    def _feed_question(self) -> None:
        turn, look = self.turn, self.look
        clock = look.clock(turn.asked_at)
        room = look.content - len(clock) - 2
        opened = look.fold.is_open(turn.id, QUESTION)
        rows = wrapped(turn.question, max(8, room), Kind.QUESTION.key, _QUESTION_MOST if opened else _QUESTION_LINES)
        foldable = opened or len(rows) > _QUESTION_LINES
        first = rows[0] if rows else ()
        space = look.content - width_of(first) - len(clock)
        if space > 0:
            rows[:1] = [(*first, (" " * space, TEXT), (clock, DIM))]
        self._question.put([Line(row, Gutter.BAR) for row in rows], turn.question, foldable)

    def step(self, deadline: float) -> int | None:
        """Lay out until done or `deadline` (of `perf_counter`); at least one step. The first line that changed."""
        changed: int | None = None
        while True:
            parts = self._parts
            index = next((number for number, part in enumerate(parts) if not part.complete), None)
            if index is None and len(self._starts) == len(parts):
                self.complete = True
                return changed
            if index is None:
                first = self._place(0, 0)
            else:
                first = self._place(index, parts[index].step())
                self._renumber(index)
            changed = first if changed is None else changed if first is None else min(changed, first)
            if perf_counter() >= deadline:
                self.complete = all(part.complete for part in self._parts)
                return changed

    @property
    def _parts(self) -> list[Section]:
        return [self._question, *self._sections, self._end]

    def _renumber(self, index: int) -> None:
        """Where a part has come to hold more numbered blocks, those after it are laid out again."""
        if 0 < index < len(self._sections):
            section, after = self._sections[index - 1], self._sections[index]
            if section.complete and after.number != section.number + section.numbers:
                self._feed(self.turn, self.turn)

    def _place(self, index: int, first: int | None) -> int | None:
        """Put the lines of the part at `index`, from its line `first` on, and of all after it where they belong."""
        self._units = None
        parts = self._parts
        if len(self._starts) != len(parts):
            index, first = 0, 0
        if first is None and len(self._starts) == len(parts):
            return None
        if index:
            end = self._starts[index - 1] + len(parts[index - 1].lines)
            start = end + (self._gap(index) if parts[index].lines else 0)
        else:
            start = 0
        new: list[Line] = []
        begin = start + (first or 0)
        if index and begin == start:
            begin = end
            new += [BLANK] * (start - end)
        starts = [start]
        new += parts[index].lines[first or 0 :]
        at = start + len(parts[index].lines)
        for later in range(index + 1, len(parts)):
            lines = parts[later].lines
            gap = self._gap(later) if lines else 0
            new += [BLANK] * gap + lines
            starts.append(at + gap)
            at += gap + len(lines)
        new.append(BLANK)
        self._starts[index:] = starts
        return splice(self.lines, begin, new)

    def _gap(self, index: int) -> int:
        """Empty lines before the part at `index`: one, but none between lines that belong together."""
        parts = self._parts
        before = next((part for part in reversed(parts[:index]) if part.lines), None)
        here = parts[index]
        if before is None:
            return 0
        tight = isinstance(here, BlockSection) and here.drawn.tight
        after = isinstance(before, BlockSection) and before.drawn.tight
        return 0 if tight and after else 1

    # --- what others ask -----------------------------------------------------------------------------------

    def units(self) -> list[Unit]:
        """The blocks of the turn, in line numbers of the turn."""
        if self._units is None:
            self._units = []
            for start, part in zip(self._starts, self._parts, strict=False):
                for unit in part.units():
                    unit.start += start
                    unit.end += start
                    self._units.append(unit)
        return self._units

    def mark(self, line: int) -> tuple[int, int]:
        """Where `line` is in the text, whatever the width: the part and how many characters of it come before."""
        index = max((number for number, start in enumerate(self._starts) if start <= line), default=0)
        start = self._starts[index] if self._starts else 0
        return index, sum(_letters(self.lines[start:line]))

    def find(self, mark: tuple[int, int]) -> int:
        """The line where the text of `mark` stands now."""
        index, letters = mark
        if index >= len(self._starts):
            return max(0, len(self.lines) - 1)
        start = self._starts[index]
        end = start + len(self._parts[index].lines)
        for number, count in enumerate(_letters(self.lines[start:end])):
            if letters < count:
                return start + number
            letters -= count
        return max(start, end - 1)

    def section_lines(self, section: int, position: int | None = None) -> tuple[int, int]:
        """The lines of a section, or of the piece of it that holds source offset `position`."""
        start = self._starts[section + 1]
        part = self._parts[section + 1]
        if position is not None and isinstance(part, TextSection):
            first, end = part.piece_lines(position)
            return start + first, start + end
        return start, start + len(part.lines)

    @property
    def waiting(self) -> bool:
        return any(section.waiting for section in self._sections)

    def recolour(self) -> None:
        """Colours have come."""
        for section in self._sections:
            if section.waiting:
                section.recolour(-1)
        self.complete = False

    def refold(self, section: int, number: int = 0) -> None:
        """A fold or the view of a table was changed."""
        if section == QUESTION:
            self._feed_question()
        elif section < len(self._sections):
            self._sections[section].recolour(number)
        self.complete = False


_SPACE = re.compile(r"\s+")


def _letters(lines: Iterable[Line]) -> list[int]:
    return [len(_SPACE.sub("", line.text)) for line in lines]


def end_rows(turn: Turn, look: Look) -> list[Spans]:
    """How the turn stands, where that is not plain to see."""
    rows: list[Spans] = []
    width = look.content
    words = {
        "queued": _("queued: it is sent when the answer before it has ended"),
        "sending": _("sending {dots}").format(dots=look.marks.ellipsis),
        "stopping": _("stopping: asked the service to stop, waiting for its word"),
        "stopped": _("stopped"),
        "cut_off": _("cut off: the stream ended before the service said that the answer was complete"),
        "interrupted": _("interrupted: the program ended before the answer did"),
    }
    if turn.state in words:
        rows += wrap(((words[turn.state], WARNING if turn.state in ("cut_off", "interrupted") else DIM),), width)
    if turn.recovered:
        rows += wrap(((_("part of this answer was fetched afterwards from the service's history"), DIM),), width)
    if turn.frames_skipped:
        count = turn.frames_skipped
        text = (
            _("{n} unreadable frames of the stream were left out")
            if count > 1
            else _("one unreadable frame of the stream was left out")
        )
        rows += wrap(((text.format(n=count), DIM),), width)
    if turn.problem is not None:
        rows += problem_rows(turn.problem, look)
    if turn.rating:
        mark = _("you marked this answer as helpful") if turn.rating == "like" else _("you marked this as not helpful")
        rows += wrap(((mark, DIM),), width)
    return rows


def problem_rows(problem: Problem, look: Look) -> list[Spans]:
    """`✗ title: sentence`, then dim what to try and the request id."""
    sign = look.marks.failed + " "
    text = wrap(
        (
            (problem.title, ERROR | BOLD),
            (": " if problem.title and problem.sentence else "", TEXT),
            (problem.sentence, TEXT),
        ),
        look.content - 2,
    )
    rows = [(((sign if index == 0 else "  "), ERROR), *row) for index, row in enumerate(text)]
    code = " ".join(part for part in (problem.code, f"HTTP {problem.status}" if problem.status else "") if part)
    request = _("request {id}").format(id=problem.request_id) if problem.request_id else ""
    facts = f" {look.marks.dot} ".join(part for part in (problem.remedy, code, request) if part)
    if facts:
        rows += [(("  ", TEXT), *row) for row in wrap(((cut(facts, 4000), DIM),), look.content - 2)]
    return rows
