"""What has come of an answer and is not on disk yet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Protocol

from tui.cache.records import IdsRecord, PartialRecord, Record
from tui.models import TurnIds
from tui.services.accumulator import coalesce
from tui.services.events import (
    Event,
    Failed,
    Finished,
    Heartbeat,
    PositionMoved,
    Rewound,
    Status,
    TextDelta,
    ThinkingDelta,
)

BATCH_SECONDS = 1.0
"""How long events may wait in memory before they are on disk: what kill -9 may cost."""
BATCH_CHARACTERS = 4096


class Journal(Protocol):
    """One conversation's journal."""

    def append(self, *records: Record, sync: bool = False) -> Awaitable[None]:
        """Append in order; with `sync` it is on disk when this returns."""

    def append_now(self, *records: Record) -> None:
        """Append without the loop, for the end of the program."""


class Batch:
    """Events that are not on disk yet.

    Where the stream can be resumed, a batch ends only where that is possible from what it says: with a position,
    or within the text that grows after one.
    """

    def __init__(self, turn_id: str, journal: Journal, *, resumable: bool) -> None:
        self._turn_id = turn_id
        self._journal = journal
        self._resumable = resumable
        self._whole = 0
        """So many of the events may be written."""
        self._at_position = True
        self._events: list[Event] = []
        self._size = 0
        self._ids = TurnIds()

    async def add(self, event: Event, ids: TurnIds) -> None:
        if ids != self._ids:
            self._ids = ids
            # A stop and a recovery need them: on disk before anything else is.
            await self._journal.append(IdsRecord(self._turn_id, ids), sync=True)
        if isinstance(event, (Finished, Failed)):
            return  # the answer record says it
        self._events.append(event)
        self._note(event)
        self._size += len(event.text) if isinstance(event, (TextDelta, ThinkingDelta)) else 200
        if self._size >= BATCH_CHARACTERS:
            await self.flush()

    def _note(self, event: Event) -> None:
        """Note whether the events may end with this one, the newest."""
        if isinstance(event, (PositionMoved, Rewound)):
            self._at_position = True
        elif not isinstance(event, (TextDelta, ThinkingDelta, Status, Heartbeat)):
            self._at_position = not self._resumable
        if self._at_position:
            self._whole = len(self._events)

    def _take(self) -> list[Event]:
        events = coalesce(self._events[: self._whole])
        self._events, self._whole, self._size = self._events[self._whole :], 0, 0
        return events

    async def flush(self) -> None:
        if events := self._take():
            await self._journal.append(PartialRecord(self._turn_id, tuple(events)))

    def flush_now(self) -> None:
        if events := self._take():
            self._journal.append_now(PartialRecord(self._turn_id, tuple(events)))

    async def flush_for_ever(self) -> None:
        while True:
            await asyncio.sleep(BATCH_SECONDS)
            await self.flush()
