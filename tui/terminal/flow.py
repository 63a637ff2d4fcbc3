"""How much the line to the terminal takes: a question after every few bytes, and nothing more until its answer.

Without it, a slow line fills up behind the program with frames that are old before they are drawn, and every key
waits for all of them. Pure; the clock is given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

ASK_AFTER = 150
"""Bytes sent since the last question after which the next is asked. A question and its answer cost 4 bytes each way."""

SHARE = 0.06
"""Seconds of the line that one frame may take: so long a key may have to wait besides the round trip."""

LEAST_BUDGET = 240
"""Bytes that a frame may always have: less would never finish a screen."""

GIVE_UP = 3.0
"""Seconds after which an answer is no longer waited for, when the line is known to take more than it was sent."""

TRIES = 3
"""Answers in a row that may fail to come before the terminal is taken to give none."""

SLOW_RATE = 24_000
"""Bytes a second below which a line is slow."""

SLOW_ROUND_TRIP = 0.25
"""Seconds of round trip above which a line is slow."""

_SAMPLE_FROM = 600
"""Bytes that a measurement of the rate needs; with fewer, the round trip hides it."""


class _Question(NamedTuple):
    at: float
    size: int
    holds: bool


class Flow:
    """The state of the line. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.round_trip: float | None = None
        """The shortest seen, seconds; None before the first answer."""
        self.last_round_trip = 0.0
        self.rate: float | None = None
        """Bytes a second, as measured; None while nothing large enough was sent, or the line is too fast to tell."""
        self._since = 0
        self.measured = 0
        """How often the rate was measured."""
        self._questions: deque[_Question] = deque()
        self._missed = 0

    @property
    def answers(self) -> bool:
        """The terminal is expected to answer."""
        return self._missed < TRIES

    @property
    def waiting(self) -> bool:
        """What was sent may not have been drawn yet."""
        return any(question.holds for question in self._questions)

    @property
    def outstanding(self) -> bool:
        """An answer is under way."""
        return bool(self._questions)

    @property
    def budget(self) -> int | None:
        """Bytes that the next frame may have; None where the line takes whatever there is."""
        if self.rate is None:
            return None
        return max(LEAST_BUDGET, int(self.rate * SHARE))

    @property
    def slow(self) -> bool:
        """The line is one for the low-bandwidth profile."""
        return (self.rate is not None and self.rate < SLOW_RATE) or (
            self.round_trip is not None and self.round_trip > SLOW_ROUND_TRIP
        )

    def asked(self, size: int = 0, *, holds: bool = False) -> None:
        """A question was sent, `size` bytes after the one before; `holds`: nothing should follow until its answer."""
        self._questions.append(_Question(self._clock(), size, holds))
        self._since = 0

    def sending(self, size: int, *, more: bool) -> bool:
        """A frame of `size` bytes is about to be sent; whether a question goes with it. `more`: it is not the last."""
        self._since += size
        if self.waiting or not self.answers or (self._since < ASK_AFTER and not more):
            return False
        self.asked(self._since, holds=True)
        return True

    def answered(self, at: float) -> bool:
        """The answer came at `at`; False when none was expected."""
        self._missed = 0
        if not self._questions:
            return False
        question = self._questions.popleft()
        took = max(at - question.at, 1e-6)
        self.last_round_trip = took
        # What a slow line is sent at a time is less, and says enough about it.
        enough = _SAMPLE_FROM if self.budget is None else min(_SAMPLE_FROM, self.budget)
        if question.size >= enough and self.round_trip is not None:
            self._measure(question.size / max(took - self.round_trip, 1e-4))
        if self.round_trip is None or took < self.round_trip:
            self.round_trip = took
        return True

    def _measure(self, rate: float) -> None:
        self.measured += 1
        if rate > 10 * SLOW_RATE:
            # Too fast to matter; a line that was slow for a while is so no longer.
            self.rate = None if self.rate is None or self.rate > 2 * SLOW_RATE else self.rate * 2
        else:
            self.rate = rate if self.rate is None else (self.rate + rate) / 2

    def expire(self, backlog: int) -> bool:
        """Stop waiting for an answer that should have come; True when that was so.

        While the kernel still holds bytes the line is stalled, not the answer lost.
        """
        if not self._questions or backlog or self._clock() - self._questions[0].at < self._patience:
            return False
        self._questions.clear()
        self._missed += 1
        return True

    @property
    def _patience(self) -> float:
        size = sum(question.size for question in self._questions)
        return max(GIVE_UP, 4 * size / self.rate if self.rate else 0.0, 8 * (self.round_trip or 0.0))
