"""What runs in other processes: windows that are killed, and windows that write at the same time.

The processes come from a fork server that has everything imported, so that many of them are cheap.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from tui.cache import codec
from tui.cache.records import AnswerRecord, IdsRecord, MetaRecord, PartialRecord, QuestionRecord, StateRecord
from tui.cache.store import NotWriter, Store
from tui.models import TextBlock, Turn, TurnIds
from tui.services.events import TextDelta

codec.prepare()  # once, in the fork server

ANSWERED_EVERY = 40
"""Batches after which an answer is over and the next question is asked."""


def context() -> ForkServerContext:
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload([__name__, "tomli", "tomli_w"])
    return made


def start(job: Callable[..., None], *arguments: Any) -> tuple[ForkServerProcess, Connection]:
    """Run `job(pipe, *arguments)` in a process of its own; the process and our end of the pipe."""
    made = context()
    ours, theirs = made.Pipe()
    process = made.Process(target=job, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def batch(turn: int, number: int) -> str:
    return f"<{turn}.{number} 主库 [lag]\n>" * (1 + number % 7)


def stream_for_ever(pipe: Connection, root: Path) -> None:
    """Ask and stream answers, saying after each append what is kept now."""

    async def run() -> None:
        store = Store(root)
        await store.open()
        conversation = await store.create("rds")
        turn = 0
        while True:
            turn += 1
            name, now = f"t{turn}", datetime.now(UTC)
            await store.append(conversation.id, QuestionRecord(name, now, "why?"), MetaRecord(unread=True), sync=True)
            await store.append(conversation.id, StateRecord(name, "sending"), sync=True)
            pipe.send((conversation.id, turn, 0))
            await store.append(conversation.id, IdsRecord(name, TurnIds("c", "m", name)), sync=True)
            for number in range(1, ANSWERED_EVERY + 1):
                await store.append(conversation.id, PartialRecord(name, (TextDelta(batch(turn, number)),)))
                pipe.send((conversation.id, turn, number))
            text = "".join(batch(turn, number) for number in range(1, ANSWERED_EVERY + 1))
            answer = Turn(name, "", now, "done", (TextBlock(text),), finished_at=now)
            await store.append(conversation.id, AnswerRecord(answer), sync=True)
            await store.compact(conversation.id)
            await store.set_draft(conversation.id, f"draft {turn}")
            await store.add_input("rds", f"why {turn}?")

    asyncio.run(run())


def write_in_turns(pipe: Connection, root: Path, name: str, conversation_ids: list[str], count: int) -> None:
    """Ask `count` questions in each conversation as soon as it is free; one conversation of its own besides."""

    async def run() -> None:
        store = Store(root)
        await store.open()
        own = await store.create("rds")
        for number in range(count):
            for conversation_id in [own.id, *conversation_ids]:
                turn = f"{name}-{number}"
                while True:
                    try:
                        if conversation_id != own.id:
                            await store.load(conversation_id)
                        await store.append(conversation_id, QuestionRecord(turn, datetime.now(UTC), turn), sync=True)
                        await store.append(conversation_id, PartialRecord(turn, (TextDelta(turn),)))
                        break
                    except NotWriter:
                        await asyncio.sleep(0.002)
                if number % 3 == 0:
                    await store.compact(conversation_id)
                await store.release(conversation_id)
            await store.add_input("rds", f"{name}-{number}")
            if number % 4 == 0:
                await store.summaries()
        await store.close()
        pipe.send((own.id, store.banner, store.notices))

    asyncio.run(run())


def take_over_all_the_time(pipe: Connection, root: Path, name: str, conversation_id: str, count: int) -> None:
    """Write `count` records to one conversation that others take over again and again."""

    async def run() -> None:
        store = Store(root)
        await store.open()
        written = []
        for number in range(count):
            turn = f"{name}-{number}"
            try:
                await store.append(conversation_id, QuestionRecord(turn, datetime.now(UTC), turn))
                written.append(turn)
            except NotWriter:
                await store.take_over(conversation_id)
            if number % 5 == 0:
                await store.compact(conversation_id)
        await store.close()
        pipe.send((written, store.banner, store.notices))

    asyncio.run(run())
