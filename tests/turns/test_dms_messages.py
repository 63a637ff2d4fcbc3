"""What the service takes in is exactly what the user did: answers, follow-ups, stops, refusals, lost replies."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.turns.desk import Desk, control
from tests.turns.test_dms import YES, asked
from tui.models import AskBlock, Turn
from tui.sandbox.server import SandboxServer
from tui.services.base import AskReply
from tui.turns import open_ask

WEEKS = "refunds by week"


def accepted(server: SandboxServer) -> dict[str, int]:
    return dict(control(server, "state")["accepted"])


def sent(server: SandboxServer) -> list[tuple[str, str]]:
    """(kind, text) of all messages of the only session, in order."""
    sessions: list[dict[str, Any]] = control(server, "state")["dms"]["sessions"]
    [session] = sessions
    return [(message["kind"], message["text"]) for message in session["messages"]]


def the_ask(turn: Turn) -> AskBlock:
    ask = open_ask(turn)
    assert ask is not None
    return ask


async def planned(desk: Desk) -> tuple[str, Turn]:
    """A conversation that waits for its plan to be confirmed."""
    conversation_id = await desk.conversations.create("dms")
    turn = await desk.ask(conversation_id, WEEKS)
    assert asked(turn) == "plan"
    return conversation_id, turn


async def test_an_ask_is_answered_once(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id, turn = await planned(desk)
        ask = the_ask(turn)
        desk.updates.clear()
        answers = [desk.conversations.answer(conversation_id, ask.ask_id, YES) for _key in range(3)]
        assert answers == [True, False, False]
        await desk.ended(turn.id)
        assert not desk.conversations.answer(conversation_id, ask.ask_id, YES)
        assert asked(desk.turn(conversation_id, turn.id)) == "sql"
        assert len(sent(server)) == 2


async def test_a_question_that_is_sent_while_the_agent_waits_is_no_answer(
    server: SandboxServer, tmp_path: Path
) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id, turn = await planned(desk)
        later = desk.conversations.ask(conversation_id, "echo later")
        await asyncio.gather(*(task for task in desk.tasks if later.id in task.get_name()))
        assert accepted(server) == {WEEKS: 1}
        assert desk.turn(conversation_id, later.id).state == "queued"
        # Refused, so the run ends, and the question follows by itself.
        assert desk.conversations.answer(conversation_id, the_ask(turn).ask_id, AskReply("refuse"))
        await desk.ended(later.id)
        assert desk.turn(conversation_id, turn.id).state == "stopped"
        assert desk.turn(conversation_id, later.id).answer == "later"
        assert [kind for kind, _text in sent(server)] == ["primary", "cancel", "primary"]


async def test_a_follow_up_does_not_replay_what_was(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("dms")
        first = await desk.ask(conversation_id, "echo first")
        second = await desk.ask(conversation_id, "echo second")
        assert (first.answer, second.answer) == ("first", "second")
        assert first.ids.conversation == second.ids.conversation
        assert accepted(server) == {"echo first": 1, "echo second": 1}
    async with Desk(server, tmp_path) as desk:
        await desk.conversations.open(conversation_id)
        assert (await desk.ask(conversation_id, "echo third")).answer == "third"


async def test_stop_is_one_cancel(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("dms")
        turn = desk.conversations.ask(conversation_id, "hold 5")
        await desk.until(lambda: desk.turn(conversation_id, turn.id).blocks)
        for _key in range(3):
            desk.conversations.stop(conversation_id)
        await desk.ended(turn.id)
        assert desk.turn(conversation_id, turn.id).state == "stopped"
        assert [kind for kind, _text in sent(server)] == ["primary", "cancel"]
        assert (await desk.ask(conversation_id, "echo on")).answer == "on"


async def test_a_busy_session_takes_nothing_and_the_text_comes_back(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"set": ["session-busy"]})
    async with Desk(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("dms")
        turn = await desk.ask(conversation_id, "echo busy")
        assert turn.state == "failed"
        assert turn.problem is not None
        assert turn.problem.delivered == "no"
        assert desk.put_back(turn.id) == "echo busy"
        assert accepted(server) == {}
        control(server, "faults", {"set": []})
        assert (await desk.ask(conversation_id, "echo busy")).answer == "busy"
        assert accepted(server) == {"echo busy": 1}


async def test_an_answer_that_is_refused_leaves_the_ask_open(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id, turn = await planned(desk)
        control(server, "faults", {"once": ["session-busy"]})
        turn = await desk.answer(conversation_id, YES)
        assert asked(turn) == "plan"
        assert turn.state == "waiting"
        assert accepted(server) == {WEEKS: 1}
        turn = await desk.answer(conversation_id, YES)
        assert asked(turn) == "sql"
        assert len(sent(server)) == 2


@pytest.mark.parametrize("fault", ["accepted-500", "drop-after-accept@SendChatMessage"])
async def test_a_lost_reply_is_not_sent_again(server: SandboxServer, tmp_path: Path, fault: str) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("dms")
        control(server, "faults", {"once": [fault]})
        turn = await desk.ask(conversation_id, WEEKS)
        assert asked(turn) == "plan"
        control(server, "faults", {"once": [fault]})
        turn = await desk.answer(conversation_id, YES)
        assert asked(turn) == "sql"
        assert accepted(server) == {WEEKS: 1, sent(server)[1][1]: 1}


async def test_a_change_of_plan_asks_again(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id, turn = await planned(desk)
        before = the_ask(turn).ask_id
        turn = await desk.answer(conversation_id, AskReply("change", "top 3 products"))
        assert asked(turn) == "plan"
        assert the_ask(turn).ask_id != before
        first = next(block for block in turn.blocks if isinstance(block, AskBlock))
        assert first.answered == "top 3 products"


async def test_a_report_that_is_not_wanted_sends_nothing(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("dms", {"skip": "plan,sql,question"})
        turn = await desk.ask(conversation_id, WEEKS)
        assert asked(turn) == "report"
        turn = await desk.answer(conversation_id, AskReply("refuse"))
        assert (turn.state, asked(turn)) == ("done", "")
        assert accepted(server) == {WEEKS: 1}


async def test_an_ask_survives_the_end_of_the_program(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id, _turn = await planned(desk)
    async with Desk(server, tmp_path) as desk:
        assert len(await desk.conversations.resume_all()) == 1
        await desk.until(lambda: any(update.ended for update in desk.updates))
        turn = await desk.answer(conversation_id, YES)
        assert asked(turn) == "sql"
        assert len(sent(server)) == 2
