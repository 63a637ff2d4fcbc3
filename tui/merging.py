"""Conversations of the services beside those of this machine: one list, and their history on demand.

A conversation that only a service has gets the id under which it will be kept here, made of the service's, so that
two windows that fetch it make one file of it. What was deleted here stays away although the service keeps it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tui.cache.ids import conversation_id_of
from tui.cache.matching import text_of
from tui.cache.records import AnswerRecord, MetaRecord, QuestionRecord, Record
from tui.cache.store import NotWriter, Store
from tui.memory import Hooks, Memory
from tui.models import ACTIVE, Conversation, ConversationSummary, ServiceName, Turn, TurnState
from tui.services.base import Page, RemoteConversation, RemoteStatus
from tui.services.errors import ServiceError
from tui.turns import TurnUpdate

LISTED: tuple[ServiceName, ...] = ("rds", "dms")
"""Services that can list conversations; DashScope's threads cannot be listed."""
PAGE = 100
MOST_PAGES = 20
"""Pages of history that are fetched when a conversation is opened: its newest 2,000 turns."""
CLOCKS = timedelta(seconds=5)
"""What the service calls later than our last word by less than this is no news."""
_STATES: Mapping[RemoteStatus, TurnState] = {"idle": "done", "running": "running", "pending_approval": "waiting"}


@dataclass
class _Listed:
    """What one service has told so far."""

    conversations: dict[str, RemoteConversation] = field(default_factory=dict)
    next: Page | None = field(default_factory=Page)


