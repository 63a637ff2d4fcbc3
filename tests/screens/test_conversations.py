"""The conversation list on its screen, as somebody with a keyboard sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from screens.conversations import ConversationsScreen
from tests.screens.host import NOW, Host, summary
from tui.models import ConversationSummary
from tui.settings import Settings
from tui.widgets.conversation_line import paint
from tui.widgets.conversation_list import SLICE, ConversationList
from tui.widgets.conversation_rows import TitleFilter

FEW = (
    summary(0, "failover runbook", pinned=True, ago=timedelta(days=40)),
    summary(1, "lag on rm-bp1k3", ago=timedelta(minutes=2), state="running"),
    summary(2, "refunds by week", ago=timedelta(minutes=14), state="waiting", service="dms", unread=True),
    summary(3, "主库上有没有长事务？", ago=timedelta(hours=1), service="dashscope"),
    summary(4, "disk at 91 %", ago=timedelta(days=1)),
    summary(5, "monthly GMV", ago=timedelta(days=1, hours=2), service="dms", state="failed"),
)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """The app's clock stands at `NOW` until it is set."""
    shown = [NOW]
    monkeypatch.setattr(Host, "now", lambda _self: shown[0])

    def set_to(now: datetime) -> None:
        shown[0] = now

    return set_to


def host(conversations: Sequence[ConversationSummary] = FEW, *, current: str = "", **arguments: Any) -> Host:
    return Host(conversations=conversations, screen=lambda: ConversationsScreen(current), **arguments)


def lines(app: Host) -> list[str]:
    """What is on screen, without the blanks at the ends of lines."""
    return ["".join(segment.text for segment in strip).rstrip() for strip in app.screen._compositor.render_strips()]


def under_cursor(app: Host) -> str:
    selected = app.screen.query_one(ConversationList).selected
    return selected.id if selected else ""


async def settle(pilot: Pilot[Any]) -> None:
    """Until keys, searches and the repaint after them are through; dialogs may stay open."""
    await pilot.pause()
    for worker in [worker for worker in pilot.app.workers if worker.group == "filter"]:
        await worker.wait()
    await pilot.pause()


async def test_what_is_shown() -> None:
    app = host()
    async with app.run_test(size=(60, 16)):
        shown = lines(app)
    assert shown[1:] == [
        " / filter",
        "",
        " Pinned",
        " R   failover runbook                                    5w",
        "",
        " Today",
        " R ● lag on rm-bp1k3                                     2m",
        " D ? refunds by week                                    14m",
        " A   主库上有没有长事务？                                1h",
        "",
        " Yesterday",
        " R   disk at 91 %                                        1d",
        " D ! monthly GMV                                         1d",
        "",
        " Enter open   n new   / filter   s search   ? more",
    ]


async def test_ascii_marks() -> None:
    app = host(settings=Settings(ascii=True), current="c1")
    async with app.run_test(size=(60, 16)):
        body = lines(app)[1:-1]
    assert body[6].startswith(">R * lag")
    assert "".join(line for line in body if "主" not in line).isascii()


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", "c0"),
        ("j", "c1"),
        ("j down j k", "c2"),
        ("up", "c0"),
        ("G", "c5"),
        ("end g", "c0"),
        ("G home", "c0"),
        ("G j", "c5"),
        ("pagedown", "c5"),
        ("G pageup", "c0"),
        ("ctrl+d", "c5"),
        ("G ctrl+u", "c0"),
    ],
)
async def test_moving(keys: str, expected: str) -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*keys.split())
        await settle(pilot)
        assert under_cursor(app) == expected


async def test_the_cursor_begins_on_the_conversation_that_is_shown() -> None:
    app = host(current="c4")
    async with app.run_test(size=(80, 24)):
        assert under_cursor(app) == "c4"


async def test_the_cursor_stays_on_its_conversation_when_the_order_changes() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "j")
        app.change("c4", updated_at=NOW)
        await settle(pilot)
        assert under_cursor(app) == "c2"
        assert [line[3:20] for line in lines(app)[7:9]] == ["  disk at 91 %  "[:17].ljust(17), "● lag on rm-bp1k3"]


async def test_opening_and_new() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "enter", "j", "l", "n")
        await settle(pilot)
        assert app.done == [("show", "c1"), ("show", "c2"), ("show", "")]


async def test_filter_as_you_type() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"ON")
        await settle(pilot)
        titles = [line for line in lines(app)[2:-1] if line.startswith((" R", " D", " A"))]
        assert [title[5:].split("  ")[0] for title in titles] == ["lag on rm-bp1k3", "monthly GMV"]
        await pilot.press("down", "enter")  # the arrows move the cursor while typing; Enter goes to the hits
        await settle(pilot)
        assert isinstance(app.focused, ConversationList)
        assert (under_cursor(app), app.done) == ("c5", [])
        assert lines(app)[1].startswith(" / ON")
        await pilot.press("escape")
        await settle(pilot)
        assert (under_cursor(app), lines(app)[1]) == ("c5", " / filter")


