"""How DashScope is had: where its key comes from, which host it goes to, with and without an access key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.services.assistant_models import AssistantChange
from tui.services.base import AskAnswerer
from tui.services.dashscope import DashScope
from tui.services.dashscope_keys import DashScopeKeys, DashScopePlace
from tui.services.endpoints import dashscope_endpoint
from tui.services.errors import ConfigurationError
from tui.services.registry import open_services

ACCESS_KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "FAKE_AK_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "FAKE_AK_SECRET"}
API_KEY = "sk-fake-0123456789"


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("", "dashscope.aliyuncs.com"),
        ("cn-beijing", "dashscope.aliyuncs.com"),
        ("cn-hangzhou", "dashscope.aliyuncs.com"),
        ("cn-hongkong", "cn-hongkong.dashscope.aliyuncs.com"),
        ("ap-southeast-1", "dashscope-intl.aliyuncs.com"),
        ("us-east-1", "dashscope-us.aliyuncs.com"),
    ],
)
def test_hosts(region: str, host: str) -> None:
    assert dashscope_endpoint(region, {}).url == f"https://{host}"
    assert dashscope_endpoint("", {"DASHSCOPE_API_REGION": region}).url == f"https://{host}"


@pytest.mark.parametrize("path", ["", "/", "/api/v1", "/api/v1/", "/compatible-mode/v1"])
def test_an_address_of_its_own(path: str) -> None:
    environ = {"YUNLIAO_DASHSCOPE_BASE_URL": f"http://127.0.0.1:8080{path}"}
    assert dashscope_endpoint("ap-southeast-1", environ).url == "http://127.0.0.1:8080"
    assert dashscope_endpoint("", {"YUNLIAO_DASHSCOPE_BASE_URL": "https://gate.example"}).host == "gate.example"


@pytest.mark.parametrize("url", ["http://example.com", "https://example.com/other", "ftp://example.com", "https://a@b"])
def test_an_address_that_is_not_taken(url: str) -> None:
    with pytest.raises(ConfigurationError):
        dashscope_endpoint("", {"YUNLIAO_DASHSCOPE_BASE_URL": url})


def write(path: Path, text: str = API_KEY, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_where_the_key_comes_from(tmp_path: Path) -> None:
    """The order of the vendor's SDK; the first place that is named is the one."""
    environ = {"HOME": str(tmp_path)}
    assert DashScopeKeys(environ).find() is None
    write(tmp_path / ".dashscope" / "api_key", "sk-default\n")
    named = write(tmp_path / "keys" / "named", "sk-named")
    profile = write(tmp_path / "keys" / "profile", "sk-profile")
    found = []
    for more, key_file in (
        ({}, ""),
        ({"DASHSCOPE_API_KEY_FILE_PATH": str(named)}, ""),
        ({"DASHSCOPE_API_KEY_FILE_PATH": str(named), "DASHSCOPE_API_KEY": " sk-env "}, ""),
        ({"DASHSCOPE_API_KEY": "sk-env"}, str(profile)),
        ({}, "~/keys/profile"),
    ):
        key = DashScopeKeys({**environ, **more}, key_file).find()
        assert key is not None
        assert key.secret.reveal() not in f"{key!r} {key.masked}"
        found.append(key.secret.reveal())
    assert found == ["sk-default", "sk-named", "sk-env", "sk-profile", "sk-profile"]


@pytest.mark.parametrize("text", ["", "two words", "a\nb", "x" * 5000, "密钥"])
async def test_a_file_that_holds_no_key(text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "key", text)
    keys = DashScopeKeys({"HOME": str(tmp_path), "DASHSCOPE_API_KEY_FILE_PATH": str(path)})
    with pytest.raises(ConfigurationError) as error:
        await keys.key()
    assert text == "" or text not in error.value.problem.sentence


async def test_a_key_is_read_anew_after_a_refusal(tmp_path: Path) -> None:
    path = write(tmp_path / "key", "sk-old")
    keys = DashScopeKeys({"HOME": str(tmp_path), "DASHSCOPE_API_KEY_FILE_PATH": str(path)})
    assert (await keys.key()).secret.reveal() == "sk-old"
    write(path, "sk-new")
    assert (await keys.key()).secret.reveal() == "sk-old"
    keys.forget()
    assert (await keys.key()).secret.reveal() == "sk-new"


def test_a_file_that_others_can_read_is_told(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    assert DashScopeKeys(environ).warnings() == ()
    write(tmp_path / ".dashscope" / "api_key", mode=0o644)
    assert "chmod 600" in DashScopeKeys(environ).warnings()[0]


async def test_an_api_key_alone_gives_that_service_alone(tmp_path: Path) -> None:
    services = await open_services(environ={"DASHSCOPE_API_KEY": API_KEY, "HOME": str(tmp_path)})
    assert not services.on_sandbox
    assert services.names == ("dashscope",)
    service = await services.get("dashscope")
    assert isinstance(service, DashScope)
    assert isinstance(service, AskAnswerer)
    for name in ("rds", "dms"):
        with pytest.raises(ConfigurationError, match="access key"):
            await services.get(name)
    assert API_KEY not in repr(await services.account())
    await services.aclose()


async def test_beside_an_access_key(tmp_path: Path) -> None:
    environ = {**ACCESS_KEY, "DASHSCOPE_API_KEY": API_KEY, "HOME": str(tmp_path)}
    services = await open_services(environ=environ, dashscope=DashScopePlace(region="ap-southeast-1"))
    assert services.names == ("rds", "dms", "dashscope")
    assert services.endpoints["dashscope"].host == "dashscope-intl.aliyuncs.com"
    assert (await services.account()).id == "FAKE_AK_ID"
    await services.aclose()


async def test_an_access_key_alone_does_not_give_it(tmp_path: Path) -> None:
    services = await open_services(environ={**ACCESS_KEY, "HOME": str(tmp_path)})
    assert services.names == ("rds", "dms")
    with pytest.raises(ConfigurationError, match="DashScope"):
        await services.get("dashscope")
    await services.aclose()


async def test_a_broken_key_file_stops_nothing_else(tmp_path: Path) -> None:
    environ = {**ACCESS_KEY, "HOME": str(tmp_path), "DASHSCOPE_API_KEY_FILE_PATH": str(tmp_path / "missing")}
    services = await open_services(environ=environ)
    await services.get("rds")
    service = await services.get("dashscope")
    assert isinstance(service, DashScope)
    with pytest.raises(ConfigurationError, match="missing"):
        await service.assistants.all()
    await services.aclose()


async def test_a_workspace_that_cannot_be_one(tmp_path: Path) -> None:
    environ = {"DASHSCOPE_API_KEY": API_KEY, "HOME": str(tmp_path)}
    with pytest.raises(ConfigurationError):
        await open_services(environ=environ, dashscope=DashScopePlace(workspace="a b\r\nx: y"))


async def test_on_the_sandbox(tmp_path: Path) -> None:
    services = await open_services(sandbox=True, environ={"HOME": str(tmp_path)})
    assert "dashscope" in services.names
    service = await services.get("dashscope")
    assert isinstance(service, DashScope)
    made = await service.assistants.create(AssistantChange(model="qwen-plus"))
    assert await service.assistants.all() == (made,)
    await services.aclose()
