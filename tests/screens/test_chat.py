"""What a user does in the chat, key by key, against the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.screens.whole import using
from tests.turns.desk import control
from tui.models import ToolBlock
from tui.sandbox.server import SandboxServer
from tui.settings import Settings
from tui.widgets.transcript.search import find_all

LAG = "why did replication lag rise on rm-bp1k3?"


async def test_ask_ask_on_quit_and_come_back(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        first = await user.ask(LAG)
        assert first.state == "done"
        assert any(isinstance(block, ToolBlock) for block in first.blocks)
        second = await user.ask("主库上有没有长事务？")
        assert user.sees("主库上有没有长事务")
        assert user.conversation.title == LAG
        assert second.ids.conversation == first.ids.conversation
        conversation_id = user.chat.conversation_id
    async with using(server, tmp_path) as user:
        [line] = user.app.summaries()
        assert (line.id, line.title, line.turns) == (conversation_id, LAG, 2)
        user.app.show_conversation(conversation_id)
        await user.until(lambda: user.chat.conversation_id and user.app.conversation(conversation_id))
        await user.until(lambda: user.sees("主库上有没有长事务"))
        assert [turn.answer for turn in user.conversation.turns] == [first.answer, second.answer]
        third = await user.ask("and now?")
        assert third.ids.conversation == first.ids.conversation


async def test_the_screen_says_that_it_is_the_sandbox(tmp_path: Path) -> None:
    async with using(None, tmp_path) as user:
        await user.until(lambda: user.sees("SANDBOX"))
        assert (await user.ask("hello")).state == "done"


async def test_ctrl_c_stops_on_the_service(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["hold=8"]})
    async with using(server, tmp_path) as user:
        await user.send(LAG)
        await user.until(lambda: control(server, "state")["holding"])
        await user.press("ctrl+c")
        await user.until(lambda: user.turn.state == "stopped")
        assert control(server, "state")["stop_calls"] == 1
        await user.until(lambda: user.sees("stopped"))
        # The prompt works again.
        assert (await user.ask("and now?")).state == "done"


async def test_s_in_the_transcript_stops_too(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["hold=8"]})
    async with using(server, tmp_path) as user:
        await user.send(LAG)
        await user.until(lambda: control(server, "state")["holding"])
        await user.press("escape", "s")
        await user.until(lambda: user.turn.state == "stopped")
        assert control(server, "state")["stop_calls"] == 1


async def test_a_second_question_is_queued_visibly(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["hold=8"]})
    async with using(server, tmp_path) as user:
        await user.send(LAG)
        await user.until(lambda: control(server, "state")["holding"])
        await user.send("and the slow statements?")
        assert user.turn.state == "queued"
        await user.until(lambda: user.sees("1 queued"))
        control(server, "release", {})
        await user.until(lambda: user.turn.state == "done")
        assert [turn.state for turn in user.conversation.turns] == ["done", "done"]
        assert control(server, "state")["accepted"] == {LAG: 1, "and the slow statements?": 1}


async def test_leave_in_mid_answer_and_come_back(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["hold=12"]})
    async with using(server, tmp_path) as user:
        await user.send(LAG)
        left = user.chat.conversation_id
        await user.until(lambda: control(server, "state")["holding"])
        await user.press("f8")  # a new conversation
        other = await user.ask("what is a long transaction?")
        assert other.state == "done"
        assert user.chat.conversation_id != left
        assert user.app.activity(left) is not None
        control(server, "release", {})
        await user.until(lambda: user.app.activity(left) is None)
        # It ended while nobody looked: unread in the list.
        await user.until(lambda: next(s for s in user.app.summaries() if s.id == left).unread)
        user.app.show_conversation(left)
        await user.until(lambda: user.transcript.turns and user.transcript.turns[-1].question == LAG)
        assert user.turn.state == "done"
        assert user.transcript.turns[-1] == user.turn
        await user.until(lambda: not next(s for s in user.app.summaries() if s.id == left).unread)


async def test_opening_in_mid_answer_shows_all_of_it(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["hold=12"]})
    async with using(server, tmp_path) as user:
        await user.send(LAG)
        running = user.chat.conversation_id
        await user.until(lambda: control(server, "state")["holding"])
        await user.press("f8")
        user.app.show_conversation(running)
        control(server, "release", {})
        await user.until(lambda: user.app.activity(running) is None)
        await user.until(lambda: user.transcript.turns and user.transcript.turns[-1].state == "done")
        assert user.transcript.turns[-1] == user.turn


async def test_several_answers_run_at_once(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"set": ["hold=8"]})
    async with using(server, tmp_path) as user:
        ids = []
        for text in ("one", "two", "three"):
            await user.press("f8")
            await user.send(text)
            ids.append(user.chat.conversation_id)
        await user.until(lambda: len(control(server, "state")["holding"]) == 3)
        assert all(user.app.activity(conversation_id) for conversation_id in ids)
        control(server, "release", {})
        await user.until(lambda: not any(user.app.activity(conversation_id) for conversation_id in ids))
        assert control(server, "state")["accepted"] == {"one": 1, "two": 1, "three": 1}


async def test_a_refusal_stands_where_it_happened(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["order-invalid"]})
    async with using(server, tmp_path) as user:
        turn = await user.ask(LAG)
        assert turn.state == "failed"
        await user.until(lambda: user.chat.composer.text == LAG)
        assert user.sees("Professional Edition")
        assert turn.problem is not None
        assert user.sees(turn.problem.request_id)
        assert not control(server, "state")["accepted"]
        # Enter sends what was put back.
        await user.press("enter")
        await user.until(lambda: user.turn.state == "done")
        assert control(server, "state")["accepted"] == {LAG: 1}
        assert user.chat.composer.text == ""


async def test_a_failed_question_does_not_overwrite_what_is_typed(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["slow-start=0.5", "order-invalid"]})
    async with using(server, tmp_path) as user:
        await user.send(LAG)
        await user.type("my next thought")
        await user.until(lambda: user.turn.state == "failed")
        await user.until(lambda: LAG in user.chat.composer.text)
        assert "my next thought" in user.chat.composer.text


async def test_questions_queued_behind_a_failure_come_back(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["slow-start=0.5", "order-invalid"]})
    async with using(server, tmp_path) as user:
        await user.send(LAG)
        await user.send("second")
        await user.until(lambda: all(turn.state == "failed" for turn in user.conversation.turns))
        await user.until(lambda: "second" in user.chat.composer.text)
        assert LAG in user.chat.composer.text
        assert not control(server, "state")["accepted"]


async def test_a_dropped_line_is_made_good(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["drop-after=6"]})
    async with using(server, tmp_path) as user:
        turn = await user.ask(LAG)
        assert turn.state == "done"
        assert turn.recovered
        assert control(server, "state")["accepted"] == {LAG: 1}


async def test_drafts_are_kept_per_conversation_and_over_a_restart(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.ask("first")
        first = user.chat.conversation_id
        await user.type("half a thought")
        await user.press("f8")
        await user.until(lambda: user.chat.composer.text == "")
        await user.type("another 半")
        user.app.show_conversation(first)
        await user.until(lambda: user.chat.composer.text == "half a thought")
    async with using(server, tmp_path) as user:
        await user.until(lambda: user.chat.composer.text == "another 半")
        user.app.show_conversation(first)
        await user.until(lambda: user.chat.composer.text == "half a thought")


async def test_ctrl_c_clears_into_the_history_and_twice_quits(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.type("not now")
        await user.press("ctrl+c")
        assert user.chat.composer.text == ""
        await user.press("up")
        assert user.chat.composer.text == "not now"
        await user.press("ctrl+c", "ctrl+c")
        assert user.app._exit is False
        await user.press("ctrl+c")
        await user.until(lambda: user.app._exit)


async def test_escape_never_quits_and_never_clears(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.type("a thought")
        await user.press(*["escape"] * 6)
        assert not user.app._exit
        assert user.chat.composer.text == "a thought"


async def test_copy_and_save(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        turn = await user.ask("code please")
        await user.press("escape", "G", "y")
        await user.until(lambda: user.notices())
        assert "opied" in " ".join(user.notices()) or "OSC 52" in " ".join(user.notices())
        await user.press("w")
        await user.until(lambda: list((tmp_path / "downloads").glob("*")))
        [path] = (tmp_path / "downloads").glob("*")
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text("utf-8").strip() in turn.answer


async def test_find_in_the_conversation(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.ask(LAG)
        await user.press("escape", "slash", *"replica", "enter")
        assert user.chat.focused is user.transcript
        total = len(find_all(user.conversation.turns, "replica"))
        assert total > 2
        await user.press("g", "slash", *"replica", "enter")
        await user.until(lambda: any(line.rstrip().endswith(f"1 of {total}") for line in user.lines()))
        await user.press("n")
        await user.until(lambda: any(line.rstrip().endswith(f"2 of {total}") for line in user.lines()))
        # Esc ends the search, where it stands; only the next one leaves.
        await user.press("escape")
        assert user.chat.focused is user.transcript
        assert not user.chat.find_bar.display
        assert user.transcript.match_number == 0
        await user.press("slash", *"zzz", "enter")
        await user.until(lambda: user.sees("nothing found"))
        await user.press("slash", "escape")
        assert user.chat.focused is user.transcript


async def test_details_show_the_request_id(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        turn = await user.ask(LAG)
        await user.press("escape", "i")
        await user.until(lambda: user.sees(turn.ids.message))
        assert turn.ids.request
        assert user.sees(turn.ids.request)
        await user.press("escape")
        assert user.app.screen is user.chat


async def test_feedback_reaches_the_service(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.ask(LAG)
        await user.press("escape", "plus")
        await user.until(lambda: user.sees("What was helpful?"))
        await user.press("enter")  # without a comment
        await user.until(lambda: user.turn.rating == "like")
        assert control(server, "state")["received"]["ModifyMessagesFeedbacks"] == 1


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_rename_delete_and_undo(server: SandboxServer, tmp_path: Path, size: tuple[int, int]) -> None:
    async with using(server, tmp_path, size=size) as user:
        await user.ask("first")
        await user.press("escape", "escape")  # the transcript, then the list
        await user.press("r")
        await user.press(*["backspace"] * 5, *"lag", "enter")
        await user.until(lambda: user.app.summaries()[0].title == "lag")
        await user.until(lambda: user.sees("lag"))
        await user.press("d", "enter")  # Enter alone never approves
        assert len(user.app.summaries()) == 1
        await user.press("d", "y")
        await user.until(lambda: not user.app.summaries())
        await user.press("z")
        await user.until(lambda: len(user.app.summaries()) == 1)
        assert user.app.summaries()[0].title == "lag"


async def test_the_list_is_a_screen_at_80_columns(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, size=(80, 24)) as user:
        await user.ask("first")
        first = user.chat.conversation_id
        await user.press("escape", "escape")
        assert user.app.screen is not user.chat
        await user.press("n")
        await user.until(lambda: user.app.screen is user.chat)
        assert user.chat.conversation_id == ""
        await user.ask("second")
        await user.press("escape", "escape", "j", "enter")
        await user.until(lambda: user.app.screen is user.chat)
        assert user.chat.conversation_id == first


async def test_resizing_keeps_list_chat_and_draft(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.ask(LAG)
        await user.type("draft 草稿")
        for size in ((80, 24), (60, 15), (200, 60), (40, 10), (120, 40)):
            await user.pilot.resize_terminal(*size)
            await user.pilot.pause()
            assert user.chat.list_pane.display is (size[0] >= 100)
        assert user.chat.composer.text == "draft 草稿"
        assert user.sees("rm-bp1k3")


async def test_keys_can_be_remapped(server: SandboxServer, tmp_path: Path) -> None:
    settings = Settings(keys={"chat.new": "ctrl+g"})
    async with using(server, tmp_path, settings=settings) as user:
        await user.ask("first")
        await user.press("ctrl+g")
        assert user.chat.conversation_id == ""


async def test_an_interrupted_answer_is_fetched_at_the_next_start(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["hold=12"]})
    async with using(server, tmp_path) as user:
        await user.send(LAG)
        conversation_id = user.chat.conversation_id
        await user.until(lambda: control(server, "state")["holding"])
        await user.until(lambda: user.turn.blocks)
    # The app has gone in mid-answer; the service goes on.
    control(server, "release", {})
    async with using(server, tmp_path) as user:
        await user.until(lambda: any(f"fetching it: {LAG}" in notice for notice in user.notices()))
        user.app.show_conversation(conversation_id)
        await user.until(lambda: user.app.conversation(conversation_id) and user.turn.state == "done")
        assert user.turn.recovered
        assert control(server, "state")["accepted"] == {LAG: 1}


async def test_the_palette_lists_actions_and_runs_them(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.ask("first")
        await user.press("ctrl+p")
        await user.until(lambda: user.app.screen is not user.chat)
        await user.press(*"new conv")
        await user.until(lambda: user.sees("F8"))
        await user.press("enter")
        await user.until(lambda: user.app.screen is user.chat and user.chat.conversation_id == "")


@pytest.mark.parametrize("editor", ["vi", "'not closed", "/no/such/editor"])
async def test_an_editor_that_does_not_start_leaves_the_text(
    server: SandboxServer, tmp_path: Path, editor: str
) -> None:
    """Here there is no terminal to give away, so none does."""
    async with using(server, tmp_path, environ={"EDITOR": editor, "VISUAL": ""}) as user:
        assert await user.app.edit_externally("my words") == "my words"
        await user.until(lambda: any("editor" in notice for notice in user.notices()))


async def test_help_lists_the_keys_of_the_place(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.press("f1")
        await user.until(lambda: user.app.screen is not user.chat)
        await user.until(lambda: user.sees("Write in $EDITOR"))
        await user.press("escape")
        await user.until(lambda: user.app.screen is user.chat)


async def test_a_second_window_follows_and_can_take_over(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as first:
        await first.ask("first")
        conversation_id = first.chat.conversation_id
        async with using(server, tmp_path) as second:
            second.app.show_conversation(conversation_id)
            await second.until(lambda: second.app.conversation(conversation_id) and second.transcript.turns)
            assert second.conversation.read_only
            # What is typed there is not lost and not sent.
            await second.type("mine")
            await second.press("enter")
            await second.until(lambda: second.chat.composer.text == "mine")
            # It sees what the first one writes.
            await first.ask("second")
            await second.until(lambda: len(second.conversation.turns) == 2)
            await second.until(lambda: len(second.transcript.turns) == 2)
            await second.press("f10")
            await second.until(lambda: not second.conversation.read_only)
            await second.press("enter")
            await second.until(lambda: second.turn.question == "mine" and second.turn.state == "done")
            # Now the first one is the reader: its question is given back.
            await first.type("late")
            await first.press("enter")
            await first.until(lambda: first.chat.composer.text == "late")
        assert control(server, "state")["accepted"] == {"first": 1, "second": 1, "mine": 1}
