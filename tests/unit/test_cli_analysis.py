"""`yunliao ask` with the Data Agent: files, what is asked, what is printed."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import threading
from pathlib import Path

import pytest

from tests.unit.test_cli import YUNLIAO, Run, environ, run, sandbox
from tui.cache.records import MetaRecord
from tui.cache.store import Store
from tui.exits import Exit
from tui.paths import resolve
from tui.sandbox.server import SandboxServer

__all__ = ["environ", "run", "sandbox"]

WEEKS = "refunds by week"


@pytest.fixture(autouse=True)
def _data_agent(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    environ["YUNLIAO_DMS_ENDPOINT"] = environ["YUNLIAO_RDS_ENDPOINT"]
    monkeypatch.setenv("YUNLIAO_DMS_ENDPOINT", environ["YUNLIAO_DMS_ENDPOINT"])


def accepted(sandbox: SandboxServer) -> int:
    return sum(sandbox.state()["accepted"].values())


def conversation_of(err: str) -> str:
    return next(line.split()[6] for line in err.splitlines() if line.startswith("go on with:"))


def test_what_is_asked_is_told_and_answered_by_the_next_call(run: Run, sandbox: SandboxServer) -> None:
    ran = run("ask", "-s", "dms", WEEKS)

    assert ran.code == Exit.APPROVAL
    assert "The agent asks you to confirm its plan" in ran.err
    assert "y run this plan" in ran.err
    assert "- [ ]" in ran.out
    conversation = conversation_of(ran.err)
    ran = run("ask", "--conversation", conversation, "y")
    assert ran.code == Exit.APPROVAL
    assert "SELECT" in ran.err
    assert "estimate: rows=" in ran.err
    ran = run("ask", "--conversation", conversation, "all")
    assert ran.code == Exit.ANSWERED
    assert "```sql\nSELECT" in ran.out
    assert "| week |" in ran.out
    assert accepted(sandbox) == 3
    ran = run("ask", "--conversation", conversation, "yes")  # the report that was offered
    assert ran.code == Exit.ANSWERED
    assert ".html" in ran.out
    assert accepted(sandbox) == 4


def test_a_table_is_uploaded_and_what_only_reads_is_agreed_to(run: Run, sandbox: SandboxServer, tmp_path: Path) -> None:
    table = tmp_path / "销售.csv"
    amounts = [number * 37 % 97 for number in range(1000)]
    lines = [f"{'东西'[number % 2]},{amount}" for number, amount in enumerate(amounts)]
    table.write_text("\n".join(["地区,金额", *lines]), encoding="utf-8")
    ran = run("ask", "--file", str(table), "--yes", "--lang", "en", "total 金额 by 地区")

    assert ran.code == Exit.ANSWERED
    assert "uploaded 销售.csv: f-" in ran.err
    assert "agreed (--yes)" in ran.err
    rows = {tuple(line.strip("| \n").split(" | ")) for line in ran.out.splitlines() if line.startswith("| ")}
    assert rows >= {("东", str(sum(amounts[::2]))), ("西", str(sum(amounts[1::2])))}
    assert "\x1b" not in ran.out + ran.err


def test_what_may_not_be_uploaded_sends_nothing(run: Run, sandbox: SandboxServer, tmp_path: Path) -> None:
    wrong = tmp_path / "notes.csv"
    wrong.write_bytes(b"PK\x03\x04 not text")
    for arguments in (["--file", str(wrong)], ["--file", str(tmp_path / "nothing.csv")]):
        ran = run("ask", *arguments, "how many?")
        assert ran.code == Exit.USAGE
        assert ran.err
    good = tmp_path / "good.csv"
    good.write_text("a,b\n1,2\n", encoding="utf-8")
    ran = run("ask", "-s", "rds", "--file", str(good), "how many?")
    assert ran.code == Exit.USAGE
    assert "Data Agent" in ran.err
    assert accepted(sandbox) == 0


def test_json_has_the_ask_and_the_files(run: Run) -> None:
    ran = run("ask", "--json", "-s", "dms", WEEKS)

    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert {"plan_changed", "asked"} <= {line["event"] for line in lines}
    assert lines[-1]["event"] == "summary"
    assert (lines[-1]["exit"], lines[-1]["ask"]["kind"]) == (Exit.APPROVAL, "plan")
    ran = run("ask", "--json", "--mode", "ask_data", "--yes", WEEKS)
    summary = json.loads(ran.out.splitlines()[-1])
    assert (summary["exit"], summary["ask"]) == (Exit.ANSWERED, None)


def test_words_answer_a_question_and_refusing_stops_the_run(run: Run, sandbox: SandboxServer) -> None:
    conversation = conversation_of(run("ask", "-s", "dms", "ask").err)
    ran = run("ask", "--conversation", conversation, "north only")
    assert ran.code == Exit.ANSWERED
    assert "You said: north only" in ran.out
    conversation = conversation_of(run("ask", "-s", "dms", WEEKS).err)
    assert run("ask", "--conversation", conversation, "no").code == Exit.STOPPED


def test_an_answer_that_cannot_be_given_here_is_said(run: Run, sandbox: SandboxServer, tmp_path: Path) -> None:
    conversation = conversation_of(run("ask", "-s", "dms", WEEKS).err)
    holds, done = threading.Event(), threading.Event()

    async def hold() -> None:
        """Another window, which writes to it."""
        store = Store(resolve(tmp_path / "data").state)
        await store.open()
        await store.load(conversation)
        await store.append(conversation, MetaRecord(title="elsewhere"))
        holds.set()
        await asyncio.to_thread(done.wait)
        await store.close()

    window = threading.Thread(target=lambda: asyncio.run(hold()))
    window.start()
    try:
        assert holds.wait(20)
        ran = run("ask", "--yes", "--conversation", conversation, "y")
    finally:
        done.set()
        window.join()
    assert ran.code == Exit.APPROVAL
    assert "another window has this conversation open" in ran.err
    assert accepted(sandbox) == 1


def test_on_a_terminal_it_is_asked_and_enter_approves_nothing(
    environ: dict[str, str], tmp_path: Path, sandbox: SandboxServer
) -> None:
    primary, secondary = pty.openpty()
    process = subprocess.Popen(
        [*YUNLIAO, "--data-dir", str(tmp_path / "data"), "ask", "-s", "dms", WEEKS],
        env={**os.environ, **environ},
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
    )
    os.close(secondary)
    shown, answers = "", [b"\n", b"y\n", b"a\n", b"r\n"]
    try:
        while piece := os.read(primary, 65536):
            shown += piece.decode("utf-8", "replace")
            if answers and shown.count("> ") > 4 - len(answers):
                os.write(primary, answers.pop(0))
    except OSError:  # the other end is closed
        pass
    os.close(primary)

    assert process.wait(timeout=20) == Exit.ANSWERED
    assert not answers
    assert "run this plan" in shown
    assert "| week |" in shown
    assert accepted(sandbox) == 3


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_full_disk_is_said(environ: dict[str, str], tmp_path: Path, flags: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*YUNLIAO, "--data-dir", str(tmp_path / "data"), "ask", *flags, "echo one"],
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == Exit.FAILED
    assert "could not be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
