"""When a line is taken to be slow, and when it is so no longer."""

from __future__ import annotations

from tui.terminal.bandwidth import CALM, Bandwidth
from tui.terminal.flow import SLOW_RATE, SLOW_ROUND_TRIP, Flow


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def lines() -> tuple[Clock, Flow, Flow, Bandwidth]:
    """A clock, a fast line, a slow one, and a bandwidth that looks at them."""
    clock = Clock()
    fast, slow = Flow(clock), Flow(clock)
    fast.round_trip, slow.round_trip = 0.01, 0.15
    slow.rate = SLOW_RATE / 6
    return clock, fast, slow, Bandwidth(clock)


def test_a_slow_line_is_believed_at_the_second_sign() -> None:
    _clock, fast, slow, bandwidth = lines()
    assert not bandwidth.look(slow)
    assert not bandwidth.look(fast)
    assert not bandwidth.look(slow)
    assert bandwidth.look(slow)
    assert bandwidth.low
    assert not bandwidth.look(slow), "said once"


def test_a_far_terminal_is_a_slow_line() -> None:
    _clock, fast, _slow, bandwidth = lines()
    fast.round_trip = 2 * SLOW_ROUND_TRIP
    bandwidth.look(fast)
    assert bandwidth.look(fast)


def test_a_line_that_was_fast_for_long_is_fast_again() -> None:
    clock, fast, slow, bandwidth = lines()
    bandwidth.look(slow)
    bandwidth.look(slow)
    clock.now += CALM / 2
    assert not bandwidth.look(fast, deferred=True), "too soon, and frames still wait"
    clock.now += CALM * 0.9
    assert not bandwidth.look(fast)
    clock.now += CALM * 0.2
    assert bandwidth.look(fast)
    assert not bandwidth.low


def test_the_setting_wins_over_what_is_measured() -> None:
    _clock, _fast, slow, bandwidth = lines()
    bandwidth.choice = "full"
    assert not bandwidth.look(slow)
    assert not bandwidth.look(slow)
    assert not bandwidth.low
    bandwidth.choice = "low"
    assert bandwidth.low
