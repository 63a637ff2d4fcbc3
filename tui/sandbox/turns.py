"""A turn at work: it makes its frames at its pace, whoever listens; connections follow its log."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

from tui.sandbox.log import Log
from tui.sandbox.pace import Metronome, Nap, Pace
from tui.sandbox.records import Message
from tui.sandbox.script import Beat


class Turn:
    """Plays a plan into its log.

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
        self.log: Log[dict[str, object]] = Log()
        self.holds = False
        self.cut_when_stopped = False
        self._plan = plan
        self._seconds = seconds
        self._changed = changed
        self._nap = Nap()
        self._metronome = Metronome(pace, random.Random(message.query), self._nap.take)
        self._stopped = False
        self._lost = False
        self._task: asyncio.Task[None] | None = None

    @property
    def over(self) -> bool:
        return self.log.over

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """End at the next frame, with the end marker."""
        self._stopped = True
        self._nap.wake()

    def give_up(self) -> None:
        """End at the next frame, as if the service had lost the turn."""
        self._lost = True
        self.stop()

    def release(self) -> bool:
        """Let a turn go on that holds; whether it did."""
        held, self.holds = self.holds, False
        if held:
            self._nap.wake()
        return held

    async def abandon(self) -> None:
        """End at once, since the sandbox ends; the history has the turn as if it had gone on."""
        if self.over or self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.message.complete(self._seconds())
        self.log.over = True  # whoever follows is not told: their connections break off

    async def _run(self) -> None:
        self._put({"Event": "workflow_started"})
        for beat in self._plan:
            await self._wait(beat)
            if self._stopped:
                break
            if beat.fields:
                self.message.take_in(beat.fields)
                self._put(dict(beat.fields))
        if not (self._lost or (self._stopped and self.cut_when_stopped) or self.message.status == "failed"):
            self._put({"Event": "workflow_finished"})
        self.message.finish(self._seconds(), "lost" if self._lost else "stopped" if self._stopped else "finished")
        self.log.close()
        self._changed(self)

    async def _wait(self, beat: Beat) -> None:
        if self._stopped:
            return
        if beat.hold:
            self.holds = True
            self._changed(self)
            await self._nap.take(None)
            self.holds = False
        else:
            await self._metronome.beat(beat.pause, beat.silence)

    def _put(self, frame: dict[str, object]) -> None:
        frame["CreatedAt"] = int(self._seconds())
        self.log.put(frame)
