"""Sign-in without a log-on: the official STS client against the sandbox, and our requests against the official ones."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from alibabacloud_sts20150401 import models
from alibabacloud_sts20150401.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.utils_models import Config

from tui.sandbox.server import SandboxServer
from tui.sandbox.sts import ROLE
from tui.services.endpoints import parse_endpoint
from tui.services.errors import ConfigurationError, ServiceError
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.signin import TOKEN_SECONDS, SignIn, check_destination

CONSOLE = "https://rdsnext.console.aliyun.com/rdsCopilot?hideTopbar=true&a=一"
LOGIN_PAGE = "https://example.com/again?x=1&y=2"


@pytest.fixture
def ours(sandbox: SandboxServer) -> SignIn:
    endpoint = parse_endpoint(sandbox.info.url, "sandbox")
    key = AccessKey(sandbox.info.access_key_id, Secret(sandbox.info.access_key_secret))
    return SignIn(endpoint, endpoint, FixedKey(key))


@pytest.fixture
def official_sts(sandbox: SandboxServer) -> Callable[[], Any]:
    info = sandbox.info
    config = {"access_key_id": info.access_key_id, "access_key_secret": info.access_key_secret, "protocol": "http"}
    return lambda: Client(Config(endpoint=info.url.removeprefix("http://"), **config))


async def test_the_official_client_assumes_the_role(official_sts: Callable[[], Any]) -> None:
    request = models.AssumeRoleRequest(role_arn=ROLE, role_session_name="alice", duration_seconds=900)
    for answer in (official_sts().assume_role(request), await official_sts().assume_role_async(request)):
        assert answer.body.credentials.access_key_id.startswith("STS.")
        assert answer.body.assumed_role_user.arn.endswith("/alice")
    assert official_sts().get_caller_identity().body.identity_type == "RAMUser"


async def test_our_request_is_the_official_one(
    sandbox: SandboxServer, ours: SignIn, official_sts: Callable[[], Any]
) -> None:
    seen: list[dict[str, str]] = []

    def note(request: httpx.Request) -> None:
        query = request.extensions["target"].decode().partition("?")[2]
        seen.append({**dict(parse_qsl(query)), "action": request.headers["x-acs-action"]})

    await ours.identity()  # opens the client
    for client in ours._sts._clients.values():
        client.event_hooks["request"].append(note_async(note))
    await ours.assume(ROLE, "alice", 900, '{"Version":"1"}')
    request = models.AssumeRoleRequest(
        role_arn=ROLE, role_session_name="alice", duration_seconds=900, policy='{"Version":"1"}'
    )
    official = {key: str(value) for key, value in request.to_map().items()}
    assert seen == [{**official, "action": "AssumeRole"}]
    await ours.aclose()


def note_async(note: Callable[[httpx.Request], None]) -> Callable[[httpx.Request], Any]:
    async def hook(request: httpx.Request) -> None:
        note(request)

    return hook


async def test_a_url_opens_the_console_once(
    sandbox: SandboxServer, ours: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rights = await ours.assume(ROLE, "alice", 900)
    made = await ours.url(rights, CONSOLE, LOGIN_PAGE, datetime(2026, 1, 2, tzinfo=UTC))
    assert (made.expires_at - datetime(2026, 1, 2, tzinfo=UTC)).total_seconds() == TOKEN_SECONDS
    assert dict(parse_qsl(urlsplit(made.url.reveal()).query)).items() >= {
        ("Action", "Login"),
        ("Destination", CONSOLE),
        ("LoginUrl", LOGIN_PAGE),
    }
    async with httpx.AsyncClient(trust_env=False) as browser:
        first, second = await browser.get(made.url.reveal()), await browser.get(made.url.reveal())
    assert (first.status_code, first.headers["location"]) == (302, CONSOLE)
    assert second.status_code == 401
    token = dict(parse_qsl(urlsplit(made.url.reveal()).query))["SigninToken"]
    told = caplog.text.split("HTTP Request: GET")[0] + repr(made) + repr(rights)
    for secret in (token, rights.secret.reveal(), rights.token.reveal()):
        assert secret not in told
    await ours.aclose()


async def test_a_url_does_not_wait(sandbox: SandboxServer, ours: SignIn) -> None:
    made = await ours.url(await ours.assume(ROLE, "alice"), CONSOLE, LOGIN_PAGE, datetime.now(UTC))
    sandbox.advance(TOKEN_SECONDS)
    async with httpx.AsyncClient(trust_env=False) as browser:
        assert (await browser.get(made.url.reveal())).status_code == 401
    await ours.aclose()


@pytest.mark.parametrize(
    ("fault", "code"),
    [("role-untrusted@AssumeRole", "NoPermission"), ("root-account@AssumeRole", "NoPermission")],
)
async def test_a_role_that_may_not_be_assumed(
    sandbox: SandboxServer, ours: SignIn, official_sts: Callable[[], Any], fault: str, code: str
) -> None:
    sandbox.set_faults(fault)
    with pytest.raises(ServiceError) as caught:
        await ours.assume(ROLE, "alice")
    assert caught.value.problem.code == code
    assert caught.value.problem.request_id
    with pytest.raises(ClientException, match=code):
        official_sts().assume_role(models.AssumeRoleRequest(role_arn=ROLE, role_session_name="alice"))
    await ours.aclose()


async def test_rights_that_the_page_refuses(sandbox: SandboxServer, ours: SignIn) -> None:
    rights = await ours.assume(ROLE, "alice")
    sandbox.set_faults("signin-refused")
    with pytest.raises(ServiceError) as caught:
        await ours.url(rights, CONSOLE, LOGIN_PAGE, datetime.now(UTC))
    assert caught.value.problem.code == "InvalidCredential.AuthenticateFail"
    assert rights.secret.reveal() not in str(caught.value)
    await ours.aclose()


@pytest.mark.parametrize(
    "url", ["http://rdsnext.console.aliyun.com/", "https://aliyun.com.example.com/", "https://a@x.aliyun.com/", "", "x"]
)
def test_only_console_pages_are_destinations(url: str) -> None:
    with pytest.raises(ConfigurationError):
        check_destination(url)
    assert check_destination(f" {CONSOLE}") == CONSOLE