async def test_enter_opens_a_single_hit() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"长事务", "enter")
        await settle(pilot)
        assert app.done == [("show", "c3")]


async def test_escape_leaves_the_filter_and_then_the_screen() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(ConversationsScreen())
        await pilot.pause()
        await pilot.press("slash", "x", "escape")
        await settle(pilot)
        assert app.screen.query_one(Input).value == ""
        assert len(app.screen_stack) == 2
        await pilot.press("escape")
        await settle(pilot)
        assert len(app.screen_stack) == 1
        await pilot.press("escape")  # never quits
        await settle(pilot)
        assert app.is_running


async def test_by_service() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await settle(pilot)
        assert [line[1] for line in lines(app)[2:-1] if line[1:2] in tuple("RDA")] == ["D", "D"]
        assert lines(app)[1].endswith("Data Agent")
        await pilot.press("0")
        await settle(pilot)
        assert any(line.startswith(" R") for line in lines(app))


@pytest.mark.parametrize(
    ("conversations", "loaded", "keys", "expected"),
    [
        ((), True, "r d enter p space c", ["No conversations yet.", "", "n begins one."]),
        ((), False, "", ["Loading …"]),
        (FEW, True, "slash z z z enter r d p space", ["Nothing matches “zzz”.", "", "Esc shows all."]),
        (FEW[:2], True, "3", ["No conversations with DashScope.", "", "0 shows all."]),
    ],
)
async def test_words_in_place_of_rows(
    conversations: Sequence[ConversationSummary], loaded: bool, keys: str, expected: list[str]
) -> None:
    app = host(conversations)
    app.loaded = loaded
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*keys.split(), "r", "d", "enter", "p", "space") if not keys else await pilot.press(
            *keys.split()
        )
        await settle(pilot)
        assert [line.strip() for line in lines(app)[3 : 3 + len(expected)]] == expected
        assert app.done == []


async def test_rename() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "r", "end", *" 2", "enter")
        await settle(pilot)
        assert app.done == [("rename", "c1", "lag on rm-bp1k3 2")]
        await pilot.press("r", "enter")  # unchanged
        await settle(pilot)
        assert len(app.done) == 1


async def test_delete_says_what_goes_where_and_cancel_has_the_focus() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "d")
        await pilot.pause()
        shown = "\n".join(lines(app))
        for words in (
            "Delete “lag on rm-bp1k3”?",
            "trash",
            "30 days",
            "RDS Copilot: keeps its copy;",
            "1 still running",
        ):
            assert words in shown
        await pilot.press("enter")
        await settle(pilot)
        assert app.done == []
        await pilot.press("d", "y")
        await settle(pilot)
        assert app.done == [("delete", "c1")]
        assert under_cursor(app) == "c2"  # the neighbour, not the top
        await pilot.press("z")
        await settle(pilot)
        assert app.done[-1] == ("undo",)


async def test_several_are_deleted_by_typing_their_count() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "space", "space", "space", "k", "space")  # c1 and c2 stay marked
        await settle(pilot)
        assert "2 marked" in lines(app)[1]
        await pilot.press("d", "y", "enter")
        await settle(pilot)
        assert app.done == []
        await pilot.press("backspace", "2", "enter")
        await settle(pilot)
        assert app.done == [("delete", "c1", "c2")]
        assert "marked" not in lines(app)[1]


async def test_pin_and_copy() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "p")
        await settle(pilot)
        assert under_cursor(app) == "c1"
        await pilot.press("p", "c")
        await settle(pilot)
        assert app.done == [("pin", "c1", True), ("pin", "c1", False), ("copy", "remote-1", "conversation id")]


async def test_live_states_and_unread() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.change("c1", state="done", unread=True)
        await settle(pilot)
        assert lines(app)[7].startswith(" R   lag")
        strip = app.screen._compositor.render_strips()[7]
        assert any("lag" in segment.text and segment.style and segment.style.bold for segment in strip)


async def test_ages_are_painted_only_when_they_change(clock: Callable[[datetime], None]) -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        conversations = app.screen.query_one(ConversationList)
        painted: list[object] = []
        conversations.refresh = lambda *regions, **_options: painted.append(regions) or conversations  # type: ignore[method-assign, func-returns-value]
        clock(NOW + timedelta(seconds=20))
        conversations._minute()
        assert painted == []
        clock(NOW + timedelta(seconds=60))
        conversations._minute()
        assert len(painted) == 1


async def test_midnight_moves_the_groups(clock: Callable[[datetime], None]) -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        clock(NOW + timedelta(hours=12))
        app.screen.query_one(ConversationList)._minute()
        await settle(pilot)
        assert [line.strip() for line in lines(app) if line.strip() in ("Today", "Yesterday")] == ["Yesterday"]


async def test_hostile_titles() -> None:
    app = host([summary(1, "[/] [red]x \x1b]52;c;QQ==\x07 \u202e\n\x9bJ"), summary(2, "x" * 2_000_000)])
    async with app.run_test(size=(40, 12)):
        shown = lines(app)
        assert "[/] [red]x" in shown[4]
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set("".join(shown))


