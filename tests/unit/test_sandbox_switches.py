"""Every switch of the sandbox does what the list says, seen from the outside."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.unit.sandbox_wire import ECHO, ask, asking, blocks, call, events, frames, history, text
from tui.sandbox.faults import parse
from tui.sandbox.server import SandboxServer
from tui.sandbox.switches import SWITCHES

TOOLS = "tools 2"


@pytest.fixture
def sandbox(server: SandboxServer) -> SandboxServer:
    return server


REFUSALS = {
    "wrong-key": (404, "InvalidAccessKeyId.NotFound"),
    "wrong-signature": (400, "SignatureDoesNotMatch"),
    "nonce-used": (400, "SignatureNonceUsed"),
    "clock-skew": (400, "InvalidTimeStamp.Expired"),
    "sts-expired": (400, "InvalidSecurityToken.Expired"),
    "no-permission": (403, "Forbidden.RAM"),
    "throttled": (429, "Throttling.User"),
    "service-unavailable": (503, "ServiceUnavailable"),
    "unknown-action": (404, "InvalidAction.NotFound"),
    "unknown-version": (404, "InvalidVersion"),
    "order-invalid": (400, "InvalidOrder"),
    "too-many-requests": (429, "TooManyRequests"),
    "quota-exceeded": (429, "MoQuotaExceeded"),
    "unknown-user": (404, "UserNotFound"),
    "moderation": (451, "ContentModeration"),
    "invalid-parameter": (400, "InvalidParameter"),
    "http-500": (500, "InternalError"),
    "turns-at-once=0": (429, "TooManyRequests"),
    "tokens-a-day=0": (429, "MoQuotaExceeded"),
    "error-200": (200, "InvalidOrder"),
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_refusals(sandbox: SandboxServer, fault: str) -> None:
    status, code = REFUSALS[fault]

    reply = ask(sandbox.info, fault=fault)

    assert (reply.status_code, reply.json()["Code"]) == (status, code)
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.json()["RequestId"].startswith("SANDBOX-")
    assert ("x-acs-retry-after" in reply.headers) == (fault == "throttled")
    assert sandbox.state()["accepted"] == {}
    assert ask(sandbox.info).status_code == 200


def _pages(info: Any, fault: str) -> list[list[str]]:
    first = call(info, "GetConversations", fault, Limit="2").json()
    last = first["Data"][-1]["Id"]
    second = call(info, "GetConversations", fault, Limit="2", LastId=last).json()
    return [[c["Name"] for c in page["Data"]] for page in (first, second)]


# What a stream looks like with a frame switch: (query, check of the body). The text must be whole unless said.
FRAMES: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    "data-space": (ECHO, lambda b: all(x.startswith(b"data: ") for x in blocks(b))),
    "crlf": (ECHO, lambda b: b.count(b"\r\n") == b.count(b"\n") > 4),
    "event-lines": (ECHO, lambda b: all(x.startswith(b"event:message\n") for x in blocks(b))),
    "id-lines": (ECHO, lambda b: blocks(b)[1].startswith(b"id:2\n")),
    "comments": (ECHO, lambda b: b.count(b": sandbox\n") > 4),
    "multi-line-data": (ECHO, lambda b: blocks(b)[0].count(b"\ndata:") > 3),
    "bom": (ECHO, lambda b: b.startswith(b"\xef\xbb\xbfdata:")),
    "split-utf8": ("echo 主从延迟", lambda b: "主从延迟" in text(b)),
    "one-byte-chunks": ("echo 主从", lambda b: "主从" in text(b)),
    "glued": (ECHO, lambda b: len(blocks(b)) > 6),
    "malformed": (ECHO, lambda b: len(blocks(b)) == len(frames(b)) + 1),
    "malformed-text": (ECHO, lambda b: text(b) == "one two four five six"),
    "no-final-blank": (ECHO, lambda b: b.endswith(b"}\n") and not b.endswith(b"\n\n")),
    "no-finish": (ECHO, lambda b: events(b)[-1] == "message"),
    "message-end": (ECHO, lambda b: events(b)[-1] == "message_end"),
    "lower-keys": (ECHO, lambda b: frames(b)[1].keys() >= {"event", "answer", "ConversationId"}),
    "snake-keys": (ECHO, lambda b: frames(b)[1].keys() >= {"event", "answer", "conversation_id", "task_id"}),
    "conversion-id": (ECHO, lambda b: all("ConversionId" in f and "ConversationId" not in f for f in frames(b))),
    "toolcall": (TOOLS, lambda b: "toolcall" in events(b) and "tool_call" not in events(b)),
    "object-answer": (TOOLS, lambda b: isinstance(_tool(b)["Answer"], dict)),
    "pascal-tool": (TOOLS, lambda b: "ToolCallName" in json.loads(_tool(b)["Answer"])),
    "top-level-tool": (TOOLS, lambda b: "Answer" not in _tool(b) and "tool_call_name" in _tool(b)),
    "tool-not-json": (TOOLS, lambda b: not _tool(b)["Answer"].startswith("{")),
    "late-task": (ECHO, lambda b: ["TaskId" in f for f in frames(b)] == [False] * 5 + [True] * 3),
    "no-task": (ECHO, lambda b: not any("TaskId" in f for f in frames(b))),
    "late-conversation": (ECHO, lambda b: ["ConversationId" in f for f in frames(b)] == [False] * 3 + [True] * 5),
    "message-ids-only": (ECHO, lambda b: all(("MessageId" in f) == (f["Event"] == "message") for f in frames(b))),
    "numeric-ids": (ECHO, lambda b: isinstance(frames(b)[1].get("Id"), int) and len(frames(b)[1]["CreatedAt"]) == 13),
    "null-fields": (ECHO, lambda b: frames(b)[1].get("ToolName", "") is None),
    "empty-deltas": (ECHO, lambda b: any(f["Event"] == "message" and not f["Answer"] for f in frames(b))),
    "unknown-events": (ECHO, lambda b: {"node_started", "ping", "agent_weather", ""} <= set(events(b))),
    "unknown-keys": (ECHO, lambda b: all("metadata" in f for f in frames(b))),
    "bogus-event": (ECHO, lambda b: events(b)[0] == "MysqlIOException"),
    "spaced-event": (ECHO, lambda b: events(b)[1] == " Message "),
    "not-objects": (ECHO, lambda b: sum(not isinstance(f, dict) for f in frames(b)) == 5),
    "duplicate-frames": (TOOLS, lambda b: events(b).count("tool_call") == 8),
    "one-frame": (ECHO, lambda b: events(b) == ["workflow_started", "message", "workflow_finished"]),
    "inline": (TOOLS, lambda b: "tool_call" not in events(b) and "```tool_call" in text(b)),
    "after-finish": (ECHO, lambda b: events(b)[-3:] == ["workflow_finished", "ping", "billing_closed"]),
}
_OWN_SPELLING = {"malformed-text", "lower-keys", "snake-keys", "spaced-event"}


def _tool(body: bytes) -> Any:
    return next(f for f in frames(body) if f["Event"].strip().lower().replace("_", "") == "toolcall")


@pytest.mark.parametrize("fault", FRAMES)
def test_the_form_of_frames(sandbox: SandboxServer, fault: str) -> None:
    query, check = FRAMES[fault]
    plain = ask(sandbox.info, query).content
    assert not check(plain) or fault in ("split-utf8", "one-byte-chunks", "glued")

    body = ask(sandbox.info, query, fault).content

    assert check(body), body
    if fault not in _OWN_SPELLING:
        assert history(sandbox.info)[0]["Answer"] == text(body)


def test_bytes_and_characters_are_split_over_chunks(sandbox: SandboxServer) -> None:
    for fault in ("split-utf8", "one-byte-chunks"):
        with asking(sandbox.info, "echo 主从", fault) as response:
            chunks = list(response.iter_raw())
        assert any(chunk == "主".encode()[:1] for chunk in chunks)


def test_frames_are_glued(sandbox: SandboxServer) -> None:
    with asking(sandbox.info, "bench 1", "glued=50") as response:
        longest = max(chunk.count(b"\n\n") for chunk in response.iter_raw())
    assert longest == 50


TURNS: dict[str, Callable[[bytes, Any], bool]] = {
    "pings": lambda b, m: events(b).count("ping") == 4,
    "empty-answer": lambda b, m: text(b) == m["Answer"] == "",
    "error-frame=3": lambda b, m: events(b)[-1] == "error" and frames(b)[-1]["Code"] == "InternalError",
    "error-frame-lower=3": lambda b, m: frames(b)[-1]["event"] == "error" and frames(b)[-1]["status"] == 500,
    "message-replace": lambda b, m: m["Answer"].startswith("(corrected) ") and "message_replace" in events(b),
    "huge-frame": lambda b, m: len(m["Answer"]) > 2_000_000 and m["Answer"] == text(b),
    "chart": lambda b, m: "chart" in events(b) and "chart" in [e["event"] for e in m["Events"]],
    "silence=0.01": lambda b, m: m["Answer"] == text(b) != "",
}


@pytest.mark.parametrize("fault", TURNS)
def test_what_happens_in_the_turn_is_in_the_history_too(sandbox: SandboxServer, fault: str) -> None:
    body = ask(sandbox.info, TOOLS, fault).content

    (message,) = history(sandbox.info)
    assert TURNS[fault](body, message), body[-500:]
    assert message["GenerationStatus"] == ("failed" if fault.startswith("error") else "finished")


DROPS = {"drop-after=3": 3, "reset-after=3": 3, "drop-mid-frame=4": 3, "end-after=3": 3}


@pytest.mark.parametrize("fault", DROPS)
def test_a_turn_goes_on_when_its_connection_is_lost(sandbox: SandboxServer, fault: str) -> None:
    body = b""
    with asking(sandbox.info, ECHO, fault) as response:
        assert response.status_code == 200
        try:
            for chunk in response.iter_raw():
                body += chunk
            dropped = False
        except httpx.TransportError:
            dropped = True
    assert dropped == (fault != "end-after=3")
    assert events(body) == ["workflow_started", "message", "message"]
    assert body.endswith(b"\n\n") == (not fault.startswith("drop-mid"))

    sandbox.wait_for(lambda state: not state["running"])
    assert history(sandbox.info)[0]["Answer"] == ECHO.removeprefix("echo ")
    assert sandbox.state()["accepted"] == {ECHO: 1}


@pytest.mark.parametrize(("fault", "accepted"), [("drop-before-accept", {}), ("drop-after-accept", {ECHO: 1})])
def test_the_connection_is_lost_before_the_reply(sandbox: SandboxServer, fault: str, accepted: dict[str, int]) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        ask(sandbox.info, ECHO, fault)

    assert sandbox.state()["accepted"] == accepted


def test_a_turn_dies_with_its_connection(sandbox: SandboxServer) -> None:
    with asking(sandbox.info, "hold 3", "dies-with-connection") as response:
        sandbox.wait_for(lambda state: state["holding"])
        assert response.status_code == 200

    sandbox.wait_for(lambda state: not state["running"])
    (message,) = history(sandbox.info)
    assert (message["Answer"], message["GenerationStatus"]) == ("word1 word2 word3", "lost")


def test_hold_and_release(sandbox: SandboxServer) -> None:
    with asking(sandbox.info, ECHO, "hold=3") as response:
        sandbox.wait_for(lambda state: state["holding"])
        assert history(sandbox.info)[0]["Answer"] == "one two"
        assert history(sandbox.info)[0]["GenerationStatus"] == "running"
        assert sandbox.release() == 1
        assert text(response.read()) == ECHO.removeprefix("echo ")


def _stopped(sandbox: SandboxServer, fault: str) -> tuple[httpx.Response, bytes]:
    with asking(sandbox.info, "hold 3") as response:
        (task,) = sandbox.wait_for(lambda state: state["holding"])["running"]
        reply = call(sandbox.info, "ChatMessagesTaskStop", fault, TaskId=task)
        sandbox.release()
        return reply, response.read()


def test_stops(sandbox: SandboxServer) -> None:
    reply, body = _stopped(sandbox, "")
    assert (reply.json()["Result"], text(body), events(body)[-1]) == (
        "success",
        "word1 word2 word3",
        "workflow_finished",
    )
    assert history(sandbox.info)[0]["GenerationStatus"] == "stopped"
    reply, body = _stopped(sandbox, "stop-cuts")
    assert (reply.json()["Result"], events(body)[-1]) == ("success", "message")
    reply, body = _stopped(sandbox, "stop-ignored")
    assert reply.json()["Result"] == "success"
    assert "the rest" in text(body)
    reply, body = _stopped(sandbox, "stop-unknown")
    assert (reply.status_code, reply.json()["Code"]) == (404, "TaskNotFound")
    assert sandbox.state()["stop_calls"] == 4


def test_pages_and_bodies_that_are_not_the_services(sandbox: SandboxServer) -> None:
    info = sandbox.info
    reply = ask(info, fault="html-502")
    assert (reply.status_code, reply.headers["content-type"].split(";")[0]) == (502, "text/html")
    assert ask(info, fault="html-200").text.startswith("<html>")
    assert ask(info, "echo " + "x" * 300, "url-limit=300").status_code == 414
    assert ask(info, "echo " + "x" * 9000).status_code == 200
    moved = ask(info, fault="redirect")
    assert (moved.status_code, moved.headers["location"]) == (302, "/_sandbox/moved")
    assert sandbox.state()["moved"] == 0
    httpx.post(info.url + moved.headers["location"], trust_env=False, verify=False)
    assert sandbox.state()["moved"] == 1
    assert ask(info, fault="http-500,lower-error").json()["code"] == "InternalError"
    xml = ask(info, fault="http-500,xml-error")
    assert xml.headers["content-type"] == "text/xml;charset=utf-8"
    assert "<Error>" in xml.text
    assert ask(info, fault="http-500,bare-error").content == b""


def test_bodies_are_packed_cut_and_late(sandbox: SandboxServer) -> None:
    info = sandbox.info
    with asking(info, "echo packed", "gzip") as response:
        assert response.headers["content-encoding"] == "gzip"
        assert text(gzip.decompress(b"".join(response.iter_raw()))) == "packed"
    assert call(info, "GetConversations", "gzip").json()["HasMore"] == "false"
    assert call(info, "GetConversations", "empty-json").json() == {}
    with pytest.raises(ValueError, match=r"."):
        call(info, "GetConversations", "truncated-json").json()
    assert ask(info, fault="slow-start=0.2").elapsed.total_seconds() >= 0.2


def test_lists(sandbox: SandboxServer) -> None:
    info = sandbox.info
    for number in range(3):
        ask(info, f"echo {number}")
    assert call(info, "GetConversations", "sortby-empty", SortBy="UpdatedAt").json() == {}
    assert len(call(info, "GetConversations", SortBy="UpdatedAt").json()["Data"]) == 3
    assert call(info, "GetConversations", "has-more-bool").json()["HasMore"] is False
    assert len(call(info, "GetConversations", "ms-timestamps").json()["Data"][0]["CreatedAt"]) == 13
    assert call(info, "GetConversations", "iso-timestamps").json()["Data"][0]["CreatedAt"].endswith("Z")
    assert _pages(info, "") == [["echo 2", "echo 1"], ["echo 0"]]
    assert _pages(info, "overlapping-pages") == [["echo 2", "echo 1"], ["echo 1", "echo 0"]]
    assert _pages(info, "endless-pages") == [["echo 2", "echo 1"], ["echo 2", "echo 1"]]
    conversation = call(info, "GetConversations").json()["Data"][0]["Id"]
    ask(info, "echo again", ConversationId=conversation)
    assert [m["Answer"] for m in history(info)] == ["2", "again"]
    assert [m["Answer"] for m in history(info, "newest-first")] == ["again", "2"]
    assert [m["Answer"] for m in history(info, "history-lags=3")] == ["2", "ag"]
    assert history(info, "history-empty") == []
    assert "Answer" not in history(info, "no-answer-field")[1]
    assert history(info, "no-answer-field")[1]["Events"][-1]["answer"] == "again"


def test_agents(sandbox: SandboxServer) -> None:
    info = sandbox.info
    made = call(info, "CreateCustomAgent", SystemPrompt="p", EnableTools="TRUE", Tools='["describe_backups"]').json()

    def got(fault: str) -> Any:
        return call(info, "GetCustomAgent", fault, CustomAgentId=made["Id"]).json()

    number = got("numeric-agent-id")["Id"]
    assert isinstance(number, int)
    assert call(info, "GetCustomAgent", CustomAgentId=str(number)).json()["Id"] == made["Id"]
    assert got("tools-string")["Tools"] == "[describe_backups]"
    assert got("enable-tools-string")["EnableTools"] == "true"
    assert "TotalCount" not in call(info, "ListCustomAgent").json()
    assert call(info, "ListCustomAgent", "total-count").json()["TotalCount"] == 1


def test_every_switch_is_shown(request: pytest.FixtureRequest) -> None:
    """Here, or beside what it belongs to."""
    source = "".join(path.read_text(encoding="utf-8") for path in request.path.parents[1].rglob("test_*.py"))
    missing = [name for name in SWITCHES if f'"{name}' not in source and f",{name}" not in source]
    assert missing == []


def test_how_switches_are_written() -> None:
    assert (parse("drop-after").argument, parse("drop-after").action) == ("5", "ChatMessages")
    fault = parse("html-502@GetMessages")
    assert (fault.fits("GetMessages"), fault.fits("ChatMessages")) == (True, False)
    assert parse("ms-timestamps").fits("ListCustomAgent")
    for wrong in ("no-such-switch", "drop-after=soon", ""):
        with pytest.raises(ValueError, match=r"."):
            parse(wrong)


def test_one_time_switches_are_used_up_by_what_they_fit(sandbox: SandboxServer) -> None:
    sandbox.fault_once("http-500", "http-500", "html-502@GetMessages")
    assert call(sandbox.info, "GetConversations").status_code == 200
    assert [ask(sandbox.info).status_code for _ in range(3)] == [500, 500, 200]
    assert sandbox.state()["faults"] == {"set": [], "once": ["html-502@GetMessages"]}
    sandbox.set_faults("moderation")
    assert [ask(sandbox.info).status_code for _ in range(2)] == [451, 451]
    with pytest.raises(ValueError, match="no switch"):
        sandbox.set_faults("nonsense")
    assert ask(sandbox.info, fault="nonsense").json()["Code"] == "Sandbox.UnknownSwitch"
