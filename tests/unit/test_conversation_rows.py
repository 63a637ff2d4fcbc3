"""Groups, rows, ages and the filter of the conversation list; lines cut by cells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from tests.screens.host import NOW, summary
from tui.models import TurnState
from tui.widgets.conversation_line import ASCII, LOOKS, UNICODE, Signs, fit, paint, state_sign
from tui.widgets.conversation_rows import Rows, TitleFilter, relative_time

PLAIN = dict.fromkeys(LOOKS, Style.null())


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=-90), "now"),
        (timedelta(seconds=59), "now"),
        (timedelta(seconds=60), "1m"),
        (timedelta(minutes=59, seconds=59), "59m"),
        (timedelta(hours=1), "1h"),
        (timedelta(hours=23, minutes=59), "23h"),
        (timedelta(days=1), "1d"),
        (timedelta(days=6, hours=23), "6d"),
        (timedelta(days=7), "1w"),
        (timedelta(days=364), "52w"),
        (timedelta(days=365), "1y"),
        (timedelta(days=3650), "10y"),
    ],
)
def test_ages(ago: timedelta, text: str) -> None:
    assert relative_time(NOW - ago, NOW) == text


def headings(rows: Rows) -> list[str]:
    return [entry for row in range(rows.height) if isinstance(entry := rows.at(row), str) and entry]


def test_groups_by_age() -> None:
    items = [
        summary(0, ago=timedelta(days=90), pinned=True),
        summary(1, ago=timedelta(minutes=-5)),  # a clock that is ahead
        summary(2, ago=timedelta(hours=12)),  # midnight sharp: today
        summary(3, ago=timedelta(hours=12, seconds=1)),
        summary(4, ago=timedelta(days=4)),  # Monday noon
        summary(5, ago=timedelta(days=5)),  # Sunday
        summary(6, ago=timedelta(days=19, hours=12)),  # the first of the month, midnight
        summary(7, ago=timedelta(days=19, hours=13)),
        summary(8, ago=timedelta(days=400)),
    ]
    rows = Rows(items, NOW)
    assert [rows.at(row) for row in range(rows.height)] == [
        "Pinned", 0, "", "Today", 1, 2, "", "Yesterday", 3, "", "This week", 4, "", "November 2026", 5, 6, "",
        "October 2026", 7, "", "October 2025", 8,
    ]  # fmt: skip


def test_days_begin_in_the_readers_zone() -> None:
    shanghai = timezone(timedelta(hours=8))
    item = summary(1, ago=timedelta(hours=19))  # 17:00 UTC the day before: 01:00 today in Shanghai
    assert headings(Rows([item], NOW)) == ["Yesterday"]
    assert headings(Rows([item], NOW.astimezone(shanghai))) == ["Today"]


def test_on_a_monday_yesterday_is_not_this_week() -> None:
    monday = datetime(2026, 11, 16, 9, tzinfo=UTC)
    items = [summary(1, ago=NOW - monday + timedelta(hours=hours)) for hours in (1, 20, 40)]
    assert headings(Rows(items, monday)) == ["Today", "Yesterday", "November 2026"]


@given(
    st.lists(st.integers(0, 3 * 365 * 24), max_size=60).map(sorted),
    st.integers(0, 10),
)
def test_every_item_has_one_row_and_every_row_one_entry(hours: list[int], pinned: int) -> None:
    items = [summary(-n - 1, pinned=True, ago=timedelta(days=n)) for n in range(pinned)]
    items += [summary(n, ago=timedelta(hours=ago)) for n, ago in enumerate(hours)]
    rows = Rows(items, NOW)
    entries = [rows.at(row) for row in range(rows.height)]
    assert [entry for entry in entries if isinstance(entry, int)] == list(range(len(items)))
    assert all(rows.at(rows.row_of(index)) == index for index in range(len(items)))
    assert len(set(headings(rows))) == len(headings(rows))
    assert rows.at(-1) == rows.at(rows.height) == ""


def test_the_filter_takes_words_in_any_order_and_case() -> None:
    found = TitleFilter("  LAG rm-bp ")
    assert found.matches("rm-bp1k3: replication lag")
    assert not found.matches("replication lag")
    assert TitleFilter("延迟").matches("主从延迟上升")
    assert TitleFilter("延迟 主").spans("主从延迟") == [(0, 1), (2, 4)]
    assert TitleFilter("aa ab").spans("aaab") == [(0, 4)]
    assert TitleFilter("[").matches("[red]")
    assert not TitleFilter("   ")
    assert TitleFilter("lag r").narrows(TitleFilter("lag"))
    assert not TitleFilter("la").narrows(TitleFilter("lag"))


@given(st.text(max_size=40), st.integers(1, 30))
def test_a_cut_title_has_exactly_its_cells(text: str, cells: int) -> None:
    line = "".join(char for char in text if char.isprintable())
    assert cell_len(fit(line, cells)) == cells


def test_wide_letters_and_clusters_are_not_halved() -> None:
    assert fit("主从延迟", 6) == "主从… "
    assert fit("主从延迟", 8) == "主从延迟"
    assert fit("ab 👩‍👩‍👧 family", 5) == "ab…  "
    assert fit("ab 👩‍👩‍👧 family", 6) == "ab 👩‍👩‍👧…"


@pytest.mark.parametrize("width", [12, 28, 80])
@pytest.mark.parametrize("title", ["lag", "主从延迟在凌晨两点之后上升得这么快谁知道呢", "a\tb\nc\x1b[31m", "🐢" * 40])
@pytest.mark.parametrize("signs", [UNICODE, ASCII])
@pytest.mark.parametrize("cursor", [False, True])
def test_every_line_fills_its_width(width: int, title: str, signs: Signs, cursor: bool) -> None:
    strip = paint(
        summary(1, title, state="running", unread=True),
        width,
        "59m",
        PLAIN,
        signs,
        found=TitleFilter("a"),
        cursor=cursor,
        current=True,
        marked=False,
    )
    assert strip.cell_length == cell_len(strip.text) == width
    assert "\x1b" not in strip.text
    assert strip.text.startswith(f"{signs.current}R {signs.running} ")
    assert width == 12 or strip.text.endswith(" 59m ")


def test_states_are_told_apart_without_colour() -> None:
    states: tuple[TurnState, ...] = ("running", "waiting", "failed", "done")
    for signs in (UNICODE, ASCII):
        assert len({state_sign(state, signs) for state in states}) == 4
    assert all(sign.isascii() for sign in (ASCII.current, ASCII.marked, ASCII.running, ASCII.ellipsis))
