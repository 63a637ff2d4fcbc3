"""Tables: columns that fit, cells that wrap, columns that scroll sideways, or rows one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from tui.widgets.transcript.cells import Span, Spans, width_of, wrap
from tui.widgets.transcript.code import rule
from tui.widgets.transcript.lines import Look, TableView
from tui.widgets.transcript.styles import BOLD, DIM, TEXT, Kind
from tui.words import _

_GAP = 2
_NARROWEST = 10
"""A column that must wrap is not made narrower than this; then the table scrolls sideways."""
_WIDEST = 40
"""Cells of a table that scrolls wrap here."""
HEADER = Kind.TABLE_HEADER.key

Cells = Sequence[Spans]


@dataclass(frozen=True, slots=True)
class Plan:
    """Which columns are shown and how wide."""

    columns: tuple[int, ...]
    widths: tuple[int, ...]
    note: str = ""
    last: int = 0
    """The `TableView.column` from which the last column is in view: there is nothing to scroll to beyond."""


def plan(natural: Sequence[int], width: int, view: TableView, marks_left: str, marks_right: str) -> Plan:
    """Fit columns of `natural` widths into `width` cells."""
    count = len(natural)
    room = width - 1 - _GAP * (count - 1)
    if sum(natural) <= room:
        return Plan(tuple(range(count)), tuple(natural))
    floor = sum(min(size, _NARROWEST) for size in natural)
    if floor <= room:
        low, high = _NARROWEST, max(natural)
        while low < high:
            middle = (low + high + 1) // 2
            if sum(min(size, middle) for size in natural) <= room:
                low = middle
            else:
                high = middle - 1
        widths = [min(size, low) for size in natural]
        spare = room - sum(widths)
        for index, size in enumerate(natural):
            more = min(spare, size - widths[index])
            widths[index] += more
            spare -= more
        return Plan(tuple(range(count)), tuple(widths))
    capped = [min(size, _WIDEST, max(4, width - 2)) for size in natural]
    last, left = count - 1, width - 1 - capped[0] - _GAP - capped[-1]
    while last > 1 and left >= _GAP + capped[last - 1]:
        last -= 1
        left -= _GAP + capped[last]
    first = min(view.column + 1, last)
    columns, widths, used = [0], [capped[0]], 1 + capped[0]
    for column in range(first, count) if count > 1 else ():
        if used + _GAP + capped[column] > width and len(columns) > 1:
            break
        size = min(capped[column], max(4, width - used - _GAP))
        columns.append(column)
        widths.append(size)
        used += _GAP + size
    note = _("{left} {shown} of {all} columns {right}").format(
        left=marks_left if first > 1 else "",
        shown=len(columns),
        all=count,
        right=marks_right if columns[-1] < count - 1 else "",
    )
    # What stands before it ends in a number too: without an arrow in between, a second space.
    return Plan(tuple(columns), tuple(widths), note.rstrip(), max(0, last - 1))


def grid_row(cells: Cells, shape: Plan, aligns: Sequence[str]) -> list[Spans]:
    """One row, as many lines as its tallest cell has."""
    blocks: list[list[Spans]] = []
    for column, size in zip(shape.columns, shape.widths, strict=True):
        cell = cells[column] if column < len(cells) else ()
        blocks.append([cell] if width_of(cell) <= size and not _breaks(cell) else wrap(cell, size))
    lines: list[Spans] = []
    for number in range(max((len(block) for block in blocks), default=1)):
        line: list[Span] = [(" ", TEXT)]
        gap = 0
        for column, size, block in zip(shape.columns, shape.widths, blocks, strict=True):
            text = block[number] if number < len(block) else ()
            room = size - width_of(text)
            align = aligns[column] if column < len(aligns) else ""
            before = room if align == "right" else room // 2 if align == "center" else 0
            if gap + before and text:
                line.append((" " * (gap + before), TEXT))
            if text:
                line += text
                gap = room - before + _GAP
            else:
                gap += size + _GAP
        lines.append(tuple(line))
    return lines


def _breaks(cell: Spans) -> bool:
    return any("\n" in text for text, _ in cell)


def header_cells(names: Cells) -> list[Spans]:
    return [tuple((text, HEADER | (key & 15) | BOLD) for text, key in cell) for cell in names]


def widest(sizes: list[int], rows: Sequence[Cells]) -> None:
    """Grow `sizes` to what `rows` want."""
    for row in rows:
        for column, cell in enumerate(row[: len(sizes)]):
            if cell:
                size = max(cell_len(part) for part in "".join([text for text, _ in cell]).split("\n"))
                if size > sizes[column]:
                    sizes[column] = size


def table_rows(
    look: Look,
    width: int,
    label: str,
    names: Sequence[Spans],
    rows: Sequence[Cells],
    aligns: Sequence[str],
    view: TableView,
) -> tuple[list[Spans], int]:
    """A whole table below its rule, and how far it can be scrolled sideways (`Plan.last`)."""
    sizes = [1] * len(names)
    widest(sizes, [names, *rows])
    shape = plan(sizes or [1], width, view, look.marks.left, look.marks.right)
    if view.rows:
        plain = ["".join(text for text, _key in name) for name in names]
        return [rule(look, width, label), *record_rows(look, plain, rows, width)], 0
    lines = [rule(look, width, label, shape.note)]
    for row in [header_cells(names), *rows] if names else ():
        lines += grid_row(row, shape, aligns)
    return lines, shape.last


def record_rows(look: Look, names: Sequence[str], rows: Sequence[Cells], width: int) -> list[Spans]:
    r"""Each row as `name: value` lines, as MySQL's `\G` does."""
    label = min(max((cell_len(name) for name in names), default=0), max(8, width // 3))
    lines: list[Spans] = []
    for number, row in enumerate(rows, 1):
        lines.append(((_(" *** {number}. row ***").format(number=number), DIM),))
        for name, cell in zip(names, row, strict=False):
            values = wrap(cell, max(4, width - label - 3))
            for index, value in enumerate(values):
                shown = name if index == 0 else ""
                room = max(0, label - cell_len(shown))
                head = " " * room + shown + (": " if index == 0 else "  ")
                lines.append(((" " + head, DIM), *value))
    return lines


def numeric(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether the column holds numbers, with units at most: such columns stand at the right."""
    seen = False
    for row in rows[:50]:
        value = row[column].strip() if column < len(row) else ""
        if value in ("", "-", "NULL", "null"):
            continue
        head = value.lstrip("+-¥$€").split(" ")[0].rstrip("%")
        if not head.replace(",", "").replace(".", "", 1).isdigit():
            return False
        seen = True
    return seen
