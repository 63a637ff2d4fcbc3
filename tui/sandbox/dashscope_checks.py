"""What bodies may hold (protocol notes, sections 3 and 4). What no page limits is not limited here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tui.sandbox.dashscope_records import Json
from tui.sandbox.dashscope_refusals import invalid

MOST_PAIRS, LONGEST_KEY, LONGEST_VALUE = 16, 64, 512
"""Of metadata."""


def text(name: str, value: Any) -> str:
    """A string; null is as good as empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(f"{name} must be a string.")
    return value


def metadata(name: str, value: Any) -> Json:
    """At most 16 pairs of strings; null is as good as none."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"{name} must be an object.")
    if len(value) > MOST_PAIRS:
        raise invalid(f"{name} has more than {MOST_PAIRS} pairs.")
    for key, one in value.items():
        if len(key) > LONGEST_KEY:
            raise invalid(f"a key of {name} is longer than {LONGEST_KEY} characters.")
        if not isinstance(one, str):
            raise invalid(f"{name}.{key} must be a string.")
        if len(one) > LONGEST_VALUE:
            raise invalid(f"{name}.{key} is longer than {LONGEST_VALUE} characters.")
    return value


def file_ids(name: str, value: Any) -> list[str]:
    """Ids of files; whether they are there is not looked up here."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise invalid(f"{name} must be an array of strings.")
    return value


def tools(name: str, value: Any) -> list[Json]:
    """Tools with a type; functions with a name and, if they have parameters, an object of them."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid(f"{name} must be an array.")
    for number, tool in enumerate(value):
        where = f"{name}[{number}]"
        if not isinstance(tool, dict) or not isinstance(tool.get("type"), str) or not tool["type"]:
            raise invalid(f"{where}.type must be a string.")
        if tool["type"] == "function":
            function(f"{where}.function", tool.get("function"))
        _auth(f"{where}.auth", tool.get("auth"))
    return value


def function(where: str, value: Any) -> None:
    """The inside of a function tool."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str) or not value["name"]:
        raise invalid(f"{where}.name must be a string.")
    if not isinstance(value.get("description", ""), str | None):
        raise invalid(f"{where}.description must be a string.")
    if not isinstance(value.get("parameters", {}), dict | None):
        raise invalid(f"{where}.parameters must be an object.")


def _auth(where: str, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, dict) or value.get("type") != "user_http" or not isinstance(value.get("user_token"), str):
        raise invalid(f"{where} must be of the type user_http and have a user_token.")


def number(low: float, high: float, *, whole: bool = False, below: bool = False) -> Callable[[str, Any], Any]:
    """A check for a number from `low` to `high` (`below`: less than `high`); null stays null."""

    def check(name: str, value: Any) -> Any:
        if value is None:
            return None
        kinds = (int,) if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise invalid(f"{name} must be {'a whole number' if whole else 'a number'}.")
        if not low <= value <= high or (below and value == high):
            raise invalid(f"{name} must be from {low} to {high}, got {value}.")
        return value

    return check


SAMPLING: Mapping[str, Callable[[str, Any], Any]] = {
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "top_k": number(0, 100, whole=True),
    "max_tokens": number(1, 1_000_000, whole=True),
}
ASSISTANT: Mapping[str, Callable[[str, Any], Any]] = {
    "model": text,
    "name": text,
    "description": text,
    "instructions": text,
    "tools": tools,
    "file_ids": file_ids,
    "metadata": metadata,
    **SAMPLING,
}
"""Every field of an assistant."""


def truncation(value: Any) -> Json | None:
    """`truncation_strategy`: the last messages are the only kind."""
    if value is None:
        return None
    if not isinstance(value, dict) or value.get("type") != "last_messages":
        raise invalid("truncation_strategy.type must be last_messages.")
    count = value.get("last_messages")
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise invalid("truncation_strategy.last_messages must be a whole number from 1 on.")
    return value
