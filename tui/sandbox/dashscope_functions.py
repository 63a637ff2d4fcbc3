"""Which function a question calls, and with which arguments: taken from the question's own words and numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tui.sandbox.dashscope_records import Json

_NUMBER = re.compile(r"(?<![A-Za-z0-9_.-])[-−]?\d+(?:[,_]\d{3})*(?:\.\d+)?")
_QUOTED = re.compile(r"[\"“「『'‘]([^\"”」』'’]+)[\"”」』'’]")
_PROPER = re.compile(r"(?<!^)(?<![.!?。！？]\s)\b[A-Z][\w-]*(?:\s+[A-Z][\w-]*)*")
_PLACE = re.compile(r"(?:在|去|查询|查一下|看看|请问)?([\u4e00-\u9fff]{2,4}?)(?:市|的|今天|明天|现在)")
_WORD = re.compile(r"[a-z]{3,}|[\u4e00-\u9fff]")
_WHOLE_TEXT = ("query", "q", "question", "text", "keyword", "keywords", "prompt", "input", "content", "sql", "message")
_NO = re.compile(r"\b(no|not|without|off|disable|false)\b|不|别|关闭", re.IGNORECASE)


class _Reader:
    """Hands out what a question has to give, each thing once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._numbers = [_number(match) for match in _NUMBER.findall(text)]
        self._quoted = _QUOTED.findall(text)
        self._names = [name for name in _PROPER.findall(text) if name not in self._quoted] + _PLACE.findall(text)

    def value(self, name: str, schema: Mapping[str, Any]) -> Any:
        """A value for one argument."""
        if options := schema.get("enum"):
            said = (option for option in options if str(option).lower() in self.text.lower())
            return next(said, options[0])
        kind = schema.get("type", "string")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "string")
        match kind:
            case "integer":
                return int(self._next_number())
            case "number":
                return self._next_number()
            case "boolean":
                return not _NO.search(self.text)
            case "array":
                return self._array(name, schema.get("items") or {})
            case "object":
                return self.arguments(schema)
            case "null":
                return None
        return self._string(name)

    def arguments(self, schema: Mapping[str, Any]) -> Json:
        """Required arguments first, then the others that the question has something for."""
        properties: Mapping[str, Any] = schema.get("properties") or {}
        required = [name for name in schema.get("required") or () if name in properties]
        made: Json = {}
        for name in (*required, *(name for name in properties if name not in required)):
            part = properties[name] if isinstance(properties[name], Mapping) else {}
            if name in required or self._has_more(part):
                made[name] = self.value(name, part)
        return {name: made[name] for name in properties if name in made}

    def _has_more(self, schema: Mapping[str, Any]) -> bool:
        if schema.get("type") in ("integer", "number"):
            return bool(self._numbers)
        options = schema.get("enum") or ()
        return any(str(option).lower() in self.text.lower() for option in options)

    def _next_number(self) -> int | float:
        return self._numbers.pop(0) if self._numbers else 0

    def _array(self, name: str, schema: Mapping[str, Any]) -> list[Any]:
        if schema.get("type") in ("integer", "number"):
            numbers, self._numbers = self._numbers, []
            return numbers
        quoted, self._quoted = self._quoted, []
        return quoted or [self._string(name)]

    def _string(self, name: str) -> str:
        if self._quoted:
            return str(self._quoted.pop(0))
        if name.lower() in _WHOLE_TEXT:
            return self.text.strip()
        if self._names:
            return str(self._names.pop(0))
        words = self.text.strip(" \n.。?？!！").split()
        return words[-1] if words else ""


def _number(text: str) -> int | float:
    text = text.replace(",", "").replace("_", "").replace("−", "-")
    if len(text) > _LONGEST_NUMBER:
        return 0
    return float(text) if "." in text else int(text)


def arguments_for(text: str, parameters: Mapping[str, Any]) -> str:
    """The JSON of arguments for a call, with the spaces that models write."""
    return json.dumps(_Reader(text).arguments(parameters), ensure_ascii=False)


def functions_of(tools: Sequence[Json]) -> list[Json]:
    """name, description and parameters of every function among the tools."""
    found = [tool.get("function") for tool in tools if tool.get("type") == "function"]
    return [function for function in found if isinstance(function, dict) and function.get("name")]


def choose(text: str, functions: Sequence[Json]) -> Json | None:
    """The function that the question is about; None where it is about none."""
    best = max(functions, key=lambda function: _score(text, function), default=None)
    return best if best is not None and _score(text, best) > 0 else None


def _score(text: str, function: Json) -> int:
    asked = set(_WORD.findall(text.lower()))
    named = set(_WORD.findall(re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", str(function["name"])).lower()))
    described = set(_WORD.findall(str(function.get("description") or "").lower()))
    parameters = function.get("parameters") or {}
    properties = parameters.get("properties") or {}
    score = 3 * len(asked & named) + len(asked & described - _COMMON)
    wanted = [p for p in properties.values() if isinstance(p, Mapping) and p.get("type") in ("integer", "number")]
    numbers = len(_NUMBER.findall(text))
    if wanted and numbers >= len(wanted):
        score += 3
    return score if not wanted or numbers or 3 * len(asked & named) > 3 else 0


_LONGEST_NUMBER = 300
"""Characters: what is longer is no number that JSON can carry."""
_COMMON = frozenset(
    ("the", "and", "for", "with", "from", "this", "that", "what", "how", "you", "can", "are", *"的了是在和一个我你请吗")
)
