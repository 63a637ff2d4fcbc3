"""The stream of a run on one connection: frames as the official SDK needs them, quirks of form applied
(protocol notes, sections 6.1, 6.4, 7 and 12.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from aiohttp import web

from tui.sandbox.dashscope_call import DashCall, shaped
from tui.sandbox.dashscope_records import Json
from tui.sandbox.dashscope_state import DashScope
from tui.sandbox.dashscope_turn import Frame, Play
from tui.sandbox.faults import Faults
from tui.sandbox.sse import Encoder, write

_UNKNOWN = (
    Frame("thread.run.weather", {"note": "it rains in the sandbox"}),
    Frame("thread.message.delta", {"id": "message_unknown", "object": "thread.message.delta"}),
    Frame("ping", {}),
)


_BROKEN = b'{"id":"message_broken","delta":{"content":[{"ty'


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
        async for frame in play.log.follow():
            for sent in shaper.shape(frame):
                yield sent.event, sent.data
            last = frame.event
        if last != "error" or "done-after-error" in faults:
            if "no-done" not in faults:
                yield "done", "[DONE]"
            if "after-finish" in faults:
                yield "ping", {}

    return await write_stream(agents, call, events(), play)


async def write_stream(
    agents: DashScope,
    call: DashCall,
    events: AsyncIterator[tuple[str, object]],
    play: Play | None = None,
    *,
    numbered: bool = False,
) -> web.StreamResponse:
    """Write events, a text as it stands, until there are no more or the line breaks; the turn goes on without it.

    Args:
        play: what is lost with the connection, where that is switched on.
        numbered: each frame has an `id:` line and the comment `:HTTP_STATUS/200`.
    """
    faults = call.faults
    headers = {"x-request-id": call.request_id}
    if kind := faults.argument("mislabelled"):
        headers["Content-Type"] = kind
    agents.counts["streams"] += 1

    def lost() -> None:
        agents.counts["streams lost"] += 1
        if "dies-with-connection" in faults and play and not play.over:
            play.stop("lost")

    async def frames() -> AsyncIterator[tuple[bytes, bool]]:
        encoder = Encoder(faults, _BROKEN, named="no-event-lines" not in faults, numbered=numbered)
        async for event, value in events:
            if event == "error" and isinstance(value, dict) and "error-text" in faults:
                value = str(value["message"])
            data = value.encode() if isinstance(value, str) else encoder.json(value)
            yield encoder.encode("" if event == "done" and "bare-done" in faults else event, data), True

    return await write(call.request, faults, headers, frames(), lost)
