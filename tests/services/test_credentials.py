"""Where keys come from: the vendor's chain without its metadata call; what is shown and what is not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tui.sandbox.server import SandboxServer
from tui.services.credentials import CredentialChain
from tui.services.errors import ConfigurationError
from tui.services.keys import Secret


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def write_cli(home: Path, *profiles: dict[str, Any], current: str = "default") -> Path:
    path = home / ".aliyun" / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"current": current, "profiles": profiles}), encoding="utf-8")
    path.chmod(0o600)
    return path


def write_ini(home: Path, text: str) -> Path:
    path = home / ".alibabacloud" / "credentials.ini"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def chain(home: Path, profile: str = "", **environ: str) -> CredentialChain:
    return CredentialChain(profile, environ={"HOME": str(home), **environ})


ENV = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "env-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "env-secret"}
AK = {
    "name": "default",
    "mode": "AK",
    "access_key_id": "cli-id",
    "access_key_secret": "cli-secret",
    "region_id": "cn-chengdu",
}
STS = {"name": "sts", "mode": "StsToken", "access_key_id": "sts-id", "access_key_secret": "s", "sts_token": "token"}
ROLE = {
    "name": "role",
    "mode": "RamRoleArn",
    "access_key_id": "i",
    "access_key_secret": "s",
    "ram_role_arn": "acs:ram::1:role/r",
}
ECS = {"name": "ecs", "mode": "EcsRamRole", "ram_role_name": "r"}
INI = "[default]\ntype = access_key\nenable = true\naccess_key_id = ini-id # note\naccess_key_secret = ini-secret\n"


async def test_the_environment_comes_first(home: Path) -> None:
    write_cli(home, AK)

    key = await chain(home, **ENV, ALIBABA_CLOUD_SECURITY_TOKEN="env-token").key()

    assert (key.id, key.secret, key.token, key.source) == ("env-id", Secret("env-secret"), Secret("env-token"), "env")


async def test_then_the_clis_current_profile(home: Path) -> None:
    write_cli(home, AK, STS)
    write_ini(home, INI)

    found = chain(home).find()
    assert found is not None
    assert (found.name, found.region) == ("cli_profile/default", "cn-chengdu")
    assert (await chain(home).key()).id == "cli-id"


async def test_then_the_ini_file(home: Path) -> None:
    write_ini(home, INI)

    assert (await chain(home).key()).id == "ini-id"


async def test_a_named_profile_wins_over_the_environment(home: Path) -> None:
    write_cli(home, AK, STS)

    key = await chain(home, "sts", **ENV).key()

    assert (key.id, key.token) == ("sts-id", Secret("token"))


async def test_a_named_profile_may_be_in_the_ini_file(home: Path) -> None:
    write_ini(home, INI.replace("[default]", "[ops]"))

    assert (await chain(home, "ops").key()).id == "ini-id"


async def test_the_environment_may_name_the_profile(home: Path) -> None:
    write_cli(home, AK, STS)

    assert (await chain(home, ALIBABA_CLOUD_PROFILE="sts").key()).id == "sts-id"


def test_a_profile_that_is_not_there_is_named_with_those_that_are(home: Path) -> None:
    write_cli(home, AK, STS)
    write_ini(home, INI.replace("default", "ini-one"))

    with pytest.raises(ConfigurationError) as caught:
        chain(home, "prod").find()

    assert "prod" in caught.value.problem.sentence
    assert "default, sts, ini-one" in caught.value.problem.remedy


@pytest.mark.parametrize(
    "profile",
    [
        {"name": "default", "mode": "AK", "access_key_id": "", "access_key_secret": ""},
        {"name": "default", "mode": "StsToken", "access_key_id": "i", "access_key_secret": "s", "sts_token": ""},
        {"name": "other", "mode": "AK", "access_key_id": "i", "access_key_secret": "s"},
    ],
)
def test_a_profile_without_a_key_is_none(profile: dict[str, Any], home: Path) -> None:
    write_cli(home, profile)

    assert chain(home).find() is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"profiles":7}', '{"profiles":[1,null,{"name":null}],"current":"x"}']
)
def test_a_broken_file_is_as_none(content: str, home: Path) -> None:
    write_cli(home).write_text(content)
    write_ini(home, "no section\n\x00")

    assert chain(home).find() is None
    assert chain(home).profiles() in ((), ("None",))


def test_the_cli_profile_can_be_disabled(home: Path) -> None:
    write_cli(home, AK)

    assert chain(home, ALIBABA_CLOUD_CLI_PROFILE_DISABLED="true").find() is None
    assert chain(home, "default", ALIBABA_CLOUD_CLI_PROFILE_DISABLED="true").find() is not None


def test_fetched_sources_are_found_without_fetching(home: Path) -> None:
    write_cli(home, ROLE, ECS)
    oidc = {
        "ALIBABA_CLOUD_ROLE_ARN": "acs:ram::1:role/r",
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "acs:ram::1:oidc-provider/p",
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/no/such/token",
    }

    names = [
        found.name
        for found in (
            chain(home, "role").find(),
            chain(home, "ecs").find(),
            chain(home, **oidc).find(),
            chain(home, ALIBABA_CLOUD_CREDENTIALS_URI="http://127.0.0.1:1/").find(),
        )
        if found
    ]

    assert names == ["cli_profile/role", "cli_profile/ecs", "oidc", "uri"]


async def test_no_credentials_are_said_at_once_with_what_to_do(home: Path) -> None:
    """Off a cloud machine the package's own chain asks a metadata address here, for seconds."""
    assert chain(home).find() is None
    with pytest.raises(ConfigurationError) as caught:
        await chain(home).key()

    assert "aliyun configure" in caught.value.problem.remedy
    assert caught.value.problem.delivered == "no"


