"""A thread's messages as turns: how a thread that was adopted by its id comes into the list. Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from tui.models import Block, FileBlock, TextBlock, Turn, TurnIds
from tui.services.assistant_models import ThreadMessage
from tui.services.dashscope_threads import Threads

_NO_TIME = datetime.fromtimestamp(0, UTC)


async def thread_turns(threads: Threads, thread_id: str) -> list[Turn]:
    """All turns of a thread, oldest first."""
    return turns_of(await threads.all_messages(thread_id))


def turns_of(messages: Sequence[ThreadMessage]) -> list[Turn]:
    """Turns of messages that come oldest first: a question of the user with all that follows it."""
    turns: list[Turn] = []
    group: list[ThreadMessage] = []
    for message in messages:
        if message.role == "user" and group:
            turns.append(_turn(group))
            group = []
        group.append(message)
    if group:
        turns.append(_turn(group))
    return turns


def _turn(group: Sequence[ThreadMessage]) -> Turn:
    question = group[0] if group[0].role == "user" else None
    answers = group[1:] if question else group
    blocks: list[Block] = []
    for message in answers:
        if message.text:
            blocks.append(TextBlock(message.text))
        blocks += [FileBlock(name=image, file_id=image, kind="image") for image in message.images]
    newest = group[-1]
    return Turn(
        id=group[0].id,
        question=question.text if question else "",
        asked_at=group[0].created_at or _NO_TIME,
        state="done" if answers else "cut_off",
        blocks=tuple(blocks),
        ids=TurnIds(
            conversation=newest.thread_id,
            message=newest.id,
            task=next((message.run_id for message in reversed(answers) if message.run_id), ""),
        ),
        finished_at=newest.created_at if answers else None,
    )
