"""A terminal that is strict: it refuses what real terminals disagree on, so that the painter cannot rely on it.

The parser is pyte's; the screen is its own, because pyte's knows no SU, SD, REP or DECLRMM, always erases with the
pen's background, and forgives cut wide characters. Refused are: relative moves after a character of doubtful width
or in the last column, and with margins set; drawing past an edge; a line feed outside the scroll region; any
sequence that is not listed. A wide character that is overwritten by half leaves `CUT`, which no screen wants.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

import pyte
from rich.cells import cell_len

from tui.terminal.cells import DEFAULT, Pen

CUT = "\ufffe"
Cell = tuple[str, Pen]

_PREPARE = re.compile(
    rb"\x1b\[[<>=][0-9;]*[a-z]|\x1b\[\?[0-9;]*\$p|\x1bP.*?\x1b\\|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)", re.S
)
# Asked of DECSLRM alone: pyte's parser has no entry for it, and none for SU, SD and REP.
_MORE = {"S": "scroll_up", "T": "scroll_down", "b": "repeat", "s": "set_left_right_margins"}


class _Stream(pyte.ByteStream):  # type: ignore[misc]
    csi: ClassVar[dict[str, str]] = {**pyte.ByteStream.csi, **_MORE}
    events = frozenset({*pyte.ByteStream.events, *_MORE.values()})


class Emulator:
    """A screen of `width` by `height` cells that shows what `feed` was given; `strict=False` trusts every width."""

    def __init__(self, width: int, height: int, *, bce: bool = True, strict: bool = True) -> None:
        self.bce = bce
        self.strict = strict
        self.stream = _Stream()
        self.modes: dict[int, bool] = {}
        self.resize(width, height)
        # pyte looks every handler up by name; those that are not here refuse.
        self.stream.attach(self)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__"):
            raise AttributeError(name)

        def refuse(*arguments: Any, **_options: Any) -> None:
            assert not self.strict, f"the painter must not send this: {name}{arguments}"

        return refuse

    def resize(self, width: int, height: int) -> None:
        """Another size, and nothing on it."""
        self.width, self.height = width, height
        self.pen = DEFAULT
        self.cells: list[list[Cell]] = [self._blank_row(DEFAULT) for _row in range(height)]
        self.row = self.column = 0
        self.sure = True
        self.top, self.bottom = 0, height
        self.margins: tuple[int, int] | None = None
        self.saved: tuple[int, int, Pen] | None = None
        self.last = ""
        self.join = False

    def feed(self, data: str | bytes) -> None:
        """Draw; sequences that only Textual's driver sends are left out."""
        raw = data.encode() if isinstance(data, str) else data
        self.stream.feed(_PREPARE.sub(b"", raw))

    @property
    def lines(self) -> list[str]:
        return ["".join(text for text, _pen in row) for row in self.cells]

    # --- what pyte's parser calls -------------------------------------------------------------------------

    def draw(self, text: str) -> None:
        for character in text:
            width = cell_len(character)
            if self.join or (width == 0 and self.last):
                self._attach(character)
                continue
            assert self.sure or not self.strict, f"{character!r} is drawn where the cursor's column is doubtful"
            limit = self.width
            if self.margins and self.column < self.margins[1]:
                limit = self.margins[1]
            if self.column + width > limit:
                assert not self.strict, f"{character!r} is drawn past the edge"
                self.column = limit - width
            self._overwrite(self.column, self.column + width)
            self.cells[self.row][self.column] = (character, self.pen)
            if width == 2:
                self.cells[self.row][self.column + 1] = ("", self.pen)
            self.place = (self.row, self.column)
            self.column += width
            self.last = character
            if self.column >= limit or ord(character) >= 0x1F000:
                self.sure = False

    def _attach(self, character: str) -> None:
        row, column = self.place
        text, pen = self.cells[row][column]
        text += character
        self.cells[row][column] = (text, pen)
        self.join = character == "\u200d"
        if cell_len(text) == 2 and column + 1 < self.width and self.cells[row][column + 1][0] != "":
            self._overwrite(column + 1, column + 2)
            self.cells[row][column + 1] = ("", pen)
            self.column += 1
        self.sure = False

    def repeat(self, count: int = 1) -> None:
        self.draw(self.last * count)

    def carriage_return(self) -> None:
        assert self.margins is None or self.margins[0] == 0
        self._at(self.row, 0)

    def backspace(self) -> None:
        self.cursor_back(1)

    def bell(self) -> None:
        """Draws nothing."""

    def linefeed(self) -> None:
        assert self.top <= self.row < self.bottom or not self.strict, "a line feed outside the scroll region"
        self.index()

    def index(self) -> None:
        if self.row == self.bottom - 1:
            self.scroll_up(1)
        elif self.row < self.height - 1:
            self.row += 1
        self.sure = False

    def reverse_index(self) -> None:
        assert self.top <= self.row < self.bottom
        if self.row == self.top:
            self.scroll_down(1)
        else:
            self.row -= 1
        self.sure = False

    def cursor_position(self, row: int = 1, column: int = 1, **_options: Any) -> None:
        self._at((row or 1) - 1, (column or 1) - 1)

    def cursor_to_column(self, column: int = 1) -> None:
        self._at(self.row, (column or 1) - 1)

    def cursor_forward(self, count: int = 1) -> None:
        assert self.sure
        assert self.margins is None, "a relative move with margins set"
        self._at(self.row, self.column + (count or 1))

    def cursor_back(self, count: int = 1) -> None:
        assert self.sure
        assert self.margins is None, "a relative move with margins set"
        self._at(self.row, self.column - (count or 1))

    def erase_in_display(self, how: int = 0, **_options: Any) -> None:
        assert how == 2
        for row in range(self.height):
            self.cells[row] = self._blank_row(self._fill())

    def erase_in_line(self, how: int = 0, **_options: Any) -> None:
        assert how == 0
        assert self.sure
        self._overwrite(self.column, self.width)
        self.cells[self.row][self.column :] = [(" ", self._fill())] * (self.width - self.column)

    def erase_characters(self, count: int = 1) -> None:
        assert self.sure
        end = min(self.width, self.column + (count or 1))
        self._overwrite(self.column, end)
        self.cells[self.row][self.column : end] = [(" ", self._fill())] * (end - self.column)

    def scroll_up(self, count: int = 1) -> None:
        self._scroll(count or 1)

    def scroll_down(self, count: int = 1) -> None:
        self._scroll(-(count or 1))

    def set_margins(self, top: int | None = None, bottom: int | None = None, **_options: Any) -> None:
        self.top, self.bottom = (top or 1) - 1, bottom or self.height
        assert self.bottom - self.top >= 2
        self._at(0, 0)

    def set_left_right_margins(self, left: int = 1, right: int = 0) -> None:
        assert self.modes.get(69), "DECSLRM without DECLRMM saves the cursor"
        self.margins = ((left or 1) - 1, right or self.width)
        self._at(0, 0)

    def set_mode(self, *numbers: int, private: bool = False) -> None:
        self._mode(numbers, private, on=True)

    def reset_mode(self, *numbers: int, private: bool = False) -> None:
        self._mode(numbers, private, on=False)

    def select_graphic_rendition(self, *numbers: int, **_options: Any) -> None:
        self.pen = _after(self.pen, [*numbers] or [0])

    def save_cursor(self) -> None:
        assert self.sure
        self.saved = (self.row, self.column, self.pen)

    def restore_cursor(self) -> None:
        assert self.saved is not None
        row, column, self.pen = self.saved
        self._at(row, column)

    def report_device_status(self, *_arguments: int, **_options: Any) -> None:
        """The question is answered by whoever owns the pty."""

    # --- inside ---------------------------------------------------------------------------------------------

    def _mode(self, numbers: tuple[int, ...], private: bool, *, on: bool) -> None:
        assert private or not self.strict
        for number in numbers:
            self.modes[number] = on
            if number == 69 and not on:
                self.margins = None

    def _at(self, row: int, column: int) -> None:
        assert 0 <= row < self.height
        assert 0 <= column < self.width
        self.row, self.column, self.sure, self.join, self.last = row, column, True, False, ""

    def _fill(self) -> Pen:
        return Pen((), "", self.pen.background) if self.bce else DEFAULT

    def _blank_row(self, pen: Pen) -> list[Cell]:
        return [(" ", pen)] * self.width

    def _overwrite(self, start: int, end: int) -> None:
        """Cut the wide characters that only half lie within the columns that are about to change."""
        row = self.cells[self.row]
        if row[start][0] == "":
            row[start - 1] = (CUT, row[start - 1][1])
        if end < self.width and row[end][0] == "":
            row[end] = (CUT, row[end][1])

    def _scroll(self, count: int) -> None:
        left, right = self.margins or (0, self.width)
        blank = [(" ", self._fill())] * (right - left)
        region = [row[left:right] for row in self.cells[self.top : self.bottom]]
        size = len(region)
        moved = [region[index + count] if 0 <= index + count < size else blank for index in range(size)]
        for row, cells in zip(self.cells[self.top : self.bottom], moved, strict=True):
            row[left:right] = cells


def _after(pen: Pen, numbers: list[int]) -> Pen:
    """The pen after SGR: a second reading of the standard, apart from the painter's own."""
    attributes, foreground, background = set(pen.attributes), pen.foreground, pen.background
    off = {22: "1 2", 23: "3", 24: "4 21", 25: "5 6", 27: "7", 28: "8", 29: "9", 54: "51 52", 55: "53"}
    while numbers:
        number = numbers.pop(0)
        if number == 0:
            attributes, foreground, background = set(), "", ""
        elif number in off:
            attributes -= set(off[number].split())
        elif number in (38, 48):
            size = 2 if numbers[0] == 5 else 4
            colour = ";".join(str(each) for each in (number, *numbers[:size]))
            del numbers[:size]
            foreground, background = (colour, background) if number == 38 else (foreground, colour)
        elif number in (39, 49):
            foreground, background = ("", background) if number == 39 else (foreground, "")
        elif 30 <= number <= 37 or 90 <= number <= 97:
            foreground = str(number)
        elif 40 <= number <= 47 or 100 <= number <= 107:
            background = str(number)
        else:
            attributes.add(str(number))
    return Pen(tuple(sorted(attributes, key=int)), foreground, background)
