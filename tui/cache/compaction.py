"""Which records of a conversation's file nobody needs any more: those that later ones override."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from typing import Any

from tui.cache import codec, journal
from tui.cache.fold import META_FIELDS
from tui.cache.records import (
    AnswerRecord,
    Head,
    IdsRecord,
    MetaRecord,
    PartialRecord,
    Record,
    StateRecord,
    TombstoneRecord,
)
from tui.models import Conversation

_WORTH_IT = 32 * 1024


class Waste:
    """How many bytes of a file a compaction would save, about."""

    def __init__(self) -> None:
        self._total = 0
        self._wasted = 0
        self._open: defaultdict[str, int] = defaultdict(int)

    def add(self, record: Record, size: int) -> None:
        """Count a record that takes `size` bytes."""
        self._total += size
        if isinstance(record, AnswerRecord):
            self._wasted += self._open[record.turn.id]
            self._open[record.turn.id] = size
        elif isinstance(record, (PartialRecord, StateRecord, IdsRecord)):
            self._open[record.turn] += size

    @property
    def pays(self) -> bool:
        """True where a compaction saves some ten kilobytes, and a third of the file."""
        return self._wasted > _WORTH_IT and self._wasted * 3 > self._total


def compacted(data: bytes) -> bytes:
    """A file's bytes without the fragments that later ones override; the others unchanged and in order."""
    kept: list[bytes] = []
    answered: set[str] = set()
    settled: set[str] = set()
    buried = False
    fragments = [data[begin:end] for begin, end in journal.scan(data).fragments]
    for fragment in reversed(fragments[1:]):
        table = journal.read_record(fragment)
        match table.get("kind"):
            case "answer":
                needed = _first(table, "turn", answered)
            case "partial" | "state" | "ids":
                needed = table.get("turn") not in answered
            case "meta":
                fields = [name for name in META_FIELDS if name in table]
                needed = not settled.issuperset(fields)
                settled.update(fields)
            case "tombstone":
                needed, buried = not buried, True
            case _:
                needed = True
        if needed:
            kept.append(fragment)
    return b"".join([*fragments[:1], *reversed(kept)])


def _first(table: dict[str, Any], key: str, seen: set[str]) -> bool:
    value = table.get(key)
    is_first = value not in seen
    seen.add(str(value))
    return is_first


def epitaph(head: Head, conversation: Conversation, deleted_at: datetime | None) -> bytes:
    """The file of a deleted conversation of which only the service's id is left, and a thread's title."""
    title = conversation.title if conversation.service == "dashscope" else ""
    head = replace(head, title="", options={})
    left: list[Record] = [
        MetaRecord(title=title, remote_id=conversation.remote_id, at=deleted_at),
        TombstoneRecord(at=deleted_at),
    ]
    records = [journal.record_fragment(codec.record_to_table(record)) for record in left]
    return b"".join([journal.head_fragment(codec.head_to_table(head)), *records])
