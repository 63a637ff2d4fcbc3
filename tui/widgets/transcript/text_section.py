"""The section of a text block: Markdown pieces laid out one below the other, only the last ones ever again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tui.widgets.transcript.code import CodeLayout
from tui.widgets.transcript.lines import BLANK, Line, Look, Unit, splice
from tui.widgets.transcript.markdown import Markdown, Part, plain_lines
from tui.widgets.transcript.splitter import Piece, Splitter
from tui.widgets.transcript.table_layout import TableLayout


class BlocksLayout:
    """A piece that is rendered as a whole."""

    kind = "blocks"
    complete = True

    def __init__(self, look: Look, turn: str, number: int, splitter: Splitter) -> None:
        self.look = look
        self.turn = turn
        self.number = number
        self.splitter = splitter
        self.lines: list[Line] = []
        self.parts: list[Part] = []
        self.waiting = False
        self._source = ""
        self._linked = -1
        self._final = False
        self._recolour = False

    def update(self, text: str, piece: Piece) -> int | None:
        source = text[piece.start : piece.end]
        known = self.splitter.references
        linked = len(known) if "[" in source else 0
        same = source == self._source and linked == self._linked and not self._recolour
        if same and (piece.final == self._final or not self.parts):
            self._final, piece.tokens = piece.final, None
            return None
        self._source, self._final, self._linked, self._recolour = source, piece.final, linked, False
        if piece.kind == "plain":
            rows = plain_lines(text[piece.start : piece.end], self.look.content)
            self.parts, self.waiting = [], False
        else:
            render = Markdown(self.look, known, self.turn, self.number, live=not piece.final)
            rows = render.piece(text[piece.start : piece.end], piece.tokens, piece.first)
            self.parts, self.waiting = render.parts, render.waiting
        piece.tokens = None
        return splice(self.lines, 0, [Line(row) for row in rows])

    def recolour(self) -> None:
        self._recolour = True


Layout: TypeAlias = BlocksLayout | CodeLayout | TableLayout


@dataclass(slots=True)
class _Slot:
    """A layout, the piece it shows, and the line where it begins, its empty line before left out."""

    layout: Layout
    piece: Piece
    offset: int = -1
    gap: bool = False


class TextSection:
    """Markdown source to lines, kept while it grows.

    Args:
        look: width and all.
        index: of the block within its turn.
        turn: id of the turn.
        number: of the first code block or table.
    """

    def __init__(self, look: Look, turn: str, index: int, number: int) -> None:
        self.look = look
        self.turn = turn
        self.index = index
        self.number = number
        self.lines: list[Line] = []
        self.complete = False
        self._splitter = Splitter(look.inline)
        self._slots: list[_Slot] = []
        self._done = 0
        """Slots that will not change."""
        self._relinked = False

    @property
    def numbers(self) -> int:
        """How many numbers it has used."""
        return self._after(self._slots[-1].layout) - self.number if self._slots else 0

    def feed(self, text: str, ended: bool) -> None:
        """The source as it is now; `ended`: no more of it will come."""
        splitter = self._splitter
        if text == splitter.text and ended == splitter.ended:
            return
        if not text.startswith(splitter.text) or splitter.ended:
            splitter = self._splitter = Splitter(self.look.inline)
            self._done, self._relinked = 0, False
            self._slots.clear()
        splitter.text, splitter.ended = text, ended
        self.complete = False

    def step(self) -> int | None:
        """Do a bounded piece of work; the first line that changed. Again while `complete` is False."""
        splitter = self._splitter
        more = splitter.step()
        changed: int | None = None
        number = self._after(self._slots[self._done - 1].layout) if self._done else self.number
        complete = not more
        for index in range(self._done, len(splitter.pieces)):
            piece = splitter.pieces[index]
            slot = self._slot(index, piece, number)
            layout = slot.layout
            changed = self._place(index, slot, layout.update(splitter.text, piece), changed)
            number = self._after(layout)
            if not layout.complete:
                complete = False
                break
            if piece.final and index == self._done:
                self._done += 1
        changed = self._cut(len(splitter.pieces), changed) if complete else changed
        if complete and splitter.ended and not self._relinked:
            self._relinked = True
            if splitter.references:  # definitions came late: what was rendered before them once more
                self._done = 0
                complete = False
        self.complete = complete
        return changed

    def _slot(self, index: int, piece: Piece, number: int) -> _Slot:
        """The slot for a piece: the one that showed it before, where there is one."""
        kind = "blocks" if piece.kind == "plain" else piece.kind
        if index < len(self._slots):
            slot = self._slots[index]
            if slot.layout.kind == kind and slot.piece.start == piece.start and slot.layout.number == number:
                slot.piece = piece
                return slot
        layout: Layout
        if kind == "code":
            layout = CodeLayout(self.look, number)
        elif kind == "table":
            layout = TableLayout(self.look, self.turn, number, self._splitter)
        else:
            layout = BlocksLayout(self.look, self.turn, number, self._splitter)
        self._slots[index:] = [_Slot(layout, piece)]
        return self._slots[index]

    def _place(self, index: int, slot: _Slot, first: int | None, changed: int | None) -> int | None:
        """Put the lines of the slot at `index` where they belong in ours; the first line that changed so far."""
        offset, gap, lines = 0, False, slot.layout.lines
        if index:
            before = self._slots[index - 1]
            gap = slot.piece.gap
            offset = before.offset + len(before.layout.lines) + gap
        same = first is None and (slot.offset, slot.gap) == (offset, gap) and len(self.lines) >= offset + len(lines)
        slot.offset, slot.gap = offset, gap
        if same:
            return changed
        at = splice(self.lines, offset - gap, [BLANK] * gap + lines)
        return at if changed is None else changed if at is None else min(changed, at)

    def _cut(self, count: int, changed: int | None) -> int | None:
        """Drop what was laid out beyond `count` pieces."""
        del self._slots[count:]
        end = self._slots[-1].offset + len(self._slots[-1].layout.lines) if count else 0
        if len(self.lines) > end:
            del self.lines[end:]
            return end if changed is None else min(changed, end)
        return changed

    # --- what the cursor and copying see -------------------------------------------------------------------

    @staticmethod
    def _after(layout: Layout) -> int:
        """The number after those of `layout`."""
        return layout.number + (len(layout.parts) if isinstance(layout, BlocksLayout) else 1)

    def units(self) -> list[Unit]:
        """The blocks in it, in order; a list is one."""
        text = self._splitter.text
        units: list[Unit] = []
        began = 0
        for slot in self._slots:
            offset, piece, layout = slot.offset, slot.piece, slot.layout
            end = offset + len(layout.lines)
            if not isinstance(layout, BlocksLayout):
                source = layout.source or text[piece.body : piece.body_end]
                unit = Unit(layout.kind, offset, end, self.index, layout.number, layout.language, source)
                unit.scroll = layout.scroll if isinstance(layout, TableLayout) else 0
                units.append(unit)
                continue
            source = text[piece.start : piece.end].rstrip("\n")
            if piece.joined and units and not layout.parts and not units[-1].number:
                units[-1].end = end
                units[-1].source = text[began : piece.end].rstrip("\n")
                continue
            at, began = offset, piece.start
            for part in layout.parts:
                if part.start + offset > at:
                    units.append(Unit("text", at, part.start + offset, self.index, source=source))
                at = offset + part.end
                unit = Unit(part.kind, offset + part.start, at, self.index, part.number, part.language, part.text)
                unit.scroll = part.scroll
                units.append(unit)
            if at < end:
                units.append(Unit("text", at, end, self.index, source=source))
        return units

    def piece_lines(self, position: int) -> tuple[int, int]:
        """The lines of the piece that holds source offset `position`."""
        for slot in self._slots:
            if position < slot.piece.end:
                return slot.offset, slot.offset + len(slot.layout.lines)
        return (self._slots[-1].offset, len(self.lines)) if self._slots else (0, 0)

    @property
    def waiting(self) -> bool:
        return any(slot.layout.waiting for slot in self._slots)

    def recolour(self, number: int = 0) -> None:
        """Colours have come, or the view of table `number` was changed: lay out those blocks again."""
        for index, slot in enumerate(self._slots):
            layout = slot.layout
            if layout.waiting or layout.number <= number < self._after(layout):
                layout.recolour()
                self._done = min(self._done, index)
                self.complete = False
