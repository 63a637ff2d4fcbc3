"""The same walks inside real terminals: what tmux and GNU screen hold in the end is what the app meant to show."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.pty.terminal import ROOT
from tests.turns.desk import control
from tui.sandbox.server import SandboxServer

STEPS = 25 * int(os.environ.get("YUNLIAO_PROVE", "1"))
PATIENCE = 30.0
WALKERS = ["gallery", "whole"]

Capture = Callable[[], list[str]]
Form = Callable[[str], str]


def command(walker: str, folder: Path, seed: str) -> str:
    """What walks in `folder`: the `gallery` of everything that is hard to paint, or the `whole` app."""
    walk = [sys.executable, "-m", f"tests.pty.apps.{walker}", str(folder), str(STEPS), seed]
    return f"cd {shlex.quote(str(ROOT))} && exec {shlex.join(walk)}"


@pytest.fixture
def environ(server: SandboxServer, tmp_path: Path) -> dict[str, str]:
    """The environment of the app on the sandbox."""
    control(server, "pace", {"pace": 400})
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TMUX", "STY", "TEXTUAL"))}
    return {
        **kept,
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "HOME": str(tmp_path),
        "ALIBABA_CLOUD_ACCESS_KEY_ID": server.info.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": server.info.access_key_secret,
        "YUNLIAO_RDS_ENDPOINT": server.info.url,
        "YUNLIAO_DMS_ENDPOINT": server.info.url,
    }


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[list[str]]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    # The status line of tmux takes a row; switched off before the app starts, or its first picture is a row short.
    settings = tmp_path / "tmux.conf"
    settings.write_text("set -g status off\n")
    base = ["tmux", "-u", "-S", str(tmp_path / "socket"), "-f", str(settings)]
    yield base
    subprocess.run([*base, "kill-server"], check=False, capture_output=True)


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[list[str]]:
    if shutil.which("screen") is None:
        pytest.skip("GNU screen is not installed")
    name = f"yunliao{os.getpid()}"
    yield ["screen", "-S", name]
    subprocess.run(["screen", "-S", name, "-X", "quit"], check=False, capture_output=True)


def follow(folder: Path, capture: Capture, form: Form = str) -> None:
    """Compare at each step of the walk; `form` brings what was meant into the form of what is captured."""
    for number in range(STEPS):
        path = folder / f"{number}.txt"
        _compare(path, capture, form)
        path.with_suffix(".ok").touch()


def _compare(path: Path, capture: Capture, form: Form) -> None:
    _until(path.exists, lambda: f"{path.name} never came; shown:\n" + "\n".join(capture()))

    def wanted() -> list[str]:
        text = "\n".join(map(form, path.read_text().split("\n")))
        return [_closed_up(line) for line in text.split("\n")]

    def shown() -> list[str]:
        return [_closed_up(line) for line in capture()]

    # The multiplexer draws when it gets to it.
    _until(lambda: shown() == wanted(), lambda: _difference(path.stem, wanted(), shown()))


def _closed_up(line: str) -> str:
    """Without blanks behind an emoji that is one by its selector: some take it for one cell, and the app leaves the
    second one blank."""
    return re.sub("([\ufe0f\0]) +", r"\1", line).rstrip()


def _until(condition: Callable[[], bool], complaint: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.02)


def _difference(step: str, wanted: list[str], shown: list[str]) -> str:
    rows = [
        f"{row}: {line!r}\n{' ' * len(str(row))}  {other!r}"
        for row, (line, other) in enumerate(zip_longest(wanted, (line.rstrip() for line in shown)))
        if line != other
    ]
    return f"step {step}: wanted, shown\n" + "\n".join(rows)


@pytest.mark.parametrize("walker", WALKERS)
@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=str)
def test_tmux(tmux: list[str], tmp_path: Path, size: tuple[int, int], walker: str, environ: dict[str, str]) -> None:
    width, height = size
    run = command(walker, tmp_path, f"tmux{size}")
    start = [*tmux, "new-session", "-d", "-x", str(width), "-y", str(height), run]
    subprocess.run(start, check=True, env=environ)

    def capture() -> list[str]:
        ran = subprocess.run([*tmux, "capture-pane", "-p"], check=False, capture_output=True, text=True)
        return ran.stdout.split("\n")[:height]

    follow(tmp_path, capture)


def _low_bytes(line: str) -> str:
    """What screen's hardcopy writes: the low byte of each character, and 255 for the second half of a wide one.

    What is combined of several has a number of screen's own.
    """
    line = re.sub(".\ufe0f", "\0", line)
    return "".join(chr(ord(character) & 0xFF) + ("\xff" if cell_len(character) == 2 else "") for character in line)


@pytest.mark.parametrize("walker", WALKERS)
def test_screen(screen: list[str], tmp_path: Path, walker: str, environ: dict[str, str]) -> None:
    folder = tmp_path / "screens"
    folder.mkdir(mode=0o700)
    environ |= {"SCREENDIR": str(folder), "SHELL": "/bin/sh"}
    subprocess.run(
        [*screen, "-U", "-c", os.devnull, "-dm", "sh", "-c", command(walker, tmp_path, "screen")],
        check=True,
        env=environ,
    )
    copy = tmp_path / "hardcopy"

    def capture() -> list[str]:
        copy.unlink(missing_ok=True)
        subprocess.run([*screen, "-X", "hardcopy", str(copy)], check=False, capture_output=True, env=environ)
        _until(copy.exists, lambda: "no hardcopy")
        return copy.read_bytes().removesuffix(b"\n").decode("latin-1").split("\n")

    try:
        follow(tmp_path, capture, _low_bytes)
    finally:
        subprocess.run([*screen, "-X", "quit"], check=False, capture_output=True, env=environ)
