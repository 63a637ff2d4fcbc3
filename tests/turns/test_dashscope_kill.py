"""kill -9 in mid-run, with an ask open, and while outputs are on their way: nothing is lost, nothing is sent twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.turns.dashscope_desk import give, served_text, state, text_of, with_assistant
from tests.turns.desk import Desk, control
from tui.models import AskBlock
from tui.sandbox.server import SandboxServer

CALLS = "call 2"
CHILD = """
import asyncio, sys
from pathlib import Path
from tests.turns.test_dashscope_kill import child
asyncio.run(child(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
"""


async def child(url: str, api_key: str, root: Path, conversation_id: str) -> None:
    """Ask, answer whatever is asked, and say a line at every change; to be killed."""
    import asyncio

    from tui.cache.store import Store
    from tui.conversations import Conversations, Hooks
    from tui.models import ServiceName
    from tui.services.base import AskReply, ConversationService
    from tui.services.endpoints import parse_endpoint
    from tui.services.keys import AccessKey, FixedKey, Secret
    from tui.services.registry import DashScopeKey, Services
    from tui.turns import TurnUpdate, open_ask

    keys = FixedKey(AccessKey("", Secret(api_key)))
    services = Services(keys, {"dashscope": parse_endpoint(url, "test")}, dashscope_key=DashScopeKey(keys))
    store = Store(root)
    tasks: set[asyncio.Task[None]] = set()

    async def service(name: ServiceName) -> ConversationService:
        return await services.get(name)

    def changed(update: TurnUpdate) -> None:
        print("changed", flush=True)
        if update.ended:
            held = conversations.conversation(update.conversation_id)
            assert held is not None
            ask = open_ask(held.turns[-1])
            if ask is not None:
                reply = AskReply("reply", outputs=("1",) * len(ask.calls))
                asyncio.get_running_loop().call_later(
                    0.01, conversations.answer, update.conversation_id, ask.ask_id, reply
                )

    conversations = Conversations(
        store,
        Hooks(
            turn_changed=changed,
            list_changed=lambda _id: None,
            spawn=lambda name, work: tasks.add(asyncio.create_task(work, name=name)),
            service=service,
        ),
    )
    await store.open()
    await conversations.open(conversation_id)
    conversations.ask(conversation_id, CALLS)
    await asyncio.Event().wait()


@pytest.mark.parametrize("changes", [1, 3, 6, 9, 14, 22, 40])
async def test_killed_anywhere(changes: int, server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await with_assistant(desk)
        await desk.ask(conversation_id, "echo first")
    control(server, "pace", {"pace": 100})
    info = server.info
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, info.url, info.dashscope["api_key"], str(tmp_path), conversation_id],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    for number, _line in enumerate(process.stdout):
        if number >= changes:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    control(server, "pace", {"pace": "unlimited"})

    async with Desk(server, tmp_path) as desk:
        held = await desk.conversations.open_quietly(conversation_id)
        assert len(held.turns) == 2
        turn = held.turns[-1]
        if turn.state == "interrupted":
            await desk.conversations.resume_all()
            await desk.ended(turn.id)
        turn = await give(desk, conversation_id, desk.turn(conversation_id, turn.id), "1")
        if turn.problem is not None and turn.problem.delivered == "no":  # killed before there was a run
            assert not state(server)["counts"].get("submits")
            turn = await give(desk, conversation_id, await desk.ask(conversation_id, CALLS), "1")
        assert turn.state == "done", turn.problem
        assert text_of(turn) == served_text(server, turn)
        assert sum(isinstance(block, AskBlock) for block in turn.blocks) == 1
        assert (await desk.ask(conversation_id, "echo last")).state == "done"
    told = state(server)
    assert told["accepted"] == {"echo first": 1, CALLS: 1, "echo last": 1}
    assert (told["counts"]["runs"], told["counts"]["submits"]) == (3, 1)
