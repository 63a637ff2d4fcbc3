"""Two windows on one cache: each sees what the other does, and takes over without losing an answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.turns.desk import Desk, control
from tui.models import ACTIVE
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
    control(server, "faults", {"once": ["hold=30"]})
    async with Desk(server, root) as one, Desk(server, root) as other:
        first = await one.conversations.create("rds")
        turn = one.conversations.ask(first, "why did replication lag rise?")
        await one.until(lambda: one.turn(first, turn.id).state == "running")
        await look(other)
        assert other.conversations.summaries()[0].state in ("sending", "running")
        control(server, "release", {})
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
    control(server, "faults", {"once": ["hold=30"]})
    async with Desk(server, root) as one, Desk(server, root) as other:
        first = await one.conversations.create("rds")
        turn = one.conversations.ask(first, "why did replication lag rise?")
        await one.until(lambda: one.turn(first, turn.id).state == "running")
        await other.conversations.load_list()
        await other.conversations.open(first)
        assert await other.conversations.take_over(first) == "answering"
        held = other.conversations.conversation(first)
        assert held is not None
        assert held.read_only
        assert held.state in ACTIVE
        control(server, "release", {})
        await one.ended(turn.id)
        assert one.turn(first, turn.id).state == "done"
        assert await other.conversations.take_over(first) == "taken"
        assert other.turn(first, turn.id).state == "done"


async def test_taken_over_all_the_same_the_rest_is_fetched_here(server: SandboxServer, root: Path) -> None:
    control(server, "faults", {"once": ["hold=30"]})
    async with Desk(server, root) as one, Desk(server, root) as other:
        first = await one.conversations.create("rds")
        turn = one.conversations.ask(first, "why did replication lag rise?")
        await one.until(lambda: one.turn(first, turn.id).state == "running")
        await other.conversations.load_list()
        await other.conversations.open(first)
        assert await other.conversations.take_over(first, force=True) == "taken"
        control(server, "release", {})
        await other.until(lambda: other.turn(first, turn.id).state == "done")
        assert "LIMIT 5000" in other.turn(first, turn.id).answer
        await one.until(lambda: not one.conversations.running())
        await look(one)
        lost = one.conversations.conversation(first)
        assert lost is not None
        assert lost.read_only
        assert control(server, "state")["received"]["ChatMessages"] == 1


async def test_what_is_queued_in_a_window_is_not_sent_by_the_one_that_takes_over(
    server: SandboxServer, root: Path
) -> None:
    control(server, "faults", {"once": ["hold=8"]})
    async with Desk(server, root) as one, Desk(server, root) as other:
        first = await one.conversations.create("rds")
        turn = one.conversations.ask(first, "why did replication lag rise?")
        queued = one.conversations.ask(first, "and now?")
        await one.until(lambda: one.turn(first, turn.id).state == "running")
        await other.conversations.load_list()
        await other.conversations.open(first)
        assert await other.conversations.take_over(first, force=True) == "taken"
        control(server, "release", {})
        await other.until(lambda: other.turn(first, turn.id).state == "done")
        assert other.turn(first, queued.id).state == "failed"
        assert other.put_back(queued.id) == "and now?"
        await one.until(lambda: not one.conversations.running())
        await look(one)
        assert (await other.ask(first, "and later?")).state == "done"
        assert set(control(server, "state")["accepted"]) == {"why did replication lag rise?", "and later?"}


async def test_what_another_window_writes_to_cannot_be_changed_and_that_is_said(
    server: SandboxServer, root: Path
) -> None:
    async with Desk(server, root) as one, Desk(server, root) as other:
        first = await one.conversations.create("rds")
        turn = await one.ask(first, "first")
        await other.conversations.load_list()
        await other.conversations.open(first)
        await other.conversations.rename(first, "renamed")
        await other.conversations.rate(first, turn.id, "like", "")
        assert await other.conversations.delete([first]) == []
        assert titles(other) == ["first"]
        assert [problem.title for problem in other.problems] == ["Not changed", "Not deleted"]
        assert all("Another window" in problem.sentence for problem in other.problems)


async def test_a_conversation_whose_file_is_gone_gets_no_tags_and_that_is_said(
    server: SandboxServer, root: Path
) -> None:
    async with Desk(server, root) as one, Desk(server, root) as other:
        first = await one.conversations.create("rds")
        await one.ask(first, "first")
        await other.conversations.load_list()
        for path in root.rglob(f"{first}*"):
            path.unlink()
        await other.conversations.change_tags(first, ["incident-7"], [])
        assert [problem.title for problem in other.problems] == ["Not changed"]


async def test_what_is_typed_stays_while_another_window_writes(server: SandboxServer, root: Path) -> None:
    async with Desk(server, root) as one, Desk(server, root) as other:
        first = await one.conversations.create("rds")
        await one.ask(first, "first")
        await other.conversations.load_list()
        await other.conversations.open(first)
        other.conversations.hold_draft(first, "half a word")
        await one.ask(first, "second")
        following = asyncio.create_task(other.conversations.follow(first, 0.01))
        held = other.conversations.conversation
        await other.until(lambda: (c := held(first)) and len(c.turns) == 2 and c.state == "done")
        following.cancel()
        assert (c := held(first))
        assert c.draft == "half a word"
