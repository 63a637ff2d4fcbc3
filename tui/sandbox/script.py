"""What a turn does, step by step, and the frames that this makes (protocol notes, section 3)."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tui.sandbox.wire import compact


@dataclass(frozen=True, slots=True)
class Say:
    """Answer text. `size`: characters a delta; 0 for about a token each."""

    text: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Think:
    text: str


@dataclass(frozen=True, slots=True)
class CallTool:
    """A tool: announced, at work for `seconds`, then done."""

    name: str
    arguments: Mapping[str, object]
    response: str
    seconds: float = 0.6
    status: str = "end"
    call_id: str = ""
    """Set when the call was announced before: after an approval only its end is sent."""


@dataclass(frozen=True, slots=True)
class ShowDocuments:
    title: str
    links: Sequence[tuple[str, str]]
    """Title and URL."""


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float
    real: bool = False
    """In real seconds, whatever the pace."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Wait until somebody releases or stops the turn."""


@dataclass(frozen=True, slots=True)
class Fail:
    code: str
    message: str
    lower: bool = False


@dataclass(frozen=True, slots=True)
class WantedCall:
    """A writing tool that waits for a person."""

    call_id: str
    tool: str
    arguments: Mapping[str, object]
    description: str


@dataclass(frozen=True, slots=True)
class AskApproval:
    round_id: str
    calls: tuple[WantedCall, ...]


Step: TypeAlias = Say | Think | CallTool | ShowDocuments | Pause | Hold | Fail | AskApproval


@dataclass(frozen=True, slots=True)
class Beat:
    """One frame and what comes before it. A beat without fields is only a wait."""

    fields: Mapping[str, object] = field(default_factory=dict)
    pause: float = 0.0
    """Seconds of the script, which the pace scales, before the frame."""
    silence: float = 0.0
    """Real seconds before the frame."""
    hold: bool = False

    @property
    def event(self) -> str:
        return str(self.fields.get("Event") or self.fields.get("event") or "")


_TOKEN = re.compile(r"[ \t]*[A-Za-z0-9_]{1,7}|\n+|[ \t]*[^\sA-Za-z0-9_]{1,3}|[^\S\n]+")


def deltas(text: str, size: int = 0) -> Iterator[str]:
    """`text` in the pieces that a model would write; joined they are `text`."""
    if size:
        yield from (text[start : start + size] for start in range(0, len(text), size))
    else:
        yield from _TOKEN.findall(text)


def _tool_frame(call_id: str, step: CallTool, status: str) -> dict[str, object]:
    payload: dict[str, object] = {
        "tool_call_name": step.name,
        "tool_call_id": call_id,
        "status": status,
        "arguments": dict(step.arguments),
    }
    if status not in ("start", "pending"):
        payload["response"] = step.response
    return {"Event": "tool_call", "Answer": compact(payload)}


def beats(steps: Iterable[Step], chance: random.Random) -> Iterator[Beat]:
    """The frames of a script, without ids; `chance` gives the call ids."""
    for step in steps:
        match step:
            case Say(text, size):
                yield from (Beat({"Event": "message", "Answer": piece}) for piece in deltas(text, size))
            case Think(text):
                yield Beat(pause=0.4)
                yield from (Beat({"Event": "thinking", "Answer": piece}) for piece in deltas(text))
            case CallTool(seconds=seconds, status=status):
                call_id = step.call_id or f"call-{chance.getrandbits(32):08x}"
                if not step.call_id:
                    yield Beat(_tool_frame(call_id, step, "start"), pause=0.1)
                yield Beat(_tool_frame(call_id, step, status), pause=seconds)
            case ShowDocuments(title, links):
                payload = [{"title": name, "url": url} for name, url in links]
                yield Beat({"Event": "doc", "title": title, "Answer": compact(payload)}, pause=0.1)
            case Pause(seconds, real):
                yield Beat(silence=seconds) if real else Beat(pause=seconds)
            case Hold():
                yield Beat(hold=True)
            case Fail(code, message, lower):
                yield Beat(
                    {"event": "error", "status": 500, "code": code, "message": message}
                    if lower
                    else {"Event": "error", "Code": code, "Message": message}
                )
            case AskApproval(round_id, calls):
                for call in calls:
                    yield Beat(
                        {
                            "Event": "tool_approval",
                            "ApprovalStatus": "pending",
                            "RoundId": round_id,
                            "CallId": call.call_id,
                            "ToolName": call.tool,
                            "ToolArguments": dict(call.arguments),
                            "Description": call.description,
                        }
                    )
