"""Several processes on one store, and processes that die: nothing that was kept is lost, nothing is there twice."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from tests.cache import processes
from tests.cache.conftest import Opener
from tests.cache.test_store import answered
from tui.cache import journal
from tui.cache.store import Store
from tui.models import ACTIVE

KILLS = 90


@pytest.mark.parametrize("seed", range(3))
async def test_killed_at_any_moment_at_most_one_batch_is_lost(open_store: Opener, root: Path, seed: int) -> None:
    chance = random.Random(seed)
    told: dict[str, tuple[int, int]] = {}
    for _ in range(KILLS // 3):
        process, pipe = processes.start(processes.stream_for_ever, root)
        stop_after = chance.randrange(1, 3 * processes.ANSWERED_EVERY)
        for _ in range(stop_after):
            conversation_id, turn, number = pipe.recv()
            told[conversation_id] = (turn, number)
        for _ in range(chance.randrange(2000)):  # anywhere between two records, not only right after one
            pass
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        while pipe.poll():
            try:
                conversation_id, turn, number = pipe.recv()
            except EOFError:
                break
            told[conversation_id] = (turn, number)
        pipe.close()

    store = open_store()
    await store.open()
    summaries = {summary.id: summary for summary in await store.summaries()}
    assert summaries.keys() == told.keys()
    for conversation_id, (turn, number) in told.items():
        conversation = await store.load(conversation_id)
        assert not conversation.read_only
        assert summaries[conversation_id].state == conversation.state not in ACTIVE
        for place, held in enumerate(conversation.turns, 1):
            assert held.id == f"t{place}"
            assert held.question == "why?"
            kept = held.answer
            full = [processes.batch(place, n) for n in range(1, processes.ANSWERED_EVERY + 1)]
            if held.state == "done":
                assert kept == "".join(full)
                continue
            batches = next(n for n in range(len(full) + 1) if kept == "".join(full[:n]))
            if place == turn:
                assert batches - number in (0, 1), "what was said to be kept is kept, nothing else is made up"
        assert len(conversation.turns) - turn in (0, 1)
    assert not [path for path in root.rglob("*") if "corrupt" in path.name]


async def test_two_processes_write_in_turns(open_store: Opener, store: Store, root: Path) -> None:
    await several_processes(open_store, store, root, windows=2, count=12)


async def test_eight_processes_write_in_turns(open_store: Opener, store: Store, root: Path) -> None:
    await several_processes(open_store, store, root, windows=8, count=6)


async def several_processes(open_store: Opener, store: Store, root: Path, *, windows: int, count: int) -> None:
    shared = [await answered(store) for _ in range(2)]
    for conversation_id in shared:
        await store.release(conversation_id)
    names = [f"w{n}" for n in range(windows)]
    started = [processes.start(processes.write_in_turns, root, name, shared, count) for name in names]
    own = []
    for process, pipe in started:
        conversation_id, banner, notices = pipe.recv()
        own.append(conversation_id)
        process.join()
        assert (process.exitcode, banner, notices) == (0, "", [])
    last = open_store()
    await last.open()
    for conversation_id in shared:
        turns = (await last.load(conversation_id)).turns[1:]
        assert sorted(turn.id for turn in turns) == sorted(f"{name}-{n}" for name in names for n in range(count))
        assert all(turn.answer == turn.question == turn.id for turn in turns), "each record is there once"
        for name in names:
            mine = [turn.id for turn in turns if turn.id.startswith(f"{name}-")]
            assert mine == [f"{name}-{n}" for n in range(count)], "in the order in which they were written"
    for name, conversation_id in zip(names, own, strict=True):
        assert [turn.id for turn in (await last.load(conversation_id)).turns] == [f"{name}-{n}" for n in range(count)]
    assert {summary.id for summary in await last.summaries()} == {*shared, *own}
    assert sorted(await last.input_history("rds")) == sorted(f"{name}-{n}" for name in names for n in range(count))
    assert list((root / "locks").iterdir()) == []
    assert not [path for path in root.rglob("*") if "corrupt" in path.name or path.name.endswith(".new")]


async def test_processes_that_take_over_from_each_other_lose_nothing(
    open_store: Opener, store: Store, root: Path
) -> None:
    conversation_id = await answered(store)
    await store.close()
    names = [f"w{n}" for n in range(4)]
    started = [processes.start(processes.take_over_all_the_time, root, name, conversation_id, 40) for name in names]
    expected = []
    for process, pipe in started:
        written, banner, _notices = pipe.recv()
        process.join()
        assert (process.exitcode, banner) == (0, "")
        expected += written
    last = open_store()
    await last.open()
    turns = (await last.load(conversation_id)).turns[1:]
    assert sorted(turn.id for turn in turns) == sorted(expected)
    assert expected
    path = root / "conversations" / f"{conversation_id}.toml"
    assert journal.scan(path.read_bytes()).damage == []


async def test_a_lock_ends_with_its_process(open_store: Opener, root: Path) -> None:
    process, pipe = processes.start(processes.stream_for_ever, root)
    conversation_id, _turn, _number = pipe.recv()
    store = open_store()
    await store.open()
    conversation = await store.load(conversation_id)
    assert f"process {process.pid}" in conversation.read_only
    assert conversation.state in ACTIVE | {"queued", "done"}
    process.kill()
    process.join()
    assert await store.has_changed(conversation_id)
    conversation = await store.load(conversation_id)
    assert conversation.read_only == ""
    assert conversation.state not in ACTIVE
