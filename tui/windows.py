"""Several windows on one cache: following what another one writes, and becoming the writer in its place."""

from __future__ import annotations

import asyncio

from tui.cache.store import Store
from tui.memory import Hooks, Memory
from tui.turns import TurnUpdate


class Windows:
    """What the other windows on this cache do with its conversations."""

    def __init__(self, store: Store, memory: Memory, hooks: Hooks) -> None:
        self._store = store
        self._memory = memory
        self._hooks = hooks

    async def follow(self, conversation_id: str, seconds: float = 1.0) -> None:
        """Show what another window writes to a conversation, for as long as it is open here and read-only."""
        while (held := self._memory.open.get(conversation_id)) is not None and held.read_only:
            await asyncio.sleep(seconds)
            if not await self._store.has_changed(conversation_id):
                continue
            conversation = await self._store.load(conversation_id)
            if conversation_id not in self._memory.open:
                return
            self._memory.open[conversation_id] = conversation
            self._memory.put_line(conversation)
            for turn in conversation.turns[-2:]:
                self._hooks.turn_changed(TurnUpdate(conversation_id, turn.id))
