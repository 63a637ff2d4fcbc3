"""The instants between two calls, in which another process does something."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tui.cache import codec, files, journal, locks
from tui.cache.conversation import ConversationFile, NotWriter
from tui.cache.locks import Held, WriterLock, owner
from tui.cache.places import prepare
from tui.cache.records import Head, QuestionRecord, StateRecord


def before_first(original: Callable[..., bool], happens: Callable[[], object]) -> Callable[..., bool]:
    """`original`, with something that happens just before its first call."""
    todo = [happens]

    def call(*arguments: object, **options: object) -> bool:
        while todo:
            todo.pop()()
        return original(*arguments, **options)

    return call


def test_a_file_replaced_while_we_wait_for_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, newer = tmp_path / "file", tmp_path / "newer"
    files.create(path, b"old")
    files.create(newer, b"new")
    monkeypatch.setattr(files, "lock", before_first(files.lock, lambda: newer.replace(path)))
    files.append(path, b" more")
    assert path.read_bytes() == b"new more"


def test_a_file_that_is_not_the_expected_one_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "file"
    stamp = files.create(path, b"one")
    files.append(path, b"two", expected=stamp)
    with pytest.raises(files.Changed):
        files.append(path, b"three", expected=stamp)
    assert path.read_bytes() == b"onetwo"


def test_what_others_wrote_since_is_not_compacted_unread(tmp_path: Path) -> None:
    """Somebody took over just before: the compaction must not make their record look as if it had been read."""
    now = datetime(2026, 11, 22, tzinfo=UTC)
    places, _repaired = prepare(tmp_path / "state")
    head = Head("20261122-010203-rds-7f3k9qzp", "rds", now)
    file = ConversationFile(places, head.id, lambda: now, print, head)
    file.append([QuestionRecord("t1", now, "ours")])
    theirs = journal.record_fragment(codec.record_to_table(QuestionRecord("t2", now, "theirs")))
    files.append(places.journal(head.id), theirs)
    assert not file.compact()
    file.refresh()
    assert [turn.question for turn in file.conversation().turns] == ["ours", "theirs"]


def test_what_is_written_while_somebody_takes_over_is_not_acted_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who took over may have read the file before: a question that is said to be sent must not be."""
    now = datetime(2026, 11, 22, tzinfo=UTC)
    places, _repaired = prepare(tmp_path / "state")
    head = Head("20261122-010203-rds-7f3k9qzp", "rds", now)
    ours = ConversationFile(places, head.id, lambda: now, print, head)
    ours.append([QuestionRecord("t1", now, "why?")])
    theirs = ConversationFile(places, head.id, lambda: now, print)
    taken = before_first(files.lock, lambda: theirs.become_writer(take_over=True))
    monkeypatch.setattr(files, "lock", taken)
    with pytest.raises(NotWriter):
        ours.append([StateRecord("t1", "sending")], sync=True)
    theirs.refresh()
    assert theirs.conversation().state == "sending"


def test_what_others_wrote_behind_a_torn_record_is_not_cut_off_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else repaired the file just before, and wrote to it."""
    now = datetime(2026, 11, 22, tzinfo=UTC)
    places, _repaired = prepare(tmp_path / "state")
    head = Head("20261122-010203-rds-7f3k9qzp", "rds", now)
    path = places.journal(head.id)
    first = ConversationFile(places, head.id, lambda: now, print, head)
    first.append([QuestionRecord("t1", now, "ours")])
    first.release()
    whole = path.read_bytes()
    theirs = journal.record_fragment(codec.record_to_table(QuestionRecord("t2", now, "theirs")))
    path.write_bytes(whole + theirs[: len(theirs) // 2])
    said: list[str] = []
    file = ConversationFile(places, head.id, lambda: now, said.append)
    monkeypatch.setattr(files, "lock", before_first(files.lock, lambda: path.write_bytes(whole + theirs)))
    assert [turn.question for turn in file.read().turns] == ["ours", "theirs"]
    assert path.read_bytes() == whole + theirs
    assert said == []


def test_who_becomes_the_writer_is_told_whether_others_wrote(tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    places, _repaired = prepare(tmp_path / "state")
    head = Head("20261122-010203-rds-7f3k9qzp", "rds", now)
    ours = ConversationFile(places, head.id, lambda: now, print, head)
    assert not ours.claim()
    ours.append([QuestionRecord("t1", now, "ours")])
    assert not ours.claim()
    assert not ours.has_changed(), "what we write is no news"
    theirs = ConversationFile(places, head.id, lambda: now, print)
    theirs.read()
    with pytest.raises(NotWriter):
        theirs.claim()
    theirs.become_writer(take_over=True)
    theirs.append([QuestionRecord("t2", now, "theirs")])
    with pytest.raises(NotWriter):
        ours.claim()
    theirs.release()
    assert ours.claim()
    assert [turn.question for turn in ours.read().turns] == ["ours", "theirs"]
    assert not ours.claim()


def test_a_lock_whose_file_was_removed_while_we_wait_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.lock"
    monkeypatch.setattr(locks, "lock", before_first(files.lock, path.unlink))
    ours, theirs = WriterLock(path), WriterLock(path)
    ours.acquire()
    assert ours.held
    with pytest.raises(Held):
        theirs.acquire()


def test_who_only_looks_does_not_keep_others_from_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.lock"
    looking = [files.open_private(path, os.O_RDWR | os.O_CREAT)]
    assert files.lock(looking[0], shared=True)
    monkeypatch.setattr("time.sleep", lambda _seconds: os.close(looking.pop()) if looking else None)
    ours = WriterLock(path)
    ours.acquire()
    assert ours.held


def test_a_lock_is_one_writers(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    assert owner(path) == ""
    first, second = WriterLock(path), WriterLock(path)
    first.acquire()
    first.acquire()
    assert owner(path) == f"{os.getpid()} {os.uname().nodename}"
    with pytest.raises(Held, match=f"{os.getpid()}"):
        second.acquire()
    first.release()
    assert not path.exists()
    second.acquire()
    assert (first.held, second.held) == (False, True)
    first.release()
    assert second.held


def test_a_lock_that_was_taken_over_is_no_longer_ours(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    first, second = WriterLock(path), WriterLock(path)
    first.acquire()
    second.acquire(take_over=True)
    assert (first.held, second.held) == (False, True)
    first.release()
    assert path.exists()
    with pytest.raises(Held):
        first.acquire()


def test_a_lock_file_of_a_dead_process_is_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    fd = files.open_private(path, os.O_RDWR | os.O_CREAT)
    os.write(fd, b"4711 elsewhere\n")
    os.close(fd)
    assert owner(path) == ""
    lock = WriterLock(path)
    lock.acquire()
    assert lock.held
