"""Textual's strips as rows of cells, each strip turned once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.color import ColorSystem
from rich.style import Style
from textual.strip import Strip

from tui.terminal.cells import Pen, Row, piece
from tui.terminal.painter import Painter
from tui.terminal.scrolling import Band

_KEEP = 2000
"""Strips, and styles, that are remembered; about forty screens."""


class Strips:
    """Puts strips on a painter's screen, in the colours of `colours`."""

    def __init__(self, painter: Painter, colours: ColorSystem) -> None:
        self._painter = painter
        self._pens = painter.pens
        self._colours = colours
        self._numbers: dict[Style, str] = {}
        # By identity: equal lines keep their strip from frame to frame.
        self._pieces: dict[int, tuple[Strip, Row]] = {}

    def stale(self, painter: Painter) -> bool:
        """These strips belong to another painter, or to its earlier table of pens."""
        return painter is not self._painter or painter.pens is not self._pens

    def put(self, row: int, left: int, line: Iterable[Strip]) -> None:
        """Strips side by side from column `left` on."""
        rows = [self._piece(strip) for strip in line]
        self._painter.put(row, left, Row("".join(part.text for part in rows), "".join(part.pens for part in rows)))

    def put_strip(self, row: int, left: int, strip: Strip) -> None:
        """One strip from column `left` on."""
        self._painter.put(row, left, self._piece(strip))

    def put_pieces(self, row: int, pieces: Sequence[tuple[int, Strip]]) -> None:
        """Strips that each begin in a column of their own."""
        start = 0
        while start < len(pieces):
            left = column = pieces[start][0]
            stop = start
            while stop < len(pieces) and pieces[stop][0] == column:
                column += pieces[stop][1].cell_length
                stop += 1
            self.put(row, left, (strip for _column, strip in pieces[start:stop]))
            start = stop

    def _piece(self, strip: Strip) -> Row:
        known = self._pieces.get(id(strip))
        if known is not None and known[0] is strip:
            return known[1]
        parts = [(segment.text, self._number(segment.style)) for segment in strip if not segment.control]
        made = piece(parts, self._pens, self._painter.clusters)
        if (missing := strip.cell_length - len(made.text)) > 0:
            # Textual cuts between the code points of a cluster: where the edge of a popup lies on "⚠️", what is right
            # of it lacks the second cell. All that follows would move to the left.
            blank = self._pens.blank(parts[0][1] if parts else self._pens.default)
            made = Row(" " * missing + made.text, blank * missing + made.pens)
        if len(self._pieces) >= _KEEP:
            self._pieces.clear()
        self._pieces[id(strip)] = (strip, made)
        return made

    def _number(self, style: Style | None) -> str:
        if style is None:
            return self._pens.default
        known = self._numbers.get(style)
        if known is None:
            if len(self._numbers) >= _KEEP:
                self._numbers.clear()
            known = self._pens.number(Pen.of(Strip.render_ansi(style, self._colours)))
            self._numbers[style] = known
        return known


def bands_of(spans: Sequence[tuple[int, int, int]]) -> list[Band]:
    """The places that the spans (row, left, right) of one update are parts of: those of the same columns together.

    A widget that scrolls need not draw its blank lines again, so there may be gaps.
    """
    bands: dict[tuple[int, int], Band] = {}
    for row, left, right in spans:
        band = bands.get((left, right))
        if band is None:
            bands[left, right] = Band(row, row + 1, left, right)
        else:
            bands[left, right] = band._replace(top=min(band.top, row), bottom=max(band.bottom, row + 1))
    return [*bands.values()]
