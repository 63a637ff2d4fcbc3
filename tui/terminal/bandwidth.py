"""Whether the line to the terminal is one on which little should be drawn. Pure; the clock is given."""

from __future__ import annotations

from collections.abc import Callable

from tui.terminal.flow import Flow

SURE_AFTER = 3
"""Measurements in a row that must say that the line is slow: some may have been held up by a busy machine."""

CALM = 30.0
"""Seconds for which a line must have been fast before it is taken to be so again."""


class Bandwidth:
    """`choice` is the setting: `full` and `low` are what they say, `auto` goes by what is measured.

    `clock` counts seconds.
    """

    def __init__(self, clock: Callable[[], float], choice: str = "auto") -> None:
        self.choice = choice
        self._clock = clock
        self._slow = False
        self._signs = 0
        self._measured = 0
        self._slow_at = 0.0

    @property
    def low(self) -> bool:
        """Little should be drawn."""
        return self.choice == "low" or (self.choice == "auto" and self._slow)

    def look(self, flow: Flow, *, deferred: bool = False) -> bool:
        """Take in what has been measured; True when `low` has changed by it. `deferred`: a frame had to wait."""
        before = self.low
        now = self._clock()
        if flow.slow:
            self._slow_at = now
            if flow.measured != self._measured or flow.rate is None:
                self._measured = flow.measured
                self._signs += 1
            self._slow = self._slow or self._signs >= SURE_AFTER
        else:
            self._signs = 0
            if deferred:
                self._slow_at = now
            self._slow = self._slow and now - self._slow_at < CALM
        return self.low != before
