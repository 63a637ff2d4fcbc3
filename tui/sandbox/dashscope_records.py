"""What the sandbox's DashScope remembers, and the forms of it on the wire (protocol notes, sections 4 and 5).

Times are milliseconds since 1970; 0 is not yet.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
ACTIVE = ("queued", "in_progress", "requires_action", "cancelling")
SAMPLING = ("temperature", "top_p", "top_k", "max_tokens")
_RUN_TIMES = ("expires_at", "started_at", "cancelled_at", "failed_at", "completed_at")
_STEP_TIMES = ("expired_at", "cancelled_at", "failed_at", "completed_at")


def new_id(kind: str) -> str:
    """`kind` is asst, thread, message, run or step."""
    return f"{kind}_{uuid.uuid4()}"


def text_part(text: str) -> Json:
    """A content part as messages have it."""
    return {"type": "text", "text": {"value": text, "annotations": []}}


@dataclass(slots=True)
class Assistant:
    """`fields`: model, name, description, instructions, tools, file_ids, metadata and sampling."""

    id: str
    account: str
    created_at: int
    fields: Json
    attached: dict[str, int] = field(default_factory=dict)
    """File ids with the time of their attachment."""

    def wire(self) -> Json:
        return {"id": self.id, "object": "assistant", "created_at": self.created_at, **self.fields}


@dataclass(slots=True)
class Message:
    id: str
    thread_id: str
    created_at: int
    role: str
    content: list[Json]
    assistant_id: str = ""
    run_id: str = ""
    file_ids: list[str] = field(default_factory=list)
    metadata: Json = field(default_factory=dict)
    completed_at: int = 0
    incomplete_at: int = 0
    incomplete_details: Json | None = None

    @property
    def text(self) -> str:
        return "".join(part["text"]["value"] for part in self.content if part.get("type") == "text")

    def wire(self) -> Json:
        return {
            "id": self.id,
            "object": "thread.message",
            "created_at": self.created_at,
            "thread_id": self.thread_id,
            "incomplete_details": self.incomplete_details,
            "completed_at": self.completed_at or None,
            "incomplete_at": self.incomplete_at or None,
            "role": self.role,
            "content": self.content,
            "assistant_id": self.assistant_id,
            "run_id": self.run_id,
            "file_ids": self.file_ids,
            "metadata": self.metadata,
        }


@dataclass(slots=True)
class Step:
    """`details` is `step_details`."""

    id: str
    created_at: int
    type: str
    details: Json
    status: str = "in_progress"
    last_error: Json | None = None
    times: dict[str, int] = field(default_factory=dict)

    def wire(self, run: Run) -> Json:
        return {
            "id": self.id,
            "object": "thread.run.step",
            "created_at": self.created_at,
            "assistant_id": run.assistant_id,
            "thread_id": run.thread_id,
            "run_id": run.id,
            "type": self.type,
            "status": self.status,
            "step_details": self.details,
            "last_error": self.last_error,
            **{name: self.times.get(name) or None for name in _STEP_TIMES},
            "metadata": {},
            "usage": None,
        }


@dataclass(slots=True)
class Run:
    """`settings`: model, instructions, tools, file_ids, sampling, truncation_strategy."""

    id: str
    thread_id: str
    assistant_id: str
    created_at: int
    settings: Json
    metadata: Json
    status: str = "queued"
    required_action: Json | None = None
    last_error: Json | None = None
    usage: Json | None = None
    times: dict[str, int] = field(default_factory=dict)
    switches: list[str] = field(default_factory=list)
    """Those of the request that began what it does now."""
    steps: list[Step] = field(default_factory=list)
    rounds: list[list[Json]] = field(default_factory=list)
    """What functions gave back, by request: name, arguments, output."""
    parked_at: int = 0

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def calls(self) -> list[Json]:
        """The function calls that `required_action` names."""
        action = self.required_action or {}
        calls: list[Json] = action.get("submit_tool_outputs", {}).get("tool_calls", [])
        return calls

    def wire(self) -> Json:
        settings = self.settings
        return {
            "id": self.id,
            "object": "thread.run",
            "created_at": self.created_at,
            "thread_id": self.thread_id,
            "assistant_id": self.assistant_id,
            "status": self.status,
            "required_action": self.required_action,
            "last_error": self.last_error,
            **{name: self.times.get(name) or None for name in _RUN_TIMES},
            **{name: settings[name] for name in ("model", "instructions", "tools", "file_ids")},
            "metadata": self.metadata,
            "usage": self.usage,
            **{name: settings[name] for name in (*SAMPLING, "truncation_strategy")},
        }

    def created_wire(self) -> Json:
        """The part of it that the reply to its creation tells."""
        left_out = ("required_action", "last_error", "usage", "truncation_strategy", *_RUN_TIMES)
        return {name: value for name, value in self.wire().items() if name not in left_out}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Run:
        return cls(**{**data, "steps": [Step(**step) for step in data["steps"]]})


@dataclass(slots=True)
class Thread:
    id: str
    account: str
    created_at: int
    metadata: Json
    messages: list[Message] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    @property
    def active_run(self) -> Run | None:
        return next((run for run in reversed(self.runs) if run.is_active), None)

    def wire(self) -> Json:
        return {"id": self.id, "object": "thread", "created_at": self.created_at, "metadata": self.metadata}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Thread:
        messages = [Message(**message) for message in data["messages"]]
        return cls(**{**data, "messages": messages, "runs": [Run.from_json(run) for run in data["runs"]]})


@dataclass(slots=True)
class StoredFile:
    """An uploaded file; its bytes lie in the object store under its id."""

    id: str
    account: str
    created_at: int
    name: str
    size: int
    md5: str
    purpose: str
    description: str = ""
