"""Blocking work in threads: jobs of one lane run one after the other in the order they were given."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class Lanes:
    """Lanes by name; different lanes run side by side."""

    def __init__(self, threads: int = 4) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="cache")
        self._guard = Lock()
        self._queues: dict[str, deque[tuple[Future[Any], Callable[[], Any]]]] = {}

    async def run(self, lane: str, job: Callable[[], T]) -> T:
        """Run `job` in a thread after all earlier jobs of its lane, and hand on what it returns or raises.

        A job that was given is done: cancelling the caller only means that nobody waits for it.
        """
        return await asyncio.shield(asyncio.wrap_future(self._submit(lane, job)))

    def run_now(self, lane: str, job: Callable[[], T]) -> T:
        """Like `run`, but block until it is done."""
        return self._submit(lane, job).result()

    def start(self, lane: str, job: Callable[[], object]) -> None:
        """Run `job` after all earlier jobs of its lane; nobody waits for it."""
        self._submit(lane, job)

    def _submit(self, lane: str, job: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        with self._guard:
            is_idle = lane not in self._queues
            self._queues.setdefault(lane, deque()).append((future, job))
        if is_idle:
            try:
                self._pool.submit(self._drain, lane)
            except RuntimeError:  # closed: the last words of a program that ends are worth the wait
                self._drain(lane)
        return future

    def _drain(self, lane: str) -> None:
        while True:
            with self._guard:
                queue = self._queues[lane]
                if not queue:
                    del self._queues[lane]
                    return
                future, job = queue.popleft()
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001  # it belongs to the one who waits
                future.set_exception(error)
            else:
                future.set_result(result)

    def close(self) -> None:
        """Let the threads end when what was given is done; later jobs are done by those who give them."""
        self._pool.shutdown(wait=False)
