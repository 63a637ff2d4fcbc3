"""Charts from characters: bars, lines and points in braille where the terminal can, else in ASCII."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import cell_len

from tui.models import ChartBlock
from tui.widgets.transcript.cells import Span, Spans, cut, pad
from tui.widgets.transcript.lines import Look
from tui.widgets.transcript.styles import BOLD, DIM, TEXT, Kind
from tui.words import _

_MOST_BARS = 40
_HEIGHT = 8
_SERIES = (Kind.CHART_1.key, Kind.CHART_2.key, Kind.CHART_3.key)
_MOST_CELLS = 60
"""Of a bar."""
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille cell by row and column."""


def chart_rows(chart: ChartBlock, look: Look) -> list[Spans] | None:
    """The body of `chart`; None where it cannot be drawn and its table must do."""
    series = [(name, _numbers(chart, name)) for name in chart.y[:3]]
    series = [(name, values) for name, values in series if any(value is not None for value in values)]
    if not series or not chart.data.rows:
        return None
    labels = _labels(chart)
    if chart.kind in ("line", "scatter"):
        return _canvas(labels, series, look, joined=chart.kind == "line")
    if chart.kind in ("bar", "pie") or len(labels) <= _MOST_BARS:
        return _bars(labels, series, look, share=chart.kind == "pie")
    return None


def number_of(text: str) -> float | None:
    """The number that a cell holds, None where it holds none."""
    head = text.strip().replace(",", "").split(" ")[0].lstrip("¥$€")
    try:
        value = float(head.rstrip("%"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _numbers(chart: ChartBlock, name: str) -> list[float | None]:
    if name not in chart.data.columns:
        return []
    column = chart.data.columns.index(name)
    return [number_of(row[column]) if column < len(row) else None for row in chart.data.rows]


def _labels(chart: ChartBlock) -> list[str]:
    if chart.x not in chart.data.columns:
        return [str(number) for number in range(1, len(chart.data.rows) + 1)]
    column = chart.data.columns.index(chart.x)
    return [row[column] if column < len(row) else "" for row in chart.data.rows]


def _short(value: float) -> str:
    size = abs(value)
    if size < 1e12 and (size >= 1e6 or value == int(value)):
        return f"{value:,.0f}"
    return f"{value:,.2f}" if 1000 <= size < 1e6 else f"{value:,.4g}"


def _bars(
    labels: Sequence[str], series: Sequence[tuple[str, Sequence[float | None]]], look: Look, *, share: bool
) -> list[Spans]:
    values = [value for _name, numbers in series for value in numbers if value is not None]
    top = max(max(values), 0.0) or 1.0
    total = sum(value for value in series[0][1] if value is not None and value > 0) or 1.0
    texts = [[_amount(value, total if share else 0.0) for value in numbers] for _name, numbers in series]
    label_cells = min(max((cell_len(label) for label in labels), default=0), max(8, look.content // 3))
    number_cells = max(len(text) for column in texts for text in column)
    room = max(4, min(_MOST_CELLS, look.content - label_cells - number_cells - 7))
    several = len(series) > 1
    rows: list[Spans] = _legend(series) if several else []
    for index, label in enumerate(labels[:_MOST_BARS]):
        for which, (_name, numbers) in enumerate(series):
            value = numbers[index] if index < len(numbers) else None
            shown = pad(cut(label, label_cells, look.marks.ellipsis), label_cells) if which == 0 else " " * label_cells
            bar = _bar(max(0.0, value or 0.0) / top, room, look.marks.blocks)
            rows.append(
                (
                    (" " + shown + "  ", TEXT),
                    ((f"{which + 1} " if several else "") + texts[which][index].rjust(number_cells) + " ", DIM),
                    (bar, _SERIES[which]),
                )
            )
    if len(labels) > _MOST_BARS:
        rows.append(((_(" … {n} more; v shows the table").format(n=len(labels) - _MOST_BARS), DIM),))
    return rows


def _amount(value: float | None, total: float) -> str:
    if value is None:
        return "-"
    return f"{_short(value)} {value / total:4.0%}" if total else _short(value)


def _bar(part: float, room: int, blocks: str) -> str:
    """A bar of `part` of `room` cells; `blocks` are its steps within one cell."""
    steps = len(blocks) - 1
    count = round(part * room * steps)
    whole, rest = divmod(count, steps)
    return blocks[-1] * whole + (blocks[rest] if rest else "")


def _legend(series: Sequence[tuple[str, object]]) -> list[Spans]:
    """`1 lag  2 qps`: what the numbers at bars and lines mean; colours only repeat it."""
    line: list[Span] = []
    for which, (name, _values) in enumerate(series):
        line += [(f" {which + 1} ", _SERIES[which] | BOLD), (name + " ", DIM)]
    return [tuple(line)]


def _canvas(
    labels: Sequence[str], series: Sequence[tuple[str, Sequence[float | None]]], look: Look, *, joined: bool
) -> list[Spans]:
    values = [value for _name, numbers in series for value in numbers if value is not None]
    low, high = min(values), max(values)
    if low > 0 and low < high / 2:
        low = 0.0
    span = (high - low) or 1.0
    axis = max(len(_short(low)), len(_short(high)))
    columns = max(8, min(look.content - axis - 4, 100))
    fine_x, fine_y = (2, 4) if look.marks.braille else (1, 1)
    width, height = columns * fine_x, _HEIGHT * fine_y
    ends: dict[tuple[int, int], int] = {}
    cells = [[(0, 0)] * columns for _row in range(_HEIGHT)]
    for which, (_name, numbers) in enumerate(series):
        before: tuple[int, int] | None = None
        for index, value in enumerate(numbers):
            if value is None:
                before = None
                continue
            x = round(index * (width - 1) / max(1, len(numbers) - 1))
            y = round((high - value) / span * (height - 1))
            for px, py in _steps(before, (x, y)) if joined and before else [(x, y)]:
                bits, _which = cells[py // fine_y][px // fine_x]
                bits |= _DOTS[py % 4][px % 2] if look.marks.braille else 1
                cells[py // fine_y][px // fine_x] = (bits, which)
            before = (x, y)
        if before is not None and len(series) > 1:  # its number stands at the end of each line
            ends[before[1] // fine_y, before[0] // fine_x] = which
    rows: list[Spans] = _legend(series) if len(series) > 1 else []
    for number, row in enumerate(cells):
        mark = _short(high) if number == 0 else _short(low) if number == _HEIGHT - 1 else ""
        line: list[Span] = [(" " + mark.rjust(axis) + " " + look.marks.quote, DIM)]
        for column, (bits, which) in enumerate(row):
            sign = " " if not bits else chr(0x2800 + bits) if look.marks.braille else "*"
            end = ends.get((number, column))
            line.append((sign, _SERIES[which]) if end is None else (str(end + 1), _SERIES[end] | BOLD))
        rows.append(tuple(line))
    first, last = cut(labels[0], columns // 2 - 1), cut(labels[-1], columns // 2 - 1)
    between = " " * max(1, columns - cell_len(first) - cell_len(last))
    rows.append(((" " * (axis + 3) + first + between + last, DIM),))
    return rows


def _steps(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """The points of the straight line between two points."""
    count = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    return [
        (
            round(start[0] + (end[0] - start[0]) * step / count),
            round(start[1] + (end[1] - start[1]) * step / count),
        )
        for step in range(count + 1)
    ]
