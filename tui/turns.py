"""One turn in flight: from a stored question to its last event, kept on disk as it grows.

`run_turn` is the only code that sends a question, and it sends it once. Where the line is lost it looks into the
service's history (`ConversationService.recover`) instead of asking again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from dataclasses import dataclass, field, replace

from tui.cache.batch import Batch, Journal
from tui.cache.records import AnswerRecord, PartialRecord, StateRecord
from tui.models import AskBlock, Position, Problem, TextBlock, Turn, TurnIds
from tui.services.accumulator import LiveTurn
from tui.services.base import AnswerRequest, AskAnswerer, ConversationService, StopOutcome, TurnRef, TurnRequest
from tui.services.errors import ServiceError
from tui.services.events import (
    Asked,
    Event,
    Failed,
    Finished,
    Heartbeat,
    Noted,
    PositionMoved,
    Status,
    TextDelta,
    TextPart,
    TextReplaced,
    ThinkingDelta,
    TurnStarted,
)
from tui.words import _

STOP_GRACE = 10.0
"""Seconds that a stopped stream is still read for its last words."""
NAME_GRACE = 60.0
"""Seconds that it is read where the service has not yet named what is to be stopped: it is told as soon as it does."""
RECOVERY_PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 60.0, 120.0, 120.0)
"""Seconds between looks into the history while the line is down: about seven minutes in all."""


@dataclass(frozen=True, slots=True)
class TurnUpdate:
    """A turn changed; read the conversation for what it is now. `ended`: it is over (or waits for the user)."""

    conversation_id: str
    turn_id: str
    ended: bool = False
    put_back: str = ""
    """The text of a question that failed: it goes back into the composer when that is empty."""


@dataclass(frozen=True, slots=True)
class TurnActivity:
    """What a running turn is doing; times are of the monotonic clock that the turns were given, in seconds."""

    turn_id: str
    began: float
    last_byte: float
    status: str = ""
    """In words, empty where there is nothing to say beyond "answering"."""
    received: int = 0
    """Characters of text that came since it runs."""
    queued: int = 0
    """Questions that wait for this turn."""


@dataclass
class RunningTurn:
    """The state of one turn in flight, shared between the task that runs it and those who look at it."""

    live: LiveTurn
    seconds: Callable[[], float]
    changed: Callable[[], None]
    """Told after every change; it must be cheap."""
    stop_wanted: asyncio.Event = field(default_factory=asyncio.Event)
    flush_now: Callable[[], None] | None = None
    """Writes what is not on disk yet, at once and from any thread; set while the turn runs."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when nothing of it is in memory only any more."""

    def __post_init__(self) -> None:
        self._turn_id = self.live.snapshot().id
        self._began = self._last_byte = self.seconds()
        self._status = ""
        self._received = 0

    @property
    def activity(self) -> TurnActivity:
        """What it is doing, as of now."""
        return TurnActivity(self._turn_id, self._began, self._last_byte, self._status, self._received)

    def note(self, event: Event) -> None:
        """Take an event in, and what it says of the line."""
        self.live.apply(event)
        if isinstance(event, Status):
            self._status = event.text
        elif self._status and not isinstance(event, (Heartbeat, TurnStarted)):
            self._status = ""
        self._last_byte = self.seconds()
        if isinstance(event, (TextDelta, ThinkingDelta, TextReplaced, TextPart)):
            self._received += len(event.text)
        self.changed()

    def say(self, status: str) -> None:
        """Say in the status line what is going on; no byte has come."""
        self._status = status
        self.changed()


def line_was_lost(problem: Problem) -> bool:
    """True where no service spoke: the connection failed after the question may have arrived."""
    return not problem.code and not problem.status and problem.delivered != "no"


