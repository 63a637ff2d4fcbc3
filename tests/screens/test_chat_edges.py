"""What a user may do while something is not there yet, or is not there any more: nothing typed is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from screens.agents import AgentsScreen
from tests.screens.slow import Slow
from tests.screens.test_asks import dms
from tests.screens.whole import using
from tests.turns.desk import control
from tui.sandbox.server import SandboxServer
from tui.services.dms_options import DataSource, write_data
from tui.services.upload_checks import check_file


async def test_what_is_typed_while_a_conversation_is_read_joins_its_draft(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path) as user:
        await user.ask("echo one")
        first = user.chat.conversation_id
        await user.type("half a thought")
    async with using(server, tmp_path) as user:
        slow = Slow(user.app, "open_conversation", monkeypatch)
        user.app.show_conversation(first)
        await user.until(lambda: slow.waiting)
        await user.type("typed early")
        await user.app._writing.write()
        slow.go.set()
        await user.until(lambda: user.chat.composer.text == "half a thought\ntyped early")
        await user.app._writing.write()
        assert (await user.app._store.load(first)).draft == "half a thought\ntyped early"


async def test_a_question_that_is_sent_while_its_conversation_is_read_is_asked_there(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path) as user:
        await user.ask("echo one")
        first = user.chat.conversation_id
    async with using(server, tmp_path) as user:
        slow = Slow(user.app, "open_conversation", monkeypatch)
        user.app.show_conversation(first)
        await user.until(lambda: slow.waiting)
        await user.type("echo two")
        await user.press("enter")
        await user.until(lambda: slow.waiting == 2)
        slow.go.set()
        await user.until(lambda: user.app.conversation(first) and len(user.conversation.turns) == 2)
        await user.until(lambda: user.turn.state == "done")
        assert control(server, "state")["accepted"] == {"echo one": 1, "echo two": 1}


async def test_two_questions_at_once_begin_one_conversation(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path) as user:
        slow = Slow(user.app, "create_conversation", monkeypatch)
        for text in ("echo one", "echo two"):
            await user.type(text)
            await user.press("enter")
        await user.until(lambda: slow.waiting)
        slow.go.set()
        await user.until(lambda: user.chat.conversation_id and len(user.conversation.turns) == 2)
        await user.until(lambda: user.turn.state == "done")
        assert [turn.question for turn in user.conversation.turns] == ["echo one", "echo two"]
        assert len(user.app.summaries()) == 1


async def test_an_upload_for_a_conversation_that_was_deleted_does_no_harm(
    server: SandboxServer, tmp_path: Path
) -> None:
    async with using(server, tmp_path, settings=dms()) as user:
        await user.ask("echo one")
        gone = user.chat.conversation_id
        await user.app.delete_conversations([gone])
        await user.chat._attach_ready(gone, DataSource(file_id="f-1", name="orders.csv")).wait()
        assert (await user.ask("echo two")).state == "done"


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_files_of_a_question_stand_below_it(
    server: SandboxServer, tmp_path: Path, size: tuple[int, int]
) -> None:
    (tmp_path / "[b]订单\x1b.csv").write_text("week,n\n2026-05-04,8\n2026-05-11,29\n", encoding="utf-8")
    async with using(server, tmp_path / "app", size=size, settings=dms()) as user:
        transfer = user.app.transfers.upload(check_file(tmp_path / "[b]订单\x1b.csv"))
        await user.until(lambda: (held := user.app.transfers.get(transfer)) is not None and held.source)
        held = user.app.transfers.get(transfer)
        assert held is not None
        assert held.source is not None
        await user.chat.set_options({"data": write_data([held.source])})
        await user.ask("echo one")
        await user.until(lambda: user.sees(" ▌ attached: [b]订单"))
        assert not any("\x1b" in line for line in user.lines())
        await user.ask("echo two")
        await user.until(lambda: user.sees("two"))
        assert sum("attached:" in line for line in user.lines()) == 1


async def test_what_is_written_to_an_agent_leaves_the_draft_of_the_chat_alone(
    server: SandboxServer, tmp_path: Path
) -> None:
    async with using(server, tmp_path) as user:
        await user.type("mine")
        user.app.navigate("agents")
        await user.until(lambda: isinstance(user.app.screen, AgentsScreen) and user.app.screen.loaded)
        trying = user.app.screen
        assert isinstance(trying, AgentsScreen)
        trying.composer.insert("to the agent")  # before there is a conversation with it
        await user.pilot.pause()
        assert user.app.draft_of_new("rds") == "mine"


async def test_a_suggestion_that_cannot_be_sent_leaves_the_draft(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.ask("echo one")
        await user.type("my draft")
        held = user.conversation
        user.app.conversations._memory.open[held.id] = replace(held, read_only="another window has it")
        await user.chat._ask_text("a suggestion").wait()
        assert user.chat.composer.text == "a suggestion\n\nmy draft"
