"""Dialogs: what each answers to each key; hostile text; both sizes."""

from __future__ import annotations

from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Input, Static

from screens.dialogs import ChooseDialog, ConfirmDialog, DetailsDialog, Dialog, TextDialog, TypedConfirmDialog
from tests.screens.host import Host
from tui.widgets.choices import Choices

HOSTILE = "[/] [red]x[/nope] \x1b]52;c;AAAA\x07 \x9b2J \u202e主从延迟"


async def answer(dialog: Dialog[Any], *keys: str, size: tuple[int, int] = (80, 24)) -> Any:
    """What the dialog is dismissed with after these keys; the string "open" when it still stands."""
    app = Host()
    answers: list[Any] = []
    async with app.run_test(size=size) as pilot:
        app.push_screen(dialog, answers.append)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        if app.screen is dialog:
            return "open" if not app.done else app.done
        return answers[0]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [(["y"], True), (["enter"], False), (["escape"], False), (["n"], False), (["space", "x", "Y"], "open")],
)
async def test_confirm(keys: list[str], expected: object) -> None:
    assert await answer(ConfirmDialog("Delete?", ["Gone for good."], "delete"), *keys) is expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["1", "2", "enter"], True),
        (["enter"], "open"),
        (["1", "enter"], "open"),
        (["1", "2", "escape"], False),
        (["y"], "open"),
    ],
)
async def test_typed_confirm(keys: list[str], expected: object) -> None:
    assert await answer(TypedConfirmDialog("Delete 12?", [], "delete", "12"), *keys) is expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["enter"], "old"),
        (["ctrl+u", "n", "e", "w", "enter"], "new"),
        (["ctrl+u", "enter"], "open"),
        (["x", "escape"], None),
    ],
)
async def test_text(keys: list[str], expected: object) -> None:
    assert await answer(TextDialog("Rename", "old"), *keys) == expected


LONG = "主从延迟 lag " * 60


async def test_no_text_is_cut() -> None:
    """A path, an address or a comment may be longer than a title."""
    assert await answer(TextDialog("Value", LONG), "enter") == LONG.strip()
    app = Host()
    answers: list[Any] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(TextDialog("Comment"), answers.append)
        await pilot.pause()
        app.screen.query_one(Input).value = LONG
        await pilot.press("enter")
        await pilot.pause()
    assert answers == [LONG.strip()]


@pytest.mark.parametrize(("name", "typed"), [(" a  b ", "a b"), ("\x1b", "␛"), ("  ", "yes")])
async def test_a_name_can_be_typed_whatever_the_service_calls_it(name: str, typed: str) -> None:
    app = Host()
    answers: list[Any] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(TypedConfirmDialog("Delete?", [], "delete", name), answers.append)
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert not answers
        app.screen.query_one(Input).value = typed
        await pilot.press("enter")
        await pilot.pause()
    assert answers == [True]


def some(count: int) -> list[tuple[str, str]]:
    return [(f"sql {number}", f"SELECT {number}\nFROM t") for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("count", "keys", "expected"),
    [
        (3, ["2"], 1),
        (3, ["j", "enter"], 1),
        (3, ["G", "enter"], 2),
        (3, ["9"], "open"),
        (3, ["0"], "open"),
        (3, ["escape"], None),
        (9, ["9"], 8),
        (12, ["1", "2"], 11),
        (12, ["1", "enter"], 0),
        (12, ["2"], 1),
        (12, ["1", "9"], 8),
        (12, ["1", "j", "1"], "open"),
    ],
)
async def test_choose(count: int, keys: list[str], expected: object) -> None:
    assert await answer(ChooseDialog("Copy", some(count)), *keys) == expected


async def test_choose_shows_a_preview_of_what_is_highlighted() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(ChooseDialog("Copy", [("sql 1", "SELECT 1"), ("sql 2", "\n".join(map(str, range(30))))]))
        await pilot.pause()
        preview = app.screen.query_one("#preview", Static)
        assert "SELECT 1" in str(preview.content)
        await pilot.press("j")
        await pilot.pause()
        assert "… 22 more lines" in str(preview.content)


async def test_details_are_copied() -> None:
    rows = [("request id", "0A1B"), ("task id", "t-1")]
    assert await answer(DetailsDialog(rows), "j", "y") == [("copy", "t-1", "task id")]
    assert await answer(DetailsDialog(rows), "enter") == [("copy", "0A1B", "request id")]
    assert await answer(DetailsDialog(rows), "Y") == [("copy", "request id: 0A1B\ntask id: t-1", "Details")]
    assert await answer(DetailsDialog(rows), "q") is None


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize(
    "dialog",
    [
        lambda: ConfirmDialog(HOSTILE, [HOSTILE], HOSTILE),
        lambda: TypedConfirmDialog(HOSTILE, [HOSTILE], HOSTILE, "2"),
        lambda: TextDialog(HOSTILE, HOSTILE),
        lambda: ChooseDialog(HOSTILE, [(HOSTILE, HOSTILE)]),
        lambda: DetailsDialog([(HOSTILE, HOSTILE)]),
    ],
)
async def test_hostile_text_is_only_text(dialog: Any, size: tuple[int, int]) -> None:
    app = Host()
    async with app.run_test(size=size) as pilot:
        app.push_screen(dialog())
        await pilot.pause()
        shown = "".join(segment.text for strip in app.screen._compositor.render_strips() for segment in strip)
        assert "[red]" in shown
        assert not {"\x1b", "\x9b", "\u202e", "\x07"} & set(shown)
        box = app.screen.query_one(".dialog").region
        assert box.width == min(90, size[0])
        assert box.x == (size[0] - box.width) // 2


def cells(app: Host) -> list[tuple[str, object, object]]:
    """The first line as (character, its colour where it can be seen, ground)."""
    line = app.screen._compositor.render_strips()[0]
    return [
        (char, s.style and char != " " and s.style.color, s.style and s.style.bgcolor) for s in line for char in s.text
    ]


async def test_the_screen_below_is_not_repainted() -> None:
    """A dialog changes its own cells only: on a slow line a dimmed screen would cost kilobytes."""

    class Below(Screen[None]):
        def compose(self) -> Any:
            yield Static("the answer below", id="below")

    app = Host(screen=Below)
    async with app.run_test(size=(120, 40)) as pilot:
        before = cells(app)
        app.push_screen(ConfirmDialog("Delete?", [], "delete"))
        await pilot.pause()
        assert cells(app) == before


async def test_fields_have_the_focus_at_once() -> None:
    app = Host()
    async with app.run_test() as pilot:
        for dialog, kind in ((TextDialog("Rename", "old"), Input), (ChooseDialog("Copy", some(2)), Choices)):
            app.push_screen(dialog)
            await pilot.pause()
            assert isinstance(app.focused, kind)
