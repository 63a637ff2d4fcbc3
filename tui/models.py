"""What the program talks about: conversations, turns and the blocks of an answer. Frozen, and free of any I/O.

All texts in these classes have passed `tui.text.clean`: they hold no control characters but newline and tab.
All times are aware datetimes in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

ServiceName = Literal["rds", "dms", "dashscope"]
Delivered = Literal["yes", "no", "unknown"]
Rating = Literal["", "like", "dislike"]

TurnState = Literal[
    "queued",  # stored, not sent
    "sending",  # the request has left or is about to; delivery not yet known
    "running",  # the service answers
    "waiting",  # the service waits for the user (Ask)
    "stopping",  # stop was asked for, the service has not confirmed
    "done",
    "stopped",  # by the user
    "cut_off",  # the stream ended without its end marker
    "interrupted",  # the program ended in mid-answer; recovery may still bring the rest
    "failed",  # see Turn.problem
]
ACTIVE: frozenset[TurnState] = frozenset({"sending", "running", "waiting", "stopping"})
FINAL: frozenset[TurnState] = frozenset({"done", "stopped", "cut_off", "interrupted", "failed"})


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as the user sees it: `title`: `sentence`, then dimmed what to try and the request id."""

    title: str
    sentence: str
    remedy: str = ""
    code: str = ""
    """The service's own code, for example `InvalidOrder`."""
    status: int = 0
    """The HTTP status, 0 where there was none."""
    request_id: str = ""
    delivered: Delivered = "unknown"
    """Whether the service has the prompt: decides whether it may be sent again."""
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class TurnIds:
    """The service's ids of one turn; empty where not known (yet)."""

    conversation: str = ""
    message: str = ""
    task: str = ""
    """RDS TaskId, DashScope run id: what stop needs."""
    request: str = ""
    checkpoint: str = ""
    """DMS: where in the session's stream the turn began; what a rating of it names. See also `Position`."""


# --- the blocks of an answer -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A run of Markdown source; one with a `key` is whole, and replaced by a later one with the same key."""

    text: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class ThinkingBlock:
    text: str
    seconds: float = 0.0


ToolStatus = Literal["running", "waiting", "done", "failed"]


@dataclass(frozen=True, slots=True)
class ToolBlock:
    call_id: str
    name: str
    status: ToolStatus = "running"
    arguments: str = ""
    """JSON text where the service sent JSON, else as sent."""
    result: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Link:
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class DocumentBlock:
    title: str
    links: tuple[Link, ...] = ()
    text: str = ""


