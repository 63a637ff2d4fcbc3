"""Records in, a conversation out. Pure: the same records always give the same conversation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from tui.cache.records import (
    AnswerRecord,
    FeedbackRecord,
    Head,
    IdsRecord,
    MetaRecord,
    PartialRecord,
    QuestionRecord,
    Record,
    StateRecord,
    TombstoneRecord,
)
from tui.models import ACTIVE, Conversation, Rating, Turn
from tui.services.accumulator import LiveTurn, merge_ids


class Fold:
    """A conversation while its records are read: `take` them in order, look at it at any time."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.updated_at = head.created_at
        self.deleted_at: datetime | None = None
        self.count = 0
        """Records taken: tells whether anything changed."""
        self._meta = MetaRecord()
        self._turns: dict[str, LiveTurn] = {}
        self._ratings: dict[str, Rating] = {}
        self._now = head.created_at

    def take(self, record: Record) -> None:
        self.count += 1
        self._now = record.at or self._now
        match record:
            case QuestionRecord():
                known = self._turns.get(record.turn)
                turn = known.snapshot() if known else Turn(record.turn, record.text, record.at)
                self._put(replace(turn, question=record.text, asked_at=record.at, attachments=record.attachments))
                if known is None and record.before in self._turns:
                    self._move(record.turn, record.before)
                self.updated_at = max(self.updated_at, self._now)
            case StateRecord(turn_id, state):
                self._turn(turn_id).set_state(state)
            case IdsRecord(turn_id, ids):
                turn = self._turn(turn_id).snapshot()
                self._put(replace(turn, ids=merge_ids(turn.ids, ids)))
            case PartialRecord(turn_id, events):
                live = self._turn(turn_id)
                for event in events:
                    live.apply(event)
                self.updated_at = self._now
            case AnswerRecord(turn):
                if turn.id in self._turns:
                    held = self._turns[turn.id].snapshot()
                    turn = replace(turn, question=held.question, asked_at=held.asked_at, attachments=held.attachments)
                self._put(replace(turn, rating=turn.rating or self._ratings.get(turn.id, "")))
                self.updated_at = max(self.updated_at, self._now)
            case FeedbackRecord(turn_id, rating):
                self._ratings[turn_id] = rating
                self._put(replace(self._turn(turn_id).snapshot(), rating=rating))
            case MetaRecord():
                self._change(record)
            case TombstoneRecord(restored):
                self.deleted_at = None if restored else self._now

    def _put(self, turn: Turn) -> None:
        self._turns[turn.id] = LiveTurn(turn, seconds=lambda: self._now.timestamp(), now=lambda: self._now)

    def _move(self, turn_id: str, before: str) -> None:
        """Put the newest turn in front of another one."""
        newest = self._turns.pop(turn_id)
        turns: dict[str, LiveTurn] = {}
        for known, live in self._turns.items():
            if known == before:
                turns[turn_id] = newest
            turns[known] = live
        self._turns = turns

    def _turn(self, turn_id: str) -> LiveTurn:
        if turn_id not in self._turns:  # its question was in a part of the file that is damaged
            self._put(Turn(turn_id, "", self._now))
        return self._turns[turn_id]

    def _change(self, record: MetaRecord) -> None:
        changes = {name: value for name in META_FIELDS if (value := getattr(record, name)) is not None}
        self._meta = replace(self._meta, **changes)

    def conversation(self) -> Conversation:
        """The conversation as the records taken so far tell it."""
        meta = self._meta
        return Conversation(
            id=self.head.id,
            service=self.head.service,
            title=self.head.title if meta.title is None else meta.title,
            created_at=self.head.created_at,
            updated_at=self.updated_at,
            remote_id=meta.remote_id or "",
            turns=tuple(live.snapshot() for live in self._turns.values()),
            unread=bool(meta.unread),
            pinned=bool(meta.pinned),
            archived=bool(meta.archived),
            tags=meta.tags or (),
            untagged=meta.untagged or (),
            options=self.head.options if meta.options is None else meta.options,
        )

    def active(self) -> list[str]:
        """The ids of the turns that a process is, or was, working on."""
        return [turn_id for turn_id, live in self._turns.items() if live.state in ACTIVE]


META_FIELDS = ("title", "remote_id", "pinned", "archived", "tags", "untagged", "unread", "options")


def fold(head: Head, records: Iterable[Record]) -> Conversation:
    """The conversation that `head` and `records` tell."""
    folded = Fold(head)
    for record in records:
        folded.take(record)
    return folded.conversation()


def interrupt(conversation: Conversation) -> Conversation:
    """The conversation with all turns that were in flight marked as interrupted: the process that ran them is gone."""
    turns = tuple(replace(turn, state="interrupted") if turn.state in ACTIVE else turn for turn in conversation.turns)
    return replace(conversation, turns=turns)
