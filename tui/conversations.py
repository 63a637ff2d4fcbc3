"""The conversations in memory and the turns in flight: the model that screens read and the app drives.

Pure asyncio: a script can use it with no terminal. What it shows is the truth; the callbacks are hints.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tui.accumulator import LiveTurn
from tui.cache.records import AnswerRecord, FeedbackRecord, MetaRecord, QuestionRecord, Record
from tui.cache.store import NotWriter, Store
from tui.models import ACTIVE, AskBlock, Conversation, ConversationSummary, Position, Problem, Rating, ServiceName, Turn
from tui.services.base import AnswerRequest, AskReply, ConversationService, TurnRequest
from tui.services.errors import ServiceError
from tui.text import clean, clean_line
from tui.turns import (
    RECOVERY_PAUSES,
    RunningTurn,
    TurnActivity,
    TurnUpdate,
    line_was_lost,
    open_ask,
    reference,
    run_turn,
)
from tui.words import _

TITLE_CHARACTERS = 60
KEPT_OPEN = 20
"""Conversations that stay in memory after they were left."""


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
    seconds: Callable[[], float] = lambda: asyncio.get_running_loop().time()
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    failed: Callable[[Problem], None] = lambda _problem: None
    """Something went wrong that no turn tells of."""
    pauses: Sequence[float] = RECOVERY_PAUSES


@dataclass(frozen=True, slots=True)
class _StoreJournal:
    """One conversation's journal in the store."""

    store: Store
    conversation_id: str

    async def append(self, *records: Record, sync: bool = False) -> None:
        await self.store.append(self.conversation_id, *records, sync=sync)

    def append_now(self, *records: Record) -> None:
        self.store.append_now(self.conversation_id, *records)


