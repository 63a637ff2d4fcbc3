"""Find in a conversation: in the source of all blocks, folded or not, and then where that stands in the lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tui.models import Block, CellOutput, ChartBlock, CodeBlock, TableBlock, Turn
from tui.widgets.transcript.blocks import table_text
from tui.widgets.transcript.cells import Spans
from tui.widgets.transcript.lines import QUESTION
from tui.widgets.transcript.sections import source_of
from tui.widgets.transcript.styles import Kind

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Match:
    turn: str
    section: int
    """Index of the block; `QUESTION` for the question."""
    position: int
    """Offset in the block's source."""
    ordinal: int
    """Which match of its block it is, from 0."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a line that is to be marked, in characters."""

    start: int
    end: int
    current: bool = False


def source_pattern(query: str) -> re.Pattern[str]:
    """Finds `query` in source, in any case; a space stands for any space."""
    return re.compile(r"\s+".join(re.escape(part) for part in query.split()), re.IGNORECASE)


def line_pattern(query: str) -> re.Pattern[str]:
    """Finds `query` in lines joined by newlines, also where it was broken."""
    words = [r"(?:\n\s*)?".join(re.escape(char) for char in part) for part in query.split()]
    return re.compile(r"\s+".join(words), re.IGNORECASE)


def find_all(turns: Sequence[Turn], query: str) -> list[Match]:
    """All matches, in the order of the conversation."""
    if not query.strip():
        return []
    pattern = source_pattern(query)
    matches: list[Match] = []
    for turn in turns:
        for section, source in [(QUESTION, turn.question), *enumerate(map(searchable, turn.blocks))]:
            for ordinal, match in enumerate(pattern.finditer(source)):
                matches.append(Match(turn.id, section, match.start(), ordinal))
                if len(matches) >= _MOST:
                    return matches
    return matches


def searchable(block: Block) -> str:
    """All text of a block."""
    match block:
        case TableBlock():
            return block.title + "\n" + table_text(block)
        case ChartBlock():
            return block.title + "\n" + table_text(block.data)
        case CodeBlock():
            return "\n".join([block.title, block.source, *map(_output, block.outputs)])
        case _:
            return source_of(block)


def _output(output: CellOutput) -> str:
    return "\n".join([output.text, output.error, table_text(output.table) if output.table else ""])


def marks_in(texts: Sequence[str], pattern: re.Pattern[str]) -> dict[int, list[Mark]]:
    """The matches in lines, by line; one that was broken marks each line it stands on."""
    found: dict[int, list[Mark]] = {}
    starts = [0]
    for text in texts:
        starts.append(starts[-1] + len(text) + 1)
    line = 0
    for match in pattern.finditer("\n".join(texts)):
        while starts[line + 1] <= match.start():
            line += 1
        at = line
        while at < len(texts) and starts[at] < match.end():
            begin = max(0, match.start() - starts[at])
            end = min(len(texts[at]), match.end() - starts[at])
            if begin < end:
                found.setdefault(at, []).append(Mark(begin, end))
            at += 1
    return found


def marked(spans: Spans, marks: Sequence[Mark]) -> Spans:
    """`spans` with the `marks` laid over them."""
    result: list[tuple[str, int]] = []
    offset = 0
    for text, key in spans:
        at = 0
        for mark in marks:
            begin, end = max(0, mark.start - offset), min(len(text), mark.end - offset)
            if begin >= end or end <= at:
                continue
            kind = Kind.MATCH_CURRENT if mark.current else Kind.MATCH
            result += [(text[at:begin], key), (text[begin:end], kind.key | (key & 15))]
            at = end
        result.append((text[at:], key))
        offset += len(text)
    return tuple(span for span in result if span[0])
