"""Turns what the screen shall show into the fewest bytes that make the terminal show it. Pure; knows no Textual.

The invariant: `shown` is what the terminal shows, cell by cell. Everything else follows from it. Whoever lets
something else draw on the terminal calls `invalidate`.

What is learnt by trying: moves are absolute after anything whose width terminals disagree on, and after the last
column; a line feed would scroll outside the scroll region, so there is none; relative moves up and down stop at
margins, so there are none; erasing and scrolling fill with the pen's background only where the terminal says so;
a wide character is only ever overwritten whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import ne, or_
from typing import Literal, NamedTuple

from tui.terminal.cells import TAIL, Clusters, Pens, Row, mended, uncertain

SYNC_FROM = 400
"""Bytes from which a frame is marked as one (synchronized output): the marks cost 16."""

_SYNC_START, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
_REPEATED = re.compile(r"(.)\1{5,}")
_MOST_SCROLLS = 3
"""In one frame: parts of a text move by different amounts when a block in the middle grows."""

_ROW_COST = 10
"""Bytes of the way to a row, for estimates."""

_MIN_SCROLL = 3
"""Rows that must differ before it is worth looking for a scroll."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the terminal can do, as far as painting goes; each may be off."""

    bce: bool = False
    scroll: Literal["", "index", "scroll"] = "scroll"
    """Within a scroll region: by SU and SD, by index and reverse index at its edges, or not at all."""
    margins: bool = False
    synchronized: bool = False
    repeat: bool = False
    trust_ambiguous: bool = True
    """Characters like … are one cell wide; when not, the cursor is placed anew after each character outside ASCII."""


class Band(NamedTuple):
    """Columns `left` to `right` of rows `top` to `bottom`, the ends not included: a place that may scroll."""

    top: int
    bottom: int
    left: int
    right: int


class Frame(NamedTuple):
    """What to send. `complete` is False when the budget ended it before the terminal shows all."""

    data: str
    complete: bool


@dataclass(slots=True)
class _Terminal:
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

    def copy(self) -> _Terminal:
        return _Terminal(
            list(self.shown),
            self.row,
            self.column,
            self.pen,
            self.region,
            self.margins,
            self.saved,
            self.saved_pen,
            self.cursor_visible,
        )


@dataclass(slots=True)
class _Draft:
    """A frame in the making: the bytes so far and the terminal as they will leave it."""

    terminal: _Terminal
    parts: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.size += len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


