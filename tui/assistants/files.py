"""Assistants as files that git can hold: TOML or JSON, every field, no secret.

```toml
format = 1

[[assistant]]
id = "asst_…"              # without one, the assistant of this name is meant, and else a new one
backend = "assistants"     # or "responses": a profile of this machine
name = "adder"
model = "qwen-plus"
description = ""
instructions = \"""
…\"""
temperature = 0.2          # or "unset"; a key that is missing stays as it is
file_ids = []

[assistant.metadata]
team = "dba"

[[assistant.tools]]
type = "function"
name = "big_add"
description = "…"
parameters = '''{ … }'''   # JSON Schema, as JSON text; in a JSON file the object itself

[[assistant.tools]]
type = "some_plugin"
auth = "user_http"         # it has a token, which no file holds: it is taken from the assistant that is there
```
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tui.assistants.fields import (
    UNSET_WORD,
    AnyAssistant,
    Field,
    WrongValue,
    fields_of,
    parse,
    parse_number,
    problems,
)
from tui.assistants.masks import has_mask, masked, unmasked
from tui.assistants.schema import too_deep
from tui.services.assistant_models import Assistant, AssistantProfile, BuiltinTool, FunctionTool, PluginAuth, Tool
from tui.services.dashscope_wire import cleaned
from tui.services.keys import Secret
from tui.text import clean, clean_line
from tui.words import _

FORMAT = 1
FileFormat = Literal["toml", "json"]
Backend = Literal["assistants", "responses"]
MOST_ASSISTANTS = 200
"""In a file from outside: each becomes something that somebody must look at."""
NO_TOKEN = Secret("")
"""In place of a token that a file cannot hold."""
_TOOL_KEYS = ("type", "name", "description", "parameters", "auth")


class FileProblem(ValueError):
    """The file is none of ours, or says something that cannot be; `str(error)` says what."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An assistant of a file: `values` are the fields that it names, and no others."""

    backend: Backend
    id: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    tokens_left_out: tuple[str, ...] = ()
    """Tools that have a token, or another secret, where it was exported."""

    @property
    def name(self) -> str:
        return str(self.values.get("name", ""))

    @property
    def title(self) -> str:
        """What to call it in a sentence."""
        return self.name or self.id or str(self.values.get("model", ""))

    def over(self, held: AnyAssistant) -> AnyAssistant:
        """`held` with what the file says; tokens of plugins that it has already stay."""
        values = dict(self.values)
        if "tools" in values:
            values["tools"] = with_tokens_of(values["tools"], held.tools)
        return replace(held, **values)

    def fresh(self) -> AnyAssistant:
        """A new assistant of what the file says; plugins come without tokens."""
        blank: AnyAssistant = (
            Assistant(id="", model="") if self.backend == "assistants" else AssistantProfile(id="", model="")
        )
        return self.over(blank)


def with_tokens_of(tools: Iterable[Tool], held: Iterable[Tool]) -> tuple[Tool, ...]:
    """`tools`, where those that lack their token get it from the tool of the same type in `held`, or go without.

    What is masked in further keys comes from a tool that is the same but for that.
    """
    others = [*held]
    known = {tool.type: tool.auth for tool in others if isinstance(tool, BuiltinTool)}

    def whole(tool: Tool) -> Tool:
        if has_mask(tool.extra):
            tool = replace(tool, extra=unmasked(tool.extra, (one.extra for one in others if one.type == tool.type)))
        if isinstance(tool, BuiltinTool) and tool.auth is not None and not tool.auth.token:
            return replace(tool, auth=known.get(tool.type))
        return tool

    return tuple(map(whole, tools))


# --- writing -----------------------------------------------------------------------------------------------


