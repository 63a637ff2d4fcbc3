"""Which account or sandbox a run speaks to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.services.turns import ask, service_of, text_of
from tui.sandbox.server import SandboxServer
from tui.services.errors import AuthenticationError, ConfigurationError
from tui.services.keys import AccessKey, Secret
from tui.services.rds import RdsCopilot
from tui.services.registry import open_services

ENV = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI5tFakeFakeFake3f2a", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s"}


async def test_without_credentials_it_is_the_sandbox_and_says_so(tmp_path: Path) -> None:
    services = await open_services(environ={"HOME": str(tmp_path)})
    try:
        assert services.on_sandbox
        assert "no credentials" in services.sandbox_reason
        rds = await services.get("rds")
        assert isinstance(rds, RdsCopilot)
        assert await services.get("rds") is rds
        assert text_of((await ask(rds, "echo hello")).turn) == "hello"
    finally:
        await services.aclose()


async def test_a_user_without_a_home_has_the_sandbox_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may run under a number that no account has."""

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", unknown)

    services = await open_services(environ={})

    assert services.on_sandbox
    await services.aclose()


async def test_with_credentials_it_is_the_account(tmp_path: Path) -> None:
    services = await open_services(environ={"HOME": str(tmp_path), **ENV})

    assert (services.on_sandbox, services.sandbox_reason) == (False, "")
    assert services.endpoints["rds"].url == "https://rdsai.aliyuncs.com"
    assert (await services.account()).masked == "LTAI…3f2a"
    await services.aclose()


async def test_one_that_does_not_close_keeps_no_other_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services = await open_services(environ={"HOME": str(tmp_path)})
    rds, dms = await services.get("rds"), await services.get("dms")
    closed: list[str] = []

    async def fails() -> None:
        closed.append("dms")
        raise RuntimeError("a bug")

    async def closes() -> None:
        closed.append("rds")

    monkeypatch.setattr(dms, "aclose", fails)
    monkeypatch.setattr(rds, "aclose", closes)
    url = services.endpoints["rds"].url

    with pytest.raises(RuntimeError, match="a bug"):
        await services.aclose()

    assert sorted(closed) == ["dms", "rds"]
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_the_sandbox_can_be_asked_for_beside_credentials(tmp_path: Path) -> None:
    services = await open_services(sandbox=True, environ={"HOME": str(tmp_path), **ENV})

    assert services.on_sandbox
    assert services.endpoints["rds"].loopback
    await services.aclose()


async def test_the_sandbox_never_stands_in_for_a_profile_that_was_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="prod"):
        await open_services(profile="prod", environ={"HOME": str(tmp_path)})


async def test_a_switch_that_the_sandbox_does_not_know_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nonsense"):
        await open_services(faults=["nonsense"], environ={"HOME": str(tmp_path)})


async def test_an_address_that_is_not_safe_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), **ENV, "YUNLIAO_RDS_ENDPOINT": "http://rdsai.aliyuncs.com"}

    with pytest.raises(ConfigurationError, match="TLS"):
        await open_services(environ=environ)


def test_to_import_it_costs_nothing_that_is_not_used() -> None:
    code = (
        "import sys, tui.services.registry\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'httpx', 'aiohttp', 'requests', 'alibabacloud_credentials', 'tenacity', 'textual', 'rich'}))\n"
        "print([name for name in sys.modules if name.startswith('tui.sandbox')])\n"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert ran.stdout.splitlines() == ["[]", "[]"]


async def test_a_temporary_key_signs_until_it_ends() -> None:
    with SandboxServer(pace="unlimited") as sandbox:
        for seconds, answered in ((3600.0, True), (-1.0, False)):
            issued = sandbox.issue_sts(seconds)
            secret, token = Secret(issued["access_key_secret"]), Secret(issued["security_token"])
            rds = service_of(sandbox, AccessKey(issued["access_key_id"], secret, token))
            if answered:
                assert text_of((await ask(rds, "echo signed with a token")).turn) == "signed with a token"
            else:
                with pytest.raises(AuthenticationError, match=r"temporary credentials \(STS\) have expired"):
                    await ask(rds)
            await rds.aclose()
