"""Finding a turn again whose stream was lost. Only reads; a question is never sent from here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tui.models import Delivered, Problem
from tui.services.base import Page, RemoteConversation, RemoteStatus, TurnRef
from tui.services.errors import ApiError, ServiceError
from tui.services.events import (
    Asked,
    DocumentFound,
    Event,
    Failed,
    Finished,
    Status,
    TextReplaced,
    ToolProgress,
    TurnStarted,
)
from tui.services.rds_history import Message, RdsHistory
from tui.words import _

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 10.0
"""Seconds between looks at a turn that still runs."""
LONGEST_WAIT = 3600.0
SURE_AFTER = timedelta(seconds=60)
"""A question that the history lacks this long after it was asked did not arrive."""
CLOCK_TOLERANCE = timedelta(seconds=5)
"""CreatedAt is in whole seconds, and the clocks' difference is known to about one."""
MAX_PAGES = 10
MAX_CANDIDATES = 30
"""New conversations that are looked into for one whose id never came."""


class Recovery:
    """One search for one turn."""

    def __init__(
        self,
        history: RdsHistory,
        turn: TurnRef,
        *,
        clock_offset: Callable[[], timedelta] = timedelta,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._history = history
        self._turn = turn
        self._offset = clock_offset
        self._now = now
        self._sleep = sleep
        self._complete = True
        """Everything was seen in which the turn could be."""

    async def events(self) -> AsyncGenerator[Event]:
        """Status while it is awaited, then the turn as the service has it; ends with Finished or Failed.

        Raises ServiceError where the first look fails.
        """
        waited, pause, shown = 0.0, FIRST_PAUSE, self._turn.text
        begun = False
        try:
            while True:
                message, status = await self._look()
                running = status == "running"
                # A conversation may be at work on a later question, asked elsewhere.
                if message is not None and (message.finished_at or not (running or message.generating)):
                    break
                if message is None and not running:
                    yield Failed(self._not_found())
                    return
                if waited >= LONGEST_WAIT:
                    yield Finished("cut_off")
                    return
                begun = True
                if message is not None and len(message.answer) > len(shown):
                    shown = message.answer
                    yield TurnStarted(message.ids)
                    yield TextReplaced(shown)
                yield Status(_("the service is still answering; waiting for the rest"))
                await self._sleep(pause)
                waited += pause
                pause = min(pause * 1.5, LONGEST_PAUSE)
        except ServiceError as error:
            if not begun:
                raise
            yield Failed(replace(error.problem, delivered=self._delivered()))
            return
        for event in self._whole(message):
            yield event
        # A round that the conversation does not wait for is over, whatever its calls say.
        over = message.end == Finished("waiting") and status != "pending_approval"
        yield Finished("done") if over else message.end

    def _whole(self, message: Message) -> list[Event]:
        nothing_held = not self._turn.text and not self._turn.ids.message
        events: list[Event] = [TurnStarted(message.ids)]
        for event in message.events:
            # What is only ever appended would stand there twice, had it come before the line was lost.
            if isinstance(event, (ToolProgress, Asked, DocumentFound)) or nothing_held:
                events.append(event)
        # A history that lags behind what was received takes nothing of it away.
        if not self._turn.text.startswith(message.answer):
            events.append(TextReplaced(message.answer))
        return events

    async def _look(self) -> tuple[Message | None, RemoteStatus | None]:
        """The message, and the state of its conversation; None for one that was not found."""
        conversation = self._turn.ids.conversation
        if not conversation:
            return await self._find_conversation()
        # The status first: an answer that ends between the two calls is then seen as running and looked at again.
        status = await self._history.status(conversation)
        try:
            message = await self._find_message(conversation)
        except ApiError as error:
            if error.problem.status not in (400, 404):
                raise
            message = None  # the service does not know this conversation (any more)
        return message, status

    async def _find_message(self, conversation: str) -> Message | None:
        """The turn's message: by its id, else by question and time, from the newest page to the time it was asked."""
        page: Page | None = Page()
        for _number in range(MAX_PAGES):
            if page is None:
                return None
            listed = await self._history.messages(conversation, page)
            fitting = [message for message in listed.items if self._fits(message)]
            if fitting:
                return fitting[-1]
            oldest = listed.items[0].created_at if listed.items else None
            if oldest is not None and not self._turn.ids.message and oldest < self._earliest():
                return None
            page = listed.next
        self._complete = False
        return None

    async def _find_conversation(self) -> tuple[Message | None, RemoteStatus | None]:
        """Among the conversations that began no earlier than the question: the one that begins with it."""
        page: Page | None = Page()
        candidates: list[RemoteConversation] = []
        while page is not None and len(candidates) < MAX_CANDIDATES:
            listed = await self._history.conversations(page)
            candidates += [
                entry for entry in listed.items if entry.created_at is None or entry.created_at >= self._earliest()
            ]
            page = listed.next
            if listed.items and all(
                (e.updated_at or e.created_at or self._now()) < self._earliest() for e in listed.items
            ):
                page = None
        self._complete = page is None and len(candidates) <= MAX_CANDIDATES
        for entry in candidates[:MAX_CANDIDATES]:
            message = await self._find_message(entry.id)
            if message is not None:
                return message, entry.status
        return None, None

    def _fits(self, message: Message) -> bool:
        if self._turn.ids.message:
            return message.ids.message == self._turn.ids.message
        if " ".join(message.question.split()) != " ".join(self._turn.question.split()):
            return False
        return message.created_at is None or message.created_at >= self._earliest()

    def _earliest(self) -> datetime:
        """The moment of asking in the service's time, less what clocks may differ."""
        return self._turn.asked_at + self._offset() - CLOCK_TOLERANCE

    def _delivered(self) -> Delivered:
        return "yes" if self._turn.ids.message or self._turn.ids.task or self._turn.text else "unknown"

    def _not_found(self) -> Problem:
        if self._delivered() == "yes":
            return Problem(
                _("Answer not found"),
                _("The service took this question, but its history does not show it."),
                _("Look again later; what had arrived is kept here."),
                delivered="yes",
            )
        if self._complete and self._now() - self._turn.asked_at >= SURE_AFTER:
            return Problem(
                _("Not arrived"),
                _("The service does not have this question; the connection broke before it got there."),
                _("Send it again."),
                delivered="no",
                retryable=True,
            )
        return Problem(
            _("Not found yet"),
            _("The service's history does not show this question (yet), so it is not known whether it arrived."),
            _("Look again in a minute before sending it again."),
            delivered="unknown",
        )