class Conversations:
    """All conversations: the list, those that are open, and the turns that run."""

    def __init__(self, store: Store, hooks: Hooks) -> None:
        self._store = store
        self._hooks = hooks
        self._open: dict[str, Conversation] = {}
        self._running: dict[str, RunningTurn] = {}
        self._working: set[str] = set()
        self._summaries: dict[str, ConversationSummary] = {}
        self._sorted: list[ConversationSummary] | None = None
        self._deleted: list[str] = []
        self.loaded = False
        """The list has been read from disk."""

    # --- reading -------------------------------------------------------------------------------------------

    async def load_list(self) -> None:
        """Read the index, again if it was read before; what is open here is known better than on disk."""
        if not self.loaded:
            # The first page at once; a long list is compared with its files only after that.
            self._summaries = {summary.id: summary for summary in await self._store.recent()} | self._summaries
            self._sorted = None
            self._hooks.list_changed("")
        found = {summary.id: summary for summary in await self._store.summaries()}
        here = {key: summary for key, summary in self._summaries.items() if not self.loaded or key in self._open}
        self._summaries = found | here
        self._sorted = None
        self.loaded = True
        self._hooks.list_changed("")

    def summaries(self) -> Sequence[ConversationSummary]:
        """Pinned first, then newest first; the same list object until something changes."""
        if self._sorted is None:
            self._sorted = sorted(
                self._summaries.values(), key=lambda summary: (summary.pinned, summary.updated_at), reverse=True
            )
        return self._sorted

    def conversation(self, conversation_id: str) -> Conversation | None:
        """The conversation as it stands, running turn included; None when it is not open."""
        conversation = self._open.get(conversation_id)
        running = self._running.get(conversation_id)
        if conversation is not None and running is not None:
            turn = running.live.snapshot()
            for index in range(len(conversation.turns) - 1, -1, -1):
                held = conversation.turns[index]
                if held.id == turn.id:
                    if held is not turn:
                        turns = (*conversation.turns[:index], turn, *conversation.turns[index + 1 :])
                        conversation = self._open[conversation_id] = replace(conversation, turns=turns)
                    break
        return conversation

    def activity(self, conversation_id: str) -> TurnActivity | None:
        running = self._running.get(conversation_id)
        if running is None:
            return None
        return replace(running.activity, queued=len(self._queued(conversation_id)))

    def is_running(self, conversation_id: str) -> bool:
        return conversation_id in self._working

    def running(self) -> list[str]:
        """Ids of the conversations in which a turn runs."""
        return sorted(self._working)

    async def open(self, conversation_id: str) -> Conversation:
        """Load into memory. Raises KeyError when there is no such conversation."""
        if conversation_id not in self._open:
            conversation = await self._store.load(conversation_id)
            if conversation_id not in self._open:  # another caller may have been quicker
                self._open[conversation_id] = self._settle(conversation)
                self._forget_old(conversation_id)
        conversation = self._open[conversation_id] = self._open.pop(conversation_id)
        if conversation.unread:
            await self._change(conversation_id, unread=False)
        found = self.conversation(conversation_id)
        assert found is not None
        return found

    def _settle(self, conversation: Conversation) -> Conversation:
        """Questions that were still queued when their program ended were never sent: say so, keep them as draft."""
        if conversation.read_only:
            return conversation
        unsent = [turn for turn in conversation.turns if turn.state == "queued"]
        if not unsent:
            return conversation
        problem = Problem(
            _("Not sent"),
            _("the program ended before this question was sent."),
            _("Its text is in the composer."),
            delivered="no",
        )
        turns = tuple(
            replace(turn, state="failed", problem=problem, finished_at=self._hooks.now()) if turn in unsent else turn
            for turn in conversation.turns
        )
        draft = conversation.draft or "\n\n".join(turn.question for turn in unsent)
        return replace(conversation, turns=turns, draft=draft)

    def _forget_old(self, keep: str) -> None:
        idle = [known for known in self._open if known != keep and known not in self._working]
        for old in idle[: max(0, len(idle) - KEPT_OPEN)]:
            del self._open[old]
            self._hooks.spawn(f"release:{old}", self._store.release(old))

    # --- changing ------------------------------------------------------------------------------------------

    async def create(self, service: ServiceName, options: Mapping[str, str] | None = None) -> str:
        conversation = await self._store.create(service, options=options or {})
        self._open[conversation.id] = conversation
        return conversation.id

    async def _change(self, conversation_id: str, **changes: Any) -> None:
        """Change what is kept of a conversation as such: title, pinned, unread, tags ..."""
        conversation = self._open.get(conversation_id)
        if conversation is not None:
            self._open[conversation_id] = replace(conversation, **changes)
        if conversation_id in self._summaries:
            self._summaries[conversation_id] = replace(self._summaries[conversation_id], **changes)
            self._sorted = None
        with suppress(NotWriter):
            await self._store.append(conversation_id, MetaRecord(**changes))
        self._hooks.list_changed(conversation_id)

    async def rename(self, conversation_id: str, title: str) -> None:
        await self._change(conversation_id, title=clean_line(title, TITLE_CHARACTERS * 2))

    async def pin(self, conversation_id: str, pinned: bool) -> None:
        await self._change(conversation_id, pinned=pinned)

    async def mark_unread(self, conversation_id: str) -> None:
        await self._change(conversation_id, unread=True)

    async def set_options(self, conversation_id: str, options: Mapping[str, str]) -> None:
        await self._change(conversation_id, options=dict(options))

    async def delete(self, conversation_ids: Sequence[str]) -> None:
        """Into the trash; a running turn is left to the service."""
        for conversation_id in conversation_ids:
            if running := self._running.get(conversation_id):
                running.stop_wanted.set()
            await self._store.delete(conversation_id)
            self._open.pop(conversation_id, None)
            self._summaries.pop(conversation_id, None)
            self._deleted.append(conversation_id)
        self._sorted = None
        self._hooks.list_changed("")

    async def undo_delete(self) -> str:
        """Take back the newest deletion of this run; the title, or "" when there is none."""
        if not self._deleted:
            return ""
        conversation_id = self._deleted.pop()
        await self._store.restore(conversation_id)
        conversation = await self.open(conversation_id)
        self._list(conversation)
        return conversation.title or _("untitled")

    def _list(self, conversation: Conversation) -> None:
        self._summaries[conversation.id] = conversation.summary()
        self._sorted = None
        self._hooks.list_changed(conversation.id)

    def _put_turn(self, conversation_id: str, turn: Turn) -> None:
        """Put a turn in its place, or at the end."""
        conversation = self._open[conversation_id]
        turns = tuple(turn if held.id == turn.id else held for held in conversation.turns)
        if turn not in turns:
            turns = (*turns, turn)
        self._open[conversation_id] = replace(conversation, turns=turns, updated_at=self._hooks.now())
        self._list(self._open[conversation_id])

    # --- turns ---------------------------------------------------------------------------------------------

    def ask(self, conversation_id: str, text: str) -> Turn:
        """Add the question, and send it when no turn runs in this conversation. The conversation must be open."""
        turn = Turn(id=uuid.uuid4().hex, question=clean(text), asked_at=self._hooks.now())
        self._put_turn(conversation_id, turn)
        self._hooks.spawn(f"turn:{conversation_id}:{turn.id}", self._store_and_work(conversation_id, turn))
        return turn

    async def _store_and_work(self, conversation_id: str, turn: Turn) -> None:
        try:
            conversation = self._open[conversation_id]
            records: list[Any] = [QuestionRecord(turn.id, turn.asked_at, turn.question)]
            if not conversation.title:
                title = clean_line(turn.question, TITLE_CHARACTERS)
                self._open[conversation_id] = replace(self._open[conversation_id], title=title)
                self._list(self._open[conversation_id])
                records.append(MetaRecord(title=title))
            await self._store.append(conversation_id, *records, sync=True)
        except NotWriter as error:
            problem = Problem(_("Not sent"), str(error), _("Close it there, or take it over here."), delivered="no")
            self._end_unsent(conversation_id, turn, problem)
            return
        await self._work(conversation_id)

    def _queued(self, conversation_id: str) -> list[Turn]:
        conversation = self._open.get(conversation_id)
        return [turn for turn in conversation.turns if turn.state == "queued"] if conversation else []

    async def _work(self, conversation_id: str) -> None:
        """Run the queued turns of a conversation, one after the other; none while the service waits for an answer."""
        if conversation_id in self._working or self._is_held_up(conversation_id):
            return
        self._working.add(conversation_id)
        try:
            while queued := self._queued(conversation_id):
                ended = await self._run(conversation_id, queued[0])
                if ended.state == "failed":
                    self._give_back_queued(conversation_id, ended)
                    return
                if ended.state == "waiting":
                    return
        finally:
            self._working.discard(conversation_id)
            self._hooks.list_changed(conversation_id)

    def _is_held_up(self, conversation_id: str) -> bool:
        """True while a question would be taken for the answer to what the service asks."""
        conversation = self._open.get(conversation_id)
        turn = _newest_sent(conversation) if conversation else None
        return turn is not None and turn.state == "waiting" and turn.position is not None

    async def _run(
        self,
        conversation_id: str,
        turn: Turn,
        *,
        recover: bool = False,
        answer: tuple[AskBlock, AskReply] | None = None,
    ) -> Turn:
        """Run one turn: its question, what is left of it (`recover`), or the answer to what it waits for."""
        hooks = self._hooks
        live = LiveTurn(turn, seconds=hooks.seconds, now=hooks.now)

        def changed() -> None:
            hooks.turn_changed(TurnUpdate(conversation_id, turn.id))

        running = RunningTurn(live, hooks.seconds, changed)
        self._running[conversation_id] = running
        journal = _StoreJournal(self._store, conversation_id)
        try:
            conversation = self._open[conversation_id]
            if recover or answer:
                live.reopen()
            self._put_turn(conversation_id, live.snapshot())
            service = await hooks.service(conversation.service)
            options = {**hooks.options(conversation.service), **conversation.options}
            request: TurnRequest | AnswerRequest | None = None
            if answer:
                request = AnswerRequest(reference(turn), *answer, options, turn.id)
            elif not recover:
                position = _position_before(conversation, turn)
                request = TurnRequest(turn.question, _remote_id(conversation), options, turn.id, position)
            ended = await run_turn(running, service, request, journal, pauses=hooks.pauses)
        except ServiceError as error:  # the service cannot be had: nothing was sent
            if answer:
                hooks.failed(error.problem)
                ended = turn
            else:
                ended = replace(live.snapshot(), state="failed", problem=error.problem, finished_at=hooks.now())
            await journal.append(AnswerRecord(ended), sync=True)
        except NotWriter:
            ended = live.snapshot()
        finally:
            del self._running[conversation_id]
            running.over.set()
        if conversation_id not in self._open:  # deleted meanwhile
            return ended
        if ended.ids.conversation and ended.ids.conversation != self._open[conversation_id].remote_id:
            await self._change(conversation_id, remote_id=ended.ids.conversation)
        self._put_turn(conversation_id, ended)
        hooks.turn_changed(TurnUpdate(conversation_id, turn.id, ended=True, put_back=_to_put_back(ended)))
        return ended

    def _end_unsent(self, conversation_id: str, turn: Turn, problem: Problem) -> None:
        ended = replace(turn, state="failed", problem=problem, finished_at=self._hooks.now())
        self._put_turn(conversation_id, ended)
        self._hooks.spawn(f"keep:{turn.id}", self._keep(conversation_id, AnswerRecord(ended)))
        self._hooks.turn_changed(TurnUpdate(conversation_id, turn.id, ended=True, put_back=turn.question))

    async def _keep(self, conversation_id: str, record: Record) -> None:
        with suppress(NotWriter):
            await self._store.append(conversation_id, record, sync=True)

    def _give_back_queued(self, conversation_id: str, failed: Turn) -> None:
        problem = Problem(
            _("Not sent"),
            _("the question before it failed."),
            _("Its text is in the composer; Enter sends it."),
            delivered="no",
        )
        queued = self._queued(conversation_id)
        for turn in queued:
            self._end_unsent(conversation_id, turn, problem)

    def unqueue(self, conversation_id: str, turn_id: str) -> None:
        """Take back a queued question, its text too; nothing happens when it runs already."""
        for turn in self._queued(conversation_id):
            if turn.id == turn_id:
                problem = Problem(_("Not sent"), _("you took this question back."), delivered="no")
                self._end_unsent(conversation_id, turn, problem)

    def stop(self, conversation_id: str) -> bool:
        """Ask the running turn to stop; False when none runs."""
        running = self._running.get(conversation_id)
        if running is None:
            return False
        if not running.stop_wanted.is_set():
            running.stop_wanted.set()
            running.live.set_state("stopping")
            running.changed()
        return True

    def answer(self, conversation_id: str, ask_id: str, reply: AskReply) -> bool:
        """Answer what the newest turn waits for, once; False where it no longer waits for that. Must be open."""
        conversation = self._open.get(conversation_id)
        turn = _newest_sent(conversation) if conversation else None
        ask = open_ask(turn) if turn is not None else None
        if conversation is None or turn is None or ask is None or ask.ask_id != ask_id:
            return False
        if conversation.read_only or conversation_id in self._working:
            return False
        self._working.add(conversation_id)  # now, so that a second key finds it answered
        work = self._answer(conversation_id, turn, ask, reply)
        self._hooks.spawn(f"turn:{conversation_id}:{turn.id}", work)
        return True

    async def _answer(self, conversation_id: str, turn: Turn, ask: AskBlock, reply: AskReply) -> None:
        try:
            await self._run(conversation_id, turn, answer=(ask, reply))
        finally:
            self._working.discard(conversation_id)
            self._hooks.list_changed(conversation_id)
        await self._work(conversation_id)

    def recover(self, conversation_id: str, turn_id: str) -> None:
        """Look for the rest of a turn on the service; nothing happens while another turn runs. Must be open."""
        conversation = self._open.get(conversation_id)
        turn = next((turn for turn in conversation.turns if turn.id == turn_id), None) if conversation else None
        if turn is None or conversation_id in self._working:
            return
        self._hooks.spawn(f"turn:{conversation_id}:{turn_id}", self._recover(conversation_id, turn))

    async def _recover(self, conversation_id: str, turn: Turn) -> None:
        if conversation_id in self._working:
            return
        self._working.add(conversation_id)
        try:
            await self._run(conversation_id, turn, recover=True)
        finally:
            self._working.discard(conversation_id)
        await self._work(conversation_id)

    async def resume_all(self) -> int:
        """Take up every answer that was in flight when its program ended; how many there are."""
        count = 0
        for summary in [s for s in self.summaries() if s.state in ACTIVE or s.state == "interrupted"]:
            with suppress(KeyError):
                conversation = await self.open_quietly(summary.id)
                turn = conversation.turns[-1] if conversation.turns else None
                if turn is not None and turn.state == "interrupted" and not conversation.read_only:
                    self.recover(summary.id, turn.id)
                    count += 1
        return count

    async def open_quietly(self, conversation_id: str) -> Conversation:
        """Load into memory without marking it read."""
        if conversation_id not in self._open:
            conversation = await self._store.load(conversation_id)
            self._open.setdefault(conversation_id, self._settle(conversation))
        return self._open[conversation_id]

    def hold_draft(self, conversation_id: str, text: str) -> None:
        """Note what is in the composer of an open conversation; writing it is the owner's."""
        if (conversation := self._open.get(conversation_id)) is not None and conversation.draft != text:
            self._open[conversation_id] = replace(conversation, draft=text)

    async def take_over(self, conversation_id: str) -> bool:
        """Become the writer; False when the other window holds on to it."""
        if not await self._store.take_over(conversation_id):
            return False
        self._open.pop(conversation_id, None)
        await self.open(conversation_id)
        return True

    async def follow(self, conversation_id: str, seconds: float = 1.0) -> None:
        """Show what another window writes to a conversation, for as long as it is open here and read-only."""
        while (held := self._open.get(conversation_id)) is not None and held.read_only:
            await asyncio.sleep(seconds)
            if not await self._store.has_changed(conversation_id):
                continue
            conversation = await self._store.load(conversation_id)
            if conversation_id not in self._open:
                return
            self._open[conversation_id] = conversation
            self._list(conversation)
            for turn in conversation.turns[-2:]:
                self._hooks.turn_changed(TurnUpdate(conversation_id, turn.id))

    def flush_now(self) -> None:
        """Write what running turns hold in memory, at once and without the loop: the program is told to end."""
        for running in self._running.values():
            if running.flush_now is not None:
                running.flush_now()

    async def close(self, patience: float = 1.0) -> None:
        """Wait until turns whose tasks were cancelled have written what they held."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(run.over.wait() for run in [*self._running.values()])), patience)

    async def rate(self, conversation_id: str, turn_id: str, rating: Rating, comment: str) -> None:
        """Rate an answer, on the service first. Raises ServiceError."""
        conversation = self._open[conversation_id]
        turn = next(turn for turn in conversation.turns if turn.id == turn_id)
        service = await self._hooks.service(conversation.service)
        await service.feedback(turn.ids, rating, comment)
        await self._store.append(conversation_id, FeedbackRecord(turn_id, rating, comment))
        self._put_turn(conversation_id, replace(turn, rating=rating))
        self._hooks.turn_changed(TurnUpdate(conversation_id, turn_id))


def _remote_id(conversation: Conversation) -> str:
    """The service's id; a program that was killed may have kept it with a turn only."""
    return conversation.remote_id or next(
        (turn.ids.conversation for turn in reversed(conversation.turns) if turn.ids.conversation), ""
    )


def _newest_sent(conversation: Conversation) -> Turn | None:
    """The newest turn that is not queued."""
    return next((turn for turn in reversed(conversation.turns) if turn.state != "queued"), None)


def _position_before(conversation: Conversation, turn: Turn) -> Position | None:
    """Where the service's stream stands after the turns before this one; None where that is not known."""
    known: Position | None = None
    for held in conversation.turns:
        if held.id == turn.id:
            break
        known = held.position or known
    return known


def _to_put_back(turn: Turn) -> str:
    """The question, when it failed without an answer and may be asked again without being asked twice unknowingly."""
    if turn.state != "failed" or turn.problem is None or turn.blocks:
        return ""
    return turn.question if turn.problem.delivered != "yes" or line_was_lost(turn.problem) else ""
