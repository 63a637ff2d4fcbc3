"""The list of conversations: the index, checked against the files that it was made from."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from tui.cache import files
from tui.cache.conversation import ConversationFile
from tui.cache.ids import is_conversation_id
from tui.cache.index import Entry, Index
from tui.cache.locks import owner
from tui.cache.places import Places
from tui.models import ACTIVE, ConversationSummary, ServiceName

TRASH = timedelta(days=30)
"""How long a deleted conversation can be taken back."""
_CHUNK = 100
"""Conversations that are read before the index is written: what is lost when the program is killed meanwhile."""


_TELL = 0.5
"""Seconds between two signs of progress."""
Tell = Callable[[list[ConversationSummary]], None]


class Listing:
    """The entries of all conversations. `read` and `recent` are called by one thread, `note` by any."""

    def __init__(
        self, places: Places | None, index: Index | None, clock: Callable[[], datetime], say: Callable[[str], None]
    ) -> None:
        self._places = places
        self._index = index
        self._clock = clock
        self._say = say
        self._entries: dict[str, Entry] = {}
        self._loaded = False

    def entries(self) -> dict[str, Entry]:
        """All entries by the conversation's id, as they are now; the deleted ones too."""
        return dict(self._entries)

    def remote_ids(self) -> dict[tuple[ServiceName, str], str]:
        """Our ids by service and its id; where several are of one conversation, one that is not deleted."""
        entries = sorted(self.entries().values(), key=lambda entry: entry.deleted_at is None)
        return {(e.summary.service, e.summary.remote_id): e.summary.id for e in entries if e.summary.remote_id}

    def note(self, file: ConversationFile, *, keep: bool) -> None:
        """Take in what became of a conversation, and with `keep` write it to the index."""
        if file.fold is None:
            return
        entry = entry_of(file)
        if self._entries.get(file.id) == entry:
            return
        self._entries[file.id] = entry
        if keep and self._index:
            self._index.put([entry])

    def recent(self, count: int) -> list[ConversationSummary]:
        """About `count` that were changed last, from the end of the index."""
        if self._index is None:
            return self.read()[:count]
        found = {entry.summary.id: entry for entry in self._index.newest(count)} | dict(self._entries)
        return self._shown(list(found.values()))[:count]

    def read(self, tell: Tell | None = None) -> list[ConversationSummary]:
        """All, newest first; conversations whose files are not what their entries say are read again.

        Where that takes long, `tell` gets now and then what there is so far.
        """
        if self._places and self._index:
            if not self._loaded:
                for conversation_id, entry in self._index.load().items():
                    self._entries.setdefault(conversation_id, entry)
                self._loaded = True
            self._check(self._places, self._index, tell)
        return self._shown(list(self._entries.values()))

    def news(self) -> tuple[list[ConversationSummary], list[str]]:
        """What other windows changed since the last look: lines that are new or other than before, and ids deleted."""
        if self._index is None or not self._loaded:
            return [], []
        changed: list[Entry] = []
        for conversation_id, entry in self._index.news().items():
            if self._entries.get(conversation_id) != entry:
                self._entries[conversation_id] = entry
                changed.append(entry)
        return self._shown(changed), [entry.summary.id for entry in changed if entry.deleted_at is not None]

    def _check(self, places: Places, index: Index, tell: Tell | None) -> None:
        seen: set[str] = set()
        stale: list[str] = []
        try:
            with os.scandir(places.conversations) as names:
                for name in names:
                    conversation_id = name.name.removesuffix(".toml")
                    entry = self._entries.get(conversation_id)
                    if entry is None and (conversation_id == name.name or not is_conversation_id(conversation_id)):
                        continue
                    seen.add(conversation_id)
                    with suppress(OSError):
                        if entry is None or entry.stamp != files.Stamp.of(name.stat(follow_symlinks=False)):
                            stale.append(conversation_id)
        except OSError:  # a folder that cannot be read now has lost nothing
            return
        stale.sort(reverse=True)
        told = time.monotonic()
        for begin in range(0, len(stale), _CHUNK):
            chunk = stale[begin : begin + _CHUNK]
            index.put([entry for conversation_id in chunk if (entry := self._read_again(places, conversation_id))])
            if tell is not None and time.monotonic() - told > _TELL:
                tell(self._shown(list(self._entries.values())))
                told = time.monotonic()
        gone = [
            conversation_id
            for conversation_id, entry in list(self._entries.items())
            if self._is_gone(places, entry, seen) or self._purge(places, entry)
        ]
        for conversation_id in gone:
            self._entries.pop(conversation_id, None)
        for folder in (places.conversations, places.drafts, places.index.parent):
            files.sweep(folder, self._clock())
        # Titles and first words of what is gone go too.
        index.tidy(dict(self._entries), anew=bool(gone))

    def _is_gone(self, places: Places, entry: Entry, seen: set[str]) -> bool:
        """It has no file any more; one that was begun while the folder was read has."""
        conversation_id = entry.summary.id
        return bool(entry.stamp) and conversation_id not in seen and not places.journal(conversation_id).exists()

    def _purge(self, places: Places, entry: Entry) -> bool:
        """Take off the disk what was deleted long ago, once."""
        if entry.deleted_at is None or entry.deleted_at > self._clock() - TRASH or not entry.summary.turns:
            return False
        file = ConversationFile(places, entry.summary.id, self._clock, self._say)
        with suppress(OSError, KeyError):
            file.refresh()
            if file.purge():
                for left in (*places.drafts.glob(f"{file.id}.toml"), *places.conversations.glob(f"{file.id}.toml.*")):
                    left.unlink(missing_ok=True)  # its draft, and what of it was set aside as broken
                return True
        return False

    def _read_again(self, places: Places, conversation_id: str) -> Entry | None:
        file = ConversationFile(places, conversation_id, self._clock, self._say)
        with suppress(OSError, KeyError):
            file.refresh()
            file.mend()
            if file.fold is not None:
                entry = self._entries[conversation_id] = entry_of(file)
                return entry
            self._entries.pop(conversation_id, None)
        return None

    def _shown(self, entries: list[Entry]) -> list[ConversationSummary]:
        summaries = [self._as_it_is(entry.summary) for entry in entries if entry.deleted_at is None]
        return sorted(summaries, key=lambda summary: summary.updated_at, reverse=True)

    def _as_it_is(self, summary: ConversationSummary) -> ConversationSummary:
        """A turn is in flight only while a process holds the conversation."""
        if summary.state not in ACTIVE or self._places is None or owner(self._places.lock(summary.id)):
            return summary
        return replace(summary, state="interrupted")

    def close(self) -> None:
        if self._index and self._loaded:
            self._index.tidy(dict(self._entries))


def entry_of(file: ConversationFile) -> Entry:
    """The index entry of a conversation as it was read."""
    assert file.fold is not None
    return Entry(file.fold.conversation().summary(), None if file.unwritten else file.stamp, file.fold.deleted_at)
