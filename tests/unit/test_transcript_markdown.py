"""Markdown while it grows: any way of feeding it gives the lines of feeding it at once, and what they are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style

from tui.widgets.transcript.cells import width_of
from tui.widgets.transcript.highlight import Highlighter
from tui.widgets.transcript.inline import Inline
from tui.widgets.transcript.lines import Gutter, Line, Look, Unit
from tui.widgets.transcript.marks import UNICODE
from tui.widgets.transcript.styles import Palette
from tui.widgets.transcript.text_section import TextSection

LOOK = Look(64, Inline(), Highlighter(enabled=False))


def run(section: TextSection, text: str, ended: bool) -> None:
    section.feed(text, ended)
    for _ in range(100_000):
        if section.complete:
            return
        section.step()
    raise AssertionError("it does not come to an end")


def render(pieces: Sequence[str], look: Look = LOOK) -> TextSection:
    section = TextSection(look, "t", 0, 1)
    text = ""
    for piece in pieces:
        text += piece
        run(section, text, False)
    run(section, text, True)
    return section


def texts(section: TextSection) -> list[str]:
    return [line.text.rstrip() for line in section.lines]


def spans(lines: Sequence[Line]) -> list[object]:
    return [line.spans for line in lines]


FRAGMENTS = st.sampled_from(
    [
        "text ", "word", "\n", "\n", "\n\n", "\n\n", "- ", "* ", "+ ", "1. ", "2) ", "10. ", "    ", "  ", " ", "\t",
        "# ", "## ", "===\n", "---\n", "***\n", "> ", ">", "```", "```sql\n", "~~~", "`", "``", "**", "*", "_", "~~",
        "| a | b |\n", "|---|:-:|\n", "|---|", "| 1 | **2** |\n", "|", "\\|", "[", "]", "(", ")", "[a]", "[a]: /u\n",
        "[a]\n\n", "[a]: /u\n\nx",
        "[b]: http://e.com 'T'\n", "[x][a]", "![i](/p.png)", "<b>", "</b>", "<div>\n", "<!--", "-->", "&amp;", "&#27;",
        "\\", "中文", "，", "。", "（", "👩‍👩‍👧", "❤️", "e\u0301", "- [ ] ", "- [x] ", "http://a.cn/b。", "a" * 70,
    ]
)  # fmt: skip
DOCUMENTS = st.lists(FRAGMENTS, max_size=40)


@settings(max_examples=400, deadline=None)
@given(DOCUMENTS, st.lists(st.integers(0, 120), max_size=30))
def test_any_chunks_give_the_same_lines(fragments: list[str], cuts: list[int]) -> None:
    text = "".join(fragments)
    marks = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    chunked = render([text[start:end] for start, end in pairwise(marks)])
    whole = render([text])
    assert spans(chunked.lines) == spans(whole.lines)
    assert chunked.units() == whole.units()


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS)
def test_fragment_by_fragment_gives_the_same_lines(fragments: list[str]) -> None:
    assert spans(render(fragments).lines) == spans(render(["".join(fragments)]).lines)


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, st.lists(st.integers(0, 120), max_size=12))
def test_what_is_there_so_far_looks_the_same_however_it_came(fragments: list[str], cuts: list[int]) -> None:
    text = "".join(fragments)
    section = TextSection(LOOK, "t", 0, 1)
    for end in sorted({cut % (len(text) + 1) for cut in cuts}):
        run(section, text[:end], False)
        at_once = TextSection(LOOK, "t", 0, 1)
        run(at_once, text[:end], False)
        assert spans(section.lines) == spans(at_once.lines)
        assert section.units() == at_once.units()


@settings(max_examples=25, deadline=None)
@given(st.lists(FRAGMENTS, min_size=5, max_size=25), st.integers(1, 3))
def test_long_texts_too(fragments: list[str], times: int) -> None:
    text = "".join(fragments) * (150 * times)
    step = 997
    chunked = render([text[at : at + step * 3] for at in range(0, len(text), step * 3)])
    assert spans(chunked.lines) == spans(render([text]).lines)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.integers(10, 100))
def test_no_line_is_wider_than_the_content(text: str, width: int) -> None:
    look = Look(width, Inline(), Highlighter(enabled=False))
    for line in render([text], look).lines:
        assert width_of(line.spans) <= look.content or width < 24


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS)
def test_changes_are_reported_from_the_first_changed_line_on(fragments: list[str]) -> None:
    section = TextSection(LOOK, "t", 0, 1)
    text = ""
    for fragment in fragments:
        text += fragment
        before = list(section.lines)
        section.feed(text, False)
        changed: int | None = None
        while not section.complete:
            first = section.step()
            changed = first if changed is None else changed if first is None else min(changed, first)
        same = len(section.lines) if changed is None else changed
        assert section.lines[:same] == before[:same]
        assert len(before) >= same
        if changed is None:
            assert before == section.lines


def test_a_definition_that_comes_late_is_used_at_the_end() -> None:
    pieces = ["see [a] and [b][a]\n\n", "- [a]\n\n", "more\n\n", "[a]: https://e.com\n\n", "end"]
    assert texts(render(pieces)) == [
        "see a (https://e.com) and b (https://e.com)",
        "",
        "• a (https://e.com)",
        "",
        "more",
        "",
        "end",
    ]


def test_finished_blocks_are_not_touched_again() -> None:
    section = TextSection(LOOK, "t", 0, 1)
    text = "# Title\n\nOne paragraph.\n\n"
    run(section, text, False)
    held = list(section.lines)
    run(section, text + "Another one", False)
    run(section, text + "Another one that grows", False)
    assert all(a is b for a, b in zip(held, section.lines, strict=False))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# Title\n\ntext", ["Title", "", "text"]),
        ("a\nb", ["a b"]),
        ("中\n文", ["中文"]),
        ("a  \nb", ["a", "b"]),
        ("- a\n- b\n\n- c", ["• a", "• b", "", "• c"]),
        ("- a\n  - b\n    - c", ["• a", "  ◦ b", "    ▪ c"]),
        ("9. a\n1. b\n5. c", ["9. a", "10. b", "11. c"]),
        ("1. a\n\n   b\n2. c", ["1. a", "", "   b", "2. c"]),
        ("- [ ] open\n- [x] done", ["○ open", "✓ done"]),
        ("> a\n> b\n\nc", ["│ a b", "", "c"]),
        ("> - a\n>   b", ["│ • a b"]),
        ("[t](https://e.com/x) and [f](file:///x)", ["t (https://e.com/x) and [f](file:///x)"]),
        ("<https://e.com>", ["https://e.com"]),
        ("[a][1]\n\n[1]: https://e.com", ["a (https://e.com)"]),
        ("x <b>y</b> [red]z[/]", ["x <b>y</b> [red]z[/]"]),
        ("~~x~~ **y** *z* `w`", ["x y z w"]),
        ("![alt](https://e.com/p.png)", ["alt (https://e.com/p.png)"]),
        ("&#27;[31m&#12;&#x202e;x", ["\ufffd[31m␌\ufffdx"]),
    ],
)
def test_what_it_looks_like(source: str, expected: list[str]) -> None:
    palette = Palette(lambda _look: Style())
    lines = [line.strip(64, palette, UNICODE, Gutter.NONE).text[3:].rstrip() for line in render([source]).lines]
    assert lines == expected


def test_code_is_copied_to_the_byte() -> None:
    code = "a\tb  \n\n  c\\\n"
    section = render([f"x\n\n```sql title\n{code}```\n\n- i\n\n  ```py\n  p\n  ```\n"])
    numbered = [unit for unit in section.units() if unit.number]
    assert [(unit.number, unit.language, unit.source) for unit in numbered] == [(1, "sql", code), (2, "py", "p\n")]
    assert [unit.source for unit in render(["```\nopen\nno end"]).units()] == ["open\nno end"]
    indented = render(["  ```sql\n  a\n    b\n c\n  ```"])
    assert indented.units()[0].source == "a\n  b\nc\n"


def test_numbers_run_through_code_and_tables() -> None:
    section = render(["```a\n1\n```\n\n| x | y |\n|--|--|\n| 1 | 2 |\n\n```b\n2\n```\n"])
    labels = [line.text.split("─")[0].strip() for line in section.lines if "─" in line.text]
    assert labels == ["a 1", "table 2", "b 3"]
    assert [unit.kind for unit in section.units()] == ["code", "table", "code"]


def test_a_table_aligns_chinese() -> None:
    section = render(["| 名称 | n |\n|:--|--:|\n| 订单表 | 1 |\n| x | 1,000 |\n"])
    assert texts(section)[1:] == [" 名称        n", " 订单表      1", " x       1,000"]


def test_a_closing_fence_does_not_flash() -> None:
    section = TextSection(LOOK, "t", 0, 1)
    run(section, "```\ncode\n``", False)
    assert texts(section)[1:] == [" code"]


def test_a_wide_table_wraps_or_scrolls() -> None:
    row = "|" + " a fairly long cell that must wrap |" * 3
    section = render([f"|a|b|c|\n|-|-|-|\n{row}\n"])
    assert all(width_of(line.spans) <= LOOK.content for line in section.lines)
    assert len(section.lines) > 3
    wide = render(["|" + "name of column|" * 9 + "\n" + "|-" * 9 + "|\n" + "|value of it" * 9 + "|\n"])
    assert "columns →" in texts(wide)[0]
    assert wide.units()[0].scroll == 6


HOSTILE = {
    "quotes": ">" * 5000,
    "quotes and spaces": "> " * 3000,
    "lists": "- " * 3000,
    "brackets": "[" * 20_000,
    "images": "![" * 10_000,
    "stars": "*a **b " * 3000,
    "backticks": "".join("`" * n + " " for n in range(300)),
    "entities": "&" * 10_000,
    "definitions": "[a]: b\n" * 3000,
    "pipes": "|a" * 3000 + "\n" + "|-" * 3000,
    "rows": "|a|b|\n|-|-|\n" + "|x|\n" * 3000,
    "fence": "```\n" + "x" * 200_000,
    "long line": "x" * 2_000_000,
    "long words": "word " * 100_000,
    "deep list": "\n".join("  " * n + "- a" for n in range(300)),
    "html": "<div>" * 5000,
    "chinese": "汉" * 200_000,
    "emoji": "👩‍👩‍👧‍👦" * 5000,
    "combining": "e" + "\u0301" * 20_000,
    "joiners": "\u200d" * 20_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_ends_in_bounded_steps(name: str) -> None:
    section = render([HOSTILE[name]])
    assert section.lines
    assert all(width_of(line.spans) <= LOOK.content for line in section.lines)


def test_deep_nesting_is_shown_as_source() -> None:
    assert "> > > >" in render(["> " * 40 + "deep"]).lines[0].text


def test_units_cover_the_lines() -> None:
    section = render(["para\n\n- a\n- b\n\n```x\n1\n```\n\nend"])
    units: list[Unit] = section.units()
    assert [unit.kind for unit in units] == ["text", "text", "code", "text"]
    assert units[1].source == "- a\n- b"
    assert [(unit.start, unit.end) for unit in units] == [(0, 1), (2, 4), (5, 7), (8, 9)]


def test_a_definition_of_another_document_is_not_used() -> None:
    assert texts(render(["- [a]\n\n[a]: https://one.example\n"])) == ["• a (https://one.example)"]
    assert texts(render(["- [a]\n\n[a]: https://two.example\n"])) == ["• a (https://two.example)"]
