"""Commands that answer an assistant's functions: bound in the settings, run without a shell, limited, agreed to once.

```toml
[tool_commands.big_add]
argv = ["python3", "/home/ops/tools/add.py"]   # no shell: nothing of it is expanded
timeout = 10                                    # seconds; 20 where it is not set
```

A command gets the arguments, as the model wrote them, on stdin as JSON. What it prints is the output. It sees a small
environment: none of the program's keys.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

from tui.settings import ToolCommand
from tui.text import clean, clean_line
from tui.words import _

OUTPUT_LIMIT = 64 * 1024
"""Bytes of output; a command that prints more is ended."""
ERROR_LIMIT = 2048
PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TMPDIR", "LANG", "LANGUAGE")
"""Variables that a command gets, with all of `LC_*`: no key of any kind is among them."""


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """How a command ended. `problem` is a sentence where it did not end well; `output` may be there all the same."""

    output: str
    problem: str = ""


def fingerprint(name: str, command: ToolCommand) -> str:
    """What the user agrees to: this function by these words. Another word needs another agreement."""
    return sha256(json.dumps([name, *command.argv]).encode()).hexdigest()


async def run_command(command: ToolCommand, arguments: str, environ: Mapping[str, str] = os.environ) -> CommandOutcome:
    """Run it to its end, or end it at its time or output limit, with all processes of its session."""
    environment = {name: value for name, value in environ.items() if name in PASSED_ON or name.startswith("LC_")}
    try:
        process = await asyncio.create_subprocess_exec(
            *command.argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", "") or str(error)
        return CommandOutcome(
            "", _("{command} does not start: {reason}.").format(command=clean_line(command.argv[0]), reason=reason)
        )
    try:
        async with asyncio.timeout(command.timeout):
            output, errors, too_long = await _talk(process, arguments.encode("utf-8", "replace"))
    except TimeoutError:
        return CommandOutcome("", _("It was ended after {n} s.").format(n=f"{command.timeout:g}"))
    finally:
        await _end(process)
    text = clean(output.decode("utf-8", "replace")).rstrip("\n")
    if too_long:
        return CommandOutcome(text, _("It prints more than {n} KB and was ended.").format(n=OUTPUT_LIMIT // 1024))
    if process.returncode:
        said = clean_line(errors.decode("utf-8", "replace"), 300)
        problem = _("It ended with code {code}.").format(code=process.returncode)
        return CommandOutcome(text, f"{problem} {said}".strip())
    return CommandOutcome(text)


async def _talk(process: asyncio.subprocess.Process, arguments: bytes) -> tuple[bytes, bytes, bool]:
    """Give it the arguments and read what it says: (stdout, the end of stderr, whether stdout was too long)."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None

    async def give(stdin: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):  # it does not care for them
            stdin.write(arguments)
            await stdin.drain()
        stdin.close()

    async def complaints(stderr: asyncio.StreamReader) -> bytes:
        held = b""
        while piece := await stderr.read(4096):
            held = (held + piece)[-ERROR_LIMIT:]
        return held

    async def answer(stdout: asyncio.StreamReader) -> tuple[bytes, bool]:
        held = b""
        while piece := await stdout.read(16384):
            held += piece
            if len(held) > OUTPUT_LIMIT:
                _kill(process)
                return held[:OUTPUT_LIMIT], True
        return held, False

    _given, errors, (output, too_long) = await asyncio.gather(
        give(process.stdin), complaints(process.stderr), answer(process.stdout)
    )
    await process.wait()
    return output, errors, too_long


async def _end(process: asyncio.subprocess.Process) -> None:
    _kill(process)
    await process.wait()


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:  # else its number may be another's by now
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
