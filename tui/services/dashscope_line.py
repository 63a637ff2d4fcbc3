"""One run: reading its stream, cancelling it, looking for it. Source: protocol notes (DashScope) 3.4 and 6."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import timedelta
from typing import TypeVar

from tui.models import TurnIds
from tui.services.base import StopOutcome, TurnRef
from tui.services.dashscope_frames import RunReader
from tui.services.dashscope_recovery import LookTiming, RunRecovery
from tui.services.dashscope_threads import Threads
from tui.services.dashscope_work import Work, read_batch, until
from tui.services.errors import ServiceError
from tui.services.events import Event, Finished, Noted
from tui.services.rest import Opened
from tui.words import _

T = TypeVar("T")

CANCEL_GRACE = 5.0
"""Seconds that a run which is being cancelled is still read for its last words."""
_LOOKS = (0.0, 1.0)
"""In first pauses, before each look for something of which it is not known whether it arrived."""


class RunLine:
    """The runs of an account that are worked on here."""

    def __init__(
        self,
        threads: Threads,
        *,
        timing: LookTiming | None = None,
        clock_offset: Callable[[], timedelta] = timedelta,
    ) -> None:
        self.threads = threads
        self.timing = timing or LookTiming()
        self._offset = clock_offset
        self._works: list[Work] = []

    @asynccontextmanager
    async def at_work(self, work: Work) -> AsyncIterator[None]:
        """While `work` can be stopped."""
        self._works.append(work)
        try:
            yield
        finally:
            self._works.remove(work)

    async def stop(self, ids: TurnIds, turn: str = "") -> StopOutcome:
        """See `ConversationService.stop`. Cancelling is best effort: the vendor's pages say that it cannot be done."""
        work = next((work for work in self._works if work.is_meant(ids.conversation, ids.task, turn)), None)
        if work is None:
            if not ids.conversation or not ids.task:
                return "not_possible"
            work = Work(turn, ids.conversation, ids.task)
        work.stop_wanted.set()
        return await self.cancel(work) if work.run else "remembered"

    async def aclose(self, grace: float) -> None:
        """Let cancels that are under way through, for `grace` seconds at most."""
        under_way = [work.cancelling for work in self._works if work.cancelling and not work.cancelling.done()]
        if under_way:
            await asyncio.wait(under_way, timeout=grace)

    async def read(self, work: Work, opened: Opened, reader: RunReader) -> AsyncGenerator[Event]:
        """The events of a run's stream until it is over; a stop that is wanted meanwhile cancels the run."""
        if opened.frames is None:  # the run itself, in place of its stream
            run_status = str(opened.whole.get("status") or "queued")
            for event in reader.take(f"thread.run.{run_status}", opened.whole):
                yield event
            work.run = reader.run or work.run
            yield reader.end or Finished("cut_off")
            return
        async with aclosing(until(opened.frames, work.stop_wanted, CANCEL_GRACE)) as batches:
            async for batch in batches:
                for event in await read_batch(reader, batch or ()):
                    yield event
                work.run = reader.run or work.run
                if reader.end is not None:
                    yield reader.end
                    return
                if work.stop_wanted.is_set() and work.run and await self.cancel(work) == "not_possible":
                    reason = work.refused.sentence if work.refused else ""
                    yield Noted(
                        _("stopped here only: the service goes on with the run ({reason})").format(reason=reason)
                    )
                    yield Finished("stopped")
                    return
        yield Finished("stopped" if work.stop_wanted.is_set() else "cut_off")

    async def cancel(self, work: Work) -> StopOutcome:
        """Cancel the run, once however often it is wanted; it outlives who asked for it."""
        if work.cancelling is None:
            work.cancelling = asyncio.create_task(self._send_cancel(work), name="dashscope-cancel")
        return await asyncio.shield(work.cancelling)

    async def _send_cancel(self, work: Work) -> StopOutcome:
        try:
            await self.threads.cancel(work.thread, work.run)
        except ServiceError as error:
            with suppress(ServiceError):
                if (await self.threads.retrieve_run(work.thread, work.run)).is_over:
                    return "already_over"
            work.refused = error.problem
            return "not_possible"
        return "stopped"

    # --- looking --------------------------------------------------------------------------------------------------

    def search(self, turn: TurnRef) -> RunRecovery:
        return RunRecovery(self.threads, turn, timing=self.timing, clock_offset=self._offset)

    async def recover(self, turn: TurnRef) -> AsyncGenerator[Event]:
        """See `ConversationService.recover`."""
        async with aclosing(self.search(turn).events()) as events:
            async for event in events:
                yield event

    async def look(self, find: Callable[[], Awaitable[T | None]]) -> T | None:
        """What `find` finds in the looks that are taken at once; None where there is nothing, or no line."""
        for pause in _LOOKS:
            await asyncio.sleep(pause * self.timing.first_pause)
            with suppress(ServiceError):
                if (found := await find()) is not None:
                    return found
        return None
