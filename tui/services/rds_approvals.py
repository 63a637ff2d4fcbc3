"""Approval rounds of RDS Copilot: what has been decided, and how the answer goes on.

A decision is made in the vendor's console: no operation makes one (protocol notes 3.8). Here it is only read, from
the history, and the turn that was interrupted is taken up again once no call of its round is open any more.
"""

from __future__ import annotations

from dataclasses import replace

from tui.models import AskBlock
from tui.services.base import Page
from tui.services.events import Asked
from tui.services.rds_history import Message, RdsHistory
from tui.services.rds_rounds import Round, decision_of

MOST_PAGES = 3


class RdsApprovals:
    """Reads rounds out of the history."""

    def __init__(self, history: RdsHistory) -> None:
        self._history = history

    async def look(self, conversation: str, ask: AskBlock) -> Round:
        """`ask` as it stands now, in the service's conversation of that id. Raises ServiceError."""
        later = False
        page: Page | None = Page(limit=20)
        for _number in range(MOST_PAGES):
            if page is None:
                break
            listed = await self._history.messages(conversation, page)
            for message in reversed(listed.items):
                now = _of(message, ask.ask_id)
                if now is not None:
                    return Round(_merged(ask, now), taken_up=later)
                later = True
            page = listed.next
        return Round(ask, found=False)


def _of(message: Message, ask_id: str) -> AskBlock | None:
    return next(
        (event.ask for event in reversed(message.events) if isinstance(event, Asked) and event.ask.ask_id == ask_id),
        None,
    )


def _merged(held: AskBlock, now: AskBlock) -> AskBlock:
    """What is known of the calls from the stream and from the history; the history may leave arguments out."""
    known = {call.call_id: call for call in held.calls}
    calls = tuple(
        replace(
            call,
            name=call.name or known[call.call_id].name,
            arguments=call.arguments or known[call.call_id].arguments,
            description=call.description or known[call.call_id].description,
        )
        if call.call_id in known
        else call
        for call in now.calls
    )
    missing = tuple(call for call in held.calls if call.call_id not in {one.call_id for one in calls})
    # One that the history does not tell of yet is not decided.
    still_open = any(decision_of(call.status) == "open" for call in missing)
    return replace(held, calls=(*calls, *missing), answered="" if still_open else now.answered)
