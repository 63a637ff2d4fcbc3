"""Commands that answer functions: no shell, limits that hold, no key passed on; and their setting."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tui.settings import SettingsError, ToolCommand, load_settings
from tui.tool_commands import OUTPUT_LIMIT, CommandOutcome, fingerprint, run_command


def python(code: str, timeout: float = 20) -> ToolCommand:
    return ToolCommand((sys.executable, "-c", code), timeout)


async def test_arguments_go_in_and_the_output_comes_out() -> None:
    add = python("import json, sys; a = json.load(sys.stdin); print(a['left'] + a['right'])")
    assert await run_command(add, '{"left": 87787, "right": 788988737}') == CommandOutcome("789076524")


async def test_nothing_is_expanded() -> None:
    said = await run_command(ToolCommand(("echo", "$HOME;", "`id`", "*")), '{"x": "$(id)"}')
    assert said == CommandOutcome("$HOME; `id` *")


async def test_no_key_is_passed_on() -> None:
    show = python("import os; print(sorted(os.environ))")
    environ = {"PATH": os.environ["PATH"], "DASHSCOPE_API_KEY": "canary", "LC_ALL": "C", "ALIBABA_CLOUD_X": "canary"}
    said = (await run_command(show, "{}", environ)).output
    assert "DASHSCOPE" not in said
    assert "ALIBABA" not in said
    assert "LC_ALL" in said


async def test_a_slow_one_is_ended_with_its_children(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; child = subprocess.Popen(['sleep', '600']); "
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid)); child.wait()"
    )
    said = await run_command(python(code, timeout=1.5), "{}")
    assert "1.5 s" in said.problem
    await ended(tmp_path / "pid")


async def test_what_it_leaves_behind_is_ended_with_it_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    shell = "sleep 600 & echo $! > pid; echo done"
    said = await run_command(ToolCommand(("sh", "-c", f"cd {tmp_path}; {shell}"), 60), "{}")
    assert said == CommandOutcome("done")
    await ended(tmp_path / "pid")


async def ended(pid_file: Path) -> None:
    """Wait until a process is gone: it closes its files, and so lets go of ours, a moment before."""
    pid = int(pid_file.read_text())
    async with asyncio.timeout(10):
        while "State:\tZ" not in status(pid):  # noqa: ASYNC110  # the kernel tells nobody else
            await asyncio.sleep(0.01)


def status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "State:\tZ"


async def test_too_much_is_ended() -> None:
    said = await run_command(python("while True: print('x' * 1000)"), "{}")
    assert len(said.output) == OUTPUT_LIMIT
    assert "64 KB" in said.problem


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (ToolCommand(("/nowhere/at/all",)), "does not start"),
        (python("import sys; print('half'); sys.exit('no such port')"), "code 1. no such port"),
    ],
)
async def test_a_failure_is_said(command: ToolCommand, words: str) -> None:
    assert words in (await run_command(command, "{}")).problem


async def test_one_that_does_not_read_and_one_that_prints_controls() -> None:
    assert (await run_command(python("print('done')"), "x" * 2_000_000)).output == "done"
    said = (await run_command(python("import sys; sys.stdout.buffer.write(b'a\\x1b]52;c;AA\\x07\\xff')"), "{}")).output
    assert "\x1b" not in said


def test_another_word_is_another_agreement() -> None:
    held = {
        fingerprint("big_add", ToolCommand(("add", "a b"))),
        fingerprint("big_add", ToolCommand(("add", "a", "b"))),
        fingerprint("other", ToolCommand(("add", "a b"))),
    }
    assert len(held) == 3
    assert fingerprint("f", ToolCommand(("a",), 1)) == fingerprint("f", ToolCommand(("a",), 2))


def test_the_setting(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[tool_commands.big_add]\nargv = ["add", "-j"]\n[tool_commands.slow]\nargv = ["s"]\ntimeout = 60\n')
    assert load_settings(path).tool_commands == {
        "big_add": ToolCommand(("add", "-j")),
        "slow": ToolCommand(("s",), 60.0),
    }


@pytest.mark.parametrize(
    "text",
    [
        "tool_commands = 1",
        'tool_commands.f = "rm -rf"',
        'tool_commands.f = {argv = "ls -l"}',
        "tool_commands.f = {argv = []}",
        'tool_commands.f = {argv = [""]}',
        'tool_commands.f = {argv = ["ls", 1]}',
        'tool_commands.f = {argv = ["ls"], timeout = 0}',
        'tool_commands.f = {argv = ["ls"], timeout = true}',
        'tool_commands.f = {argv = ["ls"], shell = true}',
    ],
)
def test_a_wrong_setting_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="tool_commands"):
        load_settings(path)
