"""The official Dms client against the sandbox, every operation by the blocking and by the asynchronous client."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
import pytest
from alibabacloud_dms20250414 import models
from darabonba.runtime import RuntimeOptions

from tests.oss_form import form_of, post_form
from tests.referee.conftest import config_of
from tui.sandbox.dms import OPERATIONS
from tui.sandbox.server import SandboxInfo, SandboxServer

CSV = "日期,地区,金额\n" + "".join(
    f"2026-0{m}-{d:02},{r},{m * d}.5\n" for m in (1, 2) for d in range(1, 29) for r in "东西"
)


def make_client(info: SandboxInfo, **changes: str) -> Any:
    from alibabacloud_dms20250414.client import Client

    return Client(config_of(info, region_id="cn-hangzhou", **changes))


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(pace="unlimited") as server:
        yield server


@pytest.fixture
def sandbox(server: SandboxServer) -> SandboxServer:
    server.reset()
    return server


class Official:
    """The official client, one way or the other."""

    def __init__(self, client: Any, asynchronous: bool) -> None:
        self.client = client
        self.asynchronous = asynchronous

    async def __call__(self, operation: str, wanted: Any) -> Any:
        """The body of the reply to an operation, called by its name."""
        if self.asynchronous:
            return (await getattr(self.client, f"{operation}_async")(wanted)).body
        return (await anyio.to_thread.run_sync(getattr(self.client, operation), wanted)).body


@pytest.fixture(params=["blocking", "asynchronous"])
def official(request: pytest.FixtureRequest, sandbox: SandboxServer) -> Official:
    return Official(make_client(sandbox.info), request.param == "asynchronous")


async def events(official: Official, session: Any, checkpoint: str | None = None, until: str = "") -> list[Any]:
    """The bodies of the stream's frames, up to the first chat_finish of the category `until`, or all."""
    wanted = models.GetChatContentRequest(
        agent_id=session.agent_id, session_id=session.session_id, checkpoint=checkpoint, dmsunit="cn-hangzhou"
    )

    def ends(body: Any) -> bool:
        return bool(until) and body.event_type == "chat_finish" and body.category == until

    found = []
    if official.asynchronous:
        stream = official.client.get_chat_content_with_sse_async(wanted, RuntimeOptions())
        async for frame in stream:
            found.append(frame.body)
            if ends(frame.body):
                await stream.aclose()
                break
        return found

    def read() -> None:
        for frame in official.client.get_chat_content_with_sse(wanted, RuntimeOptions()):
            found.append(frame.body)
            if ends(frame.body):
                return

    await anyio.to_thread.run_sync(read)
    return found


async def new_session(official: Official, **more: Any) -> Any:
    body = await official("create_data_agent_session", models.CreateDataAgentSessionRequest(title="Refunds", **more))
    assert (body.success, body.error_code) == (True, "success")
    assert body.request_id.startswith("SANDBOX-")
    return body.data


async def send(official: Official, session: Any, text: str, **more: Any) -> Any:
    wanted = models.SendChatMessageRequest(
        agent_id=session.agent_id, session_id=session.session_id, message=text, dmsunit="cn-hangzhou", **more
    )
    return await official("send_chat_message", wanted)


async def upload(official: Official, name: str, data: bytes) -> str:
    """The four steps, the second one by a form that is built here; the file's id."""
    body = await official("describe_file_upload_signature", models.DescribeFileUploadSignatureRequest())
    fields = body.data.to_map()
    reply = await post_form(fields["UploadHost"], form_of(fields, name, data, "text/csv"))
    assert (reply.status_code, reply.content) == (200, b"")
    wanted = models.FileUploadCallbackRequest(
        filename=name, upload_location=f"{fields['UploadDir']}/{name}", file_size=len(data)
    )
    file_id = (await official("file_upload_callback", wanted)).data.file_id
    assert file_id.startswith("f-")
    return str(file_id)


def joined(frames: list[Any], category: str) -> str:
    return "".join(body.content for body in frames if body.category == category and body.event_type == "delta")


