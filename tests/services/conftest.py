"""The adapter of RDS on the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.services.turns import service_of
from tui.sandbox.server import SandboxServer
from tui.services.rds import RdsCopilot


@pytest.fixture
def sandbox(server: SandboxServer) -> SandboxServer:
    """By the name that the tests of services have for it."""
    return server


@pytest.fixture
async def rds(sandbox: SandboxServer) -> AsyncIterator[RdsCopilot]:
    service = service_of(sandbox)
    yield service
    await service.aclose()
