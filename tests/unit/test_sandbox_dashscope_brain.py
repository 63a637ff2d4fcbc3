"""What the sandbox's models make of a question: functions, their arguments, built-in tools, texts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.dashscope_wire import BIG_ADD, QUESTION
from tui.sandbox.dashscope_brain import WORDS, Ask, Asked, Step, script_for
from tui.sandbox.dashscope_functions import arguments_for
from tui.sandbox.dashscope_tools import UseTool, use, wanted
from tui.sandbox.script import Say


def function(name: str, description: str = "", *required: str, **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


TIDE = function("lookup_tide", "Tide height for a port", "port", port={"type": "string"})
WEATHER = function(
    "get_weather", "查询城市的天气", "city", city={"type": "string"}, unit={"type": "string", "enum": ["c", "f"]}
)
ORDER = function(
    "place_order",
    "Order goods",
    "sku",
    "count",
    sku={"type": "string"},
    count={"type": ["integer", "null"]},
    price={"type": "number"},
    express={"type": "boolean"},
)


def text_of(steps: list[Step]) -> str:
    return "".join(step.text for step in steps if isinstance(step, Say))


def calls(text: str, *tools: Any, **more: Any) -> list[tuple[str, Any]]:
    asked = Asked(text, tools=tools, **more)
    found = [step for step in script_for(asked) if isinstance(step, Ask)]
    return [(name, json.loads(arguments)) for step in found for name, arguments in step.calls]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (QUESTION, {"left": 87787, "right": 788988737}),
        ("add -3 and 1,250,000 please", {"left": -3, "right": 1250000}),
        ("请把12和30相加", {"left": 12, "right": 30}),
        ("add 2.9 to 3", {"left": 2, "right": 3}),
        ("please add 5", {"left": 5, "right": 0}),
        (f"add {'9' * 5000} to 1", {"left": 0, "right": 1}),
    ],
)
def test_numbers_come_from_the_question(text: str, expected: dict[str, int]) -> None:
    assert calls(text, BIG_ADD) == [("big_add", expected)]


@pytest.mark.parametrize(
    ("text", "tool", "expected"),
    [
        ("What is the tide in Dover?", TIDE, {"port": "Dover"}),
        ('lookup the tide for "Port of Spain"', TIDE, {"port": "Port of Spain"}),
        ("杭州今天天气怎么样", WEATHER, {"city": "杭州"}),
        ("查询“呼和浩特”的天气", WEATHER, {"city": "呼和浩特"}),
        ('order 3 of "A-17" without express', ORDER, {"sku": "A-17", "count": 3}),
        ('order 3 of "A-17" at 9.5', ORDER, {"sku": "A-17", "count": 3, "price": 9.5}),
    ],
)
def test_words_come_from_the_question(text: str, tool: Any, expected: dict[str, Any]) -> None:
    assert calls(text, BIG_ADD, tool) == [(tool["function"]["name"], expected)]


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        ({"type": "boolean"}, "turn it on", True),
        ({"type": "boolean"}, "不要打开", False),
        ({"type": "array", "items": {"type": "number"}}, "1 2.5 and 3", [1, 2.5, 3]),
        ({"type": "array", "items": {"type": "string"}}, "'a' and 'b'", ["a", "b"]),
        ({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}, "take 4", {"n": 4}),
        ({"enum": ["low", "high"]}, "a HIGH one", "high"),
        ({"type": "null"}, "x", None),
        ({}, "say something", "something"),
        ({"type": "string"}, "", ""),
    ],
)
def test_every_type_of_argument(schema: dict[str, Any], text: str, expected: object) -> None:
    parameters = {"type": "object", "properties": {"it": schema}, "required": ["it"]}
    assert json.loads(arguments_for(text, parameters)) == {"it": expected}


def test_a_query_is_the_whole_question() -> None:
    search = function("search_orders", "Search orders", "query", query={"type": "string"})
    assert calls("search orders of last week", search) == [("search_orders", {"query": "search orders of last week"})]


def test_no_function_where_the_question_is_about_none() -> None:
    assert calls("hello, who are you?", BIG_ADD, TIDE) == []
    assert calls("add some salt", BIG_ADD) == []
    assert calls(QUESTION) == []
    assert calls(QUESTION, BIG_ADD, tool_choice="none") == []
    assert calls("hello", TIDE, tool_choice="required")[0][0] == "lookup_tide"


def test_functions_without_parameters_or_with_wild_ones() -> None:
    bare = {"type": "function", "function": {"name": "ping_server", "description": None}}
    assert calls("ping the server", bare) == [("ping_server", {})]
    wild = function("ping_server", "", "x", x="not a schema")
    assert calls("ping the server", wild) == [("ping_server", {"x": "server"})]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("quark_search", "search for tides", True),
        ("search", "今天的新闻", True),
        ("search", "hello", False),
        ("calculator", "12*(3+4)", True),
        ("code_interpreter", "用代码计算", True),
        ("text_to_image", "draw a cat", True),
        ("generate_qrcode", "二维码", True),
        ("github_search", "a repo about sse", True),
        ("rag", "what does the handbook say", True),
        ("tide_plugin", "the tide of today", True),
        ("tide_plugin", "hello", False),
        ("function", "function", False),
    ],
)
def test_when_a_built_in_tool_is_used(kind: str, text: str, expected: bool) -> None:
    assert bool(wanted(text, [{"type": kind}])) is expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12*(3+4)", 84),
        ("what is 7 ÷ 2?", 3.5),
        ("2 × -3", -6),
        ("1/0", "error"),
        ("1+" * 50_000 + "1", "error"),
        ("hello", 0),
    ],
)
def test_the_calculator_calculates(text: str, value: object) -> None:
    assert json.loads(use("calculator", text).output)["equations"] == value


def test_code_prints_what_it_computes() -> None:
    made = use("code_interpreter", "compute 6*7")
    assert (json.loads(made.arguments)["code"], made.output) == ("print(6*7)", "42\n")


@pytest.mark.parametrize(
    "kind", ["quark_search", "web_search", "text_to_image", "generate_qrcode", "github_search", "rag", "a plugin"]
)
def test_tools_give_json(kind: str) -> None:
    made = use(kind, "何か 'quoted' \"text\"")
    assert json.loads(made.arguments)
    assert json.loads(made.output)


def test_an_answer_tells_what_it_is() -> None:
    english = text_of(script_for(Asked("hello there", name="Smart", before=(("user", "the first"),), files=("a.pdf",))))
    for part in ("**Smart** here", "“the first”", "a.pdf", "sandbox data"):
        assert part in english
    chinese = text_of(script_for(Asked("你好", name="助手")))
    assert "我是 **助手**" in chinese
    assert "沙箱数据" in chinese
    assert (
        len({text_of(script_for(Asked(f"{word} {{braces}} please"))) for word in ("explain", "compare", "plan")}) == 3
    )


def test_questions_about_databases_have_their_own_answers() -> None:
    assert "rm-bp1k3" in text_of(script_for(Asked("why the replication lag on rm-bp1k3?")))


def test_a_function_output_of_any_form_is_in_the_answer() -> None:
    def answer(arguments: str, output: str) -> str:
        return text_of(script_for(Asked("x", rounds=(({"name": "f", "arguments": arguments, "output": output},),))))

    assert '`f(a=1, b="二")` gave **42**' in answer('{"a": 1, "b": "二"}', "42")
    assert "`f(not json)`" in answer("not json", "42")
    assert "```\nline\nline\n```" in answer("{}", "line\nline")


@pytest.mark.parametrize("word", WORDS)
def test_questions_for_tests(word: str) -> None:
    with_tools = script_for(Asked(f"{word} 2", tools=(BIG_ADD, {"type": "search"})))
    assert with_tools
    alone = script_for(Asked(word))
    assert "sandbox data" in text_of(alone)
    if word == "tools":
        assert sum(isinstance(step, UseTool) for step in with_tools) == 2
    if word == "call":
        assert isinstance(with_tools[0], Ask)
        assert len(with_tools[0].calls) == 2
