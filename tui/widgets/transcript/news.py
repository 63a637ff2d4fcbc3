"""How many lines have come below the view since its end was left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.widgets.transcript.lines import Shown

if TYPE_CHECKING:
    from tui.widgets.transcript.turn_layout import Mark, TurnLayout
    from tui.widgets.transcript.viewport import Viewport


@dataclass(slots=True, eq=False, repr=False)
class News:
    """Counts from the last line that was in view, or that was there when the end was left."""

    lines: int = 0
    turn: str = ""
    """Id of the turn from which on lines may be new."""
    _line: int = 0
    """The first line of it that is new."""
    _mark: Mark | None = None
    """Where that is in its text, while it is not laid out anew."""

    def forget(self) -> None:
        """Other contents are shown."""
        self.lines, self._mark = 0, None

    def keep_place(self, layouts: Mapping[str, TurnLayout]) -> None:
        """Lines are about to have other numbers."""
        layout = layouts.get(self.turn)
        if layout is not None and self._mark is None:
            self._mark = layout.mark(self._line)

    def count(self, view: Viewport, shown: Sequence[Shown], deadline: float) -> None:
        """Count anew, with what is `shown` now; what must be laid out for it is until `deadline`."""
        last = len(view.turns) - 1
        if view.following:
            self.forget()
            layout = view.layout(last)
            # What is not laid out yet is not new when it is.
            self.turn, self._line = (view.turns[last].id, len(layout.lines)) if layout.complete else ("", 0)
            return
        index, line = view.index_of(self.turn), self._line
        if self._mark is not None and index is not None:
            layout = view.layout(index, deadline, whole=True)
            found = layout.find(self._mark)
            if found is None:
                return
            # Empty lines that follow are no news.
            line = found if any(line.spans for line in layout.lines[found:]) else len(layout.lines)
            self._mark = None
        if index is None:
            layout = view.layout(last, deadline, whole=True)
            if not layout.complete:
                return
            index, line, self._mark = last, len(layout.lines), None
        if shown and (shown[-1].turn, shown[-1].number + 1) > (index, line):
            index, line = shown[-1].turn, shown[-1].number + 1
        self.turn, self._line = view.turns[index].id, line
        count = sum(len(view.layout(at, deadline, whole=True).lines) for at in range(index, last + 1))
        self.lines = max(0, count - line)
