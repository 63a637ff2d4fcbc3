"""Disks as they are found: full, read-only, somebody else's, open to everybody."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cache.conftest import Opener
from tests.cache.test_store import answer, answered, asked, question
from tui.cache import files
from tui.cache.conversation import ConversationFile
from tui.cache.records import PartialRecord
from tui.cache.store import Store
from tui.services.events import TextDelta

AS_ROOT = os.geteuid() == 0


def modes(root: Path) -> set[tuple[bool, int]]:
    """(is a folder, mode) of everything below and including `root`."""
    found = [path.lstat().st_mode for path in (root, *root.rglob("*"))]
    return {(stat.S_ISDIR(mode), stat.S_IMODE(mode)) for mode in found}


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


async def everything(store: Store) -> str:
    """Write a file of every kind."""
    conversation_id = await answered(store)
    await store.set_draft(conversation_id, "draft")
    await store.add_input("rds", "why?")
    await store.compact(conversation_id)
    await store.summaries()
    return conversation_id


@pytest.mark.usefixtures("open_umask")
async def test_everything_is_private_whatever_the_umask(open_store: Opener, root: Path) -> None:
    store = open_store(root / "more" / "folders")
    await store.open()
    await everything(store)
    assert modes(root) == {(True, 0o700), (False, 0o600)}


async def test_no_file_is_open_to_others_even_for_an_instant(
    open_store: Opener, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: set[tuple[int, bool]] = set()
    original = os.open

    def spy(path: str | Path, flags: int, mode: int = 0o777, **options: int) -> int:
        if flags & os.O_CREAT and Path(path).is_relative_to(root):
            made.add((mode, bool(flags & os.O_NOFOLLOW)))
        return original(path, flags, mode, **options)

    monkeypatch.setattr(os, "open", spy)
    store = open_store()
    await store.open()
    await everything(store)
    assert made == {(0o600, True)}


async def test_folders_that_others_can_enter_are_closed_and_said(open_store: Opener, root: Path) -> None:
    root.mkdir()
    (root / "conversations").mkdir()
    root.chmod(0o777)
    (root / "conversations").chmod(0o755)
    store = open_store()
    await store.open()
    assert store.banner == ""
    assert [notice for notice in store.notices if str(root) in notice] == store.notices
    assert len(store.notices) == 2
    await everything(store)
    assert modes(root) == {(True, 0o700), (False, 0o600)}


async def test_a_file_that_others_can_read_is_closed(store: Store, root: Path) -> None:
    conversation_id = await answered(store)
    path = root / "conversations" / f"{conversation_id}.toml"
    path.chmod(0o644)
    await store.append(conversation_id, question("t2"))
    assert modes(path.parent) == {(True, 0o700), (False, 0o600)}


async def in_memory_only(store: Store, said: str) -> None:
    """The store works, says why nothing is kept, and leaves nothing behind."""
    await store.open()
    assert said in store.banner
    conversation_id = await everything(store)
    (turn,) = (await store.load(conversation_id)).turns
    assert turn.answer == "because"
    assert [summary.id for summary in await store.summaries()] == [conversation_id]
    assert (await store.load(conversation_id)).draft == "draft"
    assert await store.input_history("rds") == ["why?"]
    await store.delete(conversation_id)
    assert await store.summaries() == []
    assert said in store.banner


async def test_without_a_folder_everything_is_in_memory(open_store: Opener) -> None:
    await in_memory_only(open_store(None), "Nothing is kept on disk")


async def test_long_answers_stay_in_memory_too(open_store: Opener) -> None:
    store = open_store(None)
    conversation_id = await asked(store)
    for _ in range(20):
        await store.append(conversation_id, PartialRecord("t1", (TextDelta("x" * 4000),)))
    await store.append(conversation_id, answer("t1", "x" * 80_000))
    await store.release(conversation_id)
    assert (await store.load(conversation_id)).turns[0].answer == "x" * 80_000


async def test_a_folder_that_is_a_file(open_store: Opener, root: Path) -> None:
    root.write_text("mine")
    await in_memory_only(open_store(), "cannot be written")
    assert root.read_text() == "mine"


@pytest.mark.skipif(not AS_ROOT, reason="only root can give a folder to somebody else")
@pytest.mark.parametrize("folder", [".", "conversations"])
async def test_a_folder_of_another_user(open_store: Opener, root: Path, folder: str) -> None:
    (root / folder).mkdir(parents=True)
    os.chown(root / folder, 12345, 12345)
    await in_memory_only(open_store(), "belongs to another user")
    assert [path.name for path in (root / "conversations").glob("*")] == []


async def test_a_folder_that_is_a_link_out_of_the_tree(open_store: Opener, root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    root.mkdir()
    (root / "conversations").symlink_to(elsewhere)
    await in_memory_only(open_store(), "link")
    assert list(elsewhere.iterdir()) == []


async def test_a_file_that_is_a_link_is_not_followed(store: Store, root: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    (root / "questions.toml").symlink_to(target)
    await store.add_input("rds", "why?")
    assert target.read_text() == "mine"
    assert store.banner
    assert await store.input_history("rds") == ["why?"]


async def test_a_folder_on_another_disk_may_be_linked_as_a_whole(
    open_store: Opener, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "big").mkdir(mode=0o700)
    root.symlink_to(tmp_path / "big")
    store = open_store()
    await store.open()
    assert store.banner == ""
    await everything(store)


async def test_the_fallback_is_used_and_said(open_store: Opener, root: Path, tmp_path: Path) -> None:
    root.write_text("no folder")
    store = open_store(root, fallback=tmp_path / "runtime")
    await store.open()
    assert str(tmp_path / "runtime") in store.banner
    await everything(store)
    assert modes(tmp_path / "runtime") == {(True, 0o700), (False, 0o600)}


@pytest.fixture
def read_only(root: Path, mount: Callable[[str], Path]) -> Iterator[Path]:
    """A folder below which nothing can be written."""
    if not AS_ROOT:
        root.mkdir(mode=0o500)
        yield root
        root.chmod(0o700)
        return
    disk = mount("1m")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    yield disk / "state"


async def test_a_read_only_home(open_store: Opener, read_only: Path) -> None:
    await in_memory_only(open_store(read_only), str(read_only.parent))


async def test_a_disk_that_became_read_only_is_still_read(open_store: Opener, mount: Callable[[str], Path]) -> None:
    disk = mount("1m")
    store = open_store(disk / "state")
    await store.open()
    conversation_id = await answered(store)
    await store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    later = open_store(disk / "state", fallback=disk.parent / "runtime")
    await later.open()
    assert "read-only" in later.banner
    assert [summary.id for summary in await later.summaries()] == [conversation_id]
    assert (await later.load(conversation_id)).turns[0].answer == "because"
    await later.append(conversation_id, question("t2"))
    new = await answered(later)
    await later.set_draft(new, "draft")
    assert len((await later.load(conversation_id)).turns) == 2
    assert {summary.id for summary in await later.summaries()} == {conversation_id, new}
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    await later.retry()
    assert later.banner == ""
    last = open_store(disk / "state")
    await last.open()
    assert len((await last.load(conversation_id)).turns) == 2
    assert (await last.load(new)).draft == "draft"


def fill(path: Path) -> None:
    """Write to a file until the disk has no room for one more byte."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    with suppress(OSError):
        while True:
            os.write(fd, b"x" * 4096)
    os.close(fd)


