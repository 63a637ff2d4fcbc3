"""Whole conversations that come from elsewhere: an export of this program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tui.cache.ids import is_conversation_id
from tui.cache.records import AnswerRecord, MetaRecord, QuestionRecord, Record
from tui.cache.store import Store
from tui.models import ACTIVE, Conversation

_AGREED = frozenset({"approval", "skip"})
"""Options that let something run unasked: agreed to there, and not here."""


async def take_in(store: Store, conversations: Sequence[Conversation]) -> list[str]:
    """Keep those that are not here yet; their ids. One that was deleted here comes back under a new id."""
    listed = await store.summaries()
    ids = {summary.id for summary in listed}
    remote = {(summary.service, summary.remote_id) for summary in listed if summary.remote_id}
    taken: list[str] = []
    for conversation in conversations:
        if conversation.id in ids or (conversation.service, conversation.remote_id) in remote:
            continue
        is_free = is_conversation_id(conversation.id) and not await _is_there(store, conversation.id)
        made = await store.create(
            conversation.service,
            conversation.title,
            {name: value for name, value in conversation.options.items() if name not in _AGREED},
            conversation_id=conversation.id if is_free else "",
            created_at=conversation.created_at,
        )
        await store.append(made.id, *_records(conversation), sync=True)
        await store.release(made.id)
        ids.add(conversation.id)
        remote |= {(conversation.service, conversation.remote_id)} if conversation.remote_id else set()
        taken.append(made.id)
    return taken


async def _is_there(store: Store, conversation_id: str) -> bool:
    """In the trash: it is not listed, and its file is there."""
    try:
        await store.load(conversation_id)
    except KeyError:
        return False
    await store.release(conversation_id)
    return True


def _records(conversation: Conversation) -> Iterator[Record]:
    """The records that tell a conversation. What was in flight when it was exported is interrupted."""
    yield MetaRecord(
        title=conversation.title,
        remote_id=conversation.remote_id,
        pinned=conversation.pinned,
        archived=conversation.archived,
        tags=conversation.tags,
        untagged=conversation.untagged,
        at=conversation.created_at,
    )
    for turn in conversation.turns:
        yield QuestionRecord.of(turn)
        known = replace(turn, state="interrupted") if turn.state in ACTIVE else turn
        yield AnswerRecord(known, at=turn.finished_at or turn.asked_at)
