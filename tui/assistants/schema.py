"""The arguments of a function as JSON Schema, checked while it is written.

Errors are told by line and column. The checks take some milliseconds and import jsonschema: call them in a thread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from tui.services.assistant_models import NAME_LIMIT
from tui.services.dashscope_wire import DEEPEST
from tui.text import clean_line
from tui.words import _

if TYPE_CHECKING:
    from jsonschema import ValidationError

TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")
ALLOWED_BESIDES = frozenset({"definitions", "nullable"})
"""Keywords of older drafts that models and services still read."""
MOST_ISSUES = 20
_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class SchemaIssue:
    """What is wrong and where; `line` and `column` count from 1. A warning does not hinder saving."""

    line: int
    column: int
    message: str
    level: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class CheckedSchema:
    """A text as it was checked. `schema` is None where it is no JSON object."""

    schema: Mapping[str, Any] | None
    issues: tuple[SchemaIssue, ...] = ()

    @property
    def usable(self) -> bool:
        """It can be sent: nothing is worse than a warning."""
        return self.schema is not None and not any(issue.level == "error" for issue in self.issues)


def function_name_problem(name: str, others: Sequence[str] = ()) -> str:
    """Why a function cannot have this name, or ""."""
    if not name:
        return _("A function needs a name.")
    if len(name) > NAME_LIMIT or not _NAME.fullmatch(name):
        return _("At most {count} letters, digits, _ and -, and nothing else.").format(count=NAME_LIMIT)
    if name in others:
        return _("Another function of this assistant has this name.")
    return ""


def too_deep(value: object, room: int = DEEPEST) -> bool:
    """Whether a JSON value has more levels than may be."""
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return room < 0 or any(too_deep(part, room - 1) for part in inner)


def schema_text(schema: Mapping[str, Any]) -> str:
    """The schema as it is edited; "" for a function without arguments."""
    return json.dumps(schema, ensure_ascii=False, indent=2) if schema else ""


def check_schema(text: str) -> CheckedSchema:
    """Check the text of a function's `parameters`; an empty one is a function without arguments."""
    if not text.strip():
        return CheckedSchema({})
    try:
        schema = json.loads(text)
    except json.JSONDecodeError as error:
        return CheckedSchema(None, (SchemaIssue(error.lineno, error.colno, _syntax(error)),))
    except RecursionError:
        return _whole_issue(_("It is nested too deeply."))
    except ValueError as error:  # a number of thousands of digits
        return _whole_issue(clean_line(str(error)))
    if not isinstance(schema, dict):
        return _whole_issue(_("It must be an object, in curly brackets."))
    if too_deep(schema):
        return _whole_issue(_("It is nested too deeply."))
    places = _Places(text)
    issues = [
        *_of_root(schema, places),
        *_of_meta_schema(schema, places),
        *_of_objects(schema, places),
    ]
    issues = sorted(dict.fromkeys(issues), key=lambda issue: (issue.line, issue.column))
    return CheckedSchema(schema, tuple(issues[:MOST_ISSUES]))


def _whole_issue(message: str) -> CheckedSchema:
    return CheckedSchema(None, (SchemaIssue(1, 1, message),))


def _syntax(error: json.JSONDecodeError) -> str:
    words = {
        "Expecting value": _("a value is missing here"),
        "Expecting property name enclosed in double quotes": _("a name in double quotes is missing here"),
        "Illegal trailing comma before end of object": _("the comma before the closing bracket is one too many"),
        "Illegal trailing comma before end of array": _("the comma before the closing bracket is one too many"),
        "Expecting ':' delimiter": _("a colon is missing here"),
        "Expecting ',' delimiter": _("a comma is missing here, or a bracket is not closed"),
        "Unterminated string starting at": _("the quotes that begin here are not closed"),
        "Extra data": _("there is something after the end"),
        "Invalid control character at": _("a text must not go over the end of a line: write \\n"),
        "Invalid \\escape": _("a backslash is written \\\\"),
    }
    return next((text for known, text in words.items() if error.msg.startswith(known)), clean_line(error.msg))


