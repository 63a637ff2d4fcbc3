"""What is searched for, what is searched of a turn, and what a hit shows of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from tui.models import (
    AskBlock,
    Block,
    ChartBlock,
    CodeBlock,
    DocumentBlock,
    FileBlock,
    NoticeBlock,
    PlanBlock,
    ServiceName,
    SuggestionsBlock,
    TableBlock,
    TextBlock,
    ThinkingBlock,
    ToolBlock,
    Turn,
)

BEFORE, AROUND = 30, 160
"""Characters of a snippet before its first hit, and in all."""


@dataclass(frozen=True)
class Wanted:
    """What to search for. All of `words` (each a run of characters, in any case) stand in one turn."""

    words: tuple[str, ...] = ()
    services: frozenset[ServiceName] = frozenset()
    """Empty for all."""
    since: datetime | None = None
    until: datetime | None = None
    """Turns asked at `since` or later, and before `until`."""
    conversations: frozenset[str] | None = None
    """Only these; None for all."""

    @cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        return [re.compile(re.escape(word), re.IGNORECASE) for word in self.words]

    @cached_property
    def as_bytes(self) -> tuple[bytes, ...]:
        """The words as they stand in the bytes of a conversation's file, in lower case."""
        return tuple(word.replace("\\", "\\\\").replace('"', '\\"').encode().lower() for word in self.words)

    def takes_time(self, asked_at: datetime) -> bool:
        return (self.since is None or asked_at >= self.since) and (self.until is None or asked_at < self.until)

    def takes_conversation(self, conversation_id: str, service: ServiceName) -> bool:
        return (not self.services or service in self.services) and (
            self.conversations is None or conversation_id in self.conversations
        )

    def matches(self, text: str) -> bool:
        return all(pattern.search(text) for pattern in self._patterns)

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """The (start, end) of all words in `text`, in order, overlaps joined."""
        joined: list[tuple[int, int]] = []
        for start, end in sorted(match.span() for pattern in self._patterns for match in pattern.finditer(text)):
            if joined and start <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((start, end))
        return tuple(joined)

    def first(self, text: str) -> int:
        """Where the first of the words begins in `text`; 0 where none does."""
        return min((found.start() for pattern in self._patterns if (found := pattern.search(text))), default=0)


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A turn in which everything stands that was searched for."""

    conversation_id: str
    turn_id: str
    """Empty for a conversation's title."""
    asked_at: datetime
    snippet: str
    """One line around the first hit."""
    spans: tuple[tuple[int, int], ...] = field(default=())
    """(start, end) of the words in `snippet`."""


def hit_of(wanted: Wanted, conversation_id: str, turn_id: str, asked_at: datetime, text: str) -> SearchHit:
    """The hit that a text is, with its snippet."""
    at = wanted.first(text)
    start = max(0, at - BEFORE)
    if start:  # not in the middle of a word, where there is a gap not far off
        gap = text.find(" ", start, at)
        start = gap + 1 if gap >= 0 else start
    line = " ".join(text[start : start + AROUND].split())
    snippet = f"…{line}" if start else line
    return SearchHit(conversation_id, turn_id, asked_at, snippet, wanted.spans(snippet))


def text_of(turn: Turn) -> str:
    """Everything of a turn that somebody may search for, the question first."""
    blocks = (*turn.attachments, *turn.blocks)
    pieces = [turn.question, *(piece for block in blocks for piece in _pieces(block))]
    if turn.problem is not None:
        pieces += [turn.problem.title, turn.problem.sentence, turn.problem.code, turn.problem.request_id]
    pieces += [turn.ids.request, turn.ids.message]
    return "\n".join(piece for piece in pieces if piece)


def _pieces(block: Block) -> Iterator[str]:
    match block:
        case TextBlock(text) | ThinkingBlock(text) | NoticeBlock(text):
            yield text
        case ToolBlock(_, name, _, arguments, result):
            yield from (name, arguments, result)
        case CodeBlock():
            yield from (block.title, block.source)
            for output in block.outputs:
                yield from (output.text, output.error)
                if output.table is not None:
                    yield from _pieces(output.table)
        case TableBlock(columns, rows, title):
            yield title
            yield " ".join(columns)
            yield from (" ".join(row) for row in rows)
        case ChartBlock():
            yield block.title
            yield from _pieces(block.data)
        case DocumentBlock(title, links, text):
            yield from (title, text, *(link.title for link in links), *(link.url for link in links))
        case PlanBlock(steps):
            yield from (step.title for step in steps)
        case FileBlock(name, file_id):
            yield from (name, file_id)
        case SuggestionsBlock(items):
            yield from items
        case AskBlock():
            yield from (block.text, block.details, block.answered)
            for call in block.calls:
                yield from (call.name, call.arguments)


__all__ = ["SearchHit", "Wanted", "hit_of", "text_of"]
