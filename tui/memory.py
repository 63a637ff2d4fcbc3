"""The conversations that are open, and the line of each in the list; what is said and lent while they change.

What is here is the truth; the callbacks are hints.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

from tui.cache.records import MetaRecord, Record
from tui.cache.store import NotWriter, Store
from tui.models import ACTIVE, Conversation, ConversationSummary, Problem, ServiceName, Turn, TurnState
from tui.services.base import ConversationService
from tui.tags import instances_in, with_found
from tui.turns import RECOVERY_PAUSES, TurnUpdate

_LONG_TEXT = 50_000
"""Characters from which on a text is looked through beside the event loop."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the owner of a `Conversations` is told, and what it lends. All of them must be cheap."""

    turn_changed: Callable[[TurnUpdate], None]
    list_changed: Callable[[str], None]
    """The id of the conversation whose line changed, or "" when the list did."""
    spawn: Callable[[str, Coroutine[Any, Any, None]], None]
    """Run a coroutine to its end under this name."""
    service: Callable[[ServiceName], Awaitable[ConversationService]]
    """Raises ServiceError where the service cannot be used."""
    options: Callable[[ServiceName], Mapping[str, str]] = lambda _name: {}
    """What goes with every question unless the conversation says otherwise."""
    enforced: Callable[[ServiceName], Mapping[str, str]] = lambda _name: {}
    """What goes with every question whatever the conversation says."""
    seconds: Callable[[], float] = lambda: asyncio.get_running_loop().time()
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    failed: Callable[[Problem], None] = lambda _problem: None
    """Something went wrong that no turn tells of."""
    pauses: Sequence[float] = RECOVERY_PAUSES


@dataclass(slots=True)
class StoreJournal:
    """One conversation's journal in the store."""

    store: Store
    conversation_id: str
    began: bool = False
    """Something was written: the request may have left."""

    async def append(self, *records: Record, sync: bool = False) -> None:
        await self.store.append(self.conversation_id, *records, sync=sync)
        self.began = True

    def append_now(self, *records: Record) -> None:
        self.store.append_now(self.conversation_id, *records)


