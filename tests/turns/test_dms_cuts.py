"""An analysis whose line is cut after every single frame, one run a frame: the same turn, and no message twice."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from tests.turns.desk import Desk, control
from tui.models import AskBlock, Block, ServiceName, ThinkingBlock, Turn
from tui.sandbox.server import SandboxServer
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


class Line(httpx.AsyncHTTPTransport):
    """The line to the sandbox, which asks it to cut one of the streams after so many frames."""

    def __init__(self, faults: Mapping[str, str], stream: int = 0, frames: int = 0) -> None:
        super().__init__()
        self.streams = 0
        self._faults = faults
        self._cut = (stream, frames)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        action = request.headers["x-acs-action"]
        faults = [self._faults[action]] if action in self._faults else []
        if action == "GetChatContent":
            self.streams += 1
            if self.streams == self._cut[0]:
                faults.append(f"drop-after={self._cut[1]}")
        if faults:
            request.headers["x-sandbox-fault"] = ",".join(faults)
        return await super().handle_async_request(request)


@dataclass
class CutDesk(Desk):
    """A desk whose Data Agent is reached over a `Line`."""

    line: Line = field(default_factory=lambda: Line({}))
    timing: Timing = QUICK

    async def _service(self, name: ServiceName) -> ConversationService:
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


# Both kinds of checkpoints, and both ways of a stream at an ask.
VARIANTS: dict[str, dict[str, str]] = {
    "shared checkpoints, asks leave the stream open": {},
    "counting checkpoints, asks end the stream": {
        "GetChatContent": "ask-finishes",
        "SendChatMessage": "counting-checkpoints",
    },
}


@pytest.mark.parametrize("faults", VARIANTS.values(), ids=VARIANTS.keys())
async def test_a_cut_after_every_frame(server: SandboxServer, tmp_path: Path, faults: dict[str, str]) -> None:
    async with CutDesk(server, tmp_path / "uncut", line=(line := Line(faults))) as desk:
        uncut = model(await whole_analysis(desk))
    streams = line.streams
    accepted: Counter[str] = Counter(control(server, "state")["accepted"])
    assert sum(accepted.values()) == 4
    runs, limit = 1, asyncio.Semaphore(4)

    async def cut(stream: int, frames: int) -> bool:
        """Whether the cut was felt: the stream had that many frames."""
        nonlocal runs
        async with (
            limit,
            CutDesk(server, tmp_path / f"{stream}-{frames}", line=(line := Line(faults, stream, frames))) as desk,
        ):
            assert model(await whole_analysis(desk)) == uncut, f"cut stream {stream} after {frames} frames"
            runs += 1
            return line.streams > streams

    async def cut_stream(stream: int) -> int:
        frames = 1
        while await cut(stream, frames):
            frames += 1
        return frames - 1

    counts = await asyncio.gather(*(cut_stream(stream) for stream in range(1, streams + 1)))
    assert sum(counts) > 50
    # Each run sent the question and three answers, and nothing a second time.
    assert Counter(control(server, "state")["accepted"]) == {text: count * runs for text, count in accepted.items()}
