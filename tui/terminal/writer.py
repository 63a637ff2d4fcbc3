"""Writes cells where they belong: moves, pens and text, each the shortest that leaves the model true. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from operator import ne, or_
from typing import Literal, NamedTuple

from tui.terminal.cells import TAIL, Clusters, Pens, Row, uncertain

_NOTHING = Row("", "")
_REPEATED = re.compile(r"(.)\1{5,}")


class Abilities(NamedTuple):
    """What the terminal can do, as far as painting goes; each may be off."""

    bce: bool = False
    scroll: Literal["", "index", "scroll"] = "scroll"
    """Within a scroll region: by SU and SD, by index and reverse index at its edges, or not at all."""
    margins: bool = False
    synchronized: bool = False
    repeat: bool = False
    trust_ambiguous: bool = True
    """Characters like … are one cell wide; when not, the cursor is placed anew after each character outside ASCII."""


@dataclass(slots=True, eq=False, repr=False)
class Terminal:
    """What the terminal shows and where its cursor, pen and margins are; None where that is not known."""

    shown: list[Row]
    row: int | None = None
    column: int | None = None
    pen: str | None = None
    region: tuple[int, int] = (0, 0)
    margins: tuple[int, int] | None = None
    saved: tuple[int, int] | None = None
    saved_pen: str | None = None
    cursor_visible: bool | None = None

    def copy(self) -> Terminal:
        return replace(self, shown=list(self.shown))


@dataclass(slots=True, eq=False, repr=False)
class Draft:
    """A frame in the making: the bytes so far and the terminal as they will leave it."""

    terminal: Terminal
    parts: list[str] = field(default_factory=list)
    size: int = 0
    new: Row = _NOTHING
    """What the row that is being written will show."""

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.size += len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


class Writer:
    """Brings rows of a terminal of `width` columns to what they should be."""

    def __init__(self, width: int, pens: Pens, clusters: Clusters, abilities: Abilities) -> None:
        self.width = width
        self.abilities = abilities
        self.rows_repainted = 0
        self._pens = pens
        self._clusters = clusters

    def move(self, terminal: Terminal, row: int, column: int) -> str:
        """The shortest way of the cursor to a cell, from where it is known to be."""
        position = f"\x1b[{row + 1};{column + 1}H" if column else f"\x1b[{row + 1}H" if row else "\x1b[H"
        if terminal.row != row:
            return position
        ways = [position]
        here = terminal.column
        left_margin = terminal.margins[0] if terminal.margins else 0
        if column == 0 and left_margin == 0:
            ways.append("\r")
        ways.append(f"\x1b[{column + 1}G")
        if here is not None and terminal.margins is None:
            distance = column - here
            if distance == 0:
                return ""
            if distance > 0:
                ways.append("\x1b[C" if distance == 1 else f"\x1b[{distance}C")
            else:
                ways.append("\b" * -distance if distance > -4 else f"\x1b[{-distance}D")
        elif here == column:
            return ""
        return min(ways, key=len)

    def _go(self, draft: Draft, row: int, column: int) -> None:
        """Move the cursor; over a short gap by writing what stands there already.

        Only within a row that is being brought to its target: between cursor and cell it shows its target.
        """
        terminal = draft.terminal
        move = self.move(terminal, row, column)
        here = terminal.column
        if terminal.row == row and here is not None and here < column and len(move) > column - here and terminal.pen:
            shown = draft.new
            gap = shown.text[here:column]
            covers, pen = self._pens.covers, terminal.pen
            if (
                gap.isascii()
                and TAIL not in gap
                and all(
                    number == pen or (cell == " " and covers(pen, number))
                    for cell, number in zip(gap, shown.pens[here:column], strict=True)
                )
                and not self._crosses(terminal, here, column)
            ):
                move = gap
        draft.add(move)
        terminal.row, terminal.column = row, column

    @staticmethod
    def _crosses(terminal: Terminal, start: int, end: int) -> bool:
        """Whether writing from `start` to `end` would meet the right margin, where the terminal would stop."""
        return terminal.margins is not None and start < terminal.margins[1] <= end

    def row(self, draft: Draft, number: int, new: Row) -> None:
        """Make row `number` show `new`."""
        terminal = draft.terminal
        old = terminal.shown[number]
        if old == new:
            return
        draft.new = new
        if terminal.margins is not None and new.text[terminal.margins[1] : terminal.margins[1] + 1] == TAIL:
            # A wide character across the right margin cannot be drawn while that is set.
            self.unset_margins(draft)
        runs = _runs(old, new)
        tail = self._tail(new)
        erase_from = self.width
        if tail < self.width:
            first = next((run for run in runs if run[1] > tail), None)
            if first is not None:
                start = max(first[0], tail)
                rest = sum(end - max(begin, tail) for begin, end in runs if end > tail)
                if rest > 3 + len(self._pens.way(terminal.pen, new.pens[-1])) // 2:
                    erase_from = start
        for start, end in runs:
            end = min(end, erase_from)
            if start < end:
                self._run(draft, number, start, end)
        if erase_from < self.width:
            self._go(draft, number, erase_from)
            self.use(draft, new.pens[-1], blank=True)
            draft.add("\x1b[K")
        terminal.shown[number] = new
        self.rows_repainted += runs == [(0, self.width)]

    def _tail(self, row: Row) -> int:
        """The column from which on `row` is blank in one pen that the terminal can erase with."""
        last = row.pens[-1]
        pen = self._pens.pen(last)
        if row.text[-1] != " " or pen.marks_blanks or (pen.background and not self.abilities.bce):
            return self.width
        return max(len(row.text.rstrip(" ")), len(row.pens.rstrip(last)))

    def use(self, draft: Draft, number: str, *, blank: bool) -> None:
        """Take a pen, or keep the one in hand when a blank looks the same with it."""
        terminal = draft.terminal
        if blank and terminal.pen is not None and self._pens.covers(terminal.pen, number):
            return
        if terminal.pen != number:
            draft.add(self._pens.way(terminal.pen, number))
            terminal.pen = number

    def _run(self, draft: Draft, row: int, start: int, end: int) -> None:
        """Write the cells `start` to `end` of `row`."""
        terminal = draft.terminal
        covers = self._pens.covers
        text, pens = draft.new
        column = start
        while column < end:
            number = pens[column]
            stop = column + 1
            while stop < end and (
                pens[stop] == number or text[stop] == TAIL or (text[stop] == " " and covers(number, pens[stop]))
            ):
                stop += 1
            if terminal.margins is not None and column < terminal.margins[1] < stop:
                stop = terminal.margins[1]
            cells = text[column:stop]
            self._go(draft, row, column)
            self.use(draft, number, blank=cells.isspace() and cells.isascii())
            self._cells(draft, row, column, cells, last=stop == end)
            column = stop

    def _cells(self, draft: Draft, row: int, column: int, cells: str, *, last: bool) -> None:
        """Write cells of one pen; the cursor is there and the pen in hand."""
        terminal = draft.terminal
        position = 0
        for match in _REPEATED.finditer(cells) if len(cells) > 5 else ():
            at_end = last and match.end() == len(cells)
            short, moved = self._short(terminal, match[1], match.end() - match.start(), at_end)
            if not short:
                continue
            self._text(draft, row, column + position, cells[position : match.start()])
            self._place(draft, row, column + match.start())
            draft.add(short)
            position = match.end()
            if moved:
                terminal.column = column + position
                self._past_edge(terminal)
        self._text(draft, row, column + position, cells[position:])

    def _short(self, terminal: Terminal, character: str, count: int, last: bool) -> tuple[str, bool]:
        """A shorter way to write `character` `count` times ("": there is none) and whether it moves the cursor."""
        length = count * len(character.encode("utf-8", "replace"))
        if self.abilities.repeat and (
            character.isascii() or (self.abilities.trust_ambiguous and "\u2500" <= character <= "\u259f")
        ):
            sequence = f"{character}\x1b[{count - 1}b"
            if len(sequence.encode()) < length:
                return sequence, True
        pen = self._pens.pen(terminal.pen or self._pens.default)
        if character == " " and not pen.marks_blanks and (self.abilities.bce or not pen.background):
            sequence = f"\x1b[{count}X"
            # Erasing leaves the cursor where it is.
            if len(sequence) * (1 if last else 2) < length:
                return sequence, False
        return "", False

    def _past_edge(self, terminal: Terminal) -> None:
        """After the last column, or the right margin, the cursor is not where it would be elsewhere."""
        column = terminal.column
        if column is not None and (column >= self.width or (terminal.margins and column == terminal.margins[1])):
            terminal.column = None

    def place_row(self, draft: Draft, row: int) -> None:
        """Move the cursor to a row, whichever column."""
        if draft.terminal.row != row:
            draft.add(self.move(draft.terminal, row, 0))
            draft.terminal.row, draft.terminal.column = row, 0

    def _place(self, draft: Draft, row: int, column: int) -> None:
        if draft.terminal.column != column:
            self._go(draft, row, column)

    def _text(self, draft: Draft, row: int, column: int, cells: str) -> None:
        """Write cells as text, placing the cursor anew after what is of doubtful width."""
        if not cells:
            return
        terminal = draft.terminal
        self._place(draft, row, column)
        trusted = self.abilities.trust_ambiguous
        if cells.isascii() or (trusted and max(cells) < "\U0001f000"):
            draft.add(self._clusters.expand(cells))
            terminal.column = column + len(cells)
        else:
            begin = 0
            for index, cell in enumerate(cells):
                if cell != TAIL and (uncertain(cell) or not (trusted or cell.isascii())):
                    wide = cells[index + 1 : index + 2] == TAIL
                    stop = index + (2 if wide else 1)
                    if wide and not self._blank(terminal, row, column + index + 1):
                        # A terminal to which it is narrow would leave what stands in its second cell.
                        self._place(draft, row, column + begin)
                        draft.add(self._clusters.expand(cells[begin:index]) + "  ")
                        terminal.column = column + stop
                        self._past_edge(terminal)
                        begin = index
                    self._place(draft, row, column + begin)
                    draft.add(self._clusters.expand(cells[begin:stop]))
                    terminal.column = None
                    begin = stop
            if begin < len(cells):
                self._place(draft, row, column + begin)
                draft.add(self._clusters.expand(cells[begin:]))
                terminal.column = column + len(cells)
        self._past_edge(terminal)

    def _blank(self, terminal: Terminal, row: int, column: int) -> bool:
        """Whether a cell looks as a space in the pen in hand does."""
        text, pens = terminal.shown[row]
        return text[column] == " " and terminal.pen is not None and self._pens.covers(terminal.pen, pens[column])

    @staticmethod
    def unset_margins(draft: Draft) -> None:
        """Take the left and right margins away."""
        draft.add("\x1b[?69l")
        draft.terminal.margins = draft.terminal.row = draft.terminal.column = None


def _runs(old: Row, new: Row) -> list[tuple[int, int]]:
    """The columns in which two rows differ, as runs in which no wide character is cut, neither old nor new."""
    width = len(new.text)
    changed = list(map(ne, old.text, new.text))
    if old.pens != new.pens:
        changed = list(map(or_, changed, map(ne, old.pens, new.pens)))
    runs: list[tuple[int, int]] = []
    end = -1
    while True:
        try:
            start = changed.index(True, end + 1)
        except ValueError:
            break
        try:
            end = changed.index(False, start)
        except ValueError:
            end = width
        runs.append((start, end))
    if TAIL not in old.text and TAIL not in new.text:
        return runs
    merged: list[tuple[int, int]] = []
    for start, end in runs:
        while TAIL in (old.text[start], new.text[start]):
            start -= 1
        while end < width and TAIL in (old.text[end], new.text[end]):
            end += 1
        if merged and merged[-1][1] >= start:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
