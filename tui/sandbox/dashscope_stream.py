"""The stream of a run on one connection: frames as the official SDK needs them, quirks of form applied
(protocol notes, sections 6.1, 6.4, 7 and 12.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

from aiohttp import web

from tui.sandbox.call import ConnectionDropped, encode_json
from tui.sandbox.dashscope_call import DashCall, shaped
from tui.sandbox.dashscope_records import Json
from tui.sandbox.dashscope_state import DashScope
from tui.sandbox.dashscope_turn import Frame, Play
from tui.sandbox.faults import Faults
from tui.sandbox.sse import Cut, Line

_UNKNOWN = (
    Frame("thread.run.weather", {"note": "it rains in the sandbox"}),
    Frame("thread.message.delta", {"id": "message_unknown", "object": "thread.message.delta"}),
    Frame("ping", {}),
)


class Encoder:
    """Events to bytes: nothing stands between a colon and its value, unless it is switched on.

    Args:
        numbered: each frame has an `id:` line and the comment `:HTTP_STATUS/200`.
    """

    def __init__(self, faults: Faults, *, numbered: bool = False) -> None:
        self._faults = faults
        self._numbered = numbered
        self._newline = b"\r\n" if "crlf" in faults else b"\n"
        self._number = 0
        self._held = b""

    def encode(self, event: str, value: object) -> bytes:
        """One frame; a text stands as it is."""
        faults = self._faults
        self._number += 1
        out = b"\xef\xbb\xbf" if self._number == 1 and "bom" in faults else b""
        if "comments" in faults:
            out += b":keepalive" + 2 * self._newline
        if self._number == 1 + (faults.count("malformed") or -1):
            out += self._lines(event, b'{"id":"message_broken","delta":{"content":[{"ty')
        if event == "error" and isinstance(value, dict) and "error-text" in faults:
            value = str(value["message"])
        data = value.encode() if isinstance(value, str) else encode_json(value)
        if "multi-line-data" in faults and not isinstance(value, str):
            data = json.dumps(value, indent=1).encode()
        return out + self._lines(event, data)

    def _lines(self, event: str, data: bytes) -> bytes:
        faults, newline = self._faults, self._newline
        space = b" " if "data-space" in faults else b""
        lines = []
        if self._numbered or "id-lines" in faults:
            lines.append(b"id:" + space + b"%d" % self._number)
        named = "no-event-lines" not in faults and not (event == "done" and "bare-done" in faults)
        if named:
            lines.append(b"event:" + space + event.encode())
        if self._numbered or "status-lines" in faults:
            lines.append(b":HTTP_STATUS/%d" % (429 if event == "error" else 200))
        if event == "error" and "status-lines" in faults:
            lines.append(b"status:429")
        texts = [b"data:" + space + line for line in data.split(b"\n")]
        lines = [*texts, *lines] if "data-first" in faults else [*lines, *texts]
        frame = b"".join(line + newline for line in lines)
        if "no-final-blank" in faults:
            before, self._held = self._held, newline
            return before + frame
        return frame + newline


class _Shaper:
    """The quirks of a run's frames that are one connection's alone."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._number = 0
        self._deltas = 0

    def shape(self, frame: Frame) -> Iterator[Frame]:
        faults, event = self._faults, frame.event
        self._number += 1
        is_text = event == "thread.message.delta"
        if self._number == 2 and "unknown-events" in faults:
            yield from _UNKNOWN
        if event == "thread.run.created" and "no-run-created" in faults:
            return
        if event == "thread.message.completed" and "no-message-completed" in faults:
            return
        if "no-run-end" in faults and _ends_run(frame):
            return
        if is_text:
            self._deltas += 1
            if (every := faults.count("lost-deltas")) and self._deltas % every == 0:
                return
            frame = Frame(event, self._text(frame.data))
            if "empty-deltas" in faults and self._deltas % 3 == 0:
                yield Frame(event, {**frame.data, "delta": {**frame.data["delta"], "content": []}})
        frame = Frame(event, self._dressed(frame.data))
        yield frame
        if "duplicate-deltas" in faults and is_text and self._deltas % 3 == 0:
            yield frame
        if "duplicate-frames" in faults and not is_text and event != "error":
            yield frame

    def _text(self, data: Json) -> Json:
        faults, delta = self._faults, data["delta"]
        content = delta["content"]
        if "delta-parts" in faults:
            text = content[0]["text"]["value"]
            half = len(text) // 2
            parts = (text[:half], text[half:])
            content = [{"type": "text", "text": {"value": part, "annotations": []}} for part in parts]
        if "delta-index" in faults:
            content = [{"index": index, **part} for index, part in enumerate(content)]
        if "delta-object" in faults:
            content = content[0]
        return {**data, "delta": {**delta, "content": content}}

    def _dressed(self, data: Json) -> Json:
        faults = self._faults
        made = shaped(data, faults)
        if "object-missing" in faults:
            made.pop("object", None)
        return made


def _ends_run(frame: Frame) -> bool:
    begun = frame.data.get("status") in ("queued", "in_progress")
    return frame.data.get("object") == "thread.run" and not begun


async def stream_run(agents: DashScope, call: DashCall, play: Play, first: Frame | None = None) -> web.StreamResponse:
    """Write `first`, then the play's frames, then `event:done`."""

    async def events() -> AsyncIterator[tuple[str, object]]:
        faults, shaper = call.faults, _Shaper(call.faults)
        if first is not None:
            yield first.event, first.data
        last = ""
        async for frame in play.follow():
            for sent in shaper.shape(frame):
                yield sent.event, sent.data
            last = frame.event
        if last != "error" or "done-after-error" in faults:
            if "no-done" not in faults:
                yield "done", "[DONE]"
            if "after-finish" in faults:
                yield "ping", {}

    return await write_stream(agents, call, events(), Encoder(call.faults), play)


async def write_stream(
    agents: DashScope,
    call: DashCall,
    events: AsyncIterator[tuple[str, object]],
    encoder: Encoder,
    play: Play | None = None,
) -> web.StreamResponse:
    """Write events until there are no more, or the line breaks; the turn goes on without it.

    Args:
        play: what is lost with the connection, where that is switched on.
    """
    faults = call.faults
    headers = {
        "Content-Type": faults.argument("mislabelled") or "text/event-stream;charset=UTF-8",
        "Cache-Control": "no-cache",
        "x-request-id": call.request_id,
    }
    if "gzip" in faults:
        headers["Content-Encoding"] = "gzip"
    response = web.StreamResponse(headers=headers)
    line = Line(response, faults)
    cut, number = Cut(call.request, line, faults), 0
    agents.counts["streams"] += 1
    try:
        await response.prepare(call.request)
        async for event, value in events:
            number += 1
            if await cut.put(encoder.encode(event, value), number):
                break
        await line.end()
    except (ConnectionError, ConnectionDropped, asyncio.CancelledError):
        agents.counts["streams lost"] += 1
        if "dies-with-connection" in faults and play and not play.over:
            play.stop("lost")
        raise
    return response
