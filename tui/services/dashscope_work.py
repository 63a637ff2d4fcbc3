"""A turn in a thread that is being worked on here, and reading its line until somebody wants it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from tui.models import AskBlock, Problem
from tui.services.base import StopOutcome
from tui.services.errors import ServiceError
from tui.services.events import Asked, Event, Failed, Finished, Heartbeat, Noted, ToolProgress
from tui.services.sse import Frame, Oversized
from tui.words import _

T = TypeVar("T")

_IN_THREAD = 256 * 1024
"""Characters of a frame from which reading it would be felt on the event loop."""


@dataclass
class Work:
    """A turn that is being worked on here, as `stop` finds it."""

    turn: str = ""
    thread: str = ""
    run: str = ""
    stop_wanted: asyncio.Event = field(default_factory=asyncio.Event)
    cancelling: asyncio.Task[StopOutcome] | None = None
    refused: Problem | None = None
    """Why the service did not take the cancel."""

    def is_meant(self, thread: str, run: str, turn: str) -> bool:
        if turn and self.turn:
            return turn == self.turn
        if run and self.run:
            return run == self.run
        return bool(thread) and thread == self.thread


async def until(items: AsyncIterator[T], event: asyncio.Event, grace: float) -> AsyncGenerator[T | None]:
    """`items` as they come; None once when `event` is set, after which they are read for `grace` seconds at most."""
    waiting: asyncio.Task[bool] | None = asyncio.create_task(event.wait(), name="stop-wanted")
    reading: asyncio.Task[T] | None = None
    deadline: float | None = None
    loop = asyncio.get_running_loop()
    try:
        while True:
            reading = reading or asyncio.create_task(_next(items), name="read-on")
            waited = [task for task in (reading, waiting) if task is not None]
            timeout = None if deadline is None else max(0.0, deadline - loop.time())
            await asyncio.wait(waited, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if waiting is not None and waiting.done():
                waiting, deadline = None, loop.time() + grace
                yield None
            elif reading.done():
                try:
                    item = reading.result()
                except StopAsyncIteration:
                    return
                reading = None
                yield item
            elif deadline is not None and loop.time() >= deadline:
                return
    finally:
        for task in (reading, waiting):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration, ServiceError):
                    await task


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)


class Reader(Protocol):
    """Frames in, events out, until one says how the answer ended."""

    end: Finished | Failed | None

    def feed(self, part: Frame | Oversized) -> list[Event]: ...


async def read_batch(reader: Reader, batch: Iterable[Frame | Oversized]) -> list[Event]:
    """The events of one read from the line, up to the end of the answer; a heartbeat where there are none."""
    events: list[Event] = []
    for part in batch:
        long = isinstance(part, Frame) and len(part.data) > _IN_THREAD
        events += await asyncio.to_thread(reader.feed, part) if long else reader.feed(part)
        if reader.end is not None:
            break
    return events or [Heartbeat()]


def ask_again(ask: AskBlock, reason: str) -> list[Event]:
    """The outputs did not get there: the ask is open again."""
    return [
        Noted(_("your answer was not taken: {reason}").format(reason=reason)),
        *(ToolProgress(call.call_id, call.name, "waiting") for call in ask.calls),
        Asked(replace(ask, answered="")),
        Finished("waiting"),
    ]
