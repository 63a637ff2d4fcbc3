"""What is repeated and what never is; what a broken line says of the request; the limits."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from tests.services.lines import (
    LAST_CHUNK,
    STREAM_HEAD,
    Handler,
    LineServer,
    Seen,
    chunk,
    line_server,
    replies,
    response,
)
from tests.services.turns import ask, service_of, text_of
from tui.models import Problem
from tui.sandbox.server import SandboxServer
from tui.services.base import Page, TurnRequest
from tui.services.endpoints import parse_endpoint
from tui.services.errors import (
    AuthenticationError,
    BusyError,
    ConfigurationError,
    ProtocolError,
    ServiceError,
    TransportError,
)
from tui.services.events import Status
from tui.services.http import not_connected, open_client, repeat_read, transport_error
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.rds import RDS_AI, RdsCopilot
from tui.services.rpc import LONG_QUERY, MAX_QUERY, RpcClient

OK = response(b'{"RequestId":"R","Data":[]}')
THROTTLED = response(b'{"Code":"Throttling.User","Message":"m"}', status="429 Too Many", x_acs_retry_after="10")
BROKEN = b""
"""Closed without an answer."""


class Keys(FixedKey):
    """Counts how often it is told that its key was refused."""

    forgotten = 0

    def forget(self) -> None:
        type(self).forgotten += 1


def rpc_at(url: str) -> RpcClient:
    return RpcClient(RDS_AI, parse_endpoint(url, "test"), Keys(AccessKey("id", Secret("secret"))))


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[tuple[RpcClient, LineServer]]:
    async with asyncio.timeout(20), line_server(handler) as server:
        rpc = rpc_at(server.url)
        yield rpc, server
        await rpc.aclose()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off without its seconds."""
    monkeypatch.setattr("tenacity.wait_random_exponential", lambda **_arguments: lambda _state: 0.0)


@pytest.mark.parametrize("failure", [THROTTLED, BROKEN, response(b"<html>", status="502 Bad Gateway")])
async def test_a_read_is_repeated_until_it_works(failure: bytes) -> None:
    async with served(replies(failure, failure, OK)) as (rpc, server):
        assert (await rpc.read("GetConversations", {}))["RequestId"] == "R"

    assert len(server.seen) == 3
    assert len({seen.headers["x-acs-signature-nonce"] for seen in server.seen}) == 3


async def test_a_read_is_given_up_after_four_attempts() -> None:
    async with served(replies(THROTTLED)) as (rpc, server):
        with pytest.raises(BusyError):
            await rpc.read("GetConversations", {})

    assert len(server.seen) == 4


async def test_a_read_on_a_dead_line_is_not_begun_anew_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.services.http.READ_PATIENCE", 0.0)
    async with served(replies(BROKEN)) as (rpc, server):
        with pytest.raises(TransportError) as caught:
            await rpc.read("GetConversations", {})

    assert len(server.seen) == 1
    assert caught.value.problem.delivered == "unknown"
    assert "look again" in caught.value.problem.remedy  # nothing was sent that could be sent twice


@pytest.mark.parametrize(
    "refusal",
    [
        response(b'{"Code":"InvalidParameter","Message":"m"}', status="400 Bad Request"),
        response(b'{"Code":"MoQuotaExceeded","Message":"m"}', status="429 Too Many"),
        response(b'{"Code":"Throttling","Message":"m"}', status="429 Too Many", x_acs_retry_after="90000"),
        response(b"<html>", status="302 Found", location="http://127.0.0.1:1/"),
    ],
)
async def test_a_read_that_cannot_work_soon_is_not_repeated(refusal: bytes) -> None:
    async with served(replies(refusal, OK)) as (rpc, server):
        with pytest.raises(ServiceError):
            await rpc.read("GetConversations", {})

    assert len(server.seen) == 1


@pytest.mark.parametrize("failure", [THROTTLED, BROKEN, response(b"<html>", status="502 Bad Gateway")])
async def test_what_changes_something_is_sent_once(failure: bytes) -> None:
    async with served(replies(failure, OK)) as (rpc, server):
        with pytest.raises(ServiceError):
            await rpc.write("ModifyMessagesFeedbacks", {"MessageId": "m"})
        async with asyncio.timeout(5):
            with pytest.raises(ServiceError):
                async with rpc.stream("ChatMessages", {"Query": "q"}):
                    pass

    assert [seen.action for seen in server.seen] == ["ModifyMessagesFeedbacks", "ChatMessages"]


