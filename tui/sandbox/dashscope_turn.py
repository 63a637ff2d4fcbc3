"""A turn of DashScope at work: frames at the sandbox's pace, whoever listens; connections follow its log."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from tui.sandbox.faults import Faults
from tui.sandbox.log import Log
from tui.sandbox.pace import Metronome, Nap, Pace

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
        self.log: Log[Frame] = Log()
        self.holds = False
        self._beats = beats
        self._script = script
        self._pace = pace
        self._faults = faults
        self._changed = changed
        self._end: End | None = None
        self._nap = Nap()
        self._metronome = Metronome(pace, random.Random(0), self._nap.take)
        self._task: asyncio.Task[None] | None = None

    @property
    def over(self) -> bool:
        return self.log.over

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self, end: End) -> None:
        """End at the next frame, in this way."""
        self._end = self._end or end
        self._nap.wake()

    def release(self) -> bool:
        """Let a turn go on that holds; whether it did."""
        held, self.holds = self.holds, False
        if held:
            self._nap.wake()
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

    async def _run(self) -> None:
        try:
            await self._play()
        except Exception as error:  # noqa: BLE001  # told to the client as a service tells it
            for frame in self._script.cut("failed", f"sandbox: {error!r}"):
                self.log.put(frame)
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
                await self._metronome.beat()
            self.log.put(beat)
            await self._strike()
        for frame in self._script.cut(self._end):
            self.log.put(frame)

    def _close(self) -> None:
        self._script.settled()
        self.log.close()
        self._changed()

    async def _strike(self) -> None:
        """The switches that count frames."""
        faults, count = self._faults, len(self.log.frames)
        if faults.count("hold") == count:
            await self._rest(Rest(hold=True))
        if (seconds := faults.number("silence")) is not None and count == 5:
            await self._rest(Rest(seconds, real=True))
        if (size := faults.count("huge-frame")) is not None and count == 8:
            self.log.put(self._script.huge(size))
        for name, end in _ENDS:
            if faults.count(name) == count:
                self.stop(end)

    async def _rest(self, rest: Rest) -> None:
        if self._end:
            return
        if rest.hold:
            self.holds = True
            self._changed()
            await self._nap.take(None)
            self.holds = False
        elif seconds := rest.seconds if rest.real else self._pace.pause(rest.seconds):
            await self._nap.take(seconds)
