"""Long-term memory and the credentials of bots, against the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.services.lines import line_server, replies, response
from tui.sandbox.memories import BOT_ID, BOT_SECRET, KEY
from tui.sandbox.server import SandboxServer
from tui.services.bot_checks import Platform, check_bot
from tui.services.endpoints import Endpoint, parse_endpoint
from tui.services.errors import AuthenticationError, ConfigurationError, ProtocolError, ServiceError
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.memories import MemoryProject
from tui.services.signin import SignIn


@pytest.fixture
def endpoint(server: SandboxServer) -> Endpoint:
    return parse_endpoint(server.info.url, "sandbox")


@pytest.mark.parametrize("fault", ["", "memory-results"])
async def test_memories_are_added_found_and_deleted(server: SandboxServer, endpoint: Endpoint, fault: str) -> None:
    server.set_faults(*([fault] if fault else []))
    ann, bob = f"ann{fault}", f"bob{fault}"
    project = MemoryProject(endpoint, Secret(KEY))
    await project.check()
    await project.add(ann, "orders-main is rm-bp1k3")
    await project.add(ann, "备份窗口是凌晨两点")
    await project.add(bob, "orders-main is another one")
    assert {memory.text for memory in await project.list(ann)} == {"orders-main is rm-bp1k3", "备份窗口是凌晨两点"}
    (found,) = await project.search(ann, "备份")
    assert found.text == "备份窗口是凌晨两点"
    assert found.score == 1.0
    assert found.created_at
    await project.delete(found.id)
    assert await project.search(ann, "备份") == ()
    with pytest.raises(ServiceError) as caught:
        await project.delete(found.id)
    assert "not found" in caught.value.problem.sentence
    await project.aclose()


async def test_a_memory_is_sent_once(server: SandboxServer, endpoint: Endpoint) -> None:
    before = server.state()["received"].get("memories:POST", 0)
    project = MemoryProject(endpoint, Secret("wrong"))
    with pytest.raises(AuthenticationError):
        await project.add("ann", "x")
    assert server.state()["received"]["memories:POST"] == before + 1
    await project.aclose()


async def test_a_key_that_is_not_taken_any_more(server: SandboxServer, endpoint: Endpoint) -> None:
    server.set_faults("memory-key-refused")
    project = MemoryProject(endpoint, Secret(KEY))
    with pytest.raises(AuthenticationError):
        await project.check()
    await project.aclose()


async def test_a_key_in_full_width_is_not_sent(server: SandboxServer, endpoint: Endpoint) -> None:
    """An input method types it so; no header can hold it."""
    before = server.state()["received"].get("memories:GET", 0)
    project = MemoryProject(endpoint, Secret("ｋｅｙ"))
    with pytest.raises(ConfigurationError, match="a character that no key has") as caught:
        await project.check()
    assert "ｋｅｙ" not in f"{caught.value.problem}"
    assert server.state()["received"].get("memories:GET", 0) == before
    await project.aclose()


async def test_an_id_never_becomes_another_path(endpoint: Endpoint) -> None:
    with pytest.raises(ConfigurationError):
        await MemoryProject(endpoint, Secret(KEY)).delete("../../_sandbox/reset")


@pytest.mark.parametrize("platform", ["dingtalk", "feishu", "lark"])
async def test_the_credentials_of_a_bot(endpoint: Endpoint, platform: Platform) -> None:
    bot = await check_bot(platform, BOT_ID, Secret(BOT_SECRET), endpoint)
    assert bot.name == ("" if platform == "dingtalk" else "沙箱机器人")
    with pytest.raises(AuthenticationError) as caught:
        await check_bot(platform, BOT_ID, Secret("typo"), endpoint)
    assert "typo" not in str(caught.value.problem)
    assert "sandbox data" in caught.value.problem.sentence


@pytest.mark.parametrize("body", [b"<html>", b'{"code":"ServiceUnavailable","message":"busy"}'])
async def test_a_platform_that_is_down_says_nothing_of_the_credentials(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.services.http.READ_PATIENCE", 0.0)
    async with line_server(replies(response(body, status="503 Service Unavailable"))) as server:
        with pytest.raises(ServiceError) as caught:
            await check_bot("dingtalk", BOT_ID, Secret(BOT_SECRET), parse_endpoint(server.url, "test"))

    assert not isinstance(caught.value, AuthenticationError)
    assert caught.value.problem.retryable


async def test_a_sign_in_page_that_breaks_off_its_json_is_no_crash() -> None:
    rights = AccessKey("STS.id", Secret("canary"), Secret("token"))
    async with line_server(replies(response(b'{"SigninToken":'))) as server:
        endpoint = parse_endpoint(server.url, "test")
        with pytest.raises(ProtocolError) as caught:
            await SignIn(endpoint, endpoint, FixedKey(rights)).url(
                rights, "https://x/", "https://y/", datetime.now(UTC)
            )

    assert "canary" not in str(caught.value)
