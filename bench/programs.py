"""The programs that are measured, and the sandbox that the app talks to, each a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.line import ROOT, environment


@dataclass(frozen=True, slots=True)
class Program:
    """How a program is started and spoken to."""

    name: str
    command: Sequence[str]
    ready: str
    """Stands on the screen when it can be typed into."""
    question: str
    at_once: str
    """The question whose answer comes as fast as the line takes it."""
    environ: Mapping[str, str] = field(default_factory=dict)


def floor(rate: float) -> Program:
    command = [sys.executable, "-m", "bench.floor", str(rate)]
    return Program("print", command, "ready", "\n", "")


def minimal(rate: float) -> Program:
    command = [sys.executable, "-m", "bench.minimal", str(rate)]
    # The first letter of its placeholder stands under the cursor, apart from the rest.
    return Program("minimal Textual", command, "eady", "a\r", "x\r")


class Sandbox:
    """`yunliao sandbox` in a process of its own, so that its work is not counted as the app's."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tui", "sandbox", "--port", "0", "--pace", str(rate)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=environment({}),
            text=True,
        )
        assert self._process.stdout is not None
        self._told: dict[str, Any] = json.loads(self._process.stdout.readline())

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(10)

    def pace(self, value: float | str) -> None:
        """Deltas a second, or `unlimited`."""
        request = urllib.request.Request(
            f"{self.url}/_sandbox/pace",
            json.dumps({"pace": value}).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()

    def files(self) -> list[str]:
        """The names of the files that were uploaded and registered."""
        with urllib.request.urlopen(f"{self._told['url']}/_sandbox/state", timeout=10) as reply:
            return [file["name"] for file in json.load(reply)["dms"]["files"]]

    @property
    def url(self) -> str:
        return str(self._told["url"])

    def app(self, folder: Path, *flags: str, url: str = "") -> Program:
        """The app, with everything that it writes in `folder`; `url`: of a wire to the sandbox."""
        return Program(
            "yunliao",
            [sys.executable, "-m", "tui", "--data-dir", str(folder), *flags],
            "RDS Copilot",
            "bench 20\r",
            "bench 20\r",
            {
                "YUNLIAO_RDS_ENDPOINT": url or self.url,
                "YUNLIAO_DMS_ENDPOINT": self._told["url"],
                "ALIBABA_CLOUD_ACCESS_KEY_ID": self._told["access_key_id"],
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET": self._told["access_key_secret"],
                "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
            },
        )


def fill(folder: Path, count: int) -> None:
    """Put `count` conversations with a question each into the cache below `folder`."""
    from tui import paths
    from tui.cache import codec, journal
    from tui.cache.ids import new_conversation_id
    from tui.cache.records import Head, QuestionRecord

    state = paths.resolve(folder, {}).state
    assert state is not None
    conversations = state / "conversations"
    conversations.mkdir(parents=True, mode=0o700, exist_ok=True)
    for path in (folder, state):
        path.chmod(0o700)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        at = first + timedelta(minutes=number)
        head = Head(new_conversation_id("rds", at), "rds", at, f"conversation {number} 慢查询", {})
        question = QuestionRecord("t1", at, f"why is rm-bp1{number:05} slow? 主从延迟")
        table = {"seq": 1, **codec.record_to_table(question)}
        data = journal.head_fragment(codec.head_to_table(head)) + journal.record_fragment(table)
        path = conversations / f"{head.id}.toml"
        path.write_bytes(data)
        path.chmod(0o600)