class _Places:
    """Where the parts of a JSON text stand."""

    def __init__(self, text: str) -> None:
        from json_source_map import calculate
        from json_source_map.errors import InvalidInputError

        try:
            self._map = calculate(text)
        except (InvalidInputError, RecursionError):
            self._map = {}

    def issue(
        self, path: Sequence[object], message: str, level: Literal["error", "warning"] = "error", *, key: bool = False
    ) -> SchemaIssue:
        """An issue at the value of `path`, or at its `key`; at the nearest part around it that is known."""
        parts = [str(part) for part in path]
        while True:
            entry = self._map.get("".join(f"/{part}" for part in parts))
            if entry is not None or not parts:
                break
            parts.pop()
        if entry is None:
            return SchemaIssue(1, 1, message, level)
        at = entry.key_start if key and entry.key_start is not None else entry.value_start
        return SchemaIssue(at.line + 1, at.column + 1, message, level)


def _of_root(schema: Mapping[str, Any], places: _Places) -> Iterator[SchemaIssue]:
    if "type" not in schema:
        yield places.issue([], _('"type": "object" is missing: the arguments are an object.'))
    elif schema["type"] != "object":
        yield places.issue(["type"], _('The type must be "object": the arguments are an object.'))


def _of_meta_schema(schema: Mapping[str, Any], places: _Places) -> Iterator[SchemaIssue]:
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    for error in validator.iter_errors(schema):
        path = [*error.absolute_path]
        yield places.issue(path, _meta_words(error, path))


def _meta_words(error: ValidationError, path: Sequence[object]) -> str:
    value, keyword = error.instance, str(path[-1]) if path else ""
    if keyword == "type":
        near = get_close_matches(str(value), TYPES, 1) or {"int": ["integer"], "float": ["number"]}.get(str(value), [])
        allowed = ", ".join(TYPES)
        if near:
            return _("{value} is no type; did you mean {near}?").format(value=shown_json(value), near=near[0])
        return _("{value} is no type; there are: {allowed}.").format(value=shown_json(value), allowed=allowed)
    kind: Any = error.validator_value
    if error.validator == "type":
        if kind == ["object", "boolean"]:
            return _("Here belongs a schema, an object such as {example}.").format(example='{"type": "string"}')
        names = kind if isinstance(kind, str) else ", ".join(map(str, kind))
        return _("{keyword} must be of the type {kind}.").format(keyword=clean_line(keyword), kind=names)
    return clean_line(error.message)


def shown_json(value: object) -> str:
    return clean_line(json.dumps(value, ensure_ascii=False), 40)


def _of_objects(schema: Mapping[str, Any], places: _Places) -> Iterator[SchemaIssue]:
    """What the meta schema lets pass and is a slip all the same."""
    keywords = _keywords()
    for path, part in _schemas(schema):
        properties = part.get("properties")
        names = properties if isinstance(properties, dict) else {}
        required = part.get("required")
        if isinstance(required, list) and "properties" in part:
            for index, name in enumerate(required):
                if isinstance(name, str) and name not in names:
                    message = _("{name} is required but is no property.").format(name=clean_line(name))
                    yield places.issue([*path, "required", index], message, "warning")
        for keyword in part:
            if keyword not in keywords and (near := get_close_matches(keyword, keywords, 1, 0.8)):
                message = _("{name} means nothing here; did you mean {near}?").format(
                    name=clean_line(keyword), near=near[0]
                )
                yield places.issue([*path, keyword], message, "warning", key=True)


@cache
def _keywords() -> frozenset[str]:
    """All keywords of JSON Schema 2020-12."""
    from jsonschema_specifications import REGISTRY

    core = "https://json-schema.org/draft/2020-12/meta/"
    parts = ("core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "content")
    found = (REGISTRY.contents(core + part)["properties"] for part in parts)
    return ALLOWED_BESIDES.union(*found)


def _schemas(schema: Mapping[str, Any], path: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], Any]]:
    """Every schema in `schema`, itself included, with the path to it."""
    if len(path) > 40:
        return
    yield path, schema
    for keyword in ("properties", "$defs", "definitions", "patternProperties"):
        inner = schema.get(keyword)
        if isinstance(inner, dict):
            for name, part in inner.items():
                if isinstance(part, dict):
                    yield from _schemas(part, (*path, keyword, name))
    for keyword in ("items", "additionalProperties", "not", "contains"):
        part = schema.get(keyword)
        if isinstance(part, dict):
            yield from _schemas(part, (*path, keyword))
    for keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
        inner = schema.get(keyword)
        if isinstance(inner, list):
            for index, part in enumerate(inner):
                if isinstance(part, dict):
                    yield from _schemas(part, (*path, keyword, index))
