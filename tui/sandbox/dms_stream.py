"""GetChatContent: the event log from a checkpoint on, then live (protocol notes, sections 8.1, 8.4 and 8.7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from tui.sandbox.call import ConnectionDropped, encode_json
from tui.sandbox.dms_chat import check_agent, live_session
from tui.sandbox.dms_records import Frame, Session
from tui.sandbox.dms_reply import DmsCall
from tui.sandbox.dms_state import DataAgents
from tui.sandbox.faults import Faults
from tui.sandbox.refusals import invalid_parameter
from tui.sandbox.sse import Cut, Line

HEARTBEAT = 15.0
"""Seconds of silence before a heartbeat; the real period is not known."""
_UNKNOWN: tuple[tuple[str, str, str], ...] = (
    ("SSE_VERSION", "", "1.0"),
    ("STREAM", "", ""),
    ("weather_change", "agent_weather", "it rains in the sandbox"),
    ("data", "agent_weather", '{"rain":true}'),
)


class _Encoder:
    """The frames of one connection to bytes."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._newline = b"\r\n" if "crlf" in faults else b"\n"
        self._number = 0

    def encode(self, frame: Mapping[str, object]) -> bytes:
        """One frame with its empty line, and what the switches put before it."""
        faults, newline = self._faults, self._newline
        self._number += 1
        out = b"\xef\xbb\xbf" if self._number == 1 and "bom" in faults else b""
        if "comments" in faults:
            out += b": sandbox" + newline + newline
        if self._number == 1 + (faults.count("malformed") or -1):
            out += (
                b"event: delta"
                + newline
                + b'data: {"event_type":"delta","category":"llm","content":"brok'
                + 2 * newline
            )
        event = str(frame["event_type"])
        technical = event == "HEARTBEAT"
        if "upper-names" in faults:
            frame = {**frame, "event_type": event.upper(), "category": str(frame["category"]).upper()}
        if "object-content" in faults and frame["content_type"] == "json" and event in ("data", "chat_finish"):
            frame = {**frame, "content": _object(str(frame["content"]))}
        mark = str(frame["event_type"]) + (f" at {frame['timestamp']}" if "event-at" in faults else "")
        if "no-event-lines" not in faults:
            out += b"event: " + mark.encode() + newline
        if technical and "bare-heartbeats" in faults:
            return out + newline
        if technical and "empty-heartbeats" in faults:
            return out + b"data:" + newline + newline
        return out + b"data: " + encode_json(frame) + newline + newline


def _object(text: str) -> object:
    import json

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
    faults = call.faults
    headers = {
        "Content-Type": "text/event-stream;charset=UTF-8",
        "Cache-Control": "no-cache",
        "x-acs-request-id": call.request_id,
    }
    if "gzip" in faults:
        headers["Content-Encoding"] = "gzip"
    response = web.StreamResponse(headers=headers)
    line, encoder = Line(response, faults), _Encoder(faults)
    cut, finish, number = Cut(call.request, line, faults), faults.count("finish-after"), 0
    agents.counts["streams"] += 1
    try:
        await response.prepare(call.request)
        async for frame in _frames(agents, session, position, faults):
            # What only keeps the line alive is not counted.
            number += frame["event_type"] != "HEARTBEAT"
            if await cut.put(encoder.encode(frame), number):
                break
            if number == finish:
                await line.put(encoder.encode(_technical(agents, session, "SSE_FINISH")))
                break
        await line.end()
    except (ConnectionError, ConnectionDropped, asyncio.CancelledError):
        agents.counts["streams lost"] += 1
        raise
    return response


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
        news = session.news
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
                await news.wait()
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
