"""Pictures of the agents' screen at both sizes."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot

from screens.agents import AgentsScreen
from tests.snapshots.test_pictures import SETTINGS, SIZES, Compare, StillApp, until
from tests.turns.desk import services_of
from tui.options import Options
from tui.sandbox.server import SandboxServer
from tui.services.rds import RdsCopilot
from tui.services.rds_agents import AgentForm, RdsAgent, RdsAgents
from tui.widgets.pickers import Picker

Act = Callable[[StillApp, Pilot[int]], Awaitable[None]]
PROMPT = """You watch the RDS instances of the order system.

Look at [describe_db_instances] first, then at slow SQL.
回答请用中文，先给结论，再给依据。"""
FORMS = [
    AgentForm("copilot-agent", PROMPT, True, ("describe_db_instances", "kill_session"), ("skill-sandbox-1",)),
    AgentForm("容量巡检", "每天早上检查磁盘。"),
    AgentForm("schema reviewer", "Review schemas."),
]
NOON = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def picture(
    server: SandboxServer, tmp_path: Path, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., bool]:
    """Take a picture of the screen after `act`; ids and times are always the same."""
    get, list_all = RdsAgents.get, RdsAgents.list

    def still(agent: RdsAgent) -> RdsAgent:
        return replace(agent, created_at=NOON, updated_at=NOON)

    async def still_get(self: RdsAgents, agent_id: str) -> RdsAgent:
        return still(await get(self, agent_id))

    async def still_list(self: RdsAgents) -> tuple[RdsAgent, ...]:
        return tuple(still(agent) for agent in await list_all(self))

    monkeypatch.setattr(RdsAgents, "get", still_get)
    monkeypatch.setattr(RdsAgents, "list", still_list)
    ids = iter(range(1000))
    monkeypatch.setattr("tui.sandbox.rds_agents.new_id", lambda: f"00000000-0000-4000-8000-{next(ids):012}")

    def take(size: tuple[int, int], act: Act) -> bool:
        environ = {
            **os.environ,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": server.info.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": server.info.access_key_secret,
            "YUNLIAO_RDS_ENDPOINT": server.info.url,
            "YUNLIAO_DMS_ENDPOINT": server.info.url,
        }
        app = StillApp(Options(data_dir=tmp_path), settings=SETTINGS, environ=environ)
        app.animation_level = "none"

        async def run_before(pilot: Pilot[int]) -> None:
            await until(pilot, lambda: app.ready and app.index_loaded)
            services = services_of(server)
            for form in FORMS:
                await cast("RdsCopilot", await services.get("rds")).agents.create(form)
            await services.aclose()
            app.navigate("agents")
            await until(pilot, lambda: isinstance(app.screen, AgentsScreen) and app.screen.loaded)
            await until(pilot, lambda: app.agents.known_skills)
            app.context = type(app.context)(profile="ops", region="cn-hangzhou", environment="prod")
            app.context_changed.publish(app.context)
            await act(app, pilot)
            await pilot.pause()

        return snap_compare(app, terminal_size=size, run_before=run_before)

    return take


@pytest.mark.parametrize("size", SIZES)
def test_list(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """Both services, their marks and states; where there is room the prompt of the one under the cursor."""

    async def act(app: StillApp, pilot: Pilot[int]) -> None:
        await pilot.pause()

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_form_with_changes(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """A changed prompt and tools: `~` at both, in the list too, and the footer says what will be sent."""

    async def act(app: StillApp, pilot: Pilot[int]) -> None:
        key = cast("AgentsScreen", app.screen).key
        app.agents.change(key, "tools", ("describe_db_instances",))
        app.agents.change(key, "system_prompt", PROMPT + "\nNever restart anything.")
        await pilot.press("enter")
        await pilot.pause()

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_tools(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """The picker: what is chosen is marked, what writes stands out, the highlighted one is described."""

    async def act(app: StillApp, pilot: Pilot[int]) -> None:
        await pilot.press("enter", "g", "j", "j", "enter")
        await until(pilot, lambda: app.screen.query(Picker))
        await pilot.press("G")

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_trying_out(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """The scratch conversation: beside the form where there is room, else on its own."""

    async def act(app: StillApp, pilot: Pilot[int]) -> None:
        screen = cast("AgentsScreen", app.screen)
        await pilot.press("t")
        await until(pilot, lambda: screen.conversation_id and app.focused is screen.composer)
        await pilot.press(*"disk", "enter")
        await until(pilot, lambda: screen.transcript.turns and screen.transcript.turns[-1].final)
        await until(pilot, lambda: screen.transcript.settled)

    assert picture(size, act)
