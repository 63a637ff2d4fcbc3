"""The block cursor: which block keys act on. It comes along when the view moves away from it."""

from __future__ import annotations

from collections.abc import Sequence

from tui.widgets.transcript.lines import Shown, Unit
from tui.widgets.transcript.viewport import SLICE, Viewport


class BlockCursor:
    """Stands on a block of a turn, or on none.

    Args:
        view: what it moves in.
    """

    def __init__(self, view: Viewport) -> None:
        self._view = view
        self._turn = ""
        self._unit = 0

    def clear(self) -> None:
        self._turn = ""

    def put(self, index: int, unit: int) -> None:
        """On block number `unit` of the turn at `index`."""
        self._turn, self._unit = self._view.turns[index].id, max(0, unit)

    def here(self) -> tuple[int, Unit] | None:
        """The turn's index and the block."""
        index = self._view.index_of(self._turn)
        units = [] if index is None else self._view.units(index)
        if index is None or not units:
            return None
        self._unit = min(self._unit, len(units) - 1)
        return index, units[self._unit]

    def move(self, step: int) -> None:
        """To the next (1) or previous (-1) block, which comes into view."""
        here = self.here()
        if here is None:
            return
        view = self._view
        index, unit = here[0], self._unit + step
        if unit < 0:
            if index == 0:
                return
            index -= 1
            unit = len(view.units(index, SLICE * 2)) - 1
        elif unit >= len(view.units(index, SLICE * 2)):
            if index == len(view.turns) - 1:
                view.to_end()
                return
            index, unit = index + 1, 0
        self.put(index, unit)
        target = self.here()
        if target is not None:
            view.reveal(index, target[1].start, target[1].end)

    def into(self, shown: Sequence[Shown]) -> None:
        """On a block in view where it is on none: the nearest to where it was, else the newest."""
        if not shown:
            self.clear()
            return
        view = self._view
        here = self.here()
        last = view.following
        if here is not None:
            index, unit = here
            if any(item.turn == index and unit.start <= item.number < unit.end for item in shown):
                return
            last = (index, unit.start) > (shown[0].turn, shown[0].number)
        for item in reversed(shown) if last else shown:
            for number, unit in enumerate(view.units(item.turn)):
                if unit.start <= item.number < unit.end:
                    self.put(item.turn, number)
                    return
