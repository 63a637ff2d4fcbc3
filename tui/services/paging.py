"""Reading lists that come in numbered pages (`PageNumber`, `PageSize`) as a whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from tui.services.fields import Fields, as_count, as_items

if TYPE_CHECKING:
    from tui.services.rpc import RpcClient, Value  # it brings httpx along, which screens must not load

T = TypeVar("T")

PAGE_SIZE = 100
"""The most that the vendor's lists give at once."""
MOST_PAGES = 50
"""So many pages are read at most: a list that never ends is the service's mistake."""


Pages = Callable[[int, int], Awaitable[Fields]]
"""The answer for a page, by its number (from 1) and size."""


def pages_of(rpc: RpcClient, action: str, params: Mapping[str, Value] | None = None) -> Pages:
    """The pages of an operation's list."""

    async def read(number: int, size: int) -> Fields:
        return Fields(await rpc.read(action, {**(params or {}), "PageNumber": number, "PageSize": size}))

    return read


async def all_pages(
    read: Pages,
    make: Callable[[Fields], T],
    identity: Callable[[T], str],
    *,
    field: str = "Data",
    size: int = PAGE_SIZE,
) -> tuple[T, ...]:
    """Every entry of a list, each once, in the service's order; those without an identity are left out.

    A page that is short, or that brings nothing new, is the last: how many there are is not told by default
    (protocol notes 5.1). A service that gives fewer at a time than it was asked for says so in `PageSize`.

    Raises:
        ServiceError: what `read` raises.
    """
    found: dict[str, T] = {}
    for number in range(1, MOST_PAGES + 1):
        answer = await read(number, size)
        items = as_items(answer.get(field))
        before = len(found)
        for item in items:
            entry = make(item)
            if key := identity(entry):
                found.setdefault(key, entry)
        full = min(size, as_count(answer.first("PageSize")) or size)
        if len(items) < full or len(found) == before:
            break
    return tuple(found.values())
