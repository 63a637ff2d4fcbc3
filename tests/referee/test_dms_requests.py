"""The official clients are the referees of our Data Agent requests: parameters, signatures, forms, policies."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from alibabacloud_dms20250414 import models
from alibabacloud_dms20250414.client import Client

from tests.referee.recording import Captured, Recorder, recording
from tests.referee.rpc_calls import WAYS, assert_all_are_compared, assert_same, assert_signed, official, our_rpc
from tests.services.dms_frames import row
from tests.services.dms_stage import PATIENT, QUICK
from tui.models import AskBlock, TurnIds
from tui.services.base import AnswerRequest, AskReply, Page, TurnRef, TurnRequest
from tui.services.dms import DmsDataAgent, Place
from tui.services.dms_agents import DmsAgentForm
from tui.services.dms_calls import DATA_AGENT, SignedCalls
from tui.services.dms_options import DataSource, write_data
from tui.services.oss import Form, post_form
from tui.services.uploads import form_fields

QUESTION = '分析 orders & 退款 100% + ~ * \' "quoted"\nsecond line\ttab 🚀'
FILE = DataSource(file_id="f-abc", name="销售.xlsx", tables=("Sheet1",), region="cn-beijing")
DATABASE = DataSource(
    name="shop", instance_id="i-1", database_id="d-1", engine="mysql", tables=("orders",), region="cn-hangzhou"
)
OPTIONS = {
    "mode": "INSIGHT",
    "language": "en_US.UTF-8",
    "plan": "force",
    "search": "true",
    "agent": "ca-1",
    "agent_stage": "prod",
    "skip": "plan,sql,question,report",
    "workspace": "ws-1",
    "data": write_data([FILE, DATABASE]),
    "theme": "journal",
}
CREATE_CONFIG = models.CreateDataAgentSessionRequestSessionConfig(
    custom_agent_id="ca-1", custom_agent_stage="prod", enable_search=True, language="ENGLISH", mode="INSIGHT"
)
SEND_CONFIG = models.SendChatMessageRequestSessionConfig(
    custom_agent_id="ca-1",
    custom_agent_stage="prod",
    enable_search=True,
    language="ENGLISH",
    mode="INSIGHT",
    plan_mode="force",
    skip_plan=True,
    skip_sql_confirm=True,
    skip_ask_human=True,
    skip_web_report_confirm=True,
)
SOURCES = [
    models.SendChatMessageRequestDataSources(
        data_source_type="remote_data_center",
        file_id="f-abc",
        database="销售.xlsx",
        region_id="cn-beijing",
        tables=["Sheet1"],
    ),
    models.SendChatMessageRequestDataSources(
        data_source_type="database",
        dms_instance_id="i-1",
        dms_database_id="d-1",
        db_name="shop",
        engine="mysql",
        region_id="cn-hangzhou",
        tables=["orders"],
    ),
]
UNIT = {"dmsunit": "cn-hangzhou"}
AGENT = DmsAgentForm(
    name="周报 agent",
    description="compares & explains",
    instruction="先看总体。\nThen the regions: 100% + ~",
    knowledge="A week begins on Monday.",
    questions=("哪一周？", "a & b"),
    skips=("plan", "data"),
    theme="journal",
)
SESSION = {**UNIT, "agent_id": "ag-1", "session_id": "se-1"}


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Answers what both clients take for success."""
    frames = [row("chat_start", "chat", {"message": "?"}, 15), row("chat_finish", "chat", "", 16)]
    stream = b"".join(f"event: {made['event_type']}\ndata: {json.dumps(made)}\n\n".encode() for made in frames)
    data = {"AgentId": "ag-1", "SessionId": "se-1", "AgentStatus": "RUNNING", "SessionStatus": "IDLE", "FileId": "f-1"}
    grant = ("UploadHost", "UploadDir", "Policy", "OssSignature", "OssSignatureVersion", "OssCredential", "OssDate")
    data |= {name: "x" for name in (*grant, "OssSecurityToken")}

    def answer(captured: Captured) -> tuple[int, str, bytes]:
        if captured.action == "GetChatContent":
            return 200, "text/event-stream", stream
        listed = captured.action in ("ListDataAgentSession", "ListFileUpload")
        answered = {"RequestId": "R", "Success": True, "ErrorCode": "success", "Data": [] if listed else data}
        return 200, "application/json", json.dumps(answered).encode()

    with recording(answer) as made:
        yield made


