"""What the painter sends makes a strict terminal show what the painter believes that it shows, cell by cell."""

from __future__ import annotations

import itertools
import os
import random

import pytest

from tests.emulator import Emulator
from tui.terminal.cells import TAIL, Pen, Row, cells_of, mended, piece
from tui.terminal.painter import Painter
from tui.terminal.scrolling import Band
from tui.terminal.writer import Abilities

WALKS = int(os.environ.get("YUNLIAO_PROVE", "1"))
"""How many times as long the walks are; `make prove` sets it."""

WORDS = (
    "select", "from orders", "慢查询", "索引", "……", "a", " ", "      ", "────────────────", "│", "e\u0301clair", "🚀",
    "👩\u200d💻", "☁\ufe0f", "主从延迟 lag", "========", "\U00100001", "x\x1b[31my", "\u202eabc", "0123456789" * 4,
)  # fmt: skip
PENS = (
    Pen(), Pen(("1",)), Pen((), "31"), Pen((), "", "44"), Pen(("1", "4"), "38;2;1;2;3", "48;2;9;9;9"),
    Pen(("7",)), Pen(("2", "3"), "", "48;2;9;9;9"), Pen((), "38;5;200", "48;2;9;9;9"), Pen(("9",), "97", "100"),
    Pen(("2",), "32"), Pen(("1", "2"), "32"),
)  # fmt: skip


class Bench:
    """A painter and the terminal that it paints on."""

    def __init__(self, width: int, height: int, abilities: Abilities) -> None:
        self.painter = Painter(width, height, abilities)
        self.terminal = Emulator(width, height, bce=abilities.bce)
        self.sent = 0
        self.compared = 0

    def row(self, *parts: tuple[str, Pen]) -> Row:
        painter = self.painter
        made = piece([(text, painter.pens.number(pen)) for text, pen in parts], painter.pens, painter.clusters)
        width = painter.width
        blank = painter.pens.blank(painter.pens.number(parts[-1][1] if parts else Pen()))
        text, pens = made.text[:width], made.pens[:width]
        row = Row(text + " " * (width - len(text)), pens + blank * (width - len(pens)))
        return mended(row, painter.pens, width)

    def paint(self, cursor: tuple[int, int] = (0, 0), **options: object) -> str:
        frame = self.painter.frame(cursor, **options)  # type: ignore[arg-type]
        self.terminal.feed(frame.data)
        self.sent += len(frame.data.encode())
        self.check()
        assert (self.terminal.column, self.terminal.row) == cursor
        if frame.complete:
            assert not self.painter.pending
            assert list(self.painter.shown) == self.painter.target
        return frame.data

    def check(self) -> None:
        painter = self.painter
        for number, (shown, cells) in enumerate(zip(painter.shown, self.terminal.cells, strict=True)):
            expected = [
                (painter.clusters.expand(text), painter.pens.pen(pen)) for text, pen in zip(*shown, strict=True)
            ]
            drawn = [(text, pen.blank() if text == " " else pen) for text, pen in cells]
            assert drawn == expected, f"row {number}"
            self.compared += len(cells)


FULL = Abilities(bce=True, scroll="scroll", margins=True, synchronized=True, repeat=True)
EACH_OFF = {
    "full": FULL,
    "no bce": FULL._replace(bce=False),
    "no scroll": FULL._replace(scroll=""),
    "index": FULL._replace(scroll="index"),
    "no margins": FULL._replace(margins=False),
    "no repeat": FULL._replace(repeat=False),
    "ambiguous": FULL._replace(trust_ambiguous=False),
    "nothing": Abilities(bce=False, scroll="", trust_ambiguous=False),
}


def cut(painter: Painter, row: Row, left: int, right: int) -> Row:
    """Some cells of a row, halves of wide characters made spaces."""
    part = Row(row.text[left:right], row.pens[left:right])
    return mended(part, painter.pens, 0, right - left) if left < right else part


