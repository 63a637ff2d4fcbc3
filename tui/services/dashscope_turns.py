"""A turn on the Assistants API: a message in a thread, a run, the outputs it asks for.

A question is three requests (thread, message, run), so that a lost line leaves ids by which everything is found again.
Each is sent at most once: a message that is in the thread already and has no run is not put there again.
Source: protocol notes (DashScope) 3.3, 3.4 and 6.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tui.models import FINAL, Problem, Turn, TurnIds
from tui.services.assistant_models import Run
from tui.services.base import AnswerRequest, Page, StopOutcome, TurnRef, TurnRequest
from tui.services.dashscope_answers import answered
from tui.services.dashscope_frames import RunReader
from tui.services.dashscope_line import RunLine
from tui.services.dashscope_problems import checked_id
from tui.services.dashscope_recovery import LookTiming
from tui.services.dashscope_threads import Threads
from tui.services.dashscope_work import Work
from tui.services.errors import ApiError, ServiceError
from tui.services.events import Event, Failed, Finished, Noted, Status, TurnStarted
from tui.words import _

THREAD_BUSY = "ThreadBusy"
"""`Problem.code` of a question that was not sent because an earlier run occupies its thread."""
_LONGEST_OCCUPATION = 600.0
"""Seconds that a question waits for an earlier run."""


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
        self._line = RunLine(threads, timing=timing, clock_offset=clock_offset)

    @asynccontextmanager
    async def stream(self, request: TurnRequest) -> AsyncIterator[AsyncIterator[Event]]:
        """See `ConversationService.stream`; the option `assistant` is the assistant's id."""
        work = Work(request.turn, request.conversation)
        async with self._line.at_work(work), aclosing(self._ask(work, request)) as events:
            yield events

    @asynccontextmanager
    async def answer(self, request: AnswerRequest) -> AsyncIterator[AsyncIterator[Event]]:
        """See `AskAnswerer.answer`."""
        work = Work(request.turn, request.ref.ids.conversation, request.ref.ids.task)
        async with self._line.at_work(work), aclosing(answered(self._line, work, request)) as events:
            yield events

    def recover(self, turn: TurnRef) -> AsyncGenerator[Event]:
        """See `ConversationService.recover`."""
        return self._line.recover(turn)

    async def stop(self, ids: TurnIds, turn: str = "") -> StopOutcome:
        """See `ConversationService.stop`."""
        return await self._line.stop(ids, turn)

    async def aclose(self, grace: float) -> None:
        """Let cancels that are under way through, for `grace` seconds at most."""
        await self._line.aclose(grace)

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
                aclosing(self._line.read(work, opened, reader)) as events,
            ):
                async for event in events:
                    yield event
        except ServiceError as error:
            if error.problem.delivered != "unknown" or reader.begun:
                yield Failed(error.problem)
                return
            # Whoever answered in place of the service, a run may have begun.
            ref = TurnRef(request.text, datetime.now(UTC), TurnIds(conversation=work.thread, message=message))
            if not await self._line.look(lambda: self._line.search(ref).find_run()):
                yield Failed(error.problem)
                return
            async for event in self._line.recover(ref):
                yield event

    async def _wait_for_thread(self, work: Work, history: tuple[Turn, ...]) -> AsyncGenerator[Event]:
        """Until no run occupies the thread, or a stop is wanted. Raises ApiError where it stays occupied."""
        waited, pause = 0.0, self._line.timing.first_pause
        cancelled: set[str] = set()
        while run := await self._occupying(work.thread):
            if work.stop_wanted.is_set():
                return
            if run.status == "requires_action" and run.id not in cancelled:
                if not any(turn.ids.task == run.id and turn.state in FINAL for turn in history):
                    raise _occupied(_("An earlier run in this thread waits for the outputs of its functions."))
                yield Noted(_("an earlier run still waited for outputs that nobody will give; it is cancelled"))
                if await self._line.cancel(Work(thread=work.thread, run=run.id)) == "not_possible":
                    raise _occupied(_("An earlier run waits for outputs, and the service does not cancel it."))
                cancelled.add(run.id)
                continue
            if waited >= _LONGEST_OCCUPATION:
                raise _occupied(_("An earlier run in this thread does not come to an end."))
            yield Status(_("an earlier run of this thread is still at work; the question waits for it"))
            with suppress(TimeoutError):
                await asyncio.wait_for(work.stop_wanted.wait(), pause)
            waited += pause
            pause = min(pause * 1.5, self._line.timing.longest_pause)

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
            if found := await self._line.look(lambda: self._line.search(ref).find_message()):
                return found.id
            raise


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
