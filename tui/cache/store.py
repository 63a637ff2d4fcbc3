"""The cache as the program uses it: conversations on disk, or in memory where the disk cannot be used.

No method blocks the event loop: the disk is worked on in threads, in order for each conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cache import codec
from tui.cache.conversation import ConversationFile, NotWriter
from tui.cache.drafts import Drafts
from tui.cache.history import History
from tui.cache.ids import is_conversation_id, new_conversation_id
from tui.cache.index import Index
from tui.cache.lanes import Lanes
from tui.cache.listing import Listing, Tell
from tui.cache.places import Places, failure, prepare, probe
from tui.cache.records import Head, IdsRecord, PartialRecord, Record, TombstoneRecord
from tui.models import Conversation, ConversationSummary, ServiceName
from tui.words import _

if TYPE_CHECKING:
    from tui.cache.searching import Searcher

__all__ = ["NotWriter", "Store"]

_START = "start"


class Store:
    """All conversations of this user on this machine.

    Args:
        root: the folder that holds everything; None where there is none.
        clock: the time now, aware, UTC.
        fallback: used when `root` cannot be; without one everything stays in memory.
        retry_seconds: how long to wait before what could not be written is tried again.
    """

    def __init__(
        self,
        root: Path | None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        fallback: Path | None = None,
        retry_seconds: float = 10.0,
    ) -> None:
        self.notices: list[str] = []
        """What was found broken and what was done about it, in sentences."""
        self.banner_changed: Callable[[], None] = lambda: None
        """Called on the event loop when `banner` is another than before: the disk got full, or has room again."""
        self._root = root
        self._fallback = fallback
        self._clock = clock
        self._retry_seconds = retry_seconds
        self._lanes = Lanes()
        self._places: Places | None = None
        self._reason = ""
        self._failures: dict[str, str] = {}
        self._retrying: asyncio.Task[None] | None = None
        self._files: dict[str, ConversationFile] = {}
        self._left: set[str] = set()
        """Conversations that are being released."""
        self._listing = Listing(None, None, clock, self.notices.append)
        self._drafts = Drafts(None)
        self._history = History(None)

    @property
    def banner(self) -> str:
        """Why nothing, or not all, is kept on disk: a sentence for as long as that is so, else empty."""
        return self._reason or next(iter(self._failures.values()), "")

    async def open(self) -> None:
        """Find or make the folders. Never fails.

        Where they are and cannot be written, what is there is shown and what is new stays in memory; where they are
        not and cannot be made, everything does.
        """
        self._record(_START, await self._lanes.run(_START, self._open))

    def _open(self) -> OSError | None:
        self._reason = _("Nothing is kept on disk: what you see is gone when you leave.")
        for root in (self._root, self._fallback):
            if root is None:
                continue
            try:
                places, repaired = prepare(root)
            except OSError as error:
                self._reason = failure(root, error)
                continue
            self._use(root, places)
            for folder in repaired:
                said = _("{folder} was open to other users; now only you can enter it.")
                self.notices.append(said.format(folder=folder))
            return probe(places)
        return None

    def _use(self, root: Path, places: Places) -> None:
        if root == self._root:
            self._reason = ""
        else:
            said = _("The folder for conversations cannot be used: they are kept in {folder} until you log out.")
            self._reason = said.format(folder=root)
        self._places = places
        self._listing = Listing(places, Index(places.index), self._clock, self.notices.append)
        self._drafts = Drafts(places.drafts, self._spare)
        self._drafts.read_new()
        self._history = History(places.history)

    # --- the list ------------------------------------------------------------------------------------------

    async def recent(self, count: int = 100) -> list[ConversationSummary]:
        """About `count` conversations that changed last, newest first, at once: what others wrote since may miss."""
        return await self._lanes.run("list", partial(self._listing.recent, count))

    async def summaries(self, tell: Tell | None = None) -> list[ConversationSummary]:
        """All conversations but the deleted ones, newest first, read again where their files changed.

        Where there is no index that takes its time: `tell` gets what there is so far, in another thread.
        """
        found = await self._lanes.run("list", partial(self._listing.read, tell))
        self._lanes.start("prepare", codec.prepare)
        return found

    async def news(self) -> tuple[list[ConversationSummary], list[str]]:
        """What other windows changed since the last look: lines that are new or changed, and ids that are deleted."""
        return await self._lanes.run("list", self._listing.news)

    async def remote_ids(self) -> dict[tuple[ServiceName, str], str]:
        """Our ids of the conversations that a service knows, by its name and its id; of deleted ones too."""
        return await self._lanes.run("list", self._listing.remote_ids)

    @cached_property
    def searcher(self) -> Searcher:
        """Finds what was said. To be made after `open`; its methods block, and are called in threads."""
        from tui.cache.mounts import index_place
        from tui.cache.searching import Searcher

        folder = self._places.index.parent if self._places else None
        path = index_place(folder, self._fallback) if folder else None
        return Searcher(self._places, path, self._listing.entries, self._held, self._clock)

    def _held(self, conversation_id: str) -> Conversation | None:
        """A conversation that is not on disk, as it stands; blocking, for other threads."""
        file = self._files.get(conversation_id)
        if file is None or file.fold is None:
            return None
        return self._lanes.run_now(conversation_id, file.conversation)

    # --- conversations -------------------------------------------------------------------------------------

    async def create(
        self,
        service: ServiceName,
        title: str = "",
        options: Mapping[str, str] | None = None,
        *,
        conversation_id: str = "",
        created_at: datetime | None = None,
    ) -> Conversation:
        """A new conversation, after `open`. It has no file until something is appended to it.

        One that was begun elsewhere brings its id (see `tui.cache.ids`) and time with it.
        """
        now = created_at or self._clock()
        head = Head(conversation_id or new_conversation_id(service, now), service, now, title, options or {})
        file = ConversationFile(self._places, head.id, self._clock, self.notices.append, head)
        self._files[head.id] = file
        return file.conversation()

    async def load(self, conversation_id: str) -> Conversation:
        """The conversation as it is on disk, with its draft.

        Turns that a dead process left in flight are `interrupted`. When another process writes to it, or a newer
        version did, `read_only` says so. Raises KeyError where there is none.
        """
        file = self._file(conversation_id)
        self._left.discard(conversation_id)
        try:
            conversation = await self._lanes.run(conversation_id, file.read)
        except (KeyError, OSError) as error:
            self._files.pop(conversation_id, None)
            if isinstance(error, OSError):
                said = _("A conversation's file cannot be read: {path}: {reason}.")
                self.notices.append(said.format(path=error.filename, reason=error.strerror))
            raise KeyError(conversation_id) from error
        return replace(conversation, draft=await self.draft(conversation_id))

    def _file(self, conversation_id: str) -> ConversationFile:
        if not is_conversation_id(conversation_id):
            raise KeyError(conversation_id)
        if conversation_id not in self._files:
            self._files[conversation_id] = ConversationFile(
                self._places, conversation_id, self._clock, self.notices.append
            )
        return self._files[conversation_id]

    async def append(self, conversation_id: str, *records: Record, sync: bool = False) -> None:
        """Write records behind the others; with `sync`, wait until they are on the disk.

        The first append makes this process the writer of the conversation, until `release`, or, where it is not
        loaded, for this append only. Where the disk fails, the records stay in memory, `banner` says so, and they
        are written as soon as that is possible.

        Raises:
            NotWriter: another process writes to it, or a newer version did; nothing was taken.
            KeyError: there is no such conversation.
        """
        is_open = conversation_id in self._files
        file = self._file(conversation_id)
        try:
            error = await self._lanes.run(conversation_id, partial(self._append, file, records, sync))
            self._record(conversation_id, error)
        finally:
            if not is_open:
                await self.release(conversation_id)

    def append_now(self, conversation_id: str, *records: Record) -> None:
        """Write records and wait for it, blocking, after all that was given before: the program is told to end."""
        file = self._file(conversation_id)
        with suppress(NotWriter):
            self._lanes.run_now(conversation_id, partial(self._append, file, records, True))

    def _append(self, file: ConversationFile, records: Sequence[Record], sync: bool) -> OSError | None:
        error = file.append(records, sync=sync)
        is_growth = all(isinstance(record, (PartialRecord, IdsRecord)) for record in records)
        self._listing.note(file, keep=not is_growth)
        return error

    async def delete(self, conversation_id: str) -> None:
        """Put it into the trash, where it stays for 30 days; it leaves the search. Raises NotWriter, KeyError."""
        await self.append(conversation_id, TombstoneRecord(), sync=True)
        await self.release(conversation_id)
        self._lanes.start("search", partial(self.searcher.remove, conversation_id))

    async def restore(self, conversation_id: str) -> None:
        """Take it out of the trash. Raises NotWriter, KeyError."""
        await self.append(conversation_id, TombstoneRecord(restored=True), sync=True)

    async def take_over(self, conversation_id: str) -> bool:
        """Become the writer although another process is: that one becomes a reader. False where that cannot be."""
        file = self._file(conversation_id)

        def take_over() -> bool:
            try:
                file.become_writer(take_over=True)
            except (OSError, KeyError, NotWriter):
                return False
            return file.flush() is None

        return await self._lanes.run(conversation_id, take_over)

    async def is_answered_elsewhere(self, conversation_id: str) -> bool:
        """Another window is receiving an answer in a conversation that was loaded here."""
        file = self._files.get(conversation_id)
        return file is not None and await self._lanes.run(conversation_id, file.is_answered_elsewhere)

    async def claim(self, conversation_id: str) -> bool:
        """Become the writer of a conversation that is loaded; True when others changed it since it was.

        Raises NotWriter: another process writes to it, or a newer version did.
        """
        file = self._file(conversation_id)
        self._left.discard(conversation_id)
        return await self._lanes.run(conversation_id, file.claim)

    async def release(self, conversation_id: str) -> None:
        """Write what is left and let other processes write, unless it is loaded again meanwhile."""
        file = self._files.get(conversation_id)
        if file is None:
            return
        self._left.add(conversation_id)
        self._record(conversation_id, await self._lanes.run(conversation_id, partial(self._settle, file)))
        if conversation_id not in self._left:
            return
        self._left.discard(conversation_id)
        if not file.unwritten:
            # Forgotten before it is released: who asks for it from now on reads it anew, after the release.
            self._files.pop(conversation_id, None)
            await self._lanes.run(conversation_id, file.release)

    def _settle(self, file: ConversationFile) -> OSError | None:
        if not file.is_writer and not file.unwritten:
            return None
        error = None
        with suppress(NotWriter):
            error = file.flush(sync=True)
        file.mend()
        self._listing.note(file, keep=True)
        return error

    async def compact(self, conversation_id: str) -> bool:
        """Take out of the file what later records override; False where that could not be done."""
        file = self._file(conversation_id)

        def compact() -> bool:
            try:
                file.become_writer()
                return file.flush() is None and file.compact()
            except (OSError, KeyError, NotWriter):
                return False

        return await self._lanes.run(conversation_id, compact)

    async def has_changed(self, conversation_id: str) -> bool:
        """True when others wrote to it since it was loaded, or `read_only` is no longer what it was. Cheap."""
        file = self._files.get(conversation_id)
        return file is not None and await self._lanes.run(conversation_id, file.has_changed)

    # --- drafts and sent questions -------------------------------------------------------------------------

    async def draft(self, key: str) -> str:
        """What was being typed: of a conversation, or of a new one (`new-rds`, `new-dms`, `new-dashscope`)."""
        return await self._lanes.run("drafts", partial(self._drafts.read, key))

    async def set_draft(self, key: str, text: str) -> None:
        """Keep what is being typed; an empty text forgets it. Raises KeyError where `key` is none."""
        self._record("drafts", await self._lanes.run("drafts", partial(self._drafts.write, key, text)))

    def set_draft_now(self, key: str, text: str) -> None:
        """Keep what is being typed and wait for it, blocking: the program is told to end."""
        self._lanes.run_now("drafts", partial(self._drafts.write, key, text))

    def _spare(self, service: ServiceName, text: str) -> None:
        """What another window was typing is overwritten: it goes where Up finds it."""
        self._lanes.start("history", partial(self._history.add, service, text))

    def draft_of_new(self, service: ServiceName) -> str:
        """What was being typed of a new conversation, as far as `open` read it or this process kept it."""
        return self._drafts.of_new(service)

    async def input_history(self, service: ServiceName) -> list[str]:
        """The questions asked of a service, oldest first."""
        found = await self._lanes.run("history", self._history.read)
        return [text for name, text in found if name == service]

    async def add_input(self, service: ServiceName, text: str) -> None:
        """Keep a question for the composer's history, unless it begins with a space."""
        self._record("history", await self._lanes.run("history", partial(self._history.add, service, text)))

    # --- failing disks -------------------------------------------------------------------------------------

    def _record(self, what: str, error: OSError | None) -> None:
        before = self.banner
        if error is None:
            self._failures.pop(what, None)
        else:
            self._failures[what] = failure(self._root or Path(), error)
        if self.banner != before:
            self.banner_changed()
        if error is not None and (self._retrying is None or self._retrying.done()):
            self._retrying = asyncio.create_task(self._retry_until_written(), name="cache-retry")

    async def _retry_until_written(self) -> None:
        while self._failures:
            await asyncio.sleep(self._retry_seconds)
            await self.retry()

    async def retry(self) -> None:
        """Try again to write what could not be written."""
        for what in list(self._failures):
            if what == _START and self._places is not None:
                self._record(what, await self._lanes.run(what, partial(probe, self._places)))
            elif what == "drafts":
                self._record(what, await self._lanes.run(what, self._drafts.flush))
            elif what == "history":
                self._record(what, await self._lanes.run(what, self._history.flush))
            elif file := self._files.get(what):
                with suppress(NotWriter):
                    self._record(what, await self._lanes.run(what, partial(file.flush, sync=True)))
            else:
                del self._failures[what]

    async def close(self) -> None:
        """Write everything and let go of all locks and threads."""
        for conversation_id in list(self._files):
            await self.release(conversation_id)
        await self._lanes.run("drafts", self._drafts.flush)
        await self._lanes.run("history", self._history.flush)
        await self._lanes.run("list", self._listing.close)
        if "searcher" in self.__dict__:
            self.searcher.close()
        self._lanes.close()
        if self._retrying is not None:
            self._retrying.cancel()
            with suppress(asyncio.CancelledError):
                await self._retrying