async def test_a_send_tries_once_more_where_no_connection_was_made() -> None:
    attempts = 0

    class Refusing(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal attempts
            attempts += 1
            raise httpx.ConnectError("All connection attempts failed")

    rpc = RpcClient(
        RDS_AI,
        parse_endpoint("http://127.0.0.1:1", "test"),
        FixedKey(AccessKey("i", Secret("s"))),
        transport=Refusing(),
    )
    with pytest.raises(TransportError) as caught:
        await rpc.write("ChatMessagesTaskStop", {"TaskId": "t"})

    assert attempts == 2
    assert caught.value.problem.delivered == "no"
    assert "cannot be reached" in caught.value.problem.sentence
    await rpc.aclose()


async def test_nobody_listens() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    rpc = rpc_at(f"http://127.0.0.1:{port}")

    with pytest.raises(TransportError) as caught:
        async with rpc.stream("ChatMessages", {"Query": "q"}):
            pass

    assert caught.value.problem.delivered == "no"
    await rpc.aclose()


@pytest.mark.parametrize(
    ("error", "delivered", "says"),
    [
        (httpx.ConnectError("x"), "no", "cannot be reached"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), "no", "is not trusted"),
        (httpx.ConnectTimeout(""), "no", "within 10 s"),
        (httpx.PoolTimeout(""), "no", "within 10 s"),
        (httpx.ProxyError("407"), "no", "proxy does not connect"),
        (httpx.UnsupportedProtocol("ftp"), "no", "ftp"),
        (httpx.LocalProtocolError("Illegal header value b'Bearer canary'"), "no", "characters that no header may have"),
        (httpx.WriteTimeout(""), "unknown", "nothing for too long"),
        (httpx.ReadTimeout(""), "unknown", "nothing for too long"),
        (httpx.ReadError(""), "unknown", "broke"),
        (httpx.WriteError("Broken pipe"), "unknown", "Broken pipe"),
        (httpx.RemoteProtocolError("peer closed"), "unknown", "peer closed"),
    ],
)
def test_how_the_line_failed_says_whether_the_request_arrived(
    error: httpx.HTTPError, delivered: str, says: str
) -> None:
    problem = transport_error(error, host="h").problem

    assert problem.delivered == delivered
    assert says in problem.sentence
    assert "canary" not in f"{problem}"
    assert problem.remedy
    assert (problem.code, problem.status) == ("", 0)
    if delivered == "unknown":
        assert transport_error(error, host="h", began=True).problem.delivered == "yes"
    assert not_connected(error) is isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))


async def test_an_error_with_status_200_is_an_error() -> None:
    async with served(replies(response(b'{"RequestId":"R-1","Code":"NoPermission","Message":"m"}'))) as (rpc, _server):
        with pytest.raises(ServiceError) as caught:
            await rpc.read("GetMessages", {})

    assert caught.value.problem.request_id == "R-1"
    assert "rdsai:GetMessages" in caught.value.problem.sentence


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b"{", b"null", b"<html>"])
async def test_an_answer_that_is_no_object_is_not_of_the_protocol(body: bytes) -> None:
    async with served(replies(response(body))) as (rpc, _server):
        with pytest.raises(ProtocolError):
            await rpc.write("GetMessages", {})


async def test_a_code_that_says_success_is_none() -> None:
    async with served(replies(response(b'{"Code":"200","Success":true,"Data":[]}'))) as (rpc, _server):
        assert (await rpc.read("GetMessages", {}))["Success"] is True


async def test_a_key_that_is_refused_is_read_anew_next_time() -> None:
    Keys.forgotten = 0
    refusal = response(b'{"Code":"InvalidSecurityToken.Expired","Message":"m"}', status="400 Bad")
    async with served(replies(refusal)) as (rpc, _server):
        with pytest.raises(AuthenticationError):
            await rpc.read("GetConversations", {})

    assert Keys.forgotten == 1


