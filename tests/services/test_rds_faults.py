"""Every quirk and fault of the sandbox that meets a question: the right text, one clear message, never sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.services.turns import QUESTION, Seen, ask, kept, text_of
from tui.models import Delivered, TurnState
from tui.sandbox.server import SandboxServer
from tui.sandbox.switches import SWITCHES
from tui.services.errors import (
    ApiError,
    AuthenticationError,
    BusyError,
    OrderError,
    PermissionDeniedError,
    ProtocolError,
    ServiceError,
    TransportError,
)
from tui.services.rds import RdsCopilot
from tui.services.sse import Frame, Oversized

WHOLE = ["ThinkingBlock", "TextBlock", "ToolBlock", "ToolBlock", "TextBlock", "DocumentBlock"]


@dataclass(frozen=True)
class Refused:
    """Entering the stream raises."""

    error: type[ServiceError]
    says: str
    delivered: Delivered = "no"
    accepted: int = 0


@dataclass(frozen=True)
class Streamed:
    """A turn comes. `same`: its text is what the service has in its history."""

    state: TurnState = "done"
    same: bool = True
    shape: tuple[str, ...] | None = tuple(WHOLE)
    skipped: int = 0
    unknown: int = 0
    says: str = ""


TABLE: dict[str, Refused | Streamed] = {
    # gateway
    "wrong-key": Refused(AuthenticationError, "does not know this access key id"),
    "wrong-signature": Refused(AuthenticationError, "secret does not belong"),
    "nonce-used": Refused(AuthenticationError, "sent the same request twice", delivered="unknown"),
    "clock-skew": Refused(AuthenticationError, "within 15 minutes"),
    "sts-expired": Refused(AuthenticationError, "temporary credentials (STS) have expired"),
    "no-permission": Refused(PermissionDeniedError, "lacks the RAM permission rdsai:ChatMessages"),
    "throttled": Refused(BusyError, "no more requests"),
    "service-unavailable": Refused(ApiError, "cannot answer at the moment", delivered="unknown"),
    "unknown-action": Refused(ApiError, "does not offer the operation"),
    "unknown-version": Refused(ApiError, "does not offer the operation"),
    "html-502": Refused(ProtocolError, "page of its own (HTTP 502)", delivered="unknown"),
    "html-200": Refused(ProtocolError, "not of the service's protocol", delivered="unknown"),
    "url-limit=100": Refused(ProtocolError, "for its length (HTTP 414)"),
    "redirect": Refused(ProtocolError, "redirect (HTTP 302)"),
    "lower-error,moderation": Refused(ApiError, "does not answer this text"),
    "xml-error,order-invalid": Refused(OrderError, "not active for this account"),
    "bare-error,http-500": Refused(ProtocolError, "(HTTP 500)", delivered="unknown"),
    # service
    "order-invalid": Refused(OrderError, "not active for this account"),
    "too-many-requests": Refused(BusyError, "no more turns at the same time"),
    "turns-at-once=0": Refused(BusyError, "no more turns at the same time"),
    "quota-exceeded": Refused(OrderError, "all tokens of its quota"),
    "tokens-a-day=0": Refused(OrderError, "all tokens of its quota"),
    "unknown-user": Refused(PermissionDeniedError, "does not know this account"),
    "moderation": Refused(ApiError, "does not answer this text"),
    "invalid-parameter": Refused(ApiError, "found a value wrong"),
    "http-500": Refused(ApiError, "The service failed", delivered="unknown"),
    "error-200": Refused(OrderError, "not active for this account"),
    "error-200=TooManyRequests": Refused(BusyError, "no more turns at the same time"),
    # line
    "slow-start=0.2": Streamed(),
    "drop-before-accept": Refused(TransportError, "broke", delivered="unknown"),
    "drop-after-accept": Refused(TransportError, "broke", delivered="unknown", accepted=1),
    "drop-after": Streamed("failed", same=False, shape=None, says="broke"),
    "drop-mid-frame": Streamed("failed", same=False, shape=None, skipped=1, says="broke"),
    "reset-after": Streamed("failed", same=False, shape=None, says="broke"),
    "end-after": Streamed("cut_off", same=False, shape=None),
    "dies-with-connection": Streamed(),
    "gzip": Streamed(),
    "truncated-json": Streamed(),
    "empty-json": Streamed(),
    # frames
    "data-space": Streamed(),
    "crlf": Streamed(),
    "event-lines": Streamed(),
    "id-lines": Streamed(),
    "comments": Streamed(),
    "multi-line-data": Streamed(),
    "bom": Streamed(),
    "split-utf8": Streamed(),
    "one-byte-chunks": Streamed(shape=("TextBlock",)),
    "glued": Streamed(),
    "malformed": Streamed(skipped=1),
    "malformed-text": Streamed(same=False, skipped=1),
    "no-final-blank": Streamed(),
    "no-finish": Streamed("cut_off"),
    "message-end": Streamed(),
    "lower-keys": Streamed(),
    "snake-keys": Streamed(),
    "conversion-id": Streamed(),
    "toolcall": Streamed(),
    "object-answer": Streamed(),
    "pascal-tool": Streamed(),
    "top-level-tool": Streamed(),
    "tool-not-json": Streamed(shape=None),
    "late-task": Streamed(),
    "no-task": Streamed(),
    "late-conversation": Streamed(),
    "message-ids-only": Streamed(),
    "numeric-ids": Streamed(),
    "null-fields": Streamed(),
    "empty-deltas": Streamed(),
    "unknown-events": Streamed(shape=("NoticeBlock", *WHOLE), unknown=1),
    "unknown-keys": Streamed(),
    "bogus-event": Streamed(unknown=1),
    "spaced-event": Streamed(),
    "not-objects": Streamed(skipped=5),
    "duplicate-frames": Streamed(),
    "one-frame": Streamed(),
    "inline": Streamed(shape=("TextBlock",)),
    "after-finish": Streamed(shape=(*WHOLE, "NoticeBlock"), unknown=1),
    # turn
    "silence=0.3": Streamed(),
    "pings": Streamed(),
    "empty-answer": Streamed(shape=("ThinkingBlock", "ToolBlock", "ToolBlock", "DocumentBlock")),
    "error-frame=12": Streamed("failed", shape=None, says="The service failed"),
    "error-frame-lower=12": Streamed("failed", shape=None, says="The service failed"),
    "message-replace": Streamed(shape=None),
    "huge-frame": Streamed(shape=None),
    "chart": Streamed(shape=None),
}
SHORT = {"one-byte-chunks": "echo 主从延迟 🚀"}
"""A short question is enough where every byte is a read of its own."""
ELSEWHERE = {"hold"}
"""Tried in the tests of stopping and recovery."""


def test_no_switch_is_left_out() -> None:
    met = {
        name
        for name, switch in SWITCHES.items()
        if switch.group in ("gateway", "service", "line", "frames", "turn") and switch.action in ("ChatMessages", "*")
    }

    tried = {part.partition("=")[0] for entry in TABLE for part in entry.split(",")}

    assert met - ELSEWHERE <= tried


@pytest.mark.parametrize("faults", TABLE)
async def test_a_question_under(faults: str, sandbox: SandboxServer, rds: RdsCopilot) -> None:
    expected, question = TABLE[faults], SHORT.get(faults, QUESTION)
    sandbox.set_faults(faults)

    if isinstance(expected, Refused):
        with pytest.raises(ServiceError) as caught:
            await ask(rds, question)
        problem = caught.value.problem
        assert type(caught.value) is expected.error
        assert expected.says in problem.sentence
        assert problem.remedy
        assert problem.delivered == expected.delivered
        assert sandbox.state()["accepted"].get(question, 0) == expected.accepted
        if problem.code and "bare-error" not in faults:
            assert problem.request_id.startswith("SANDBOX-")
    else:
        seen = await ask(rds, question)
        sandbox.set_faults()
        _check(expected, seen)
        history = await kept(rds, seen.turn.ids.conversation)
        assert (text_of(seen.turn) == history.answer) is expected.same
        if not expected.same:
            assert len(text_of(seen.turn)) < len(history.answer)
        assert sandbox.state()["accepted"] == {question: 1}

    state = sandbox.state()
    assert state["received"].get("ChatMessages", 0) <= 1
    assert state["moved"] == 0
    sandbox.set_faults()
    assert (await ask(rds, "echo the next one works")).turn.answer == "the next one works"


def _check(expected: Streamed, seen: Seen) -> None:
    turn = seen.turn
    assert turn.state == expected.state
    assert (turn.frames_skipped, turn.unknown_events) == (expected.skipped, expected.unknown)
    if expected.shape is not None:
        assert seen.shape == list(expected.shape)
    if expected.says:
        assert turn.problem is not None
        assert expected.says in turn.problem.sentence
        assert turn.problem.delivered == "yes"
    else:
        assert turn.problem is None
    assert turn.ids.conversation
    assert turn.ids.request.startswith("SANDBOX-")


async def test_a_fault_of_our_own_in_reading_is_raised_and_not_waited_out(
    rds: RdsCopilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_arguments: object, **_more: object) -> AsyncIterator[list[Frame | Oversized]]:
        yield []
        raise RuntimeError("a bug")

    monkeypatch.setattr("tui.services.rpc.read_frames", broken)

    async with asyncio.timeout(10):
        with pytest.raises(RuntimeError, match="a bug"):
            await ask(rds)


async def test_no_task_means_that_a_stop_is_remembered_until_the_end(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    sandbox.set_faults("no-task")

    seen = await ask(rds)

    assert seen.turn.ids.task == ""
    assert sandbox.state()["stop_calls"] == 0
