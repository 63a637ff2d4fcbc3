"""Turns on the Responses API without a screen: what is built on, what is sent again, functions, stops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.turns.dashscope_desk import (
    BIG_ADD,
    PROFILE,
    Profiles,
    dashscope,
    give,
    notes,
    served_text,
    state,
    text_of,
    with_assistant,
    with_profile,
)
from tests.turns.desk import Desk, control
from tui.models import AskBlock, ThinkingBlock, ToolBlock
from tui.sandbox.server import SandboxServer
from tui.services.base import AskReply
from tui.services.events import Event, Failed, Status
from tui.turns import open_ask, reference

ADD = "Add 87787 to 788988737."
SUM = "789076524"


def bodies(server: SandboxServer) -> list[dict[str, Any]]:
    return [one["body"] for one in state(server)["requests"] if one["operation"] == "CreateResponse"]


async def test_each_answer_builds_on_the_one_before(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk)
        first = await desk.ask(conversation_id, "echo one")
        await desk.ask(conversation_id, "echo two")
        turn = await desk.ask(conversation_id, "recall")
        assert "one" in turn.answer
        assert "two" in turn.answer
    sent = bodies(server)
    assert "previous_response_id" not in sent[0]
    assert sent[1]["previous_response_id"] == first.ids.message
    assert sent[2]["input"] == [{"role": "user", "content": "recall"}]
    # Instructions and tools are not carried over by the service: they go with each request.
    assert all(body["instructions"] == "Be brief." for body in sent)
    assert all(body["tools"][0]["name"] == "big_add" and "function" not in body["tools"][0] for body in sent)
    assert all(body["stream"] is True for body in sent)


async def test_thinking_is_shown_as_thinking(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk, replace(PROFILE, thinking=True))
        turn = await desk.ask(conversation_id, "thinking")
        assert any(isinstance(block, ThinkingBlock) and block.text for block in turn.blocks)
        other = await with_profile(desk, replace(PROFILE, thinking=False))
        turn = await desk.ask(other, "thinking")
        assert not any(isinstance(block, ThinkingBlock) for block in turn.blocks)
    assert [body["enable_thinking"] for body in bodies(server)] == [True, False]


async def test_an_expired_answer_has_the_whole_conversation_sent(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk)
        await desk.ask(conversation_id, "echo one")
        await give(desk, conversation_id, await desk.ask(conversation_id, ADD), SUM)
        control(server, "faults", {"set": ["previous-expired"]})
        turn = await desk.ask(conversation_id, "recall")
        control(server, "faults", {"set": []})
        assert turn.state == "done", turn.problem
        assert "whole conversation" in notes(turn)
        assert "one" in turn.answer
        assert SUM in turn.answer
        assert (await desk.ask(conversation_id, "echo next")).state == "done"
    refused, whole, following = bodies(server)[-3:]
    assert refused["previous_response_id"]
    assert "previous_response_id" not in whole
    kinds = [item.get("type", item.get("role")) for item in whole["input"]]
    assert kinds == ["user", "assistant", "user", "function_call", "function_call_output", "assistant", "user"]
    assert following["previous_response_id"] == turn.ids.message
    assert state(server)["accepted"]["recall"] == 1


async def test_a_restart_builds_on_what_was_kept(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk)
        first = await desk.ask(conversation_id, "echo one")
    async with Desk(server, tmp_path) as desk:
        desk.services.use_profiles(Profiles(PROFILE))
        await desk.conversations.open(conversation_id)
        turn = await desk.ask(conversation_id, "recall")
        assert "one" in turn.answer
    assert bodies(server)[-1]["previous_response_id"] == first.ids.message


@pytest.mark.parametrize("switch", ["", "no-chained-outputs", "previous-expired", "argument-deltas"])
async def test_a_function_is_answered(switch: str, server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk)
        await desk.ask(conversation_id, "echo before")
        turn = await desk.ask(conversation_id, ADD)
        ask = open_ask(turn)
        assert ask is not None
        assert ask.calls[0].call_id.startswith("call_")
        control(server, "faults", {"set": [switch] if switch else []})
        turn = await desk.answer(conversation_id, AskReply("reply", outputs=(SUM,)))
        assert turn.state == "done", turn.problem
        assert SUM in text_of(turn)
        [tool] = [block for block in turn.blocks if isinstance(block, ToolBlock)]
        assert (tool.name, tool.status, tool.result) == ("big_add", "done", SUM)
    assert state(server)["counts"]["submits"] == 1


async def test_outputs_after_a_restart(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk)
        await desk.ask(conversation_id, "call 2")
    async with Desk(server, tmp_path) as desk:
        desk.services.use_profiles(Profiles(PROFILE))
        kept = await desk.conversations.open(conversation_id)
        await desk.conversations.resume_all()
        await desk.ended(kept.turns[-1].id)
        turn = desk.turn(conversation_id, kept.turns[-1].id)
        assert turn.state == "waiting"
        assert sum(isinstance(block, AskBlock) for block in turn.blocks) == 1
        turn = await desk.answer(conversation_id, AskReply("reply", outputs=("a", "b")))
        assert turn.state == "done", turn.problem
    outputs = [item for item in bodies(server)[-1]["input"] if item.get("type") == "function_call_output"]
    assert [item["output"] for item in outputs] == ["a", "b"]


async def test_outputs_that_are_refused_end_the_turn(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk)
        first = await desk.ask(conversation_id, "echo one")
        await desk.ask(conversation_id, ADD)
        turn = await desk.answer(conversation_id, AskReply("refuse"))
        assert turn.state == "stopped"
        assert (await desk.ask(conversation_id, "next")).state == "done"
    sent = bodies(server)[-1]
    # It builds on the newest answer that is whole, with the question that was given up between.
    assert sent["previous_response_id"] == first.ids.message
    assert [item["content"] for item in sent["input"]] == [ADD, "next"]


@pytest.mark.parametrize("cut", ["drop-before-accept", "throttled", "limit-200"])
async def test_outputs_that_were_not_taken_are_asked_for_again(cut: str, server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk)
        turn = await desk.ask(conversation_id, ADD)
        control(server, "faults", {"once": [f"{cut}@CreateResponse"]})
        turn = await desk.answer(conversation_id, AskReply("reply", outputs=(SUM,)))
        assert turn.state == "waiting", turn.problem
        assert "not taken" in notes(turn)
        turn = await give(desk, conversation_id, turn, SUM)
        assert (turn.state, SUM in text_of(turn)) == ("done", True)
    assert state(server)["counts"]["submits"] == 1


async def test_outputs_that_failed_at_the_service_are_not_sent_twice(server: SandboxServer, tmp_path: Path) -> None:
    """The service had taken them in when it failed: what it did with them is not known."""
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk)
        await desk.ask(conversation_id, ADD)
        sent = len(bodies(server))
        control(server, "faults", {"set": ["refuse@CreateResponse=InternalError", "sse-error-200"]})
        turn = await desk.answer(conversation_id, AskReply("reply", outputs=(SUM,)))
        assert turn.state == "failed"
        assert turn.problem is not None
        assert turn.problem.delivered == "unknown"
    assert len(bodies(server)) == sent + 1


async def test_a_look_that_breaks_off_ends_the_search(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk)
        turn = desk.conversations.ask(conversation_id, "hold 5")
        await desk.until(lambda: len(desk.turn(conversation_id, turn.id).ids.message) > len("resp_"))
        looked: list[Event] = []
        async for event in (await dashscope(desk)).recover(reference(desk.turn(conversation_id, turn.id))):
            looked.append(event)
            control(server, "faults", {"set": ["wrong-key@GetResponse"]})
        assert isinstance(looked[0], Status)
        assert isinstance(looked[-1], Failed)
        assert looked[-1].problem.delivered == "yes"


@pytest.mark.parametrize("frame", range(1, 40, 3))
async def test_a_cut_at_any_frame_gives_the_same_turn(frame: int, server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": [f"reset-after@CreateResponse={frame}"]})
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk)
        turn = await give(desk, conversation_id, await desk.ask(conversation_id, "call 2"), "5")
        assert turn.state == "done", turn.problem
        assert text_of(turn) == served_text(server, turn)
        tools = [block for block in turn.blocks if isinstance(block, ToolBlock)]
        assert [(tool.status, tool.result) for tool in tools] == [("done", "5")] * 2
    assert state(server)["accepted"] == {"call 2": 1}


async def test_an_answer_that_died_with_its_line_is_said(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["dies-with-connection@CreateResponse", "reset-after@CreateResponse=20"]})
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk)
        turn = await desk.ask(conversation_id, "long 10")
        assert turn.state in ("stopped", "cut_off", "failed")
        assert turn.answer
        assert (await desk.ask(conversation_id, "echo next")).state == "done"


async def test_a_stop_leaves_the_connection(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk)
        turn = desk.conversations.ask(conversation_id, "hold 5")
        await desk.until(lambda: desk.turn(conversation_id, turn.id).answer)
        desk.conversations.stop(conversation_id)
        await desk.ended(turn.id)
        stopped = desk.turn(conversation_id, turn.id)
        assert stopped.state == "stopped"
        assert (await desk.ask(conversation_id, "recall")).state == "done"
    sent = bodies(server)[-1]
    assert "previous_response_id" not in sent
    assert [item["role"] for item in sent["input"]] == ["user", "assistant", "user"]
    assert sent["input"][1]["content"] == stopped.answer


async def test_a_thread_is_carried_over(server: SandboxServer, tmp_path: Path) -> None:
    """A conversation that began with an assistant goes on with a profile, which is told all that was said."""
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        await desk.ask(conversation_id, "echo from the thread")
        await give(desk, conversation_id, await desk.ask(conversation_id, ADD), SUM)
        desk.services.use_profiles(Profiles(PROFILE))
        await desk.conversations.set_options(conversation_id, {"profile": PROFILE.id})
        turn = await desk.ask(conversation_id, "recall")
        assert turn.state == "done", turn.problem
        assert "from the thread" in turn.answer
        assert SUM in turn.answer
        assert turn.ids.message.startswith("resp_")
        held = desk.conversations.conversation(conversation_id)
        assert held is not None
        assert held.remote_id.startswith("thread_")  # it stays reachable
    [body] = bodies(server)
    assert [item["role"] for item in body["input"]] == ["user", "assistant", "user", "assistant", "user"]


async def test_a_fork_takes_along_what_was_said(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk)
        await desk.ask(conversation_id, "echo one")
        second = await desk.ask(conversation_id, "echo two")
        forked = await desk.conversations.fork(conversation_id, second.id)
        held = desk.conversations.conversation(forked)
        assert held is not None
        assert "goes with the next question" in notes(held.turns[-1])
        turn = await desk.ask(forked, "recall")
        assert "one" in turn.answer
        assert "two" not in turn.answer
    assert "previous_response_id" not in bodies(server)[-1]


async def test_a_profile_that_is_gone_sends_nothing(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("dashscope", {"profile": "gone"})
        turn = await desk.ask(conversation_id, "why?")
        assert turn.problem is not None
        assert turn.problem.delivered == "no"
        assert "gone" in turn.problem.sentence
    assert not bodies(server)


async def test_a_model_alone_answers_too(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("dashscope", {"model": "qwen-flash"})
        assert (await desk.ask(conversation_id, "echo plain")).answer.startswith("plain")
    [body] = bodies(server)
    assert body["model"] == "qwen-flash"
    assert set(body) == {"model", "input", "stream"}


async def test_what_a_profile_sets_is_sent(server: SandboxServer, tmp_path: Path) -> None:
    profile = replace(PROFILE, temperature=0.0, top_p=0.5, max_output_tokens=64, tools=(BIG_ADD,))
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_profile(desk, profile)
        await desk.ask(conversation_id, "echo one")
    [body] = bodies(server)
    assert (body["temperature"], body["top_p"], body["max_output_tokens"]) == (0.0, 0.5, 64)
