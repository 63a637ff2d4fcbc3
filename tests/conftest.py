"""What holds for every test: nothing leaves loopback, nothing of the developer's own environment gets in."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox_fixtures import server, shared_server

# The credential chain otherwise asks a metadata address on the network; set before anything imports it.
os.environ["ALIBABA_CLOUD_ECS_METADATA_DISABLED"] = "true"
_FOREIGN = ("ALIBABA_CLOUD_", "ALIBABACLOUD_", "DASHSCOPE_", "TEXTUAL", "YUNLIAO_", "XDG_", "SSH_", "TMUX", "STY")
_OURS = ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "TEXTUAL_SNAPSHOT", "YUNLIAO_PROVE", "YUNLIAO_PROOF")
for _name in [*os.environ]:
    if _name.startswith(_FOREIGN) and not _name.startswith(_OURS):
        del os.environ[_name]
for _name in (
    "NO_COLOR",
    "FORCE_COLOR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "COLUMNS",
    "LINES",
):
    os.environ.pop(_name, None)
# Where bytecode is not kept, each of the many programs that the tests start compiles all of it anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Under nohup, or in the background of a shell without job control, these are ignored, and programs that the tests
# start would inherit that.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


__all__ = ["server", "shared_server"]


class LeftLoopback(BaseException):
    """A test tried to reach an address that is not this machine."""


_connect, _connect_ex = socket.socket.connect, socket.socket.connect_ex


def _check(family: int, address: Any) -> None:
    if family in (socket.AF_INET, socket.AF_INET6):
        host = address[0]
        if not (host.startswith("127.") or host in ("::1", "localhost")):
            raise LeftLoopback(f"connection to {host}: tests talk to the sandbox on loopback only")


def _guarded_connect(self: socket.socket, address: Any) -> None:
    _check(self.family, address)
    _connect(self, address)


def _guarded_connect_ex(self: socket.socket, address: Any) -> int:
    _check(self.family, address)
    return _connect_ex(self, address)


socket.socket.connect = _guarded_connect  # type: ignore[assignment, method-assign]
socket.socket.connect_ex = _guarded_connect_ex  # type: ignore[assignment, method-assign]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home and locale of its own for every test, so that no developer's file is read or written."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("TZ", "UTC")
