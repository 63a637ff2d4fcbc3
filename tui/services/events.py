"""The one vocabulary that all services are translated into.

An adapter turns frames into these events; everything above it knows these and nothing of frames. All texts in
them are clean (`tui.text.clean`), applied by the adapter as it makes the event. An unknown frame is `Unknown`
and never fails a turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tui.models import (
    AskBlock,
    ChartBlock,
    CodeBlock,
    FileBlock,
    Link,
    PlanStep,
    Position,
    Problem,
    TableBlock,
    ToolStatus,
    TurnIds,
)


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """Ids became known. May come several times; a non-empty id is never replaced by an empty one."""

    ids: TurnIds


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer's Markdown, to be appended."""

    text: str


@dataclass(frozen=True, slots=True)
class TextReplaced:
    """The whole answer text so far, in place of all text blocks (RDS `message_replace`, recovery, repair)."""

    text: str


@dataclass(frozen=True, slots=True)
class TextPart:
    """A whole part of the answer's Markdown, beside the others; a later one with the same `key` replaces it."""

    text: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class TextDemoted:
    """All text so far was thinking: the answer proper comes now (DMS)."""


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolProgress:
    """One call's state; calls with the same `call_id` are one block. Empty fields leave what was known."""

    call_id: str
    name: str
    status: ToolStatus
    arguments: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """The whole plan as it stands now."""

    steps: tuple[PlanStep, ...]


@dataclass(frozen=True, slots=True)
class CodeCell:
    """A code cell, new or (same `cell_id`) as it stands now."""

    cell: CodeBlock


@dataclass(frozen=True, slots=True)
class TableFound:
    table: TableBlock


@dataclass(frozen=True, slots=True)
class ChartFound:
    chart: ChartBlock


@dataclass(frozen=True, slots=True)
class DocumentFound:
    title: str
    links: tuple[Link, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class FileReady:
    file: FileBlock


@dataclass(frozen=True, slots=True)
class Suggestions:
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """The service waits for the user; the same `ask_id` again is the same ask as it stands now."""

    ask: AskBlock


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that the user should find in the transcript later: one grey line."""

    text: str


@dataclass(frozen=True, slots=True)
class PositionMoved:
    """Everything before this event is whole and known by `position`; a text that follows begins a block of its own.

    Kept in one batch with what it covers, so that no reader of the journal sees one without the other.
    """

    position: Position


@dataclass(frozen=True, slots=True)
class Rewound:
    """The stream is taken up again from the turn's position: drop the block that is open there."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the service is doing, in words; shown in the status line, not kept."""

    text: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Bytes came, nothing to show: the line is alive."""


@dataclass(frozen=True, slots=True)
class FrameSkipped:
    """A frame could not be read; `size` in bytes. The turn goes on."""

    size: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UsageReported:
    input_tokens: int
    output_tokens: int


FinishReason = Literal["done", "stopped", "cut_off", "waiting"]


@dataclass(frozen=True, slots=True)
class Finished:
    """The turn is over. `cut_off`: the body ended without the service's end marker."""

    reason: FinishReason = "done"


@dataclass(frozen=True, slots=True)
class Failed:
    """The turn failed; what came before is kept."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Unknown:
    """A frame of a kind that this version does not know; counted, shown as one grey line where `text` says why."""

    name: str
    text: str = ""


Event: TypeAlias = (
    TurnStarted
    | TextDelta
    | TextReplaced
    | TextPart
    | TextDemoted
    | ThinkingDelta
    | ToolProgress
    | PlanChanged
    | CodeCell
    | TableFound
    | ChartFound
    | DocumentFound
    | FileReady
    | Suggestions
    | Asked
    | Noted
    | PositionMoved
    | Rewound
    | Status
    | Heartbeat
    | FrameSkipped
    | UsageReported
    | Finished
    | Failed
    | Unknown
)
