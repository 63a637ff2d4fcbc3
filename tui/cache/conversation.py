"""One conversation's file: what has been read of it, the right to write to it, and what could not be written yet.

Everything here blocks, and one object is used by one thread at a time: the store sees to both.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from tui.cache import codec, files, journal
from tui.cache.compaction import Waste, compacted, epitaph
from tui.cache.fold import Fold, interrupt
from tui.cache.ids import told_by
from tui.cache.locks import Held, WriterLock, owner
from tui.cache.places import Places
from tui.cache.records import Head, Record, StateRecord
from tui.models import Conversation
from tui.words import _

_IN_FLIGHT = frozenset({"sending", "running", "stopping"})


class NotWriter(Exception):
    """The conversation cannot be written from here; the message says why, in a sentence."""


class ConversationFile:
    """See the module.

    Args:
        places: where files are, or None to keep everything in memory.
        head: of a new conversation; None where it is read from its file.
        say: told in a sentence what was found broken and what was done about it.
    """

    def __init__(
        self,
        places: Places | None,
        conversation_id: str,
        clock: Callable[[], datetime],
        say: Callable[[str], None],
        head: Head | None = None,
    ) -> None:
        self.id = conversation_id
        self.schema = 0
        self.stamp: files.Stamp | None = None
        """The file as it was read or written last; None before."""
        self.fold: Fold | None = Fold(head) if head else None
        self._head = head
        self._clock = clock
        self._say = say
        self._path = places.journal(conversation_id) if places else None
        self._lock = WriterLock(places.lock(conversation_id)) if places else None
        self._lock_path = places.lock(conversation_id) if places else None
        self._end = 0
        self._torn = self._damaged = self._foreign = False
        self._waste = Waste()
        self._pending: list[tuple[bytes, Record]] = []
        self._read = 0
        """Records that came out of the file: what we append is not among them."""
        self._seen: tuple[Fold | None, int, str] = (self.fold, 0, "")

    # --- reading -------------------------------------------------------------------------------------------

    @property
    def is_writer(self) -> bool:
        return self._lock is not None and self._lock.held

    @property
    def unwritten(self) -> int:
        """Records that are in memory only."""
        return len(self._pending)

    def _version(self) -> tuple[Fold | None, int, str]:
        """Changes when others change the conversation, or when it becomes writable or no longer is."""
        other = "" if self._lock_path is None or self.is_writer else owner(self._lock_path)
        return self.fold, self._read, other

    def look(self) -> Conversation:
        """The conversation as it stands, and remember that it was seen so. Raises KeyError where nothing is left."""
        if self.fold is None:
            raise KeyError(self.id)
        self._seen = self._version()
        return self.conversation()

    def read(self) -> Conversation:
        """Read what is new, repair what is broken, `look`. Raises KeyError where there is none, OSError.

        What could not be written yet is in memory, and can be looked at on a disk that cannot be read either.
        """
        try:
            self.refresh()
        except OSError:
            if not self._pending:
                raise
        self.mend()
        return self.look()

    def has_changed(self) -> bool:
        """True when others changed it since the last `look`; a disk that cannot be read now has not changed it."""
        with suppress(OSError, KeyError):
            self.refresh()
        return self._version() != self._seen

    def claim(self) -> bool:
        """Become the writer; True when others changed it since the last `look`. Raises NotWriter."""
        with suppress(OSError, KeyError):  # what cannot be written stays in memory, as with `append`
            self.become_writer()
        return self._version() != self._seen

    def refresh(self) -> None:
        """Read what the file holds beyond what was read before. Raises KeyError where there is no file."""
        while self._path is not None:
            try:
                found = self._path.stat(follow_symlinks=False)
                same = self.stamp is not None and found.st_ino == self.stamp.inode and found.st_size >= self._end
                if same and self.stamp is not None and found.st_size == self.stamp.size:
                    return
                start = self._end if same and not self._pending else 0
                data, stamp = files.read_from(self._path, start, inode=found.st_ino)
            except FileNotFoundError:
                break
            except files.Changed:  # compacted at this very moment
                continue
            self._take_in(data, start, stamp)
            return
        if self.fold is None:
            raise KeyError(self.id)

    def _take_in(self, data: bytes, start: int, stamp: files.Stamp) -> None:
        found = journal.scan(data)
        fragments = [data[begin:end] for begin, end in found.fragments]
        if start == 0:
            self._damaged, self._foreign = not fragments, False
            self._waste = Waste()
            self._begin(data, fragments)
        assert self.fold is not None
        for fragment in fragments:
            try:
                record = codec.record_from_table(journal.read_record(fragment))
            except (ValueError, codec.UnknownRecord):
                self._foreign = True
                continue
            self.fold.take(record)
            self._waste.add(record, len(fragment))
        self._read += len(fragments)
        self._end, self._torn, self.stamp = start + found.end, found.torn, stamp
        self._damaged = self._damaged or bool(found.damage)
        if start == 0:
            for _data, record in self._pending:
                self.fold.take(record)

    def _begin(self, data: bytes, fragments: list[bytes]) -> None:
        """Read the head and take it off `fragments`; where it is damaged, the id says what is needed."""
        self.schema = journal.schema_of(data)
        with suppress(IndexError, ValueError, codec.UnknownRecord):
            head = codec.head_from_table(journal.read_head(fragments[0]))
            if head.id == self.id:
                self.fold = Fold(head)
                del fragments[0]
                return
        self.fold = Fold(Head(self.id, *told_by(self.id)))

    def conversation(self) -> Conversation:
        """The conversation as it stands; what a dead process left running is `interrupted`."""
        assert self.fold is not None
        conversation = self.fold.conversation()
        if self.schema > journal.SCHEMA:
            return replace(conversation, read_only=_newer())
        if self._lock_path is None or self.is_writer or self._pending:
            return conversation
        if other := owner(self._lock_path):
            return replace(conversation, read_only=_in_use(other))
        return interrupt(conversation)

    def is_answered_elsewhere(self) -> bool:
        """Another process that lives is in the middle of an answer."""
        if self.fold is None or self._lock_path is None or self.is_writer or not owner(self._lock_path):
            return False
        with suppress(OSError, KeyError):
            self.refresh()
        return any(turn.state in _IN_FLIGHT for turn in self.fold.conversation().turns)

    # --- writing -------------------------------------------------------------------------------------------

    def become_writer(self, *, take_over: bool = False) -> None:
        """Take the writer lock, read what others wrote, cut off or set aside what is broken.

        Raises:
            NotWriter: another process is the writer, or the file is of a newer format.
            KeyError: there is no such conversation.
            OSError: there is no lock to be had on this disk, or the file cannot be read.
        """
        if self._path is None or self._lock is None or self._lock.held:
            return
        try:
            self._lock.acquire(take_over=take_over)
            self.refresh()
            if self.schema > journal.SCHEMA:
                raise NotWriter(_newer())
            self._repair()
        except Held as error:
            raise NotWriter(_in_use(str(error))) from None
        except BaseException:
            self._lock.release()
            raise
        assert self.fold is not None
        if not self._pending and (left := self.fold.active()):
            self._take([StateRecord(turn_id, "interrupted") for turn_id in left])

    def _take(self, records: Sequence[Record]) -> None:
        assert self.fold is not None
        now = self._clock()
        for record in records:
            stamped = record if record.at else replace(record, at=now)
            data = journal.record_fragment(codec.record_to_table(stamped)) if self._path else b""
            self.fold.take(stamped)
            self._waste.add(stamped, len(data))
            self._pending.append((data, stamped))

    def append(self, records: Sequence[Record], *, sync: bool = False) -> OSError | None:
        """Take the records, and write them and what waits before them; the error where that is not possible now.

        Raises NotWriter: nothing was taken; or, with `sync`, another process took over while they were written.
        """
        try:
            self.become_writer()
        except OSError as error:
            if self.fold is None:
                raise KeyError(self.id) from error
            self._take(records)
            return error
        self._take(records)
        failed = self._flush(sync=sync)
        if sync and self._path is not None and not self.is_writer:
            # Taken over between the first line and the last: what was to be done after this record is not.
            raise NotWriter(_in_use(owner(self._lock_path) if self._lock_path else ""))
        return failed

    def flush(self, *, sync: bool = False) -> OSError | None:
        """Write what is not written yet; the error where that is not possible now. Raises NotWriter."""
        try:
            if self._pending:
                self.become_writer()
        except OSError as error:
            return error
        return self._flush(sync=sync)

    def _flush(self, *, sync: bool) -> OSError | None:
        """Write what is not written yet. Who took over in this instant reads it: a write waits for the file's lock."""
        if self._path is None:
            return None
        try:
            if self._pending:
                self._write(b"".join(data for data, _record in self._pending))
                self._pending.clear()
            if sync and self.stamp:
                files.sync(self._path)
        except OSError as error:
            return error
        return None

    def _write(self, data: bytes) -> None:
        assert self._path is not None
        assert self.fold is not None
        if self.stamp is not None:
            try:
                self.stamp = files.append(self._path, data, expected=self.stamp)
            except files.Changed:  # somebody wrote to it in spite of the lock: read that first
                self.refresh()
                self._repair()
                self.stamp = files.append(self._path, data)
            except FileNotFoundError:  # somebody removed it: what is new is kept all the same
                self.stamp = None
        if self.stamp is None:
            self.schema = journal.SCHEMA
            self.stamp = files.create(self._path, journal.head_fragment(codec.head_to_table(self.fold.head)) + data)
            files.sync_folder(self._path.parent)
        self._end = self.stamp.size

    # --- broken files --------------------------------------------------------------------------------------

    def mend(self) -> None:
        """Repair the file where it is broken and nobody writes to it; compact it where that pays."""
        if not (self._torn or self._damaged or self._waste.pays) or self.schema > journal.SCHEMA or self._pending:
            return
        held = self.is_writer
        with suppress(NotWriter, OSError):
            self.become_writer()
            self.flush()
            if self._waste.pays:
                self.compact()
            if not held:
                self.release()
        if self._path is not None and self.stamp is None:  # there was nothing in it that could be read
            self.fold = None

    def _repair(self) -> None:
        """Cut off a torn tail; put a file of the whole records in the place of a damaged one, which is kept."""
        assert self._path is not None
        assert self.fold is not None
        if self._damaged:
            with files.locked(self._path):
                data, _stamp = files.read_from(self._path)
                whole = [data[begin:end] for begin, end in journal.scan(data).fragments]
                if whole and journal.schema_of(whole[0]) == 0:
                    whole.insert(0, journal.head_fragment(codec.head_to_table(self.fold.head)))
                aside = files.set_aside(self._path, self._clock())
                if whole:
                    self.stamp = files.replace(self._path, b"".join(whole))
                    self._end = self.stamp.size
                else:
                    self._path.unlink(missing_ok=True)
                    self.stamp, self._end = None, 0
            self._torn = self._damaged = False
            said = _("A conversation's file was damaged. What could be read is here; the file as it was is {name}.")
            self._say(said.format(name=aside.name))
        elif self._torn:
            with files.locked(self._path) as fd:
                found = files.Stamp.of(os.fstat(fd))
                is_as_read = self.stamp is not None and found[:2] == self.stamp[:2]
                if is_as_read:
                    os.ftruncate(fd, self._end)
                    self.stamp = files.Stamp.of(os.fstat(fd))
            if not is_as_read:  # what was torn has been seen to, and more may stand behind it
                self.refresh()
                self._repair()
                return
            self._torn = False
            self._say(
                _("The last words of “{title}” were cut off when the program ended; all before them is here.").format(
                    title=self.fold.conversation().title or self.id
                )
            )

    def compact(self) -> bool:
        """Put a file without what later records override in the place of this one; False where that cannot be."""
        if self._path is None or not self.is_writer or self._pending or self._foreign or self._damaged:
            return False
        assert self.stamp is not None
        with files.locked(self._path):
            data, stamp = files.read_from(self._path)
            if stamp[:2] != self.stamp[:2]:
                return False
            self.stamp = files.replace(self._path, compacted(data))
        self._end = self.stamp.size
        self._waste = Waste()
        return True

    def purge(self) -> bool:
        """Take the file off the disk; False where somebody else writes to it.

        Of one that a service has its id stays: without it the service's copy would be in the list again. Of a
        DashScope thread the title stays as well: the service has no list of threads, and nobody could tell them apart.
        """
        if self._path is None:
            return False
        try:
            self.become_writer()
            assert self.fold is not None
            told = self.fold.conversation()
            if told.remote_id:
                with files.locked(self._path):
                    files.replace(self._path, epitaph(self.fold.head, told, self.fold.deleted_at))
            else:
                self._path.unlink()
        except (NotWriter, OSError):
            return False
        finally:
            self.release()
        return True

    def release(self) -> None:
        """Let others write."""
        if self._lock is not None:
            self._lock.release()


def _in_use(other: str) -> str:
    pid, _space, host = other.partition(" ")
    return _("Another window is writing to it (process {pid} on {host}).").format(pid=pid, host=host or "?")


def _newer() -> str:
    return _("A newer version of this program wrote it; this one can only read it.")