async def test_a_question_is_never_sent_on_a_connection_that_was_kept() -> None:
    """The other side may be closing it at this moment, and then nobody knows whether the question arrived."""
    connections: list[object] = []

    async def handler(seen: Seen, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        if seen.action == "ChatMessages":
            writer.write(STREAM_HEAD + chunk(b'data:{"Event":"workflow_finished"}\n\n') + LAST_CHUNK)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        await asyncio.sleep(3600)  # the server would keep it

    async with served(handler) as (rpc, server):
        for _question in range(2):
            async with rpc.stream("ChatMessages", {"Query": "q"}) as batches:
                async for _batch in batches:
                    pass

    assert len(server.seen) == len(connections) == 2


async def test_requests_are_as_the_notes_want_them() -> None:
    async with served(replies(OK)) as (rpc, server):
        await rpc.read("GetConversations", {"Limit": 5, "LastId": "", "Pinned": None})

    (seen,) = server.seen
    assert seen.line == "POST /?Limit=5 HTTP/1.1"
    assert [name.lower() for name in seen.header_names].count("accept") == 1
    assert seen.headers["content-length"] == "0"
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["user-agent"].startswith("yunliao/")
    assert "content-type" not in seen.headers


async def test_a_long_question_in_chinese_arrives_whole(server: SandboxServer) -> None:
    """Beyond the 64 KB at which the HTTP library refuses a URL."""
    rds = service_of(server)
    text = "磁盘空间为什么满了？" * 1000

    seen = await ask(rds, f"echo {text}")

    assert text_of(seen.turn) == text
    assert "90 KB" in seen.of(Status)[0].text
    assert len(text) * 9 > LONG_QUERY
    await rds.aclose()


async def test_a_question_beyond_all_measure_is_not_sent() -> None:
    async with served(replies(OK)) as (rpc, server):
        with pytest.raises(ConfigurationError, match="too long") as caught:
            async with RdsCopilot(rpc).stream(TurnRequest("x" * (MAX_QUERY + 1))):
                pass

    assert caught.value.problem.delivered == "no"
    assert server.seen == []


async def test_nothing_of_a_question_reaches_a_log(caplog: pytest.LogCaptureFixture, server: SandboxServer) -> None:
    rds = service_of(server)
    # Even where somebody turns the levels up: the question is not in the URL that the library knows.
    logging.getLogger("httpx").setLevel(logging.INFO)
    try:
        with caplog.at_level(logging.INFO):
            await ask(rds, "echo canary-in-the-question")
            await rds.conversations(Page())
    finally:
        logging.getLogger("httpx").setLevel(logging.WARNING)

    assert "canary" not in caplog.text
    assert "HTTP/1.1 200" in caplog.text
    await rds.aclose()


async def test_a_long_list_is_parsed_beside_the_event_loop() -> None:
    body = json.dumps({"Data": [{"Id": f"c-{number}", "Name": "x" * 500} for number in range(1000)]}).encode()
    async with served(replies(response(body))) as (rpc, _server):
        assert len((await RdsCopilot(rpc).conversations(Page())).items) == 1000


async def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.services.host_client.MAX_BODY", 1000)
    async with served(replies(response(b" " * 5000))) as (rpc, _server):
        with pytest.raises(ProtocolError, match="sent more than"):
            await rpc.write("GetMessages", {})


async def test_the_clocks_difference_is_learnt_from_answers() -> None:
    ahead = format_datetime(datetime.now(UTC) + timedelta(minutes=7), usegmt=True)
    async with served(replies(response(b"{}", date=ahead))) as (rpc, _server):
        await rpc.read("GetConversations", {})
        assert timedelta(minutes=6, seconds=55) < rpc.clock_offset < timedelta(minutes=7, seconds=5)


async def test_a_wait_that_the_service_asks_for_is_obeyed() -> None:
    waits: list[float] = []
    failures = [BusyError(Problem("t", "s", retryable=True), 1.5) for _number in range(2)]

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def read() -> str:
        if failures:
            raise failures.pop()
        return "read"

    assert await repeat_read(read, sleep=sleep) == "read"
    assert waits == [1.5, 1.5]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTPS_PROXY", "nonsense://"),
        ("HTTPS_PROXY", "http://proxy:port"),
        ("HTTPS_PROXY", "http://user:canary/secret@proxy:8080"),
        ("NO_PROXY", "10.0.0.0/8,fd00::/8"),
        ("SSL_CERT_FILE", "/no/such/file"),
        ("ALL_PROXY", "socks5://127.0.0.1:1"),
    ],
)
async def test_settings_of_the_network_that_cannot_be_used_are_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as caught:
        await open_client(parse_endpoint("https://rdsai.aliyuncs.com", "test"))

    assert name in caught.value.problem.remedy
    assert "canary" not in str(caught.value)


async def test_loopback_is_never_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    async with served(replies(OK)) as (rpc, server):
        await rpc.read("GetConversations", {})

    assert len(server.seen) == 1
