"""One turn as lines: the question, the answer's blocks, how it ended. Only what changed is laid out again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import TypeAlias

from tui.models import ACTIVE, TextBlock, Turn
from tui.text import clean_line
from tui.widgets.transcript.blocks import wrapped
from tui.widgets.transcript.cells import width_of
from tui.widgets.transcript.endings import end_rows
from tui.widgets.transcript.lines import BLANK, QUESTION, Gutter, Line, Look, Unit, splice
from tui.widgets.transcript.sections import BlockSection, RowsSection, Section
from tui.widgets.transcript.styles import DIM, TEXT, Kind
from tui.widgets.transcript.text_section import TextSection
from tui.words import _

Mark: TypeAlias = tuple[int, int]
Snapshot: TypeAlias = tuple[list[Line], list[int]]

_QUESTION_LINES = 14
"""Lines of a long question that are shown while it is folded."""
_QUESTION_MOST = 2000
_ATTACHED_LINES = 3


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
        shown = turn.question, turn.asked_at, turn.attachments
        if before is None or (before.question, before.asked_at, before.attachments) != shown:
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
        if names := [clean_line(file.name or file.file_id, 60) for file in turn.attachments]:
            attached = _("attached: {names}").format(names=_(", ").join(names))
            rows += wrapped(attached, max(8, look.content), DIM, _ATTACHED_LINES)
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
            start = end + _gap(parts, index)
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
            gap = _gap(parts, later) if lines else 0
            new += [BLANK] * gap + lines
            starts.append(at + gap)
            at += gap + len(lines)
        new.append(BLANK)
        self._starts[index:] = starts
        return splice(self.lines, begin, new)

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

    def snapshot(self) -> Snapshot:
        """The lines as they stand, to take a mark in later."""
        return list(self.lines), list(self._starts)

    def mark(self, line: int, snapshot: Snapshot | None = None) -> Mark:
        """Where `line` is in the text, whatever the width: the part and how many characters of it come before."""
        lines, starts = snapshot or (self.lines, self._starts)
        index = max((number for number, start in enumerate(starts) if start <= line), default=0)
        return index, sum(_letters(lines[starts[index] if starts else 0 : line]))

    def find(self, mark: Mark) -> int | None:
        """The line where the text of `mark` stands now, None where it is not laid out yet."""
        index, letters = mark
        if index >= len(self._starts):
            return max(0, len(self.lines) - 1) if self.complete else None
        start = self._starts[index]
        part = self._parts[index]
        end = start + len(part.lines)
        for number, count in enumerate(_letters(self.lines[start:end])):
            if letters < count:
                return start + number
            letters -= count
        return max(start, end - 1) if part.complete else None

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


def _gap(parts: Sequence[Section], index: int) -> int:
    """Empty lines before the part at `index`: one, but none between lines that belong together."""
    if not parts[index].lines:
        return 0
    before = index - 1
    while before >= 0 and not parts[before].lines:
        before -= 1
    return 0 if before < 0 or (_tight(parts[index]) and _tight(parts[before])) else 1


def _tight(part: Section) -> bool:
    return isinstance(part, BlockSection) and part.drawn.tight


def _letters(lines: Iterable[Line]) -> list[int]:
    return [sum([len(text) - text.count(" ") for text, _ in line.spans]) for line in lines]
