"""From the events of a response's stream to ours; no I/O. Source: protocol notes (DashScope) 9.1 and 11.7."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tui.models import AskBlock, AskCall, Link, ToolStatus, TurnIds
from tui.services.assistant_models import ToolCall
from tui.services.dashscope_problems import read_error_table, refused
from tui.services.dashscope_wire import line, read_usage, tables, text
from tui.services.dashscope_wire import table as as_table
from tui.services.errors import ServiceError
from tui.services.events import (
    Asked,
    DocumentFound,
    Event,
    Failed,
    Finished,
    FrameSkipped,
    Noted,
    Status,
    ThinkingDelta,
    ToolProgress,
    TurnStarted,
    Unknown,
    UsageReported,
)
from tui.services.fields import as_json, as_text
from tui.services.growing_text import GrowingText
from tui.services.problems import Refusal
from tui.services.sse import Frame, Oversized
from tui.text import clean, clean_line
from tui.words import _

_QUIET = frozenset(
    {
        "response.content_part.added",
        "response.content_part.done",
        "response.output_text.annotation.added",
        "response.reasoning_text.done",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_part.done",
        "response.function_call_arguments.done",
        "response.code_interpreter_call_code.done",
    }
)

_ASKED = ("arguments", "action", "code", "query", "queries", "input")
_GIVEN = ("output", "outputs", "results", "result")
"""Where an item of one of the service's own tools has what went in and what came out."""


@dataclass
class _Tool:
    key: str
    name: str
    arguments: str = ""
    result: str = ""

    def progress(self, status: ToolStatus) -> ToolProgress:
        return ToolProgress(self.key, self.name, status, self.arguments, self.result)


