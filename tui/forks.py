"""A conversation that goes another way from one of its questions on: a new one, and the old one stays as it is."""

from __future__ import annotations

import uuid
from dataclasses import replace

from tui.cache.records import AnswerRecord, MetaRecord, QuestionRecord
from tui.cache.store import Store
from tui.memory import Memory
from tui.models import AskBlock, Block, Conversation, NoticeBlock, Turn, TurnIds
from tui.services.backends import backend_of
from tui.words import _


async def fork(store: Store, memory: Memory, conversation: Conversation, turn_id: str) -> str:
    """A new conversation with the turns before `turn_id`, to be read; its id.

    The service has nothing of it: its next question begins a conversation there, and a note says so. The copies have
    no ids of the service, so that nothing that is done to them reaches the old conversation.

    Raises:
        KeyError: no such turn.
    """
    numbers = [number for number, turn in enumerate(conversation.turns) if turn.id == turn_id]
    if not numbers:
        raise KeyError(turn_id)
    before = conversation.turns[: numbers[0]]
    title = _("{title} (fork)").format(title=conversation.title or _("untitled"))
    made = await store.create(conversation.service, title, conversation.options)
    copies = [_copy(turn) for turn in before if turn.state != "queued"]
    if copies:
        said = _("Forked from “{title}”: the service begins anew, and does not know what stands above.")
        if conversation.service == "dashscope" and backend_of(conversation.options) == "responses":
            said = _("Forked from “{title}”: what stands above goes with the next question.")
        note = NoticeBlock(said.format(title=conversation.title))
        copies[-1] = replace(copies[-1], blocks=(*copies[-1].blocks, note))
    memory.open[made.id] = replace(made, title=title, turns=tuple(copies))
    records = [record for turn in copies for record in (QuestionRecord.of(turn), AnswerRecord(turn))]
    if records:
        await memory.keep(made.id, MetaRecord(title=title), *records, sync=True)
        memory.put_line(memory.open[made.id])
    return made.id


def _copy(turn: Turn) -> Turn:
    state = turn.state if turn.final else "done"
    blocks = tuple(_closed(block) for block in turn.blocks)
    return replace(turn, id=uuid.uuid4().hex, ids=TurnIds(), position=None, rating="", state=state, blocks=blocks)


def _closed(block: Block) -> Block:
    if isinstance(block, AskBlock) and not block.answered:
        return replace(block, answered=_("in the other conversation"))
    return block


def quoted(text: str) -> str:
    """`text` as a Markdown quote, an empty line after it."""
    lines = text.strip("\n").split("\n")
    return "\n".join(f"> {line}".rstrip() for line in lines) + "\n\n"


def told_before(turns: tuple[Turn, ...], characters: int) -> str:
    """What was said in `turns`, as a quote of at most about `characters`: the newest of it, the oldest left out."""
    parts: list[str] = []
    left = characters
    for turn in reversed(turns):
        answer = turn.answer
        room = max(0, left - len(turn.question))
        if room < 200 and parts:
            break
        if len(answer) > room:
            answer = answer[: max(200, room)].rstrip() + " …"
        parts.append(quoted(f"**{turn.question.strip()}**\n\n{answer}"))
        left -= len(parts[-1])
    return "".join(reversed(parts))
