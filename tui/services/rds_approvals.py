"""Approval rounds of RDS Copilot: what has been decided, and how the answer goes on.

A decision is made in the vendor's console: no operation makes one (protocol notes 3.8). Here it is only read, from
the history, and the turn that was interrupted is taken up again once no call of its round is open any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tui.models import AskBlock
from tui.services.base import Page
from tui.services.events import Asked
from tui.services.rds_history import Message, RdsHistory
from tui.services.rds_options import language_tag

CONSOLE = "https://rdsnext.console.aliyun.com/rdsCopilotProfessional/cn-hangzhou"
"""Where the conversations of RDS Copilot are, and the buttons; no address of a single round is published."""
MOST_PAGES = 3

Decision = Literal["open", "approved", "refused", "expired", "other"]
_WORDS: Mapping[Decision, tuple[str, ...]] = {
    "refused": ("reject", "refuse", "denied", "deny", "declin", "disapprov", "cancel"),
    "expired": ("expire", "timeout", "timed_out"),
    "approved": ("approv", "accept", "allow", "pass", "agree"),
}
_OPEN = frozenset({"", "pending", "waiting", "needs_human", "need_approval", "pending_approval"})
_GO_ON = {"zh": "请继续。", "ja": "続けてください。", "en": "Please go on."}


@dataclass(frozen=True, slots=True)
class Round:
    """A round as the service has it now."""

    ask: AskBlock
    found: bool = True
    """False where the history does not show it (any more)."""
    taken_up: bool = False
    """Something came after it: it was taken up elsewhere, and must not be again."""

    @property
    def decided(self) -> bool:
        return bool(self.ask.answered)


def decision_of(status: str) -> Decision:
    """What the service's word for the state of a call means; only `pending` is published."""
    word = status.lower()
    if word in _OPEN:
        return "open"
    return next((meant for meant, parts in _WORDS.items() if any(part in word for part in parts)), "other")


def way_on(ask: AskBlock, language: str = "") -> tuple[str, dict[str, str]]:
    """The question that takes a decided round up again, and the option that goes with it.

    What the question must say is not published; it is short, and of no meaning of its own. Any call of the round
    names it; it is the first.
    """
    text = _GO_ON.get(language_tag(language or "en").partition("-")[0], _GO_ON["en"])
    return text, {"resume_call": ask.calls[0].call_id if ask.calls else ask.ask_id}


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
