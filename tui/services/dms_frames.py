"""One frame of GetChatContent, read; no I/O and no state. Source: protocol notes (DMS) 8.1, 8.2 and 8.7."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from tui.services.fields import Fields, as_json, as_text

TECHNICAL = frozenset({"sse_version", "stream", "heartbeat"})
"""Frames that say nothing but that the line is alive."""


@dataclass(frozen=True, slots=True)
class DmsFrame:
    """A frame with its spellings made one. `content` is as it came, not cleaned."""

    name: str
    """The event's type in lower case."""
    category: str = ""
    content: str = ""
    checkpoint: int | None = None
    channel: str = ""
    event_id: str = ""
    seconds: int | None = None
    """When it was made: unix seconds."""

    def key(self, checkpoint: int) -> str:
        """Its identity among what a replay brings; `checkpoint` is its own, or where it came.

        The service's event id where there is one, else a hash of all that tells it from others. Not for deltas:
        two equal ones are two.
        """
        if self.event_id:
            return make_key(checkpoint, "id", self.event_id)
        return make_key(checkpoint, self.channel, self.name, self.category, self.content)


def make_key(checkpoint: int, *parts: str) -> str:
    """A short identity that begins with its checkpoint, by which it is forgotten again (`key_checkpoint`)."""
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return f"{checkpoint}:{hashlib.sha256(joined).hexdigest()[:16]}"


def key_checkpoint(key: str) -> int:
    number = key.partition(":")[0]
    return int(number) if number.lstrip("-").isdecimal() else 0


def parse_frame(data: str, event: str = "") -> DmsFrame | None:
    """The frame in a `data` text and its `event:` line; None where it is none.

    The name in the JSON goes before that of the `event:` line, which may be missing or carry a time
    (` at <timestamp>`). A text that is no JSON is the content of the event that the line names.
    """
    named = event.strip().split(" ", 1)[0].lower()
    if named == "message":  # what the absence of the line reads as
        named = ""
    try:
        table = json.loads(data) if data.strip() else {}
    except (ValueError, RecursionError):
        return DmsFrame(named, content=data) if named in TECHNICAL or named.startswith("sse_") else None
    if not isinstance(table, dict):
        return None
    fields = Fields(table)
    name = fields.line("event_type", limit=80).split(" ", 1)[0].lower() or named
    if not name:
        return None
    content = fields.first("content")
    channel = fields.first("channel")
    return DmsFrame(
        name=name,
        category=fields.line("category", limit=80).lower(),
        content=as_text(content) if content is not None else "",
        checkpoint=_number(fields.first("checkpoint")),
        channel=as_text(channel) if channel is not None else "",
        event_id=fields.line("event_id", limit=200),
        seconds=_number(fields.first("timestamp")),
    )


def read_content(content: str) -> Any:
    """What a content means: the object or list where it is JSON, else the text."""
    return as_json(content)


def _number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    text = str(value).strip() if isinstance(value, str) else ""
    return int(text) if text.isdecimal() and len(text) < 19 else None