async def test_a_full_disk_keeps_what_is_new_and_writes_it_when_there_is_room(
    open_store: Opener, mount: Callable[[str], Path]
) -> None:
    disk = mount("96k")
    store = open_store(disk / "state", retry_seconds=0.01)
    await store.open()
    conversation_id = await asked(store)
    filler = disk / "filler"
    fill(filler)
    pieces = [f"{n:04d} " * 400 for n in range(10)]
    for piece in pieces:
        await store.append(conversation_id, PartialRecord("t1", (TextDelta(piece),)))
    assert "full" in store.banner
    assert (await store.load(conversation_id)).turns[0].answer == "".join(pieces)
    new = await asked(store, title="asked on a full disk")
    assert {summary.id for summary in await store.summaries()} == {conversation_id, new}
    await store.set_draft(conversation_id, "x" * 5000)
    filler.unlink()
    for _ in range(500):
        if not store.banner:
            break
        await asyncio.sleep(0.01)
    assert store.banner == ""
    other = open_store(disk / "state")
    await other.open()
    assert {summary.id for summary in await other.summaries()} == {conversation_id, new}
    seen = await other.load(conversation_id)
    assert (seen.turns[0].answer, seen.draft) == ("".join(pieces), "x" * 5000)
    assert (await other.load(new)).title == "asked on a full disk"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG])
