"""Pictures of the checklists and of what can be made from them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.snapshots.test_pictures import SIZES, picture, until
from tui.app import YunliaoApp
from tui.sandbox.memories import KEY
from tui.sandbox.server import SandboxServer
from tui.services.keys import Secret
from tui.widgets.choices import Choices

__all__ = ["picture"]


async def open_guide(app: YunliaoApp, pilot: Pilot[int], guide: str) -> None:
    app.navigate("integrations")
    await until(pilot, lambda: app.screen.query(Choices))
    choices = app.screen.query_one(Choices)
    await pilot.press(*"j" * choices.get_option_index(guide), "enter")
    await until(pilot, lambda: app.screen.query("#summary"))


@pytest.mark.parametrize("size", SIZES)
def test_systems(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """One line each, how far it is, what it is for."""

    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        await open_guide(app, pilot, "openclaw")
        await pilot.press("space", "j", "space", "escape")
        await until(pilot, lambda: app.screen.query(Choices) and not app.screen.query("#summary"))

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_checklist(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """Steps with ticks, values with what is allowed, what can be made, questions; the whole text of the line below."""

    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        await open_guide(app, pilot, "logon_free_url")
        await pilot.press("j", "space", "j")

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_capacity(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """The line that carries what is needed is chosen; the price is that of the duration."""

    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        app.navigate("capacity")
        await until(pilot, lambda: app.screen.query("#table"))
        await pilot.press("m", "t")
        await until(pilot, lambda: app.screen.query("#text"))
        await pilot.press(*"31", "enter")
        await until(pilot, lambda: app.screen.query("#table"))

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_memories(picture: Callable[..., bool], server: SandboxServer, size: tuple[int, int]) -> None:
    """What is remembered, Chinese too; the whole text of the line below. Ids and times differ and are not shown."""

    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        desk = app.integrations
        desk.memory_key = Secret(KEY)
        await desk.set_value("memory", "memory_url", server.info.url)
        project = await desk.memories()
        user = f"picture{size[0]}"
        if not await project.list(user):
            for text in ("备份窗口是凌晨两点", "orders-main is rm-bp1k3"):
                await project.add(user, text)
        await project.aclose()
        app.navigate("memories")
        await until(pilot, lambda: app.screen.query("#text"))
        await pilot.press(*user, "enter")
        await until(pilot, lambda: app.screen.query(Choices) and app.screen.query_one(Choices).option_count == 2)
        app.screen.query_one("#search", Input).focus()
        await pilot.press(*"main")
        app.screen.query_one("#help").visible = False

    assert picture(size, act)
