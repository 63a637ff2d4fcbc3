"""Two windows on one cache, each with its screen: who writes, who reads, and what F10 does."""

from __future__ import annotations

from pathlib import Path

from tests.screens.whole import User, using
from tests.turns.desk import control
from tui.sandbox.server import SandboxServer

LAG = "why did replication lag rise on rm-bp1k3?"


async def reader(user: User, conversation_id: str) -> None:
    """Show a conversation that another window writes to."""
    await user.until(lambda: any(summary.id == conversation_id for summary in user.app.summaries()))
    user.app.show_conversation(conversation_id)
    await user.until(lambda: user.chat.conversation_id == conversation_id and user.sees("F10 write here"))


async def test_f10_leaves_a_window_alone_that_receives_an_answer(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["hold=8"]})
    async with using(server, tmp_path) as writer, using(server, tmp_path) as other:
        await writer.send(LAG)
        await writer.until(lambda: control(server, "state")["holding"])
        await reader(other, writer.chat.conversation_id)
        await other.press("f10")
        await other.until(lambda: other.sees("Take over in mid-answer?"))
        await other.press("enter")  # Cancel has the focus
        await other.until(lambda: other.app.screen is other.chat)
        assert other.conversation.read_only
        control(server, "release", {})
        await writer.until(lambda: writer.turn.state == "done")
        await other.until(lambda: other.turn.state == "done")
        await other.press("f10")
        await other.until(lambda: not other.conversation.read_only)
        assert (await other.ask("and now?")).state == "done"
        await writer.until(lambda: writer.conversation.read_only)
        await writer.until(lambda: [turn.question for turn in writer.transcript.turns] == [LAG, "and now?"])
        await writer.until(lambda: [turn.state for turn in writer.conversation.turns] == ["done", "done"])


async def test_what_another_window_begins_appears_by_itself(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as one, using(server, tmp_path) as other:
        await one.ask("disk at 91 %")
        await other.until(lambda: other.sees("disk at 91 %"))


def followers(user: User) -> list[str]:
    return [worker.name for worker in user.app.workers if worker.name.startswith("follow:") and worker.is_running]


async def test_a_window_that_only_reads_shows_what_another_one_asks(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as first:
        await first.ask(LAG)
        conversation_id = first.chat.conversation_id
    async with using(server, tmp_path) as reader:
        await reader.until(lambda: any(summary.id == conversation_id for summary in reader.app.summaries()))
        reader.app.show_conversation(conversation_id)
        await reader.until(lambda: reader.transcript.turns)
        async with using(server, tmp_path) as writer:
            await writer.until(lambda: any(summary.id == conversation_id for summary in writer.app.summaries()))
            writer.app.show_conversation(conversation_id)
            await writer.until(lambda: writer.transcript.turns)
            assert (await writer.ask("and now?")).state == "done"
            await reader.until(lambda: reader.sees("F10 write here"))
            await reader.until(lambda: reader.transcript.turns[-1:] == writer.transcript.turns[-1:])
            for _again in range(3):
                await reader.app.open_conversation(conversation_id)
            await reader.until(lambda: len(followers(reader)) == 1)
        await reader.until(lambda: not reader.conversation.read_only and not followers(reader))
        assert (await reader.ask("and later?")).state == "done"
        assert [turn.question for turn in reader.transcript.turns] == [LAG, "and now?", "and later?"]
