"""What a response does, event by event (protocol notes, sections 9.1 and 11.7)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tui.sandbox import samples
from tui.sandbox.dashscope_brain import Ask, Asked, Step, script_for
from tui.sandbox.dashscope_records import Json
from tui.sandbox.dashscope_tools import UseTool
from tui.sandbox.dashscope_turn import Beat, End, Frame, Growing, Rest
from tui.sandbox.faults import Faults
from tui.sandbox.responses_records import StoredResponse, item_id, nested_tools, text_of
from tui.sandbox.script import Fail, Hold, Pause, Say, Think, deltas

if TYPE_CHECKING:
    from tui.sandbox.dashscope_state import DashScope

_SETTINGS = ("model", "instructions", "temperature", "top_p", "max_output_tokens")
_CHARACTERS = 3
"""That are counted as a token."""


class _Ended(Exception):
    """The response is over before its script is."""


class ResponsePlay:
    """The script of one response.

    Args:
        context: the items that the model sees, those of the request last.
    """

    def __init__(self, agents: DashScope, response: StoredResponse, context: Sequence[Json], faults: Faults) -> None:
        self._agents = agents
        self._response = response
        self._context = context
        self._faults = faults
        self._number = 0
        self._item: Json | None = None
        self._text = Growing(lambda text: None)
        self._characters = 0
        self._thought = 0

    # --- beats --------------------------------------------------------------------------------------------------

    def begin(self) -> Iterator[Beat]:
        response = self._response
        yield self._whole("created")
        response.status = "in_progress"
        yield self._whole("in_progress")
        yield Rest(0.3)
        try:
            for step in script_for(asked_of(response, self._context)):
                yield from self._do(step)
        except _Ended:
            return
        yield from self._end_message()
        yield from self._complete()

    def _do(self, step: Step) -> Iterator[Beat]:
        match step:
            case Think(text):
                if thinks(self._response.request):
                    yield from self._think(text)
            case Say(text, size):
                yield from self._begin_message()
                for piece in deltas(text, size):
                    yield self._delta(piece)
                    limit = self._response.request.get("max_output_tokens")
                    if limit and self._characters >= limit * _CHARACTERS:
                        yield from self._incomplete("max_output_tokens")
            case UseTool():
                yield from self._end_message()
                yield from self._use(step)
            case Ask(calls):
                yield from self._end_message()
                for name, arguments in calls:
                    yield from self._call(name, arguments)
            case Pause(seconds, real):
                yield Rest(seconds, real)
            case Hold():
                yield Rest(hold=True)
            case Fail(code, message):
                self._response.error = {"code": "server_error", "message": f"{code}: {message}"}
                yield from self.cut("failed")
                raise _Ended

    def _complete(self) -> Iterator[Frame]:
        response = self._response
        response.status = "completed"
        response.completed_at = self._agents.stamp()
        response.usage = self._usage()
        yield self._whole("completed")

    def _incomplete(self, reason: str) -> Iterator[Frame]:
        response = self._response
        response.incomplete_details = {"reason": reason}
        yield from self.cut("incomplete")
        raise _Ended

    # --- items --------------------------------------------------------------------------------------------------

    def _add(self, item: Json) -> Frame:
        head: Json = {name: item[name] for name in ("type", "role") if name in item}
        self._item = {"id": item_id(), **head, "status": "in_progress", **item}
        self._response.output.append(self._item)
        return self._event("output_item.added", output_index=self._index, item=dict(self._item))

    def _done(self, **more: Any) -> Frame:
        item = self._item
        assert item is not None
        item.update(more, status="completed")
        done = self._event("output_item.done", output_index=self._index, item=dict(item))
        self._item = None
        return done

    @property
    def _index(self) -> int:
        return len(self._response.output) - 1

    def _of_item(self, name: str, **fields: Any) -> Frame:
        assert self._item is not None
        return self._event(name, item_id=self._item["id"], output_index=self._index, **fields)

    def _begin_message(self) -> Iterator[Frame]:
        if self._item is not None:
            return
        yield self._add({"type": "message", "role": "assistant", "content": []})
        item = self._response.output[-1]
        self._text = Growing(lambda text: item.update(content=[_text_part(text)]))
        yield self._of_item("content_part.added", content_index=0, part=_text_part(""))

    def _delta(self, text: str) -> Frame:
        self._characters += len(text)
        self._text.add(text)
        return self._of_item("output_text.delta", content_index=0, delta=text, logprobs=[], paced=True)

    def _end_message(self) -> Iterator[Frame]:
        if self._item is None:
            return
        text = self._text.flush()
        yield self._of_item("output_text.done", content_index=0, text=text, logprobs=[])
        yield self._of_item("content_part.done", content_index=0, part=_text_part(text))
        yield self._done(content=[_text_part(text)])

    def _think(self, text: str) -> Iterator[Frame]:
        faults = self._faults
        self._thought += len(text)
        summary = "reasoning-summary" in faults
        yield self._add({"type": "reasoning", "summary": [], "content": []})
        name, place = ("reasoning_summary_text", "summary_index") if summary else ("reasoning_text", "content_index")
        if "silent-reasoning" not in faults:
            for piece in deltas(text):
                yield self._of_item(f"{name}.delta", **{place: 0}, delta=piece, paced=True)
            yield self._of_item(f"{name}.done", **{place: 0}, text=text)
        if summary:
            yield self._done(summary=[{"type": "summary_text", "text": text}])
        else:
            yield self._done(content=[{"type": "reasoning_text", "text": text}])

    def _use(self, use: UseTool) -> Iterator[Beat]:
        kind, arguments = use.type, json.loads(use.arguments)
        begun: Json
        ended: Json
        match kind:
            case "web_search":
                rows = json.loads(use.output)["data"]
                sources = [{"type": "url", "url": row["link"], "title": row["title"]} for row in rows]
                action = {"type": "search", "query": arguments["query"]}
                begun, ended = {"action": action}, {"action": {**action, "sources": sources}}
                middle = "searching"
            case "code_interpreter":
                code = {"code": arguments["code"], "container_id": "sandbox"}
                begun, ended = {**code, "outputs": []}, {"outputs": [{"type": "logs", "logs": use.output}]}
                middle = "interpreting"
            case "web_extractor" | "file_search" | "image_generation":
                begun, ended, middle = {"arguments": use.arguments}, {"output": use.output}, "calling"
            case _:
                begun = {"name": kind, "server_label": "sandbox", "arguments": use.arguments}
                ended, middle, kind = {"output": use.output}, "calling", "mcp"
        name = f"{kind}_call"
        yield self._add({"type": name, **begun})
        yield self._of_item(f"{name}.in_progress")
        yield self._of_item(f"{name}.{middle}")
        yield Rest(use.seconds)
        yield self._of_item(f"{name}.completed")
        yield self._done(**ended)

    def _call(self, name: str, arguments: str) -> Iterator[Frame]:
        call_id = f"call_{secrets.token_hex(12)}"
        yield self._add({"type": "function_call", "name": name, "arguments": "", "call_id": call_id})
        if "argument-deltas" in self._faults:
            half = len(arguments) // 2
            for piece in (arguments[:half], arguments[half:]):
                yield self._of_item("function_call_arguments.delta", delta=piece, paced=True)
            yield self._of_item("function_call_arguments.done", arguments=arguments)
        yield self._done(arguments=arguments)

    # --- ends before their time ---------------------------------------------------------------------------------

    def cut(self, end: End, why: str = "") -> Iterator[Frame]:
        response, item = self._response, self._item
        if item is not None:
            self._text.flush()
            item["status"], self._item = "incomplete", None
        if end == "incomplete":
            response.incomplete_details = response.incomplete_details or {"reason": "max_output_tokens"}
            response.usage = self._usage()
        cancelled = end in ("cancelled", "lost")
        response.status = "incomplete" if end == "incomplete" else "cancelled" if cancelled else "failed"
        if response.status == "failed":
            message = why or "the model's back end failed (sandbox data)"
            response.error = response.error or {"code": "server_error", "message": message}
        if end == "error":
            yield self._event("error", code="Throttling.RateQuota", message="Rate limit exceeded. (sandbox data)")
        else:
            yield self._whole(response.status)

    def huge(self, size: int) -> Frame:
        text = samples.filler(size)
        return self._delta(text) if self._item and self._item["type"] == "message" else self._whole("in_progress")

    def settled(self) -> None:
        if self._response.id not in self._agents.responses:
            return
        if self._response.is_stored:
            self._agents.responses.save(self._response)
        else:
            self._agents.responses.remove(self._response)

    # --- frames -------------------------------------------------------------------------------------------------

    def _event(self, name: str, *, paced: bool = False, **fields: Any) -> Frame:
        kind = name if name == "error" else f"response.{name}"
        data = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return Frame(kind, data, paced)

    def _whole(self, status: str) -> Frame:
        return self._event(status, response=self._response.wire())

    def _usage(self) -> Json:
        given = len(text_of(self._context)) // _CHARACTERS + 1
        made, thought = self._characters // _CHARACTERS + 1, self._thought // _CHARACTERS
        counts = {"input_tokens": given, "output_tokens": made + thought, "total_tokens": given + made + thought}
        return {
            "input_tokens": given,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": made + thought,
            "output_tokens_details": {"reasoning_tokens": thought},
            "total_tokens": counts["total_tokens"],
            "x_details": [{"x_billing_type": "response_api", **counts}],
        }


def _text_part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def thinks(request: Json) -> bool:
    """Thinking is on unless it is turned off."""
    effort = (request.get("reasoning") or {}).get("effort")
    return request.get("enable_thinking") is not False and effort not in ("none", "minimal")


def asked_of(response: StoredResponse, context: Sequence[Json]) -> Asked:
    """The turn as the model sees it."""
    request = response.request
    users = [n for n, item in enumerate(context) if item["type"] == "message" and item["role"] == "user"]
    newest = users[-1] if users else -1
    before = [(item["role"], text_of([item])) for item in context[: max(newest, 0)] if item["type"] == "message"]
    return Asked(
        text_of([context[newest]]) if users else "",
        tuple(before),
        tuple(nested_tools(request.get("tools"))),
        tuple(tuple(calls) for calls in _rounds(context, newest)),
        settings={name: request.get(name) for name in _SETTINGS},
        tool_choice=request.get("tool_choice") or "auto",
    )


def _rounds(context: Sequence[Json], newest: int) -> list[list[Json]]:
    """What functions gave back since the newest question, in the lots that it came in."""
    calls = {item["call_id"]: item for item in context if item["type"] == "function_call"}
    rounds: list[list[Json]] = []
    fresh = True
    for item in context[newest + 1 :]:
        if item["type"] != "function_call_output":
            fresh = True
            continue
        call = calls[item["call_id"]]
        if fresh:
            rounds.append([])
        fresh = False
        rounds[-1].append({"name": call["name"], "arguments": call["arguments"], "output": item["output"]})
    return rounds
