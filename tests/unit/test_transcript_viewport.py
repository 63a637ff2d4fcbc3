"""The viewport against the plain truth: all turns laid out at once, and a window of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.models import Block, NoticeBlock, TextBlock, ThinkingBlock, ToolBlock, Turn
from tui.widgets.transcript.cursor import BlockCursor
from tui.widgets.transcript.highlight import Highlighter
from tui.widgets.transcript.inline import Inline
from tui.widgets.transcript.lines import Line, Look
from tui.widgets.transcript.turn_layout import TurnLayout
from tui.widgets.transcript.viewport import Viewport

WHEN = datetime(2020, 1, 1, tzinfo=UTC)
INLINE = Inline()
FOREVER = float("inf")


def look(width: int = 60) -> Look:
    return Look(width, INLINE, Highlighter(enabled=False), zone=UTC)


def turn(name: str, lines: int, *more: Block, state: Any = "done") -> Turn:
    text = "\n\n".join(f"{name} words that may wrap when it is narrow, line {number}" for number in range(lines))
    return Turn(name, f"question {name}", WHEN, state, (*more, TextBlock(text)))


def truth(view: Viewport) -> list[tuple[int, Line]]:
    lines: list[tuple[int, Line]] = []
    for index, known in enumerate(view.turns):
        layout = TurnLayout(view.look, known)
        layout.step(FOREVER)
        lines += [(index, line) for line in layout.lines]
    return lines


def settle(view: Viewport) -> list[tuple[int, str]]:
    shown = view.arrange()
    for _ in range(1000):
        if not view.unfinished:
            break
        view.work()
        shown = view.arrange()
    return [(item.turn, item.line.text) for item in shown]


def check(view: Viewport) -> list[tuple[int, str]]:
    """What is shown is a window of the truth, full where there is enough, at the end when following."""
    shown = settle(view)
    lines = [(index, line.text) for index, line in truth(view)]
    assert len(shown) == min(view.height, len(lines))
    index, line = view.top
    start = sum(1 for turn_index, _ in lines if turn_index < index) + line
    assert lines[start : start + len(shown)] == shown
    assert view.following == (start + view.height >= len(lines))
    assert 0 <= view.new_lines <= max(0, len(lines) - start - view.height)
    return shown


OPERATIONS = st.one_of(
    st.tuples(st.just("scroll"), st.integers(-60, 60)),
    st.tuples(st.just("grow"), st.integers(1, 12)),
    st.tuples(st.just("add"), st.integers(0, 8)),
    st.tuples(st.just("remove"), st.integers(0, 20)),
    st.tuples(st.just("fold"), st.integers(0, 20)),
    st.tuples(st.just("width"), st.integers(20, 100)),
    st.tuples(st.just("height"), st.integers(1, 30)),
    st.tuples(st.just("top"), st.just(0)),
    st.tuples(st.just("end"), st.just(0)),
    st.tuples(st.just("to"), st.integers(0, 20)),
    st.tuples(st.just("cursor"), st.integers(-1, 1)),
)


@pytest.mark.parametrize("piece", [0.006, 0.0002], ids=["at once", "in many slices"])
def test_any_operations_show_a_window_of_the_truth(piece: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.widgets.transcript.viewport.SLICE", piece)
    any_operations()


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 15), max_size=8), st.lists(OPERATIONS, max_size=15))
def any_operations(sizes: list[int], operations: list[tuple[str, int]]) -> None:
    view = Viewport(look(), 12)
    cursor = BlockCursor(view)
    thinking = ThinkingBlock("one\ntwo\nthree", 3)
    view.show([turn(f"t{number}", size, thinking) for number, size in enumerate(sizes)])
    if view.turns:
        check(view)
    for count, (what, amount) in enumerate(operations):
        turns = view.turns
        if what == "add":
            new = turn(f"n{count}", amount, state="running")
            view.update(new)
        elif not turns:
            continue
        elif what == "scroll":
            view.scroll(amount)
        elif what == "grow":
            last = turns[-1]
            block = last.blocks[-1]
            assert isinstance(block, TextBlock)
            grown = replace(block, text=block.text + "".join(f"\n\nmore {n}" for n in range(amount)))
            changed = replace(last, blocks=(*last.blocks[:-1], grown))
            assert view.update(changed)
        elif what == "remove":
            view.remove(turns[amount % len(turns)].id)
        elif what == "fold":
            known = turns[amount % len(turns)]
            view.look.fold.toggle(known.id, 0)
            view.refold(known.id, 0)
        elif what == "width":
            view.relook(replace(view.look, width=amount))
        elif what == "height":
            view.height = amount
        elif what == "top":
            view.to_top()
        elif what == "end":
            view.to_end()
        elif what == "to":
            view.to_line(amount % len(turns), 0)
        elif what == "cursor":
            cursor.into(view.arrange())
            cursor.move(amount)
        if view.turns:
            check(view)


def test_growth_below_does_not_move_the_view() -> None:
    view = Viewport(look(), 10)
    live = turn("t", 40, state="running")
    view.show([turn("old", 5), live])
    check(view)
    view.scroll(-25)
    before = check(view)
    for size in range(41, 60):
        changed = turn("t", size, state="running")
        view.update(changed)
        assert check(view) == before
    assert view.new_lines == 19 * 2


def test_a_block_that_grows_above_does_not_move_the_view() -> None:
    view = Viewport(look(), 10)
    view.show([turn("a", 30, ToolBlock("c", "tool", "done", "{}", "r\n" * 20))])
    check(view)
    view.scroll(-20)
    before = check(view)
    view.look.fold.toggle("a", 0)
    view.refold("a", 0)
    assert check(view) == before


def test_what_is_folded_or_gets_another_width_is_not_new() -> None:
    view = Viewport(look(), 10)
    view.show([turn("a", 40, ToolBlock("c", "tool", "done", "{}", "r\n" * 20))])
    check(view)
    view.scroll(-30)
    check(view)
    view.look.fold.toggle("a", 0)
    view.refold("a", 0)
    check(view)
    assert view.new_lines == 0
    view.relook(look(30))
    check(view)
    assert view.new_lines == 0
    view.look.fold.open_all = True
    view.refold_all()
    view.update(turn("b", 3))
    check(view)
    assert view.new_lines == len([line for index, line in truth(view) if index == 1])


def test_what_is_opened_at_its_beginning_has_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.widgets.transcript.viewport.SLICE", 0.0)
    view = Viewport(look(), 10)
    view.show([turn("a", 300)])
    view.arrange()
    assert view.unfinished
    view.to_top()
    view.arrange()
    monkeypatch.undo()
    check(view)
    assert view.new_lines == 0
    view.update(turn("a", 301))
    check(view)
    assert view.new_lines == 2


def test_a_new_width_keeps_the_words_at_the_top() -> None:
    view = Viewport(look(), 10)
    view.show([turn(f"t{number}", 20) for number in range(5)])
    check(view)
    view.scroll(-70)
    words = check(view)[0][1].split()[:1]
    for width in (33, 90, 120, 25, 60):
        view.relook(look(width))
        assert check(view)[0][1].split()[:1] == words


def test_only_turns_near_the_view_are_laid_out() -> None:
    view = Viewport(look(), 10)
    view.show([turn(f"t{number}", 5) for number in range(1000)])
    check(view)
    assert len(view._layouts) < 20
    view.to_line(500, 0)
    check(view)
    assert len(view._layouts) < 20
    view.to_top()
    settle(view)
    assert len(view._layouts) < 20


def test_a_remembered_place_far_into_a_long_answer_is_found() -> None:
    view = Viewport(look(), 10)
    view.show([turn("a", 3), turn("b", 3000), turn("c", 3)])
    view.to_line(1, 0)
    settle(view)
    view.scroll(4000)
    before = settle(view)
    place = view.position()
    view.show([turn("a", 3), turn("b", 3000), turn("c", 3)])
    view.restore(place)
    assert settle(view) == before


def test_the_top_is_the_top_where_a_remembered_place_was_not_found_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    view = Viewport(look(), 10)
    turns = [turn("a", 3000), turn("b", 3)]
    view.show(turns)
    view.to_line(0, 0)
    settle(view)
    view.scroll(4000)
    settle(view)
    place = view.position()
    view.show(turns)
    view.restore(place)
    view.arrange()
    view.to_top()
    assert settle(view)[0] == (0, truth(view)[0][1].text)


def test_what_is_counted_below_is_laid_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    view = Viewport(look(), 10)
    view.show([turn(f"t{number}", 20) for number in range(30)])
    check(view)
    view.to_top()
    check(view)
    for name in ("x", "y", "z"):
        view.update(turn(name, 20))
    check(view)
    made: list[str] = []
    layout_of = TurnLayout.__init__

    def noted(self: TurnLayout, look: Look, known: Turn) -> None:
        made.append(known.id)
        layout_of(self, look, known)

    monkeypatch.setattr(TurnLayout, "__init__", noted)
    for size in range(1, 9):
        view.update(turn("live", size, state="running"))
        view.arrange()
    assert made == ["live"]


def test_what_is_not_laid_out_yet_is_not_taken_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    view = Viewport(look(), 10)
    turns = [turn("a", 3), turn("b", 300)]
    view.show(turns)
    settle(view)
    view.scroll(-100)
    before = settle(view)
    place = view.position()
    monkeypatch.setattr("tui.widgets.transcript.viewport.SLICE", 0.0)  # a machine that is never fast enough
    view.show(turns)
    view.restore(place)
    view.arrange()
    assert not view.following
    monkeypatch.undo()
    assert settle(view) == before


def test_numbers_are_given_again_when_a_block_before_changes() -> None:
    def made(first: str) -> Turn:
        return Turn("t", "q", WHEN, "running", (TextBlock(first), NoticeBlock("n"), TextBlock("```b\ny\n```\n")))

    layout = TurnLayout(look(), made("```a\nx\n```\n"))
    layout.step(FOREVER)
    assert [(unit.number, unit.language) for unit in layout.units() if unit.number] == [(1, "a"), (2, "b")]
    layout.update(made("```a\nx\n```\n\n```c\nz\n```\n"))
    layout.step(FOREVER)
    assert [(unit.number, unit.language) for unit in layout.units() if unit.number] == [(1, "a"), (2, "c"), (3, "b")]
    assert any(line.text.startswith(" b 3 ") for line in layout.lines)


def test_units_lie_in_order_and_within_the_lines() -> None:
    layout = TurnLayout(look(), turn("t", 5, ThinkingBlock("x"), ToolBlock("c", "n")))
    layout.step(FOREVER)
    end = 0
    for unit in layout.units():
        assert end <= unit.start < unit.end <= len(layout.lines)
        end = unit.end


def test_in_strides_the_view_moves_now_and_then_and_the_end_is_always_in_it() -> None:
    view = Viewport(look(), 12)
    view.stride = 4
    tops = []
    for size in range(1, 40):
        view.update(turn("live", size, state="running"))
        shown = settle(view)
        assert f"line {size - 1}" in "".join(text for _turn, text in shown), "what is new is not in view"
        tops.append(view.top[1])
    moves = [after - before for before, after in pairwise(tops) if after != before]
    assert len(moves) <= len(tops) / 2 + 1
    view.update(turn("live", 40))
    assert len(check(view)) == 12


@pytest.mark.parametrize("piece", [0.006, 0.0002], ids=["at once", "in many slices"])
def test_in_strides_another_conversation_begins_at_its_end(piece: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.widgets.transcript.viewport.SLICE", piece)
    view = Viewport(look(), 12)
    view.stride = 4
    view.show([turn("old", 30), turn("live", 30, state="running")])
    assert len(check(view)) == 12
