"""The conversations in memory and the turns in flight: the model that screens read and the app drives.

Pure asyncio: a script can use it with no terminal. What it shows is the truth; the callbacks are hints.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from tui.cache.records import AnswerRecord, MetaRecord
from tui.cache.store import NotWriter, Store
from tui.forks import fork
from tui.memory import Hooks, Memory
from tui.merging import Merging
from tui.models import ACTIVE, Conversation, ConversationSummary, Problem, ServiceName
from tui.questions import TITLE_CHARACTERS, Questions
from tui.services.base import ConversationDeleter, Page
from tui.services.errors import ServiceError
from tui.text import clean_line
from tui.windows import Windows
from tui.words import _

__all__ = ["Conversations", "Hooks"]

KEPT_OPEN = 20
"""Conversations that stay in memory after they were left."""


class Conversations:
    """All conversations: the list, those that are open, and the turns that run."""

    def __init__(self, store: Store, hooks: Hooks) -> None:
        self._store = store
        self._hooks = hooks
        self._memory = Memory(store, hooks)
        self._questions = Questions(store, self._memory, hooks)
        self._windows = Windows(
            store,
            self._memory,
            hooks,
            recover=self._questions.recover,
            unsent=self._questions.give_back,
            is_running=self._questions.is_running,
        )
        self.merging = Merging(store, self._memory, hooks, self._questions.recover)
        self._deleted: list[str] = []
        self.loaded = False
        """The list has been read from disk."""
        # What the parts offer is offered here.
        self.summaries = self._memory.summaries
        self.conversation = self._questions.conversation
        self.activity = self._questions.activity
        self.is_running = self._questions.is_running
        self.running = self._questions.running
        self.ask = self._questions.ask
        self.unqueue = self._questions.unqueue
        self.stop = self._questions.stop
        self.answer = self._questions.answer
        self.recover = self._questions.recover
        self.rate = self._questions.rate
        self.keep_turn = self._questions.keep_turn
        self.flush_now = self._questions.flush_now
        self.follow = self._windows.follow
        self.watch = self._windows.watch
        self.take_over = self._windows.take_over

    # --- reading -------------------------------------------------------------------------------------------

    async def load_list(self) -> None:
        """Read the index, again if it was read before."""
        if not self.loaded:
            # The first page at once; a long list is compared with its files only after that.
            self._memory.add(await self._store.recent())
        loop = asyncio.get_running_loop()

        def tell(found: list[ConversationSummary]) -> None:
            with suppress(RuntimeError):  # the loop ended meanwhile
                loop.call_soon_threadsafe(self._memory.add, found)

        found = await self._store.summaries(None if self.loaded else tell)
        is_first, self.loaded = not self.loaded, True
        self._memory.add(found, keep=is_first)

    async def open(self, conversation_id: str) -> Conversation:
        """Load into memory, from the service where only that has it.

        Raises:
            KeyError: there is no such conversation.
            ServiceError: only the service has it, and it could not be fetched.
        """
        if conversation_id not in self._memory.open:
            await self._load(conversation_id)
            self._forget_old(conversation_id)
        self._memory.touch(conversation_id)
        if self._memory.open[conversation_id].unread:
            await self._memory.change(conversation_id, unread=False)
        found = self.conversation(conversation_id)
        if found is None:  # deleted meanwhile
            raise KeyError(conversation_id)
        return found

    async def _load(self, conversation_id: str) -> None:
        if await self.merging.adopt(conversation_id):
            await asyncio.shield(self.merging.fetch(conversation_id))
            return
        conversation = await self._settled(await self._store.load(conversation_id))
        if conversation_id not in self._memory.open:  # another caller may have been quicker
            self._memory.open[conversation_id] = conversation
            if self.merging.has_news(conversation):
                self._hooks.spawn(f"fetch:{conversation_id}", self._fetch(conversation_id))

    async def _fetch(self, conversation_id: str) -> None:
        try:
            await self.merging.fetch(conversation_id)
        except ServiceError as error:
            self._hooks.failed(error.problem)

    async def refresh(self) -> None:
        """Read the list anew, here and from the services; what went wrong there is told."""
        await self.load_list()
        for error in await self.merging.refresh():
            self._hooks.failed(error.problem)

    async def look(self, conversation_id: str) -> Conversation:
        """A conversation as it stands, without keeping it open. Raises KeyError, and ServiceError as `open` does."""
        if self._memory.remote_line(conversation_id) is not None:
            await self.open(conversation_id)
        if conversation_id not in self._memory.open:
            conversation = await self._store.load(conversation_id)
            if conversation_id not in self._memory.open:
                await self._store.release(conversation_id)
                return conversation
        found = self.conversation(conversation_id)
        assert found is not None
        return found

    async def open_quietly(self, conversation_id: str) -> Conversation:
        """Load into memory without marking it read."""
        if conversation_id not in self._memory.open:
            conversation = await self._settled(await self._store.load(conversation_id))
            self._memory.open.setdefault(conversation_id, conversation)
        return self._memory.open[conversation_id]

    async def _settled(self, conversation: Conversation) -> Conversation:
        """Questions that were still queued when their program ended were never sent: say so, keep them as draft.

        On disk too: else they would be put into the draft again by the next start, when they have been sent by then.
        """
        unsent = [turn for turn in conversation.turns if turn.state == "queued"]
        if conversation.read_only or not unsent:
            return conversation
        problem = Problem(
            _("Not sent"),
            _("the program ended before this question was sent."),
            _("Its text is in the composer."),
            delivered="no",
        )
        ended = {
            turn.id: replace(turn, state="failed", problem=problem, finished_at=self._hooks.now()) for turn in unsent
        }
        draft = conversation.draft
        lost = [turn.question for turn in unsent if turn.question not in draft]
        draft = "\n\n".join([*lost, draft] if draft.strip() else lost)
        await self._store.set_draft(conversation.id, draft)
        await self._memory.keep(conversation.id, *map(AnswerRecord, ended.values()), sync=True)
        turns = tuple(ended.get(turn.id, turn) for turn in conversation.turns)
        return replace(conversation, turns=turns, draft=draft)

    def _forget_old(self, keep: str) -> None:
        idle = [known for known in self._memory.open if known != keep and not self.is_running(known)]
        for old in idle[: max(0, len(idle) - KEPT_OPEN)]:
            del self._memory.open[old]
            self._hooks.spawn(f"release:{old}", self._store.release(old))

    async def resume_all(self) -> list[str]:
        """Take up every answer that was in flight when its program ended; the ids of their conversations."""
        found: list[str] = []
        for summary in [s for s in self.summaries() if s.state in ACTIVE or s.state == "interrupted"]:
            with suppress(KeyError):
                conversation = await self.open_quietly(summary.id)
                turn = conversation.newest_sent
                if turn is not None and turn.state == "interrupted" and not conversation.read_only:
                    self.recover(summary.id, turn.id)
                    found.append(summary.id)
        return found

    # --- changing ------------------------------------------------------------------------------------------

    async def create(self, service: ServiceName, options: Mapping[str, str] | None = None) -> str:
        conversation = await self._store.create(service, options=options or {})
        self._memory.open[conversation.id] = conversation
        return conversation.id

    async def adopt(self, service: ServiceName, remote_id: str, options: Mapping[str, str]) -> str:
        """A conversation for what a service has under an id that it does not list; the one that is here, if any.

        Raises:
            ServiceError: it has none, or it cannot be fetched.
        """
        here = (await self._store.remote_ids()).get((service, remote_id))
        if here is None:
            await (await self._hooks.service(service)).history(remote_id, Page(limit=1))
            here = (await self._store.create(service, options=options)).id
            await self._store.append(here, MetaRecord(remote_id=remote_id))
        elif self._memory.summary(here) is None:  # in the trash
            await self._store.restore(here)
        if not (await self.open(here)).turns:  # perhaps it could not be fetched the last time
            await self.merging.fetch(here)
        self._memory.put_line(self._memory.open[here])
        return here

    async def fork(self, conversation_id: str, turn_id: str) -> str:
        """A new conversation with the turns before `turn_id`; see `tui.forks`. It must be open. Raises KeyError."""
        return await fork(self._store, self._memory, self._memory.open[conversation_id], turn_id)

    async def rename(self, conversation_id: str, title: str) -> None:
        await self._change(conversation_id, title=clean_line(title, TITLE_CHARACTERS * 2))

    async def pin(self, conversation_id: str, pinned: bool) -> None:
        await self._change(conversation_id, pinned=pinned)

    async def archive(self, conversation_id: str, archived: bool) -> None:
        """Out of the list, or back into it; search finds it all the same."""
        await self._change(conversation_id, archived=archived)

    async def _change(self, conversation_id: str, **changes: Any) -> None:
        """Change what the user wants changed; why that cannot be is told, and nothing is shown that is not kept."""
        await self.merging.keep(conversation_id)
        try:
            await self._memory.change_or_raise(conversation_id, **changes)
        except (NotWriter, KeyError) as error:
            self._hooks.failed(_not_kept(_("Not changed"), error))

    async def change_tags(self, conversation_id: str, add: Sequence[str], remove: Sequence[str]) -> None:
        """Give tags and take some off; those that were found in the text do not come back by themselves."""
        await self.merging.keep(conversation_id)
        try:
            conversation = await self.open_quietly(conversation_id)
        except KeyError as error:
            self._hooks.failed(_not_kept(_("Not changed"), error))
            return
        tags = dict.fromkeys([*conversation.tags, *add])
        untagged = dict.fromkeys([*conversation.untagged, *remove])
        await self._change(
            conversation_id,
            tags=tuple(tag for tag in tags if tag not in remove),
            untagged=tuple(tag for tag in untagged if tag not in add),
        )

    async def mark_unread(self, conversation_id: str) -> None:
        await self._memory.change(conversation_id, unread=True)

    async def set_options(self, conversation_id: str, options: Mapping[str, str]) -> None:
        await self._change(conversation_id, options=dict(options))

    def hold_draft(self, conversation_id: str, text: str) -> None:
        """Note what is in the composer of an open conversation; writing it is the owner's."""
        conversation = self._memory.open.get(conversation_id)
        if conversation is not None and conversation.draft != text:
            self._memory.open[conversation_id] = replace(conversation, draft=text)

    async def delete(self, conversation_ids: Sequence[str]) -> list[str]:
        """Into the trash; the ids of those that could be. A running answer is stopped. What cannot be is told."""
        deleted: list[str] = []
        for conversation_id in conversation_ids:
            await self.merging.keep(conversation_id)
            try:
                await self._store.delete(conversation_id)
            except NotWriter as error:
                self._hooks.failed(_not_kept(_("Not deleted"), error))
                continue
            except KeyError:  # somebody took the file away
                pass
            self._questions.abandon(conversation_id)
            self._memory.forget(conversation_id)
            deleted.append(conversation_id)
        self._deleted += deleted
        self._memory.list_changed()
        return deleted

    async def delete_there(self, conversation_ids: Sequence[str]) -> int:
        """Delete conversations on their services, for good; how many that were. What fails is told."""
        count = 0
        for conversation_id in conversation_ids:
            summary = self._memory.summary(conversation_id)
            if summary is None or not summary.remote_id:
                continue
            try:
                service = await self._hooks.service(summary.service)
                if isinstance(service, ConversationDeleter) and service.can_delete(summary.remote_id):
                    await service.delete_conversation(summary.remote_id)
                    count += 1
            except ServiceError as error:
                self._hooks.failed(error.problem)
        return count

    async def undo_delete(self) -> str:
        """Take back the newest deletion of this run; the title, or "" when there is none. Why not is told."""
        if not self._deleted:
            return ""
        conversation_id = self._deleted.pop()
        try:
            await self._store.restore(conversation_id)
            conversation = await self.open(conversation_id)
        except (NotWriter, KeyError) as error:
            self._hooks.failed(_not_kept(_("Not taken back"), error))
            return ""
        self._memory.put_line(conversation)
        return conversation.title or _("untitled")

    async def close(self) -> None:
        """Wait until turns whose tasks were cancelled have written what they held."""
        await self.merging.close()
        await self._questions.close()


def _not_kept(title: str, error: NotWriter | KeyError) -> Problem:
    if isinstance(error, NotWriter):
        return Problem(title, str(error), _("Close it there, or take it over here."), delivered="no")
    return Problem(title, _("This conversation is not there any more."), delivered="no")