def params(captured: Captured) -> dict[str, Any]:
    """The parameters, JSON in them parsed: the order of its keys means nothing."""
    found: dict[str, Any] = {}
    for name, value in captured.query.items():
        found[name] = json.loads(value) if value[:1] in ("{", "[") else value
        if isinstance(found[name], dict):
            assert value == json.dumps(found[name], ensure_ascii=False, separators=(",", ":")), "not compact"
            # The official client sends this one always, whether it is filled or not.
            if found[name].get("McpHeaders") == []:
                del found[name]["McpHeaders"]
    return found


@asynccontextmanager
async def our_client(recorder: Recorder, token: str = "") -> AsyncIterator[DmsDataAgent]:
    calls = SignedCalls(our_rpc(recorder, DATA_AGENT, token))
    service = DmsDataAgent(calls, Place("cn-hangzhou"), timing=QUICK, patience=PATIENT)
    try:
        yield service
    finally:
        await service.aclose()


def asks(request: TurnRequest) -> Callable[[DmsDataAgent], Awaitable[None]]:
    async def ours(service: DmsDataAgent) -> None:
        async with service.stream(request) as events:
            async for _event in events:
                pass

    return ours


def answers(ask: AskBlock, reply: AskReply, options: dict[str, str] | None = None) -> Any:
    async def ours(service: DmsDataAgent) -> None:
        from datetime import UTC, datetime

        ref = TurnRef("?", datetime(2026, 1, 1, tzinfo=UTC), TurnIds(conversation="se-1"))
        async with service.answer(AnswerRequest(ref, ask, reply, options or {})) as events:
            async for _event in events:
                pass

    return ours


def send(**params: Any) -> models.SendChatMessageRequest:
    return models.SendChatMessageRequest(**SESSION, **params)


