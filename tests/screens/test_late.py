"""What comes when something else is shown by then: it stays where it belongs, and nothing that was typed is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.screens.slow import Slow
from tests.screens.test_rds_session import SETTINGS
from tests.screens.test_slash import told
from tests.screens.whole import User, using
from tests.turns.desk import control
from tui.sandbox.server import SandboxServer
from tui.services.rds_agents import AgentForm
from tui.turns import TurnUpdate


async def make_agent(user: User) -> str:
    """The agent `dba`; its id."""
    rds = await user.app._rds_copilot()
    return (await rds.agents.create(AgentForm("dba", "You know slow SQL."))).id


async def opened(user: User, conversation_id: str) -> None:
    user.app.show_conversation(conversation_id)
    await user.until(lambda: user.chat.conversation_id == conversation_id and not user.chat.is_opening)


async def reopening(user: User, monkeypatch: pytest.MonkeyPatch) -> Slow:
    """Ask in two conversations, go back to the first, and have the second one being opened."""
    await user.ask("echo one")
    first = user.chat.conversation_id
    user.chat.action_new()
    await user.ask("echo two")
    second = user.chat.conversation_id
    await opened(user, first)
    slow = Slow(user.app, "open_conversation", monkeypatch)
    user.app.show_conversation(second)
    await user.until(lambda: slow.waiting)
    return slow


async def send_slowly(user: User, slow: Slow, command: str) -> None:
    """Send a command, until it waits; the list above the composer may wait for the same."""
    await user.type(command)
    before = slow.waiting
    await user.press("enter")
    await user.until(lambda: slow.waiting > before)
    assert user.chat.composer.text == ""


def options(user: User, conversation_id: str) -> dict[str, str]:
    found = user.app.conversation(conversation_id)
    assert found is not None
    return dict(found.options)


def answers(user: User, conversation_id: str) -> list[str]:
    """Of the turns that are over."""
    found = user.app.conversation(conversation_id)
    return [turn.answer for turn in found.turns if turn.state == "done"] if found is not None else []


# --- commands -------------------------------------------------------------------------------------------------


async def test_a_command_counts_where_it_was_sent(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        agent = await make_agent(user)
        await user.ask("echo one")
        first = user.chat.conversation_id
        other = await user.app.create_conversation("rds", {"language": "ja-JP"})
        slow = Slow(user.app.copilot, "agents", monkeypatch)
        await send_slowly(user, slow, "/agent dba")
        await opened(user, other)
        slow.go.set()
        await told(user, "The agent is dba now.")
        assert options(user, first) == {"agent": agent, "agent_name": "dba"}
        assert options(user, other) == {"language": "ja-JP"}


async def test_a_command_for_a_new_conversation_changes_no_other(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await make_agent(user)
        other = await user.app.create_conversation("rds", {"language": "ja-JP"})
        slow = Slow(user.app.copilot, "agents", monkeypatch)
        await send_slowly(user, slow, "/agent dba")
        await opened(user, other)
        slow.go.set()
        await user.until(lambda: user.notices())
        assert user.notices() == ["Not set: another conversation is shown by now."]
        assert options(user, other) == {"language": "ja-JP"}
        assert not user.chat.new_options


async def test_a_command_for_a_new_conversation_goes_along_when_that_begins(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        agent = await make_agent(user)
        other = await user.app.create_conversation("rds")
        slow = Slow(user.app.copilot, "agents", monkeypatch)
        await send_slowly(user, slow, "/agent dba")
        await user.ask("echo one")
        begun = user.chat.conversation_id
        await opened(user, other)
        slow.go.set()
        await told(user, "The agent is dba now.")
        assert options(user, begun) == {"agent": agent, "agent_name": "dba"}
        assert options(user, other) == {}


async def test_a_command_that_names_nothing_leaves_what_is_typed_meanwhile(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        slow = Slow(user.app.copilot, "agents", monkeypatch)
        await send_slowly(user, slow, "/agent nobody")
        await user.type("how full is the disk?")
        slow.go.set()
        await told(user, "There is no nobody.")
        assert user.chat.composer.text == "how full is the disk?"
        assert user.app.input_history("rds")[-1] == "/agent nobody"


async def test_a_skill_is_called_with_what_is_typed_meanwhile(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        slow = Slow(user.app.copilot, "skills", monkeypatch)
        await send_slowly(user, slow, "/skills slow-sql-review")
        await user.type("rm-bp1k3")
        slow.go.set()
        await user.until(lambda: user.chat.composer.text == "/slow-sql-review rm-bp1k3")


# --- the first question ---------------------------------------------------------------------------------------


async def test_first_questions_stay_with_their_conversation_when_another_is_opened(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        other = await user.app.create_conversation("rds")
        slow = Slow(user.app, "create_conversation", monkeypatch)
        for text in ("echo one", "echo two"):
            await user.type(text)
            await user.press("enter")
        await user.until(lambda: slow.waiting)
        await user.type("half a thought")
        await opened(user, other)
        slow.go.set()
        await user.until(lambda: user.app.summaries())
        [begun] = [line.id for line in user.app.summaries()]
        await user.until(lambda: answers(user, begun) == ["one", "two"])
        assert (user.chat.conversation_id, user.conversation.turns) == (other, ())
        assert not user.transcript.turns
        assert user.app.draft_of_new("rds") == "half a thought"
        assert control(server, "state")["accepted"] == {"echo one": 1, "echo two": 1}


async def test_what_is_typed_while_a_conversation_is_made_is_its_draft(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        slow = Slow(user.app, "create_conversation", monkeypatch)
        await user.type("echo one")
        await user.press("enter")
        await user.until(lambda: slow.waiting)
        await user.type("half a thought")
        slow.go.set()
        await user.until(lambda: user.chat.conversation_id and user.conversation.turns)
        assert user.conversation.draft == "half a thought"
        assert user.app.draft_of_new("rds") == ""


# --- an answer ------------------------------------------------------------------------------------------------


async def test_an_answer_is_not_shown_below_the_conversation_before(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        slow = await reopening(user, monkeypatch)
        second, turn = user.chat.conversation_id, user.turn
        user.app.turn_changed.publish(TurnUpdate(second, turn.id, ended=True, put_back="echo three"))
        await user.pilot.pause()
        assert [shown.question for shown in user.transcript.turns] == ["echo one"]
        assert user.chat.composer.text == "echo three"
        slow.go.set()
        await user.until(lambda: [shown.question for shown in user.transcript.turns] == ["echo two"])
        assert user.chat.composer.text == "echo three"


async def test_a_question_to_a_conversation_that_is_being_opened_is_not_shown_below_the_one_before(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        slow = await reopening(user, monkeypatch)
        await user.send("echo three")
        await user.until(lambda: user.turn.state == "done")
        assert [shown.question for shown in user.transcript.turns] == ["echo one"]
        slow.go.set()
        await user.until(lambda: [shown.question for shown in user.transcript.turns] == ["echo two", "echo three"])


async def test_a_short_question_is_given_back_beside_a_longer_one(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.ask("继续")
        await user.type("请继续分析")
        for _twice in range(2):
            user.app.turn_changed.publish(TurnUpdate(user.chat.conversation_id, user.turn.id, put_back="继续"))
            assert user.chat.composer.text == "继续\n\n请继续分析"


# --- the end of the program -----------------------------------------------------------------------------------


async def test_what_is_being_deleted_when_the_program_ends_is_deleted(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.ask("echo one")
        begun = user.chat.conversation_id
        slow = Slow(user.app._store, "delete", monkeypatch)
        await user.press("escape", "escape")
        await user.until(lambda: user.chat.list_pane.has_focus_within)
        await user.press("d")
        await user.until(lambda: user.sees("Delete “"))
        await user.press("y")
        await user.until(lambda: slow.waiting)
        await user.press("ctrl+q")
        asyncio.get_running_loop().call_later(0.2, slow.go.set)
    async with using(server, tmp_path, settings=SETTINGS) as user:
        assert begun not in [line.id for line in user.app.summaries()]
