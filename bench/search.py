"""Search and the list with a full cache: hits as somebody types, the index made anew, the list filtered."""

from __future__ import annotations

import asyncio
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

CONVERSATIONS, MEGABYTES = 10_000, 200
TURNS = 4
NEEDLE = "needle-04711"
QUERIES = {
    "a frequent word": "replication",
    "two words": "replication timeout",
    "a phrase": '"lock wait"',
    "Chinese, two characters": "延迟",
    "Chinese, four": "主从延迟",
    "one conversation of all": NEEDLE,
    "two letters, rare": "针尖",
    "nowhere": "xyzzyplugh",
    "nowhere, two characters": "〇〇",
}
_WORDS = (
    "replication lag slow query index table lock wait innodb buffer pool connection timeout primary replica binlog "
    "commit transaction delete from orders where created_at limit batch explain select join partition vacuum "
    "deadlock cpu memory disk iops latency error log statement rows second host port user schema column value"
)
_CHINESE = (
    "主库 长事务 数据库 慢查询 索引 锁等待 连接超时 主从延迟 复制 提交 删除 订单 分区 磁盘 内存 处理器 错误日志 "
    "请检查 实例 参数 配置 建议 优化 执行计划 统计信息 备份 恢复 监控 告警"
)
_HEADS = f"{'first hits':>12}{'all':>10}{'hits':>7}{'stalls p95/max ms':>20}"


def fill(state: Path, conversations: int = CONVERSATIONS, megabytes: int = MEGABYTES) -> int:
    """Put conversations with so much text into a cache; how many bytes their files have."""
    from tui.cache import codec, journal
    from tui.cache.ids import new_conversation_id
    from tui.cache.records import AnswerRecord, Head, QuestionRecord
    from tui.models import TextBlock, ToolBlock, Turn, TurnIds

    chance = random.Random(4711)
    rare = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(4, 10))) for _ in range(20_000)]
    pools = (_WORDS.split(), _CHINESE.split(), rare)
    folder = state / "conversations"
    folder.mkdir(parents=True, mode=0o700)
    for each in (state.parent, state):
        each.chmod(0o700)
    size = megabytes * 1_000_000 // (conversations * TURNS)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    total = 0
    for number in range(conversations):
        began = first + timedelta(minutes=number * 30)
        head = Head(new_conversation_id("rds", began), "rds", began, f"question {number} rm-bp1{number:05}", {})
        data = [journal.head_fragment(codec.head_to_table(head))]
        for turn_number in range(TURNS):
            at = began + timedelta(minutes=turn_number)
            words = []
            length = 0
            while length < size:
                word = chance.choice(pools[chance.choices((0, 1, 2), (5, 3, 2))[0]])
                words.append(word)
                length += len(word.encode()) + 1
            if number == conversations // 2 and turn_number == 2:
                words[len(words) // 2] = f"{NEEDLE} 针尖"
            blocks = (ToolBlock("c", "describe_slow_log_records", "done", "{}", "3 rows"), TextBlock(" ".join(words)))
            turn = Turn(f"t{turn_number}", "", at, "done", blocks, TurnIds(request=f"REQ-{number}-{turn_number}"))
            records = QuestionRecord(turn.id, at, f"why is rm-bp1{number:05} slow? {turn_number}"), AnswerRecord(turn)
            data += [journal.record_fragment(codec.record_to_table(record)) for record in records]
        path = folder / f"{head.id}.toml"
        path.write_bytes(b"".join(data))
        path.chmod(0o600)
        total += path.stat().st_size
    return total


class Stalls:
    """The longest time for which the event loop did nothing else: what a key would have had to wait."""

    def __init__(self) -> None:
        self.worst: list[float] = []
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.002)
            self.worst.append(time.perf_counter() - before - 0.002)

    def stop(self) -> str:
        self._task.cancel()
        ordered = sorted(self.worst) or [0.0]
        return f"{1000 * ordered[int(0.95 * len(ordered))]:.1f} / {1000 * ordered[-1]:.1f}"


