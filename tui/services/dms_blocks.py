"""A block of the agent's stream while its pieces come, and what a failure of the stream says; no I/O.

Source: protocol notes (DMS) 8.2 and 8.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.models import Problem
from tui.services.dms_content import SHOWN_AS_IT_GROWS, THINKING
from tui.services.dms_frames import make_key
from tui.services.dms_text import Markdown, may_be_control
from tui.services.fields import as_object
from tui.services.problems import from_refusal, read_refusal
from tui.text import clean


@dataclass
class OpenBlock:
    """A content that comes in pieces."""

    category: str
    channel: str
    replayed: bool
    """It may be one that was taken in before: nothing of it is shown until that is known."""
    pieces: list[str] = field(default_factory=list)
    unshown: list[str] = field(default_factory=list)
    """Those that have not gone through `markdown`."""
    markdown: Markdown = field(default_factory=Markdown)
    shown: str = ""
    size: int = 0
    secret: bool | None = None
    """It begins like control output, which is told only at its end; None while it has not begun."""

    def add(self, piece: str) -> None:
        self.pieces.append(piece)
        self.unshown.append(piece)
        self.size += len(piece)
        if self.secret is None and piece.strip():
            self.secret = self.category not in THINKING and may_be_control(piece)

    def advance(self) -> str:
        """What can be shown of it now, beyond what was."""
        pieces, self.unshown = self.unshown, []
        return self.markdown.feed("".join(pieces))

    def can_grow(self) -> bool:
        return self.category in SHOWN_AS_IT_GROWS and not self.replayed and self.secret is False


def block_kind(category: str, channel: str) -> str:
    """The part of a block's identity that is known before its content."""
    return make_key(0, "block", category, channel).replace("0:", "/", 1)


def stream_problem(content: str) -> Problem:
    """What an SSE_FAILURE says: text, or JSON with `message` or `error` and perhaps a code."""
    fields = as_object(content)
    table = {"Code": "", "Message": clean(content)}
    if fields is not None:
        inner = as_object(fields.first("error")) or fields
        table = {
            "Code": inner.line("code", "error_code"),
            "Message": inner.text("message", "error_message", "error", "msg") or clean(content),
        }
    return from_refusal("dms", read_refusal(table), action="dms:GetChatContent", accepted=True).problem
