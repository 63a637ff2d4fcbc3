"""Which lines are in view: a position anchored to content, turns laid out near it only.

Knows no Textual. A position is a turn and a line in it, so turns above the view need no heights at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, TypeAlias

from tui.widgets.transcript.lines import Look, Shown, Unit
from tui.widgets.transcript.news import News

if TYPE_CHECKING:
    from tui.models import Turn
    from tui.widgets.transcript.turn_layout import Mark, TurnLayout

SLICE = 0.006
"""Seconds of layout in one go."""
_FEW = 4
"""Layouts that are worth no thought."""
_KEPT_SCREENS = 3
"""Turns that begin within so many screens of the view stay laid out."""


Place: TypeAlias = "tuple[str, Mark]"
"""A turn's id and a place in its text."""


@dataclass(slots=True, eq=False, repr=False)
class Viewport:
    look: Look
    height: int = 1
    turns: list[Turn] = field(default_factory=list)
    following: bool = True
    stride: int = 1
    """Lines that the view moves at a time while an answer grows: each move costs a slow line most of a screen."""
    _index: dict[str, int] = field(default_factory=dict)
    _layouts: dict[str, TurnLayout] = field(default_factory=dict)
    _turn: int = 0
    _line: int = 0
    _mark: Mark | None = None
    """Where the top line is in its text, while its turn is not laid out (a new width, a remembered position)."""
    _arriving: bool = True
    """Its end was not reached yet since other contents were shown: strides begin from there."""
    _news: News = field(default_factory=News)

    # --- contents ------------------------------------------------------------------------------------------

    def show(self, turns: Sequence[Turn]) -> None:
        """Other contents; the view is at their end."""
        self.turns = list(turns)
        self._index = {turn.id: number for number, turn in enumerate(self.turns)}
        self._layouts.clear()
        self.following, self._mark = True, None
        self._news.forget()
        self._turn = self._line = 0
        self._arriving = True

    def update(self, turn: Turn) -> bool:
        """A new or changed turn; whether anything is to be laid out."""
        index = self._index.get(turn.id)
        if index is None:
            self._index[turn.id] = len(self.turns)
            self.turns.append(turn)
            return True
        if self.turns[index] == turn:
            return False
        self.turns[index] = turn
        return True

    def remove(self, turn_id: str) -> None:
        index = self._index.pop(turn_id, None)
        if index is None:
            return
        top = self.position()
        del self.turns[index]
        self._layouts.pop(turn_id, None)
        self._index = {turn.id: number for number, turn in enumerate(self.turns)}
        if top and top[0] in self._index:
            self._turn = self._index[top[0]]
        else:
            self._turn, self._line = min(index, max(0, len(self.turns) - 1)), 0

    def position(self) -> Place | None:
        """Where the view is, to come back to; None at the end."""
        if self.following or not self.turns:
            return None
        turn = self.turns[self._turn]
        return turn.id, self._mark or self.layout(self._turn).mark(self._line)

    def restore(self, position: Place | None) -> None:
        if position and position[0] in self._index:
            self.following = False
            self._turn, self._mark = self._index[position[0]], position[1]

    def relook(self, look: Look) -> None:
        """Another width or other marks: everything is laid out anew, what is at the top stays there."""
        position = self.position()
        self._news.keep_place(self._layouts)
        self.look = look
        self._layouts.clear()
        self.restore(position)

    @property
    def new_lines(self) -> int:
        """Lines that came below the view since the end was left."""
        return self._news.lines

    # --- layout --------------------------------------------------------------------------------------------

    def layout(self, index: int, deadline: float = 0.0, whole: bool = False) -> TurnLayout:
        """The layout of a turn; with `whole` laid out to its end or until `deadline`.

        Laying out the turn at the top never moves the line that is at the top.
        """
        turn = self.turns[index]
        layout = self._layouts.get(turn.id)
        if layout is None:
            # Not before there is a turn: what draws blocks is half of the widget's code.
            from tui.widgets.transcript.turn_layout import TurnLayout

            layout = self._layouts[turn.id] = TurnLayout(self.look, turn)
        if layout.turn is not turn:
            layout.update(turn)
        if layout.complete:
            return layout
        anchored = index == self._turn and not self.following and self._mark is None and bool(layout.lines)
        snapshot = layout.snapshot() if anchored else None
        changed: int | None = None
        while not layout.complete and (not layout.lines or (whole and perf_counter() < deadline)):
            first = layout.step(deadline)
            changed = first if changed is None else changed if first is None else min(first, changed)
        if snapshot and changed is not None and changed <= self._line:
            mark = layout.mark(self._line, snapshot)
            found = layout.find(mark)
            if found is None:
                self._mark = mark
            else:
                self._line = found
        return layout

    def arrange(self) -> list[Shown]:
        """Settle what is in view and lay it out, in one slice of time; what could not be is left for `work`."""
        if not self.turns:
            self._turn = self._line = 0
            return []
        deadline = perf_counter() + SLICE
        self._return_to_mark(deadline)
        if self.following:
            self._to_end(deadline)
        else:
            self._clamp(deadline)
        shown = self._collect(deadline)
        if not self.following and self._at_end(deadline):
            self.following = True
        self._news.count(self, shown, deadline)
        if len(self._layouts) > _FEW:
            self._forget()
        return shown

    def _return_to_mark(self, deadline: float) -> None:
        """Put the line of a remembered place at the top, as soon as it is laid out."""
        if self._mark is not None:
            layout = self.layout(self._turn, deadline, whole=True)
            found = layout.find(self._mark)
            if found is not None:
                self._line, self._mark = found, None
            self._line = min(self._line, max(0, len(layout.lines) - 1))

    def _to_end(self, deadline: float) -> None:
        before = self._turn, self._line
        self._turn = last = len(self.turns) - 1
        layout = self.layout(last, deadline, whole=True)
        self._line = len(layout.lines)
        self._up(self.height, deadline)
        if self.stride > 1 and self.turns[last].active and not self._arriving:
            self._in_strides(before, deadline)
        self._arriving = self._arriving and not layout.complete

    def _in_strides(self, before: tuple[int, int], deadline: float) -> None:
        """Stay where the view was while the end is in it, else move ahead of the end."""
        if before <= (self._turn, self._line):
            # The end went out of the view, or the view comes from somewhere else.
            if 0 < self._distance(before, (self._turn, self._line)) <= self.height:
                self._down(self.stride - 1, deadline)
        elif self._distance((self._turn, self._line), before) < self.stride:
            self._turn, self._line = before

    def _distance(self, start: tuple[int, int], end: tuple[int, int]) -> int:
        """Lines from one place to a later one; what lies between is laid out unless it is far."""
        (turn, line), (end_turn, end_line) = start, end
        count = end_line - line
        for index in range(turn, end_turn):
            layout = self._layouts.get(self.turns[index].id)
            count += len(layout.lines) if layout is not None else self.height + 1
        return count

    def _up(self, count: int, deadline: float) -> int:
        """Move the top `count` lines up, as far as lines are there; how many it went."""
        gone = 0
        while gone < count:
            if self._line == 0:
                if self._turn == 0:
                    break
                layout = self.layout(self._turn - 1, max(deadline, perf_counter() + SLICE / 2), whole=True)
                if not layout.complete:
                    break
                self._turn -= 1
                self._line = len(layout.lines)
            step = min(count - gone, self._line)
            self._line -= step
            gone += step
        return gone

    def _down(self, count: int, deadline: float) -> None:
        while count > 0:
            size = len(self.layout(self._turn, deadline, whole=True).lines)
            if self._line + count < size or self._turn == len(self.turns) - 1:
                self._line = min(self._line + count, max(0, size - 1))
                return
            count -= size - self._line
            self._turn, self._line = self._turn + 1, 0

    def _clamp(self, deadline: float) -> None:
        """Never past the end: the last line is not above the bottom while there is more above."""
        count = -self._line
        for index in range(self._turn, len(self.turns)):
            layout = self.layout(index, deadline, whole=True)
            count += len(layout.lines)
            if count >= self.height or not layout.complete:
                return
        self._up(self.height - count, deadline)

    def _collect(self, deadline: float) -> list[Shown]:
        shown: list[Shown] = []
        index, number = self._turn, self._line
        while len(shown) < self.height and index < len(self.turns):
            layout = self.layout(index, deadline, whole=True)
            stop = min(len(layout.lines), number + self.height - len(shown))
            shown += [Shown(layout.lines[at], index, at) for at in range(number, stop)]
            if not layout.complete:
                break
            index, number = index + 1, 0
        return shown

    def _at_end(self, deadline: float) -> bool:
        """Whether the last line is in view. Nothing in view is laid out any further here."""
        count = -self._line - self.height
        for index in range(self._turn, len(self.turns)):
            layout = self.layout(index, deadline, whole=True)
            count += len(layout.lines)
            if count > 0 or not layout.complete:
                return False
        return self._mark is None

    @property
    def unfinished(self) -> bool:
        """Whether something in view or near it is still to be laid out."""
        return any(not layout.complete for layout in self._layouts.values()) or self._neighbour() is not None

    def lay_end(self) -> bool:
        """One slice for the end, where the view follows it; False when more is left of it than that."""
        if not (self.following and self.turns and self.turns[-1].id in self._layouts):
            return True
        return self.layout(len(self.turns) - 1, perf_counter() + SLICE, whole=True).complete

    def _neighbour(self) -> int | None:
        """A turn beside the view that will be wanted soon."""
        room = self.height
        for index in range(self._turn - 1, -1, -1):
            layout = self._layouts.get(self.turns[index].id)
            if layout is None or not layout.complete:
                return index
            room -= len(layout.lines)
            if room < 0:
                break
        return None

    def work(self) -> None:
        """One slice of what is left to do; the view itself first."""
        deadline = perf_counter() + SLICE
        for index in [number for turn, number in self._index.items() if turn in self._layouts]:
            self.layout(index, deadline, whole=True)
            if perf_counter() >= deadline:
                return
        index_near = self._neighbour()
        if index_near is not None:
            self.layout(index_near, deadline, whole=True)
        self._forget()

    def _forget(self) -> None:
        """Drop the layouts that are far from the view."""
        room, first = self.height * _KEPT_SCREENS, self._turn
        while first > 0 and room > 0:
            first -= 1
            layout = self._layouts.get(self.turns[first].id)
            room -= len(layout.lines) if layout else self.height
        room, last = self.height * (_KEPT_SCREENS + 1), self._turn
        while last < len(self.turns) - 1 and room > 0:
            layout = self._layouts.get(self.turns[last].id)
            room -= len(layout.lines) if layout else self.height
            last += 1
        near = {turn.id for turn in self.turns[first : last + 1]}
        # And what is counted as new, or it would be laid out for each count.
        near |= {turn.id for turn in self.turns[self._index.get(self._news.turn, -1) :]}
        for turn_id in [turn_id for turn_id in self._layouts if turn_id not in near]:
            del self._layouts[turn_id]

    # --- moving --------------------------------------------------------------------------------------------

    def scroll(self, lines: int) -> None:
        """Down for positive, up for negative `lines`."""
        if not self.turns or not lines:
            return
        deadline = perf_counter() + SLICE
        if lines < 0:
            if self._up(-lines, deadline):
                self.following = False
        elif not self.following:
            self._down(lines, deadline)

    def to_top(self) -> None:
        self.to_line(0, 0)

    def to_end(self) -> None:
        self.following = True

    def to_line(self, turn: int, line: int, above: int = 0) -> None:
        """Put a line at the top, with `above` lines before it."""
        self._turn, self._line, self._mark = turn, line, None
        self.following = False
        self._up(above, perf_counter() + SLICE)

    def reveal(self, turn: int, start: int, end: int) -> None:
        """Move as little as possible to have the lines `start` to `end` of a turn in view, or the first of them."""
        deadline = perf_counter() + SLICE
        if (turn, start) < (self._turn, self._line):
            self.to_line(turn, start)
            return
        offset = -self._line
        for index in range(self._turn, turn):
            offset += len(self.layout(index, deadline, whole=True).lines)
            if offset > self.height * 4:
                self.to_line(turn, start)
                return
        more = min(offset + end - self.height, offset + start)
        if more > 0:
            self.following = False
            self._down(more, deadline)

    @property
    def top(self) -> tuple[int, int]:
        return self._turn, self._line

    def units(self, index: int, within: float = 0.0) -> list[Unit]:
        """The blocks of a turn as far as it is laid out, which may go on for `within` seconds first."""
        turn_id = self.turns[index].id
        known = turn_id in self._layouts
        layout = self.layout(index, perf_counter() + within, whole=within > 0)
        if not known and not layout.complete:
            # Away from the view: nothing would go on with it.
            del self._layouts[turn_id]
        return layout.units()

    def index_of(self, turn_id: str) -> int | None:
        return self._index.get(turn_id)

    def recolour(self) -> None:
        """Colours have come for code that stood plain."""
        for layout in self._layouts.values():
            if layout.waiting:
                layout.recolour()

    def refold(self, turn_id: str, section: int, number: int = 0) -> None:
        layout = self._layouts.get(turn_id)
        if layout is not None:
            self._news.keep_place(self._layouts)
            layout.refold(section, number)

    def refold_all(self) -> None:
        self._news.keep_place(self._layouts)
        for turn_id, layout in self._layouts.items():
            for section in range(-1, len(self.turns[self._index[turn_id]].blocks)):
                layout.refold(section)