async def test_sessions_are_made_described_and_listed(official: Official) -> None:
    config = models.CreateDataAgentSessionRequestSessionConfig(language="ENGLISH", mode="ANALYSIS")

    session = await new_session(official, session_config=config)
    other = await new_session(official)

    described = await official(
        "describe_data_agent_session", models.DescribeDataAgentSessionRequest(session_id=session.session_id)
    )
    assert described.data.agent_status == "RUNNING"
    assert described.data.session_status == "IDLE"
    assert (described.data.session_config.language, described.data.session_config.mode) == ("ENGLISH", "ANALYSIS")
    assert described.data.agent_id == session.agent_id == other.agent_id
    listed = await official("list_data_agent_session", models.ListDataAgentSessionRequest(page_number=1, page_size=1))
    assert (listed.total, listed.total_pages, len(listed.data)) == (2, 2, 1)


async def test_a_session_that_is_not_there_is_no_error(official: Official) -> None:
    body = await official("describe_data_agent_session", models.DescribeDataAgentSessionRequest(session_id="se-none"))

    assert (body.success, body.data.agent_id, body.data.session_status) == (True, "", "CREATING")


async def test_a_plain_answer_streams(official: Official, sandbox: SandboxServer) -> None:
    session = await new_session(official)
    sent = await send(official, session, "echo 五月有 **37** 单退款")
    assert (sent.success, sent.data.message) == ("true", "success")

    frames = await events(official, session)

    assert [frames[0].event_type, frames[-2].event_type, frames[-1].event_type] == [
        "chat_start",
        "chat_finish",
        "SSE_FINISH",
    ]
    assert json.loads(frames[0].content) == {"message": "echo 五月有 **37** 单退款"}
    assert joined(frames, "llm") == "五月有 **37** 单退款"
    assert all(body.level == 20 and body.timestamp.isdigit() and body.checkpoint for body in frames)
    assert sandbox.state()["accepted"] == {"echo 五月有 **37** 单退款": 1}


async def test_an_analysis_from_upload_to_report(official: Official, sandbox: SandboxServer) -> None:
    """Every number of the conclusion's table is what the file says, calculated here another way."""
    file_id = await upload(official, "销售 数据.csv", CSV.encode())
    config = models.SendChatMessageRequestSessionConfig(language="CHINESE", mode="ANALYSIS", skip_ask_human=True)
    source = models.SendChatMessageRequestDataSources(
        data_source_type="remote_data_center", file_id=file_id, region_id="cn-hangzhou"
    )
    session = await new_session(official)

    await send(official, session, "各地区的金额对比", session_config=config, data_sources=[source])
    frames = await events(official, session, until="ask_plan")
    plan = json.loads(frames[-1].content)["plans"][0]["plan"]["steps"]
    assert [step["order"] for step in plan] == list(range(1, len(plan) + 1))
    await send(official, session, "确认执行", reply_to=str(frames[-1].checkpoint))
    frames = await events(official, session, str(frames[-1].checkpoint), until="ask_sql")
    ask = json.loads(frames[-1].content)
    assert ask["sql"].startswith("SELECT")
    assert "rows=112" in ask["explain_result"]
    await send(official, session, "同意后续所有SQL执行", reply_to=str(frames[-1].checkpoint))
    frames = await events(official, session, str(frames[-1].checkpoint))

    results = json.loads(next(body.content for body in frames if body.category == "task_finish"))
    by_region = next(result for result in results if "地区" in result["title"])
    expected: dict[str, float] = {}
    for row in csv.DictReader(io.StringIO(CSV)):
        expected[row["地区"]] = expected.get(row["地区"], 0) + float(row["金额"])
    assert {row["地区"]: row["金额合计"] for row in json.loads(by_region["data"])} == expected
    offer = next(body for body in frames if body.category == "ask_report_render")
    task = models.SendChatMessageRequestTaskConfig(
        report_config=models.SendChatMessageRequestTaskConfigReportConfig(
            report_type="WebReport", report_theme="journal"
        )
    )
    report = await send(
        official,
        session,
        "绘制网页报告",
        message_type="report",
        reply_to=str(offer.checkpoint),
        task_config=task,
    )
    await events(official, session, str(frames[-1].checkpoint))
    described = await official(
        "describe_data_agent_session", models.DescribeDataAgentSessionRequest(session_id=session.session_id)
    )
    artifact = next(made for made in described.data.artifacts if made.id == report.data.message_id)
    assert (artifact.type, artifact.status) == ("WebReport", "SUCCESS")
    listed = await official("list_file_upload", models.ListFileUploadRequest(session_id=session.session_id))
    files = {file.file_name: file for file in listed.data}
    assert {"销售 数据.csv", "report-1.md", artifact.name} <= files.keys()
    async with httpx.AsyncClient(trust_env=False) as client:
        page = await client.get(files[artifact.name].download_link)
    assert page.status_code == 200
    assert 'content="journal"' in page.text
    assert "sandbox data" in page.text
    assert len(page.content) == files[artifact.name].file_size
    assert sandbox.state()["dms"]["counts"].get("credentials leaked") is None


