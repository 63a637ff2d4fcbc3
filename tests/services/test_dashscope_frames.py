"""Frames that no sandbox sends: what is made of anything that may come over a run's or a response's line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tui.models import AskBlock, TextBlock, ToolBlock, Turn
from tui.services.accumulator import LiveTurn
from tui.services.dashscope_frames import RunReader
from tui.services.dashscope_problems import read_error
from tui.services.dashscope_wire import read_assistant, read_run, read_step_call
from tui.services.events import Event, Failed, Finished, FrameSkipped, TextReplaced, Unknown
from tui.services.responses_frames import ResponseReader
from tui.services.sse import Frame, FrameParser, Oversized

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUN = {"id": "run_1", "object": "thread.run", "thread_id": "thread_1", "request_id": "r-1"}
CALL = {"id": "", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def frame(name: str, **data: Any) -> Frame:
    return Frame(json.dumps(data), name)


def delta(text: object, message: str = "message_1") -> Frame:
    return frame("thread.message.delta", id=message, delta={"role": "assistant", "content": text})


def whole(text: str, message: str = "message_1") -> Frame:
    content = [{"type": "text", "text": {"value": text}}]
    return frame("thread.message.completed", id=message, role="assistant", content=content)


def part(text: str) -> dict[str, Any]:
    return {"type": "text", "text": {"value": text, "annotations": []}}


def played(reader: RunReader | ResponseReader, *frames: Frame | Oversized) -> tuple[list[Event], Turn]:
    live = LiveTurn(Turn("t", "q", NOW), now=lambda: NOW)
    events: list[Event] = []
    for one in frames:
        events += reader.feed(one)
    if reader.end is not None:
        events.append(reader.end)
    for event in events:
        live.apply(event)
    return events, live.snapshot()


def text_of(turn: Turn) -> str:
    return "".join(block.text for block in turn.blocks if isinstance(block, TextBlock))


@pytest.mark.parametrize(
    "content",
    [[part("a"), part("b")], part("ab"), "ab", [{"type": "text", "text": "ab"}], [part("ab"), 3, None, {}]],
)
def test_the_text_of_a_delta_in_any_shape(content: object) -> None:
    _events, turn = played(RunReader(), delta(content))
    assert text_of(turn) == "ab"


@pytest.mark.parametrize("content", [None, [], {}, 5, [[]], [{"type": "text"}], [{"text": {"value": 3}}]])
def test_a_delta_without_text_says_nothing(content: object) -> None:
    _events, turn = played(RunReader(), delta(content))
    assert text_of(turn) == ""


def test_the_completed_message_repairs_what_was_lost() -> None:
    _events, turn = played(RunReader(), delta([part("one ")]), delta([part("three")]), whole("one two three"))
    assert text_of(turn) == "one two three"
    events, turn = played(RunReader(), delta([part("one")]), whole("one two"))
    assert text_of(turn) == "one two"
    assert not any(isinstance(event, TextReplaced) for event in events)


def test_two_messages_are_paragraphs_of_their_own() -> None:
    reader = RunReader(held="before")
    _events, turn = played(
        reader, delta([part("a")]), whole("a"), delta([part("b")], "message_2"), whole("bc", "message_2")
    )
    assert text_of(turn) == "\n\na\n\nbc"
    assert reader.text == "before\n\na\n\nbc"


def test_user_messages_are_no_answer() -> None:
    mine = frame("thread.message.completed", id="m", role="user", content=[part("q")])
    theirs = frame("thread.message.delta", id="m", delta={"role": "user", "content": [part("q")]})
    _events, turn = played(RunReader(), mine, theirs)
    assert turn.blocks == ()


def test_what_is_not_known_fails_nothing() -> None:
    events, turn = played(
        RunReader(),
        frame("thread.run.dancing", **RUN, status="dancing"),
        frame("thread.run.step.dancing", id="step_1"),
        frame("something.new", x=1),
        Frame("{broken", "thread.message.delta"),
        Frame("[1, 2]", "thread.message.delta"),
        Frame("null", "thread.run.created"),
        Oversized(99),
        delta([part("text")]),
    )
    assert text_of(turn) == "text"
    assert sum(isinstance(event, FrameSkipped) for event in events) == 4
    assert {event.name for event in events if isinstance(event, Unknown)} == {"thread.run.dancing", "something.new"}


def test_frames_without_names_are_told_by_what_they_hold() -> None:
    _events, turn = played(
        RunReader(),
        frame("", **RUN, status="in_progress"),
        frame("message", object="thread.message.delta", id="m", delta={"content": [part("hi")]}),
        frame("", **RUN, status="completed", usage={"prompt_tokens": 3, "completion_tokens": 4}),
    )
    assert (turn.state, text_of(turn)) == ("done", "hi")
    assert turn.usage is not None
    assert (turn.usage.input_tokens, turn.usage.output_tokens) == (3, 4)


@pytest.mark.parametrize(
    "lines",
    [
        'event:error\ndata:{"code":"Throttling.RateQuota","message":"m","request_id":"r"}\n\n',
        'id:1\nevent:error\n:HTTP_STATUS/429\ndata:{"code":"Throttling","message":"m","request_id":"r"}\n\n',
        'event: error\ndata: {"error":{"code":"Throttling","message":"m"},"request_id":"r"}\n\n',
        'data:{"code":"Throttling","message":"m","request_id":"r"}',
    ],
)
def test_an_error_in_the_stream(lines: str) -> None:
    for reader in (RunReader(), ResponseReader()):
        parser = FrameParser()
        frames = [*parser.feed(lines.encode()), *parser.flush()]
        _events, turn = played(reader, *frames)
        assert turn.problem is not None
        assert turn.problem.code.startswith("Throttling")
        assert (turn.problem.delivered, turn.problem.request_id) == ("no", "r")


def test_an_error_after_the_run_began_says_that_it_has_the_question() -> None:
    _events, turn = played(
        RunReader(), frame("thread.run.created", **RUN, status="queued"), frame("error", code="Throttling", message="m")
    )
    assert turn.problem is not None
    assert turn.problem.delivered == "yes"


def test_an_error_that_is_no_json() -> None:
    for reader in (RunReader(), ResponseReader()):
        _events, turn = played(reader, Frame("upstream \x1b[31mdied", "error"))
        assert turn.problem is not None
        assert "died" in turn.problem.sentence
        assert "\x1b" not in turn.problem.sentence


def test_the_name_of_the_event_goes_before_the_status_inside() -> None:
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [CALL]}}
    _events, turn = played(
        RunReader(), frame("thread.run.in_progress", **RUN, status="requires_action", required_action=action)
    )
    assert turn.state == "running"
    _events, turn = played(
        RunReader(), frame("thread.run.requires_action", **RUN, status="in_progress", required_action=action)
    )
    assert turn.state == "waiting"


def test_an_action_that_lingers_is_none() -> None:
    action = {"submit_tool_outputs": {"tool_calls": [CALL]}}
    assert read_run({**RUN, "status": "in_progress", "required_action": action}).calls == ()
    assert len(read_run({**RUN, "status": "requires_action", "required_action": action}).calls) == 1


def test_an_action_without_calls_is_said() -> None:
    _events, turn = played(
        RunReader(), frame("thread.run.requires_action", **RUN, status="requires_action", required_action={})
    )
    assert turn.problem is not None
    assert turn.problem.code == "RequiredActionUnknown"


def step(state: str, *calls: dict[str, Any]) -> Frame:
    details = {"type": "tool_calls", "tool_calls": list(calls)}
    if state == "delta":
        return frame("thread.run.step.delta", id="step_1", delta={"step_details": details})
    return frame(f"thread.run.step.{state}", id="step_1", run_id="run_1", type="tool_calls", step_details=details)


def test_the_pieces_of_a_tool() -> None:
    """As in the vendor's capture: a key that is literally `plugin_name`, and pieces that lack their type."""
    _events, turn = played(
        RunReader(),
        step("created"),
        step("delta", {"type": "quark_search", "quark_search": {"arguments": '{"query": '}}),
        step("delta", {"type": "quark_search", "quark_search": {"arguments": '"tide"}'}}),
        step("delta", {"type": "quark_search", "plugin_name": {"output": "high"}}),
        step("delta", {"quark_search": {"output": " water"}}),
        step("completed", {"type": "quark_search", "plugin_name": {"arguments": "", "output": ""}}),
    )
    assert turn.blocks == (ToolBlock("step_1:0", "quark_search", "done", '{"query": "tide"}', "high water"),)


