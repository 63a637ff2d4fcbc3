"""Random walks through the app itself, on its sandbox: what the terminal shows is what was meant, frame by frame."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from textual.message_pump import MessagePump
from textual.timer import Timer

from tests.pty.test_proof import EACH_OFF, FULL
from tests.recording import LONGER, RecordingDriver, assert_as_textual, driver_of, recording, tally
from tests.screens.whole import User
from tests.turns.desk import control
from tui.app import YunliaoApp
from tui.changes import Change
from tui.integrations.guides import guides
from tui.models import AskBlock, AskCall
from tui.options import Options
from tui.routes import ROUTES
from tui.sandbox.server import SandboxServer
from tui.settings import Settings
from tui.terminal.capabilities import Capabilities, StatusReport
from tui.terminal.flow import SLOW_ROUND_TRIP

STEPS = 9 * LONGER

SCREENS = (
    *("help", "settings", "conversations", "search", "uploads", "agents", "assistants", "health", "key_test"),
    *("integrations", "capacity", "memories"),
)
QUESTIONS = ("bench 1", "table 12", "hostile", "echo 主从延迟 👩‍👩‍👧 é 한국어", "code", "chart")
THEMES = ("dark", "light", "terminal")

ROWS = [("name", "replica lag 主从延迟"), ("rows", "4,100,000")]
ASK = AskBlock("tool_outputs", "r1", calls=(AskCall("c1", "tide", '{"port": "Ningbo"}'),))
WITH: dict[str, dict[str, object]] = {
    "export": {"conversation_ids": []},
    "session": {"options": {}},
    "rds_session": {"options": {}},
    "assistant_session": {"options": {}},
    "tool_outputs": {"ask": ASK, "schemas": {}, "given": {}},
    "guide": {"guide": guides()[0]},
    "confirm": {"title": "Delete it?", "lines": ["It cannot be undone."], "verb": "delete"},
    "typed_confirm": {"title": "Delete it?", "lines": [], "verb": "delete", "expected": "prod"},
    "text": {"title": "Rename", "value": "replica lag"},
    "choose": {"title": "Copy", "choices": ROWS},
    "details": {"rows": ROWS},
    "picture": {"data": "", "name": "chart.png"},
    "changes": {"title": "Save?", "changes": [Change("name", "tide", "tides")], "verb": "save"},
}
"""What the screens that show one thing are given."""


@asynccontextmanager
async def walker(
    server: SandboxServer, folder: Path, capabilities: Capabilities, size: tuple[int, int], **settings: str
) -> AsyncIterator[User]:
    """The app on an emulator of that size, with a terminal that can do what `capabilities` says."""
    environ = {
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": server.info.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": server.info.access_key_secret,
        "YUNLIAO_RDS_ENDPOINT": server.info.url,
        "YUNLIAO_DMS_ENDPOINT": server.info.url,
    }
    app = YunliaoApp(Options(data_dir=folder), settings=Settings(**settings), environ={**os.environ, **environ})  # type: ignore[arg-type]
    app.capabilities = capabilities
    app.animation_level = "none"
    recording(app)
    async with app.run_test(headless=False, size=size, notifications=True) as pilot:
        user = User(app, pilot)
        await user.until(lambda: app.index_loaded and app.ready)
        yield user


async def settle(user: User) -> None:
    """Until nothing runs and the terminal shows everything."""
    app = user.app

    def at_rest() -> bool:
        painter = app._painter
        return (
            painter is not None
            and painter.valid
            and not painter.pending
            and not app.screen._dirty_widgets
            and not app.screen._layout_required
            # Between asking to be painted and the screen's hearing of it; an answer may come meanwhile.
            and not any(widget._repaint_required for widget in app.screen._compositor.visible_widgets)
            and user.transcript.settled
        )

    for _calm in range(2):
        await user.pilot.pause()
        try:
            await user.until(at_rest)
        except AssertionError:
            painter = app._painter
            raise AssertionError(
                f"never at rest: valid {painter and painter.valid}, pending {painter and painter.pending}, "
                f"dirty {app.screen._dirty_widgets}, layout {app.screen._layout_required}, "
                f"settled {user.transcript.settled}, waiting {app.flow.waiting}, {app.screen}"
            ) from None


async def step(user: User, driver: RecordingDriver, chance: random.Random) -> None:
    app = user.app
    action = chance.choice(
        ("ask", "ask", "keys", "keys", "type", "screen", "palette", "list", "size", "theme", "suspend", "toast")
    )
    if action == "ask":
        user.chat.composer.focus()
        await user.type(chance.choice(QUESTIONS))
        await user.press("enter")
        # Whatever is done next is done while the answer comes.
    elif action == "keys":
        await user.press("escape", *chance.choices(("j", "k", "J", "K", "g", "G", "a", "v", "space", "pageup"), k=4))
    elif action == "type":
        user.chat.composer.focus()
        await user.press(*chance.choices("ab c索引🚀", k=5), chance.choice(("backspace", "ctrl+j", "ctrl+u", "left")))
    elif action == "screen":
        app.navigate(chance.choice(SCREENS))
        await settle(user)
        assert_as_textual(app)
        await user.press(*chance.choices(("down", "tab", "end", "up"), k=3))
        await settle(user)
        assert_as_textual(app)
    elif action == "palette":
        await user.press("ctrl+p", "t", "h")
        await settle(user)
        assert_as_textual(app)
    elif action == "list":
        await user.press("f9")
    elif action == "size":
        driver.resize(chance.choice((80, 100, 120, 133)), chance.choice((24, 31, 40)))
    elif action == "theme":
        app.theme = chance.choice(THEMES)
    elif action == "suspend":
        driver.suspend()
    else:
        app.notify("已复制 1.2 KB", timeout=chance.choice((0.01, 5)))
    if len(app.screen_stack) > 1 and action in ("screen", "palette"):
        while len(app.screen_stack) > 1:
            app.pop_screen()
        await user.pilot.pause()


@pytest.mark.parametrize("name", EACH_OFF)
async def test_walks_of_the_app(server: SandboxServer, tmp_path: Path, name: str) -> None:
    chance = random.Random(name)
    control(server, "pace", {"pace": 400})
    size = (80, 24) if name in ("linux", "no-bce") else (120, 40)
    bandwidth = "low" if name == "no-repeat" else "full"
    async with walker(server, tmp_path, EACH_OFF[name], size, bandwidth=bandwidth) as user:
        driver = driver_of(user.app)
        await settle(user)
        compared = assert_as_textual(user.app)
        for _step in range(STEPS):
            await step(user, driver, chance)
            await settle(user)
            compared += assert_as_textual(user.app)
        await user.until(lambda: user.app.activity(user.chat.conversation_id) is None)
        await settle(user)
        compared += assert_as_textual(user.app)
        assert not user.app.plain, "the painter gave up"
        tally(f"app, {name}", compared + driver.cells, STEPS * 8000)


async def test_a_letter_is_one_small_frame(server: SandboxServer, tmp_path: Path) -> None:
    async with walker(server, tmp_path, FULL, (120, 40)) as user:
        await settle(user)
        await user.press("x")
        await settle(user)
        for letter in "why is":
            before, frames = driver_of(user.app).bytes, driver_of(user.app).frames
            await user.press("space" if letter == " " else letter)
            await settle(user)
            assert driver_of(user.app).bytes - before <= 4
            assert driver_of(user.app).frames == frames + 1
        assert_as_textual(user.app)


@pytest.mark.parametrize("screen", ROUTES)
async def test_idle_sends_nothing(
    server: SandboxServer, tmp_path: Path, screen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with walker(server, tmp_path, FULL, (120, 40)) as user:
        app = user.app
        if screen != "chat":
            app.navigate(screen, **WITH.get(screen, {}))
        else:
            await user.ask("echo done")
        await settle(user)
        driver = driver_of(app)
        before = driver.bytes
        # A minute goes by: on the app's clocks, for every timer that Textual has, and for those of the loop.
        now, seconds = app.now(), app.seconds()
        monkeypatch.setattr(app, "now", lambda: now + timedelta(seconds=60))
        monkeypatch.setattr(app, "seconds", lambda: seconds + 60)
        nodes: list[MessagePump] = [app, *app.screen_stack, *app.screen.walk_children()]
        for node in nodes:
            active: list[Timer] = [timer for timer in node._timers if timer._active.is_set()]
            for timer in active:
                if timer is not app.screen._update_timer:
                    await timer._tick(next_timer=0, count=60)
        await asyncio.sleep(0.3)
        await settle(user)
        assert driver.bytes == before
        if screen == "chat":
            await user.press("x")
            await user.until(lambda: user.sees(" 1m"))


async def test_a_slow_line_is_found_out_and_said_once(server: SandboxServer, tmp_path: Path) -> None:
    async with walker(server, tmp_path, FULL, (120, 40), bandwidth="auto", theme="dark") as user:
        app = user.app
        await settle(user)
        assert user.chat.list_pane.display
        assert not app.low_bandwidth
        app.flow.round_trip = app.flow.last_round_trip = 2 * SLOW_ROUND_TRIP
        app.terminal_reply(StatusReport(), 0)
        for _answer in range(3):
            app.flow.asked()
            app.terminal_reply(StatusReport(), app.seconds() + 2 * SLOW_ROUND_TRIP)
        await user.until(lambda: not user.chat.list_pane.display)
        assert app.theme == "terminal"
        assert user.transcript.stride > 1
        assert not user.chat.status.clock
        app.line_changed()
        assert sum("slow" in notice for notice in user.notices()) == 1
        await app.save_settings({"bandwidth": "full"})
        await user.until(lambda: user.chat.list_pane.display)
        assert app.theme == "dark"


async def test_what_was_measured_is_in_the_palette(server: SandboxServer, tmp_path: Path) -> None:
    async with walker(server, tmp_path, FULL, (120, 40)) as user:
        await user.ask("echo " + "long " * 100)
        await settle(user)
        figures = dict(user.app.measured())
        assert int(figures["frames"]) > 1
        assert 0 < float(figures["bytes written for a byte of an answer"]) < 20
        await user.press("ctrl+p", *"figures")
        await user.until(lambda: user.sees("Figures of the terminal"))
        await user.press("enter")
        await user.until(lambda: user.sees("Terminal and line") and user.sees("bytes written"))
