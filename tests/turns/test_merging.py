"""Conversations of the service beside those of this machine: what was asked elsewhere is found and fetched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.turns.dashscope_desk import state, with_assistant
from tests.turns.desk import Desk, control
from tui.cache.ids import conversation_id_of, is_conversation_id
from tui.cache.listing import TRASH
from tui.cache.store import Store
from tui.models import Conversation, ConversationSummary, Turn
from tui.sandbox.server import SandboxServer
from tui.services.errors import ServiceError

Open = Callable[[str], Desk]


@pytest.fixture
def desk_of(server: SandboxServer, tmp_path: Path) -> Open:
    """The same account on another machine for each name."""
    return lambda name: Desk(server, tmp_path / name)


def line(desk: Desk, title: str) -> ConversationSummary:
    (found,) = [summary for summary in desk.conversations.summaries() if title in summary.title]
    return found


async def began(desk: Desk, *questions: str) -> str:
    conversation_id = await desk.conversations.create("rds")
    for question in questions:
        await desk.ask(conversation_id, question)
    return conversation_id


async def copied(there: Desk, here: Desk) -> tuple[str, str]:
    """A conversation that was begun there and is open here; its ids there and here."""
    origin = await began(there, "first")
    await here.conversations.merging.refresh()
    copy = line(here, "first").id
    await here.conversations.open(copy)
    return origin, copy


def asked(desk: Desk, conversation_id: str) -> list[str]:
    conversation = desk.conversations.conversation(conversation_id)
    assert conversation is not None
    return [turn.question for turn in conversation.turns]


def words(turn: Turn) -> list[str]:
    """The answer without what the blocks between its parts leave of it."""
    return turn.answer.split()


async def test_what_was_asked_elsewhere_is_listed_and_fetched_when_it_is_opened(
    desk_of: Open, server: SandboxServer
) -> None:
    async with desk_of("bastion") as there, desk_of("laptop") as here:
        origin = await began(there, "why is rm-bp1k3 slow?", "主从延迟？")
        assert await here.conversations.merging.refresh() == []
        found = line(here, "why is rm-bp1k3 slow?")
        assert is_conversation_id(found.id)
        assert found.turns == 0
        conversation = await here.conversations.open(found.id)
        assert asked(here, found.id) == ["why is rm-bp1k3 slow?", "主从延迟？"]
        answers = there.conversations.conversation(origin)
        assert answers is not None
        assert [words(turn) for turn in conversation.turns] == [words(turn) for turn in answers.turns]
        assert conversation.tags == ("rm-bp1k3",)
        assert [summary.id for summary in here.conversations.summaries()] == [found.id]
        # It goes on here as there.
        turn = await here.ask(found.id, "and now?")
        assert turn.state == "done"
        assert turn.ids.conversation == found.remote_id


async def test_it_is_in_the_cache_from_then_on(desk_of: Open) -> None:
    async with desk_of("bastion") as there, desk_of("laptop") as here:
        await began(there, "why?")
        await here.conversations.merging.refresh()
        found = line(here, "why?")
        await here.conversations.open(found.id)
    async with desk_of("laptop") as later:
        assert [(s.id, s.turns, s.remote_id) for s in later.conversations.summaries()] == [
            (found.id, 1, found.remote_id)
        ]
        await later.conversations.merging.refresh()
        assert len(later.conversations.summaries()) == 1
        assert asked(later, (await later.conversations.open(found.id)).id) == ["why?"]


async def test_what_was_asked_here_is_not_listed_twice(desk_of: Open) -> None:
    async with desk_of("bastion") as desk:
        await began(desk, "one")
        await began(desk, "two")
        await desk.conversations.merging.refresh()
        assert sorted(summary.title for summary in desk.conversations.summaries()) == ["one", "two"]


async def test_turns_from_elsewhere_come_to_their_places(desk_of: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk_of("bastion") as there, desk_of("laptop") as here:
        origin, copy = await copied(there, here)
        await here.ask(copy, "second, from here")
        monkeypatch.setattr("tui.merging.CLOCKS", timedelta(seconds=-3600))
        await there.conversations.merging.refresh()
        await there.conversations.merging.fetch(origin)
        await there.ask(origin, "third, from there")
        await here.conversations.merging.refresh()
        await here.conversations.merging.fetch(copy)
        expected = ["first", "second, from here", "third, from there"]
        assert asked(there, origin) == asked(here, copy) == expected


async def test_a_turn_in_between_is_put_in_between(desk_of: Open) -> None:
    async with desk_of("bastion") as there, desk_of("laptop") as here:
        origin, copy = await copied(there, here)
        await here.ask(copy, "second")
        await there.ask(origin, "third")
        await there.conversations.merging.fetch(origin)
        assert asked(there, origin) == ["first", "second", "third"]
    async with desk_of("bastion") as later:
        await later.conversations.open(origin)
        assert asked(later, origin) == ["first", "second", "third"]


async def test_news_is_fetched_when_the_conversation_is_opened(desk_of: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk_of("bastion") as there:
        origin = await began(there, "first")
    async with desk_of("laptop") as here:
        await here.conversations.merging.refresh()
        copy = line(here, "first").id
        await here.conversations.open(copy)
        await here.ask(copy, "second")
    monkeypatch.setattr("tui.merging.CLOCKS", timedelta(seconds=-2))
    async with desk_of("bastion") as later:
        await later.conversations.merging.refresh()
        assert asked(later, (await later.conversations.open(origin)).id) == ["first"]
        await later.until(lambda: asked(later, origin) == ["first", "second"])


async def test_what_is_asked_while_the_history_is_fetched_is_sent(
    desk_of: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk_of("bastion") as there, desk_of("laptop") as here:
        origin, copy = await copied(there, here)
        await there.ask(origin, "second")
        load = here.store.load
        typed: list[Turn] = []

        async def slow(conversation_id: str) -> Conversation:
            loaded = await load(conversation_id)
            typed.append(here.conversations.ask(conversation_id, "typed meanwhile"))
            return loaded

        monkeypatch.setattr(here.store, "load", slow)
        await here.conversations.merging.fetch(copy)
        await here.ended(typed[0].id)
        assert asked(here, copy) == ["first", "second", "typed meanwhile"]
        assert here.turn(copy, typed[0].id).state == "done"


async def test_a_question_that_was_not_sent_does_not_hide_the_same_one_from_elsewhere(
    desk_of: Open, server: SandboxServer
) -> None:
    async with desk_of("bastion") as there, desk_of("laptop") as here:
        origin, copy = await copied(there, here)
        control(server, "faults", {"set": ["order-invalid"]})
        assert (await here.ask(copy, "and now?")).state == "failed"
        control(server, "faults", {"set": []})
        await there.ask(origin, "and now?")
        await here.conversations.merging.fetch(copy)
        conversation = here.conversations.conversation(copy)
        assert conversation is not None
        assert sorted(turn.state for turn in conversation.turns) == ["done", "done", "failed"]


async def test_an_answer_that_runs_elsewhere_is_followed(desk_of: Open, server: SandboxServer) -> None:
    control(server, "faults", {"once": ["hold=30"]})
    async with desk_of("bastion") as there, desk_of("laptop") as here:
        origin = await there.conversations.create("rds")
        turn = there.conversations.ask(origin, "why did replication lag rise?")
        await there.until(lambda: there.turn(origin, turn.id).ids.message)
        await here.conversations.merging.refresh()
        found = line(here, "replication lag")
        assert found.state == "running"
        await here.conversations.open(found.id)
        control(server, "release", {})
        await there.ended(turn.id)
        held = here.conversations.conversation
        await here.until(lambda: (c := held(found.id)) and c.turns and c.turns[-1].state == "done")
        conversation = held(found.id)
        assert conversation is not None
        assert words(conversation.turns[-1]) == words(there.turn(origin, turn.id))


async def test_what_was_deleted_here_stays_away(desk_of: Open) -> None:
    async with desk_of("bastion") as there, desk_of("laptop") as here:
        await began(there, "kept")
        await began(there, "deleted unread")
        await here.conversations.merging.refresh()
        deleted = line(here, "deleted unread").id
        await here.conversations.delete([deleted])
        await here.conversations.merging.refresh()
        assert [summary.title for summary in here.conversations.summaries()] == ["kept"]
        assert await here.conversations.undo_delete() == "deleted unread"
        await here.until(lambda: asked(here, deleted) == ["deleted unread"])
        await here.conversations.delete([deleted])
    async with desk_of("laptop") as later:
        await later.conversations.merging.refresh()
        assert [summary.title for summary in later.conversations.summaries()] == ["kept"]
    # Also when the trash was emptied: the id stays, nothing else does.
    old = Store(later.root, clock=lambda: datetime.now(UTC) + 2 * TRASH)
    await old.open()
    assert [summary.title for summary in await old.summaries()] == []
    await old.close()
    text = (later.root / "conversations" / f"{deleted}.toml").read_text()
    assert "deleted unread" not in text
    async with desk_of("laptop") as much_later:
        await much_later.conversations.merging.refresh()
        assert [summary.title for summary in much_later.conversations.summaries()] == ["kept"]


async def test_renaming_pinning_and_tags_of_what_only_the_service_has(desk_of: Open) -> None:
    async with desk_of("bastion") as there, desk_of("laptop") as here:
        await began(there, "why?")
        await here.conversations.merging.refresh()
        found = line(here, "why?").id
        await here.conversations.rename(found, "the night of the deletes")
        await here.conversations.pin(found, True)
        await here.conversations.change_tags(found, ["incident-7"], [])
        assert line(here, "the night").pinned
    async with desk_of("laptop") as later:
        await later.conversations.merging.refresh()
        held = line(later, "the night of the deletes")
        assert (held.pinned, held.tags) == (True, ("incident-7",))
        await later.conversations.open(held.id)
        await later.until(lambda: asked(later, held.id) == ["why?"])
        assert line(later, "the night of the deletes").pinned


async def test_pages(desk_of: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk_of("bastion") as there, desk_of("laptop") as here:
        for number in range(5):
            await began(there, f"question {number}")
        monkeypatch.setattr("tui.merging.PAGE", 2)
        merging = here.conversations.merging
        counts = []
        await merging.refresh()
        for _number in range(3):
            counts.append((len(here.conversations.summaries()), merging.has_more))
            await merging.more()
        assert counts == [(2, True), (4, True), (5, False)]
        await merging.refresh()
        assert (len(here.conversations.summaries()), merging.has_more) == (5, False)


@pytest.mark.parametrize("fault", ["endless-pages", "overlapping-pages"])
async def test_pages_that_do_not_end(
    desk_of: Open, server: SandboxServer, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    async with desk_of("bastion") as there, desk_of("laptop") as here:
        for number in range(4):
            await began(there, f"question {number}")
        monkeypatch.setattr("tui.merging.PAGE", 2)
        control(server, "faults", {"set": [f"{fault}@*"]})
        await here.conversations.merging.refresh()
        for _number in range(10):
            await here.conversations.merging.more()
        assert not here.conversations.merging.has_more
        count = len(here.conversations.summaries())
        assert count == (2 if fault == "endless-pages" else 4)


async def test_a_service_that_cannot_be_asked_leaves_the_list_as_it_is(desk_of: Open, server: SandboxServer) -> None:
    async with desk_of("bastion") as there, desk_of("laptop") as here:
        await began(there, "why?")
        await here.conversations.merging.refresh()
        found = line(here, "why?").id
        control(server, "faults", {"set": ["no-permission@*"]})
        errors = await here.conversations.merging.refresh()
        assert errors
        assert line(here, "why?").id == found
        with pytest.raises(ServiceError):
            await here.conversations.open(found)
        assert here.conversations.conversation(found) is None
        control(server, "faults", {"set": []})
        assert len((await here.conversations.open(found)).turns) == 1


def test_one_id_for_one_conversation() -> None:
    at = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
    made = conversation_id_of("rds", "c-1", at)
    assert made == conversation_id_of("rds", "c-1", at)
    assert is_conversation_id(made)
    assert len({conversation_id_of("rds", f"c-{number}", at) for number in range(1000)}) == 1000
    assert made != conversation_id_of("dms", "c-1", at)


async def test_a_thread_is_deleted_on_the_service_and_others_are_not(desk_of: Open, server: SandboxServer) -> None:
    async with desk_of("bastion") as desk:
        thread = await with_assistant(desk)
        await desk.ask(thread, "hello")
        other = await began(desk, "why?")
        assert len(state(server)["threads"]) == 1
        assert await desk.conversations.delete_there([thread, other]) == 1
        assert state(server)["threads"] == []
        await desk.conversations.delete([thread, other])
        await desk.conversations.merging.refresh()
        assert list(desk.conversations.summaries()) == []


async def test_sessions_of_the_data_agent_are_listed_and_fetched_too(desk_of: Open) -> None:
    async with desk_of("bastion") as there, desk_of("laptop") as here:
        origin = await there.conversations.create("dms")
        await there.ask(origin, "refunds by week")
        assert await here.conversations.merging.refresh() == []
        found = next(summary for summary in here.conversations.summaries() if summary.service == "dms")
        conversation = await here.conversations.open(found.id)
        assert [turn.question for turn in conversation.turns] == ["refunds by week"]
        assert conversation.turns[0].blocks