@pytest.mark.parametrize(
    ("raw", "name", "arguments", "output"),
    [
        (
            {"type": "code_interpreter", "code_interpreter": {"arguments": "1", "output": []}},
            "code_interpreter",
            "1",
            "",
        ),
        (
            {"type": "code_interpreter", "code_interpreter": {"input": "2", "outputs": ["x"]}},
            "code_interpreter",
            "2",
            '["x"]',
        ),
        ({"type": "function", "function": {"name": "f", "arguments": {"a": 1}}}, "f", '{"a":1}', ""),
        ({"type": "t"}, "t", "", ""),
        ({}, "", "", ""),
    ],
)
def test_a_call_in_any_shape(raw: dict[str, Any], name: str, arguments: str, output: str) -> None:
    call = read_step_call(raw)
    assert (call.name, call.arguments, call.output) == (name, arguments, output)


def test_hostile_texts_are_clean() -> None:
    evil = "\x1b]0;owned\x07\u202e"
    action = {"submit_tool_outputs": {"tool_calls": [{"id": evil, "function": {"name": evil, "arguments": evil}}]}}
    _events, turn = played(
        RunReader(),
        delta([part(evil)]),
        step("created"),
        step("delta", {"type": evil, evil: {"arguments": evil, "output": evil}}),
        frame("thread.run.requires_action", **RUN, status="requires_action", required_action=action),
    )
    assert any(isinstance(block, AskBlock) for block in turn.blocks)
    assert not set("\x1b\x07\u202e") & set(repr(turn.blocks).encode().decode("unicode_escape", "ignore"))
    _events, turn = played(
        ResponseReader(),
        frame("x", type="response.output_text.delta", item_id="i", delta=evil),
        frame("x", type="response.output_item.done", item={"type": "web_search_call", "id": evil, "action": evil}),
    )
    assert not any(char in str(turn.blocks) for char in "\x1b\x07\u202e")


