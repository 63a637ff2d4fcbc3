"""The composer: Enter sends, Ctrl+J makes a newline, history keeps the draft, a paste never sends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events
from textual._context import active_app
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from screens.chat import ChatScreen
from tests.screens.whole import User, using
from tui.app import YunliaoApp
from tui.cache.store import Store
from tui.sandbox.server import SandboxServer
from tui.widgets.composer import Composer


class Clock:
    """Time that passes only when a test says so; keys come slowly unless it stands still."""

    def __init__(self) -> None:
        self.now = 0.0
        self.step = 1.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


class Host(App[None]):
    def __init__(self, send_key: str = "enter") -> None:
        super().__init__()
        self.clock = Clock()
        self.send_key = send_key
        self.sent: list[str] = []
        self.interrupts = 0
        self.copied: list[str] = []

    def compose(self) -> ComposeResult:
        yield Composer(send_key=self.send_key, seconds=self.clock)

    def on_composer_submitted(self, event: Composer.Submitted) -> None:
        self.sent.append(event.text)

    def on_composer_interrupted(self) -> None:
        self.interrupts += 1

    def on_composer_copied(self, event: Composer.Copied) -> None:
        self.copied.append(event.text)

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)


def at_once(app: Host, text: str) -> None:
    """Keys as the driver posts them when they came in one packet."""
    app.clock.step = 0.0
    for char in text:
        key = "enter" if char == "\n" else char
        app.composer.post_message(events.Key(key, "\r" if char == "\n" else char))


async def until(pilot: Pilot[None], ready: Callable[[], object]) -> None:
    for _ in range(200):
        if ready():
            return
        await pilot.pause(0.01)
    raise AssertionError("the expected state was never reached")


async def test_enter_sends_and_empties() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("h", "i", "enter")
        await until(pilot, lambda: app.sent == ["hi"])
        assert app.composer.text == ""


async def test_blank_text_is_not_sent() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("space", "enter", "ctrl+j", "enter")
        await pilot.pause()
        assert app.sent == []


@pytest.mark.parametrize("key", ["ctrl+j", "alt+enter", "shift+enter"])
async def test_newline_keys(key: str) -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("a", key, "b", "enter")
        await until(pilot, lambda: app.sent == ["a\nb"])


async def test_send_and_newline_can_be_swapped() -> None:
    app = Host("ctrl+j")
    async with app.run_test() as pilot:
        await pilot.press("a", "enter", "b", "ctrl+j")
        await until(pilot, lambda: app.sent == ["a\nb"])


async def test_a_bracketed_paste_never_sends_and_is_cleaned() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.composer.post_message(events.Paste("select 1;\r\n\x1b[31mdrop\n"))
        await until(pilot, lambda: app.composer.text)
        await pilot.pause()
        assert app.composer.text == "select 1;\n\u241b[31mdrop\n"
        assert app.sent == []


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
async def test_lines_of_a_paste_stay_lines_whatever_the_terminal_ends_them_with(end: str) -> None:
    """xterm, VTE, iTerm2 and tmux paste CR where the clipboard has LF."""
    app = Host()
    async with app.run_test() as pilot:
        app.composer.post_message(events.Paste(end.join(["select *", "from t", "", "where a = 1"])))
        await until(pilot, lambda: app.composer.text)
        assert app.composer.text == "select *\nfrom t\n\nwhere a = 1"


async def test_a_paste_without_brackets_does_not_send_line_by_line() -> None:
    app = Host()
    async with app.run_test() as pilot:
        at_once(app, "ab\ncd")
        await until(pilot, lambda: app.composer.text == "ab\ncd")
        assert app.sent == []


async def test_a_paste_of_several_lines_that_ends_with_a_newline_does_not_send() -> None:
    app = Host()
    async with app.run_test() as pilot:
        at_once(app, "one\ntwo\n")
        await until(pilot, lambda: app.composer.text == "one\ntwo\n")
        assert app.sent == []


async def test_a_paste_without_brackets_does_not_send_where_its_keys_are_dealt_with_slowly() -> None:
    """They arrived together; that the machine is busy is not a pause."""
    app = Host()
    async with app.run_test() as pilot:
        keys = [events.Key("enter" if char == "\n" else char, "\r" if char == "\n" else char) for char in "a\nb\nc"]
        app.composer.post_message(keys[0])
        await until(pilot, lambda: app.composer.text == "a")
        app.composer.post_message(keys[1])
        for key in keys[2:]:
            # What the timer of the Enter waits behind.
            app.call_later(app.composer.post_message, key)
        await until(pilot, lambda: app.composer.text == "a\nb\nc")
        assert app.sent == []


async def test_keys_that_came_in_one_packet_still_send() -> None:
    """On a slow line a short word and its Enter often arrive together."""
    app = Host()
    async with app.run_test() as pilot:
        at_once(app, "hello\n")
        await until(pilot, lambda: app.sent == ["hello"])


async def test_history_keeps_the_draft() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.composer.set_history(["first", "second\nline"])
        await pilot.press("d", "r", "a", "f", "t", "up")
        assert app.composer.text == "second\nline"
        await pilot.press("up")  # from its last line to its first
        assert app.composer.text == "second\nline"
        await pilot.press("up")
        assert app.composer.text == "first"
        await pilot.press("up")
        assert app.composer.text == "first"
        await pilot.press("down", "down", "down")
        assert app.composer.text == "draft"


async def test_an_entry_that_was_changed_is_kept_while_walking() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.composer.set_history(["first", "second"])
        await pilot.press("d", "up", "!", "up", "?")
        assert app.composer.text == "first?"
        app.composer.set_history(["first", "second"])  # told again, as when the context changes
        await pilot.press("down")
        assert app.composer.text == "second!"
        await pilot.press("down")
        assert app.composer.text == "d"
        await pilot.press("up", "enter")
        await until(pilot, lambda: app.sent == ["second!"])
        app.composer.set_history(["first", "second", "second!"])
        await pilot.press("up", "up")
        assert app.composer.text == "second"


async def test_a_paste_and_a_newline_take_the_place_of_what_is_selected() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("a", "b", "c", "shift+left", "shift+left", "ctrl+j")
        assert app.composer.text == "a\n"
        await pilot.press("d", "shift+home")
        app.composer.post_message(events.Paste("x\ny"))
        await until(pilot, lambda: app.composer.text == "a\nx\ny")
        assert app.composer.selection.is_empty
        assert app.composer.cursor_location == (2, 1)


async def test_ctrl_c_copies_a_selection_and_else_interrupts() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("a", "b", "ctrl+c")
        assert app.interrupts == 1
        await pilot.press("shift+left", "ctrl+c")
        assert app.copied == ["b"]
        assert app.interrupts == 1
        assert app.composer.text == "ab"


async def test_chinese_moves_the_cursor_by_two_cells() -> None:
    """Input methods draw their window where the cursor is."""
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("主", "库")
        assert app.composer.text == "主库"
        assert app.cursor_position.x == app.composer.content_region.x + 4


# --- the draft of a new conversation, in the whole app ---------------------------------------------------------


async def kept(user: User, text: str) -> None:
    """Type what is then in the store."""
    await user.type(text)
    await user.until(lambda: user.app._store.draft_of_new("rds") == text)
    await user.until(lambda: not [worker for worker in user.app.workers if worker.name == "drafts"])


async def test_what_was_sent_is_not_the_draft_of_the_next_conversation(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path) as user:
        await kept(user, "echo one")
        monkeypatch.setattr("tui.writing.DRAFT_PAUSE", 3600.0)  # that it is gone is not written while this runs
        await user.press("enter")
        await user.until(lambda: user.chat.conversation_id)
        await user.press("f8")
        await user.until(lambda: not user.chat.conversation_id)
        assert user.app._store.draft_of_new("rds") == "echo one"
        assert user.chat.composer.text == ""
        await user.press("n", "e", "w", "f8")
        assert user.chat.composer.text == "new"


async def test_a_draft_on_its_way_to_the_disk_is_known(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path) as user:
        await kept(user, "echo one")
        begun, may_write, write = asyncio.Event(), asyncio.Event(), user.app._store.set_draft

        async def slow(key: str, text: str) -> None:
            begun.set()
            await may_write.wait()
            await write(key, text)

        monkeypatch.setattr(user.app._store, "set_draft", slow)
        await user.press("enter")
        await user.until(lambda: user.chat.conversation_id and begun.is_set())
        await user.press("f8")
        await user.until(lambda: not user.chat.conversation_id)
        assert user.chat.composer.text == ""
        may_write.set()
        await user.until(lambda: not user.app._store.draft_of_new("rds"))


@pytest.fixture
def before_the_cache(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is in the composer, one after the other, before the cache is open."""
    typed: list[str] = []
    opened = Store.open

    async def open_late(store: Store) -> None:
        app = active_app.get()
        assert isinstance(app, YunliaoApp)
        chat = app.screen_stack[0]
        assert isinstance(chat, ChatScreen)
        for text in typed:
            chat.composer.put(text)
            chat._keep_draft()
        await opened(store)

    monkeypatch.setattr(Store, "open", open_late)
    return typed


async def test_keys_that_came_to_nothing_before_the_cache_was_open_leave_the_draft(
    server: SandboxServer, tmp_path: Path, before_the_cache: list[str]
) -> None:
    async with using(server, tmp_path) as user:
        await user.type("half a thought")
    before_the_cache += ["x", ""]
    async with using(server, tmp_path) as user:
        await user.until(lambda: user.chat.composer.text == "half a thought")
        await user.app._writing.write()
        assert await user.app._store.draft("new-rds") == "half a thought"


async def test_a_draft_in_whose_place_was_typed_before_the_cache_was_open_is_where_up_finds_it(
    server: SandboxServer, tmp_path: Path, before_the_cache: list[str]
) -> None:
    async with using(server, tmp_path) as user:
        await user.type("half a thought")
    before_the_cache += ["another"]
    async with using(server, tmp_path) as user:
        await user.until(lambda: "half a thought" in user.app.input_history("rds"))
        assert user.chat.composer.text == "another"
        await user.press("up")
        assert user.chat.composer.text == "half a thought"
