"""`python -m bench`: speed, bytes and memory of the app beside the floor and a minimal Textual app, in one run.

Figures of one machine are worth little: compare columns, not runs. On a virtual machine `taken` is the share of the
processor's time that its host gave to others meanwhile; what was disturbed so is measured again.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.line import Line, Speed
from bench.measure import (
    AGAIN,
    QUIET,
    Stream,
    delays,
    first_paint,
    folder_of,
    idle,
    spread,
    start,
    stream,
    undisturbed,
)
from bench.programs import Program, Sandbox, fill, floor, minimal
from bench.relay import Relay
from bench.search import searches
from bench.text import answer
from bench.uploads import uploads

PARTS = ("start", "stream", "deltas", "links", "search", "uploads")
SIZES = {"120x40": (120, 40), "80x24": (80, 24)}
LINKS = {"4 KB/s, 150 ms": Speed(4000, 0.15), "1.5 KB/s, 300 ms": Speed(1500, 0.3)}
HISTORY = 20
MINIMAL_HISTORY = 2
"""As many the minimal app takes: it needs half a minute and more for each."""
SLOWER = 50
"""Deltas a second, beside the rate that is asked for."""

# What is beside the chat: name, keys that make it so, whether the terminal has left and right margins.
LAYOUTS = [("", "", False), ("DECLRMM", "", True), ("without the list", "\x1b[20~", False)]


@dataclass(frozen=True)
class Variant:
    """A program in one of its layouts."""

    program: Program
    name: str = ""
    keys: str = ""
    margins: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one size, no history, no slow lines, short waits")
    parser.add_argument("--rate", type=float, default=200.0, help="deltas a second")
    parser.add_argument("--size", choices=SIZES, action="append", help="may be repeated")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds of the idle measurement")
    parser.add_argument("--only", choices=PARTS, action="append", help="may be repeated")
    options = parser.parse_args()
    if options.quick:
        options.idle = min(options.idle, 5.0)
    parts = options.only or (["start", "stream"] if options.quick else [*PARTS])
    if parts == ["search"]:
        with tempfile.TemporaryDirectory(prefix="yunliao-bench-") as base:
            searches(Path(base), quick=options.quick)
        return
    sizes = options.size or (["120x40"] if options.quick else [*SIZES])
    text = len(answer().encode())
    print(f"answer: {text:,} bytes of Markdown, {options.rate:g} deltas a second\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="yunliao-bench-") as base, Sandbox(options.rate) as sandbox:
        if "start" in parts:
            starts(Path(base), sandbox, 3 if options.quick else 25)
        for size in sizes if "stream" in parts else ():
            streams(Path(base), sandbox, options, size, text)
        if "deltas" in parts:
            deltas(Path(base), sandbox, options.rate)
        for name, speed in LINKS.items() if "links" in parts else ():
            slow(Path(base), sandbox, options.rate, name, speed, text)
        if "search" in parts:
            searches(Path(base), quick=options.quick)
        if "uploads" in parts:
            uploads(Path(base), sandbox, quick=options.quick)


def starts(base: Path, sandbox: Sandbox, times: int) -> None:
    """First paint, against a minimal app, with an empty cache and a full one."""
    full = folder_of(base, "full")
    fill(full, 10_000)
    empty = folder_of(base, "empty")
    programs = [
        ("minimal Textual", minimal(200.0)),
        ("yunliao, empty", sandbox.app(empty)),
        ("yunliao, 10,000 conversations", sandbox.app(full)),
    ]
    painted: dict[str, list[tuple[float, float]]] = {name: [] for name, _program in programs}
    # By turns, so that what else the machine does falls on all of them; the first round warms the caches.
    for turn in range(times + 1):
        figures, _taken = undisturbed(lambda: [first_paint(program, (120, 40)) for _name, program in programs])
        for (name, _program), figure in zip(programs, figures, strict=True):
            if turn:
                painted[name].append(figure)
    print(f"{'first paint':<34}{'seconds':>10}{'ratio':>8}{'CPU s':>10}{'ratio':>8}")
    beside = painted["minimal Textual"]
    for name, rows in painted.items():
        seconds, cpu = (statistics.median(column) for column in zip(*rows, strict=True))
        # Each turn by itself: the machine may be faster in one than in another.
        more, busier = (
            statistics.median(own / theirs for own, theirs in zip(ours, others, strict=True))
            for ours, others in zip(zip(*rows, strict=True), zip(*beside, strict=True), strict=True)
        )
        print(f"{name:<34}{seconds:>10.3f}{more:>8.2f}{cpu:>10.2f}{busier:>8.2f}")
    print(flush=True)


def streams(base: Path, sandbox: Sandbox, options: argparse.Namespace, size_name: str, text: int) -> None:
    """One answer after another: bytes, processor, keys; fresh and after twenty."""
    size = SIZES[size_name]
    print(f"{size_name:<34}{'bytes ratio':>12}{'CPU s':>8}{'key echo ms, median / p95 / max':>34}{'taken':>8}")

    def line_of(name: str, result: Stream, keys: Stream | None = None, taken: float | None = None) -> None:
        echo, share = keys.echo() if keys else "-", "-" if taken is None else f"{taken:.0%}"
        print(f"{name:<34}{result.bytes / text:>12.2f}{result.cpu:>8.2f}{echo:>34}{share:>8}", flush=True)

    program = floor(options.rate)
    with start(program, size) as line:
        before = len(line.delivered)
        cpu = line.cpu()
        line.send(program.question)
        result = Stream()
        while line.process.poll() is None:
            line.pump(0.1)
            if line.process.poll() is None:
                result.cpu = line.cpu() - cpu
        result.bytes = len(line.delivered) - before
        line_of("print", result)
    variants = [
        Variant(minimal(options.rate)),
        *(
            Variant(sandbox.app(folder_of(base, f"{size_name}-{number}")), name, keys, margins)
            for number, (name, keys, margins) in enumerate(LAYOUTS if size[0] >= 100 else LAYOUTS[:1])
        ),
    ]
    for number, variant in enumerate(variants):
        program, name = variant.program, ", ".join(filter(None, (variant.program.name, variant.name)))
        sandbox.pace(options.rate)
        with start(program, size, margins=variant.margins) as line:
            line.send(variant.keys)
            line.until_quiet(QUIET)
            waste = idle(line, options.idle) if number < 2 else 0
            # No figure of the minimal app is so near to a must that it has to be taken again.
            again = AGAIN if number else 0
            line_of(f"{name}, fresh", *answers(line, program.question, again))
            if options.quick or number > 1:
                continue
            if number:
                sandbox.pace(SLOWER)
                line_of(f"    at {SLOWER} deltas/s", stream(line, program.question))
            history = HISTORY if number else MINIMAL_HISTORY
            memory = line.memory()
            sandbox.pace("unlimited")
            at_once = [
                undisturbed(functools.partial(stream, line, program.at_once), again)[0] for _turn in range(history)
            ]
            grown = line.memory() - memory
            sandbox.pace(options.rate)
            line_of(f"    after {history} more answers", *answers(line, program.question, again))
            seconds = statistics.median(each.seconds for each in at_once)
            ratio = statistics.median(each.bytes for each in at_once) / text
            print(f"    at once: painted after {seconds:.2f} s, {ratio:.2f} of its bytes")
            print(f"    {history} answers more: {grown:+.0f} MB; idle: {waste} bytes in {options.idle:g} s", flush=True)
    print(flush=True)


def answers(line: Line, question: str, again: int) -> tuple[Stream, Stream, float]:
    """An answer without keys and one with, and the greater share that the host took of one of them."""
    result, taken = undisturbed(lambda: stream(line, question), again)
    keys, taken_too = undisturbed(lambda: stream(line, question, keys=True), again)
    return result, keys, max(taken, taken_too)


def deltas(base: Path, sandbox: Sandbox, rate: float) -> None:
    """From a delta's arrival to its place on the screen."""
    print(f"{'a delta on the screen':<34}{'ms, median / p95 / max':>34}{'taken':>8}")
    folders = (folder_of(base, f"deltas-{number}") for number in itertools.count())

    def once() -> list[float]:
        with Relay(sandbox.url) as relay:
            program = sandbox.app(next(folders), url=relay.url)
            with start(program, SIZES["120x40"]) as line:
                return delays(line, relay)

    for each in (rate, SLOWER):
        sandbox.pace(each)
        values, taken = undisturbed(once)
        print(f"{f'    at {each:g} deltas/s':<34}{spread(values):>34}{taken:>8.0%}", flush=True)
    print(flush=True)


def slow(base: Path, sandbox: Sandbox, rate: float, name: str, speed: Speed, text: int) -> None:
    """A key on a slow line while an answer streams."""
    print(f"{name:<34}{'bytes ratio':>12}{'CPU s':>8}{'key echo ms, median / p95 / max':>34}{'taken':>8}")
    sandbox.pace(rate)
    folder = folder_of(base, f"line-{speed.rate}")
    for program in (minimal(rate), sandbox.app(folder), sandbox.app(folder, "--low")):
        label = program.name + (" --low" if "--low" in program.command else "")
        with start(program, (120, 40), speed=speed) as line:
            own = program.name != "minimal Textual"
            result, taken = undisturbed(
                functools.partial(stream, line, program.question, keys=True), AGAIN if own else 0
            )
            figures = f"{result.bytes / text:>12.2f}{result.cpu:>8.2f}{result.echo():>34}{taken:>8.0%}"
            print(f"{label:<34}{figures}", flush=True)
    print(flush=True)


if __name__ == "__main__":
    main()
