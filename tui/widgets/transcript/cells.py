"""Text in terminal cells: breaking lines, cutting, padding. All widths are those that Textual's compositor believes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TypeAlias

from rich.cells import cell_len, split_graphemes

from tui.text import clean

Span: TypeAlias = tuple[str, int]
"""A piece of text and its style key (`styles.Style`)."""
Spans: TypeAlias = tuple[Span, ...]

# Wide characters between which a line may break; emoji are not among them, so that their sequences stay whole.
_WIDE = (
    "\u1100-\u115f\u2e80-\u2fff\u3003-\u3007\u3012-\u3013\u3021-\u303e\u3041-\u3096\u3099-\ua4cf\uac00-\ud7a3"
    "\uf900-\ufaff\ufe30-\ufe6f\uff02-\uff07\uff0a-\uff0b\uff0d\uff0f-\uff19\uff1c-\uff1e\uff20-\uff3a\uff3c"
    "\uff3e-\uff5a\uff5c\uff5e\uff66-\uff9d\uffe0-\uffe6\U00020000-\U0003fffd"
)
_CLOSING = "，。！？；：、）」』》】〉〕〗…—”’·％,.!?;:)]}»"
_OPENING = "（「『《【〈〔〖“‘"
_MARKS = "\u0300-\u036f\u3099\u309a\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0100-\U000e01ef"
_SPACE = " \u2000-\u200a\u3000"
_SPACES = frozenset(" \u3000" + "".join(map(chr, range(0x2000, 0x200B))))
_ONE_PIECE = 4096
"""Longer runs without a break are cut here first, so that measuring them stays linear."""


def plain(text: str) -> str:
    """`text` without anything that could drive a terminal; what Markdown entities may bring back is caught here."""
    return text if text.isprintable() else clean(text)


def width_of(spans: Sequence[Span]) -> int:
    return sum(cell_len(text) for text, _ in spans)


def graphemes(text: str, limit: int) -> Iterator[tuple[int, int]]:
    """Ranges of `text` of at most `limit` cells each, never cutting a cluster."""
    limit = max(2, limit)
    if text.isascii():
        for start in range(0, len(text), limit):
            yield start, min(len(text), start + limit)
        return
    for base in range(0, len(text), _ONE_PIECE):
        piece = text[base : base + _ONE_PIECE]
        start, cells = 0, 0
        for begin, _, size in split_graphemes(piece)[0]:
            if cells + size > limit:
                yield base + start, base + begin
                start, cells = begin, 0
            cells += size
        yield base + start, base + len(piece)


def cut(text: str, limit: int, ellipsis: str = "…") -> str:
    """`text` in at most `limit` cells, with `ellipsis` where something was left out."""
    if len(text) <= limit and (text.isascii() or cell_len(text) <= limit):
        return text
    if limit <= 0:
        return ""
    head = text[: limit + 64]
    if len(head) == len(text) and cell_len(text) <= limit:
        return text
    room = limit - cell_len(ellipsis)
    if room <= 0:
        return ellipsis[:limit]
    start, end = next(graphemes(head, room)) if room > 1 or head.isascii() else (0, 1)
    kept = head[start:end]
    return kept + ellipsis if cell_len(kept) <= room else ellipsis


def pad(text: str, cells: int, align: str = "left") -> str:
    """`text` filled with spaces to `cells`; never cut."""
    room = cells - cell_len(text)
    if room <= 0:
        return text
    if align == "right":
        return " " * room + text
    if align == "center":
        return " " * (room // 2) + text + " " * (room - room // 2)
    return text + " " * room


_ASCII_WORD = re.compile(" +|[^ ]+")
"""What `_word` finds in ASCII; the other takes ten milliseconds to compile."""


@cache
def _word() -> re.Pattern[str]:
    """A word with the marks that stay with it."""
    return re.compile(
        f"[{_SPACE}]+"
        f"|[{_OPENING}]*[{_WIDE}][{_MARKS}]*[{re.escape(_CLOSING)}]*"
        f"|[{_OPENING}]*[^{_SPACE}{_WIDE}{_OPENING}]+"
        "|.",
        re.DOTALL,
    )


def _ranges(text: str, width: int) -> list[tuple[int, int]]:
    """Where the lines of `text` begin and end; spaces at a break belong to neither line."""
    if text and not text[0].isspace() and not text[-1].isspace() and cell_len(text) <= width:
        return [(0, len(text))]
    words = _ASCII_WORD if text.isascii() else _word()
    lines: list[tuple[int, int]] = []
    begin = end = cells = gap = 0
    empty = True
    for match in words.finditer(text):
        word = match.group()
        size = cell_len(word)
        if word[0] in _SPACES:
            gap += size
            continue
        start = match.start()
        if not empty and cells + gap + size > width:
            lines.append((begin, end))
            empty = True
        if empty:
            indent = gap if not lines and gap <= width // 2 else 0  # the first line keeps its indentation
            begin, cells, gap = (0 if indent else start), indent, 0
        if cells + gap + size > width:
            for piece_start, piece_end in graphemes(word, width):
                if end > begin and not empty:
                    lines.append((begin, end))
                begin, end, empty = start + piece_start, start + piece_end, False
            cells = cell_len(text[begin:end])
            continue
        cells += gap + size
        gap, end, empty = 0, match.end(), False
    if not empty:
        lines.append((begin, end))
    return lines


def slice_spans(spans: Sequence[Span], ranges: Sequence[tuple[int, int]]) -> list[Spans]:
    """The parts of `spans` that lie in each of the `ranges` of their joined text; ranges ascend."""
    if len(spans) == 1:
        text, key = spans[0]
        return [((text[start:end], key),) if end > start else () for start, end in ranges]
    result: list[Spans] = []
    index = base = 0
    for start, end in ranges:
        line: list[Span] = []
        while index < len(spans) and base + len(spans[index][0]) <= start:
            base += len(spans[index][0])
            index += 1
        at, offset = index, base
        while at < len(spans) and offset < end:
            text, key = spans[at]
            piece = text[max(0, start - offset) : end - offset]
            if piece:
                line.append((piece, key))
            offset += len(text)
            at += 1
        result.append(tuple(line))
    return result


def merge(spans: Sequence[Span]) -> Spans:
    """Neighbours of one style joined, and no cluster of characters left astride two spans."""
    if len(spans) < 2:
        return tuple(span for span in spans if span[0])
    merged: list[Span] = []
    for text, key in spans:
        if not text:
            continue
        if merged:
            before, before_key = merged[-1]
            if before_key == key:
                merged[-1] = (before + text, key)
                continue
            if not text.isascii():
                # A mark that combines with the character before it goes along with that character.
                joined = before.endswith("\u200d")
                count = 1 if joined else 0
                while count < len(text) and (cell_len(text[count]) == 0 or text[count] == "\ufe0f"):
                    count += 1
                if count:
                    merged[-1] = (before + text[:count], before_key)
                    text = text[count:]
                    if not text:
                        continue
        merged.append((text, key))
    return tuple(merged)


def wrap(spans: Sequence[Span], width: int) -> list[Spans]:
    """`spans` broken into lines of at most `width` cells; at spaces, between Chinese characters, else anywhere.

    A newline in the text always breaks. Closing punctuation does not begin a line where the word before it fits
    with it. Empty text is one empty line.
    """
    width = max(2, width)
    spans = merge(spans)
    if not spans:
        return [()]
    text = spans[0][0] if len(spans) == 1 else "".join([piece for piece, _ in spans])
    if "\n" not in text and (len(text) <= width if text.isascii() else cell_len(text) <= width):
        return [tuple(spans)]
    if "\n" not in text:
        return slice_spans(spans, _ranges(text, width)) or [()]
    ranges: list[tuple[int, int]] = []
    offset = 0
    for part in text.split("\n"):
        found = _ranges(part, width) or [(0, 0)]
        ranges += [(offset + start, offset + end) for start, end in found]
        offset += len(part) + 1
    return slice_spans(spans, ranges)


def chop(spans: Sequence[Span], width: int) -> list[Spans]:
    """`spans` broken every `width` cells wherever that falls, as code is; spaces are kept."""
    spans = merge(spans)
    if not spans:
        return [()]
    text = spans[0][0] if len(spans) == 1 else "".join([piece for piece, _ in spans])
    if len(text) <= width if text.isascii() else cell_len(text) <= width:
        return [tuple(spans)]
    return slice_spans(spans, list(graphemes(text, width)))


def expand_tabs(text: str, size: int = 4) -> str:
    """Tabs to spaces, counted in cells."""
    if "\t" not in text:
        return text
    if text.isascii():
        return text.expandtabs(size)
    out: list[str] = []
    column = 0
    for index, part in enumerate(text.split("\t")):
        if index:
            room = size - column % size
            out.append(" " * room)
            column += room
        out.append(part)
        column += cell_len(part)
    return "".join(out)
