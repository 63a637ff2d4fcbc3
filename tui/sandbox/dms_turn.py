"""A turn of the Data Agent at work: steps to frames at the sandbox's pace, questions, cancel."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from tui.sandbox import samples
from tui.sandbox.dms_records import Session, TurnRecord, checkpoint_of
from tui.sandbox.dms_steps import Ask, Block, Failure, Offer, Piece, Step, pieces
from tui.sandbox.faults import Faults
from tui.sandbox.pace import Metronome, Pace
from tui.sandbox.wire import compact

Perform: TypeAlias = Callable[[Step], Awaitable[str]]
"""Plays one step; for an `Ask` it waits and gives back the answer's text."""


class _Failed(Exception):
    """The turn has ended with SSE_FAILURE."""


class AgentTurn:
    """Plays a script into the log of its session.

    A turn that was cut off by the end of the sandbox is played again: what the log has already is not put again, and
    the questions that were answered get the same answers.

    Args:
        script: performs steps, one after the other.
        faults: those of the message that began the turn.
        put: writes a piece into the log and returns its checkpoint.
        changed: called when the session's state is another one.
    """

    def __init__(
        self,
        session: Session,
        record: TurnRecord,
        script: Callable[[Perform], Awaitable[None]],
        faults: Faults,
        pace: Pace,
        put: Callable[[Piece], int],
        changed: Callable[[], None],
    ) -> None:
        self.record = record
        self.holds = False
        self._session = session
        self._script = script
        self._put_in_log = put
        self._changed = changed
        self._faults = faults
        self._known = len(session.frames) - record.first
        self._count = 0
        self._heard = 0
        self._answered = asyncio.Event()
        self._released = asyncio.Event()
        self._canceled = False
        self._metronome = Metronome(pace, random.Random(record.text))
        self._task: asyncio.Task[None] | None = None

    def start(self, delay: float = 0.0) -> None:
        """Begin in `delay` seconds."""
        self._task = asyncio.get_running_loop().create_task(self._run(delay))

    def answer(self, text: str) -> None:
        """Answer the open question."""
        self.record.answers.append(text)
        self._session.ask = 0
        self._answered.set()

    def cancel(self) -> None:
        """End the turn with chat_canceled."""
        self._canceled = True
        if self._task:
            self._task.cancel()

    def release(self) -> bool:
        """Let a turn go on that holds; whether it did."""
        held = self.holds
        self._released.set()
        return held

    def abandon(self) -> None:
        """End at once and say nothing."""
        self._canceled = False
        if self._task:
            self._task.cancel()

    async def close(self) -> None:
        """End at once and leave the record as it is."""
        self.abandon()
        if self._task:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, delay: float) -> None:
        try:
            await asyncio.sleep(delay)
            await self._put(Piece("chat_start", "chat", compact({"message": self.record.text}), "json"))
            await self._script(self._perform)
            if "unfinished-block" in self._faults:
                for piece in tuple(pieces(Block("think", "(cut off) sandbox data"), self._faults))[:-1]:
                    await self._put(piece)
            await self._put(Piece("chat_finish", "chat", pause=0.1))
        except _Failed:
            pass
        except asyncio.CancelledError:
            if not self._canceled:
                raise
            self._put_in_log(Piece("chat_canceled", "chat"))
        except Exception as error:  # noqa: BLE001  # told to the client as a service tells it
            told = compact({"message": f"sandbox: {error!r}", "code": "Sandbox"})
            self._put_in_log(Piece("SSE_FAILURE", "", told, "json"))
        self._session.ask = 0
        self.record.over = True
        self._changed()

    async def _perform(self, step: Step) -> str:
        checkpoint = 0
        for piece in pieces(step, self._faults):
            checkpoint = await self._put(piece)
        if isinstance(step, Failure):
            raise _Failed
        if isinstance(step, Offer):
            self._session.offer = checkpoint
        if not isinstance(step, Ask):
            return ""
        heard = await self._listen(checkpoint)
        await self._put(Piece("chat_start", "chat", compact({"message": heard}), "json"))
        return heard

    async def _listen(self, checkpoint: int) -> str:
        if self._heard == len(self.record.answers):
            self._answered.clear()
            self._session.ask = checkpoint
            self._changed()
            await self._answered.wait()
        self._heard += 1
        return self.record.answers[self._heard - 1]

    async def _put(self, piece: Piece) -> int:
        """Into the log, unless it is there already; the faults that count frames strike here."""
        if not piece.event:
            if self._count >= self._known:
                await self._rest(piece.rest)
            return self._session.checkpoint
        self._count += 1
        known = self._count <= self._known
        if known:
            checkpoint = checkpoint_of(self._session.frames[self.record.first + self._count - 1])
        else:
            await self._metronome.beat(piece.pause)
            checkpoint = self._put_in_log(piece)
        await self._strike(known)
        return checkpoint

    async def _strike(self, known: bool) -> None:
        faults, count = self._faults, self._count
        if faults.count("hold") == count and not known:
            await self._rest(None)
        if (seconds := faults.number("silence")) is not None and count == 5 and not known:
            await self._rest(seconds)
        if (size := faults.count("huge-frame")) is not None and count == 4:
            text = samples.filler(size)
            for piece in pieces(Block("think", text, size=size), Faults()):
                await self._put(piece)
        if faults.count("error-frame") == count:
            await self._perform(Failure("the runtime was lost (sandbox data)", as_text="failure-text" in faults))

    async def _rest(self, seconds: float | None) -> None:
        if seconds is not None:
            await asyncio.sleep(seconds)
            return
        self._released.clear()
        self.holds = True
        self._changed()
        try:
            await self._released.wait()
        finally:
            self.holds = False
