"""The sandbox's DashScope by its protocol notes: keys, assistants, threads, messages, runs, files, models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.dashscope_wire import BIG_ADD, ECHO, QUESTION, DashScope, completed, events, names, text
from tui.sandbox.dashscope import OPERATIONS
from tui.sandbox.dashscope_brain import WORDS
from tui.sandbox.server import SandboxServer

PLAIN = [
    "thread.run.created",
    "thread.run.queued",
    "thread.run.in_progress",
    "thread.run.step.created",
    "thread.run.step.in_progress",
    "thread.message.created",
    "thread.message.in_progress",
    "thread.message.delta",
    "thread.message.completed",
    "thread.run.step.completed",
    "thread.run.completed",
    "done",
]
"""The order of section 6.3; deltas once."""


@pytest.fixture
def dash(server: SandboxServer) -> DashScope:
    dash = DashScope(server)
    dash.begin(BIG_ADD, {"type": "quark_search"}, name="助手")
    return dash


def once(found: list[str]) -> list[str]:
    """Without repetitions of the name before."""
    return [name for at, name in enumerate(found) if not at or found[at - 1] != name]


# --- keys and urls ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Bearer sk-wrong", "Basic sk-sandbox-0123456789abcdef"])
def test_only_the_key_opens(dash: DashScope, header: str) -> None:
    reply = dash.send("GET /assistants", headers={"Authorization": header})
    assert (reply.status_code, reply.json()["code"]) == (401, "InvalidApiKey")
    assert reply.json().keys() == {"code", "message", "request_id"}
    assert reply.headers["x-request-id"] == reply.json()["request_id"]


def test_another_key_sees_nothing_of_it(dash: DashScope) -> None:
    other = DashScope(dash.server, dash.server.info.dashscope["other_api_key"])
    assert other.ok("GET /assistants")["data"] == []
    for line in (f"GET /assistants/{dash.assistant}", f"GET /threads/{dash.thread}", f"DELETE /threads/{dash.thread}"):
        assert other.refused(line) == (400, "InvalidParameter")
    assert dash.ok(f"GET /threads/{dash.thread}")["id"] == dash.thread


def test_workspaces_and_requests_are_remembered(dash: DashScope) -> None:
    dash.ok("GET /assistants?limit=5", headers={"X-DashScope-WorkSpace": "ws-1"})
    dash.ok("POST /threads", {"metadata": {"k": "v"}}, headers={"X-DashScope-WorkSpace": "ws-1"})
    assert dash.state["workspaces"]["ws-1"] == 2
    assert dash.state["requests"][-2:] == [
        {
            "operation": "ListAssistants",
            "method": "GET",
            "path": "/api/v1/assistants",
            "query": {"limit": "5"},
            "workspace": "ws-1",
            "body": None,
        },
        {
            "operation": "CreateThread",
            "method": "POST",
            "path": "/api/v1/threads",
            "query": {},
            "workspace": "ws-1",
            "body": {"metadata": {"k": "v"}},
        },
    ]


@pytest.mark.parametrize(
    "line",
    ["GET /nonsense", "GET /threads", "PATCH /assistants/x", "DELETE /threads/t/messages/m", "GET /assistants/a/b"],
)
def test_what_is_no_operation(dash: DashScope, line: str) -> None:
    assert dash.refused(line) == (400, "InvalidParameter")


def test_bodies_that_are_no_json(dash: DashScope) -> None:
    assert dash.refused("POST /assistants", content=b"{") == (400, "InvalidParameter")
    assert dash.refused("POST /assistants", content=b"\xff\xfe") == (400, "InvalidParameter")
    assert dash.refused("POST /assistants", content=b"[" * 200_000) == (400, "InvalidParameter")
    assert dash.refused("POST /assistants", [1]) == (400, "InvalidParameter")


# --- assistants ------------------------------------------------------------------------------------------------

FULL: dict[str, Any] = {
    "model": "qwen-max",
    "name": "潮汐",
    "description": "d",
    "instructions": "i",
    "tools": [{"type": "my_plugin", "auth": {"type": "user_http", "user_token": "t"}}, BIG_ADD],
    "file_ids": ["file-1"],
    "metadata": {"k": "v"},
    "temperature": 0.0,
    "top_p": 0.8,
    "top_k": 50,
    "max_tokens": 100,
}


def test_an_assistant_has_all_of_its_fields(dash: DashScope) -> None:
    made = dash.ok("POST /assistants", FULL)
    assert {name: made[name] for name in FULL} == FULL
    assert made["object"] == "assistant"
    assert made["id"].startswith("asst_")
    assert len(str(made["created_at"])) == 13
    assert made["request_id"].startswith("SANDBOX-")
    empty = dash.ok("POST /assistants", {"model": "qwen-plus"})
    unset = dict.fromkeys(("temperature", "top_p", "top_k", "max_tokens"))
    texts = dict.fromkeys(("name", "description", "instructions"), "")
    expected: dict[str, Any] = {"model": "qwen-plus", **texts, "tools": [], "file_ids": [], "metadata": {}, **unset}
    assert {name: empty[name] for name in FULL} == expected


@pytest.mark.parametrize("name", FULL)
def test_an_update_changes_what_it_names_and_nothing_else(dash: DashScope, name: str) -> None:
    made = dash.ok("POST /assistants", FULL)
    new: Any = {"model": "qwen-turbo", "tools": [], "file_ids": [], "metadata": {}, "top_k": 7, "max_tokens": 5}
    value = new.get(name, 0.5 if isinstance(FULL[name], float) else "")
    updated = dash.ok(f"POST /assistants/{made['id']}", {name: value})
    assert updated[name] == value
    assert {**updated, "request_id": ""} == {**made, name: value, "request_id": ""}
    assert {**dash.ok(f"GET /assistants/{made['id']}"), "request_id": ""} == {**updated, "request_id": ""}


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": ""},
        {"model": None},
        {"model": "no such model"},
        {"model": 3},
        {"name": 1},
        {"tools": {}},
        {"tools": [{}]},
        {"tools": [{"type": ""}]},
        {"tools": [{"type": "function"}]},
        {"tools": [{"type": "function", "function": {"name": ""}}]},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]},
        {"tools": [{"type": "function", "function": {"name": "f", "description": 1}}]},
        {"tools": [{"type": "p", "auth": {"type": "user_http"}}]},
        {"file_ids": "x"},
        {"file_ids": [1]},
        {"metadata": []},
        {"metadata": {str(n): "x" for n in range(17)}},
        {"metadata": {"k" * 65: "v"}},
        {"metadata": {"k": "v" * 513}},
        {"metadata": {"k": 1}},
        {"temperature": 2.1},
        {"temperature": True},
        {"temperature": "1"},
        {"top_p": -0.1},
        {"top_k": 1.5},
        {"max_tokens": 0},
    ],
)
def test_what_an_assistant_may_not_be(dash: DashScope, wrong: dict[str, Any]) -> None:
    status, code = dash.refused("POST /assistants", {"model": "qwen-plus", **wrong})
    assert (status, code) == (
        400,
        "BadRequest.EmptyModel" if wrong.get("model", "x") in ("", None) else "InvalidParameter",
    )
    assert len(dash.state["assistants"]) == 1
    status, _code = dash.refused(f"POST /assistants/{dash.assistant}", wrong)
    assert status == 400


def test_the_limits_themselves_are_allowed(dash: DashScope) -> None:
    most = {f"{n:064}": "v" * 512 for n in range(16)}
    made = dash.ok("POST /assistants", {"model": "qwen-plus", "metadata": most, "temperature": 2, "top_p": 1})
    assert made["metadata"] == most


def test_lists_by_pages(dash: DashScope) -> None:
    ids = [dash.assistant] + [dash.ok("POST /assistants", {"model": "qwen-plus"})["id"] for _ in range(4)]
    first = dash.ok("GET /assistants?limit=2&after=&before=")
    assert [one["id"] for one in first["data"]] == [ids[4], ids[3]]
    assert (first["first_id"], first["last_id"], first["has_more"]) == (ids[4], ids[3], True)
    second = dash.ok(f"GET /assistants?limit=3&after={ids[3]}")
    assert [one["id"] for one in second["data"]] == [ids[2], ids[1], ids[0]]
    assert second["has_more"] is False
    ascending = dash.ok(f"GET /assistants?order=asc&after={ids[1]}")
    assert [one["id"] for one in ascending["data"]] == ids[2:]
    before = dash.ok(f"GET /assistants?limit=2&before={ids[0]}")
    assert [one["id"] for one in before["data"]] == [ids[2], ids[1]]
    for wrong in ("limit=0", "limit=101", "limit=x", "order=up", "after=asst_none", f"after={ids[0]}&before={ids[1]}"):
        assert dash.refused(f"GET /assistants?{wrong}") == (400, "InvalidParameter")
    assert dash.ok("GET /threads/" + dash.thread + "/messages")["first_id"] is None


def test_delete(dash: DashScope) -> None:
    gone = dash.ok(f"DELETE /assistants/{dash.assistant}")
    assert {**gone, "request_id": ""} == {
        "id": dash.assistant,
        "object": "assistant.deleted",
        "deleted": True,
        "request_id": "",
    }
    reply = dash.send(f"GET /assistants/{dash.assistant}")
    assert (reply.status_code, reply.json()["code"]) == (400, "InvalidParameter")
    assert "deleted or does not exist" in reply.json()["message"]


def test_files_of_an_assistant(dash: DashScope) -> None:
    file = dash.ok("POST /files", files={"files": ("a.txt", b"x")})["data"]["uploaded_files"][0]["file_id"]
    path = f"/assistants/{dash.assistant}/files"
    made = dash.ok(f"POST {path}", {"file_id": file})
    assert (made["id"], made["object"], made["assistant_id"]) == (file, "assistant.file", dash.assistant)
    assert dash.ok(f"GET /assistants/{dash.assistant}")["file_ids"] == [file]
    assert [one["id"] for one in dash.ok(f"GET {path}")["data"]] == [file]
    assert dash.ok(f"GET {path}/{file}")["created_at"] == made["created_at"]
    assert dash.ok(f"DELETE {path}/{file}")["object"] == "assistant.file.deleted"
    assert dash.refused(f"GET {path}/{file}") == (400, "InvalidParameter")
    assert dash.refused(f"POST {path}", {"file_id": "none"}) == (400, "InvalidParameter")
    assert dash.refused(f"POST {path}", {}) == (400, "InvalidParameter")
    assert dash.ok(f"GET /assistants/{dash.assistant}")["file_ids"] == []


# --- threads and messages --------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b'""', b"null", b"{}", b"", b'{"messages": null, "metadata": null}'])
def test_an_empty_thread(dash: DashScope, body: bytes) -> None:
    made = dash.ok("POST /threads", content=body)
    assert made.keys() == {"id", "object", "created_at", "metadata", "request_id"}
    assert made["metadata"] == {}


def test_a_thread_with_messages(dash: DashScope) -> None:
    made = dash.ok("POST /threads", {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]})
    page = dash.ok(f"GET /threads/{made['id']}/messages")
    assert [one["content"][0]["text"]["value"] for one in page["data"]] == ["b", "a"]
    assert dash.server.state()["accepted"] == {"a": 1, "b": 1}
    assert dash.refused("POST /threads", {"messages": [{"role": "user", "content": ""}]})[1] == "BadRequest.EmptyInput"
    assert dash.refused("POST /threads", {"messages": {}}) == (400, "InvalidParameter")
    assert dash.refused("POST /threads", [1]) == (400, "InvalidParameter")


def test_metadata_of_threads_messages_and_runs(dash: DashScope) -> None:
    dash.ask()
    message = dash.ok(f"GET /threads/{dash.thread}/messages")["data"][-1]["id"]
    for path in (f"/threads/{dash.thread}", f"/threads/{dash.thread}/messages/{message}", f"{dash.runs}/{dash.run}"):
        assert dash.ok(f"POST {path}", {"metadata": {"a": "b"}})["metadata"] == {"a": "b"}
        assert dash.ok(f"POST {path}", {})["metadata"] == {"a": "b"}
        assert dash.ok(f"POST {path}", {"metadata": None})["metadata"] == {}
        assert dash.refused(f"POST {path}", {"metadata": {"k": 1}}) == (400, "InvalidParameter")


def test_a_message_goes_up_as_text_and_comes_back_as_parts(dash: DashScope) -> None:
    made = dash.say("hello")
    part = {"type": "text", "text": {"value": "hello", "annotations": []}}
    assert (made["role"], made["content"], made["object"]) == ("user", [part], "thread.message")
    assert made["id"].startswith("message_")
    assert dash.ok(f"GET /threads/{dash.thread}/messages/{made['id']}")["content"] == [part]
    assert dash.refused(f"GET /threads/{dash.thread}/messages/none") == (400, "InvalidParameter")
    path = f"POST /threads/{dash.thread}/messages"
    assert (
        dash.ok(path, {"role": "user", "content": [{"type": "text", "text": "x"}]})["content"][0]["text"]["value"]
        == "x"
    )
    for wrong in ({"role": "assistant", "content": "x"}, {"role": "user", "content": 1}, {"content": "x"}):
        assert dash.refused(path, wrong)[0] == 400
    assert dash.server.state()["accepted"] == {"hello": 1, "x": 1}


def test_files_of_a_message(dash: DashScope) -> None:
    file = dash.ok("POST /files", files={"files": ("报告.pdf", b"x")})["data"]["uploaded_files"][0]["file_id"]
    path = f"/threads/{dash.thread}/messages"
    made = dash.ok(f"POST {path}", {"role": "user", "content": "read it", "file_ids": [file]})
    listed = dash.ok(f"GET {path}/{made['id']}/files")["data"]
    assert [(one["id"], one["object"], one["message_id"]) for one in listed] == [
        (file, "thread.message.file", made["id"])
    ]
    assert dash.ok(f"GET {path}/{made['id']}/files/{file}")["id"] == file
    assert dash.refused(f"GET {path}/{made['id']}/files/none") == (400, "InvalidParameter")
    assert dash.refused(f"POST {path}", {"role": "user", "content": "x", "file_ids": ["none"]}) == (
        400,
        "InvalidParameter",
    )
    dash.ok(f"POST {dash.runs}", {"assistant_id": dash.assistant})
    dash.settle()
    assert "报告.pdf" in dash.answer()


def test_a_deleted_thread_takes_everything_with_it(dash: DashScope) -> None:
    dash.ask()
    assert dash.ok(f"DELETE /threads/{dash.thread}")["object"] == "thread.deleted"
    for path in ("", "/messages", "/runs", f"/runs/{dash.run}", f"/runs/{dash.run}/steps"):
        assert dash.refused(f"GET /threads/{dash.thread}{path}") == (400, "InvalidParameter")


# --- runs ------------------------------------------------------------------------------------------------------


def test_the_stream_of_a_plain_run(dash: DashScope) -> None:
    body = dash.ask()
    assert once(names(body)) == PLAIN
    assert body[-24:] == b"event:done\ndata:[DONE]\n\n"
    assert all(line.startswith((b"event:", b"data:")) and line[5:6] != b" " for line in body.split(b"\n") if line)
    frames = [frame for _name, frame in events(body)[:-1]]
    assert len({frame["request_id"] for frame in frames}) == 1
    assert text(body) == completed(body) == dash.answer() == ECHO.removeprefix("echo ")
    assert [f["delta"]["content"][0]["text"]["value"] for n, f in events(body) if n == "thread.message.delta"][-1] == ""
    created = events(body)[0][1]
    assert [created[name] for name in ("expires_at", "usage", "required_action", "last_error")] == [None] * 4
    done = events(body)[-2][1]
    assert done["usage"]["total_tokens"] == done["usage"]["input_tokens"] + done["usage"]["output_tokens"]
    assert done["completed_at"] is None
    named = frames[3]["step_details"]["message_creation"]["message_id"]
    assert named == frames[5]["id"]


def test_a_run_without_a_stream(dash: DashScope) -> None:
    dash.say(ECHO)
    made = dash.ok(f"POST {dash.runs}", {"assistant_id": dash.assistant, "stream": False})
    assert made["status"] in ("queued", "in_progress")
    assert not {"usage", "required_action", "last_error", "expires_at"} & made.keys()
    assert dash.settle() == "completed"
    run = dash.ok(f"GET {dash.runs}/{made['id']}")
    assert (run["expires_at"], run["completed_at"]) == (0, 0)
    step = dash.ok(f"GET {dash.runs}/{made['id']}/steps")["data"][0]
    assert (step["failed_at"], step["type"], step["status"]) == (-1, "message_creation", "completed")
    assert dash.ok(f"GET {dash.runs}/{made['id']}/steps/{step['id']}")["completed_at"] > 0
    assert dash.refused(f"GET {dash.runs}/{made['id']}/steps/none") == (400, "InvalidParameter")
    assert dash.refused(f"GET {dash.runs}/none") == (400, "InvalidParameter")
    assert [one["id"] for one in dash.ok(f"GET {dash.runs}")["data"]] == [made["id"]]


def test_a_thread_and_its_run_at_once(dash: DashScope) -> None:
    thread = {"messages": [{"role": "user", "content": ECHO}], "metadata": {"k": "v"}}
    body = dash.read("POST /threads/runs", {"assistant_id": dash.assistant, "thread": thread, "stream": True})
    assert names(body)[:2] == ["thread.created", "thread.run.created"]
    assert events(body)[0][1]["metadata"] == {"k": "v"}
    assert dash.ok("POST /threads/runs", {"assistant_id": dash.assistant, "thread": thread})["object"] == "thread.run"
    empty: list[dict[str, Any]] = [{}, {"thread": {}}, {"thread": {"messages": []}}]
    for wrong in empty:
        assert dash.refused("POST /threads/runs", {"assistant_id": dash.assistant, **wrong}) == (
            400,
            "InvalidParameter",
        )
    assert dash.refused("POST /threads/runs", {"assistant_id": "none", "thread": thread}) == (400, "InvalidParameter")
    assert dash.server.state()["accepted"] == {ECHO: 2}


def test_what_a_run_may_not_be(dash: DashScope) -> None:
    assert dash.refused(f"POST {dash.runs}", {"assistant_id": dash.assistant}) == (400, "InvalidParameter")
    dash.say("x")
    bodies: list[dict[str, Any]] = [
        {"assistant_id": ""},
        {"assistant_id": "asst_none"},
        {"model": "no such model"},
        {"tools": {}},
        {"temperature": 3},
        {"truncation_strategy": {"type": "auto"}},
        {"truncation_strategy": {"type": "last_messages", "last_messages": 0}},
        {"metadata": {"k": 1}},
    ]
    for wrong in bodies:
        assert dash.refused(f"POST {dash.runs}", {"assistant_id": dash.assistant, **wrong}) == (400, "InvalidParameter")
    assert dash.state["counts"].get("runs", 0) == 0


def test_a_run_replaces_fields_of_its_assistant(dash: DashScope) -> None:
    dash.begin(BIG_ADD, instructions="A")
    dash.ask("settings", model="qwen-max", additional_instructions="B", temperature=0.5)
    assert '- model: `"qwen-max"`' in dash.answer()
    assert '"A\\nB"' in dash.answer()
    assert "- temperature: `0.5`" in dash.answer()
    assert '["big_add"]' in dash.answer()
    dash.ask("settings", instructions="C", tools=[])
    assert '- instructions: `"C"`' in dash.answer()
    assert "- tools: `[]`" in dash.answer()


def test_the_model_sees_the_last_ten_messages(dash: DashScope) -> None:
    for number in range(12):
        dash.say(f"note {number}")
    dash.ask("recall")
    assert dash.answer().startswith("I see 10 messages.")
    assert "note 3" in dash.answer()
    assert "note 2" not in dash.answer()
    dash.ask("recall", truncation_strategy={"type": "last_messages", "last_messages": 3})
    assert dash.answer().startswith("I see 3 messages.")


def test_one_active_run_a_thread(dash: DashScope) -> None:
    dash.say("hold")
    dash.ok(f"POST {dash.runs}", {"assistant_id": dash.assistant})
    dash.server.wait_for(lambda state: state["dashscope"]["holding"])
    here = {"role": "user", "content": "too soon"}
    assert dash.refused(f"POST /threads/{dash.thread}/messages", here) == (400, "InvalidParameter")
    assert dash.refused(f"POST {dash.runs}", {"assistant_id": dash.assistant}) == (400, "InvalidParameter")
    assert dash.server.release() == 1
    assert dash.settle() == "completed"
    assert dash.say("now")["role"] == "user"
    assert dash.server.state()["accepted"] == {"hold": 1, "now": 1}


def test_a_built_in_tool(dash: DashScope) -> None:
    body = dash.ask("搜索一下今天的新闻")
    assert once(names(body))[2:8] == [
        "thread.run.in_progress",
        "thread.run.step.created",
        "thread.run.step.in_progress",
        "thread.run.step.delta",
        "thread.run.step.completed",
        "thread.run.step.created",
    ]
    deltas = [f["delta"]["step_details"]["tool_calls"][0] for n, f in events(body) if n == "thread.run.step.delta"]
    assert "plugin_name" in deltas[-2]
    assert "type" not in deltas[-1]
    done = next(frame for name, frame in events(body) if name == "thread.run.step.completed")
    assert done["status"] == "in_progress"
    entry = done["step_details"]["tool_calls"][0]
    joined = "".join(delta.get("quark_search", {}).get("arguments", "") for delta in deltas)
    assert entry["plugin_name"]["arguments"] == joined
    steps = dash.ok(f"GET {dash.runs}/{dash.run}/steps?order=asc")["data"]
    assert [(step["type"], step["status"]) for step in steps] == [
        ("tool_calls", "completed"),
        ("message_creation", "completed"),
    ]
    assert "沙箱" in dash.answer()


def test_a_function_is_called_and_its_output_is_in_the_answer(dash: DashScope) -> None:
    body = dash.ask(QUESTION)
    assert names(body)[-2:] == ["thread.run.requires_action", "done"]
    parked = events(body)[-2][1]
    call = parked["required_action"]["submit_tool_outputs"]["tool_calls"][0]
    assert call == {
        "id": "",
        "type": "function",
        "function": {"name": "big_add", "arguments": '{"left": 87787, "right": 788988737}'},
    }
    deltas = [f["delta"]["step_details"]["tool_calls"][0] for n, f in events(body) if n == "thread.run.step.delta"]
    assert "".join(one["function"]["arguments"] for one in deltas) == call["function"]["arguments"]
    assert dash.status() == "requires_action"
    again = dash.submit("789076524")
    assert once(names(again)) == ["thread.run.step.completed", *PLAIN[1:]]
    assert events(again)[0][1]["step_details"]["tool_calls"][0]["function"]["output"] == "789076524"
    assert events(again)[0][1]["request_id"] != parked["request_id"]
    assert "789076524" in text(again)
    # It is still there: only the status tells.
    assert events(again)[-2][1]["required_action"] == parked["required_action"]
    assert dash.state["counts"]["submits"] == 1
    assert dash.refused(f"POST {dash.runs}/{dash.run}/submit_tool_outputs", {"tool_outputs": [{"output": "1"}]}) == (
        400,
        "InvalidParameter",
    )


def test_outputs_without_a_stream(dash: DashScope) -> None:
    dash.ask(QUESTION)
    path = f"POST {dash.runs}/{dash.run}/submit_tool_outputs"
    reply = dash.ok(path, {"tool_outputs": [{"output": "7"}], "stream": False})
    assert reply["status"] == "in_progress"
    assert reply["required_action"]["type"] == "submit_tool_outputs"
    assert dash.settle() == "completed"
    assert "**7**" in dash.answer()


def test_all_outputs_come_in_one_request_and_in_order(dash: DashScope) -> None:
    dash.ask("call 3")
    path = f"POST {dash.runs}/{dash.run}/submit_tool_outputs"
    for wrong in ([], [{"output": "1"}], [{"output": 1}] * 3, [{"tool_call_id": "call_none", "output": "1"}] * 3, "x"):
        assert dash.refused(path, {"tool_outputs": wrong}) == (400, "InvalidParameter")
    assert dash.status() == "requires_action"
    dash.submit("first", "second", "third")
    found = [dash.answer().index(word) for word in ("first", "second", "third")]
    assert found == sorted(found)
    outputs = dash.state["threads"][0]["runs"][0]["outputs"]
    assert [one["output"] for one in outputs[0]] == ["first", "second", "third"]


def test_a_run_can_ask_again(dash: DashScope) -> None:
    dash.ask("rounds 2")
    assert names(dash.submit("one"))[-2:] == ["thread.run.requires_action", "done"]
    assert names(dash.submit("two"))[-2:] == ["thread.run.completed", "done"]
    assert "**one**" in dash.answer()
    assert "**two**" in dash.answer()


def test_a_run_that_nobody_answers_expires(dash: DashScope) -> None:
    dash.ask(QUESTION)
    dash.server.advance(540)
    assert dash.status() == "requires_action"
    dash.server.advance(61)
    assert dash.status() == "expired"
    assert dash.say("go on")["role"] == "user"


def test_cancel_is_not_supported(dash: DashScope) -> None:
    dash.ask(QUESTION)
    assert dash.refused(f"POST {dash.runs}/{dash.run}/cancel") == (400, "UnsupportedOperation")
    assert dash.status() == "requires_action"
    assert dash.server.state()["stops"] == {dash.run: 1}


def test_an_error_of_the_turn(dash: DashScope) -> None:
    body = dash.ask("error")
    assert names(body)[-4:] == [
        "thread.message.incomplete",
        "thread.run.step.failed",
        "thread.run.failed",
        "done",
    ]
    assert events(body)[-2][1]["last_error"]["code"] == "server_error"
    assert dash.ok(f"GET {dash.runs}/{dash.run}")["failed_at"] > 0


def test_an_answer_without_text(dash: DashScope) -> None:
    body = dash.ask("empty")
    assert names(body) == [*PLAIN[:3], "thread.run.completed", "done"]


def test_a_turn_goes_on_without_its_connection(dash: DashScope) -> None:
    dash.say("hold 5")
    body = {"assistant_id": dash.assistant, "stream": True}
    with dash.reading(f"POST {dash.runs}", body) as lines:
        dash.server.wait_for(lambda state: state["dashscope"]["holding"])
        assert next(lines) == "event:thread.run.created"
    dash.server.release()
    assert dash.settle() == "completed"
    assert "and the rest" in dash.answer()


def test_hostile_texts_arrive_whole(dash: DashScope) -> None:
    """Controls, markup, lone surrogates, separators that stand unescaped: only CR and LF end a line of a stream."""
    body = dash.ask("hostile")
    assert names(body)[-2:] == ["thread.run.completed", "done"]
    assert "\u2028".encode() in body
    assert text(body) == completed(body) == dash.answer()
    for mark in ("\x1b", "\ud800", "\x85", "[bold red]"):
        assert mark in text(body)
    sent = {"role": "user", "content": "\x1b[2J \ud800 \u202e"}
    made = dash.ok(f"POST /threads/{dash.thread}/messages", content=json.dumps(sent).encode())
    assert made["content"][0]["text"]["value"] == sent["content"]
    assert dash.respond("hostile")["status"] == "completed"


# --- files and models ------------------------------------------------------------------------------------------


def test_native_files(dash: DashScope) -> None:
    files = [("files", ("a.txt", "潮汐".encode())), ("files", ("b.txt", b""))]
    reply = dash.ok("POST /files", files=files, data={"descriptions": "d", "purpose": "file-extract"})["data"]
    assert [one["name"] for one in reply["uploaded_files"]] == ["a.txt"]
    assert [one["name"] for one in reply["failed_uploads"]] == ["b.txt"]
    name = reply["uploaded_files"][0]["file_id"]
    page = dash.ok("GET /files?page_no=1&page_size=10")["data"]
    assert (page["total"], page["page_no"], page["page_size"]) == (1, 1, 10)
    file = dash.ok(f"GET /files/{name}")["data"]
    assert (file["size"], file["description"], file["purpose"]) == (6, "d", "file-extract")
    assert page["files"] == [file]
    assert httpx.get(file["url"], trust_env=False).text == "潮汐"
    assert httpx.get(file["url"] + "x", trust_env=False).status_code == 403
    assert dash.ok(f"DELETE /files/{name}").keys() == {"request_id"}
    reply = dash.send(f"GET /files/{name}")
    assert (reply.status_code, "File not found" in reply.json()["message"]) == (400, True)
    assert dash.refused("POST /files", {"a": 1}) == (400, "InvalidParameter")
    assert dash.refused("GET /files?page_size=101") == (400, "InvalidParameter")


def test_compatible_files(dash: DashScope) -> None:
    def upload(name: str) -> Any:
        form: dict[str, Any] = {"files": {"file": (name, b"abc")}, "data": {"purpose": "file-extract"}}
        return dash.ok("POST /files", compatible=True, **form)

    made = upload("a.txt")
    assert made["id"].startswith("file-fe-")
    assert (made["object"], made["bytes"], made["filename"], made["status"]) == ("file", 3, "a.txt", "processed")
    assert len(str(made["created_at"])) == 10
    upload("b.txt")
    first = dash.ok("GET /files?limit=1", compatible=True)
    assert (first["has_more"], first["data"][0]["filename"]) == (True, "b.txt")
    assert [one["id"] for one in dash.ok(f"GET /files?after={first['data'][0]['id']}", compatible=True)["data"]] == [
        made["id"]
    ]
    assert dash.ok(f"GET /files/{made['id']}", compatible=True) == made
    assert dash.ok(f"DELETE /files/{made['id']}", compatible=True)["deleted"] is True
    reply = dash.send(f"GET /files/{made['id']}", compatible=True)
    assert reply.json()["error"]["type"] == "invalid_request_error"
    wrong: dict[str, Any] = {"files": {"file": ("a", b"abc")}, "data": {"purpose": "nonsense"}}
    assert dash.refused("POST /files", compatible=True, **wrong) == (400, "InvalidParameter")


def test_models(dash: DashScope) -> None:
    first = dash.ok("GET /models?page_no=1&page_size=4")["output"]
    assert len(first["models"]) == 4
    found = []
    for number in range(1, -(-first["total"] // 4) + 1):
        found += [one["model"] for one in dash.ok(f"GET /models?page_no={number}&page_size=4")["output"]["models"]]
    assert len(set(found)) == len(found) == first["total"]
    assert [one["model"] for one in dash.ok("GET /models?model=qwen-max")["output"]["models"]] == ["qwen-max"]


# --- what outlives the sandbox ---------------------------------------------------------------------------------


def test_a_folder_keeps_everything(tmp_path: Path) -> None:
    with SandboxServer(pace="unlimited", folder=tmp_path) as server:
        dash = DashScope(server)
        dash.begin(BIG_ADD, name="kept")
        dash.ask(QUESTION)
        file = dash.ok("POST /files", files={"files": ("a.txt", b"abc")})["data"]["uploaded_files"][0]["file_id"]
        response = dash.respond("hello")["id"]
        other = dash.ok("POST /threads", {"messages": [{"role": "user", "content": "hold"}]})["id"]
        run = dash.ok(f"POST /threads/{other}/runs", {"assistant_id": dash.assistant})["id"]
        server.wait_for(lambda state: state["dashscope"]["holding"])
    with SandboxServer(pace="unlimited", folder=tmp_path) as server:
        again = DashScope(server)
        again.assistant, again.thread, again.run = dash.assistant, dash.thread, dash.run
        assert again.ok(f"GET /assistants/{dash.assistant}")["name"] == "kept"
        assert "789" in text(again.submit("789"))
        assert again.ok(f"GET /files/{file}")["data"]["size"] == 3
        assert again.ok(f"GET /responses/{response}", compatible=True)["status"] == "completed"
        # As if it had gone on.
        assert again.ok(f"GET /threads/{other}/runs/{run}")["status"] == "completed"
        assert "and the rest" in str(again.ok(f"GET /threads/{other}/messages")["data"][0])
        server.reset()
    with SandboxServer(pace="unlimited", folder=tmp_path) as server:
        assert DashScope(server).ok("GET /assistants")["data"] == []


def test_a_killed_sandbox_has_its_runs_complete_at_the_next_start(tmp_path: Path) -> None:
    """The files are taken while two runs are at work, one of them with the output of its function."""
    with SandboxServer(pace="unlimited", folder=tmp_path / "first") as server:
        dash = DashScope(server)
        dash.begin(BIG_ADD)
        dash.say("hold 3")
        waiting = dash.ok(f"POST {dash.runs}", {"assistant_id": dash.assistant})["id"]
        first = dash.runs
        dash.begin(BIG_ADD)
        dash.ask(QUESTION)
        server.set_faults("hold@SubmitToolOutputs=2")
        body = {"tool_outputs": [{"output": "789"}]}
        dash.ok(f"POST {dash.runs}/{dash.run}/submit_tool_outputs", body)
        server.wait_for(lambda state: len(state["dashscope"]["holding"]) == 2)
        shutil.copytree(tmp_path / "first", tmp_path / "second")
    with SandboxServer(pace="unlimited", folder=tmp_path / "second") as server:
        again = DashScope(server)
        again.thread, again.run = dash.thread, dash.run
        assert again.status() == "completed"
        assert "**789**" in again.answer()
        steps = again.ok(f"GET {again.runs}/{again.run}/steps?order=asc")["data"]
        assert [(step["type"], step["status"]) for step in steps] == [
            ("tool_calls", "completed"),
            ("message_creation", "completed"),
        ]
        assert steps[0]["step_details"]["tool_calls"][0]["function"]["output"] == "789"
        assert again.ok(f"GET {first}/{waiting}")["status"] == "completed"
        messages = again.ok(f"GET {first.removesuffix('/runs')}/messages")["data"]
        assert len(messages) == 2
        assert "and the rest" in str(messages[0])


def test_every_operation_is_counted(dash: DashScope) -> None:
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
    dash.ok("GET /models")
    assert dash.server.state()["received"] == {"CreateAssistant": 1, "CreateThread": 1, "ListModels": 1}


def test_the_line_of_json_tells_where_it_is(dash: DashScope) -> None:
    info = json.loads(dash.server.info.to_json())
    url = info["url"]
    assert info["dashscope"] == {
        "base_url": f"{url}/api/v1",
        "compatible_base_url": f"{url}/compatible-mode/v1",
        "api_key": dash.key,
        "other_api_key": dash.server.info.dashscope["other_api_key"],
    }


def test_the_document_lists_the_questions() -> None:
    document = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    assert [word for word in WORDS if f"| `{word}" not in document] == []
