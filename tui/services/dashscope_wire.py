"""The JSON of DashScope's assistants, threads and runs: reading it tolerantly, writing exactly what is meant. No I/O.

Source: protocol notes (DashScope) 2.1, 4 and 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from tui.models import Usage
from tui.services.assistant_models import (
    Assistant,
    AssistantChange,
    BuiltinTool,
    FunctionTool,
    PluginAuth,
    RemoteModel,
    Run,
    RunStep,
    ServiceFile,
    StepCall,
    Thread,
    ThreadMessage,
    Tool,
    ToolCall,
)
from tui.services.fields import as_json, as_text, as_time
from tui.services.keys import Secret
from tui.text import clean, clean_line

Table = Mapping[str, Any]
DEEPEST = 64
"""Levels of a function's schema or a tool's details: all that reads and shows them goes down by recursion."""
_TOO_MUCH = 10**15
"""Of anything that is counted here; not a number is no less than it."""


# --- small things ------------------------------------------------------------------------------------------


def table(value: object) -> Table:
    """`value` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def tables(value: object) -> list[Table]:
    """The objects in a list, whatever else is in it."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def line(raw: Table, name: str, limit: int = 200) -> str:
    """One clean line: ids, names, codes."""
    value = raw.get(name)
    return clean_line(as_text(value), limit) if value not in (None, "") else ""


def text(raw: Table, name: str) -> str:
    """Clean text; JSON where it is an object or a list."""
    value = raw.get(name)
    return clean(as_text(value)) if value not in (None, "") else ""


def time(raw: Table, name: str) -> datetime | None:
    """A moment; "not happened" is null, 0 or -1."""
    value = raw.get(name)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value <= 0:
        return None
    return as_time(value)


def cleaned(value: Any, room: int = DEEPEST) -> Any:
    """JSON with every text in it clean, keys too; what is nested more deeply than `room` levels is null."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(key)): cleaned(item, room - 1) for key, item in value.items()} if room else None
    if isinstance(value, (list, tuple)):
        return [cleaned(item, room - 1) for item in value] if room else None
    return value


def read_metadata(value: object) -> dict[str, str]:
    return {clean_line(str(key)): clean(as_text(item)) for key, item in table(value).items() if item is not None}


def _number(raw: Table, name: str) -> float | None:
    value = raw.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _TOO_MUCH:
        return None
    return float(value)


def _whole(raw: Table, name: str) -> int | None:
    value = _number(raw, name)
    return int(value) if value is not None else None


def _ids(value: object) -> tuple[str, ...]:
    return tuple(clean_line(item) for item in value if isinstance(item, str)) if isinstance(value, list) else ()


# --- tools -------------------------------------------------------------------------------------------------


def read_tool(raw: Table) -> Tool:
    """A tool in the nested form (`{"type":"function","function":{...}}`) or the flat one of the Responses API."""
    kind = line(raw, "type") or "unknown"
    if kind == "function":
        body = table(raw.get("function")) or {key: value for key, value in raw.items() if key != "type"}
        known = ("name", "description", "parameters")
        return FunctionTool(
            name=line(body, "name"),
            description=text(body, "description"),
            parameters=cleaned(table(as_json(body.get("parameters")))),
            extra=cleaned({key: value for key, value in body.items() if key not in known}),
        )
    auth = table(raw.get("auth"))
    token = auth.get("user_token")
    return BuiltinTool(
        type=kind,
        auth=PluginAuth(Secret(token), line(auth, "type") or "user_http") if isinstance(token, str) else None,
        extra=cleaned({key: value for key, value in raw.items() if key not in ("type", "auth")}),
    )


def tool_body(tool: Tool) -> dict[str, Any]:
    """The nested form. It has a plugin's token in clear: it goes nowhere but into a request."""
    if isinstance(tool, FunctionTool):
        function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
        return {"type": "function", "function": {**function, **tool.extra}}
    body: dict[str, Any] = {"type": tool.type, **tool.extra}
    if tool.auth is not None:
        body["auth"] = {"type": tool.auth.type, "user_token": tool.auth.token.reveal()}
    return body


# --- assistants --------------------------------------------------------------------------------------------


def read_assistant(raw: Table) -> Assistant:
    return Assistant(
        id=line(raw, "id"),
        model=line(raw, "model"),
        name=line(raw, "name"),
        description=text(raw, "description"),
        instructions=text(raw, "instructions"),
        tools=tuple(read_tool(item) for item in tables(raw.get("tools"))),
        file_ids=_ids(raw.get("file_ids")),
        metadata=read_metadata(raw.get("metadata")),
        temperature=_number(raw, "temperature"),
        top_p=_number(raw, "top_p"),
        top_k=_whole(raw, "top_k"),
        max_tokens=_whole(raw, "max_tokens"),
        created_at=time(raw, "created_at"),
    )


def change_body(change: AssistantChange) -> dict[str, Any]:
    """The body that creates or updates: exactly the fields that are set, cleared ones as "", [], {} or null."""
    body: dict[str, Any] = {}
    for name in change.names:
        value = getattr(change, name)
        if name == "tools":
            value = [tool_body(tool) for tool in value]
        elif name == "file_ids":
            value = list(value)
        elif name == "metadata":
            value = dict(value)
        body[name] = value
    return body


