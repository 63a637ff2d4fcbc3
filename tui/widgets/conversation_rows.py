"""The order on screen of a sorted list of conversations: groups, rows, ages and the filter. No Textual."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from tui.words import _

if TYPE_CHECKING:
    from tui.models import ConversationSummary

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def relative_time(then: datetime, now: datetime) -> str:
    """The age in at most four cells: `now`, `2m`, `14h`, `3d`, `3w`, `2y`; a time to come is `now`."""
    seconds = (now - then).total_seconds()
    for size, unit, text in (
        (60, 1, ""),
        (3600, 60, _("{n}m")),
        (86400, 3600, _("{n}h")),
        (7 * 86400, 86400, _("{n}d")),
        (365 * 86400, 7 * 86400, _("{n}w")),
    ):
        if seconds < size:
            return text.format(n=int(seconds // unit)) if text else _("now")
    return _("{n}y").format(n=int(seconds // (365 * 86400)))


class Group(NamedTuple):
    """A heading and the items under it."""

    heading: str
    first: int
    """The index of its first item."""
    top: int
    """The row of its heading; a blank row stands before it unless it is the first."""


class Rows:
    """Where each item and heading stands.

    `items` are pinned first, then newest first. Groups are found by bisection, so that this takes microseconds for
    any number of items and may be done again at each change.
    """

    def __init__(self, items: Sequence[ConversationSummary], now: datetime) -> None:
        """`now` is aware, in the zone in which days begin."""
        self.items = items
        self.day = now.date()
        self._groups: list[Group] = []
        for heading, first in _headings(items, now):
            count = len(self._groups)
            # Before it: a heading and a blank row for each group, the items of all of them.
            self._groups.append(Group(heading, first, top=first + 2 * count))
        self._tops = [group.top for group in self._groups]
        self._firsts = [group.first for group in self._groups]
        self.height = len(items) + 2 * len(self._groups) - 1 if items else 0

    def at(self, row: int) -> int | str:
        """What stands in `row`: the index of an item, a heading, or "" for a blank row."""
        number = bisect_right(self._tops, row) - 1
        if number < 0 or row >= self.height:
            return ""
        group = self._groups[number]
        if row == group.top:
            return group.heading
        index = group.first + row - group.top - 1
        end = self._firsts[number + 1] if number + 1 < len(self._firsts) else len(self.items)
        return index if index < end else ""

    def row_of(self, index: int) -> int:
        """The row of an item."""
        group = self._groups[bisect_right(self._firsts, index) - 1]
        return group.top + 1 + index - group.first


def _headings(items: Sequence[ConversationSummary], now: datetime) -> list[tuple[str, int]]:
    """(heading, index of the first item) of the groups that are not empty."""
    pinned = bisect_left(items, True, key=lambda item: not item.pinned)
    found: list[tuple[str, int]] = [(_("Pinned"), 0)] if pinned else []

    def older_than(moment: datetime, start: int) -> int:
        return bisect_right(items, -moment.timestamp(), lo=start, key=lambda item: -item.updated_at.timestamp())

    midnight = datetime.combine(now.date(), time.min, now.tzinfo)
    start = pinned
    for heading, moment in (
        (_("Today"), midnight),
        (_("Yesterday"), midnight - timedelta(days=1)),
        (_("This week"), midnight - timedelta(days=now.weekday())),
    ):
        end = older_than(moment, start)
        if end > start:
            found.append((heading, start))
        start = end
    while start < len(items):
        first = items[start].updated_at.astimezone(now.tzinfo)
        heading = _("{month} {year}").format(month=_(MONTHS[first.month - 1]), year=first.year)
        found.append((heading, start))
        start = older_than(datetime(first.year, first.month, 1, tzinfo=now.tzinfo), start)
    return found


class TitleFilter:
    """Which titles match what was typed: every word of it, anywhere, in any case.

    Plain words and not scattered letters: a Chinese title is a run of letters with no gaps, in which a scattered
    match means nothing; and the list keeps its order.
    """

    def __init__(self, typed: str) -> None:
        self.typed = " ".join(typed.split())
        self._words = [re.compile(re.escape(word), re.IGNORECASE) for word in self.typed.split()]

    def __bool__(self) -> bool:
        return bool(self._words)

    def matches(self, title: str) -> bool:
        return all(word.search(title) for word in self._words)

    def spans(self, title: str) -> list[tuple[int, int]]:
        """The (start, end) of all hits in `title`, in order, overlaps joined."""
        joined: list[tuple[int, int]] = []
        for start, end in sorted(match.span() for word in self._words for match in word.finditer(title)):
            if joined and start <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((start, end))
        return joined

    def narrows(self, other: TitleFilter) -> bool:
        """Whether every title that matches this one matches `other` too, so that only its hits need be searched."""
        return self.typed.startswith(other.typed)
