"""Asking, as the layers above do it: events into a turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from tui.models import TextBlock, Turn, TurnIds
from tui.sandbox.server import SandboxServer
from tui.services.accumulator import LiveTurn
from tui.services.base import Page, TurnRef, TurnRequest
from tui.services.endpoints import parse_endpoint
from tui.services.events import Event
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.rds import RDS_AI, RdsCopilot
from tui.services.rpc import RpcClient

T = TypeVar("T")

QUESTION = "why did replication lag rise on rm-bp1k3? 主从延迟 🚀"
"""Its answer has thinking, tools, a document, a table, SQL and Chinese."""


def service_of(sandbox: SandboxServer, key: AccessKey | None = None) -> RdsCopilot:
    info = sandbox.info
    key = key or AccessKey(info.access_key_id, Secret(info.access_key_secret))
    return RdsCopilot(RpcClient(RDS_AI, parse_endpoint(info.url, "sandbox"), FixedKey(key)))


@dataclass
class Seen:
    """A turn and every event that made it."""

    turn: Turn
    events: list[Event] = field(default_factory=list)

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def shape(self) -> list[str]:
        return [type(block).__name__ for block in self.turn.blocks]


def live(question: str) -> LiveTurn:
    return LiveTurn(
        Turn("turn-1", question, datetime.now(UTC), state="sending"), seconds=lambda: 0.0, now=lambda: datetime.now(UTC)
    )


async def collect(
    events: AsyncIterable[Event], question: str = QUESTION, each: Callable[[Event], None] = lambda _event: None
) -> Seen:
    turn, seen = live(question), []
    async for event in events:
        seen.append(event)
        turn.apply(event)
        each(event)
    return Seen(turn.snapshot(), seen)


async def ask(
    service: RdsCopilot,
    question: str = QUESTION,
    conversation: str = "",
    each: Callable[[Event], None] = lambda _event: None,
    **options: str,
) -> Seen:
    """Ask and read to the end; nothing here waits longer than 20 s."""
    async with asyncio.timeout(60), service.stream(TurnRequest(question, conversation, options)) as events:
        return await collect(events, question, each)


async def kept(service: RdsCopilot, conversation: str) -> Turn:
    """The newest turn of the service's own history."""
    return (await service.history(conversation, Page())).items[-1]


def reference(seen: Turn, *, asked_at: datetime | None = None, ids: TurnIds | None = None) -> TurnRef:
    return TurnRef(seen.question, asked_at or seen.asked_at, seen.ids if ids is None else ids, text_of(seen))


def text_of(turn: Turn) -> str:
    """The pieces of text, joined as the service joins them."""
    return "".join(block.text for block in turn.blocks if isinstance(block, TextBlock))
