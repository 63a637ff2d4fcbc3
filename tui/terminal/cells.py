"""Rows of cells as strings: one character a cell for the text, one a cell for the pen. Pure; knows no Textual.

Strings, because comparing, slicing and hashing them is done in C: most of a frame is found equal without a loop.
The second cell of a wide character holds `TAIL`. A cluster of several code points (a letter with its accents, a
joined emoji) is represented by one private character, which `Clusters` turns back into its text.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, split_graphemes

TAIL = "\0"
"""Stands in the second cell of a wide character."""

_FIRST_CLUSTER = 0x100000
"""Plane 16 is private; characters of it that come from outside are made clusters too."""

_FIRST_WIDE_CLUSTER = 0x108000
_FIRST_EMOJI = 0x1F000
_FIRST_PEN = 0x20
_LAST_PEN = 0xD7FF
"""Pens are numbered below the surrogates, so that every number is a character."""

_VISIBLE_ON_BLANK = frozenset({"4", "7", "9", "21", "53"})
"""Attributes that show on a space: underline, reverse, strike, double underline, overline."""

_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "6": "25", "7": "27", "8": "28", "9": "29"}
_OFF |= {"21": "24", "51": "54", "52": "54", "53": "55"}


class Row(NamedTuple):
    """One line of the screen, or a piece of one: both strings have one character a cell."""

    text: str
    pens: str


class Pen(NamedTuple):
    """How a cell is drawn, as parameters of SGR: attributes in ascending order, foreground, background."""

    attributes: tuple[str, ...] = ()
    foreground: str = ""
    background: str = ""

    @classmethod
    def of(cls, sgr: str) -> Pen:
        """The pen after a reset and `sgr`, parameters divided by semicolons as Rich makes them."""
        attributes: list[str] = []
        foreground = background = ""
        parameters = iter(sgr.split(";") if sgr else ())
        for parameter in parameters:
            number = int(parameter or 0)
            if number in (38, 48):
                kind = next(parameters, "5")
                colour = [parameter, kind, *(next(parameters, "0") for _ in range(1 if kind == "5" else 3))]
                if number == 38:
                    foreground = ";".join(colour)
                else:
                    background = ";".join(colour)
            elif number == 0:
                attributes.clear()
                foreground = background = ""
            elif 30 <= number <= 37 or 90 <= number <= 97:
                foreground = parameter
            elif 40 <= number <= 47 or 100 <= number <= 107:
                background = parameter
            elif number == 39:
                foreground = ""
            elif number == 49:
                background = ""
            elif parameter in _OFF:
                attributes.append(parameter)
        return cls(tuple(sorted(set(attributes), key=int)), foreground, background)

    @property
    def marks_blanks(self) -> bool:
        """A space drawn with it is not only background."""
        return not _VISIBLE_ON_BLANK.isdisjoint(self.attributes)

    def blank(self) -> Pen:
        """The plainest pen that draws a space as this one does."""
        return self if self.marks_blanks else Pen((), "", self.background)


DEFAULT = Pen()


class Pens:
    """The pens in use, each with a character for its number, and the shortest way from each to each."""

    def __init__(self) -> None:
        self._numbers: dict[Pen, str] = {}
        self._pens: dict[str, Pen] = {}
        self._blanks: dict[str, str] = {}
        self._ways: dict[tuple[str, str], str] = {}
        self._covers: dict[tuple[str, str], bool] = {}
        self.default = self.number(DEFAULT)

    @property
    def full(self) -> bool:
        """No number is left: begin again with a new table and a full repaint."""
        return len(self._pens) > _LAST_PEN - _FIRST_PEN - 64

    def number(self, pen: Pen) -> str:
        """The character that stands for `pen`."""
        known = self._numbers.get(pen)
        if known is None:
            known = self._numbers[pen] = chr(_FIRST_PEN + len(self._pens))
            self._pens[known] = pen
        return known

    def pen(self, number: str) -> Pen:
        return self._pens[number]

    def blank(self, number: str) -> str:
        """The pen that stands for `number` on a space."""
        known = self._blanks.get(number)
        if known is None:
            known = self._blanks[number] = self.number(self._pens[number].blank())
        return known

    def covers(self, number: str, blank: str) -> bool:
        """Whether a space that wants the pen `blank` may be drawn with `number`."""
        key = (number, blank)
        known = self._covers.get(key)
        if known is None:
            known = self._covers[key] = number == blank or self.blank(number) == blank
        return known

    def way(self, old: str | None, new: str) -> str:
        """The shortest SGR that turns the pen `old` (None: not known) into `new`."""
        if old == new:
            return ""
        key = (old or "", new)
        known = self._ways.get(key)
        if known is None:
            wanted = self._pens[new]
            fresh = ";".join((*wanted.attributes, *filter(None, (wanted.foreground, wanted.background))))
            # An empty parameter is 0, the reset.
            known = f"\x1b[;{fresh}m" if fresh else "\x1b[m"
            if old is not None:
                step = f"\x1b[{_step(self._pens[old], wanted)}m"
                known = min(step, known, key=len)
            self._ways[key] = known
        return known


def _step(old: Pen, new: Pen) -> str:
    """The parameters that change `old` to `new` without a reset."""
    gone = set(old.attributes) - set(new.attributes)
    off = {_OFF[attribute] for attribute in gone}
    # One code can end several attributes (22 both bold and dim): those that stay are set again.
    kept = [attribute for attribute in new.attributes if attribute not in old.attributes or _OFF[attribute] in off]
    parameters = [*sorted(off), *kept]
    if old.foreground != new.foreground:
        parameters.append(new.foreground or "39")
    if old.background != new.background:
        parameters.append(new.background or "49")
    return ";".join(parameters)


class Clusters:
    """Texts of several code points that share a cell, by the private characters that stand for them."""

    def __init__(self) -> None:
        self._characters: dict[str, str] = {}
        self._texts: dict[int, str] = {ord(TAIL): ""}

    def character(self, text: str, width: int) -> str:
        """The character that stands for `text`, `width` cells wide; a question mark when the table is full."""
        known = self._characters.get(text)
        if known is None:
            number = len(self._characters)
            if number >= _FIRST_WIDE_CLUSTER - _FIRST_CLUSTER:
                return "?" if width == 1 else "？"
            known = chr(number + (_FIRST_CLUSTER if width == 1 else _FIRST_WIDE_CLUSTER))
            self._characters[text] = known
            self._texts[ord(known)] = text
        return known

    def expand(self, cells: str) -> str:
        """What is written for `cells`."""
        return cells if cells.isascii() and TAIL not in cells else cells.translate(self._texts)


@lru_cache(4096)
def is_wide(character: str) -> bool:
    """Whether a cell's character takes the next cell too."""
    number = ord(character)
    if number >= _FIRST_CLUSTER:
        return number >= _FIRST_WIDE_CLUSTER
    return number >= 0x1100 and cell_len(character) == 2


