"""Broken files: set aside, never overwritten, and what is whole in them is used."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cache.conftest import Opener
from tests.cache.test_store import answer, answered, asked, question
from tui.cache import journal
from tui.cache.records import MetaRecord, PartialRecord
from tui.cache.store import NotWriter, Store
from tui.services.events import TextDelta


async def left_behind(store: Store, root: Path) -> Path:
    """A file of four turns, of a program that ended."""
    conversation_id = await asked(store)
    for n in range(1, 5):
        await store.append(conversation_id, question(f"t{n}", f"question {n}"), answer(f"t{n}", f"answer {n}"))
    await store.close()
    return root / "conversations" / f"{conversation_id}.toml"


def set_aside(path: Path) -> list[bytes]:
    return [aside.read_bytes() for aside in path.parent.glob("*.corrupt-*")]


async def answers(store: Store, path: Path) -> list[str]:
    return [turn.answer for turn in (await store.load(path.stem)).turns]


async def test_a_torn_tail_is_cut_off_and_said(store: Store, open_store: Opener, root: Path) -> None:
    path = await left_behind(store, root)
    whole = path.read_bytes()
    path.write_bytes(whole + journal.record_fragment({"kind": "partial", "turn": "t4"})[:20])
    later = open_store()
    await later.open()
    assert await answers(later, path) == ["answer 1", "answer 2", "answer 3", "answer 4"]
    assert path.read_bytes() == whole
    assert set_aside(path) == []
    (notice,) = later.notices
    assert "lag" in notice
    await later.append(path.stem, MetaRecord(pinned=True))
    assert (await later.load(path.stem)).pinned


async def test_a_torn_tail_is_left_alone_while_somebody_writes(store: Store, open_store: Opener, root: Path) -> None:
    conversation_id = await answered(store)
    path = root / "conversations" / f"{conversation_id}.toml"
    half = path.read_bytes() + b"\n[[record]]\nkind ="
    path.write_bytes(half)
    other = open_store()
    await other.open()
    assert await answers(other, path) == ["because"]
    assert path.read_bytes() == half
    assert other.notices == []
    await store.append(conversation_id, PartialRecord("t1", (TextDelta("!"),)))
    assert await answers(other, path) == ["because!"]


BREAKS: dict[str, Callable[[bytes], bytes]] = {
    "a byte in a record": lambda data: data.replace(b"answer 2", b"answer \x7f"),
    "a byte in a mark": lambda data: re.sub(rb"# crc32 (.)", rb"# crc33 \1", data, count=4),
    "zeros in the middle": lambda data: data[:600] + bytes(200) + data[800:],
    "zeros at the end": lambda data: data + bytes(4096),
    "a torn record filled up with zeros": lambda data: data + b'\n[[record]]\nkind = "ques' + bytes(100),
    "a tail of something else": lambda data: data + b"<html>",
    "the head": lambda data: data.replace(b"schema = 1", b"schema = x"),
    "cut at a line": lambda data: data[: data.rindex(b"# crc32")],
}


@pytest.mark.parametrize("how", BREAKS)
async def test_a_broken_file_is_kept_and_its_whole_records_are_used(
    store: Store, open_store: Opener, root: Path, how: str
) -> None:
    path = await left_behind(store, root)
    broken = BREAKS[how](path.read_bytes())
    path.write_bytes(broken)
    later = open_store()
    await later.open()
    (summary,) = await later.summaries()
    assert summary.service == "rds"
    found = [turn.answer for turn in (await later.load(path.stem)).turns]
    assert len([text for text in found if text.startswith("answer")]) >= 2
    assert set_aside(path) == [broken]
    assert journal.scan(path.read_bytes()).damage == []
    assert any("corrupt" in notice for notice in later.notices)
    await later.append(path.stem, question("t9"))
    await later.close()
    again = open_store()
    await again.open()
    assert len((await again.load(path.stem)).turns) == len(found) + 1
    assert again.notices == []
    assert set_aside(path) == [broken]


@pytest.mark.parametrize(
    "content", [b"", bytes(5000), b"not one record\n" * 50, b"schema = 1\n"], ids=["empty", "zeros", "text", "head"]
)
async def test_a_file_without_one_record_is_only_set_aside(
    store: Store, open_store: Opener, root: Path, content: bytes
) -> None:
    path = await left_behind(store, root)
    path.write_bytes(content)
    later = open_store()
    await later.open()
    assert await later.summaries() == []
    assert set_aside(path) == [content]
    with pytest.raises(KeyError):
        await later.load(path.stem)


async def test_files_broken_again_at_the_same_time_do_not_replace_each_other(store: Store, root: Path) -> None:
    path = await left_behind(store, root)
    good = path.read_bytes()
    broken = [good.replace(f"answer {n}".encode(), b"answer ?") for n in (1, 2, 3)]
    for content in broken:
        path.write_bytes(content)
        later = Store(root, clock=lambda: datetime(2026, 11, 22, tzinfo=UTC))
        await later.open()
        await later.load(path.stem)
        await later.close()
    assert sorted(set_aside(path)) == sorted(broken)


async def test_a_broken_file_that_somebody_writes_to_is_left_alone(
    store: Store, open_store: Opener, root: Path
) -> None:
    conversation_id = await answered(store)
    path = root / "conversations" / f"{conversation_id}.toml"
    broken = path.read_bytes().replace(b"because", b"becauze")
    path.write_bytes(broken)
    other = open_store()
    await other.open()
    await other.load(conversation_id)
    assert path.read_bytes() == broken
    assert set_aside(path) == []


async def test_what_hits_a_file_while_we_write_to_it(store: Store, root: Path) -> None:
    """Another program wrote to the file: what it left is set aside, and ours is not lost."""
    conversation_id = await answered(store)
    path = root / "conversations" / f"{conversation_id}.toml"
    with path.open("ab") as file:
        file.write(b"garbage\n")
    await store.append(conversation_id, question("t2"))
    assert [turn.id for turn in (await store.load(conversation_id)).turns] == ["t1", "t2"]
    assert len(set_aside(path)) == 1
    assert journal.scan(path.read_bytes()).damage == []


async def test_a_file_that_is_gone_is_begun_again(store: Store, root: Path, open_store: Opener) -> None:
    conversation_id = await answered(store)
    (root / "conversations" / f"{conversation_id}.toml").unlink()
    await store.append(conversation_id, question("t2"))
    assert store.banner == ""
    await store.close()
    later = open_store()
    await later.open()
    assert [turn.id for turn in (await later.load(conversation_id)).turns] == ["t2"]


async def test_a_newer_format_is_read_and_not_touched(store: Store, open_store: Opener, root: Path) -> None:
    path = await left_behind(store, root)
    whole = path.read_bytes()
    head = journal.scan(whole).fragments[0][1]
    newer = journal._sealed(whole[:head].decode().rpartition("# crc32")[0].replace("schema = 1", "schema = 2"))
    content = newer + whole[head:] + b"\n[[record]]\nin a way = 'of its own'\n"
    path.write_bytes(content)
    later = open_store()
    await later.open()
    conversation = await later.load(path.stem)
    assert "newer version" in conversation.read_only
    assert [turn.answer for turn in conversation.turns] == ["answer 1", "answer 2", "answer 3", "answer 4"]
    with pytest.raises(NotWriter, match="newer version"):
        await later.append(path.stem, question("t9"))
    assert not await later.take_over(path.stem)
    assert not await later.compact(path.stem)
    assert [summary.id for summary in await later.summaries()] == [path.stem]
    await later.close()
    assert path.read_bytes() == content
    assert set_aside(path) == []


async def test_a_record_of_a_newer_version_survives_a_compaction(store: Store, root: Path) -> None:
    conversation_id = await answered(store)
    await store.release(conversation_id)
    path = root / "conversations" / f"{conversation_id}.toml"
    strange = journal.record_fragment({"kind": "telepathy", "turn": "t1"})
    path.write_bytes(path.read_bytes() + strange)
    await store.load(conversation_id)
    await store.append(conversation_id, answer("t1", "again"))
    await store.compact(conversation_id)
    assert strange in path.read_bytes()
    assert (await store.load(conversation_id)).turns[0].answer == "again"
