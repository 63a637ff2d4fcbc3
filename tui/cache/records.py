"""What a conversation's file says, one record after the other. Later records override earlier ones of the same turn.

`at` is when a record was made (aware, UTC); the store fills it in where it is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from tui.models import FileBlock, Rating, ServiceName, Turn, TurnIds, TurnState
from tui.services.events import Event


@dataclass(frozen=True, slots=True)
class Head:
    """How a file begins."""

    id: str
    service: ServiceName
    created_at: datetime
    title: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """A question was asked: a new turn, queued. `options` are what it is sent with."""

    turn: str
    at: datetime
    text: str
    options: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    """The turn in front of which this one belongs; empty for at the end. Of turns that were asked elsewhere."""
    attachments: tuple[FileBlock, ...] = ()
    """See `Turn.attachments`."""

    @classmethod
    def of(cls, turn: Turn, *, before: str = "") -> QuestionRecord:
        """The record of a turn that was asked elsewhere or earlier."""
        return cls(turn.id, turn.asked_at, turn.question, before=before, attachments=turn.attachments)


@dataclass(frozen=True, slots=True)
class StateRecord:
    """The turn's state changed. `sending` is on disk before the request leaves: that is how a question is sent
    at most once even when the program dies in between."""

    turn: str
    state: TurnState
    at: datetime | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class IdsRecord:
    """The service's ids became known; what is empty here leaves what was known."""

    turn: str
    ids: TurnIds
    at: datetime | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class PartialRecord:
    """A batch of what came of the answer, coalesced (`tui.services.accumulator.coalesce`)."""

    turn: str
    events: tuple[Event, ...]
    at: datetime | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """The whole turn as it stands, in place of all earlier records of it but the question, which stays in its own,
    with its time and its attachments."""

    turn: Turn
    at: datetime | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class FeedbackRecord:
    turn: str
    rating: Rating
    comment: str = ""
    at: datetime | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaRecord:
    """What changed of the conversation itself; None is unchanged."""

    title: str | None = None
    remote_id: str | None = None
    pinned: bool | None = None
    archived: bool | None = None
    tags: tuple[str, ...] | None = None
    untagged: tuple[str, ...] | None = None
    """Tags that were found by themselves and taken off by hand."""
    unread: bool | None = None
    options: Mapping[str, str] | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TombstoneRecord:
    """The conversation was put into the trash, or (`restored`) taken out of it."""

    restored: bool = False
    at: datetime | None = field(default=None, kw_only=True)


Record: TypeAlias = (
    QuestionRecord
    | StateRecord
    | IdsRecord
    | PartialRecord
    | AnswerRecord
    | FeedbackRecord
    | MetaRecord
    | TombstoneRecord
)
