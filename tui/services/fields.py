"""Reading fields of the vendor's JSON, tolerant of its spellings and types. All texts come out clean."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from tui.text import clean, clean_line

_MS_FROM = 10**10
"""Above it a time in seconds would be after the year 2286: it is in milliseconds."""
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,9})?$")


@lru_cache(maxsize=512)  # the same few names in every frame
def plain(name: str) -> str:
    """`name` without case and underscores: `ConversationId`, `conversationId` and `conversation_id` are one."""
    return name.replace("_", "").lower()


class Fields(Mapping[str, Any]):
    """A JSON object whose keys are looked up without regard to case and underscores; of two the first filled wins."""

    __slots__ = ("_table",)

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table: dict[str, Any] = {}
        for key, value in table.items():
            name = plain(str(key))
            if value is not None and self._table.get(name) in (None, ""):
                self._table[name] = value

    def __getitem__(self, name: str) -> Any:
        return self._table[plain(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def first(self, *names: str) -> Any:
        """The first of `names` that is there and not empty; None when none is."""
        for name in names:
            value = self._table.get(plain(name))
            if value is not None and value != "":
                return value
        return None

    def line(self, *names: str, limit: int = 200) -> str:
        """The first of `names` as one clean line: ids, names, titles."""
        value = self.first(*names)
        return clean_line(as_text(value), limit) if value is not None else ""

    def text(self, *names: str) -> str:
        """The first of `names` as clean text; JSON where it is an object or a list."""
        value = self.first(*names)
        return clean(as_text(value)) if value is not None else ""


def as_text(value: object) -> str:
    """`value` as text: as it is, or compact JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_object(value: object) -> Fields | None:
    """An object, also where it is sent as JSON in a string; None for anything else."""
    parsed = as_json(value)
    return Fields(parsed) if isinstance(parsed, Mapping) else None


def as_json(value: object) -> object:
    """`value`, or what is in it where it is a string of JSON."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def as_bool(value: object) -> bool:
    """True for true, "true", "True", 1; GetConversations says `"false"`, which Python takes for true."""
    return value.strip().lower() in ("true", "1", "yes") if isinstance(value, str) else bool(value)


def as_count(value: object) -> int:
    """A count in any of its forms; 0 for what is none."""
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def as_names(value: object, limit: int = 200) -> tuple[str, ...]:
    """A list of names in any of its forms, each once, in order.

    A list, JSON of a list in a string, and what only looks like it: `[a, b]`, `a,b` (protocol notes 5.1). Of an
    object in the list its Name or Id counts. `limit`: characters of each.
    """
    parsed = as_json(value)
    if isinstance(parsed, str):
        parsed = [part.strip().strip("\"'") for part in parsed.strip().removeprefix("[").removesuffix("]").split(",")]
    if not isinstance(parsed, list):
        return ()
    found: dict[str, None] = {}
    for entry in parsed:
        text = Fields(entry).line("Name", "Id") if isinstance(entry, dict) else clean_line(as_text(entry), limit)
        if entry is not None and text:
            found[text] = None
    return tuple(found)


def as_items(value: object) -> list[Fields]:
    """The objects in a list, whatever else is in it."""
    parsed = as_json(value)
    if isinstance(parsed, Mapping):
        return [Fields(parsed)]
    return [Fields(item) for item in parsed if isinstance(item, Mapping)] if isinstance(parsed, list) else []


def as_time(value: object) -> datetime | None:
    """A time in any of the forms of this API, in UTC; None where it is none.

    Unix seconds or milliseconds as number or text, ISO 8601, `YYYY-MM-DD HH:MM:SS` (taken as UTC).
    """
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip()
    try:
        if _NUMBER.match(text):
            number = float(text)
            return datetime.fromtimestamp(number / 1000 if abs(number) >= _MS_FROM else number, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
