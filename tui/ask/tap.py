"""A service whose events are shown as they pass, for `yunliao ask`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from tui.ask.output import Output
from tui.models import ServiceName
from tui.services.base import (
    AnswerRequest,
    AskAnswerer,
    Capabilities,
    ConversationService,
    TurnRef,
    TurnRequest,
)
from tui.services.events import Event


def tapped(service: ConversationService, output: Output) -> ConversationService:
    """The same service, whose events `output` is told of."""
    return (AnsweringTap if isinstance(service, AskAnswerer) else Tap)(service, output)


class Tap:
    """A service whose events are shown as they pass; everything else is the service's own."""

    def __init__(self, service: ConversationService, output: Output) -> None:
        self._service = service
        self._output = output

    @property
    def name(self) -> ServiceName:
        return self._service.name

    @property
    def capabilities(self) -> Capabilities:
        return self._service.capabilities

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)

    def stream(self, request: TurnRequest) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        @asynccontextmanager
        async def tapped() -> AsyncIterator[AsyncIterator[Event]]:
            async with self._service.stream(request) as events:
                yield self._show(events)

        return tapped()

    def recover(self, turn: TurnRef) -> AsyncIterator[Event]:
        return self._show(self._service.recover(turn))

    async def _show(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            self._output.event(event)
            yield event


class AnsweringTap(Tap):
    """One whose service asks."""

    def answer(self, request: AnswerRequest) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        @asynccontextmanager
        async def tapped() -> AsyncIterator[AsyncIterator[Event]]:
            async with self._service.answer(request) as events:  # type: ignore[attr-defined]  # an AskAnswerer
                yield self._show(events)

        return tapped()
