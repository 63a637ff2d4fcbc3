"""What is done to conversations from their list: tags, archive, several at once, what follows on the services."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from screens.conversations import ConversationsScreen
from tests.screens.host import NOW, Host, summary
from tui.models import ConversationSummary
from tui.widgets.conversation_list import ConversationList

FEW = (
    replace(summary(1, "lag on rm-bp1k3"), tags=("rm-bp1k3", "incident-7")),
    replace(summary(2, "refunds", ago=timedelta(minutes=5)), tags=("订单库",)),
    summary(3, "disk at 91 %", ago=timedelta(hours=1)),
)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "now", lambda _self: NOW)


def host(conversations: Sequence[ConversationSummary] = FEW) -> Host:
    return Host(conversations=conversations, screen=ConversationsScreen)


def lines(app: Host) -> list[str]:
    return ["".join(segment.text for segment in strip).rstrip() for strip in app.screen._compositor.render_strips()]


def shown(app: Host) -> list[str]:
    return [item.id for item in app.screen.query_one(ConversationList).items]


async def settle(pilot: Pilot[Any]) -> None:
    for _ in range(3):
        await pilot.pause()
        for worker in [worker for worker in pilot.app.workers if worker.group in ("filter", "more")]:
            await worker.wait()
    await pilot.pause()


async def test_tags_stand_behind_titles_that_do_not_name_them() -> None:
    app = host()
    async with app.run_test(size=(80, 16)):
        body = lines(app)
    assert body[4].startswith(" R   lag on rm-bp1k3  #incident-7 ")
    assert body[4].endswith("now")
    assert body[5].startswith(" R   refunds  #订单库 ")


async def test_a_narrow_list_has_no_room_for_tags() -> None:
    app = host()
    async with app.run_test(size=(40, 16)):
        assert not any("#" in line for line in lines(app))


@pytest.mark.parametrize(
    ("typed", "expected"), [("#incident", ["c1"]), ("incident lag", ["c1"]), ("订单", ["c2"]), ("#nothing", [])]
)
async def test_the_filter_finds_tags(typed: str, expected: list[str]) -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash")
        app.screen.query_one(Input).value = typed
        await settle(pilot)
        assert shown(app) == expected


async def test_tags_are_given_and_taken_off_in_one_line() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("t")
        await pilot.pause()
        dialog = app.screen.query_one("#text", Input)
        assert dialog.value == "rm-bp1k3 incident-7 "
        dialog.value = "rm-bp1k3 #大促"
        await pilot.press("enter")
        await settle(pilot)
        assert app.done == [("tags", "c1", ("大促",), ("incident-7",))]


async def test_tags_of_several_change_what_all_of_them_have() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("space", "space", "t")
        await pilot.pause()
        dialog = app.screen.query_one("#text", Input)
        assert dialog.value == ""
        dialog.value = "night-shift"
        await pilot.press("enter")
        await settle(pilot)
        assert app.done == [("tags", "c1", ("night-shift",), ()), ("tags", "c2", ("night-shift",), ())]
        assert app.held[0].tags == ("rm-bp1k3", "incident-7", "night-shift")


async def test_leaving_the_tags_changes_nothing() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("t")
        await pilot.pause()
        await pilot.press("escape")
        await settle(pilot)
        assert app.done == []


async def test_archived_ones_leave_the_list_and_are_shown_apart() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a")
        await settle(pilot)
        assert shown(app) == ["c2", "c3"]
        await pilot.press("A")
        await settle(pilot)
        assert shown(app) == ["c1"]
        assert "archived" in lines(app)[1]
        await pilot.press("a")
        await settle(pilot)
        assert shown(app) == []
        assert any("Nothing is archived." in line for line in lines(app))
        await pilot.press("A")
        await settle(pilot)
        assert shown(app) == ["c1", "c2", "c3"]


async def test_all_that_are_shown_are_marked_at_once_and_deleted_by_their_count() -> None:
    app = host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("asterisk")
        await settle(pilot)
        assert "3 marked" in lines(app)[1]
        await pilot.press("d")
        await pilot.pause()
        await pilot.press("2", "enter")
        await pilot.pause()
        assert app.done == []
        await pilot.press("backspace", "3", "enter")
        await settle(pilot)
        assert app.done == [("delete", "c1", "c2", "c3")]


async def test_the_end_of_the_list_fetches_what_follows() -> None:
    app = host()
    app.more = 2
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j")
        await settle(pilot)
        assert app.done == []
        await pilot.press("G")
        await settle(pilot)
        assert app.done == [("more",)]
        assert shown(app) == ["c1", "c2", "c3", "c4"]
        await pilot.press("j")
        await settle(pilot)
        await pilot.press("j")
        await settle(pilot)
        assert app.done == [("more",)] * 2
        assert not app.has_more_conversations


async def test_a_filter_without_hits_says_what_else_there_is() -> None:
    app = host()
    app.more = 1
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"xyzzy")
        await settle(pilot)
        text = "\n".join(lines(app))
        assert "s searches what was said." in text
        assert "G fetches older ones." in text


async def test_threads_of_dashscope_are_deleted_there_only_when_asked() -> None:
    threads = [replace(summary(7, "a thread", service="dashscope"), remote_id="thread_1"), summary(8, "rds")]
    app = host(threads)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("d")
        await pilot.pause()
        assert any("its threads stay unless you delete them" in line for line in lines(app))
        await pilot.press("y")
        await pilot.pause()
        assert any("Delete its thread on DashScope too?" in line for line in lines(app))
        await pilot.press("escape")
        await settle(pilot)
        assert app.done == [("delete", "c7")]
    app = host(threads)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("d")
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        await pilot.press("y")
        await settle(pilot)
        assert app.done == [("delete there", "c7"), ("delete", "c7")]


class Slow(Host):
    """What is asked of it takes until `may_go` is set."""

    def __init__(self, conversations: Sequence[ConversationSummary]) -> None:
        super().__init__(conversations=conversations)
        self.may_go = asyncio.Event()
        self.begun = 0

    async def _wait(self) -> None:
        self.begun += 1
        await self.may_go.wait()

    async def archive_conversation(self, conversation_id: str, archived: bool) -> None:
        await self._wait()
        await super().archive_conversation(conversation_id, archived)

    async def pin_conversation(self, conversation_id: str, pinned: bool) -> None:
        await self._wait()
        await super().pin_conversation(conversation_id, pinned)

    async def rename_conversation(self, conversation_id: str, title: str) -> None:
        await self._wait()
        await super().rename_conversation(conversation_id, title)

    async def change_tags(self, conversation_id: str, add: Sequence[str], remove: Sequence[str]) -> None:
        await self._wait()
        await super().change_tags(conversation_id, add, remove)

    async def delete_on_service(self, conversation_ids: Sequence[str]) -> int:
        await self._wait()
        return await super().delete_on_service(conversation_ids)

    async def undo_delete(self) -> str:
        await self._wait()
        return await super().undo_delete()


THREADS = [replace(summary(number, service="dashscope"), remote_id=f"thread_{number}") for number in (1, 2)]


@pytest.mark.parametrize(
    ("keys", "done", "said"),
    [
        (["asterisk", "a"], [("archive", "c1", True), ("archive", "c2", True)], "2 archived; A shows them."),
        (["asterisk", "p"], [("pin", "c1", True), ("pin", "c2", True)], ""),
        (["asterisk", "t", "x", "enter"], [("tags", "c1", ("x",), ()), ("tags", "c2", ("x",), ())], ""),
        (["r", "x", "enter"], [("rename", "c1", "conversation 1x")], ""),
        (["d", "y", "y"], [("delete there", "c1"), ("delete", "c1")], "1 deleted on DashScope."),
        (["z"], [("undo",)], "“taken back” is back."),
    ],
)
async def test_leaving_the_list_stops_nothing_half_way(keys: list[str], done: list[tuple[Any, ...]], said: str) -> None:
    app = Slow(THREADS)
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(ConversationsScreen())
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        assert app.begun == 1
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, ConversationsScreen)
        assert not app.done
        app.may_go.set()
        await settle(pilot)
        assert app.done == done
        assert not said or said in [str(notice.message) for notice in app._notifications]