def many(count: int) -> list[ConversationSummary]:
    return [summary(n, f"slow query {n} 慢查询", ago=timedelta(hours=n)) for n in range(count)]


async def test_ten_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the lines in view are painted, and a search looks at the keyboard every thousand titles."""
    app = host(many(10_000))
    async with app.run_test(size=(80, 24)) as pilot:
        painted: list[str] = []

        def counted(item: ConversationSummary, *arguments: Any, **options: Any) -> Any:
            painted.append(item.id)
            return paint(item, *arguments, **options)

        monkeypatch.setattr("tui.widgets.conversation_list.paint", counted)
        await pilot.press("G")
        await settle(pilot)
        assert under_cursor(app) == "c9999"
        assert "10000/10000" in lines(app)[1]
        assert 0 < len(painted) <= 24 * 2
        painted.clear()
        await pilot.press("k")
        await settle(pilot)
        assert 0 < len(painted) <= 4  # the two lines, no more

        searched, longest = 0, 0
        matches = TitleFilter.matches

        def counting(found: TitleFilter, title: str) -> bool:
            nonlocal searched
            searched += 1
            return matches(found, title)

        async def other_work() -> None:
            nonlocal searched, longest
            while True:
                longest, searched = max(longest, searched), 0
                await asyncio.sleep(0)

        monkeypatch.setattr(TitleFilter, "matches", counting)
        beside = asyncio.create_task(other_work())
        app.screen.query_one(Input).value = "999"
        await settle(pilot)
        beside.cancel()
        assert 0 < longest <= SLICE
        assert {item.id for item in app.screen.query_one(ConversationList)._rows.items} == {
            f"c{n}" for n in range(10_000) if "999" in str(n)
        }


async def test_a_search_ends_when_its_filter_is_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    app = host(many(20_000))
    async with app.run_test(size=(80, 24)) as pilot:
        shown = app.screen.query_one(ConversationList)
        field = app.screen.query_one(Input)
        matches = TitleFilter.matches

        def clearing(found: TitleFilter, title: str) -> bool:
            if field.value:
                field.value = ""
            return matches(found, title)

        monkeypatch.setattr(TitleFilter, "matches", clearing)
        field.value = "432"
        await settle(pilot)
        assert len(shown._rows.items) == 20_000


async def test_a_narrower_filter_wins() -> None:
    app = host(many(5000))
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.query_one(Input).value = "432"
        app.screen.query_one(Input).value = "4321"
        await settle(pilot)
        assert [item.id for item in app.screen.query_one(ConversationList)._rows.items] == ["c4321"]


async def test_a_change_while_filtered_keeps_the_filter() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"lag", "enter")
        await settle(pilot)
        app.change("c4", title="another lag")
        await settle(pilot)
        assert [item.id for item in app.screen.query_one(ConversationList)._rows.items] == ["c1", "c4"]


async def test_many_changes_are_one_reading() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        reads = 0
        summaries = app.summaries

        def counted() -> Sequence[ConversationSummary]:
            nonlocal reads
            reads += 1
            return summaries()

        app.summaries = counted  # type: ignore[method-assign]
        started = time.monotonic()
        for number in range(50):
            app.change("c1", title=f"title {number}")
        await settle(pilot)
        assert reads < 10, f"{reads} readings in {time.monotonic() - started:.1f} s"
        assert "title 49" in "\n".join(lines(app))


async def test_one_line_is_painted_for_one_conversation_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.change("c1", state="done")
        await settle(pilot)
        painted: list[str] = []

        def counted(item: ConversationSummary, *arguments: Any, **options: Any) -> Any:
            painted.append(item.id)
            return paint(item, *arguments, **options)

        monkeypatch.setattr("tui.widgets.conversation_list.paint", counted)
        app.change("c4", title="disk at 92 %")
        await settle(pilot)
        assert painted == ["c4"]


CHANGES: dict[str, Callable[[Host], None]] = {
    "a title": lambda app: app.change("c4", title="disk at 92 %"),
    "a state": lambda app: app.change("c1", state="done", unread=True),
    "a pin": lambda app: app.change("c5", pinned=True),
    "its time": lambda app: app.change("c4", updated_at=NOW),
    "archived": lambda app: app.change("c2", archived=True),
    "the current one": lambda app: setattr(app.screen.query_one(ConversationList), "current", "c3"),
    "nothing": lambda app: app.change("c1"),
}


@pytest.mark.parametrize("keys", ["j", "space", "m", "slash,d,enter", "2"])
async def test_what_changed_is_painted(keys: str) -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        for name in CHANGES:
            await pilot.press(*keys.split(","))
            CHANGES["nothing"](app)  # from here on it is known what is painted
            await settle(pilot)
            CHANGES[name](app)
            await settle(pilot)
            shown = app.screen._compositor.render_strips()
            app.screen.query_one(ConversationList).refresh()
            await settle(pilot)
            assert app.screen._compositor.render_strips() == shown, name
