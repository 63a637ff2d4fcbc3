"""Something that takes its time: it goes on when the test says so."""

from __future__ import annotations

import asyncio

import pytest


class Slow:
    """A method of `owner` that waits for `go` before it does what it does."""

    def __init__(self, owner: object, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = asyncio.Event()
        self.waiting = 0
        made = getattr(owner, method)

        async def slow(*arguments: object, **options: object) -> object:
            self.waiting += 1
            await self.go.wait()
            return await made(*arguments, **options)

        monkeypatch.setattr(owner, method, slow)
