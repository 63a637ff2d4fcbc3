"""The transcript as it stands on a screen: what is painted, how it follows and scrolls, what its keys do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.events import MouseScrollDown, MouseScrollUp
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot

import themes
from tui.models import (
    AskBlock,
    Block,
    CellOutput,
    ChartBlock,
    CodeBlock,
    DocumentBlock,
    FileBlock,
    Link,
    NoticeBlock,
    PlanBlock,
    PlanStep,
    Problem,
    SuggestionsBlock,
    TableBlock,
    TextBlock,
    ThinkingBlock,
    ToolBlock,
    Turn,
    TurnState,
)
from tui.widgets.looks import resolve
from tui.widgets.transcript import Transcript
from tui.widgets.transcript.styles import LOOKS, Kind

WHEN = datetime(2020, 10, 2, 2, 14, tzinfo=UTC)
SIZES = [(120, 40), (80, 24)]


def turn(name: str, *blocks: Block | str, question: str = "", state: TurnState = "done", **more: Any) -> Turn:
    made = tuple(TextBlock(block) if isinstance(block, str) else block for block in blocks)
    return Turn(name, question or f"question {name}", WHEN, state, made, **more)


def paragraphs(count: int, word: str = "line") -> str:
    return "\n\n".join(f"{word} {number}" for number in range(count))


class Stage(App[None]):
    """The transcript alone, without the focus."""

    AUTO_FOCUS = None

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options
        self.heard: list[Message] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.variable_defaults()

    def compose(self) -> ComposeResult:
        yield Transcript(zone=UTC, **self.options)

    def on_mount(self) -> None:
        for theme in themes.load():
            self.register_theme(theme)
        self.theme = "dark"

    def hear(self, message: Message) -> None:
        self.heard.append(message)

    on_copy_requested = on_choose_block = on_save_requested = on_retry = on_stop = on_feedback = hear
    on_details = on_edit_resend = on_links = on_compose_requested = on_find_requested = hear


class Shown:
    """What a test does with the widget on its stage."""

    def __init__(self, app: Stage, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.widget = app.query_one(Transcript)

    async def settle(self) -> None:
        async with asyncio.timeout(8):
            await self.pilot.pause()
            while not self.widget.settled:  # noqa: ASYNC110  # the widget has no event for it
                await asyncio.sleep(0.005)
            await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def focus(self) -> None:
        self.widget.focus()
        await self.settle()

    @property
    def strips(self) -> list[Any]:
        return self.widget.render_lines(Region(0, 0, *self.widget.size))

    @property
    def lines(self) -> list[str]:
        return [strip.text.rstrip() for strip in self.strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def screen_lines(self) -> list[str]:
        """What the compositor has, which is what reaches the terminal."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]


@asynccontextmanager
async def stage(*turns: Turn, size: tuple[int, int] = (80, 24), key: str = "c", **options: Any) -> AsyncIterator[Shown]:
    app = Stage(**options)
    async with app.run_test(size=size) as pilot:
        shown = Shown(app, pilot)
        shown.widget.show(turns, key=key)
        await shown.settle()
        yield shown


def at_end(shown: Shown) -> bool:
    return shown.widget.following


# --- looks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_a_question_and_its_answer(size: tuple[int, int]) -> None:
    tool = ToolBlock("c", "describe_slow_log_records", "done", '{"DBInstanceId": "rm-bp1k3"}', "3 records", 1.2)
    answer = turn("1", ThinkingBlock("hm", 6.0), tool, "The *replica* lags.", question="Why the lag?")
    async with stage(answer, size=size) as shown:
        width = size[0]
        assert shown.lines[0].startswith(" ▌ Why the lag?")
        assert shown.lines[0].endswith("2020-10-02 02:14")
        assert len(shown.lines[0]) == width - 1
        assert shown.lines[1:7] == [
            "",
            "   ▸ thought for 6 s",
            "   ▸ describe_slow_log_records   1.2 s",
            "",
            "   The replica lags.",
            "",
        ]
        assert all(strip.cell_length == width for strip in shown.strips)
        assert shown.screen_lines() == shown.lines