def test_assistants_of_any_shape() -> None:
    """Unset things are null, 0, -1 or not there; unknown keys and tools are kept out of the way."""
    bare = read_assistant({"id": "asst_1"})
    assert (bare.model, bare.tools, bare.metadata, bare.temperature, bare.created_at) == ("", (), {}, None, None)
    odd = read_assistant(
        {
            "id": "asst_1",
            "model": "m",
            "tools": [{"type": "new_tool", "deep": {"a": [1]}}, "text", None],
            "metadata": None,
            "file_ids": None,
            "created_at": -1,
            "temperature": "hot",
            "account_id": 7,
        }
    )
    assert [tool.type for tool in odd.tools] == ["new_tool"]
    assert odd.temperature is None
    assert odd.created_at is None
    deep = json.loads('{"a":' * 900 + "1" + "}" * 900)
    tools = [{"type": "function", "function": {"name": "f", "parameters": deep}}, {"type": "rag", "deep": [deep]}]
    assert "null" in json.dumps([tool.extra for tool in read_assistant({"id": "a", "tools": tools}).tools])
    assert read_assistant({"id": "a", "created_at": 1760000000000}).created_at == datetime(
        2025, 10, 9, 8, 53, 20, tzinfo=UTC
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"data: nothing", b"{", b"\xff\xfe", b"null"])
def test_a_body_that_is_no_error(body: bytes) -> None:
    assert read_error(body) is None


def test_a_response_ends_once() -> None:
    item = {"id": "m", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]}
    reader = ResponseReader()
    _events, turn = played(
        reader,
        frame("x", type="response.created", response={"id": "resp_1", "status": "queued"}),
        frame("x", type="response.output_text.delta", item_id="m", content_index=0, delta="h"),
        frame("x", type="response.output_item.done", item=item),
        frame("x", type="response.completed", response={"id": "resp_1", "status": "completed", "output": [item]}),
    )
    assert (turn.state, text_of(turn), turn.ids.message) == ("done", "hi", "resp_1")


def test_a_rate_limit_that_looks_like_a_failure_of_the_server() -> None:
    for model, code in (("", "Throttling.RateQuota"), ("qwen-plus", "server_error")):
        response = {
            "id": "resp_1",
            "status": "failed",
            "model": model,
            "error": {"code": "server_error", "message": "m"},
        }
        _events, turn = played(ResponseReader(), frame("x", type="response.failed", response=response))
        assert turn.problem is not None
        assert turn.problem.code == code


def test_a_response_that_is_incomplete_keeps_what_came() -> None:
    response = {"id": "resp_1", "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    events, turn = played(
        ResponseReader(),
        frame("x", type="response.output_text.delta", item_id="m", delta="half"),
        frame("x", type="response.incomplete", response=response),
    )
    assert (turn.state, text_of(turn)) == ("done", "half")
    assert "max_output_tokens" in str(turn.blocks)
    assert any(isinstance(event, Finished) for event in events)


@pytest.mark.parametrize("count", ["NaN", "1e999", "-Infinity", "9" * 400, "true", '"3"', "[]"])
def test_counts_that_are_none(count: str) -> None:
    usage = f'"usage":{{"input_tokens":{count},"output_tokens":4}}'
    run = Frame(f'{{"id":"run_1","object":"thread.run","status":"completed",{usage}}}', "thread.run.completed")
    response = Frame(f'{{"type":"response.completed","response":{{"id":"resp_1","status":"completed",{usage}}}}}')
    for reader, one in ((RunReader(), run), (ResponseReader(), response)):
        _events, turn = played(reader, one)
        assert turn.state == "done"
        assert turn.usage is not None
        assert (turn.usage.input_tokens, turn.usage.output_tokens) == (0, 4)


def test_a_failed_run_keeps_its_reason() -> None:
    for error in ({"code": "rate_limit_exceeded", "message": "slow down"}, "slow down"):
        events, turn = played(RunReader(), frame("thread.run.failed", **RUN, status="failed", last_error=error))
        assert turn.problem is not None
        assert turn.problem.delivered == "yes"
        assert turn.problem.request_id == "r-1"
        assert any(isinstance(event, Failed) for event in events)
