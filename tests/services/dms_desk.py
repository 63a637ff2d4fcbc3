"""The Data Agent on the sandbox, and what tests do with it again and again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.turns.desk import control
from tui.cache.records import Record
from tui.models import Turn
from tui.sandbox.server import SandboxServer
from tui.services.accumulator import LiveTurn
from tui.services.base import AnswerRequest, AskReply, TurnRef, TurnRequest
from tui.services.dms import DmsDataAgent, Place
from tui.services.dms_calls import DATA_AGENT, Calls, SignedCalls
from tui.services.dms_follow import Timing
from tui.services.dms_sessions import Patience
from tui.services.endpoints import parse_endpoint
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.rpc import RpcClient
from tui.services.upload_checks import check_file
from tui.services.uploads import Upload
from tui.turns import RunningTurn, open_ask, run_turn

BRISK = Timing(backoff=(0.0, 0.05), tries=10, sure=1.0, ask=0.2, cancel=0.5, finish=0.2, catch_up=0.5)
PROMPT = Patience(first_poll=0.05, slowest_poll=0.1, start=20.0, gone=0.1)


def set_faults(server: SandboxServer, *faults: str) -> None:
    control(server, "faults", {"set": [*faults]})


@asynccontextmanager
async def data_agent(
    server: SandboxServer, timing: Timing = BRISK, calls: Calls | None = None
) -> AsyncIterator[DmsDataAgent]:
    """The service on the sandbox; a test that hangs fails."""
    info = server.info
    key = FixedKey(AccessKey(info.access_key_id, Secret(info.access_key_secret)))
    calls = calls or SignedCalls(RpcClient(DATA_AGENT, parse_endpoint(info.url, "sandbox"), key))
    service = DmsDataAgent(calls, Place("cn-hangzhou"), timing=timing, patience=PROMPT)
    try:
        async with asyncio.timeout(60):
            yield service
    finally:
        await service.aclose()


@dataclass
class Notes:
    """A journal in memory."""

    records: list[Record] = field(default_factory=list)

    async def append(self, *records: Record, sync: bool = False) -> None:
        self.records += records

    def append_now(self, *records: Record) -> None:
        self.records += records


def fresh(question: str) -> Turn:
    return Turn("turn-1", question, datetime.now(UTC))


async def take(
    service: DmsDataAgent, turn: Turn, request: TurnRequest | AnswerRequest | None, notes: Notes | None = None
) -> Turn:
    """Run a turn as the app does, to its end or its next ask."""
    live = LiveTurn(turn)
    if not isinstance(request, TurnRequest):
        live.reopen()
    return await run_turn(RunningTurn(live, lambda: 0.0, lambda: None), service, request, notes or Notes(), pauses=())


async def ask(service: DmsDataAgent, question: str, **changes: Any) -> Turn:
    return await take(service, fresh(question), replace(TurnRequest(question, turn="turn-1"), **changes))


async def answer(service: DmsDataAgent, turn: Turn, reply: AskReply, **options: str) -> Turn:
    found = open_ask(turn)
    assert found is not None
    ref = TurnRef(turn.question, turn.asked_at, turn.ids, turn.answer, turn.position, turn.blocks)
    return await take(service, turn, AnswerRequest(ref, found, reply, options, "turn-1"))


async def to_the_end(
    service: DmsDataAgent, turn: Turn, reply: Callable[[str], AskReply] = lambda _kind: AskReply("approve")
) -> Turn:
    """Answer every ask until none is open."""
    while (found := open_ask(turn)) is not None:
        turn = await answer(service, turn, reply(found.kind))
    return turn


def orders(path: Path, rows: int) -> Path:
    """A CSV file of orders, the same for the same number of rows."""
    chance = random.Random(rows)
    lines = ["day,shop,区域,amount,refunded"]
    for _number in range(rows):
        day = f"2026-05-{chance.randint(1, 31):02d}"
        cells = (day, chance.choice("ABC"), chance.choice(("华东", "华北")), f"{chance.random() * 100:.2f}")
        lines.append(",".join((*cells, chance.choice(("yes", "no")))))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


async def upload(service: DmsDataAgent, path: Path) -> Upload:
    """Upload a file that may be uploaded."""
    made = Upload(service.files, check_file(path), tick=0.01)
    async for progress in made.run():
        assert progress.problem is None, progress.problem
    return made