class Painter:
    """The model of one terminal of `width` by `height` cells, and the way to change it."""

    def __init__(self, width: int, height: int, abilities: Abilities | None = None) -> None:
        self.abilities = abilities or Abilities()
        self.pens = Pens()
        self.clusters = Clusters()
        self.full_repaints = 0
        self.rows_repainted = 0
        """Rows that were sent anew in full since the beginning."""
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """The terminal has another size now; what it shows is not known."""
        self.width, self.height = width, height
        self.target = [self._blank_row()] * height
        self.invalidate()

    def invalidate(self) -> None:
        """What the terminal shows is not known: the next frame begins with an empty screen."""
        if self.pens.full:
            self.pens, self.clusters = Pens(), Clusters()
            self.target = [self._blank_row()] * self.height
        self._terminal: _Terminal | None = None
        self._dirty = set(range(self.height))
        self._bands: list[Band] = []

    @property
    def valid(self) -> bool:
        """What the terminal shows is known."""
        return self._terminal is not None

    @property
    def shown(self) -> Sequence[Row]:
        """What the terminal shows, by the model."""
        return self._terminal.shown if self._terminal is not None else [self._blank_row()] * self.height

    @property
    def pending(self) -> bool:
        """There are rows that the terminal does not show as they should be."""
        return bool(self._dirty)

    def put(self, row: int, left: int, new: Row) -> None:
        """Cells of `row` from column `left` on shall be `new`, in which no wide character is cut."""
        if not (0 <= row < self.height and 0 <= left < self.width):
            # Made for the size before.
            return
        old = self.target[row]
        right = min(self.width, left + len(new.text))
        if left or right < self.width or len(new.text) > right:
            text = (old.text[:left] + new.text + old.text[right:])[: self.width]
            pens = (old.pens[:left] + new.pens + old.pens[right:])[: self.width]
            new = mended(Row(text, pens), self.pens, left, right)
        if new != old:
            self.target[row] = new
            self._dirty.add(row)

    def may_scroll(self, bands: Iterable[Band]) -> None:
        """Say where the next frame may find that content has moved up or down."""
        for band in bands:
            if band not in self._bands and band.bottom - band.top > _MIN_SCROLL:
                self._bands.append(band)
        del self._bands[:-4]

    def frame(
        self, cursor: tuple[int, int], *, visible: bool = False, budget: int | None = None, only: range | None = None
    ) -> Frame:
        """The bytes that bring the terminal to the target, with its cursor in `cursor` (column, row) at the end.

        `budget` bytes end the frame after the row in which they are used up, the rows of the cursor first; `only`
        restricts it to some rows. What is left over comes with the next frame.
        """
        draft = self._begin()
        if draft is None:
            only = None
            draft = _Draft(self._fresh())
            self.full_repaints += 1
            draft.add(self._wipe())
        elif (saved := self._save(draft.terminal, cursor, only)) is not None:
            draft.add(saved)
        rows = sorted(self._dirty if only is None else self._dirty.intersection(only))
        if only is None:
            draft = self._scrolled(draft, rows)
        urgent = cursor[1]
        if budget is not None and urgent in self._dirty and (only is None or urgent in only):
            rows.remove(urgent)
            rows.insert(0, urgent)
        done = 0
        for row in rows:
            self._row(draft, row)
            done += 1
            if budget is not None and draft.size >= budget:
                break
        self._dirty.difference_update(rows[:done])
        if not self._dirty:
            self._bands.clear()
        self._park(draft, cursor, visible)
        self._terminal = draft.terminal
        data = "".join(draft.parts)
        if self.abilities.synchronized and draft.size > SYNC_FROM:
            data = _SYNC_START + data + _SYNC_END
        return Frame(data, not self._dirty)

    def farewell(self) -> str:
        """What undoes the modes that frames may have left set; forgets what the terminal shows."""
        terminal = self._terminal
        self.invalidate()
        if terminal is None:
            return ""
        return self._without_margins(terminal) + "\x1b[m"

    # --- the parts of a frame -----------------------------------------------------------------------------

    def _begin(self) -> _Draft | None:
        return None if self._terminal is None else _Draft(self._terminal)

    def _fresh(self) -> _Terminal:
        return _Terminal([self._blank_row()] * self.height, 0, 0, self.pens.default, (0, self.height))

    def _wipe(self) -> str:
        margins = "\x1b[?69l" if self.abilities.margins else ""
        return f"{margins}\x1b[r\x1b[m\x1b[2J\x1b[H"

    def _without_margins(self, terminal: _Terminal) -> str:
        region = "\x1b[r" if terminal.region != (0, self.height) else ""
        return ("\x1b[?69l" if terminal.margins is not None else "") + region

    def _blank_row(self) -> Row:
        return Row(" " * self.width, self.pens.default * self.width)

    def _save(self, terminal: _Terminal, cursor: tuple[int, int], only: range | None) -> str | None:
        """Save the cursor where it is when the frame will end there: the way back is then two bytes."""
        column, row = cursor
        if (terminal.row, terminal.column) != (row, column) or not self._dirty or self._dirty == {row}:
            return None
        if terminal.saved == cursor and terminal.saved_pen == terminal.pen:
            return None
        if only is not None and not self._dirty.intersection(only):
            return None
        terminal.saved, terminal.saved_pen = cursor, terminal.pen
        return "\x1b7"

    def _park(self, draft: _Draft, cursor: tuple[int, int], visible: bool) -> None:
        """Bring the cursor to its place, and show or hide it."""
        terminal = draft.terminal
        column, row = cursor
        if (terminal.row, terminal.column) != (row, column):
            move = self._move(terminal, row, column)
            if terminal.saved == cursor and terminal.saved_pen == terminal.pen and len(move) > 2:
                move = "\x1b8"
            draft.add(move)
            terminal.row, terminal.column = row, column
        if visible != terminal.cursor_visible:
            draft.add("\x1b[?25h" if visible else "\x1b[?25l")
            terminal.cursor_visible = visible

    def _move(self, terminal: _Terminal, row: int, column: int) -> str:
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

    def _go(self, draft: _Draft, row: int, column: int) -> None:
        """Move the cursor; over a short gap by writing what stands there already.

        Only within a row that is being brought to its target: between cursor and cell it shows its target.
        """
        terminal = draft.terminal
        move = self._move(terminal, row, column)
        here = terminal.column
        if terminal.row == row and here is not None and here < column and len(move) > column - here and terminal.pen:
            shown = self.target[row]
            gap = shown.text[here:column]
            covers, pen = self.pens.covers, terminal.pen
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
    def _crosses(terminal: _Terminal, start: int, end: int) -> bool:
        """Whether writing from `start` to `end` would meet the right margin, where the terminal would stop."""
        return terminal.margins is not None and start < terminal.margins[1] <= end

    def _row(self, draft: _Draft, number: int) -> None:
        """Bring one row to its target."""
        terminal = draft.terminal
        old, new = terminal.shown[number], self.target[number]
        if old == new:
            return
        if terminal.margins is not None and new.text[terminal.margins[1] : terminal.margins[1] + 1] == TAIL:
            # A wide character across the right margin cannot be drawn while that is set.
            self._unset_margins(draft)
        runs = _runs(old, new)
        tail = self._tail(new)
        erase_from = self.width
        if tail < self.width:
            first = next((run for run in runs if run[1] > tail), None)
            if first is not None:
                start = max(first[0], tail)
                rest = sum(end - max(begin, tail) for begin, end in runs if end > tail)
                if rest > 3 + len(self.pens.way(terminal.pen, new.pens[-1])) // 2:
                    erase_from = start
        for start, end in runs:
            end = min(end, erase_from)
            if start < end:
                self._run(draft, number, start, end, new)
        if erase_from < self.width:
            self._go(draft, number, erase_from)
            self._use(draft, new.pens[-1], blank=True)
            draft.add("\x1b[K")
        terminal.shown[number] = new
        self.rows_repainted += runs == [(0, self.width)]

    def _tail(self, row: Row) -> int:
        """The column from which on `row` is blank in one pen that the terminal can erase with."""
        last = row.pens[-1]
        pen = self.pens.pen(last)
        if row.text[-1] != " " or pen.marks_blanks or (pen.background and not self.abilities.bce):
            return self.width
        return max(len(row.text.rstrip(" ")), len(row.pens.rstrip(last)))

    def _use(self, draft: _Draft, number: str, *, blank: bool) -> None:
        """Take a pen, or keep the one in hand when a blank looks the same with it."""
        terminal = draft.terminal
        if blank and terminal.pen is not None and self.pens.covers(terminal.pen, number):
            return
        if terminal.pen != number:
            draft.add(self.pens.way(terminal.pen, number))
            terminal.pen = number

    def _run(self, draft: _Draft, row: int, start: int, end: int, new: Row) -> None:
        """Write the cells `start` to `end` of `row`."""
        terminal = draft.terminal
        covers = self.pens.covers
        text, pens = new
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
            self._use(draft, number, blank=cells.isspace() and cells.isascii())
            self._cells(draft, row, column, cells, last=stop == end)
            column = stop

    def _cells(self, draft: _Draft, row: int, column: int, cells: str, *, last: bool) -> None:
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

    def _short(self, terminal: _Terminal, character: str, count: int, last: bool) -> tuple[str, bool]:
        """A shorter way to write `character` `count` times ("": there is none) and whether it moves the cursor."""
        length = count * len(character.encode("utf-8", "replace"))
        if self.abilities.repeat and (
            character.isascii() or (self.abilities.trust_ambiguous and "\u2500" <= character <= "\u259f")
        ):
            sequence = f"{character}\x1b[{count - 1}b"
            if len(sequence.encode()) < length:
                return sequence, True
        pen = self.pens.pen(terminal.pen or self.pens.default)
        if character == " " and not pen.marks_blanks and (self.abilities.bce or not pen.background):
            sequence = f"\x1b[{count}X"
            # Erasing leaves the cursor where it is.
            if len(sequence) * (1 if last else 2) < length:
                return sequence, False
        return "", False

    def _past_edge(self, terminal: _Terminal) -> None:
        """After the last column, or the right margin, the cursor is not where it would be elsewhere."""
        column = terminal.column
        if column is not None and (column >= self.width or (terminal.margins and column == terminal.margins[1])):
            terminal.column = None

    def _place_row(self, draft: _Draft, row: int) -> None:
        if draft.terminal.row != row:
            draft.add(self._move(draft.terminal, row, 0))
            draft.terminal.row, draft.terminal.column = row, 0

    def _place(self, draft: _Draft, row: int, column: int) -> None:
        if draft.terminal.column != column:
            self._go(draft, row, column)

    def _text(self, draft: _Draft, row: int, column: int, cells: str) -> None:
        """Write cells as text, placing the cursor anew after what is of doubtful width."""
        if not cells:
            return
        terminal = draft.terminal
        self._place(draft, row, column)
        trusted = self.abilities.trust_ambiguous
        if cells.isascii() or (trusted and max(cells) < "\U0001f000"):
            draft.add(self.clusters.expand(cells))
            terminal.column = column + len(cells)
        else:
            begin = 0
            for index, cell in enumerate(cells):
                if cell != TAIL and (uncertain(cell) or not (trusted or cell.isascii())):
                    stop = index + (2 if cells[index + 1 : index + 2] == TAIL else 1)
                    self._place(draft, row, column + begin)
                    draft.add(self.clusters.expand(cells[begin:stop]))
                    terminal.column = None
                    begin = stop
            if begin < len(cells):
                self._place(draft, row, column + begin)
                draft.add(self.clusters.expand(cells[begin:]))
                terminal.column = column + len(cells)
        self._past_edge(terminal)

    # --- scrolling ----------------------------------------------------------------------------------------

    def _scrolled(self, draft: _Draft, rows: list[int]) -> _Draft:
        """`draft` with the scrolls that make the whole frame shortest, or as it is."""
        if not self.abilities.scroll:
            return draft
        for _scroll in range(_MOST_SCROLLS):
            better = self._one_scroll(draft, rows)
            if better is None:
                break
            draft = better
            # A scroll of whole rows moves what stands beside the band: that is repaired with the rest.
            shown = draft.terminal.shown
            self._dirty = {row for row in range(self.height) if shown[row] != self.target[row]}
            rows[:] = sorted(self._dirty)
        return draft

    def _one_scroll(self, draft: _Draft, rows: list[int]) -> _Draft | None:
        """`draft` with the one scroll that makes the frame shortest; None where none makes it shorter."""
        best, least = None, 0
        for band in self._bands:
            if sum(1 for row in rows if band.top <= row < band.bottom) < _MIN_SCROLL:
                continue
            found = self._shift(draft.terminal, band)
            if found is None:
                continue
            least = least or self._estimate(draft)
            for margins in (False, True) if self._margins_possible(draft.terminal, band) else (False,):
                candidate = self._scroll(draft, band, found, margins)
                cost = self._estimate(candidate)
                if cost < least:
                    best, least = candidate, cost
        return best

    def _estimate(self, draft: _Draft) -> int:
        """About how many bytes a frame will have that goes on from `draft`."""
        size = draft.size
        for old, new in zip(draft.terminal.shown, self.target, strict=True):
            if old is not new and old != new:
                # What is blank at the end of a row is erased in one.
                end = len(new.text.rstrip(" "))
                size += _ROW_COST + sum(map(ne, old.text[:end], new.text[:end]))
                if old.pens != new.pens:
                    size += sum(map(ne, old.pens[:end], new.pens[:end]))
        return size

    def _shift(self, terminal: _Terminal, band: Band) -> tuple[int, int, int] | None:
        """By how many rows the content of the band moved up (below zero: down), and its first and end row."""
        columns = slice(band.left, band.right)
        old = [(row.text[columns], row.pens[columns]) for row in terminal.shown[band.top : band.bottom]]
        new = [(row.text[columns], row.pens[columns]) for row in self.target[band.top : band.bottom]]
        places: dict[tuple[str, str], int] = {}
        for index, key in enumerate(old):
            # A row that occurs twice says nothing about where it went.
            places[key] = -1 if key in places else index
        votes: dict[int, int] = {}
        for index, key in enumerate(new):
            place = places.get(key, -1)
            if place >= 0 and place != index and not key[0].isspace():
                votes[place - index] = votes.get(place - index, 0) + 1
        if not votes:
            return None
        shift = max(votes, key=lambda each: (votes[each], -abs(each)))
        gains = _gains(old, new, shift)
        first, end = _window(gains, shift)
        top, bottom = terminal.region
        # The region stays as it is from frame to frame where that is about as good.
        if band.top <= top and bottom <= band.bottom and bottom - top > abs(shift):
            here = slice(top - band.top, bottom - band.top)
            if sum(gains[here]) + _ROW_COST >= sum(gains[first:end]):
                return shift, top, bottom
        return shift, band.top + first, band.top + end

    def _margins_possible(self, terminal: _Terminal, band: Band) -> bool:
        if not self.abilities.margins or self.abilities.scroll != "scroll" or band.right - band.left < 2:
            return False
        if (band.left, band.right) == (0, self.width):
            return False
        # A wide character across a margin would be cut.
        return not any(
            TAIL in (row.text[band.left], row.text[band.right] if band.right < self.width else "")
            for row in terminal.shown[band.top : band.bottom]
        )

    def _scroll(self, draft: _Draft, band: Band, found: tuple[int, int, int], margins: bool) -> _Draft:
        """A copy of `draft` that goes on with a scroll."""
        shift, top, bottom = found
        draft = _Draft(draft.terminal.copy(), list(draft.parts), draft.size)
        terminal = draft.terminal
        left, right = (band.left, band.right) if margins else (0, self.width)
        if margins:
            if terminal.margins != (left, right):
                enable = "" if terminal.margins is not None else "\x1b[?69h"
                draft.add(f"{enable}\x1b[{left + 1};{right}s")
                terminal.margins, terminal.row, terminal.column = (left, right), 0, None
        elif terminal.margins is not None:
            self._unset_margins(draft)
        if terminal.region != (top, bottom):
            draft.add("\x1b[r" if (top, bottom) == (0, self.height) else f"\x1b[{top + 1};{bottom}r")
            terminal.region, terminal.row, terminal.column = (top, bottom), 0, 0
            if margins:
                terminal.column = None
        exposed = bottom - 1 if shift > 0 else top
        wanted = self.target[exposed].pens[right - 1]
        fill = self.pens.blank(wanted)
        if self.pens.pen(fill).marks_blanks or not self.abilities.bce:
            fill = self.pens.default
        self._use(draft, fill, blank=True)
        count = abs(shift)
        if self.abilities.scroll == "scroll":
            letter = "S" if shift > 0 else "T"
            draft.add(f"\x1b[{letter}" if count == 1 else f"\x1b[{count}{letter}")
        else:
            self._place_row(draft, bottom - 1 if shift > 0 else top)
            draft.add(("\n" if shift > 0 else "\x1bM") * count)
            # Whether a line feed returns the carriage is up to the line discipline.
            terminal.column = None
        blank = Row(" " * (right - left), fill * (right - left))
        moved = [terminal.shown[row + shift] if top <= row + shift < bottom else None for row in range(top, bottom)]
        for row, source in zip(range(top, bottom), moved, strict=True):
            inner = blank if source is None else Row(source.text[left:right], source.pens[left:right])
            outer = terminal.shown[row]
            if margins:
                text = outer.text[:left] + inner.text + outer.text[right:]
                inner = Row(text, outer.pens[:left] + inner.pens + outer.pens[right:])
            terminal.shown[row] = inner
        return draft

    @staticmethod
    def _unset_margins(draft: _Draft) -> None:
        draft.add("\x1b[?69l")
        draft.terminal.margins = draft.terminal.row = draft.terminal.column = None


def _gains(old: list[tuple[str, str]], new: list[tuple[str, str]], shift: int) -> list[int]:
    """What a scroll by `shift` puts right, or spoils (below zero), in each row; about in bytes."""
    gains = []
    for index, row in enumerate(new):
        weight = 1 + len(row[0]) - row[0].count(" ")
        moved_right = 0 <= index + shift < len(old) and row == old[index + shift]
        gains.append(weight * (moved_right - (row == old[index])))
    return gains


def _window(gains: list[int], shift: int) -> tuple[int, int]:
    """First and end row of the region that `shift` scrolls best."""
    height = len(gains)
    # The contiguous rows with the greatest sum (Kadane).
    best = total = start = 0
    first, end = 0, height
    for index, gain in enumerate(gains):
        if total <= 0:
            total, start = 0, index
        total += gain
        if total > best:
            best, first, end = total, start, index + 1
    first, end = min(first, first + shift), max(end, end + shift)
    # The whole band where that is as good: the region then stays as it is from frame to frame.
    return (0, height) if sum(gains) >= best else (max(0, first), min(height, end))


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
