"""A Markdown table at the top level while it grows: rows are parsed once, laid out again only when widths change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.widgets.transcript.cells import Spans
from tui.widgets.transcript.code import rule
from tui.widgets.transcript.lines import Line, Look, splice
from tui.widgets.transcript.markdown import table_cells
from tui.widgets.transcript.styles import DIM
from tui.widgets.transcript.tables import Plan, grid_row, header_cells, plan, record_rows, widest
from tui.words import _

if TYPE_CHECKING:
    from tui.widgets.transcript.splitter import Piece, Splitter

_AT_ONCE = 4096
_MOST_ROWS = 500
"""Rows that are shown; copying and saving give all."""


class TableLayout:
    """See `CodeLayout` for the protocol."""

    kind = "table"
    language = ""
    waiting = False

    def __init__(self, look: Look, turn: str, number: int, splitter: Splitter) -> None:
        self.look = look
        self.turn = turn
        self.number = number
        self.splitter = splitter
        self.lines: list[Line] = []
        self.source = ""
        self.complete = False
        self.scroll = 0
        self._names: list[Spans] = []
        self._aligns: list[str] = []
        self._rows: list[list[Spans]] = []
        self._sizes: list[int] = []
        self._at = 0
        self._plan: Plan | None = None
        self._laid = 0
        self._settled = 0
        self._references = 0

    def update(self, text: str, piece: Piece) -> int | None:
        look, references = self.look, self.splitter.references
        head = text[piece.start : piece.body]
        if not self._at or (len(references) != self._references and "[" in text[piece.start : piece.end]):
            self._names, _rows, self._aligns = table_cells(look, look.inline.blocks(head, {}), references)
            self._sizes = [1] * len(self._names)
            self._rows, self._plan, self._at = [], None, piece.body
            self._references = len(references)
            widest(self._sizes, [self._names])
        start, end = self._at, piece.body_end
        new: list[list[Spans]] = []
        extra: list[list[Spans]] = []
        if piece.tokens is not None and piece.rows_at == start:
            new = table_cells(look, piece.tokens, references)[1]
            new, extra = new[: piece.rows], new[piece.rows :]
            self.complete = True
        else:
            if end - start > _AT_ONCE:
                end = text.find("\n", start + _AT_ONCE, end) + 1 or end
            self.complete = end == piece.body_end
            if end > start:
                new = table_cells(look, look.inline.blocks(head + text[start:end], {}), references)[1]
            if self.complete and not piece.closed and text[end : piece.end].strip():
                extra = table_cells(look, look.inline.blocks(head + text[end : piece.end], {}), references)[1]
        piece.tokens = None
        widest(self._sizes, new)
        widest(self._sizes, extra)
        self._rows += new[: max(0, _MOST_ROWS - len(self._rows))]
        self._at = end
        if piece.final:
            self.source = text[piece.start : piece.body_end]
        return self._lay_out(extra)

    def _lay_out(self, extra: list[list[Spans]]) -> int | None:
        look, width = self.look, self.look.content
        view = look.view(self.turn, self.number)
        shape = plan(self._sizes, width, view, look.marks.left, look.marks.right)
        self.scroll = 0 if view.rows else shape.last
        label = (_("table"), str(self.number))
        if view.rows:
            names = ["".join(text for text, _key in name) for name in self._names]
            lines = [Line(rule(look, width, *label))]
            lines += [Line(row) for row in record_rows(look, names, [*self._rows, *extra], width)]
            self._plan = None
            return splice(self.lines, 0, lines)
        if shape != self._plan or self._laid > len(self._rows):
            self._plan, self._laid = shape, 0
            lines = [Line(rule(look, width, *label, shape.note))]
            lines += [Line(row) for row in grid_row(header_cells(self._names), shape, self._aligns)]
            lines += self._grid(self._rows, shape)
            start = 0
        else:
            lines, start = self._grid(self._rows[self._laid :], shape), self._settled
        self._laid, self._settled = len(self._rows), start + len(lines)
        return splice(self.lines, start, lines + self._grid(extra, shape) + self._more())

    def _grid(self, rows: list[list[Spans]], shape: Plan) -> list[Line]:
        return [Line(line) for row in rows for line in grid_row(row, shape, self._aligns)]

    def _more(self) -> list[Line]:
        if len(self._rows) < _MOST_ROWS:
            return []
        return [Line(((_(" only the first {n} rows are shown").format(n=_MOST_ROWS), DIM),))]

    def recolour(self) -> None:
        """The view was changed."""
        self._plan = None
