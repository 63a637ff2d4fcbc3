"""A chart as a PNG file, with nothing but zlib and struct."""

from __future__ import annotations

import itertools
import math
import struct
import zlib
from collections.abc import Sequence
from typing import TypeAlias

from tui.sandbox.analysis_plan import Chart

Colour: TypeAlias = tuple[int, int, int]

WIDTH, HEIGHT = 480, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 16, 28
_PAPER: Colour = (255, 255, 255)
_INK: Colour = (60, 66, 75)
_GRID: Colour = (225, 228, 233)
_COLOURS: tuple[Colour, ...] = ((51, 112, 204), (230, 126, 34), (39, 154, 101), (192, 57, 95), (126, 87, 194))
_DIGITS = {
    "0": (7, 5, 5, 5, 7),
    "1": (2, 6, 2, 2, 7),
    "2": (7, 1, 7, 4, 7),
    "3": (7, 1, 7, 1, 7),
    "4": (5, 5, 7, 1, 1),
    "5": (7, 4, 7, 1, 7),
    "6": (7, 4, 7, 5, 7),
    "7": (7, 1, 1, 2, 2),
    "8": (7, 5, 7, 5, 7),
    "9": (7, 5, 7, 1, 7),
    "-": (0, 0, 7, 0, 0),
    ".": (0, 0, 0, 0, 2),
    "k": (4, 5, 6, 6, 5),
    "M": (5, 7, 7, 5, 5),
    "G": (7, 4, 5, 5, 7),
}
"""Rows of three pixels, the high bit on the left."""


class _Canvas:
    def __init__(self) -> None:
        self._rows = [bytearray(bytes(_PAPER) * WIDTH) for _ in range(HEIGHT)]

    def fill(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """A rectangle; the edges on the right and below are not in it."""
        x0, x1 = max(0, round(left)), min(WIDTH, max(round(right), round(left) + 1))
        for y in range(max(0, round(top)), min(HEIGHT, max(round(bottom), round(top) + 1))):
            self._rows[y][3 * x0 : 3 * x1] = bytes(colour) * (x1 - x0)

    def line(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        steps = max(1, math.ceil(max(abs(x1 - x0), abs(y1 - y0))))
        for step in range(steps + 1):
            x, y = x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps
            self.fill(x - 0.5, y - 1, x + 1, y + 1, colour)

    def text(self, right: float, middle: float, text: str) -> None:
        """Digits that end at `right`."""
        x = round(right) - 8 * len(text)
        for character in text:
            for row, bits in enumerate(_DIGITS.get(character, ())):
                for column in range(3):
                    if bits & (4 >> column):
                        left, top = x + 2 * column, round(middle) - 5 + 2 * row
                        self.fill(left, top, left + 2, top + 2, _INK)
            x += 8

    def png(self) -> bytes:
        raw = b"".join(b"\0" + bytes(row) for row in self._rows)
        header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
        parts = (
            (b"IHDR", header),
            (b"tEXt", b"Source\0sandbox data"),
            (b"IDAT", zlib.compress(raw, 9)),
            (b"IEND", b""),
        )
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in parts
        )


def draw(chart: Chart, values: Sequence[float]) -> bytes:
    """The bytes of a PNG of 480 x 270 pixels: bars, a line, or the parts of a circle. No values: empty axes."""
    canvas = _Canvas()
    if chart == "pie" and sum(value for value in values if value > 0) > 0:
        _pie(canvas, values)
        return canvas.png()
    low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    high = high if high > low else low + 1
    bottom, span = HEIGHT - _BOTTOM, HEIGHT - _BOTTOM - _TOP
    width = WIDTH - _LEFT - _RIGHT

    def height_of(value: float) -> float:
        return bottom - span * (value - low) / (high - low)

    for part in range(5):
        value = low + (high - low) * part / 4
        canvas.fill(_LEFT, height_of(value), WIDTH - _RIGHT, height_of(value) + 1, _GRID)
        canvas.text(_LEFT - 6, height_of(value), _short(value))
    if chart == "line":
        points = [
            (_LEFT + width * (number + 0.5) / len(values), height_of(value)) for number, value in enumerate(values)
        ]
        for start, end in itertools.pairwise(points):
            canvas.line(*start, *end, _COLOURS[0])
        for x, y in points:
            canvas.fill(x - 2, y - 2, x + 3, y + 3, _COLOURS[0])
    else:
        for number, value in enumerate(values):
            x = _LEFT + width * number / len(values)
            top, base = sorted((height_of(value), height_of(0)))
            canvas.fill(x + 2, top, x + max(3.0, width / len(values) - 2), base, _COLOURS[0])
    canvas.fill(_LEFT, height_of(0), WIDTH - _RIGHT, height_of(0) + 1, _INK)
    return canvas.png()


def _pie(canvas: _Canvas, values: Sequence[float]) -> None:
    parts = [max(0.0, value) for value in values]
    total, ends, so_far = sum(parts), [], 0.0
    for part in parts:
        so_far += part
        ends.append(so_far / total)
    middle_x, middle_y, radius = WIDTH // 2, HEIGHT // 2, HEIGHT // 2 - _TOP
    for y in range(-radius, radius):
        for x in range(-radius, radius):
            if x * x + y * y < radius * radius:
                turn = (math.atan2(x, -y) / math.tau) % 1.0
                number = next((index for index, end in enumerate(ends) if turn < end), len(ends) - 1)
                canvas.fill(middle_x + x, middle_y + y, middle_x + x + 1, middle_y + y + 1, _COLOURS[number % 5])


def _short(value: float) -> str:
    """At most five characters."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"
