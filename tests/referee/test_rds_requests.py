"""The official client is the referee of our requests: the same parameters, and a signature that it would compute."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest
from alibabacloud_rdsai20250507 import models
from alibabacloud_rdsai20250507.client import Client
from alibabacloud_tea_openapi.models import OpenApiRequest
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.runtime import RuntimeOptions

from tui.models import TurnIds
from tui.services.base import Page, TurnRequest
from tui.services.endpoints import parse_endpoint
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.rds import RDS_AI, RdsCopilot
from tui.services.rpc import RpcClient

KEY_ID, SECRET, TOKEN = "FAKE_AK_ID", "FAKE_AK_SECRET", "FAKE_STS_TOKEN"
QUESTION = 'disk of rm-x & 100% + 磁盘? ~ * \' "quoted"\nsecond line\ttab'
OPTIONS = {
    "region": "cn-hangzhou",
    "language": "en-US",
    "timezone": "Asia/Shanghai",
    "agent": "agent-0001",
    "thinking": "true",
    "effort": "high",
    "model": "qwen-fake",
    "approval": "manual",
    "resume_call": "call-1",
    "workspace": "ws-1",
}
INPUTS = models.ChatMessagesRequestInputs(
    region_id="cn-hangzhou",
    language="en-US",
    timezone="Asia/Shanghai",
    custom_agent_id="agent-0001",
    enable_thinking="true",
    think_effort="high",
    model_id="qwen-fake",
    tool_approval_mode="manual",
    resume_call_id="call-1",
    workspace_id="ws-1",
)


@dataclass
class Captured:
    """What came over the wire."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def params(self) -> dict[str, str]:
        pairs = parse_qsl(self.query, keep_blank_values=True)
        assert len(pairs) == len(dict(pairs)), "a parameter came twice"
        return dict(pairs)


@dataclass
class Recorder:
    address: str = ""
    requests: list[Captured] = field(default_factory=list)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """A server that notes each request and answers what both clients take for success."""
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            path, _, query = self.path.partition("?")
            headers = {name.lower(): value for name, value in self.headers.items()}
            recorder.requests.append(Captured("POST", path, query, headers, body))
            streams = headers["x-acs-action"] == "ChatMessages"
            reply = b'data:{"Event":"workflow_finished"}\n\n' if streams else b'{"RequestId":"R","Data":[]}'
            self.send_response(200)
            self.send_header("content-type", "text/event-stream" if streams else "application/json")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_arguments: object) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    recorder.address = f"127.0.0.1:{server.server_port}"
    yield recorder
    server.shutdown()
    thread.join()
    server.server_close()


@asynccontextmanager
async def our_client(address: str, token: str = "") -> AsyncIterator[RdsCopilot]:
    keys = FixedKey(AccessKey(KEY_ID, Secret(SECRET), Secret(token)))
    service = RdsCopilot(RpcClient(RDS_AI, parse_endpoint(f"http://{address}", "test"), keys))
    try:
        yield service
    finally:
        await service.aclose()


def official_client(address: str, token: str = "") -> Client:
    config = Config(access_key_id=KEY_ID, access_key_secret=SECRET, endpoint=address, protocol="http")
    if token:
        config.security_token = token
    return Client(config)


async def _ours_asks(service: RdsCopilot, request: TurnRequest) -> None:
    async with service.stream(request) as events:
        async for _event in events:
            pass


