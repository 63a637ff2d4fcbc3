"""How fast the sandbox writes."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

NATURAL = 40.0
FAST = 400.0


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
