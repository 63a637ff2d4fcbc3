"""Reading a session's stream to the end of a turn, over as many connections as that takes.

Source: protocol notes (DMS) 8.4, 8.7 and 8.8. Nothing here sends a message.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

from tui.models import Delivered, Position, Problem, Turn
from tui.services.dms_calls import Calls
from tui.services.dms_frames import TECHNICAL, parse_frame
from tui.services.dms_history import Replay
from tui.services.dms_reader import DmsReader
from tui.services.dms_sessions import SentMessage, Sessions, expired
from tui.services.errors import ApiError, AuthenticationError, PermissionDeniedError, ServiceError
from tui.services.events import Asked, Event, Failed, Finished, Heartbeat, Noted, PositionMoved, Status
from tui.services.rpc import FrameStream
from tui.services.sse import Frame, Oversized
from tui.words import _

_IN_THREAD = 256 * 1024
"""Characters of a content from which reading it would be felt on the event loop."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long what is waited for; seconds."""

    backoff: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
    """Before the next connection; from the first again after one that brought something."""
    tries: int = 10
    """Connections in a row that bring nothing, after which the turn is given up for now."""
    sure: float = 60.0
    """A message that has begun nothing for so long, while the session rests, did not arrive."""
    ask: float = 3.0
    """An open ask that is looked at again: whether somebody answered it meanwhile."""
    cancel: float = 10.0
    """A run that was cancelled while it waited may have no last word."""
    finish: float = 1.0
    """After SSE_FINISH: a replay may bring that of an earlier turn before what is new."""
    catch_up: float = 2.0
    """Of silence in a replay, after which it is taken to be over."""


@dataclass
class Run:
    """A turn that is being worked on here, as `stop` finds it."""

    turn: str = ""
    session: str = ""
    agent: str = ""
    sent: bool = False
    """The message has left, or is leaving."""
    accepted: bool = True
    """The service has the message, as far as is known."""
    cancelled: bool = False
    """The turn ends when its waiting run is cancelled: there need not be a last word."""
    began: float = 0.0
    """Loop time from which it is counted how long nothing came."""
    ends_at: float | None = None
    """Loop time at which a connection that was finished in form, or a silent replay, is left."""
    stop_wanted: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: asyncio.Task[None] | None = None


