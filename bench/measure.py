"""One program, one line, one answer: what it costs and how long a key waits meanwhile."""

from __future__ import annotations

import itertools
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bench.line import Line, Speed
from bench.programs import Program
from bench.relay import FIRST, Relay

LETTERS = "бвгджзиклмнптфцчшщъыьэюя"
"""Typed one by one: letters that occur nowhere in the answer."""

PATIENCE = 20.0
"""Seconds after which a letter is taken to be lost; it counts as so late."""

LONGEST = 60.0
"""Seconds after which an answer is given up."""

QUIET = 2.5
"""Seconds without a byte after which an answer is taken to be over."""

DISTURBED = 0.05
"""Share of the wanted processor time that the host of a virtual machine gave to others, from which on milliseconds say
more about them than about the program."""

AGAIN = 4
"""So often more a disturbed measurement is made."""

Result = TypeVar("Result")


@dataclass(slots=True)
class Stream:
    """One answer."""

    bytes: int = 0
    cpu: float = 0.0
    seconds: float = 0.0
    """From Enter to the last byte."""
    echoes: list[float] = field(default_factory=list)
    """Milliseconds from a key to its letter."""

    def echo(self) -> str:
        """How long the keys took, for a table."""
        return spread(self.echoes)


def spread(values: list[float]) -> str:
    """Median, 95th percentile and greatest."""
    if not values:
        return "-"
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return f"{statistics.median(ordered):.1f} / {p95:.1f} / {ordered[-1]:.0f}"


def start(program: Program, size: tuple[int, int], *, speed: Speed | None = None, margins: bool = False) -> Line:
    """Start a program and wait until it can be typed into."""
    line = Line(program.command, size, environ=program.environ, speed=speed, margins=margins)
    if not line.until_seen(program.ready):
        shown = bytes(line.delivered[-2000:]).decode("utf-8", "replace")
        raise RuntimeError(f"{program.name} did not come up:\n{shown}")
    line.until_quiet(QUIET)
    return line


def undisturbed(measure: Callable[[], Result], again: int = AGAIN) -> tuple[Result, float]:
    """What `measure` gives while the host leaves the machine alone, and the share of time that it took all the same.

    Up to `again` times more while it takes too much. Whether a turn counts is decided by that share alone, not by what
    it gave; where all are disturbed, the one that was least.
    """
    turns: list[tuple[Result, float]] = []
    while True:
        taken, busy = _processor()
        result = measure()
        now_taken, now_busy = _processor()
        turns.append((result, (now_taken - taken) / max(1, now_busy - busy)))
        if turns[-1][1] < DISTURBED or len(turns) > again:
            return min(turns, key=lambda turn: turn[1])


def _processor() -> tuple[int, int]:
    """Ticks since the start: in which the host gave the processors to others, and in which they were wanted."""
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return steal, user + nice + system + irq + softirq + steal


def first_paint(program: Program, size: tuple[int, int]) -> tuple[float, float]:
    """Seconds from the start of the process to the first screen that can be typed into, and of its processor."""
    with Line(program.command, size, environ=program.environ) as line:
        if not line.until_seen(program.ready):
            raise RuntimeError(f"{program.name} did not come up")
        return line.last_at - line.started_at, line.cpu()


def idle(line: Line, seconds: float) -> int:
    """Bytes that come within `seconds` in which nothing happens."""
    before = len(line.delivered)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        line.pump(0.5)
    return len(line.delivered) - before


def stream(line: Line, question: str, *, keys: bool = False) -> Stream:
    """Ask, take the answer to its end, with a key now and then when `keys`."""
    before, cpu = len(line.delivered), line.cpu()
    began = line.send(question)
    result = Stream()
    if keys:
        _type(line, result)
    else:
        _until_over(line)
    result.bytes = len(line.delivered) - before
    result.seconds = line.last_at - began
    if line.process.poll() is None:
        result.cpu = line.cpu() - cpu
    return result


def _until_over(line: Line) -> None:
    """Until nothing comes and the program rests: one that cannot keep up may draw nothing for many seconds."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        line.until_quiet(QUIET)
        cpu = line.cpu() if line.process.poll() is None else 0.0
        line.until_quiet(1.0)
        if line.process.poll() is not None or line.cpu() - cpu < 0.1:
            return


def _type(line: Line, result: Stream) -> None:
    """Type a letter about three times a second until the answer is over."""
    chance = random.Random(1)
    still = 0
    _wait(line, 1.0)
    for number, letter in enumerate(itertools.cycle(LETTERS)):
        # Whether anything but the echo came: the answer goes on.
        before = len(line.delivered)
        _wait(line, 0.25 + 0.1 * chance.random())
        # A busy program, or a slow line, may be silent for a moment while the answer goes on.
        still = still + 1 if len(line.delivered) == before else 0
        if still > (1 if line.speed.rate is None else 4):
            break
        if number and number % len(LETTERS) == 0:
            line.send("\x15")
            _wait(line, 0.5)
        since = len(line.delivered)
        at = line.send(letter)
        seen = line.until_seen(letter, since, PATIENCE)
        result.echoes.append(1000 * (line.last_at - at if seen else PATIENCE))
        if not seen:
            break
    _until_over(line)
    line.send("\x15")
    line.until_quiet(QUIET / 2)


def delays(line: Line, relay: Relay, count: int = 300) -> list[float]:
    """Milliseconds from a delta's arrival to its place on the screen, of `count` deltas.

    The answer is the question's own text: each of its deltas has a Chinese character that is in no other. Of the
    question itself only the beginning is shown, which has none.
    """
    marks = [chr(FIRST + 7 * number) for number in range(count)]
    line.send(f"\x1b[200~echo {'plain words ' * 200}{''.join(f'{mark} ab ' for mark in marks)}\x1b[201~")
    line.until_quiet(QUIET)
    relay.arrived.clear()
    seen, shown = len(line.delivered), dict[str, float]()
    line.send("\r")
    deadline = time.monotonic() + 120
    while len(shown) < count and time.monotonic() < deadline:
        line.pump(0.05)
        for mark in line.delivered[seen:].decode("utf-8", "ignore"):
            if mark in relay.arrived:
                shown.setdefault(mark, line.last_at)
        seen = max(seen, len(line.delivered) - 2)
    line.until_quiet(QUIET)
    return [1000 * (shown[mark] - relay.arrived[mark]) for mark in marks if mark in shown]


def _wait(line: Line, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        line.pump(left)


def folder_of(base: Path, name: str) -> Path:
    """A new folder below `base`."""
    path = base / name
    path.mkdir(mode=0o700)
    return path
