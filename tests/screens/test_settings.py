"""The settings screen and the key test."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.widgets import Static

from screens.dialogs import Dialog
from screens.key_test import KeyTestScreen
from screens.settings import SettingsScreen
from tests.screens.host import Host
from tests.screens.whole import User, using
from tests.turns.desk import control
from tui.sandbox.server import SandboxServer
from tui.settings import ProfileSettings, Settings
from tui.widgets.choices import Choices
from tui.widgets.context_bar import ContextBar
from tui.words import use_language


def rows(app: Host) -> dict[str, list[str]]:
    """Setting -> the words of its line."""
    found = app.screen.query_one(Choices)
    lines = [str(found.get_option_at_index(number).prompt).split() for number in range(found.option_count)]
    return {line[0]: line[1:] for line in lines}


async def go_to(app: App[Any], name: str) -> None:
    found = app.screen.query_one(Choices)
    found.highlighted = found.get_option_index(name)


async def change(user: User, name: str, *keys: str) -> None:
    """Open the settings in the whole app, change one with these keys after Enter, and go back to the chat."""
    before = getattr(user.app.settings, name)
    await user.press("f2")
    await user.until(lambda: isinstance(user.app.screen, SettingsScreen) and user.app.screen.is_mounted)
    await go_to(user.app, name)
    await user.press("enter")
    await user.until(lambda: isinstance(user.app.screen, Dialog))
    await user.press(*keys)
    await user.until(lambda: getattr(user.app.settings, name) != before)
    await user.press("escape")
    await user.until(lambda: user.app.screen is user.chat)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_setting_is_there_with_its_help(size: tuple[int, int]) -> None:
    app = Host(screen=SettingsScreen, settings=Settings(theme="light", region="cn-beijing"))
    async with app.run_test(size=size) as pilot:
        shown = rows(app)
        assert list(shown) == [entry.name for entry in fields(Settings)]
        assert shown["theme"] == ["light", "default"]
        assert shown["region"][0] == "cn-beijing"
        for name in shown:
            await go_to(app, name)
            await pilot.pause()
            assert str(app.screen.query_one("#help", Static).content).strip(), name
        assert "/settings.toml" in str(app.screen.query_one("#path", Static).content)


@pytest.mark.parametrize(
    ("name", "keys", "saved"),
    [
        ("theme", ["enter", "j", "j", "enter"], {"theme": "light"}),
        ("theme", ["l", "2"], {"theme": "dark"}),
        ("bandwidth", ["enter", "3"], {"bandwidth": "low"}),
        ("mouse", ["enter", "3"], {"mouse": "off"}),
        ("ascii", ["enter"], {"ascii": True}),
        ("resume", ["enter"], {"resume": False}),
        ("region", ["enter", "ctrl+u", *"cn-beijing", "enter"], {"region": "cn-beijing"}),
        ("timezone", ["enter", *"Asia", "slash", *"Tokyo", "enter"], {"timezone": "Asia/Tokyo"}),
        ("answer_language", ["enter", "2"], {"answer_language": "zh-CN"}),
    ],
)
async def test_changing(name: str, keys: list[str], saved: dict[str, Any]) -> None:
    app = Host(screen=SettingsScreen)
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(app, name)
        await pilot.press(*keys)
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.done == [("settings", saved)]
        value = next(iter(saved.values()))
        assert rows(app)[name][0] == {True: "true", False: "false"}.get(value, value)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("timezone", ["enter", *"Mars", "enter"]),
        ("keys", ["enter"]),
        ("profiles", ["x"]),
        ("mouse", ["x"]),
        ("theme", ["enter", "escape"]),
        ("theme", ["enter", "enter"]),
    ],
)
async def test_nothing_is_saved(name: str, keys: list[str]) -> None:
    app = Host(screen=SettingsScreen)
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(app, name)
        await pilot.press(*keys)
        await pilot.pause()
        await app.workers.wait_for_complete()
        assert app.done == []


async def test_back_to_the_default() -> None:
    app = Host(screen=SettingsScreen, settings=Settings(mouse="off"))
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(app, "mouse")
        await pilot.press("x")
        await app.workers.wait_for_complete()
        assert app.done == [("settings", {"mouse": "auto"})]


async def test_the_screen_follows_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bilingual(Host):
        async def save_settings(self, changes: Any) -> None:
            await super().save_settings(changes)
            monkeypatch.setattr("tui.words._catalogue", {"Settings": "设置"})

    app = Bilingual(screen=SettingsScreen)
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to(app, "language")
        await pilot.press("enter", "3")
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.screen.query_one(ContextBar).subject == "设置"
        assert app.focused is app.screen.query_one(Choices)
    use_language("en")


async def test_the_key_test_shows_what_arrives() -> None:
    app = Host(screen=SettingsScreen)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("t")
        await pilot.pause()
        assert isinstance(app.screen, KeyTestScreen)
        await pilot.press("ctrl+j", "q", "ctrl+b", "question_mark", "escape", "x")
        await pilot.pause()
        lines = [line.split() for line in str(app.screen.query_one("#seen", Static).content).split("\n")]
        assert [line[0] for line in lines] == ["x", "Esc", "?", "^B", "q", "^J"]
        assert lines[3] == ["^B", "ctrl+b", *lines[3][2:3], "tmux", "uses", "it", "as", "its", "prefix"]
        assert "Settings: close" in " ".join(lines[4])
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert isinstance(app.screen, SettingsScreen)


async def test_another_send_key_is_taken_by_the_composer_that_is_there(tmp_path: Path) -> None:
    async with using(None, tmp_path) as user:
        await change(user, "send", "2")
        await user.type("echo one")
        await user.press("enter", "t", "w", "o")
        assert user.chat.composer.text == "echo one\ntwo"
        await user.press("ctrl+j")
        await user.until(lambda: user.chat.conversation_id and user.conversation.turns)
        assert user.turn.question == "echo one\ntwo"
        await change(user, "send", "1")
        await user.press("x", "ctrl+j")
        assert user.chat.composer.text == "x\n"


async def test_another_region_is_in_the_bars_and_goes_with_questions(tmp_path: Path) -> None:
    async with using(None, tmp_path) as user:
        await user.until(lambda: user.sees("cn-hangzhou"))
        await change(user, "region", "ctrl+u", *"cn-beijing", "enter")
        await user.until(lambda: user.sees("cn-beijing"))
        assert not user.sees("cn-hangzhou")
        assert user.app.question_options("rds")["region"] == "cn-beijing"


async def test_the_bar_above_the_settings_follows_the_region() -> None:
    app = Host(screen=SettingsScreen)
    async with app.run_test(size=(80, 24)) as pilot:
        app.context = app.context._replace(region="cn-beijing")
        app.context_changed.publish(app.context)
        await pilot.pause()
        assert app.screen.query_one(ContextBar).context.region == "cn-beijing"


async def test_another_profile_counts_from_the_next_start(tmp_path: Path) -> None:
    settings = Settings(region="cn-hangzhou", profiles={"ops": ProfileSettings(region="cn-beijing")})
    async with using(None, tmp_path, settings=settings) as user:
        await user.press("f2")
        await user.until(lambda: user.sees("Settings"))
        await go_to(user.app, "profile")
        await user.until(lambda: user.sees("It counts from the next start."))
        await user.press("escape")
        await change(user, "profile", *"ops", "enter")
        assert user.app.settings.profile == "ops"
        # Questions, the bar and the credentials belong together.
        assert user.app.question_options("rds")["region"] == "cn-hangzhou"
        assert (user.app.context.profile, user.app.context.region) == ("", "cn-hangzhou")


async def test_a_file_that_is_broken_meanwhile_is_said_and_not_overwritten(tmp_path: Path) -> None:
    async with using(None, tmp_path) as user:
        user.app.settings_path.parent.mkdir(parents=True, exist_ok=True)
        user.app.settings_path.write_text("theme = [")
        await user.press("f2")
        await user.until(lambda: user.sees("Settings"))
        await go_to(user.app, "ascii")
        await user.press("enter")
        await user.until(lambda: any("not valid TOML" in notice for notice in user.notices()))
        assert user.app.settings.ascii, "for this run"
        assert user.app.settings_path.read_text() == "theme = ["


async def test_ascii_signs_come_at_once(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["hold=20"]})
    async with using(server, tmp_path) as user:
        await user.send("echo - item")
        await user.until(lambda: user.sees(" ● ") and user.sees("▌"))
        await user.app.save_settings({"ascii": True})
        await user.until(lambda: user.sees(" * "))
        assert not any(user.sees(sign) for sign in "●▌")
        assert user.chat.ask_panel.has_class("-ascii")
        await user.app.save_settings({"ascii": False})
        await user.until(lambda: user.sees(" ● ") and user.sees("▌"))
        control(server, "release", {})
        await user.until(lambda: not user.app.activity(user.chat.conversation_id))
