"""The DMS Data Agent (product Dms, version 2025-04-14) behind the common protocol of the services.

A turn is a question with all that is asked and answered until the agent has done; the session that it runs in is
the conversation. Messages are sent at most once; the answer is read from the session's stream, which any process can
take up again where the turn's `Position` says. Source: protocol notes (DMS) 6 to 8.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace

from tui.models import Position, Problem, Rating, ServiceName, Turn, TurnIds
from tui.services.base import (
    AnswerRequest,
    Capabilities,
    Page,
    PageOf,
    RemoteConversation,
    StopOutcome,
    TurnRef,
    TurnRequest,
)
from tui.services.dms_agents import CustomAgents
from tui.services.dms_asks import CANCEL, reply_parameters
from tui.services.dms_calls import Calls
from tui.services.dms_files import RemoteFiles
from tui.services.dms_follow import Follower, Run, Timing, ask_again
from tui.services.dms_kept import kept_end, kept_turns
from tui.services.dms_options import data_parameters, first_message_config, read_data, without_known
from tui.services.dms_reader import DmsReader
from tui.services.dms_sessions import Patience, Session, Sessions, expired
from tui.services.errors import ApiError, ConfigurationError, ServiceError
from tui.services.events import Event, Failed, Finished, PositionMoved, Status, TurnStarted
from tui.services.fields import as_object
from tui.services.rpc import Value
from tui.words import _

CLOSE_GRACE = 5.0
"""Seconds that a stop which is under way is given when the program ends."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the agent works."""

    region: str
    unit: str = "cn-hangzhou"
    """DMSUnit, the tenant's home unit: not the region."""


