"""What a cell's text is: nothing, a whole number, a number, a date or words; and its value in the database."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["integer", "number", "date", "text"]
Value: TypeAlias = int | float | str | None

_WORDS = ("null", "none", "nan", "n/a", "na", "#n/a")
_NOTHING = frozenset(("", "-", "--", "\\N", *_WORDS, *map(str.upper, _WORDS), *map(str.title, _WORDS), "NaN"))
_INTEGER = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"[+-]?[¥￥$€£]?(?:\d{1,3}(?:,\d{3})+|0|[1-9]\d*)?(?:\.\d+)?(?:[eE][+-]?\d+)?%?")
_DATE = re.compile(
    r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})日)"
    r"(?:[T ]*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)
_NOT_OF_A_NUMBER = str.maketrans("", "", ",¥￥$€£%")


def is_nothing(text: str) -> bool:
    """Whether a cell counts as empty."""
    return text in _NOTHING or text.isspace()


@functools.lru_cache(maxsize=65_536)
def as_date(text: str) -> str | None:
    """`YYYY-MM-DD` or `YYYY-MM-DD HH:MM:SS`; None where `text` is no date. Zones are cut off."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    year, _, month, day, cn_month, cn_day, hour, minute, second = match.groups()
    try:
        if hour is None:
            return date(int(year), int(month or cn_month), int(day or cn_day)).isoformat()
        moment = datetime(
            int(year), int(month or cn_month), int(day or cn_day), int(hour), int(minute), int(second or 0)
        )
    except ValueError:
        return None
    return moment.isoformat(" ")


@functools.lru_cache(maxsize=65_536)
def kind_of(text: str) -> Kind:
    """The narrowest kind of one text that is not nothing. Leading zeros make a code, not a number."""
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return "integer"
    if _NUMBER.fullmatch(text) and any(character.isdigit() for character in text):
        return "number"
    return "text" if as_date(text) is None else "date"


def joined(known: Kind | None, new: Kind) -> Kind:
    """The kind of a column that holds both."""
    if known is None or known == new:
        return new
    return "number" if {known, new} == {"integer", "number"} else "text"


def _integer(text: str) -> Value:
    return None if is_nothing(text) else int(text)


def _number(text: str) -> Value:
    if is_nothing(text):
        return None
    try:
        value = float(text)
    except ValueError:
        value = float(text.strip().translate(_NOT_OF_A_NUMBER))
    return value if math.isfinite(value) else None


def _date(text: str) -> Value:
    return None if is_nothing(text) else as_date(text)


def _text(text: str) -> Value:
    return None if is_nothing(text) else text


CONVERTERS: Mapping[Kind, Callable[[str], Value]] = {
    "integer": _integer,
    "number": _number,
    "date": _date,
    "text": _text,
}
"""What is stored for a cell's text, by the kind of its column. Percent signs and currencies are cut off."""


def cell_text(value: object) -> str:
    """The text of a spreadsheet's cell."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
        case date():
            return value.isoformat()
    return str(value)