def read_model(raw: Table) -> RemoteModel:
    return RemoteModel(
        id=line(raw, "model") or line(raw, "model_id") or line(raw, "id"),
        name=line(raw, "name") or line(raw, "model_name"),
        description=text(raw, "description"),
    )


# --- threads, messages, runs -------------------------------------------------------------------------------


def read_thread(raw: Table) -> Thread:
    return Thread(line(raw, "id"), time(raw, "created_at"), read_metadata(raw.get("metadata")))


def read_content(value: object) -> tuple[str, tuple[str, ...]]:
    """Text and picture ids of a content: a list of parts on the wire, an object or a string in documents."""
    if isinstance(value, str):
        return clean(value), ()
    texts: list[str] = []
    images: list[str] = []
    for part in [value] if isinstance(value, dict) else tables(value):
        body = part.get("text")
        if isinstance(body, str):
            texts.append(clean(body))
        elif isinstance(body, dict) and isinstance(body.get("value"), str):
            texts.append(clean(body["value"]))
        if image := line(table(part.get("image_file")), "file_id"):
            images.append(image)
    return "".join(texts), tuple(images)


def read_message(raw: Table) -> ThreadMessage:
    content, images = read_content(raw.get("content"))
    return ThreadMessage(
        id=line(raw, "id"),
        thread_id=line(raw, "thread_id"),
        role=line(raw, "role"),
        text=content,
        created_at=time(raw, "created_at"),
        run_id=line(raw, "run_id"),
        assistant_id=line(raw, "assistant_id"),
        images=images,
        file_ids=_ids(raw.get("file_ids")),
        metadata=read_metadata(raw.get("metadata")),
    )


def read_usage(value: object) -> Usage | None:
    raw = table(value)
    found = [
        next((count for name in names if (count := _whole(raw, name)) is not None), None)
        for names in (("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens"))
    ]
    return Usage(found[0] or 0, found[1] or 0) if any(count is not None for count in found) else None


def read_calls(required_action: object) -> tuple[ToolCall, ...]:
    wanted = table(table(required_action).get("submit_tool_outputs"))
    return tuple(
        ToolCall(line(call, "id"), line(body, "name"), text(body, "arguments"))
        for call in tables(wanted.get("tool_calls"))
        for body in [table(call.get("function")) or call]
    )


def read_run(raw: Table) -> Run:
    status = line(raw, "status")
    error = raw.get("last_error")
    known = table(error)
    return Run(
        id=line(raw, "id"),
        thread_id=line(raw, "thread_id"),
        assistant_id=line(raw, "assistant_id"),
        status=status,
        # What was asked lingers after it was answered: the status alone decides.
        calls=read_calls(raw.get("required_action")) if status == "requires_action" else (),
        error_code=line(known, "code"),
        error_message=text(known, "message") if known else clean(error) if isinstance(error, str) else "",
        usage=read_usage(raw.get("usage")),
        model=line(raw, "model"),
        created_at=time(raw, "created_at"),
        request_id=line(raw, "request_id"),
    )


def read_step_call(raw: Table) -> StepCall:
    """One call of a step. The key of its body is the tool's type or, at times, the word `plugin_name`."""
    kind = line(raw, "type")
    body: Table = next((value for value in raw.values() if isinstance(value, Mapping)), {})
    if not kind:
        kind = next((str(key) for key, value in raw.items() if isinstance(value, Mapping)), "")
        kind = "" if kind == "plugin_name" else clean_line(kind)
    return StepCall(
        id=line(raw, "id"),
        type=kind,
        name=line(body, "name") or ("" if kind == "function" else kind),
        arguments=text(body, "arguments") or text(body, "input"),
        output=_output(body),
    )


def _output(body: Table) -> str:
    value = body.get("output", body.get("outputs"))
    return clean(as_text(value)) if value not in (None, "", [], {}) else ""


def read_step(raw: Table) -> RunStep:
    details = table(raw.get("step_details"))
    return RunStep(
        id=line(raw, "id"),
        run_id=line(raw, "run_id"),
        type="message_creation" if "message_creation" in (raw.get("type"), details.get("type")) else "tool_calls",
        status=line(raw, "status"),
        message_id=line(table(details.get("message_creation")), "message_id"),
        calls=tuple(read_step_call(call) for call in tables(details.get("tool_calls"))),
        error=text(table(raw.get("last_error")), "message"),
        created_at=time(raw, "created_at"),
    )


def read_file(raw: Table) -> ServiceFile:
    """A file in the native shape (`file_id`, `name`, `gmt_create`) or the compatible one (`id`, `filename`)."""
    return ServiceFile(
        id=line(raw, "file_id") or line(raw, "id"),
        name=line(raw, "name") or line(raw, "filename"),
        description=text(raw, "description"),
        size=_whole(raw, "size") or _whole(raw, "bytes") or 0,
        url=line(raw, "url", 4000),
        purpose=line(raw, "purpose"),
        created_at=time(raw, "gmt_create") or time(raw, "created_at"),
    )


def joined(texts: Iterable[str]) -> str:
    """The messages of one run as one Markdown text."""
    return "\n\n".join(part for part in texts if part)
