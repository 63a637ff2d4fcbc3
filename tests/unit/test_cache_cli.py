"""`yunliao search`, `export` and `import`, from outside."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tui.cache.records import AnswerRecord, MetaRecord, QuestionRecord
from tui.cache.store import Store
from tui.cli import main
from tui.exits import Exit
from tui.models import ServiceName, TextBlock, Turn

NOW = datetime.now(UTC)
Folder = tuple[Path, list[str]]


@pytest.fixture
async def folder(tmp_path: Path) -> Folder:
    """A data folder with two conversations; their ids, the older first."""
    store = Store(tmp_path / "state")
    await store.open()
    ids = []
    told: list[tuple[ServiceName, str, str, timedelta]] = [
        ("rds", "why is rm-bp1k3 slow?", "主从延迟，password=hunter22", timedelta(days=40)),
        ("dms", "refunds by week", "47: 1,204", timedelta(hours=1)),
    ]
    for service, question, answer, ago in told:
        made = await store.create(service)
        turn = Turn("t1", question, NOW - ago, "done", (TextBlock(answer),), finished_at=NOW - ago)
        meta = MetaRecord(title=question, remote_id=f"remote-{service}", tags=("rm-bp1k3",) if service == "rds" else ())
        await store.append(made.id, QuestionRecord("t1", turn.asked_at, question), AnswerRecord(turn), meta)
        await store.release(made.id)
        ids.append(made.id)
    await store.close()
    return tmp_path, ids


def yunliao(folder: Path, *arguments: str) -> int:
    return main([*arguments, "--data-dir", str(folder)])


async def run(folder: Path, *arguments: str) -> int:
    """The command line has a loop of its own: in a thread."""
    import asyncio

    return await asyncio.to_thread(yunliao, folder, *arguments)


async def test_search(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    root, ids = folder
    assert await run(root, "search", "延迟") == 0
    out = capsys.readouterr().out
    assert ids[0] in out
    assert "why is rm-bp1k3 slow? 主从延迟" in out
    assert await run(root, "search", "--json", "refunds", "WEEK", "since:7d") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) | {"asked_at": ""} == {
        "conversation": ids[1],
        "turn": "t1",
        "service": "dms",
        "title": "refunds by week",
        "asked_at": "",
        "snippet": "refunds by week 47: 1,204",
    }
    assert await run(root, "search", "slow", "since:7d") == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "Nothing was found.\n")


async def test_only_one_service(folder: Folder, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    root, ids = folder
    assert await run(root, "search", "-s", "dms", "since:90d") == 0
    out = capsys.readouterr().out
    assert (ids[0] in out, ids[1] in out) == (False, True)
    assert await run(root, "export", "--all", "-s", "rds", "--form", "json", "-o", str(tmp_path / "x.json")) == 0
    assert [each["id"] for each in json.loads((tmp_path / "x.json").read_bytes())["conversations"]] == ids[:1]
    capsys.readouterr()
    assert await run(tmp_path / "other", "import", "-s", "dms", str(tmp_path / "x.json")) == 0
    assert capsys.readouterr().out == ""


def full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def nobody_reads() -> int:
    """The end of a pipe whose reader has gone, as with `| head`."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize(
    ("where", "code", "says"),
    [
        (nobody_reads, Exit.STOPPED, ""),
        (lambda: os.open("/dev/full", os.O_WRONLY), Exit.FAILED, "could not be written"),
    ],
)
async def test_a_stdout_that_takes_nothing_is_no_traceback(
    folder: Folder, where: Callable[[], int], code: Exit, says: str
) -> None:
    command = [sys.executable, "-m", "tui", "export", "--all", "--data-dir", str(folder[0])]
    with open(where(), "wb") as stdout:
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert says in done.stderr
    assert done.stderr.count("\n") == (2 if says else 1), "beside what was taken out"


@pytest.mark.parametrize("how", ["id", "remote", "tag", "words"])
async def test_export_to_stdout(folder: Folder, capsysbinary: pytest.CaptureFixture[bytes], how: str) -> None:
    root, ids = folder
    chosen = {
        "id": [ids[0]],
        "remote": ["remote-rds"],
        "tag": ["--matching", "#rm-bp1"],
        "words": ["--matching", "主从延迟"],
    }[how]
    assert await run(root, "export", *chosen) == 0
    captured = capsysbinary.readouterr()
    assert captured.out.decode().startswith("# why is rm-bp1k3 slow?\n")
    assert "hunter22" not in captured.out.decode()
    assert b"taken out: secret 1" in captured.err
    assert await run(root, "export", *chosen, "--redact", "off") == 0
    assert b"hunter22" in capsysbinary.readouterr().out


async def test_export_to_files(folder: Folder, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    root, _ids = folder
    target = tmp_path / "out" / "night.zip"
    assert await run(root, "export", "--all", "--form", "zip", "--title", "night", "-o", str(target)) == 0
    assert capsys.readouterr().out.strip() == str(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with zipfile.ZipFile(io.BytesIO(target.read_bytes())) as archive:
        assert len([name for name in archive.namelist() if name.endswith(".html")]) == 3
    assert await run(root, "export", "--all", "--form", "zip", "-o", str(target)) == 2
    assert "Not saved" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [(), ("nobody",), ("--matching", "xyzzy"), ("--all", "--form", "folder", "-o", "-")]
)
async def test_nothing_to_export(
    folder: Folder, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert await run(folder[0], "export", *arguments) == 2
    assert capsys.readouterr().out == ""


async def test_export_and_import_on_another_machine(
    folder: Folder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    root, ids = folder
    file, other = tmp_path / "all.json", tmp_path / "other"
    assert await run(root, "export", "--all", "--form", "json", "-o", str(file)) == 0
    capsys.readouterr()
    assert await run(other, "import", str(file)) == 0
    captured = capsys.readouterr()
    assert sorted(captured.out.split()) == sorted(ids)
    assert "2 new, 0 here already" in captured.err
    assert await run(other, "import", str(file)) == 0
    assert "0 new, 2 here already" in capsys.readouterr().err
    assert await run(other, "search", "#rm-bp1k3") == 0
    assert ids[0] in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"{}", None])
async def test_import_of_something_else(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: Any) -> None:
    file = tmp_path / "x.json"
    if content is not None:
        file.write_bytes(content)
    assert await run(tmp_path / "data", "import", str(file)) == 2
    assert "x.json" in capsys.readouterr().err
