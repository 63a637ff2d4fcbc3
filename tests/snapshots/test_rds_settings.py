"""Pictures of what an RDS conversation has of its own: settings, commands, an approval round, a health report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from textual.pilot import Pilot

from screens.health import HealthScreen
from screens.rds_session import RdsSessionScreen
from tests.snapshots.test_pictures import SIZES, StillApp, chat_of, picture, send, until
from tests.turns.desk import control
from tui.app import YunliaoApp
from tui.sandbox.server import SandboxServer
from tui.services.rds_reports import Inspection, Schedule

__all__ = ["picture"]

Picture = Callable[..., bool]
BEGINS, ENDS = datetime(2026, 11, 19, 4, tzinfo=UTC), datetime(2026, 11, 20, 4, tzinfo=UTC)


@pytest.mark.parametrize("size", SIZES)
def test_settings(picture: Picture, size: tuple[int, int]) -> None:
    """One line a setting; what cannot be changed is dim and says why."""

    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        await chat_of(app).set_options({"model": "glm-sandbox", "thinking": "true", "approval": "manual"})
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, RdsSessionScreen) and app.copilot.known_models)
        await until(pilot, lambda: "no depth" in app.screen._row("effort").plain)  # type: ignore[attr-defined]
        await pilot.press("j")

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_commands(picture: Picture, size: tuple[int, int]) -> None:
    """What matches, best first, hits marked; a skill beside the commands; the keys in the status line."""

    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        await app.copilot.skills()
        await pilot.press("slash", "s", "e")
        await until(pilot, lambda: chat_of(app).lists_commands)

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_approval(picture: Picture, server: SandboxServer, size: tuple[int, int]) -> None:
    """Calls with their arguments, one decided; where the others are decided; no key approves."""

    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        chat = chat_of(app)
        await chat.set_options({"approval": "manual"})
        await send(app, pilot, "approve 2")
        await until(pilot, lambda: chat.ask_panel.display and chat.ask_panel.ask)
        ask = chat.ask_panel.ask
        assert ask is not None
        decision = {"call_id": ask.calls[0].call_id, "decision": "approved"}
        control(server, f"approvals/{ask.ask_id}", decision)
        app.copilot.approvals.look_now(chat.conversation_id)
        await until(pilot, lambda: chat.ask_panel.ask and chat.ask_panel.ask.calls[0].status == "approved")
        app.clear_notifications()

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_health(picture: Picture, server: SandboxServer, size: tuple[int, int]) -> None:
    """Reports and schedules, the levels of each instance, the text of one with its table."""

    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        assert isinstance(app, StillApp)
        order = Inspection(("rm-sandbox01", "rm-sandbox02", "pgm-sandbox03"), (), BEGINS, ENDS, "cn-hangzhou", "en-US")
        task = await app.health.inspect(order)
        await until(pilot, lambda: task not in app.health.followed)
        await app.health.save_schedule(
            Schedule(name="nightly", days=("Monday", "Friday"), instances=("rm-sandbox01",), region="cn-hangzhou")
        )
        app.clear_notifications()
        app.navigate("health")
        await until(pilot, lambda: isinstance(app.screen, HealthScreen))
        screen = app.screen
        assert isinstance(screen, HealthScreen)
        await until(pilot, lambda: screen.report_list.option_count)
        # Made on the sandbox's clock, which does not stand still.
        entry = app.health._entries[task]
        app.health._entries[task] = type(entry)(task, "SUCCESS", ENDS, BEGINS, ENDS, (), "cn-hangzhou", "en-US")
        screen.show_lists()
        await pilot.press("enter")
        await until(pilot, lambda: screen.instance_list.option_count == 3)
        await pilot.press("enter")
        await until(pilot, lambda: screen.focused is screen.transcript)
        await until(pilot, lambda: screen.transcript.settled)

    assert picture(size, act)
