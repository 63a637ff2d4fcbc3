from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.turns.desk import control
from tui.sandbox.server import SandboxServer


@pytest.fixture(scope="session")
def shared_server() -> Iterator[SandboxServer]:
    with SandboxServer(pace="unlimited") as server:
        yield server


@pytest.fixture
def server(shared_server: SandboxServer) -> SandboxServer:
    """A sandbox in its first state; one process serves a whole session of tests."""
    control(shared_server, "reset", {})
    control(shared_server, "faults", {"set": []})
    control(shared_server, "pace", {"pace": "unlimited"})
    return shared_server
