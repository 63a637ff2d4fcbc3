"""The list of conversations, derived: it may be deleted at any time and is made again from the conversations.

A line an entry; later lines of a conversation replace earlier ones. So a change costs one small write, several
processes can write to it, and its end tells what was changed last. Whether an entry still holds is seen by the size
and time of the conversation's file. Lines of tab-separated texts and not TOML, because all of them are read at every
start: 10,000 entries take 20 ms to split and 500 ms to parse as TOML.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, cast, get_args

from tui.cache import files
from tui.cache.ids import is_conversation_id
from tui.models import ConversationSummary, ServiceName, TurnState
from tui.text import clean

_HEAD = b"# yunliao: the list of conversations, format 1; may be deleted\n"
_ENTRY_BYTES = 700
"""More than most entries take: how much of the end is read for the newest."""
_SERVICES = frozenset(get_args(ServiceName))
_STATES = frozenset(get_args(TurnState))
_FIELDS = 14
_TURNS = 200
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n"})


class Entry(NamedTuple):
    summary: ConversationSummary
    stamp: files.Stamp | None
    """What the conversation's file was; None where it is not on disk."""
    deleted_at: datetime | None = None


class Index:
    """The file. All methods block; errors of the disk are swallowed, because nothing is lost with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = 0
        self._broken = False
        self._read_to = files.Stamp(0, 0, 0)
        """The file as it was read last."""
        self._own: set[bytes] = set()
        """Lines that this process wrote since: no news to it."""

    def load(self) -> dict[str, Entry]:
        """All entries by the conversation's id; empty where there is no index or none that can be read."""
        try:
            data, self._read_to = files.read_from(self._path)
        except OSError:
            return {}
        self._own.clear()
        lines = data.split(b"\n")
        entries, broken = _read(lines[1:-1])
        self._lines = len(lines)
        self._broken = bool(broken) or not data.startswith(_HEAD) or lines[-1] != b""
        return entries

    def newest(self, count: int) -> list[Entry]:
        """About `count` entries that were written last, newest first, without reading the others."""
        try:
            size = self._path.stat().st_size
            data, _stamp = files.read_from(self._path, max(0, size - count * _ENTRY_BYTES))
        except OSError:
            return []
        entries, _broken = _read(data.split(b"\n")[1:])
        return sorted(entries.values(), key=lambda entry: entry.summary.updated_at, reverse=True)[:count]

    def news(self) -> dict[str, Entry]:
        """What other processes wrote since the last look; cheap where they wrote nothing."""
        try:
            found = files.Stamp.of(os.stat(self._path, follow_symlinks=False))
            if found == self._read_to:
                return {}
            grown = found.inode == self._read_to.inode and found.size >= self._read_to.size
            start = self._read_to.size if grown else 0
            data, self._read_to = files.read_from(self._path, start, inode=found.inode)
        except (OSError, files.Changed):
            return {}
        own, self._own = self._own, set()
        entries, _broken = _read(line for line in data.split(b"\n") if line and line not in own)
        return entries

    def put(self, entries: Iterable[Entry]) -> None:
        """Write entries behind the others."""
        lines = [_line(entry, entry.stamp) for entry in entries if entry.stamp]
        data = b"".join(lines)
        if not data:
            return
        self._own.update(line.rstrip(b"\n") for line in lines)
        with suppress(OSError):
            files.append_or_create(self._path, data, _HEAD)

    def tidy(self, entries: Mapping[str, Entry], *, anew: bool = False) -> None:
        """Write the file from `entries`: where it shall be `anew`, or most of it is overridden or broken."""
        if not anew and not self._broken and self._lines <= 2 * len(entries) + 100:
            return
        oldest_first = sorted(entries.values(), key=lambda entry: entry.summary.updated_at)
        data = _HEAD + b"".join(_line(entry, entry.stamp) for entry in oldest_first if entry.stamp)
        with suppress(OSError), files.locked(self._path):
            files.replace(self._path, data)
            self._lines, self._broken = len(entries), False


def _line(entry: Entry, stamp: files.Stamp) -> bytes:
    summary = entry.summary
    flags = "".join(
        letter
        for letter, is_set in zip("upa", (summary.unread, summary.pinned, summary.archived), strict=True)
        if is_set
    )
    texts = [
        summary.id,
        *map(str, stamp),
        summary.service,
        summary.state,
        flags,
        str(summary.turns),
        summary.created_at.isoformat(),
        summary.updated_at.isoformat(),
        entry.deleted_at.isoformat() if entry.deleted_at else "",
        summary.remote_id,
        summary.title,
        summary.snippet,
        *summary.tags,
    ]
    body = "\t".join(text.translate(_ESCAPES) for text in texts).encode(errors="replace")
    return b"%08x\t%s\n" % (zlib.crc32(body), body)


def _read(lines: Iterable[bytes]) -> tuple[dict[str, Entry], int]:
    """Entries by id in the order in which they were written last, and how many lines are none."""
    entries: dict[str, Entry] = {}
    broken = 0
    for number, line in enumerate(lines):
        if number % _TURNS == 0:
            time.sleep(0)  # let the event loop have the interpreter, it may have a key to answer
        checksum, _tab, body = line.partition(b"\t")
        if checksum != b"%08x" % zlib.crc32(body):
            broken += 1
            continue
        try:
            entry = _entry(body.decode().split("\t"))
        except ValueError:
            broken += 1
            continue
        entries.pop(entry.summary.id, None)
        entries[entry.summary.id] = entry
    return entries, broken


def _entry(texts: list[str]) -> Entry:
    """The entry of a line. Raises ValueError where it is none."""
    if len(texts) < _FIELDS:
        raise ValueError("too few fields")
    conversation_id, inode, size, modified, service, state, flags, turns, created, updated, deleted = texts[:11]
    if service not in _SERVICES or state not in _STATES or not is_conversation_id(conversation_id):
        raise ValueError("not of this format")
    remote_id, title, snippet, *tags = map(_text, texts[11:])
    summary = ConversationSummary(
        id=conversation_id,
        service=cast("ServiceName", service),
        title=title,
        created_at=datetime.fromisoformat(created),
        updated_at=datetime.fromisoformat(updated),
        remote_id=remote_id,
        turns=int(turns),
        state=cast("TurnState", state),
        unread="u" in flags,
        pinned="p" in flags,
        archived="a" in flags,
        tags=tuple(tags),
        snippet=snippet,
    )
    stamp = files.Stamp(int(inode), int(size), int(modified))
    return Entry(summary, stamp, datetime.fromisoformat(deleted) if deleted else None)


def _text(text: str) -> str:
    if "\\" in text:
        pieces = text.split("\\\\")
        text = "\\".join(piece.replace("\\t", "\t").replace("\\n", "\n") for piece in pieces)
    return clean(text)
