"""Stores in a folder of the test's own, and small or read-only disks where the machine lets us mount them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tui.cache.store import Store


class Clock:
    """A clock that goes on by a second with every look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "state"


Opener = Callable[..., Store]


@pytest.fixture
async def open_store(root: Path, clock: Clock) -> AsyncIterator[Callable[..., Store]]:
    """Make stores on the test's folder; each is another window. They are closed after the test."""
    made: list[Store] = []

    def make(folder: Path | None = root, **options: object) -> Store:
        made.append(Store(folder, clock=clock, **options))  # type: ignore[arg-type]  # the store checks them
        return made[-1]

    yield make
    for store in made:
        await store.close()


@pytest.fixture
async def store(open_store: Opener) -> Store:
    made = open_store()
    await made.open()
    return made


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mount a small disk of its own, `mount("64k")`; the test is skipped where that is not allowed."""
    with ExitStack() as mounted:

        def make(size: str) -> Path:
            folder = tmp_path / "disk"
            folder.mkdir()
            command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "none", str(folder)]
            if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
                pytest.skip("no disk can be mounted here")
            mounted.callback(subprocess.run, ["umount", "-l", str(folder)], check=True)
            return folder

        yield make
