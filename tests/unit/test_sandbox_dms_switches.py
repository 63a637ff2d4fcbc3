"""Every switch of the Data Agent's sandbox does what the list says, seen from the outside."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.unit.dms_wire import Agent, kinds, parsed, text_of
from tests.unit.sandbox_wire import blocks
from tests.unit.test_sandbox_dms import block_texts, by_key
from tui.sandbox.server import SandboxServer


@pytest.fixture
def agent(server: SandboxServer) -> Agent:
    agent = Agent(server)
    agent.begin()
    return agent


def turn(agent: Agent, text: str, fault: str = "") -> list[dict[str, Any]]:
    """The whole log of a turn that was asked for with `fault`."""
    agent.send(text, fault)
    agent.settle()
    return agent.events()


# --- sessions --------------------------------------------------------------------------------------------------


def test_runtimes_that_fail_and_statuses(agent: Agent) -> None:
    assert agent.describe("session-creating")["SessionStatus"] == "CREATING"
    assert agent.describe("session-creating")["AgentStatus"] == "RUNNING"
    assert agent.describe("lower-status")["AgentStatus"] == "running"
    agent.server.advance(4000)
    agent.describe("runtime-life=5000")
    failed = agent.begin("agent-failed")
    assert (failed["AgentStatus"], failed["SessionStatus"]) == ("FAILED", "FAILED")


def test_settable_lives(agent: Agent) -> None:
    agent.server.advance(100)
    assert agent.describe("runtime-life=160")["AgentStatus"] == "RUNNING"
    assert agent.describe("runtime-life=90")["AgentStatus"] == "STOPPED"
    assert agent.describe("session-life=90")["AgentId"] == ""


def test_kept_chats(agent: Agent) -> None:
    whole = turn(agent, "echo one")[:-1]
    agent.server.advance(22_000)

    def kept(fault: str) -> str:
        [place] = agent.describe(fault)["ChatHistoryLocations"]
        return httpx.get(place["Url"], trust_env=False, verify=False).text

    first = kept("kept-chats")
    assert [json.loads(line) for line in first.split("\n")] == whole
    for form in ("stream", "strange", "none"):
        agent.begin()
        turn(agent, "echo one")
        agent.server.advance(22_000)
        if form == "none":
            assert agent.describe("kept-chats=none")["ChatHistoryLocations"] == []
        elif form == "stream":
            assert kinds(parsed(kept("kept-chats=stream").encode())) == kinds(whole)
        else:
            assert "sandbox data" in kept("kept-chats=strange")


def test_messages_that_are_refused_or_lost(agent: Agent) -> None:
    here = {"SessionId": agent.session, "Message": "echo x"}
    busy = agent.post("SendChatMessage", "session-busy", **here).json()
    assert busy.keys() == {"success", "error_code", "error_message", "request_id"}
    assert (busy["success"], busy["error_code"]) == (True, "DMS.DataAgent.SessionInBusy")
    assert agent.refused("SendChatMessage", "business-error=Some.Code", **here) == "Some.Code"
    assert agent.refused("SendChatMessage", "agent-mismatch", **here) == "DMS.DataAgent.AgentMismatch"
    assert agent.server.state()["accepted"] == {}
    assert agent.refused("SendChatMessage", "accepted-500", **here) == "InternalError"
    agent.settle()
    with pytest.raises(httpx.TransportError):
        agent.post("SendChatMessage", "drop-after-accept", **here)
    agent.settle()
    assert agent.server.state()["accepted"] == {"echo x": 2}


def test_reply_to_switches(agent: Agent) -> None:
    agent.send("ask")
    agent.settle()
    here = {"SessionId": agent.session, "Message": "yes"}
    assert agent.refused("SendChatMessage", "reply-to-needed", **here) == "DMS.DataAgent.InvalidReplyTo"
    agent.send("yes", "any-reply-to", ReplyTo="999999")
    agent.settle()
    assert agent.server.state()["accepted"]["yes"] == 1


def test_queued_turns_and_cancels_that_do_nothing(agent: Agent) -> None:
    agent.send("hold", "queued=0.1")
    assert (agent.log["frames"], agent.log["status"]) == (0, "RUNNING")
    agent.server.wait_for(lambda state: state["dms"]["holding"])
    agent.send("stop", "cancel-ignored", MessageType="cancel")
    assert agent.log["status"] == "RUNNING"
    agent.server.release()
    agent.settle()
    assert agent.events()[-2]["event_type"] == "chat_finish"


def test_the_envelope(agent: Agent) -> None:
    here = {"SessionId": agent.session}
    camel = agent.post("DescribeDataAgentSession", "camel-keys", **here).json()
    assert camel["data"]["agentStatus"] == "RUNNING"
    snake = agent.post("DescribeDataAgentSession", "snake-keys", **here).json()
    assert snake["data"]["session_id"] == agent.session
    pascal = by_key(agent, "control", "DescribeDataAgentSession", "pascal-keys", **here).json()
    assert pascal["Data"]["AgentStatus"] == "RUNNING"
    listed = by_key(agent, "control", "ListDataAgentSession", "pascal-keys").json()
    assert len(listed["Data"]) == 1
    wrapped = by_key(agent, "control", "DescribeDataAgentSession", "wrapped", **here).json()
    assert wrapped["data"]["data"]["agentStatus"] == "RUNNING"
    status = by_key(agent, "control", "DescribeDataAgentSession", "key-status")
    assert (status.status_code, status.json()["success"]) == (400, False)
    assert status.json()["code"] == "MissingSessionId"
    with_key = agent.post("DescribeFileUploadSignature", "snake-keys").json()
    assert "OssSignature" in with_key["data"]


# --- the log of a turn -----------------------------------------------------------------------------------------


def test_numbers_and_ids_of_events(agent: Agent) -> None:
    shared = turn(agent, "cells 2")
    assert len({frame["checkpoint"] for frame in shared}) < len(shared) - 1
    agent.begin()
    counted = turn(agent, "cells 2", "counting-checkpoints,event-ids")
    assert [frame["checkpoint"] for frame in counted[:-1]] == list(range(1, len(counted)))
    assert len({frame["event_id"] for frame in counted[:-1]}) == len(counted) - 1
    assert kinds(shared) == kinds(counted)


def test_blocks(agent: Agent) -> None:
    frames = turn(agent, "conclude one two three", "snapshots")
    assert kinds(frames)[-4:-2] == [("data", "output_conclusion"), ("content_finish", "output_conclusion")]
    assert frames[-4]["content"] == text_of(frames, "output_conclusion") == "one two three"
    frames = turn(agent, "conclude x", "unfinished-block")
    assert kinds(frames)[-3:] == [("delta", "think"), ("chat_finish", "chat"), ("SSE_FINISH", "")]


def test_cells(agent: Agent) -> None:
    frames = turn(agent, "cells 1", "object-results,old-outputs")
    contents = [json.loads(text) for text in block_texts(frames, "tool_call_response")]
    assert contents[-1]["result"]["nb_file_outputs"] == []
    assert contents[-1]["result"]["outputs"][0]["output_type"] == "display_data"
    assert contents[0]["result"]["outputs"][0]["metadata"] == {"content_type": "dms/executing"}


def test_turns_that_fail(agent: Agent) -> None:
    frames = turn(agent, "cells 9", "error-frame=8")
    assert len(frames) == 10
    assert frames[-2]["event_type"] == "SSE_FAILURE"
    assert json.loads(frames[-2]["content"])["code"] == "InternalError"
    assert turn(agent, "error", "failure-text")[-2]["content"] == "runtime lost (sandbox data)"


def test_turns_that_wait(agent: Agent) -> None:
    agent.send("cells 3", "hold=7")
    agent.server.wait_for(lambda state: state["dms"]["holding"])
    assert agent.log["frames"] == 7
    assert agent.server.release() == 1
    agent.settle()
    agent.send("cells 3", "silence=0.01")
    agent.settle()


def test_huge_frames(agent: Agent) -> None:
    frames = turn(agent, "cells 3", "huge-frame=2000000")
    assert max(len(frame["content"]) for frame in frames) == 2_000_000


# --- one connection --------------------------------------------------------------------------------------------


@pytest.fixture
def whole(agent: Agent) -> list[dict[str, Any]]:
    """The log that the connections show."""
    return turn(agent, "conclude 观测 the quick brown fox jumps over the lazy dog")


def test_ends(agent: Agent, whole: list[dict[str, Any]]) -> None:
    assert agent.events("drop-after=3") == agent.events("end-after=3") == agent.events("reset-after=3") == whole[:3]
    assert agent.events("drop-mid-frame=3") == whole[:2]
    finished = agent.events("finish-after=3")
    assert (finished[:3], finished[3]["event_type"], len(finished)) == (whole[:3], "SSE_FINISH", 4)
    assert agent.events("no-sse-finish") == whole[:-1]
    assert agent.server.state()["dms"]["counts"]["streams lost"] == 3


def test_bytes(agent: Agent, whole: list[dict[str, Any]]) -> None:
    for fault in (
        *("gzip", "split-utf8", "one-byte-chunks", "glued=20", "crlf", "bom", "comments", "malformed"),
        *("id-lines", "no-final-blank"),
    ):
        assert agent.events(fault)[:-1] == whole[:-1], fault
    assert agent.read("bom").startswith(b"\xef\xbb\xbf")
    assert b": sandbox" in agent.read("comments")
    assert b'"content":"brok\n' in agent.read("malformed")
    assert b"\nid: 2\nevent: " in agent.read("id-lines")
    assert blocks(agent.read("multi-line-data"))[0].count(b"\ndata: ") > 3
    assert not agent.read("no-final-blank").endswith(b"\n\n")


def test_event_lines(agent: Agent, whole: list[dict[str, Any]]) -> None:
    assert all(block.startswith(b"event: ") for block in blocks(agent.read()))
    assert b"event:" not in agent.read("no-event-lines")
    assert b"event: chat_start at " in agent.read("event-at")
    upper = agent.read("upper-names")
    assert b"event: CHAT_START\n" in upper
    assert ("CHAT_FINISH", "CHAT") in kinds(parsed(upper))
    assert parsed(upper)[1]["content_type"] == "str"


def test_unknown_events_and_objects(agent: Agent, whole: list[dict[str, Any]]) -> None:
    names = [kind[0] for kind in kinds(agent.events("unknown-events"))]
    assert names[2:6] == ["SSE_VERSION", "STREAM", "weather_change", "data"]
    turn(agent, "everything")
    plan = next(frame for frame in agent.events("object-content") if frame["category"] == "plan")
    assert plan["content"]["current_step"] == 1


def test_replays(agent: Agent, whole: list[dict[str, Any]]) -> None:
    last = whole[-1]["checkpoint"]
    assert agent.events(checkpoint=last)[0]["checkpoint"] == last
    assert kinds(agent.events("exclusive-replay", checkpoint=last)) == [("SSE_FINISH", "")]
    assert kinds(agent.events("live-only", checkpoint=None)) == [("SSE_FINISH", "")]


def test_an_ask_that_closes_the_stream(agent: Agent) -> None:
    agent.send("ask")
    agent.settle()
    assert kinds(agent.events("ask-finishes"))[-2:] == [("chat_finish", "ask_human"), ("SSE_FINISH", "")]


@pytest.mark.parametrize(
    ("fault", "frame"),
    [
        ("bare-heartbeats", b"event: HEARTBEAT\n\n"),
        ("empty-heartbeats", b"event: HEARTBEAT\ndata:\n\n"),
    ],
)
def test_heartbeats(agent: Agent, fault: str, frame: bytes) -> None:
    agent.send("slow 1")
    assert frame in agent.read(f"heartbeat=0.05,{fault}")


def test_refusals_of_the_gateway(agent: Agent) -> None:
    """Those of the other product hold here as well; nothing is taken in."""
    here = {"SessionId": agent.session, "Message": "x"}
    for fault, status in (("throttled", 429), ("html-502", 502), ("no-permission", 403), ("http-500", 500)):
        assert agent.post("SendChatMessage", fault, **here).status_code == status
    assert agent.post("GetChatContent", "error-200", SessionId=agent.session, AgentId="x").json()["Code"]
    assert agent.server.state()["accepted"] == {}


# --- files -----------------------------------------------------------------------------------------------------


def test_files_that_come_late_or_without_an_id(agent: Agent) -> None:
    skip = {"SkipPlan": True, "SkipSqlConfirm": True, "SkipAskHuman": True}
    agent.send("分析", SessionConfig=skip)
    agent.settle()
    assert agent.data("ListFileUpload", "late-files=10", SessionId=agent.session) == []
    agent.server.advance(11)
    assert agent.data("ListFileUpload", "late-files=10", SessionId=agent.session)
    key = f"data_agent/file_upload/main/x/{agent.session}.csv"
    agent.server._world.parts["dms"].objects.put(key, b"a\n1\n", "text/csv")  # type: ignore[attr-defined]
    name = key.rpartition("/")[2]
    assert agent.data("FileUploadCallback", "no-file-id", Filename=name, UploadLocation=key) == {}
    assert [file["FileName"] for file in agent.data("ListFileUpload", FileFrom="User")] == [name]
