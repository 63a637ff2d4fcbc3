"""Help: generated from the bindings, with the keys as remapped."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Input

from screens.conversations import ConversationsScreen
from screens.help import HelpScreen, KeyTable
from tests.screens.host import Host
from tui.settings import Settings
from tui.widgets.conversation_list import ConversationList
from tui.words import use_language


def text(app: Host) -> str:
    return "\n".join(line.plain for line in app.screen.query_one(KeyTable).lines(90))


@pytest.mark.parametrize("key", ["f1", "question_mark"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_key_of_the_focused_part_is_listed(key: str, size: tuple[int, int]) -> None:
    app = Host(screen=ConversationsScreen)
    async with app.run_test(size=size) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        shown = text(app)
        for words in ("Conversations", "Delete here; asks first", "Everywhere", "Marks", "OSC 52"):
            assert words in shown
        rows = [line.split() for line in shown.split("\n")]
        assert ["Enter", "l", "open"] in rows
        assert ["R", "refresh"] in rows
        assert ["F1", "?", "help"] in rows
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, ConversationsScreen)


async def test_the_same_key_closes_it_and_the_palette_is_that_of_the_screen_below() -> None:
    app = Host(screen=ConversationsScreen)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark", "question_mark")
        await pilot.pause()
        assert isinstance(app.screen, ConversationsScreen)
        below: list[object] = []
        app.action_command_palette = lambda: below.append(app.screen)  # type: ignore[method-assign]
        await pilot.press("question_mark", "colon")
        await pilot.pause()
        await pilot.pause()
        assert below == [app.screen]
        assert isinstance(app.screen, ConversationsScreen)


async def test_remapped_and_disabled_keys() -> None:
    keys = {"conversations.rename": "f4,ctrl+r", "conversations.pin": "none"}
    app = Host(screen=ConversationsScreen, settings=Settings(keys=keys), keymap=keys)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        shown = text(app)
        assert ["F4", "^R", "rename"] in [line.split() for line in shown.split("\n")]
        assert "pin" not in shown.split()


async def test_the_filter() -> None:
    app = Host(screen=ConversationsScreen)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark", "slash", *"half page")
        await pilot.pause()
        assert [line.split() for line in text(app).split("\n")] == [
            ["Conversations"],
            ["^D", "half", "a", "page", "down"],
            ["^U", "half", "a", "page", "up"],
        ]
        await pilot.press(*"zzz", "enter")
        await pilot.pause()
        assert text(app) == "Nothing matches “half pagezzz”."
        await pilot.press("escape")
        await pilot.pause()
        assert not app.screen.query_one(Input).display
        assert "Marks" in text(app)


async def test_scrolling() -> None:
    app = Host(screen=ConversationsScreen)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark", "G")
        await pilot.pause()
        keys = app.screen.query_one("#keys")
        assert keys.scroll_y == keys.max_scroll_y > 0
        await pilot.press("g", "j", "j", "k")
        await pilot.pause()
        assert keys.scroll_y == 1
        await pilot.press("space")
        await pilot.pause()
        assert keys.scroll_y == keys.size.height


async def test_other_parts_of_the_screen_are_listed_too() -> None:
    class Two(Screen[None]):
        def compose(self) -> ComposeResult:
            yield Input(id="write")
            yield ConversationList()

    app = Host(screen=Two)
    async with app.run_test(size=(120, 40)) as pilot:
        app.screen.query_one("#write").focus()
        await pilot.pause()
        await pilot.press("f1")
        await pilot.pause()
        shown = text(app)
        assert shown.index("Everywhere") < shown.index("Conversations")


async def test_ascii_marks_and_words_in_the_users_language(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Host(screen=ConversationsScreen, settings=Settings(ascii=True))
    monkeypatch.setattr("tui.words._catalogue", {"rename": "改名", "Marks": "标记"})
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        shown = text(app)
        assert "改名" in shown
        assert "标记" in shown
        assert not {"●", "▌", "✓"} & set(shown)
    use_language("en")


def test_key_names() -> None:
    from tui.keys import key_name

    cases: dict[str, Any] = {
        "ctrl+p": "^P",
        "escape": "Esc",
        "question_mark": "?",
        "G": "G",
        "shift+tab": "Shift+Tab",
        "f10": "F10",
        "ctrl+space": "Ctrl+Space",
        "alt+enter": "Alt+Enter",
        "+": "+",
        "plus": "+",
        "f": "f",
    }
    assert {key: key_name(key) for key in cases} == cases


async def test_the_names_of_the_actions_are_there_for_other_keys() -> None:
    """As README says; what has no key is there too: it can be given one."""
    keys = {"conversations.pin": "none"}
    app = Host(screen=ConversationsScreen, settings=Settings(keys=keys), keymap=keys)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark", "i")
        await pilot.pause()
        shown = text(app)
        assert "conversations.rename" in shown
        assert "/home/ops/.config/yunliao/settings.toml" in shown
        assert ["-", "conversations.pin", "pin"] in [line.split() for line in shown.split("\n")]
        await pilot.press("i")
        await pilot.pause()
        assert "conversations.rename" not in text(app)
