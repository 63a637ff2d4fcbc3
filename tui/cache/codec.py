"""Records to tables and back, by cattrs.

Fields that have their default value are left out; the members of a union carry their class's name as `type`, records
their kind. Texts are cleaned again as they are read: a file may have been edited by other programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from tui.cache.records import AnswerRecord, Head, Record
from tui.models import Block, Conversation, Turn
from tui.services.events import Event
from tui.text import clean

if TYPE_CHECKING:
    from cattrs import Converter


class UnknownRecord(Exception):
    """A whole record that this version cannot read: of a kind or shape that a newer one made."""


def _kind(record: type) -> str:
    return record.__name__.removesuffix("Record").lower()


@cache
def _converter() -> Converter:
    from cattrs import Converter
    from cattrs.strategies import configure_tagged_union

    converter = Converter(omit_if_default=True, detailed_validation=False)
    converter.register_structure_hook(str, _read_text)
    converter.register_structure_hook(datetime, _read_time)
    converter.register_unstructure_hook(datetime, lambda value: value)
    configure_tagged_union(Block, converter, tag_name="type")
    configure_tagged_union(Event, converter, tag_name="type")
    configure_tagged_union(Record, converter, tag_name="kind", tag_generator=_kind)
    return converter


def prepare() -> None:
    """Import and generate what the first record needs: a tenth of a second that nobody should wait for later."""
    _converter()


def _read_text(value: object, _: type) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {type(value).__name__}")
    return clean(value)


def _read_time(value: object, _: type) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError(f"time expected, not {type(value).__name__}")
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def record_to_table(record: Record) -> dict[str, Any]:
    """A table for `journal.record_fragment`: its kind, its turn's id, then the rest."""
    converter = _converter()
    if isinstance(record, AnswerRecord):
        turn = converter.unstructure(record.turn)
        del turn["question"]
        turn.pop("attachments", None)
        at = {"at": record.at} if record.at else {}
        return {"kind": "answer", "turn": turn.pop("id"), **at, **turn}
    table = converter.unstructure(record, Record)
    return {"kind": table.pop("kind"), **table}


def record_from_table(table: Mapping[str, Any]) -> Record:
    """The record of a table. Raises UnknownRecord where this version has no such record."""
    converter = _converter()
    try:
        if table["kind"] == "answer":
            turn = converter.structure({**table, "id": table["turn"], "question": ""}, Turn)
            return AnswerRecord(turn, at=_read_time(table["at"], datetime) if "at" in table else None)
        return cast("Record", converter.structure(table, Record))  # type: ignore[arg-type]  # a union is no type[T]
    except Exception as error:  # whatever the shape: nothing that was read may stop the reading
        raise UnknownRecord(str(error)) from error


def conversation_to_table(conversation: Conversation) -> dict[str, Any]:
    """A whole conversation as plain tables, lists, texts and times."""
    return cast("dict[str, Any]", _converter().unstructure(conversation))


def conversation_from_table(table: Mapping[str, Any]) -> Conversation:
    """The conversation of a table. Raises UnknownRecord where it is none."""
    try:
        return _converter().structure(table, Conversation)
    except Exception as error:  # as above
        raise UnknownRecord(str(error)) from error


def head_to_table(head: Head) -> dict[str, Any]:
    """A table for `journal.head_fragment`."""
    return {"conversation": _converter().unstructure(head)}


def head_from_table(table: Mapping[str, Any]) -> Head:
    """The head of a table. Raises UnknownRecord where there is none."""
    try:
        return _converter().structure(table["conversation"], Head)
    except Exception as error:  # as above
        raise UnknownRecord(str(error)) from error
