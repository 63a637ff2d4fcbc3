"""Frames of ChatMessages to events; no I/O. The same class reads the Events of GetMessages.

Source: protocol notes 3.3 to 3.8 and 10. What is not published there is taken by its fields and never fails a turn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tui.models import AskBlock, AskCall, ChartBlock, ChartKind, Link, Problem, TableBlock, ToolStatus, TurnIds
from tui.services.events import (
    Asked,
    ChartFound,
    DocumentFound,
    Event,
    Failed,
    Finished,
    FrameSkipped,
    Heartbeat,
    Status,
    TextDelta,
    TextReplaced,
    ThinkingDelta,
    ToolProgress,
    TurnStarted,
    Unknown,
    UsageReported,
)
from tui.services.fields import Fields, as_count, as_items, as_json, as_object, as_text, plain
from tui.services.problems import from_refusal, read_refusal
from tui.services.rds_rounds import decision_of
from tui.text import clean, clean_line
from tui.words import _

_END_MARKERS = frozenset({"workflowfinished", "messageend", "finish", "[done]"})
_NEVER_ERRORS = frozenset({"message", "toolcall", "doc", "thinking"})
_RUNNING = frozenset({"start", "started", "pending", "running", "processing", "in_progress"})
_FAILED = frozenset({"fail", "failed", "error", "timeout", "rejected", "cancelled", "canceled"})
_ID_NAMES = (("ConversationId", "ConversionId"), ("MessageId",), ("TaskId",), ("RequestId",))
_CHART_KINDS: dict[str, ChartKind] = {"bar": "bar", "column": "bar", "line": "line", "pie": "pie", "scatter": "scatter"}
MAX_ROWS = 2000
"""Rows of a chart's data that are kept."""


