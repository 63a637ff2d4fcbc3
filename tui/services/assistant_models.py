"""Assistants, their tools and what runs in their threads, as both backends of DashScope have them. No I/O.

Texts are clean (`tui.text.clean`). Times are aware datetimes in UTC, None where the service says "not happened",
for which it has null, 0 and -1. Source: protocol notes (DashScope) 4, 5 and 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final, Literal, Protocol, TypeAlias

from tui.models import Usage
from tui.services.keys import Secret

METADATA_PAIRS = 16
METADATA_KEY = 64
METADATA_VALUE = 512
"""Characters; documented for runs and steps, assumed for assistants."""
NAME_LIMIT = 64
"""Characters of a function's name, as the vendor's models take it."""


class Unset(Enum):
    """A field that is left as it is, which is not the same as one that is cleared."""

    UNSET = 0

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset.UNSET


# --- tools -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A function that the user's side runs. `parameters` is a JSON Schema of an object."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the function object that this version does not know; sent back as they came."""

    @property
    def type(self) -> str:
        return "function"


@dataclass(frozen=True, slots=True)
class PluginAuth:
    """What a plugin gets to act for the user; the token is shown nowhere."""

    token: Secret
    type: str = "user_http"


@dataclass(frozen=True, slots=True)
class BuiltinTool:
    """A tool that the service runs: one of `BUILTIN_TOOLS`, or a plugin by its id."""

    type: str
    auth: PluginAuth | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further keys, for example the knowledge bases of `rag`; sent back as they came."""


Tool: TypeAlias = FunctionTool | BuiltinTool

BUILTIN_TOOLS: tuple[str, ...] = (
    "code_interpreter",
    "quark_search",
    "text_to_image",
    "calculator",
    "generate_qrcode",
    "github_search",
    "rag",
)
"""What the vendor's pages name; `search` and `wanx` are older names of two of them."""


# --- assistants --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assistant:
    """An assistant as the service keeps it. Empty texts and None are "not set"."""

    id: str
    model: str
    name: str = ""
    description: str = ""
    instructions: str = ""
    tools: tuple[Tool, ...] = ()
    file_ids: tuple[str, ...] = ()
    """Of little effect: only the PDF plugin is known to look at them."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    temperature: float | None = None
    """0 to 2."""
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    created_at: datetime | None = None

    @property
    def functions(self) -> tuple[FunctionTool, ...]:
        return tuple(tool for tool in self.tools if isinstance(tool, FunctionTool))


@dataclass(frozen=True, slots=True)
class AssistantChange:
    """What is sent of an assistant: exactly the fields that are not UNSET. For creating one, `model` must be set.

    An empty text, an empty tuple or mapping and (sampling) None clear the field on the service.
    """

    model: str | Unset = UNSET
    name: str | Unset = UNSET
    description: str | Unset = UNSET
    instructions: str | Unset = UNSET
    tools: tuple[Tool, ...] | Unset = UNSET
    file_ids: tuple[str, ...] | Unset = UNSET
    metadata: Mapping[str, str] | Unset = UNSET
    temperature: float | Unset | None = UNSET
    top_p: float | Unset | None = UNSET
    top_k: int | Unset | None = UNSET
    max_tokens: int | Unset | None = UNSET

    @classmethod
    def between(cls, before: Assistant, after: Assistant) -> AssistantChange:
        """What leads from `before` to `after`."""
        changed = {
            name: getattr(after, name) for name in ASSISTANT_FIELDS if getattr(before, name) != getattr(after, name)
        }
        return cls(**changed)

    @classmethod
    def whole(cls, assistant: Assistant) -> AssistantChange:
        """What creates a copy of `assistant`: every field that is set."""
        blank = Assistant(id="", model="")
        return replace(cls.between(blank, assistant), model=assistant.model)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that are set, in the order of the service's documentation."""
        return tuple(name for name in ASSISTANT_FIELDS if getattr(self, name) is not UNSET)

    def __bool__(self) -> bool:
        return bool(self.names)

    def applied(self, assistant: Assistant) -> Assistant:
        """`assistant` after this change."""
        return replace(assistant, **{name: getattr(self, name) for name in self.names})


