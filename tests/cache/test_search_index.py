"""Searching all conversations: complete whether the index is there, half made, broken or not to be had."""

from __future__ import annotations

import builtins
import os
import sqlite3
import stat
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cache.conftest import Opener
from tui.cache import mounts, search_index
from tui.cache.files import Stamp
from tui.cache.matching import SearchHit, Wanted
from tui.cache.records import AnswerRecord, MetaRecord, QuestionRecord
from tui.cache.search_index import SearchIndex, Text
from tui.cache.searching import Progress, Searcher
from tui.cache.store import Store
from tui.models import CodeBlock, ServiceName, TableBlock, TextBlock, ToolBlock, Turn, TurnIds

DAY = timedelta(days=1)
AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


async def talk(store: Store, service: ServiceName = "rds", *turns: tuple[str, str], at: datetime = AT) -> str:
    """A conversation of questions and answers, a minute apart."""
    made = await store.create(service)
    for number, (question, answer) in enumerate(turns):
        asked_at = at + timedelta(minutes=number)
        turn = Turn(f"t{number}", question, asked_at, "done", (TextBlock(answer),))
        await store.append(made.id, QuestionRecord(turn.id, asked_at, question), AnswerRecord(turn))
    await store.release(made.id)
    return made.id


async def filled(store: Store) -> list[str]:
    """Three conversations, the newest last."""
    return [
        await talk(store, "rds", ("Why did replication lag rise?", "A DELETE of 4.1 million rows."), at=AT - 2 * DAY),
        await talk(
            store, "dms", ("主从延迟为什么升高", "因为大事务，见 order_events"), ("now?", "no lag"), at=AT - DAY
        ),
        await talk(store, "rds", ("disk at 91 %", 'Rebuild the index of C:\\data "big" on rm-bp1k3'), at=AT),
    ]


def found(searcher: Searcher, *words: str, limit: int = 100, **options: Any) -> list[tuple[str, str]]:
    hits = searcher.find(Wanted(words, **options), threading.Event(), limit)
    newest_first = sorted(hits, key=lambda hit: hit.asked_at, reverse=True)
    return [(hit.conversation_id, hit.turn_id) for hit in newest_first]


def update(searcher: Searcher) -> list[Progress]:
    told: list[Progress] = []
    searcher.update(told.append, threading.Event())
    return told


@pytest.fixture(params=["by reading", "by index", "by beginnings"])
async def searched(
    store: Store, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[Searcher, list[str]]:
    """Three ways to find the same; `by beginnings`: short words by the trigrams that begin with them."""
    ids = await filled(store)
    await store.summaries()
    if request.param == "by beginnings":
        monkeypatch.setattr(search_index, "_NEWEST", 1)
    if request.param != "by reading":
        assert update(store.searcher)[-1] == Progress(3, 3)
    return store.searcher, ids


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["replication lag"], [(0, "t0")]),
        (["LAG"], [(1, "t1"), (0, "t0")]),
        (["delete", "why"], [(0, "t0")]),
        (["主从延迟"], [(1, "t0")]),
        (["延迟"], [(1, "t0")]),
        (["事务", "order_events"], [(1, "t0")]),
        (["order_event"], [(1, "t0")]),
        (["orderxevent"], []),
        (["91 %"], [(2, "t0")]),
        (["91x%"], []),
        (["la"], [(1, "t1"), (0, "t0")]),
        (["LA", "d"], [(0, "t0")]),
        (["k3"], [(2, "t0")]),
        (["3"], [(2, "t0")]),
        (["延"], [(1, "t0")]),
        (["〇〇"], []),
        (["迟", "务"], [(1, "t0")]),
        (["c:\\data"], [(2, "t0")]),
        (['"big"'], [(2, "t0")]),
        (["rm-bp1k3"], [(2, "t0")]),
        (["lag", "延迟"], []),
        ([], [(2, "t0"), (1, "t1"), (1, "t0"), (0, "t0")]),
    ],
)
async def test_words(
    searched: tuple[Searcher, list[str]], words: Sequence[str], expected: Sequence[tuple[int, str]]
) -> None:
    searcher, ids = searched
    assert found(searcher, *words) == [(ids[number], turn) for number, turn in expected]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"services": frozenset({"dms"})}, [(1, "t1")]),
        ({"since": AT - DAY}, [(1, "t1")]),
        ({"until": AT - DAY}, [(0, "t0")]),
        ({"since": AT - DAY, "until": AT - DAY + timedelta(minutes=1)}, []),
    ],
)
async def test_filters(
    searched: tuple[Searcher, list[str]], options: Mapping[str, Any], expected: Sequence[tuple[int, str]]
) -> None:
    searcher, ids = searched
    assert found(searcher, "lag", **options) == [(ids[number], turn) for number, turn in expected]
    assert found(searcher, "lag", conversations=frozenset({ids[0], ids[2]})) == [(ids[0], "t0")]


