"""A session's turns out of its replayed stream, for a machine that has nothing of them; no I/O.

The stream tells what was said to the agent (`chat_start`) and all that it did; the session's description tells the
messages' ids and times. Source: protocol notes (DMS) 6.1, 8.3 to 8.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from tui.models import AskBlock, Position, Turn, TurnIds
from tui.services.accumulator import LiveTurn
from tui.services.base import AskReply
from tui.services.dms_asks import CONFIRM_ALL_SQL, CONFIRM_PLAN, CONFIRM_SQL, DRAW_REPORT
from tui.services.dms_frames import parse_frame, read_content
from tui.services.dms_reader import DmsReader
from tui.services.dms_sessions import SentMessage
from tui.services.events import Asked, Finished, TurnStarted
from tui.services.fields import as_object, as_time
from tui.services.sse import Frame, Oversized
from tui.text import clean
from tui.words import _

_EPOCH = datetime.fromtimestamp(0, UTC)
_ANSWERS = {
    CONFIRM_PLAN: AskReply("approve"),
    CONFIRM_SQL: AskReply("approve"),
    "confirm": AskReply("approve"),
    CONFIRM_ALL_SQL: AskReply("approve_all"),
    DRAW_REPORT: AskReply("approve"),
}
"""What the vendor's clients say for yes; anything else is what the user wrote."""


class Replay:
    """Feed it the session's frames from the first on; `turns` are what they come to, oldest first."""

    def __init__(self, session: str, messages: Sequence[SentMessage] = ()) -> None:
        self._session = session
        self._messages = [*messages]
        self._turns: list[Turn] = []
        self._live: LiveTurn | None = None
        self._reader = DmsReader(session=session)
        self._now = _EPOCH
        """When the newest frame was made."""

    @property
    def turns(self) -> tuple[Turn, ...]:
        live = [self._live.snapshot()] if self._live is not None else []
        return (*self._turns, *live)

    def feed(self, part: Frame | Oversized) -> None:
        """Take in one frame. Never raises."""
        frame = parse_frame(part.data, part.event) if isinstance(part, Frame) else None
        if frame is not None:
            self._now = as_time(frame.seconds) or self._now
            if frame.name == "chat_start":
                self._begin(frame.content)
        for event in self._reader.feed(part):
            if self._live is not None:
                self._live.apply(event)
        if self._live is not None and self._reader.end is not None and not self._live.is_over:
            self._live.apply(self._reader.end)

    def close(self) -> None:
        """No more will ever come: what is not over was cut off, and what waits for an answer gets none."""
        if self._live is None or self._live.is_over:
            return
        if (ask := self._reader.position.ask) is not None:
            self._live.apply(Asked(replace(ask, answered=_("session expired"))))
        self._live.apply(Finished("cut_off"))

    def _begin(self, content: str) -> None:
        """A turn of the service begins: with an answer to what was asked it is ours still, else a new one of ours."""
        fields = as_object(read_content(content))
        text = (fields.text("message", "content") if fields is not None else clean(content)).strip()
        sent = self._message(text)
        position = self._reader.position
        live = self._live
        ask = position.ask if position.phase == "waiting" else self._offer(text)
        if live is not None and ask is not None:
            live.reopen()
            # A turn is known by the newest of its messages, as where it was made.
            live.apply(TurnStarted(TurnIds(message=sent.id)))
            live.apply(Asked(replace(ask, answered=_ANSWERS.get(text, AskReply("reply", text)).in_words())))
            position = replace(position, phase="awaiting", ask=ask)
            self._reader = DmsReader(position, blocks=live.snapshot().blocks, session=self._session)
            return
        if live is not None:
            self._turns.append(live.snapshot())
        at = sent.sent_at or self._now
        ids = TurnIds(conversation=self._session, message=sent.id, task=self._session)
        turn = Turn(id=sent.id, question=text, asked_at=at, state="running", ids=ids)
        self._live = LiveTurn(turn, now=lambda: self._now)
        self._reader = DmsReader(Position(position.checkpoint, position.keys), session=self._session)

    def _offer(self, text: str) -> AskBlock | None:
        """The report that was offered, when `text` asks for it."""
        blocks = self._live.snapshot().blocks if self._live is not None else ()
        open_asks = (b for b in reversed(blocks) if isinstance(b, AskBlock) and b.kind == "report" and not b.answered)
        return next(open_asks, None) if text == DRAW_REPORT else None

    def _message(self, text: str) -> SentMessage:
        """The message with that text that was sent first among those that were not seen yet."""
        for number, message in enumerate(self._messages):
            if message.text.strip() == text:
                return self._messages.pop(number)
        return SentMessage("", text)
