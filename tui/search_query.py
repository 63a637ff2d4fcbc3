"""What somebody types to search: words, "a phrase", #tag, service:rds, since:7d, until:2026-11-01."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import get_args

from tui.models import ConversationSummary, ServiceName

_TOKEN = re.compile(r'"(?P<phrase>[^"]*)"?|(?P<word>\S+)')
_AGO = re.compile(r"(\d{1,4})([hdwmy])")
_HOURS = {"h": 1, "d": 24, "w": 7 * 24, "m": 30 * 24, "y": 365 * 24}
_DAY = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?")
_LETTERS: dict[str, ServiceName] = {"r": "rds", "d": "dms", "a": "dashscope"}


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What was typed, taken apart. Times are aware."""

    words: tuple[str, ...] = ()
    services: frozenset[ServiceName] = frozenset()
    tags: tuple[str, ...] = ()
    """Beginnings of tags, in lower case; a conversation has one for each."""
    since: datetime | None = None
    until: datetime | None = None
    unclear: tuple[str, ...] = ()
    """What looks like a filter and is none (yet)."""

    def __bool__(self) -> bool:
        return bool(self.words or self.services or self.tags or self.since or self.until)

    def takes(self, summary: ConversationSummary) -> bool:
        """Whether the conversation has the tags."""
        return all(any(tag.lower().startswith(begins) for tag in summary.tags) for begins in self.tags)


def parse(typed: str, now: datetime) -> SearchQuery:
    """What `typed` asks for; `now` is aware, in the zone in which days begin. What is no filter is a word."""
    words: list[str] = []
    tags: list[str] = []
    unclear: list[str] = []
    services: set[ServiceName] = set()
    since = until = None
    for token in _TOKEN.finditer(typed):
        word = token["word"]
        if word is None:
            words += [token["phrase"]] if token["phrase"].strip() else []
            continue
        name, colon, value = word.partition(":")
        if word.startswith("#") and len(word) > 1:
            tags.append(word[1:].lower())
        elif colon and name == "service":
            found = [service for service in get_args(ServiceName) if value and service.startswith(value.lower())]
            found = found or [_LETTERS[value.lower()]] if value.lower() in _LETTERS else found
            services.update(found)
            unclear += [] if found else [word]
        elif colon and name in ("since", "until"):
            span = _span(value, now)
            if span is None:
                unclear.append(word)
            elif name == "since":
                since = span[0]
            else:
                until = span[1]
        else:
            words.append(word)
    return SearchQuery(tuple(words), frozenset(services), tuple(tags), since, until, tuple(unclear))


def _span(value: str, now: datetime) -> tuple[datetime, datetime] | None:
    """The beginning and end of a day, a month, or of the time since so long ago; None where `value` is none."""
    today = datetime.combine(now.date(), time.min, now.tzinfo)
    if value in ("today", "yesterday"):
        begin = today - timedelta(days=value == "yesterday")
        return begin, begin + timedelta(days=1)
    try:
        if ago := _AGO.fullmatch(value):
            begin = now - timedelta(hours=int(ago[1]) * _HOURS[ago[2]])
            return begin, begin
        if day := _DAY.fullmatch(value):
            year, month = int(day[1]), int(day[2])
            if day[3]:
                begin = datetime(year, month, int(day[3]), tzinfo=now.tzinfo)
                return begin, begin + timedelta(days=1)
            after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=now.tzinfo)
            return datetime(year, month, 1, tzinfo=now.tzinfo), after
    except (ValueError, OverflowError):  # no such day, or before the year 1
        pass
    return None


def with_filter(typed: str, name: str, value: str) -> str:
    """`typed` with `name:value` as its only filter of that name, or `#value` for `#`; without one where it is ""."""
    begins = "#" if name == "#" else f"{name}:"
    kept = [
        token[0]
        for token in _TOKEN.finditer(typed)
        if token["word"] is None or not (token["word"].startswith(begins) and len(token["word"]) > 1)
    ]
    return " ".join([*kept, *([f"{begins}{value}"] if value else [])])


def tags_of(summaries: Sequence[ConversationSummary]) -> list[tuple[str, int]]:
    """(tag, number of conversations), the most used first."""
    counts: dict[str, int] = {}
    for summary in summaries:
        for tag in summary.tags:
            counts[tag] = counts.get(tag, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