class DmsDataAgent:
    """One account's Data Agent. `agents`, `files` and `sessions` are what it has beside the turns."""

    def __init__(
        self, calls: Calls, place: Place, *, timing: Timing | None = None, patience: Patience | None = None
    ) -> None:
        self._calls = calls
        self._place = place
        self.sessions = Sessions(calls, place.unit, patience=patience)
        self.agents = CustomAgents(calls, place.unit)
        self.files = RemoteFiles(calls, place.unit)
        self._follower = Follower(calls, self.sessions, place.unit, timing or Timing())
        self._runs: list[Run] = []

    @property
    def name(self) -> ServiceName:
        return "dms"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(stop=True, history=True, feedback=True, agents=True, files=True, resume=True)

    # --- a turn ----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def stream(self, request: TurnRequest) -> AsyncIterator[AsyncIterator[Event]]:
        """See `ConversationService.stream`. Options: `tui.services.dms_options`."""
        async with (
            self._run(Run(request.turn, request.conversation)) as run,
            aclosing(self._ask(run, request)) as events,
        ):
            yield events

    @asynccontextmanager
    async def answer(self, request: AnswerRequest) -> AsyncIterator[AsyncIterator[Event]]:
        """See `AskAnswerer.answer`."""
        async with (
            self._run(Run(request.turn, request.ref.ids.conversation)) as run,
            aclosing(self._answer(run, request)) as events,
        ):
            yield events

    async def recover(self, turn: TurnRef) -> AsyncGenerator[Event]:
        """See `ConversationService.recover`. Where the turn still runs, this goes on until it is over."""
        position = turn.position or Position()
        if not turn.ids.conversation:
            yield Failed(_not_sent())
            return
        if position.phase in ("done", "stopped"):
            yield Finished("done" if position.phase == "done" else "stopped")
            return
        async with self._run(Run(session=turn.ids.conversation, sent=True)) as run:
            # In a turn without an ask only the message that began it can have been given an id.
            run.accepted = position.phase != "awaiting" or (position.ask is None and bool(turn.ids.message))
            session = await self.sessions.describe(run.session)
            if session.readiness == "gone":
                kept = await kept_end(session, _reader(turn, position), local=self._calls.local)
                lost = Failed(replace(expired().problem, delivered="yes" if run.accepted else "unknown"))
                for event in kept or [lost]:
                    yield event
                return
            run.agent = session.agent_id
            async with aclosing(self._follower.follow(run, _reader(turn, position))) as events:
                async for event in events:
                    yield event

    async def stop(self, ids: TurnIds, turn: str = "") -> StopOutcome:
        """See `ConversationService.stop`. While the agent still starts, nothing will be sent at all."""
        run = next((run for run in self._runs if run.turn == turn and turn), None)
        run = run or next((run for run in self._runs if ids.conversation and run.session == ids.conversation), None)
        if run is None:
            if not ids.conversation:
                return "not_possible"
            run = Run(session=ids.conversation, sent=True)
        run.stop_wanted.set()
        if not run.sent:
            return "remembered"
        try:
            await self._cancel(run)
        except ApiError as error:
            if _nothing_runs(error):
                return "already_over"
            raise
        return "stopped"

    # --- what the service keeps ------------------------------------------------------------------------------

    async def conversations(self, page: Page) -> PageOf[RemoteConversation]:
        return await self.sessions.list(page)

    async def history(self, conversation: str, page: Page) -> PageOf[Turn]:
        """See `ConversationService.history`: all of the session's turns, in one page.

        Out of its replayed stream; where that has none, out of the finished chats that are kept as files.
        """
        session = await self.sessions.describe(conversation)
        turns: tuple[Turn, ...] = ()
        if session.readiness != "gone":
            async with self._run(Run(session=conversation, agent=session.agent_id, sent=True)) as run:
                turns = await self._follower.history(run, session.messages)
        turns = turns or await kept_turns(session, local=self._calls.local)
        if session.readiness == "gone" and not turns:
            raise expired()
        return PageOf(turns)

    async def feedback(self, ids: TurnIds, rating: Rating, comment: str = "") -> None:
        """Rate a turn. Taking a rating back is not documented by the service, so it is refused here."""
        if not ids.conversation or not rating:
            sentence = (
                _("The service has not named this answer.")
                if rating
                else _("The Data Agent does not take a rating back; it can be changed.")
            )
            raise ConfigurationError(Problem(_("Not rated"), sentence, delivered="no"))
        await self._calls.write(
            "CreateDataAgentFeedback",
            {
                "DMSUnit": self._place.unit,
                "SessionId": ids.conversation,
                "FeedbackType": rating.upper(),
                "LikeValue": 1 if rating == "like" else -1,
                "FeedbackContent": comment,
                "TargetType": "CHAT" if ids.checkpoint else "SESSION",
                "TargetId": ids.checkpoint or ids.conversation,
            },
        )

    async def aclose(self) -> None:
        """Close the connections; a stop that is under way is let through first."""
        stops = [run.stopping for run in self._runs if run.stopping is not None and not run.stopping.done()]
        if stops:
            await asyncio.wait(stops, timeout=CLOSE_GRACE)
        await self._calls.aclose()

    # --- inside ----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _run(self, run: Run) -> AsyncIterator[Run]:
        self._runs.append(run)
        try:
            yield run
        finally:
            self._runs.remove(run)

    async def _ask(self, run: Run, request: TurnRequest) -> AsyncGenerator[Event]:
        """Steps 1 to 3 of the client loop: a session that is ready, the message, the stream."""
        options = request.options
        position = Position()
        if request.position is not None:
            position = Position(request.position.checkpoint, request.position.keys)
        try:
            if not request.conversation:
                yield Status(_("opening a session"))
                session = await self.sessions.create(request.text, options)
            else:
                session = await self.sessions.describe(request.conversation, options.get("workspace", ""))
            run.session = session.id
            yield TurnStarted(TurnIds(conversation=session.id, task=session.id))
            async for step in self._started(run, session, options):
                if isinstance(step, Session):
                    session = step
                else:
                    yield step
            if request.conversation and request.position is None and not run.stop_wanted.is_set():
                yield Status(_("reading where the session stands"))
                position = await self._follower.catch_up(run)
                yield PositionMoved(position)
            if run.stop_wanted.is_set():
                yield Finished("stopped")
                return
        except ServiceError as error:
            yield Failed(replace(error.problem, delivered="no"))
            return
        sources = read_data(options.get("data", ""))
        first = not position.checkpoint
        if not first:
            sources = without_known(sources, session.data)
        message: dict[str, Value] = {
            "Message": request.text,
            "MessageType": "primary",
            "DataSources": data_parameters(sources, self._place.region),
            "SessionConfig": first_message_config(options) if first else None,
            "WorkspaceId": options.get("workspace", ""),
        }
        try:
            ids = await self._send(run, message)
        except ServiceError as error:
            yield Failed(error.problem)
            return
        yield TurnStarted(ids)
        async for event in self._read(run, DmsReader(position, session=run.session)):
            yield event

    async def _answer(self, run: Run, request: AnswerRequest) -> AsyncGenerator[Event]:
        ask, options = request.ask, request.options
        position = replace(request.ref.position or Position(), phase="awaiting", ask=ask)
        sources = read_data(options.get("data", ""))
        message = reply_parameters(
            ask,
            request.reply,
            theme=options.get("theme", ""),
            data=data_parameters(sources, self._place.region) if ask.kind == "datasource" else None,
        )
        if message is None:  # a report that is not wanted: nobody needs to be told
            yield PositionMoved(replace(position, phase="done", ask=None))
            yield Finished("done")
            return
        try:
            session = await self.sessions.describe(run.session, options.get("workspace", ""))
            async for step in self._started(run, session, options):
                if isinstance(step, Status):
                    yield step
            if run.stop_wanted.is_set():
                for event in ask_again(position, _("stopped before it was sent")):
                    yield event
                return
            ids = await self._send(run, message)
        except ServiceError as error:
            for event in ask_again(position, error.problem.sentence):
                yield event
            return
        yield TurnStarted(ids)
        if message["MessageType"] == "cancel":
            # What ends the run belongs to what is there already: no new beginning is waited for.
            run.cancelled = True
            position = replace(position, phase="running")
            yield PositionMoved(position)
        async for event in self._read(run, _reader(request.ref, position)):
            yield event

    async def _started(
        self, run: Run, session: Session, options: Mapping[str, str]
    ) -> AsyncGenerator[Status | Session]:
        """Wait for the agent and say so; at last the session. Ends early where a stop is wanted."""
        async for step in self.sessions.until_ready(session, options.get("workspace", "")):
            if isinstance(step, Session):
                # That of a runtime that is gone would be refused; left out, the service fills it in.
                run.agent = step.agent_id if step.readiness == "ready" else ""
                yield step
            elif run.stop_wanted.is_set():
                return
            else:
                yield Status(_("starting the agent ({n} s)").format(n=round(step)))

    async def _send(self, run: Run, message: Mapping[str, Value]) -> TurnIds:
        """Send one message, once. Where it is not known whether it arrived, `run.accepted` is false.

        Raises:
            ServiceError: the service did not take it, for certain.
        """
        run.sent = True
        params: dict[str, Value] = {
            "AgentId": run.agent,
            "SessionId": run.session,
            "DMSUnit": self._place.unit,
            **message,
        }
        try:
            answer = await self._calls.write("SendChatMessage", params)
        except ServiceError as error:
            if error.problem.delivered == "no":
                raise
            run.accepted = False
            return TurnIds(conversation=run.session)
        data = as_object(answer.first("Data")) or answer
        run.agent = data.line("AgentId") or run.agent
        if not run.agent:
            with suppress(ServiceError):  # the message is there, whatever this says; the stream asks again
                run.agent = (await self.sessions.describe(run.session)).agent_id
        return TurnIds(
            conversation=run.session, message=data.line("MessageId"), request=answer.line("RequestId", limit=100)
        )

    async def _read(self, run: Run, reader: DmsReader) -> AsyncGenerator[Event]:
        if not run.accepted:
            yield Status(_("it is not known whether the message arrived; looking for what it began"))
        if run.stop_wanted.is_set():  # wanted while the message was on its way
            if run.stopping is not None:
                # It may have overtaken the message, and have found nothing to stop.
                await asyncio.wait({run.stopping})
                run.stopping = None
            try:
                await self._cancel(run)
            except ServiceError as error:
                if not _nothing_runs(error):
                    yield Status(_("the stop did not get through: {reason}").format(reason=error.problem.sentence))
        async with aclosing(self._follower.follow(run, reader)) as events:
            async for event in events:
                yield event

    async def _cancel(self, run: Run) -> None:
        """Cancel the session's run: once, however often the user presses, and again where that failed."""
        if run.stopping is None or (run.stopping.done() and (run.stopping.cancelled() or run.stopping.exception())):
            run.stopping = asyncio.create_task(self._send_cancel(run.session), name="dms-stop")
        await asyncio.shield(run.stopping)

    async def _send_cancel(self, session: str) -> None:
        message = {"SessionId": session, "DMSUnit": self._place.unit, "MessageType": "cancel", "Message": CANCEL}
        await self._calls.write("SendChatMessage", message)


def _nothing_runs(error: ServiceError) -> bool:
    """Whether a cancel was refused for want of anything to cancel."""
    return type(error) is ApiError and error.problem.status in (200, 400, 404)


def _reader(turn: TurnRef, position: Position) -> DmsReader:
    return DmsReader(position, blocks=turn.blocks, session=turn.ids.conversation)


def _not_sent() -> Problem:
    return Problem(
        _("Not sent"),
        _("The program ended before the agent had a session for this question."),
        _("Send it again."),
        delivered="no",
        retryable=True,
    )
