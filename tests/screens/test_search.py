"""The search screen, as somebody with a keyboard sees it: typing, choosing, filters, the way into the conversation."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from screens.search import SearchScreen
from tests.screens.whole import User, using
from tui.sandbox.server import SandboxServer
from tui.widgets.search_hits import SearchHits
from tui.widgets.transcript import Transcript

LAG = "why did replication lag rise on rm-bp1k3?"
LONG = "主库上有没有长事务？"


async def filled(user: User) -> None:
    """Two conversations, the Chinese one the newer."""
    await user.ask(LAG)
    await user.press("f8")
    await user.ask(LONG)


async def search(user: User, text: str = "") -> SearchScreen:
    await user.press("escape", "S")
    await user.until(lambda: isinstance(user.app.screen, SearchScreen))
    screen = user.app.screen
    assert isinstance(screen, SearchScreen)
    await put(user, text)
    return screen


async def put(user: User, text: str) -> None:
    screen = user.app.screen
    assert isinstance(screen, SearchScreen)
    screen.query_one("#typed", Input).value = text
    await user.pilot.pause()
    await user.until(lambda: not [w for w in screen.workers if w.group == "search" and not w.is_finished])
    await user.pilot.pause()


def hits(user: User) -> list[str]:
    return [hit.snippet for hit in user.app.screen.query_one(SearchHits).rows.hits]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_hit_opens_at_its_place(server: SandboxServer, tmp_path: Path, size: tuple[int, int]) -> None:
    async with using(server, tmp_path, size=size) as user:
        await filled(user)
        lag = next(summary.id for summary in user.app.summaries() if "lag" in summary.title)
        await search(user, "straight line")
        assert user.sees("one hit") or user.sees("hit")
        assert user.sees("straight line")
        await user.press("enter")
        await user.until(lambda: user.chat.conversation_id == lag and user.sees("1 of 1"))
        assert isinstance(user.app.focused, Transcript)
        assert user.sees("straight line")


async def test_typing_finds_and_the_arrows_choose(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await filled(user)
        await search(user)
        assert user.sees("Type what was said")
        await user.press(*"SELECT")
        await user.until(lambda: len(hits(user)) == 1)
        await put(user, "事务")
        assert len(hits(user)) == 1
        assert user.sees("R 主库上有没有长事务？") or user.sees("主库")
        await put(user, "rm-")
        assert len(hits(user)) == 2
        first = user.app.screen.query_one(SearchHits).selected
        await user.press("down")
        second = user.app.screen.query_one(SearchHits).selected
        assert first is not None
        assert second is not None
        assert first.conversation_id != second.conversation_id
        assert isinstance(user.app.focused, Input)
        await user.press("enter")
        await user.until(lambda: user.chat.conversation_id == second.conversation_id)


async def test_filters_by_service_tag_and_date_are_words_of_the_line(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await filled(user)
        screen = await search(user, "rm-")
        typed = screen.query_one("#typed", Input)
        await user.press("tab")
        await user.press("2")
        await user.until(lambda: typed.value == "rm- service:dms" and hits(user) == [])
        assert user.sees("Data Agent")
        assert user.sees("Nothing was found.")
        await user.press("0", "d")
        await user.until(lambda: typed.value == "rm- since:today" and len(hits(user)) == 2)
        for span in ("since:7d", "since:30d", "since:1y", ""):
            await user.press("d")
            await user.until(lambda span=span: typed.value == f"rm- {span}".strip())  # type: ignore[misc]
        await user.press("t")
        await user.until(lambda: user.sees("#rm-bp1k3"))
        await user.press("2")
        await user.until(lambda: typed.value in ("rm- #rm-bp1k3", "rm- #rm-sandbox01"))
        await user.until(lambda: len(hits(user)) == 1)
        await user.press("slash")
        assert user.app.focused is typed


async def test_what_is_no_filter_is_told(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await filled(user)
        await search(user, "lag since:yester")
        assert user.sees("“since:yester” is no filter")
        assert len(hits(user)) == 1


async def test_the_search_is_where_it_was_left(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await filled(user)
        await search(user, "rm-")
        await user.press("down", "enter")
        chosen = user.app.search.chosen
        await user.until(lambda: user.chat.conversation_id == chosen[0])
        await user.press("S")
        await user.until(lambda: isinstance(user.app.screen, SearchScreen) and len(hits(user)) == 2)
        selected = user.app.screen.query_one(SearchHits).selected
        assert selected is not None
        assert (selected.conversation_id, selected.turn_id) == chosen
        await user.press("escape")
        assert user.app.screen is user.chat


async def test_from_the_list(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, size=(80, 24)) as user:
        await filled(user)
        await user.press("escape", "escape")
        await user.until(lambda: user.sees("s search"))
        await user.press("s")
        await user.until(lambda: isinstance(user.app.screen, SearchScreen))
        await user.press("escape", "escape")
        await user.until(lambda: user.app.screen is user.chat)


async def test_brackets_and_controls_are_text(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.ask("what is [/b] [red]x[/red] \x1b[31m in t[0]?")
        await search(user, "[red]x[/red]")
        assert len(hits(user)) == 1
        assert user.sees("[red]x[/red] ␛[31m in t[0]?")


async def test_the_index_is_made_anew_after_it_was_deleted(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await filled(user)
        await search(user, "replication")
        index = tmp_path / "state" / "search.db"
        await user.until(index.exists)
        await user.until(lambda: not user.app.search._updating)
        await user.press("escape")
        for path in index.parent.glob("search.db*"):
            path.unlink()
        await search(user, "replicatio")
        assert len(hits(user)) == 1
        await user.until(index.exists)
        await user.until(lambda: not user.app.search._updating)
        assert user.app.search.without_index == ""