class Memory:
    """The open conversations by id, the one used last at the end, and the summaries of all."""

    def __init__(self, store: Store, hooks: Hooks) -> None:
        self.open: dict[str, Conversation] = {}
        self._store = store
        self._hooks = hooks
        self._summaries: dict[str, ConversationSummary] = {}
        self._sorted: list[ConversationSummary] | None = None
        self._remote: dict[str, ConversationSummary] = {}
        """Lines of conversations that only a service has, by the id that they will have here."""
        self._news: Mapping[str, tuple[TurnState, datetime | None]] = {}
        """What the services say of those that are here: state, and when something was said last."""
        self._reading: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By conversation: held from the reading of its file until what was read is shown."""

    # --- the list ------------------------------------------------------------------------------------------

    def summaries(self) -> Sequence[ConversationSummary]:
        """Pinned first, then newest first; the same list object until something changes."""
        if self._sorted is None:
            here: Iterable[ConversationSummary] = self._summaries.values()
            if self._news:
                here = map(self._with_news, here)
            there = [line for line in self._remote.values() if line.id not in self._summaries]
            self._sorted = sorted(
                [*here, *there], key=lambda summary: (summary.pinned, summary.updated_at), reverse=True
            )
        return self._sorted

    def _with_news(self, summary: ConversationSummary) -> ConversationSummary:
        if summary.id not in self._news or summary.state in ACTIVE:
            return summary
        state, updated_at = self._news[summary.id]
        return replace(
            summary,
            state=state if state in ACTIVE else summary.state,
            updated_at=max(summary.updated_at, updated_at or summary.updated_at),
        )

    def put_remote(
        self, lines: Sequence[ConversationSummary], news: Mapping[str, tuple[TurnState, datetime | None]]
    ) -> None:
        """Show what the services told: conversations that only they have, and what became of others there."""
        self._remote = {line.id: line for line in lines}
        self._news = news
        self.list_changed()

    def remote_line(self, conversation_id: str) -> ConversationSummary | None:
        """The line of a conversation that only a service has."""
        return None if conversation_id in self._summaries else self._remote.get(conversation_id)

    def summary(self, conversation_id: str) -> ConversationSummary | None:
        return self._summaries.get(conversation_id)

    def add(self, summaries: Sequence[ConversationSummary], *, keep: bool = True) -> None:
        """Take in lines that were read from the index; with `keep`, beside those that are known and not among them.

        What is open is known better here than on disk.
        """
        read = {summary.id: summary for summary in summaries}
        here = {
            key: summary for key, summary in self._summaries.items() if key in self.open or (keep and key not in read)
        }
        self._summaries = read | here
        self.list_changed()

    def take_news(self, changed: Sequence[ConversationSummary], deleted: Sequence[str]) -> None:
        """Take in what other windows did; what is open is known better here."""
        for summary in changed:
            if summary.id not in self.open:
                self._summaries[summary.id] = summary
        for conversation_id in deleted:
            if conversation_id not in self.open:
                self.forget(conversation_id)
        self.list_changed()

    def put_line(self, conversation: Conversation) -> None:
        """Show the conversation in the list as it stands."""
        self._summaries[conversation.id] = conversation.summary()
        self.list_changed(conversation.id)

    def list_changed(self, conversation_id: str = "") -> None:
        self._sorted = None
        self._hooks.list_changed(conversation_id)

    # --- conversations -------------------------------------------------------------------------------------

    def put_turn(self, conversation_id: str, turn: Turn) -> None:
        """Put a turn in its place, or at the end."""
        conversation = self.open[conversation_id]
        turns = tuple(turn if held.id == turn.id else held for held in conversation.turns)
        if turn not in turns:
            turns = (*turns, turn)
        self.open[conversation_id] = replace(conversation, turns=turns, updated_at=self._hooks.now())
        self.put_line(self.open[conversation_id])

    async def read_again(self, conversation_id: str) -> None:
        """Show an open conversation as it is on disk now. Raises KeyError where it is not there any more."""
        async with self._reading.setdefault(conversation_id, asyncio.Lock()):
            await self._read(conversation_id)

    async def catch_up(self, conversation_id: str) -> bool:
        """Become the writer of an open conversation, and show what others wrote to it before; False where they did
        not. Raises NotWriter.

        When this returns, no older state is on its way into memory either.
        """
        async with self._reading.setdefault(conversation_id, asyncio.Lock()):
            if not await self._store.claim(conversation_id):
                return False
            with suppress(KeyError):
                await self._read(conversation_id)
        return True

    async def _read(self, conversation_id: str) -> None:
        """Put what is on disk in the place of what is here, but for what is only here: what stands in the composer,
        questions on their way to the disk, and what became of those that never were sent."""
        read = await self._store.load(conversation_id)
        if (held := self.open.get(conversation_id)) is None:
            return
        here = {turn.id: turn for turn in held.turns}
        there = {turn.id for turn in read.turns}
        # A queued one that is something else here has just left the queue.
        turns = [here.get(turn.id, turn) if turn.state == "queued" else turn for turn in read.turns]
        turns += [turn for turn in held.turns if turn.unsent and turn.id not in there]
        self.open[conversation_id] = replace(read, draft=held.draft, turns=tuple(turns))
        self.put_line(self.open[conversation_id])

    def touch(self, conversation_id: str) -> None:
        """Note that it was used just now."""
        self.open[conversation_id] = self.open.pop(conversation_id)

    def forget(self, conversation_id: str) -> None:
        """It was deleted."""
        self.open.pop(conversation_id, None)
        self._summaries.pop(conversation_id, None)
        self._remote.pop(conversation_id, None)

    async def change(self, conversation_id: str, **changes: Any) -> None:
        """Change what is kept of a conversation as such, unless another window is the writer: unread, found tags ..."""
        self.show_change(conversation_id, **changes)
        await self.keep(conversation_id, MetaRecord(**changes))

    async def change_or_raise(self, conversation_id: str, **changes: Any) -> None:
        """Change what the user wants changed: title, pinned, tags ... Raises NotWriter, KeyError: nothing was."""
        held = self.open.get(conversation_id) or self._summaries.get(conversation_id)
        before = {name: getattr(held, name) for name in changes if hasattr(held, name)}
        self.show_change(conversation_id, **changes)  # at once: the next change begins with it
        try:
            await self._store.append(conversation_id, MetaRecord(**changes))
        except (NotWriter, KeyError):
            self.show_change(conversation_id, **before)
            raise

    def show_change(self, conversation_id: str, **changes: Any) -> None:
        """Show what changed of a conversation as such, here and in the list."""
        conversation = self.open.get(conversation_id)
        if conversation is not None:
            self.open[conversation_id] = replace(conversation, **changes)
        if conversation_id in self._summaries:
            shown = {name: value for name, value in changes.items() if name in _OF_SUMMARY}
            self._summaries[conversation_id] = replace(self._summaries[conversation_id], **shown)
        self.list_changed(conversation_id)

    async def find_tags(self, conversation_id: str, text: str) -> None:
        """Instances that stand in a text become tags of an open conversation."""
        if conversation_id not in self.open:
            return
        found = instances_in(text) if len(text) < _LONG_TEXT else await asyncio.to_thread(instances_in, text)
        conversation = self.open.get(conversation_id)
        if conversation is not None:
            tags = with_found(conversation.tags, conversation.untagged, found)
            if tags != conversation.tags:
                await self.change(conversation_id, tags=tags)

    async def keep(self, conversation_id: str, *records: Record, sync: bool = False) -> None:
        """Write records, unless another window is the writer, or somebody took the file away."""
        with suppress(NotWriter, KeyError):
            await self._store.append(conversation_id, *records, sync=sync)


_OF_SUMMARY = frozenset({"title", "remote_id", "pinned", "archived", "tags", "unread"})