def uncertain(character: str) -> bool:
    """Whether terminals disagree on how far the cursor moves over this cell's character."""
    return ord(character) >= _FIRST_EMOJI


def cells_of(text: str, clusters: Clusters) -> str:
    """`text` with one character a cell, as wide as Rich and Textual take it to be. Control characters vanish."""
    if text.isascii() and text.isprintable():
        return text
    cells: list[str] = []
    for start, end, width in split_graphemes(text)[0]:
        cluster = text[start:end]
        if not cluster.isprintable():
            cluster = "".join(character for character in cluster if not _drives_terminals(character))
        if not cluster or not width:
            cells.append(" " * width)
            continue
        if len(cluster) > 1 or ord(cluster) >= _FIRST_CLUSTER:
            cluster = clusters.character(cluster, width)
        cells.append(cluster if width == 1 else cluster + TAIL * (width - 1))
    return "".join(cells)


def _drives_terminals(character: str) -> bool:
    """Controls, surrogates, bidirectional marks and line separators: whatever may do more than fill a cell."""
    category = unicodedata.category(character)
    if category in ("Cc", "Cs", "Zl", "Zp"):
        return True
    return category == "Cf" and unicodedata.bidirectional(character) not in ("BN", "ON")


def piece(parts: list[tuple[str, str]], pens: Pens, clusters: Clusters) -> Row:
    """A piece of a row from `parts`, text and pen each. Spaces get the plainest pen that draws them so."""
    texts: list[str] = []
    numbers: list[str] = []
    for part, number in _joined(parts):
        cells = cells_of(part, clusters)
        texts.append(cells)
        blank = pens.blank(number)
        if blank == number or " " not in cells:
            numbers.append(number * len(cells))
        elif cells.isspace():
            numbers.append(blank * len(cells))
        else:
            numbers.append("".join([blank if cell == " " else number for cell in cells]))
    return Row("".join(texts), "".join(numbers))


def _joined(parts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """`parts` with what a part begins with but belongs to the last cell of the one before (an accent) put there."""
    joined: list[tuple[str, str]] = []
    for part, number in parts:
        if joined and part and not part[0].isascii() and not cell_len(part[0]):
            kept = part
            while kept and not kept[0].isascii() and not cell_len(kept[0]):
                kept = kept[1:]
            before, its_number = joined[-1]
            joined[-1] = (before + part[: len(part) - len(kept)], its_number)
            part = kept
        if part:
            joined.append((part, number))
    return joined


def mended(row: Row, pens: Pens, *seams: int) -> Row:
    """`row` without halves of wide characters at the columns where something new was put beside something old.

    A lead without its tail, or a tail without its lead, becomes a space.
    """
    text, numbers = row
    for seam in seams:
        if seam and is_wide(text[seam - 1]):
            if text[seam : seam + 1] == TAIL:
                numbers = numbers[:seam] + numbers[seam - 1] + numbers[seam + 1 :]
                continue
            half = seam - 1
        elif text[seam : seam + 1] == TAIL:
            half = seam
        else:
            continue
        text = text[:half] + " " + text[half + 1 :]
        numbers = numbers[:half] + pens.blank(numbers[half]) + numbers[half + 1 :]
    return row if text is row.text and numbers is row.pens else Row(text, numbers)
