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
from typing import cast

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
    """Run it to its end, or end it at its time or output limit; what it started and left behind is ended with it."""
    environment = {name: value for name, value in environ.items() if name in PASSED_ON or name.startswith("LC_")}
    try:
        transport, run = await asyncio.get_running_loop().subprocess_exec(
            _Run, *command.argv, env=environment, start_new_session=True
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", "") or str(error)
        return CommandOutcome(
            "", _("{command} does not start: {reason}.").format(command=clean_line(command.argv[0]), reason=reason)
        )
    try:
        async with asyncio.timeout(command.timeout):
            run.give(arguments.encode("utf-8", "replace"))
            await run.over.wait()
    except TimeoutError:
        return CommandOutcome("", _("It was ended after {n} s.").format(n=f"{command.timeout:g}"))
    finally:
        run.kill()
        with suppress(TimeoutError):  # one that left the session may go on printing
            async with asyncio.timeout(1):
                await run.over.wait()
        transport.close()
    text = clean(run.output[:OUTPUT_LIMIT].decode("utf-8", "replace")).rstrip("\n")
    if len(run.output) > OUTPUT_LIMIT:
        return CommandOutcome(text, _("It prints more than {n} KB and was ended.").format(n=OUTPUT_LIMIT // 1024))
    if code := transport.get_returncode():
        said = clean_line(run.errors.decode("utf-8", "replace"), 300)
        problem = _("It ended with code {code}.").format(code=code)
        return CommandOutcome(text, f"{problem} {said}".strip())
    return CommandOutcome(text)


class _Run(asyncio.SubprocessProtocol):
    """A command that runs: what it says, up to the limits. `asyncio`'s streams would wait for what it leaves behind."""

    def __init__(self) -> None:
        self.output = bytearray()
        self.errors = bytearray()
        self.over = asyncio.Event()
        """It has ended, and nobody can print any more."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def give(self, arguments: bytes) -> None:
        stdin = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))
        stdin.write(arguments)
        stdin.close()  # once they are read, or nobody reads them

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 2:
            self.errors = (self.errors + data)[-ERROR_LIMIT:]
        elif len(self.output) <= OUTPUT_LIMIT:
            self.output += data
            if len(self.output) > OUTPUT_LIMIT:
                self.kill()

    def process_exited(self) -> None:
        self._kill_group()  # what it left behind; its number is nobody else's so soon

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set()

    def kill(self) -> None:
        if self._transport.get_returncode() is None:  # else its number may be another's by now
            self._kill_group()

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._transport.get_pid(), signal.SIGKILL)
