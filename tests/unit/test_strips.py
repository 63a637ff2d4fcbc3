"""Strips as Textual cuts them keep their columns on the painter's screen."""

from __future__ import annotations

import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.terminal.cells import Pen
from tui.terminal.painter import Painter
from tui.terminal.strips import Strips

RED = Style(bgcolor="red")


@pytest.mark.parametrize("sign", ["⚠\ufe0f", "1\ufe0f\u20e3", "❤\ufe0f\u200d🔥", "索", "🚀"])
@pytest.mark.parametrize("whole", [True, False], ids=["full", "partial"])
def test_what_is_right_of_a_popup_stays_in_its_columns(sign: str, whole: bool) -> None:
    painter = Painter(16, 1)
    strips = Strips(painter, ColorSystem.STANDARD)
    strips.put(0, 0, [Strip([Segment("x" * 16)])])
    # The sign lies in columns 5 and 6, below the right edge of a popup in columns 2 to 5.
    behind = Strip([Segment(f"abcde{sign}right end", RED)])
    left, _covered, right = behind.divide([2, 6, behind.cell_length])
    popup = Strip([Segment("popu")])
    if whole:
        strips.put(0, 0, [left, popup, right])
    else:
        strips.put_pieces(0, [(0, left), (2, popup), (6, right)])
    row = painter.target[0]
    assert painter.clusters.expand(row.text) == "abpopu right end"
    assert painter.pens.pen(row.pens[6]) == painter.pens.pen(row.pens[-1]) == Pen((), "", "41")


def test_a_mark_that_lost_its_letter_is_a_blank_of_its_colour() -> None:
    painter = Painter(3, 1)
    strips = Strips(painter, ColorSystem.STANDARD)
    letter, mark = Strip([Segment("a⚠\ufe0f", RED)]).divide([2, 3])
    strips.put(0, 0, [letter, mark])
    assert painter.target[0].text == "a⚠ "
    assert set(map(painter.pens.pen, painter.target[0].pens)) == {Pen((), "", "41")}
