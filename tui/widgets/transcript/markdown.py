"""Block tokens of Markdown to lines: our own small renderer, for pieces that are complete in themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.widgets.transcript.cells import Span, Spans, wrap
from tui.widgets.transcript.code import code_block, language_of
from tui.widgets.transcript.lines import Look
from tui.widgets.transcript.styles import BOLD, DIM, ITALIC, RULE, TEXT, UNDERLINE, Kind
from tui.widgets.transcript.tables import table_rows
from tui.words import _

if TYPE_CHECKING:
    from markdown_it.token import Token

_DEEPEST = 18
"""Nesting from which source is shown as it is; the parser stops a little further down."""
_HEADINGS = (BOLD | UNDERLINE, BOLD, BOLD, BOLD, BOLD | ITALIC, ITALIC)


@dataclass(slots=True)
class Part:
    """A code block or table within a piece; `start` and `end` are line numbers within the piece."""

    kind: str
    language: str
    text: str
    start: int
    end: int
    number: int
    scroll: int = 0
    """Of a table: see `Unit`."""


class Markdown:
    """Renders the tokens of one piece.

    Args:
        look: width and all.
        references: link definitions known by now.
        turn: id of the turn that it is of.
        number: what the first code block or table in it is numbered.
        live: more may come, so code is not yet lexed as a whole.
    """

    def __init__(self, look: Look, references: Mapping[str, Any], turn: str, number: int, live: bool) -> None:
        self.look = look
        self.references = dict(references)
        self.turn = turn
        self.number = number
        self.live = live
        self.parts: list[Part] = []
        self.waiting = False
        """Whether colours of code in it are still to come."""

    def piece(self, source: str, tokens: Sequence[Token] | None, first: int) -> list[Spans]:
        """The lines of a piece of `source`; `first` is the number of an ordered item."""
        if tokens is None:
            tokens = self.look.inline.blocks(source, {})
            if tokens and tokens[0].type in ("bullet_list_open", "ordered_list_open"):
                tokens = tokens[1:-1]
        if any(token.level >= _DEEPEST for token in tokens):
            return plain_lines(source, self.look.content)
        if tokens and tokens[0].type == "list_item_open":
            return self._item(tokens, self.look.content, TEXT, 0, first)
        return self._blocks(tokens, self.look.content, TEXT, 0)

    def _blocks(self, tokens: Sequence[Token], width: int, base: int, depth: int, item: bool = False) -> list[Spans]:
        """Blocks one below the other; inside a list item an empty line only where the source has one."""
        lines: list[Spans] = []
        index, last = 0, -1
        while index < len(tokens):
            end = index + 1
            level: int = tokens[index].nesting
            while level > 0 and end < len(tokens):
                level += tokens[end].nesting
                end += 1
            where = tokens[index].map
            gap = bool(lines) and not (item and where and where[0] <= last)
            offset, known = len(lines) + gap, len(self.parts)
            block = self._block(tokens[index:end], width, base, depth)
            last = max(last, _last_line(tokens[index:end]))
            if block:
                if gap:
                    lines.append(())
                lines += block
                for part in self.parts[known:]:
                    part.start += offset
                    part.end += offset
            index = end
        return lines

    def _block(self, tokens: Sequence[Token], width: int, base: int, depth: int) -> list[Spans]:
        token = tokens[0]
        match token.type:
            case "paragraph_open":
                return wrap(self._inline(tokens[1], base), width)
            case "heading_open":
                key = Kind.HEADING.key | _HEADINGS[min(6, int(token.tag[1:])) - 1]
                return wrap(self._inline(tokens[1], key), width)
            case "fence" | "code_block":
                return self._code(token, width)
            case "bullet_list_open" | "ordered_list_open":
                return self._list(tokens, width, base, depth)
            case "blockquote_open":
                inner = self._blocks(tokens[1:-1], max(8, width - 2), Kind.QUOTE.key, depth)
                return [((self.look.marks.quote + " ", DIM), *line) for line in inner]
            case "table_open":
                return self._table(tokens, width)
            case "hr":
                return [((self.look.marks.rule * min(width, 72), RULE),)]
            case "html_block":
                return plain_lines(token.content.rstrip("\n"), width, DIM)
            case "inline":
                return wrap(self._inline(token, base), width)
            case _:
                return plain_lines(token.content, width) if token.content else []

    def _inline(self, token: Token, base: int) -> Spans:
        return self.look.inline.spans(token.content, base, self.references)

    def _code(self, token: Token, width: int) -> list[Spans]:
        language = language_of(token.info)
        number = self._next()
        lines = code_block(self.look, width, token.content, language, number, self.live)
        self.waiting |= self.look.highlighter.due(language, None if self.live else token.content)
        self.parts.append(Part("code", language, token.content, 0, len(lines), number))
        return lines

    def _next(self) -> int:
        return self.number + len(self.parts)

    # --- lists ---------------------------------------------------------------------------------------------

    def _list(self, tokens: Sequence[Token], width: int, base: int, depth: int) -> list[Spans]:
        first = tokens[0].attrs.get("start", 1) if tokens[0].type == "ordered_list_open" else -1
        number = int(first) if isinstance(first, (int, str)) else 1
        lines: list[Spans] = []
        index, before = 1, -1
        while index < len(tokens) - 1:
            end = index + 1
            while tokens[end - 1].type != "list_item_close" or tokens[end - 1].level != tokens[index].level:
                end += 1
            where = tokens[index].map or [0, 0]
            known = len(self.parts)
            item = self._item(tokens[index:end], width, base, depth, number)
            if lines and where[0] > before:
                lines.append(())
            for part in self.parts[known:]:
                part.start += len(lines)
                part.end += len(lines)
            lines += item
            before = _last_line(tokens[index:end])
            number += number >= 0
            index = end
        return lines

    def _item(self, tokens: Sequence[Token], width: int, base: int, depth: int, number: int) -> list[Spans]:
        marks = self.look.marks
        mark = f"{number}{tokens[0].markup or '.'} " if number >= 0 else marks.bullets[min(depth, 2)] + " "
        inner = list(tokens[1:-1])
        task = len(inner) > 1 and inner[1].type == "inline" and inner[1].content[:4].lower() in ("[ ] ", "[x] ")
        if task:
            box = marks.done if inner[1].content[1] in "xX" else marks.pending
            mark = (mark if number >= 0 else "") + box + " "
            inner[1] = inner[1].copy(content=inner[1].content[4:])
        size = len(mark)
        lines = self._blocks(inner, max(8, width - size), base, depth + 1, item=True)
        lead: list[Span] = [(mark, DIM if number < 0 and not task else base)]
        if not lines:
            return [tuple(lead)]
        blank = (" " * size, TEXT)
        return [(lead[0], *lines[0]), *[(blank, *line) if line else () for line in lines[1:]]]

    # --- tables inside other blocks ------------------------------------------------------------------------

    def _table(self, tokens: Sequence[Token], width: int) -> list[Spans]:
        names, rows, aligns = table_cells(self.look, tokens, self.references)
        number = self._next()
        label, view = f"{_('table')} {number}", self.look.view(self.turn, number)
        lines, scroll = table_rows(self.look, width, label, names, rows, aligns, view)
        text = "\n".join("\t".join("".join(text for text, _ in cell) for cell in row) for row in [names, *rows]) + "\n"
        self.parts.append(Part("table", "", text, 0, len(lines), number, scroll))
        return lines


def table_cells(
    look: Look, tokens: Sequence[Token], references: Mapping[str, Any]
) -> tuple[list[Spans], list[list[Spans]], list[str]]:
    """Header, rows and alignments of a table's tokens."""
    names: list[Spans] = []
    rows: list[list[Spans]] = []
    aligns: list[str] = []
    known = dict(references)
    for index, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            spans = look.inline.spans(tokens[index + 1].content, TEXT, known)
            if token.type == "th_open":
                names.append(spans)
                aligns.append(str(token.attrs.get("style", "")).removeprefix("text-align:"))
            else:
                rows[-1].append(spans)
    return names, [row for row in rows if row], aligns


def plain_lines(source: str, width: int, key: int = TEXT) -> list[Spans]:
    """`source` as it is, wrapped."""
    return wrap(((source.rstrip("\n").replace("\t", "    "), key),), width)


def _last_line(tokens: Sequence[Token]) -> int:
    """The line after the last one of `tokens` that holds something; lists count empty lines at their end as theirs."""
    return max((token.map[1] for token in tokens if token.map and token.type not in _CONTAINERS), default=-1)


_CONTAINERS = ("bullet_list_open", "ordered_list_open", "list_item_open", "blockquote_open")
