"""RDS Copilot (product RdsAi, version 2025-05-07) behind the common protocol of the services.

Source: protocol notes 2.1 to 2.5, 3 and 4. Nothing here sends a question twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from tui.models import Problem, Rating, ServiceName, Turn, TurnIds
from tui.services.accumulator import joined
from tui.services.base import Capabilities, Page, PageOf, RemoteConversation, StopOutcome, TurnRef, TurnRequest
from tui.services.errors import ApiError, ConfigurationError, ServiceError
from tui.services.events import Event, Failed, FrameSkipped, Heartbeat, Status
from tui.services.rds_agents import RdsAgents
from tui.services.rds_approvals import RdsApprovals
from tui.services.rds_catalog import RdsCatalog
from tui.services.rds_frames import RdsFrames
from tui.services.rds_history import RdsHistory
from tui.services.rds_inspections import RdsInspections
from tui.services.rds_options import inputs_of
from tui.services.rds_recovery import Recovery
from tui.services.rpc import LONG_QUERY, Api, RpcClient, Value
from tui.services.sse import Frame, Oversized
from tui.words import _

RDS_AI = Api(service="rds", version="2025-05-07", ram_prefix="rdsai")
STOP_GRACE = 10.0
"""Seconds that a stopped stream is still read for its last words."""
END_GRACE = 2.0
"""Seconds that are given to stragglers after the end marker; the body usually ends with it."""
CLOSE_GRACE = 5.0
"""Seconds that a stop which is under way is given when the program ends."""
_PARSE_IN_THREAD = 512 * 1024
_READ_AHEAD = 64
"""Frames that may wait for the consumer; beyond it the line itself holds the service back."""


@dataclass
class _LiveStream:
    """A stream that is being read, as `stop` finds it."""

    turn: str
    conversation: str
    frames: RdsFrames = field(default_factory=RdsFrames)
    over: bool = False
    """The body has ended, with `error` where that is one."""
    error: Exception | None = None
    stop_wanted: bool = False
    stopping: asyncio.Task[StopOutcome] | None = None
    deadline: float | None = None
    """Loop time at which reading ends."""

    def __post_init__(self) -> None:
        self._parts: list[Frame | Oversized] | None = None
        self._news = asyncio.Event()
        self._taken = asyncio.Event()

    async def put(self, parts: list[Frame | Oversized]) -> None:
        """Add what was read; waits while much of it is not taken."""
        self._parts = [*(self._parts or ()), *parts]
        self._news.set()
        if len(self._parts) > _READ_AHEAD:
            self._taken.clear()
            await self._taken.wait()

    def end(self, error: Exception | None) -> None:
        self.over, self.error = True, error
        self._news.set()

    async def take(self) -> list[Frame | Oversized] | None:
        """All that was read since the last time, None where nothing was; waits until there is any news.

        Raises:
            TimeoutError: the deadline has passed.
        """
        async with asyncio.timeout_at(self.deadline):
            await self._news.wait()
        self._news.clear()
        self._taken.set()
        parts, self._parts = self._parts, None
        return parts

    def read_for(self, seconds: float) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        self.deadline = deadline if self.deadline is None else min(self.deadline, deadline)

    def look(self) -> None:
        """Something but the line changed: look at the clock and the stop again."""
        self._news.set()

    def is_meant(self, ids: TurnIds, turn: str) -> bool:
        own = self.frames.ids
        if turn and self.turn:
            return turn == self.turn
        if ids.task and own.task:
            return ids.task == own.task
        if ids.message and own.message:
            return ids.message == own.message
        return bool(ids.conversation) and ids.conversation == (own.conversation or self.conversation)

    @property
    def was_stopped(self) -> bool:
        if self.stopping is None:
            return False
        return not self.stopping.done() or self.stopping.exception() is None


class RdsCopilot:
    """One account's RDS Copilot. `catalog`, `agents`, `approvals`, `inspections`: what it has beside the turns."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc
        self.catalog = RdsCatalog(rpc)
        self.agents = RdsAgents(rpc)
        self.inspections = RdsInspections(rpc)
        self._history = RdsHistory(rpc)
        self.approvals = RdsApprovals(self._history)
        self._streams: list[_LiveStream] = []
        self._stops: dict[str, asyncio.Task[StopOutcome]] = {}
        """By task id: a task is told to stop once, however often the user presses."""

    @property
    def name(self) -> ServiceName:
        return "rds"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(stop=True, history=True, feedback=True, agents=True)

    # --- a turn ----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def stream(self, request: TurnRequest) -> AsyncIterator[AsyncIterator[Event]]:
        """See `ConversationService.stream`."""
        params = chat_parameters(request)
        live = _LiveStream(request.turn, request.conversation)
        self._streams.append(live)
        try:
            async with self._rpc.stream("ChatMessages", params) as batches:
                reader = asyncio.create_task(_read(batches, live), name="rds-read")
                try:
                    async with aclosing(self._events(live, self._rpc.query_size(params))) as events:
                        yield events
                finally:
                    reader.cancel()
                    await asyncio.wait({reader})
        finally:
            self._streams.remove(live)

    async def stop(self, ids: TurnIds, turn: str = "") -> StopOutcome:
        """See `ConversationService.stop`. A wish that comes before the TaskId is carried out when that comes."""
        meant = [live for live in self._streams if live.is_meant(ids, turn)]
        if not meant and ids == TurnIds() and not turn:
            nameless = [live for live in self._streams if not live.frames.ids.task]
            meant = nameless if len(nameless) == 1 else []
        if not meant:
            return await asyncio.shield(self._stop(ids.task)) if ids.task else "not_possible"
        live = meant[0]
        live.stop_wanted = True
        if not live.frames.ids.task:
            return "remembered"
        return await asyncio.shield(self._stop_stream(live))

    async def recover(self, turn: TurnRef) -> AsyncIterator[Event]:
        """See `ConversationService.recover`."""
        recovery = Recovery(self._history, turn, clock_offset=lambda: self._rpc.clock_offset)
        async with aclosing(recovery.events()) as events:
            async for event in events:
                yield event

    # --- what the service keeps ------------------------------------------------------------------------------

    async def conversations(self, page: Page) -> PageOf[RemoteConversation]:
        return await self._history.conversations(page)

    async def history(self, conversation: str, page: Page) -> PageOf[Turn]:
        found = await self._history.messages(conversation, page)
        return PageOf(tuple(message.turn() for message in found.items), found.next)

    async def feedback(self, ids: TurnIds, rating: Rating, comment: str = "") -> None:
        """Rate a message. Taking a rating back is not documented by the service, so it is refused here."""
        if not ids.message or not rating:
            raise ConfigurationError(
                Problem(
                    _("Not rated"),
                    _("The service has not named this answer.")
                    if rating
                    else _("RDS Copilot does not take a rating back; it can be changed."),
                    delivered="no",
                )
            )
        await self._rpc.write(
            "ModifyMessagesFeedbacks", {"MessageId": ids.message, "Rating": rating, "Content": comment}
        )

    async def aclose(self) -> None:
        """Close the connections; a stop that is under way is let through first."""
        if self._stops:
            await asyncio.wait(self._stops.values(), timeout=CLOSE_GRACE)
        await self._rpc.aclose()

    # --- inside ----------------------------------------------------------------------------------------------

    async def _events(self, live: _LiveStream, query_size: int) -> AsyncGenerator[Event]:
        if query_size > LONG_QUERY:
            yield Status(
                _("a long question: {n} KB in the address; some proxies refuse that").format(n=query_size // 1000)
            )
        stop_told: asyncio.Task[StopOutcome] | None = None
        while True:
            try:
                parts = await live.take()
            except TimeoutError:
                break
            over, error = live.over, live.error
            for event in await self._translate(live, parts) if parts is not None else ():
                yield event
            if over:
                if live.stopping is not None and not live.frames.ended:
                    # Whether the service heard of the stop decides what the end of the body means.
                    await asyncio.wait({live.stopping}, timeout=STOP_GRACE)
                if error is not None and not isinstance(error, ServiceError):
                    raise error
                if error is not None and not (live.frames.ended or live.was_stopped):
                    yield Failed(error.problem)
                    return
                break
            failed_stop = live.stopping if live.stopping is not stop_told and not live.was_stopped else None
            if failed_stop is not None and isinstance(refused := failed_stop.exception(), ServiceError):
                stop_told = failed_stop
                yield Status(_("the stop did not get through: {reason}").format(reason=refused.problem.sentence))
            if live.frames.ended:
                live.read_for(END_GRACE)
        yield live.frames.end(stopped=live.was_stopped)

    async def _translate(self, live: _LiveStream, parts: list[Frame | Oversized]) -> list[Event]:
        """The events of what has been read; at least one, so that every read is a sign of life."""
        events: list[Event] = []
        for part in parts:
            if isinstance(part, Oversized):
                events.append(FrameSkipped(part.size, "too long"))
                continue
            if len(part.data) > _PARSE_IN_THREAD:
                events += await asyncio.to_thread(live.frames.feed, part.data)
            else:
                events += live.frames.feed(part.data)
            if live.stop_wanted and live.stopping is None and live.frames.ids.task:
                self._stop_stream(live)
        return joined(events) or [Heartbeat()]

    def _stop_stream(self, live: _LiveStream) -> asyncio.Task[StopOutcome]:
        def answered(task: asyncio.Task[StopOutcome]) -> None:
            if not task.cancelled() and task.exception() is None:
                live.read_for(STOP_GRACE)
            live.look()

        task = self._stop(live.frames.ids.task)
        if task is not live.stopping:
            live.stopping = task
            task.add_done_callback(answered)
        return task

    def _stop(self, task_id: str) -> asyncio.Task[StopOutcome]:
        """The one stop of `task_id`: a new one where the one before failed. It outlives the stream."""
        task = self._stops.get(task_id)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._stops[task_id] = asyncio.create_task(self._send_stop(task_id), name="rds-stop")
            # A failure that nobody waits for any more is no bug to be reported at exit.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def _send_stop(self, task_id: str) -> StopOutcome:
        try:
            await self._rpc.write("ChatMessagesTaskStop", {"TaskId": task_id})
        except ApiError as error:
            # Idempotence is not documented: a task that is not known (any more) is over.
            if type(error) is ApiError and error.problem.status in (400, 404):
                return "already_over"
            raise
        return "stopped"


async def _read(batches: AsyncIterator[list[Frame | Oversized]], live: _LiveStream) -> None:
    """Read in a task of its own, so that a clock or a stop can be waited for beside the line."""
    try:
        async for batch in batches:
            await live.put(batch)
    except Exception as error:  # noqa: BLE001  # whoever waits for what is read must hear of it
        live.end(error)
    else:
        live.end(None)


def chat_parameters(request: TurnRequest) -> dict[str, Value]:
    """The parameters of ChatMessages for `request`; options that are empty or not known to RDS are left out."""
    return {
        "Query": request.text,
        "ConversationId": request.conversation,
        "EventMode": "separate",
        "Inputs": inputs_of(request.options) or None,
    }
