"""Approval rounds: read from the history until they are decided in the console, taken up again once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from tests.turns.desk import Desk
from tui.approvals import ApprovalHooks, Approvals, News
from tui.models import AskBlock, AskCall, ToolBlock, Turn
from tui.sandbox.server import SandboxServer
from tui.services.rds import RdsCopilot
from tui.services.rds_approvals import RdsApprovals
from tui.services.rds_rounds import decision_of, way_on


@dataclass
class Office:
    """A desk with approvals, as the app has them."""

    desk: Desk
    conversation_id: str = ""
    told: list[News] = field(default_factory=list)
    locked: bool = False

    def __post_init__(self) -> None:
        conversations = self.desk.conversations

        def ask(conversation_id: str, text: str, options: Mapping[str, str]) -> None:
            conversations.ask(conversation_id, text, options)

        self.approvals = Approvals(
            ApprovalHooks(
                rounds=self._rounds,
                conversation=conversations.conversation,
                keep=conversations.keep_turn,
                ask=ask,
                spawn=self.desk._spawn,
                told=self._told,
                changed=lambda _id: self.desk.changed.set(),
                now=lambda: datetime.now(UTC),
                read_only=lambda: self.locked,
                pauses=(0.02,),
            )
        )

    async def _rounds(self) -> RdsApprovals:
        return cast("RdsCopilot", await self.desk.services.get("rds")).approvals

    def _told(self, _conversation_id: str, news: News) -> None:
        self.told.append(news)
        self.desk.changed.set()

    @property
    def turns(self) -> tuple[Turn, ...]:
        conversation = self.desk.conversations.conversation(self.conversation_id)
        assert conversation is not None
        return conversation.turns

    @property
    def ask(self) -> AskBlock:
        return next(block for block in self.turns[0].blocks if isinstance(block, AskBlock))

    @property
    def calls(self) -> list[tuple[str, str]]:
        return [(call.name, call.status) for call in self.ask.calls]

    def decide(self, *decisions: str) -> None:
        """Press the console's buttons for the calls of the round, in their order."""
        for call, decision in zip(self.ask.calls, decisions, strict=False):
            self.desk.server.decide(self.ask.ask_id, call.call_id, decision)

    async def gone_on(self) -> None:
        """The answer has been taken up, and is over."""
        await self.desk.until(lambda: len(self.turns) == 2)
        await self.desk.ended(self.turns[1].id)

    async def wait(self) -> None:
        """Ask for something that needs two approvals."""
        self.conversation_id = await self.desk.conversations.create("rds", {"approval": "manual"})
        turn = await self.desk.ask(self.conversation_id, "approve 2")
        assert turn.state == "waiting"


@asynccontextmanager
async def office(sandbox: SandboxServer, folder: Path) -> AsyncIterator[Office]:
    async with Desk(sandbox, folder) as desk:
        yield Office(desk)


