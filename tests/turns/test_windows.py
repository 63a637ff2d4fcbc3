"""Two windows on one cache: each sees what the other does, and takes over without losing an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.turns.desk import Desk, control
from tui.sandbox.server import SandboxServer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "state"


def titles(desk: Desk) -> list[str]:
    return [summary.title for summary in desk.conversations.summaries()]


async def look(desk: Desk) -> None:
    await desk.conversations._windows.look()


async def test_what_another_window_begins_changes_and_deletes_is_in_the_list(server: SandboxServer, root: Path) -> None:
    async with Desk(server, root) as one, Desk(server, root) as other:
        first = await one.conversations.create("rds")
        await one.ask(first, "why is rm-bp1k3 slow?")
        await look(other)
        assert titles(other) == ["why is rm-bp1k3 slow?"]
        assert other.conversations.summaries()[0].state == "done"
        await one.conversations.rename(first, "the slow night")
        await one.conversations.pin(first, True)
        await look(other)
        assert [(s.title, s.pinned) for s in other.conversations.summaries()] == [("the slow night", True)]
        await one.conversations.delete([first])
        await look(other)
        assert titles(other) == []
        await one.conversations.undo_delete()
        await look(other)
        assert titles(other) == ["the slow night"]


async def test_what_runs_in_another_window_is_seen_to_run(server: SandboxServer, root: Path) -> None:
    control(server, "pace", {"pace": 20})
    async with Desk(server, root) as one, Desk(server, root) as other:
        first = await one.conversations.create("rds")
        turn = one.conversations.ask(first, "why did replication lag rise?")
        await one.until(lambda: one.turn(first, turn.id).state == "running")
        await look(other)
        assert other.conversations.summaries()[0].state in ("sending", "running")
        control(server, "pace", {"pace": "unlimited"})
        await one.ended(turn.id)
        await look(other)
        assert [summary.state for summary in other.conversations.summaries()] == ["done"]


async def test_nothing_is_told_where_nothing_happened(server: SandboxServer, root: Path) -> None:
    async with Desk(server, root) as one, Desk(server, root) as other:
        await one.ask(await one.conversations.create("rds"), "why?")
        await look(one)
        await look(other)
        told: list[str] = []
        for desk in (one, other):
            before = desk.conversations.summaries()
            await look(desk)
            assert desk.conversations.summaries() is before
        assert told == []


async def test_a_window_that_lost_a_conversation_shows_what_the_other_writes(server: SandboxServer, root: Path) -> None:
    async with Desk(server, root) as one, Desk(server, root) as other:
        first = await one.conversations.create("rds")
        await one.ask(first, "first")
        await other.conversations.load_list()
        held = await other.conversations.open(first)
        assert held.read_only
        assert await other.conversations.take_over(first) == "taken"
        taken = other.conversations.conversation(first)
        assert taken is not None
        assert not taken.read_only
        await other.ask(first, "second")
        await look(one)
        lost = one.conversations.conversation(first)
        assert lost is not None
        assert lost.read_only
        assert [turn.question for turn in lost.turns] == ["first", "second"]
        await other.ask(first, "third")
        await one.until(lambda: (c := one.conversations.conversation(first)) and len(c.turns) == 3)


async def test_an_answer_that_streams_elsewhere_is_not_taken_away(server: SandboxServer, root: Path) -> None:
    control(server, "pace", {"pace": 40})
    async with Desk(server, root) as one, Desk(server, root) as other:
        first = await one.conversations.create("rds")
        turn = one.conversations.ask(first, "why did replication lag rise?")
        await one.until(lambda: one.turn(first, turn.id).answer)
        await other.conversations.load_list()
        await other.conversations.open(first)
        assert await other.conversations.take_over(first) == "answering"
        held = other.conversations.conversation(first)
        assert held is not None
        assert held.read_only
        assert held.state == "running"
        control(server, "pace", {"pace": "unlimited"})
        await one.ended(turn.id)
        assert one.turn(first, turn.id).state == "done"
        assert await other.conversations.take_over(first) == "taken"
        assert other.turn(first, turn.id).state == "done"


async def test_taken_over_all_the_same_the_rest_is_fetched_here(server: SandboxServer, root: Path) -> None:
    control(server, "pace", {"pace": 40})
    async with Desk(server, root) as one, Desk(server, root) as other:
        first = await one.conversations.create("rds")
        turn = one.conversations.ask(first, "why did replication lag rise?")
        await one.until(lambda: one.turn(first, turn.id).answer)
        await other.conversations.load_list()
        await other.conversations.open(first)
        assert await other.conversations.take_over(first, force=True) == "taken"
        control(server, "pace", {"pace": "unlimited"})
        await other.until(lambda: other.turn(first, turn.id).state == "done")
        assert "LIMIT 5000" in other.turn(first, turn.id).answer
        await one.ended(turn.id)
        await look(one)
        lost = one.conversations.conversation(first)
        assert lost is not None
        assert lost.read_only
        assert control(server, "state")["received"]["ChatMessages"] == 1
