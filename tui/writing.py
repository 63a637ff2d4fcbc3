"""What the user writes, kept as it is written: drafts and sent questions. Pure asyncio."""

from __future__ import annotations

import asyncio
from collections import ChainMap
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

if TYPE_CHECKING:
    from tui.cache.store import Store
    from tui.models import ServiceName

DRAFT_PAUSE = 0.5
"""Seconds after the last key before a draft is written."""


class WritingHooks(NamedTuple):
    """What the owner of a `Writing` lends."""

    opened: Callable[[], Store | None]
    """The store, once it is open."""
    store: Callable[[], Coroutine[Any, Any, Store]]
    """The store, waited for."""
    hold: Callable[[str, str], None]
    """Let the conversation in memory know its draft."""
    spawn: Callable[[str, Coroutine[Any, Any, None]], None]


class Writing:
    """Drafts by conversation, and the input history by service. It takes text before the store is open."""

    def __init__(self, hooks: WritingHooks) -> None:
        self._hooks = hooks
        self._drafts: dict[str, str] = {}
        self._leaving: dict[str, str] = {}
        """Drafts on their way to the store, which does not tell them yet."""
        self._timer: asyncio.TimerHandle | None = None
        self._inputs: dict[ServiceName, list[str]] = {}

    async def read(self) -> None:
        """Read the input history; what was sent meanwhile comes after it.

        A draft in whose place something was typed before the store was open goes there too.
        """
        from tui.models import ServiceName

        store = await self._hooks.store()
        names: Sequence[ServiceName] = get_args(ServiceName)
        displaced = [(name, store.draft_of_new(name)) for name in names if _new(name) in self._drafts]
        for name in names:
            self._inputs[name] = [*await store.input_history(name), *self._inputs.get(name, [])]
        for name, text in displaced:
            self.remember(name, text)

    def inputs(self, service: ServiceName) -> Sequence[str]:
        """Sent questions, oldest first."""
        return self._inputs.get(service, [])

    def remember(self, service: ServiceName, text: str) -> None:
        """Put a text into the input history; as in a shell, a leading space keeps it out of what is stored."""
        history = self._inputs.setdefault(service, [])
        if text.strip() and (not history or history[-1] != text):
            history.append(text)
            if not text.startswith(" "):
                self._hooks.spawn("history", self._store_input(service, text))

    async def _store_input(self, service: ServiceName, text: str) -> None:
        await (await self._hooks.store()).add_input(service, text)

    def draft_of_new(self, service: ServiceName) -> str:
        store, key = self._hooks.opened(), _new(service)
        held = ChainMap(self._drafts, self._leaving)
        if key in held:  # an empty one too: what the store still has was sent or cleared
            return held[key]
        return store.draft_of_new(service) if store else ""

    def set_draft(self, conversation_id: str, text: str, service: ServiceName) -> None:
        """Keep a draft, "" for that of the conversation with `service` that has not begun; written soon."""
        key = conversation_id or _new(service)
        if text or conversation_id or self._hooks.opened() is not None:
            self._drafts[key] = text
        else:  # what the store has was never shown, so it was not cleared
            self._drafts.pop(key, None)
        if conversation_id:
            self._hooks.hold(conversation_id, text)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(
                DRAFT_PAUSE, lambda: self._hooks.spawn("drafts", self.write())
            )

    async def write(self) -> None:
        """Write the drafts that changed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        store = await self._hooks.store()
        while self._drafts:  # one by one: what was taken out is on its way, even when this is cancelled
            key, text = self._drafts.popitem()
            self._leaving[key] = text
            try:
                await store.set_draft(key, text)
            finally:
                if self._leaving.get(key) == text:
                    del self._leaving[key]

    def write_now(self) -> None:
        """Write the drafts that changed, before anything else happens: the program is told to end."""
        store = self._hooks.opened()
        if store is not None:
            for conversation_id, text in self._drafts.items():
                store.set_draft_now(conversation_id, text)
            self._drafts.clear()


def _new(service: ServiceName) -> str:
    return f"new-{service}"
