"""The list of conversations, derived: it may be deleted at any time and is made again from the conversations.

A file of fragments like a conversation's, one an entry; later entries of a conversation replace earlier ones. So a
change costs one small write, several processes can write to it, and its end tells what was changed last. Whether an
entry still holds is seen by the size and time of the conversation's file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tui.cache import files, journal
from tui.cache.ids import read_conversation_id
from tui.models import ConversationSummary
from tui.text import clean

_HEAD = journal.head_fragment({"index": {"of": "conversations"}})
_DEFAULTS = {item.name: item.default for item in fields(ConversationSummary)}
_TEXTS = ("title", "remote_id", "snippet")
_ENTRY_BYTES = 700
"""More than most entries take: how much of the end is read for the newest."""


class Entry(NamedTuple):
    summary: ConversationSummary
    stamp: files.Stamp | None
    """What the conversation's file was; None where it is not on disk."""
    deleted_at: datetime | None = None


class Index:
    """The file. All methods block; errors of the disk are swallowed, because nothing is lost with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries_in_file = 0
        self._broken = False

    def load(self) -> dict[str, Entry]:
        """All entries by the conversation's id; empty where there is no index or none that can be read."""
        try:
            data, _stamp = files.read_from(self._path)
        except OSError:
            return {}
        found = journal.scan(data)
        self._entries_in_file = len(found.fragments)
        self._broken = bool(found.damage) or found.torn or journal.schema_of(data) != journal.SCHEMA
        return _read(data[begin:end] for begin, end in found.fragments)

    def newest(self, count: int) -> list[Entry]:
        """About `count` entries that were written last, newest first, without reading the others."""
        try:
            size = self._path.stat().st_size
            data, _stamp = files.read_from(self._path, max(0, size - count * _ENTRY_BYTES))
        except OSError:
            return []
        begin = data.find(b"\n[[record]]\n")
        data = data[begin:] if begin >= 0 else b""
        entries = _read(data[begin:end] for begin, end in journal.scan(data).fragments)
        return sorted(entries.values(), key=lambda entry: entry.summary.updated_at, reverse=True)[:count]

    def put(self, entries: Iterable[Entry]) -> None:
        """Write entries behind the others."""
        data = b"".join(_fragment(entry) for entry in entries if entry.stamp)
        if not data:
            return
        with suppress(OSError):
            try:
                files.append(self._path, data)
            except FileNotFoundError:
                with suppress(FileExistsError):
                    files.create(self._path, _HEAD + data)
                    return
                files.append(self._path, data)

    def tidy(self, entries: Mapping[str, Entry]) -> None:
        """Write the file anew from `entries` when most of what it holds is overridden or broken."""
        if not self._broken and self._entries_in_file <= 2 * len(entries) + 100:
            return
        oldest_first = sorted(entries.values(), key=lambda entry: entry.summary.updated_at)
        data = _HEAD + b"".join(_fragment(entry) for entry in oldest_first if entry.stamp)
        with suppress(OSError), files.locked(self._path):
            files.replace(self._path, data)
            self._entries_in_file, self._broken = len(entries), False


def _fragment(entry: Entry) -> bytes:
    summary = entry.summary
    table: dict[str, Any] = {"id": summary.id, **(entry.stamp._asdict() if entry.stamp else {})}
    for name, default in _DEFAULTS.items():
        value = getattr(summary, name)
        if name != "id" and (default is MISSING or value != default):
            table[name] = value
    if entry.deleted_at:
        table["deleted_at"] = entry.deleted_at
    return journal.record_fragment(table)


def _read(fragments: Iterable[bytes]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for fragment in fragments:
        with suppress(ValueError, TypeError, KeyError):
            table = journal.read_record(fragment)
            entry = _entry(table)
            entries.pop(entry.summary.id, None)
            entries[entry.summary.id] = entry
    return entries


def _entry(table: dict[str, Any]) -> Entry:
    if read_conversation_id(table["id"]) is None:
        raise ValueError("no id of ours")
    stamp = files.Stamp(*(table.pop(name) for name in files.Stamp._fields))
    deleted_at = table.pop("deleted_at", None)
    for name in _TEXTS:
        if name in table:
            table[name] = clean(table[name])
    if "tags" in table:
        table["tags"] = tuple(clean(tag) for tag in table["tags"])
    return Entry(ConversationSummary(**table), stamp, deleted_at)
