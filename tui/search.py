"""Searching what was said, as it is typed: the desk between the screen and the cache's searcher. Pure asyncio."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tui.cache.matching import SearchHit, Wanted
from tui.models import ConversationSummary
from tui.search_query import SearchQuery, parse

if TYPE_CHECKING:
    from tui.cache.searching import Progress
    from tui.cache.store import Store

LIMIT = 300
"""Hits that are shown; more of them are of no use to anybody."""
_BATCH = 20
_PAUSE = 0.05
"""Seconds between two batches, but for the first."""


@dataclass(frozen=True, slots=True)
class SearchHooks:
    """What the owner of a `Search` lends."""

    store: Callable[[], Awaitable[Store]]
    """The store, as soon as it is open."""
    summaries: Callable[[], Sequence[ConversationSummary]]
    spawn: Callable[[str, Coroutine[Any, Any, None]], None]
    """Run a coroutine to its end under this name."""
    now: Callable[[], datetime]
    changed: Callable[[], None] = lambda: None
    """`progress` changed; told from the loop, a few times a second."""


class Search:
    """One search at a time: a new one ends the one before."""

    def __init__(self, hooks: SearchHooks) -> None:
        self.progress: Progress | None = None
        """How far the index is while it is being made; None when it is."""
        self.without_index = ""
        """Why there is no index and everything is read, as the system says it; else empty."""
        self.typed = ""
        """What was searched for last, for the next time the screen is opened."""
        self.chosen: tuple[str, str] = "", ""
        """The conversation and turn that were opened last from the hits."""
        self._hooks = hooks
        self._threads: ThreadPoolExecutor | None = None
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._updating = False

    def query(self, typed: str) -> SearchQuery:
        return parse(typed, self._hooks.now().astimezone())

    async def find(self, query: SearchQuery) -> AsyncGenerator[tuple[SearchHit, ...]]:
        """Hits as they are found, about newest first, at most `LIMIT` from the index and from files each."""
        store = await self._hooks.store()
        conversations = None
        if query.tags:
            conversations = frozenset(summary.id for summary in self._hooks.summaries() if query.takes(summary))
        wanted = Wanted(query.words, query.services, query.since, query.until, conversations)
        self._stop.set()  # the search before this one
        stop = self._stop = threading.Event()
        loop = asyncio.get_running_loop()
        batches: asyncio.Queue[tuple[SearchHit, ...] | None] = asyncio.Queue()

        def put(batch: Sequence[SearchHit] | None) -> None:
            with suppress(RuntimeError):  # the loop ended meanwhile
                loop.call_soon_threadsafe(batches.put_nowait, None if batch is None else tuple(batch))

        def work() -> None:
            batch: list[SearchHit] = []
            told = time.monotonic()
            try:
                for hit in store.searcher.find(wanted, stop, LIMIT) if not stop.is_set() else ():
                    batch.append(hit)
                    if len(batch) >= _BATCH or time.monotonic() - told > _PAUSE:
                        put(batch)
                        batch, told = [], time.monotonic()
                if batch:
                    put(batch)
            finally:
                put(None)

        self._thread.submit(work)
        try:
            while (found := await batches.get()) is not None:
                yield found
        finally:
            stop.set()
            store.searcher.interrupt()

    @property
    def _thread(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(1, thread_name_prefix="search")
        return self._threads

    def refresh(self) -> None:
        """Bring the index up to date, in the background; nothing happens while that goes on."""
        if not self._updating:
            self._updating = True
            self._hooks.spawn("search-index", self._update())

    async def _update(self) -> None:

        store = await self._hooks.store()
        loop = asyncio.get_running_loop()

        def tell(progress: Progress) -> None:
            with suppress(RuntimeError):  # as above
                loop.call_soon_threadsafe(self._tell, progress)

        try:
            await asyncio.to_thread(store.searcher.update, tell, self._ended)
        finally:
            self._updating = False
            self.without_index = store.searcher.without_index
            self.progress = None
            self._hooks.changed()

    def _tell(self, progress: Progress) -> None:
        if self._updating:
            self.progress = progress if progress.done < progress.total else None
            self._hooks.changed()

    def close(self) -> None:
        """Let the threads end; what is in the index stays."""
        self._stop.set()
        self._ended.set()
        if self._threads is not None:
            self._threads.shutdown(wait=False)
