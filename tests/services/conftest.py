"""A sandbox for the tests of a module, empty and without faults at the start of each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.services.turns import service_of
from tui.sandbox.server import SandboxServer
from tui.services.rds import RdsCopilot


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(pace="unlimited") as running:
        yield running


@pytest.fixture
def sandbox(server: SandboxServer) -> SandboxServer:
    server.reset()
    server.set_pace("unlimited")
    return server


@pytest.fixture
async def rds(sandbox: SandboxServer) -> AsyncIterator[RdsCopilot]:
    service = service_of(sandbox)
    yield service
    await service.aclose()