async def test_every_block_is_drawn() -> None:
    table = TableBlock(("week", "n"), (("W1", "12"), ("W2", "1,400")), "Refunds", 100)
    steps = (PlanStep("1", "Read", "done"), PlanStep("2", "Count", "running"), PlanStep("3", "Draw"))
    blocks: list[Block] = [
        PlanBlock(steps),
        CodeBlock("c", "SQL", "SELECT 1;\n", (CellOutput(text="ok"), CellOutput(error="ERR 1064"))),
        table,
        ChartBlock("bar", "By week", "week", ("n",), table),
        FileBlock("report.pdf", "f-8c2", "", 123_456, "pdf"),
        SuggestionsBlock(("Why?",)),
        AskBlock("sql", "q", "SELECT COUNT(*) FROM refunds", details="120,000 rows"),
        DocumentBlock("Guide", (Link("guide", "https://example.com/g"),), "text"),
        NoticeBlock("something the program did"),
    ]
    async with stage(turn("1", *blocks), size=(80, 60)) as shown:
        for expected in (
            "   ✓ Read", "   ● Count", "   ○ Draw", "    sql 1 ──", "    SELECT 1;", "    ok", "    ✗ ERR 1064",
            "    table 2 · Refunds · 2 of 100 rows ──", "    week      n", "    W2    1,400",
            "    chart 3 · By week ──", "    W2  1,400 ████", "   file report.pdf  123.5 KB  pdf  f-8c2", "   1 Why?",
            "   ┌ The agent wants to run this SQL", "   │  SELECT COUNT(*) FROM refunds", "   │ 120,000 rows",
            "   └ waits for your answer", "   ▸ Guide", "       guide  https://example.com/g",
            "   something the program did",
        ):  # fmt: skip
            assert any(line.startswith(expected) for line in shown.lines), (expected, shown.text)


async def test_an_error_stands_where_it_happened() -> None:
    problem = Problem(
        "No valid order", "RDS Copilot is not active.", "Activate it.", "InvalidOrder", 400, "ABC-123", "no"
    )
    async with stage(turn("1", "half", state="failed", problem=problem, frames_skipped=2)) as shown:
        assert "   2 unreadable frames of the stream were left out" in shown.lines
        assert "   ✗ No valid order: RDS Copilot is not active." in shown.lines
        assert "     Activate it. · InvalidOrder HTTP 400 · request ABC-123" in shown.lines


@pytest.mark.parametrize(
    ("state", "words"),
    [("queued", "queued"), ("stopped", "stopped"), ("cut_off", "cut off"), ("interrupted", "interrupted")],
)
async def test_states_are_said_in_words(state: TurnState, words: str) -> None:
    async with stage(turn("1", "half", state=state, recovered=True)) as shown:
        assert any(line.startswith("   " + words) for line in shown.lines)
        assert "service's history" in shown.text


async def test_ascii_only() -> None:
    blocks = (ThinkingBlock("x", 2), PlanBlock((PlanStep("1", "p", "done"),)), TableBlock(("a",), (("1",),)))
    async with stage(turn("1", *blocks, "- item\n\n> q\n\n---\n\n```sql\nx\n```"), ascii_only=True) as shown:
        await shown.focus()
        assert shown.text.isascii()
        shown.widget.ascii_only = False
        await shown.settle()
        assert not shown.text.isascii()


async def test_the_empty_text() -> None:
    async with stage(empty_text="Ask something.") as shown:
        assert any("Ask something." in line for line in shown.lines)
        await shown.focus()
        shown.widget.update_turn(turn("1", "x"))
        await shown.settle()
        assert "Ask something." not in shown.text


@pytest.mark.parametrize("theme", ["dark", "light", "terminal"])
async def test_themes_repaint_everything(theme: str) -> None:
    async with stage(turn("1", "**bold** `code`\n\n```python\nx = 'a'  # c\n```")) as shown:
        before = shown.strips
        shown.app.theme = theme
        await shown.settle()
        after = shown.strips
        assert [strip.text for strip in before] == [strip.text for strip in after]
        colours = {segment.style.color.name for strip in after for segment in strip if segment.style.color}
        if theme == "terminal":
            assert all(not name.startswith("#") for name in colours)
            assert len(colours) > 2
        elif theme == "light":
            assert before != after


