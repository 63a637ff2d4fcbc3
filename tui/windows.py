"""Several windows on one cache: seeing what another one does, and becoming the writer in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Literal

from tui.cache.store import Store
from tui.memory import Hooks, Memory
from tui.models import Turn
from tui.turns import TurnUpdate

Taken = Literal["taken", "answering", "held"]
"""`answering`: the other window is receiving an answer, and was left alone; `held`: it did not let go."""


class Windows:
    """What the other windows on this cache do with its conversations.

    Args:
        recover: goes on with an answer that was cut off here; conversation and turn.
        unsent: tells of questions that are not sent, because another window asked them; conversation and turns.
        is_running: whether a turn runs here.
    """

    def __init__(
        self,
        store: Store,
        memory: Memory,
        hooks: Hooks,
        recover: Callable[[str, str], None],
        unsent: Callable[[str, Sequence[Turn]], None],
        is_running: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._memory = memory
        self._hooks = hooks
        self._recover = recover
        self._unsent = unsent
        self._is_running = is_running
        self._followed: set[str] = set()

    async def watch(self, seconds: float = 2.0) -> None:
        """Show what other windows change in the list and in what is open here, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            await self.look()

    async def look(self) -> None:
        """One look; cheap where nobody did anything."""
        changed, deleted = await self._store.news()
        if changed or deleted:
            self._memory.take_news(changed, deleted)
        for conversation_id in list(self._memory.open):
            if conversation_id in self._followed or self._is_running(conversation_id):
                continue
            if await self._store.has_changed(conversation_id):
                with suppress(KeyError):
                    await self._read_again(conversation_id)

    async def _read_again(self, conversation_id: str) -> None:
        """Another window wrote to it, or does now: show it as it is there, and follow."""
        await self._memory.read_again(conversation_id)
        if (held := self._memory.open.get(conversation_id)) is not None:
            self._hooks.turn_changed(TurnUpdate(conversation_id, ""))
            if held.read_only:
                self._hooks.spawn(f"follow:{conversation_id}", self.follow(conversation_id))

    async def follow(self, conversation_id: str, seconds: float = 1.0) -> None:
        """Show what another window writes to a conversation, for as long as it is open here and read-only.

        Nothing happens where it is followed already.
        """
        if conversation_id in self._followed:
            return
        self._followed.add(conversation_id)
        try:
            while (held := self._memory.open.get(conversation_id)) is not None and held.read_only:
                await asyncio.sleep(seconds)
                if await self._store.has_changed(conversation_id):
                    await self._show_growth(conversation_id)
        except KeyError:  # somebody took the file away
            pass
        finally:
            self._followed.discard(conversation_id)

    async def _show_growth(self, conversation_id: str) -> None:
        await self._memory.read_again(conversation_id)
        if (held := self._memory.open.get(conversation_id)) is not None:
            for turn in held.turns[-2:]:
                self._hooks.turn_changed(TurnUpdate(conversation_id, turn.id))

    async def take_over(self, conversation_id: str, *, force: bool = False) -> Taken:
        """Become the writer of an open conversation. With `force` also while the other window receives an answer.

        It then stops reading, and the rest of the answer is fetched here.
        """
        if not force and await self._store.is_answered_elsewhere(conversation_id):
            return "answering"
        if not await self._store.take_over(conversation_id):
            return "held"
        try:
            await self._memory.read_again(conversation_id)
        except KeyError:
            return "held"
        if (conversation := self._memory.open.get(conversation_id)) is None:
            return "taken"
        self._unsent(conversation_id, [turn for turn in conversation.turns if turn.state == "queued"])
        if (turn := conversation.newest_sent) is not None and turn.state == "interrupted":
            self._recover(conversation_id, turn.id)
        return "taken"
