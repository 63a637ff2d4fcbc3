"""GetChatContent: the event log from a checkpoint on, then live (protocol notes, sections 8.1, 8.4 and 8.7)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from aiohttp import web

from tui.sandbox.dms_chat import check_agent, live_session
from tui.sandbox.dms_records import Frame, Session
from tui.sandbox.dms_reply import DmsCall
from tui.sandbox.dms_state import DataAgents
from tui.sandbox.faults import Faults
from tui.sandbox.refusals import invalid_parameter
from tui.sandbox.sse import Encoder, write

HEARTBEAT = 15.0
"""Seconds of silence before a heartbeat; the real period is not known."""
_UNKNOWN: tuple[tuple[str, str, str], ...] = (
    ("SSE_VERSION", "", "1.0"),
    ("STREAM", "", ""),
    ("weather_change", "agent_weather", "it rains in the sandbox"),
    ("data", "agent_weather", '{"rain":true}'),
)


_BROKEN = b'{"event_type":"delta","category":"llm","content":"brok'


class _Encoder:
    """The frames of one connection to bytes."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._encoder = Encoder(faults, _BROKEN, named="no-event-lines" not in faults, spaced=True)

    def encode(self, frame: Frame) -> bytes:
        """One frame, spelt as the switches want it."""
        faults, event = self._faults, str(frame["event_type"])
        data: bytes | None = None
        if "upper-names" in faults:
            frame = {**frame, "event_type": event.upper(), "category": str(frame["category"]).upper()}
        if "object-content" in faults and frame["content_type"] == "json" and event in ("data", "chat_finish"):
            frame = {**frame, "content": _object(str(frame["content"]))}
        if event != "HEARTBEAT" or "bare-heartbeats" not in faults:
            empty = event == "HEARTBEAT" and "empty-heartbeats" in faults
            data = b"" if empty else self._encoder.json(frame)
        name = str(frame["event_type"]) + (f" at {frame['timestamp']}" if "event-at" in faults else "")
        return self._encoder.encode(name, data)


def _object(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


async def get_chat_content(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """Stream the session's events."""
    call.required("AgentId")
    session = live_session(agents, call)
    check_agent(session, call)
    position = _position(session, call)
    agents.counts["streams"] += 1

    def lost() -> None:
        agents.counts["streams lost"] += 1

    frames = _written(agents, session, position, call.faults)
    return await write(call.request, call.faults, {"x-acs-request-id": call.request_id}, frames, lost)


async def _written(
    agents: DataAgents, session: Session, position: int, faults: Faults
) -> AsyncIterator[tuple[bytes, bool]]:
    encoder, finish, number = _Encoder(faults), faults.count("finish-after"), 0
    async for frame in _frames(agents, session, position, faults):
        # What only keeps the line alive is not counted.
        counts = frame["event_type"] != "HEARTBEAT"
        number += counts
        yield encoder.encode(frame), counts
        if number == finish:
            yield encoder.encode(_technical(agents, session, "SSE_FINISH")), False
            return


def _position(session: Session, call: DmsCall) -> int:
    """Where the replay begins: at a checkpoint, inclusive; without one at the newest turn (or, by a switch, now)."""
    text = call.text("Checkpoint")
    if text:
        if not text.isascii() or not text.isdigit():
            raise invalid_parameter("Checkpoint must be a number.")
        return session.position_of(int(text) + ("exclusive-replay" in call.faults))
    if "live-only" in call.faults:
        return len(session.frames)
    return session.turns[-1].first if session.turns else 0


async def _frames(agents: DataAgents, session: Session, position: int, faults: Faults) -> AsyncIterator[Frame]:
    """The log from `position` on, heartbeats while it is silent, SSE_FINISH when nothing more comes."""
    heartbeat = faults.number("heartbeat") or HEARTBEAT
    sent = 0
    while True:
        while position < len(session.frames):
            yield session.frames[position]
            position += 1
            sent += 1
            if sent == 2 and "unknown-events" in faults:
                for event, category, content in _UNKNOWN:
                    yield {**_technical(agents, session, event), "category": category, "content": content}
        if _rests(session, faults):
            break
        try:
            async with asyncio.timeout(heartbeat):
                await session.news.wait()
        except TimeoutError:
            yield _technical(agents, session, "HEARTBEAT")
    if "no-sse-finish" not in faults:
        yield _technical(agents, session, "SSE_FINISH")


def _rests(session: Session, faults: Faults) -> bool:
    """Whether the stream has nothing to wait for."""
    if session.reclaimed:
        return True
    if session.ask:
        return "ask-finishes" in faults
    return session.turn is None and bool(session.turns)


def _technical(agents: DataAgents, session: Session, event: str) -> Frame:
    return {
        "event_type": event,
        "category": "",
        "content": "",
        "content_type": "str",
        "checkpoint": session.checkpoint,
        "level": 20,
        "timestamp": str(int(agents.world.clock())),
        "channel": None,
        "event_id": None,
    }
