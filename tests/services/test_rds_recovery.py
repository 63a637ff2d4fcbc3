"""A turn whose stream was lost is found again; a question is never sent for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.services.turns import QUESTION, Seen, ask, collect, kept, live, reference, text_of
from tui.models import ThinkingBlock, Turn, TurnIds
from tui.sandbox.server import SandboxServer
from tui.services.base import Page, TurnRef, TurnRequest
from tui.services.errors import ServiceError, TransportError
from tui.services.events import Failed, Finished, Status, TextReplaced, TurnStarted
from tui.services.rds import RdsCopilot
from tui.services.rds_recovery import SURE_AFTER, Recovery


def _thinking(turn: Turn) -> str:
    return "".join(block.text for block in turn.blocks if isinstance(block, ThinkingBlock))


async def recover(rds: RdsCopilot, turn: TurnRef) -> Seen:
    async with asyncio.timeout(20):
        return await collect(rds.recover(turn), turn.question)


async def sent(rds: RdsCopilot, question: str = QUESTION, conversation: str = "") -> None:
    """Send, and lose the line before a byte comes back."""
    with pytest.raises(TransportError):
        await ask(rds, question, conversation)


def long_ago(turn: TurnRef) -> TurnRef:
    return replace(turn, asked_at=datetime.now(UTC) - SURE_AFTER - timedelta(seconds=1))


@pytest.mark.parametrize(
    "fault", ["drop-after=8", "drop-mid-frame=12", "reset-after=20", "end-after=16", "malformed-text"]
)
async def test_the_rest_of_an_answer_is_fetched(fault: str, sandbox: SandboxServer, rds: RdsCopilot) -> None:
    sandbox.set_faults(fault)
    part = await ask(rds)
    sandbox.set_faults()
    assert part.turn.ids.message

    turn = live(QUESTION)
    for event in part.events:
        turn.apply(event)
    turn.reopen()
    async for event in rds.recover(reference(part.turn)):
        turn.apply(event)

    whole = await kept(rds, part.turn.ids.conversation)
    assert text_of(turn.snapshot()) == whole.answer
    assert turn.snapshot().state == "done"
    shape = [type(block).__name__ for block in turn.snapshot().blocks]
    assert (shape.count("ToolBlock"), shape.count("DocumentBlock")) == (2, 1)
    assert _thinking(whole).startswith(_thinking(turn.snapshot()))
    assert sandbox.state()["accepted"] == {QUESTION: 1}


async def test_a_question_whose_ids_never_came_is_found_among_the_conversations(
    sandbox: SandboxServer, rds: RdsCopilot
) -> None:
    await ask(rds, "echo another conversation")
    asked_at = datetime.now(UTC)
    sandbox.fault_once("drop-after-accept")
    await sent(rds)
    await ask(rds, "echo a later one")

    found = await recover(rds, TurnRef(QUESTION, asked_at, TurnIds()))

    assert found.turn.state == "done"
    assert found.turn.ids.conversation
    assert text_of(found.turn) == (await kept(rds, found.turn.ids.conversation)).answer
    assert sandbox.state()["accepted"][QUESTION] == 1


async def test_of_two_equal_questions_the_later_one_is_found(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    first = await ask(rds, "echo the same")
    conversation = first.turn.ids.conversation
    asked_at = datetime.now(UTC)
    sandbox.fault_once("drop-after-accept")
    await sent(rds, "echo the same", conversation)

    found = await recover(rds, TurnRef("echo the same", asked_at, TurnIds(conversation=conversation)))

    assert found.turn.state == "done"
    assert found.turn.ids.message != first.turn.ids.message


async def test_an_equal_question_of_before_is_not_taken_for_it(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    first = await ask(rds, "echo the same")
    later = datetime.now(UTC) + timedelta(seconds=30)
    lost = TurnRef("echo the same", later, TurnIds(conversation=first.turn.ids.conversation))

    assert (await recover(rds, lost)).of(Failed)[0].problem.delivered == "unknown"
    assert (await recover(rds, replace(lost, ids=TurnIds()))).of(Failed)[0].problem.delivered == "unknown"


async def test_while_the_service_answers_it_is_waited_for(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    sandbox.set_pace("fast")
    asked_at = datetime.now(UTC)
    async with rds.stream(TurnRequest("hold 3")) as events:
        async for event in events:
            if isinstance(event, TurnStarted) and event.ids.task:
                ids = event.ids
                break
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            sandbox.release()
        await asyncio.sleep(0.05)

    recovery = Recovery(rds._history, TurnRef("hold 3", asked_at, ids), sleep=sleep)
    async with asyncio.timeout(20):
        found = await collect(recovery.events())

    assert found.turn.state == "done"
    assert text_of(found.turn).startswith("word1 word2 word3 and the rest.")
    assert found.of(Status)
    assert pauses[:3] == [2.0, 3.0, 4.5]
    assert len(found.of(TextReplaced)) >= 1
    assert sandbox.state()["accepted"] == {"hold 3": 1}


async def test_a_later_question_that_is_being_answered_is_not_waited_for(
    sandbox: SandboxServer, rds: RdsCopilot
) -> None:
    sandbox.set_faults("drop-after=8")
    part = await ask(rds)
    sandbox.set_faults()
    sandbox.set_pace("fast")

    async def sleep(_seconds: float) -> None:
        raise AssertionError("it waits")

    async with asyncio.timeout(20), rds.stream(TurnRequest("hold 3", part.turn.ids.conversation)) as events:
        async for event in events:
            if isinstance(event, TurnStarted) and event.ids.task:
                break
        found = await collect(Recovery(rds._history, reference(part.turn), sleep=sleep).events())

    assert found.turn.state == "done"
    assert text_of(found.turn).startswith(text_of(part.turn))
    sandbox.release()


async def test_a_question_that_never_arrived_is_known_not_to_have(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    await ask(rds, "echo something else")
    asked_at = datetime.now(UTC)
    sandbox.fault_once("drop-before-accept")
    await sent(rds)
    lost = TurnRef(QUESTION, asked_at, TurnIds())

    young, old = await recover(rds, lost), await recover(rds, long_ago(lost))

    assert young.of(Failed)[0].problem.delivered == "unknown"
    assert old.of(Failed)[0].problem.delivered == "no"
    assert old.of(Failed)[0].problem.retryable
    assert QUESTION not in sandbox.state()["accepted"]


async def test_in_a_known_conversation_too(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    first = await ask(rds, "echo first")
    asked_at = datetime.now(UTC)
    sandbox.fault_once("drop-before-accept")
    await sent(rds, QUESTION, first.turn.ids.conversation)

    old = await recover(rds, long_ago(TurnRef(QUESTION, asked_at, TurnIds(conversation=first.turn.ids.conversation))))

    assert old.of(Failed)[0].problem.delivered == "no"


async def test_a_message_that_the_history_lacks_was_delivered_all_the_same(
    sandbox: SandboxServer, rds: RdsCopilot
) -> None:
    seen = await ask(rds)
    sandbox.set_faults("history-empty")

    found = await recover(rds, long_ago(reference(seen.turn)))

    problem = found.of(Failed)[0].problem
    assert (problem.delivered, problem.retryable) == ("yes", False)


async def test_a_conversation_that_is_gone_is_no_crash(rds: RdsCopilot) -> None:
    gone = TurnRef(QUESTION, datetime.now(UTC), TurnIds(conversation="no-such-conversation"))

    found = await recover(rds, long_ago(gone))

    assert found.of(Failed)[0].problem.delivered == "no"


async def test_a_history_that_lags_takes_nothing_away(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    seen = await ask(rds)
    sandbox.set_faults("history-lags=40")

    found = await recover(rds, reference(seen.turn))

    assert found.of(TextReplaced) == []
    assert found.of(Finished) == [Finished("done")]


async def test_an_error_that_the_service_kept_ends_the_turn(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    sandbox.set_faults("error-frame=12", "drop-after=5")
    part = await ask(rds)
    sandbox.set_faults()
    assert part.turn.problem is not None
    assert "broke" in part.turn.problem.sentence

    found = await recover(rds, reference(part.turn))
    read = await kept(rds, part.turn.ids.conversation)

    for turn in (found.turn, read):
        assert turn.state == "failed"
        assert turn.problem is not None
        assert "The service failed" in turn.problem.sentence
        assert turn.problem.delivered == "yes"


async def test_an_approval_round_is_found_waiting(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    seen = await ask(rds, "approve 2")
    assert seen.turn.state == "waiting"

    found = await recover(rds, reference(seen.turn))

    assert found.of(Finished) == [Finished("waiting")]


@pytest.mark.parametrize(
    "fault",
    [
        "ms-timestamps",
        "iso-timestamps",
        "newest-first",
        "overlapping-pages",
        "endless-pages",
        "has-more-bool",
        "no-answer-field",
    ],
)
async def test_the_quirks_of_the_lists_do_not_hide_it(fault: str, sandbox: SandboxServer, rds: RdsCopilot) -> None:
    for number in range(3):
        await ask(rds, f"echo before {number}")
    asked_at = datetime.now(UTC)
    sandbox.fault_once("drop-after-accept")
    await sent(rds)
    sandbox.set_faults(fault)

    found = await recover(rds, TurnRef(QUESTION, asked_at, TurnIds()))

    assert found.turn.state == "done"
    sandbox.set_faults()
    assert text_of(found.turn) == (await kept(rds, found.turn.ids.conversation)).answer


async def test_a_first_look_that_fails_raises_and_says_nothing_of_the_turn(
    sandbox: SandboxServer, rds: RdsCopilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = await ask(rds)
    sandbox.set_faults("wrong-signature@*")

    with pytest.raises(ServiceError):
        await recover(rds, reference(seen.turn))


async def test_pages_are_walked_to_the_turn(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    first = await ask(rds, "echo number 0")
    conversation = first.turn.ids.conversation
    for number in range(1, 6):
        await ask(rds, f"echo number {number}", conversation)

    page = await rds.history(conversation, Page(limit=2))
    questions = [turn.question for turn in page.items]
    while page.next is not None:
        page = await rds.history(conversation, page.next)
        questions = [turn.question for turn in page.items] + questions

    assert questions == [f"echo number {number}" for number in range(6)]


async def test_conversations_are_paged_newest_first(sandbox: SandboxServer, rds: RdsCopilot) -> None:
    for number in range(5):
        await ask(rds, f"echo conversation {number}")

    page = await rds.conversations(Page(limit=2))
    found = list(page.items)
    while page.next is not None:
        page = await rds.conversations(page.next)
        found += page.items

    assert len({entry.id for entry in found}) == len(found) == 5
    assert all(entry.status == "idle" and entry.updated_at for entry in found)


async def test_a_rating_is_kept_and_cannot_be_taken_back(rds: RdsCopilot) -> None:
    seen = await ask(rds, "echo rate me")

    await rds.feedback(seen.turn.ids, "like", "很好")
    assert (await kept(rds, seen.turn.ids.conversation)).rating == "like"
    await rds.feedback(seen.turn.ids, "dislike")
    assert (await kept(rds, seen.turn.ids.conversation)).rating == "dislike"
    with pytest.raises(ServiceError, match="does not take a rating back"):
        await rds.feedback(seen.turn.ids, "")