class RdsFrames:
    """One turn's frames, in order: `feed` each, then `end` once."""

    def __init__(self) -> None:
        self.ids = TurnIds()
        self.ended = False
        """An end marker or an error was seen; only stragglers can follow."""
        self._problem: Problem | None = None
        self._asks: dict[str, AskBlock] = {}
        self._any_text = False
        self._found_ids: tuple[object, ...] = ()
        self._piece: Mapping[str, Any] = {}
        """The newest frame that was a piece of text and nothing else, without its text."""

    def feed(self, data: str) -> list[Event]:
        """The events of one frame's `data`; at least one, so that every frame is a sign of life."""
        if data.strip() == "[DONE]":
            self.ended = True
            return [Heartbeat()]
        try:
            frame = json.loads(data)
        except (ValueError, RecursionError) as error:
            return [FrameSkipped(len(data.encode("utf-8", "replace")), clean_line(str(error), 100))]
        if not isinstance(frame, dict):
            return [FrameSkipped(len(data.encode("utf-8", "replace")), "no JSON object")]
        return self.feed_object(frame) or [Heartbeat()]

    def feed_object(self, frame: Mapping[str, Any]) -> list[Event]:
        """The events of one frame that is parsed already: of a stream, or of GetMessages' `Events`."""
        answer = frame.get("Answer")
        rest = {**frame, "Answer": ""} if isinstance(answer, str) else {}
        if answer and rest and rest == self._piece:  # as nearly every frame of an answer
            text = clean(str(answer))
            return [TextDelta(text)] if text else []
        events = self._any_frame(frame)
        # With the same ids as before, or it would have told them, too.
        self._piece = rest if len(events) == 1 and isinstance(events[0], TextDelta) else {}
        return events

    def _any_frame(self, frame: Mapping[str, Any]) -> list[Event]:
        fields = Fields(frame)
        events = self._take_ids(fields)
        name = plain(fields.line("Event", limit=60))
        if _is_error(name, fields):
            self._fail(fields)
        elif fields.first("ApprovalStatus") is not None and fields.first("CallId") is not None:
            events.extend(self._approval(fields))
            if name == "message":
                events.extend(self._message(fields))
        elif name in _END_MARKERS:
            self.ended = True
            events.extend(self._end_marker(fields))
        else:
            events.extend(self._by_name(name, fields))
        return events

    def end(self, *, stopped: bool = False) -> Finished | Failed:
        """How the turn ended, asked once the body is over (or is no longer read)."""
        if stopped:
            return Finished("stopped")
        if self._problem is not None:
            return Failed(self._problem)
        if any(not ask.answered for ask in self._asks.values()):
            return Finished("waiting")
        return Finished("done" if self.ended else "cut_off")

    # --- one kind of frame each ------------------------------------------------------------------------------

    def _by_name(self, name: str, fields: Fields) -> list[Event]:
        match name:
            case "message" | "agentmessage":
                return self._message(fields)
            case "" if fields.first("Answer") is not None:
                return self._message(fields)
            case "messagereplace":
                return [TextReplaced(_answer_text(fields))]
            case "thinking":
                text = _answer_text(fields)
                return [ThinkingDelta(text)] if text else []
            case "toolcall":
                return [_tool(fields)]
            case "doc":
                return [_document(fields)]
            case "workflowstarted" | "ping" | "":
                return []
            case "nodestarted" | "nodefinished":
                title = _node_title(fields)
                return [Status(title)] if title and name.endswith("started") else []
        if "chart" in name or fields.first("x_field") is not None:
            chart = _chart(fields)
            if chart is not None:
                return [ChartFound(chart)]
        if name.startswith(("subtask", "subagent")):
            return [_sub_task(name, fields)]
        return [Unknown(fields.line("Event", limit=60), clean_line(_answer_text(fields)))]

    def _take_ids(self, fields: Fields) -> list[Event]:
        """Ids of any frame. The first TaskId stays; `Id` is another message's and is left alone."""
        found = tuple(fields.first(*names) for names in _ID_NAMES)
        if found == self._found_ids:  # as in nearly every frame
            return []
        self._found_ids = found
        conversation, message, task, request = ("" if raw is None else clean_line(as_text(raw)) for raw in found)
        old = self.ids
        self.ids = TurnIds(
            conversation=conversation or old.conversation,
            message=message or old.message,
            task=old.task or task,
            request=request or old.request,
        )
        return [TurnStarted(self.ids)] if self.ids != old else []

    def _message(self, fields: Fields) -> list[Event]:
        text = _answer_text(fields)
        self._any_text = self._any_text or bool(text)
        return [TextDelta(text)] if text else []

    def _end_marker(self, fields: Fields) -> list[Event]:
        usage = as_object((as_object(fields.first("metadata")) or fields).first("usage"))
        if usage is None:
            return []
        given = as_count(usage.first("prompt_tokens", "input_tokens"))
        made = as_count(usage.first("completion_tokens", "output_tokens"))
        return [UsageReported(given, made)] if given or made else []

    def _approval(self, fields: Fields) -> list[Event]:
        """Calls that share a RoundId are one ask; it is answered when none of them is open any more."""
        round_id = fields.line("RoundId") or fields.line("CallId")
        call = AskCall(
            call_id=fields.line("CallId"),
            name=fields.line("ToolName"),
            arguments=fields.text("ToolArguments"),
            description=fields.text("Description"),
            status=fields.line("ApprovalStatus", limit=40).lower(),
        )
        ask = self._asks.get(round_id, AskBlock("approval", round_id))
        calls = {known.call_id: known for known in ask.calls}
        known = calls.get(call.call_id)
        if known is not None:
            call = replace(
                call,
                name=call.name or known.name,
                arguments=call.arguments or known.arguments,
                description=call.description or known.description,
            )
        calls[call.call_id] = call
        decided = [entry.status for entry in calls.values() if decision_of(entry.status) != "open"]
        answered = ", ".join(dict.fromkeys(decided)) if len(decided) == len(calls) else ""
        self._asks[round_id] = replace(ask, calls=tuple(calls.values()), answered=answered)
        return [Asked(self._asks[round_id])]

    def _fail(self, fields: Fields) -> None:
        error = from_refusal(
            "rds",
            read_refusal(fields),
            action="rdsai:ChatMessages",
            accepted=bool(self.ids.message or self.ids.task or self._any_text),
        )
        self._problem = replace(error.problem, request_id=error.problem.request_id or self.ids.request)
        self.ended = True