def to_table(assistant: AnyAssistant, *, json_text: bool = False, secrets: bool = False) -> dict[str, Any]:
    """Everything of an assistant but its tokens, as plain values.

    Args:
        json_text: schemas as text.
        secrets: with what further keys of tools hold of them; a profile is nowhere else.
    """
    table: dict[str, Any] = {
        "id": assistant.id,
        "backend": "assistants" if isinstance(assistant, Assistant) else "responses",
    }
    for item in fields_of(assistant):
        value = getattr(assistant, item.name)
        # A draft may have no model yet; in a file to be applied that is never meant.
        if item.name not in ("tools", "metadata") and (value or item.name != "model"):
            table[item.name] = UNSET_WORD if value is None else list(value) if isinstance(value, tuple) else value
    if isinstance(assistant, AssistantProfile) and assistant.carried_from:
        table["carried_from"] = assistant.carried_from
    table["metadata"] = dict(assistant.metadata)
    table["tools"] = [_tool_table(tool, json_text, secrets) for tool in assistant.tools]
    return table


def _tool_table(tool: Tool, json_text: bool, secrets: bool) -> dict[str, Any]:
    def value(raw: Any) -> Any:
        return json.dumps(raw, ensure_ascii=False, indent=2) if json_text else raw

    table: dict[str, Any] = {"type": tool.type}
    if isinstance(tool, FunctionTool):
        table |= {"name": tool.name, "description": tool.description, "parameters": value(dict(tool.parameters))}
    elif tool.auth is not None:
        table["auth"] = tool.auth.type
    if tool.extra:
        table["extra"] = value(dict(tool.extra) if secrets else masked(tool.extra))
    return table


def dump(assistants: Iterable[AnyAssistant], form: FileFormat, *, secrets: bool = False) -> str:
    """The file's text; `secrets` as in `to_table`."""
    if form == "json":
        document = {"format": FORMAT, "assistant": [to_table(one, secrets=secrets) for one in assistants]}
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    import tomlkit
    from tomlkit.items import AoT

    document_ = tomlkit.document()
    document_.add("format", tomlkit.integer(FORMAT))
    entries = AoT([])
    for one in assistants:
        entries.append(_toml(to_table(one, json_text=True, secrets=secrets)))
    document_.add("assistant", entries)
    return tomlkit.dumps(document_)


def _toml(table: Mapping[str, Any]) -> Any:
    """A TOML table in which a long text stands as it is read, one line a line."""
    import tomlkit
    from tomlkit.items import AoT

    made = tomlkit.table()
    inner: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            inner[key] = _toml(value)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            parts = AoT([])
            for part in value:
                parts.append(_toml(part))
            inner[key] = parts
        else:
            made.add(key, _toml_text(value) if isinstance(value, str) and "\n" in value else value)
    for key, value in inner.items():  # after the plain values, which would belong to them
        made.add(key, value)
    return made


def _toml_text(value: str) -> Any:
    """A text of several lines that begins below its quotes: the line break after them is not part of it."""
    import tomlkit

    written = tomlkit.string(value, multiline=True).as_string()
    return tomlkit.value(written if value.startswith("\n") else written[:3] + "\n" + written[3:])


# --- reading -----------------------------------------------------------------------------------------------


def load(source: str, form: FileFormat | None = None) -> tuple[Entry, ...]:
    """The assistants of a file from outside; the format is told by its first character where `form` does not say.

    Raises:
        FileProblem: it cannot be read, or a value cannot be.
    """
    entries = read_entries(source, form)
    if len(entries) > MOST_ASSISTANTS:
        raise FileProblem(_("There are more than {limit} in one file.").format(limit=MOST_ASSISTANTS))
    for number, entry in enumerate(entries, 1):
        if wrong := [reason for name, reason in problems(entry.fresh()) if name in entry.values]:
            raise FileProblem(f"{_('Assistant {number}').format(number=number)}{_(': ')}{wrong[0]}")
    return entries


def read_entries(source: str, form: FileFormat | None = None) -> tuple[Entry, ...]:
    """As `load`, whatever the values are: a file of ours holds what the service had, too. Raises FileProblem."""
    document = _document(source, form or ("json" if source.lstrip()[:1] in ("{", "[") else "toml"))
    if document.get("format") != FORMAT:
        raise FileProblem(_("It is no file of assistants: `format = 1` is missing, or a newer version wrote it."))
    tables = document.get("assistant")
    if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
        raise FileProblem(_("It has no `[[assistant]]`."))
    return tuple(
        read_entry(table, _("Assistant {number}").format(number=number)) for number, table in enumerate(tables, 1)
    )


