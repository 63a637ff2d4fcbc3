"""Questions that wait behind another one: sent once, by who asked them, or given back."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.turns.desk import Desk, control
from tests.turns.test_dms import YES, asked
from tui.cache.records import QuestionRecord, StateRecord
from tui.models import ACTIVE, ServiceName
from tui.sandbox.server import SandboxServer
from tui.services.base import ConversationService

LAG = "why did replication lag rise?"


def accepted(server: SandboxServer) -> dict[str, int]:
    return dict(control(server, "state")["accepted"])


async def test_what_is_queued_behind_a_question_that_fails_comes_back_in_order(
    server: SandboxServer, tmp_path: Path
) -> None:
    control(server, "faults", {"set": ["order-invalid"]})
    async with Desk(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("rds")
        turns = [desk.conversations.ask(conversation_id, text) for text in ("one", "two", "three")]
        for turn in turns:
            await desk.ended(turn.id)
        assert [update.put_back for update in desk.updates if update.put_back] == ["one\n\ntwo\n\nthree"]
        assert [desk.turn(conversation_id, turn.id).state for turn in turns] == ["failed"] * 3
        assert accepted(server) == {}


async def test_what_was_queued_when_the_program_ended_is_given_back_once(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("rds")
        await desk.store.append(conversation_id, QuestionRecord("t1", desk.conversations._hooks.now(), "why?"))
        await desk.store.set_draft(conversation_id, "half a word")
    async with Desk(server, tmp_path) as desk:
        conversation = await desk.conversations.open(conversation_id)
        assert (conversation.state, conversation.draft) == ("failed", "why?\n\nhalf a word")
        await desk.store.set_draft(conversation_id, "")
        assert (await desk.ask(conversation_id, "why?")).state == "done"
    async with Desk(server, tmp_path) as desk:
        conversation = await desk.conversations.open(conversation_id)
        assert conversation.draft == "", "it was sent: not to be sent again"
        assert [turn.state for turn in conversation.turns] == ["failed", "done"]


async def test_an_answer_is_resumed_although_a_question_was_queued_behind_it(
    server: SandboxServer, tmp_path: Path
) -> None:
    control(server, "faults", {"once": ["hold=8"]})
    async with Desk(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("rds")
        first = desk.conversations.ask(conversation_id, LAG)
        second = desk.conversations.ask(conversation_id, "and now?")
        await desk.until(lambda: desk.turn(conversation_id, first.id).state == "running")
        [summary] = desk.conversations.summaries()
        assert summary.state in ACTIVE
    control(server, "release", {})
    async with Desk(server, tmp_path) as desk:
        assert await desk.conversations.resume_all() == [conversation_id]
        await desk.ended(first.id)
        assert desk.turn(conversation_id, first.id).state == "done"
        assert desk.turn(conversation_id, second.id).state == "failed"
        assert accepted(server) == {LAG: 1}


async def test_what_is_stopped_before_it_left_is_not_sent(server: SandboxServer, tmp_path: Path) -> None:
    connected = asyncio.Event()

    class Slow(Desk):
        async def _service(self, name: ServiceName) -> ConversationService:
            await connected.wait()
            return await super()._service(name)

    async with Slow(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("rds")
        turn = desk.conversations.ask(conversation_id, "why?")
        await desk.until(desk.conversations.running)
        desk.conversations.unqueue(conversation_id, turn.id)
        assert desk.put_back(turn.id) == "", "too late to take it back"
        assert desk.conversations.stop(conversation_id)
        connected.set()
        await desk.ended(turn.id)
        ended = desk.turn(conversation_id, turn.id)
        assert ended.problem is not None
        assert ended.problem.delivered == "no"
        assert desk.put_back(turn.id) == "why?"
        assert accepted(server) == {}


async def test_a_question_that_was_taken_back_does_not_hide_what_the_agent_waits_for(
    server: SandboxServer, tmp_path: Path
) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("dms")
        turn = await desk.ask(conversation_id, "refunds by week")
        assert asked(turn) == "plan"
        queued = desk.conversations.ask(conversation_id, "and by day")
        await desk.until(lambda: desk.turn(conversation_id, queued.id))
        desk.conversations.unqueue(conversation_id, queued.id)
        desk.updates.clear()
        assert asked(await desk.answer(conversation_id, YES)) != "plan"
        assert "and by day" not in accepted(server)


async def test_an_index_that_is_behind_its_files_does_not_hide_what_is_to_be_resumed(
    server: SandboxServer, tmp_path: Path
) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("rds")
        turn = await desk.ask(conversation_id, "why?")
    index = (tmp_path / "index.tsv").read_bytes()
    async with Desk(server, tmp_path) as desk:
        await desk.store.append(conversation_id, StateRecord(turn.id, "sending"), sync=True)
    (tmp_path / "index.tsv").write_bytes(index)  # as if it had been killed before it wrote that
    async with Desk(server, tmp_path) as desk:
        assert [summary.state for summary in desk.conversations.summaries()] == ["interrupted"]