async def test_hostile_text_reaches_no_terminal() -> None:
    evil = "\x1b]52;c;aGk=\x07 \x9b31m [/] [red]x ‮ \x00 &#27;[2J &#12;"
    blocks: tuple[Block, ...] = (
        TextBlock(evil), ThinkingBlock(evil), ToolBlock("c", evil, "done", evil, evil), CodeBlock("c", "sql", evil),
        TableBlock((evil,), ((evil,),), evil), NoticeBlock(evil), FileBlock(evil), SuggestionsBlock((evil,)),
        AskBlock("question", "q", evil, options=(evil,)), DocumentBlock(evil, (Link(evil, evil),), evil),
        PlanBlock((PlanStep("1", evil),)), ChartBlock("bar", evil, evil, (evil,), TableBlock((evil,), (("1",),))),
    )  # fmt: skip
    problem = Problem(evil, evil, evil, evil, 400, evil)
    async with stage(turn("1", *blocks, question=evil, problem=problem, state="failed"), size=(80, 100)) as shown:
        await shown.focus()
        await shown.press("a")
        for strip in shown.strips:
            assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char in "\u202e\u2066" for char in strip.text)


# --- streaming and following -----------------------------------------------------------------------------------


async def test_it_follows_while_at_the_end() -> None:
    live = turn("1", "start", state="running")
    async with stage(live) as shown:
        for count in range(1, 60, 7):
            shown.widget.update_turn(replace(live, blocks=(TextBlock(paragraphs(count)),)))
            await shown.settle()
            assert f"   line {count - 1}" in shown.lines
            assert at_end(shown)
            assert shown.screen_lines() == shown.lines


async def test_it_stays_where_the_reader_is() -> None:
    live = turn("1", paragraphs(40), state="running")
    async with stage(live) as shown:
        await shown.focus()
        await shown.press("k", "k", "k")
        top = shown.lines[0]
        assert not at_end(shown)
        shown.widget.update_turn(replace(live, blocks=(TextBlock(paragraphs(50)),)))
        await shown.settle()
        assert shown.lines[0] == top
        assert shown.widget.new_lines == 20
        await shown.press("G")
        assert at_end(shown)
        assert shown.widget.new_lines == 0
        assert "line 49" in shown.text


async def test_new_lines_are_told_at_the_bottom_while_the_end_is_out_of_view() -> None:
    live = turn("1", paragraphs(40, "中文的一行"), state="running")
    async with stage(live) as shown:
        await shown.focus()
        await shown.press("k", "k")
        assert "PgDn" not in shown.text
        shown.widget.update_turn(replace(live, blocks=(TextBlock(paragraphs(41, "中文的一行") + "!"),)))
        await shown.settle()
        assert shown.lines[-1].endswith("↓ 2 new lines (PgDn)")
        assert all(strip.cell_length == 80 for strip in shown.strips)
        assert shown.screen_lines() == shown.lines
        await shown.press("k")
        assert [line.endswith("(PgDn)") for line in shown.lines].count(True) == 1
        await shown.press("G")
        assert "PgDn" not in shown.text
        assert shown.screen_lines() == shown.lines


async def test_new_lines_count_down_as_they_are_read() -> None:
    live = turn("1", paragraphs(40), state="running")
    async with stage(live) as shown:
        await shown.focus()
        await shown.press("k")
        shown.widget.update_turn(replace(live, blocks=(TextBlock(paragraphs(60)),)))
        await shown.settle()
        assert shown.widget.new_lines == 40
        await shown.press(*["pagedown"] * 2)
        assert shown.widget.new_lines < 40
        await shown.press(*["pagedown"] * 2)
        assert at_end(shown)
        assert shown.widget.new_lines == 0


