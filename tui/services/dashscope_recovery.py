"""Finding a run again whose stream was lost. Only reads; nothing is ever sent from here.

Threads cannot be listed, so a turn is found by its thread, its message and its run. Where the run is not known it is
looked for: the question among the thread's newest messages, then the first run that began after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tui.models import AskBlock, Problem, TurnIds
from tui.services.assistant_models import Run, RunStep, ThreadMessage
from tui.services.base import Page, TurnRef
from tui.services.dashscope_frames import STEP_ENDS, RunReader, ask_number, call_key, run_end, same_calls
from tui.services.dashscope_threads import Threads
from tui.services.dashscope_wire import joined
from tui.services.errors import NotFoundError, ServiceError
from tui.services.events import Event, Failed, Finished, Noted, Status, TextReplaced, ToolProgress, TurnStarted
from tui.words import _

CLOCK_TOLERANCE = timedelta(seconds=5)
"""The difference of the clocks is known to about a second, and times on the service may be cut to one."""
MAX_PAGES = 5
"""Of 100 messages each that are looked through for a question."""


@dataclass(frozen=True, slots=True)
class LookTiming:
    """How long what is waited for; seconds."""

    first_pause: float = 1.0
    longest_pause: float = 10.0
    longest_wait: float = 3600.0
    sure: float = 60.0
    """A question that its thread lacks this long after it was asked did not arrive."""
    sure_of_run: float = 15.0
    """A question that has no run this long after it was asked has none."""


class RunRecovery:
    """One search for one turn."""

    def __init__(
        self,
        threads: Threads,
        turn: TurnRef,
        *,
        timing: LookTiming | None = None,
        clock_offset: Callable[[], timedelta] = timedelta,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._threads = threads
        self._turn = turn
        self._timing = timing or LookTiming()
        self._offset = clock_offset
        self._now = now
        self._sleep = sleep
        self._thread = turn.ids.conversation

    async def events(self) -> AsyncGenerator[Event]:
        """Status while the run goes on, then the turn as the service has it; ends with Finished or Failed.

        Raises ServiceError where the first look fails.
        """
        if not self._thread:
            yield Failed(_not_begun())
            return
        run_id = self._turn.ids.task
        try:
            if not run_id:
                message = await self.find_message()
                found = await self._run_after(message) if message is not None else None
                if found is None:
                    sure = self._age() >= self._timing.sure_of_run
                    yield Failed(self._not_there() if message is None else _no_run(sure=sure))
                    return
                run_id = found.id
            run = await self._threads.retrieve_run(self._thread, run_id)
        except NotFoundError as error:
            yield Failed(replace(error.problem, delivered="yes" if run_id else "unknown"))
            return
        yield TurnStarted(TurnIds(conversation=self._thread, task=run_id, request=run.request_id))
        waited, pause = 0.0, self._timing.first_pause
        while not run.is_over and run.status != "requires_action":
            if waited >= self._timing.longest_wait:
                yield Finished("cut_off")
                return
            yield Status(_("the run goes on at the service; waiting for its end"))
            await self._sleep(pause)
            waited += pause
            pause = min(pause * 1.5, self._timing.longest_pause)
            try:
                run = await self._threads.retrieve_run(self._thread, run_id)
            except ServiceError as error:
                yield Failed(replace(error.problem, delivered="yes"))
                return
        try:
            for event in await self._whole(run):
                yield event
        except ServiceError as error:
            yield Failed(replace(error.problem, delivered="yes"))

    # --- what came of it -----------------------------------------------------------------------------------------

    async def _whole(self, run: Run) -> list[Event]:
        messages = await self._messages_of(run)
        steps = await self._steps_of(run)
        events: list[Event] = [*step_events(run.id, steps)]
        if messages:
            events.append(TurnStarted(TurnIds(message=messages[-1].id)))
        text = joined(message.text for message in messages)
        if text and text != self._turn.text:
            events.append(TextReplaced(text))
        if run.status != "requires_action":
            return [*events, *run_end(run, run.status)]
        reader = RunReader(thread=self._thread, run=run.id, number=self._number(run))
        asked = reader.ask(run)
        if self._was_answered(f"{run.id}:{reader.number}"):
            events.append(Noted(_("your answer was not taken: the run still waits for it")))
        return [*events, *asked]

    def _asks(self, run: Run) -> list[AskBlock]:
        return [
            block
            for block in self._turn.blocks
            if isinstance(block, AskBlock)
            and block.kind == "tool_outputs"
            and block.ask_id.rpartition(":")[0] == run.id
        ]

    def _number(self, run: Run) -> int:
        """Which of its asks the run waits at: the newest that is known here while the calls are the same."""
        asks = self._asks(run)
        if not asks:
            return 0
        newest = asks[-1]
        return ask_number(newest) + (0 if same_calls(newest, run) else 1)

    def _was_answered(self, ask_id: str) -> bool:
        return any(
            isinstance(block, AskBlock) and block.ask_id == ask_id and block.answered for block in self._turn.blocks
        )

    async def _messages_of(self, run: Run) -> list[ThreadMessage]:
        """The assistant's messages of the run, oldest first."""
        found: list[ThreadMessage] = []
        page: Page | None = Page()
        for _number in range(MAX_PAGES):
            if page is None:
                break
            listed = await self._threads.messages(self._thread, page)
            found += [m for m in listed.items if m.role != "user" and _belongs(m, run)]
            oldest = listed.items[-1].created_at if listed.items else None
            if oldest is not None and run.created_at is not None and oldest < run.created_at:
                break
            page = listed.next
        return found[::-1]

    async def _steps_of(self, run: Run) -> tuple[RunStep, ...]:
        try:
            return await self._threads.steps(self._thread, run.id)
        except ServiceError:  # the tools are beside the answer, not the answer
            return ()

    # --- where it is -----------------------------------------------------------------------------------------------

    async def find_run(self) -> Run | None:
        """The run of the question; None where there is none, or the question itself is not there."""
        message = await self.find_message()
        return await self._run_after(message) if message is not None else None

    async def _run_after(self, message: ThreadMessage) -> Run | None:
        runs = (await self._threads.runs(self._thread, Page(limit=20))).items
        after = [run for run in runs if _not_before(run.created_at, message.created_at)]
        return after[-1] if after else None

    async def find_message(self) -> ThreadMessage | None:
        """The question in its thread: by its id, else the newest with its words that is not older than it."""
        known = self._turn.ids.message
        wanted = " ".join(self._turn.question.split())
        earliest = self._turn.asked_at + self._offset() - CLOCK_TOLERANCE
        page: Page | None = Page()
        for _number in range(MAX_PAGES):
            if page is None:
                return None
            listed = await self._threads.messages(self._thread, page)
            for message in listed.items:
                if message.role == "user" and (
                    message.id == known
                    or (" ".join(message.text.split()) == wanted and _not_before(message.created_at, earliest))
                ):
                    return message
                if message.created_at is not None and message.created_at < earliest and not known:
                    return None
            page = listed.next
        return None

    def _age(self) -> float:
        return (self._now() - self._turn.asked_at).total_seconds()

    def _not_there(self) -> Problem:
        if self._age() >= self._timing.sure:
            return Problem(
                _("Not arrived"),
                _("The thread does not have this question; the connection broke before it got there."),
                _("Send it again."),
                code="NotArrived",
                delivered="no",
                retryable=True,
            )
        return Problem(
            _("Not found yet"),
            _("The thread does not show this question (yet), so it is not known whether it arrived."),
            _("Look again in a minute before sending it again."),
            delivered="unknown",
        )


