"""Many changes, one update a tick."""

from __future__ import annotations

import asyncio

import pytest

from tui.ticks import FLOOD, FLOOD_TICKS, Ticks
from tui.turns import TurnUpdate

CHANGED = TurnUpdate("c", "t")


class Told:
    """Keeps what was published."""

    def __init__(self, rate: float) -> None:
        self.updates: list[TurnUpdate] = []
        self.some = asyncio.Event()
        self.ticks = Ticks(self.note, rate)

    def note(self, update: TurnUpdate) -> None:
        self.updates.append(update)
        self.some.set()


async def test_what_comes_together_is_told_together() -> None:
    told = Told(rate=1.0)  # the next tick would be a second later
    for _piece in range(3):
        told.ticks.add(CHANGED)
        # The line gives what it has piece by piece; the loop has its turn in between.
        await asyncio.sleep(0)
    assert told.updates == []
    await told.some.wait()
    assert told.updates == [CHANGED]


@pytest.mark.parametrize(("changes", "ticks"), [(1, 1), (FLOOD + 1, FLOOD_TICKS)])
async def test_of_a_flood_less_is_drawn(changes: int, ticks: int) -> None:
    loop, told = asyncio.get_running_loop(), Told(rate=1.0)
    for _change in range(changes):
        told.ticks.add(CHANGED)
    told.ticks.flush()
    told.ticks.add(CHANGED)
    assert told.ticks._handle is not None
    assert told.ticks._handle.when() - loop.time() == pytest.approx(ticks, abs=0.5)
    told.ticks.flush()


async def test_the_end_of_a_turn_is_not_lost_in_a_later_change() -> None:
    told = Told(rate=100.0)
    told.ticks.add(TurnUpdate("c", "t", ended=True, put_back="a question"))
    told.ticks.add(CHANGED)
    told.ticks.flush()
    assert told.updates == [TurnUpdate("c", "t", ended=True, put_back="a question")]
    told.ticks.flush()
    assert len(told.updates) == 1
