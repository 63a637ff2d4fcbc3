"""kill -9 in the middle of an analysis: the next process goes on to the very same turn, and sends nothing twice."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import cast

import pytest

from tests.turns.desk import Desk, control
from tests.turns.dms_line import QUESTION, CutDesk, Known, model, reply_to, whole_analysis
from tui.models import NoticeBlock, Turn
from tui.sandbox.server import SandboxServer
from tui.services.dms_follow import Timing
from tui.turns import open_ask

AT_ONCE = 5
ROUNDS = 10
"""Together 50 analyses that are killed."""
SPAN = 33
"""All analyses at once bring about `ROUNDS * SPAN` signs: each round is killed in another part of them."""
PACE = 1500
"""Deltas a second: slow enough that a kill falls in between."""
PATIENT = Timing(backoff=(0.0, 0.05), tries=20, sure=1.0, ask=0.3, cancel=0.5)


def run(info: str, root: Path, sign: Connection) -> None:
    """The program that is killed: several analyses at once, a sign whenever something came."""
    asyncio.run(_run(info, root, sign))


async def _run(info: str, root: Path, sign: Connection) -> None:
    async with CutDesk(cast("SandboxServer", Known(info)), root, timing=PATIENT) as desk:

        async def tell() -> None:
            seen = 0
            while True:
                await asyncio.sleep(0.002)
                for _update in range(len(desk.updates) - seen):
                    sign.send_bytes(b".")
                seen = len(desk.updates)

        telling = asyncio.create_task(tell())
        await asyncio.gather(*(whole_analysis(desk) for _number in range(AT_ONCE)))
        telling.cancel()


@pytest.fixture(scope="module")
def programs() -> BaseContext:
    """Makes processes out of one that has imported everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


@pytest.fixture(scope="module")
def uncut(shared_server: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> object:
    """What all analyses come to."""
    shared_server.reset()
    shared_server.set_pace("unlimited")

    async def analyse() -> object:
        async with CutDesk(shared_server, tmp_path_factory.mktemp("uncut")) as desk:
            return model(await whole_analysis(desk))

    return asyncio.run(analyse())


def kill_after(programs: BaseContext, wanted: int, server: SandboxServer, root: Path) -> None:
    """Run the program and kill it at its sign number `wanted`, or when it has given its last."""
    signs, sign = programs.Pipe(duplex=False)
    process = programs.Process(target=run, args=(server.info.to_json(), root, sign))  # type: ignore[attr-defined]
    process.start()
    sign.close()
    with suppress(EOFError):
        for _seen in range(wanted):
            signs.recv_bytes()
    process.kill()
    process.join()
    signs.close()


async def go_on(desk: Desk, conversation_id: str) -> Turn:
    """What the user does at the next start: wait for what went on, then answer what is asked."""
    conversation = desk.conversations.conversation(conversation_id)
    assert conversation is not None
    turn = conversation.turns[-1]
    while (ask := open_ask(turn)) is not None and turn.state in ("waiting", "done"):
        turn = await desk.answer(conversation_id, reply_to(ask))
    return turn


def without_repeats(turn: Turn) -> Turn:
    """The turn without the notes that an answer had not left when the program was killed, and was given again."""
    kept = [b for b in turn.blocks if not (isinstance(b, NoticeBlock) and b.text.startswith("your answer was not"))]
    return replace(turn, blocks=tuple(kept))


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_a_killed_analysis_ends_as_any_other(
    server: SandboxServer, programs: BaseContext, uncut: object, tmp_path: Path, seed: int
) -> None:
    control(server, "pace", {"pace": PACE})
    wanted = random.Random(seed).randrange(SPAN * seed, SPAN * (seed + 1))
    await asyncio.to_thread(kill_after, programs, wanted, server, tmp_path / "killed")
    control(server, "pace", {"pace": "unlimited"})

    async with CutDesk(server, tmp_path / "killed", timing=PATIENT) as desk:
        ids = [summary.id for summary in desk.conversations.summaries()]
        for conversation_id in ids:
            await desk.conversations.open(conversation_id)
        await desk.conversations.resume_all()
        while desk.tasks:
            await asyncio.wait(desk.tasks)
        turns = await asyncio.gather(*(go_on(desk, conversation_id) for conversation_id in ids))
    sessions = {session["id"]: session for session in control(server, "state")["dms"]["sessions"]}
    for turn in turns:
        messages = sessions[turn.ids.conversation]["messages"] if turn.ids.conversation else []
        if not messages:  # killed before it left
            assert turn.problem is not None
            assert turn.problem.delivered == "no"
            continue
        assert model(without_repeats(turn)) == uncut
        assert [message["kind"] for message in messages] == ["primary", "primary", "primary", "report"]
        assert messages[0]["text"] == QUESTION
    assert len(sessions) <= len(turns)
