"""The Data Agent's sandbox from the outside: lives of runtimes and sessions, asks, replay, memory."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.dms_wire import Agent, kinds, text_of
from tui.sandbox.auth import OTHER
from tui.sandbox.server import SandboxServer


@pytest.fixture
def agent(server: SandboxServer) -> Agent:
    return Agent(server)


# --- lives -----------------------------------------------------------------------------------------------------


def test_a_runtime_starts_once_and_takes_its_time(agent: Agent) -> None:
    made = agent.begin("start-up=100")
    assert (made["AgentStatus"], made["SessionStatus"]) == ("STARTING", "CREATING")

    agent.server.advance(101)

    assert (agent.describe()["AgentStatus"], agent.describe()["SessionStatus"]) == ("RUNNING", "IDLE")
    assert agent.begin("start-up=100")["AgentStatus"] == "RUNNING"


def test_a_message_waits_for_the_runtime(agent: Agent) -> None:
    agent.begin("start-up=0.2")
    agent.send("echo hello")
    assert agent.log["frames"] == 0

    assert text_of(agent.events(), "llm") == "hello"


def test_a_silent_runtime_is_reclaimed_and_comes_back_with_another_id(agent: Agent) -> None:
    before = agent.begin()["AgentId"]
    agent.send("echo one")
    agent.settle()
    agent.server.advance(3601)

    assert agent.describe()["AgentStatus"] == "STOPPED"
    agent.send("echo two", AgentId=before)

    assert agent.agent != before
    assert agent.describe()["AgentStatus"] == "RUNNING"
    assert agent.post("GetChatContent", SessionId=agent.session, AgentId=before).json()["Success"] is False
    assert text_of(agent.events(), "llm") == "onetwo"


def test_a_session_moves_to_the_newest_runtime(agent: Agent) -> None:
    agent.begin()
    first = agent.session
    agent.server.advance(3601)

    new = agent.begin()["AgentId"]

    agent.session = first
    assert agent.describe()["AgentId"] == new


def test_a_reclaimed_session_leaves_files_and_history(agent: Agent) -> None:
    agent.begin()
    agent.send("各地区的金额", SessionConfig={"SkipPlan": True, "SkipSqlConfirm": True, "SkipAskHuman": True})
    frames = agent.events()
    agent.server.advance(6 * 3600 + 1)

    described = agent.describe()

    assert (described["AgentId"], described["AgentStatus"], described["SessionStatus"]) == ("", "STOPPED", "STOPPED")
    assert agent.refused("SendChatMessage", SessionId=agent.session, Message="x") == "DMS.DataAgent.SessionExpired"
    assert agent.refused("GetChatContent", SessionId=agent.session, AgentId="") == "MissingAgentId"
    assert agent.refused("GetChatContent", SessionId=agent.session, AgentId="a") == "DMS.DataAgent.SessionExpired"
    kept = httpx.get(described["ChatHistoryLocations"][0]["Url"], trust_env=False, verify=False).json()
    assert kept == frames[:-1]
    names = [file["FileName"] for file in agent.data("ListFileUpload", SessionId=agent.session)]
    assert "report-1.md" in names


def test_work_keeps_a_session_alive(agent: Agent) -> None:
    agent.begin()
    agent.send("hold")
    agent.server.wait_for(lambda state: state["dms"]["holding"])
    agent.server.advance(7 * 3600)

    assert agent.describe()["SessionStatus"] == "RUNNING"
    agent.server.release()
    assert agent.settle()["status"] == "IDLE"


def test_a_session_without_create(agent: Agent) -> None:
    data = agent.data("SendChatMessage", Message="echo at once")

    assert data["SessionId"].startswith("se")
    agent.session, agent.agent = data["SessionId"], data["AgentId"]
    assert text_of(agent.events(), "llm") == "at once"


def test_a_stream_ends_with_its_session(agent: Agent) -> None:
    agent.begin()
    agent.send("ask")
    agent.settle()
    with agent.reading() as frames:
        assert next(frames)["event_type"] == "chat_start"
        agent.server.advance(6 * 3600 + 1)
        agent.data("ListDataAgentSession")
        assert kinds(list(frames))[-1] == ("SSE_FINISH", "")
    agent.begin()
    with agent.reading() as frames:
        agent.server.reset()
        assert kinds(list(frames)) == [("SSE_FINISH", "")]


def test_another_account_sees_neither_sessions_nor_files(agent: Agent) -> None:
    agent.begin()
    agent.send("分析", SessionConfig={"SkipPlan": True, "SkipSqlConfirm": True, "SkipAskHuman": True})
    agent.settle()
    assert agent.data("ListFileUpload")
    file_id = agent.data("ListFileUpload")[0]["FileId"]

    stranger = Agent(agent.server, OTHER)

    assert stranger.data("ListDataAgentSession") == []
    assert stranger.data("DescribeDataAgentSession", SessionId=agent.session)["AgentId"] == ""
    assert stranger.data("ListFileUpload") == []
    assert stranger.data("ListFileUpload", SessionId=agent.session) == []
    assert stranger.refused("DeleteFileUpload", FileId=file_id) == "DMS.DataAgent.FileNotExist"
    assert stranger.refused("SendChatMessage", SessionId=agent.session, Message="x") == "DMS.DataAgent.SessionNotExist"


# --- asks ------------------------------------------------------------------------------------------------------

SKIP = {"SkipAskHuman": True}


def answer_plan(agent: Agent, text: str, **config: object) -> list[dict[str, Any]]:
    agent.begin()
    agent.send("各地区的金额", SessionConfig={**SKIP, "SkipSqlConfirm": True, **config})
    ask = agent.settle()["ask"]
    assert ask
    agent.send(text, ReplyTo=str(ask))
    agent.settle()
    with agent.reading("ask-finishes") as frames:
        return list(frames)


def test_a_plan_can_be_refused(agent: Agent) -> None:
    frames = answer_plan(agent, "取消")

    assert "拒绝" in text_of(frames, "output_conclusion")
    assert ("data", "task_finish") not in kinds(frames)


def test_a_plan_can_be_changed(agent: Agent) -> None:
    frames = answer_plan(agent, "请加上占比分析，并按渠道拆分")
    plans = [json.loads(frame["content"]) for frame in frames if kinds([frame]) == [("chat_finish", "ask_plan")]]

    first, second = ([step["name"] for step in plan["plans"][0]["plan"]["steps"]] for plan in plans)
    assert first != second
    assert any("渠道" in name for name in second)
    assert agent.log["status"] == "WAIT_INPUT"


def answer_sql(agent: Agent, text: str) -> list[dict[str, Any]]:
    agent.begin()
    agent.send("How many rows?", SessionConfig={**SKIP, "SkipPlan": True})
    for given in (text, "run all"):
        if ask := agent.settle()["ask"]:
            agent.send(given, ReplyTo=str(ask))
    agent.settle()
    return agent.events()


def test_a_statement_can_be_refused(agent: Agent) -> None:
    frames = answer_sql(agent, "no")

    assert "was not run" in text_of(frames, "output_conclusion")


def test_a_statement_can_be_replaced(agent: Agent) -> None:
    frames = answer_sql(agent, "SELECT COUNT(*) * 2 AS doubled FROM sandbox_orders")

    results = json.loads(next(frame["content"] for frame in frames if frame["category"] == "task_finish"))
    assert json.loads(results[0]["data"]) == [{"doubled": 4800}]


def test_a_statement_that_would_write_fails_in_its_cell(agent: Agent) -> None:
    frames = answer_sql(agent, "WITH x AS (SELECT 1) DELETE FROM sandbox_orders")

    cells = [json.loads(json.loads(text)["result"]) for text in block_texts(frames, "tool_call_response")]
    assert any(output["output_type"] == "error" for cell in cells for output in cell["nb_file_outputs"])
    assert "not authorized" in text_of(frames, "output_conclusion")


def block_texts(frames: list[dict[str, Any]], category: str) -> list[str]:
    """The contents of the blocks of a category."""
    texts: list[str] = []
    for frame in frames:
        if frame["category"] == category:
            if frame["event_type"] == "content_start":
                texts.append("")
            elif frame["event_type"] == "delta":
                texts[-1] += frame["content"]
    return texts


def test_excluded_rows_do_not_count(agent: Agent) -> None:
    def total(answer: str) -> int:
        agent.begin()
        agent.send("How many rows?", SessionConfig={"SkipPlan": True, "SkipSqlConfirm": True})
        log = agent.settle()
        agent.send(answer, MessageType="additional", Question="...", ReplyTo=str(log["ask"]))
        agent.settle()
        results = json.loads(next(f["content"] for f in agent.events() if f["category"] == "task_finish"))
        rows = next(json.loads(result["data"]) for result in results if "row_count" in result["data"])
        return int(rows[0]["row_count"])

    assert total("keep them") == 2400
    assert 0 < total("exclude them") < 2400


def test_the_tail_follows_the_offer_of_a_report(agent: Agent) -> None:
    agent.begin()
    agent.send("分析", SessionConfig={**SKIP, "SkipPlan": True, "SkipSqlConfirm": True})
    frames = agent.events()

    order = [kind for kind in kinds(frames) if kind[0] in ("chat_finish", "data")]
    offer = order.index(("chat_finish", "ask_report_render"))
    assert order.index(("data", "task_finish")) > offer
    assert order[-1] == ("chat_finish", "chat")
    assert frames[-1]["event_type"] == "SSE_FINISH"


@pytest.mark.parametrize(("kind", "text"), [("report", "anything"), ("primary", "确认绘制网页报告")])
def test_a_report_is_a_turn_of_its_own(agent: Agent, kind: str, text: str) -> None:
    agent.begin()
    agent.send("分析", SessionConfig={**SKIP, "SkipPlan": True, "SkipSqlConfirm": True})
    offer = agent.settle()["offer"]

    sent = agent.send(text, MessageType=kind, ReplyTo=str(offer))
    agent.settle()

    artifacts = {made["Id"]: made for made in agent.describe()["Artifacts"]}
    assert artifacts[sent["MessageId"]]["Status"] == "SUCCESS"
    assert agent.log["offer"] == 0


def test_a_report_can_be_declined(agent: Agent) -> None:
    agent.begin()
    agent.send("分析", SessionConfig={**SKIP, "SkipPlan": True, "SkipSqlConfirm": True})
    agent.settle()

    agent.send("不绘制")

    assert "没有绘制" in text_of(agent.events(), "output_conclusion")


def test_a_report_without_an_analysis_fails(agent: Agent) -> None:
    agent.begin()
    agent.send("draw", MessageType="report")
    agent.settle()

    assert [made["Status"] for made in agent.describe()["Artifacts"]] == ["FAILED"]


def test_data_is_asked_for_and_used(agent: Agent) -> None:
    agent.begin()
    agent.send("datasource", SessionConfig={**SKIP, "SkipPlan": True, "SkipSqlConfirm": True})
    asked = agent.settle()["ask"]
    assert kinds(agent.events("ask-finishes"))[-2] == ("data", "request_datasource")

    agent.send("here", ReplyTo=str(asked))

    assert agent.settle()["status"] == "IDLE"


def test_reply_to_must_fit(agent: Agent) -> None:
    agent.begin()
    agent.send("ask")
    ask = agent.settle()["ask"]

    assert agent.refused("SendChatMessage", SessionId=agent.session, Message="x", ReplyTo=str(ask + 1)) == (
        "DMS.DataAgent.InvalidReplyTo"
    )
    assert "x" not in agent.server.state()["accepted"]
    agent.send("yes", ReplyTo="0")
    assert agent.settle()["status"] == "IDLE"


def test_only_the_first_config_counts(agent: Agent) -> None:
    agent.begin()
    agent.send("echo 1", SessionConfig={"Mode": "ASK_DATA"})
    agent.settle()
    agent.send("各地区的金额", SessionConfig={"Mode": "ANALYSIS"})

    assert agent.settle()["status"] == "IDLE"
    assert "华东" in text_of(agent.events(), "llm")


def test_cancel_ends_an_ask_and_a_turn_and_nothing(agent: Agent) -> None:
    agent.begin()
    agent.send("stop", MessageType="cancel")
    for question in ("ask", "hold"):
        agent.send(question)
        agent.server.wait_for(lambda state: state["dms"]["holding"] or state["dms"]["sessions"][0]["ask"])
        agent.send("stop", MessageType="cancel")
        assert agent.settle()["ask"] == 0
        assert agent.events()[-2]["event_type"] == "chat_canceled"
    assert agent.server.state()["accepted"] == {"stop": 3, "ask": 1, "hold": 1}


def test_refused_parameters(agent: Agent) -> None:
    agent.begin()
    here = {"SessionId": agent.session}
    assert agent.refused("SendChatMessage", **here) == "MissingMessage"
    assert agent.refused("SendChatMessage", **here, Message="x", MessageType="shout") == "InvalidParameter"
    assert agent.refused("SendChatMessage", **here, Message="x", MessageType="additional") == "MissingQuestion"
    assert agent.refused("SendChatMessage", **here, Message="x", DataSources=[5]) == "InvalidParameter"
    assert agent.refused("SendChatMessage", **here, Message="x", DataSources=[{}]) == "InvalidParameter"
    missing = [{"DataSourceType": "remote_data_center", "FileId": "f-none"}]
    assert agent.refused("SendChatMessage", **here, Message="x", DataSources=missing) == "DMS.DataAgent.FileNotExist"
    assert agent.refused("SendChatMessage", **here, Message="x", AgentId="ag-none") == "DMS.DataAgent.AgentMismatch"
    assert agent.refused("CreateDataAgentSession", Title="x" * 129) == "InvalidParameter"
    assert agent.refused("CreateDataAgentSession", SessionConfig={"Language": "KLINGON"}) == "InvalidParameter"
    assert agent.refused("GetChatContent", **here, AgentId=agent.agent, Checkpoint="x") == "InvalidParameter"
    assert agent.refused("CreateDataAgentFeedback", **here, FeedbackType="HMM") == "InvalidParameter"
    assert agent.refused("DescribeCustomAgent", CustomAgentId="ca-none") == "DMS.DataAgent.CustomAgentNotExist"
    assert agent.refused("DropDatabase") == "InvalidAction.NotFound"
    assert agent.server.state()["accepted"] == {}


def test_other_forms_of_a_request(agent: Agent) -> None:
    """Parameters in any case, GET, and the path that the reference prints."""
    agent.begin()
    agent.data(
        "SENDCHATMESSAGE".replace("SENDCHATMESSAGE", "SendChatMessage"), sessionid=agent.session, MESSAGE="echo x"
    )
    agent.settle()
    got = agent.post("DescribeDataAgentSession", line="GET /", sessionId=agent.session)
    assert got.json()["Data"]["SessionStatus"] == "IDLE"
    streamed = agent.post("", line="POST /api/v1/chat/stream", SessionId=agent.session, AgentId=agent.agent)
    assert "SSE_FINISH" in streamed.text


def test_sessions_are_filtered(agent: Agent) -> None:
    for title in ("Refunds of May", "退款", "refunds of June"):
        agent.data("CreateDataAgentSession", Title=title, SessionConfig={"CustomAgentId": f"ca-{len(title)}"})
        agent.server.advance(10)

    def titles(**parameters: str) -> list[str]:
        return [session["Title"] for session in agent.data("ListDataAgentSession", "", **parameters)]

    made = [session["CreateTime"] for session in agent.data("ListDataAgentSession")]
    assert titles() == ["refunds of June", "退款", "Refunds of May"]
    assert titles(Title="REFUNDS") == ["refunds of June", "Refunds of May"]
    assert titles(PageSize="2", PageNumber="2") == ["Refunds of May"]
    assert titles(CreateStartTime=str(made[1])) == ["refunds of June", "退款"]
    assert titles(CreateEndTime=str(made[1])) == ["退款", "Refunds of May"]
    assert titles(CustomAgentId="ca-2") == ["退款"]


def test_a_database_is_not_read_and_that_is_said(agent: Agent) -> None:
    agent.begin()
    agent.send("How many rows?", DataSources=[{"DataSourceType": "database", "DbName": "shop"}], SessionConfig=SKIP)
    agent.settle()

    assert "No database can be read" in text_of(agent.events("ask-finishes"), "think")


def test_a_sheet_can_be_chosen(agent: Agent) -> None:
    """The larger one is taken where none is named."""
    import openpyxl

    book = openpyxl.Workbook()
    for name, count in (("small", 2), ("large", 5)):
        sheet = book.create_sheet(name)
        sheet.append(["n"])
        for number in range(count):
            sheet.append([number])
    file = io.BytesIO()
    book.save(file)
    key = "data_agent/file_upload/main/x/book.xlsx"
    agent.server._world.parts["dms"].objects.put(key, file.getvalue(), "x")  # type: ignore[attr-defined]
    file_id = agent.data("FileUploadCallback", Filename="book.xlsx", UploadLocation=key)["FileId"]

    def rows(**more: object) -> str:
        agent.begin()
        source = {"DataSourceType": "remote_data_center", "FileId": file_id, **more}
        agent.send("How many rows?", DataSources=[source], SessionConfig={"Mode": "ASK_DATA"})
        agent.settle()
        return text_of(agent.events(), "llm")

    assert "**5**" in rows()
    assert "**2**" in rows(Tables=["small"])


def test_a_file_that_cannot_be_read_is_said(agent: Agent) -> None:
    key = "data_agent/file_upload/main/x/bad.xlsx"
    agent.server._world.parts["dms"].objects.put(key, b"a,b", "x")  # type: ignore[attr-defined]
    file_id = agent.data("FileUploadCallback", Filename="bad.xlsx", UploadLocation=key)["FileId"]
    agent.begin(File=file_id)
    agent.send("How many rows?")

    assert "not an Excel workbook" in text_of(agent.events(), "output_conclusion")


@pytest.mark.parametrize("numbers", ["", "counting-checkpoints"])
def test_parallel_lines_alternate(agent: Agent, numbers: str) -> None:
    agent.begin()
    agent.send("parallel", numbers)
    frames = [frame for frame in agent.events() if frame["category"] == "output_conclusion"]

    lines = [frame["channel"]["mission_id"] for frame in frames]
    assert lines[:4] == ["line-1", "line-2", "line-1", "line-2"]
    for line in ("line-1", "line-2"):
        joined = "".join(f["content"] for f in frames if f["channel"]["mission_id"] == line)
        assert json.loads(joined)["result"].endswith("is done (sandbox data).")


# --- replay ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("numbers", ["", "counting-checkpoints"])
def test_a_line_cut_after_any_frame_is_made_whole_by_the_replay(agent: Agent, numbers: str) -> None:
    """The cursor is that of the last frame outside an open block, as a client keeps it."""
    agent.begin()
    agent.send("各地区的金额", numbers, SessionConfig={**SKIP, "SkipPlan": True, "SkipSqlConfirm": True})
    agent.settle()
    whole = agent.events()
    for cut in range(1, len(whole), 7):
        seen = agent.events(f"drop-after={cut}")
        assert seen == whole[:cut]
        cursor, is_open = 0, False
        for frame in seen:
            is_open = frame["event_type"] in ("content_start", "delta") or (is_open and frame["event_type"] == "data")
            cursor = cursor if is_open else frame["checkpoint"]
        rest = agent.events(checkpoint=cursor)
        kept = [frame for frame in seen if frame["checkpoint"] < cursor]
        assert (kept + rest)[:-1] == whole[:-1]
        assert rest[-1]["event_type"] == "SSE_FINISH"


def test_without_a_checkpoint_the_newest_turn_is_replayed(agent: Agent) -> None:
    agent.begin()
    for text in ("echo one", "echo two"):
        agent.send(text)
        agent.settle()

    assert text_of(agent.events(checkpoint=None), "llm") == "two"
    assert text_of(agent.events(checkpoint=0), "llm") == "onetwo"


def test_a_stream_opened_before_the_message_gets_the_turn(agent: Agent) -> None:
    agent.begin()
    with agent.reading() as frames:
        agent.send("echo hello")
        events = list(frames)

    assert text_of(events, "llm") == "hello"
    assert events[-1]["event_type"] == "SSE_FINISH"


def test_at_an_ask_the_stream_stays_open(agent: Agent) -> None:
    agent.begin()
    agent.send("ask")
    with agent.reading("heartbeat=0.02") as frames:
        asked = next(frame for frame in frames if frame["category"] == "ask_human")
        assert next(frames)["event_type"] == "HEARTBEAT"
        agent.send("yes", ReplyTo=str(asked["checkpoint"]))
        rest = [frame for frame in frames if frame["event_type"] != "HEARTBEAT"]

    assert kinds(rest)[0] == ("chat_start", "chat")
    assert "You said: yes" in text_of(rest, "output_conclusion")


# --- memory ----------------------------------------------------------------------------------------------------


def test_a_turn_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The folder is all that is left; the answers that were given are not asked for again."""
    with SandboxServer(pace="unlimited", folder=tmp_path) as server:
        agent = Agent(server)
        agent.begin()
        agent.send("各地区的金额", SessionConfig=SKIP)
        agent.send("确认执行", ReplyTo=str(agent.settle()["ask"]))
        before = agent.settle()
        seen = agent.events("ask-finishes")
    with SandboxServer(pace="unlimited", folder=tmp_path) as server:
        agent.server = server
        again = agent.settle()
        assert (again["ask"], again["checkpoint"]) == (before["ask"], before["checkpoint"])
        assert agent.events("ask-finishes")[:-1] == seen[:-1]
        assert (agent.describe()["AgentStatus"], agent.describe()["SessionStatus"]) == ("RUNNING", "WAIT_INPUT")
        agent.send("run all", ReplyTo=str(again["ask"]))
        agent.settle()
        frames = agent.events()

    assert frames[: len(seen) - 1] == seen[:-1]
    assert kinds(frames)[-2:] == [("chat_finish", "chat"), ("SSE_FINISH", "")]
    assert len([kind for kind in kinds(frames) if kind == ("chat_finish", "ask_plan")]) == 1


