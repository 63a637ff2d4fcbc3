"""Every quirk and fault of the sandbox, one question each: the text is whole or the loss is said, one clear message,
the next question works, and nothing is sent twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.turns.desk import Desk, control
from tui.models import TextBlock, Turn
from tui.sandbox.server import SandboxServer
from tui.sandbox.switches import SWITCHES
from tui.services.base import Page

QUESTION = "tools and thinking: why the replication lag on rm-bp1k3?"
SHORT = "echo one two 三四五 🚀"
LONG_BY_NATURE = {"one-byte-chunks": ("one-byte-chunks", SHORT), "huge-frame": ("huge-frame=300000", QUESTION)}
"""By switch: what is switched on and asked in its place, to the same end in a tenth of the time."""

REFUSED = {
    "wrong-key": "InvalidAccessKeyId.NotFound",
    "wrong-signature": "SignatureDoesNotMatch",
    "nonce-used": "SignatureNonceUsed",
    "clock-skew": "InvalidTimeStamp.Expired",
    "sts-expired": "InvalidSecurityToken.Expired",
    "no-permission": "Forbidden.RAM",
    "throttled": "Throttling.User",
    "service-unavailable": "ServiceUnavailable",
    "unknown-action": "InvalidAction.NotFound",
    "unknown-version": "InvalidVersion",
    "order-invalid": "InvalidOrder",
    "too-many-requests": "TooManyRequests",
    "quota-exceeded": "MoQuotaExceeded",
    "unknown-user": "UserNotFound",
    "moderation": "ContentModeration",
    "invalid-parameter": "InvalidParameter",
    "error-200": "InvalidOrder",
}
"""The service says no before it answers: the question is given back, with the code in the problem."""
DOUBTFUL = {"nonce-used", "service-unavailable"}
"""Of these the answer alone does not say whether the question is there; it may not be sent again by the program."""
NOT_TAKEN = {"html-502", "html-200", "redirect", "http-500", "drop-before-accept"}
"""Something on the way fails, the question never arrives; it may take a look into the history to know that."""
FAILS_IN_ANSWER = {"error-frame", "error-frame-lower"}
FOLLOWS_OTHERS = {"lower-error", "xml-error", "bare-error", "url-limit", "turns-at-once", "tokens-a-day"}
"""Only change how another refusal looks, or when it comes; see the tests of the service."""
NEEDS_HAND = {"hold", "silence", "stop-ignored", "stop-cuts", "stop-unknown", "dies-with-connection"}
"""Tested where somebody stops, waits or looks on."""
TRUNCATED = {"malformed-text", "drop-after", "drop-mid-frame", "reset-after", "end-after", "drop-after-accept"}
"""Part of the answer does not arrive on the stream; it is fetched from the history."""
INLINE = {"inline"}
"""What the service puts inside the Answer cannot be told from the text."""

WHOLE = sorted(
    name
    for name, switch in SWITCHES.items()
    if switch.group != "agents"
    and switch.action in ("ChatMessages", "GetMessages", "GetConversations", "*")
    and switch.group in ("line", "frames", "turn", "lists")
    and name not in {*REFUSED, *NOT_TAKEN, *FAILS_IN_ANSWER, *FOLLOWS_OTHERS, *NEEDS_HAND, *INLINE}
)


def test_every_switch_is_in_one_of_the_tables() -> None:
    """A new switch must be given its place here."""
    named = {*REFUSED, *NOT_TAKEN, *FAILS_IN_ANSWER, *FOLLOWS_OTHERS, *NEEDS_HAND, *INLINE, *WHOLE}
    rds = {name for name, switch in SWITCHES.items() if switch.group in RDS_GROUPS}
    assert rds <= named


RDS_GROUPS = {"gateway", "service", "line", "frames", "turn", "stop", "lists"}


def switch_on(server: SandboxServer, name: str, switch: str) -> None:
    control(server, "faults", {"set" if SWITCHES[name].action == "*" else "once": [switch]})


async def ask_with(server: SandboxServer, name: str, tmp_path: Path) -> tuple[Turn, str, str]:
    """Ask with a switch on, then once more with all off; the first turn, what was given back, the history."""
    switch, question = LONG_BY_NATURE.get(name, (name, QUESTION))
    async with Desk(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("rds")
        switch_on(server, name, switch)
        turn = await desk.ask(conversation_id, question)
        put_back = desk.put_back(turn.id)
        control(server, "faults", {"set": []})
        again = await desk.ask(conversation_id, "and now?")
        assert again.state == "done"
        assert again.answer
        service = await desk.services.get("rds")
        conversation = desk.conversations.conversation(conversation_id)
        assert conversation is not None
        page = await service.history(conversation.remote_id, Page())
        text = next((_joined(found) for found in page.items if found.question == question), "")
    accepted = control(server, "state")["accepted"]
    assert accepted.get(question, 0) <= 1
    assert accepted["and now?"] == 1
    # What is on disk is what was on screen.
    async with Desk(server, tmp_path) as desk:
        kept = await desk.conversations.open(conversation_id)
        assert _joined(kept.turns[0]) == _joined(turn)
        assert kept.turns[0].state == turn.state
    return turn, put_back, text


def _joined(turn: Turn) -> str:
    return "".join(block.text for block in turn.blocks if isinstance(block, TextBlock))


@pytest.mark.parametrize("name", WHOLE)
async def test_the_answer_is_whole(name: str, server: SandboxServer, tmp_path: Path) -> None:
    turn, put_back, history = await ask_with(server, name, tmp_path)
    assert turn.state == "done", turn.problem
    assert history or name in ("empty-answer", "history-empty")
    assert _joined(turn) == history or name == "history-empty"
    assert not put_back
    assert turn.problem is None
    assert turn.recovered == (name in TRUNCATED)


@pytest.mark.parametrize("name", sorted(REFUSED))
async def test_a_refusal_gives_the_question_back(name: str, server: SandboxServer, tmp_path: Path) -> None:
    turn, put_back, _history = await ask_with(server, name, tmp_path)
    assert turn.state == "failed"
    assert turn.problem is not None
    assert turn.problem.code == REFUSED[name]
    assert turn.problem.delivered == ("unknown" if name in DOUBTFUL else "no")
    assert turn.problem.sentence
    assert turn.problem.remedy
    assert put_back == QUESTION
    assert QUESTION not in control(server, "state")["accepted"]


@pytest.mark.parametrize("name", sorted(NOT_TAKEN))
async def test_what_never_arrived_is_given_back(name: str, server: SandboxServer, tmp_path: Path) -> None:
    turn, put_back, _history = await ask_with(server, name, tmp_path)
    assert turn.state == "failed"
    assert turn.problem is not None
    assert turn.problem.sentence
    assert put_back == QUESTION


@pytest.mark.parametrize("name", sorted(FAILS_IN_ANSWER))
async def test_a_failure_in_mid_answer_keeps_the_text(name: str, server: SandboxServer, tmp_path: Path) -> None:
    turn, put_back, history = await ask_with(server, name, tmp_path)
    assert turn.state == "failed"
    assert turn.problem is not None
    assert turn.problem.code == "InternalError"
    assert turn.problem.request_id
    assert _joined(turn) == history
    assert not put_back


async def test_inline_mode_shows_all(server: SandboxServer, tmp_path: Path) -> None:
    turn, _put_back, _history = await ask_with(server, "inline", tmp_path)
    assert turn.state == "done"
    assert "sandbox data" in turn.answer
