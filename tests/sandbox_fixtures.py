"""The sandbox that tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tui.sandbox.server import SandboxServer


@pytest.fixture(scope="session")
def shared_server() -> Iterator[SandboxServer]:
    with SandboxServer(pace="unlimited") as server:
        yield server


@pytest.fixture
def server(shared_server: SandboxServer) -> SandboxServer:
    """A sandbox in its first state; one serves a whole session of tests."""
    shared_server.reset()
    shared_server.set_pace("unlimited")
    return shared_server