def test_plain_keys_need_neither_the_package_nor_a_network(home: Path) -> None:
    write_cli(home, AK)
    code = (
        "import asyncio, sys\n"
        "from tui.services.credentials import CredentialChain\n"
        "print(asyncio.run(CredentialChain().key()).id)\n"
        "print(sorted({n.partition('.')[0] for n in sys.modules} & "
        "{'alibabacloud_credentials', 'aiohttp', 'requests', 'Tea', 'httpx', 'textual'}))\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code], env={"HOME": str(home)}, capture_output=True, text=True, check=True, timeout=60
    )

    assert ran.stdout.splitlines() == ["cli-id", "[]"]


@pytest.mark.parametrize(
    ("setup", "environ"),
    [
        (lambda home: None, ENV),
        (lambda home: None, {**ENV, "ALIBABA_CLOUD_SECURITY_TOKEN": "token"}),
        (lambda home: write_cli(home, AK), {}),
        (lambda home: write_cli(home, AK, STS, current="sts"), {}),
        (lambda home: write_cli(home, AK, STS), {"ALIBABA_CLOUD_PROFILE": "sts"}),
        (
            lambda home: (
                write_cli(home, {"name": "default", "mode": "AK", "access_key_id": ""}) and write_ini(home, INI)
            ),
            {},
        ),
        (lambda home: write_ini(home, INI), {}),
        (lambda home: write_cli(home, AK) and write_ini(home, INI), ENV),
    ],
)
async def test_the_packages_own_chain_finds_the_same_key(
    setup: Callable[[Path], object], environ: dict[str, str], home: Path
) -> None:
    setup(home)
    code = (
        "from alibabacloud_credentials.provider.default import DefaultCredentialsProvider as Chain\n"
        "key = Chain().get_credentials()\n"
        "print(key.get_access_key_id(), key.get_access_key_secret(), key.get_security_token() or '')\n"
    )
    environment = {"HOME": str(home), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", **environ}
    theirs = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.split()

    ours = await CredentialChain(environ=environment).key()

    assert [ours.id, ours.secret.reveal(), *([ours.token.reveal()] if ours.token else [])] == theirs


# --- keys that are fetched -----------------------------------------------------------------------------------


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moved = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.moved


@pytest.fixture(scope="module")
def server() -> Any:
    with SandboxServer(pace="unlimited") as running:
        yield running


def uri_chain(home: Path, server: SandboxServer, clock: Clock, seconds: int = 3600) -> CredentialChain:
    uri = f"{server.info.url}/_sandbox/credentials?seconds={seconds}"
    return CredentialChain(environ={"HOME": str(home), "ALIBABA_CLOUD_CREDENTIALS_URI": uri}, now=clock)


async def test_a_token_is_fetched_and_says_when_it_ends(home: Path, server: SandboxServer) -> None:
    key = await uri_chain(home, server, Clock()).key()

    assert key.token
    assert key.source == "uri"
    remaining = key.remaining()
    assert remaining is not None
    assert 3500 < remaining <= 3600


async def test_a_token_is_kept_while_it_lives_and_renewed_before_it_ends(home: Path, server: SandboxServer) -> None:
    clock = Clock()
    keys = uri_chain(home, server, clock)
    first = await keys.key()
    assert await keys.key() is first

    keys.forget()
    assert (await keys.key()).id != first.id


async def test_a_token_that_ends_soon_is_renewed(home: Path, server: SandboxServer) -> None:
    """The package renews 15 minutes ahead; a token that lives for less is renewed for every request."""
    keys = uri_chain(home, server, Clock(), seconds=600)

    first, second = await keys.key(), await keys.key()

    assert first.id != second.id


async def test_while_it_cannot_be_renewed_a_token_that_lives_is_used(home: Path) -> None:
    clock = Clock()
    with SandboxServer(pace="unlimited") as server:
        keys = uri_chain(home, server, clock, seconds=600)
        held = await keys.key()
    keys._provider = None  # the package's own cache would hide that the line is down

    assert await keys.key() is held
    clock.moved = timedelta(seconds=590)
    with pytest.raises(ConfigurationError, match="uri gave no key"):
        await keys.key()


async def test_a_key_that_is_forgotten_while_it_is_fetched_is_fetched_all_the_same(
    home: Path, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another request was refused at that moment."""
    keys = uri_chain(home, server, Clock())
    monkeypatch.setattr("tui.services.credentials._quiet_package", keys.forget)

    assert (await keys.key()).token


async def test_what_cannot_be_fetched_is_said_without_secrets(home: Path) -> None:
    profile = {"name": "default", "mode": "External", "process_command": "echo canary-secret; exit 3"}
    write_cli(home, profile)

    with pytest.raises(ConfigurationError) as caught:
        await chain(home).key()

    problem = caught.value.problem
    assert "cli_profile/default gave no key" in problem.sentence
    assert "canary" not in f"{problem} {caught.value}"
    assert "--profile" in problem.remedy


async def test_a_command_of_a_profile_gives_the_key(home: Path) -> None:
    reply = {"mode": "AK", "access_key_id": "command-id", "access_key_secret": "s"}
    script = home / "key.sh"
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(reply)}\nEND\n")
    script.chmod(0o700)
    write_cli(home, {"name": "default", "mode": "External", "process_command": str(script)})

    assert (await chain(home).key()).id == "command-id"


def test_the_package_does_not_write_over_the_screen(home: Path, server: SandboxServer) -> None:
    """It hangs handlers on its loggers that write to stderr; a token that ends soon makes it warn."""
    code = (
        "import asyncio, logging\n"
        "from tui.services.credentials import CredentialChain\n"
        "print(asyncio.run(CredentialChain().key()).source)\n"
        "logging.getLogger('alibabacloud-tea').warning('over the screen')\n"
    )
    uri = f"{server.info.url}/_sandbox/credentials?seconds=600"

    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={"HOME": str(home), "ALIBABA_CLOUD_CREDENTIALS_URI": uri},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert (ran.stdout, ran.stderr) == ("uri\n", "")


def test_files_that_others_can_read_are_told(home: Path) -> None:
    assert chain(home).warnings() == ()
    write_cli(home, AK).chmod(0o644)
    write_ini(home, INI)

    (warning,) = chain(home).warnings()

    assert "config.json can be read by others" in warning


async def test_what_the_package_offers_inside_is_there() -> None:
    """Private names of the package that are used, because its public ones leave out when a token ends."""
    from alibabacloud_credentials.provider import CLIProfileCredentialsProvider, ProfileCredentialsProvider

    assert callable(CLIProfileCredentialsProvider._get_credentials_provider)
    assert callable(ProfileCredentialsProvider._get_credentials_provider)
