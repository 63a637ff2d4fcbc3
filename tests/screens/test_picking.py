"""Pickers and the large text field: keys, filter, marks, limits; both languages of what they say."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from screens.picking import PickDialog
from tests.screens.host import Host
from tui.widgets.choices import Choices, Row
from tui.widgets.pickers import PickItem
from tui.widgets.prompt_editor import Limit, PromptArea, PromptEditor, count_line, encoded_length

ITEMS = [
    PickItem("a", "describe_db_instances", "Lists the instances of a region.", "reads"),
    PickItem("b", "describe_backups", "Lists backup sets.", "reads"),
    PickItem("c", "kill_session", "结束会话。", "writes", alert=True),
]


async def answer(dialog: PickDialog, *keys: str, size: tuple[int, int] = (80, 24)) -> Any:
    app = Host()
    answers: list[Any] = []
    async with app.run_test(size=size) as pilot:
        app.push_screen(dialog, answers.append)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        return "open" if app.screen is dialog else answers[0]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize(
    ("chosen", "keys", "expected"),
    [
        ((), ["space", "j", "j", "space", "enter"], ("a", "c")),
        (("b",), ["enter"], ("b",)),
        (("b",), ["j", "space", "enter"], ()),
        (("b", "c"), ["x", "enter"], ()),
        (("c",), ["o", "space", "o", "enter"], ()),
        ((), ["slash", *"backup", "enter", "space", "enter"], ("b",)),
        ((), ["slash", *"writes", "down", "space", "enter"], ("c",)),
        (("a",), ["slash", *"zzz", "enter", "space", "enter"], "open"),
        (("a",), ["slash", "escape", "escape"], None),
        (("gone",), ["enter"], ("gone",)),
        (("gone",), ["G", "space", "enter"], ()),
    ],
)
async def test_several(chosen: tuple[str, ...], keys: list[str], expected: object, size: tuple[int, int]) -> None:
    assert await answer(PickDialog("Tools", ITEMS, chosen), *keys, size=size) == expected


@pytest.mark.parametrize(
    ("chosen", "keys", "expected"),
    [((), ["enter"], ("a",)), (("b",), ["enter"], ("b",)), (("b",), ["j", "enter"], ("c",))],
)
async def test_one(chosen: tuple[str, ...], keys: list[str], expected: object) -> None:
    assert await answer(PickDialog("Tool", ITEMS, chosen, several=False), *keys) == expected


async def test_what_writes_stands_out_and_the_highlighted_one_is_described() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = PickDialog("Tools", ITEMS, ("c",))
        app.push_screen(dialog)
        await pilot.pause()
        await pilot.press("G")
        await pilot.pause()

        row = dialog.picker.entries.get_option_at_index(2).prompt
        assert isinstance(row, Row)
        line = row.make()

        assert "✓ kill_session" in str(line)
        assert any("warning" in str(span.style) for span in line.spans)
        about = str(dialog.query_one(".about", Static).visual)
        assert about.startswith("1 chosen")
        assert "结束会话" in about


async def test_of_a_long_list_only_what_is_in_view_is_made() -> None:
    made: list[int] = []

    def line(number: int) -> Content:
        made.append(number)
        return Content(f"row {number}")

    class Long(Screen[None]):
        def compose(self) -> Any:
            yield Choices(*(Option(Row(partial(line, number))) for number in range(1000)))

    app = Host(screen=Long)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("G")
        await pilot.pause()
        assert {*range(980, 1000)} <= {*made}
        assert len({*made}) < 60


async def test_an_empty_list_says_so() -> None:
    app = Host()
    async with app.run_test() as pilot:
        dialog = PickDialog("Tools", [])
        app.push_screen(dialog)
        await pilot.pause()

        assert "The service has none." in str(dialog.query_one(".about", Static).visual)


# --- the large text field --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "length"), [("", 0), ("aZ9-._~", 7), (" ", 3), ("\n", 3), ("磁盘", 18), ("\ud800", 3)]
)
def test_the_length_in_the_address(text: str, length: int) -> None:
    assert encoded_length(text) == length


def test_the_count_says_what_is_too_long() -> None:
    assert str(count_line("x" * 1234, Limit())) == "1,234 characters"
    assert str(count_line("x" * 12, Limit(characters=10))) == "12 of 10 characters   ! 2 too many"
    fits, long = count_line("x", Limit(encoded=20_000)), count_line("磁" * 3000, Limit(encoded=20_000))
    assert str(fits) == "1 characters   0.0 of 20 KB in the address"
    assert "27.0 of 20 KB in the address   ! a proxy on the way may refuse it" in str(long)


class EditorScreen(Screen[None]):
    def compose(self) -> Any:
        yield PromptEditor(limit=Limit(characters=10))

    def on_mount(self) -> None:
        self.seen: list[str] = []

    def on_prompt_editor_changed(self, event: PromptEditor.Changed) -> None:
        self.seen.append(event.text)


class EditorHost(Host):
    """`$EDITOR` adds a line."""

    async def edit_externally(self, text: str, suffix: str = ".md") -> str:
        return f"{text}\nadded"


async def test_typing_pasting_and_the_external_editor() -> None:
    app = EditorHost(screen=EditorScreen)
    async with app.run_test() as pilot:
        screen = app.screen
        assert isinstance(screen, EditorScreen)
        editor = screen.query_one(PromptEditor)
        editor.put("old")
        await pilot.pause()
        assert screen.seen == []

        screen.query_one(PromptArea).focus()
        await pilot.press("end", "x", "ctrl+o")
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert editor.text == "oldx\nadded"
        assert screen.seen == ["oldx", "oldx\nadded"]
        assert [editor.over_limit] == [False]

        await pilot.press("ctrl+z")
        assert editor.text == "oldx"
        await pilot.press(*"0123456789")
        assert editor.over_limit
        assert "! 4 too many" in str(screen.query_one(".count", Static).visual)
