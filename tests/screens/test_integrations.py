"""The systems around RDS Copilot, by keys, against the sandbox."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from textual.screen import Screen
from textual.widgets import Static

from screens.capacity import CapacityScreen
from screens.guide import GuideScreen
from screens.integrations import IntegrationsScreen
from screens.logon_free import LogonFreeDialog
from screens.memories import MemoriesScreen
from tests.screens.whole import User, using
from tui.sandbox.memories import BOT_ID, BOT_SECRET, KEY
from tui.sandbox.server import SandboxServer
from tui.sandbox.sts import ROLE
from tui.widgets.choices import Choices

SIZES = [(80, 24), (120, 40)]


@asynccontextmanager
async def at_guide(server: SandboxServer, folder: Path, guide: str, size: tuple[int, int]) -> AsyncIterator[User]:
    """The checklist of one system, opened by keys."""
    hosts = dict.fromkeys(("YUNLIAO_STS_ENDPOINT", "YUNLIAO_SIGNIN_ENDPOINT", "YUNLIAO_BOT_ENDPOINT"), server.info.url)
    async with using(server, folder, size=size, environ=hosts) as user:
        user.app.navigate("integrations")
        await until_screen(user, IntegrationsScreen)
        choices = user.app.screen.query_one(Choices)
        await user.press(*"j" * choices.get_option_index(guide), "enter")
        await until_screen(user, GuideScreen)
        yield user


async def until_screen(user: User, kind: type[Screen[object]] | type[Screen[None]]) -> None:
    await user.until(lambda: isinstance(user.app.screen, kind) and user.app.screen.is_mounted)
    await user.pilot.pause()


async def go_to(user: User, line: str) -> None:
    """To a line by its id: `step0`, `value2`, `action0`, `question1`."""
    choices = user.app.screen.query_one(Choices)
    index = choices.get_option_index(line)
    await user.press("g", *"j" * index)
    assert choices.highlighted == index


def told(user: User) -> str:
    return str(user.app.screen.query_one("#help", Static).content)


async def write(user: User, line: str, text: str) -> None:
    await go_to(user, line)
    await user.press("enter")
    await user.until(lambda: not isinstance(user.app.screen, GuideScreen))
    await user.press("ctrl+u", *text, "enter")
    await until_screen(user, GuideScreen)


@pytest.mark.parametrize("size", SIZES)
async def test_ticks_are_kept_over_a_restart(server: SandboxServer, tmp_path: Path, size: tuple[int, int]) -> None:
    async with at_guide(server, tmp_path, "openclaw", size) as user:
        await user.press("space", "j", "space", "j", "space", "space")
        await user.until(lambda: user.sees("[x]  2"))
        assert not user.sees("[x]  3")
        await user.press("v")
        assert any("console" in notice for notice in user.notices())
    async with at_guide(server, tmp_path, "openclaw", size) as user:
        assert user.sees("[x]  1")
        await user.press("escape")
        await user.until(lambda: user.sees("2 of 6"))


@pytest.mark.parametrize("size", SIZES)
async def test_a_logon_free_url(server: SandboxServer, tmp_path: Path, size: tuple[int, int]) -> None:
    async with at_guide(server, tmp_path, "logon_free_url", size) as user:
        await go_to(user, "action0")
        await user.press("enter")
        await user.until(lambda: any("LoginUrl" in notice for notice in user.notices()))
        await write(user, "value0", ROLE)
        await write(user, "value4", "https://example.com/again")
        await go_to(user, "step0")
        await user.press("v")
        await user.until(lambda: "Signs as" in told(user))
        await go_to(user, "step2")
        server.set_faults("role-untrusted@AssumeRole")
        await user.press("v")
        await user.until(lambda: "request id" in told(user))
        assert not user.sees("[x]  3")
        server.set_faults()
        await user.press("enter")
        await user.until(lambda: user.sees("[x]  3"))
        await go_to(user, "action0")
        await user.press("enter")
        await until_screen(user, LogonFreeDialog)
        dialog = user.app.screen
        assert isinstance(dialog, LogonFreeDialog)
        url = dialog._made.url.reveal()
        assert not user.sees("SigninToken")
        await user.press("s")
        await user.until(lambda: user.sees("federation?Action=Login"))
        async with httpx.AsyncClient(trust_env=False) as browser:
            answer = await browser.get(url)
        assert answer.headers["location"] == "https://rdsnext.console.aliyun.com/"
        await user.press("escape")
        await until_screen(user, GuideScreen)
    token = parse_qs(urlsplit(url).query)["SigninToken"][0].encode()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if token in path.read_bytes()]


@pytest.mark.parametrize("size", SIZES)
async def test_a_bot_is_checked_and_its_env_written(
    server: SandboxServer, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with at_guide(server, tmp_path, "lark", size) as user:
        await go_to(user, "step6")
        for secret, found in (("typo", "does not take"), (BOT_SECRET, "沙箱机器人")):
            await user.press("v")
            await user.until(lambda: not isinstance(user.app.screen, GuideScreen))
            await user.press(*BOT_ID, "enter")
            await user.until(lambda: user.app.screen.query("#secret"))
            await user.press(*secret, "enter")
            await until_screen(user, GuideScreen)
            await user.until(lambda found=found: found in told(user))  # type: ignore[misc]
        await user.until(lambda: user.sees("[x]  7"))
        await go_to(user, "action0")
        await user.press("enter")
        await user.until(lambda: user.app.screen.query("#text"))
        await user.press(*"cli_a1", "enter")
        await user.until(lambda: user.app.screen.query("#secret"))
        await user.press(*"s3cret", "enter")
        await user.until(lambda: user.app.screen.query("#text"))
        await user.press("enter")
        await user.until(lambda: user.app.screen.query("#secret"))
        await user.press("enter")
        await user.until(lambda: user.app.screen.query("#text"))
        path = tmp_path / "bot.env"
        await user.press("ctrl+u", *str(path), "enter")
        await user.until(path.exists)
    assert "FEISHU_APP_SECRET=s3cret\n" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    others = [other for other in tmp_path.rglob("*") if other.is_file() and other != path]
    assert not [
        other for other in others if b"s3cret" in other.read_bytes() or BOT_SECRET.encode() in other.read_bytes()
    ]


@pytest.mark.parametrize("size", SIZES)
async def test_the_capacity_planner(server: SandboxServer, tmp_path: Path, size: tuple[int, int]) -> None:
    async with at_guide(server, tmp_path, "professional", size) as user:
        await go_to(user, "step1")
        await user.press("v")
        await user.until(lambda: user.sees("[x]  2"))
        await go_to(user, "action0")
        await user.press("enter")
        await until_screen(user, CapacityScreen)
        assert user.sees("8,109")
        await user.press("t")
        await user.until(lambda: user.app.screen.query("#text"))
        await user.press(*"16", "enter")
        await user.until(lambda: "16 questions at once: 2 packages." in told(user))
        await user.press("m", "m", "m")
        await user.until(lambda: user.sees("312,000"))
        await user.press("b")
        await user.until(lambda: user.app.screen.query("#text"))
        await user.press(*"9", "enter")
        await user.until(lambda: "more than is sold" in told(user))


@pytest.mark.parametrize("size", SIZES)
async def test_memories(server: SandboxServer, tmp_path: Path, size: tuple[int, int]) -> None:
    # The address of a project is a value of the guide; http is for this machine only.
    async with at_guide(server, tmp_path, "memory", size) as user:
        await write(user, "value0", server.info.url)
        await go_to(user, "step3")
        await user.press("v")
        await user.until(lambda: user.app.screen.query("#secret"))
        await user.press(*KEY, "enter")
        await user.until(lambda: user.sees("[x]  4"))
        await go_to(user, "action0")
        await user.press("enter")
        await until_screen_below(user)
        await user.press(*f"dba{size[0]}", "enter")
        await user.until(lambda: "Nothing is remembered" in told(user))
        for text in ("orders-main is rm-bp1k3", "backups run at two"):
            await user.press("a")
            await user.until(lambda: user.app.screen.query("#text"))
            await user.press(*text, "enter")
            await user.until(lambda text=text: user.sees(text))  # type: ignore[misc]
        await user.press("slash", *"backups", "enter")
        await user.until(lambda: not user.sees("orders-main"))
        await user.until(lambda: "fits 100 %" in told(user))
        await user.press("d")
        await user.until(lambda: not isinstance(user.app.screen, MemoriesScreen))
        await user.press("y")
        await user.until(lambda: "Nothing fits." in told(user))


async def until_screen_below(user: User) -> None:
    """The memories ask for the user at once, so a dialog is on top."""
    await user.until(lambda: isinstance(user.app.screen_stack[-2], MemoriesScreen))
    await user.until(lambda: user.app.screen.query("#text"))
