"""The sandbox's Responses API by the protocol notes, section 9.1."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dashscope_wire import BIG_ADD, ECHO, FLAT_ADD, QUESTION, DashScope, events, names, text
from tests.unit.sandbox_wire import blocks
from tui.sandbox.server import SandboxServer

DAY = 24 * 3600.0


@pytest.fixture
def dash(server: SandboxServer) -> DashScope:
    return DashScope(server)


def said(response: Any) -> str:
    return "".join(p["text"] for item in response["output"] if item["type"] == "message" for p in item["content"])


def test_a_response(dash: DashScope) -> None:
    made = dash.respond(ECHO, instructions="Be brief.", temperature=0.3, metadata={"k": "v"})
    assert (made["object"], made["status"], said(made)) == ("response", "completed", ECHO.removeprefix("echo "))
    assert made["id"].startswith("resp_")
    assert len(str(made["created_at"])) == len(str(made["completed_at"])) == 10
    assert made["metadata"] == {"k": "v"}
    usage = made["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    got = dash.ok(f"GET /responses/{made['id']}", compatible=True)
    assert got == made
    assert dash.ok(f"DELETE /responses/{made['id']}", compatible=True)["deleted"] is True
    reply = dash.send(f"GET /responses/{made['id']}", compatible=True)
    assert (reply.status_code, reply.json()["error"]["type"]) == (404, "invalid_request_error")


def test_the_stream_of_a_response(dash: DashScope) -> None:
    body = dash.stream(ECHO, enable_thinking=False)
    found = events(body)
    assert [name for at, (name, _d) in enumerate(found) if not at or found[at - 1][0] != name] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [data["sequence_number"] for _name, data in found] == list(range(len(found)))
    assert all(data["type"] == name for name, data in found)
    for number, block in enumerate(blocks(body), 1):
        lines = block.split(b"\n")
        assert lines[0] == b"id:%d" % number
        assert lines[2] == b":HTTP_STATUS/200"
        assert [line[:6] for line in lines][1:] == [b"event:", b":HTTP_", b"data:{"]
    whole = found[-1][1]["response"]
    assert said(whole) == text(body) == ECHO.removeprefix("echo ")
    assert dash.ok(f"GET /responses/{whole['id']}", compatible=True) == whole
    assert [d["response"]["status"] for n, d in found if "response" in d] == ["queued", "in_progress", "completed"]


def test_thinking_is_on_unless_it_is_turned_off(dash: DashScope) -> None:
    body = dash.stream("hello")
    assert "response.reasoning_text.delta" in names(body)
    whole = events(body)[-1][1]["response"]
    assert [item["type"] for item in whole["output"]] == ["reasoning", "message"]
    assert whole["usage"]["output_tokens_details"]["reasoning_tokens"] > 0
    thought = "".join(data["delta"] for name, data in events(body) if name == "response.reasoning_text.delta")
    assert whole["output"][0]["content"][0]["text"] == thought
    for off in ({"enable_thinking": False}, {"reasoning": {"effort": "none"}}):
        assert [item["type"] for item in dash.respond("hello", **off)["output"]] == ["message"]
    assert len(dash.respond("hello", reasoning={"effort": "high"})["output"]) == 2


def test_a_chain_remembers_but_not_the_instructions(dash: DashScope) -> None:
    first = dash.respond("the first", instructions="A")
    second = dash.respond("the second", previous_response_id=first["id"])
    third = dash.respond("recall", previous_response_id=second["id"])
    assert "I see 5 messages" in said(third)
    assert "the first" in said(third)
    settings = dash.respond("settings", previous_response_id=first["id"])
    assert "- instructions: `null`" in said(settings)
    assert dash.server.state()["accepted"]["the first"] == 1
    assert [one["previous"] for one in dash.state["responses"]][:3] == ["", first["id"], second["id"]]


def test_the_whole_history_can_be_sent_again(dash: DashScope) -> None:
    items = [
        {"role": "user", "content": "the first"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "an answer"}]},
        {"role": "user", "content": "recall"},
    ]
    assert "2. assistant: an answer" in said(dash.respond(items))
    assert dash.server.state()["accepted"] == {"recall": 1}


def test_a_response_is_kept_for_seven_days(dash: DashScope) -> None:
    first = dash.respond("the first")
    dash.server.advance(7 * DAY - 60)
    dash.respond("go on", previous_response_id=first["id"])
    dash.server.advance(120)
    body = {"model": "qwen-plus", "input": "go on", "previous_response_id": first["id"]}
    reply = dash.send("POST /responses", body, compatible=True)
    assert (reply.status_code, reply.json()["code"]) == (400, "InvalidParameter")
    assert "does not exist or has expired" in reply.json()["message"]
    assert dash.refused(f"GET /responses/{first['id']}", compatible=True)[0] == 404
    assert dash.server.state()["accepted"] == {"the first": 1, "go on": 1}


def test_what_is_not_stored_is_gone(dash: DashScope) -> None:
    made = dash.respond("hello", store=False)
    assert made["store"] is False
    assert dash.refused(f"GET /responses/{made['id']}", compatible=True)[0] == 404


def test_another_key_sees_no_response(dash: DashScope) -> None:
    made = dash.respond("hello")
    other = DashScope(dash.server, dash.server.info.dashscope["other_api_key"])
    assert other.refused(f"GET /responses/{made['id']}", compatible=True)[0] == 404


def test_a_function_in_the_flat_form(dash: DashScope) -> None:
    body = dash.stream(QUESTION, tools=[FLAT_ADD])
    found = [(name, data["item"]) for name, data in events(body) if "item" in data]
    assert [name for name, _item in found] == ["response.output_item.added", "response.output_item.done"]
    call = found[-1][1]
    assert (call["type"], call["arguments"]) == ("function_call", '{"left": 87787, "right": 788988737}')
    assert found[0][1]["arguments"] == ""
    first = events(body)[-1][1]["response"]
    assert first["status"] == "completed"
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "789076524"}
    second = dash.respond([output], previous_response_id=first["id"], tools=[FLAT_ADD])
    assert "789076524" in said(second)
    # The documented sample sends everything again.
    given = {name: call[name] for name in ("type", "call_id", "name", "arguments")}
    again = dash.respond([{"role": "user", "content": QUESTION}, given, output], tools=[FLAT_ADD])
    assert "789076524" in said(again)
    assert dash.state["counts"]["submits"] == 2
    assert dash.server.state()["accepted"] == {QUESTION: 1}


def test_several_functions_at_once(dash: DashScope) -> None:
    first = dash.respond("call 2", tools=[FLAT_ADD])
    outputs = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": f"out {n}"}
        for n, item in enumerate(first["output"])
    ]
    assert len(outputs) == 2
    answer = said(dash.respond(outputs, previous_response_id=first["id"]))
    assert answer.index("out 0") < answer.index("out 1")


def test_functions_again_and_again(dash: DashScope) -> None:
    reply = dash.respond("rounds 2", tools=[FLAT_ADD])
    for output in ("one", "two"):
        call = reply["output"][-1]
        assert call["type"] == "function_call"
        item = {"type": "function_call_output", "call_id": call["call_id"], "output": output}
        reply = dash.respond([item], previous_response_id=reply["id"], tools=[FLAT_ADD])
    assert "**one**" in said(reply)


@pytest.mark.parametrize(
    ("kind", "question", "item"),
    [
        ("web_search", "search the news", "web_search_call"),
        ("code_interpreter", "compute 6*7", "code_interpreter_call"),
        ("file_search", "the handbook", "file_search_call"),
        ("tide_plugin", "the tide", "mcp_call"),
    ],
)
def test_built_in_tools(dash: DashScope, kind: str, question: str, item: str) -> None:
    body = dash.stream(question, tools=[{"type": kind}], enable_thinking=False)
    assert next(name for name in names(body) if "_call." in name) == f"response.{item}.in_progress"
    assert f"response.{item}.completed" in names(body)
    first = events(body)[-1][1]["response"]["output"][0]
    assert (first["type"], first["status"]) == (item, "completed")
    if kind == "code_interpreter":
        assert first["outputs"] == [{"type": "logs", "logs": "42\n"}]
    if kind == "web_search":
        assert first["action"]["sources"][0]["url"].startswith("https://sandbox.example")


def test_input_items(dash: DashScope) -> None:
    items = [{"role": "user", "content": f"note {n}"} for n in range(3)]
    made = dash.respond(items)
    page = dash.ok(f"GET /responses/{made['id']}/input_items?limit=2", compatible=True)
    assert [one["content"][0]["text"] for one in page["data"]] == ["note 2", "note 1"]
    assert (page["has_more"], len(str(page["data"][0]["created_at"]))) == (True, 13)
    rest = dash.ok(f"GET /responses/{made['id']}/input_items?after={page['last_id']}", compatible=True)
    assert [one["content"][0]["text"] for one in rest["data"]] == ["note 0"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"model": ""}, "BadRequest.EmptyModel"),
        ({"model": "no such model"}, "InvalidParameter"),
        ({"input": ""}, "BadRequest.EmptyInput"),
        ({"input": []}, "BadRequest.EmptyInput"),
        ({"input": None}, "BadRequest.EmptyInput"),
        ({"input": ["x"]}, "InvalidParameter"),
        ({"input": [{"role": "robot", "content": "x"}]}, "InvalidParameter"),
        ({"input": [{"role": "user"}]}, "InvalidParameter"),
        ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "InvalidParameter"),
        ({"input": [{"type": "function_call_output", "call_id": "none", "output": "x"}]}, "InvalidParameter"),
        ({"temperature": 2}, "InvalidParameter"),
        ({"top_p": 0}, "InvalidParameter"),
        ({"max_output_tokens": 15}, "InvalidParameter"),
        ({"tools": {}}, "InvalidParameter"),
        ({"tools": [BIG_ADD]}, "InvalidParameter"),
        ({"tools": [3]}, "InvalidParameter"),
        ({"reasoning": {"effort": "much"}}, "InvalidParameter"),
        ({"metadata": {"k": 1}}, "InvalidParameter"),
        ({"previous_response_id": "resp_none"}, "InvalidParameter"),
        ({"previous_response_id": "a", "conversation": "b"}, "InvalidParameter"),
    ],
)
def test_what_a_request_may_not_be(dash: DashScope, wrong: dict[str, Any], code: str) -> None:
    body = {"model": "qwen-plus", "input": "x", **wrong}
    assert dash.refused("POST /responses", body, compatible=True) == (400, code)
    assert dash.server.state()["accepted"] == {}


def test_unknown_fields_are_ignored(dash: DashScope) -> None:
    assert dash.respond("hello", user="me", truncation="auto")["status"] == "completed"


def test_the_limit_of_the_output(dash: DashScope) -> None:
    body = dash.stream("long 3", max_output_tokens=16)
    name, data = events(body)[-1]
    assert name == "response.incomplete"
    assert data["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert 0 < len(text(body)) < 100


def test_an_error_of_the_turn(dash: DashScope) -> None:
    body = dash.stream("error")
    name, data = events(body)[-1]
    assert (name, data["response"]["status"], data["response"]["error"]["code"]) == (
        "response.failed",
        "failed",
        "server_error",
    )
    assert dash.respond("error")["status"] == "failed"


def test_the_older_path(dash: DashScope) -> None:
    dash.compatible = dash.native.removesuffix("/api/v1") + "/api/v2/apps/protocols/compatible-mode/v1"
    assert dash.respond(ECHO)["status"] == "completed"


def test_a_response_goes_on_without_its_connection(dash: DashScope) -> None:
    body = {"model": "qwen-plus", "input": "hold 5", "stream": True}
    with dash.reading("POST /responses", body, compatible=True) as lines:
        dash.server.wait_for(lambda state: state["dashscope"]["holding"])
        assert next(lines) == "id:1"
    dash.server.release()
    state = dash.server.wait_for(lambda state: not state["dashscope"]["running"])
    name = state["dashscope"]["responses"][0]["id"]
    assert "and the rest" in said(dash.ok(f"GET /responses/{name}", compatible=True))
