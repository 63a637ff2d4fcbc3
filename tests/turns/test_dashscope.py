"""DashScope's turns without a screen: functions, restarts, occupied threads, stops, and what is counted meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.turns.dashscope_desk import (
    dashscope,
    give,
    notes,
    served_text,
    state,
    text_of,
    with_assistant,
)
from tests.turns.desk import Desk, control
from tui.models import AskBlock, ToolBlock, Turn
from tui.sandbox.server import SandboxServer
from tui.services.assistant_models import ToolOutput
from tui.services.base import AskReply
from tui.services.dashscope_turns import THREAD_BUSY
from tui.turns import open_ask

ADD = "Add 87787 to 788988737."
SUM = "789076524"
REFUSE = AskReply("refuse")


def asks(turn: Turn) -> list[AskBlock]:
    return [block for block in turn.blocks if isinstance(block, AskBlock)]


async def parked(desk: Desk) -> tuple[str, Turn]:
    """A conversation whose run waits for the output of `big_add`."""
    conversation_id = await with_assistant(desk)
    turn = await desk.ask(conversation_id, ADD)
    assert turn.state == "waiting"
    return conversation_id, turn


# --- functions ---------------------------------------------------------------------------------------------------


async def test_a_function_is_called_and_its_output_answered(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id, turn = await parked(desk)
        [ask] = asks(turn)
        [call] = ask.calls
        assert (ask.kind, call.name) == ("tool_outputs", "big_add")
        assert '"left": 87787' in call.arguments
        [tool] = [block for block in turn.blocks if isinstance(block, ToolBlock)]
        assert (tool.call_id, tool.status) == (call.call_id, "waiting")
        turn = await give(desk, conversation_id, turn, SUM)
        assert turn.state == "done"
        assert SUM in text_of(turn)
        assert text_of(turn) == served_text(server, turn)
        [tool] = [block for block in turn.blocks if isinstance(block, ToolBlock)]
        assert (tool.status, tool.result) == ("done", SUM)
        assert turn.usage is not None
    held = state(server)
    assert held["counts"]["submits"] == 1
    assert held["accepted"] == {ADD: 1}
    [thread] = held["threads"]
    [run] = thread["runs"]
    assert [[output["output"] for output in round_] for round_ in run["outputs"]] == [[SUM]]


async def test_all_outputs_go_in_one_request_in_order(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        turn = await desk.ask(conversation_id, "call 3")
        ask = open_ask(turn)
        assert ask is not None
        assert len({call.call_id for call in ask.calls}) == 3
        turn = await desk.answer(conversation_id, AskReply("reply", outputs=("first", "second", "third")))
        assert turn.state == "done"
        tools = [block for block in turn.blocks if isinstance(block, ToolBlock)]
        assert [tool.result for tool in tools] == ["first", "second", "third"]
    held = state(server)
    [sent] = [one["body"] for one in held["requests"] if one["operation"] == "SubmitToolOutputs"]
    assert [one["output"] for one in sent["tool_outputs"]] == ["first", "second", "third"]
    assert [one["tool_call_id"] for one in sent["tool_outputs"]] == ["", "", ""]


async def test_a_long_output_is_kept_whole_once(server: SandboxServer, tmp_path: Path) -> None:
    long = "\n".join(f"line {number} 行" for number in range(60))
    async with Desk(server, tmp_path) as desk:
        conversation_id, turn = await parked(desk)
        turn = await give(desk, conversation_id, turn, long)
        assert turn.state == "done", turn.problem
        [ask] = asks(turn)
        assert len(ask.answered) <= 200
        [tool] = [block for block in turn.blocks if isinstance(block, ToolBlock)]
        assert tool.result == long
    [sent] = [one["body"] for one in state(server)["requests"] if one["operation"] == "SubmitToolOutputs"]
    assert sent["tool_outputs"][0]["output"] == long


async def test_several_rounds_are_asks_of_their_own(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        turn = await give(desk, conversation_id, await desk.ask(conversation_id, "rounds 3"), "1")
        assert turn.state == "done"
        found = asks(turn)
        assert len({ask.ask_id for ask in found}) == len(found) == 3
        assert all(ask.answered == "1" for ask in found)
        tools = [block for block in turn.blocks if isinstance(block, ToolBlock)]
        assert [tool.status for tool in tools] == ["done"] * 3
    assert state(server)["counts"]["submits"] == 3


async def test_one_call_can_be_answered_with_a_text(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id, _turn = await parked(desk)
        turn = await desk.answer(conversation_id, AskReply("reply", SUM))
        assert (turn.state, SUM in text_of(turn)) == ("done", True)


async def test_too_few_outputs_are_not_sent(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        await desk.ask(conversation_id, "call 2")
        turn = await desk.answer(conversation_id, AskReply("reply", outputs=("one",)))
        assert turn.state == "waiting"
        assert "2" in notes(turn)
        assert (await give(desk, conversation_id, turn)).state == "done"
    assert state(server)["counts"]["submits"] == 1


async def test_a_question_waits_while_outputs_are_wanted(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id, turn = await parked(desk)
        queued = desk.conversations.ask(conversation_id, "and then?")
        ask = open_ask(turn)
        assert ask is not None
        assert desk.conversations.answer(conversation_id, ask.ask_id, AskReply("reply", outputs=(SUM,)))
        await desk.ended(queued.id)
        assert desk.turn(conversation_id, queued.id).state == "done"
    assert [list(state(server)["accepted"])] == [[ADD, "and then?"]]


# --- restarts and lost lines ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("looked", [False, True])
async def test_an_open_ask_outlives_the_program(looked: bool, server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id, _turn = await parked(desk)
    async with Desk(server, tmp_path) as desk:
        kept = await desk.conversations.open(conversation_id)
        assert kept.remote_id.startswith("thread_")
        assert kept.options["assistant"].startswith("asst_")
        if looked:
            assert len(await desk.conversations.resume_all()) == 1
            await desk.ended(kept.turns[-1].id)
            assert desk.turn(conversation_id, kept.turns[-1].id).state == "waiting"
        turn = await desk.answer(conversation_id, AskReply("reply", outputs=(SUM,)))
        assert len(asks(turn)) == 1
        assert turn.state == "done"
        assert SUM in text_of(turn)
    counts = state(server)["counts"]
    assert (counts["runs"], counts["submits"]) == (1, 1)


async def test_an_ask_that_was_never_seen_comes_after_a_restart(server: SandboxServer, tmp_path: Path) -> None:
    """The program ends while the run is on its way to the ask."""
    control(server, "faults", {"once": ["run-queued@CreateRun=0.3"]})
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        turn = desk.conversations.ask(conversation_id, ADD)
        await desk.until(lambda: desk.turn(conversation_id, turn.id).ids.task)
    async with Desk(server, tmp_path) as desk:
        assert len(await desk.conversations.resume_all()) == 1
        await desk.ended(turn.id)
        waiting = desk.turn(conversation_id, turn.id)
        assert waiting.state == "waiting"
        assert len(asks(waiting)) == 1
        done = await give(desk, conversation_id, waiting, SUM)
        assert (done.state, SUM in text_of(done)) == ("done", True)
    assert state(server)["accepted"] == {ADD: 1}
    assert state(server)["counts"]["submits"] == 1


@pytest.mark.parametrize("cut", ["drop-before-accept", "http-500", "html-502", "throttled", "wrong-key"])
async def test_outputs_that_did_not_arrive_are_asked_for_again(cut: str, server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id, turn = await parked(desk)
        control(server, "faults", {"once": [f"{cut}@SubmitToolOutputs"]})
        turn = await desk.answer(conversation_id, AskReply("reply", outputs=(SUM,)))
        assert turn.state == "waiting", turn.problem
        assert len(asks(turn)) == 1
        assert "not taken" in notes(turn)
        [tool] = [block for block in turn.blocks if isinstance(block, ToolBlock)]
        assert tool.result == SUM  # what was typed is not lost
        assert (await give(desk, conversation_id, turn, SUM)).state == "done"
    assert state(server)["counts"]["submits"] == 1


@pytest.mark.parametrize(
    "cut", ["drop-after-accept", "drop-after=3", "drop-mid-frame=9", "reset-after=12", "end-after=5"]
)
async def test_outputs_that_arrived_are_not_sent_again(cut: str, server: SandboxServer, tmp_path: Path) -> None:
    name, _equals, argument = cut.partition("=")
    async with Desk(server, tmp_path) as desk:
        conversation_id, turn = await parked(desk)
        control(server, "faults", {"once": [f"{name}@SubmitToolOutputs" + (f"={argument}" if argument else "")]})
        turn = await desk.answer(conversation_id, AskReply("reply", outputs=(SUM,)))
        assert turn.state == "done", turn.problem
        assert text_of(turn) == served_text(server, turn)
        assert len(asks(turn)) == 1
    assert state(server)["counts"]["submits"] == 1


@pytest.mark.parametrize("frame", range(1, 40, 2))
async def test_a_cut_at_any_frame_gives_the_same_turn(frame: int, server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": [f"reset-after@CreateRun={frame}"]})
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        turn = await give(desk, conversation_id, await desk.ask(conversation_id, "tools 2"))
        assert turn.state == "done", turn.problem
        assert text_of(turn) == served_text(server, turn)
        tools = [block for block in turn.blocks if isinstance(block, ToolBlock)]
        assert [(tool.status, bool(tool.result)) for tool in tools] == [("done", True)] * 2
    assert state(server)["accepted"] == {"tools 2": 1}


async def test_a_killed_answer_goes_on(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        turn = desk.conversations.ask(conversation_id, "hold 30")
        await desk.until(lambda: desk.turn(conversation_id, turn.id).answer)
    async with Desk(server, tmp_path) as desk:
        await desk.conversations.resume_all()
        control(server, "release", {})
        await desk.ended(turn.id)
        done = desk.turn(conversation_id, turn.id)
        assert done.state == "done", done.problem
        assert text_of(done) == served_text(server, done)
    assert state(server)["accepted"] == {"hold 30": 1}


async def test_a_message_without_a_run_is_not_posted_twice(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        control(server, "faults", {"once": ["drop-before-accept@CreateRun"]})
        turn = await desk.ask(conversation_id, "why?")
        assert turn.problem is not None
        assert turn.problem.code == "NoRun"
        assert desk.put_back(turn.id) == "why?"
        again = await desk.ask(conversation_id, "why?")
        assert again.state == "done"
        assert "already" in notes(again)
        once_more = await desk.ask(conversation_id, "why?")
        assert once_more.state == "done"
    assert state(server)["accepted"] == {"why?": 2}
    assert state(server)["counts"]["runs"] == 2


# --- stopping ------------------------------------------------------------------------------------------------------


async def stopped(desk: Desk, conversation_id: str) -> Turn:
    turn = desk.conversations.ask(conversation_id, "hold 5")
    await desk.until(lambda: desk.turn(conversation_id, turn.id).answer)
    assert desk.conversations.stop(conversation_id)
    await desk.ended(turn.id)
    return desk.turn(conversation_id, turn.id)


async def test_a_stop_that_the_service_refuses_is_said(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        turn = await stopped(desk, conversation_id)
        assert turn.state == "stopped"
        assert turn.answer
        asked, answered = state(server)["threads"][0]["messages"]
        assert turn.ids.message == answered["id"] != asked["id"]
        assert "goes on" in notes(turn)
        # The thread is occupied by the run that goes on: the next question waits, and says so.
        queued = desk.conversations.ask(conversation_id, "next")
        await desk.until(lambda: "earlier run" in getattr(desk.conversations.activity(conversation_id), "status", ""))
        assert "next" not in state(server)["accepted"]
        control(server, "release", {})
        await desk.ended(queued.id)
        assert desk.turn(conversation_id, queued.id).state == "done"
    held = state(server)
    assert held["accepted"] == {"hold 5": 1, "next": 1}
    assert sum(one["operation"] == "CancelRun" for one in held["requests"]) == 1


@pytest.mark.parametrize("switches", [["cancel-works@*"], ["cancel-works@*", "cancelling-event@*"]])
async def test_a_stop_that_works_frees_the_thread(switches: list[str], server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"set": switches})
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        turn = await stopped(desk, conversation_id)
        assert turn.state == "stopped"
        assert not notes(turn)
        assert (await desk.ask(conversation_id, "next")).state == "done"
    [thread] = state(server)["threads"]
    assert [run["status"] for run in thread["runs"]] == ["cancelled", "completed"]


async def test_a_stop_before_the_run_sends_nothing(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["slow-start@CreateThread=0.3"]})
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        turn = desk.conversations.ask(conversation_id, "why?")
        await desk.until(lambda: desk.turn(conversation_id, turn.id).state == "sending")
        desk.conversations.stop(conversation_id)
        await desk.ended(turn.id)
        assert desk.turn(conversation_id, turn.id).state == "stopped"
    assert state(server)["accepted"] == {}


async def test_a_wait_for_an_occupied_thread_can_be_stopped(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        await stopped(desk, conversation_id)
        turn = desk.conversations.ask(conversation_id, "next")
        await desk.until(lambda: "earlier run" in getattr(desk.conversations.activity(conversation_id), "status", ""))
        desk.conversations.stop(conversation_id)
        await desk.ended(turn.id)
        assert desk.turn(conversation_id, turn.id).state == "stopped"
    assert "next" not in state(server)["accepted"]


async def test_outputs_can_be_refused_where_the_service_cancels(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"set": ["cancel-works@*"]})
    async with Desk(server, tmp_path) as desk:
        conversation_id, _turn = await parked(desk)
        turn = await desk.answer(conversation_id, REFUSE)
        assert turn.state == "stopped"
        assert (await desk.ask(conversation_id, "next")).state == "done"
    assert "submits" not in state(server)["counts"]


async def test_a_refusal_that_is_refused_leaves_the_ask_open(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id, _turn = await parked(desk)
        turn = await desk.answer(conversation_id, REFUSE)
        assert turn.state == "waiting"
        assert open_ask(turn) is not None
        assert "not cancelled" in notes(turn)
        assert (await give(desk, conversation_id, turn, "declined")).state == "done"


# --- what others do in the thread ------------------------------------------------------------------------------------


async def test_a_run_that_expired_is_told(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id, _turn = await parked(desk)
        control(server, "faults", {"set": ["run-life=0.001"]})
        turn = await desk.answer(conversation_id, AskReply("reply", outputs=(SUM,)))
        control(server, "faults", {"set": []})
        assert turn.problem is not None
        assert turn.problem.code == "RunExpired"
        assert "no longer waits" in notes(turn)
        assert (await desk.ask(conversation_id, "next")).state == "done"
    assert "submits" not in state(server)["counts"]


async def test_a_thread_that_waits_for_others_is_not_written_to(server: SandboxServer, tmp_path: Path) -> None:
    """The thread is adopted in a second conversation, while its run waits in the first."""
    async with Desk(server, tmp_path) as desk:
        first, turn = await parked(desk)
        held = desk.conversations.conversation(first)
        assert held is not None
        other = await desk.conversations.create("dashscope", held.options)
        await desk.conversations._memory.change(other, remote_id=turn.ids.conversation)
        refused = await desk.ask(other, "next")
        assert refused.problem is not None
        assert (refused.problem.code, refused.problem.delivered) == (THREAD_BUSY, "no")
        assert desk.put_back(refused.id) == "next"
        assert (await give(desk, first, turn)).state == "done"
        assert (await desk.ask(other, "next")).state == "done"
    assert state(server)["accepted"] == {ADD: 1, "next": 1}


async def test_what_was_answered_elsewhere_is_taken_over(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id, turn = await parked(desk)
        service = await dashscope(desk)
        sent = [ToolOutput("", "elsewhere")]
        async with service.threads.submit(turn.ids.conversation, turn.ids.task, sent) as opened:
            assert opened.frames is not None
            async for _batch in opened.frames:
                pass
        turn = await desk.answer(conversation_id, AskReply("reply", outputs=(SUM,)))
        assert turn.state == "done"
        assert "elsewhere" in text_of(turn)
    assert state(server)["counts"]["submits"] == 1


async def test_a_thread_that_is_gone_is_said(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        turn = await desk.ask(conversation_id, "first")
        await (await dashscope(desk)).threads.delete(turn.ids.conversation)
        turn = await desk.ask(conversation_id, "second")
        assert turn.problem is not None
        assert turn.problem.title == "Not there"
        assert turn.problem.delivered == "no"


async def test_how_much_of_the_thread_the_assistant_sees(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        held = desk.conversations.conversation(conversation_id)
        assert held is not None
        await desk.conversations.set_options(conversation_id, {**held.options, "last_messages": "3"})
        await desk.ask(conversation_id, "echo one")
        await desk.ask(conversation_id, "echo two")
        turn = await desk.ask(conversation_id, "recall")
        assert "two" in turn.answer
        assert "echo one" not in turn.answer


async def test_a_thread_of_elsewhere_is_adopted(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path / "elsewhere") as desk:
        conversation_id = await with_assistant(desk)
        await desk.ask(conversation_id, "echo one 二")
        turn = await give(desk, conversation_id, await desk.ask(conversation_id, ADD), SUM)
        held = desk.conversations.conversation(conversation_id)
        assert held is not None
    async with Desk(server, tmp_path / "here") as desk:
        adopted_id = await desk.conversations.adopt("dashscope", turn.ids.conversation, held.options)
        adopted = desk.conversations.conversation(adopted_id)
        assert adopted is not None
        assert [(one.question, one.answer) for one in adopted.turns] == [
            (one.question, one.answer) for one in held.turns
        ]
        assert [one.ids.task for one in adopted.turns] == [one.ids.task for one in held.turns]
        recalled = await desk.ask(adopted_id, "recall")
        assert "one 二" in recalled.answer
        assert await desk.conversations.adopt("dashscope", turn.ids.conversation, {}) == adopted_id
        await desk.conversations.delete([adopted_id])
        assert await desk.conversations.adopt("dashscope", turn.ids.conversation, {}) == adopted_id
        assert adopted_id in [summary.id for summary in desk.conversations.summaries()], "out of the trash"
    assert state(server)["counts"]["threads created"] == 1


@pytest.mark.parametrize("cancels", [False, True])
async def test_a_run_that_was_given_up_and_waits_is_cancelled_or_said(
    cancels: bool, server: SandboxServer, tmp_path: Path
) -> None:
    """It was stopped, the service went on with it, and it came to wait for outputs that nobody will give."""
    control(server, "faults", {"once": ["run-queued@CreateRun=0.3"]})
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        turn = desk.conversations.ask(conversation_id, ADD)
        await desk.until(lambda: desk.turn(conversation_id, turn.id).ids.task)
        desk.conversations.stop(conversation_id)
        await desk.ended(turn.id)
        assert desk.turn(conversation_id, turn.id).state == "stopped"
        control(server, "faults", {"set": ["cancel-works@*"] if cancels else []})
        following = await desk.ask(conversation_id, "next")
        if cancels:
            assert following.state == "done"
            assert "nobody will give" in notes(following)
        else:
            assert following.problem is not None
            assert (following.problem.code, following.problem.delivered) == (THREAD_BUSY, "no")
    cancels_sent = sum(one["operation"] == "CancelRun" for one in state(server)["requests"])
    assert cancels_sent == 2
