"""What RDS Copilot keeps: GetConversations and GetMessages. Source: protocol notes 2.3, 2.4 and 4."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, get_args

from tui.models import Rating, Turn, TurnIds
from tui.services.accumulator import LiveTurn
from tui.services.base import Page, PageOf, RemoteConversation, RemoteStatus
from tui.services.events import (
    Asked,
    ChartFound,
    DocumentFound,
    Event,
    Failed,
    Finished,
    TextDelta,
    ThinkingDelta,
    ToolProgress,
)
from tui.services.fields import Fields, as_bool, as_items, as_time
from tui.services.rds_frames import RdsFrames
from tui.services.rpc import RpcClient
from tui.words import _

_EPOCH = datetime.fromtimestamp(0, UTC)
_GENERATING = frozenset({"running", "generating", "processing", "streaming", "pending", "started", "in_progress"})
"""Values of GenerationStatus that mean "not over"; none is published."""


@dataclass(frozen=True, slots=True)
class Message:
    """A question and its whole answer, as the service keeps them."""

    ids: TurnIds
    question: str
    answer: str
    created_at: datetime | None
    finished_at: datetime | None
    rating: Rating
    generating: bool
    events: tuple[Event, ...]
    """What came beside the text: tools, documents, thinking, asks."""
    end: Finished | Failed
    """How it ended, where it does not go on: `done`, `waiting` for an approval, or the error that the service kept."""

    def turn(self) -> Turn:
        """The message as a turn that is over (or goes on, where the service says so)."""
        live = LiveTurn(
            Turn(
                id=self.ids.message,
                question=self.question,
                asked_at=self.created_at or _EPOCH,
                state="running",
                ids=self.ids,
                rating=self.rating,
            )
        )
        for event in (*self.events, TextDelta(self.answer)):
            live.apply(event)
        if self.generating:
            live.set_state("running")
        else:
            live.apply(self.end)
        return replace(live.snapshot(), finished_at=self.finished_at)


class RdsHistory:
    """Reads the two lists; knows nothing of turns in flight."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def conversations(self, page: Page) -> PageOf[RemoteConversation]:
        """A page of conversations, newest first.

        `SortBy` is never sent: the service has been seen to answer `{}` to it.
        """
        reply = await self._rpc.read("GetConversations", {"LastId": page.after, "Limit": max(1, min(page.limit, 100))})
        listed = [item for item in as_items(reply.get("Data")) if item.line("Id")]
        found = [_conversation(item) for item in listed]
        last = found[-1].id if found else ""
        more = as_bool(Fields(reply).first("HasMore")) and last not in ("", page.after)
        found.sort(key=lambda entry: entry.updated_at or entry.created_at or _EPOCH, reverse=True)
        return PageOf(tuple(found), Page(last, page.limit) if more else None)

    async def status(self, conversation: str) -> RemoteStatus | None:
        """The state of one conversation, looked up among the newest 300; None where it is not among them."""
        page: Page | None = Page()
        for _number in range(3):
            if page is None:
                break
            listed = await self.conversations(page)
            for entry in listed.items:
                if entry.id == conversation:
                    return entry.status
            page = listed.next
        return None

    async def messages(self, conversation: str, page: Page) -> PageOf[Message]:
        """A page of messages, oldest first; `next` leads to older ones."""
        reply = await self._rpc.read(
            "GetMessages",
            {
                "ConversationId": conversation,
                "FirstId": page.after,
                "Limit": max(1, min(page.limit, 100)),
                "EventMode": "separate",
            },
        )
        found = await asyncio.to_thread(_messages, reply, conversation)
        oldest = found[0].ids.message if found else ""
        more = as_bool(Fields(reply).first("HasMore")) and oldest not in ("", page.after)
        return PageOf(tuple(found), Page(oldest, page.limit) if more else None)


def _conversation(item: Fields) -> RemoteConversation:
    status = item.line("Status", limit=40).lower()
    if status not in get_args(RemoteStatus):
        status = "running" if as_bool(item.first("IsRunning")) else "idle"
    return RemoteConversation(
        id=item.line("Id"),
        title=item.line("Name", "Introduction") or _("Untitled"),
        created_at=as_time(item.first("CreatedAt")),
        updated_at=as_time(item.first("UpdatedAt")),
        status=status,  # type: ignore[arg-type]  # checked against its values above
    )


def _messages(reply: Mapping[str, Any], conversation: str) -> list[Message]:
    found = [_message(item, conversation) for item in as_items(reply.get("Data"))]
    # The order within a page is not documented; sorting is stable, so equal times keep the service's order.
    return sorted(found, key=lambda message: message.created_at or _EPOCH)


def _message(item: Fields, conversation: str) -> Message:
    frames = RdsFrames()
    events = [event for entry in as_items(item.first("Events")) for event in frames.feed_object(entry)]
    status = item.line("GenerationStatus", limit=40).lower()
    finished = as_time(item.first("GenerationFinishedAt"))
    rating = item.line("Feedback", "Rating", limit=40).lower()
    pieces = "".join(event.text for event in events if isinstance(event, TextDelta))
    end = frames.end()
    return Message(
        ids=TurnIds(
            conversation=item.line("ConversationId", "ConversionId") or conversation,
            message=item.line("Id", "MessageId"),
            task=frames.ids.task,
        ),
        question=item.text("Query"),
        answer=item.text("Answer") or pieces,
        created_at=as_time(item.first("CreatedAt")),
        finished_at=finished,
        rating=rating if rating in ("like", "dislike") else "",  # type: ignore[arg-type]  # checked here
        generating=finished is None and status in _GENERATING,
        events=tuple(
            event
            for event in events
            if isinstance(event, (ToolProgress, DocumentFound, ThinkingDelta, Asked, ChartFound))
        ),
        end=Finished("done") if end == Finished("cut_off") else end,  # events of the history may lack the marker
    )