Ours = Callable[[DmsDataAgent], Awaitable[object]]
CASES: dict[str, tuple[Ours, str, Any]] = {
    "create": (
        asks(TurnRequest(QUESTION, options=OPTIONS)),
        "create_data_agent_session",
        models.CreateDataAgentSessionRequest(
            **UNIT,
            title=" ".join(QUESTION.split()),
            file="f-abc",
            workspace_id="ws-1",
            session_config=CREATE_CONFIG,
        ),
    ),
    "describe": (
        lambda service: service.sessions.describe("se-1", "ws-1"),
        "describe_data_agent_session",
        models.DescribeDataAgentSessionRequest(**UNIT, session_id="se-1", workspace_id="ws-1"),
    ),
    "sessions": (
        lambda service: service.conversations(Page("3", 20)),
        "list_data_agent_session",
        models.ListDataAgentSessionRequest(**UNIT, page_number=3, page_size=20),
    ),
    "first message": (
        asks(TurnRequest(QUESTION, options=OPTIONS)),
        "send_chat_message",
        send(
            message=QUESTION,
            message_type="primary",
            workspace_id="ws-1",
            session_config=SEND_CONFIG,
            data_sources=SOURCES,
        ),
    ),
    "plan confirmed": (
        answers(AskBlock("plan", "14"), AskReply("approve")),
        "send_chat_message",
        send(message="确认执行", message_type="primary", reply_to="14"),
    ),
    "all SQL confirmed": (
        answers(AskBlock("sql", "17", "SELECT 1"), AskReply("approve_all")),
        "send_chat_message",
        send(message="同意后续所有SQL执行", message_type="primary", reply_to="17"),
    ),
    "question answered": (
        answers(AskBlock("question", "41", "Should GMV include 退货?"), AskReply("reply", "No & 不")),
        "send_chat_message",
        send(message="No & 不", message_type="additional", question="Should GMV include 退货?", reply_to="41"),
    ),
    "data given": (
        answers(AskBlock("datasource", "51", "Which?"), AskReply("reply", "This one"), {"data": write_data([FILE])}),
        "send_chat_message",
        send(
            message="This one",
            message_type="additional",
            question="Which?",
            reply_to="51",
            data_sources=SOURCES[:1],
        ),
    ),
    "report": (
        answers(AskBlock("report", "22", "Draw?"), AskReply("approve", "in blue"), OPTIONS | {"workspace": ""}),
        "send_chat_message",
        send(
            message="绘制网页报告",
            message_type="report",
            reply_to="22",
            task_config=models.SendChatMessageRequestTaskConfig(
                report_config=models.SendChatMessageRequestTaskConfigReportConfig(
                    report_type="WebReport", report_theme="journal", report_prompt="in blue"
                )
            ),
        ),
    ),
    "cancel": (
        lambda service: service.stop(TurnIds(conversation="se-1")),
        "send_chat_message",
        models.SendChatMessageRequest(**UNIT, session_id="se-1", message="cancel", message_type="cancel"),
    ),
    "stream": (
        answers(AskBlock("plan", "14"), AskReply("approve")),
        "get_chat_content_with_sse",
        models.GetChatContentRequest(**SESSION, checkpoint="0"),
    ),
    "feedback": (
        lambda service: service.feedback(TurnIds(conversation="se-1", checkpoint="10"), "dislike", "很好 + clear"),
        "create_data_agent_feedback",
        models.CreateDataAgentFeedbackRequest(
            **UNIT,
            session_id="se-1",
            feedback_type="DISLIKE",
            like_value=-1,
            feedback_content="很好 + clear",
            target_type="CHAT",
            target_id="10",
        ),
    ),
    "custom agents": (
        lambda service: service.agents.list(Page(), "周报 agent"),
        "list_custom_agent",
        models.ListCustomAgentRequest(page_number=1, page_size=20, search_key="周报 agent"),
    ),
    "custom agent": (
        lambda service: service.agents.describe("ca-1"),
        "describe_custom_agent",
        models.DescribeCustomAgentRequest(custom_agent_id="ca-1"),
    ),
    "make a custom agent": (
        lambda service: service.agents.create(AGENT),
        "create_custom_agent",
        models.CreateCustomAgentRequest(
            **UNIT,
            agent_type="Common",
            name=AGENT.name,
            description=AGENT.description,
            instruction=AGENT.instruction,
            knowledge=AGENT.knowledge,
            recommend_question_list=["哪一周？", "a & b"],
            execution_config=models.CreateCustomAgentRequestExecutionConfig(
                skip_plan=True,
                skip_sql_confirm=False,
                skip_ask_human=False,
                skip_web_report_confirm=False,
                forbidden_append_data_source=True,
            ),
            web_report_theme="journal",
        ),
    ),
    "change a custom agent": (
        lambda service: service.agents.modify("ca-1", AGENT, ["instruction", "questions"]),
        "modify_custom_agent",
        models.ModifyCustomAgentRequest(
            **UNIT,
            custom_agent_id="ca-1",
            instruction=AGENT.instruction,
            recommend_question_list=["哪一周？", "a & b"],
        ),
    ),
    "release a custom agent": (
        lambda service: service.agents.operate("ca-1", "RELEASE"),
        "operate_custom_agent",
        models.OperateCustomAgentRequest(custom_agent_id="ca-1", operate_type="RELEASE"),
    ),
    "delete a custom agent": (
        lambda service: service.agents.delete("ca-1"),
        "delete_custom_agent",
        models.DeleteCustomAgentRequest(custom_agent_id="ca-1"),
    ),
    "leave to upload": (
        lambda service: service.files.grant(),
        "describe_file_upload_signature",
        models.DescribeFileUploadSignatureRequest(dms_unit="cn-hangzhou"),
    ),
    "callback": (
        lambda service: service.files.register("销售.csv", "dir/销售.csv", 12),
        "file_upload_callback",
        models.FileUploadCallbackRequest(
            dms_unit="cn-hangzhou", filename="销售.csv", upload_location="dir/销售.csv", file_size=12
        ),
    ),
    "files": (
        lambda service: service.files.list(session="se-1", category="WebReport"),
        "list_file_upload",
        models.ListFileUploadRequest(
            dms_unit="cn-hangzhou",
            session_id="se-1",
            file_category="WebReport",
            sort_column="gmtCreated",
            sort_direction="desc",
        ),
    ),
    "delete": (
        lambda service: service.files.delete("f-1"),
        "delete_file_upload",
        models.DeleteFileUploadRequest(dms_unit="cn-hangzhou", file_id="f-1"),
    ),
}


@pytest.mark.parametrize(("token", "asynchronous"), WAYS, ids=["key", "sts"])
@pytest.mark.parametrize("name", CASES)
async def test_our_request_is_the_official_clients(
    name: str, token: str, asynchronous: bool, recorder: Recorder
) -> None:
    ours_acts, method, request = CASES[name]
    theirs = await official(recorder, Client, method, request, token, asynchronous=asynchronous)
    async with our_client(recorder, token) as service:
        await ours_acts(service)
    ours = recorder.of(theirs.action)
    assert_same(ours, theirs)
    assert params(ours) == params(theirs)
    for captured in recorder.requests[1:]:
        assert_signed(captured)


