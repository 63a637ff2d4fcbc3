"""Contents of the agent's stream: every category, the forms it was seen in, and hostile ones."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.dms_frames import EXECUTING, PICTURE, STDOUT, TABLE, WEEKS, cell, plan
from tui.models import CellOutput, CodeBlock, FileBlock, PlanStep
from tui.services.base import AskReply
from tui.services.dms_asks import read_ask, reply_parameters
from tui.services.dms_cells import chart_of, read_cell, read_image, read_table
from tui.services.dms_content import read_status, read_steps, read_whole
from tui.services.dms_frames import DmsFrame, key_checkpoint, parse_frame
from tui.services.dms_options import (
    DataSource,
    first_message_config,
    read_data,
    session_config,
    wire_language,
    without_known,
    write_data,
)
from tui.services.dms_text import Markdown, is_control, plain_markdown
from tui.services.events import (
    ChartFound,
    CodeCell,
    Event,
    FileReady,
    Noted,
    Status,
    Suggestions,
    TableFound,
    TextPart,
    ThinkingDelta,
    ToolProgress,
    Unknown,
)


def whole(category: str, content: object) -> list[Event]:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return read_whole(category, text, "k", ())


# --- frames --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "event", "name"),
    [
        ('{"event_type":"delta"}', "delta", "delta"),
        ('{"event_type":"CHAT_FINISH"}', "", "chat_finish"),
        ('{"event_type":"delta"}', "something at 1767323045", "delta"),
        ("{}", "chat_start at 1767323045", "chat_start"),
        ('{"EventType":"data"}', "message", "data"),
        ("", "SSE_FINISH", "sse_finish"),
        ("it broke", "SSE_FAILURE", "sse_failure"),
    ],
)
def test_the_name_of_a_frame(data: str, event: str, name: str) -> None:
    frame = parse_frame(data, event)
    assert frame is not None
    assert frame.name == name


@pytest.mark.parametrize(("data", "event"), [("{}", "message"), ("[1]", "delta"), ("{broken", "delta"), ("null", "x")])
def test_what_is_no_frame(data: str, event: str) -> None:
    assert parse_frame(data, event) is None


def test_fields_of_a_frame_in_any_spelling() -> None:
    frame = parse_frame(
        '{"event_type":"data","category":"PLAN","content":{"a":1},"checkpoint":"7","channel":{"mission_id":"m"}}', ""
    )
    assert frame == DmsFrame("data", "plan", '{"a":1}', 7, '{"mission_id":"m"}')


def test_identities() -> None:
    one = DmsFrame("data", "plan", "x", 7)
    assert one.key(7) == DmsFrame("data", "plan", "x", 7).key(7)
    others = [
        DmsFrame("data", "plan", "y", 7),
        DmsFrame("data", "ask_plan", "x", 7),
        DmsFrame("chat_finish", "plan", "x", 7),
        DmsFrame("data", "plan", "x", 7, channel="c"),
    ]
    assert len({one.key(7), one.key(8), *(other.key(7) for other in others)}) == 6
    assert key_checkpoint(one.key(7)) == 7
    named = DmsFrame("data", "plan", "x", 7, event_id="e-1")
    assert named.key(7) == DmsFrame("data", "plan", "other", 7, event_id="e-1").key(7)


# --- text ----------------------------------------------------------------------------------------------------------

LONG = "![" + "a" * 500 + "](data:image/png;base64,iVBORw0KGgo=)"
"""A mark must be complete within a window, in one piece as in many."""
MARKED = 'a < b <trace id="1">x</trace> moc mocked image data! ![alt](data:image/png;base64,iVBORw0KGgo=) ![n](u) ![ q'


def test_marks_and_images_are_taken_out() -> None:
    assert plain_markdown(MARKED) == ("a < b x moc !  ![n](u) ![ q", ["iVBORw0KGgo="])


@given(st.text(alphabet="a<>!/[]()tracemocked image:;=", max_size=80), st.integers(0, 10**6))
def test_pieces_give_what_the_whole_gives(text: str, seed: int) -> None:
    text = MARKED + text + LONG
    markdown, chance, shown, at = Markdown(), random.Random(seed), "", 0
    while at < len(text):
        size = chance.randint(1, 9)
        shown += markdown.feed(text[at : at + size])
        at += size
    shown += markdown.finish()
    assert (shown, markdown.images) == plain_markdown(text)


@pytest.mark.parametrize("text", ['{"action": 1}', '<result>{"reason": "x"}</result>', '```\n{"answers": []}\n```'])
def test_control_output(text: str) -> None:
    assert is_control(text)
    assert whole("llm", text) == []


def test_what_only_looks_like_control_output() -> None:
    assert not is_control('{"rows": 3}')
    assert whole("llm", '{"rows": 3}') == [TextPart('{"rows": 3}')]


def test_conclusions_in_their_forms() -> None:
    assert whole("output_conclusion", "**Up**") == [TextPart("**Up**")]
    numbered = {"mission_idx": 1, "objective_order": 2, "result": "**Up**"}
    assert whole("output_conclusion", numbered) == [TextPart("**Up**", "conclusion/1/2")]
    assert whole("output_conclusion", {"result": {"a": 1}}) == [TextPart('{"a":1}')]
    text, image = whole("output_conclusion", "x ![a](data:image/png;base64,iVBORw0KGgo=)")
    assert text == TextPart("x ")
    assert image == CodeCell(CodeBlock("image-k-1", "", "", (CellOutput(image="iVBORw0KGgo="),)))


def test_thinking() -> None:
    assert whole("think", "hm\x1b[2J") == [ThinkingDelta("hm\u241b[2J")]


# --- cells, tables, charts -----------------------------------------------------------------------------------------


def only_cell(content: str) -> CodeBlock:
    [event] = whole("tool_call_response", content)
    assert isinstance(event, CodeCell)
    return event.cell


def test_a_sql_cell_with_its_table() -> None:
    found = only_cell(cell("c1", "sql", "SELECT 1", [TABLE], "Weeks"))
    assert (found.cell_id, found.language, found.source, found.title, found.state) == (
        "c1",
        "sql",
        "SELECT 1",
        "Weeks",
        "done",
    )
    [output] = found.outputs
    assert output.table is not None
    assert (output.table.columns, output.table.rows) == (("week", "n"), (("2026-05-04", "8"), ("2026-05-11", "29")))


def test_a_code_cell_with_all_kinds_of_output() -> None:
    error = {"output_type": "error", "ename": "KeyError", "evalue": "'t'", "traceback": ["\x1b[31mKeyError\x1b[0m: t"]}
    warning = {"output_type": "stream", "name": "stderr", "text": "FutureWarning: x"}
    markdown = {"output_type": "execute_result", "data": {"text/plain": "a", "text/markdown": ["**a**"]}}
    found = only_cell(cell("c", "code", "x", [STDOUT, PICTURE, warning, markdown, error]))
    assert found.language == "python"
    assert found.state == "failed"
    assert [output.text or output.image or output.error for output in found.outputs] == [
        "peak week 2026-05-11\n",
        "iVBORw0KGgo=",
        "FutureWarning: x",
        "**a**",
        "KeyError: t",
    ]


def test_a_large_picture_is_whole() -> None:
    large = {"output_type": "display_data", "data": {"image/png": ["A" * 250_000, "B" * 250_000]}}
    [output] = only_cell(cell("c", "code", "x", [large])).outputs
    assert len(output.image) == 500_000


def test_a_cell_that_runs_still() -> None:
    found = only_cell(cell("c", "sql", "SELECT 1", [EXECUTING]))
    assert (found.state, found.outputs) == ("running", ())


def test_a_markdown_cell_shows_its_source_alone() -> None:
    found = only_cell(cell("c", "markdown", "# Title", [STDOUT]))
    assert (found.language, found.source, found.outputs) == ("markdown", "# Title", ())


def test_outputs_and_results_in_their_other_places() -> None:
    inner = {"cell_id": "c", "content_type": "sql", "content": "x", "nb_file_outputs": [], "outputs": [STDOUT]}
    found = only_cell(json.dumps({"result_type": "jupyter_cell", "result": inner}))
    assert found.outputs == (CellOutput(text="peak week 2026-05-11\n"),)
    assert read_cell("no cell", "k") is None


def test_other_results_of_tools() -> None:
    assert whole("tool_call_response", {"result_type": "empty", "result": {}}) == []
    [table] = whole("tool_call_response", {"result_type": "rows", "result": WEEKS})
    assert isinstance(table, TableFound)
    assert whole("tool_call_response", {"result_type": "search", "result": "found"}) == [
        ToolProgress("k", "search", "done", result="found")
    ]
    assert whole("tool_call_response", {"result_type": "plan", "result": "{}"}) == []


def test_tables_in_their_forms() -> None:
    rows = [[1, None], [2.0, "x\ny"]]
    found = read_table({"columns": ["a", "b"], "data": rows})
    assert found is not None
    assert (found.columns, found.rows) == (("a", "b"), (("1", ""), ("2", "x y")))
    ragged = read_table([{"a": 1}, {"b": {"c": 2}}])
    assert ragged is not None
    assert (ragged.columns, ragged.rows) == (("a", "b"), (("1", ""), ("", '{"c":2}')))
    nothing: tuple[object, ...] = ("text", [], [1, 2], {"columns": []}, None, {"data": "x"})
    for none in nothing:
        assert read_table(none) is None
    long = read_table([{"a": n} for n in range(5000)])
    assert long is not None
    assert (len(long.rows), long.total_rows) == (2000, 5000)


def test_charts() -> None:
    table = read_table([{"n": 8, "week": "2026-05-04", "share": "12 %"}])
    assert table is not None
    chart = chart_of(table, "Column Chart")
    assert chart is not None
    assert (chart.kind, chart.x, chart.y) == ("bar", "week", ("n", "share"))
    assert chart_of(table, "table") is None
    words = read_table([{"a": "x", "b": "y"}])
    assert words is not None
    assert chart_of(words, "bar") is None


@pytest.mark.parametrize(("text", "image"), [("data:image/png;base64,AAAA", "AAAA"), ("AA\nAA", "AAAA"), ("<x>", "")])
def test_images(text: str, image: str) -> None:
    assert read_image(text) == image


# --- plans, tasks, notices -----------------------------------------------------------------------------------------


def states(value: object, known: tuple[PlanStep, ...] = ()) -> list[str]:
    return [step.state for step in read_steps(value, known)]


def test_the_states_of_a_plans_steps() -> None:
    assert states(plan()) == ["pending", "pending"]
    assert states(plan(1, "running")) == ["running", "pending"]
    assert states(plan(2, "running")) == ["done", "running"]
    assert states(plan(2, "completed")) == ["done", "done"]
    assert states(plan(2, "failed")) == ["done", "failed"]
    known = read_steps(plan(1, "running"))
    assert states({"plan_status": "running", "current_step": 2, "plans": []}, known) == ["done", "running"]
    assert states({"plan_status": "running", "current_step": 2, "plans": []}) == []
    own = {"plans": [{"plan": {"steps": [{"name": "a", "status": "SUCCESS"}, {"description": "b"}]}}]}
    assert read_steps(own) == (PlanStep("1", "a", "done"), PlanStep("2", "b", "pending"))
    for odd in (float("nan"), float("inf"), -1, "two", [2], 1.5):
        assert states(plan() | {"current_step": odd}) == ["pending", "pending"]
    assert states(plan(1, "running") | {"current_step": 2.0}) == ["done", "running"]
    assert whole("plan", "no plan") == []


def test_tasks() -> None:
    assert whole("task_finish", "**all** done") == [TextPart("**all** done")]
    assert whole("task_finish", {"conclusion": "up", "sql": "SELECT 1"}) == [
        TextPart("up"),
        CodeCell(CodeBlock("task-k-0", "sql", "SELECT 1")),
    ]
    text, chart = whole("task_finish", [{"title": "T", "summary": "s", "chart_type": "bar", "data": WEEKS}])
    assert text == TextPart("s")
    assert isinstance(chart, ChartFound)
    assert chart.chart.title == "T"
    [table] = whole("task_finish", [{"title": "T", "data": json.dumps(WEEKS)}])
    assert isinstance(table, TableFound)
    link = '<a href="#file-f-r1">refunds.md</a> and <a href="#file-f-r2">b.csv</a>'
    assert whole("task_finish", [{"title": "Files", "data": link}]) == [
        FileReady(FileBlock("refunds.md", "f-r1")),
        FileReady(FileBlock("b.csv", "f-r2")),
    ]
    assert whole("task_finish", [{"title": "T", "summary": "s", "data": "prose"}]) == [TextPart("**T**\n\ns\n\nprose")]


def test_notices() -> None:
    assert whole("recommended_question", {"recommendQuestions": ["a", {"question": "b"}, 1]}) == [
        Suggestions(("a", "b"))
    ]
    assert whole("recommended_question", ["a"]) == [Suggestions(("a",))]
    assert whole("mission_report", {"title": "May"}) == [Noted("report: May")]
    assert whole("file_upload_finish", "`refunds.md` 上传完成") == [FileReady(FileBlock("refunds.md"))]
    for silent in ("chat", "tool_call_choices", "metric_agent_config", "ask_sql"):
        assert whole(silent, "x") == []
    assert whole("brand_new", "x\ny") == [Unknown("brand_new", "x y")]
    assert read_status('{"current":"SQL_GENERATION","current_task":""}') == [Status("writing SQL")]
    assert read_status('{"current":"NEW_STATE"}') == [Status("new state")]
    assert read_status("x") == []


@given(
    st.sampled_from(
        ["plan", "task_finish", "tool_call_response", "output_conclusion", "recommended_question", "jsx_report", "x"]
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["result", "data", "plans", "plan", "steps", "current_step", "columns", "result_type", "text"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
)
def test_no_content_is_ever_too_much(category: str, value: object) -> None:
    whole(category, json.dumps(value))
    read_ask("ask_human", json.dumps(value), "1")


# --- asks and options ----------------------------------------------------------------------------------------------


def test_asks() -> None:
    sql = read_ask("ask_sql", '{"query":"SELECT 1","explain_result":"rows=1"}', "17")
    assert (sql.kind, sql.text, sql.details, sql.prompt) == ("sql", "SELECT 1", "rows=1", "Run this statement?")
    human = read_ask("ask_human", '{"question":"Which?","options":["a",{"label":"b"}]}', "9")
    assert (human.text, human.options) == ("Which?", ("a", "b"))
    assert read_ask("ask_human", '{"odd":1}', "9").text == '{"odd":1}'
    assert read_ask("ask_new_kind", "Well?", "9").kind == "question"
    assert read_ask("ask_report_render", "{}", "9").text == "Draw the web report?"


def test_an_ask_without_a_checkpoint_is_answered_without_one() -> None:
    message = reply_parameters(read_ask("ask_plan", "{}", "-1:abc"), AskReply("approve"))
    assert message is not None
    assert message["ReplyTo"] == ""


def test_data_that_the_session_has_is_not_sent_again() -> None:
    short, long = DataSource(file_id="f-1", name="a.csv"), DataSource(file_id="f-12", name="b.csv")
    shop = DataSource(database_id="7", instance_id="i", name="shop", tables=("orders",))
    had = [
        {"Category": "CHAT", "Detail": json.dumps(long.parameters("cn-hangzhou"))},
        {"Category": "CHAT", "Detail": json.dumps(shop.parameters("cn-hangzhou"))},
        {"Category": "CHAT", "Detail": "no JSON"},
    ]
    other = DataSource(database_id="7", instance_id="i", name="shop", tables=("orders", "refunds"))
    whole_shop = DataSource(database_id="7", instance_id="i", name="shop")
    assert without_known((short, long, shop, other, whole_shop), had) == (short, other, whole_shop)
    told = [{"Detail": '{"DmsDatabaseId":7}'}]
    assert without_known((shop, whole_shop), told) == (), "no tables are all of them"
    assert without_known((short,), None) == (short,)


def test_data_sources_survive_the_option() -> None:
    sources = (
        DataSource(file_id="f-1", name="销售.csv"),
        DataSource(database_id="d", instance_id="i", name="shop", engine="mysql", tables=("a", "b")),
    )
    assert read_data(write_data(sources)) == sources
    assert write_data(()) == ""
    for broken in ("", "{", "[]", "[1]", '[{"name":"x"}]'):
        assert read_data(broken) == ()


def test_configurations() -> None:
    assert session_config({}) == {"Mode": "ANALYSIS"}
    assert first_message_config({"plan": "nonsense", "skip": "nonsense", "mode": "ultra"}) == {"Mode": "ultra"}
    assert [wire_language(name) for name in ("zh-TW", "de_DE.UTF-8", "C.UTF-8", "")] == ["CHINESE", "ENGLISH", "", ""]