def keystrokes(text: str) -> Iterator[str]:
    """What stands in the line after each key of the second half of a word: as somebody types."""
    for end in range(max(2, len(text) // 2), len(text) + 1):
        yield text[:end]


async def measure(base: Path, conversations: int, megabytes: int) -> None:
    from tui.cache.search_index import remove
    from tui.cache.store import Store
    from tui.search import Search, SearchHooks

    state = base / "state"
    total = await asyncio.to_thread(fill, state, conversations, megabytes)
    print(f"{conversations:,} conversations, {total / 1e6:.0f} MB of files", flush=True)
    store = Store(state)
    await store.open()
    began = time.perf_counter()
    summaries = await store.summaries()
    print(f"{'the list, from the files alone':<38}{time.perf_counter() - began:>9.1f} s", flush=True)

    async def opened() -> Store:
        return store

    tasks: list[asyncio.Task[None]] = []
    search = Search(
        SearchHooks(
            store=opened,
            summaries=lambda: summaries,
            spawn=lambda name, work: tasks.append(asyncio.create_task(work, name=name)),
            now=lambda: datetime.now(UTC),
        )
    )
    heads = f"{'first hits':>12}{'all':>10}{'hits':>7}{'stalls p95/max ms':>20}"
    print(f"\n{'without an index: every file is read':<38}{heads}")
    for name in ("a frequent word", "Chinese, two characters", "one conversation of all", "nowhere"):
        await one(search, name, QUERIES[name])

    began, cpu = time.perf_counter(), time.process_time()
    stalls = Stalls()
    search.refresh()
    await asyncio.sleep(0.5)
    print(f"\n{'while the index is made':<38}{_HEADS}")
    await one(search, "a frequent word", QUERIES["a frequent word"])
    await one(search, "one conversation of all", QUERIES["one conversation of all"])
    await asyncio.gather(*tasks)
    took, used = time.perf_counter() - began, time.process_time() - cpu
    size = sum(path.stat().st_size for path in state.glob("search.db*"))
    print(
        f"{'the index made anew':<38}{took:>9.1f} s, CPU {used:.1f} s, {size / 1e6:.0f} MB "
        f"({size / total:.1f} of the files), stalls p95/max {stalls.stop()} ms",
        flush=True,
    )
    print(
        f"\n{'with the index, each key a search':<38}{'first hits':>12}{'all':>10}{'hits':>7}{'stalls p95/max ms':>20}"
    )
    for name, query in QUERIES.items():
        await one(search, name, query, typed=True)
    tasks.clear()
    began = time.perf_counter()
    search.refresh()
    await asyncio.gather(*tasks)
    print(f"{'nothing to do for the index':<38}{time.perf_counter() - began:>9.2f} s", flush=True)
    search.close()
    await store.close()
    remove(state / "search.db")


async def one(search: object, name: str, query: str, *, typed: bool = False) -> None:
    """A search, or with `typed` one for each key, each of which ends the one before; the worst of each column."""
    from tui.search import Search

    assert isinstance(search, Search)
    firsts: list[float] = []
    alls: list[float] = []
    count = 0
    stalls = Stalls()
    for text in keystrokes(query) if typed else [query]:
        began = time.perf_counter()
        first = 0.0
        count = 0
        async for batch in search.find(search.query(text)):
            first = first or time.perf_counter() - began
            count += len(batch)
        alls.append(time.perf_counter() - began)
        firsts.append(first or alls[-1])
    figures = f"{1000 * max(firsts):>9.0f} ms{1000 * max(alls):>7.0f} ms{count:>7}"
    print(f"{name:<38}{figures}{stalls.stop():>20}", flush=True)


def list_filter(conversations: int) -> None:
    """What a key costs the list: each slice of titles between two looks at the keyboard, and the whole filter."""
    from tui.models import ConversationSummary
    from tui.widgets.conversation_line import words_of
    from tui.widgets.conversation_list import SLICE
    from tui.widgets.conversation_rows import Rows, TitleFilter

    now = datetime.now(UTC)
    items = [
        ConversationSummary(
            f"c{number}", "rds", f"question {number} 主从延迟 rm-bp1{number:05}", now, now - timedelta(minutes=number),
            tags=(f"rm-bp1{number:05}",),
        )
        for number in range(conversations)
    ]  # fmt: skip
    slices: list[float] = []
    wholes: list[float] = []
    for typed in ("q", "que", "question 47", "延迟", "rm-bp10471"):
        wanted = TitleFilter(typed)
        began = time.perf_counter()
        hits: list[ConversationSummary] = []
        for start in range(0, len(items), SLICE):
            before = time.perf_counter()
            hits += [item for item in items[start : start + SLICE] if wanted.matches(words_of(item))]
            slices.append(time.perf_counter() - before)
        before = time.perf_counter()
        Rows(hits, now)
        slices.append(time.perf_counter() - before)
        wholes.append(time.perf_counter() - began)
    sort = _timed(lambda: sorted(items, key=lambda item: (item.pinned, item.updated_at), reverse=True))
    print(
        f"\nthe list's filter: {1000 * max(wholes):.0f} ms for all titles, "
        f"{1000 * max(slices):.1f} ms at most between two keys; sorting them anew {1000 * sort:.0f} ms\n",
        flush=True,
    )


def _timed(work: Callable[[], object]) -> float:
    times = []
    for _round in range(5):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def searches(base: Path, *, quick: bool = False) -> None:
    """All of it, in a folder of its own below `base`."""
    conversations, megabytes = (1000, 20) if quick else (CONVERSATIONS, MEGABYTES)
    (base / "search").mkdir(mode=0o700)
    list_filter(CONVERSATIONS)
    asyncio.run(measure(base / "search", conversations, megabytes))
    print(f"threads left: {threading.active_count() - 1}\n", flush=True)