StepState = Literal["pending", "running", "done", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class PlanStep:
    id: str
    title: str
    state: StepState = "pending"


@dataclass(frozen=True, slots=True)
class PlanBlock:
    steps: tuple[PlanStep, ...]


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A table of data (not Markdown): `columns` names, `rows` of as many cells, all text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    total_rows: int = 0
    """How many rows the service has, where it sent fewer."""


ChartKind = Literal["bar", "line", "pie", "scatter", "other"]


@dataclass(frozen=True, slots=True)
class ChartBlock:
    kind: ChartKind
    title: str
    x: str
    """Name of the column of the horizontal axis (pie: of the labels)."""
    y: tuple[str, ...]
    """Names of the value columns."""
    data: TableBlock


@dataclass(frozen=True, slots=True)
class CellOutput:
    """One output of a code cell; exactly one of the fields is filled."""

    text: str = ""
    error: str = ""
    table: TableBlock | None = None
    image: str = ""
    """Base64 PNG."""


@dataclass(frozen=True, slots=True)
class CodeBlock:
    cell_id: str
    language: str
    source: str
    outputs: tuple[CellOutput, ...] = ()
    state: StepState = "done"
    title: str = ""


@dataclass(frozen=True, slots=True)
class FileBlock:
    """A file that the service made or took."""

    name: str
    file_id: str = ""
    url: str = ""
    size: int = 0
    """Bytes; 0 where not known."""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class SuggestionsBlock:
    items: tuple[str, ...]


AskKind = Literal["plan", "sql", "question", "report", "approval", "tool_outputs", "datasource"]


@dataclass(frozen=True, slots=True)
class AskCall:
    """One call that waits: an approval of RDS, a function of a DashScope run."""

    call_id: str
    name: str
    arguments: str = ""
    description: str = ""
    status: str = "pending"


@dataclass(frozen=True, slots=True)
class AskBlock:
    """The service waits for the user. `answered` is what was answered, empty while open."""

    kind: AskKind
    ask_id: str
    text: str = ""
    """The question; for `sql` the statement."""
    calls: tuple[AskCall, ...] = ()
    options: tuple[str, ...] = ()
    details: str = ""
    """For `sql`: the EXPLAIN result or estimate as the service sent it."""
    answered: str = ""
    prompt: str = ""
    """For `sql`: what the service asks about the statement."""


@dataclass(frozen=True, slots=True)
class NoticeBlock:
    """One grey line: a status, an event that this version does not know, something the program did."""

    text: str
    kind: Literal["status", "unknown", "note"] = "note"


Block: TypeAlias = (
    TextBlock
    | ThinkingBlock
    | ToolBlock
    | DocumentBlock
    | PlanBlock
    | TableBlock
    | ChartBlock
    | CodeBlock
    | FileBlock
    | SuggestionsBlock
    | AskBlock
    | NoticeBlock
)


@dataclass(frozen=True, slots=True)
class Usage:
    input_tokens: int = 0
    output_tokens: int = 0


Phase = Literal[
    "awaiting",  # a message was sent, or is about to be; what it starts has not been seen
    "running",
    "waiting",  # an ask is open
    "done",
    "stopped",
    "failed",
]


@dataclass(frozen=True, slots=True)
class Position:
    """How far a resumable stream (DMS) has been taken into a turn: all that another process needs to go on.

    Everything in the turn is covered by it, but for its newest text or thinking block while `open`: that one is
    not whole yet, and is dropped when the stream is resumed, which brings it again from its beginning.
    """

    checkpoint: str = ""
    """The stream's cursor, from which it is replayed, inclusive; empty before the first frame."""
    keys: tuple[str, ...] = ()
    """Identities of what was taken in and would be replayed from `checkpoint` on."""
    phase: Phase = "awaiting"
    better: bool = False
    """The answer proper has begun, so that the model's plain talk is thinking."""
    ask: AskBlock | None = None
    """What the service waits for; when `awaiting`, what was answered."""
    offer: AskBlock | None = None
    """A report offer, to be made when the turn is complete."""
    open: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and what came of it."""

    id: str
    question: str
    asked_at: datetime
    state: TurnState = "queued"
    blocks: tuple[Block, ...] = ()
    ids: TurnIds = field(default_factory=TurnIds)
    problem: Problem | None = None
    usage: Usage | None = None
    finished_at: datetime | None = None
    rating: Rating = ""
    recovered: bool = False
    """Part of the answer was fetched from the service's history after an interruption."""
    position: Position | None = None
    """Only where the service's streams can be resumed."""
    frames_skipped: int = 0
    """Broken frames of the stream that were left out."""
    unknown_events: int = 0
    attachments: tuple[FileBlock, ...] = ()
    """Files that went along with the question: those that were attached since the one before it was asked. Only the
    Data Agent takes files. To be shown beside the question; empty for turns of before they were kept."""

    @property
    def answer(self) -> str:
        """The answer's Markdown source: its text blocks, joined."""
        return "\n\n".join(block.text for block in self.blocks if isinstance(block, TextBlock) and block.text)

    @property
    def active(self) -> bool:
        """It runs, or waits for the user."""
        return self.state in ACTIVE

    @property
    def unsent(self) -> bool:
        """The service does not have the question, for certain."""
        return self.state == "queued" or (self.problem is not None and self.problem.delivered == "no")

    @property
    def final(self) -> bool:
        """Nothing more comes by itself."""
        return self.state in FINAL


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """One line of the conversation list."""

    id: str
    """Ours; never the service's."""
    service: ServiceName
    title: str
    created_at: datetime
    updated_at: datetime
    remote_id: str = ""
    turns: int = 0
    state: TurnState = "done"
    """See `Conversation.state`."""
    unread: bool = False
    pinned: bool = False
    archived: bool = False
    tags: tuple[str, ...] = ()
    snippet: str = ""
    """The first line of the newest question."""


@dataclass(frozen=True, slots=True)
class Conversation:
    id: str
    service: ServiceName
    title: str
    created_at: datetime
    updated_at: datetime
    remote_id: str = ""
    turns: tuple[Turn, ...] = ()
    draft: str = ""
    unread: bool = False
    pinned: bool = False
    archived: bool = False
    tags: tuple[str, ...] = ()
    untagged: tuple[str, ...] = ()
    """Instances that are no tags, although they stand in the text: somebody took them off."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Per-conversation settings that go with each turn: `region`, `language`, `model` ..."""
    read_only: str = ""
    """Why it cannot be written (another window has it, a newer format), empty when it can."""

    @property
    def state(self) -> TurnState:
        """Of the newest turn that is not queued behind another one."""
        first: TurnState = "queued" if self.turns else "done"
        return next((turn.state for turn in reversed(self.turns) if turn.state != "queued"), first)

    @property
    def newest_sent(self) -> Turn | None:
        """The newest turn that the service may know of: what it waits for, and what can be recovered, is there."""
        return next((turn for turn in reversed(self.turns) if not turn.unsent), None)

    def summary(self) -> ConversationSummary:
        return ConversationSummary(
            id=self.id,
            service=self.service,
            title=self.title,
            created_at=self.created_at,
            updated_at=self.updated_at,
            remote_id=self.remote_id,
            turns=len(self.turns),
            state=self.state,
            unread=self.unread,
            pinned=self.pinned,
            archived=self.archived,
            tags=self.tags,
            snippet=self.turns[-1].question.partition("\n")[0][:120] if self.turns else "",
        )
