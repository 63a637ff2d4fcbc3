"""The service cannot be reached any more while it answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.turns.desk import Desk, control
from tui.models import NoticeBlock, Turn
from tui.sandbox.server import SandboxServer
from tui.turns import line_was_lost

QUESTION = "why did replication lag rise on rm-bp1k3?"


async def test_what_cannot_be_looked_for_is_not_taken_for_unsent(tmp_path: Path) -> None:
    folder = tmp_path / "service"
    with SandboxServer(pace="unlimited", faults=["hold=20"], folder=folder) as server:
        port = int(server.info.url.rpartition(":")[2])
        async with Desk(server, tmp_path / "user") as desk:
            conversation_id = await desk.conversations.create("rds")
            asked = desk.conversations.ask(conversation_id, QUESTION)
            await desk.until(lambda: control(server, "state")["holding"])
            await asyncio.to_thread(server.stop)
            await desk.ended(asked.id)
            turn = desk.turn(conversation_id, asked.id)
            assert turn.state == "failed"
            assert turn.problem is not None
            assert turn.problem.delivered == "yes"
            assert line_was_lost(turn.problem)
            assert "Nothing was sent" not in turn.problem.remedy
            assert desk.put_back(asked.id) == ""
            desk.updates.clear()
            with SandboxServer(port=port, pace="unlimited", folder=folder) as again:
                desk.conversations.recover(conversation_id, asked.id)
                await desk.ended(asked.id)
                found = desk.turn(conversation_id, asked.id)
                assert found.state == "done"
                assert len(found.answer) > len(turn.answer)
                assert control(again, "state")["accepted"] == {}


def notices(turn: Turn) -> list[str]:
    return [block.text for block in turn.blocks if isinstance(block, NoticeBlock)]


async def test_a_stop_that_cannot_be_sent_is_not_said_to_be_one(tmp_path: Path) -> None:
    with SandboxServer(pace="unlimited", faults=["hold=20"]) as server:
        async with Desk(server, tmp_path, pauses=(30.0,)) as desk:
            conversation_id = await desk.conversations.create("rds")
            asked = desk.conversations.ask(conversation_id, QUESTION)
            await desk.until(lambda: control(server, "state")["holding"])
            await asyncio.to_thread(server.stop)
            await desk.until(
                lambda: "no connection" in getattr(desk.conversations.activity(conversation_id), "status", "")
            )
            desk.conversations.stop(conversation_id)
            await desk.ended(asked.id)
            turn = desk.turn(conversation_id, asked.id)
            assert turn.state == "stopped"
            [said] = notices(turn)
            assert "may go on with this answer" in said


async def test_a_stop_while_the_rest_is_looked_for_is_told_to_the_service(tmp_path: Path) -> None:
    with SandboxServer(pace="unlimited", faults=["hold=20", "end-after=10"]) as server:
        async with Desk(server, tmp_path, pauses=(30.0,)) as desk:
            conversation_id = await desk.conversations.create("rds")
            asked = desk.conversations.ask(conversation_id, QUESTION)
            await desk.until(
                lambda: "still answering" in getattr(desk.conversations.activity(conversation_id), "status", "")
            )
            assert control(server, "state")["holding"]
            desk.conversations.stop(conversation_id)
            await desk.ended(asked.id)
            assert desk.turn(conversation_id, asked.id).state == "stopped"
            assert not control(server, "state")["holding"]


async def test_a_stop_that_finds_no_name_to_stop_is_not_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.turns.NAME_GRACE", 0.05)
    with SandboxServer(pace="unlimited", faults=["hold=20", "no-task"]) as server:
        async with Desk(server, tmp_path) as desk:
            conversation_id = await desk.conversations.create("rds")
            asked = desk.conversations.ask(conversation_id, QUESTION)
            await desk.until(lambda: control(server, "state")["holding"])
            desk.conversations.stop(conversation_id)
            await desk.ended(asked.id)
            turn = desk.turn(conversation_id, asked.id)
            assert turn.state == "stopped"
            [said] = notices(turn)
            assert "may go on with this answer" in said


async def test_a_stop_on_its_way_when_the_line_breaks_counts_only_when_it_got_through(tmp_path: Path) -> None:
    faults = ["hold=20", "drop-after=21", "slow-start@ChatMessagesTaskStop=1", "http-500@ChatMessagesTaskStop"]
    with SandboxServer(pace="unlimited", faults=faults) as server:
        async with Desk(server, tmp_path) as desk:
            conversation_id = await desk.conversations.create("rds")
            asked = desk.conversations.ask(conversation_id, QUESTION)
            await desk.until(lambda: control(server, "state")["holding"])
            desk.conversations.stop(conversation_id)
            await asyncio.to_thread(server.release)
            await desk.ended(asked.id)
            turn = desk.turn(conversation_id, asked.id)
            assert turn.state == "stopped"
            assert any("did not get through" in said for said in notices(turn))


async def test_what_cannot_be_looked_for_at_the_next_start_is_not_taken_for_unsent(tmp_path: Path) -> None:
    with SandboxServer() as server:
        async with Desk(server, tmp_path) as desk:
            conversation_id = await desk.conversations.create("dms")
            asked = desk.conversations.ask(conversation_id, "refunds by week")
            await desk.until(lambda: desk.turn(conversation_id, asked.id).ids.message)
    async with Desk(server, tmp_path) as desk:
        await desk.conversations.resume_all()
        await desk.ended(asked.id)
        turn = desk.turn(conversation_id, asked.id)
        assert turn.problem is not None
        assert turn.problem.delivered == "yes"
        assert "may ask it twice" in turn.problem.remedy


async def test_a_stop_that_the_service_refuses_is_not_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.turns.STOP_GRACE", 0.05)
    with SandboxServer(pace="unlimited", faults=["hold=20", "http-500@ChatMessagesTaskStop"]) as server:
        async with Desk(server, tmp_path) as desk:
            conversation_id = await desk.conversations.create("rds")
            asked = desk.conversations.ask(conversation_id, QUESTION)
            await desk.until(lambda: control(server, "state")["holding"])
            desk.conversations.stop(conversation_id)
            await desk.ended(asked.id)
            turn = desk.turn(conversation_id, asked.id)
            assert turn.state == "stopped"
            [said] = notices(turn)
            assert "did not get through" in said
            assert control(server, "state")["holding"]