async def test_a_write_that_stops_half_way_leaves_no_trace(
    store: Store, open_store: Opener, root: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    conversation_id = await asked(store)
    path = root / "conversations" / f"{conversation_id}.toml"
    before = path.read_bytes()
    write = os.write
    calls = 0

    def half(fd: int, data: bytes) -> int:
        nonlocal calls
        calls += 1
        if calls % 2:
            return write(fd, data[: len(data) // 2])
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "write", half)
    await store.append(conversation_id, PartialRecord("t1", (TextDelta("first "),)))
    await store.append(conversation_id, PartialRecord("t1", (TextDelta("second"),)), sync=True)
    assert path.read_bytes() == before
    assert store.banner
    monkeypatch.undo()
    await store.append(conversation_id, PartialRecord("t1", (TextDelta(" third"),)))
    assert store.banner == ""
    other = open_store()
    await other.open()
    assert (await other.load(conversation_id)).turns[0].answer == "first second third"


async def test_what_could_not_be_written_is_tried_once_more_at_the_end(
    store: Store, open_store: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_id = await asked(store)

    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    await store.append(conversation_id, answer())
    await store.set_draft(conversation_id, "draft")
    await store.add_input("rds", "why?")
    monkeypatch.undo()
    await store.close()
    other = open_store()
    await other.open()
    seen = await other.load(conversation_id)
    assert (seen.turns[0].answer, seen.draft) == ("because", "draft")
    assert await other.input_history("rds") == ["why?"]


async def test_a_sync_that_fails_is_said_and_writes_nothing_twice(
    store: Store, open_store: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_id = await asked(store)

    def broken(fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", broken)
    await store.append(conversation_id, PartialRecord("t1", (TextDelta("once"),)), sync=True)
    assert store.banner
    monkeypatch.undo()
    await store.retry()
    assert store.banner == ""
    other = open_store()
    await other.open()
    assert (await other.load(conversation_id)).turns[0].answer == "once"


async def test_a_file_system_without_locks(store: Store, open_store: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", none)
    conversation_id = await everything(store)
    other = open_store()
    await other.open()
    assert (await other.load(conversation_id)).turns[0].answer == "because"


async def test_a_file_system_without_hard_links(
    store: Store, open_store: Opener, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "hardlink_to", none)
    conversation_id = await answered(store)
    await store.close()
    path = root / "conversations" / f"{conversation_id}.toml"
    broken = path.read_bytes().replace(b"because", b"becauze")
    path.write_bytes(broken)
    other = open_store()
    await other.open()
    assert (await other.load(conversation_id)).turns[0].question == "why?"
    (aside,) = path.parent.glob("*.corrupt-*")
    assert aside.read_bytes() == broken


async def test_a_conversation_that_cannot_be_read_is_said(store: Store, open_store: Opener, root: Path) -> None:
    conversation_id = await answered(store)
    await store.close()
    path = root / "conversations" / f"{conversation_id}.toml"
    path.rename(root / "elsewhere.toml")
    path.symlink_to(root / "elsewhere.toml")
    other = open_store()
    await other.open()
    assert [summary.id for summary in await other.summaries()] == [conversation_id], "it may be there again later"
    with pytest.raises(KeyError):
        await other.load(conversation_id)
    assert str(path) in other.notices[0]
    with pytest.raises(KeyError):
        await other.append(conversation_id, question("t2"))


def test_a_file_of_another_user_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("theirs")
    if AS_ROOT:
        os.chown(path, 12345, 12345)
        with pytest.raises(files.NotOurs):
            files.open_private(path, os.O_RDONLY)
    with pytest.raises(files.NotOurs):
        files.open_private(tmp_path, os.O_RDONLY)


async def test_what_could_not_be_written_outlives_a_disk_that_cannot_be_read(
    store: Store, open_store: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_id = await asked(store)

    def broken(*_arguments: object, **_options: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "write", broken)
    await store.append(conversation_id, answer())
    monkeypatch.setattr(ConversationFile, "refresh", broken)
    assert (await store.load(conversation_id)).turns[0].answer == "because"
    monkeypatch.undo()
    await store.retry()
    assert store.banner == ""
    other = open_store()
    await other.open()
    assert (await other.load(conversation_id)).turns[0].answer == "because"
