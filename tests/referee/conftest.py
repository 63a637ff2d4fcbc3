"""The vendor's own clients, pointed at a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tui.sandbox.server import SandboxInfo, SandboxServer


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(pace="unlimited") as server:
        yield server


def config_of(info: SandboxInfo, **changes: str) -> Any:
    """The Config of an official client with the sandbox's main key, or what `changes` says."""
    from alibabacloud_tea_openapi.utils_models import Config

    settings = {
        "access_key_id": info.access_key_id,
        "access_key_secret": info.access_key_secret,
        "endpoint": info.url.removeprefix("http://"),
        "protocol": "http",
        **changes,
    }
    return Config(**settings)


def make_rds_client(info: SandboxInfo, **changes: str) -> Any:
    """The official RdsAi client; `changes` as in `config_of`."""
    from alibabacloud_rdsai20250507.client import Client

    return Client(config_of(info, **changes))


@pytest.fixture
def official(sandbox: SandboxServer) -> Callable[..., Any]:
    """Makes an official client: `official()`, `official(access_key_secret="...")`."""
    return lambda **changes: make_rds_client(sandbox.info, **changes)
