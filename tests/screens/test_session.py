"""A Data Agent conversation's settings, by keys, and what the service is told of them; tables and pictures out."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

import pytest

from screens.picking import PickDialog
from tests.screens.test_asks import dms
from tests.screens.whole import User, using
from tui.models import CodeBlock
from tui.sandbox.dms_state import DataAgents
from tui.sandbox.server import SandboxServer
from tui.services.dms_options import DataSource, read_data, write_data

NO_ASKS = {"skip": "plan,sql,question,report"}


async def settings_open(user: User) -> None:
    await user.press("f7")
    await user.until(lambda: user.sees("How the Data Agent shall work"))


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_settings_reach_the_service(server: SandboxServer, tmp_path: Path, size: tuple[int, int]) -> None:
    async with using(server, tmp_path, size=size, settings=dms()) as user:
        await settings_open(user)
        await user.press("enter", "1")  # mode: ask data
        await user.until(lambda: user.sees("a quick answer"))
        await user.press("j", "enter", "2")  # plan: none
        await user.until(lambda: user.sees("no plan"))
        await user.press("j", "j", "j", "enter")
        await user.until(lambda: user.sees("Weekly sales review"))
        await user.press("2")
        await user.until(lambda: user.sees("Weekly sales review") and not user.sees("ca-sandbox-weekly"))
        await user.press("j", "enter")
        await user.until(lambda: isinstance(user.app.screen, PickDialog))
        await user.press("j", "space", "enter")  # statements are not asked about
        await user.until(lambda: user.sees("do not ask about    SQL statements"))
        await user.press("w")
        await user.until(lambda: user.app.screen is user.chat)
        assert user.sees("agent: Weekly sales review")
        await user.ask("orders by week")
        agents = server._world.parts["dms"]
        assert isinstance(agents, DataAgents)
        [session] = agents.sessions.values()
        assert session.config["Mode"] == "ASK_DATA"
        assert session.config["PlanMode"] == "disable"
        assert session.config["SkipSqlConfirm"] is True
        assert session.config["CustomAgentId"] == "ca-sandbox-weekly"
        assert user.conversation.options["mode"] == "ASK_DATA"


async def test_esc_changes_nothing(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=dms()) as user:
        await settings_open(user)
        await user.press("enter", "1")
        await user.until(lambda: user.sees("a quick answer"))
        await user.press("escape")
        await user.until(lambda: user.app.screen is user.chat)
        assert not user.chat.options()


async def test_a_database_by_its_ids(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=dms()) as user:
        await settings_open(user)
        await user.press("G", "enter")
        for title, text in (
            ("instance id", "1234"),
            ("database id", "77"),
            ("its name", "orders_dw"),
            ("Tables", "a, b"),
        ):
            await user.until(partial(user.sees, title))
            await user.press(*text.replace(" ", ""), "enter")
        await user.until(lambda: user.sees("orders_dw"))
        await user.press("w")
        await user.until(lambda: user.app.screen is user.chat)
        [source] = read_data(user.chat.options()["data"])
        assert (source.instance_id, source.database_id, source.name) == ("1234", "77", "orders_dw")
        assert source.tables == ("a", "b")


async def test_enter_on_the_files_takes_off_only_what_is_unmarked(server: SandboxServer, tmp_path: Path) -> None:
    files = [DataSource(file_id=f"f-{number}", name=f"{name}.csv") for number, name in enumerate(("orders", "shops"))]
    base = DataSource(instance_id="1", database_id="7", name="dw")
    async with using(server, tmp_path, settings=dms()) as user:
        user.chat.new_options["dms"] = {"data": write_data([*files, base])}
        await settings_open(user)
        await user.press("G", "k", "enter")
        await user.until(lambda: isinstance(user.app.screen, PickDialog))
        await user.press("enter")  # as it is
        await user.until(lambda: user.sees("orders.csv, shops.csv"))
        await user.press("enter")
        await user.until(lambda: isinstance(user.app.screen, PickDialog))
        await user.press("space", "enter")
        await user.until(lambda: not user.sees("orders.csv"))
        await user.press("w")
        await user.until(lambda: user.app.screen is user.chat)
        assert read_data(user.chat.options()["data"]) == (files[1], base)


async def test_what_a_session_began_with_stays(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=dms()) as user:
        await user.ask("echo one")
        await settings_open(user)
        await user.press("enter")
        assert any("has begun" in notice for notice in user.notices())
        await user.press("escape")


async def test_tables_and_pictures_are_written(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=dms()) as user:
        user.chat.new_options["dms"] = dict(NO_ASKS)
        turn = await user.ask("refunds by week")
        assert turn.state == "done"
        downloads = tmp_path / "downloads"
        await user.press("escape", "g")
        cells = [block for block in turn.blocks if isinstance(block, CodeBlock)]
        # From block to block until the cursor is on a table, then on the cell with the picture.
        await to_unit(user, "table")
        await user.press("x", "4")
        await user.until(lambda: list(downloads.glob("*.csv")))
        [path] = downloads.glob("*.csv")
        rows = [*csv.reader(path.read_text(encoding="utf-8").splitlines())]
        tables = [output.table for cell in cells for output in cell.outputs if output.table]
        assert any(rows == [list(table.columns), *map(list, table.rows)] for table in tables)
        picture = next(output.image for cell in cells for output in cell.outputs if output.image)
        await to_unit(user, "code", picture)
        await user.press("w")
        await user.until(lambda: list(downloads.glob("*.png")))
        [path] = downloads.glob("*.png")
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_mode & 0o777 == 0o600


async def to_unit(user: User, kind: str, picture: str = "") -> None:
    for _step in range(80):
        here = user.transcript._here()
        if here is not None and here[1].kind == kind:
            block = here[0].blocks[here[1].section]
            images = [output.image for output in block.outputs] if isinstance(block, CodeBlock) else []
            if not picture or picture in images:
                return
        await user.press("J")
    raise AssertionError(f"no {kind} was met")


async def test_an_expired_session_is_begun_anew_with_one_key(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=dms()) as user:
        user.chat.new_options["dms"] = {"mode": "ASK_DATA"}
        await user.ask("echo one")
        assert user.sees("agent ready until")
        first = user.chat.conversation_id
        server.advance(7 * 3600)
        turn = await user.ask("echo two")
        assert turn.state == "failed"
        await user.until(lambda: user.sees("session expired"))
        assert user.conversation.turns[0].answer == "one"  # what was received stays
        await user.press("escape", "r")
        await user.until(lambda: user.chat.conversation_id == "")
        assert user.chat.options() == {"mode": "ASK_DATA"}
        assert user.chat.composer.text == "echo two"
        await user.press("enter")
        await user.until(lambda: user.chat.conversation_id and user.turn.state == "done")
        assert user.turn.answer == "two"
        assert user.chat.conversation_id != first


async def test_beginning_anew_keeps_what_waits_for_a_new_conversation(server: SandboxServer, tmp_path: Path) -> None:
    shops, base = DataSource(file_id="f-1", name="shops.csv"), DataSource(instance_id="1", database_id="7", name="dw")
    async with using(server, tmp_path, settings=dms()) as user:
        user.chat.new_options["dms"] = {"mode": "ASK_DATA", "data": write_data([base])}
        await user.ask("echo one")
        server.advance(7 * 3600)
        assert (await user.ask("echo two")).state == "failed"
        user.chat.action_new("dms")
        await user.type("half a thought")
        await user.chat.set_options({"data": write_data([shops])})
        expired = user.app.summaries()[0].id
        user.app.show_conversation(expired)
        await user.until(lambda: user.chat.conversation_id == expired and not user.chat.is_opening)
        await user.press("escape", "r")
        await user.until(lambda: user.chat.conversation_id == "")
        assert user.chat.composer.text == "echo two\n\nhalf a thought"
        assert user.chat.options()["mode"] == "ASK_DATA"
        assert read_data(user.chat.options()["data"]) == (base, shops)
        assert user.app.draft_of_new("dms") == "echo two\n\nhalf a thought"
