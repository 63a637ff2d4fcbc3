"""Edits that are not saved: of this window, of another one, of one that is gone, of somebody else."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from tui.cache import edits, files
from tui.cache.edits import EditFiles


def window(folder: Path, account: str = "me", failures: list[OSError] | None = None) -> EditFiles:
    return EditFiles(folder, lambda: account, failed=failures.append if failures is not None else lambda _error: None)


async def test_the_next_start_takes_them_up(tmp_path: Path) -> None:
    first = window(tmp_path)
    for key, text in (("a", "one"), ("b", "half of a\n磁盘 \ud800"), ("c", "dropped"), ("a", "one more")):
        first.keep(key, lambda text=text: text)  # type: ignore[misc]
    first.forget("c")
    first.close()

    assert dict(await window(tmp_path).read()) == {"a": "one more", "b": "half of a\n磁盘 ?"}


async def test_what_another_window_edits_is_left_to_it(tmp_path: Path) -> None:
    """Else both would make an agent of the same draft."""
    first, second = window(tmp_path), window(tmp_path)
    first.keep("new:1", lambda: "mine")
    first.write_now()
    assert await second.read() == []

    first.close()
    assert await second.read() == [("new:1", "mine")]
    assert await window(tmp_path).read() == []


async def test_two_windows_at_the_same_thing_keep_both_texts(tmp_path: Path) -> None:
    first, second = window(tmp_path), window(tmp_path)
    for number, one in enumerate((first, second)):
        one.keep("rds:1", lambda number=number: f"text {number}")  # type: ignore[misc]
        one.write_now()
        for path in tmp_path.glob("*.draft"):
            if path.read_text().endswith(f"text {number}"):
                os.utime(path, (number, number))
    second.forget("rds:1")
    second.write_now()
    assert [path.read_text().splitlines()[-1] for path in tmp_path.glob("*.draft")] == ["text 0"]

    second.keep("rds:1", lambda: "text 2")
    first.close()
    second.close()
    third = window(tmp_path)
    assert await third.read() == [("rds:1", "text 2")]
    third.forget("rds:1")
    third.close()
    assert await window(tmp_path).read() == [("rds:1", "text 0")]


async def test_those_of_another_account_and_broken_ones_stay(tmp_path: Path) -> None:
    (tmp_path / "broken.draft").write_bytes(b"# me\n\xff\n")
    (tmp_path / "short.draft").write_bytes(b"# me")
    other = window(tmp_path, "you")
    other.keep("a", lambda: "theirs")
    other.close()

    assert await window(tmp_path).read() == []
    assert len([*tmp_path.glob("*.draft")]) == 3
    assert await window(tmp_path, "you").read() == [("a", "theirs")]


async def test_they_are_private_and_locks_of_dead_windows_go(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "agents"
    first = window(folder)
    first.keep("a", lambda: "x")
    first.write_now()
    (folder / "0123.lock").touch(0o600)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    assert await first.read() == [("a", "x")]
    assert len([*folder.glob("*.lock")]) == 1
    first.close()
    assert not [*folder.glob("*.lock")]


async def test_a_full_disk_is_said_once_and_the_text_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failures: list[OSError] = []
    here = window(tmp_path, failures=failures)
    monkeypatch.setattr(edits, "PAUSE", 0)

    tries = []

    def full(path: Path, _data: bytes) -> None:
        tries.append(path)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(files, "replace", full)
        for number in range(3):
            here.keep("a", lambda number=number: f"text {number}")  # type: ignore[misc]
            async with asyncio.timeout(10):
                while len(tries) <= number or not failures:  # noqa: ASYNC110  # nobody tells
                    await asyncio.sleep(0.01)
        with here._writing:  # the last try has ended
            pass
        await asyncio.sleep(0.01)
    assert [error.errno for error in failures] == [28]
    here.close()
    assert await window(tmp_path).read() == [("a", "text 2")]


async def test_without_a_folder_nothing_is_kept() -> None:
    here = EditFiles(None)
    here.keep("a", lambda: "x")
    here.close()
    assert await here.read() == []
