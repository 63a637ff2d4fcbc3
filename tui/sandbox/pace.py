"""How fast the sandbox writes."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

NATURAL = 40.0
FAST = 400.0
_FRAMES_AT_ONCE = 16
"""At an unlimited pace: how many frames are made before others have their say."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate` in deltas per second, infinite for as fast as the line takes them."""

    rate: float
    jitter: float = 0.0

    @classmethod
    def of(cls, value: str | float) -> Pace:
        """From `natural`, `fast`, `unlimited` or a rate.

        Raises:
            ValueError: for anything else.
        """
        if value == "natural":
            return cls(NATURAL, 0.5)
        if value == "fast":
            return cls(FAST)
        if value == "unlimited":
            return cls(math.inf)
        rate = float(value)
        if not rate > 0:
            raise ValueError(f"a pace is natural, fast, unlimited or a number of deltas per second, not {value!r}")
        return cls(rate)

    def interval(self, chance: random.Random) -> float:
        """Seconds from one delta to the next."""
        spread = 1.0 + self.jitter * (2 * chance.random() - 1)
        return spread / self.rate

    def pause(self, seconds: float) -> float:
        """Seconds that a pause of the script (a tool at work) really takes."""
        return seconds * min(1.0, NATURAL / self.rate)


class Nap:
    """A sleep that can be ended before its time."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """End it; nothing happens where nobody sleeps."""
        self._woken.set()

    async def take(self, seconds: float | None) -> None:
        """Sleep `seconds` (None: for ever) or until `wake`."""
        self._woken.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()


class Metronome:
    """When the next frame of a turn is due: by the clock, so that 200 a second are kept on a busy machine too.

    Args:
        nap: how to sleep.
    """

    def __init__(
        self, pace: Pace, chance: random.Random, nap: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._pace = pace
        self._chance = chance
        self._nap = nap
        self._next_at = 0.0
        self._count = 0

    async def beat(self, pause: float = 0.0, silence: float = 0.0) -> None:
        """Wait for the next frame. `pause` in seconds of the script, which the pace scales, `silence` in real ones."""
        now = asyncio.get_running_loop().time()
        rest = self._pace.pause(pause) + silence
        interval = self._pace.interval(self._chance)
        self._next_at = now + rest if rest else max(self._next_at or now, now - 0.25) + interval
        self._count += 1
        if self._next_at > now:
            await self._nap(self._next_at - now)
        elif self._count % _FRAMES_AT_ONCE == 0:
            await asyncio.sleep(0)
