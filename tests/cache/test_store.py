"""The store as the program uses it: what is written is there again, in this window and in others."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cache.conftest import Clock, Opener
from tui.cache.records import (
    AnswerRecord,
    FeedbackRecord,
    IdsRecord,
    MetaRecord,
    PartialRecord,
    QuestionRecord,
    StateRecord,
)
from tui.cache.store import NotWriter, Store
from tui.models import ServiceName, TextBlock, Turn, TurnIds
from tui.services.events import TextDelta

ASKED_AT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


def question(turn: str = "t1", text: str = "why?", at: datetime = ASKED_AT) -> QuestionRecord:
    return QuestionRecord(turn, at, text)


def answer(turn: str = "t1", text: str = "because") -> AnswerRecord:
    return AnswerRecord(Turn(turn, "", ASKED_AT, "done", (TextBlock(text),), finished_at=ASKED_AT))


async def asked(store: Store, service: ServiceName = "rds", title: str = "lag") -> str:
    conversation = await store.create(service)
    await store.append(conversation.id, question(at=conversation.created_at), MetaRecord(title=title), sync=True)
    return conversation.id


async def answered(store: Store, service: ServiceName = "rds", title: str = "lag") -> str:
    conversation_id = await asked(store, service, title)
    await store.append(conversation_id, answer())
    return conversation_id


def test_importing_it_is_cheap() -> None:
    heavy = "attr cattrs tomli tomli_w platformdirs"
    code = f"import sys, tui.cache.store; print(*{{*{heavy!r}.split()}} & {{*sys.modules}})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"\n"


# --- writing and reading -----------------------------------------------------------------------------------


async def test_a_conversation_is_there_again_in_the_next_run(store: Store, open_store: Opener) -> None:
    conversation_id = await answered(store)
    await store.append(conversation_id, FeedbackRecord("t1", "like"))
    before = await store.load(conversation_id)
    await store.close()
    later = open_store()
    await later.open()
    assert await later.load(conversation_id) == before
    (turn,) = before.turns
    assert (turn.question, turn.answer, turn.state, turn.rating) == ("why?", "because", "done", "like")
    assert [summary.id for summary in await later.summaries()] == [conversation_id]
    assert (await later.summaries())[0] == before.summary()


async def test_a_new_conversation_has_no_file_before_something_is_said(store: Store, root: Path) -> None:
    conversation = await store.create("dms", "title", {"region": "cn-hangzhou"})
    assert list((root / "conversations").iterdir()) == []
    assert (await store.load(conversation.id)) == conversation
    await store.append(conversation.id, question())
    assert len(list((root / "conversations").iterdir())) == 1


async def test_each_record_is_one_write(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation_id = await asked(store)
    written: list[bytes] = []
    write = os.write

    def spy(fd: int, data: bytes) -> int:
        written.append(data)
        return write(fd, data)

    monkeypatch.setattr(os, "write", spy)
    await store.append(conversation_id, PartialRecord("t1", (TextDelta("a"),)))
    await store.append(conversation_id, PartialRecord("t1", (TextDelta("b"),)), StateRecord("t1", "running"))
    kept = [data for data in written if b"[[record]]\nkind" in data]
    assert [data.count(b"[[record]]\n") for data in kept] == [1, 2]


async def test_appends_that_nobody_waits_for_keep_their_order(store: Store) -> None:
    conversation_id = await asked(store)
    tasks = [
        asyncio.create_task(store.append(conversation_id, PartialRecord("t1", (TextDelta(f"{n},"),))))
        for n in range(50)
    ]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.append(conversation_id, StateRecord("t1", "running"))
    (turn,) = (await store.load(conversation_id)).turns
    assert turn.answer == "".join(f"{n}," for n in range(50))


async def test_append_now_waits_for_what_was_given_before(store: Store, open_store: Opener) -> None:
    conversation_id = await asked(store)
    pending = asyncio.create_task(store.append(conversation_id, PartialRecord("t1", (TextDelta("a"),))))
    await asyncio.sleep(0)
    store.append_now(conversation_id, PartialRecord("t1", (TextDelta("b"),)))
    other = open_store()
    await other.open()
    (turn,) = (await other.load(conversation_id)).turns
    assert turn.answer == "ab"
    await pending


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "c1", "20261122-010203-rds-ABCDEFGH", "a" * 300])
async def test_only_ids_of_ours_become_paths(store: Store, name: str) -> None:
    with pytest.raises(KeyError):
        await store.load(name)
    with pytest.raises(KeyError):
        await store.append(name, question())
    with pytest.raises(KeyError):
        await store.set_draft(name, "x")


async def test_a_conversation_that_is_not_there(store: Store, root: Path) -> None:
    missing = "20261122-010203-rds-7f3k9qzp"
    with pytest.raises(KeyError):
        await store.load(missing)
    with pytest.raises(KeyError):
        await store.append(missing, question())
    assert not await store.take_over(missing)
    assert not await store.compact(missing)
    assert not await store.has_changed(missing)
    assert list((root / "locks").iterdir()) == []


# --- turns of a process that is gone -----------------------------------------------------------------------


async def test_a_turn_in_flight_is_interrupted_in_the_next_run(store: Store, open_store: Opener) -> None:
    conversation_id = await asked(store)
    await store.append(conversation_id, StateRecord("t1", "sending"), sync=True)
    assert (await store.load(conversation_id)).state == "sending", "it is ours"
    await store.close()
    later = open_store()
    await later.open()
    conversation = await later.load(conversation_id)
    assert conversation.state == "interrupted"
    assert (await later.summaries())[0].state == "interrupted"
    await later.append(conversation_id, question("t2"))
    assert [turn.state for turn in (await later.load(conversation_id)).turns] == ["interrupted", "queued"]


async def test_a_turn_in_flight_in_another_window_is_not_interrupted(store: Store, open_store: Opener) -> None:
    conversation_id = await asked(store)
    await store.append(conversation_id, StateRecord("t1", "running"), IdsRecord("t1", TurnIds("c", "m", "task")))
    other = open_store()
    await other.open()
    seen = await other.load(conversation_id)
    assert (seen.state, seen.turns[0].ids.task) == ("running", "task")
    assert str(os.getpid()) in seen.read_only
    assert (await other.summaries())[0].state == "running"


# --- two windows -------------------------------------------------------------------------------------------


async def test_the_second_window_reads_and_follows(store: Store, open_store: Opener) -> None:
    conversation_id = await asked(store)
    other = open_store()
    await other.open()
    await other.load(conversation_id)
    assert not await other.has_changed(conversation_id)
    with pytest.raises(NotWriter, match=f"process {os.getpid()}"):
        await other.append(conversation_id, question("t2"))
    await store.append(conversation_id, PartialRecord("t1", (TextDelta("be"),)))
    assert await other.has_changed(conversation_id)
    assert (await other.load(conversation_id)).turns[0].answer == "be"
    assert not await other.has_changed(conversation_id)
    await store.append(conversation_id, answer())
    await store.release(conversation_id)
    assert await other.has_changed(conversation_id)
    conversation = await other.load(conversation_id)
    assert (conversation.turns[0].answer, conversation.read_only) == ("because", "")
    await other.append(conversation_id, question("t2"))
    assert (await store.load(conversation_id)).read_only


async def test_taking_over_makes_the_other_a_reader(store: Store, open_store: Opener) -> None:
    conversation_id = await asked(store)
    await store.append(conversation_id, StateRecord("t1", "running"))
    other = open_store()
    await other.open()
    await other.load(conversation_id)
    assert await other.take_over(conversation_id)
    assert (await other.load(conversation_id)).state == "interrupted"
    with pytest.raises(NotWriter):
        await store.append(conversation_id, PartialRecord("t1", (TextDelta("late"),)))
    assert (await store.load(conversation_id)).read_only
    await other.append(conversation_id, question("t2"))
    assert await store.take_over(conversation_id)
    await store.append(conversation_id, question("t3"))
    assert [turn.id for turn in (await store.load(conversation_id)).turns] == ["t1", "t2", "t3"]


async def test_the_file_is_read_anew_after_the_other_compacted_it(store: Store, open_store: Opener) -> None:
    conversation_id = await asked(store)
    other = open_store()
    await other.open()
    await other.load(conversation_id)
    for _ in range(5):
        await store.append(conversation_id, PartialRecord("t1", (TextDelta("x" * 100),)))
    await store.append(conversation_id, answer())
    assert await store.compact(conversation_id)
    assert await other.has_changed(conversation_id)
    assert (await other.load(conversation_id)).turns == (await store.load(conversation_id)).turns


async def test_a_change_of_a_conversation_that_is_not_open_leaves_it_free(store: Store, open_store: Opener) -> None:
    conversation_id = await answered(store)
    await store.release(conversation_id)
    await store.append(conversation_id, MetaRecord(pinned=True))
    other = open_store()
    await other.open()
    conversation = await other.load(conversation_id)
    assert (conversation.pinned, conversation.read_only) == (True, "")
    await other.append(conversation_id, MetaRecord(pinned=False))


# --- compaction --------------------------------------------------------------------------------------------


async def test_a_file_is_compacted_when_it_is_left(store: Store, root: Path) -> None:
    conversation_id = await asked(store)
    path = root / "conversations" / f"{conversation_id}.toml"
    for _ in range(20):
        await store.append(conversation_id, PartialRecord("t1", (TextDelta("x" * 4000),)))
    await store.append(conversation_id, answer("t1", "x" * 80_000))
    size = path.stat().st_size
    await store.release(conversation_id)
    assert path.stat().st_size < size * 0.6
    (turn,) = (await store.load(conversation_id)).turns
    assert (turn.question, turn.answer, turn.state) == ("why?", "x" * 80_000, "done")
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("call", ["replace", "fsync"])
async def test_a_compaction_that_fails_leaves_the_file_as_it_was(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    conversation_id = await answered(store)
    path = root / "conversations" / f"{conversation_id}.toml"
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    assert not await store.compact(conversation_id)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    await store.append(conversation_id, question("t2"))
    assert len((await store.load(conversation_id)).turns) == 2


# --- deleting ----------------------------------------------------------------------------------------------


async def test_a_deleted_conversation_can_be_taken_back(store: Store, open_store: Opener) -> None:
    conversation_id = await answered(store)
    before = await store.load(conversation_id)
    await store.delete(conversation_id)
    assert await store.summaries() == []
    other = open_store()
    await other.open()
    assert await other.summaries() == []
    await other.restore(conversation_id)
    assert [summary.id for summary in await other.summaries()] == [conversation_id]
    assert (await other.load(conversation_id)).turns == before.turns


async def test_the_trash_is_emptied_after_thirty_days(
    store: Store, open_store: Opener, clock: Clock, root: Path
) -> None:
    conversation_id = await answered(store)
    kept = await answered(store)
    await store.set_draft(conversation_id, "half a word")
    (root / "conversations" / f"{conversation_id}.toml.corrupt-20261122T010203").write_text("what could not be read")
    await store.delete(conversation_id)
    await store.close()
    clock.now += timedelta(days=29)
    almost = open_store()
    await almost.open()
    await almost.summaries()
    assert (root / "conversations" / f"{conversation_id}.toml").exists()
    clock.now += timedelta(days=1)
    later = open_store()
    await later.open()
    assert [summary.id for summary in await later.summaries()] == [kept]
    assert [path.stem for path in (root / "conversations").iterdir()] == [kept]
    assert list((root / "locks").iterdir()) == list((root / "drafts").iterdir()) == []
    assert conversation_id not in (root / "index.tsv").read_text()


async def test_the_id_of_a_dashscope_thread_outlives_the_trash(store: Store, open_store: Opener, clock: Clock) -> None:
    conversation_id = await answered(store, "dashscope", "reviewer")
    await store.append(conversation_id, MetaRecord(remote_id="thread-1"))
    await store.delete(conversation_id)
    clock.now += timedelta(days=31)
    for _ in range(2):
        later = open_store()
        await later.open()
        assert await later.summaries() == []
        await later.close()
    left = await store.load(conversation_id)
    assert (left.remote_id, left.title, left.turns) == ("thread-1", "reviewer", ())


# --- drafts and sent questions -----------------------------------------------------------------------------


async def test_drafts_are_kept_per_conversation(store: Store, open_store: Opener, root: Path) -> None:
    conversation_id = await asked(store)
    await store.set_draft(conversation_id, "SELECT 1\n\tFROM")
    store.set_draft_now("new-rds", "not sent")
    await store.set_draft("new-dms", "x")
    await store.set_draft("new-dms", "")
    other = open_store()
    await other.open()
    assert (await other.load(conversation_id)).draft == "SELECT 1\n\tFROM"
    assert (other.draft_of_new("rds"), other.draft_of_new("dms"), other.draft_of_new("dashscope")) == (
        "not sent",
        "",
        "",
    )
    await other.set_draft(conversation_id, "")
    assert (await store.load(conversation_id)).draft == ""
    assert [path.name for path in (root / "drafts").iterdir()] == ["new-rds.toml"]


async def test_a_broken_draft_is_no_draft(store: Store, root: Path) -> None:
    conversation_id = await asked(store)
    (root / "drafts" / f"{conversation_id}.toml").write_bytes(b"\0" * 100)
    assert (await store.load(conversation_id)).draft == ""


async def test_sent_questions_are_kept_per_service(store: Store, open_store: Opener) -> None:
    for text in ("one", " secret", "two\nlines", "   "):
        await store.add_input("rds", text)
    await store.add_input("dms", "other")
    other = open_store()
    await other.open()
    assert await other.input_history("rds") == ["one", "two\nlines"]
    assert await other.input_history("dms") == ["other"]
    assert await other.input_history("dashscope") == []


async def test_sent_questions_are_bounded(store: Store, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.cache.history.LIMIT", 10)
    for n in range(35):
        await store.add_input("rds", f"{n}")
    assert await store.input_history("rds") == [f"{n}" for n in range(25, 35)]
    assert (root / "questions.toml").read_bytes().count(b"[[record]]") == 10
    await store.add_input("rds", "new")
    assert (await store.input_history("rds"))[-2:] == ["34", "new"]


async def test_two_windows_that_type_in_one_place_lose_nothing(store: Store, open_store: Opener, root: Path) -> None:
    other = open_store()
    await other.open()
    await store.set_draft("new-rds", "typed here")
    await other.set_draft("new-rds", "typed there")
    assert await other.input_history("rds") == ["typed here"], "where Up finds it"
    await store.set_draft("new-rds", "")
    assert (root / "drafts" / "new-rds.toml").exists(), "what is sent here is not what is typed there"
    await other.set_draft("new-rds", "typed there, and more")
    last = open_store()
    await last.open()
    assert last.draft_of_new("rds") == "typed there, and more"
    assert await last.input_history("rds") == ["typed here"]


async def test_what_a_window_that_follows_types_is_not_in_the_place_of_what_it_saw(
    store: Store, open_store: Opener
) -> None:
    conversation_id = await asked(store)
    other = open_store()
    await other.open()
    await other.load(conversation_id)
    await store.set_draft(conversation_id, "typed here")
    await other.load(conversation_id)  # as it does with each change
    await other.set_draft(conversation_id, "typed there")
    assert await other.input_history("rds") == ["typed here"]


async def test_a_draft_that_cannot_be_written_does_not_hold_up_others(store: Store, root: Path) -> None:
    (root / "drafts" / "new-rds.toml").mkdir()
    await store.set_draft("new-rds", "one")
    assert store.banner
    await store.set_draft("new-dms", "other")
    assert (root / "drafts" / "new-dms.toml").exists()


async def test_what_is_loaded_again_while_it_is_released_is_still_held(store: Store, root: Path) -> None:
    conversation_id = await answered(store)
    await asyncio.gather(store.release(conversation_id), store.load(conversation_id))
    await store.append(conversation_id, question("t2"), sync=True)
    assert [path.stem for path in (root / "locks").iterdir()] == [conversation_id]
    await store.release(conversation_id)
    assert list((root / "locks").iterdir()) == []
