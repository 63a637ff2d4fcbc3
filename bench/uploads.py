"""A file of 200 MB on its way to the Data Agent: what the app holds meanwhile, and how fast it goes."""

from __future__ import annotations

import time
from pathlib import Path

from bench.line import Line
from bench.measure import QUIET, start
from bench.programs import Sandbox

MEGABYTES = 200
"""The most that the service takes."""
GROWTH = 30
"""Megabytes above idle that an upload may take."""
PATIENCE = 300.0
F4, CLEAR = "\x1bOS", "\x15"


def uploads(base: Path, sandbox: Sandbox, *, quick: bool) -> None:
    """The panel is used as a person does: the path typed, the file marked, `u`."""
    size = 20 if quick else MEGABYTES
    table = base / "big.csv"
    write_table(table, size)
    with start(sandbox.app(base / "uploads"), (120, 40)) as line:
        idle = line.memory()
        line.send(F4)
        line.until_quiet(QUIET)
        line.send("p")
        line.until_quiet(QUIET)
        line.send(f"{CLEAR}{table}\r")
        line.until_quiet(QUIET)
        panel, cpu, began = line.memory(), line.cpu(), time.monotonic()
        line.send("u")
        most = until_ready(line, sandbox, table.name)
        seconds, used = time.monotonic() - began, line.cpu() - cpu
    table.unlink()
    heads = ("MB idle", "in panel", "at most", "growth", "seconds", "CPU s")
    print(f"{f'upload of {size} MB':<34}" + "".join(f"{head:>9}" for head in heads))
    verdict = "" if most - idle <= GROWTH else f"   more than {GROWTH} MB"
    print(
        f"{'yunliao':<34}{idle:>9.0f}{panel:>9.0f}{most:>9.0f}{most - idle:>9.1f}{seconds:>9.1f}{used:>9.2f}{verdict}\n"
    )


def write_table(path: Path, megabytes: int) -> None:
    """A CSV of that size."""
    lines = (f"2026-{n % 12 + 1:02}-{n % 28 + 1:02},地区{n % 7},p{n},{n % 997}.50\n" for n in range(30_000))
    rows = "".join(lines).encode()
    with path.open("wb") as file:
        file.write(b"day,region,product,amount\n")
        for _part in range(megabytes * 1_000_000 // len(rows)):
            file.write(rows)


def until_ready(line: Line, sandbox: Sandbox, name: str) -> float:
    """Wait until the service knows the file; the most megabytes that the program held meanwhile."""
    most, deadline = 0.0, time.monotonic() + PATIENCE
    looked = time.monotonic()
    while True:
        line.pump(0.02)
        most = max(most, line.memory())
        if time.monotonic() - looked > 0.5:
            looked = time.monotonic()
            if name in sandbox.files():
                return most
        if time.monotonic() > deadline:
            raise RuntimeError(f"{name} never arrived")