def _is_error(name: str, fields: Fields) -> bool:
    """The error event's name is not published: a frame with a code and a message and no answer is one."""
    if name == "error":
        return True
    if name in _NEVER_ERRORS or fields.first("Code") is None or fields.first("Answer") is not None:
        return False
    refusal = read_refusal(fields)
    return bool(refusal.code and refusal.message)


def _answer_text(fields: Fields) -> str:
    """`Answer` as clean text; where it is an object, the text in it."""
    value = fields.first("Answer")
    if isinstance(value, Mapping):
        inner = Fields(value).first("text", "content", "answer", "message")
        value = inner if inner is not None else value
    return clean(as_text(value)) if value is not None else ""


def _tool(fields: Fields) -> ToolProgress:
    """`Answer` is JSON (text or object); where it is not, the same keys may stand at the top of the frame."""
    inside = as_object(fields.first("Answer"))
    source = inside if inside is not None else fields
    name = source.line("tool_call_name", "ToolName", "name") or fields.line("tool_call_name", "ToolName")
    call_id = source.line("tool_call_id", "CallId", "id") or fields.line("tool_call_id", "CallId")
    status = source.line("status", "tool_call_status", limit=40).lower()
    result = source.text("response", "tool_call_response", "result", "output")
    if inside is None and not name:
        result = result or _answer_text(fields)
    return ToolProgress(
        call_id=call_id,
        name=name,
        status=_tool_status(status),
        arguments=source.text("arguments", "tool_call_arguments", "ToolArguments", "args", "input"),
        result=result,
    )


def _tool_status(status: str) -> ToolStatus:
    if status in _RUNNING:
        return "running"
    return "failed" if status in _FAILED else "done"


def _document(fields: Fields) -> DocumentFound:
    title = fields.line("title") or _("Documents")
    links: list[Link] = []
    content = as_json(fields.first("Answer", "documents", "docs", "data"))
    for item in as_items(content):
        url = item.line("url", "link", "href", limit=2000)
        if url.startswith(("https://", "http://")):
            links.append(Link(item.line("title", "name", "doc_name") or url, url))
    text = clean(content) if isinstance(content, str) else ""
    if not links and not text and content is not None:
        text = clean(as_text(content))
    return DocumentFound(title, tuple(links), text)


def _node_title(fields: Fields) -> str:
    return (as_object(fields.first("data")) or fields).line("title", limit=80)


def _sub_task(name: str, fields: Fields) -> ToolProgress:
    """A sub-agent at work, shown as a tool that runs."""
    source = as_object(fields.first("Answer")) or fields
    title = source.line("title", "name") or fields.line("title") or _("sub-task")
    ended = name.endswith(("end", "finished", "finish", "done"))
    return ToolProgress(f"subtask:{title}", title, "done" if ended else "running", result=source.text("text"))


def _chart(fields: Fields) -> ChartBlock | None:
    """A chart by its fields (title, x_field, y_field, data); None where they do not make one."""
    source = as_object(fields.first("Answer")) or fields
    rows = as_items(source.first("data"))[:MAX_ROWS]
    x = source.line("x_field", "xField")
    y_value = as_json(source.first("y_field", "yField"))
    y = [clean_line(as_text(name), 60) for name in (y_value if isinstance(y_value, list) else [y_value]) if name]
    if not rows or not x or not y:
        return None
    columns = [x, *(name for name in y if name != x)]
    table = TableBlock(
        columns=tuple(columns),
        rows=tuple(tuple(row.line(column) for column in columns) for row in rows),
        title=source.line("title"),
    )
    kind = source.line("type", "chart_type", "kind", limit=40).lower()
    found = next((value for key, value in _CHART_KINDS.items() if key in kind), None)
    return ChartBlock(found or "bar", table.title, x, tuple(columns[1:]) or (x,), table)
