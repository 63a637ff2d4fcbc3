"""Pictures of the assistant manager: list and form, schema errors, what a save changes, outputs of functions."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from screens.function_editor import FunctionEditor
from screens.tool_outputs import ToolOutputsScreen
from tests.services.dashscope_calls import dashscope_of
from tests.snapshots.test_pictures import SETTINGS, SIZES, Compare, StillApp, chat_of, until
from tui.assistants.arguments import TEMPLATES
from tui.assistants.drafts import Draft
from tui.models import AskBlock, AskCall
from tui.options import Options
from tui.sandbox.server import SandboxServer
from tui.services.assistant_models import AssistantChange, AssistantProfile, BuiltinTool, FunctionTool
from tui.widgets.context_bar import ContextBar

Act = Callable[[StillApp, Pilot[int]], object]

ADD = FunctionTool("big_add", TEMPLATES[0].description, TEMPLATES[0].parameters)
PROFILE = AssistantProfile(
    "profile_7f3k9qzp",
    "qwen3.7-plus",
    "对账助手 reconciler",
    "compares the ledgers of two systems",
    "You compare ledgers.\n先给结论，再给依据。\nNever guess an amount.",
    (BuiltinTool("web_search"), ADD),
    {"team": "dba"},
    0.2,
)
BROKEN = """{
  "type": "object",
  "properties": {
    "left": {"type": "int"},
    "右": {"minimum": "0"}
  },
  "required": ["rihgt"]
}"""
CALLS = AskBlock(
    "tool_outputs",
    "ask-1",
    "",
    (
        AskCall("", "big_add", '{"left": 87787, "right": 788988737}'),
        AskCall("", "find_orders", '{"text": "退款", "state": "refnded"}'),
    ),
)


async def _fill(server: SandboxServer) -> None:
    service = dashscope_of(server)
    for name, model in (("schema reviewer", "qwen-max"), ("adder", "qwen-plus")):
        await service.assistants.create(AssistantChange(model=model, name=name))
    await service.aclose()


@pytest.fixture
def picture(server: SandboxServer, tmp_path: Path, snap_compare: Compare) -> Callable[..., bool]:
    """Take a picture after `act`, over two assistants on the service and a profile here."""

    def take(size: tuple[int, int], act: Callable[[StillApp, Pilot[int]], object]) -> bool:
        asyncio.run(_fill(server))
        environ = {
            **os.environ,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": server.info.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": server.info.access_key_secret,
            "YUNLIAO_RDS_ENDPOINT": server.info.url,
            "DASHSCOPE_API_KEY": server.info.dashscope["api_key"],
            "YUNLIAO_DASHSCOPE_BASE_URL": server.info.url,
        }
        app = StillApp(Options(data_dir=tmp_path), settings=SETTINGS, environ=environ)
        app.animation_level = "none"

        async def run_before(pilot: Pilot[int]) -> None:
            await until(pilot, lambda: app.ready and app.index_loaded)
            app.assistants.store.put_profile(PROFILE)
            found = act(app, pilot)
            assert asyncio.iscoroutine(found)
            await found
            # Whose key it is differs from machine to machine.
            context = type(app.context)(profile="ops", region="cn-beijing", environment="prod")
            for screen in app.screen_stack:
                for bar in screen.query(ContextBar):
                    bar.context = context
            await pilot.pause()

        return snap_compare(app, terminal_size=size, run_before=run_before)

    return take


async def _opened(app: StillApp, pilot: Pilot[int]) -> None:
    chat_of(app)
    app.navigate("assistants")
    await until(pilot, lambda: app.assistants.loaded and not app.assistants.loading)
    await pilot.press("G")


@pytest.mark.parametrize("size", SIZES)
def test_list(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """Server and local side by side; at 80 columns the list alone."""
    assert picture(size, _opened)


@pytest.mark.parametrize("size", SIZES)
def test_form(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """Two changed fields, marked; what Save writes; the value under the cursor in full."""

    async def act(app: StillApp, pilot: Pilot[int]) -> None:
        await _opened(app, pilot)
        app.assistants.edit(Draft(PROFILE.id, PROFILE, PROFILE), temperature=None, model="qwen3.7-max")
        await pilot.press("l", "j", "j", "j")
        await pilot.pause()

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_changes(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """What a save changes: short values in a line, a long text line by line."""

    async def act(app: StillApp, pilot: Pilot[int]) -> None:
        await _opened(app, pilot)
        text = PROFILE.instructions.replace("先给结论", "先给出结论")
        app.assistants.edit(Draft(PROFILE.id, PROFILE, PROFILE), temperature=0.7, instructions=text, description="")
        await pilot.press("l", "w")
        await until(pilot, lambda: type(app.screen).__name__ == "ChangesDialog")

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_schema_errors(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """Errors by line and column below, the form of the arguments beside."""

    async def act(app: StillApp, pilot: Pilot[int]) -> None:
        screen = FunctionEditor(ADD)
        app.push_screen(screen)
        await pilot.pause()
        screen.schema.area.load_text(BROKEN)
        await until(pilot, lambda: screen.issues.option_count == 3)
        await pilot.press("f3")

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_outputs(picture: Callable[..., bool], size: tuple[int, int]) -> None:
    """Two calls, one answered; the other's arguments break its schema."""

    async def act(app: StillApp, pilot: Pilot[int]) -> None:
        schemas = {"big_add": TEMPLATES[0].parameters, "find_orders": TEMPLATES[1].parameters}
        app.push_screen(ToolOutputsScreen(CALLS, schemas, {0: "789076524"}))
        await pilot.pause()
        await pilot.press("j")
        await until(pilot, lambda: app.screen._notes.get(1))  # type: ignore[attr-defined]
        await pilot.pause()

    assert picture(size, act)