async def test_the_snippet_is_one_line_around_the_first_hit(searched: tuple[Searcher, list[str]]) -> None:
    searcher, _ids = searched
    (hit,) = searcher.find(Wanted(("million", "rows")), threading.Event(), 10)
    assert hit.snippet == "…lag rise? A DELETE of 4.1 million rows."
    assert [hit.snippet[start:end] for start, end in hit.spans] == ["million", "rows"]


async def test_everything_of_an_answer_is_searched(store: Store) -> None:
    made = await store.create("dms")
    blocks = (
        ToolBlock("c1", "describe_slow_log", "done", '{"id": "rm-x"}', "4113902 rows"),
        CodeBlock("cell", "sql", "SELECT week FROM refunds"),
        TableBlock(("region", "gmv"), (("east", "1,204"),), "by region"),
    )
    turn = Turn("t1", "q", AT, "done", blocks, TurnIds(request="REQ-77"))
    await store.append(made.id, QuestionRecord("t1", AT, "q"), AnswerRecord(turn), MetaRecord(title="night shift"))
    await store.summaries()
    update(store.searcher)
    for word in ("describe_slow", "4113902", "FROM refunds", "1,204", "by region", "req-77"):
        assert found(store.searcher, word) == [(made.id, "t1")], word
    assert found(store.searcher, "night shift") == [(made.id, "")]


# --- keeping up --------------------------------------------------------------------------------------------


async def test_what_changed_is_found_before_the_index_has_it(store: Store) -> None:
    ids = await filled(store)
    await store.summaries()
    update(store.searcher)
    later = Turn("t9", "and the vacuum?", AT + DAY, "done", (TextBlock("autovacuum is off"),))
    await store.append(ids[0], QuestionRecord("t9", AT + DAY, "and the vacuum?"), AnswerRecord(later))
    assert found(store.searcher, "autovacuum") == [(ids[0], "t9")]
    assert found(store.searcher, "replication") == [(ids[0], "t0")]
    assert update(store.searcher) == [Progress(1, 1)]
    assert found(store.searcher, "autovacuum") == [(ids[0], "t9")]
    assert update(store.searcher) == [Progress(0, 0)]


async def test_what_was_deleted_is_not_found(store: Store, root: Path) -> None:
    ids = await filled(store)
    await store.summaries()
    update(store.searcher)
    assert "replication lag rise" in _kept(root)
    await store.delete(ids[0])
    assert found(store.searcher, "replication") == []
    await store._lanes.run("search", lambda: None)
    assert "replication lag rise" not in _kept(root), "gone at once, not with the next search"
    assert "order_events" in _kept(root)
    await store.restore(ids[0])
    assert found(store.searcher, "replication") == [(ids[0], "t0")]
    assert update(store.searcher) == [Progress(1, 1)]
    assert found(store.searcher, "replication") == [(ids[0], "t0")]


async def test_what_is_deleted_while_the_index_is_made_does_not_get_into_it(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await filled(store)
    await store.summaries()
    entries = store.searcher._entries()
    await store.delete(ids[0])
    monkeypatch.setattr(store.searcher, "_entries", lambda: entries)
    update(store.searcher)
    assert "replication lag rise" not in _kept(root)
    assert "order_events" in _kept(root)


def _kept(root: Path) -> str:
    """All bytes of the index, of free pages too."""
    return b"".join(path.read_bytes() for path in root.glob("search.db*")).decode("utf-8", "replace")


@pytest.mark.parametrize("harm", ["delete", "truncate", "garbage", "format"])
async def test_a_lost_or_broken_index_is_made_again(store: Store, open_store: Opener, root: Path, harm: str) -> None:
    ids = await filled(store)
    await store.summaries()
    update(store.searcher)
    await store.close()
    path = root / "search.db"
    match harm:
        case "delete":
            search_index.remove(path)
        case "truncate":
            path.write_bytes(path.read_bytes()[:1000])
        case "garbage":
            path.write_bytes(os.urandom(20_000))
        case "format":
            with sqlite3.connect(path) as db:
                db.execute("PRAGMA user_version = 99")
            db.close()
    later = open_store()
    await later.open()
    await later.summaries()
    assert found(later.searcher, "replication") == [(ids[0], "t0")]
    assert update(later.searcher)[-1] == Progress(3, 3)
    assert not later.searcher.without_index
    assert found(later.searcher, "replication") == [(ids[0], "t0")]


async def test_the_index_is_deleted_while_it_is_used(store: Store, root: Path) -> None:
    ids = await filled(store)
    await store.summaries()
    update(store.searcher)
    assert found(store.searcher, "主从延迟") == [(ids[1], "t0")]
    search_index.remove(root / "search.db")
    assert found(store.searcher, "主从延迟") == [(ids[1], "t0")]
    assert update(store.searcher)[-1] == Progress(3, 3)
    assert found(store.searcher, "主从延迟") == [(ids[1], "t0")]


async def test_an_update_that_is_stopped_goes_on_later(store: Store) -> None:
    ids = [await talk(store, "rds", (f"question {n}", "answer")) for n in range(5)]
    await store.summaries()
    stop = threading.Event()
    stop.set()
    store.searcher.update(lambda _progress: None, stop)
    assert len(found(store.searcher, "question")) == len(ids)
    assert update(store.searcher)[-1] == Progress(5, 5)


async def test_only_one_window_writes_the_index(store: Store, open_store: Opener, root: Path) -> None:
    ids = await filled(store)
    await store.summaries()
    other = open_store()
    await other.open()
    await other.summaries()
    lock = os.open(root / "search.db.lock", os.O_RDWR | os.O_CREAT, 0o600)
    import fcntl

    fcntl.flock(lock, fcntl.LOCK_EX)
    assert update(store.searcher) == []
    os.close(lock)
    assert update(store.searcher)[-1] == Progress(3, 3)
    assert update(other.searcher) == [Progress(0, 0)]
    assert found(other.searcher, "replication") == [(ids[0], "t0")]


async def test_the_index_is_private(store: Store, root: Path) -> None:
    await filled(store)
    await store.summaries()
    before = os.umask(0)
    try:
        update(store.searcher)
        assert found(store.searcher, "lag")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in root.glob("search.db*")}
    finally:
        os.umask(before)
    assert set(modes.values()) == {0o600}


