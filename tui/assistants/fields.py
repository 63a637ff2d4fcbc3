"""The fields of an assistant as a form has them: names, help, what may be typed, and how values read. No I/O.

Both kinds are meant: the service's assistants, and the profiles of this machine that the Responses API runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from tui.assistants.masks import MASK, masked
from tui.changes import Change, changes_between
from tui.services.assistant_models import (
    BUILTIN_TOOLS,
    METADATA_KEY,
    METADATA_PAIRS,
    METADATA_VALUE,
    Assistant,
    AssistantProfile,
    BuiltinTool,
    FunctionTool,
    Tool,
)
from tui.text import clean, clean_line
from tui.words import _

AnyAssistant: TypeAlias = Assistant | AssistantProfile
Kind = Literal["line", "text", "model", "tools", "metadata", "ids", "number", "whole", "thinking"]

RESPONSES_TOOLS: tuple[str, ...] = ("web_search", "code_interpreter", "web_extractor", "file_search", "mcp")
"""Tools that the Responses API runs (protocol notes 9.1)."""
OLD_NAMES = ("search", "wanx")
"""Built-in tools as older pages and the SDK call them (protocol notes 4.2)."""
UNSET_WORD = "unset"
"""What stands for a number or a switch that is not set, typed or in a file."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `name` is the attribute of the model, `low` and `high` what a number may be, both included."""

    name: str
    kind: Kind
    low: float | None = None
    high: float | None = None


_COMMON = (
    Field("name", "line"),
    Field("model", "model"),
    Field("description", "text"),
    Field("instructions", "text"),
    Field("tools", "tools"),
)
SERVER_FIELDS: tuple[Field, ...] = (
    *_COMMON,
    Field("temperature", "number", 0, 2),
    Field("top_p", "number", 0, 1),
    Field("top_k", "whole", 0),
    Field("max_tokens", "whole", 1),
    Field("metadata", "metadata"),
    Field("file_ids", "ids"),
)
LOCAL_FIELDS: tuple[Field, ...] = (
    *_COMMON,
    Field("temperature", "number", 0, 1.999),
    Field("top_p", "number", 0.001, 1),
    Field("max_output_tokens", "whole", 16),
    Field("thinking", "thinking"),
    Field("metadata", "metadata"),
)


def fields_of(assistant: AnyAssistant) -> tuple[Field, ...]:
    """The fields of an assistant's kind, in the order of the form."""
    return SERVER_FIELDS if isinstance(assistant, Assistant) else LOCAL_FIELDS


def label(name: str) -> str:
    """The field's name in the form."""
    return {
        "name": _("name"),
        "model": _("model"),
        "description": _("description"),
        "instructions": _("instructions"),
        "tools": _("tools"),
        "metadata": _("metadata"),
        "file_ids": _("file ids"),
        "thinking": _("thinking mode"),
    }.get(name, name)


def help_of(name: str, *, local: bool = False) -> str:
    """What the field is for, in one or two sentences."""
    if name == "tools":
        return (
            _("Tools that the Responses API runs, and functions that you answer.")
            if local
            else _("Tools that the service runs, plugins by their id, and functions that you answer.")
        )
    return {
        "name": _("How you tell it from the others. The service asks for none, but its lists show nothing else."),
        "model": _("The model that answers. Any name may be typed: the account's list is of models in general."),
        "description": _("For people; the model does not read it."),
        "instructions": _("The system prompt: what the assistant is and how it shall answer."),
        "metadata": _("Up to {pairs} pairs of your own; names up to {key}, values up to {value} characters.").format(
            pairs=METADATA_PAIRS, key=METADATA_KEY, value=METADATA_VALUE
        ),
        "temperature": _("0 to 2; higher is more varied. Not set leaves it to the model."),
        "top_p": _("0 to 1: only the likeliest words whose chances add up to it. Not set leaves it to the model."),
        "top_k": _("Only so many of the likeliest words, from 0. Not set leaves it to the model."),
        "max_tokens": _("The longest answer, in tokens. Not set leaves it to the model."),
        "max_output_tokens": _("The longest answer, in tokens, from 16. Not set leaves it to the model."),
        "thinking": _("Whether the model thinks before it answers. New models do, and it costs tokens."),
        "file_ids": _("Of little effect: only the PDF plugin is known to look at these files."),
    }.get(name, "")


# --- values in words ---------------------------------------------------------------------------------------


def short(field: Field, assistant: AnyAssistant) -> str:
    """The value in one line; "" where it is not set."""
    value = getattr(assistant, field.name)
    match field.kind:
        case "tools":
            return _(", ").join(clean_line(tool_name(tool)) for tool in value)
        case "metadata":
            return _(", ").join(f"{clean_line(key)}={clean_line(item)}" for key, item in value.items())
        case "ids":
            return _(", ").join(value)
        case "text":
            lines = value.splitlines()
            more = len(lines) - 1
            first = clean_line(lines[0]) if lines else ""
            return f"{first}  {_('(+{count} lines)').format(count=more)}" if more > 0 else first
        case "thinking":
            return {None: "", True: _("yes"), False: _("no")}[value]
    return "" if value is None else clean_line(_number(value) if isinstance(value, float) else str(value))


def full(field: Field, assistant: AnyAssistant) -> str:
    """The value as text, over as many lines as it needs; tokens are masked. Equal texts may hide other tokens."""
    value = getattr(assistant, field.name)
    match field.kind:
        case "tools":
            return "\n".join(tool_text(tool) for tool in value)
        case "metadata":
            return "\n".join(f"{key} = {item}" for key, item in value.items())
        case "ids":
            return "\n".join(value)
        case "text":
            return str(value)
    return short(field, assistant)