async def run_turn(
    running: RunningTurn,
    service: ConversationService,
    request: TurnRequest | AnswerRequest | None,
    journal: Journal,
    *,
    pauses: Sequence[float] = RECOVERY_PAUSES,
) -> Turn:
    """Send `request` and take in what comes until the turn is over; without a request, only recover the turn.

    An `AnswerRequest` needs a service that is an `AskAnswerer`.

    The turn's state is on disk before the request leaves, its events at most `BATCH_SECONDS` after they came, and
    its end at once. Errors end the turn as `failed`; none is raised. When the task is cancelled (the program ends),
    what has come is kept and the turn stays active on disk, so that the next start recovers it.
    """
    live = running.live
    batch = Batch(live.snapshot().id, journal, resumable=service.capabilities.resume)
    running.flush_now = batch.flush_now
    flusher = asyncio.create_task(batch.flush_for_ever(), name="journal")
    try:
        end: Finished | Failed | None = None
        if isinstance(request, TurnRequest) and running.stop_wanted.is_set():
            end = Failed(_not_sent())
        elif request is not None:
            before = _before(request, resumable=service.capabilities.resume)
            for event in before:
                live.apply(event)
            live.set_state("sending")
            running.changed()
            partial = [PartialRecord(live.snapshot().id, before)] if before else []
            await journal.append(*partial, StateRecord(live.snapshot().id, "sending"), sync=True)
            end = await _stream(running, service, _opened(service, request), batch)
        elif service.capabilities.resume:
            running.say(_("looking for the answer"))
            end = await _stream(running, service, aclosing(_looked(running, service)), batch)
        if end is None or _may_go_on(end, service):
            end = await _recover(running, service, batch, pauses, end)
        elif live.snapshot().frames_skipped and service.capabilities.history and isinstance(end, Finished):
            # What a broken frame held is in the history; where that cannot be read, the note on the turn says so.
            await _recover(running, service, batch, (), end)
        running.note(end)
        await batch.flush()
        await journal.append(AnswerRecord(live.snapshot()), sync=True)
    finally:
        flusher.cancel()
        with suppress(asyncio.CancelledError):
            await flusher
        await batch.flush()
    return live.snapshot()


def _not_sent() -> Problem:
    sentence = _("it was stopped before the question was sent.")
    return Problem(_("Not sent"), sentence, delivered="no")


def _may_go_on(end: Finished | Failed, service: ConversationService) -> bool:
    """True where the service may have more of the answer than we got."""
    if not (service.capabilities.history or service.capabilities.resume):
        return False
    return end.reason == "cut_off" if isinstance(end, Finished) else line_was_lost(end.problem)


def _before(request: TurnRequest | AnswerRequest, *, resumable: bool = True) -> tuple[Event, ...]:
    """What is known before the request leaves, and must be on disk by then: what is answered, where the stream is."""
    if isinstance(request, AnswerRequest):
        answered = Asked(replace(request.ask, answered=request.reply.in_words()))
        if not resumable:
            return (answered,)
        position = replace(request.ref.position or Position(), ask=request.ask)
        return answered, PositionMoved(replace(position, phase="awaiting"))
    if request.position is not None:
        position = Position(request.position.checkpoint, request.position.keys)
        return (PositionMoved(position),)
    return ()


def _opened(
    service: ConversationService, request: TurnRequest | AnswerRequest
) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
    if isinstance(request, TurnRequest):
        return service.stream(request)
    if not isinstance(service, AskAnswerer):
        raise TypeError(f"{service.name} has no asks that are answered")
    return service.answer(request)


def reference(turn: Turn) -> TurnRef:
    """What a service needs to find a turn again."""
    return TurnRef(turn.question, turn.asked_at, turn.ids, _held_text(turn), turn.position, turn.blocks)


async def _recovered(running: RunningTurn, service: ConversationService) -> AsyncGenerator[Event]:
    events = service.recover(reference(running.live.snapshot()))
    try:
        async for event in events:
            yield event
    finally:
        if isinstance(events, AsyncGenerator):  # its connection is closed now, not when it is collected
            await events.aclose()


async def _looked(running: RunningTurn, service: ConversationService) -> AsyncGenerator[Event]:
    """`_recovered`; that a look for the answer failed says nothing of whether the question had arrived."""
    try:
        async with aclosing(_recovered(running, service)) as events:
            async for event in events:
                yield event
    except ServiceError as error:
        yield Failed(_of_the_question(error.problem, running.live.snapshot()))


async def _stream(
    running: RunningTurn,
    service: ConversationService,
    opened: AbstractAsyncContextManager[AsyncIterator[Event]],
    batch: Batch,
) -> Finished | Failed:
    """Enter the stream and read to the end; how it ended, not yet applied to the turn."""
    reading = asyncio.create_task(_read(running, opened, batch), name="read")
    stopping = asyncio.create_task(_stop_when_wanted(running, service), name="stop")
    try:
        await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():  # stopped: the last words are still wanted, but not for ever
            remembered = stopping.result() == "remembered"
            await asyncio.wait({reading}, timeout=NAME_GRACE if remembered else STOP_GRACE)
            if not reading.done() and remembered and not running.live.ids.task:
                running.note(_stop_failed(_("it has not named it")))
        if not reading.done():
            return Finished("stopped")
        return reading.result()
    finally:
        for task in (reading, stopping):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _read(
    running: RunningTurn, opened: AbstractAsyncContextManager[AsyncIterator[Event]], batch: Batch
) -> Finished | Failed:
    try:
        async with opened as events:
            async for event in events:
                if isinstance(event, (Finished, Failed)):
                    return event
                running.note(event)
                await batch.add(event, running.live.ids)
    except ServiceError as error:
        return Failed(error.problem)
    return Finished("cut_off")


