"""The turns in flight: questions that are stored, sent one after the other, stopped, answered and recovered."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from tui.cache.matching import text_of
from tui.cache.records import AnswerRecord, FeedbackRecord, MetaRecord, QuestionRecord
from tui.cache.store import NotWriter, Store
from tui.memory import Hooks, Memory, StoreJournal
from tui.models import AskBlock, Conversation, FileBlock, Position, Problem, Rating, Turn
from tui.services.accumulator import LiveTurn
from tui.services.base import AnswerRequest, AskReply, TurnRequest
from tui.services.dms_options import read_data
from tui.services.errors import ServiceError
from tui.text import clean, clean_line
from tui.turns import RunningTurn, TurnActivity, TurnUpdate, line_was_lost, open_ask, reference, run_turn
from tui.words import _

TITLE_CHARACTERS = 60
SAID_FOR = 10.0
"""Seconds for which a notice of why answers cannot be fetched stands for all of them."""


class Questions:
    """The turns of all open conversations, one at a time in each."""

    def __init__(self, store: Store, memory: Memory, hooks: Hooks) -> None:
        self._store = store
        self._memory = memory
        self._hooks = hooks
        self._running: dict[str, RunningTurn] = {}
        self._working: set[str] = set()
        self._own_options: dict[str, Mapping[str, str]] = {}
        """By turn: what goes with this question alone."""
        self._asked_here: set[str] = set()
        """Turns that may be sent from here; what another window queued never is."""
        self._said: tuple[Problem | None, float] = (None, 0.0)

    def conversation(self, conversation_id: str) -> Conversation | None:
        """The conversation as it stands, running turn included; None when it is not open."""
        conversation = self._memory.open.get(conversation_id)
        running = self._running.get(conversation_id)
        if conversation is not None and running is not None:
            turn = running.live.snapshot()
            for index in range(len(conversation.turns) - 1, -1, -1):
                held = conversation.turns[index]
                if held.id == turn.id:
                    if held is not turn:
                        turns = (*conversation.turns[:index], turn, *conversation.turns[index + 1 :])
                        conversation = self._memory.open[conversation_id] = replace(conversation, turns=turns)
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

    def ask(self, conversation_id: str, text: str, options: Mapping[str, str] | None = None) -> Turn:
        """Add the question, and send it when no turn runs in this conversation. The conversation must be open.

        `options` go with this question alone, beside those of the conversation; such a one goes before queued ones.
        """
        attached = _attached(self._memory.open[conversation_id])
        turn = Turn(uuid.uuid4().hex, clean(text), self._hooks.now(), attachments=attached)
        if options:
            self._own_options[turn.id] = dict(options)
        self._asked_here.add(turn.id)
        self._memory.put_turn(conversation_id, turn)
        self._hooks.spawn(f"turn:{conversation_id}:{turn.id}", self._store_and_work(conversation_id, turn))
        return turn

    async def _store_and_work(self, conversation_id: str, turn: Turn) -> None:
        conversation = self._memory.open.get(conversation_id)
        if conversation is None:  # deleted before it was stored
            return
        try:
            own = self._own_options.get(turn.id, {})
            records: list[Any] = [replace(QuestionRecord.of(turn), options=own)]
            if not conversation.title:
                title = clean_line(turn.question, TITLE_CHARACTERS)
                self._memory.show_change(conversation_id, title=title)
                records.append(MetaRecord(title=title))
            await self._store.append(conversation_id, *records, sync=True)
        except NotWriter as error:
            problem = Problem(_("Not sent"), str(error), _("Close it there, or take it over here."), delivered="no")
            if conversation_id in self._memory.open:
                self._end_unsent(conversation_id, turn, problem, turn.question)
            return
        if await self._catch_up(conversation_id, turn):
            await self._memory.find_tags(conversation_id, turn.question)
            await self._work(conversation_id)

    def _queued(self, conversation_id: str, *, here: bool = True) -> list[Turn]:
        """What waits to be sent from here, or what another window left."""
        conversation = self._memory.open.get(conversation_id)
        queued = [turn for turn in conversation.turns if turn.state == "queued"] if conversation else []
        queued = [turn for turn in queued if (turn.id in self._asked_here) is here]
        return sorted(queued, key=lambda turn: turn.id not in self._own_options)

    async def _catch_up(self, conversation_id: str, turn: Turn, *, put_back: str = "", began: bool = False) -> bool:
        """Take in what other windows wrote, before anything is sent behind it; False where one writes now.

        That is told then, and `turn` ends here, with `put_back`; `began`: it was sent before.
        """
        if conversation_id not in self._memory.open:  # deleted meanwhile
            return False
        try:
            if await self._memory.catch_up(conversation_id):
                self._hooks.turn_changed(TurnUpdate(conversation_id, ""))
        except NotWriter as error:
            await self._lose(TurnUpdate(conversation_id, turn.id, ended=True, put_back=put_back), error, began=began)
            return False
        return conversation_id in self._memory.open

    async def _lose(self, update: TurnUpdate, error: NotWriter, *, began: bool) -> None:
        """Another window writes to the conversation: say so, and show what is there in place of what was here."""
        self._asked_here.discard(update.turn_id)  # the other window gives it back to the user, or goes on with it
        if began:
            remedy = _("The other window goes on with this answer; what it writes is shown here.")
            self._hooks.failed(Problem(_("Taken over elsewhere"), str(error), remedy))
        else:
            remedy = _("Close it there, or take it over here.")
            self._hooks.failed(Problem(_("Not sent"), str(error), remedy, delivered="no"))
        with suppress(KeyError):
            await self._memory.read_again(update.conversation_id)
        self._hooks.turn_changed(TurnUpdate(update.conversation_id, ""))
        self._hooks.turn_changed(update)

    async def _work(self, conversation_id: str) -> None:
        """Run the queued turns of a conversation, one after the other; none while the service waits for an answer."""
        if conversation_id in self._working or self._is_held_up(conversation_id):
            return
        self._working.add(conversation_id)
        try:
            while queued := self._queued(conversation_id):
                if not await self._catch_up(conversation_id, queued[0]) or self._is_held_up(conversation_id):
                    return
                if left := self._queued(conversation_id, here=False):
                    self.give_back(conversation_id, left)
                if not (queued := self._queued(conversation_id)):  # taken back meanwhile
                    return
                ended = await self._run(conversation_id, queued[0])
                if ended is None or ended.state in ("failed", "waiting"):
                    return
        finally:
            self._working.discard(conversation_id)
            self._hooks.list_changed(conversation_id)

    def _is_held_up(self, conversation_id: str) -> bool:
        """True while a question would be taken for the answer to what the service asks, or cross an open round."""
        conversation = self._memory.open.get(conversation_id)
        turn = conversation.newest_sent if conversation else None
        if turn is None or turn.state != "waiting":
            return False
        ask = open_ask(turn)
        return turn.position is not None or (ask is not None and ask.kind in ("approval", "tool_outputs"))

    async def _run(
        self,
        conversation_id: str,
        turn: Turn,
        *,
        recover: bool = False,
        answer: tuple[AskBlock, AskReply] | None = None,
    ) -> Turn | None:
        """Run one turn: its question, what is left of it (`recover`), or the answer to what it waits for.

        None where another window took the conversation over.
        """
        hooks = self._hooks
        live = LiveTurn(turn, seconds=hooks.seconds, now=hooks.now)

        update = TurnUpdate(conversation_id, turn.id)
        running = RunningTurn(live, hooks.seconds, lambda: hooks.turn_changed(update))
        self._running[conversation_id] = running
        journal = StoreJournal(self._store, conversation_id)
        lost: NotWriter | None = None
        put_back: list[str] = []
        try:
            conversation = self._memory.open[conversation_id]
            if recover or answer:
                live.reopen()
            else:
                live.set_state("sending")  # from here on it can be stopped, and no longer be taken back
            self._memory.put_turn(conversation_id, live.snapshot())
            service = await hooks.service(conversation.service)
            own = self._own_options.pop(turn.id, {})
            usual, enforced = hooks.options(conversation.service), hooks.enforced(conversation.service)
            options = {**usual, **conversation.options, **own, **enforced}
            request: TurnRequest | AnswerRequest | None = None
            if answer:
                history = _turns_before(conversation, turn)
                request = AnswerRequest(reference(turn), *answer, options, turn.id, history)
            elif not recover:
                position = _position_before(conversation, turn)
                history = _turns_before(conversation, turn)
                request = TurnRequest(turn.question, _remote_id(conversation), options, turn.id, position, history)
            ended = await run_turn(running, service, request, journal, pauses=hooks.pauses)
        except ServiceError as error:  # the service cannot be had: nothing was sent now
            if answer or recover:  # but before: the turn stays what it was
                ended = turn
                put_back = [answer[1].text] if answer else []
                self._say(error.problem, again=answer is not None)
            else:
                ended = replace(live.snapshot(), state="failed", problem=error.problem, finished_at=hooks.now())
                await self._memory.keep(conversation_id, AnswerRecord(ended), sync=True)
        except NotWriter as error:
            lost = error
            ended = replace(live.snapshot(), state="interrupted") if journal.began else turn
            put_back = [answer[1].text] if answer and not journal.began else []
        finally:
            del self._running[conversation_id]
            running.over.set()
        if conversation_id not in self._memory.open:  # deleted meanwhile
            return ended
        self._memory.put_turn(conversation_id, ended)  # at once: who sees that nothing runs any more reads it
        if lost is not None:
            update = TurnUpdate(conversation_id, turn.id, ended=True, put_back="".join(put_back))
            await self._lose(update, lost, began=journal.began or recover)
            return None
        if ended.ids.conversation and ended.ids.conversation != self._memory.open[conversation_id].remote_id:
            await self._memory.change(conversation_id, remote_id=ended.ids.conversation)
        if ended is not turn:
            put_back.append(_to_put_back(ended))
        if ended.state == "failed" and not (recover or answer):
            # In one text, in the order in which they were asked.
            put_back += self._take_back_queued(conversation_id)
        together = "\n\n".join(text for text in put_back if text)
        hooks.turn_changed(TurnUpdate(conversation_id, turn.id, ended=True, put_back=together))
        await self._memory.find_tags(conversation_id, text_of(ended))
        return ended

    def _say(self, problem: Problem, *, again: bool) -> None:
        """Tell why answers cannot be had, of several at the same time once unless it is to be said `again`."""
        said, at = self._said
        if again or problem != said or self._hooks.seconds() - at > SAID_FOR:
            self._said = problem, self._hooks.seconds()
            self._hooks.failed(problem)

    def _end_unsent(self, conversation_id: str, turn: Turn, problem: Problem, put_back: str) -> None:
        ended = replace(turn, state="failed", problem=problem, finished_at=self._hooks.now())
        self._memory.put_turn(conversation_id, ended)
        self._hooks.spawn(f"keep:{turn.id}", self._memory.keep(conversation_id, AnswerRecord(ended), sync=True))
        self._hooks.turn_changed(TurnUpdate(conversation_id, turn.id, ended=True, put_back=put_back))

    def _take_back_queued(self, conversation_id: str) -> list[str]:
        """End what is queued behind a question that failed; the texts, for the composer."""
        remedy = _("Its text is in the composer; Enter sends it.")
        problem = Problem(_("Not sent"), _("the question before it failed."), remedy, delivered="no")
        queued = self._queued(conversation_id)
        for turn in queued:
            self._end_unsent(conversation_id, turn, problem, "")
        return [turn.question for turn in queued]

    def give_back(self, conversation_id: str, turns: Sequence[Turn]) -> None:
        """End questions that were queued in another window: they are not sent from here by themselves."""
        remedy = _("Its text is in the composer; Enter sends it.")
        problem = Problem(_("Not sent"), _("another window had queued it."), remedy, delivered="no")
        for turn in reversed(turns):  # each goes before what is in the composer
            self._end_unsent(conversation_id, turn, problem, turn.question)

    def unqueue(self, conversation_id: str, turn_id: str) -> None:
        """Take back a queued question, its text too; nothing happens when it runs already."""
        for turn in self._queued(conversation_id):
            if turn.id == turn_id:
                problem = Problem(_("Not sent"), _("you took this question back."), delivered="no")
                self._end_unsent(conversation_id, turn, problem, turn.question)

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

    def abandon(self, conversation_id: str) -> None:
        """The conversation is deleted: its answer is no longer wanted."""
        if running := self._running.get(conversation_id):
            running.stop_wanted.set()

    def answer(self, conversation_id: str, ask_id: str, reply: AskReply) -> bool:
        """Answer what the newest turn waits for, once; False where it no longer waits for that. Must be open."""
        conversation = self._memory.open.get(conversation_id)
        turn = conversation.newest_sent if conversation else None
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
            if await self._catch_up(conversation_id, turn, put_back=reply.text):
                await self._answer_still(conversation_id, turn, ask, reply)
        finally:
            self._working.discard(conversation_id)
            self._hooks.list_changed(conversation_id)
        await self._work(conversation_id)

    async def _answer_still(self, conversation_id: str, turn: Turn, ask: AskBlock, reply: AskReply) -> None:
        """Answer, unless another window saw to it."""
        newest = self._memory.open[conversation_id].newest_sent
        waits_for = open_ask(newest) if newest is not None and newest.state == turn.state else None
        if newest is not None and newest.id == turn.id and waits_for is not None and waits_for.ask_id == ask.ask_id:
            await self._run(conversation_id, newest, answer=(ask, reply))
        else:
            sentence = _("another window has gone on with it.")
            self._hooks.failed(Problem(_("Not sent"), sentence, delivered="no"))
            self._hooks.turn_changed(TurnUpdate(conversation_id, turn.id, ended=True, put_back=reply.text))

    def recover(self, conversation_id: str, turn_id: str) -> None:
        """Look for the rest of a turn on the service; nothing happens while another turn runs. Must be open."""
        conversation = self._memory.open.get(conversation_id)
        turn = next((turn for turn in conversation.turns if turn.id == turn_id), None) if conversation else None
        if turn is None or conversation_id in self._working:
            return
        self._hooks.spawn(f"turn:{conversation_id}:{turn_id}", self._recover(conversation_id, turn))

    async def _recover(self, conversation_id: str, turn: Turn) -> None:
        if conversation_id in self._working:
            return
        self._working.add(conversation_id)
        try:
            if await self._catch_up(conversation_id, turn, began=True):
                found = next((held for held in self._memory.open[conversation_id].turns if held.id == turn.id), turn)
                if found.state == turn.state or found.state == "interrupted":
                    await self._run(conversation_id, found, recover=True)
        finally:
            self._working.discard(conversation_id)
        await self._work(conversation_id)

    async def keep_turn(self, conversation_id: str, turn: Turn) -> None:
        """Put a turn that was changed from outside in its place, and go on with what is queued behind it."""
        self._memory.put_turn(conversation_id, turn)
        self._hooks.turn_changed(TurnUpdate(conversation_id, turn.id))
        await self._memory.keep(conversation_id, AnswerRecord(turn), sync=True)
        self._hooks.spawn(f"work:{conversation_id}", self._work(conversation_id))

    async def rate(self, conversation_id: str, turn_id: str, rating: Rating, comment: str) -> None:
        """Rate an answer of an open conversation, on the service first. Raises ServiceError."""
        conversation = self._memory.open[conversation_id]
        turn = next(turn for turn in conversation.turns if turn.id == turn_id)
        service = await self._hooks.service(conversation.service)
        await service.feedback(turn.ids, rating, comment)
        await self._memory.keep(conversation_id, FeedbackRecord(turn_id, rating, comment))
        if conversation_id in self._memory.open:
            self._memory.put_turn(conversation_id, replace(turn, rating=rating))
            self._hooks.turn_changed(TurnUpdate(conversation_id, turn_id))

    def flush_now(self) -> None:
        """Write what running turns hold in memory, at once and without the loop: the program is told to end."""
        for running in self._running.values():
            if running.flush_now is not None:
                running.flush_now()

    async def close(self, patience: float = 1.0) -> None:
        """Wait until turns whose tasks were cancelled have written what they held."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(run.over.wait() for run in [*self._running.values()])), patience)


def _attached(conversation: Conversation) -> tuple[FileBlock, ...]:
    """The files that the conversation works on and that no question took along yet."""
    if conversation.service != "dms":
        return ()
    taken = [turn for turn in conversation.turns if turn.problem is None or turn.problem.delivered != "no"]
    known = {file.file_id for turn in taken for file in turn.attachments}
    sources = read_data(conversation.options.get("data", ""))
    return tuple(FileBlock(each.name, each.file_id) for each in sources if each.file_id and each.file_id not in known)


def _remote_id(conversation: Conversation) -> str:
    """The service's id; a program that was killed may have kept it with a turn only."""
    return conversation.remote_id or next(
        (turn.ids.conversation for turn in reversed(conversation.turns) if turn.ids.conversation), ""
    )


def _turns_before(conversation: Conversation, turn: Turn) -> tuple[Turn, ...]:
    index = next((index for index, held in enumerate(conversation.turns) if held.id == turn.id), 0)
    return conversation.turns[:index]


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
