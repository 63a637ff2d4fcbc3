"""kill -9 in mid-answer: what was kept is readable, the rest is fetched, and nothing is asked twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.turns.desk import Desk, control
from tui.models import TextBlock, Turn
from tui.sandbox.server import SandboxServer
from tui.services.base import Page

AT_ONCE = 5
ROUNDS = 10
"""Together 50 answers that are killed."""

CHILD = """
import asyncio, sys
from pathlib import Path
from tests.turns.remote import run
asyncio.run(run(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]), sys.argv[5:]))
"""


def text_of(turn: Turn) -> str:
    return "".join(block.text for block in turn.blocks if isinstance(block, TextBlock))


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_what_a_killed_program_was_told_is_not_lost(server: SandboxServer, tmp_path: Path, seed: int) -> None:
    control(server, "pace", {"pace": 150})
    chance = random.Random(seed)
    info = server.info
    questions = [f"question {seed}-{number}: why the lag? 主从延迟" for number in range(AT_ONCE)]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, info.url, info.access_key_id, info.access_key_secret, str(tmp_path), *questions],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    wanted = chance.randint(0, 400)
    for seen, _line in enumerate(child.stdout):  # one line an event, of any of the answers
        if seen > wanted:
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    control(server, "pace", {"pace": "unlimited"})

    async with Desk(server, tmp_path) as desk:
        kept = {summary.snippet: summary.id for summary in desk.conversations.summaries()}
        assert set(kept) <= set(questions)
        before = {}
        for question, conversation_id in kept.items():
            conversation = await desk.conversations.open_quietly(conversation_id)
            assert len(conversation.turns) == 1
            before[question] = text_of(conversation.turns[0])
        await desk.conversations.resume_all()
        await desk.until(lambda: all(s.state in ("done", "failed") for s in desk.conversations.summaries()))
        service = await desk.services.get("rds")
        accepted = control(server, "state")["accepted"]
        assert all(count == 1 for count in accepted.values())
        for question, conversation_id in kept.items():
            conversation = await desk.conversations.open(conversation_id)
            [turn] = conversation.turns
            if question not in accepted:  # killed before it left
                assert turn.state == "failed"
                assert turn.problem is not None
                assert turn.problem.delivered == "no"
                continue
            assert turn.state == "done", turn.problem
            page = await service.history(turn.ids.conversation, Page())
            [told] = page.items
            assert text_of(turn) == text_of(told)
            assert text_of(turn).startswith(before[question])
        # What the service took in is on disk: the question is kept before it is sent.
        assert set(accepted) <= set(kept)