@dataclass
class ResponseReader:
    """One response. `held` is the answer text of the turn's responses before it."""

    held: str = ""
    id: str = ""
    request_id: str = ""
    """Of the answer's head; its frames have none."""
    end: Finished | Failed | None = None
    error: ServiceError | None = None
    """What `end` says, where it failed."""
    content: bool = False
    """Something of an answer has come."""
    _thought: set[str] = field(default_factory=set)
    _tools: dict[str, _Tool] = field(default_factory=dict)
    _calls: list[ToolCall] = field(default_factory=list)
    _links: dict[str, Link] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._text = GrowingText(self.held)

    @property
    def text(self) -> str:
        """The whole answer text so far."""
        return self._text.whole

    def feed(self, part: Frame | Oversized) -> list[Event]:
        """The events of one frame; never raises."""
        if isinstance(part, Oversized):
            return [FrameSkipped(part.size, "too long")]
        if part.data.strip() == "[DONE]":
            return []
        data = as_json(part.data)
        if not isinstance(data, Mapping):
            if part.event.strip() == "error":
                return self._fail(Refusal(message=clean_line(part.data, 300)))
            return [FrameSkipped(len(part.data), "not a JSON object")]
        return self.take(line(data, "type") or part.event.strip(), data)

    def take(self, name: str, data: Mapping[str, Any]) -> list[Event]:
        """The events of a frame that was read."""
        if name == "error" or (not name.startswith("response.") and ("code" in data or "error" in data)):
            return self._fail(read_error_table(data))
        if name in _QUIET:
            return []
        if name in ("response.output_text.delta", "response.output_text.done"):
            return self._message_text(data, whole=name.endswith("done"))
        if name in ("response.reasoning_text.delta", "response.reasoning_summary_text.delta"):
            self.content = True
            self._thought.add(line(data, "item_id"))
            return [ThinkingDelta(text(data, "delta"))]
        if name == "response.output_item.added":
            return self._item(as_table(data.get("item")), over=False)
        if name == "response.output_item.done":
            return self._item(as_table(data.get("item")), over=True)
        if name.startswith(("response.function_call_arguments.", "response.code_interpreter_call_code.")):
            return self._arguments(data)
        kind, _dot, state = name.removeprefix("response.").rpartition(".")
        if kind.endswith("_call"):
            return self._call_state(kind, state, data)
        if name.startswith("response.") and not kind:
            return self._response(state, as_table(data.get("response")) or data)
        return [Unknown(name or "unnamed")]

    # --- the response ------------------------------------------------------------------------------------------

    def _response(self, state: str, response: Mapping[str, Any]) -> list[Event]:
        self.id = line(response, "id") or self.id
        events: list[Event] = [
            TurnStarted(TurnIds(message=self.id, request=line(response, "request_id") or self.request_id))
        ]
        status = line(response, "status") if state in ("completed", "created") else state
        if status in ("failed", "cancelled") and state != "cancelled":
            return [*events, *self._fail(_refusal(response))]
        if state in ("created", "queued"):
            return [*events, Status(_("queued"))]
        if state == "in_progress":
            return [*events, Status("")]
        if state not in ("completed", "incomplete", "cancelled"):
            return [*events, Unknown(f"response.{state}")]
        for item in tables(response.get("output")):
            events += self._item(item, over=True)
        if (usage := read_usage(response.get("usage"))) is not None:
            events.append(UsageReported(usage.input_tokens, usage.output_tokens))
        if self._links:
            events.append(DocumentFound(_("Sources"), tuple(self._links.values())))
        if state == "cancelled":
            self.end = Finished("stopped")
        elif self._calls:
            events += self._ask()
            self.end = Finished("waiting")
        else:
            if state == "incomplete":
                reason = line(as_table(response.get("incomplete_details")), "reason")
                told = _("the service ended the answer before it was complete: {reason}")
                events.append(Noted(told.format(reason=reason or _("no reason was given"))))
            self.end = Finished()
        return events

    def _ask(self) -> list[Event]:
        calls = tuple(AskCall(call.id, call.name, call.arguments) for call in self._calls)
        ask = AskBlock("tool_outputs", f"{self.id}:0", calls=calls)
        return [*(ToolProgress(call.call_id, call.name, "waiting", call.arguments) for call in calls), Asked(ask)]

    def _fail(self, refusal: Refusal) -> list[Event]:
        refusal = replace(refusal, request_id=refusal.request_id or self.request_id)
        self.error = refused(refusal, accepted=self.content)
        self.end = Failed(self.error.problem)
        return []

    # --- items -----------------------------------------------------------------------------------------------------

    def _message_text(self, data: Mapping[str, Any], *, whole: bool) -> list[Event]:
        key = f"{line(data, 'item_id')}:{data.get('content_index', 0)}"
        if whole:
            return self._complete(key, text(data, "text"))
        self.content = True
        return [*self._text.add(key, text(data, "delta"))]

    def _complete(self, key: str, whole: str) -> list[Event]:
        events: list[Event] = [*self._text.complete(key, whole)]
        self.content = self.content or bool(events)
        return events

    def _item(self, item: Mapping[str, Any], *, over: bool) -> list[Event]:
        kind, key = line(item, "type"), line(item, "id")
        if kind == "message":
            events: list[Event] = []
            for index, part in enumerate(tables(item.get("content"))):
                self._note_links(part)
                if over:
                    events += self._complete(f"{key}:{index}", text(part, "text") or text(part, "refusal"))
            return events
        if kind == "reasoning":
            return self._reasoning(key, item) if over else []
        if kind == "function_call":
            return self._function(item, over=over)
        if kind.endswith("_call"):
            tool = self._tool(key, kind)
            if over:
                tool.arguments = _first(item, *_ASKED) or tool.arguments
                tool.result = _first(item, *_GIVEN) or tool.result
            self.content = True
            return [tool.progress(_status(line(item, "status")) if over else "running")]
        return [] if not over else [Unknown(f"item {kind or 'unnamed'}")]

    def _reasoning(self, key: str, item: Mapping[str, Any]) -> list[Event]:
        """Thinking that came whole; what came in pieces is there already."""
        parts = [text(part, "text") for name in ("content", "summary") for part in tables(item.get(name))]
        whole = "\n\n".join(part for part in parts if part)
        if not whole or key in self._thought:
            return []
        self._thought.add(key)
        self.content = True
        return [ThinkingDelta(whole)]

    def _function(self, item: Mapping[str, Any], *, over: bool) -> list[Event]:
        key = line(item, "call_id") or line(item, "id")
        tool = self._tools.setdefault(line(item, "id") or key, _Tool(key, line(item, "name")))
        self.content = True
        if not over:
            return [tool.progress("running")]
        tool.name = line(item, "name") or tool.name
        tool.arguments = text(item, "arguments") or tool.arguments
        if all(call.id != key for call in self._calls):
            self._calls.append(ToolCall(key, tool.name, tool.arguments))
        return [ToolProgress(key, tool.name, "waiting", tool.arguments)]

    def _tool(self, key: str, kind: str) -> _Tool:
        return self._tools.setdefault(key, _Tool(f"{self.id}:{key}", kind.removesuffix("_call")))

    def _arguments(self, data: Mapping[str, Any]) -> list[Event]:
        tool = self._tools.get(line(data, "item_id"))
        if tool is None:
            return []
        tool.arguments += text(data, "delta")
        return [tool.progress("running")]

    def _call_state(self, kind: str, state: str, data: Mapping[str, Any]) -> list[Event]:
        tool = self._tool(line(data, "item_id"), kind)
        self.content = True
        return [tool.progress(_status(state))]

    def _note_links(self, part: Mapping[str, Any]) -> None:
        for note in tables(part.get("annotations")):
            body = as_table(note.get("url_citation")) or note
            if (url := line(body, "url", 2000)).startswith(("http://", "https://")):
                self._links[url] = Link(line(body, "title") or url, url)


def _first(item: Mapping[str, Any], *names: str) -> str:
    """The first of the fields that is filled, as text."""
    value = next((item[name] for name in names if item.get(name) not in (None, "", [], {})), None)
    return clean(as_text(value)) if value is not None else ""


def _status(state: str) -> ToolStatus:
    return "done" if state == "completed" else "failed" if state in ("failed", "incomplete", "cancelled") else "running"


def _refusal(response: Mapping[str, Any]) -> Refusal:
    """Why a response failed. A rate limit looks like a failure of the server, but names no model."""
    refusal = read_error_table({"error": response.get("error") or {}, "request_id": line(response, "request_id")})
    if refusal.code == "server_error" and "model" in response and not response["model"]:
        return Refusal("Throttling.RateQuota", refusal.message, refusal.request_id)
    return refusal
