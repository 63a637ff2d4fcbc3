"""How the Data Agent is had: with an access key, with an API key, on the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.services.base import AskAnswerer, Page
from tui.services.dms import DmsDataAgent
from tui.services.endpoints import dms_endpoint, dms_key_endpoints
from tui.services.errors import ConfigurationError
from tui.services.registry import open_services

KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "FAKE_AK_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "FAKE_AK_SECRET"}


def test_hosts() -> None:
    assert dms_endpoint("", {}).url == "https://dms.cn-hangzhou.aliyuncs.com"
    assert dms_endpoint("cn-beijing", {}).host == "dms.cn-beijing.aliyuncs.com"
    override = dms_endpoint("cn-beijing", {"YUNLIAO_DMS_ENDPOINT": "http://127.0.0.1:8080"})
    assert (override.url, override.region) == ("http://127.0.0.1:8080", "cn-beijing")
    control, stream = dms_key_endpoints("cn-beijing", {})
    assert control.url == "https://dataagent-cn-beijing.aliyuncs.com"
    assert stream.url == "https://dataagent-stream-cn-beijing.aliyuncs.com"
    with pytest.raises(ConfigurationError):
        dms_endpoint("", {"YUNLIAO_DMS_ENDPOINT": "http://example.com"})


async def test_with_an_access_key(tmp_path: Path) -> None:
    services = await open_services(environ={**KEY, "HOME": str(tmp_path)})
    assert services.names == ("rds", "dms")
    service = await services.get("dms")
    assert isinstance(service, DmsDataAgent)
    assert isinstance(service, AskAnswerer)
    assert service.capabilities.resume
    await services.aclose()


async def test_with_an_api_key_alone(tmp_path: Path) -> None:
    services = await open_services(environ={"YUNLIAO_DMS_API_KEY": "sk-0123456789", "HOME": str(tmp_path)})
    assert not services.on_sandbox
    assert services.endpoints["dms"].host == "dataagent-cn-hangzhou.aliyuncs.com"
    assert isinstance(await services.get("dms"), DmsDataAgent)
    with pytest.raises(ConfigurationError, match="access key"):
        await services.get("rds")
    account = await services.account()
    assert "0123456789" not in f"{account!r} {account.masked}"
    await services.aclose()


async def test_an_api_key_goes_before_the_access_key(tmp_path: Path) -> None:
    services = await open_services(environ={**KEY, "YUNLIAO_DMS_API_KEY": "sk-0123456789", "HOME": str(tmp_path)})
    assert services.endpoints["dms"].host.startswith("dataagent-")
    assert services.names == ("rds", "dms")
    await services.aclose()


async def test_on_the_sandbox() -> None:
    services = await open_services(sandbox=True)
    service = await services.get("dms")
    assert (await service.conversations(Page())).items == ()
    await services.aclose()
