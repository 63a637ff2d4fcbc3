"""Markdown source to top-level pieces while it grows: all pieces but the last are final and never parsed again.

A piece is final when nothing that may still follow can change it. Decisions look at complete lines only and never
at how much of the text is there yet, so that any way of feeding a text gives the same pieces as feeding it at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from markdown_it.token import Token

    from tui.widgets.transcript.inline import Inline

PieceKind = Literal["blocks", "code", "table", "plain"]

_FENCE = re.compile(r" {0,3}(?P<marker>`{3,}(?=[^`\n]*\n)|~{3,})(?P<info>[^\n]*)\n")
_BLANKS = re.compile(r"(?:[ \t]*\n)*")
_BLANK_END = re.compile(r"\n[ \t]*\n[ \t]*\Z")
_WINDOWS = (2048, 4096, 8192)
"""How much is parsed to find a block's end; a longer block is shown in plain pieces of this size."""


@dataclass(slots=True)
class Piece:
    """A top-level block, a list item, an open fence or table, or a part of something too long to be parsed."""

    kind: PieceKind
    start: int
    end: int
    """Source range; the end is after the blank lines that follow."""
    gap: bool = True
    """Whether an empty line stands before it."""
    joined: bool = False
    """Belongs to the same list (or oversized block) as the piece before."""
    first: int = 0
    """Number of an ordered item, -1 of a bulleted one."""
    final: bool = False
    tokens: list[Token] | None = None
    """Parsed already; dropped by who renders them. Of a table those of its newest rows, below its head."""
    rows_at: int = 0
    """Where the newest rows of a table begin."""
    rows: int = 0
    """How many of them are complete: an unfinished one may follow."""
    info: str = ""
    body: int = 0
    """Where a fence's content or a table's rows begin."""
    body_end: int = 0
    closed: bool = False
    indent: int = 0
    """Spaces before an opening fence, taken off its lines."""


@dataclass(slots=True)
class _Fence:
    piece: Piece
    close: re.Pattern[str]
    scanned: int


@dataclass(slots=True)
class _Growing:
    """A piece at the end of the text whose last block is a paragraph."""

    piece: Piece
    tokens: list[Token]
    inline: Token
    """Of the paragraph."""
    content: str
    """The same with the blanks at its end."""


