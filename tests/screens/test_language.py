"""The language is changed while the program runs: nothing on the screen stays in the other one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Input

from screens.settings import SettingsScreen
from tests.screens.whole import User, using
from tui.sandbox.server import SandboxServer
from tui.settings import Settings
from tui.widgets.context_bar import ContextBar
from tui.words import language, use_language

SIZES = [(120, 40), (80, 24)]


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    use_language("en")


async def speak(user: User, wanted: str) -> None:
    await user.app.save_settings({"language": wanted})
    await user.until(lambda: language() == wanted)
    await user.pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_the_chat(server: SandboxServer, tmp_path: Path, size: tuple[int, int]) -> None:
    async with using(server, tmp_path, size=size, settings=Settings(language="en")) as user:
        await user.until(lambda: user.sees("A new conversation with RDS Copilot."))
        assert "ask RDS Copilot" in str(user.chat.composer.placeholder)
        await speak(user, "zh")
        await user.until(lambda: user.sees("与 RDS Copilot 的新会话。") and user.sees("就绪"))
        assert "提问" in str(user.chat.composer.placeholder)
        assert not user.sees("A new conversation")
        assert user.sees("换行")
        assert not user.sees("newline")
        if size[0] == 120:
            assert user.sees("暂无会话。")
            assert user.chat.list_pane.query_one(Input).placeholder == "筛选"


async def test_an_answer_that_stands_there(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=Settings(language="en")) as user:
        await user.ask("why did replication lag rise on rm-bp1k3?")
        await user.press("escape", "g")
        await user.until(lambda: user.sees("▸ thought") and user.sees("Today"))
        await speak(user, "zh")
        await user.until(lambda: user.sees("▸ 思考") and user.sees("今天"))
        assert not user.sees("thought")
        assert not user.sees("Today")
        await speak(user, "en")
        await user.until(lambda: user.sees("▸ thought") and user.sees("Today"))


async def test_what_the_agent_asks(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=Settings(language="en", service="dms")) as user:
        await user.send("refunds by week")
        await user.until(lambda: user.sees("The agent asks you to confirm its plan") and user.sees("run this plan"))
        await speak(user, "zh")
        await user.until(lambda: user.sees("智能体请您确认分析计划") and user.sees("执行计划"))
        assert not user.sees("The agent asks")
        assert not user.sees("not answered yet")
        assert user.sees("等待您答复")


async def test_the_settings_from_the_palette(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=Settings(language="en")) as user:
        await user.press("f2")
        await user.until(lambda: isinstance(user.app.screen, SettingsScreen) and user.sees("bandwidth"))
        await user.press("j", "j")
        await speak(user, "zh")
        await user.until(lambda: user.app.screen.query_one(ContextBar).subject == "设置")
        await user.until(lambda: user.sees("按往返时延"))
        assert user.app.focused is not None
        await user.app.save_settings({"mouse": "off"})
        await user.until(lambda: any("mouse" in line and "off" in line for line in user.lines()))
