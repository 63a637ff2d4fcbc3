"""The stream of ChatMessages on one connection: ids added, quirks of form applied (protocol notes, section 3)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TypeAlias

from aiohttp import web

from tui.sandbox.call import Call
from tui.sandbox.faults import Faults
from tui.sandbox.records import Message, inline_text
from tui.sandbox.sse import Encoder, write
from tui.sandbox.turns import Turn

Frame: TypeAlias = dict[str, object]
_TEXT = ("message", "thinking")
_IDS = ("ConversationId", "MessageId", "TaskId")
_SNAKE = {
    "Event": "event",
    "Answer": "answer",
    "ConversationId": "conversation_id",
    "MessageId": "message_id",
    "TaskId": "task_id",
    "CreatedAt": "created_at",
    "RequestId": "request_id",
}
_PASCAL = {
    "tool_call_name": "ToolCallName",
    "tool_call_id": "ToolCallId",
    "status": "Status",
    "response": "Response",
    "arguments": "Arguments",
}
_UNKNOWN: tuple[Frame, ...] = (
    {"Event": "node_started", "Answer": "", "data": {"node_id": "n-1", "inputs": None}},
    {"Event": "agent_weather", "Answer": "it rains in the sandbox"},
    {"Event": "ping"},
    {"Note": "a frame without an event"},
    {},
)
_NO_OBJECTS: tuple[object, ...] = (None, 1, [], "a string", [{"Event": "message", "Answer": "in a list"}])


_BROKEN = b'{"Event":"tool_call","TaskId":"t-2","Answer":"{\\"tool_call_name\\":\\"describe_db_ins'


async def stream(call: Call, turn: Turn) -> web.StreamResponse:
    """Write the turn's frames, from its first, until it is over or the line breaks."""

    def lost() -> None:
        if "dies-with-connection" in call.faults and not turn.over:
            turn.give_up()

    return await write(call.request, call.faults, {"x-acs-request-id": call.request_id}, _frames(call, turn), lost)


async def _frames(call: Call, turn: Turn) -> AsyncIterator[tuple[bytes, bool]]:
    faults = call.faults
    shaper = _Shaper(turn.message, call.request_id, faults)
    encoder = Encoder(faults, _BROKEN, named="event-lines" in faults)
    texts = 0
    async for frame in turn.log.follow():
        for value in shaper.shape(frame):
            data = encoder.json(value)
            if isinstance(value, dict) and value.get("Event") == "message" and value.get("Answer"):
                texts += 1
                if texts == faults.count("malformed-text"):
                    data = data[: len(data) // 2]
            yield encoder.encode("message", data), True


class _Shaper:
    """Shapes the frames of one connection, in order."""

    def __init__(self, message: Message, request_id: str, faults: Faults) -> None:
        self._message = message
        self._request_id = request_id
        self._faults = faults
        self._number = 0

    def shape(self, frame: Mapping[str, object]) -> Iterator[object]:
        """What is sent in the place of `frame`: no JSON value, one or several."""
        if self._message.separate or frame.get("Event") not in ("tool_call", "doc", "thinking", "chart"):
            yield from self._with_neighbours(dict(frame))
        elif text := inline_text(frame):
            yield from self._with_neighbours({"Event": "message", "Answer": text, "CreatedAt": frame["CreatedAt"]})

    def _with_neighbours(self, frame: Frame) -> Iterator[object]:
        faults = self._faults
        event = frame.get("Event")
        self._number += 1
        first, second = self._number == 1, self._number == 2
        if event == "workflow_finished":
            if "message-end" in faults:
                frame["Event"] = "message_end"
            if "no-finish" in faults:
                return
        if second and "unknown-events" in faults:
            yield from (self._dressed(dict(extra)) for extra in _UNKNOWN)
        if second and "not-objects" in faults:
            yield from _NO_OBJECTS
        if first and "bogus-event" in faults:
            yield self._dressed({"Event": "MysqlIOException", "Answer": ""})
        if event == "message" and "empty-deltas" in faults and self._number % 3 == 0:
            yield self._dressed({"Event": "message", "Answer": ""})
        dressed = self._dressed(frame)
        yield dressed
        if "duplicate-frames" in faults and event not in _TEXT:
            yield dressed
        if event == "workflow_finished" and "after-finish" in faults:
            yield self._dressed({"Event": "ping"})
            yield self._dressed({"Event": "billing_closed", "Answer": "1"})

    def _dressed(self, frame: Frame) -> Frame:
        """`frame` with its ids, its keys as the switches want them."""
        faults = self._faults
        event = frame.get("Event")
        if event == "tool_call":
            frame = self._tool(frame)
        if event != "message" and "message-ids-only" in faults:
            ids: Frame = {}
        else:
            ids = dict(zip(_IDS, (self._message.conversation_id, self._message.id, self._message.task_id), strict=True))
        if "no-task" in faults or self._number < (faults.count("late-task") or 0):
            ids.pop("TaskId", None)
        if self._number < (faults.count("late-conversation") or 0):
            ids.pop("ConversationId", None)
        if "conversion-id" in faults and "ConversationId" in ids:
            ids["ConversionId"] = ids.pop("ConversationId")
        frame = {**frame, **ids, "CreatedAt": frame.get("CreatedAt", 0), "RequestId": self._request_id}
        return self._spelt(frame)

    def _tool(self, frame: Frame) -> Frame:
        faults = self._faults
        if "tool-not-json" in faults:
            return {**frame, "Answer": "describing the instance ..."}
        payload = json.loads(str(frame["Answer"]))
        if "pascal-tool" in faults:
            payload = {_PASCAL.get(name, name): value for name, value in payload.items()}
        spelt: Frame = {**frame, "Event": "toolcall" if "toolcall" in faults else "tool_call"}
        if "top-level-tool" in faults:
            del spelt["Answer"]
            return {**spelt, **payload}
        spelt["Answer"] = payload if "object-answer" in faults else json.dumps(payload, ensure_ascii=False)
        return spelt

    def _spelt(self, frame: Frame) -> Frame:
        faults = self._faults
        if "numeric-ids" in faults:
            frame["CreatedAt"] = f"{frame['CreatedAt']}000"
            frame["Id"] = 1000 + self._number
        if "null-fields" in faults:
            absent = dict.fromkeys(("Answer", "ToolName", "ToolArguments", "CallId", "ApprovalStatus", "Code"))
            frame = {**absent, **frame}
        if "unknown-keys" in faults:
            frame = {**frame, "Mode": "chat", "metadata": {"usage": {"total": [1, None]}}, "观测": "沙箱"}
        if "spaced-event" in faults and isinstance(frame.get("Event"), str):
            frame["Event"] = f" {str(frame['Event']).title()} "
        if "snake-keys" in faults:
            frame = {_SNAKE.get(name, name): value for name, value in frame.items()}
        elif "lower-keys" in faults:
            frame = {name.lower() if name in ("Event", "Answer") else name: value for name, value in frame.items()}
        return frame