class Merging:
    """See the module."""

    def __init__(self, store: Store, memory: Memory, hooks: Hooks, recover: Callable[[str, str], None]) -> None:
        """`recover(conversation, turn)` goes on with an answer that the service is still at."""
        self._store = store
        self._memory = memory
        self._hooks = hooks
        self._recover = recover
        self._listed: dict[ServiceName, _Listed] = {}
        self._reading = asyncio.Lock()
        self._fetching: dict[str, asyncio.Task[None]] = {}

    # --- the list ------------------------------------------------------------------------------------------

    @property
    def has_more(self) -> bool:
        """A service has conversations that are not in the list yet."""
        return any(listed.next is not None for listed in self._listed.values())

    async def refresh(self) -> list[ServiceError]:
        """Ask the services for their newest conversations; what each that could not be asked said."""
        async with self._reading:
            errors = await asyncio.gather(*(self._first(name) for name in LISTED))
            await self._show()
        return [error for error in errors if error is not None]

    async def more(self) -> list[ServiceError]:
        """The next page of each service that has one."""
        async with self._reading:
            names = [name for name, listed in self._listed.items() if listed.next is not None]
            errors = await asyncio.gather(*(self._next(name, self._listed[name]) for name in names))
            await self._show()
        return [error for error in errors if error is not None]

    async def _first(self, name: ServiceName) -> ServiceError | None:
        known = self._listed.get(name)
        listed = _Listed()
        error = await self._next(name, listed)
        if error is None and known is not None:
            # The newest page anew; what was listed behind it stays, and so does the way to what follows.
            older = {key: value for key, value in known.conversations.items() if key not in listed.conversations}
            listed.conversations.update(older)
            listed.next = known.next if older else listed.next
        if error is None and listed.conversations:
            self._listed[name] = listed
        return error

    async def _next(self, name: ServiceName, listed: _Listed) -> ServiceError | None:
        try:
            service = await self._hooks.service(name)
            if not service.capabilities.history or listed.next is None:
                listed.next = None
                return None
            page = await service.conversations(replace(listed.next, limit=PAGE))
        except ServiceError as error:
            return error
        new = [item for item in page.items if item.id not in listed.conversations]
        listed.conversations.update({item.id: item for item in page.items})
        # A page that brings nothing new would be followed by itself for ever.
        listed.next = page.next if new else None
        return None

    async def _show(self) -> None:
        """Put what the services told into the list."""
        known = await self._store.remote_ids()
        lines: list[ConversationSummary] = []
        news: dict[str, tuple[TurnState, datetime | None]] = {}
        for name, listed in self._listed.items():
            for remote in listed.conversations.values():
                here = known.get((name, remote.id)) or next(
                    (key for key, held in self._memory.open.items() if held.remote_id == remote.id), None
                )
                if here is None:
                    lines.append(_line(name, remote))
                else:
                    news[here] = _STATES[remote.status], remote.updated_at
        self._memory.put_remote(lines, news)

    def _remote(self, service: ServiceName, remote_id: str) -> RemoteConversation | None:
        listed = self._listed.get(service)
        return listed.conversations.get(remote_id) if listed else None

    # --- one conversation ----------------------------------------------------------------------------------

    async def adopt(self, conversation_id: str) -> bool:
        """Open a conversation that only a service has, empty so far; False where it is no such one."""
        line = self._memory.remote_line(conversation_id)
        if line is None:
            return False
        made = await self._store.create(
            line.service, line.title, conversation_id=conversation_id, created_at=line.created_at
        )
        self._memory.open[conversation_id] = replace(made, remote_id=line.remote_id)
        return True

    async def keep(self, conversation_id: str) -> None:
        """Keep a conversation that only a service has, without its turns; nothing happens to others."""
        if conversation_id not in self._memory.open and await self.adopt(conversation_id):
            conversation = self._memory.open.pop(conversation_id)
            await self._memory.keep(conversation_id, _begin(conversation))
            await self._store.release(conversation_id)
            self._memory.put_line(conversation)

    def has_news(self, conversation: Conversation) -> bool:
        """Whether the service has said something that is not here, as far as its list tells."""
        remote = self._remote(conversation.service, conversation.remote_id) if conversation.remote_id else None
        if remote is None or conversation.read_only:
            return False
        if not conversation.turns:
            return True
        newest = max(turn.finished_at or turn.asked_at for turn in conversation.turns)
        return remote.updated_at is not None and remote.updated_at > newest + CLOCKS

    def fetch(self, conversation_id: str) -> asyncio.Task[None]:
        """Fetch what the service has of an open conversation, once at a time. The task raises ServiceError."""

        def over(task: asyncio.Task[None]) -> None:
            del self._fetching[conversation_id]
            failed = task.cancelled() or task.exception() is not None
            if failed and self._memory.remote_line(conversation_id):  # nothing of it is here: it stays there
                self._memory.open.pop(conversation_id, None)

        task = self._fetching.get(conversation_id)
        if task is None:
            task = self._fetching[conversation_id] = asyncio.create_task(
                self._fetch(conversation_id), name=f"fetch:{conversation_id}"
            )
            task.add_done_callback(over)
        return task

    async def _fetch(self, conversation_id: str) -> None:
        conversation = self._memory.open[conversation_id]
        service = await self._hooks.service(conversation.service)
        known = {turn.ids.message for turn in conversation.turns if turn.ids.message}
        fetched: list[Turn] = []
        page: Page | None = Page(limit=PAGE)
        for _number in range(MOST_PAGES):
            if page is None:
                break
            found = await service.history(conversation.remote_id, page)
            fetched = [*(replace(turn, id=turn.id or uuid.uuid4().hex) for turn in found.items), *fetched]
            page = None if any(turn.ids.message in known for turn in found.items) else found.next
        conversation = self._memory.open.get(conversation_id, conversation)
        if _is_busy(conversation):
            return
        records = list(_records(conversation, fetched))
        if self._memory.remote_line(conversation_id):
            records.insert(0, _begin(conversation))
        if records:
            with suppress(NotWriter):  # another window was quicker
                await self._store.append(conversation_id, *records)
            if not _is_busy(self._memory.open.get(conversation_id, conversation)):
                await self._store.release(conversation_id)
            await self._take(conversation_id, "\n".join(text_of(turn) for turn in fetched))

    async def _take(self, conversation_id: str, text: str) -> None:
        """Show the conversation as it is on disk now."""
        if conversation_id not in self._memory.open:
            return
        with suppress(KeyError):
            await self._memory.read_again(conversation_id)
            await self._memory.find_tags(conversation_id, text)
            self._hooks.turn_changed(TurnUpdate(conversation_id, ""))
            shown = self._memory.open[conversation_id]
            turn = shown.newest_sent
            if turn is not None and turn.state == "interrupted" and not shown.read_only:
                self._recover(conversation_id, turn.id)

    async def close(self) -> None:
        tasks = [*self._fetching.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _line(service: ServiceName, remote: RemoteConversation) -> ConversationSummary:
    updated_at = remote.updated_at or remote.created_at or datetime.fromtimestamp(0, UTC)
    created_at = remote.created_at or updated_at
    return ConversationSummary(
        id=conversation_id_of(service, remote.id, created_at),
        service=service,
        title=remote.title,
        created_at=created_at,
        updated_at=updated_at,
        remote_id=remote.id,
        state=_STATES[remote.status],
    )


def _is_busy(conversation: Conversation) -> bool:
    """Something is asked or answered here by now."""
    return any(turn.active or turn.state == "queued" for turn in conversation.turns)


def _begin(conversation: Conversation) -> MetaRecord:
    """The first record of a conversation of a service."""
    return MetaRecord(title=conversation.title, remote_id=conversation.remote_id, at=conversation.created_at)


def _records(conversation: Conversation, fetched: Sequence[Turn]) -> list[Record]:
    """What is to be written of `fetched` (oldest first): turns that are not here, each where it belongs."""
    by_message = {turn.ids.message: turn for turn in conversation.turns if turn.ids.message}
    # One that was cut off before the service named it is told by its words.
    unnamed = {turn.question.strip(): turn for turn in conversation.turns if not turn.ids.message and not turn.unsent}
    records: list[Record] = []
    before = ""
    for turn in reversed(fetched):
        here = by_message.get(turn.ids.message) or unnamed.get(turn.question.strip())
        if here is not None:
            before = here.id
            continue
        state: TurnState = "interrupted" if turn.state in ACTIVE else turn.state
        records[:0] = [
            QuestionRecord.of(turn, before=before),
            AnswerRecord(replace(turn, state=state), at=turn.finished_at or turn.asked_at),
        ]
    return records
