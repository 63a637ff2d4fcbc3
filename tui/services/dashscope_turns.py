"""A turn on the Assistants API: a message in a thread, a run, the outputs it asks for.

A question is three requests (thread, message, run), so that a lost line leaves ids by which everything is found again.
Each is sent at most once: a message that is in the thread already and has no run is not put there again.
Source: protocol notes (DashScope) 3.3, 3.4 and 6.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from tui.models import FINAL, Problem, Turn, TurnIds
from tui.services.assistant_models import Run, ToolOutput
from tui.services.base import AnswerRequest, Page, StopOutcome, TurnRef, TurnRequest
from tui.services.dashscope_frames import RunReader, ask_number, same_calls
from tui.services.dashscope_problems import checked_id
from tui.services.dashscope_recovery import LookTiming, RunRecovery
from tui.services.dashscope_threads import Threads
from tui.services.dashscope_work import Work, ask_again, until
from tui.services.errors import ApiError, NotFoundError, ServiceError
from tui.services.events import Asked, Event, Failed, Finished, Heartbeat, Noted, Status, ToolProgress, TurnStarted
from tui.services.rest import Opened
from tui.services.sse import Frame, Oversized
from tui.words import _

T = TypeVar("T")

CANCEL_GRACE = 5.0
"""Seconds that a run which is being cancelled is still read for its last words."""
THREAD_BUSY = "ThreadBusy"
"""`Problem.code` of a question that was not sent because an earlier run occupies its thread."""
_LOOKS = (0.0, 1.0)
"""In first pauses, before each look for something of which it is not known whether it arrived."""
_LONGEST_OCCUPATION = 600.0
"""Seconds that a question waits for an earlier run."""
_IN_THREAD = 256 * 1024
"""Characters of a frame from which reading it would be felt on the event loop."""


class ThreadTurns:
    """The turns of an account's threads."""

    def __init__(
        self,
        threads: Threads,
        *,
        timing: LookTiming | None = None,
        clock_offset: Callable[[], timedelta] = timedelta,
    ) -> None:
        self._threads = threads
        self._timing = timing or LookTiming()
        self._offset = clock_offset
        self._works: list[Work] = []

    @asynccontextmanager
    async def stream(self, request: TurnRequest) -> AsyncIterator[AsyncIterator[Event]]:
        """See `ConversationService.stream`; the option `assistant` is the assistant's id."""
        work = Work(request.turn, request.conversation)
        async with self._at_work(work), aclosing(self._ask(work, request)) as events:
            yield events

    @asynccontextmanager
    async def answer(self, request: AnswerRequest) -> AsyncIterator[AsyncIterator[Event]]:
        """See `AskAnswerer.answer`."""
        work = Work(request.turn, request.ref.ids.conversation, request.ref.ids.task)
        async with self._at_work(work), aclosing(self._answer(work, request)) as events:
            yield events

    async def recover(self, turn: TurnRef) -> AsyncGenerator[Event]:
        """See `ConversationService.recover`."""
        async with aclosing(self._search(turn).events()) as events:
            async for event in events:
                yield event

    async def stop(self, ids: TurnIds, turn: str = "") -> StopOutcome:
        """See `ConversationService.stop`. Cancelling is best effort: the vendor's pages say that it cannot be done."""
        work = next((work for work in self._works if work.is_meant(ids.conversation, ids.task, turn)), None)
        if work is None:
            if not ids.conversation or not ids.task:
                return "not_possible"
            work = Work(turn, ids.conversation, ids.task)
        work.stop_wanted.set()
        return await self._cancel(work) if work.run else "remembered"

    async def aclose(self, grace: float) -> None:
        """Let cancels that are under way through."""
        under_way = [work.cancelling for work in self._works if work.cancelling and not work.cancelling.done()]
        if under_way:
            await asyncio.wait(under_way, timeout=grace)

    @asynccontextmanager
    async def _at_work(self, work: Work) -> AsyncIterator[None]:
        self._works.append(work)
        try:
            yield
        finally:
            self._works.remove(work)

    # --- a question ----------------------------------------------------------------------------------------------

    async def _ask(self, work: Work, request: TurnRequest) -> AsyncGenerator[Event]:
        options = request.options
        try:
            assistant = checked_id(options.get("assistant", ""))
            if work.thread:
                yield TurnStarted(TurnIds(conversation=checked_id(work.thread, "thread_1a2b")))
                async for event in self._wait_for_thread(work, request.history):
                    yield event
            else:
                yield Status(_("opening a thread"))
                work.thread = (await self._threads.create()).id
                yield TurnStarted(TurnIds(conversation=work.thread))
            message = "" if work.stop_wanted.is_set() else await self._message_there(work, request)
        except ServiceError as error:
            yield Failed(_nothing_left(error.problem))
            return
        if work.stop_wanted.is_set():  # nothing of the question has left
            yield Finished("stopped")
            return
        if message:
            yield Noted(_("the question was in the thread already: only its run is begun"))
        try:
            message = message or await self._post(work, request)
        except ServiceError as error:
            yield Failed(error.problem)
            return
        yield TurnStarted(TurnIds(message=message))
        if work.stop_wanted.is_set():
            yield Noted(_("stopped before a run was begun; the question stays in the thread"))
            yield Finished("stopped")
            return
        changes = _run_changes(options.get("last_messages", ""))
        reader = RunReader(thread=work.thread)
        try:
            async with (
                self._threads.run(work.thread, assistant, **changes) as opened,
                aclosing(self._read(work, opened, reader)) as events,
            ):
                async for event in events:
                    yield event
        except ServiceError as error:
            if error.problem.delivered != "unknown" or reader.begun:
                yield Failed(error.problem)
                return
            # Whoever answered in place of the service, a run may have begun.
            ref = TurnRef(request.text, datetime.now(UTC), TurnIds(conversation=work.thread, message=message))
            if not await self._look(lambda: self._search(ref).find_run()):
                yield Failed(error.problem)
                return
            async for event in self.recover(ref):
                yield event

    async def _wait_for_thread(self, work: Work, history: tuple[Turn, ...]) -> AsyncGenerator[Event]:
        """Until no run occupies the thread, or a stop is wanted. Raises ApiError where it stays occupied."""
        waited, pause = 0.0, self._timing.first_pause
        while run := await self._occupying(work.thread):
            if work.stop_wanted.is_set():
                return
            if run.status == "requires_action":
                ours = any(turn.ids.task == run.id and turn.state in FINAL for turn in history)
                gone = Work(thread=work.thread, run=run.id)
                if ours and gone.run not in {work.run for work in self._works}:
                    yield Noted(_("an earlier run still waited for outputs that nobody will give; it is cancelled"))
                    if await self._cancel(gone) == "not_possible":
                        raise _occupied(_("An earlier run waits for outputs, and the service does not cancel it."))
                    continue
                raise _occupied(_("An earlier run in this thread waits for the outputs of its functions."))
            if waited >= _LONGEST_OCCUPATION:
                raise _occupied(_("An earlier run in this thread does not come to an end."))
            yield Status(_("an earlier run of this thread is still at work; the question waits for it"))
            with suppress(TimeoutError):
                await asyncio.wait_for(work.stop_wanted.wait(), pause)
            waited += pause
            pause = min(pause * 1.5, self._timing.longest_pause)

    async def _occupying(self, thread: str) -> Run | None:
        runs = (await self._threads.runs(thread, Page(limit=5))).items
        return next((run for run in runs if not run.is_over), None)

    async def _message_there(self, work: Work, request: TurnRequest) -> str:
        """The id of this question where an earlier try has put it into the thread and got no further."""
        before = request.history[-1] if request.history else None
        if before is None or before.state == "done":
            return ""
        newest = next(iter((await self._threads.messages(work.thread, Page(limit=1))).items), None)
        if newest is None or newest.role != "user" or newest.text.split() != request.text.split():
            return ""
        runs = (await self._threads.runs(work.thread, Page(limit=1))).items
        moment = newest.created_at
        had_run = any(run.created_at and moment and run.created_at >= moment for run in runs)
        return "" if had_run else newest.id

    async def _post(self, work: Work, request: TurnRequest) -> str:
        """Put the question into the thread, once; its id, looked for where the answer was lost."""
        asked_at = datetime.now(UTC)
        try:
            return (await self._threads.add_message(work.thread, request.text)).id
        except ServiceError as error:
            if error.problem.delivered == "no":
                raise
            ref = TurnRef(request.text, asked_at, TurnIds(conversation=work.thread))
            if found := await self._look(lambda: self._search(ref).find_message()):
                return found.id
            raise

    async def _look(self, find: Callable[[], Awaitable[T | None]]) -> T | None:
        """What `find` finds in the looks that are taken at once; None where there is nothing, or no line."""
        for pause in _LOOKS:
            await asyncio.sleep(pause * self._timing.first_pause)
            with suppress(ServiceError):
                if (found := await find()) is not None:
                    return found
        return None

    def _search(self, turn: TurnRef) -> RunRecovery:
        return RunRecovery(self._threads, turn, timing=self._timing, clock_offset=self._offset)

    # --- outputs of functions --------------------------------------------------------------------------------------

    async def _answer(self, work: Work, request: AnswerRequest) -> AsyncGenerator[Event]:
        ref, ask, outputs = request.ref, request.ask, request.reply.outputs_for(request.ask)
        if request.reply.action == "refuse":
            async for event in self._refuse(work, request):
                yield event
            return
        try:
            run = await self._threads.retrieve_run(work.thread, work.run)
        except ServiceError as error:
            if isinstance(error, NotFoundError):
                yield Failed(replace(error.problem, delivered="yes"))
                return
            for event in ask_again(ask, error.problem.sentence):
                yield event
            return
        if run.status != "requires_action":
            yield Noted(_("the run no longer waits: it was answered elsewhere, or has ended"))
            async for event in self.recover(ref):
                yield event
            return
        if not same_calls(ask, run):
            yield Noted(_("the run waits for other outputs by now; yours were not sent"))
            for event in RunReader(work.thread, work.run, number=ask_number(ask) + 1).ask(run):
                yield event
            return
        if len(outputs) != len(run.calls):
            wanted = _("{n} calls wait, so as many outputs are needed").format(n=len(run.calls))
            for event in ask_again(ask, wanted):
                yield event
            return
        for call, output in zip(ask.calls, outputs, strict=True):
            yield ToolProgress(call.call_id, call.name, "running", call.arguments, output)
        sent = [ToolOutput(call.id, output) for call, output in zip(run.calls, outputs, strict=True)]
        reader = RunReader(work.thread, work.run, held=ref.text, number=ask_number(ask) + 1)
        try:
            async with self._threads.submit(work.thread, work.run, sent) as opened:
                for call in ask.calls:
                    yield ToolProgress(call.call_id, call.name, "done")
                async with aclosing(self._read(work, opened, reader)) as events:
                    async for event in events:
                        yield event
        except ServiceError as error:
            if error.problem.delivered == "no" and not reader.begun:
                for event in ask_again(ask, error.problem.sentence):
                    yield event
                return
            if not error.problem.status:  # the line broke: the turn is looked for as after any loss
                yield Failed(error.problem)
                return
            # Whoever answered in place of the service: whether the outputs are there, the run itself tells.
            answered = replace(ask, answered=request.reply.in_words())
            blocks = tuple(answered if block == ask else block for block in ref.blocks)
            try:
                async for event in self.recover(replace(ref, blocks=blocks)):
                    yield event
            except ServiceError:
                yield Failed(error.problem)

    async def _refuse(self, work: Work, request: AnswerRequest) -> AsyncGenerator[Event]:
        """Nobody gives the outputs: the run is cancelled. Where the service does not take that, it goes on waiting."""
        outcome = await self._cancel(work)
        if outcome == "already_over":
            async for event in self.recover(request.ref):
                yield event
            return
        if outcome == "not_possible":
            reason = work.refused.sentence if work.refused else _("the service does not cancel runs")
            yield Noted(_("not cancelled: {reason}").format(reason=reason))
            yield Noted(_("an output such as `declined` lets the run go on; a new conversation leaves it behind"))
            yield Asked(replace(request.ask, answered=""))
            yield Finished("waiting")
            return
        for call in request.ask.calls:
            yield ToolProgress(call.call_id, call.name, "failed")
        yield Finished("stopped")

    # --- the line ------------------------------------------------------------------------------------------------

    async def _read(self, work: Work, opened: Opened, reader: RunReader) -> AsyncGenerator[Event]:
        """The events of a run's stream until it is over; a stop that is wanted meanwhile cancels the run."""
        if opened.frames is None:  # the run itself, in place of its stream
            run_status = str(opened.whole.get("status") or "queued")
            for event in reader.take(f"thread.run.{run_status}", opened.whole):
                yield event
            work.run = reader.run or work.run
            yield reader.end or Finished("cut_off")
            return
        async with aclosing(until(opened.frames, work.stop_wanted, CANCEL_GRACE)) as batches:
            async for batch in batches:
                for event in await _events(reader, batch or []):
                    yield event
                work.run = reader.run or work.run
                if reader.end is not None:
                    yield reader.end
                    return
                if work.stop_wanted.is_set() and work.run and await self._cancel(work) == "not_possible":
                    reason = work.refused.sentence if work.refused else ""
                    yield Noted(
                        _("stopped here only: the service goes on with the run ({reason})").format(reason=reason)
                    )
                    yield Finished("stopped")
                    return
        yield Finished("stopped" if work.stop_wanted.is_set() else "cut_off")

    async def _cancel(self, work: Work) -> StopOutcome:
        """Cancel the run, once however often it is wanted; it outlives who asked for it."""
        if work.cancelling is None:
            work.cancelling = asyncio.create_task(self._send_cancel(work), name="dashscope-cancel")
        return await asyncio.shield(work.cancelling)

    async def _send_cancel(self, work: Work) -> StopOutcome:
        try:
            await self._threads.cancel(work.thread, work.run)
        except ServiceError as error:
            with suppress(ServiceError):
                if (await self._threads.retrieve_run(work.thread, work.run)).is_over:
                    return "already_over"
            work.refused = error.problem
            return "not_possible"
        return "stopped"


