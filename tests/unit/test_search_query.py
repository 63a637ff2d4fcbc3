"""What a typed search asks for: words, phrases, tags, services, dates; and what the filter keys make of a line."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from tests.screens.host import summary
from tui.search_query import SearchQuery, parse, tags_of, with_filter

ZONE = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 20, 14, 30, tzinfo=ZONE)


def day(month: int, number: int, year: int = 2026) -> datetime:
    return datetime(year, month, number, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", SearchQuery()),
        ("  lag  主从延迟 ", SearchQuery(("lag", "主从延迟"))),
        ('"lock wait" x', SearchQuery(("lock wait", "x"))),
        ('"lock wa', SearchQuery(("lock wa",))),
        ('"" "', SearchQuery()),
        ("#RM-bp1k3 #incident lag", SearchQuery(("lag",), tags=("rm-bp1k3", "incident"))),
        ("#", SearchQuery(("#",))),
        ("service:dms", SearchQuery(services=frozenset({"dms"}))),
        ("service:d service:a", SearchQuery(services=frozenset({"dms", "dashscope"}))),
        ("service:", SearchQuery(unclear=("service:",))),
        ("service:oracle x", SearchQuery(("x",), unclear=("service:oracle",))),
        ("http://x a:b", SearchQuery(("http://x", "a:b"))),
        ("since:today", SearchQuery(since=day(11, 20))),
        ("since:yesterday until:yesterday", SearchQuery(since=day(11, 19), until=day(11, 20))),
        ("since:24h", SearchQuery(since=NOW - timedelta(hours=24))),
        ("until:7d", SearchQuery(until=NOW - timedelta(days=7))),
        ("since:2026-11-01 until:2026-11-05", SearchQuery(since=day(11, 1), until=day(11, 6))),
        ("since:2026-02 until:2026-12", SearchQuery(since=day(2, 1), until=day(1, 1, 2027))),
        ("since:2026-13-01", SearchQuery(unclear=("since:2026-13-01",))),
        ("until:2026-02-30", SearchQuery(unclear=("until:2026-02-30",))),
        ("since:9999y until:9999-12-31", SearchQuery(unclear=("since:9999y", "until:9999-12-31"))),
        ("since:soon", SearchQuery(unclear=("since:soon",))),
    ],
)
def test_parsing(typed: str, expected: SearchQuery) -> None:
    assert parse(typed, NOW) == expected


def test_a_query_is_empty_without_words_and_filters() -> None:
    assert not parse("service:", NOW)
    assert parse("#a", NOW)
    assert parse("x", NOW)


@pytest.mark.parametrize(
    ("typed", "name", "value", "expected"),
    [
        ("lag", "service", "dms", "lag service:dms"),
        ("service:rds lag", "service", "dms", "lag service:dms"),
        ("service:rds lag", "service", "", "lag"),
        ('"a service:rds b" x', "service", "dms", '"a service:rds b" x service:dms'),
        ("#a x #b", "#", "c", "x #c"),
        ("# x", "#", "", "# x"),
        ("", "since", "7d", "since:7d"),
    ],
)
def test_filters_of_keys(typed: str, name: str, value: str, expected: str) -> None:
    assert with_filter(typed, name, value) == expected


def test_tags_by_how_often_they_are_used() -> None:
    from dataclasses import replace

    tagged = [replace(summary(number), tags=tags) for number, tags in enumerate([("a", "b"), ("b",), ()])]
    assert tags_of(tagged) == [("b", 2), ("a", 1)]
    assert [parse("#B", NOW).takes(each) for each in tagged] == [True, True, False]