async def test_a_new_turn_below_is_counted() -> None:
    async with stage(turn("1", paragraphs(40))) as shown:
        await shown.focus()
        await shown.press("g")
        shown.widget.update_turn(turn("2", "x", state="running"))
        await shown.settle()
        assert shown.widget.new_lines == 4
        assert shown.lines[0].startswith(" ▌ question 1")


async def test_equal_turns_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    one = turn("1", paragraphs(3))
    async with stage(one) as shown:
        painted: list[Any] = []
        monkeypatch.setattr(shown.widget, "refresh", lambda *regions, **_: painted.append(regions))
        shown.widget.update_turn(one)
        shown.widget.update_turn(turn("1", paragraphs(3)))
        assert painted == []


async def test_only_changed_rows_are_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    live = turn("1", "first\n\nsec", state="running")
    async with stage(live) as shown:
        painted: list[Region] = []
        monkeypatch.setattr(shown.widget, "refresh", lambda *regions, **_: painted.extend(regions))
        before = shown.strips
        shown.widget.update_turn(replace(live, blocks=(TextBlock("first\n\nsecond"),)))
        after = shown.strips
        assert [(region.y, region.height) for region in painted] == [(4, 1)]
        assert [one is other for one, other in zip(before, after, strict=True)].count(False) == 1


