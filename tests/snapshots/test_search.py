"""Pictures of the search and of an export."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from screens.export import ExportScreen
from screens.search import SearchScreen
from tests.snapshots.test_pictures import LAG, LONG, SIZES, Compare, answered, picture, send, until
from tui.app import YunliaoApp
from tui.widgets.search_hits import SearchHits

__all__ = ["picture"]


async def two(app: YunliaoApp, pilot: Pilot[int]) -> None:
    for text in (LAG, LONG):
        await pilot.press("f8")
        await send(app, pilot, text)
        await answered(app, pilot)


@pytest.mark.parametrize("size", SIZES)
def test_hits(picture: Compare, size: tuple[int, int]) -> None:
    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        await two(app, pilot)
        await pilot.press("escape", "S")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen))
        app.screen.query_one("#typed", Input).value = "rm- 事务"
        hits = app.screen.query_one(SearchHits)
        await until(pilot, lambda: len(hits.rows.hits) == 1 and app.search.progress is None)
        app.screen.query_one("#typed", Input).value = "rm-"
        await until(pilot, lambda: len(hits.rows.hits) == 2)
        await pilot.press("tab", "j")

    assert picture(size, act)


def test_nothing_typed_yet(picture: Compare) -> None:
    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        await pilot.press("escape", "S")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen))

    assert picture(SIZES[1], act)


@pytest.mark.parametrize("size", SIZES)
def test_export(picture: Compare, size: tuple[int, int]) -> None:
    async def act(app: YunliaoApp, pilot: Pilot[int]) -> None:
        await send(app, pilot, LAG)
        await answered(app, pilot)
        await pilot.press("escape", "E")
        await until(pilot, lambda: isinstance(app.screen, ExportScreen) and app.screen._exported is not None)
        # The ids that stand in it are other ones in every run.
        app.screen.query_one("#preview").display = False

    assert picture(size, act)
