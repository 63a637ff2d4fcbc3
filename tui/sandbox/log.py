"""What a turn has made so far, and how those who listen follow it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class News:
    """Wakes all who wait for something new."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        told, self._next = self._next, asyncio.Event()
        told.set()

    async def wait(self) -> None:
        """Until the next `tell`. Between a look and the wait no other may have its say, or that news is missed."""
        await self._next.wait()


class Log(Generic[T]):
    """The frames of a turn. It goes on whoever listens."""

    def __init__(self) -> None:
        self.frames: list[T] = []
        self.over = False
        self._news = News()

    def put(self, frame: T) -> None:
        self.frames.append(frame)
        self._news.tell()

    def close(self) -> None:
        """Nothing more comes."""
        self.over = True
        self._news.tell()

    async def follow(self) -> AsyncIterator[T]:
        """All frames from the first on, then live, until the turn is over."""
        position = 0
        while True:
            while position < len(self.frames):
                yield self.frames[position]
                position += 1
            if self.over:
                return
            await self._news.wait()

    async def wait(self) -> None:
        """Until the turn is over."""
        while not self.over:
            await self._news.wait()
