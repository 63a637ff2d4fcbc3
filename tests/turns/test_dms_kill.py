"""kill -9 in the middle of an analysis: the next process goes on to the very same turn, and sends nothing twice."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.turns.desk import Desk, control
from tests.turns.test_dms_cuts import QUESTION, CutDesk, Line, model, reply_to, whole_analysis
from tui.models import NoticeBlock, Turn
from tui.sandbox.server import SandboxServer
from tui.services.dms_follow import Timing
from tui.turns import open_ask

AT_ONCE = 5
ROUNDS = 10
SPAN = 33
"""All analyses at once bring about `ROUNDS * SPAN` lines: each round is killed in another part of them."""
"""Together 50 analyses that are killed."""
PATIENT = Timing(backoff=(0.0, 0.05), tries=20, sure=1.0, ask=0.3, cancel=0.5)

CHILD = """
import asyncio, json, sys
from pathlib import Path
from tests.turns.test_dms_kill import run
asyncio.run(run(json.loads(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
"""


class Known:
    """A sandbox of another process, as far as a desk needs it."""

    def __init__(self, info: dict[str, Any]) -> None:
        from tui.sandbox.server import SandboxInfo

        self.info = SandboxInfo(**info)


async def run(info: dict[str, Any], root: Path, count: int) -> None:
    """The program that is killed: several analyses at once, a line whenever something came."""
    async with CutDesk(Known(info), root, line=Line({}), timing=PATIENT) as desk:  # type: ignore[arg-type]

        async def tell() -> None:
            seen = 0
            while True:
                await asyncio.sleep(0.005)
                for _update in range(len(desk.updates) - seen):
                    print(flush=True)
                seen = len(desk.updates)

        telling = asyncio.create_task(tell())
        await asyncio.gather(*(whole_analysis(desk) for _number in range(count)))
        telling.cancel()


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
async def test_a_killed_analysis_ends_as_any_other(server: SandboxServer, tmp_path: Path, seed: int) -> None:
    async with CutDesk(server, tmp_path / "uncut", line=Line({})) as desk:
        uncut = model(await whole_analysis(desk))
    control(server, "reset", {})
    control(server, "pace", {"pace": 400})
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, server.info.to_json(), str(tmp_path / "killed"), str(AT_ONCE)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    wanted = random.Random(seed).randrange(SPAN * seed, SPAN * (seed + 1))
    for seen, _line in enumerate(child.stdout):
        if seen > wanted:
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    control(server, "pace", {"pace": "unlimited"})

    async with CutDesk(server, tmp_path / "killed", line=Line({}), timing=PATIENT) as desk:
        ids = [summary.id for summary in desk.conversations.summaries()]
        for conversation_id in ids:
            await desk.conversations.open(conversation_id)
        await desk.conversations.resume_all()
        while desk.tasks:
            await asyncio.wait(desk.tasks)
        turns = [await go_on(desk, conversation_id) for conversation_id in ids]
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