class Follower:
    """Follows sessions of one account."""

    def __init__(self, calls: Calls, sessions: Sessions, unit: str, timing: Timing) -> None:
        self._calls = calls
        self._sessions = sessions
        self._unit = unit
        self._timing = timing

    def _parameters(self, run: Run, checkpoint: str) -> dict[str, str]:
        return {
            "AgentId": run.agent,
            "SessionId": run.session,
            "Checkpoint": checkpoint,
            "DMSUnit": self._unit,
        }

    async def follow(self, run: Run, reader: DmsReader) -> AsyncGenerator[Event]:
        """All that comes until the turn is over, waits for the user, or cannot be found; its last event says which."""
        now = asyncio.get_running_loop().time
        tries, refusals, run.began = 0, 0, now()
        while not reader.is_over():
            error: ServiceError | None = None
            brought, run.ends_at = False, None
            try:
                async with self._calls.stream("GetChatContent", self._parameters(run, reader.checkpoint)) as batches:
                    for event in reader.connect():
                        yield event
                    async for batch in _until(batches, lambda: self._next_read(run, reader)):
                        for event in await _read(reader, batch):
                            yield event
                        brought = reader.moved
                        if reader.is_over():
                            break
                        if reader.finished:
                            run.ends_at = now() + self._timing.finish
            except ServiceError as lost:
                error = lost
            if reader.is_over():
                break
            if reader.position.phase == "waiting":  # as far as is known, the ask is open
                yield Finished("waiting")
                return
            # A key that was not accepted is fetched anew with the next connection, so once it is tried.
            if isinstance(error, PermissionDeniedError) or (isinstance(error, AuthenticationError) and refusals):
                yield Failed(replace(error.problem, delivered=_delivered(run)))
                return
            tries, refusals = (0, 0) if brought else (tries + 1, refusals)
            deadline = self._deadline(run, reader)
            if deadline is not None and (now() >= deadline or (tries > self._timing.tries and error is None)):
                ending = await self._nothing_came(run, reader)
                if ending:
                    for event in ending:
                        yield event
                    return
                tries, run.began = tries if ending is None else 0, now()
            if isinstance(error, ApiError) and not error.problem.retryable:
                refusals += 1
                if problem := await self._refused(run, error, final=refusals > 2):
                    yield Failed(problem)
                    return
            if tries > self._timing.tries:
                yield Failed(replace(error.problem, delivered=_delivered(run))) if error else Finished("cut_off")
                return
            pause = self._timing.backoff[min(max(tries - 1, 0), len(self._timing.backoff) - 1)]
            if error is not None or tries > 1:
                yield Status(_("the line dropped; going on in {n} s").format(n=max(1, round(pause))))
            await asyncio.sleep(pause)
        assert reader.end is not None
        yield reader.end

    def _next_read(self, run: Run, reader: DmsReader) -> float | None:
        moments = [moment for moment in (run.ends_at, self._deadline(run, reader)) if moment is not None]
        return min(moments, default=None)

    def _deadline(self, run: Run, reader: DmsReader) -> float | None:
        """Loop time until which it is waited for something to begin; None where it will."""
        phase = reader.position.phase
        if phase == "waiting":
            return run.began + self._timing.ask
        if run.cancelled:
            return run.began + self._timing.cancel
        if phase == "awaiting" and not run.accepted:
            return run.began + self._timing.sure
        return None

    async def _nothing_came(self, run: Run, reader: DmsReader) -> list[Event] | None:
        """How a turn ends whose message began nothing; empty where the session is at work, so it may still.

        None where the service cannot be asked.
        """
        try:
            session = await self._sessions.describe(run.session)
        except ServiceError:
            return None
        if run.cancelled:
            ask = reader.position.ask
            return (
                ask_again(reader.position, _not_known()) if session.waits and ask is not None else [Finished("stopped")]
            )
        if session.is_working:
            return []
        if reader.position.ask is not None:
            return ask_again(reader.position, _not_known())
        return [
            Failed(
                Problem(
                    _("Not arrived"),
                    _("The agent does not have this question; the connection broke before it got there."),
                    _("Send it again."),
                    delivered="no",
                    retryable=True,
                )
            )
        ]

    async def _refused(self, run: Run, error: ServiceError, *, final: bool) -> Problem | None:
        """The service does not open the stream: whether the session is gone, or its agent another one by now."""
        try:
            session = await self._sessions.describe(run.session)
        except ServiceError:
            session = None
        if session is not None and session.readiness == "gone":
            return replace(expired().problem, delivered=_delivered(run))
        if session is not None and session.agent_id and session.agent_id != run.agent:
            run.agent = session.agent_id
            return None
        return replace(error.problem, delivered=_delivered(run)) if final else None

    async def catch_up(self, run: Run) -> Position:
        """Where the stream of a session ends that nothing is known of here: read without keeping any of it."""
        newest, keys = -1, set[str]()
        async with aclosing(self._replay(run)) as batches:
            async for batch in batches:
                for part in batch:
                    frame = parse_frame(part.data, part.event) if isinstance(part, Frame) else None
                    if frame is None or frame.checkpoint is None:
                        continue
                    if frame.checkpoint > newest:
                        newest, keys = frame.checkpoint, set()
                    keys.add(frame.key(frame.checkpoint))
                if run.stop_wanted.is_set():
                    break
        return Position(str(newest) if newest >= 0 else "", tuple(sorted(keys)))

    async def history(self, run: Run, messages: Sequence[SentMessage]) -> tuple[Turn, ...]:
        """All turns of a session, oldest first; the newest may still run, or wait. Raises ServiceError."""
        replay = Replay(run.session, messages)
        async with aclosing(self._replay(run)) as batches:
            async for batch in batches:
                for part in batch:
                    if isinstance(part, Frame) and len(part.data) > _IN_THREAD:
                        await asyncio.to_thread(replay.feed, part)
                    else:
                        replay.feed(part)
        return replay.turns

    async def _replay(self, run: Run) -> AsyncGenerator[list[Frame | Oversized]]:
        """What the service has of a session, from its first frame until nothing comes for a while."""
        now = asyncio.get_running_loop().time
        async with self._calls.stream("GetChatContent", self._parameters(run, "0")) as batches:
            run.ends_at = now() + self._timing.catch_up
            async for batch in _until(batches, lambda: run.ends_at):
                if told := [name for part in batch if (name := _name(part)) not in TECHNICAL]:
                    run.ends_at = now() + (self._timing.finish if told[-1] == "sse_finish" else self._timing.catch_up)
                yield batch


def ask_again(position: Position, reason: str) -> list[Event]:
    """The answer to `position.ask` did not get there: the ask is open again."""
    ask = position.ask
    assert ask is not None
    over = ask.kind == "report"  # an offer holds nothing up
    return [
        Noted(_("your answer was not taken: {reason}").format(reason=reason)),
        Asked(replace(ask, answered="")),
        PositionMoved(replace(position, phase="done" if over else "waiting")),
        Finished("done" if over else "waiting"),
    ]


def _not_known() -> str:
    return _("the connection broke, and the agent still waits")


def _delivered(run: Run) -> Delivered:
    return "yes" if run.accepted else "unknown"


def _name(part: Frame | Oversized) -> str:
    """What a short frame is called; heartbeats, which say nothing of the session, are short."""
    frame = parse_frame(part.data, part.event) if isinstance(part, Frame) and len(part.data) <= 1000 else None
    return frame.name if frame is not None else ""


async def _until(batches: FrameStream, deadline: Callable[[], float | None]) -> AsyncGenerator[list[Frame | Oversized]]:
    """The batches until the deadline, which is asked for anew before each read; then it ends as if the line did."""
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout_at(deadline()):
                try:
                    batch = await anext(batches)
                except StopAsyncIteration:
                    return
            yield batch


async def _read(reader: DmsReader, batch: list[Frame | Oversized]) -> list[Event]:
    """The events of one read from the line, up to the end of the turn; a heartbeat where there are none."""
    events: list[Event] = []
    for part in batch:
        size = reader.pending + (len(part.data) if isinstance(part, Frame) else 0)
        events += await asyncio.to_thread(reader.feed, part) if size > _IN_THREAD else reader.feed(part)
        if reader.is_over():
            break
    return events or [Heartbeat()]