async def test_a_paragraph_that_grows_repaints_its_last_row(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "word " * 50
    live = turn("1", words, state="running")
    async with stage(live) as shown:
        painted: list[Region] = []
        monkeypatch.setattr(shown.widget, "refresh", lambda *regions, **_: painted.extend(regions))
        before = shown.strips
        shown.widget.update_turn(replace(live, blocks=(TextBlock(words + "more"),)))
        assert [region.height for region in painted] == [1]
        assert [one is other for one, other in zip(before, shown.strips, strict=True)].count(False) == 1


async def test_a_whole_answer_at_once_comes_in_slices() -> None:
    text = "\n\n".join(f"paragraph {n} with **bold** and `code` and [a link](https://e.com/{n})" for n in range(2000))
    async with stage() as shown:
        shown.widget.update_turn(turn("1", text))
        assert not shown.widget.settled
        await shown.settle()
        assert "paragraph 1999" in shown.text
        assert at_end(shown)


async def test_two_megabytes_in_one_line() -> None:
    async with stage() as shown:
        shown.widget.update_turn(turn("1", "x" * 2_000_000))
        await shown.focus()
        await shown.press("g", "j", "G")
        assert at_end(shown)


async def test_a_turn_can_be_taken_out() -> None:
    async with stage(turn("1", "one"), turn("2", "two"), turn("3", "three")) as shown:
        await shown.focus()
        shown.widget.remove_turn("2")
        await shown.settle()
        assert "two" not in shown.text
        assert "three" in shown.text
        shown.widget.remove_turn("3")
        shown.widget.remove_turn("1")
        shown.widget.remove_turn("nothing")
        await shown.settle()
        assert shown.text.strip() == ""


# --- moving ----------------------------------------------------------------------------------------------------


async def test_scrolling_through_many_turns_shows_every_line_in_order() -> None:
    turns = [turn(str(number), paragraphs(number % 7 + 1, f"t{number}")) for number in range(60)]
    async with stage(*turns) as shown:
        await shown.focus()
        await shown.press("g")
        seen = list(shown.lines)
        for _ in range(1000):
            if shown.widget.following:
                break
            shown.widget.action_scroll_lines(1)
            seen.append(shown.lines[-1])
        down = [line.strip() for line in seen if line.strip().startswith("t")]
        expected = [f"t{number} {line}" for number in range(60) for line in range(number % 7 + 1)]
        assert down == expected
        seen = list(reversed(shown.lines))
        for _ in range(1000):
            shown.widget.action_scroll_lines(-1)
            seen.append(shown.lines[0])
        up = [line.strip() for line in seen if line.strip().startswith("t")]
        assert list(dict.fromkeys(reversed(up))) == expected


def wheel(kind: type[MouseScrollUp | MouseScrollDown]) -> MouseScrollUp | MouseScrollDown:
    return kind(None, 5, 5, 0, 0, 0, False, False, False)


async def test_pages_keys_and_the_wheel() -> None:
    async with stage(turn("1", paragraphs(100))) as shown:
        await shown.focus()
        await shown.press("home")
        first = shown.lines
        await shown.press("pagedown")
        assert shown.lines[0][3:] == first[-1][3:]
        await shown.press("pageup")
        assert [line[3:] for line in shown.lines] == [line[3:] for line in first]
        await shown.press("ctrl+d", "ctrl+u")
        assert [line[3:] for line in shown.lines] == [line[3:] for line in first]
        await shown.press("end")
        assert at_end(shown)
        shown.widget.scroll_page_up()
        await shown.settle()
        assert not at_end(shown)
        top = shown.lines[3]
        shown.widget.post_message(wheel(MouseScrollUp))
        await shown.settle()
        assert shown.lines[6][3:] == top[3:]
        shown.widget.post_message(wheel(MouseScrollDown))
        await shown.settle()
        assert shown.lines[3][3:] == top[3:]


async def test_questions_with_brackets() -> None:
    async with stage(*[turn(str(number), paragraphs(20)) for number in range(5)]) as shown:
        await shown.focus()
        await shown.press("left_square_bracket")
        assert "question 4" in shown.lines[0]
        await shown.press("left_square_bracket", "left_square_bracket")
        assert "question 2" in shown.lines[0]
        await shown.press("right_square_bracket")
        assert "question 3" in shown.lines[0]
        await shown.press("right_square_bracket", "right_square_bracket")
        assert at_end(shown)


async def test_the_cursor_goes_from_block_to_block() -> None:
    def cursor(lines: Sequence[str]) -> list[str]:
        return [line[3:] for line in lines if line.startswith(" ▌")]

    async with stage(turn("1", "para\n\n- a\n- b\n\n```sql\nx\n```\n")) as shown:
        assert cursor(shown.lines) == [shown.lines[0][3:]]
        await shown.focus()
        assert cursor(shown.lines)[0].startswith(" sql 1")
        assert shown.lines[0].startswith(" ▏")
        await shown.press("K")
        assert cursor(shown.lines) == ["• a", "• b"]
        await shown.press("K", "K", "K")
        assert cursor(shown.lines)[0].startswith("question 1")
        shown.app.screen.set_focus(None)
        await shown.settle()
        assert cursor(shown.lines) == [shown.lines[0][3:]]


async def test_the_cursor_comes_along() -> None:
    async with stage(*[turn(str(number), paragraphs(30)) for number in range(3)]) as shown:
        await shown.focus()
        await shown.press(*["K"] * 40)
        assert any(line.startswith(" ▌") for line in shown.lines)
        await shown.press("g")
        assert shown.lines[0].startswith(" ▌")
        await shown.press(*["pagedown"] * 2)
        assert sum(line.startswith(" ▌") for line in shown.lines) == 1


async def test_scroll_to_turn() -> None:
    async with stage(*[turn(str(number), paragraphs(20)) for number in range(5)]) as shown:
        shown.widget.scroll_to_turn("2")
        await shown.settle()
        assert "question 2" in shown.lines[0]
        shown.widget.follow_end()
        await shown.settle()
        assert at_end(shown)


@pytest.mark.parametrize("width", [40, 60, 120, 200])
async def test_a_new_width_keeps_the_top_line(width: int) -> None:
    text = "\n\n".join(f"P{n} " + "some words that will wrap in different places " * 6 for n in range(40))
    async with stage(turn("1", text), turn("2", text)) as shown:
        await shown.focus()
        await shown.press("g", *["pagedown"] * 4)
        while not shown.lines[0][3:].startswith("P"):
            shown.widget.action_scroll_lines(1)
            assert not at_end(shown)
        top = shown.lines[0][3:].split()[0]
        await shown.pilot.resize_terminal(width, 24)
        await shown.settle()
        assert shown.lines[0][3:].split()[0] == top
        assert all(strip.cell_length == width for strip in shown.strips)
        assert shown.screen_lines() == shown.lines
        await shown.pilot.resize_terminal(80, 24)
        await shown.settle()
        assert shown.lines[0][3:].split()[0] == top


async def test_a_new_width_at_the_end_stays_at_the_end() -> None:
    async with stage(turn("1", "some words that will wrap " * 300 + " END")) as shown:
        for size in [(50, 20), (140, 50), (80, 5), (20, 24), (10, 3), (80, 24)]:
            await shown.pilot.resize_terminal(*size)
            await shown.settle()
            assert at_end(shown)
            assert "END" in shown.text or size[0] < 12


async def test_position_and_folds_are_kept_by_conversation() -> None:
    one = [turn("1", ThinkingBlock("deep thought", 3), paragraphs(60))]
    two = [turn("2", paragraphs(60, "other"))]
    async with stage(*one, key="one") as shown:
        await shown.focus()
        await shown.press("g", "J", "space", "pagedown")
        lines = shown.lines
        shown.widget.show(two, key="two")
        await shown.settle()
        assert at_end(shown)
        shown.widget.show(one, key="one")
        await shown.settle()
        assert [line[3:] for line in shown.lines] == [line[3:] for line in lines]
        await shown.press("g")
        assert "deep thought" in shown.text


async def test_the_same_conversation_with_more_turns_goes_on_where_it_is() -> None:
    one = [turn("1", "needle\n\nsome text\n\nneedle", paragraphs(60))]
    async with stage(*one, key="one") as shown:
        await shown.focus()
        assert shown.widget.find("needle") == 2
        await shown.press("n", "J")
        before, marks = shown.lines, marked(shown, Kind.MATCH_CURRENT)
        shown.widget.show([turn("0", "before"), *one, turn("2", "after")], key="one")
        await shown.settle()
        assert shown.lines[:-1] == before[:-1]  # where the new lines are told
        assert shown.widget.match_number == 2
        assert shown.widget.new_lines == 4
        await shown.press("N", "n")
        assert marked(shown, Kind.MATCH_CURRENT) == marks


# --- folds and tables ------------------------------------------------------------------------------------------


async def test_folding() -> None:
    tool = ToolBlock("c", "tool", "done", '{"DBInstanceId": "rm-1", "n": [1, 2]}', "3 records", 1.0)
    async with stage(turn("1", ThinkingBlock("deep\nthought", 3), tool, "answer")) as shown:
        await shown.focus()
        await shown.press("g", "J", "J", "space")
        assert "   ▾ tool   1.0 s" in [line.replace("▌", " ") for line in shown.lines]
        assert any("DBInstanceId  rm-1" in line for line in shown.lines)
        assert "3 records" in shown.text
        assert "deep" not in shown.text
        await shown.press("space")
        assert "DBInstanceId" not in shown.text
        await shown.press("a")
        assert "deep" in shown.text
        assert "DBInstanceId" in shown.text
        await shown.press("a")
        assert "deep" not in shown.text


async def test_unfolding_above_does_not_move_the_view() -> None:
    async with stage(turn("1", ThinkingBlock("t\n" * 30, 3), paragraphs(60))) as shown:
        await shown.focus()
        await shown.press("g", *["pagedown"] * 2)
        top = shown.lines[0][3:]
        await shown.press("a")
        assert shown.lines[0][3:] == top


async def test_a_long_question_is_folded() -> None:
    question = "\n".join(f"row {number}" for number in range(300))
    async with stage(turn("1", "ok", question=question)) as shown:
        assert "more characters" in shown.text
        assert "row 200" not in shown.text
        await shown.focus()
        await shown.press("g", "space", *["pagedown"] * 5)
        assert "row 285" in shown.text


async def test_wide_tables_scroll_sideways_and_turn_into_rows() -> None:
    names = tuple(f"column_{number}" for number in range(9))
    table = TableBlock(names, tuple(tuple(f"value {row} {column}" for column in range(9)) for row in range(2)))
    async with stage(turn("1", table)) as shown:
        await shown.focus()
        assert "table 1  7 of 9 columns →" in shown.text
        assert "column_1" in shown.text
        await shown.press("l")
        assert "← 7 of 9 columns →" in shown.text
        assert "column_0" in shown.text
        assert "column_1" not in shown.text
        await shown.press("right", "h")
        await shown.press(*["l"] * 20)
        assert "← 7 of 9 columns ─" in shown.text
        assert "column_8" in shown.text
        await shown.press("h")  # at once, however often l was pressed at the end
        assert "← 7 of 9 columns →" in shown.text
        await shown.press("v")
        assert "*** 2. row ***" in shown.text
        assert "column_7: value 1 7" in shown.text
        await shown.press("v")
        assert "*** 2. row ***" not in shown.text


async def test_a_markdown_table_in_the_answer_too() -> None:
    head = "|" + "|".join(f"name of column {n}" for n in range(9)) + "|\n" + "|-" * 9 + "|\n"
    row = "|" + "|".join(f"v{n}" for n in range(9)) + "|\n"
    async with stage(turn("1", "text\n\n" + head + row)) as shown:
        await shown.focus()
        await shown.press("l")
        assert "name of column 0" in shown.text
        assert "name of column 1" not in shown.text
        await shown.press("v")
        assert "name of column 8: v8" in shown.text


async def test_a_table_in_a_list_too() -> None:
    lines = ["|".join(f"name of column {n}" for n in range(9)), "|".join(["-"] * 9), "|".join("v" * 9)]
    text = "1. these:\n\n" + "".join(f"   | {line} |\n" for line in lines) + "\n2. more\n"
    async with stage(turn("1", text)) as shown:
        await shown.focus()
        await shown.press("K", "l")
        assert "name of column 0" in shown.text
        assert "name of column 1" not in shown.text
        await shown.press("v")
        assert "name of column 8: v" in shown.text


async def test_charts_show_their_table() -> None:
    table = TableBlock(("t", "lag", "qps"), tuple((f"{n}:00", str(n * n % 37), str(50 - n)) for n in range(24)))
    async with stage(turn("1", ChartBlock("line", "Lag", "t", ("lag", "qps"), table))) as shown:
        await shown.focus()
        assert "1 lag" in shown.text
        assert any("⠤" in line for line in shown.lines)
        await shown.press("v")
        assert not any("⠤" in line for line in shown.lines)
        assert "23:00   11   27" in shown.text


# --- copying and requests --------------------------------------------------------------------------------------


async def heard(shown: Shown, kind: type[Message]) -> Any:
    await shown.settle()
    return next(message for message in reversed(shown.app.heard) if isinstance(message, kind))


async def test_copying_gives_the_source() -> None:
    source = "Some **text**.\n\n```sql\nSELECT 1;\n\tindented  \n```\n\n| a |\n|---|\n| 1 |\n"
    async with stage(turn("1", source, CodeBlock("c", "python", "x = 1\n"), question="the\nquestion")) as shown:
        await shown.focus()
        await shown.press("y")
        copied = await heard(shown, Transcript.CopyRequested)
        assert copied.text == source.strip("\n") + "\n\n```python\nx = 1\n```"
        assert shown.widget.copy_text_of_block(1) == "SELECT 1;\n\tindented  \n"
        assert shown.widget.copy_text_of_block(2) == "| a |\n|---|\n| 1 |\n"
        assert shown.widget.copy_text_of_block(3) == "x = 1\n"
        assert shown.widget.copy_text_of_block(9) == ""
        await shown.press("Y")
        choose = await heard(shown, Transcript.ChooseBlock)
        assert [(choice.number, choice.kind) for choice in choose.choices] == [(1, "code"), (2, "table"), (3, "code")]
        assert choose.choices[0].label.startswith("sql  SELECT 1;")
        await shown.press("w")
        saved = await heard(shown, Transcript.SaveRequested)
        assert (saved.text, saved.suggested_name) == ("x = 1\n", "the-question-3.py")
        await shown.press("g", "y")
        assert (await heard(shown, Transcript.CopyRequested)).text == "the\nquestion"
        await shown.press("w")
        assert (await heard(shown, Transcript.SaveRequested)).suggested_name == "the-question.md"


async def test_requests_name_their_turn() -> None:
    links = "see https://example.com/a. and [b](https://example.com/b)"
    async with stage(turn("1", "old"), turn("2", links, FileBlock("f.csv", "f-1"))) as shown:
        await shown.focus()
        for key, kind in [
            ("r", Transcript.Retry), ("i", Transcript.Details), ("e", Transcript.EditResend),
            ("o", Transcript.Links), ("plus", Transcript.Feedback), ("minus", Transcript.Feedback),
        ]:  # fmt: skip
            await shown.press(key)
            assert (await heard(shown, kind)).turn.id == "2"
        assert (await heard(shown, Transcript.Feedback)).rating == "dislike"
        found = await heard(shown, Transcript.Links)
        assert [choice.text for choice in found.choices] == ["https://example.com/a", "https://example.com/b", "f-1"]
        await shown.press("enter", "slash")
        await heard(shown, Transcript.ComposeRequested)
        await heard(shown, Transcript.FindRequested)
        await shown.press("s")
        assert not any(isinstance(message, Transcript.Stop) for message in shown.app.heard)
        shown.widget.update_turn(turn("3", state="running"))
        await shown.press("s")
        assert (await heard(shown, Transcript.Stop)).turn.id == "3"


# --- find ------------------------------------------------------------------------------------------------------


def style_of(shown: Shown, kind: Kind) -> Style:
    return resolve(shown.widget, LOOKS[kind])


def marked(shown: Shown, kind: Kind) -> list[str]:
    style = style_of(shown, kind)
    return [
        segment.text
        for strip in shown.strips
        for segment in strip
        if segment.style and segment.style.bgcolor == style.bgcolor and segment.style.color == style.color
    ]


async def test_find_goes_to_matches_and_marks_them() -> None:
    async with stage(*[turn(str(n), paragraphs(20), "the Needle here") for n in range(4)]) as shown:
        await shown.focus()
        await shown.press("g")
        assert shown.widget.find("needle") == 4
        await shown.settle()
        assert marked(shown, Kind.MATCH_CURRENT) == ["Needle"]
        tops = []
        for _ in range(4):
            tops.append(shown.widget.match_number)
            assert marked(shown, Kind.MATCH_CURRENT) == ["Needle"]
            await shown.press("n")
        assert tops == [1, 2, 3, 4]
        assert shown.widget.match_number == 1
        await shown.press("N")
        assert shown.widget.match_number == 4
        assert shown.widget.find("") == 0
        await shown.settle()
        assert marked(shown, Kind.MATCH_CURRENT) == []
        assert shown.widget.find("[/]") == 0


async def test_find_unfolds() -> None:
    tool = ToolBlock("c", "tool", "done", "", "a hidden result")
    async with stage(turn("1", tool, paragraphs(40))) as shown:
        assert shown.widget.find("hidden") == 1
        await shown.settle()
        assert "a hidden result" in shown.text
        assert marked(shown, Kind.MATCH_CURRENT) == ["hidden"]


async def test_find_across_a_line_break() -> None:
    async with stage(turn("1", "长事务" * 40 + "主库延迟" + "。" * 3), turn("2", "wo rd " * 30)) as shown:
        assert shown.widget.find("主库延迟") == 1
        await shown.settle()
        assert "".join(marked(shown, Kind.MATCH_CURRENT) + marked(shown, Kind.MATCH)) == "主库延迟"
        assert shown.widget.find("rd wo") == 29


# --- colours ---------------------------------------------------------------------------------------------------


async def test_code_is_coloured_when_its_lexer_is_there() -> None:
    async with stage(turn("1", "```python\nname = 'text'  # note\n```")) as shown:
        comment = style_of(shown, Kind.COMMENT).color
        assert any(
            segment.text == "# note" and segment.style and segment.style.color == comment
            for strip in shown.strips
            for segment in strip
        )


async def test_unknown_languages_stay_plain() -> None:
    async with stage(turn("1", "```no-such-language\nx\n```\n\n```\ny\n```")) as shown:
        assert "    x" in shown.lines
