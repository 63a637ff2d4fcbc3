"""Pictures of whole screens. Few on purpose: what can be said in words is asserted elsewhere."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot

from screens.chat import ChatScreen
from tests.turns.desk import control
from tui.app import YunliaoApp
from tui.options import Options
from tui.sandbox.server import SandboxServer
from tui.settings import Settings
from tui.widgets.context_bar import ContextBar
from tui.widgets.conversation_list import ConversationList

SIZES = [(120, 40), (80, 24)]
SETTINGS = Settings(theme="dark", language="en", timezone="UTC", notify="off")
LAG = "why did replication lag rise on rm-bp1k3?"
LONG = "主库上有没有长事务？"

Compare = Callable[..., bool]
Act = Callable[[YunliaoApp, Pilot[int]], Awaitable[None]]


class StillApp(YunliaoApp):
    """The app at one moment: clocks that stand still."""

    def now(self) -> datetime:
        return datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def seconds(self) -> float:
        return 1000.0


async def until(pilot: Pilot[int], ready: Callable[[], object]) -> None:
    for _ in range(1000):
        if ready():
            await pilot.pause()
            return
        await pilot.pause(0.02)
    raise AssertionError("the expected state was never reached")


def chat_of(app: YunliaoApp) -> ChatScreen:
    return cast("ChatScreen", app.screen_stack[0])


async def send(app: YunliaoApp, pilot: Pilot[int], text: str) -> None:
    chat = chat_of(app)
    chat.composer.insert(text)
    await pilot.press("enter")
    await until(
        pilot, lambda: chat.conversation_id and chat.transcript.turns and chat.transcript.turns[-1].question == text
    )


async def answered(app: YunliaoApp, pilot: Pilot[int]) -> None:
    chat = chat_of(app)
    await until(pilot, lambda: app.activity(chat.conversation_id) is None)
    await until(pilot, lambda: chat.transcript.turns[-1].finished_at is not None and chat.transcript.settled)


@pytest.fixture
def picture(server: SandboxServer, tmp_path: Path, snap_compare: Compare) -> Callable[..., bool]:
    """Take a picture of the app on the sandbox after `act`."""

    def take(size: tuple[int, int], act: Act | None = None, *, endpoint: str = "") -> bool:
        environ = {
            **os.environ,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": server.info.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": server.info.access_key_secret,
            "YUNLIAO_RDS_ENDPOINT": endpoint or server.info.url,
        }
        app = StillApp(Options(data_dir=tmp_path), settings=SETTINGS, environ=environ)
        app.animation_level = "none"

        async def run_before(pilot: Pilot[int]) -> None:
            await until(pilot, lambda: app.ready and app.index_loaded)
            if act is not None:
                await act(app, pilot)
            # Whose key it is differs from machine to machine; that it is shown is tested elsewhere.
            context = type(app.context)(profile="ops", region="cn-hangzhou", environment="prod")
            for screen in app.screen_stack:
                for bar in screen.query(ContextBar):
                    bar.context = context
            await pilot.pause()

        return snap_compare(app, terminal_size=size, run_before=run_before)

    return take


@pytest.mark.parametrize("size", SIZES)
def test_empty(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """A new conversation: says what to do; PROD at the right end; the list beside it only where there is room."""
    assert picture(size)


@pytest.mark.parametrize("size", SIZES)
def test_streaming(picture: Callable[..., bool], server: SandboxServer, size: tuple[int, int]) -> None:
    """In mid-answer: tool calls folded to a line, the text so far, the status line says that it is answering."""
    control(server, "faults", {"once": ["hold=60"]})

    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        await send(app, pilot, LAG)
        await until(pilot, lambda: control(server, "state")["holding"])
        chat = chat_of(app)

        def all_is_drawn() -> bool:
            held = app.conversation(chat.conversation_id)
            if held is None or len(held.turns[-1].answer) <= 50:
                return False
            return [*chat.transcript.turns] == [*held.turns] and chat.transcript.settled

        await until(pilot, all_is_drawn)

    assert picture(size, act)
    control(server, "release", {})


@pytest.mark.parametrize("size", SIZES)
def test_finished(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """Two answers, the second in Chinese with a table: columns line up, code has its rule and number."""

    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        for question in (LAG, LONG):
            await send(app, pilot, question)
            await answered(app, pilot)
        await until(pilot, lambda: chat_of(app).transcript.settled)

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_failed(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """Nobody listens at the endpoint: one sentence where it happened, what to try, the question in the composer."""

    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        await send(app, pilot, LAG)
        await answered(app, pilot)
        await until(pilot, lambda: chat_of(app).composer.text == LAG)

    assert picture(size, act, endpoint="http://127.0.0.1:9")


@pytest.mark.parametrize("size", SIZES)
def test_list(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """Several conversations, one pinned, the list with the focus; at 80 columns it has the screen to itself."""

    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        for question in (LAG, LONG, "how full is the disk?"):
            await pilot.press("f8")
            await send(app, pilot, question)
            await answered(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: app.focused is chat_of(app).transcript)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.focused, ConversationList))
        shown = cast("ConversationList", app.focused)
        # The lines are as they will be before the cursor moves among them.
        await until(pilot, lambda: len(shown.items) == 3 and all(item.state == "done" for item in shown.items))
        await pilot.press("j")
        await pilot.press("p")
        await until(pilot, lambda: shown.items[0].pinned and all(item.state == "done" for item in shown.items))

    assert picture(size, act)
