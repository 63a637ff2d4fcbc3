"""What was found by using the app for a day's work: each was broken once."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest
from textual import work
from textual.app import ComposeResult
from textual.events import Key, Paste
from textual.screen import Screen
from textual.widgets import Input, Static, TextArea

from screens.conversations import ConversationsScreen
from screens.uploads import UploadsScreen
from tests.screens.host import Host
from tests.screens.whole import using
from tui.sandbox.server import SandboxServer
from tui.settings import Settings
from tui.widgets.bindings import commands
from tui.widgets.context_bar import ContextBar
from tui.widgets.conversation_list import ConversationList
from tui.words import use_language


async def test_an_ask_leaves_the_rest_of_the_screen_in_its_place(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, size=(80, 24)) as user:
        await user.send("approve 2")
        await user.until(lambda: user.chat.ask_panel.display)
        await user.pilot.pause()
        assert user.chat.query_one("#body").region.width == 80


async def test_keys_that_come_in_one_packet_go_where_the_earlier_ones_lead(
    server: SandboxServer, tmp_path: Path
) -> None:
    async with using(server, tmp_path) as user:
        await user.ask("echo first")
        [before] = user.app.summaries()
        await user.press("escape", "escape")
        assert user.chat.list_pane.has_focus
        for key in "nwhy do rows pile up":
            user.app.post_message(Key("space" if key == " " else key, key))
        await user.until(lambda: user.chat.composer.text == "why do rows pile up")
        assert user.chat.conversation_id == ""
        assert user.app.summaries() == [before]  # p pins, d deletes, r renames
        await user.press("escape")
        for key in ("escape", "slash", *"fir"):
            user.app.post_message(Key(key, "/" if key == "slash" else key if len(key) == 1 else None))
        await user.until(lambda: user.chat.list_pane.query_one(Input).value == "fir")


async def test_a_paste_that_the_terminal_does_not_mark_keeps_its_pace(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        for key in "one\rtwo\r":
            user.app.post_message(Key("enter", "\r") if key == "\r" else Key(key, key))
        await user.until(lambda: user.chat.composer.text.startswith("one\ntwo"))
        assert user.chat.conversation_id == ""


async def test_every_field_takes_a_paste_with_its_lines_and_without_controls(
    server: SandboxServer, tmp_path: Path
) -> None:
    """Fields of Textual's own take what comes: a CR would join words, an ESC would be kept."""
    async with using(server, tmp_path) as user:
        area = TextArea()
        await user.chat.mount(area)
        area.focus()
        await user.until(lambda: user.app.focused is area)
        user.app.post_message(Paste("one\rtwo \x1b[31m"))
        await user.until(lambda: area.text)
        assert area.text == "one\ntwo \u241b[31m"


async def test_the_palette_lists_digits_that_mean_something_only(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        listed = {one.id for one in commands(user.chat, {}) if one.enabled}
        assert {f"chat.digit_{n}" for n in range(1, 10)} & listed == {f"chat.digit_{n}" for n in (1, 2, 3)}
        await user.ask("echo no suggestions")
        assert not [one.id for one in commands(user.chat, {}) if one.enabled and one.id.startswith("chat.digit")]


async def test_a_notice_does_not_hide_what_is_typed(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, size=(80, 24)) as user:
        await user.type("a question that is long enough to stand below where notices are shown")
        user.app.notify("one line of a notice")
        await user.until(lambda: user.sees("one line of a notice"))
        assert user.sees("a question that is long enough to stand below where notices are shown")


async def test_a_disk_that_gets_full_is_said_at_once_and_for_as_long(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with using(server, tmp_path, size=(80, 24)) as user:
        user.app._store._retry_seconds = 0.01
        with monkeypatch.context() as patch:
            patch.setattr("tui.cache.files.write_whole", full)
            await user.ask("echo kept in memory")
            await user.until(lambda: user.sees("disk is full"))
            assert user.sees("kept in memory")
        await user.until(lambda: not user.sees("disk is full"))


async def test_a_screen_that_is_left_while_it_reads_takes_nothing_down(server: SandboxServer, tmp_path: Path) -> None:
    """The answer comes when the screen's widgets are gone and its workers are not."""
    gate = asyncio.Event()

    class Reading(Screen[None]):
        def compose(self) -> ComposeResult:
            yield Static(id="list")

        def on_mount(self) -> None:
            self.read()

        @work
        async def read(self) -> None:
            await gate.wait()
            self.query_one("#list", Static).update("read")

        async def on_unmount(self) -> None:
            gate.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    async with using(server, tmp_path) as user:
        await user.app.push_screen(Reading())
        user.app.pop_screen()
        await user.until(gate.is_set)
        await user.ask("echo still here")


async def test_the_end_of_a_search_takes_its_hints_along(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, size=(80, 24)) as user:
        await user.ask("echo one hoopoe")
        await user.press("escape", "slash", *"hoopoe", "enter")
        await user.until(lambda: user.sees("n N next"))
        await user.press("escape")
        await user.until(lambda: user.sees("/ find"))


async def test_what_stands_at_the_right_of_the_filter_is_whole_in_chinese(tmp_path: Path) -> None:
    app = Host(screen=ConversationsScreen)
    use_language("zh")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("A", "2")
        await pilot.pause()
        head = "".join(segment.text for segment in app.screen.query_one(ConversationList).render_line(0))
        use_language("en")
        assert head.endswith("已归档 · Data Agent ")


async def test_an_export_names_the_service_of_its_conversation(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=Settings(service="dms")) as user:
        await user.press("escape", "1")
        await user.ask("echo of the other service")
        await user.press("escape", "E")
        await user.until(lambda: user.app.screen.query(ContextBar) and user.app.screen is not user.chat)
        await user.until(lambda: user.app.screen.query_one(ContextBar).service == "rds")


@pytest.mark.parametrize("theme", ["auto", "terminal", "dark"])
async def test_no_color_is_no_colour(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    """Textual's filter makes black on black of the terminal's own colours, and greys of others."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with using(server, tmp_path, size=(80, 24), settings=Settings(theme=theme)) as user:
        await user.ask("echo in no colour")
        assert user.sees("in no colour")
        styles = [
            segment.style
            for strip in user.app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None
        ]
        assert styles
        assert not [style for style in styles if style.color is not None and not style.color.is_default]
        assert not [style for style in styles if style.bgcolor is not None and not style.bgcolor.is_default]


async def test_help_of_the_files_names_its_parts(server: SandboxServer, tmp_path: Path) -> None:
    """Not by the names of Textual's classes."""
    async with using(server, tmp_path) as user:
        await user.press("f4")
        await user.until(lambda: isinstance(user.app.screen, UploadsScreen))
        await user.pilot.pause()
        assert "Input" not in {one.part for one in commands(user.app.screen, {})}
