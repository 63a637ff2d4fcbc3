"""An analysis from the first question to the report, without a screen: what is asked, answered, kept and counted."""

from __future__ import annotations

from pathlib import Path

from tests.turns.desk import Desk, control
from tui.models import CodeBlock, Conversation, FileBlock, TextBlock, Turn
from tui.sandbox.server import SandboxServer
from tui.services.base import AskReply
from tui.services.dms_options import DataSource, write_data
from tui.turns import open_ask

YES = AskReply("approve")
ALL = AskReply("approve_all")
QUESTION = "refunds by week"


def asked(turn: Turn) -> str:
    ask = open_ask(turn)
    return ask.kind if ask else ""


async def analyse(desk: Desk, conversation_id: str, question: str = QUESTION) -> Turn:
    """Ask, and agree to everything but the report."""
    turn = await desk.ask(conversation_id, question)
    while turn.state == "waiting":
        reply = AskReply("reply", "exclude them") if asked(turn) == "question" else ALL
        turn = await desk.answer(conversation_id, YES if asked(turn) == "plan" else reply)
    return turn


async def test_from_the_question_to_the_report(server: SandboxServer, tmp_path: Path) -> None:
    async with Desk(server, tmp_path) as desk:
        conversation_id = await desk.conversations.create("dms")
        turn = await desk.ask(conversation_id, QUESTION)
        seen = []
        while turn.state == "waiting":
            seen.append(asked(turn))
            reply = {"question": AskReply("reply", "exclude them"), "sql": ALL}.get(seen[-1], YES)
            turn = await desk.answer(conversation_id, reply)
        assert turn.state == "done"
        assert seen[-2:] == ["plan", "sql"]
        assert any(isinstance(b, CodeBlock) and b.outputs for b in turn.blocks)
        assert any(isinstance(b, TextBlock) for b in turn.blocks)
        assert asked(turn) == "report"
        turn = await desk.answer(conversation_id, YES)
        assert turn.state == "done"
        assert not asked(turn)
        assert any(isinstance(b, FileBlock) and b.name.endswith(".html") for b in turn.blocks)
        state = control(server, "state")
        assert sum(state["accepted"].values()) == len(seen) + 2
        held = desk.conversations.conversation(conversation_id)
    async with Desk(server, tmp_path) as desk:
        kept = await desk.conversations.open(conversation_id)
        assert isinstance(held, Conversation)
        assert kept.turns == held.turns
        assert control(server, "state")["accepted"] == state["accepted"]


async def test_a_question_has_the_files_that_went_along_with_it_first(server: SandboxServer, tmp_path: Path) -> None:
    sales, second, database = DataSource("f-1", "sales.csv"), DataSource("f-2", "b.xlsx"), DataSource(database_id="7")
    async with Desk(server, tmp_path) as desk:
        ask, conversation_id = desk.conversations.ask, await desk.conversations.create("dms")
        await desk.conversations.set_options(conversation_id, {"data": write_data([sales, database])})
        turns = [ask(conversation_id, QUESTION)]
        await desk.conversations.set_options(conversation_id, {"data": write_data([sales, second])})
        turns.append(ask(conversation_id, "taken back"))
        desk.conversations.unqueue(conversation_id, turns[-1].id)
        turns += [ask(conversation_id, "with this"), ask(conversation_id, "and now?")]
        names = [[file.name for file in turn.attachments] for turn in turns]
        assert names == [["sales.csv"], ["b.xlsx"], ["b.xlsx"], []]
        await desk.ended(turns[0].id)
    async with Desk(server, tmp_path) as desk:
        kept = await desk.conversations.open(conversation_id)
        assert [turn.attachments for turn in kept.turns] == [turn.attachments for turn in turns]
        assert kept.turns[0].attachments == (FileBlock("sales.csv", "f-1"),)
