"""What the sandbox remembers of the Responses API, and how its items read (protocol notes, section 9.1)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tui.sandbox.dashscope_checks import function as check_function
from tui.sandbox.dashscope_records import Json
from tui.sandbox.dashscope_refusals import Refused, invalid

_ROLES = ("system", "developer", "user", "assistant")
_TEXT_PARTS = ("input_text", "output_text", "text")


def item_id() -> str:
    return f"msg_{uuid.uuid4()}"


@dataclass(slots=True)
class StoredResponse:
    """`created_at` and `completed_at` in milliseconds; the wire has seconds."""

    id: str
    account: str
    created_at: int
    request: Json
    """The fields that were asked for, without `input`."""
    input: list[Json]
    output: list[Json] = field(default_factory=list)
    status: str = "queued"
    completed_at: int = 0
    usage: Json | None = None
    error: Json | None = None
    incomplete_details: Json | None = None

    @property
    def previous(self) -> str:
        return str(self.request.get("previous_response_id") or "")

    @property
    def is_stored(self) -> bool:
        return self.request.get("store") is not False

    def wire(self) -> Json:
        request = self.request
        told: Json = {
            "id": self.id,
            "object": "response",
            "created_at": self.created_at // 1000,
            "completed_at": self.completed_at // 1000 or None,
            "status": self.status,
            "model": request["model"],
            "output": [dict(item) for item in self.output],
            "tools": request.get("tools") or [],
            "tool_choice": request.get("tool_choice") or "auto",
            "parallel_tool_calls": False,
            "error": self.error,
            "usage": self.usage,
            "store": self.is_stored,
            "metadata": request.get("metadata") or {},
        }
        if self.previous:
            told["previous_response_id"] = self.previous
        if self.incomplete_details:
            told["incomplete_details"] = self.incomplete_details
        return told

    def told(self) -> Json:
        """For the state of the sandbox."""
        return {
            "id": self.id,
            "status": self.status,
            "previous": self.previous,
            "model": self.request["model"],
            "instructions": self.request.get("instructions") or "",
            "input": [item.get("type") for item in self.input],
            "text": text_of(self.output),
        }


def read_input(given: Any) -> list[Json]:
    """The items of `input`, each with an id.

    Raises:
        Refused: it is empty, or not a string or items.
    """
    if isinstance(given, str) and given:
        given = [{"role": "user", "content": given}]
    if not isinstance(given, list) or not given:
        raise Refused("BadRequest.EmptyInput")
    return [_item(f"input[{number}]", one) for number, one in enumerate(given)]


def _item(where: str, item: Any) -> Json:
    if not isinstance(item, dict):
        raise invalid(f"{where} must be an object.")
    kind = item.get("type") or "message"
    match kind:
        case "message":
            return _message(where, item)
        case "function_call":
            _strings(where, item, ("name", "arguments", "call_id"))
        case "function_call_output":
            _strings(where, item, ("call_id", "output"))
    return {**item, "type": kind, "id": item.get("id") or item_id()}


def _message(where: str, item: Json) -> Json:
    if item.get("role") not in _ROLES:
        raise invalid(f"{where}.role must be one of {', '.join(_ROLES)}.")
    content = item.get("content")
    if isinstance(content, str):
        kind = "output_text" if item["role"] == "assistant" else "input_text"
        content = [{"type": kind, "text": content}]
    if not isinstance(content, list) or not all(isinstance(part, dict) and part.get("type") for part in content):
        raise invalid(f"{where}.content must be a string or parts.")
    return {"id": item.get("id") or item_id(), "type": "message", "role": item["role"], "content": content}


def _strings(where: str, item: Json, names: Sequence[str]) -> None:
    for name in names:
        if not isinstance(item.get(name), str):
            raise invalid(f"{where}.{name} must be a string.")


def nested_tools(given: Any) -> list[Json]:
    """Tools in the form of assistants, from the flat form of responses.

    Raises:
        Refused: a function is not flat.
    """
    if given is None:
        return []
    if not isinstance(given, list):
        raise invalid("tools must be an array.")
    made = []
    for number, tool in enumerate(given):
        if not isinstance(tool, dict) or not isinstance(tool.get("type"), str):
            raise invalid(f"tools[{number}].type must be a string.")
        if tool["type"] != "function":
            made.append(tool)
            continue
        inside = {name: tool[name] for name in ("name", "description", "parameters") if name in tool}
        check_function(f"tools[{number}]", inside)
        made.append({"type": "function", "function": inside})
    return made


def text_of(items: Sequence[Mapping[str, Any]]) -> str:
    """The text of all messages."""
    parts = (part for item in items if item.get("type") == "message" for part in item["content"])
    return "".join(str(part.get("text") or "") for part in parts if part.get("type") in _TEXT_PARTS)
