"""The file panel in the whole app: browse, check, upload, attach, analyse, download, delete, all by keys."""

from __future__ import annotations

import csv
import random
import threading
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import cast

import pytest

from screens.help import HelpScreen
from screens.uploads import UploadsScreen
from tests.screens.test_asks import asked, dms
from tests.screens.whole import User, using
from tests.turns.desk import control
from tui.models import ChartBlock, CodeBlock, FileBlock, TableBlock
from tui.sandbox.server import SandboxServer
from tui.services.dms_options import read_data
from tui.services.upload_checks import FileCheck, check_file
from tui.widgets.path_input import PathInput, complete_path

SIZES = [(120, 40), (80, 24)]


def panel(user: User) -> UploadsScreen:
    return cast("UploadsScreen", user.app.screen)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with files that may go and files that may not."""
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "orders.csv").write_text("week,shop,n\n2026-05-04,north,8\n2026-05-11,[/b]south,29\n", encoding="utf-8")
    (folder / "订单.csv").write_text("日期,金额\n2026-05-04,8\n", encoding="gb18030")
    (folder / "workbook.csv").write_bytes(b"PK\x03\x04 not text")
    (folder / "notes.txt").write_text("not taken", encoding="utf-8")
    (folder / "[red]\x1b[31m.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    return folder


@asynccontextmanager
async def browsing(
    server: SandboxServer, tmp_path: Path, data: Path, *, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[User]:
    """The panel, opened with `@` and taken to `data`."""
    async with using(server, tmp_path / "app", size=size, settings=dms()) as user:
        await user.press("at")
        await user.until(lambda: isinstance(user.app.screen, UploadsScreen) and user.app.screen.is_mounted)
        await user.press("p")
        panel(user).query_one(PathInput).value = str(data)
        await user.press("enter")
        await user.until(lambda: user.sees("orders.csv"))
        yield user


async def mark(user: User, name: str) -> None:
    """Put the cursor on a file and mark it."""
    tree = panel(user).browser
    for _step in range(20):
        if tree.here is not None and tree.here.name == name:
            break
        await user.press("j")
    await user.until(lambda: user.sees(f"{name}  "))  # the first rows, or what is wrong
    await user.press("space")
    assert any(path.name == name for path in tree.marked)


async def ready(user: User) -> None:
    await user.until(lambda: user.app.transfers.transfers and all(t.is_over for t in user.app.transfers.transfers))


@pytest.mark.parametrize("size", SIZES)
async def test_several_files_are_checked_sent_and_attached(
    server: SandboxServer, tmp_path: Path, data: Path, size: tuple[int, int]
) -> None:
    async with browsing(server, tmp_path, data, size=size) as user:
        assert not user.sees("notes.txt")
        await mark(user, "orders.csv")
        await mark(user, "订单.csv")
        await user.press("u")
        await ready(user)
        assert {t.step for t in user.app.transfers.transfers} == {"done"}
        await user.until(lambda: user.sees("attached: orders.csv, 订单.csv") or user.sees("attached: 订单.csv"))
        await user.press("escape")
        await user.until(lambda: user.app.screen is user.chat)
        sources = read_data(user.chat.options().get("data", ""))
        assert {source.name for source in sources} == {"orders.csv", "订单.csv"}
        state = control(server, "state")["dms"]
        assert {file["name"] for file in state["files"]} >= {"orders.csv", "订单.csv"}
        assert state["counts"].get("credentials leaked", 0) == 0


async def test_a_file_that_is_not_what_it_says_is_refused(server: SandboxServer, tmp_path: Path, data: Path) -> None:
    async with browsing(server, tmp_path, data) as user:
        await mark(user, "workbook.csv")
        await user.press("u")
        await user.until(lambda: user.notices())
        assert "not a CSV file" in " ".join(user.notices())
        assert not user.app.transfers.transfers
        assert not control(server, "state")["dms"]["forms"]


async def test_leaving_the_panel_does_not_stop_an_upload(server: SandboxServer, tmp_path: Path, data: Path) -> None:
    (data / "orders.csv").write_text("a,b\n" + "1,2\n" * 600_000, encoding="utf-8")
    control(server, "faults", {"set": ["slow-upload=1000000"]})
    async with browsing(server, tmp_path, data) as user:
        await mark(user, "orders.csv")
        await user.press("u")
        await user.until(lambda: any(t.step == "send" and t.done for t in user.app.transfers.transfers))
        await user.until(lambda: user.sees("/s"))
        await user.press("escape")
        await user.until(lambda: user.app.screen is user.chat)
        assert not read_data(user.chat.options().get("data", ""))
        await ready(user)
        await user.until(lambda: read_data(user.chat.options().get("data", "")))
        assert any("ready and attached" in notice for notice in user.notices())


@pytest.fixture
async def checks(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[threading.Event]:
    """Files are looked into while it is set. Async: the loop does not end before the threads that wait for it."""
    may_look = threading.Event()
    may_look.set()

    def check(path: Path) -> FileCheck:
        may_look.wait()
        return check_file(path)

    monkeypatch.setattr("screens.uploads.check_file", check)
    yield may_look
    may_look.set()


async def test_what_is_still_checked_when_the_panel_is_left_is_uploaded(
    server: SandboxServer, tmp_path: Path, data: Path, checks: threading.Event
) -> None:
    async with browsing(server, tmp_path, data) as user:
        await mark(user, "orders.csv")
        await mark(user, "订单.csv")
        checks.clear()
        await user.press("u", "escape")
        checks.set()
        await user.until(lambda: user.app.screen is user.chat)
        await ready(user)
        await user.until(lambda: len(read_data(user.chat.options().get("data", ""))) == 2)
        assert {file["name"] for file in control(server, "state")["dms"]["files"]} == {"orders.csv", "订单.csv"}


async def test_who_leaves_without_what_is_not_checked_is_told(
    server: SandboxServer, tmp_path: Path, data: Path, checks: threading.Event
) -> None:
    async with browsing(server, tmp_path, data) as user:
        await mark(user, "orders.csv")
        checks.clear()
        await user.press("u")
        await user.until(lambda: user.sees("attached: orders.csv (being checked)"))
        await user.press("escape")
        await user.until(lambda: any("Checking orders.csv" in notice for notice in user.notices()))
        assert user.app.screen is panel(user)
        await user.press("escape")
        await user.until(lambda: user.app.screen is user.chat)
        await user.until(lambda: "Not uploaded: orders.csv" in user.notices())
        checks.set()
        assert not user.app.transfers.transfers


async def test_the_end_of_the_checks_closes_nothing_that_stands_above_the_panel(
    server: SandboxServer, tmp_path: Path, data: Path, checks: threading.Event
) -> None:
    async with browsing(server, tmp_path, data) as user:
        files = panel(user)
        await mark(user, "orders.csv")
        checks.clear()
        await user.press("u", "escape", "question_mark")
        await user.until(lambda: isinstance(user.app.screen, HelpScreen))
        checks.set()
        await ready(user)
        await user.pilot.pause()
        assert isinstance(user.app.screen, HelpScreen)
        await user.press("escape")
        await user.until(lambda: user.app.screen is files)
        await user.press("escape")
        await user.until(lambda: user.app.screen is user.chat)
        assert len(read_data(user.chat.options().get("data", ""))) == 1


async def test_cancel_and_go_on(server: SandboxServer, tmp_path: Path, data: Path) -> None:
    (data / "orders.csv").write_text("a,b\n" + "1,2\n" * 600_000, encoding="utf-8")
    control(server, "faults", {"set": ["slow-upload=1000000"]})
    async with browsing(server, tmp_path, data) as user:
        await mark(user, "orders.csv")
        await user.press("u", "3")
        await user.until(lambda: any(t.step == "send" and t.done for t in user.app.transfers.transfers))
        await user.press("x")
        await user.until(lambda: user.app.transfers.transfers[0].step == "cancelled")
        control(server, "faults", {"set": []})
        await user.press("r")
        await ready(user)
        assert user.app.transfers.transfers[0].step == "done"
        assert len(control(server, "state")["dms"]["files"]) == 1
        await user.press("d")
        await user.until(lambda: not user.app.transfers.transfers)


async def test_a_registration_that_failed_is_taken_up_without_the_bytes(
    server: SandboxServer, tmp_path: Path, data: Path
) -> None:
    control(server, "faults", {"set": ["service-unavailable@FileUploadCallback"]})
    async with browsing(server, tmp_path, data) as user:
        await mark(user, "orders.csv")
        await user.press("u")
        await ready(user)
        [held] = user.app.transfers.transfers
        assert (held.step, held.failed_step) == ("failed", "register")
        assert user.sees("failed while registering")
        [note] = (tmp_path / "app" / "state" / "uploads").glob("*.toml")
        assert note.stat().st_mode & 0o777 == 0o600
        secret = server.info.access_key_secret
        assert secret not in note.read_text(encoding="utf-8")
    control(server, "faults", {"set": []})
    # The next start finishes it; the bytes are not sent again.
    async with using(server, tmp_path / "app", settings=dms()) as user:
        await user.until(lambda: user.app.transfers.transfers)
        await ready(user)
        assert user.app.transfers.transfers[0].step == "done"
        state = control(server, "state")["dms"]
        assert len(state["forms"]) == 1
        assert len(state["files"]) == 1
        assert not list((tmp_path / "app" / "state" / "uploads").glob("*.toml"))
        assert user.app.transfers.recent == [data]


@pytest.mark.parametrize("size", SIZES)
async def test_list_filter_detach_and_delete(
    server: SandboxServer, tmp_path: Path, data: Path, size: tuple[int, int]
) -> None:
    async with browsing(server, tmp_path, data, size=size) as user:
        await mark(user, "orders.csv")
        await mark(user, "订单.csv")
        await user.press("u")
        await ready(user)
        await user.press("2")
        await user.until(lambda: panel(user).remote.option_count == 2)
        await user.press("slash", *"orders", "enter")
        await user.until(lambda: panel(user).remote.option_count == 1)
        assert panel(user).focused is panel(user).remote
        await user.press("w")
        await ready(user)
        fetched = tmp_path / "app" / "downloads" / "orders.csv"
        assert fetched.read_bytes() == (data / "orders.csv").read_bytes()
        assert fetched.stat().st_mode & 0o777 == 0o600
        await user.press("space")  # no longer attached
        await user.until(lambda: not user.sees("attached: orders"))
        await user.press("d", "enter")  # Enter alone never approves
        assert len(control(server, "state")["dms"]["files"]) == 2
        await user.press("d", "y")
        await user.until(lambda: not panel(user).remote.option_count)
        assert [f["name"] for f in control(server, "state")["dms"]["files"]] == ["订单.csv"]


async def test_a_read_only_profile_deletes_no_file(server: SandboxServer, tmp_path: Path, data: Path) -> None:
    async with browsing(server, tmp_path, data) as user:
        user.app.context = user.app.context._replace(read_only=True)
        await mark(user, "orders.csv")
        await user.press("u")
        await ready(user)
        await user.press("2")
        await user.until(lambda: panel(user).remote.option_count == 1)
        await user.press("d")
        await user.until(lambda: any("read-only" in notice for notice in user.notices()))
        assert user.app.screen is panel(user)


async def test_names_are_text_and_the_filter_works(server: SandboxServer, tmp_path: Path, data: Path) -> None:
    async with browsing(server, tmp_path, data) as user:
        assert user.sees("[red]␛[31m.csv")
        await user.press("slash", *"orders", "enter")
        await user.until(lambda: not user.sees("[red]"))
        assert user.sees("orders.csv")


def test_paths_are_completed(data: Path) -> None:
    assert complete_path(f"{data}/or") == f"{data}/orders.csv"
    assert complete_path(f"{data}/s") == f"{data}/sub/"
    assert complete_path(f"{data}/notes") is None
    assert complete_path(f"{data}/nothing/x") is None


# --- an analysis of 100,000 rows --------------------------------------------------------------------------------


def write_orders(path: Path, rows: int = 100_000) -> tuple[dict[str, float], int]:
    """A table of orders; the amounts by region and the rows, calculated here."""
    chance = random.Random(7)
    totals: dict[str, float] = defaultdict(float)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["order_date", "region", "product", "amount"])
        for number in range(rows):
            day = date(2026, 1, 5) + timedelta(days=number % 140)
            region, amount = chance.choice(["north", "south", "east", "west", "中部"]), chance.randrange(100, 99_900)
            totals[region] += amount / 100
            writer.writerow([day.isoformat(), region, f"p{number % 12}", f"{amount / 100:.2f}"])
    return dict(totals), rows


@pytest.mark.parametrize("size", SIZES)
async def test_a_hundred_thousand_rows_from_upload_to_report(
    server: SandboxServer, tmp_path: Path, data: Path, size: tuple[int, int]
) -> None:
    totals, rows = write_orders(data / "orders.csv")
    async with browsing(server, tmp_path, data, size=size) as user:
        await mark(user, "orders.csv")
        await user.press("u")
        await ready(user)
        await user.until(lambda: user.sees("attached: orders.csv"))
        await user.press("escape")
        await user.until(lambda: user.app.screen is user.chat)
        await user.send("total amount by region")
        await asked(user, "plan")
        await user.until(lambda: user.chat.ask_panel.has_focus)
        await user.press("y")
        await asked(user, "sql")
        await user.press("a")
        await asked(user, "report")
        tables = [
            output.table
            for block in user.turn.blocks
            if isinstance(block, CodeBlock)
            for output in block.outputs
            if output.table is not None
        ]
        by_region = next(table for table in tables if is_by_region(table, totals))
        found = {row[0]: float(row[1]) for row in by_region.rows}
        assert found == pytest.approx(totals, abs=0.01)
        charts = [block for block in user.turn.blocks if isinstance(block, ChartBlock)]
        assert any(len(chart.data.rows) == len(totals) for chart in charts)
        assert any(f"{rows:,}" in text or str(rows) in text for text in texts_of(user))
        await user.press("y")
        await user.until(lambda: user.app.activity(user.chat.conversation_id) is None and user.turn.state == "done")
        await user.until(lambda: any("html" in str(block) for block in user.turn.blocks))
        # The report, by keys: the block that names it is a few blocks up from the end.
        name = next(b.name for b in reversed(user.turn.blocks) if isinstance(b, FileBlock) and b.name.endswith(".html"))
        await user.press("escape", "G")
        await user.until(lambda: user.transcript.settled)
        for _step in range(20):
            here = user.transcript._here()
            if here is not None and here[1].kind == "file" and name in here[1].source:
                break
            await user.press("K")
        await user.press("w")
        folder = tmp_path / "app" / "downloads"
        await user.until(lambda: any("Written to" in notice for notice in user.notices()))
        [path] = folder.glob("*")
        assert path.name.startswith("report")
        assert path.stat().st_mode & 0o777 == 0o600
        report = path.read_text(encoding="utf-8")
        assert f"{rows:,}" in report or str(rows) in report
        for amount in totals.values():
            assert f"{amount:.2f}".rstrip("0").rstrip(".") in report.replace(",", "")


def is_by_region(table: TableBlock, totals: dict[str, float]) -> bool:
    return {row[0] for row in table.rows} == {*totals}


def texts_of(user: User) -> list[str]:
    return [str(block) for block in user.turn.blocks]
