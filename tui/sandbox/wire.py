"""Values as the services write them: JSON, times, pages by number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

T = TypeVar("T")

compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""JSON without spaces, characters as they are."""
_UTC_FORM = "%Y-%m-%dT%H:%M:%SZ"


def encode_json(value: object) -> bytes:
    """Compact, UTF-8; with a lone surrogate in it all as escapes, since nothing else can carry that."""
    try:
        return compact(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def utc_text(seconds: float) -> str:
    """`2026-01-02T03:04:05Z` of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).strftime(_UTC_FORM)


def utc_moment(text: str) -> datetime:
    """The other way round.

    Raises:
        ValueError: `text` looks otherwise.
    """
    return datetime.strptime(text, _UTC_FORM).replace(tzinfo=UTC)


def whole_number(text: str, low: int, high: int) -> int | None:
    """A whole number within bounds; None where `text` is none."""
    return int(text) if text.isascii() and text.isdigit() and low <= int(text) <= high else None


@dataclass(frozen=True, slots=True)
class Numbered(Generic[T]):
    """The page `number` of `found`; the first has the number 1."""

    found: Sequence[T]
    number: int
    size: int

    @property
    def items(self) -> Sequence[T]:
        return self.found[(self.number - 1) * self.size : self.number * self.size]

    @property
    def total(self) -> int:
        return len(self.found)

    @property
    def pages(self) -> int:
        return -(-self.total // self.size)
