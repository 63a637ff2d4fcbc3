"""A turn on the Responses API, the second backend of DashScope: a profile of this machine in place of an assistant.

The service keeps what was said for a week, and each answer builds on the one before (`previous_response_id`). Where it
no longer has that, it refuses, so nothing was done, and the whole conversation is sent as it is held here. There is no
cancelling: leaving the connection is what stops an answer. Source: protocol notes (DashScope) 9.1.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

from tui.models import AskBlock, Problem, TextBlock, ThinkingBlock, TurnIds
from tui.services.assistant_models import AssistantProfile
from tui.services.base import AnswerRequest, StopOutcome, TurnRef, TurnRequest
from tui.services.dashscope_problems import checked_id
from tui.services.dashscope_recovery import LookTiming
from tui.services.dashscope_work import Work, ask_again, read_batch, until
from tui.services.errors import ApiError, BusyError, NotFoundError, ServiceError
from tui.services.events import (
    Asked,
    Event,
    Failed,
    Finished,
    Noted,
    Status,
    TextDelta,
    TextReplaced,
    ThinkingDelta,
    ToolProgress,
    TurnStarted,
)
from tui.services.responses_frames import ResponseReader
from tui.services.responses_input import (
    ID_PREFIX,
    Item,
    chained,
    local_items,
    message,
    outputs_of,
    request_body,
    turn_items,
)
from tui.services.rest import COMPATIBLE, Opened, RestClient
from tui.words import _

_PATH = f"{COMPATIBLE}/responses"
_EXPIRED = re.compile(r"previous.?response|response.{0,60}(not found|not exist|expired|deleted)", re.IGNORECASE)


class ResponseTurns:
    """The turns of an account's responses."""

    def __init__(self, rest: RestClient, *, timing: LookTiming | None = None) -> None:
        self._rest = rest
        self._timing = timing or LookTiming()
        self._works: list[Work] = []

    @asynccontextmanager
    async def stream(self, request: TurnRequest, profile: AssistantProfile) -> AsyncIterator[AsyncIterator[Event]]:
        """See `ConversationService.stream`. What was said before is taken from `request.history`."""
        previous, items = chained(request.history)
        question = message("user", request.text)
        whole = [*local_items(request.history), question]
        async with (
            self._at_work(request.turn) as work,
            aclosing(self._ask(work, profile, previous, [*items, question], whole)) as events,
        ):
            yield events

    @asynccontextmanager
    async def answer(self, request: AnswerRequest, profile: AssistantProfile) -> AsyncIterator[AsyncIterator[Event]]:
        """See `AskAnswerer.answer`."""
        async with (
            self._at_work(request.turn) as work,
            aclosing(self._answer(work, request, profile)) as events,
        ):
            yield events

    async def stop(self, turn: str) -> StopOutcome:
        """Leave the connection of a turn that is being read here."""
        for work in self._works:
            if turn and work.turn == turn:
                work.stop_wanted.set()
                return "stopped"
        return "not_possible"

    async def recover(self, turn: TurnRef) -> AsyncGenerator[Event]:
        """See `ConversationService.recover`: the newest response of the turn, where the service has kept it."""
        response = turn.ids.message
        if response in ("", ID_PREFIX):
            yield Failed(_not_named())
            return
        path = f"{_PATH}/{checked_id(response)}"
        waited, pause = 0.0, self._timing.first_pause
        while True:
            try:
                raw = await self._rest.get(path)
            except NotFoundError as error:
                if turn.text:
                    yield Noted(_("the service has not kept the rest of this answer"))
                    yield Finished("cut_off")
                else:
                    yield Failed(replace(error.problem, code=error.problem.code or "NotKept", delivered="unknown"))
                return
            except ServiceError as error:
                if not waited:
                    raise
                yield Failed(replace(error.problem, delivered="yes"))
                return
            status = str(raw.get("status") or "completed")
            if status not in ("queued", "in_progress"):
                break
            if waited >= self._timing.longest_wait:
                yield Finished("cut_off")
                return
            yield Status(_("the answer goes on at the service; waiting for its end"))
            await asyncio.sleep(pause)
            waited += pause
            pause = min(pause * 1.5, self._timing.longest_pause)
        for event in _recovered(turn, raw, status):
            yield event

    @asynccontextmanager
    async def _at_work(self, turn: str) -> AsyncIterator[Work]:
        work = Work(turn)
        self._works.append(work)
        try:
            yield work
        finally:
            self._works.remove(work)

    async def _ask(
        self, work: Work, profile: AssistantProfile, previous: str, items: Sequence[Item], whole: Sequence[Item]
    ) -> AsyncGenerator[Event]:
        # An id that is none yet, on disk before the question leaves: who finds a turn without it knows that it did not.
        yield TurnStarted(TurnIds(message=ID_PREFIX))
        async with aclosing(self._send(work, profile, previous, items, whole, ResponseReader())) as events:
            async for event in events:
                yield event

    async def _answer(self, work: Work, request: AnswerRequest, profile: AssistantProfile) -> AsyncGenerator[Event]:
        ref, ask, outputs = request.ref, request.ask, request.reply.outputs_for(request.ask)
        if request.reply.action == "refuse":  # nothing runs that would have to be stopped
            for call in ask.calls:
                yield ToolProgress(call.call_id, call.name, "failed")
            yield Finished("stopped")
            return
        if len(outputs) != len(ask.calls):
            wanted = _("{n} calls wait, so as many outputs are needed").format(n=len(ask.calls))
            for event in ask_again(ask, wanted):
                yield event
            return
        for call, output in zip(ask.calls, outputs, strict=True):
            yield ToolProgress(call.call_id, call.name, "running", call.arguments, output)
        ids = [call.call_id for call in ask.calls]
        given = dict(zip(ids, outputs, strict=True))
        whole = [*local_items(request.history), *turn_items(ref.question, ref.blocks, given)]
        previous = ref.ids.message if ref.ids.message != ID_PREFIX else ""
        items = outputs_of(ids, outputs) if previous else whole
        turn = self._send(work, profile, previous, items, whole, ResponseReader(held=ref.text), ask)
        async with aclosing(turn) as events:
            async for event in events:
                yield event

    # --- one request, or two where the first was refused -----------------------------------------------------------

    async def _send(
        self,
        work: Work,
        profile: AssistantProfile,
        previous: str,
        items: Sequence[Item],
        whole: Sequence[Item],
        reader: ResponseReader,
        ask: AskBlock | None = None,
    ) -> AsyncGenerator[Event]:
        """Send `items` to build on `previous`; `whole` in their place where the service no longer has that."""
        if work.stop_wanted.is_set():
            yield Finished("stopped")
            return
        error: ServiceError | None = None
        told = ask is None
        try:
            async with (
                self._rest.stream(_PATH, request_body(profile, items, previous)) as opened,
                aclosing(_read(work, opened, reader)) as events,
            ):
                async for event in events:
                    if ask is not None and not told and isinstance(event, TurnStarted):
                        for call in ask.calls:
                            yield ToolProgress(call.call_id, call.name, "done")
                        told = True
                    yield event
        except ServiceError as refused:
            error = refused
        error = error or reader.error
        if error is None:
            yield reader.end or Finished("stopped" if work.stop_wanted.is_set() else "cut_off")
            return
        if previous and not reader.content and _may_be_expired(error, outputs=_are_outputs(items)):
            yield Noted(_("the service no longer had what was said before: the whole conversation was sent again"))
            again = self._send(work, profile, "", whole, whole, ResponseReader(held=reader.held), ask)
            async with aclosing(again) as events:
                async for event in events:
                    yield event
            return
        if ask is not None and error.problem.delivered == "no" and not reader.content:
            for event in ask_again(ask, error.problem.sentence):
                yield event
            return
        yield Failed(error.problem)


