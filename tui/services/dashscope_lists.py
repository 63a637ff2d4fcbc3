"""Lists in pages, as all of DashScope's assistants, messages, runs and steps come. Source: protocol notes 2.4."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from tui.services.base import Page, PageOf
from tui.services.dashscope_wire import line, tables
from tui.services.rest import RestClient

T = TypeVar("T")

MAX_PAGES = 1000
"""Of 100 objects each; a list that goes on beyond is one that goes round."""


async def object_page(
    rest: RestClient, path: str, page: Page, read: Callable[[Mapping[str, Any]], T], *, order: str = "desc"
) -> PageOf[T]:
    """One page at `path`; `order` is by creation: `desc` is newest first."""
    query: dict[str, str | int] = {"limit": min(max(page.limit, 1), 100), "order": order}
    if page.after:
        query["after"] = page.after
    answer = await rest.get(path, query)
    raws = [raw for raw in tables(answer.get("data")) if line(raw, "id")]
    last = line(answer, "last_id") or (line(raws[-1], "id") if raws else "")
    # A cursor that does not move would be asked for ever.
    goes_on = bool(answer.get("has_more")) and bool(raws) and last not in ("", page.after)
    return PageOf(tuple(read(raw) for raw in raws), replace(page, after=last) if goes_on else None)


async def all_objects(rest: RestClient, path: str, read: Callable[[Mapping[str, Any]], T]) -> list[T]:
    """Everything in the list at `path`, oldest first.

    What `after` means where the newest come first is not published; in this order there is no doubt.
    """
    found: list[T] = []
    page: Page | None = Page()
    seen: set[str] = set()
    for _number in range(MAX_PAGES):
        if page is None or page.after in seen:
            break
        seen.add(page.after)
        listed = await object_page(rest, path, page, read, order="asc")
        found += listed.items
        page = listed.next
    return found
