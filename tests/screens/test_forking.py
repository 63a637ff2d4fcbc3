"""Quotes, forks and ratings with a comment: taking up again what stands in a conversation."""

from __future__ import annotations

from pathlib import Path

import pytest

from screens.dialogs import ChooseDialog, TextDialog
from tests.screens.test_rds_session import SETTINGS
from tests.screens.whole import using
from tests.turns.desk import Desk
from tui.forks import quoted, told_before
from tui.models import NoticeBlock, TurnIds
from tui.sandbox.server import SandboxServer


async def test_a_block_is_quoted_in_the_next_question(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.ask("echo first part\n\nsecond part")
        await user.press("escape", "q")
        await user.until(lambda: user.chat.composer.text)
        assert user.chat.composer.text == "> second part\n\n"
        assert user.chat.focused is user.chat.composer
        await user.type("what of it?")
        await user.press("escape", "K", "q")
        await user.until(lambda: "> first part" in user.chat.composer.text)
        assert user.chat.composer.text == "> second part\n\nwhat of it?\n\n> first part\n\n"


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_fork_leaves_the_old_conversation_as_it_is(
    server: SandboxServer, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with using(server, tmp_path, size=size, settings=SETTINGS) as user:
        for number in (1, 2, 3):
            await user.ask(f"echo answer {number}")
        old = user.conversation
        await user.press("escape", "e")
        await user.until(lambda: isinstance(user.app.screen, ChooseDialog))
        await user.press("1")
        await user.until(lambda: user.chat.conversation_id != old.id and user.chat.composer.text)

        assert user.chat.composer.text == "echo answer 3"
        fork = user.conversation
        assert [turn.question for turn in fork.turns] == ["echo answer 1", "echo answer 2"]
        assert fork.remote_id == ""
        assert all(turn.ids == TurnIds() for turn in fork.turns)
        notes = [block.text for block in fork.turns[-1].blocks if isinstance(block, NoticeBlock)]
        assert "the service begins anew" in notes[0]
        await user.press("enter")
        await user.until(lambda: len(user.conversation.turns) == 3 and user.turn.state == "done")
        assert user.conversation.remote_id not in ("", old.remote_id)
        assert user.app.conversation(old.id) == old
        assert "(fork)" in user.conversation.title
        assert {summary.id for summary in user.app.summaries()} == {old.id, fork.id}


async def test_a_fork_may_quote_what_was_said_before(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.ask("echo one")
        await user.ask("echo two")
        old = user.chat.conversation_id
        await user.type("/fork")
        await user.press("enter")
        await user.until(lambda: isinstance(user.app.screen, ChooseDialog))
        await user.press("2")
        await user.until(lambda: user.chat.conversation_id != old)
        await user.until(lambda: user.chat.composer.text)
        assert user.chat.composer.text == "> **echo one**\n>\n> one\n\necho two"


async def test_the_first_question_is_asked_again_here(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.ask("echo one")
        await user.press("escape", "e")
        await user.until(lambda: isinstance(user.app.screen, ChooseDialog))
        await user.press("2")
        await user.until(lambda: user.chat.composer.text == "echo one")
        await user.ask("")
        assert len(user.conversation.turns) == 2


async def test_a_rating_goes_with_a_comment(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.ask("echo one")
        await user.press("escape", "minus")
        await user.until(lambda: isinstance(user.app.screen, TextDialog))
        await user.press("escape")
        await user.until(lambda: not isinstance(user.app.screen, TextDialog))
        assert user.turn.rating == ""
        await user.press("minus")
        await user.until(lambda: isinstance(user.app.screen, TextDialog))
        await user.press(*"too short", "enter")
        await user.until(lambda: user.turn.rating == "dislike")

        def feedback() -> list[tuple[str, str]]:
            return [
                (one.feedback, one.feedback_text) for c in server._world.conversations.values() for one in c.messages
            ]

        assert server._call(feedback) == [("dislike", "too short")]


async def test_a_fork_is_kept_for_the_next_start(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        known = await desk.conversations.create("rds", {"model": "qwen-plus"})
        first = await desk.ask(known, "echo one")
        second = await desk.ask(known, "echo two")
        fork = await desk.conversations.fork(known, second.id)
        with pytest.raises(KeyError):
            await desk.conversations.fork(known, "no such turn")
    async with Desk(server, tmp_path) as desk:
        conversation = await desk.conversations.open(fork)
        assert conversation.options == {"model": "qwen-plus"}
        (turn,) = conversation.turns
        assert (turn.question, turn.answer, turn.asked_at) == ("echo one", "one", first.asked_at)
        assert turn.id != first.id


def test_quotes_are_markdown() -> None:
    assert quoted("a\n\n  b\n") == "> a\n>\n>   b\n\n"


async def test_what_was_said_before_is_told_newest_first(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        known = await desk.conversations.create("rds")
        turns = tuple([await desk.ask(known, f"echo {word * 300}") for word in ("甲", "乙", "丙")])
        told = told_before(turns, 1400)
        assert "甲" not in told
        assert told.index("乙") < told.index("丙")
        assert told_before((), 100) == ""
        assert " …" in told_before(turns, 300)
