"""One frame, one meaning: the translator on its own, no HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tui.models import AskBlock, AskCall, ChartBlock, Link, TableBlock, TurnIds
from tui.services.events import (
    Asked,
    ChartFound,
    DocumentFound,
    Event,
    Failed,
    Finished,
    FrameSkipped,
    Heartbeat,
    Status,
    TextDelta,
    TextReplaced,
    ThinkingDelta,
    ToolProgress,
    TurnStarted,
    Unknown,
    UsageReported,
)
from tui.services.rds_frames import RdsFrames


def feed(*frames: dict[str, Any]) -> list[Event]:
    translator = RdsFrames()
    return [event for frame in frames for event in translator.feed(json.dumps(frame))]


IDS = {"ConversationId": "c", "MessageId": "m", "TaskId": "t", "RequestId": "r"}


@pytest.mark.parametrize(
    ("frame", "event"),
    [
        ({"Event": "message", "Answer": "piece"}, TextDelta("piece")),
        ({"event": "message", "answer": "piece"}, TextDelta("piece")),
        ({"Event": " Message ", "Answer": "piece"}, TextDelta("piece")),
        ({"Event": "agent_message", "Answer": "piece"}, TextDelta("piece")),
        ({"Answer": "no event at all"}, TextDelta("no event at all")),
        ({"Event": "message", "Answer": {"text": "inside"}}, TextDelta("inside")),
        ({"Event": "message", "Answer": {"x": 1}}, TextDelta('{"x":1}')),
        ({"Event": "message", "Answer": 7}, TextDelta("7")),
        ({"Event": "message", "Answer": ""}, Heartbeat()),
        ({"Event": "message", "Answer": None}, Heartbeat()),
        ({"Event": "message"}, Heartbeat()),
        ({"Event": "message_replace", "Answer": "all of it"}, TextReplaced("all of it")),
        ({"Event": "thinking", "Answer": "hmm"}, ThinkingDelta("hmm")),
        ({"Event": "ping"}, Heartbeat()),
        ({}, Heartbeat()),
        ({"Event": "node_started", "data": {"title": "Looking up"}}, Status("Looking up")),
        ({"Event": "node_finished", "data": {"title": "Looking up"}}, Heartbeat()),
        ({"Event": "MysqlIOException"}, Unknown("MysqlIOException")),
        ({"Event": "weather", "Answer": "rain"}, Unknown("weather", "rain")),
        # tools, in every spelling
        (
            {"Event": "tool_call", "Answer": '{"tool_call_name":"n","tool_call_id":"1","status":"start"}'},
            ToolProgress("1", "n", "running"),
        ),
        (
            {
                "Event": "toolcall",
                "Answer": {"ToolCallName": "n", "ToolCallId": "1", "Status": "end", "Response": "2 rows"},
            },
            ToolProgress("1", "n", "done", result="2 rows"),
        ),
        (
            {"Event": "tool_call", "tool_call_name": "n", "tool_call_id": "1", "status": "pending"},
            ToolProgress("1", "n", "running"),
        ),
        (
            {"Event": "tool_call", "ToolName": "n", "CallId": "1", "status": "failed", "ToolArguments": {"a": "值"}},
            ToolProgress("1", "n", "failed", '{"a":"值"}'),
        ),
        ({"Event": "tool_call", "Answer": "not JSON"}, ToolProgress("", "", "done", result="not JSON")),
        (
            {"Event": "tool_call", "Answer": '{"status":"start"'},
            ToolProgress("", "", "done", result='{"status":"start"'),
        ),
        # documents
        (
            {
                "Event": "doc",
                "title": "Storage",
                "Answer": '[{"url":"https://help.example/x","title":"X"},{"url":"javascript:1"}]',
            },
            DocumentFound("Storage", (Link("X", "https://help.example/x"),)),
        ),
        (
            {"Event": "doc", "Answer": {"url": "https://h.example"}},
            DocumentFound("Documents", (Link("https://h.example", "https://h.example"),)),
        ),
        ({"Event": "doc", "Answer": "plain text"}, DocumentFound("Documents", (), "plain text")),
        ({"Event": "doc", "Answer": '["a","b"]'}, DocumentFound("Documents", (), '["a","b"]')),
        # what is not published
        ({"Event": "sub_task_start", "title": "Check"}, ToolProgress("subtask:Check", "Check", "running")),
        (
            {"Event": "sub_task_end", "title": "Check", "text": "fine"},
            ToolProgress("subtask:Check", "Check", "done", result="fine"),
        ),
        (
            {
                "Event": "chart",
                "Answer": {
                    "title": "CPU",
                    "x_field": "t",
                    "y_field": "cpu",
                    "type": "line",
                    "data": [{"t": "1", "cpu": 2}],
                },
            },
            ChartFound(ChartBlock("line", "CPU", "t", ("cpu",), TableBlock(("t", "cpu"), (("1", "2"),), "CPU"))),
        ),
        ({"Event": "chart", "Answer": "no chart"}, Unknown("chart", "no chart")),
    ],
)
def test_a_frame_becomes(frame: dict[str, Any], event: Event) -> None:
    assert feed(frame) == [event]


@pytest.mark.parametrize("name", ["workflow_finished", "WorkflowFinished", "message_end", "finish"])
def test_an_end_marker_ends(name: str) -> None:
    translator = RdsFrames()
    translator.feed(json.dumps({"Event": name}))

    assert translator.ended
    assert translator.end() == Finished("done")


def test_openai_style_done_ends() -> None:
    translator = RdsFrames()

    assert translator.feed("[DONE]") == [Heartbeat()]
    assert translator.end() == Finished("done")


def test_no_end_marker_is_cut_off_and_a_stop_is_a_stop() -> None:
    assert RdsFrames().end() == Finished("cut_off")
    assert RdsFrames().end(stopped=True) == Finished("stopped")


def test_tokens_are_told_at_the_end() -> None:
    usage = {"Event": "message_end", "metadata": {"usage": {"prompt_tokens": 12, "completion_tokens": 34}}}

    assert feed(usage) == [UsageReported(12, 34)]


def test_odd_counts_of_tokens_are_none() -> None:
    usage = {"prompt_tokens": float("nan"), "completion_tokens": float("inf")}

    assert feed({"Event": "message_end", "usage": usage}) == [Heartbeat()]


@pytest.mark.parametrize(
    ("spelling", "value"),
    [
        ("ConversationId", "c"),
        ("ConversionId", "c"),
        ("conversation_id", "c"),
        ("conversationId", "c"),
        ("ConversationId", 17),
    ],
)
def test_ids_are_taken_from_any_frame_in_any_spelling(spelling: str, value: object) -> None:
    assert feed({"Event": "tool_call", spelling: value})[0] == TurnStarted(TurnIds(conversation=str(value)))


def test_ids_gather_and_the_first_task_stays() -> None:
    events = feed(
        {"Event": "workflow_started", "ConversationId": "c", "MessageId": "m", "Id": "another"},
        {"Event": "message", "Answer": "a", "TaskId": "t-1"},
        {"Event": "message", "Answer": "b", "TaskId": "t-2", "ConversationId": ""},
    )

    started = [event.ids for event in events if isinstance(event, TurnStarted)]
    assert started == [TurnIds("c", "m"), TurnIds("c", "m", "t-1")]


@pytest.mark.parametrize(
    "data", ["", "{", '{"Event":"message","Answer":"cut', "[" * 100_000, "1" * 5000, "[]", "null", '"text"', "1"]
)
def test_a_broken_frame_is_counted_and_skipped(data: str) -> None:
    (event,) = RdsFrames().feed(data)

    assert isinstance(event, FrameSkipped)
    assert event.size == len(data)


def approval(call: str, status: str, **more: Any) -> dict[str, Any]:
    return {"Event": "whatever_it_is_called", "ApprovalStatus": status, "RoundId": "round-1", "CallId": call, **more}


def test_an_approval_round_is_known_by_its_fields_and_is_one_ask() -> None:
    translator = RdsFrames()
    frames = [
        approval("1", "pending", ToolName="restart", ToolArguments={"DBInstanceId": "rm"}, Description="Restarts"),
        approval("2", "pending", ToolName="delete"),
        approval("1", "approved"),
    ]

    asks = [event.ask for frame in frames for event in translator.feed(json.dumps(frame)) if isinstance(event, Asked)]

    first = AskCall("1", "restart", '{"DBInstanceId":"rm"}', "Restarts", "pending")
    assert asks[0] == AskBlock("approval", "round-1", calls=(first,))
    assert [call.status for call in asks[2].calls] == ["approved", "pending"]
    assert asks[2].calls[0].arguments == first.arguments
    assert asks[2].answered == ""
    assert translator.end() == Finished("waiting")
    (decided,) = translator.feed(json.dumps(approval("2", "rejected")))
    assert isinstance(decided, Asked)
    assert decided.ask.answered == "approved, rejected"
    translator.feed(json.dumps({"Event": "workflow_finished"}))
    assert translator.end() == Finished("done")


@pytest.mark.parametrize("code", ["200", 200, "0", "success", ""])
def test_an_end_that_says_success_is_no_error(code: object) -> None:
    translator = RdsFrames()
    translator.feed(json.dumps({"Event": "workflow_finished", "Code": code, "Message": "OK", **IDS}))

    assert translator.end() == Finished("done")


@pytest.mark.parametrize("status", [503, "503"])
def test_an_error_frame_may_name_its_status(status: object) -> None:
    translator = RdsFrames()
    translator.feed(json.dumps({"event": "error", "status": status, "code": "Odd", "message": "m"}))
    ended = translator.end()

    assert isinstance(ended, Failed)
    assert (ended.problem.status, ended.problem.retryable) == (503, True)


@pytest.mark.parametrize(
    "frame",
    [
        {"Event": "error", "Code": "InternalError", "Message": "m", **IDS},
        {"event": "error", "status": 500, "code": "InternalError", "message": "m", **IDS},
        {"Code": "InternalError", "Message": "m", **IDS},
    ],
)
def test_an_error_frame_fails_the_turn_and_keeps_its_request_id(frame: dict[str, Any]) -> None:
    translator = RdsFrames()
    translator.feed(json.dumps({"Event": "message", "Answer": "some text", **IDS}))
    translator.feed(json.dumps(frame))
    ended = translator.end()

    assert isinstance(ended, Failed)
    assert ended.problem.code == "InternalError"
    assert (ended.problem.delivered, ended.problem.request_id) == ("yes", "r")


def test_a_refusal_as_the_first_frame_delivers_nothing() -> None:
    translator = RdsFrames()
    translator.feed(json.dumps({"RequestId": "r", "Code": "InvalidOrder", "Message": "No valid order found"}))
    ended = translator.end()

    assert isinstance(ended, Failed)
    assert (ended.problem.delivered, ended.problem.title) == ("no", "No valid order")


HOSTILE = "\x1b]0;owned\x07 [bold]x[/] \u202e \x00\ud800 \x9b31m"


@pytest.mark.parametrize(
    "frame",
    [
        {"Event": "message", "Answer": HOSTILE},
        {"Event": HOSTILE, "Answer": HOSTILE},
        {
            "Event": "tool_call",
            "tool_call_name": HOSTILE,
            "tool_call_id": HOSTILE,
            "response": HOSTILE,
            "arguments": {HOSTILE: 1},
        },
        {"Event": "doc", "title": HOSTILE, "Answer": [{"url": "https://x/" + HOSTILE, "title": HOSTILE}]},
        {"Event": "thinking", "Answer": HOSTILE},
        {"Event": "chart", "x_field": HOSTILE, "y_field": [HOSTILE], "title": HOSTILE, "data": [{HOSTILE: HOSTILE}]},
        {"Event": "x", "ConversationId": HOSTILE, "TaskId": HOSTILE},
        {
            "ApprovalStatus": HOSTILE,
            "CallId": HOSTILE,
            "ToolName": HOSTILE,
            "Description": HOSTILE,
            "ToolArguments": HOSTILE,
        },
        {"Event": "sub_task_start", "title": HOSTILE},
        {"Event": "node_started", "data": {"title": HOSTILE}},
    ],
)
def test_no_control_character_of_theirs_gets_through(frame: dict[str, Any]) -> None:
    def texts(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        if isinstance(value, tuple):
            return [text for item in value for text in texts(item)]
        slots = getattr(type(value), "__slots__", ())
        return [text for slot in slots for text in texts(getattr(value, slot))]

    for event in feed(frame):
        for text in texts(event):
            assert all(char in "\n\t" or char.isprintable() or char == "\u3000" for char in text), (event, text)
            text.encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = [
    "message",
    "tool_call",
    "doc",
    "thinking",
    "chart",
    "sub_task",
    "error",
    "message_end",
    "message_replace",
    "x",
    "node_started",
]
KEYS = [
    "Answer",
    "ConversationId",
    "TaskId",
    "title",
    "x_field",
    "y_field",
    "data",
    "metadata",
    "Code",
    "Message",
    "Status",
    "CallId",
    "RoundId",
    "ApprovalStatus",
    "ToolArguments",
    "ToolName",
]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(KEYS), json_values, max_size=6))
def test_no_frame_breaks_the_translator(name: str, fields: dict[str, Any]) -> None:
    translator = RdsFrames()

    events = translator.feed(json.dumps({"Event": name, **fields}))

    assert events
    assert isinstance(translator.end(), (Finished, Failed))


_PIECES = st.fixed_dictionaries(
    {
        "Event": st.sampled_from(["message", "message", "AgentMessage", "thinking", "error", ""]),
        "Answer": st.sampled_from(["a", "b\n", "\r", "", "\x1b[2J", '{"text": "c"}', None, {"text": "d"}, 7]),
        "TaskId": st.sampled_from(["1", "1", "2"]),
    },
    optional={
        "ApprovalStatus": st.just("pending"),
        "CallId": st.just("c"),
        "Code": st.just("E"),
        "Message": st.just("m"),
    },
)


_ODD = {"Event": "AgentMessage", "Answer": "a", "TaskId": "1", "Message": "m", "Code": "E"}


@settings(max_examples=300, deadline=None)
@given(st.lists(_PIECES, min_size=2, max_size=12))
@example([_ODD, _ODD, {**_ODD, "Answer": ""}])  # without a text the same frame is an error
def test_a_frame_after_others_says_what_it_says_by_itself(pieces: list[dict[str, Any]]) -> None:
    """Another piece of the same text is read on a way of its own."""
    known, anew = RdsFrames(), RdsFrames()
    for piece in pieces:
        anew._piece = {}
        assert known.feed(json.dumps(piece)) == anew.feed(json.dumps(piece))
    assert known.end() == anew.end()
