"""The line's state by questions and answers, on a clock of its own."""

from __future__ import annotations

import pytest

from tui.terminal.flow import ASK_AFTER, GIVE_UP, LEAST_BUDGET, SHARE, TRIES, Flow


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def flow(clock: Clock) -> Flow:
    flow = Flow(clock)
    flow.asked()
    clock.now += 0.05
    assert flow.answered(clock.now)
    return flow


def send(flow: Flow, clock: Clock, size: int, rate: float, more: bool = False) -> None:
    assert flow.sending(size, more=more)
    clock.now += 0.05 + size / rate
    assert flow.answered(clock.now)


def test_the_question_of_the_start_holds_nothing_up(clock: Clock) -> None:
    flow = Flow(clock)
    flow.asked()
    assert flow.outstanding
    assert not flow.waiting


def test_a_question_goes_with_every_few_bytes_only(flow: Flow) -> None:
    assert not flow.sending(ASK_AFTER - 1, more=False)
    assert flow.sending(1, more=False)
    assert flow.waiting
    assert not flow.sending(10_000, more=False), "one at a time"


def test_a_frame_that_goes_on_is_always_asked_about(flow: Flow) -> None:
    assert flow.sending(10, more=True)


def test_a_fast_line_has_no_budget(flow: Flow, clock: Clock) -> None:
    send(flow, clock, 5000, 50_000_000)
    assert flow.budget is None
    assert not flow.slow


def test_a_slow_line_is_measured(flow: Flow, clock: Clock) -> None:
    for _frame in range(4):
        send(flow, clock, 2000, 4000)
    assert flow.rate == pytest.approx(4000, rel=0.1)
    assert flow.budget == pytest.approx(max(LEAST_BUDGET, 4000 * SHARE), rel=0.1)
    assert flow.slow
    assert flow.round_trip == pytest.approx(0.05)


def test_small_frames_measure_nothing(flow: Flow, clock: Clock) -> None:
    send(flow, clock, 200, 1000)
    assert flow.rate is None


def test_a_line_that_recovers_is_fast_again(flow: Flow, clock: Clock) -> None:
    send(flow, clock, 2000, 4000)
    for _frame in range(6):
        send(flow, clock, 2000, 50_000_000)
    assert flow.budget is None


def test_the_budget_has_a_floor(flow: Flow, clock: Clock) -> None:
    send(flow, clock, 2000, 200)
    assert flow.budget == LEAST_BUDGET


def test_an_answer_that_is_lost_is_given_up(flow: Flow, clock: Clock) -> None:
    assert flow.sending(500, more=False)
    clock.now += GIVE_UP / 2
    assert not flow.expire(0)
    clock.now += GIVE_UP
    assert not flow.expire(10), "the kernel still holds bytes: the line is stalled"
    assert flow.expire(0)
    assert not flow.waiting


def test_a_terminal_that_never_answers_is_not_asked_for_ever(flow: Flow, clock: Clock) -> None:
    for _try in range(TRIES):
        assert flow.sending(500, more=False)
        clock.now += 10 * GIVE_UP
        assert flow.expire(0)
    assert not flow.answers
    assert not flow.sending(500, more=False)
    flow.answered(clock.now)
    assert flow.answers, "one answer, and it is asked again"


def test_an_answer_to_nothing_changes_nothing(flow: Flow, clock: Clock) -> None:
    assert not flow.answered(clock.now)
