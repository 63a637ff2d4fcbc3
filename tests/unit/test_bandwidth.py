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


def found_slow(slow: Flow, bandwidth: Bandwidth) -> bool:
    """Whether the third measurement in a row is believed."""
    changed = []
    for _measurement in range(3):
        slow.measured += 1
        changed.append(bandwidth.look(slow))
    return changed == [False, False, True]


def test_a_slow_line_is_believed_at_the_third_measurement() -> None:
    _clock, fast, slow, bandwidth = lines()
    for _hiccup in range(2):
        slow.measured += 1
        assert not bandwidth.look(slow)
        assert not bandwidth.look(slow), "one measurement counts once"
    assert not bandwidth.look(fast)
    assert found_slow(slow, bandwidth)
    assert bandwidth.low
    assert not bandwidth.look(slow), "said once"


def test_a_far_terminal_is_a_slow_line() -> None:
    _clock, fast, _slow, bandwidth = lines()
    fast.round_trip = 2 * SLOW_ROUND_TRIP
    assert [bandwidth.look(fast) for _answer in range(3)] == [False, False, True]


def test_a_line_that_was_fast_for_long_is_fast_again() -> None:
    clock, fast, slow, bandwidth = lines()
    assert found_slow(slow, bandwidth)
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
    assert not found_slow(slow, bandwidth)
    assert not bandwidth.low
    bandwidth.choice = "low"
    assert bandwidth.low
