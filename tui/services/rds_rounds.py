"""An approval round: what the service's words for a decision mean, and the question that takes a round up again.

A decision is made in the vendor's console: no operation makes one (protocol notes 3.8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tui.models import AskBlock
from tui.services.codes import RDS_CONSOLE
from tui.services.rds_options import language_tag

CONSOLE = RDS_CONSOLE
"""Where the buttons are."""

Decision = Literal["open", "approved", "refused", "expired", "other"]
_WORDS: Mapping[Decision, tuple[str, ...]] = {
    "refused": ("reject", "refuse", "denied", "deny", "declin", "disapprov", "unapprov", "not_approv", "cancel"),
    "expired": ("expire", "timeout", "timed_out"),
    "open": ("pend", "wait", "need", "requir", "human", "approving"),
    "approved": ("approv", "accept", "allow", "pass", "agree"),
}
"""In this order: what is open often names the approval that it lacks."""
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
    """What the service's word for the state of a call (ApprovalStatus) means; only `pending` is published."""
    word = status.lower()
    if not word:
        return "open"
    return next((meant for meant, parts in _WORDS.items() if any(part in word for part in parts)), "other")


def way_on(ask: AskBlock, language: str = "") -> tuple[str, dict[str, str]]:
    """The question that takes a decided round up again, and the option that goes with it.

    What the question must say is not published; it is short, and of no meaning of its own. Any call of the round
    names it; it is the first.
    """
    text = _GO_ON.get(language_tag(language or "en").partition("-")[0], _GO_ON["en"])
    return text, {"resume_call": ask.calls[0].call_id if ask.calls else ask.ask_id}
