"""The first question to DashScope, while it is not known with whom: asked once, in its conversation, or kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from screens.picking import PickDialog
from tests.screens.managing import Keeper, keeping
from tests.screens.slow import Slow
from tests.services.dashscope_calls import dashscope_of, requests
from tui.sandbox.server import SandboxServer
from tui.services.assistant_models import AssistantChange

QUESTION = "hello there"


@asynccontextmanager
async def asking(
    server: SandboxServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Keeper, Slow]]:
    """The question was sent; the list of whom it may be for takes its time."""
    service = dashscope_of(server)
    await service.assistants.create(AssistantChange(model="qwen-plus", name="helper"))
    await service.aclose()
    async with keeping(server, folder) as keeper:
        slow = Slow(keeper.desk, "refresh", monkeypatch)
        await keeper.user.type(QUESTION)
        await keeper.press("enter")
        await keeper.user.until(lambda: slow.waiting)
        yield keeper, slow


async def choose(keeper: Keeper, slow: Slow) -> None:
    """The list comes, and the assistant is chosen."""
    slow.go.set()
    await keeper.shows("PickDialog")
    await keeper.press("enter")


def chooses(keeper: Keeper) -> bool:
    """A partner is being chosen, or will be."""
    groups = {worker.group for worker in keeper.user.app.workers if not worker.is_finished}
    return "ask" in groups and not isinstance(keeper.user.app.screen, PickDialog)


async def answered(keeper: Keeper) -> None:
    user = keeper.user
    await user.until(lambda: user.chat.conversation_id and user.conversation.turns and user.turn.state == "done")


async def test_enter_twice_asks_once(server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(server, tmp_path, monkeypatch) as (keeper, slow):
        user = keeper.user
        await keeper.press("enter")
        await user.until(lambda: user.chat.composer.text == QUESTION)
        await choose(keeper, slow)
        await answered(keeper)
        assert user.app.screen is user.chat  # there was one dialog
        assert user.chat.composer.text == ""
        assert [turn.question for turn in user.conversation.turns] == [QUESTION]
        assert len(requests(server, "CreateMessage")) == 1


async def test_what_is_opened_meanwhile_is_not_asked(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asking(server, tmp_path, monkeypatch) as (keeper, slow):
        user = keeper.user
        other = await user.app.create_conversation("dashscope", {"backend": "responses", "model": "qwen-plus"})
        user.app.set_draft(other, "half a thought", "dashscope")
        user.app.show_conversation(other)
        await user.until(lambda: user.chat.composer.text == "half a thought")
        slow.go.set()
        await user.until(lambda: not chooses(keeper))
        assert user.app.screen is user.chat
        assert user.chat.composer.text == "half a thought"
        assert (user.chat.conversation_id, user.conversation.turns) == (other, ())
        assert user.conversation.options == {"backend": "responses", "model": "qwen-plus"}
        assert user.app.draft_of_new("dashscope") == QUESTION
        assert not requests(server, "CreateThread")


async def test_what_is_opened_below_the_dialog_is_not_asked(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asking(server, tmp_path, monkeypatch) as (keeper, slow):
        user = keeper.user
        other = await user.app.create_conversation("dashscope", {"backend": "responses", "model": "qwen-plus"})
        slow.go.set()
        await keeper.shows("PickDialog")
        user.chat.show(other)  # as from a key of the list that was dealt with late
        await user.until(lambda: not user.chat.is_opening)
        await keeper.press("enter")
        await user.until(lambda: user.app.screen is user.chat and not chooses(keeper))
        assert (user.chat.conversation_id, user.conversation.turns) == (other, ())
        assert user.conversation.options == {"backend": "responses", "model": "qwen-plus"}
        assert user.app.draft_of_new("dashscope") == QUESTION


async def test_what_is_typed_meanwhile_stays(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asking(server, tmp_path, monkeypatch) as (keeper, slow):
        user = keeper.user
        await user.type(" and more")
        await choose(keeper, slow)
        await answered(keeper)
        assert user.turn.question == QUESTION
        assert user.chat.composer.text == "and more"
        user.chat.show("")
        assert user.app.draft_of_new("dashscope") == ""
        assert user.app.conversation(user.app.summaries()[0].id).draft == "and more"  # type: ignore[union-attr]


async def test_a_question_that_is_cleared_meanwhile_is_not_asked(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asking(server, tmp_path, monkeypatch) as (keeper, slow):
        user = keeper.user
        await keeper.press("ctrl+c")
        await user.until(lambda: not user.chat.composer.text)
        await choose(keeper, slow)
        await user.until(lambda: user.app.screen is user.chat and not chooses(keeper))
        assert not user.chat.conversation_id
        assert user.chat.options()["assistant_name"] == "helper"
        assert user.app.input_history("dashscope")[-1] == QUESTION


async def test_the_partner_is_asked_for_again_where_the_dialog_was_left_behind(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asking(server, tmp_path, monkeypatch) as (keeper, slow):
        user = keeper.user
        slow.go.set()
        await keeper.shows("PickDialog")
        user.app.show_conversation("")
        await keeper.shows("ChatScreen")
        await user.until(lambda: user.chat.composer.text == QUESTION)
        await keeper.press("enter")
        await choose(keeper, slow)
        await answered(keeper)
        assert [turn.question for turn in user.conversation.turns] == [QUESTION]


async def test_a_partner_that_is_chosen_too_late_changes_no_conversation(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = {"backend": "responses", "model": "qwen-plus"}
    service = dashscope_of(server)
    await service.assistants.create(AssistantChange(model="qwen-plus", name="helper"))
    await service.aclose()
    async with keeping(server, tmp_path) as keeper:
        user = keeper.user
        user.chat.new_options["dashscope"] = dict(alone)
        slow = Slow(keeper.desk, "refresh", monkeypatch)
        await keeper.press("f7")
        await user.until(lambda: slow.waiting)
        await user.ask(QUESTION)
        await choose(keeper, slow)
        await user.until(lambda: "Not set: another conversation is shown by now." in user.notices())
        assert user.conversation.options == alone