async def test_a_question_is_answered_once(official: Official, sandbox: SandboxServer) -> None:
    session = await new_session(official)
    await send(official, session, "ask")
    asked = (await events(official, session, until="ask_human"))[-1]
    described = await official(
        "describe_data_agent_session", models.DescribeDataAgentSessionRequest(session_id=session.session_id)
    )
    assert described.data.session_status == "WAIT_INPUT"
    answer = {"message_type": "additional", "question": asked.content, "reply_to": str(asked.checkpoint)}

    await send(official, session, "no, exclude them", **answer)
    frames = await events(official, session, str(asked.checkpoint))
    again = await send(official, session, "no, exclude them", **answer)

    assert "You said: no, exclude them" in joined(frames, "output_conclusion")
    assert again.error_code == "DMS.DataAgent.NothingAsked"
    assert sandbox.state()["accepted"]["no, exclude them"] == 1


async def test_cancel(official: Official, sandbox: SandboxServer) -> None:
    session = await new_session(official)
    await send(official, session, "hold")
    await anyio.to_thread.run_sync(lambda: sandbox.wait_for(lambda state: state["dms"]["holding"]))

    await send(official, session, "stop", message_type="cancel")

    frames = await events(official, session, "0")
    assert [body.event_type for body in frames[-2:]] == ["chat_canceled", "SSE_FINISH"]


async def test_a_busy_session_answers_in_snake_case(official: Official, sandbox: SandboxServer) -> None:
    session = await new_session(official)
    await send(official, session, "hold")
    refused = await send(official, session, "and another")

    assert refused.error_code is None  # the official client does not see it: the keys are in snake_case
    assert refused.data is None
    assert sandbox.state()["refused"] == {"DMS.DataAgent.SessionInBusy": 1}
    assert "and another" not in sandbox.state()["accepted"]


