"""The pieces that the transcript is made of: cells, tables, charts, search, colours, what copying gives."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.models import (
    Block,
    ChartBlock,
    CodeBlock,
    DocumentBlock,
    FileBlock,
    Link,
    PlanBlock,
    PlanStep,
    TableBlock,
    TextBlock,
    ThinkingBlock,
    ToolBlock,
    Turn,
    TurnState,
)
from tui.widgets.transcript import charts
from tui.widgets.transcript.blocks import draw, duration, table_text
from tui.widgets.transcript.cells import chop, cut, expand_tabs, merge, pad, width_of, wrap
from tui.widgets.transcript.charts import chart_rows, number_of
from tui.widgets.transcript.endings import end_rows
from tui.widgets.transcript.highlight import Highlighter
from tui.widgets.transcript.inline import Inline
from tui.widgets.transcript.lines import Line, Look, TableView, splice
from tui.widgets.transcript.marks import ASCII
from tui.widgets.transcript.search import find_all, line_pattern, marked, marks_in
from tui.widgets.transcript.selection import file_name, links_of, message_text
from tui.widgets.transcript.styles import Kind
from tui.widgets.transcript.tables import numeric, plan

WHEN = datetime(2020, 1, 1, tzinfo=UTC)
LOOK = Look(64, Inline(), Highlighter(enabled=False), zone=UTC)
TEXTS = st.text(
    st.one_of(
        st.sampled_from("ab ,。，（）「」中文漢 \u3000👩\u200d❤\ufe0fe\u0301🇨🇳－…"),
        st.characters(exclude_categories=["C"]),
    ),
    max_size=80,
)


def rows(text: str, width: int) -> list[str]:
    return ["".join(piece for piece, _ in line) for line in wrap(((text, 0),), width)]


# --- cells -----------------------------------------------------------------------------------------------------


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.integers(4, 40))
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text: str, width: int) -> None:
    lines = rows(text, width)
    assert all(cell_len(line) <= width for line in lines)
    spaces = {ord(char): None for char in " \u3000" + "".join(map(chr, range(0x2000, 0x200B)))}
    assert "".join(lines).translate(spaces) == text.translate(spaces)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(4, 40))
def test_chopped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = ["".join(piece for piece, _ in line) for line in chop(((text, 0),), width)]
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines) == text


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("一二三四五六七", 8, ["一二三四", "五六七"]),
        ("一二三四，五六", 8, ["一二三", "四，五六"]),
        ("一二三（四五）", 8, ["一二三", "（四五）"]),
        ("看 information_schema 表", 12, ["看", "information_", "schema 表"]),
        ("a\n\n  b", 8, ["a", "", "  b"]),
        ("", 8, [""]),
        ("   ", 8, ["   "]),
        ("   ", 2, [""]),
        ("👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 4, ["👩‍👩‍👧‍👦👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"]),
        ("count(*)，foo(bar)", 10, ["count(*)，", "foo(bar)"]),
    ],
)
def test_where_lines_break(text: str, width: int, expected: list[str]) -> None:
    assert rows(text, width) == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(TEXTS, st.integers(0, 2)), max_size=6))
def test_clusters_do_not_lie_astride_two_spans(spans: list[tuple[str, int]]) -> None:
    merged = merge(spans)
    assert "".join(text for text, _ in merged) == "".join(text for text, _ in spans)
    for text, _ in merged[1:]:
        assert cell_len(text[0]) > 0


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [("abcdef", 4, "abc…"), ("abcd", 4, "abcd"), ("中文字符", 5, "中文…"), ("中文字符", 4, "中…"), ("中", 1, "…")],
)
def test_cutting(text: str, limit: int, expected: str) -> None:
    assert cut(text, limit) == expected


def test_padding_and_tabs_count_cells() -> None:
    assert pad("中", 4) == "中  "
    assert pad("中", 4, "right") == "  中"
    assert pad("ab", 5, "center") == " ab  "
    assert expand_tabs("中\tx") == "中  x"
    assert expand_tabs("a\tx") == "a   x"


def test_equal_lines_stay_the_same_objects() -> None:
    old = [Line((("a", 0),)), Line((("b", 0),)), Line((("c", 0),))]
    held = list(old)
    assert splice(old, 0, [Line((("a", 0),)), Line((("x", 0),)), Line((("c", 0),))]) == 1
    assert old[0] is held[0]
    assert old[2] is held[2]
    assert splice(old, 1, list(old[1:])) is None
    assert splice(old, 2, [old[2], Line(())]) == 3
    assert splice(old, 1, []) == 1


# --- tables and charts -----------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(10, 100), st.integers(0, 11))
def test_a_plan_fits(natural: list[int], width: int, column: int) -> None:
    shape = plan(natural, width, TableView(column=column), "<", ">")
    assert len(shape.columns) == len(shape.widths) >= 1
    assert shape.columns[0] == 0
    if len(shape.columns) > 2 or not shape.note:
        assert 1 + sum(shape.widths) + 2 * (len(shape.widths) - 1) <= max(
            width, 1 + sum(min(n, 10) for n in natural) * 3
        )


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(10, 100))
def test_every_column_can_be_reached_and_the_last_one_is_the_end(natural: list[int], width: int) -> None:
    plans = [plan(natural, width, TableView(column=column), "<", ">") for column in range(12)]
    assert {column for shape in plans for column in shape.columns} == {*range(len(natural))}
    last = plans[0].last
    assert len({shape.columns for shape in plans[: last + 1]}) == last + 1, "each step shows something else"
    assert {shape.columns for shape in plans[last:]} == {plans[last].columns}
    assert not last or plans[last - 1].columns[-1] < len(natural) - 1, "it goes no further than it must"


def test_numbers_stand_at_the_right() -> None:
    assert numeric([("1,000",), ("-2.5 %",), ("NULL",)], 0)
    assert not numeric([("1",), ("x",)], 0)
    assert not numeric([("",)], 0)


def test_table_text_is_tab_separated() -> None:
    table = TableBlock(("a", "b"), (("1\t2", "x\ny"),))
    assert table_text(table) == "a\tb\n1 2\tx y\n"


@pytest.mark.parametrize(
    ("text", "value"), [("1,234", 1234.0), ("12 %", 12.0), ("¥5", 5.0), ("x", None), ("nan", None), ("", None)]
)
def test_numbers_in_cells(text: str, value: float | None) -> None:
    assert number_of(text) == value


DATA = TableBlock(("x", "y", "z"), tuple((f"r{n}", str(n), str(10 - n)) for n in range(10)))


@pytest.mark.parametrize("kind", ["bar", "line", "pie", "scatter", "other"])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_charts_fit_and_name_their_series(kind: str, ascii_only: bool) -> None:
    look = Look(64, Inline(), Highlighter(False), ASCII) if ascii_only else LOOK
    drawn = chart_rows(ChartBlock(kind, "t", "x", ("y", "z"), DATA), look)  # type: ignore[arg-type]
    assert drawn
    assert all(width_of(row) <= look.content for row in drawn)
    text = "\n".join("".join(piece for piece, _ in row) for row in drawn)
    assert " 1 y " in text
    assert " 2 z " in text
    assert not ascii_only or text.isascii()


@pytest.mark.parametrize(
    "chart",
    [
        ChartBlock("bar", "t", "x", ("no",), DATA),
        ChartBlock("line", "t", "x", ("x",), DATA),
        ChartBlock("bar", "t", "x", ("y",), TableBlock((), ())),
        ChartBlock("bar", "t", "x", (), DATA),
    ],
)
def test_what_cannot_be_drawn_shows_its_table(chart: ChartBlock) -> None:
    assert chart_rows(chart, LOOK) is None
    drawn = draw(chart, LOOK, opened=False, turn="t", number=1, live=False)
    assert drawn.parts[0].kind == "chart"


def test_negative_and_equal_values_are_drawn() -> None:
    data = TableBlock(("x", "y"), (("a", "-5"), ("b", "-5"), ("c", "0")))
    for kind in ("bar", "line", "pie"):
        assert chart_rows(ChartBlock(kind, "", "x", ("y",), data), LOOK)


@pytest.mark.parametrize(("seconds", "text"), [(0.81, "0.8 s"), (12.4, "12 s"), (125, "2 min 5 s")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("arguments", ["{", "[1, 2", "null", '"x"', "{}", "[" * 3000, '{"a": {"b": [1]}}', "x" * 9000])
def test_any_arguments_of_a_tool_are_shown(arguments: str) -> None:
    tool = ToolBlock("c", "tool", "done", arguments, arguments)
    drawn = draw(tool, LOOK, opened=True, turn="t", number=1, live=False)
    assert len(drawn.rows) > 1
    assert all(width_of(row) <= LOOK.content for row in drawn.rows)


# --- search and copying ----------------------------------------------------------------------------------------


def test_search_reads_the_source_of_everything() -> None:
    table = TableBlock(("col",), (("Needle",),))
    blocks = (
        TextBlock("the NEEDLE needle"),
        ThinkingBlock("needle"),
        ToolBlock("c", "n", "done", "needle", "needle"),
        table,
        ChartBlock("bar", "needle", "col", (), table),
        CodeBlock("c", "sql", "needle"),
        PlanBlock((PlanStep("1", "needle"),)),
        DocumentBlock("d", (Link("needle", "u"),)),
    )
    turn = Turn("t", "a needle", WHEN, "done", blocks)
    matches = find_all([turn], "needle")
    assert [match.section for match in matches] == [-1, 0, 0, 1, 2, 2, 3, 4, 4, 5, 6, 7]
    assert [match.ordinal for match in matches][1:3] == [0, 1]
    assert find_all([turn], "  ") == []
    assert find_all([turn], "(") == []


def test_matches_over_a_line_break_mark_both_lines() -> None:
    found = marks_in(["主库", "  延迟 x"], line_pattern("库延"))
    assert [(line, [(mark.start, mark.end) for mark in marks]) for line, marks in found.items()] == [
        (0, [(1, 2)]),
        (1, [(0, 3)]),
    ]
    spans = marked((("ab", 0), ("cd", 16)), marks_in(["abcd"], line_pattern("bc"))[0])
    assert spans == (("a", 0), ("b", Kind.MATCH.key), ("c", Kind.MATCH.key), ("d", 16))


def test_a_message_is_its_source() -> None:
    code = CodeBlock("c", "sql", "SELECT '```'\n")
    plan_block = PlanBlock((PlanStep("1", "one", "done"), PlanStep("2", "two")))
    blocks = (ThinkingBlock("hm"), TextBlock("\nText *x*.\n"), code, TableBlock(("a",), (("1",),), "T"), plan_block)
    assert message_text(Turn("t", "q", WHEN, "done", blocks)) == (
        "Text *x*.\n\n````sql\nSELECT '```'\n````\n\nT\na\n1\n\n- [x] one\n- [ ] two"
    )


@pytest.mark.parametrize(
    ("state", "blocks", "said"),
    [("done", (), True), ("done", (TextBlock("ready"),), False), ("running", (), False)],
)
def test_an_answer_with_nothing_in_it_is_said(state: TurnState, blocks: tuple[Block, ...], said: bool) -> None:
    turn = Turn("t", "why?", WHEN, state, blocks)
    text = "".join(part for row in end_rows(turn, LOOK) for part, _style in row)
    assert ("finished without an answer" in text) is said


def test_links_are_listed_once() -> None:
    blocks = (
        TextBlock("https://a.cn/x。 https://a.cn/x and <https://b.cn/?q=1>, javascript:x"),
        DocumentBlock("d", (Link("c", "https://c.cn"),)),
        FileBlock("f.csv", "f-1", "https://oss.cn/f"),
    )
    turn = Turn("t", "q", WHEN, "done", blocks)
    assert [choice.text for choice in links_of(turn)] == [
        "https://a.cn/x", "https://b.cn/?q=1", "https://c.cn", "https://oss.cn/f",
    ]  # fmt: skip
    assert links_of(turn)[3].label == "f.csv"


def test_file_names_are_safe() -> None:
    name = file_name(Turn("t", "../../etc/pass wd?", WHEN), None)
    assert "/" not in name
    assert not name.startswith(".")
    assert name.endswith(".md")


# --- colours ---------------------------------------------------------------------------------------------------


def test_colours_come_when_they_were_fetched() -> None:
    highlighter = Highlighter()
    assert highlighter.line("sql", "SELECT 1") is None
    assert highlighter.whole("sql", "SELECT 1\n") is None
    assert highlighter.due("sql")
    highlighter.work()
    assert not highlighter.wanted
    assert not highlighter.due("sql", "SELECT 1\n")
    line = highlighter.line("sql", "SELECT 1")
    assert line is not None
    assert line[0] == ("SELECT", Kind.KEYWORD.key)
    assert highlighter.whole("sql", "SELECT 1\n") == [line, ()]


def test_a_comment_over_several_lines_is_coloured_as_a_whole() -> None:
    highlighter = Highlighter()
    code = "/* one\ntwo */\nSELECT 1"
    highlighter.whole("sql", code)
    highlighter.work()
    lines = highlighter.whole("sql", code)
    assert lines is not None
    assert lines[1] == (("two */", Kind.COMMENT.key),)


def test_unknown_languages_and_broken_lexers_give_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    highlighter = Highlighter()
    highlighter.line("no-such", "x")
    highlighter.line("python", "x")
    highlighter.work()
    assert highlighter.line("no-such", "x") is None
    assert not highlighter.due("no-such")

    def broken(*_: object) -> object:
        raise RuntimeError("a lexer's bug")

    monkeypatch.setattr(highlighter._lexers["python"], "get_tokens_unprocessed", broken)
    assert highlighter.line("python", "x") is None
    assert not highlighter.due("python", "x")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (85750.66, "85,750.66"), (-1234.5, "-1,234.50"), (1234567.8, "1,234,568"), (12.34567, "12.35"),
     (0.00001234, "1.234e-05"), (4e15, "4e+15"), (100000.0, "100,000")],
)  # fmt: skip
def test_values_of_charts_are_read_at_a_glance(value: float, text: str) -> None:
    assert charts._short(value) == text
