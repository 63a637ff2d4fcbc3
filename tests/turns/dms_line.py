"""A Data Agent behind a line that can be cut, and what an analysis of its sample must come to."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import httpx

from tests.turns.desk import Desk
from tui.models import AskBlock, Block, ServiceName, ThinkingBlock, Turn
from tui.sandbox.server import SandboxInfo, SandboxServer
from tui.services.base import AskReply, ConversationService
from tui.services.dms import DmsDataAgent, Place
from tui.services.dms_calls import DATA_AGENT, SignedCalls
from tui.services.dms_follow import Timing
from tui.services.endpoints import parse_endpoint
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.rpc import RpcClient
from tui.turns import open_ask

QUESTION = "refunds by week"
QUICK = Timing(backoff=(0.0,), tries=5)
YES = AskReply("approve")


class Known:
    """A sandbox that runs elsewhere, as far as a desk needs it."""

    def __init__(self, info: str) -> None:
        self.info = SandboxInfo(**json.loads(info))


@contextmanager
def sandbox_apart() -> Iterator[SandboxServer]:
    """A sandbox in a process of its own, so that it does not share the tests' processor."""
    command = [sys.executable, "-m", "tui", "sandbox", "--pace", "unlimited"]
    memory = Path("/dev/shm")  # for the files that it writes
    environ = os.environ | ({"TMPDIR": str(memory)} if memory.is_dir() else {})
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        try:
            yield cast("SandboxServer", Known(process.stdout.readline()))
        finally:
            process.terminate()


class Line(httpx.AsyncBaseTransport):
    """The line to the sandbox, which asks it to cut one of the streams after so many frames.

    Args:
        faults: by action, switches that are on.
        wire: connections that are shared with other lines; it stays open.
    """

    def __init__(
        self,
        faults: Mapping[str, str] | None = None,
        stream: int = 0,
        frames: int = 0,
        *,
        wire: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.streams = 0
        self._faults = faults or {}
        self._cut = (stream, frames)
        self._wire = wire or httpx.AsyncHTTPTransport(verify=False)
        self._owns_wire = wire is None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        action = request.headers["x-acs-action"]
        faults = [self._faults[action]] if action in self._faults else []
        if action == "GetChatContent":
            self.streams += 1
            if self.streams == self._cut[0]:
                faults.append(f"drop-after={self._cut[1]}")
        if faults:
            request.headers["x-sandbox-fault"] = ",".join(faults)
        return await self._wire.handle_async_request(request)

    async def aclose(self) -> None:
        if self._owns_wire:
            await self._wire.aclose()


@dataclass
class CutDesk(Desk):
    """A desk whose Data Agent is reached over a `Line`."""

    line: Line = field(default_factory=Line)
    timing: Timing = QUICK

    async def _service(self, name: ServiceName) -> ConversationService:
        if name != "dms":
            return await super()._service(name)
        if not hasattr(self, "_agent"):
            info = self.server.info
            keys = FixedKey(AccessKey(info.access_key_id, Secret(info.access_key_secret)))
            rpc = RpcClient(DATA_AGENT, parse_endpoint(info.url, "test"), keys, transport=self.line)
            self._agent = DmsDataAgent(SignedCalls(rpc), Place("cn-hangzhou"), timing=self.timing)
        return self._agent

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        if hasattr(self, "_agent"):
            await self._agent.aclose()


def reply_to(ask: AskBlock) -> AskReply:
    return AskReply("approve_all") if ask.kind == "sql" else YES


async def whole_analysis(desk: Desk) -> Turn:
    """From the question to the drawn report, as a user who agrees to everything."""
    conversation_id = await desk.conversations.create("dms", {"mode": "ANALYSIS"})
    turn = await desk.ask(conversation_id, QUESTION)
    for _answer in range(3):
        ask = open_ask(turn)
        assert ask is not None, turn
        turn = await desk.answer(conversation_id, reply_to(ask))
    assert turn.state == "done"
    return turn


def model(turn: Turn) -> tuple[str, tuple[Block, ...], str]:
    """What must be the same each time: all but the times, and the ids that the service makes anew."""
    names: dict[str, str] = {}

    def known(match: re.Match[str]) -> str:
        return names.setdefault(match.group(), f"f-{len(names)}")

    def plain(block: Block) -> Block:
        if isinstance(block, ThinkingBlock):
            return replace(block, seconds=0.0)
        values = {
            name: re.sub(r"f-[0-9a-f]{16}", known, value)
            for name in ("text", "file_id", "url")
            if isinstance(value := getattr(block, name, None), str)
        }
        return replace(cast("Any", block), **values) if values and not isinstance(block, AskBlock) else block

    assert turn.position is not None
    return turn.state, tuple(plain(block) for block in turn.blocks), turn.position.checkpoint
