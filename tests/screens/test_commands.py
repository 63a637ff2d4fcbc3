"""The palette: every action with its key, fuzzy and Chinese search, conversations by title."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import pytest
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import CommandInput, CommandList
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from screens.conversations import ConversationsScreen
from tests.screens.host import Host, summary
from tui.commands import match, open_palette
from tui.keys import key_name
from tui.settings import Settings
from tui.widgets.bindings import own_bindings
from tui.widgets.conversation_list import ConversationList

SOME = (
    summary(1, "lag on rm-bp1k3"),
    summary(2, "主库上有没有长事务？", ago=timedelta(hours=1)),
    summary(3, "[/] [red]x [/nope]", ago=timedelta(hours=2)),
)


class PaletteHost(Host):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+p", "command_palette", "palette", id="host.palette")]

    def action_command_palette(self) -> None:
        open_palette(self)


async def lines(app: Host, pilot: Pilot[Any], typed: str = "") -> list[str]:
    """What the palette lists for what is typed."""
    if typed:
        app.screen.query_one(CommandInput).value = typed
    await pilot.pause()
    await app.workers.wait_for_complete()
    await pilot.pause()
    found = app.screen.query_one(CommandList)
    return [str(found.get_option_at_index(number).prompt) for number in range(found.option_count)]


async def test_every_action_is_there_with_its_key() -> None:
    app = PaletteHost(screen=ConversationsScreen, conversations=SOME)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p")
        shown = await lines(app, pilot)
        bindings = [binding for binding in own_bindings(ConversationList) if binding.id != "conversations.close_filter"]
        for binding in bindings:
            key = " " + key_name(binding.key.split(",")[0])
            words = binding.tooltip or binding.description
            assert any(line.startswith("Conversations: ") and words in line and key in line for line in shown), words
        assert "Conversations: rename   r" in shown
        assert "Conversations: open   Enter l" in shown
        assert "help   F1 ?" in shown
        assert {"Theme: dark", "Theme: light", "Theme: terminal", "Theme: auto", "Language: 中文"} <= set(shown)
        assert "Theme: nord" not in shown


async def test_where_one_can_go_stands_first() -> None:
    app = PaletteHost(screen=ConversationsScreen, conversations=SOME)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        shown = await lines(app, pilot)
        assert shown[:2] == ["New conversation", "All conversations"]
        assert shown.index("Health reports of instances") < shown.index("Conversations: rename   r")
        assert shown.index("Conversations: rename   r") < shown.index("Theme: dark")


async def test_remapped_keys_are_shown() -> None:
    keys = {"conversations.rename": "f4"}
    app = PaletteHost(screen=ConversationsScreen, conversations=SOME, settings=Settings(keys=keys), keymap=keys)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p")
        assert "Conversations: rename   F4" in await lines(app, pilot)


async def test_what_cannot_be_done_now_is_left_out() -> None:
    app = PaletteHost(screen=ConversationsScreen)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p")
        shown = await lines(app, pilot)
        assert "Conversations: new   n" in shown
        assert "Conversations: rename   r" not in shown


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("rename", "Conversations: rename   r"),
        ("theme light", "Theme: light"),
        ("cvren", "Conversations: rename   r"),
        ("中文", "Language: 中文"),
        ("长事务", "Conversation: 主库上有没有长事务？"),
        ("rm-bp", "Conversation: lag on rm-bp1k3"),
        ("[red]", "Conversation: [/] [red]x [/nope]"),
        ("F1", "help   F1 ?"),
    ],
)
async def test_search(typed: str, first: str) -> None:
    app = PaletteHost(screen=ConversationsScreen, conversations=SOME)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p")
        assert (await lines(app, pilot, typed))[0] == first


async def test_choosing_runs_it() -> None:
    app = PaletteHost(screen=ConversationsScreen, conversations=SOME)
    async with app.run_test(size=(80, 24)) as pilot:
        for typed in ("theme light", "长事务", "pin"):
            await pilot.press("ctrl+p")
            await lines(app, pilot, typed)
            await pilot.press("enter")
            await pilot.pause()
            await pilot.pause()
        assert app.done == [("settings", {"theme": "light"}), ("show", "c2"), ("pin", "c1", True)]


async def test_an_action_of_another_part_takes_the_focus_there() -> None:
    class Two(Screen[None]):
        def compose(self) -> ComposeResult:
            yield Input(id="write")
            yield ConversationList()

    app = PaletteHost(screen=Two, conversations=SOME)
    async with app.run_test(size=(120, 40)) as pilot:
        app.screen.query_one("#write").focus()
        await pilot.pause()
        await pilot.press("ctrl+p")
        await lines(app, pilot, "G")
        await pilot.press("enter")
        await pilot.pause()
        await pilot.pause()
        conversations = app.screen.query_one(ConversationList)
        assert conversations.has_focus
        assert conversations.selected == SOME[2]


async def test_what_is_nowhere_here_is_searched_in_what_was_said() -> None:
    class Navigated(PaletteHost):
        def navigate(self, route: str, **arguments: Any) -> None:
            self.done.append((route, arguments))

    app = Navigated(screen=ConversationsScreen, conversations=SOME)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p")
        assert await lines(app, pilot, "[zzz] 死锁qq") == ["Search what was said: [zzz] 死锁qq"]
        await pilot.press("enter")
        await pilot.pause()
        assert app.done == [("search", {"typed": "[zzz] 死锁qq"})]


async def test_ten_thousand_conversations_give_twenty_lines() -> None:
    app = PaletteHost(conversations=[summary(n, f"慢查询 {n}") for n in range(10_000)])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        assert len(await lines(app, pilot, "慢查询")) == 20


def test_matching() -> None:
    assert match("", "text") == (0.0, [])
    assert match("x", "text")[1] == [2]
    assert match("tt", "text")[1] == [0, 3]
    assert match("tz", "text") == (0.0, [])
    assert match("line", "a line")[0] > match("line", "online")[0] > match("lne", "line")[0]
    assert match("e" * 40, "e" * 200)[0] > 0