async def test_the_replay_is_inclusive_and_shares_checkpoints(official: Official) -> None:
    session = await new_session(official)
    await send(official, session, "cells 3")
    frames = await events(official, session)
    middle = frames[len(frames) // 2]

    again = await events(official, session, str(middle.checkpoint))

    expected = [body for body in frames if body.checkpoint >= middle.checkpoint]
    assert [body.to_map() for body in again[:-1]] == [body.to_map() for body in expected[:-1]]
    assert len({body.checkpoint for body in frames}) < len(frames)


async def test_counting_checkpoints(official: Official, sandbox: SandboxServer) -> None:
    sandbox.set_faults("counting-checkpoints")
    session = await new_session(official)
    await send(official, session, "cells 3")

    frames = await events(official, session)

    assert [body.checkpoint for body in frames[:-1]] == list(range(1, len(frames)))


async def test_feedback(official: Official, sandbox: SandboxServer) -> None:
    session = await new_session(official)
    wanted = models.CreateDataAgentFeedbackRequest(
        session_id=session.session_id, feedback_type="LIKE", like_value=1, target_type="CHAT", target_id="5"
    )

    body = await official("create_data_agent_feedback", wanted)

    assert (body.success, body.data.feedback_type, body.data.like_value) == (True, "LIKE", 1)
    assert [given["TargetId"] for given in sandbox.state()["dms"]["feedback"]] == ["5"]


async def test_custom_agents(official: Official) -> None:
    listed = await official("list_custom_agent", models.ListCustomAgentRequest(status="RELEASED", page_size=2))
    assert (listed.data.total_elements, listed.data.total_pages, len(listed.data.content)) == (3, 2, 2)
    chosen = listed.data.content[0]

    described = await official(
        "describe_custom_agent", models.DescribeCustomAgentRequest(custom_agent_id=chosen.custom_agent_id)
    )

    known = chosen.to_map()
    assert described.data.to_map() == {name: known[name] for name in known if name != "AliyunParentId"}
    assert described.data.execution_config.skip_sql_confirm is True


async def test_the_life_of_a_custom_agent(official: Official) -> None:
    made = await official(
        "create_custom_agent",
        models.CreateCustomAgentRequest(
            name="周报",
            instruction="先看总体。",
            recommend_question_list=["哪一周？"],
            execution_config=models.CreateCustomAgentRequestExecutionConfig(skip_plan=True),
        ),
    )
    agent_id = made.data.custom_agent_id
    assert (made.data.status, made.data.execution_config.skip_plan) == ("NEW", True)

    for operation, status in (("RELEASE", "RELEASED"), ("OFFLINE", "OFFLINE")):
        done = await official(
            "operate_custom_agent",
            models.OperateCustomAgentRequest(custom_agent_id=agent_id, operate_type=operation),
        )
        assert (done.data.custom_agent_id, done.data.success) == (agent_id, True)
        described = await official("describe_custom_agent", models.DescribeCustomAgentRequest(custom_agent_id=agent_id))
        assert described.data.status == status
    changed = await official(
        "modify_custom_agent", models.ModifyCustomAgentRequest(custom_agent_id=agent_id, description="a week")
    )
    assert (changed.data.description, changed.data.instruction) == ("a week", "先看总体。")

    gone = await official("delete_custom_agent", models.DeleteCustomAgentRequest(custom_agent_id=agent_id))
    assert gone.data.success is True
    kept = await official("delete_custom_agent", models.DeleteCustomAgentRequest(custom_agent_id="ca-sandbox-weekly"))
    assert (kept.success, kept.error_code) == (False, "DMS.DataAgent.CustomAgentStatusInvalid")


async def test_a_custom_agent_is_obeyed(official: Official) -> None:
    """This one skips every confirmation, so the turn goes to its end."""
    config = models.SendChatMessageRequestSessionConfig(custom_agent_id="ca-sandbox-refunds")
    session = await new_session(official)

    await send(official, session, "各地区的金额对比", session_config=config)

    frames = await events(official, session)
    assert frames[-1].event_type == "SSE_FINISH"
    assert not [body for body in frames if body.event_type == "chat_finish" and body.category != "chat"]
    assert [body.content for body in frames if body.category == "jsx_report"]


async def test_files_are_listed_and_deleted(official: Official) -> None:
    first = await upload(official, "a.csv", b"a,b\n1,2\n")
    second = await upload(official, "b.csv", b"a,b\n3,4\n")

    deleted = await official("delete_file_upload", models.DeleteFileUploadRequest(file_id=first))
    listed = await official("list_file_upload", models.ListFileUploadRequest(file_from="User"))

    assert deleted.data.file_id == first
    assert [(file.file_id, file.file_type, file.file_size) for file in listed.data] == [(second, "csv", 8)]


async def test_temporary_credentials_and_wrong_ones(sandbox: SandboxServer) -> None:
    sts = sandbox.info.sts
    client = make_client(
        sandbox.info,
        access_key_id=sts["access_key_id"],
        access_key_secret=sts["access_key_secret"],
        security_token=sts["security_token"],
        type="sts",
    )
    wanted = models.ListCustomAgentRequest()
    assert (await client.list_custom_agent_async(wanted)).body.success
    with pytest.raises(Exception, match="SignatureDoesNotMatch"):
        await make_client(sandbox.info, access_key_secret="wrong").list_custom_agent_async(wanted)


async def test_another_account_sees_nothing(official: Official, sandbox: SandboxServer) -> None:
    session = await new_session(official)
    stranger = make_client(
        sandbox.info, access_key_id="SandboxOtherKeyId", access_key_secret="sandbox-other-key-secret"
    )
    wanted = models.SendChatMessageRequest(session_id=session.session_id, message="mine?")

    body = (await stranger.send_chat_message_async(wanted)).body

    assert (body.success, body.error_code) == (False, "DMS.DataAgent.SessionNotExist")


def test_every_operation_is_refereed() -> None:
    source = Path(__file__).read_text(encoding="utf-8").replace("_", "").lower()
    assert [name for name in OPERATIONS if name.lower() not in source] == []
