"""Reading lists that come in numbered pages (`PageNumber`, `PageSize`) as a whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tui.services.fields import Fields, as_items

T = TypeVar("T")

PAGE_SIZE = 100
"""The most that the vendor's lists give at once."""
MOST_PAGES = 50
"""So many pages are read at most: a list that never ends is the service's mistake."""


async def all_pages(
    read: Callable[[int, int], Awaitable[Fields]],
    make: Callable[[Fields], T],
    identity: Callable[[T], str],
    *,
    field: str = "Data",
    size: int = PAGE_SIZE,
) -> tuple[T, ...]:
    """Every entry of a list, each once, in the service's order; those without an identity are left out.

    A page that is short, or that brings nothing new, is the last: how many there are is not told by default
    (protocol notes 5.1). A service that gives fewer at a time than it was asked for says so in `PageSize`.

    Args:
        read: the answer for a page, by its number (from 1) and size.

    Raises:
        ServiceError: what `read` raises.
    """
    found: dict[str, T] = {}
    for number in range(1, MOST_PAGES + 1):
        answer = await read(number, size)
        items = list(as_items(answer.get(field)))
        before = len(found)
        for item in items:
            entry = make(item)
            if key := identity(entry):
                found.setdefault(key, entry)
        told = str(answer.first("PageSize") or "")
        full = min(size, int(told)) if told.isdecimal() and int(told) else size
        if len(items) < full or len(found) == before:
            break
    return tuple(found.values())
