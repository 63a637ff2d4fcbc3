"""A program on a real pty, with the line discipline watched and the screen kept by an emulator."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.emulator import Emulator

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0

_MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
_CUT = re.compile(rb"\x1b(?:\[[<>=?0-9;]*\$?)?\Z")
_QUERY = re.compile(rb"(\x1b\[5n|\x1b\[6n|\x1b\[\?69\$p)")


class Terminal:
    """Starts `command` as the leader of a session of its own on a pty of `size` (columns, rows).

    The emulator answers questions as a terminal does, `margins` says whether it admits to DECLRMM; `answers=False`
    makes it one that says nothing. What the program writes is kept whole in `output`.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: tuple[int, int] = (120, 40),
        environ: Mapping[str, str] | None = None,
        answers: bool = True,
        margins: bool = False,
    ) -> None:
        self.size = size
        self.margins = margins
        self.answers = answers
        self.output = bytearray()
        self._held = b""
        self.master, self.slave = pty.openpty()
        self.resize(*size, tell=False)
        self.before = termios.tcgetattr(self.slave)
        self.screen = Emulator(*size, strict=False)
        foreign = ("TMUX", "STY", "SSH_", "COLUMNS", "LINES")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self.process = subprocess.Popen(
            [*command],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            cwd=ROOT,
            env={**inherited, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environ or {})},
            start_new_session=True,
            preexec_fn=_take_terminal,
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for fd in (self.master, self.slave):
            with contextlib.suppress(OSError):
                os.close(fd)

    def resize(self, columns: int, rows: int, *, tell: bool = True) -> None:
        """Change the size of the terminal, as its user would."""
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.screen.resize(columns, rows)
            self.process.send_signal(signal.SIGWINCH)

    def send(self, keys: str) -> None:
        """Type `keys`."""
        os.write(self.master, keys.encode())

    def pump(self, seconds: float = 0.05) -> bool:
        """Take what the program has written within `seconds`; False when there was nothing."""
        if not select.select((self.master,), (), (), seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.output += data
        data = self._held + data
        # A sequence that is cut by the end of a read waits for its rest.
        self._held = match[0] if (match := _CUT.search(data)) else b""
        for part in _QUERY.split(data[: len(data) - len(self._held)]):
            if _QUERY.fullmatch(part):
                self._answer(part)
            else:
                self.screen.feed(part)
        return True

    def _answer(self, query: bytes) -> None:
        if self.answers:
            cursor = f"\x1b[{self.screen.row + 1};{min(self.screen.column, self.size[0] - 1) + 1}R"
            margins = f"\x1b[?69;{2 if self.margins else 0}$y"
            self.send({b"\x1b[5n": "\x1b[0n", b"\x1b[6n": cursor}.get(query, margins))

    def until(self, condition: Callable[[], bool], what: str = "", patience: float = PATIENCE) -> None:
        """Take output until `condition` holds; fails with the screen as it is after `patience` seconds."""
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not seen within {patience} s: {what}\n" + "\n".join(self.screen.lines))
            self.pump()

    def until_text(self, text: str, patience: float = PATIENCE) -> None:
        """Take output until `text` stands on the screen."""
        self.until(lambda: any(text in line for line in self.screen.lines), repr(text), patience)

    def wait(self, patience: float = PATIENCE) -> int:
        """Take output until the program has ended; return its exit code."""
        self.until(lambda: self.process.poll() is not None, "the end", patience)
        while self.pump(0):
            pass
        return int(self.process.returncode)

    def modes(self) -> dict[str, bool]:
        """The private modes that the program has ever set or reset, and how they are now."""
        state: dict[str, bool] = {}
        for match in _MODE.finditer(bytes(self.output)):
            for mode in match[1].decode().split(";"):
                state[mode] = match[2] == b"h"
        return state

    def attributes(self) -> list[Any]:
        """The line discipline's settings, now."""
        return termios.tcgetattr(self.slave)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def app(name: str) -> list[str]:
    """The command that starts one of the small apps in tests/pty/apps."""
    return [sys.executable, "-m", f"tests.pty.apps.{name}"]
