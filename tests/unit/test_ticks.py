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
        self.received = 0
        self.ticks = Ticks(self.note, rate, lambda _conversation: self.received)

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


@pytest.mark.parametrize(
    ("received", "since", "told_now"),
    [(1, 1, True), (FLOOD + 1, 1, False), (FLOOD + 1, FLOOD_TICKS - 0.5, False), (FLOOD + 1, FLOOD_TICKS + 0.5, True)],
)
async def test_a_flood_is_put_off_for_some_ticks(received: int, since: float, told_now: bool) -> None:
    """`since`: ticks from the update before."""
    told = Told(rate=1.0)
    told.ticks._next = asyncio.get_running_loop().time() + 1 - since
    told.received = received
    told.ticks.add(CHANGED)
    told.ticks._due()
    assert (told.updates == [CHANGED]) is told_now
    told.ticks.flush()


async def test_the_end_of_a_flood_is_not_waited_for() -> None:
    told = Told(rate=0.01)
    told.ticks._next = asyncio.get_running_loop().time()
    told.received = FLOOD + 1
    told.ticks.add(CHANGED)
    told.ticks._due()
    assert told.updates == []
    await told.some.wait()  # the next look finds no more of it; a tick would be after more than a minute


async def test_the_end_of_a_turn_waits_for_no_tick() -> None:
    told = Told(rate=0.01)
    told.ticks.add(CHANGED)
    told.ticks.flush()
    told.received = FLOOD + 1
    told.ticks.add(CHANGED)
    told.some.clear()
    told.ticks.add(TurnUpdate("c", "t", ended=True))
    await told.some.wait()
    assert told.updates[-1].ended


async def test_the_end_of_a_turn_is_not_lost_in_a_later_change() -> None:
    told = Told(rate=100.0)
    told.ticks.add(TurnUpdate("c", "t", ended=True, put_back="a question"))
    told.ticks.add(CHANGED)
    told.ticks.flush()
    assert told.updates == [TurnUpdate("c", "t", ended=True, put_back="a question")]
    told.ticks.flush()
    assert len(told.updates) == 1