def tool_name(tool: Tool) -> str:
    """What a tool is called: a function by its name and `()`."""
    return f"{tool.name}()" if isinstance(tool, FunctionTool) else tool.type


def tokenless_plugins(assistant: AnyAssistant) -> tuple[str, ...]:
    """The plugins of an assistant of the service that have no token, as far as is known."""
    if not isinstance(assistant, Assistant):
        return ()
    known = (*BUILTIN_TOOLS, *OLD_NAMES)
    return tuple(
        tool.type
        for tool in assistant.tools
        if isinstance(tool, BuiltinTool) and tool.type not in known and tool.auth is None
    )


def has_secret(tool: Tool) -> bool:
    """Whether it has a token, or another secret in its further keys."""
    return bool(getattr(tool, "auth", None)) or masked(tool.extra) != tool.extra


def tool_text(tool: Tool) -> str:
    """A tool in full, as JSON where it has more than a type; its secrets masked."""
    if isinstance(tool, FunctionTool):
        body: dict[str, Any] = {"description": tool.description, **masked(tool.extra), "parameters": tool.parameters}
        return f"{tool_name(tool)} {json.dumps(body, ensure_ascii=False, indent=2)}"
    extra = {**masked(tool.extra), **({"auth": {"type": tool.auth.type, "user_token": MASK}} if tool.auth else {})}
    return f"{tool.type} {json.dumps(extra, ensure_ascii=False, indent=2)}" if extra else tool.type


def _number(value: float) -> str:
    return f"{value:.10g}"


def changes(before: AnyAssistant, after: AnyAssistant) -> tuple[Change, ...]:
    """The fields in which two of the same kind differ, to be shown."""
    found = []
    for field in fields_of(after):
        old, new = full(field, before), full(field, after)
        if old == new and getattr(before, field.name) != getattr(after, field.name):
            new = f"{new}\n{_('(another token)')}"
        found.append((label(field.name), old, new))
    return changes_between(found)


def changed_fields(before: AnyAssistant, after: AnyAssistant) -> tuple[str, ...]:
    """The names of the fields in which two of the same kind differ, in the order of the form."""
    return tuple(field.name for field in fields_of(after) if getattr(before, field.name) != getattr(after, field.name))


# --- values from words -------------------------------------------------------------------------------------


class WrongValue(ValueError):
    """What was typed cannot be the value; `str(error)` says why."""


def parse(field: Field, typed: str) -> Any:
    """The value that a typed text means; an empty one is "not set". For kinds that are typed in one line.

    Raises:
        WrongValue: it is none.
    """
    text = typed.strip()
    if field.kind in ("number", "whole"):
        value = parse_number(field, text)
        if reason := number_problem(field, value):
            raise WrongValue(reason)
        return value
    if field.kind == "ids":
        return tuple(dict.fromkeys(part for part in text.replace(",", " ").split()))
    if field.kind == "model" and not text:
        raise WrongValue(_("An assistant needs a model."))
    return clean_line(text, 2000) if field.kind != "text" else clean(typed)


def parse_number(field: Field, text: str) -> float | int | None:
    """The number, None for "not set"; whether it is in its limits is for `number_problem`. Raises WrongValue."""
    if not text or text == UNSET_WORD:
        return None
    try:
        return int(text) if field.kind == "whole" else float(text)
    except ValueError:
        wrong = _("{text} is no whole number.") if field.kind == "whole" else _("{text} is no number.")
        raise WrongValue(wrong.format(text=clean_line(text, 40))) from None


def number_problem(field: Field, value: float | int | None) -> str:
    """Why this number cannot be, or ""."""
    low, high = field.low, field.high
    if value is None or ((low is None or value >= low) and (high is None or value <= high)):
        return ""
    if high is None:
        return _("{name} is {low} at least.").format(name=field.name, low=_number(low or 0))
    return _("{name} is between {low} and {high}.").format(name=field.name, low=_number(low or 0), high=_number(high))


def metadata_problem(metadata: Mapping[str, str]) -> str:
    """Why these pairs cannot be kept, or ""."""
    if len(metadata) > METADATA_PAIRS:
        return _("There may be {count} pairs at most.").format(count=METADATA_PAIRS)
    for key, value in metadata.items():
        if not key:
            return _("A pair needs a name.")
        if len(key) > METADATA_KEY:
            return _("{name}: a name has {count} characters at most.").format(
                name=clean_line(key, 40), count=METADATA_KEY
            )
        if len(value) > METADATA_VALUE:
            return _("{name}: a value has {count} characters at most, this one {has}.").format(
                name=clean_line(key, 40), count=METADATA_VALUE, has=len(value)
            )
    return ""


def problems(assistant: AnyAssistant) -> tuple[tuple[str, str], ...]:
    """(field, why) of what cannot be saved as it is."""
    from tui.assistants.schema import function_name_problem

    found = []
    if not assistant.model.strip():
        found.append(("model", _("An assistant needs a model.")))
    if reason := metadata_problem(assistant.metadata):
        found.append(("metadata", reason))
    names: list[str] = []
    for tool in assistant.tools:
        if isinstance(tool, FunctionTool):
            if reason := function_name_problem(tool.name, names):
                found.append(("tools", f"{clean_line(tool.name, 40)}{_(': ')}{reason}"))
            names.append(tool.name)
    for field in fields_of(assistant):
        value = getattr(assistant, field.name)
        if field.kind in ("number", "whole") and (reason := number_problem(field, value)):
            found.append((field.name, reason))
    return tuple(found)
