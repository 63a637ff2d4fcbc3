"""Stopping: on the service, once, whenever it was wished; what has come is kept."""

from __future__ import annotations

import asyncio

import pytest

from tests.services.turns import Seen, collect, text_of
from tui.models import TurnIds
from tui.sandbox.server import SandboxServer
from tui.services.base import StopOutcome, TurnRequest
from tui.services.errors import ServiceError
from tui.services.events import Event, Finished, Status, TextDelta
from tui.services.rds import RdsCopilot


async def stopped(
    rds: RdsCopilot, question: str, *, when: type[Event], presses: int = 1
) -> tuple[Seen, list[StopOutcome]]:
    """Ask, press stop at the first event of this kind, read to the end."""
    outcomes: list[StopOutcome] = []
    presses_left = presses

    async with asyncio.timeout(20), rds.stream(TurnRequest(question, turn="turn-1")) as events:

        async def pressed() -> None:
            outcomes.append(await rds.stop(TurnIds(), "turn-1"))

        async with asyncio.TaskGroup() as keys:

            def each(event: Event) -> None:
                nonlocal presses_left
                if isinstance(event, when):
                    for _press in range(presses_left):
                        keys.create_task(pressed())
                    presses_left = 0

            seen = await collect(events, question, each)
    return seen, outcomes


async def test_a_stop_ends_the_turn_on_the_service_and_keeps_the_text(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    seen, outcomes = await stopped(rds, "hold 3", when=TextDelta)

    assert outcomes == ["stopped"]
    assert seen.turn.state == "stopped"
    assert text_of(seen.turn).startswith("word1")
    assert seen.turn.ids.conversation
    state = sandbox.state()
    assert (state["stop_calls"], state["running"]) == (1, [])


async def test_many_presses_are_one_stop(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    _seen, outcomes = await stopped(rds, "hold 3", when=TextDelta, presses=5)

    assert outcomes == ["stopped"] * 5
    assert sandbox.state()["stop_calls"] == 1


async def test_a_wish_from_before_the_task_is_known_is_carried_out_once(
    sandbox: SandboxServer, rds: RdsCopilot
) -> None:
    sandbox.set_faults("late-task=4")

    async with asyncio.timeout(20), rds.stream(TurnRequest("hold 30", turn="turn-1")) as events:
        outcomes = [await rds.stop(TurnIds(), "turn-1") for _press in range(3)]
        seen = await collect(events)

    assert outcomes == ["remembered"] * 3
    assert seen.turn.state == "stopped"
    assert text_of(seen.turn)
    assert (sandbox.state()["stop_calls"], sandbox.state()["running"]) == (1, [])


async def test_of_two_new_conversations_the_one_that_is_meant_is_stopped(
    sandbox: SandboxServer, rds: RdsCopilot
) -> None:
    """Both have no ids yet when stop is pressed: our own name of the turn tells them apart."""
    sandbox.set_pace("fast")
    sandbox.set_faults("late-task=3")
    async with (
        asyncio.timeout(20),
        rds.stream(TurnRequest("hold 20", turn="first")) as first,
        rds.stream(TurnRequest("echo the other one is whole", turn="second")) as second,
    ):
        assert await rds.stop(TurnIds(), "first") == "remembered"
        stopped_one, other = await asyncio.gather(collect(first), collect(second))

    assert stopped_one.turn.state == "stopped"
    assert other.turn.state == "done"
    assert text_of(other.turn) == "the other one is whole"


async def test_a_body_that_ends_without_its_marker_after_a_stop_is_no_cut_off(
    sandbox: SandboxServer, rds: RdsCopilot
) -> None:
    sandbox.set_faults("stop-cuts")

    seen, _outcomes = await stopped(rds, "hold 3", when=TextDelta)

    assert seen.of(Finished) == [Finished("stopped")]


async def test_a_task_that_the_service_does_not_know_is_over(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    assert await rds.stop(TurnIds(task="no-such-task")) == "already_over"


async def test_without_a_task_and_without_a_stream_there_is_nothing_to_stop(rds: RdsCopilot) -> None:
    assert await rds.stop(TurnIds(conversation="c-1"), "turn-9") == "not_possible"


async def test_a_stop_that_fails_is_told_and_can_be_pressed_again(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    sandbox.fault_once("http-500@ChatMessagesTaskStop")
    outcomes: list[StopOutcome] = []

    async with asyncio.timeout(20), rds.stream(TurnRequest("hold 3", turn="turn-1")) as events:
        failed = False
        async for event in events:
            if isinstance(event, TextDelta) and not failed:
                failed = True
                with pytest.raises(ServiceError, match="service failed"):
                    await rds.stop(TurnIds(), "turn-1")
            elif isinstance(event, Status):
                assert "the stop did not get through" in event.text
                outcomes.append(await rds.stop(TurnIds(), "turn-1"))
            last = event

    assert outcomes == ["stopped"]
    assert last == Finished("stopped")


async def test_a_stop_that_the_service_ignores_is_waited_for_only_so_long(
    sandbox: SandboxServer, rds: RdsCopilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.services.rds.STOP_GRACE", 0.2)
    sandbox.set_faults("stop-ignored")

    seen, outcomes = await stopped(rds, "hold 3", when=TextDelta)

    assert outcomes == ["stopped"]
    assert seen.turn.state == "stopped"
    sandbox.release()
