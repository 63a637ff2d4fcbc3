"""Analyses that were made on another machine: listed, pulled into the cache, and gone on with here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.turns.desk import control
from tests.turns.dms_line import QUESTION, YES, CutDesk, model, reply_to, whole_analysis
from tui.models import AskBlock, FileBlock, NoticeBlock, Turn
from tui.sandbox.server import SandboxServer
from tui.services.base import Page
from tui.services.dms_follow import Timing
from tui.services.dms_life import SESSION_EXPIRED
from tui.turns import open_ask

SHORT = Timing(backoff=(0.0,), tries=5, ask=0.2, finish=0.2, catch_up=0.3)


def told(turn: Turn) -> object:
    """What another machine can know of a turn."""
    plain = [replace(b, size=0) if isinstance(b, FileBlock) else b for b in turn.blocks]
    kept = tuple(block for block in plain if not isinstance(block, NoticeBlock))
    return turn.question, model(replace(turn, blocks=kept))


@pytest.mark.parametrize("faults", [{}, {"SendChatMessage": "counting-checkpoints"}], ids=["shared", "counting"])
async def test_an_analysis_is_pulled_as_it_was(server: SandboxServer, tmp_path: Path, faults: dict[str, str]) -> None:
    control(server, "faults", {"set": list(faults.values())})
    async with CutDesk(server, tmp_path / "there", timing=SHORT) as there:
        first = await whole_analysis(there)
        [summary] = there.conversations.summaries()
        second = await there.ask(summary.id, "echo 再来一次")
    accepted = control(server, "state")["accepted"]
    async with CutDesk(server, tmp_path / "here", timing=SHORT) as here:
        assert await here.conversations.merging.refresh() == []
        [found] = here.conversations.summaries()
        assert (found.title, found.remote_id) == (QUESTION, summary.remote_id)
        conversation = await here.conversations.open(found.id)
        assert [told(turn) for turn in conversation.turns] == [told(first), told(second)]
        assert [turn.ids.message for turn in conversation.turns] == [first.ids.message, second.ids.message] != ["", ""]
        assert control(server, "state")["accepted"] == accepted
        # It goes on here as there.
        turn = await here.ask(found.id, "echo und weiter")
        assert (turn.state, turn.answer) == ("done", "und weiter")
        assert turn.ids.conversation == found.remote_id
    async with CutDesk(server, tmp_path / "here", timing=SHORT) as later:
        kept = await later.conversations.open(found.id)
        assert [told(turn) for turn in kept.turns[:2]] == [told(first), told(second)]
        await later.conversations.merging.refresh()
        assert len(later.conversations.summaries()) == 1


async def test_what_waits_there_is_answered_here(server: SandboxServer, tmp_path: Path) -> None:
    async with CutDesk(server, tmp_path / "there", timing=SHORT) as there:
        await there.ask(await there.conversations.create("dms", {"mode": "ANALYSIS"}), QUESTION)
    async with CutDesk(server, tmp_path / "here", timing=SHORT) as here:
        await here.conversations.merging.refresh()
        [found] = here.conversations.summaries()
        assert found.state == "waiting"
        await here.conversations.open(found.id)
        await here.until(lambda: here.conversations.activity(found.id) is None)
        conversation = await here.conversations.open(found.id)
        turn = conversation.turns[-1]
        await here.until(lambda: any(update.ended for update in here.updates))
        while (ask := open_ask(turn)) is not None:
            turn = await here.answer(found.id, reply_to(ask))
        assert turn.state == "done"
        assert any(isinstance(b, FileBlock) and b.name.endswith(".html") for b in turn.blocks)
    messages = control(server, "state")["dms"]["sessions"][0]["messages"]
    assert [message["kind"] for message in messages] == ["primary", "primary", "primary", "report"]


async def test_the_list_has_pages(server: SandboxServer, tmp_path: Path) -> None:
    async with CutDesk(server, tmp_path, timing=SHORT) as desk:
        for number in range(7):
            await desk.ask(await desk.conversations.create("dms"), f"echo {number}")
        service = await desk._service("dms")
        titles: list[str] = []
        page: Page | None = Page(limit=3)
        pages = 0
        while page is not None:
            listed = await service.conversations(page)
            titles += [item.title for item in listed.items]
            page, pages = listed.next, pages + 1
        assert (pages, sorted(titles)) == (3, [f"echo {number}" for number in range(7)])
        with pytest.raises(Exception, match="expired"):
            await service.history("se-unknown", Page())


async def test_free_words_and_a_refused_report(server: SandboxServer, tmp_path: Path) -> None:
    """A question answered in words is one turn; a report that was not wanted is not told by anybody."""
    async with CutDesk(server, tmp_path / "there", timing=SHORT) as there:
        conversation_id = await there.conversations.create("dms")
        await there.ask(conversation_id, "ask")
        turn = await there.answer(conversation_id, replace(YES, action="reply", text="north only"))
        assert turn.state == "done"
    async with CutDesk(server, tmp_path / "here", timing=SHORT) as here:
        await here.conversations.merging.refresh()
        [found] = here.conversations.summaries()
        [pulled] = (await here.conversations.open(found.id)).turns
        assert told(pulled) == told(turn)


async def test_a_cancelled_ask_takes_no_later_question_for_its_answer(server: SandboxServer, tmp_path: Path) -> None:
    async with CutDesk(server, tmp_path / "there", timing=SHORT) as there:
        conversation_id = await there.conversations.create("dms")
        await there.ask(conversation_id, QUESTION)
        assert (await there.answer(conversation_id, replace(YES, action="refuse"))).state == "stopped"
        await there.ask(conversation_id, "echo later")
    async with CutDesk(server, tmp_path / "here", timing=SHORT) as here:
        await here.conversations.merging.refresh()
        [found] = here.conversations.summaries()
        first, second = (await here.conversations.open(found.id)).turns
        assert (first.state, second.question, second.answer) == ("stopped", "echo later", "later")
        assert [block.answered for block in first.blocks if isinstance(block, AskBlock)] == ["cancelled elsewhere"]


# --- sessions that were taken away ---------------------------------------------------------------------------------


async def pulled(server: SandboxServer, folder: Path) -> tuple[Turn, ...]:
    """The only session, as a machine has it that knows nothing of it."""
    async with CutDesk(server, folder, timing=SHORT) as here:
        await here.conversations.merging.refresh()
        [found] = here.conversations.summaries()
        return (await here.conversations.open(found.id)).turns


@pytest.mark.parametrize("form", ["", "kept-chats=lines", "kept-chats=stream"], ids=["list", "lines", "stream"])
async def test_what_is_kept_of_a_session_is_read(form: str, server: SandboxServer, tmp_path: Path) -> None:
    async with CutDesk(server, tmp_path / "there", timing=SHORT) as there:
        first = await whole_analysis(there)
        [summary] = there.conversations.summaries()
        second = await there.ask(summary.id, "echo 再来一次")
    control(server, "faults", {"set": [form] if form else []})
    control(server, "clock", {"advance": 22_000})
    turns = await pulled(server, tmp_path / "here")
    assert [told(turn) for turn in turns] == [told(first), told(second)]


async def test_an_ask_of_a_session_that_is_gone_is_closed(server: SandboxServer, tmp_path: Path) -> None:
    async with CutDesk(server, tmp_path / "there", timing=SHORT) as there:
        await there.ask(await there.conversations.create("dms"), QUESTION)
    control(server, "clock", {"advance": 22_000})
    [turn] = await pulled(server, tmp_path / "here")
    assert turn.state == "cut_off"
    assert [block.answered for block in turn.blocks if isinstance(block, AskBlock)] == ["session expired"]


@pytest.mark.parametrize("form", ["none", "strange"])
async def test_what_is_not_kept_or_not_known_is_expired(form: str, server: SandboxServer, tmp_path: Path) -> None:
    async with CutDesk(server, tmp_path, timing=SHORT) as desk:
        turn = await desk.ask(await desk.conversations.create("dms"), "echo one")
        control(server, "faults", {"set": [f"kept-chats={form}"]})
        control(server, "clock", {"advance": 22_000})
        service = await desk._service("dms")
        with pytest.raises(Exception, match="expired"):
            await service.history(turn.ids.conversation, Page())


@pytest.mark.parametrize("kept", [True, False])
async def test_an_answer_that_ended_while_nobody_looked(kept: bool, server: SandboxServer, tmp_path: Path) -> None:
    """The program ends in mid-answer, and is started again when the session is gone."""
    async with CutDesk(server, tmp_path, timing=SHORT) as desk:
        conversation_id = await desk.conversations.create("dms")
        turn = desk.conversations.ask(conversation_id, "hold 3")
        await desk.until(lambda: desk.turn(conversation_id, turn.id).blocks)
    control(server, "release", {})
    sandbox_rests(server)
    control(server, "faults", {"set": [] if kept else ["kept-chats=none"]})
    control(server, "clock", {"advance": 22_000})
    async with CutDesk(server, tmp_path, timing=SHORT) as desk:
        before = (await desk.conversations.open(conversation_id)).turns[-1]
        await desk.conversations.resume_all()
        await desk.until(lambda: any(update.ended for update in desk.updates))
        after = desk.turn(conversation_id, turn.id)
    if kept:
        assert after.state == "done"
        assert after.answer.startswith("word1 word2 word3 and the rest.")
    else:
        assert after.problem is not None
        assert after.problem.code == SESSION_EXPIRED
        assert after.blocks == before.blocks != (), "what had come stays"


def sandbox_rests(server: SandboxServer) -> None:
    server.wait_for(lambda state: all(session["status"] == "IDLE" for session in state["dms"]["sessions"]))