ASSISTANT_FIELDS: tuple[str, ...] = tuple(item.name for item in fields(AssistantChange))
"""The fields of an assistant that can be changed, in the order of the service's documentation."""


@dataclass(frozen=True, slots=True)
class AssistantProfile:
    """An assistant of this machine, run through the Responses API. `id` names it in a conversation's `profile`."""

    id: str
    model: str
    name: str = ""
    description: str = ""
    instructions: str = ""
    tools: tuple[Tool, ...] = ()
    """Built-in tools under the names of the Responses API (`web_search`, `code_interpreter` ...), and functions."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """For the user's own order; not sent."""
    temperature: float | None = None
    """0 to 2, without 2."""
    top_p: float | None = None
    """Above 0, to 1."""
    max_output_tokens: int | None = None
    """16 at least."""
    thinking: bool | None = None
    """None leaves it to the model; new ones think, which costs tokens."""
    carried_from: str = ""
    """The id of the assistant that it was made from."""

    @property
    def functions(self) -> tuple[FunctionTool, ...]:
        return tuple(tool for tool in self.tools if isinstance(tool, FunctionTool))


class ProfileSource(Protocol):
    """Who keeps the local profiles."""

    async def profile(self, profile_id: str) -> AssistantProfile | None:
        """The profile as it is now; None where there is none of this id."""


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """One of the account's models. Not all of them can be an assistant's: the service lists models in general."""

    id: str
    name: str = ""
    description: str = ""


# --- what runs ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Thread:
    id: str
    created_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """A message of a thread; `text` is all its text parts, and `images` the ids of its pictures."""

    id: str
    thread_id: str
    role: str
    text: str
    created_at: datetime | None = None
    run_id: str = ""
    assistant_id: str = ""
    images: tuple[str, ...] = ()
    file_ids: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


RunStatus = Literal[
    "queued",
    "in_progress",
    "requires_action",
    "cancelling",
    "cancelled",
    "failed",
    "completed",
    "expired",
    "incomplete",
]
RUN_OVER: frozenset[str] = frozenset({"cancelled", "failed", "completed", "expired", "incomplete"})
"""Statuses after which a run does nothing more; in all others its thread is occupied."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that waits for its output. The service gives ids that are empty, so outputs go in the calls' order."""

    id: str
    name: str
    arguments: str
    """JSON text, as the model wrote it: it may be broken."""


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a call gave; a structure is JSON text."""

    call_id: str
    output: str


@dataclass(frozen=True, slots=True)
class Run:
    id: str
    thread_id: str
    assistant_id: str
    status: str
    """A `RunStatus`, or a name that this version does not know."""
    calls: tuple[ToolCall, ...] = ()
    """What it waits for; only in the status `requires_action`."""
    error_code: str = ""
    error_message: str = ""
    usage: Usage | None = None
    model: str = ""
    created_at: datetime | None = None
    request_id: str = ""

    @property
    def is_over(self) -> bool:
        return self.status in RUN_OVER


@dataclass(frozen=True, slots=True)
class StepCall:
    """One call inside a step; `name` is the tool's type, or the function's name."""

    id: str
    type: str
    name: str
    arguments: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class RunStep:
    id: str
    run_id: str
    type: Literal["message_creation", "tool_calls"]
    status: str
    message_id: str = ""
    calls: tuple[StepCall, ...] = ()
    error: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ServiceFile:
    """A file that was uploaded to the service."""

    id: str
    name: str
    description: str = ""
    size: int = 0
    """Bytes; 0 where not known."""
    url: str = ""
    """A signed link, which ends; empty where the service gave none."""
    purpose: str = ""
    created_at: datetime | None = None