@dataclass(slots=True)
class Splitter:
    """Feed it with `text`, then call `step` until it returns False. `pieces` grows; those after `final` may change."""

    inline: Inline
    text: str = ""
    ended: bool = False
    pieces: list[Piece] = field(default_factory=list)
    final: int = 0
    """How many of the pieces are final."""
    references: dict[str, Any] = field(default_factory=dict)
    _at: int = 0
    _open: _Fence | None = None
    _table: Piece | None = None
    _list: str = ""
    _mid_line: bool = False
    _ordinal: int = 0
    _growing: _Growing | None = None

    def step(self) -> bool:
        """Do a bounded piece of work (some ms); whether there is more to do at once."""
        if self._growing is not None and self._grow(self._growing):
            return False
        self._growing = None
        del self.pieces[self.final :]
        if self._open is not None:
            return self._in_fence(self._open)
        if self._table is not None:
            return self._in_table(self._table)
        if self._mid_line:
            return self._rest_of_line()
        return self._next_blocks()

    # --- pieces --------------------------------------------------------------------------------------------

    def _emit(self, piece: Piece, final: bool) -> None:
        before = self.pieces[-1] if self.pieces else None
        if before is None:
            piece.gap = False
        elif piece.joined:
            piece.gap = piece.kind != "plain" and bool(_BLANK_END.search(self.text, before.start, piece.start))
        piece.final = final
        self.pieces.append(piece)
        if final:
            self.final = len(self.pieces)
            self._at = piece.end

    def _in_fence(self, fence: _Fence) -> bool:
        piece, text = fence.piece, self.text
        match = fence.close.search(text, fence.scanned)
        if match and (match.end() > match.end("line") or self.ended):
            piece.body_end, piece.closed = match.start(), True
            piece.end = _BLANKS.match(text, match.end()).end()  # type: ignore[union-attr]  # always matches
            self._open = None
            self._emit(piece, True)
            return self._at < len(text)
        fence.scanned = max(fence.scanned, text.rfind("\n") + 1)
        piece.body_end = piece.end = len(text)
        if self.ended:
            self._open = None
        self._emit(piece, self.ended)
        return False

    def _open_fence(self, match: re.Match[str], joined: bool = False) -> None:
        marker = match["marker"]
        piece = Piece("code", match.start(), match.end(), joined=joined, info=match["info"].strip())
        piece.body = piece.body_end = match.end()
        piece.indent = match.start("marker") - match.start()
        close = re.compile(rf"^(?P<line> {{0,3}}{re.escape(marker[0])}{{{len(marker)},}}[ \t]*$)\n?", re.MULTILINE)
        self._open = _Fence(piece, close, piece.body)
        self._list = ""

    def _in_table(self, piece: Piece) -> bool:
        """Rows of the open table: a row's own line decides whether it is one."""
        text = self.text
        head = text[piece.start : piece.body]
        for size in _WINDOWS:
            window = text[piece.body_end : piece.body_end + size]
            whole = len(text) - piece.body_end <= size
            cut = len(window) if self.ended and whole else window.rfind("\n") + 1
            if cut or whole:
                break
        over = not cut and not whole  # a row longer than anything sensible
        if window and not over:
            offsets = _line_starts(window[:cut])
            tokens = self.inline.blocks(head + (window if whole else window[:cut]), {})
            table = tokens[0].map if tokens and tokens[0].type == "table_open" else None
            rows = min(len(offsets) - 1, max(0, table[1] - head.count("\n"))) if table else 0
            over = rows < len(offsets) - 1
            if table:
                piece.tokens, piece.rows_at, piece.rows = tokens[: _closing(tokens, 0)], piece.body_end, rows
            piece.body_end += offsets[rows]
        if over or (self.ended and piece.body_end == len(text)):
            piece.closed = True
            piece.end = _BLANKS.match(text, piece.body_end).end()  # type: ignore[union-attr]
            self._table = None
            self._emit(piece, True)
            return self._at < len(text)
        if not whole:
            return True
        self._emit(piece, False)
        piece.end = len(text)
        return False

    def _rest_of_line(self) -> bool:
        """The line that a cut fell into goes on as plain text to its end."""
        text, limit = self.text, _WINDOWS[-1]
        newline = text.find("\n", self._at, self._at + limit)
        if newline < 0 and len(text) - self._at < limit:
            self._mid_line = not self.ended
            self._emit(Piece("plain", self._at, len(text), joined=True), self.ended)
            return False
        end = self._at + limit if newline < 0 else _BLANKS.match(text, newline + 1).end()  # type: ignore[union-attr]
        self._mid_line = newline < 0
        self._emit(Piece("plain", self._at, end, joined=True), True)
        return self._at < len(text)

    def _next_blocks(self) -> bool:
        text = self.text
        start = _BLANKS.match(text, self._at).end()  # type: ignore[union-attr]
        if start > self._at and not self.pieces:
            self._at = start
        if start >= len(text):
            return False
        fence = _FENCE.match(text, start)
        if fence:
            self._open_fence(fence)
            return True
        for size in _WINDOWS:
            whole = len(text) - start <= size
            window = text[start : start + size]
            if not whole:
                window = window[: window.rfind("\n") + 1]
            if not window:
                continue
            references = dict(self.references)
            tokens = self.inline.blocks(window, references)
            blocks = list(top_level(tokens))
            starts = [start + offset for offset in _line_starts(window)]
            done = self._finish(starts, blocks, whole)
            if done or whole:
                known = {
                    name: value
                    for name, value in references.items()
                    if name in self.references or (self.ended and whole) or starts[value["map"][0]] < self._at
                }
                self.references = known
                if done:
                    return True
                self._tail(starts, blocks)
                self._growing = self._may_grow() if self.pieces else None
                return False
        self._oversized(start)
        return True

    def _oversized(self, start: int) -> None:
        """A block longer than any window: its first part goes as plain text."""
        limit = _WINDOWS[-1]
        cut = self.text.rfind("\n", start, start + limit) + 1
        self._mid_line = cut <= start
        end = start + limit if self._mid_line else cut
        self._emit(Piece("plain", start, end, joined=self._list == "plain"), True)
        self._list = "plain"

    # --- blocks of one window ------------------------------------------------------------------------------

    def _finish(self, starts: list[int], blocks: list[Block], whole: bool) -> bool:
        """Emit what is final among `blocks`, or open a fence or a table; whether anything was done.

        `starts` holds where each line begins, and where the window ends.
        """
        lines = len(starts) - 1 if self.text[starts[-1] - 1 : starts[-1]] == "\n" else len(starts) - 2
        everything = self.ended and whole
        done = False
        for index, block in enumerate(blocks):
            following = blocks[index + 1] if index + 1 < len(blocks) else None
            needed = 0 if following is None else following.line + (2 if following.kind == "table" else 1)
            settled = everything or (following is not None and lines >= needed)
            begin = starts[block.line]
            end = starts[-1] if following is None else starts[following.line]
            fence = _FENCE.match(self.text, begin) if block.kind == "fence" else None
            if fence:
                self._at = begin
                self._open_fence(fence)
                return True
            if block.kind == "table" and lines >= block.line + 2:
                self._table = Piece("table", begin, begin)
                self._table.body = self._table.body_end = starts[block.line + 2]
                self._list, self._at = "", begin
                return True
            for item, after in zip(block.items, [*block.items[1:], None], strict=False):
                if not (settled if after is None else everything or lines > after.line):
                    return done
                self._item(item, block, starts[item.line], end if after is None else starts[after.line], True)
                done = True
            if block.items:
                continue
            if not settled:
                return done
            self._list = ""
            self._emit(Piece("blocks", begin, end, tokens=block.tokens), True)
            done = True
        return done

    def _tail(self, starts: list[int], blocks: list[Block]) -> None:
        """What may still change, as it looks now."""
        known, ordinal = self._list, self._ordinal
        for block, following in zip(blocks, [*blocks[1:], None], strict=False):
            end = starts[-1] if following is None else starts[following.line]
            for item, after in zip(block.items, [*block.items[1:], None], strict=False):
                stop = end if after is None else starts[after.line]
                self._item(item, block, starts[item.line], stop, False)
            if not block.items:
                self._list = ""
                self._emit(Piece("blocks", starts[block.line], end, tokens=block.tokens), False)
        self._list, self._ordinal = known, ordinal

    def _may_grow(self) -> _Growing | None:
        """The last piece, where all that comes before the next newline can only be more of its last paragraph.

        So it is when the last line of that paragraph begins with a letter: what blocks there are is settled by how
        lines begin, but for link definitions, and for lines of which all is sign (`===`, `| - | - |`).
        """
        piece = self.pieces[-1]
        tokens = piece.tokens or []
        number = next((at for at in range(len(tokens) - 1, -1, -1) if tokens[at].nesting == 0), 0)
        if not number or tokens[number].type != "inline" or tokens[number - 1].type != "paragraph_open":
            return None
        content = tokens[number].content
        last_line = content.rpartition("\n")[2].lstrip()
        stripped = self.text.rstrip()
        blanks = self.text[len(stripped) :]
        if content.startswith("[") or not last_line[:1].isalpha() or "\n" in blanks or not stripped.endswith(last_line):
            return None
        return _Growing(piece, tokens, tokens[number], content + blanks)

    def _grow(self, growing: _Growing) -> bool:
        """Let what has come be more of the last paragraph; False where it is more than that."""
        piece = growing.piece
        new = self.text[piece.end :]
        if self.ended or "\n" in new or len(self.text) - piece.start > _WINDOWS[0]:
            return False
        growing.content += new
        growing.inline.content = growing.content.rstrip()
        piece.end, piece.tokens = len(self.text), growing.tokens
        return True

    def _item(self, item: Block, block: Block, start: int, end: int, final: bool) -> None:
        joined = self._list == block.mark
        if joined:
            self._ordinal += 1
        else:
            self._ordinal = block.first
        self._list = block.mark
        number = self._ordinal if block.kind == "ordered" else -1
        self._emit(Piece("blocks", start, end, joined=joined, first=number, tokens=item.tokens), final)


