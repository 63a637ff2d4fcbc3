"""A program on a pty at the end of a line: how fast it is, how far away, and what was written to it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[1]
BUFFER = 65536
"""Bytes that the line holds before the program's writes block: what a kernel and an SSH client hold on the way."""

_QUERY = re.compile(rb"\x1b\[5n|\x1b\[6n|\x1b\[\?69\$p|\x1b\[\?2026\$p")
_CUT = re.compile(rb"\x1b(?:\[[?0-9]*\$?)?\Z")
# The only cursor questions are those of the start, in rows 2 to 4, in this order.
_CURSORS = (b"\x1b[2;4R", b"\x1b[3;3R", b"\x1b[4;3R")


@dataclass(frozen=True, slots=True)
class Speed:
    """Of a line: bytes a second (None: as fast as they come) and seconds of round trip."""

    rate: float | None = None
    round_trip: float = 0.0


class Line:
    """Starts `command` on a pty of `size` (columns, rows) and takes what it writes, as slowly as `speed` says.

    `delivered` holds what has come through. Questions of the program are answered from the far end, as a terminal
    would that knows synchronized output, and left and right margins when `margins`.
    """

    def __init__(
        self,
        command: Sequence[str],
        size: tuple[int, int],
        *,
        environ: Mapping[str, str] | None = None,
        speed: Speed | None = None,
        margins: bool = False,
    ) -> None:
        self.speed = speed or Speed()
        self.margins = margins
        self.delivered = bytearray()
        self.last_at = time.monotonic()
        """When the last byte came through."""
        self._transit: deque[tuple[float, bytes]] = deque()
        self._queued = 0
        self._line_free_at = 0.0
        self._uplink: deque[tuple[float, bytes]] = deque()
        self._cursors = iter(_CURSORS)
        self._held = b""
        self._master, slave = pty.openpty()
        columns, rows = size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            [*command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env=environment(environ or {}),
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)

    def send(self, keys: str | bytes) -> float:
        """Type; the time of the keystroke."""
        now = time.monotonic()
        self._uplink.append((now + self.speed.round_trip / 2, keys.encode() if isinstance(keys, str) else keys))
        self.pump(0)
        return now

    def pump(self, seconds: float) -> bool:
        """Move what is due, for up to `seconds`; True when something came through, False when nothing did."""
        deadline = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            while self._uplink and self._uplink[0][0] <= now:
                os.write(self._master, self._uplink.popleft()[1])
            came = self._deliver(now)
            if came or now >= deadline:
                return came
            due = [deadline, *(queue[0][0] for queue in (self._transit, self._uplink) if queue)]
            reading = (self._master,) if self._queued < BUFFER else ()
            if select.select(reading, (), (), max(0.0, min(due) - now))[0] and not self._read():
                return False

    def until(self, condition: Callable[[], bool], patience: float = 60.0) -> bool:
        """Pump until `condition`; False when it did not come in time or the program ended."""
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline or (self.process.poll() is not None and not self.pump(0.1)):
                return False
            self.pump(0.05)
        return True

    def until_seen(self, text: str, since: int = 0, patience: float = 60.0) -> bool:
        """Pump until `text` has come through after byte `since`."""
        wanted = text.encode()
        return self.until(lambda: self.delivered.find(wanted, since) >= 0, patience)

    def until_quiet(self, seconds: float, patience: float = 120.0) -> float:
        """Pump until nothing has come for `seconds`; when the last byte came."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not self.pump(seconds) and not self._transit and time.monotonic() - self.last_at >= seconds:
                break
        return self.last_at

    def cpu(self) -> float:
        """Seconds of processor that the program has used, all threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Megabytes that the program holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def _read(self) -> bool:
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        now = time.monotonic()
        if self.speed.rate is None:
            self._transit.append((now + self.speed.round_trip / 2, data))
        else:
            # Small pieces, so that a long frame comes through bit by bit.
            piece = max(16, int(self.speed.rate * 0.02))
            self._line_free_at = max(self._line_free_at, now)
            for start in range(0, len(data), piece):
                part = data[start : start + piece]
                self._line_free_at += len(part) / self.speed.rate
                self._transit.append((self._line_free_at + self.speed.round_trip / 2, part))
        self._queued += len(data)
        return True

    def _deliver(self, now: float) -> bool:
        came = False
        while self._transit and self._transit[0][0] <= now:
            at, data = self._transit.popleft()
            self._queued -= len(data)
            self.delivered += data
            self.last_at = max(at, self.last_at)
            came = True
            data = self._held + data
            self._held = match[0] if (match := _CUT.search(data)) else b""
            for query in _QUERY.findall(data[: len(data) - len(self._held)]):
                self._uplink.append((now + self.speed.round_trip / 2, self._answer(query)))
        return came

    def _answer(self, query: bytes) -> bytes:
        if query == b"\x1b[5n":
            return b"\x1b[0n"
        if query == b"\x1b[6n":
            return next(self._cursors, b"")
        if query == b"\x1b[?69$p":
            return b"\x1b[?69;2$y" if self.margins else b"\x1b[?69;0$y"
        return b"\x1b[?2026;2$y"


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of every program that is measured: none of the developer's own settings get in."""
    foreign = ("ALIBABA", "DASHSCOPE", "TEXTUAL", "YUNLIAO", "TMUX", "STY", "SSH_", "COV", "COLUMNS", "LINES")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    # What is installed has its bytecode: without it each start would compile the app, but not Textual.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", **more}
