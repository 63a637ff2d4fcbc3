"""What a function's schema describes: the form of its arguments, arguments that fit it, and functions to begin with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.assistants.schema import MOST_ISSUES, shown_json
from tui.text import clean, clean_line
from tui.words import _

if TYPE_CHECKING:
    from jsonschema import ValidationError

MOST_LINES = 200
DEEPEST = 6
"""Levels of nested objects that the form goes into."""


def argument_problems(schema: Mapping[str, Any], arguments: str) -> tuple[str, ...]:
    """In what the arguments that a model wrote break the function's schema, a sentence each; none where they fit."""
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return (_("The arguments are no valid JSON."),)
    if not schema:
        return ()
    from jsonschema import Draft202012Validator, SchemaError
    from referencing.exceptions import Unresolvable

    try:
        Draft202012Validator.check_schema(schema)
        errors = sorted(Draft202012Validator(schema).iter_errors(value), key=lambda error: error.json_path)
        return tuple(clean_line(f"{error.json_path}{_(': ')}{_words(error)}") for error in errors[:MOST_ISSUES])
    except (SchemaError, Unresolvable, RecursionError):
        return ()


def _words(error: ValidationError) -> str:
    """What is wrong with one argument; in the library's words where it is nothing usual."""
    wanted: Any = error.validator_value
    match error.validator:
        case "required":
            missing = [name for name in wanted if isinstance(error.instance, dict) and name not in error.instance]
            return _("{names} missing").format(names=_(", ").join(map(str, missing)))
        case "type":
            kind = wanted if isinstance(wanted, str) else " | ".join(map(str, wanted))
            return _("{value} is not of the type {kind}").format(value=shown_json(error.instance), kind=kind)
        case "enum":
            choices = " | ".join(shown_json(choice) for choice in wanted[:12])
            return _("{value} is none of {choices}").format(value=shown_json(error.instance), choices=choices)
    return error.message


# --- the form that a schema describes ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Argument:
    """A line of the preview: an argument, `depth` levels deep."""

    depth: int
    name: str
    kind: str
    required: bool
    facts: str = ""
    """Choices, limits, default."""
    description: str = ""


def arguments_of(schema: Mapping[str, Any]) -> tuple[Argument, ...]:
    """The arguments that a schema describes, in its order, nested ones below their object."""
    found: list[Argument] = []
    _collect(schema, 0, found)
    return tuple(found[:MOST_LINES])


def _collect(schema: Mapping[str, Any], depth: int, found: list[Argument]) -> None:
    properties = schema.get("properties")
    if depth >= DEEPEST or not isinstance(properties, dict):
        return
    required = schema.get("required")
    needed = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
    for name, part in properties.items():
        if len(found) >= MOST_LINES:
            return
        inner = part if isinstance(part, dict) else {}
        description = inner.get("description")
        found.append(
            Argument(
                depth,
                clean_line(name, 60),
                _kind(inner),
                name in needed,
                _facts(inner),
                clean_line(description) if isinstance(description, str) else "",
            )
        )
        items = inner.get("items")
        _collect(items if isinstance(items, dict) and inner.get("type") == "array" else inner, depth + 1, found)


def _kind(part: Mapping[str, Any]) -> str:
    kind = part.get("type")
    if isinstance(kind, list):
        return clean_line(" | ".join(map(str, kind)), 40)
    if kind == "array":
        items = part.get("items")
        inner = _kind(items) if isinstance(items, dict) else ""
        return f"array<{inner}>" if inner else "array"
    if isinstance(kind, str):
        return clean_line(kind, 40)
    return "enum" if "enum" in part else "any"


def _facts(part: Mapping[str, Any]) -> str:
    facts = []
    choices = part.get("enum")
    if isinstance(choices, list):
        facts.append(" | ".join(shown_json(choice) for choice in choices[:12]))
    low, high = part.get("minimum"), part.get("maximum")
    if low is not None or high is not None:
        facts.append(f"{'' if low is None else shown_json(low)}…{'' if high is None else shown_json(high)}")
    for keyword in ("format", "pattern"):
        if isinstance(part.get(keyword), str):
            facts.append(clean_line(part[keyword], 40))
    if "default" in part:
        facts.append(f"= {shown_json(part['default'])}")
    return clean("  ".join(facts))


# --- templates ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FunctionTemplate:
    """A function to begin with."""

    name: str
    description: str
    parameters: Mapping[str, Any]


def _object(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*required]}


TEMPLATES: tuple[FunctionTemplate, ...] = (
    FunctionTemplate(
        "big_add",
        "Add two whole numbers of any size.",
        _object(
            {
                "left": {"type": "integer", "description": "The first number"},
                "right": {"type": "integer", "description": "The second number"},
            },
            "left",
            "right",
        ),
    ),
    FunctionTemplate(
        "find_orders",
        "Find orders by text, state and time.",
        _object(
            {
                "text": {"type": "string", "description": "What to look for"},
                "state": {"type": "string", "enum": ["open", "paid", "refunded"]},
                "from": {"type": "string", "format": "date", "description": "First day, YYYY-MM-DD"},
                "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
            },
            "text",
        ),
    ),
    FunctionTemplate(
        "run_query",
        "Run one reading SQL statement and return its rows.",
        _object(
            {
                "database": {"type": "string", "description": "Name of the database"},
                "sql": {"type": "string", "description": "One SELECT statement"},
            },
            "database",
            "sql",
        ),
    ),
    FunctionTemplate(
        "notify_people",
        "Send a text to several people.",
        _object(
            {
                "to": {"type": "array", "items": {"type": "string"}, "minItems": 1, "description": "Addresses"},
                "message": _object({"title": {"type": "string"}, "text": {"type": "string"}}, "text"),
            },
            "to",
            "message",
        ),
    ),
    FunctionTemplate("current_time", "The current time; takes no arguments.", {}),
)
"""What the model reads is English on purpose: models follow it best, and the user changes it anyway."""
