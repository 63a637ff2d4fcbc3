"""Every switch of the sandbox's DashScope does what the list says, seen from the outside."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.unit.dashscope_wire import BIG_ADD, ECHO, FLAT_ADD, QUESTION, DashScope, completed, events, names, text
from tests.unit.sandbox_wire import blocks
from tui.sandbox.dashscope_refusals import DOCUMENTED
from tui.sandbox.server import SandboxServer

WHOLE = ECHO.removeprefix("echo ")


@pytest.fixture
def dash(server: SandboxServer) -> DashScope:
    dash = DashScope(server)
    dash.begin(BIG_ADD, {"type": "quark_search"})
    return dash


# --- refusals --------------------------------------------------------------------------------------------------

REFUSALS = {
    "wrong-key": (401, "InvalidApiKey"),
    "no-permission": (403, "AccessDenied"),
    "throttled": (429, "Throttling.RateQuota"),
    "too-many-requests": (429, "Throttling"),
    "quota-exceeded": (429, "Throttling.AllocationQuota"),
    "order-invalid": (403, "AccessDenied.Unpurchased"),
    "moderation": (400, "DataInspectionFailed"),
    "invalid-parameter": (400, "InvalidParameter"),
    "http-500": (500, "InternalError"),
    "workspace-needed": (403, "AccessDenied"),
    "assistants-retired": (400, "UnsupportedOperation"),
    "nonsense": (400, "Sandbox.UnknownSwitch"),
    **{f"refuse={code}": (status, code) for code, status in DOCUMENTED.items()},
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_refusals(dash: DashScope, fault: str) -> None:
    dash.say("x")
    body = {"assistant_id": dash.assistant, "stream": True}
    reply = dash.send(f"POST {dash.runs}", body, fault)
    assert (reply.status_code, reply.json()["code"]) == REFUSALS[fault]
    assert reply.json().keys() == {"code", "message", "request_id"}
    assert dash.state["counts"].get("runs", 0) == 0


def test_only_assistants_are_retired(dash: DashScope) -> None:
    dash.server.set_faults("assistants-retired")
    assert dash.refused("GET /assistants") == (400, "UnsupportedOperation")
    assert dash.refused("POST /threads", {}) == (400, "UnsupportedOperation")
    assert dash.respond("hello")["status"] == "completed"
    dash.ok("GET /models")
    dash.server.set_faults("workspace-needed")
    dash.ok("GET /assistants", headers={"X-DashScope-WorkSpace": "ws"})


def test_what_stands_in_between(dash: DashScope) -> None:
    for fault, status in (("html-502", 502), ("service-unavailable", 503), ("html-200", 200), ("redirect", 302)):
        reply = dash.send("GET /assistants", None, fault)
        assert (reply.status_code, reply.headers["content-type"].startswith("text/html")) == (status, True)
    for fault in ("drop-before-accept",):
        with pytest.raises(httpx.TransportError):
            dash.send("POST /assistants", {"model": "qwen-plus"}, fault)
    assert len(dash.state["assistants"]) == 1
    assert dash.ok("GET /assistants", None, "slow-start=0.01")["object"] == "list"


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ("POST /threads", {"messages": [{"role": "user", "content": "x"}]}),
        ("POST {runs}", {}),
        ("POST /threads/{thread}/messages", {"role": "user", "content": "x"}),
        ("POST {runs}/{run}/submit_tool_outputs", {"tool_outputs": [{"output": "1"}]}),
    ],
)
def test_taken_in_and_lost(dash: DashScope, line: str, body: dict[str, Any]) -> None:
    if "run}" in line:
        dash.ask(QUESTION)
    else:
        dash.say("x")
    before = dash.server.state()
    path = line.format(runs=dash.runs, thread=dash.thread, run=dash.run)
    with pytest.raises(httpx.TransportError):
        dash.send(path, {**body, "assistant_id": dash.assistant}, "drop-after-accept")
    after = dash.server.state()
    assert (before["accepted"], before["dashscope"]["counts"]) != (after["accepted"], after["dashscope"]["counts"])


def test_taken_in_and_denied(dash: DashScope) -> None:
    here = {"role": "user", "content": "x"}
    assert dash.refused(f"POST /threads/{dash.thread}/messages", here, "accepted-500") == (500, "InternalError")
    assert dash.server.state()["accepted"] == {"x": 1}


def test_forms_of_refusals(dash: DashScope) -> None:
    line = "GET /assistants/asst_none"
    assert dash.refused(line, None, "not-found-404")[0] == 404
    assert dash.refused("GET /assistants?limit=0", None, "not-found-404")[0] == 400
    assert dash.refused(line, None, "error-status=404")[0] == 404
    unsaid = dash.send(line, None, "not-found-unsaid").json()["message"]
    assert "exist" not in unsaid
    assert dash.send(line, None, "compatible-errors").json()["error"]["code"] == "InvalidParameter"
    assert dash.send(line, None, "bare-error").content == b""


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("sse-error", 400, "text/event-stream"),
        ("sse-error-json", 400, "application/json"),
        ("sse-error-200", 200, "text/event-stream"),
    ],
)
def test_refusals_that_are_framed(dash: DashScope, fault: str, status: int, kind: str) -> None:
    reply = dash.send("GET /assistants/none", None, fault)
    assert (reply.status_code, reply.headers["content-type"].partition(";")[0]) == (status, kind)
    lines = reply.content.split(b"\n")
    assert lines[:3] == [b"id:1", b"event:error", b":HTTP_STATUS/400"]
    assert json.loads(lines[3][5:])["code"] == "InvalidParameter"


# --- the form of replies ---------------------------------------------------------------------------------------


def test_unset_values(dash: DashScope) -> None:
    body = dash.ask()
    path = f"GET {dash.runs}/{dash.run}"
    assert dash.ok(path)["failed_at"] == 0
    for written, value in (("null", None), ("0", 0), ("-1", -1)):
        assert dash.ok(path, None, f"unset={written}")["failed_at"] == value
    assert events(dash.ask(ECHO, "unset=-1"))[0][1]["started_at"] == -1
    assert dash.ok(path, None, "empty-objects")["last_error"] == {}
    assert events(body)[0][1]["required_action"] is None
    assert events(dash.ask(ECHO, "empty-objects"))[0][1]["required_action"] == {}
    failed = events(dash.ask("error", "string-last-error"))[-2][1]
    assert failed["last_error"].startswith("server_error: ")


def test_things_that_lack_fields_or_have_more(dash: DashScope) -> None:
    assert "file_ids" not in dash.ok(f"GET /assistants/{dash.assistant}", None, "no-file-ids")
    assert all("file_ids" not in frame for _name, frame in events(dash.ask(ECHO, "no-file-ids"))[:-1])
    old = dash.ok("GET /assistants", None, "old-list-items")["data"][0]
    assert {"account_id", "gmt_crete", "gmt_update", "is_deleted"} <= old.keys()
    assert "file_ids" not in old
    assert dash.ok(f"GET /threads/{dash.thread}", None, "unknown-keys")["stop"] == ""
    assert dash.ok("GET /assistants", None, "empty-json") == {}
    with pytest.raises(json.JSONDecodeError):
        dash.ok("GET /assistants", None, "truncated-json")


def test_lists(dash: DashScope) -> None:
    ids = [dash.assistant] + [dash.ok("POST /assistants", {"model": "qwen-plus"})["id"] for _ in range(3)]

    def listed(query: str, fault: str) -> list[str]:
        return [one["id"] for one in dash.ok(f"GET /assistants{query}", None, fault)["data"]]

    assert listed("", "default-limit=2") == [ids[3], ids[2]]
    assert listed("", "oldest-first") == ids
    assert listed(f"?after={ids[2]}", "after-newer") == [ids[3]]
    assert listed(f"?limit=2&after={ids[2]}", "overlapping-pages") == [ids[2], ids[1]]
    assert listed(f"?limit=2&after={ids[1]}", "endless-pages") == [ids[3], ids[2]]
    page = dash.ok("GET /assistants?limit=2", None, "no-last-id")
    assert not {"first_id", "last_id"} & page.keys()
    assert dash.ok("GET /assistants", None, "endless-pages")["has_more"] is True


def test_updates(dash: DashScope) -> None:
    made = dash.ok("POST /assistants", {"model": "qwen-plus", "metadata": {"k": "v"}, "file_ids": ["f"]})
    path = f"POST /assistants/{made['id']}"
    kept = dash.ok(path, {"name": "x", "file_ids": [], "metadata": None}, "null-keeps")
    assert (kept["metadata"], kept["file_ids"], kept["name"]) == ({"k": "v"}, ["f"], "x")
    wiped = dash.ok(path, {"file_ids": [], "metadata": None})
    assert (wiped["metadata"], wiped["file_ids"]) == ({}, [])
    thread = f"POST /threads/{dash.thread}"
    dash.ok(thread, {"metadata": {"k": "v"}})
    assert dash.ok(thread, {"metadata": None}, "null-keeps")["metadata"] == {"k": "v"}
    assert dash.refused(path, {"name": "x"}, "model-needed") == (400, "BadRequest.EmptyModel")
    assert dash.ok(path, {"name": "y", "model": "qwen-plus"}, "model-needed")["name"] == "y"


def test_tokens_of_plugins(dash: DashScope) -> None:
    tool = {"type": "p", "auth": {"type": "user_http", "user_token": "secret"}}
    made = dash.ok("POST /assistants", {"model": "qwen-plus", "tools": [tool]})
    assert made["tools"] == [tool]
    path = f"GET /assistants/{made['id']}"
    assert dash.ok(path, None, "no-auth-echo")["tools"] == [{"type": "p"}]
    assert dash.ok(path)["tools"] == [tool]


def test_messages(dash: DashScope) -> None:
    path = f"/threads/{dash.thread}/messages"
    assert dash.ok(f"POST {path}", {"role": "assistant", "content": "x"}, "any-role")["role"] == "assistant"
    dash.ask(ECHO)
    lagging = dash.ok(f"GET {path}", None, "history-lags=5")["data"][0]
    assert lagging["content"][0]["text"]["value"] == WHOLE[:-5]
    assert dash.ok(f"GET {path}", None, "history-empty")["data"] == []


def test_an_upload_that_fails_in_part(dash: DashScope) -> None:
    files = [("files", ("a.txt", b"x")), ("files", ("b.txt", b"y"))]
    failed = dash.ok("POST /files", None, "upload-fails", files=files)["data"]
    assert (failed["uploaded_files"], len(failed["failed_uploads"])) == ([], 2)
    assert dash.refused("POST /files", None, "upload-limit=1", files={"files": ("a", b"xy")})[0] == 413


# --- what a run does -------------------------------------------------------------------------------------------


def test_a_busy_thread_may_be_written_to(dash: DashScope) -> None:
    dash.ask(QUESTION)
    here = {"role": "user", "content": "x"}
    assert dash.refused(f"POST /threads/{dash.thread}/messages", here)[0] == 400
    assert dash.ok(f"POST /threads/{dash.thread}/messages", here, "busy-allowed")["role"] == "user"
    assert dash.ok(f"POST {dash.runs}", {"assistant_id": dash.assistant}, "busy-allowed")["object"] == "thread.run"


def test_waiting(dash: DashScope) -> None:
    dash.say("x")
    made = dash.ok(f"POST {dash.runs}", {"assistant_id": dash.assistant}, "run-queued=60")
    assert dash.ok(f"GET {dash.runs}/{made['id']}")["status"] == "queued"
    dash.server.reset()
    dash.begin()
    for fault in ("run-queued=0.01", "late-completion=0.01", "silence=0.01"):
        assert text(dash.ask(ECHO, fault)) == WHOLE
    dash.say(ECHO)
    dash.ok(f"POST {dash.runs}", {"assistant_id": dash.assistant}, "hold=5")
    dash.server.wait_for(lambda state: state["dashscope"]["holding"])
    assert dash.server.release() == 1
    assert dash.settle() == "completed"


def test_a_late_completion(dash: DashScope) -> None:
    """The message is complete, the run is not."""
    dash.say(ECHO)
    body = {"assistant_id": dash.assistant, "stream": True}
    with dash.reading(f"POST {dash.runs}", body, "late-completion=60") as lines:
        assert "event:thread.message.completed" in iter(lines)
        assert dash.answer() == WHOLE
        run = dash.state["threads"][0]["runs"][0]
        assert run["status"] == "in_progress"


@pytest.mark.parametrize(
    ("fault", "event", "status"),
    [
        ("run-fails=90", "thread.run.failed", "failed"),
        ("run-expires=90", "thread.run.expired", "expired"),
        ("run-incomplete=90", "thread.run.incomplete", "incomplete"),
    ],
)
def test_ends_before_their_time(dash: DashScope, fault: str, event: str, status: str) -> None:
    body = dash.ask("long 3", fault)
    assert names(body)[89] == "thread.message.delta"
    assert names(body)[90] == "thread.message.incomplete"
    assert names(body)[-2:] == [event, "done"]
    assert dash.status() == status
    newest = dash.ok(f"GET /threads/{dash.thread}/messages")["data"][0]
    assert newest["incomplete_details"] == {"reason": f"run_{status}"}
    assert newest["content"][0]["text"]["value"] == text(body)


def test_reasons_of_failures(dash: DashScope) -> None:
    assert events(dash.ask(ECHO, "run-fails=5"))[-2][1]["last_error"]["code"] == "server_error"
    limited = events(dash.ask(ECHO, "run-fails=5,rate-limited"))[-2][1]
    assert limited["last_error"]["code"] == "rate_limit_exceeded"


def test_an_error_inside_the_stream(dash: DashScope) -> None:
    body = dash.ask(ECHO, "error-frame=8")
    assert names(body)[-1] == "error"
    assert events(body)[-1][1].keys() == {"code", "message", "request_id"}
    assert dash.status() == "failed"
    assert names(dash.ask(ECHO, "error-frame=8,done-after-error"))[-2:] == ["error", "done"]
    assert b"event:error\ndata:Requests rate limit" in dash.ask(ECHO, "error-frame=8,error-text")
    assert b":HTTP_STATUS/429\nstatus:429\ndata:" in dash.ask(ECHO, "error-frame=8,status-lines")


def test_how_long_a_run_waits(dash: DashScope) -> None:
    dash.ask(QUESTION)
    dash.server.advance(61)
    assert dash.status() == "requires_action"
    assert dash.ok(f"GET {dash.runs}/{dash.run}", None, "run-life=60")["status"] == "expired"
    waiting = events(dash.ask(QUESTION, "expires-at,run-life=60"))[-2][1]
    assert 0 < waiting["expires_at"] - waiting["created_at"] - 60_000 < 60_000


def test_forms_of_function_calls(dash: DashScope) -> None:
    plain = names(dash.ask(QUESTION))
    assert plain.count("thread.run.step.delta") == 2
    dash.submit("1")
    parked = events(dash.ask(QUESTION, "call-ids"))[-2][1]
    call = parked["required_action"]["submit_tool_outputs"]["tool_calls"][0]
    assert call["id"].startswith("call_")
    outputs = {"tool_outputs": [{"tool_call_id": call["id"], "output": "2"}]}
    assert dash.ok(f"POST {dash.runs}/{dash.run}/submit_tool_outputs", outputs)["status"] == "in_progress"
    dash.settle()
    assert [name for name in names(dash.ask(QUESTION, "function-no-deltas")) if "step" in name] == [
        "thread.run.step.created",
        "thread.run.step.in_progress",
    ]
    dash.submit("3")
    assert [name for name in names(dash.ask(QUESTION, "function-silent")) if "step" in name] == []
    assert names(dash.submit("4", fault="function-again"))[-2:] == ["thread.run.requires_action", "done"]
    assert "**5**" in text(dash.submit("5"))


def test_outputs(dash: DashScope) -> None:
    dash.ask("call 2")
    assert "**one**" in text(dash.submit("one", fault="partial-outputs"))
    dash.ask(QUESTION)
    assert events(dash.submit("1", fault="required-action-gone"))[-2][1]["required_action"] is None
    dash.ask(QUESTION)
    path = f"POST {dash.runs}/{dash.run}/submit_tool_outputs"
    body = {"tool_outputs": [{"output": "1"}]}
    assert dash.ok(path, body, "required-action-gone")["required_action"] is None


def test_tools_and_usage_of_a_run(dash: DashScope) -> None:
    dash.ask("settings", "empty-tools-keep", tools=[])
    assert "big_add" in dash.answer()
    usage = events(dash.ask(ECHO, "usage-openai"))[-2][1]["usage"]
    assert usage.keys() == {"prompt_tokens", "completion_tokens", "total_tokens"}


def test_cancel(dash: DashScope) -> None:
    dash.ask(QUESTION)
    path = f"POST {dash.runs}/{dash.run}/cancel"
    assert dash.ok(path, None, "cancel-works")["status"] == "cancelled"
    assert dash.refused(path, None, "cancel-works") == (400, "InvalidParameter")
    dash.say("hold")
    body = {"assistant_id": dash.assistant, "stream": True}
    with dash.reading(f"POST {dash.runs}", body, "cancelling-event") as lines:
        state = dash.server.wait_for(lambda state: state["dashscope"]["holding"])
        run = state["dashscope"]["holding"][0]
        assert dash.ok(f"POST {dash.runs}/{run}/cancel", None, "cancel-works")["status"] == "cancelling"
        ended = [line for line in lines if line.startswith("event:")][-5:]
    assert ended == [
        "event:thread.run.cancelling",
        "event:thread.message.incomplete",
        "event:thread.run.step.cancelled",
        "event:thread.run.cancelled",
        "event:done",
    ]
    assert dash.settle() == "cancelled"


def test_a_run_that_dies_with_its_connection(dash: DashScope) -> None:
    dash.ask(ECHO, "hold=9,drop-after=9,dies-with-connection")
    assert dash.settle() == "failed"
    assert dash.state["counts"]["streams lost"] == 1


def test_one_huge_frame(dash: DashScope) -> None:
    assert len(text(dash.ask(ECHO, "huge-frame=500000"))) == 500_000 + len(WHOLE)


# --- the form of a stream --------------------------------------------------------------------------------------

# What a stream of ECHO looks like: (is its text whole in its deltas, check of the bytes).
FRAMES: dict[str, tuple[bool, Callable[[bytes], bool]]] = {
    "no-done": (True, lambda b: names(b)[-1] == "thread.run.completed"),
    "bare-done": (True, lambda b: b.endswith(b"\n\ndata:[DONE]\n\n")),
    "no-run-created": (True, lambda b: names(b)[0] == "thread.run.queued"),
    "no-run-end": (True, lambda b: names(b)[-2:] == ["thread.run.step.completed", "done"]),
    "no-message-completed": (True, lambda b: "thread.message.completed" not in names(b)),
    "lost-deltas=3": (False, lambda b: len(text(b)) < len(WHOLE) and completed(b) == WHOLE),
    "duplicate-deltas": (False, lambda b: len(text(b)) > len(WHOLE) and completed(b) == WHOLE),
    "delta-object": (False, lambda b: b'"content":{"type":"text"' in b),
    "delta-parts": (True, lambda b: all(len(f["delta"]["content"]) == 2 for f in _deltas(b))),
    "delta-index": (True, lambda b: all(f["delta"]["content"][0]["index"] == 0 for f in _deltas(b))),
    "object-missing": (True, lambda b: b'"object":"thread' not in b),
    "status-lines": (True, lambda b: all(b":HTTP_STATUS/200" in block for block in blocks(b))),
    "data-space": (True, lambda b: b"event: done\ndata: [DONE]" in b),
    "crlf": (True, lambda b: b"\r\n\r\n" in b),
    "id-lines": (True, lambda b: b.startswith(b"id:1\n")),
    "no-event-lines": (False, lambda b: b"event:" not in b),
    "data-first": (True, lambda b: b.startswith(b"data:{") and b.endswith(b"data:[DONE]\nevent:done\n\n")),
    "empty-deltas": (True, lambda b: b'"content":[],"file_ids":[]' in b),
    "comments": (True, lambda b: b": sandbox\n\n" in b),
    "multi-line-data": (True, lambda b: b'\ndata: "id"' in b),
    "bom": (True, lambda b: b.startswith(b"\xef\xbb\xbf")),
    "malformed=3": (True, lambda b: b'"message_broken"' in b),
    "no-final-blank": (True, lambda b: b.endswith(b"[DONE]\n") and b"}\n\nevent" in b),
    "duplicate-frames": (True, lambda b: names(b).count("thread.run.completed") == 2),
    "unknown-events": (True, lambda b: "thread.run.weather" in names(b)),
    "unknown-keys": (True, lambda b: "观测".encode() in b),
    "after-finish": (True, lambda b: names(b)[-2:] == ["done", "ping"]),
    "split-utf8": (True, lambda b: "四五六".encode() in b),
    "one-byte-chunks": (True, lambda b: True),
    "glued=20": (True, lambda b: True),
    "gzip": (True, lambda b: True),
}


def _deltas(body: bytes) -> list[Any]:
    return [frame for name, frame in events(body) if name == "thread.message.delta"]


@pytest.mark.parametrize("fault", FRAMES)
def test_frames(dash: DashScope, fault: str) -> None:
    whole, check = FRAMES[fault]
    body = dash.ask(ECHO, fault)
    assert check(body)
    if whole:
        assert text(body) == WHOLE
    assert dash.answer() == WHOLE
    # The switch holds for its own request alone.
    assert text(dash.ask(ECHO)) == WHOLE


def test_frames_of_a_tool(dash: DashScope) -> None:
    def calls(fault: str) -> list[Any]:
        body = dash.ask("search the news", fault)
        return [f["delta"]["step_details"]["tool_calls"][0] for n, f in events(body) if n == "thread.run.step.delta"]

    assert "plugin_name" in calls("")[-2]
    assert "quark_search" in calls("typed-outputs")[-2]
    assert isinstance(calls("list-output")[-2]["plugin_name"]["output"], list)
    done = next(f for n, f in events(dash.ask("search", "true-step-status")) if n == "thread.run.step.completed")
    assert done["status"] == "completed"


def test_labels_of_streams(dash: DashScope) -> None:
    dash.say(ECHO)
    body = {"assistant_id": dash.assistant, "stream": True}
    reply = dash.send(f"POST {dash.runs}", body, "mislabelled")
    assert reply.headers["content-type"] == "application/json"
    assert text(reply.content) == WHOLE
    reply = dash.send(f"POST {dash.runs}", body, "mislabelled=text/plain")
    assert reply.headers["content-type"] == "text/plain"
    assert dash.ok(f"POST {dash.runs}", body, "stream-json")["object"] == "thread.run"
    dash.settle()
    reply = dash.send(f"POST {dash.runs}", body, "gzip")
    assert reply.headers["content-encoding"] == "gzip"
    assert gzip.compress(reply.content)


def test_lines_that_break(dash: DashScope) -> None:
    assert len(events(dash.ask(ECHO, "drop-after=5"))) == 5
    dash.settle()
    assert len(events(dash.ask(ECHO, "end-after=5"))) == 5
    dash.settle()
    assert len(events(dash.ask(ECHO, "drop-mid-frame=5"))) == 4
    dash.settle()
    dash.ask(ECHO, "reset-after=5")
    assert dash.settle() == "completed"
    assert dash.answer() == WHOLE
    assert dash.state["counts"]["streams lost"] == 3


def test_switches_hold_for_the_continuation_too(dash: DashScope) -> None:
    dash.ask(QUESTION)
    dash.server.set_faults("no-done@SubmitToolOutputs")
    assert names(dash.submit("1"))[-1] == "thread.run.completed"
    thread = {"messages": [{"role": "user", "content": ECHO}]}
    dash.server.set_faults("no-done")
    body = dash.read("POST /threads/runs", {"assistant_id": dash.assistant, "thread": thread, "stream": True})
    assert names(body)[-1] == "thread.run.completed"


# --- responses -------------------------------------------------------------------------------------------------


def test_a_limit_inside_a_200(dash: DashScope) -> None:
    made = dash.respond("hello", "limit-200")
    assert (made["status"], made["error"]["code"], made["model"]) == ("failed", "server_error", "")
    name, data = events(dash.stream("hello", "limit-200"))[0]
    assert (name, data["response"]["status"]) == ("response.failed", "failed")
    body = {"model": "qwen-plus", "input": "hello", "stream": True}
    assert dash.ok("POST /responses", body, "limit-200,stream-json", compatible=True)["status"] == "failed"
    assert dash.server.state()["accepted"] == {}


def test_chains_that_break(dash: DashScope) -> None:
    first = dash.respond(QUESTION, tools=[FLAT_ADD])
    body = {"model": "qwen-plus", "input": "x", "previous_response_id": first["id"]}
    assert dash.refused("POST /responses", body, "previous-expired", compatible=True) == (400, "InvalidParameter")
    dash.server.advance(61)
    assert dash.refused("POST /responses", body, "previous-life=60", compatible=True) == (400, "InvalidParameter")
    output = {"type": "function_call_output", "call_id": first["output"][-1]["call_id"], "output": "1"}
    chained = {**body, "input": [output]}
    assert dash.refused("POST /responses", chained, "no-chained-outputs", compatible=True)[0] == 400
    assert dash.ok("POST /responses", chained, compatible=True)["status"] == "completed"


def test_events_of_responses(dash: DashScope) -> None:
    arguments = [n for n in names(dash.stream(QUESTION, "argument-deltas", tools=[FLAT_ADD])) if "arguments" in n]
    assert arguments == ["response.function_call_arguments.delta"] * 2 + ["response.function_call_arguments.done"]
    summary = dash.stream("hello", "reasoning-summary")
    assert "response.reasoning_summary_text.delta" in names(summary)
    assert events(summary)[-1][1]["response"]["output"][0]["summary"][0]["type"] == "summary_text"
    silent = dash.stream("hello", "silent-reasoning")
    assert not [name for name in names(silent) if "reasoning" in name]
    assert events(silent)[-1][1]["response"]["output"][0]["content"][0]["text"]
    assert dash.stream("hello", "plain-frames").startswith(b"event:response.created\ndata:")
    assert names(dash.stream("hello", "response-done"))[-1] == "done"


def test_switches_of_runs_hold_for_responses(dash: DashScope) -> None:
    for fault, last in (
        ("run-fails=12", "response.failed"),
        ("run-incomplete=12", "response.incomplete"),
        ("error-frame=12", "error"),
        ("no-run-end", "response.output_item.done"),
        ("duplicate-frames", "response.completed"),
    ):
        assert names(dash.stream(ECHO, fault))[-1] == last
    assert len(events(dash.stream(ECHO, "drop-after=5"))) == 5
    dash.stream(ECHO, "hold=5,drop-after=5,dies-with-connection")
    state = dash.server.wait_for(lambda state: not state["dashscope"]["running"])
    assert state["dashscope"]["responses"][-1]["status"] == "cancelled"
    assert dash.respond(ECHO, "huge-frame=5000")["status"] == "completed"