def step_events(run_id: str, steps: tuple[RunStep, ...]) -> list[ToolProgress]:
    """The calls of a run's steps, under the keys that its stream gives them."""
    events: list[ToolProgress] = []
    number = 0
    for step in steps:
        functions = 0
        status = STEP_ENDS.get(step.status, "running")
        for index, call in enumerate(step.calls):
            key = f"{step.id}:{index}"
            if call.type == "function":
                key = call_key(run_id, number, functions)
                functions += 1
            # A step's own status lags behind: an output says that the call is over.
            done = "done" if status == "running" and call.output else status
            events.append(ToolProgress(key, call.name or call.type, done, call.arguments, call.output or step.error))
        number += bool(functions)
    return events


def _belongs(message: ThreadMessage, run: Run) -> bool:
    if message.run_id:
        return message.run_id == run.id
    return message.created_at is not None and run.created_at is not None and message.created_at >= run.created_at


def _not_before(moment: datetime | None, earliest: datetime | None) -> bool:
    return moment is None or earliest is None or moment >= earliest


def _not_begun() -> Problem:
    return Problem(
        _("Not sent"),
        _("The program ended before this question left."),
        _("Send it again."),
        code="NotSent",
        delivered="no",
        retryable=True,
    )


def _no_run(*, sure: bool) -> Problem:
    """Sending the question again posts nothing twice: what is in the thread is found there, and only run."""
    if not sure:
        return Problem(
            _("Not found yet"),
            _("The question is in the thread; whether a run was begun for it is not known yet."),
            _("Look again in a minute before sending it again."),
            delivered="unknown",
        )
    return Problem(
        _("No run"),
        _("The question is in the thread, but no run was begun that would answer it."),
        _("Send it again: it is not put into the thread twice, only run."),
        code="NoRun",
        delivered="no",
        retryable=True,
    )