# --- without an index --------------------------------------------------------------------------------------


async def test_without_sqlite_everything_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = await filled(store)
    await store.summaries()
    original = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "sqlite3":
            raise ImportError("no SQLite here")
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    assert update(store.searcher) == []
    assert store.searcher.without_index == "no SQLite here"
    assert found(store.searcher, "replication") == [(ids[0], "t0")]
    assert found(store.searcher, "延迟") == [(ids[1], "t0")]


async def test_a_sqlite_without_trigrams(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = await filled(store)
    await store.summaries()
    monkeypatch.setattr(search_index, "_TABLES", search_index._TABLES.replace("trigram", "nograms"))
    update(store.searcher)
    assert "nograms" in store.searcher.without_index
    assert found(store.searcher, "replication") == [(ids[0], "t0")]


async def test_no_index_on_the_disk_of_another_machine(
    store: Store, open_store: Opener, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        f"30 22 0:40 / {root} rw,relatime shared:2 - nfs4 filer:/home rw\n"
    )
    monkeypatch.setattr(mounts, "_TABLE", table)
    monkeypatch.setattr(mounts.is_remote, "__defaults__", (table,))
    assert mounts.is_remote(root)
    assert not mounts.is_remote(tmp_path)
    ids = await filled(store)
    await store.summaries()
    update(store.searcher)
    assert found(store.searcher, "replication") == [(ids[0], "t0")]
    assert not list(root.glob("search.db*"))
    runtime = tmp_path / "runtime"
    other = open_store(fallback=runtime)
    await other.open()
    await other.summaries()
    update(other.searcher)
    assert (runtime / "search.db").exists()
    assert not list(root.glob("search.db*"))


async def test_conversations_that_are_in_memory_only(open_store: Opener) -> None:
    store = open_store(None)
    await store.open()
    made = await store.create("rds")
    turn = Turn("t1", "where is it kept?", AT, "done", (TextBlock("nowhere"),))
    await store.append(made.id, QuestionRecord("t1", AT, turn.question), AnswerRecord(turn))
    await store.summaries()
    update(store.searcher)
    assert found(store.searcher, "nowhere") == [(made.id, "t1")]


# --- the index itself --------------------------------------------------------------------------------------


def test_turns_of_one_millisecond_and_the_newest_first(tmp_path: Path) -> None:
    index = SearchIndex(tmp_path / "search.db")
    index.begin()
    for number in range(40):
        texts = [Text(f"t{n}", AT + timedelta(days=n), "same words") for n in range(3)]
        index.put(f"c{number}", "rds", Stamp(1, 2, 3), texts)
    index.commit()
    hits: list[SearchHit] = list(index.find(Wanted(("words",))))
    assert len(hits) == 120
    assert [hit.asked_at for hit in hits] == sorted((hit.asked_at for hit in hits), reverse=True)
    index.close()


def test_a_search_is_interrupted(tmp_path: Path) -> None:
    index = SearchIndex(tmp_path / "search.db")
    index.begin()
    index.put("c", "rds", Stamp(1, 2, 3), [Text(f"t{n}", AT, f"words of turn {n}") for n in range(200)])
    index.commit()
    hits = index.find(Wanted(("words",)))
    next(hits)
    index.interrupt()
    assert len(list(hits)) < 199
    assert len(list(index.find(Wanted(("words",))))) == 200
    index.close()
