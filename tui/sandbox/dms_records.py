"""What the Data Agent remembers: sessions with their event logs, messages, turns, runtimes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from tui.sandbox.log import News

Frame: TypeAlias = dict[str, object]
"""The JSON of one event, as section 8.1 of the protocol notes lists its fields."""
SessionStatus: TypeAlias = Literal["CREATING", "IDLE", "RUNNING", "WAIT_INPUT", "FAILED", "STOPPED"]


@dataclass(slots=True)
class Sent:
    """A message that was taken in."""

    id: str
    kind: str
    text: str
    reply_to: str
    question: str
    at: float


@dataclass(slots=True)
class TurnRecord:
    """What a turn was asked for and what it was answered: enough to do it again, frame by frame."""

    number: int
    kind: Literal["question", "report", "decline"]
    text: str
    message_id: str
    first: int
    """Its first frame in the log of the session."""
    task: dict[str, Any] = field(default_factory=dict)
    """TaskConfig.ReportConfig."""
    switches: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    over: bool = False


@dataclass(slots=True)
class Artifact:
    """A report that was asked for by a message."""

    id: str
    name: str
    kind: str
    status: str
    received: float
    finished: float = 0.0


@dataclass(slots=True)
class Session:
    id: str
    account: str
    title: str
    created_at: float
    active_at: float
    """When something happened last: a message, or the end of a turn."""
    agent_id: str
    file_id: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    """SessionConfig: what CreateDataAgentSession said, and then the first message."""
    sources: list[dict[str, Any]] = field(default_factory=list)
    messages: list[Sent] = field(default_factory=list)
    turns: list[TurnRecord] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    checkpoint: int = 0
    """The highest that was given."""
    ask: int = 0
    """The checkpoint of the question that waits for an answer; 0 for none."""
    offer: int = 0
    """The checkpoint of the offer to draw a report; 0 for none."""
    reclaimed: bool = False
    history_key: str = ""
    """Where its events lie when it has been reclaimed."""
    frames: list[Frame] = field(default_factory=list)
    news: News = field(default_factory=News)
    """Told whenever the log or the status changes."""

    @property
    def turn(self) -> TurnRecord | None:
        """The turn at work, one that waits for an answer included."""
        return self.turns[-1] if self.turns and not self.turns[-1].over else None

    @property
    def is_busy(self) -> bool:
        return self.turn is not None and not self.ask

    @property
    def status(self) -> SessionStatus:
        if self.reclaimed:
            return "STOPPED"
        return "WAIT_INPUT" if self.ask else "RUNNING" if self.turn else "IDLE"

    def position_of(self, checkpoint: int) -> int:
        """Where in the log the replay from `checkpoint` on begins: the checkpoint's own frames are in it."""
        for position in range(len(self.frames), 0, -1):
            if checkpoint_of(self.frames[position - 1]) < checkpoint:
                return position
        return 0

    def to_json(self) -> dict[str, Any]:
        """Everything but the log."""
        names = (name for name in self.__dataclass_fields__ if name not in ("frames", "news"))
        return {name: _plain(getattr(self, name)) for name in names}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Session:
        return cls(
            messages=[Sent(**sent) for sent in data.pop("messages")],
            turns=[TurnRecord(**turn) for turn in data.pop("turns")],
            artifacts=[Artifact(**artifact) for artifact in data.pop("artifacts")],
            **data,
        )


def kept_chats(frames: Sequence[Frame], form: str) -> bytes:
    """The file of a session that was reclaimed; what the service's own looks like is not published."""
    texts = [json.dumps(frame, ensure_ascii=False) for frame in frames]
    match form:
        case "lines":
            whole = "\n".join(texts)
        case "stream":
            pairs = zip(frames, texts, strict=True)
            whole = "".join(f"event: {frame['event_type']}\ndata: {text}\n\n" for frame, text in pairs)
        case "strange":
            whole = "<chats>(sandbox data)</chats>"
        case _:
            whole = f"[{','.join(texts)}]"
    return whole.encode()


def checkpoint_of(frame: Frame) -> int:
    """The checkpoint of an event."""
    value = frame["checkpoint"]
    assert isinstance(value, int)
    return value


def _plain(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [asdict(item) if isinstance(item, (Sent, TurnRecord, Artifact)) else item for item in value]


@dataclass(slots=True)
class UploadedFile:
    """A file that the agent knows: registered by FileUploadCallback, or made by the agent itself."""

    id: str
    account: str
    name: str
    size: int
    key: str
    """Of the object; UploadLocation."""
    created_at: float
    category: str = ""
    """TextReport, WebReport or DefaultArtifact for the agent's own files."""
    source: str = "User"
    """FileFrom."""
    session_id: str = ""


@dataclass(slots=True)
class Runtime:
    """The agent runtime of one account."""

    agent_id: str
    started_at: float
    start_up: float
    """Seconds until it runs."""
    failed: bool = False
    stopped: bool = False

    def status(self, now: float) -> str:
        if self.stopped:
            return "STOPPED"
        if self.failed:
            return "FAILED"
        return "RUNNING" if now >= self.started_at + self.start_up else "STARTING"