def random_row(bench: Bench, random_: random.Random) -> Row:
    count = random_.choice((0, 1, 2, 3, 8))
    return bench.row(*((random_.choice(WORDS), random_.choice(PENS)) for _part in range(count)))


@pytest.mark.parametrize("abilities", EACH_OFF.values(), ids=EACH_OFF)
@pytest.mark.parametrize("size", [(40, 12), (80, 24), (17, 5)], ids=str)
def test_random_walks(abilities: Abilities, size: tuple[int, int]) -> None:
    random_ = random.Random(f"{size}{abilities}")
    width, height = size
    bench = Bench(width, height, abilities)
    cursor = (0, 0)
    for _step in range(150 * WALKS):
        painter = bench.painter
        action = random_.random()
        if action < 0.35:
            for _edit in range(random_.choice((1, 1, 2, height))):
                painter.put(random_.randrange(height), 0, random_row(bench, random_))
        elif action < 0.55:
            left = random_.randrange(width)
            part = random_row(bench, random_)
            end = random_.randrange(left, width + 1)
            painter.put(random_.randrange(height), left, cut(painter, part, left, end))
        elif action < 0.85:
            top = random_.randrange(height - 3)
            bottom = random_.randrange(top + 2, height + 1)
            left, right = random_.choice(((0, width), (width // 3, width), (3, width - 4)))
            shift = random_.choice((1, 1, 1, 2, 3, -1, -2))
            old = list(painter.target)
            for row in range(top, bottom):
                source = old[row + shift] if top <= row + shift < bottom else random_row(bench, random_)
                painter.put(row, left, cut(painter, source, left, right))
            painter.may_scroll([Band(top, bottom, left, right)])
        elif action < 0.88:
            painter.invalidate()
            bench.terminal.feed(random_.choice(("\x1b[2;1Hgarb", "\x1b[5;1Hmore", "\x1b[44m")))
        elif action < 0.9:
            width, height = random_.randrange(8, 90), random_.randrange(5, 30)
            painter.resize(width, height)
            bench.terminal.resize(width, height)
            cursor = (0, 0)
        if random_.random() < 0.3:
            cursor = (random_.randrange(width), random_.randrange(height))
        budget = random_.choice((None, None, 40, 300))
        only = range(cursor[1], cursor[1] + 1) if painter.valid and random_.random() < 0.15 else None
        bench.paint(cursor, visible=random_.random() < 0.5, budget=budget, only=only)
    bench.terminal.feed(bench.painter.farewell())
    assert bench.terminal.margins is None
    assert (bench.terminal.top, bench.terminal.bottom) == (0, height)


def test_an_unchanged_screen_costs_nothing() -> None:
    bench = Bench(80, 24, FULL)
    bench.paint((3, 20))
    bench.painter.put(4, 0, bench.painter.target[4])
    assert bench.paint((3, 20)) == ""


def test_text_that_grows_costs_little_more_than_itself() -> None:
    bench = Bench(120, 40, FULL)
    bench.painter.put(38, 0, bench.row(("> ", Pen())))
    bench.paint((2, 38), visible=True)
    text, before = "", bench.sent
    for word in itertools.repeat("lorem ipsum dolor ", 6):
        text += word
        bench.painter.put(20, 0, bench.row(("  " + text, Pen((), "38;2;1;2;3"))))
        bench.paint((2, 38), visible=True)
    assert bench.sent - before < 1.8 * len(text)


def test_nothing_is_left_beside_an_emoji_that_a_terminal_takes_for_narrow() -> None:
    bench = Bench(40, 6, FULL)
    bench.painter.put(2, 0, bench.row(("a name", Pen())))
    bench.paint((0, 0))
    bench.painter.put(2, 0, bench.row(("a \u26a0\ufe0fme", Pen())))
    assert "  \b\b\u26a0\ufe0f" in bench.paint((0, 0))
    bench.painter.put(3, 0, bench.row(("a \u26a0\ufe0fme", Pen())))
    assert "  \b\b" not in bench.paint((0, 0)), "nothing stood there"


def test_a_scroll_of_the_whole_width_is_a_scroll() -> None:
    bench = Bench(120, 40, FULL._replace(margins=False))
    lines = [bench.row((f"{number} " + "words of line " * 6, Pen())) for number in range(60)]
    for row in range(36):
        bench.painter.put(row, 0, lines[row])
    bench.paint((0, 39))
    for row in range(36):
        bench.painter.put(row, 0, lines[row + 1])
    bench.painter.may_scroll([Band(0, 36, 0, 120)])
    assert len(bench.paint((0, 39))) < 130


@pytest.mark.parametrize(("margins", "most"), [(True, 140), (False, 1500)])
def test_a_scroll_beside_a_list(margins: bool, most: int) -> None:
    bench = Bench(120, 40, FULL._replace(margins=margins))
    side = [bench.row((f"conversation {number}".ljust(28), Pen())) for number in range(40)]
    lines = [bench.row((f"{number} " + "words of line " * 6, Pen())) for number in range(60)]

    def show(first: int) -> None:
        for row in range(36):
            line = lines[row + first]
            bench.painter.put(row, 28, Row(line.text[:92], line.pens[:92]))
        bench.painter.may_scroll([Band(0, 36, 28, 120)])

    for row in range(36):
        bench.painter.put(row, 0, side[row])
    show(0)
    bench.paint((0, 39))
    show(1)
    assert len(bench.paint((0, 39))) < 200 or not margins
    show(2)
    assert len(bench.paint((0, 39))) < most


def test_the_rows_of_the_cursor_come_first_when_the_budget_is_small() -> None:
    bench = Bench(80, 24, FULL)
    bench.paint((0, 22))
    for row in range(24):
        bench.painter.put(row, 0, bench.row((f"{row} 中文 " * 9, Pen())))
    frame = bench.painter.frame((0, 22), budget=60)
    bench.terminal.feed(frame.data)
    bench.check()
    assert not frame.complete
    assert bench.terminal.lines[22].startswith("22 中文")
    while not frame.complete:
        frame = bench.painter.frame((0, 22), budget=60)
        bench.terminal.feed(frame.data)
        bench.check()


def test_frames_are_marked_only_when_long() -> None:
    bench = Bench(80, 24, FULL)
    assert "\x1b[?2026h" not in bench.paint()
    for row in range(24):
        bench.painter.put(row, 0, bench.row((f"{row} some words " * 5, Pen())))
    data = bench.paint()
    assert data.startswith("\x1b[?2026h")
    assert data.endswith("\x1b[?2026l")


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J", "\x9b31m", "a\x07b", "\u202etxt", "\x1b]52;c;AA\x07", "\ud800", "a\tb\nc\rd"]
)
def test_no_control_character_of_the_text_is_sent(hostile: str) -> None:
    bench = Bench(40, 4, FULL)
    row = bench.row((hostile, Pen()))
    bench.painter.put(0, 0, row)
    assert all(cell == TAIL or cell.isprintable() for cell in row.text)
    data = bench.paint()
    assert not set(data) & {"\x07", "\x9b", "\u202e", "\ud800", "\t", "\n"}
    assert "\x1b]" not in data


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("中文", 4), ("e\u0301", 1), ("👩\u200d💻", 2), ("☁\ufe0f", 2), ("a\u200b", 1)]
)
def test_a_cell_is_a_character(text: str, width: int) -> None:
    painter = Painter(10, 2)
    cells = cells_of(text, painter.clusters)
    assert len(cells) == width
    assert painter.clusters.expand(cells) == text


@pytest.mark.parametrize(("old", "new"), itertools.product(PENS, PENS))
def test_the_way_from_pen_to_pen(old: Pen, new: Pen) -> None:
    painter = Painter(10, 2)
    terminal = Emulator(10, 2)
    first, second = painter.pens.number(old), painter.pens.number(new)
    terminal.feed(painter.pens.way(None, first))
    assert terminal.pen == old
    terminal.feed(painter.pens.way(first, second))
    assert terminal.pen == new