def test_every_operation_that_we_use_is_refereed() -> None:
    assert_all_are_compared(Client, "dms*.py", (method for _ours, method, _request in CASES.values()))


# --- the form ------------------------------------------------------------------------------------------------------

POLICY = {
    "expiration": "2026-01-02T04:04:05.000Z",
    "conditions": [
        {"x-oss-signature-version": "OSS4-HMAC-SHA256"},
        {"x-oss-credential": "STS.EXAMPLEKEYID/20260102/cn-hangzhou/oss/aliyun_v4_request"},
        {"x-oss-date": "20260102T030405Z"},
        {"x-oss-security-token": "EXAMPLE-STS-TOKEN"},
        ["starts-with", "$key", "data_agent/file_upload/1/20260102/abc/"],
        ["content-length-range", 0, 209715200],
    ],
}
SIGNATURE = "c2a8c69bf7903cc479ac73e5b4cfaea0262e5b4cf9e78c183b5ced096fbdee98"
"""Of the worked example of the protocol notes, section 9.3, with the secret `example-sts-secret`."""


def grant_of(host: str) -> dict[str, str]:
    return {
        "UploadHost": host,
        "UploadDir": "data_agent/file_upload/1/20260102/abc",
        "Policy": base64.b64encode(json.dumps(POLICY, separators=(",", ":")).encode()).decode(),
        "OssSignature": SIGNATURE,
        "OssSignatureVersion": "OSS4-HMAC-SHA256",
        "OssCredential": "STS.EXAMPLEKEYID/20260102/cn-hangzhou/oss/aliyun_v4_request",
        "OssDate": "20260102T030405Z",
        "OssSecurityToken": "EXAMPLE-STS-TOKEN",
    }


async def test_the_form_is_that_of_an_independent_client(recorder: Recorder, tmp_path: Path) -> None:
    from tui.services.dms_files import RemoteFiles
    from tui.services.fields import Fields

    class Calls:
        host = "test"

        async def read(self, _action: str, _params: object) -> Fields:
            return Fields({"Data": grant_of(f"http://{recorder.address}")})

    grant = await RemoteFiles(Calls(), "cn-hangzhou").grant()  # type: ignore[arg-type]  # only `read` is used
    content = ("列,b\n" + "1,2\n" * 100_000).encode()
    path = tmp_path / "销售.csv"
    path.write_bytes(content)
    form = Form.make(form_fields(grant, "销售.csv"), "销售.csv", "text/csv")
    sent: list[int] = []
    await post_form(grant.host, form, path, len(content), sent.append, local=True)

    wanted = grant_of("")
    fields = [
        ("success_action_status", "200"),
        ("policy", wanted["Policy"]),
        ("x-oss-signature", wanted["OssSignature"]),
        ("x-oss-signature-version", wanted["OssSignatureVersion"]),
        ("x-oss-credential", wanted["OssCredential"]),
        ("x-oss-date", wanted["OssDate"]),
        ("key", wanted["UploadDir"] + "/销售.csv"),
        ("x-oss-security-token", wanted["OssSecurityToken"]),
    ]
    files: list[Any] = [(name, (None, value)) for name, value in fields]
    files.append(("file", ("销售.csv", content, "text/csv")))
    independent = httpx.Request(
        "POST",
        f"http://{recorder.address}/",
        files=files,
        headers={"content-type": f"multipart/form-data; boundary={form.boundary}"},
    )
    [ours] = recorder.requests
    assert ours.body == independent.read()
    assert ours.headers["content-length"] == independent.headers["content-length"]
    assert ours.headers["content-type"] == independent.headers["content-type"]
    assert sent[-1] == len(content)
    assert not {name for name in ours.headers if name.startswith("x-acs-") or name in ("authorization", "cookie")}


def test_the_policy_of_the_worked_example_has_its_signature() -> None:
    """What the form carries can be verified by whoever has the secret: four keys, then the policy's text."""
    key = b"aliyun_v4example-sts-secret"
    for part in ("20260102", "cn-hangzhou", "oss", "aliyun_v4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    assert hmac.new(key, grant_of("")["Policy"].encode(), hashlib.sha256).hexdigest() == SIGNATURE
