"""Changes at a service that come to their end even when nobody waits for them any more: half of one helps nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tui.models import Problem
from tui.services.errors import ServiceError

T = TypeVar("T")
_running: set[asyncio.Task[Any]] = set()
"""The loop itself holds its tasks weakly."""


async def finish(work: Coroutine[Any, Any, T], failed: Callable[[Problem], None]) -> T:
    """Await `work`. It goes on when the caller is cancelled; a ServiceError that then comes is told to `failed`."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return await wait_for_end(task, failed)


async def settle(patience: float) -> None:
    """Wait until all of it is at its end, at most so many seconds."""
    loop = asyncio.get_running_loop()
    if here := [task for task in _running if task.get_loop() is loop]:
        await asyncio.wait(here, timeout=patience)


async def wait_for_end(task: asyncio.Task[T], failed: Callable[[Problem], None]) -> T:
    """As `finish`, of work that is under way; several may wait for it."""

    def tell(done: asyncio.Task[T]) -> None:
        if not done.cancelled() and isinstance(error := done.exception(), ServiceError):
            failed(error.problem)

    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(tell)
        raise
