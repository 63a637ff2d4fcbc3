"""A turn at work: it makes its frames at its pace, whoever listens; connections follow its log."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence

from tui.sandbox.pace import Pace
from tui.sandbox.records import Message
from tui.sandbox.script import Beat

_FRAMES_AT_ONCE = 16
"""At an unlimited pace: how many frames are made before others have their say."""


class Turn:
    """`frames` is the log; `follow` reads it from the start and waits for more.

    Args:
        message: what history tells of the turn; kept up to date frame by frame.
        plan: the frames and the pauses between them.
        seconds: wall clock for the history.
        changed: called when the turn holds, and when it is over.
    """

    def __init__(
        self,
        message: Message,
        plan: Sequence[Beat],
        pace: Pace,
        seconds: Callable[[], float],
        changed: Callable[[Turn], None],
    ) -> None:
        self.message = message
        self.frames: list[dict[str, object]] = []
        self.over = False
        self.holds = False
        self.cut_when_stopped = False
        self._plan = plan
        self._pace = pace
        self._seconds = seconds
        self._changed = changed
        self._news = asyncio.Event()
        self._waker: asyncio.Future[None] | None = None
        self._stopped = False
        self._lost = False
        self._next_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """End at the next frame, with the end marker."""
        self._stopped = True
        self._wake()

    def give_up(self) -> None:
        """End at the next frame, as if the service had lost the turn."""
        self._lost = True
        self.stop()

    def release(self) -> bool:
        """Let a turn go on that holds; whether it did."""
        held, self.holds = self.holds, False
        if held:
            self._wake()
        return held

    async def abandon(self) -> None:
        """End at once, since the sandbox ends; the history has the turn as if it had gone on."""
        if self.over or self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.message.complete(self._seconds())
        self.over = True

    async def follow(self) -> AsyncIterator[dict[str, object]]:
        """All frames from the first, as they come."""
        position = 0
        while True:
            news = self._news
            while position < len(self.frames):
                yield self.frames[position]
                position += 1
            if self.over:
                return
            await news.wait()

    async def _run(self) -> None:
        self._put({"Event": "workflow_started"})
        chance = random.Random(self.message.query)
        for number, beat in enumerate(self._plan, 1):
            await self._wait(beat, self._pace.interval(chance), number)
            if self._stopped:
                break
            if beat.fields:
                self.message.take_in(beat.fields)
                self._put(dict(beat.fields))
        if not (self._lost or (self._stopped and self.cut_when_stopped) or self.message.status == "failed"):
            self._put({"Event": "workflow_finished"})
        self.message.finish(self._seconds(), "lost" if self._lost else "stopped" if self._stopped else "finished")
        self.over = True
        self._tell()
        self._changed(self)

    async def _wait(self, beat: Beat, interval: float, number: int) -> None:
        now = asyncio.get_running_loop().time()
        pause = self._pace.pause(beat.pause) + beat.silence
        # By the clock, not by sleeping: so that a rate of 200 a second is kept on a busy machine too.
        self._next_at = now + pause if pause else max(self._next_at or now, now - 0.25) + interval
        if self._stopped:
            return
        if beat.hold:
            self.holds = True
            self._changed(self)
            await self._nap(None)
            self.holds = False
        elif self._next_at > now:
            await self._nap(self._next_at - now)
        elif number % _FRAMES_AT_ONCE == 0:
            await asyncio.sleep(0)

    async def _nap(self, seconds: float | None) -> None:
        """Sleep `seconds` (None: for ever) or until something wakes the turn."""
        loop = asyncio.get_running_loop()
        self._waker = loop.create_future()
        timer = loop.call_later(seconds, self._wake) if seconds is not None else None
        try:
            await self._waker
        finally:
            self._waker = None
            if timer:
                timer.cancel()

    def _wake(self) -> None:
        if self._waker and not self._waker.done():
            self._waker.set_result(None)

    def _put(self, frame: dict[str, object]) -> None:
        frame["CreatedAt"] = int(self._seconds())
        self.frames.append(frame)
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