async def _events(reader: RunReader, batch: list[Frame | Oversized]) -> list[Event]:
    """The events of one read from the line, up to the end of the run; a heartbeat where there are none."""
    events: list[Event] = []
    for part in batch:
        long = isinstance(part, Frame) and len(part.data) > _IN_THREAD
        events += await asyncio.to_thread(reader.feed, part) if long else reader.feed(part)
        if reader.end is not None:
            break
    return events or [Heartbeat()]


def _run_changes(last_messages: str) -> dict[str, object]:
    """What goes with this run alone: how many messages the model sees, which is 10 unless it is said."""
    if last_messages.isdecimal() and int(last_messages) > 0:
        return {"truncation_strategy": {"type": "last_messages", "last_messages": int(last_messages)}}
    return {}


def _nothing_left(problem: Problem) -> Problem:
    """The problem of a request that came before the question."""
    if problem.delivered == "no":
        return problem
    return replace(problem, delivered="no", remedy=_("Nothing of the question was sent: send it again."))


def _occupied(sentence: str) -> ApiError:
    return ApiError(
        Problem(
            _("Thread occupied"),
            sentence,
            _("Answer or stop it where it was asked, or begin a new conversation with the assistant."),
            code=THREAD_BUSY,
            delivered="no",
            retryable=True,
        )
    )