@dataclass(slots=True)
class Block:
    kind: str
    line: int
    """First line within what was parsed."""
    tokens: list[Token]
    items: list[Block] = field(default_factory=list)
    mark: str = ""
    first: int = 0


def top_level(tokens: list[Token]) -> Iterator[Block]:
    """The top-level blocks among `tokens`; lists with their items."""
    index = 0
    while index < len(tokens):
        token = tokens[index]
        end = _closing(tokens, index)
        line = token.map[0] if token.map else 0
        kind = token.type.removesuffix("_open").removesuffix("_list")
        block = Block(kind, line, tokens[index:end])
        if token.type in ("bullet_list_open", "ordered_list_open"):
            block.mark = token.markup + kind
            start = token.attrs.get("start", 1)
            block.first = int(start) if isinstance(start, (int, str)) else 1
            inner = index + 1
            while inner < end - 1:
                stop = _closing(tokens, inner)
                where = tokens[inner].map
                block.items.append(Block("item", where[0] if where else line, tokens[inner:stop]))
                inner = stop
        yield block
        index = end


def _closing(tokens: list[Token], index: int) -> int:
    """The index after the token that closes the one at `index`."""
    depth = 0
    while index < len(tokens):
        depth += tokens[index].nesting
        index += 1
        if depth <= 0:
            break
    return index


def _line_starts(text: str) -> list[int]:
    """Where each line of `text` begins, and where the last one ends."""
    starts = [0]
    at = text.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = text.find("\n", at + 1)
    if starts[-1] != len(text):
        starts.append(len(text))
    return starts