def test_a_sandbox_that_is_started_again_goes_on() -> None:
    """Nothing is kept on disk here: the same object listens again."""
    server = SandboxServer(pace=200)
    agent = Agent(server)
    with server:
        agent.begin("start-up=0")
        agent.send("cells 8")
        with agent.reading() as frames:
            seen = [next(frames) for _ in range(5)]
    with server:
        agent.settle()
        frames_again = agent.events()
        agent.begin()
        agent.send("cells 8")
        agent.settle()
        assert kinds(frames_again) == kinds(agent.events())
    assert frames_again[:5] == seen


def test_a_torn_log_is_mended(tmp_path: Path) -> None:
    with SandboxServer(pace="unlimited", folder=tmp_path) as server:
        agent = Agent(server)
        agent.begin()
        agent.send("echo hello")
        agent.settle()
        whole = agent.events()
    log = next(tmp_path.rglob("*.jsonl"))
    log.write_bytes(log.read_bytes() + b'{"event_type":"del')
    with SandboxServer(pace="unlimited", folder=tmp_path) as server:
        agent.server = server
        assert agent.events()[:-1] == whole[:-1]


# --- API keys --------------------------------------------------------------------------------------------------


def by_key(agent: Agent, plane: str, action: str, fault: str = "", key: str = "", **parameters: Any) -> httpx.Response:
    info = agent.server.info.dms
    headers = {"x-api-key": key or info["api_key"], "x-sandbox-fault": fault}
    body = {"Action": action, "Version": "2025-04-14", "RegionId": "cn-hangzhou", **parameters}
    with httpx.Client(trust_env=False, verify=False, timeout=20) as client:
        return client.post(info[f"{plane}_url"], json=body, headers=headers)