async def test_a_round_is_followed_and_the_answer_goes_on(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with office(sandbox, tmp_path) as here:
        await here.wait()
        assert all(call.arguments and call.description for call in here.ask.calls)
        here.approvals.watch(here.conversation_id)
        here.decide("approved")
        await here.desk.until(lambda: here.calls[0][1] == "approved")
        assert [turn.question for turn in here.turns] == ["approve 2"]
        assert not here.ask.answered

        here.decide("approved", "rejected")
        await here.gone_on()

        assert here.calls == [("restart_db_instance", "approved"), ("modify_parameter", "rejected")]
        assert all(call.arguments and call.description for call in here.ask.calls)
        assert here.turns[0].state == "done"
        assert here.turns[1].question == "Please go on."
        assert "modify_parameter" in here.turns[1].answer
        assert [b.name for b in here.turns[1].blocks if isinstance(b, ToolBlock)] == ["restart_db_instance"]
        assert here.told == ["resumed"]
        assert sandbox.state()["accepted"] == {"approve 2": 1, "Please go on.": 1}


async def test_a_decision_is_kept_for_the_next_start(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with office(sandbox, tmp_path) as here:
        await here.wait()
        here.decide("approved", "approved")
        here.approvals.watch(here.conversation_id)
        await here.gone_on()
        known = here.turns
    async with Desk(sandbox, tmp_path) as desk:
        conversation = await desk.conversations.open(here.conversation_id)
        assert [turn.blocks for turn in conversation.turns] == [turn.blocks for turn in known]
        assert [turn.state for turn in conversation.turns] == ["done", "done"]


async def test_one_that_was_taken_up_elsewhere_is_not_taken_up_again(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with office(sandbox, tmp_path) as here:
        await here.wait()
        here.decide("approved", "approved")
        service = cast("RdsCopilot", await here.desk.services.get("rds"))
        text, options = way_on(here.ask)
        from tui.services.base import TurnRequest

        async with service.stream(TurnRequest(text, here.turns[0].ids.conversation, options)) as events:
            assert [event async for event in events]
        here.approvals.watch(here.conversation_id)
        await here.desk.until(lambda: here.ask.answered)

        assert here.told == ["elsewhere"]
        assert len(here.turns) == 1
        assert sandbox.state()["accepted"]["Please go on."] == 1


async def test_questions_wait_for_an_open_round_and_the_way_on_goes_first(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    async with office(sandbox, tmp_path) as here:
        await here.wait()
        queued = here.desk.conversations.ask(here.conversation_id, "echo after it")
        here.approvals.watch(here.conversation_id)
        await here.desk.until(lambda: here.approvals.watch_of(here.conversation_id))
        assert here.turns[1].state == "queued"
        here.decide("approved", "approved")
        await here.desk.ended(queued.id)

        assert here.desk.turn(here.conversation_id, queued.id).answer == "after it"
        assert _asked(sandbox, here.turns[0].ids.conversation) == ["approve 2", "Please go on.", "echo after it"]


def _asked(sandbox: SandboxServer, conversation: str) -> list[str]:
    return sandbox._call(lambda: [message.query for message in sandbox._world.conversations[conversation].messages])


async def test_a_locked_profile_does_not_go_on(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with office(sandbox, tmp_path) as here:
        await here.wait()
        here.locked = True
        here.decide("approved", "approved")
        here.approvals.watch(here.conversation_id)
        await here.desk.until(lambda: here.told)
        assert here.told == ["locked"]
        assert (len(here.turns), here.turns[0].state) == (1, "waiting")
        assert [status for _name, status in here.calls] == ["approved", "approved"]

        here.locked = False
        await here.desk.until(lambda: here.approvals.look_now(here.conversation_id))
        await here.gone_on()


async def test_left_alone_the_conversation_goes_on(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with office(sandbox, tmp_path) as here:
        await here.wait()
        here.approvals.watch(here.conversation_id)
        queued = here.desk.conversations.ask(here.conversation_id, "echo without it")
        assert await here.approvals.leave(here.conversation_id, "left")
        await here.desk.ended(queued.id)

        assert here.ask.answered == "left"
        assert not await here.approvals.leave(here.conversation_id, "left")
        assert here.told == []


async def test_a_line_that_is_down_is_told_and_looked_past(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with office(sandbox, tmp_path) as here:
        await here.wait()
        sandbox.fault_once("no-permission@GetMessages")
        here.approvals.watch(here.conversation_id)
        await here.desk.until(lambda: _watch_problem(here) == "Forbidden.RAM")
        here.decide("approved", "approved")
        await here.gone_on()
        assert _watch_problem(here) == ""


def _watch_problem(here: Office) -> str:
    watch = here.approvals.watch_of(here.conversation_id)
    return watch.problem.code if watch and watch.problem else ""


async def test_one_that_the_history_lost_is_said(sandbox: SandboxServer, tmp_path: Path) -> None:
    async with office(sandbox, tmp_path) as here:
        await here.wait()
        sandbox.fault_once("history-empty")
        here.approvals.watch(here.conversation_id)
        await here.desk.until(lambda: here.told)
        assert here.told == ["gone"]
        watch = here.approvals.watch_of(here.conversation_id)
        assert watch is not None
        assert watch.given_up


@pytest.mark.parametrize(
    ("said", "decision"),
    [
        ("pending", "open"),
        ("needs_human", "open"),
        ("needs_approval", "open"),
        ("Awaiting_Approval", "open"),
        ("approval_required", "open"),
        ("not_approved", "refused"),
        ("", "open"),
        ("APPROVED", "approved"),
        ("auto_approved", "approved"),
        ("rejected", "refused"),
        ("disapproved", "refused"),
        ("expired", "expired"),
        ("batch", "other"),
    ],
)
def test_words_for_a_decision_are_guessed(said: str, decision: str) -> None:
    assert decision_of(said) == decision


def test_the_way_on_speaks_the_conversations_language() -> None:
    ask = AskBlock("approval", "round-1", calls=(AskCall("call-1", "x"), AskCall("call-2", "y")))
    assert way_on(ask, "zh-TW") == ("请继续。", {"resume_call": "call-1"})
    assert way_on(ask, "en_US")[0] == "Please go on."
    assert way_on(ask, "fr")[0] == "Please go on."
