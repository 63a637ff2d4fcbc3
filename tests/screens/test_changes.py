"""The dialog that shows what a save changes: what it says, what it answers, hostile text, both sizes."""

from __future__ import annotations

import pytest

from screens.changes import ChangesDialog, change_lines
from tests.screens.host import Host
from tests.screens.test_dialogs import HOSTILE, answer
from tui.changes import Change

LONG = "\n".join(f"line {number}" for number in range(1, 61))
CHANGES = [
    Change("model", "qwen-plus", "qwen-max"),
    Change("description", "", "adds"),
    Change("instructions", LONG, LONG.replace("line 30", "第三十行")),
]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [(["y"], True), (["j", "G", "y"], True), (["enter"], False), (["escape"], False), (["n"], False), (["x"], "open")],
)
async def test_only_its_key_agrees(keys: list[str], expected: object) -> None:
    assert await answer(ChangesDialog("Save?", CHANGES, "save"), *keys) is expected


def test_what_it_says() -> None:
    lines = [line.plain for change in CHANGES for line in change_lines(change)]
    assert lines[0] == "model: qwen-plus → qwen-max"
    assert lines[1] == "description: not set → adds"
    assert lines[2] == "instructions"
    assert "    … 27 lines as before" in lines
    assert "  - line 30" in lines
    assert "  + 第三十行" in lines


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_long_one_scrolls_and_hostile_text_is_text(size: tuple[int, int]) -> None:
    app = Host()
    dialog = ChangesDialog(HOSTILE, [Change(HOSTILE, HOSTILE, LONG)], HOSTILE, [HOSTILE])
    async with app.run_test(size=size) as pilot:
        app.push_screen(dialog)
        await pilot.pause()
        body = dialog.query_one("ChangesBody")
        assert body.has_focus
        assert body.max_scroll_y > 0
        await pilot.press("G")
        await pilot.pause()
        assert body.scroll_offset.y == body.max_scroll_y
        assert dialog.query_one("HintLine").region.bottom <= size[1]
