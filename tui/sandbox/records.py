"""What the sandbox remembers: conversations, messages, approval rounds."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

GenerationStatus = Literal["running", "finished", "stopped", "failed", "lost"]
"""The real values are not published."""
Decision = Literal["pending", "approved", "rejected"]


def new_id() -> str:
    return str(uuid.uuid4())


def inline_text(frame: Mapping[str, object]) -> str:
    """What `frame` becomes inside the Answer where EventMode is inline (the real form is not published)."""
    match frame.get("Event"):
        case "message":
            return str(frame["Answer"])
        case "tool_call":
            payload = json.loads(str(frame["Answer"]))
            return "" if payload["status"] == "start" else f"\n```tool_call\n{frame['Answer']}\n```\n"
        case "doc":
            links = json.loads(str(frame["Answer"]))
            return "".join(f"\n- [{link['title']}]({link['url']})" for link in links) + "\n"
    return ""


@dataclass(slots=True)
class Message:
    """A question and what has been answered so far."""

    id: str
    conversation_id: str
    task_id: str
    query: str
    created_at: float
    plan: list[dict[str, object]]
    """All frames that the turn will make, if nothing stops it; empty once it is over."""
    separate: bool = True
    answer: str = ""
    inline_answer: str = ""
    events: list[dict[str, object]] = field(default_factory=list)
    """Everything but text, as frames."""
    status: GenerationStatus = "running"
    finished_at: float = 0.0
    feedback: str = ""
    feedback_text: str = ""
    inputs: dict[str, object] = field(default_factory=dict)
    """What came with the question beside its text."""

    def take_in(self, frame: Mapping[str, object]) -> None:
        """Remember one frame of the turn."""
        match frame.get("Event"):
            case "message":
                self.answer += str(frame["Answer"])
            case "message_replace":
                self.answer = self.inline_answer = str(frame["Answer"])
            case "thinking":
                last = self.events[-1] if self.events else {}
                if last.get("Event") == "thinking":
                    last["Answer"] = f"{last['Answer']}{frame['Answer']}"
                else:
                    self.events.append(dict(frame))
            case "tool_call" | "doc" | "tool_approval" | "chart" | "error":
                self.events.append(dict(frame))
        self.inline_answer += inline_text(frame)
        if "error" in (frame.get("Event"), frame.get("event")):
            self.status = "failed"

    def finish(self, at: float, status: GenerationStatus = "finished") -> None:
        if self.status == "running":
            self.status = status
        self.finished_at = at

    def complete(self, at: float) -> None:
        """Do the rest of the turn at once: it went on while nobody looked."""
        self.answer = self.inline_answer = ""
        self.events = []
        for frame in self.plan:
            self.take_in(frame)
        self.finish(at)


@dataclass(slots=True)
class ApprovalRound:
    """Writing calls that wait for a person."""

    id: str
    calls: dict[str, dict[str, object]]
    """By call id: `tool`, `arguments`, `description`, `status`."""
    resumed: bool = False

    @property
    def is_open(self) -> bool:
        return any(call["status"] == "pending" for call in self.calls.values())


@dataclass(slots=True)
class Conversation:
    id: str
    account: str
    name: str
    created_at: float
    updated_at: float
    messages: list[Message] = field(default_factory=list)
    rounds: list[ApprovalRound] = field(default_factory=list)
    approval_mode: str = "auto"

    @property
    def is_running(self) -> bool:
        return any(message.status == "running" for message in self.messages)

    @property
    def status(self) -> str:
        """Pending is told before running where both hold."""
        if any(waiting.is_open for waiting in self.rounds):
            return "pending_approval"
        return "running" if self.is_running else "idle"

    def round_of(self, call_id: str) -> ApprovalRound | None:
        return next((waiting for waiting in self.rounds if call_id in waiting.calls), None)

    def decide(self, waiting: ApprovalRound, call_id: str, decision: Decision) -> None:
        """Note the decision, in the round and in the message that asked."""
        waiting.calls[call_id]["status"] = decision
        for message in self.messages:
            for event in message.events:
                if event.get("CallId") == call_id:
                    event["ApprovalStatus"] = decision

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Conversation:
        messages = [Message(**message) for message in data.pop("messages")]
        rounds = [ApprovalRound(**waiting) for waiting in data.pop("rounds")]
        return cls(messages=messages, rounds=rounds, **data)


@dataclass(slots=True)
class Agent:
    """A custom agent. `number` is its id in the replies that have numbers for ids."""

    id: str
    number: int
    account: str
    name: str = ""
    system_prompt: str = ""
    enable_tools: bool = False
    tools: list[str] = field(default_factory=list)
    skill_ids: list[str] = field(default_factory=list)
    created_at: float = 0.0
    updated_at: float = 0.0