def _document(source: str, form: FileFormat) -> Mapping[str, Any]:
    import tomli

    try:
        document = json.loads(source) if form == "json" else tomli.loads(source)
    except (ValueError, RecursionError) as error:
        raise FileProblem(_("It cannot be read: {error}.").format(error=clean_line(str(error)))) from error
    return document if isinstance(document, Mapping) else {}


def read_entry(table: Mapping[str, Any], where: str = "") -> Entry:
    """What `to_table` made, in either form; `where` begins the sentences of what is wrong.

    Raises:
        FileProblem: a field is not known or cannot have its value.
    """
    backend = table.get("backend", "assistants")
    if backend not in ("assistants", "responses"):
        raise FileProblem(_("{where}: the backend is assistants or responses.").format(where=where))
    blank: AnyAssistant = Assistant(id="", model="") if backend == "assistants" else AssistantProfile(id="", model="")
    values: dict[str, Any] = {}
    known = {item.name: item for item in fields_of(blank)}
    for key, value in table.items():
        if key in ("id", "backend"):
            continue
        if key == "carried_from" and isinstance(blank, AssistantProfile):
            values[key] = clean_line(str(value))
        elif key not in known:
            raise FileProblem(_("{where}: it has no field {name}.").format(where=where, name=clean_line(key)))
        else:
            try:
                values[key] = _value(known[key], value)
            except WrongValue as error:
                raise FileProblem(f"{where}{_(', ')}{key}{_(': ')}{clean_line(str(error))}") from error
    identity = table.get("id", "")
    tools: tuple[Tool, ...] = values.get("tools", ())
    secret = tuple(tool.type for tool in tools if getattr(tool, "auth", None) or has_mask(tool.extra))
    return Entry(backend, clean_line(identity) if isinstance(identity, str) else "", values, secret)


def _value(item: Field, value: Any) -> Any:
    kind = item.kind
    if kind == "tools":
        if not isinstance(value, list):
            raise WrongValue(_("it must be a list"))
        return tuple(_tool(part) for part in value)
    if kind == "metadata":
        if not isinstance(value, Mapping) or not all(isinstance(part, str) for part in value.values()):
            raise WrongValue(_("it must be a table of texts"))
        return {clean_line(key): clean(part) for key, part in value.items()}
    if kind == "ids":
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise WrongValue(_("it must be a list of texts"))
        return tuple(clean_line(part) for part in value)
    if kind == "thinking":
        if value != UNSET_WORD and not isinstance(value, bool):
            raise WrongValue(_("it must be true, false or unset"))
        return None if value == UNSET_WORD else value
    if kind in ("number", "whole"):
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise WrongValue(_("it must be a number"))
        return parse_number(item, str(value))
    if not isinstance(value, str):
        raise WrongValue(_("it must be a text"))
    return parse(item, value) if value or kind == "model" else ""


def _tool(table: Any) -> Tool:
    if not isinstance(table, Mapping) or not isinstance(table.get("type"), str):
        raise WrongValue(_("a tool is a table with a `type`"))
    extra = _json(table.get("extra", {}))
    if unknown := [key for key in table if key not in (*_TOOL_KEYS, "extra")]:
        raise WrongValue(_("a tool has no {name}").format(name=clean_line(unknown[0])))
    if table["type"] == "function":
        return FunctionTool(
            clean_line(str(table.get("name", ""))),
            clean(str(table.get("description", ""))),
            _json(table.get("parameters", {})),
            extra,
        )
    auth = table.get("auth")
    return BuiltinTool(
        clean_line(table["type"]), PluginAuth(NO_TOKEN, clean_line(auth)) if isinstance(auth, str) else None, extra
    )


def _json(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else {}
        except (ValueError, RecursionError) as error:
            raise WrongValue(str(error)) from error
    if not isinstance(value, dict):
        raise WrongValue(_("it must be an object"))
    if too_deep(value):
        raise WrongValue(_("It is nested too deeply."))
    found: dict[str, Any] = cleaned(value)
    return found