Ours = Callable[[RdsCopilot], Awaitable[object]]
CASES: dict[str, tuple[Ours, str, Any]] = {
    "ask": (
        lambda service: _ours_asks(service, TurnRequest("disk?")),
        "chat_messages_with_sse",
        models.ChatMessagesRequest(query="disk?", event_mode="separate"),
    ),
    "ask on, with every option": (
        lambda service: _ours_asks(service, TurnRequest(QUESTION, "conv-0001", OPTIONS)),
        "chat_messages_with_sse",
        models.ChatMessagesRequest(query=QUESTION, conversation_id="conv-0001", event_mode="separate", inputs=INPUTS),
    ),
    "stop": (
        lambda service: service.stop(TurnIds(task="task-1")),
        "chat_messages_task_stop",
        models.ChatMessagesTaskStopRequest(task_id="task-1"),
    ),
    "conversations, first page": (
        lambda service: service.conversations(Page(limit=10)),
        "get_conversations",
        models.GetConversationsRequest(limit="10"),
    ),
    "conversations, next page": (
        lambda service: service.conversations(Page("conv-1", 10)),
        "get_conversations",
        models.GetConversationsRequest(last_id="conv-1", limit="10"),
    ),
    "messages, first page": (
        lambda service: service.history("conv-0001", Page(limit=20)),
        "get_messages",
        models.GetMessagesRequest(conversation_id="conv-0001", event_mode="separate", limit=20),
    ),
    "messages, older page": (
        lambda service: service.history("conv-0001", Page("msg-0009", 20)),
        "get_messages",
        models.GetMessagesRequest(conversation_id="conv-0001", event_mode="separate", first_id="msg-0009", limit=20),
    ),
    "feedback": (
        lambda service: service.feedback(TurnIds(message="m-1"), "like", "很好 + clear"),
        "modify_messages_feedbacks",
        models.ModifyMessagesFeedbacksRequest(message_id="m-1", rating="like", content="很好 + clear"),
    ),
    "feedback without a comment": (
        lambda service: service.feedback(TurnIds(message="m-1"), "dislike"),
        "modify_messages_feedbacks",
        models.ModifyMessagesFeedbacksRequest(message_id="m-1", rating="dislike"),
    ),
}


async def _official_calls(client: Client, method: str, request: Any, *, asynchronous: bool) -> None:
    if method.endswith("_sse"):
        if asynchronous:
            async for _frame in client.chat_messages_with_sse_async(request, RuntimeOptions()):
                pass
        else:
            await asyncio.to_thread(lambda: list(client.chat_messages_with_sse(request, RuntimeOptions())))
    elif asynchronous:
        await getattr(client, f"{method}_async")(request)
    else:
        await asyncio.to_thread(getattr(client, method), request)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("token", ["", TOKEN], ids=["key", "sts"])
@pytest.mark.parametrize("name", CASES)
async def test_our_request_is_the_official_clients(
    name: str, token: str, asynchronous: bool, recorder: Recorder
) -> None:
    ours_acts, method, request = CASES[name]

    await _official_calls(official_client(recorder.address, token), method, request, asynchronous=asynchronous)
    async with our_client(recorder.address, token) as service:
        await ours_acts(service)

    official, ours = recorder.requests
    assert ours.params == official.params
    assert (ours.method, ours.path, ours.body) == (official.method, official.path, official.body) == ("POST", "/", b"")
    same = ["host", "x-acs-action", "x-acs-version", "x-acs-content-sha256"]
    same += ["x-acs-accesskey-id", "x-acs-security-token"] if token else []
    for header in same:
        assert ours.headers[header] == official.headers[header]
    assert set(ours.headers) - set(official.headers) <= {"connection", "user-agent", "accept"}
    assert "+" not in ours.query


@pytest.mark.parametrize("token", ["", TOKEN], ids=["key", "sts"])
@pytest.mark.parametrize("name", CASES)
async def test_the_official_code_computes_our_signature(name: str, token: str, recorder: Recorder) -> None:
    async with our_client(recorder.address, token) as service:
        await CASES[name][0](service)

    (ours,) = recorder.requests
    signed = ours.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", *(header for header in ours.headers if header.startswith("x-acs-"))} == set(signed)
    request = OpenApiRequest(headers={header: ours.headers[header] for header in signed}, query=ours.params)
    request.method, request.pathname = ours.method, ours.path

    theirs = Utils.get_authorization(request, "ACS3-HMAC-SHA256", ours.headers["x-acs-content-sha256"], KEY_ID, SECRET)

    assert ours.headers["authorization"] == theirs
