"""What a cell's text is: nothing, a whole number, a number, a date or words; and its value in the database."""

from __future__ import annotations

import functools
import re
from datetime import date, datetime, time
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["integer", "number", "date", "text"]
Value: TypeAlias = int | float | str | None

_NOTHING = frozenset(("", "null", "none", "nan", "n/a", "na", "-", "--", "\\n", "#n/a"))
_INTEGER = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"[+-]?[¥￥$€£]?(?:\d{1,3}(?:,\d{3})+|0|[1-9]\d*)?(?:\.\d+)?(?:[eE][+-]?\d+)?%?")
_DATE = re.compile(
    r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})日)"
    r"(?:[T ]*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)
_NOT_OF_A_NUMBER = str.maketrans("", "", ",¥￥$€£%")


def is_nothing(text: str) -> bool:
    """Whether a cell counts as empty."""
    return not text or (len(text) <= 4 and text.strip().lower() in _NOTHING) or text.isspace()


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


def value_of(text: str, kind: Kind) -> Value:
    """What is stored for `text` in a column of `kind`. Percent signs and currencies are cut off."""
    if is_nothing(text):
        return None
    match kind:
        case "integer":
            return int(text)
        case "number":
            return float(text.strip().translate(_NOT_OF_A_NUMBER))
        case "date":
            return as_date(text)
    return text


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
