"""Two windows that write to one conversation in turns: nothing is sent on what one of them no longer knows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.turns.dashscope_desk import PROFILE, Profiles, state, with_profile
from tests.turns.desk import Desk, control
from tests.turns.test_dms import QUESTION, YES, asked
from tests.turns.test_dms_messages import planned
from tests.turns.test_windows import look
from tui.cache.records import QuestionRecord
from tui.models import Conversation, Problem, ServiceName, Turn
from tui.sandbox.server import SandboxServer
from tui.services.base import AskReply, ConversationService
from tui.services.errors import ConfigurationError
from tui.turns import open_ask

LAG = "why did replication lag rise?"
NO_KEY = Problem("No access key", "none was found.", delivered="no")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "state"


def shown(desk: Desk, conversation_id: str) -> Conversation:
    conversation = desk.conversations.conversation(conversation_id)
    assert conversation is not None
    return conversation


def questions(desk: Desk, conversation_id: str) -> list[str]:
    return [turn.question for turn in shown(desk, conversation_id).turns]


def accepted(server: SandboxServer) -> dict[str, int]:
    return dict(control(server, "state")["accepted"])


async def rest(desk: Desk) -> None:
    """Wait until nothing is under way."""
    while desk.tasks:
        await asyncio.wait(desk.tasks)
    if desk.errors:
        raise desk.errors[0]


async def begun(server: SandboxServer, root: Path, service: ServiceName = "rds") -> str:
    """A conversation with one question and its answer, of a window that is gone."""
    async with Desk(server, root) as desk:
        conversation_id = await desk.conversations.create(service)
        assert (await desk.ask(conversation_id, "echo first")).state == "done"
    return conversation_id


async def asked_elsewhere(server: SandboxServer, root: Path, conversation_id: str, text: str = "echo second") -> Turn:
    """What another window asks, which is gone then."""
    async with Desk(server, root) as desk:
        await desk.conversations.open(conversation_id)
        return await desk.ask(conversation_id, text)


# --- a window that only read ---------------------------------------------------------------------------------


async def test_a_window_that_only_read_shows_what_another_one_asks(server: SandboxServer, root: Path) -> None:
    conversation_id = await begun(server, root)
    async with Desk(server, root) as reader:
        await reader.conversations.open(conversation_id)
        await look(reader)
        assert reader.updates == []
        async with Desk(server, root) as other:
            await other.conversations.open(conversation_id)
            await other.ask(conversation_id, "echo second")
            await look(reader)
            assert questions(reader, conversation_id) == ["echo first", "echo second"]
            assert shown(reader, conversation_id).read_only
        await reader.until(lambda: not shown(reader, conversation_id).read_only)
        assert (await reader.ask(conversation_id, "echo third")).answer == "third"
        assert questions(reader, conversation_id) == ["echo first", "echo second", "echo third"]


async def test_a_conversation_without_a_question_is_not_put_into_the_list(server: SandboxServer, root: Path) -> None:
    async with Desk(server, root) as desk:
        await desk.conversations.create("rds")
        await look(desk)
        assert list(desk.conversations.summaries()) == []


@pytest.mark.parametrize("service", ["rds", "dms"])
async def test_a_question_follows_what_another_window_asked_just_now(
    server: SandboxServer, root: Path, service: ServiceName
) -> None:
    conversation_id = await begun(server, root, service)
    async with Desk(server, root) as reader:
        await reader.conversations.open(conversation_id)
        second = await asked_elsewhere(server, root, conversation_id)
        third = await reader.ask(conversation_id, "echo third")
        assert (second.answer, third.answer) == ("second", "third")
        assert questions(reader, conversation_id) == ["echo first", "echo second", "echo third"]
        held = shown(reader, conversation_id)
    async with Desk(server, root) as later:
        assert (await later.conversations.open(conversation_id)).turns == held.turns


async def test_the_context_of_a_question_has_what_another_window_asked(server: SandboxServer, root: Path) -> None:
    async with Desk(server, root) as desk:
        conversation_id = await with_profile(desk)
        await desk.ask(conversation_id, "echo one")
    async with Desk(server, root) as reader:
        reader.services.use_profiles(Profiles(PROFILE))
        await reader.conversations.open(conversation_id)
        async with Desk(server, root) as other:
            other.services.use_profiles(Profiles(PROFILE))
            await other.conversations.open(conversation_id)
            second = await other.ask(conversation_id, "echo two")
        assert "two" in (await reader.ask(conversation_id, "recall")).answer
    bodies: list[dict[str, Any]] = [
        one["body"] for one in state(server)["requests"] if one["operation"] == "CreateResponse"
    ]
    assert bodies[-1]["previous_response_id"] == second.ids.message


async def test_two_questions_at_once_follow_what_another_window_asked(server: SandboxServer, root: Path) -> None:
    conversation_id = await begun(server, root, "dms")
    async with Desk(server, root) as reader:
        await reader.conversations.open(conversation_id)
        await asked_elsewhere(server, root, conversation_id)
        turns = [reader.conversations.ask(conversation_id, f"echo {text}") for text in ("third", "fourth")]
        for turn in turns:
            await reader.ended(turn.id)
        assert [turn.answer for turn in shown(reader, conversation_id).turns] == ["first", "second", "third", "fourth"]


async def test_a_window_that_only_renamed_knows_what_another_one_asked(server: SandboxServer, root: Path) -> None:
    conversation_id = await begun(server, root, "dms")
    async with Desk(server, root) as reader:
        await reader.conversations.open(conversation_id)
        await asked_elsewhere(server, root, conversation_id)
        await reader.conversations.rename(conversation_id, "renamed")
        assert (await reader.ask(conversation_id, "echo third")).answer == "third"
        assert questions(reader, conversation_id) == ["echo first", "echo second", "echo third"]
        assert shown(reader, conversation_id).title == "renamed"


async def test_what_another_window_had_queued_is_given_back_and_not_sent(server: SandboxServer, root: Path) -> None:
    conversation_id = await begun(server, root)
    async with Desk(server, root) as reader:
        await reader.conversations.open(conversation_id)
        async with Desk(server, root) as other:
            await other.store.load(conversation_id)
            now = other.conversations._hooks.now()
            await other.store.append(conversation_id, QuestionRecord("left", now, "echo left"), sync=True)
        await look(reader)
        assert reader.turn(conversation_id, "left").state == "queued"
        assert (await reader.ask(conversation_id, "echo third")).answer == "third"
        await rest(reader)
        assert reader.turn(conversation_id, "left").state == "failed"
        assert reader.put_back("left") == "echo left"
        assert accepted(server) == {"echo first": 1, "echo third": 1}


async def test_what_another_window_answered_is_not_answered_again(server: SandboxServer, root: Path) -> None:
    async with Desk(server, root) as one:
        conversation_id, turn = await planned(one)
        ask = open_ask(turn)
        assert ask is not None
        async with Desk(server, root) as other:
            await other.conversations.open(conversation_id)
            assert await other.conversations.take_over(conversation_id, force=True) == "taken"
            await rest(other)
            assert asked(await other.answer(conversation_id, YES)) == "sql"
        one.updates.clear()
        assert one.conversations.answer(conversation_id, ask.ask_id, AskReply("change", "by day"))
        await one.ended(turn.id)
        await rest(one)
        [problem] = one.problems
        assert problem.title == "Not sent"
        assert one.put_back(turn.id) == "by day"
        assert "by day" not in accepted(server)
        assert asked(one.turn(conversation_id, turn.id)) == "sql"


# --- a service that cannot be had ----------------------------------------------------------------------------


class Keyless(Desk):
    """A start with a profile that is broken."""

    async def _service(self, name: ServiceName) -> ConversationService:
        raise ConfigurationError(NO_KEY)


@pytest.mark.parametrize("service", ["rds", "dms"])
async def test_what_was_sent_is_not_taken_for_unsent_without_a_key(
    server: SandboxServer, root: Path, service: ServiceName
) -> None:
    control(server, "pace", {"pace": 100})
    texts = [f"{LAG} {number}" if service == "rds" else f"refunds by week {number}" for number in range(3)]
    async with Desk(server, root) as desk:
        ids = [await desk.conversations.create(service) for _text in texts]
        for key, text in zip(ids, texts, strict=True):
            desk.conversations.ask(key, text)
        await desk.until(lambda: all(turn.ids.message for key in ids for turn in shown(desk, key).turns))
    control(server, "pace", {"pace": "unlimited"})
    async with Keyless(server, root) as desk:
        assert sorted(await desk.conversations.resume_all()) == sorted(ids)
        await rest(desk)
        assert [update.put_back for update in desk.updates if update.put_back] == []
        assert [shown(desk, key).state for key in ids] == ["interrupted"] * 3
        assert desk.problems == [NO_KEY], "said once"
    async with Desk(server, root) as desk:
        assert {summary.state for summary in desk.conversations.summaries()} == {"interrupted"}
        await desk.conversations.resume_all()
        await rest(desk)
        assert [shown(desk, key).state for key in ids] == ["done" if service == "rds" else "waiting"] * 3
        assert accepted(server) == dict.fromkeys(texts, 1)


async def test_a_typed_answer_comes_back_without_a_key(server: SandboxServer, root: Path) -> None:
    class Losing(Desk):
        lost = False

        async def _service(self, name: ServiceName) -> ConversationService:
            if self.lost:
                raise ConfigurationError(NO_KEY)
            return await super()._service(name)

    desk = Losing(server, root)
    async with desk:
        conversation_id, turn = await planned(desk)
        desk.updates.clear()
        desk.lost = True
        again = await desk.answer(conversation_id, AskReply("change", "by day"))
        assert desk.put_back(turn.id) == "by day"
        assert (again.state, asked(again)) == ("waiting", "plan")
        assert desk.problems == [NO_KEY]


# --- taken over at the worst moment --------------------------------------------------------------------------


async def test_who_loses_an_answer_says_so_and_shows_what_is_there(server: SandboxServer, root: Path) -> None:
    control(server, "faults", {"once": ["hold=30"]})
    async with Desk(server, root) as one, Desk(server, root) as other:
        conversation_id = await one.conversations.create("rds")
        turn = one.conversations.ask(conversation_id, LAG)
        await one.until(lambda: one.turn(conversation_id, turn.id).state == "running")
        await other.conversations.load_list()
        await other.conversations.open(conversation_id)
        assert await other.conversations.take_over(conversation_id, force=True) == "taken"
        control(server, "release", {})
        await other.ended(turn.id)
        await one.ended(turn.id)
        [problem] = one.problems
        assert problem.title == "Taken over elsewhere"
        assert "Another window is writing" in problem.sentence
        assert shown(one, conversation_id).read_only
        await rest(other)
        await look(one)
        await one.until(lambda: one.turn(conversation_id, turn.id) == other.turn(conversation_id, turn.id))
        assert one.turn(conversation_id, turn.id).state == "done"
        assert one.put_back(turn.id) == ""
        assert accepted(server) == {LAG: 1}


class Robbed(Desk):
    """Another window takes its conversation over when all is ready to be sent."""

    other: Desk | None = None
    conversation_id = ""

    async def _service(self, name: ServiceName) -> ConversationService:
        if self.other is not None:
            assert await self.other.conversations.take_over(self.conversation_id, force=True) == "taken"
            self.other = None
        return await super()._service(name)


async def test_a_question_that_is_taken_over_before_it_left_is_in_one_composer(
    server: SandboxServer, root: Path
) -> None:
    conversation_id = await begun(server, root)
    one = Robbed(server, root)
    async with one, Desk(server, root) as other:
        await one.conversations.open(conversation_id)
        await other.conversations.open(conversation_id)
        one.other, one.conversation_id = other, conversation_id
        turn = one.conversations.ask(conversation_id, "why?")
        later = one.conversations.ask(conversation_id, "and now?")
        await one.ended(turn.id)
        await rest(other)
        await look(one)
        await one.until(lambda: one.turn(conversation_id, later.id).state == "failed")
        assert one.turn(conversation_id, turn.id).state == "failed"
        assert [problem.title for problem in one.problems] == ["Not sent"]
        assert (other.put_back(turn.id), other.put_back(later.id)) == ("why?", "and now?")
        assert (one.put_back(turn.id), one.put_back(later.id)) == ("", "")
        assert accepted(server) == {"echo first": 1}


async def test_an_answer_that_is_taken_over_before_it_left_comes_back(server: SandboxServer, root: Path) -> None:
    one = Robbed(server, root)
    async with one, Desk(server, root) as other:
        conversation_id, turn = await planned(one)
        await other.conversations.load_list()
        await other.conversations.open(conversation_id)
        one.other, one.conversation_id = other, conversation_id
        one.updates.clear()
        ask = open_ask(turn)
        assert ask is not None
        assert one.conversations.answer(conversation_id, ask.ask_id, AskReply("change", "by day"))
        await one.ended(turn.id)
        assert one.put_back(turn.id) == "by day"
        assert [problem.title for problem in one.problems] == ["Not sent"]
        assert asked(one.turn(conversation_id, turn.id)) == "plan", "not marked as answered"
        assert shown(one, conversation_id).read_only
        assert accepted(server) == {QUESTION: 1}


async def test_an_answer_to_what_another_window_holds_comes_back(server: SandboxServer, root: Path) -> None:
    async with Desk(server, root) as one, Desk(server, root) as other:
        conversation_id, turn = await planned(one)
        await other.conversations.load_list()
        await other.conversations.open(conversation_id)
        assert await other.conversations.take_over(conversation_id, force=True) == "taken"
        one.updates.clear()
        ask = open_ask(turn)
        assert ask is not None
        assert one.conversations.answer(conversation_id, ask.ask_id, AskReply("change", "by day"))
        await one.ended(turn.id)
        assert one.put_back(turn.id) == "by day"
        assert len(one.problems) == 1
        assert asked(one.turn(conversation_id, turn.id)) == "plan"
        assert accepted(server) == {QUESTION: 1}


# --- following -----------------------------------------------------------------------------------------------


async def test_what_was_taken_over_and_left_is_read_once(server: SandboxServer, root: Path) -> None:
    async with Desk(server, root) as one:
        conversation_id = await one.conversations.create("rds")
        await one.ask(conversation_id, "echo first")
        async with Desk(server, root) as other:
            await other.conversations.open(conversation_id)
            assert await other.conversations.take_over(conversation_id) == "taken"
            await other.ask(conversation_id, "echo second")
        await look(one)
        assert questions(one, conversation_id) == ["echo first", "echo second"]
        one.updates.clear()
        tasks = set(one.tasks)
        await look(one)
        await look(one)
        assert (one.updates, one.tasks - tasks) == ([], set())


async def test_a_conversation_is_followed_once(server: SandboxServer, root: Path) -> None:
    async with Desk(server, root) as one, Desk(server, root) as other:
        conversation_id = await one.conversations.create("rds")
        await one.ask(conversation_id, "echo first")
        await other.conversations.load_list()
        await other.conversations.open(conversation_id)
        follow = other.conversations.follow
        following = asyncio.create_task(follow(conversation_id, 0.01))
        await asyncio.sleep(0)
        await asyncio.wait_for(follow(conversation_id, 0.01), 5)
        assert not following.done()
        await look(other)
        assert not other.tasks
        await one.ask(conversation_id, "echo second")
        await other.until(lambda: questions(other, conversation_id) == ["echo first", "echo second"])
        await one.store.release(conversation_id)
        await asyncio.wait_for(following, 20)
        # Another time it is followed again.
        await one.ask(conversation_id, "echo third")
        await look(other)
        assert [task.get_name() for task in other.tasks] == [f"follow:{conversation_id}"]
