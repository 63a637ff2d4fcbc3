"""Turns what the screen shall show into the fewest bytes that make the terminal show it. Pure; knows no Textual.

The invariant: `shown` is what the terminal shows, cell by cell. Everything else follows from it. Whoever lets
something else draw on the terminal calls `invalidate`.

What is learnt by trying: moves are absolute after anything whose width terminals disagree on, and after the last
column; a line feed would scroll outside the scroll region, so there is none; relative moves up and down stop at
margins, so there are none; erasing and scrolling fill with the pen's background only where the terminal says so;
a wide character is only ever overwritten whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import ne
from typing import NamedTuple

from tui.terminal.cells import TAIL, Clusters, Pens, Row, mended
from tui.terminal.scrolling import SWITCH_COST, Band, Shift, find_shift
from tui.terminal.writer import Abilities, Draft, Terminal, Writer

SYNC_FROM = 400
"""Bytes from which a frame is marked as one (synchronized output): the marks cost 16."""

_SYNC_START, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
_MOST_SCROLLS = 3
"""In one frame: parts of a text move by different amounts when a block in the middle grows."""

_SURE_GAIN = 8 * SWITCH_COST
"""Bytes saved by a scroll from which on nothing is estimated to see whether it is worth it."""

_MIN_SCROLL = 3
"""Rows that must differ before it is worth looking for a scroll."""


class Frame(NamedTuple):
    """What to send. `complete` is False when the budget ended it before the terminal shows all."""

    data: str
    complete: bool


class Painter:
    """The model of one terminal of `width` by `height` cells, and the way to change it."""

    def __init__(self, width: int, height: int, abilities: Abilities | None = None) -> None:
        self.pens = Pens()
        self.clusters = Clusters()
        self.full_repaints = 0
        self._abilities = abilities or Abilities()
        self._margins_used = False
        self.resize(width, height)

    @property
    def abilities(self) -> Abilities:
        """What the terminal can do; may be learnt while frames are painted."""
        return self._abilities

    @abilities.setter
    def abilities(self, abilities: Abilities) -> None:
        self._abilities = self._writer.abilities = abilities

    @property
    def rows_repainted(self) -> int:
        """Rows that were sent anew from the first cell to the last, since the last change of size."""
        return self._writer.rows_repainted

    def resize(self, width: int, height: int) -> None:
        """The terminal has another size now; what it shows is not known."""
        self.width, self.height = width, height
        self._begin_anew()
        self.invalidate()

    def _begin_anew(self) -> None:
        self.target = [self._blank_row()] * self.height
        self._writer = Writer(self.width, self.pens, self.clusters, self._abilities)

    def invalidate(self) -> None:
        """What the terminal shows is not known: the next frame begins with an empty screen."""
        if self.pens.full:
            self.pens, self.clusters = Pens(), Clusters()
            self._begin_anew()
        self._terminal: Terminal | None = None
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

        With a `budget` the frame ends before the row that would exceed it, but not before it has one, the row of the
        cursor first; `only` restricts it to some rows. What is left over comes with the next frame.
        """
        draft = self._begin()
        if draft is None:
            only = None
            draft = Draft(self._fresh())
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
            if budget is not None and done and draft.size + self._row_cost(draft.terminal.shown[row], row) > budget:
                break
            self._writer.row(draft, row, self.target[row])
            done += 1
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

    def _begin(self) -> Draft | None:
        return None if self._terminal is None else Draft(self._terminal)

    def _fresh(self) -> Terminal:
        return Terminal([self._blank_row()] * self.height, 0, 0, self.pens.default, (0, self.height))

    def _wipe(self) -> str:
        margins = "\x1b[?69l" if self._margins_used else ""
        return f"{margins}\x1b[r\x1b[m\x1b[2J\x1b[H"

    def _without_margins(self, terminal: Terminal) -> str:
        region = "\x1b[r" if terminal.region != (0, self.height) else ""
        return ("\x1b[?69l" if terminal.margins is not None else "") + region

    def _blank_row(self) -> Row:
        return Row(" " * self.width, self.pens.default * self.width)

    def _save(self, terminal: Terminal, cursor: tuple[int, int], only: range | None) -> str | None:
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

    def _park(self, draft: Draft, cursor: tuple[int, int], visible: bool) -> None:
        """Bring the cursor to its place, and show or hide it."""
        terminal = draft.terminal
        column, row = cursor
        if (terminal.row, terminal.column) != (row, column):
            move = self._writer.move(terminal, row, column)
            if terminal.saved == cursor and terminal.saved_pen == terminal.pen and len(move) > 2:
                move = "\x1b8"
            draft.add(move)
            terminal.row, terminal.column = row, column
        if visible != terminal.cursor_visible:
            draft.add("\x1b[?25h" if visible else "\x1b[?25l")
            terminal.cursor_visible = visible

    # --- scrolling ----------------------------------------------------------------------------------------

    def _scrolled(self, draft: Draft, rows: list[int]) -> Draft:
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

    def _one_scroll(self, draft: Draft, rows: list[int]) -> Draft | None:
        """`draft` with the one scroll that makes the frame shortest; None where none makes it shorter."""
        best, least = None, 0
        for band in self._bands:
            if sum(1 for row in rows if band.top <= row < band.bottom) < _MIN_SCROLL:
                continue
            found = find_shift(draft.terminal.shown, self.target, band, draft.terminal.region)
            if found is None:
                continue
            margins_possible = self._margins_possible(draft.terminal, band)
            beside = 0 if margins_possible else self._moved_beside(draft.terminal.shown, band, found)
            if found.gain - beside > _SURE_GAIN:
                return self._scroll(draft, band, found, margins_possible)
            least = least or self._estimate(draft)
            for margins in (False, True) if margins_possible else (False,):
                candidate = self._scroll(draft, band, found, margins)
                cost = self._estimate(candidate)
                if cost < least:
                    best, least = candidate, cost
        return best

    def _moved_beside(self, shown: Sequence[Row], band: Band, found: Shift) -> int:
        """About how many bytes repair what a scroll of whole rows moves beside the band."""
        size = 0
        for columns in (slice(band.left), slice(band.right, self.width)):
            for row in range(found.top, found.bottom) if columns.start != self.width and columns.stop != 0 else ():
                new, source = self.target[row], row + found.rows
                if not found.top <= source < found.bottom:
                    size += 2 * SWITCH_COST
                    continue
                old = shown[source]
                for before, after in zip(old, new, strict=True):
                    if before[columns] != after[columns]:
                        size += SWITCH_COST + sum(map(ne, before[columns], after[columns]))
        return size

    def _estimate(self, draft: Draft) -> int:
        """About how many bytes a frame will have that goes on from `draft`."""
        return draft.size + sum(self._row_cost(old, row) for row, old in enumerate(draft.terminal.shown))

    def _row_cost(self, old: Row, row: int) -> int:
        """About how many bytes turn `old` into what `row` should show."""
        new = self.target[row]
        if old is new or old == new:
            return 0
        # What is blank at the end of a row is erased in one.
        end = len(new.text.rstrip(" "))
        size: int = SWITCH_COST + sum(map(ne, old.text[:end], new.text[:end]))
        if old.pens != new.pens:
            size += sum(map(ne, old.pens[:end], new.pens[:end]))
        return size

    def _margins_possible(self, terminal: Terminal, band: Band) -> bool:
        if not self.abilities.margins or self.abilities.scroll != "scroll" or band.right - band.left < 2:
            return False
        if (band.left, band.right) == (0, self.width):
            return False
        # A wide character across a margin would be cut.
        return not any(
            TAIL in (row.text[band.left], row.text[band.right] if band.right < self.width else "")
            for row in terminal.shown[band.top : band.bottom]
        )

    def _scroll(self, draft: Draft, band: Band, found: Shift, margins: bool) -> Draft:
        """A copy of `draft` that goes on with a scroll."""
        shift, top, bottom, _gain = found
        draft = Draft(draft.terminal.copy(), list(draft.parts), draft.size)
        terminal = draft.terminal
        left, right = (band.left, band.right) if margins else (0, self.width)
        if margins:
            self._margins_used = True
            if terminal.margins != (left, right):
                enable = "" if terminal.margins is not None else "\x1b[?69h"
                draft.add(f"{enable}\x1b[{left + 1};{right}s")
                terminal.margins, terminal.row, terminal.column = (left, right), 0, None
        elif terminal.margins is not None:
            self._writer.unset_margins(draft)
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
        self._writer.use(draft, fill, blank=True)
        count = abs(shift)
        if self.abilities.scroll == "scroll":
            letter = "S" if shift > 0 else "T"
            draft.add(f"\x1b[{letter}" if count == 1 else f"\x1b[{count}{letter}")
        else:
            self._writer.place_row(draft, bottom - 1 if shift > 0 else top)
            draft.add(("\n" if shift > 0 else "\x1bM") * count)
            # Whether a line feed returns the carriage is up to the line discipline.
            terminal.column = None
        blank = Row(" " * self.width, fill * self.width)
        moved = [terminal.shown[row + shift] if top <= row + shift < bottom else blank for row in range(top, bottom)]
        if margins:
            moved = [
                Row(
                    outer.text[:left] + inner.text[left:right] + outer.text[right:],
                    outer.pens[:left] + inner.pens[left:right] + outer.pens[right:],
                )
                for outer, inner in zip(terminal.shown[top:bottom], moved, strict=True)
            ]
        terminal.shown[top:bottom] = moved
        return draft
