"""Every quirk and fault of the sandbox's DashScope, one question each: the text is whole or the loss is said, nothing
is sent twice, the next question works, and what is on disk is what was on screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.turns.dashscope_desk import give, served_text, state, text_of, with_assistant, with_profile
from tests.turns.desk import Desk, control
from tui.models import ToolBlock, Turn
from tui.sandbox.server import SandboxServer
from tui.sandbox.switches import SWITCHES

TOOLS = "tools 2"
"""A question whose answer uses two tools of the service."""
CALLS = "call 2"
"""One that wants every function twice."""
NEXT = "and now?"

FAILS = {"run-fails": "server_error", "run-expires": "RunExpired"}
"""The run itself comes to a bad end."""
REFUSED = {
    "wrong-key": "InvalidApiKey",
    "no-permission": "AccessDenied",
    "throttled": "Throttling.RateQuota",
    "too-many-requests": "Throttling",
    "quota-exceeded": "Throttling.AllocationQuota",
    "order-invalid": "AccessDenied.Unpurchased",
    "moderation": "DataInspectionFailed",
    "invalid-parameter": "InvalidParameter",
}
"""The service says no, and means that nothing was done."""
DOUBTFUL = ("service-unavailable", "html-502", "html-200", "http-500", "redirect", "drop-before-accept")
"""Somebody on the way answers, or nobody: the question does not arrive, which is only known after a look."""
LOST = ("drop-after-accept", "drop-after", "drop-mid-frame", "reset-after", "end-after")
"""The line of the stream breaks."""
RETIRED = {"workspace-needed": "AccessDenied", "assistants-retired": "UnsupportedOperation"}
"""Hold for all operations, so that not even a thread is opened."""

OF_RUNS = sorted(name for name, switch in SWITCHES.items() if switch.group in ("runs", "run-frames"))
OF_REPLIES = sorted(name for name, switch in SWITCHES.items() if switch.group == "assistants")
OF_RESPONSES = sorted(name for name, switch in SWITCHES.items() if switch.group == "responses")


async def ask_with(server: SandboxServer, switch: str, tmp_path: Path, question: str, *, local: bool = False) -> Turn:
    """Ask with a switch on, then once more with all off; the first turn."""
    async with Desk(server, tmp_path) as desk:
        conversation_id = await (with_profile(desk) if local else with_assistant(desk))
        name, _at, action = switch.partition("@")
        once = bool(action) or SWITCHES[name].action != "*"
        control(server, "faults", {"once" if once else "set": [switch]})
        turn = await give(desk, conversation_id, await desk.ask(conversation_id, question))
        control(server, "faults", {"set": []})
        again = await give(desk, conversation_id, await desk.ask(conversation_id, NEXT))
        assert again.state == "done", again.problem
        assert text_of(again) == served_text(server, again)
        held = desk.conversations.conversation(conversation_id)
        assert held is not None
    accepted = state(server)["accepted"]
    assert accepted.get(question, 0) <= 1
    assert accepted[NEXT] == 1
    async with Desk(server, tmp_path) as desk:
        kept = await desk.conversations.open(conversation_id)
        assert [one.blocks for one in kept.turns] == [one.blocks for one in held.turns]
        assert [one.state for one in kept.turns] == [one.state for one in held.turns]
    return turn


@pytest.mark.parametrize("name", [*OF_RUNS, *(name for name in OF_REPLIES if name not in (*RETIRED, "refuse"))])
@pytest.mark.parametrize("question", [TOOLS, CALLS])
async def test_a_run_is_whole(name: str, question: str, server: SandboxServer, tmp_path: Path) -> None:
    turn = await ask_with(server, name, tmp_path, question)
    assert turn.state == ("failed" if name in FAILS else "done"), turn.problem
    assert text_of(turn) == served_text(server, turn)
    assert turn.usage is not None or name in (*FAILS, "run-incomplete")
    if name in FAILS:
        assert turn.problem is not None
        assert turn.problem.code == FAILS[name]
        assert turn.problem.request_id
    else:
        tools = [block for block in turn.blocks if isinstance(block, ToolBlock)]
        assert tools
        assert all(tool.status == "done" and tool.name and tool.arguments and tool.result for tool in tools)


@pytest.mark.parametrize("name", OF_RESPONSES)
@pytest.mark.parametrize("question", [TOOLS, CALLS])
async def test_a_response_is_whole(name: str, question: str, server: SandboxServer, tmp_path: Path) -> None:
    turn = await ask_with(server, name, tmp_path, question, local=True)
    if name == "limit-200":
        assert turn.state == "failed"
        assert turn.problem is not None
        assert (turn.problem.code, turn.problem.delivered) == ("Throttling.RateQuota", "no")
        return
    assert turn.state == "done", turn.problem
    assert text_of(turn).endswith(served_text(server, turn))
    assert served_text(server, turn)
    assert turn.usage is not None


@pytest.mark.parametrize("operation", ["CreateThread", "CreateMessage", "CreateRun", "CreateResponse"])
@pytest.mark.parametrize("name", sorted(REFUSED))
async def test_a_refusal_gives_the_question_back(
    name: str, operation: str, server: SandboxServer, tmp_path: Path
) -> None:
    turn = await ask_with(server, f"{name}@{operation}", tmp_path, TOOLS, local=operation == "CreateResponse")
    assert turn.state == "failed"
    assert turn.problem is not None
    assert (turn.problem.code, turn.problem.delivered) == (REFUSED[name], "no")
    assert turn.problem.sentence
    assert turn.problem.request_id


@pytest.mark.parametrize("operation", ["CreateThread", "CreateMessage", "CreateRun", "CreateResponse"])
@pytest.mark.parametrize("name", DOUBTFUL)
async def test_what_never_arrived_is_said(name: str, operation: str, server: SandboxServer, tmp_path: Path) -> None:
    turn = await ask_with(server, f"{name}@{operation}", tmp_path, TOOLS, local=operation == "CreateResponse")
    assert turn.state == "failed"
    assert turn.problem is not None
    assert turn.problem.delivered != "yes"
    assert turn.problem.sentence


@pytest.mark.parametrize("name", [*LOST, "gzip", "slow-start"])
@pytest.mark.parametrize("local", [False, True])
async def test_a_lost_line_loses_nothing(name: str, local: bool, server: SandboxServer, tmp_path: Path) -> None:
    operation = "CreateResponse" if local else "CreateRun"
    turn = await ask_with(server, f"{name}@{operation}", tmp_path, TOOLS, local=local)
    if local and name == "drop-after-accept":  # it has no id by which it could be looked for
        assert turn.problem is not None
        assert (turn.problem.code, turn.problem.delivered) == ("NotNamed", "unknown")
        return
    assert turn.state == "done", turn.problem
    assert text_of(turn) == served_text(server, turn)
    assert turn.recovered == (name in LOST and name != "drop-after-accept")


@pytest.mark.parametrize("name", sorted(RETIRED))
async def test_what_holds_for_all_operations(name: str, server: SandboxServer, tmp_path: Path) -> None:
    turn = await ask_with(server, name, tmp_path, TOOLS)
    assert turn.problem is not None
    assert (turn.problem.code, turn.problem.delivered) == (RETIRED[name], "no")
