"""Pictures of the Data Agent's parts: files, plans, asks, tables and charts, at both sizes."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot

from screens.uploads import UploadsScreen
from tests.snapshots.test_pictures import SETTINGS, SIZES, Compare, StillApp, answered, chat_of, send, until
from tests.turns.desk import control
from tui.options import Options
from tui.sandbox.server import SandboxServer
from tui.services.dms_options import DataSource, write_data
from tui.services.upload_checks import check_file

REFUNDS = "按周看退款"
SHOPS = ("北京旗舰店", "上海", "深圳南山店")


class AnalysisApp(StillApp):
    """The app at one moment, but for the clock that the keys of an ask wait for."""

    clock = 1000.0

    def seconds(self) -> float:
        return self.clock


Act = Callable[[AnalysisApp, Pilot[int]], Awaitable[None]]
Picture = Callable[..., bool]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A table with Chinese headers, its amounts easily added up, and files that may not go."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [
        f"2026-{4 + day // 28:02}-{day % 28 + 1:02},{SHOPS[(day + shop) % 3]},"
        f"{'网页' if day % 2 else '手机'},{day * 3 + shop}.50"
        for day in range(84)
        for shop in range(3)
    ]
    (folder / "退款明细.csv").write_text("\n".join(["日期,门店,渠道,退款金额", *rows]), encoding="utf-8")
    (folder / "orders.csv").write_text("week,shop,n\n2026-05-04,north,8\n2026-05-11,south,29\n", encoding="utf-8")
    (folder / "workbook.csv").write_bytes(b"PK\x03\x04 not text")
    return folder


@pytest.fixture
def picture(server: SandboxServer, tmp_path: Path, snap_compare: Compare) -> Picture:
    """Take a picture of the app on the sandbox after `act`."""

    def take(size: tuple[int, int], act: Act, *, language: str = "en") -> bool:
        environ = {
            **os.environ,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": server.info.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": server.info.access_key_secret,
            "YUNLIAO_RDS_ENDPOINT": server.info.url,
            "YUNLIAO_DMS_ENDPOINT": server.info.url,
        }
        settings = replace(SETTINGS, service="dms", language=language)
        app = AnalysisApp(Options(data_dir=tmp_path / "app"), settings=settings, environ=environ)
        app.animation_level = "none"

        async def run_before(pilot: Pilot[int]) -> None:
            await until(pilot, lambda: app.ready and app.index_loaded)
            await act(app, pilot)
            context = type(app.context)(profile="ops", region="cn-hangzhou", environment="prod")
            for screen in app.screen_stack:
                for bar in screen.query("ContextBar"):
                    bar.context = context  # type: ignore[attr-defined]
            await pilot.pause()

        return snap_compare(app, terminal_size=size, run_before=run_before)

    return take


async def with_data(app: AnalysisApp, pilot: Pilot[int], path: Path) -> None:
    """Upload a file and have the new conversation work on it."""
    transfer = app.transfers.upload(check_file(path))
    await until(pilot, lambda: (held := app.transfers.get(transfer)) is not None and held.source)
    held = app.transfers.get(transfer)
    assert held is not None
    await chat_of(app).set_options({"data": write_data([cast("DataSource", held.source)])})


async def asks(app: AnalysisApp, pilot: Pilot[int], kind: str) -> None:
    """Wait until the agent asks for that and the keys are awake."""
    panel = chat_of(app).ask_panel
    await until(pilot, lambda: panel.display and panel.ask is not None and panel.ask.kind == kind)
    app.clock += 10
    await until(pilot, lambda: panel.awake and panel.has_focus and chat_of(app).transcript.settled)
    await pilot.pause(0.1)


async def analysed(app: AnalysisApp, pilot: Pilot[int], path: Path) -> None:
    """An analysis in which everything was agreed to but the report."""
    await with_data(app, pilot, path)
    await send(app, pilot, REFUNDS)
    await asks(app, pilot, "plan")
    await pilot.press("y")
    await asks(app, pilot, "sql")
    await pilot.press("a")
    await asks(app, pilot, "report")
    await answered(app, pilot)


async def to_kind(app: AnalysisApp, pilot: Pilot[int], kind: str, key: str = "K") -> None:
    """From block to block until the cursor is on one of that kind."""
    transcript = chat_of(app).transcript
    await until(pilot, lambda: transcript.settled)
    for _step in range(40):
        here = transcript._here()
        if here is not None and here[1].kind == kind:
            break
        await pilot.press(key)
    await until(pilot, lambda: transcript.settled)


@pytest.mark.parametrize("size", SIZES)
def test_files(picture: Picture, server: SandboxServer, data: Path, size: tuple[int, int]) -> None:
    """The panel: files here with the first rows of one, those on the service, one on its way that failed."""

    async def act(app: AnalysisApp, pilot: Pilot[int]) -> None:
        await with_data(app, pilot, data / "orders.csv")
        control(server, "faults", {"set": ["upload-limit=1000"]})
        app.transfers.upload(check_file(data / "退款明细.csv"))
        await until(pilot, lambda: app.transfers.transfers[-1].step == "failed")
        app.transfers.dismiss(app.transfers.transfers[0].id)
        await pilot.press("at")
        await until(pilot, lambda: isinstance(app.screen, UploadsScreen) and app.screen.is_mounted)
        panel = cast("UploadsScreen", app.screen)
        panel.browser.path = data
        await until(pilot, lambda: len(panel.browser.root.children) == 3)
        await pilot.press("j", "space", "j")
        await until(pilot, lambda: panel.remote.option_count == 1 and "退款明细" in str(panel.preview.render()))
        at = app.now() - timedelta(hours=3)
        panel.remote.files = [replace(file, created_at=at, link_until=None) for file in panel.remote.files]
        panel.action_pane("here")
        panel.remote.show({}, app.now())
        await pilot.pause()

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_plan(picture: Picture, data: Path, size: tuple[int, int]) -> None:
    """The plan as a checklist, and the keys that answer it."""

    async def act(app: AnalysisApp, pilot: Pilot[int]) -> None:
        await with_data(app, pilot, data / "退款明细.csv")
        await send(app, pilot, REFUNDS)
        await asks(app, pilot, "plan")

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_statement(picture: Picture, data: Path, size: tuple[int, int]) -> None:
    """A statement with its colours and its estimate, in Chinese."""

    async def act(app: AnalysisApp, pilot: Pilot[int]) -> None:
        await with_data(app, pilot, data / "退款明细.csv")
        await send(app, pilot, REFUNDS)
        await asks(app, pilot, "plan")
        await pilot.press("y")
        await asks(app, pilot, "sql")

    assert picture(size, act, language="zh")


@pytest.mark.parametrize("size", SIZES)
def test_question(picture: Picture, size: tuple[int, int]) -> None:
    """A question is answered in the composer."""

    async def act(app: AnalysisApp, pilot: Pilot[int]) -> None:
        await send(app, pilot, "ask")
        chat = chat_of(app)
        await until(pilot, lambda: chat.ask_panel.display)
        app.clock += 10
        await until(pilot, lambda: chat.answer_prompt and chat.transcript.settled)

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_analysis(picture: Picture, data: Path, size: tuple[int, int]) -> None:
    """Tables with Chinese headers that line up, and a chart."""

    async def act(app: AnalysisApp, pilot: Pilot[int]) -> None:
        await analysed(app, pilot, data / "退款明细.csv")
        await pilot.press("r")
        await answered(app, pilot)
        await until(pilot, lambda: not chat_of(app).ask_panel.display)
        await pilot.press("escape", "g")
        await to_kind(app, pilot, "chart", "J")  # from above: below stand the files, whose ids are never the same

    assert picture(size, act)


@pytest.mark.parametrize("size", SIZES)
def test_wide_table(picture: Picture, size: tuple[int, int]) -> None:
    """A table that is wider than the screen keeps its first column and says where it stands."""

    async def act(app: AnalysisApp, pilot: Pilot[int]) -> None:
        await send(app, pilot, "table 12")
        await answered(app, pilot)
        await pilot.press("escape", "G")
        await to_kind(app, pilot, "table")
        await pilot.press("l", "l")
        await until(pilot, lambda: chat_of(app).transcript.settled)

    assert picture(size, act)
