"""Keys that arrive together, as a slow line delivers them: each is dealt with before the next one is looked at.

Textual gives every key to what has the focus when it arrives. Where an earlier key of the same packet moves the
focus (`n`, `/`, Enter, Esc), the later ones went to the wrong part, and letters that were meant as text ran actions.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from textual.dom import DOMNode
from textual.events import Event, Key, Paste
from textual.message_pump import MessagePump
from textual.widgets import Input, TextArea

from tui.text import pasted

PATIENCE = 1.0
"""Seconds that a key may take before the next one is let through."""


class TypeAhead:
    """Keys and pastes in their order; `give` hands one to whatever has the focus at that time."""

    def __init__(self, app: MessagePump, give: Callable[[Event], Awaitable[None]]) -> None:
        self._app = app
        self._give = give
        self._waiting: deque[tuple[Event, Callable[[], DOMNode]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def take(self, event: Key | Paste, focused: Callable[[], DOMNode]) -> None:
        """Hand `event` on: at once, unless one before it is still being dealt with."""
        if isinstance(event, Paste):
            # Once for all fields: Textual's own take what comes, and of CR as the end of a line some know nothing.
            event.text = pasted(event.text)
        if self._task is not None and not self._task.done():
            self._waiting.append((event, focused))
        else:
            await self._one(event, focused)

    async def _one(self, event: Event, focused: Callable[[], DOMNode]) -> None:
        target = focused()
        await self._give(event)
        if not _is_text(event, target):
            self._task = asyncio.create_task(self._then(target), name="type-ahead")

    async def _then(self, target: DOMNode) -> None:
        while True:
            await self._settled(target)
            if not self._waiting:
                return
            event, focused = self._waiting.popleft()
            target = focused()
            await self._give(event)

    async def _settled(self, target: DOMNode) -> None:
        """Wait until the key has been looked at by the part, by all that it is in, and until the focus has moved."""
        try:
            async with asyncio.timeout(PATIENCE):
                # The app twice: a new focus is set by a message to it.
                for pump in [*target.ancestors_with_self, self._app]:
                    passed = asyncio.Event()
                    if pump.is_running and pump.call_later(passed.set):
                        await passed.wait()
        except TimeoutError:
            return


def _is_text(event: Event, target: DOMNode) -> bool:
    """True for what a field takes in as text, or as the end of a line in a paste that the terminal did not mark.

    Those must keep their pace, by which such a paste is known; only a key that may do more holds up others.
    """
    if not isinstance(target, (TextArea, Input)):
        return False
    return not isinstance(event, Key) or event.is_printable or (event.key == "enter" and isinstance(target, TextArea))
