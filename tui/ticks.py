"""Coalescing: many changes become one update a tick, and none is scheduled while nothing changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.turns import TurnUpdate

GATHER = 0.005
"""Seconds that a change waits for those that were read from the line together with it: each update draws."""
FLOOD = 300
"""Characters between two looks from which on nobody can read along: an answer that comes all at once is whole the
sooner the less is drawn of it meanwhile."""
FLOOD_LOOK = 0.02
"""Seconds between two looks at whether a flood goes on."""
FLOOD_TICKS = 5
"""So many ticks are made one at most while it does."""


class Ticks:
    """Collects turn updates and hands them on at most `rate` times a second and turn.

    The first change after a quiet time goes out as good as at once. What ends a turn is never lost in a later hint.
    `received` tells how many characters of a conversation's running answer have come so far.
    """

    def __init__(
        self, publish: Callable[[TurnUpdate], None], rate: float, received: Callable[[str], int] = lambda _id: 0
    ) -> None:
        self._publish = publish
        self._received = received
        self.rate = rate
        self._waiting: dict[tuple[str, str], TurnUpdate] = {}
        self._next = 0.0
        """When the next tick may be, on the loop's clock."""
        self._seen: dict[str, int] = {}
        """Characters that had come at the last look."""
        self._handle: asyncio.TimerHandle | None = None

    def add(self, update: TurnUpdate) -> None:
        """Take a change in; it is published on this or the next tick."""
        key = (update.conversation_id, update.turn_id)
        held = self._waiting.get(key)
        if held is update:
            return
        if held is not None and held.ended:
            update = replace(update, ended=True, put_back=update.put_back or held.put_back)
        self._waiting[key] = update
        now = asyncio.get_running_loop().time()
        if update.ended:
            self._at(now)
        elif self._handle is None:
            self._at(max(now + GATHER, self._next))

    def flush(self) -> None:
        """Publish what waits, now."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._waiting:
            self._look()
            self._next = asyncio.get_running_loop().time() + 1 / self.rate
            waiting, self._waiting = self._waiting, {}
            for (conversation_id, _turn_id), update in waiting.items():
                if update.ended:
                    self._seen.pop(conversation_id, None)
                self._publish(update)

    def _due(self) -> None:
        now = asyncio.get_running_loop().time()
        ended = any(update.ended for update in self._waiting.values())
        if not ended and now < self._next + (FLOOD_TICKS - 1) / self.rate and self._look() > FLOOD:
            self._at(now + FLOOD_LOOK)
        else:
            self.flush()

    def _look(self) -> int:
        """How many characters have come since the last look, of all that changed."""
        grown = 0
        for conversation_id in {conversation_id for conversation_id, _turn_id in self._waiting}:
            size = self._received(conversation_id)
            grown += size - self._seen.get(conversation_id, 0)
            self._seen[conversation_id] = size
        return grown

    def _at(self, when: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle = asyncio.get_running_loop().call_at(when, self._due)