async def _stop_when_wanted(running: RunningTurn, service: ConversationService) -> StopOutcome | None:
    """Tell the service once to stop; it keeps the wish itself while the turn has no task id yet.

    What became of it; None where the service has no stop, or did not take it.
    """
    await running.stop_wanted.wait()
    running.live.set_state("stopping")
    running.say(_("stopping"))
    if not service.capabilities.stop:
        return None
    try:
        outcome = await service.stop(running.live.ids, running.live.snapshot().id)
    except ServiceError as error:
        running.note(_stop_failed(error.problem.sentence))
        running.say(_("the service did not take the stop: {reason}").format(reason=error.problem.sentence))
        return None
    said = {"already_over": _("the service had finished already"), "not_possible": _("stopped here only")}
    running.say(said.get(outcome, _("stopping")))
    return outcome


async def _recover(
    running: RunningTurn,
    service: ConversationService,
    batch: Batch,
    pauses: Sequence[float],
    lost: Finished | Failed | None,
) -> Finished | Failed:
    """Look into the service's history until it is known how the turn ended, or the pauses are used up."""
    repair = isinstance(lost, Finished) and lost.reason == "done"
    dropped = _("the line dropped; looking for the answer on the service")
    running.say(dropped if lost and not repair else _("looking for the answer"))
    end = lost
    for pause in (0.0, *pauses):
        if pause:
            with suppress(TimeoutError):
                await asyncio.wait_for(running.stop_wanted.wait(), pause)
        if running.stop_wanted.is_set():
            await _stop_in_recovery(running, service)
            return Finished("stopped")
        turn = running.live.snapshot()
        found: Finished | Failed | None = None
        try:
            async with aclosing(_recovered(running, service)) as events:
                async for event in events:
                    if isinstance(event, (Finished, Failed)):
                        found = event
                        break
                    replaced = isinstance(event, TextReplaced) and event.text != _held_text(turn)
                    if replaced or isinstance(event, TextDelta):
                        running.live.set_recovered()
                    running.note(event)
                    await batch.add(event, running.live.ids)
                    if running.stop_wanted.is_set():
                        break
        except ServiceError as error:
            found = Failed(_of_the_question(error.problem, running.live.snapshot()))
        if found is None and running.stop_wanted.is_set():
            await _stop_in_recovery(running, service)
            return Finished("stopped")
        end = found or end
        if isinstance(end, Finished) or (isinstance(end, Failed) and not line_was_lost(end.problem)):
            return end
        running.say(_("no connection; looking again soon"))
    return end or Finished("cut_off")


def _of_the_question(problem: Problem, turn: Turn) -> Problem:
    """The problem of a look for the answer as one of the turn: whether that left says nothing of the question."""
    return replace(
        problem,
        delivered="yes" if turn.blocks or turn.ids != TurnIds() else "unknown",
        remedy=_("What had arrived is kept; F5 looks for the rest. Sending it again may ask it twice."),
    )


async def _stop_in_recovery(running: RunningTurn, service: ConversationService) -> None:
    running.live.set_state("stopping")
    if service.capabilities.stop and running.live.ids.task:
        try:
            await service.stop(running.live.ids)
        except ServiceError as error:
            running.note(_stop_failed(error.problem.sentence))


def _stop_failed(reason: str) -> Noted:
    """Stays with the answer: "stopped" alone would say that the service's work has ended."""
    sentence = _("the stop did not get through, so the service may go on with this answer: {reason}")
    return Noted(sentence.format(reason=reason))


def _held_text(turn: Turn) -> str:
    return "".join(block.text for block in turn.blocks if isinstance(block, TextBlock))


def open_ask(turn: Turn) -> AskBlock | None:
    """The ask that waits for the user, if any."""
    return next((b for b in reversed(turn.blocks) if isinstance(b, AskBlock) and not b.answered), None)
