"""A turn of DashScope at work: frames at the sandbox's pace, whoever listens; connections follow its log."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from tui.sandbox.faults import Faults
from tui.sandbox.pace import Pace

_FRAMES_AT_ONCE = 16
"""At an unlimited pace: how many frames are made before others have their say."""

End: TypeAlias = Literal["cancelled", "failed", "expired", "incomplete", "error", "lost"]
_ENDS: tuple[tuple[str, End], ...] = (
    ("run-fails", "failed"),
    ("run-expires", "expired"),
    ("run-incomplete", "incomplete"),
    ("error-frame", "error"),
)
"""Switches that end a turn after so many frames."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`paced`: a piece of text or the like, which comes at the pace's rate."""

    event: str
    data: dict[str, Any]
    paced: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """A wait: `seconds` of the script, or real ones; with `hold`, until somebody releases the turn."""

    seconds: float = 0.0
    real: bool = False
    hold: bool = False


Beat: TypeAlias = Frame | Rest


class Growing:
    """A text that grows by small pieces, in time linear to its length.

    Args:
        keep: takes the text so far, now and then while it grows, and when it is `flush`ed.
    """

    def __init__(self, keep: Callable[[str], None]) -> None:
        self._keep = keep
        self._text = ""
        self._pieces: list[str] = []
        self._waiting = 0

    def add(self, piece: str) -> None:
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting > len(self._text) // 8:
            self.flush()

    def flush(self) -> str:
        """The whole text so far."""
        if self._pieces:
            self._text += "".join(self._pieces)
            self._pieces.clear()
            self._waiting = 0
            self._keep(self._text)
        return self._text


class Script(Protocol):
    """What a play needs beside its beats. Making a frame changes what the sandbox remembers."""

    def cut(self, end: End, why: str = "") -> Iterator[Frame]:
        """The frames of an end before its time; `why` for the error's text."""

    def huge(self, size: int) -> Frame:
        """One frame with so much text."""

    def settled(self) -> None:
        """The play is over: keep what it made."""


class Play:
    """Plays beats into a log."""

    def __init__(
        self, beats: Iterator[Beat], script: Script, pace: Pace, faults: Faults, changed: Callable[[], None]
    ) -> None:
        self.frames: list[Frame] = []
        self.over = False
        self.holds = False
        self._beats = beats
        self._script = script
        self._pace = pace
        self._faults = faults
        self._changed = changed
        self._end: End | None = None
        self._news = asyncio.Event()
        self._woken = asyncio.Event()
        self._next_at = 0.0
        self._chance = random.Random(0)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self, end: End) -> None:
        """End at the next frame, in this way."""
        self._end = self._end or end
        self._woken.set()

    def release(self) -> bool:
        """Let a turn go on that holds; whether it did."""
        held, self.holds = self.holds, False
        if held:
            self._woken.set()
        return held

    async def finish(self) -> None:
        """Play the rest without waiting: the sandbox ends."""
        if self.over:
            return
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for _beat in self._script.cut(self._end) if self._end else self._beats:
            pass
        self._close()

    async def follow(self) -> AsyncIterator[Frame]:
        """All frames from the first on, then live, until the turn is over."""
        position = 0
        while True:
            news = self._news
            while position < len(self.frames):
                yield self.frames[position]
                position += 1
            if self.over:
                return
            await news.wait()

    async def wait(self) -> None:
        """Until the turn is over."""
        while not self.over:
            await self._news.wait()

    async def _run(self) -> None:
        try:
            await self._play()
        except Exception as error:  # noqa: BLE001  # told to the client as a service tells it
            for frame in self._script.cut("failed", f"sandbox: {error!r}"):
                self._put(frame)
        self._close()

    async def _play(self) -> None:
        # The next beat is not made before it is known that there shall be one: making it changes the records.
        while not self._end:
            beat = next(self._beats, None)
            if beat is None:
                return
            if isinstance(beat, Rest):
                await self._rest(beat)
                continue
            if beat.paced:
                await self._keep_pace()
            self._put(beat)
            await self._strike()
        for frame in self._script.cut(self._end):
            self._put(frame)

    def _close(self) -> None:
        self._script.settled()
        self.over = True
        self._tell()
        self._changed()

    async def _strike(self) -> None:
        """The switches that count frames."""
        faults, count = self._faults, len(self.frames)
        if faults.count("hold") == count:
            await self._rest(Rest(hold=True))
        if (seconds := faults.number("silence")) is not None and count == 5:
            await self._rest(Rest(seconds, real=True))
        if (size := faults.count("huge-frame")) is not None and count == 8:
            self._put(self._script.huge(size))
        for name, end in _ENDS:
            if faults.count(name) == count:
                self.stop(end)

    async def _keep_pace(self) -> None:
        now = asyncio.get_running_loop().time()
        # By the clock, not by sleeping: so that a rate of 200 a second is kept on a busy machine too.
        self._next_at = max(self._next_at or now, now - 0.25) + self._pace.interval(self._chance)
        if self._next_at > now:
            await self._nap(self._next_at - now)
        elif len(self.frames) % _FRAMES_AT_ONCE == 0:
            await asyncio.sleep(0)

    async def _rest(self, rest: Rest) -> None:
        if rest.hold:
            self.holds = True
            self._changed()
            await self._nap(None)
            self.holds = False
        elif rest.real or self._pace.pause(rest.seconds):
            await self._nap(rest.seconds if rest.real else self._pace.pause(rest.seconds))

    async def _nap(self, seconds: float | None) -> None:
        """Sleep `seconds` (None: for ever) or until something wakes the turn."""
        if self._end:
            return
        self._woken.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _put(self, frame: Frame) -> None:
        self.frames.append(frame)
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