async def _read(work: Work, opened: Opened, reader: ResponseReader) -> AsyncGenerator[Event]:
    """The events of a response until it is over or somebody wants it stopped; the end itself is left in `reader`."""
    reader.request_id = opened.request_id
    if opened.frames is None:  # the response itself, in place of its stream
        status = str(opened.whole.get("status") or "completed")
        for event in reader.take(f"response.{status}", {"response": opened.whole}):
            yield event
        return
    async with aclosing(until(opened.frames, work.stop_wanted, 0.0)) as batches:
        async for batch in batches:
            if batch is None:
                reader.end = Finished("stopped")
                return
            for event in await read_batch(reader, batch):
                yield event
            if reader.end is not None:
                return


def _are_outputs(items: Sequence[Item]) -> bool:
    return bool(items) and items[0].get("type") == "function_call_output"


def _may_be_expired(error: ServiceError, *, outputs: bool) -> bool:
    """True where the service refused for what was built on, so that nothing was done.

    Whether outputs of functions may build on a response at all is not published; so any refusal of them counts.
    """
    if not isinstance(error, ApiError) or isinstance(error, BusyError) or error.problem.delivered != "no":
        return False
    if error.problem.status not in (0, 200, 400, 404):
        return False
    told = f"{error.problem.code} {error.problem.sentence}"
    return bool(_EXPIRED.search(told)) or (outputs and type(error) in (ApiError, NotFoundError))


def _recovered(turn: TurnRef, raw: dict[str, object], status: str) -> list[Event]:
    """A response that was fetched whole, beside what is held of the turn."""
    before = [
        index
        for index, block in enumerate(turn.blocks)
        if isinstance(block, AskBlock) and not block.ask_id.startswith(f"{turn.ids.message}:")
    ]
    held = "".join(block.text for block in turn.blocks[: before[-1] if before else 0] if isinstance(block, TextBlock))
    thought = any(isinstance(block, ThinkingBlock) for block in turn.blocks)
    reader = ResponseReader(held=held)
    events: list[Event] = []
    for event in reader.take(f"response.{status}", {"response": raw}):
        if isinstance(event, (TextDelta, TextReplaced)) or (thought and isinstance(event, ThinkingDelta)):
            continue
        if isinstance(event, Asked) and any(
            isinstance(block, AskBlock) and block.ask_id == event.ask.ask_id and block.answered for block in turn.blocks
        ):
            events.append(Noted(_("your answer was not taken: the run still waits for it")))
        events.append(event)
    if reader.text and reader.text != turn.text:
        events.append(TextReplaced(reader.text))
    return [*events, reader.end or Finished("cut_off")]


def _not_named() -> Problem:
    return Problem(
        _("Answer not found"),
        _("The connection broke before the service named its answer, so it cannot be looked for."),
        _("Ask again: nothing of the lost answer stands in the way, but it may have cost tokens."),
        code="NotNamed",
        delivered="unknown",
        retryable=True,
    )


def started(ids: TurnIds) -> bool:
    """True for the ids of a turn whose question left for here, and not for a thread."""
    return ids.message.startswith(ID_PREFIX)
