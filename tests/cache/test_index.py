"""The index: derived, checked against the files, made again at will."""

from __future__ import annotations

import os
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cache.conftest import Clock, Opener
from tests.cache.test_store import answer, answered, asked, question
from tui.cache import files, listing
from tui.cache.files import Stamp
from tui.cache.index import Entry, Index
from tui.cache.records import MetaRecord
from tui.cache.store import Store
from tui.models import ConversationSummary


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of conversations that are read, by id."""
    seen: list[str] = []
    original = files.read_from

    def spy(path: Path, *arguments: int, **options: int) -> tuple[bytes, Stamp]:
        if path.parent.name == "conversations":
            seen.append(path.stem)
        return original(path, *arguments, **options)

    monkeypatch.setattr(files, "read_from", spy)
    return seen


async def three(store: Store) -> list[str]:
    return [await answered(store, "rds", f"title {n}") for n in range(3)]


async def test_the_next_start_reads_no_conversation(store: Store, open_store: Opener, read: list[str]) -> None:
    ids = await three(store)
    before = await store.summaries()
    await store.close()
    later = open_store()
    await later.open()
    assert await later.summaries() == before
    assert [summary.id for summary in before] == ids[::-1]
    assert read == []


async def test_only_what_changed_is_read_again(store: Store, open_store: Opener, root: Path, read: list[str]) -> None:
    ids = await three(store)
    await store.close()
    index = (root / "index.tsv").read_bytes()
    other = open_store()
    await other.open()
    await other.load(ids[1])
    await other.append(ids[1], question("t2", "a later question", datetime(2026, 11, 23, tzinfo=UTC)))
    await other.close()
    (root / "index.tsv").write_bytes(index)  # as if that window had been killed
    read.clear()
    later = open_store()
    await later.open()
    summaries = await later.summaries()
    assert [summary.snippet for summary in summaries] == ["a later question", "why?", "why?"]
    assert set(read) == {ids[1]}
    read.clear()
    await later.close()
    last = open_store()
    await last.open()
    assert await last.summaries() == summaries
    assert read == []


@pytest.mark.parametrize(
    "content",
    [None, b"", bytes(1000), b"[[record]]\nid = 1\n", b"garbage"],
    ids=["missing", "empty", "zeros", "old", "garbage"],
)
async def test_an_index_that_is_missing_or_broken_is_made_again(
    store: Store, open_store: Opener, root: Path, content: bytes | None
) -> None:
    await three(store)
    before = await store.summaries()
    await store.close()
    if content is None:
        (root / "index.tsv").unlink()
    else:
        (root / "index.tsv").write_bytes(content)
    later = open_store()
    await later.open()
    assert await later.summaries() == before
    await later.close()
    assert Index(root / "index.tsv").load().keys() == {summary.id for summary in before}


async def test_entries_that_cannot_be_trusted_are_passed_over(store: Store, open_store: Opener, root: Path) -> None:
    (conversation_id,) = [await answered(store)]
    await store.close()
    line = (root / "index.tsv").read_bytes().splitlines()[-1].partition(b"\t")[2]
    hostile = [
        line.replace(conversation_id.encode(), b"../../etc/passwd"),
        line.replace(b"\trds\t", b"\tftp\t"),
        line.replace(b"\tdone\t", b"\tdreaming\t"),
        line.replace(b"2026", b"20x6"),
        line[:40],
        b"",
    ]
    with (root / "index.tsv").open("ab") as file:
        file.writelines(b"%08x\t%s\n" % (zlib.crc32(body), body) for body in hostile)
        file.write(b"00000000\t" + line.replace(b"lag", b"lie"))
    assert Index(root / "index.tsv").load().keys() == {conversation_id}
    later = open_store()
    await later.open()
    assert [summary.title for summary in await later.summaries()] == ["lag"]
    assert (root / "index.tsv").read_bytes().count(b"\n") == 2, "written anew"


async def test_a_conversation_that_is_gone_is_gone_from_the_list(store: Store, open_store: Opener, root: Path) -> None:
    ids = await three(store)
    await store.close()
    (root / "conversations" / f"{ids[1]}.toml").unlink()
    later = open_store()
    await later.open()
    assert [summary.id for summary in await later.summaries()] == [ids[2], ids[0]]


async def test_other_files_in_the_folder_are_no_conversations(store: Store, root: Path) -> None:
    conversation_id = await answered(store)
    folder = root / "conversations"
    for name in ("notes.toml", f"{conversation_id}.toml.corrupt-20261122T010203", ".x.toml.1.new", "README"):
        (folder / name).write_text("mine")
    (folder / "20261122-010203-rds-aaaaaaaa.toml").symlink_to(folder / "README")
    assert [summary.id for summary in await store.summaries()] == [conversation_id]


async def test_what_a_killed_program_left_is_swept_away(store: Store, root: Path, clock: Clock) -> None:
    left = [root / "conversations" / ".x.toml.0a1b.new", root / "drafts" / ".new-rds.toml.0a1b.new"]
    fresh = root / "drafts" / ".new-dms.toml.0a1b.new"
    for path in (*left, fresh):
        path.write_text("half a draft")
    for path in left:
        os.utime(path, (0, clock.now.timestamp() - 90_000))
    os.utime(fresh, (0, clock.now.timestamp()))
    await store.summaries()
    assert [path.exists() for path in (*left, fresh)] == [False, False, True]


async def test_the_list_shows_what_another_window_did(store: Store, open_store: Opener) -> None:
    conversation_id = await answered(store)
    await store.release(conversation_id)
    await store.summaries()
    other = open_store()
    await other.open()
    await other.append(conversation_id, MetaRecord(title="renamed", pinned=True))
    new = await asked(other, "dms", "asked there")
    summaries = await store.summaries()
    assert [(summary.id, summary.title) for summary in summaries] == [
        (new, "asked there"),
        (conversation_id, "renamed"),
    ]


async def test_the_newest_come_from_the_end_of_the_index(store: Store, open_store: Opener, read: list[str]) -> None:
    ids = [await answered(store, "rds", f"title {n}") for n in range(20)]
    await store.load(ids[3])
    await store.append(ids[3], answer("t2"))
    await store.close()
    later = open_store()
    await later.open()
    assert [summary.id for summary in await later.recent(3)] == [ids[3], ids[19], ids[18]]
    assert read == []
    assert len(await later.recent(100)) == 20


async def test_a_file_that_says_the_same_all_over_is_written_anew(store: Store, open_store: Opener, root: Path) -> None:
    conversation_id = await answered(store)
    for n in range(150):
        await store.append(conversation_id, MetaRecord(title=f"{n}"))
    await store.close()
    before = (root / "index.tsv").stat().st_size
    later = open_store()
    await later.open()
    await later.summaries()
    await later.close()
    assert (root / "index.tsv").stat().st_size < before / 10
    assert [entry.summary.title for entry in Index(root / "index.tsv").load().values()] == ["149"]


def test_an_entry_comes_back_as_it_was(tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    summary = ConversationSummary(
        id="20261122-010203-dms-7f3k9qzp",
        service="dms",
        title="周报 [red]\\n\tc:\\temp\n",
        created_at=now,
        updated_at=now + timedelta(seconds=1.5),
        remote_id="r",
        turns=3,
        state="failed",
        unread=True,
        pinned=True,
        archived=True,
        tags=("a", "b"),
        snippet="多少退款?",
    )
    entry = Entry(summary, Stamp(1, 2, 3), now)
    index = Index(tmp_path / "index.tsv")
    index.put([entry])
    assert index.load() == {summary.id: entry}
    assert index.newest(5) == [entry]
    assert os.stat(tmp_path / "index.tsv").st_mode & 0o777 == 0o600


async def test_a_list_that_takes_long_to_read_is_told_as_it_grows(
    store: Store, open_store: Opener, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await three(store)
    await store.close()
    (root / "index.tsv").unlink()
    monkeypatch.setattr(listing, "_CHUNK", 1)
    monkeypatch.setattr(listing, "_TELL", 0.0)
    later = open_store()
    await later.open()
    told: list[list[str]] = []
    found = await later.summaries(lambda summaries: told.append([summary.id for summary in summaries]))
    assert told == [ids[:1:-1], ids[:0:-1], ids[::-1]]
    assert [summary.id for summary in found] == ids[::-1]
