"""Searching all conversations: what is in the index by the index, all else by reading the files.

So an answer is complete at any time: before the index was made, while it is being made, where it cannot be made.
All methods block; `find` and `update` may run at the same time, each in one thread.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tui.cache import files
from tui.cache.conversation import ConversationFile
from tui.cache.index import Entry
from tui.cache.matching import SearchHit, Wanted, hit_of, text_of
from tui.cache.places import Places
from tui.cache.search_index import Broken, SearchIndex, Text, Unusable, remove
from tui.models import Conversation

_CHUNK = 50
"""Conversations that are taken in before others see them."""
_TELL = 0.25
_SMALL = 20_000_000
"""Bytes that are read in a tenth of a second: so much is read before the index is asked, not after it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the index is."""

    done: int
    total: int


class Searcher:
    """See the module.

    Args:
        places: where the conversations are; None where they are in memory.
        path: where the index goes; None for none.
        entries: what there is, with what each file is now; called from any thread.
        held: a conversation that is not on disk, from memory.
    """

    def __init__(
        self,
        places: Places | None,
        path: Path | None,
        entries: Callable[[], Mapping[str, Entry]],
        held: Callable[[str], Conversation | None],
        clock: Callable[[], datetime],
    ) -> None:
        self.without_index = ""
        """Why there is no index, as the system says it; empty while there may be one."""
        self._places = places
        self._path = path
        self._entries = entries
        self._held = held
        self._clock = clock
        self._reader: SearchIndex | None = None
        self._known: dict[str, files.Stamp] = {}
        """What the index has; a conversation that changed since is read from its file."""
        self._guard = threading.Lock()

    # --- searching -----------------------------------------------------------------------------------------

    def find(self, wanted: Wanted, stop: threading.Event, limit: int) -> Iterator[SearchHit]:
        """Turns that match, about newest first, `limit` from the index and as many from files; until `stop`."""
        entries = {
            conversation_id: entry
            for conversation_id, entry in self._entries().items()
            if entry.deleted_at is None and wanted.takes_conversation(conversation_id, entry.summary.service)
        }
        index = self._index()
        known = self._known if index else {}
        unread = [entry for key, entry in entries.items() if entry.stamp is None or known.get(key) != entry.stamp]
        # Newest first; what was not touched since has nothing of that time.
        unread = [entry for entry in unread if wanted.since is None or entry.summary.updated_at >= wanted.since]
        unread.sort(key=lambda entry: entry.summary.updated_at, reverse=True)
        skipped = {entry.summary.id for entry in unread}
        by_reading = self._read(unread, wanted, stop)
        by_index = (
            hit
            for hit in (index.find(wanted) if index else ())
            if hit.conversation_id in entries and hit.conversation_id not in skipped
        )
        much = sum(entry.stamp.size for entry in unread if entry.stamp) > _SMALL
        for source in (by_index, by_reading) if much else (by_reading, by_index):
            found = 0
            with suppress(Unusable):
                for hit in source:
                    if stop.is_set():
                        return
                    yield hit
                    found += 1
                    if found == limit:
                        break

    def interrupt(self) -> None:
        """End a `find` that waits for the index in another thread; it has been told to stop."""
        with self._guard:
            if self._reader is not None:
                self._reader.interrupt()

    def _index(self) -> SearchIndex | None:
        if self._path is None or self.without_index:
            return None
        if self._reader is None or not self._path.exists():
            self.close()
            try:
                reader = SearchIndex(self._path)
                known = dict(reader.stamps())
            except Unusable as error:
                self.without_index = str(error)
                return None
            with self._guard:
                self._reader, self._known = reader, known
        return self._reader

    def _read(self, entries: list[Entry], wanted: Wanted, stop: threading.Event) -> Iterator[SearchHit]:
        for entry in entries:
            if stop.is_set():
                return
            conversation = self._conversation(entry, wanted)
            if conversation is None:
                continue
            for text in reversed(texts_of(conversation)):
                if wanted.takes_time(text.asked_at) and wanted.matches(text.text):
                    yield hit_of(wanted, conversation.id, text.turn_id, text.asked_at, text.text)

    def _conversation(self, entry: Entry, wanted: Wanted) -> Conversation | None:
        """The conversation, where its bytes do not tell already that nothing in it matches."""
        if entry.stamp is None or self._places is None:
            return self._held(entry.summary.id)
        with suppress(OSError, KeyError):
            data, _stamp = files.read_from(self._places.journal(entry.summary.id))
            lower = data.lower()
            if all(word in lower for word in wanted.as_bytes):
                return self._load(self._places, entry.summary.id)
        return None

    def _load(self, places: Places, conversation_id: str) -> Conversation | None:
        file = ConversationFile(places, conversation_id, self._clock, lambda _notice: None)
        file.refresh()
        return file.fold.conversation() if file.fold is not None else None

    # --- the index -----------------------------------------------------------------------------------------

    def update(self, tell: Callable[[Progress], None], stop: threading.Event) -> None:
        """Bring the index up to date, newest first; nothing happens while another window does."""
        if self._path is None or self._places is None or self.without_index:
            return
        try:
            lock = files.open_private(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT)
        except OSError as error:
            self.without_index = str(error)
            return
        try:
            if files.lock(lock, wait=False):
                try:
                    self._write(self._path, self._places, tell, stop)
                except Broken:
                    self.forget()
                    self._write(self._path, self._places, tell, stop)
        except Unusable as error:
            self.without_index = str(error)
        finally:
            os.close(lock)

    def _write(self, path: Path, places: Places, tell: Callable[[Progress], None], stop: threading.Event) -> None:
        index = SearchIndex(path)
        try:
            self._bring_up_to_date(places, index, tell, stop)
        finally:
            index.close()

    def _bring_up_to_date(
        self, places: Places, index: SearchIndex, tell: Callable[[Progress], None], stop: threading.Event
    ) -> None:
        known = dict(index.stamps())
        with self._guard:
            self._known = known.copy()
        entries = {key: entry for key, entry in self._entries().items() if entry.deleted_at is None and entry.stamp}
        stale = [entry for key, entry in entries.items() if known.get(key) != entry.stamp]
        stale.sort(key=lambda entry: entry.summary.updated_at, reverse=True)
        gone = [key for key in known if key not in entries]
        told = time.monotonic()
        for begin in range(0, len(gone), _CHUNK):
            index.begin()
            for conversation_id in gone[begin : begin + _CHUNK]:
                index.remove(conversation_id)
            index.commit()
        with self._guard:
            for conversation_id in gone:
                self._known.pop(conversation_id, None)
        for begin in range(0, len(stale), _CHUNK):
            taken: dict[str, files.Stamp] = {}
            index.begin()
            for number, entry in enumerate(stale[begin : begin + _CHUNK], begin):
                if stop.is_set():
                    break
                if stamp := self._take_in(places, index, entry):
                    taken[entry.summary.id] = stamp
                time.sleep(0)  # let the event loop have the interpreter, it may have a key to answer
                if time.monotonic() - told > _TELL:
                    told = time.monotonic()
                    tell(Progress(number, len(stale)))
            index.commit()
            with self._guard:
                self._known.update(taken)
            if stop.is_set():
                return
        if stale or gone:
            index.tidy()
        tell(Progress(len(stale), len(stale)))

    def _take_in(self, places: Places, index: SearchIndex, entry: Entry) -> files.Stamp | None:
        file = ConversationFile(places, entry.summary.id, self._clock, lambda _notice: None)
        with suppress(OSError, KeyError):
            file.refresh()
            if file.fold is not None and file.stamp is not None and file.fold.deleted_at is None:
                index.put(entry.summary.id, entry.summary.service, file.stamp, texts_of(file.fold.conversation()))
                return file.stamp
        return None

    def remove(self, conversation_id: str) -> None:
        """Take a deleted conversation out of the index; where that cannot be now, the next `update` does it."""
        with self._guard:
            self._known.pop(conversation_id, None)
        if self._path is None or not self._path.exists():
            return
        with suppress(Unusable):
            index = SearchIndex(self._path)
            try:
                index.erase(conversation_id)
            finally:
                index.close()

    def forget(self) -> None:
        """Delete the index: the next `update` makes it anew."""
        self.close()
        if self._path is not None:
            remove(self._path)
        self.without_index = ""

    def close(self) -> None:
        with self._guard:
            if self._reader is not None:
                self._reader.close()
            self._reader, self._known = None, {}


def texts_of(conversation: Conversation) -> list[Text]:
    """What is searched of a conversation: its turns, and before them its title where no question begins with it."""
    texts = [Text(turn.id, turn.asked_at, text_of(turn)) for turn in conversation.turns]
    if conversation.title and not any(text.text.startswith(conversation.title.rstrip("…")) for text in texts):
        texts.insert(0, Text("", conversation.created_at, conversation.title))
    return texts