def test_a_turn_with_an_api_key(agent: Agent) -> None:
    config = {"Language": "ENGLISH", "Mode": "ASK_DATA"}
    made = by_key(agent, "control", "CreateDataAgentSession", Title="t", SessionConfig=config).json()
    assert (made["success"], made["code"]) == (True, "success")
    agent.session, agent.agent = made["data"]["sessionId"], made["data"]["agentId"]
    assert made["data"]["sessionConfig"] == {"language": "ENGLISH", "mode": "ASK_DATA"}
    sent = by_key(agent, "stream", "SendChatMessage", SessionId=agent.session, Message="echo hello").json()
    assert sent["data"]["messageId"].startswith("msg-")

    stream = by_key(agent, "stream", "GetChatContent", SessionId=agent.session, AgentId=agent.agent, Checkpoint="0")

    assert "SSE_FINISH" in stream.text
    listed = by_key(agent, "control", "ListDataAgentSession").json()["data"]["content"]
    assert [session["status"] for session in listed] == ["IDLE"]
    signature = by_key(agent, "control", "DescribeFileUploadSignature").json()["data"]
    assert signature["OssSignatureVersion"] == "OSS4-HMAC-SHA256"


def test_refusals_with_an_api_key(agent: Agent) -> None:
    wrong = by_key(agent, "control", "ListCustomAgent", key="wrong")
    assert (wrong.status_code, wrong.json()["HttpStatusCode"], wrong.json()["Code"]) == (200, 401, "InvalidApiKey")
    plane = by_key(agent, "stream", "CreateDataAgentSession").json()
    assert plane["HttpStatusCode"] == 404
    missing = by_key(agent, "stream", "SendChatMessage", SessionId="se-none", Message="x").json()
    assert (missing["success"], missing["code"]) == (False, "DMS.DataAgent.SessionNotExist")
    assert missing["msg"]
    size = by_key(agent, "control", "FileUploadCallback", Filename="a.csv", UploadLocation="x/a.csv").json()
    assert size["Code"] == "MissingFileSize"


def test_the_lives_of_files_and_messages_are_told(agent: Agent) -> None:
    agent.begin()
    agent.send("echo 一", ReplyTo="0")
    agent.settle()

    message = agent.log["messages"][0]

    assert (message["kind"], message["text"], message["reply_to"]) == ("primary", "echo 一", "0")
    assert agent.server.state()["accepted"] == {"echo 一": 1}
