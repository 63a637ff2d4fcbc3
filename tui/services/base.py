"""What every conversation service offers to the layers above, and the shapes of its requests and replies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, Protocol, TypeVar, runtime_checkable

from tui.models import AskBlock, Block, Position, Rating, ServiceName, Turn, TurnIds
from tui.services.events import Event
from tui.text import clean_line
from tui.words import _

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What screens may offer for this service."""

    stop: bool = False
    history: bool = False
    """Conversations and messages can be read back from the service."""
    feedback: bool = False
    agents: bool = False
    files: bool = False
    resume: bool = False
    """A running stream can be rejoined (DMS checkpoints)."""


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """One question. `conversation` is the service's id, empty for a new conversation."""

    text: str
    conversation: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    """`region`, `language`, `timezone`, `model`, `thinking`, `effort`, `approval`, `agent`, `resume_call` ..."""
    turn: str = ""
    """Our name of the turn: lets `stop` find it while the service has not named it yet."""
    position: Position | None = None
    """Where the conversation's turn before this one ended; only for services whose streams can be resumed."""
    history: tuple[Turn, ...] = ()
    """The conversation's turns before this one, oldest first; for a service that keeps less than we do."""


@dataclass(frozen=True, slots=True)
class TurnRef:
    """A turn that was begun earlier and is looked for again: its question, its time and the ids that are known."""

    question: str
    asked_at: datetime
    ids: TurnIds
    text: str = ""
    """The answer text that is held already."""
    position: Position | None = None
    """Up to where it is held, for a stream that can be resumed."""
    blocks: tuple[Block, ...] = ()
    """The answer that is held already."""


ReplyAction = Literal["approve", "approve_all", "change", "reply", "refuse"]


@dataclass(frozen=True, slots=True)
class AskReply:
    """What the user answers.

    `approve` a plan, a statement or a report; `approve_all` this statement and all later ones; `change` a plan or
    statement as `text` says; `reply` to a question with `text`, to calls of functions with `outputs`; `refuse`: stop
    the run, or do without the report.
    """

    action: ReplyAction
    text: str = ""
    outputs: tuple[str, ...] = ()
    """For `tool_outputs`: what each of the ask's calls gave, in their order; a structure is JSON text."""

    def outputs_for(self, ask: AskBlock) -> tuple[str, ...]:
        """What the calls gave; the text is the output where there is one call alone."""
        return self.outputs or ((self.text,) if self.text and len(ask.calls) == 1 else ())

    def in_words(self) -> str:
        """What stands beside the ask once it is answered; never empty. Outputs are whole in the calls' own blocks."""
        return (
            self.text
            or "\n".join(clean_line(output) for output in self.outputs)
            or {"approve": _("yes"), "approve_all": _("yes, all"), "refuse": _("no")}.get(self.action, self.action)
        )


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """One answer to what the service asked in a turn that waits."""

    ref: TurnRef
    ask: AskBlock
    reply: AskReply
    options: Mapping[str, str] = field(default_factory=dict)
    turn: str = ""
    """As `TurnRequest.turn`."""
    history: tuple[Turn, ...] = ()
    """As `TurnRequest.history`."""


StopOutcome = Literal[
    "stopped",
    "remembered",  # the service has not named its task yet; told to stop as soon as it does
    "already_over",
    "not_possible",
]


@dataclass(frozen=True, slots=True)
class Page:
    after: str = ""
    """The id that the page before ended with; empty for the first page."""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class PageOf(Generic[T]):
    items: tuple[T, ...]
    next: Page | None = None


RemoteStatus = Literal["idle", "running", "pending_approval"]


@dataclass(frozen=True, slots=True)
class RemoteConversation:
    """A conversation as the service lists it."""

    id: str
    title: str
    created_at: datetime | None = None
    updated_at: datetime | None = None
    status: RemoteStatus = "idle"


@runtime_checkable
class AskAnswerer(Protocol):
    """A service whose asks are answered within the turn that asked."""

    def answer(self, request: AnswerRequest) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Send one answer, at most once, and iterate over what comes, as `ConversationService.stream` does.

        Where it is not taken, the ask comes again as an open one, and the turn ends as waiting.
        """


@runtime_checkable
class ConversationDeleter(Protocol):
    """A service that can delete a conversation of its own."""

    def can_delete(self, conversation: str) -> bool:
        """Whether the conversation of this id is one that can be deleted."""

    async def delete_conversation(self, conversation: str) -> None:
        """Delete it for good; one that is not there any more is no error. Raises ServiceError."""


class ConversationService(Protocol):
    """One assistant service.

    All methods raise `tui.services.errors.ServiceError`; `stream` and `recover` end with `Finished` or `Failed`
    instead of raising once the first event is out. No method is ever retried by its caller.
    """

    @property
    def name(self) -> ServiceName: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def stream(self, request: TurnRequest) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Send one question, at most once, and iterate over what comes. Closing the context closes the connection.

        Entering raises ServiceError where nothing could be sent or the service refused before its stream began.
        """

    async def stop(self, ids: TurnIds, turn: str = "") -> StopOutcome:
        """Stop the service's work on a running turn, once; keep reading the stream afterwards.

        `turn` is `TurnRequest.turn`; with it a turn that has no ids yet can be stopped too.
        """

    def recover(self, turn: TurnRef) -> AsyncIterator[Event]:
        """What the service has of a turn whose stream was lost: never sends the question again."""

    async def conversations(self, page: Page) -> PageOf[RemoteConversation]: ...

    async def history(self, conversation: str, page: Page) -> PageOf[Turn]:
        """A page of turns, oldest first within the page; `next` leads to older ones."""

    async def feedback(self, ids: TurnIds, rating: Rating, comment: str = "") -> None: ...

    async def aclose(self) -> None: ...
