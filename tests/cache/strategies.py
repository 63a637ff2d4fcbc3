"""Hypothesis strategies for the program's own vocabulary, made from the types themselves."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tui.cache.records import AnswerRecord, Record
from tui.text import clean

PIECES = ("[[record]]\n", "\n[[record]]\n", "[record]", "# crc32 00000000\n", '"""', "'''", '"', "\\", "\r\n", "\x00")
HOSTILE = (
    "\x1b[31m",
    "\ud800",
    "\udfff",
    "\ufeff",
    "\u2028",
    "\x85",
    "\x7f",
    "\u202e",
    "汉字",
    "👩‍💻",
    "é",
    "\t",
    " = ",
)
texts = st.lists(st.sampled_from((*PIECES, *HOSTILE)) | st.text(max_size=20), max_size=6).map("".join)
plain = texts.map(clean)
times = st.integers(0, 10**9).map(lambda second: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second))


def of(kind: Any, text: SearchStrategy[str] = plain, depth: int = 2) -> SearchStrategy[Any]:
    """Values of a type: text, numbers, times, literals, unions, tuples, mappings and dataclasses of these."""
    simple: dict[Any, SearchStrategy[Any]] = {
        str: text,
        bool: st.booleans(),
        int: st.integers(0, 2**40),
        float: st.floats(0, 1e6),
        datetime: times,
        type(None): st.none(),
    }
    if kind in simple:
        return simple[kind]
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(kind, **{item.name: of(hints[item.name], text, depth) for item in fields(kind)})  # type: ignore[arg-type]
    arguments = get_args(kind)
    match get_origin(kind):
        case origin if origin is Literal:
            return st.sampled_from(arguments)
        case origin if origin in (Union, types.UnionType):
            return st.one_of([of(argument, text, depth) for argument in arguments])
        case origin if origin is tuple:
            return st.lists(of(arguments[0], text, depth - 1), max_size=max(0, depth)).map(tuple)
        case origin if origin is Mapping:
            return st.dictionaries(text, text, max_size=3)
    raise TypeError(kind)


def records(text: SearchStrategy[str] = plain, depth: int = 2) -> SearchStrategy[Record]:
    """Any record as the program writes it: the answer's question is kept in its own record."""

    def as_written(record: Record) -> Record:
        if isinstance(record, AnswerRecord):
            return replace(record, turn=replace(record.turn, question="", attachments=()))
        return record

    return of(Record, text, depth).map(as_written)
