"""Tables, pictures and plain text of an answer, by keys; and keys that have nothing to do say what they are for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from screens.picture import PictureScreen
from tests.screens.test_asks import dms
from tests.screens.test_session import NO_ASKS, to_unit
from tests.screens.whole import User, using
from tui.models import CodeBlock
from tui.sandbox.server import SandboxServer
from tui.widgets.picture import NoPicture, cells_of

SIZES = [(120, 40), (80, 24)]


async def shown(user: User, question: str) -> None:
    """Ask, and put the cursor at the beginning of the answer."""
    user.chat.new_options["dms"] = dict(NO_ASKS)
    assert (await user.ask(question)).state == "done"
    await user.press("escape", "g")


async def test_a_wide_table_of_a_cell_scrolls_and_turns_into_rows(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, size=(80, 24), settings=dms()) as user:
        await shown(user, "table 12")
        await to_unit(user, "table")
        await user.until(lambda: user.sees("6 of 12 columns →"))
        await user.press("l", "l")
        await user.until(lambda: user.sees("← ") and user.sees("编号") and not user.sees("指标2 metric"))
        await user.press("h")
        await user.until(lambda: user.sees("指标2 metric"))
        await user.press("v")
        await user.until(lambda: not user.sees("of 12 columns") and user.sees("指标11 metric"))
        await user.press("v")
        await user.until(lambda: user.sees("of 12 columns"))


async def test_keys_with_nothing_to_do_say_what_they_are_for(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=dms()) as user:
        await shown(user, "echo one")

        def said(words: str) -> bool:
            return any(words in notice for notice in user.notices())

        await user.press("l")
        await user.until(lambda: said("wide table"))
        await user.press("space")
        await user.until(lambda: said("unfolds thinking"))
        await user.press("v")  # there is no terminal behind this screen that could be given away
        await user.until(lambda: any("cannot be given away" in notice for notice in user.notices()))


@pytest.mark.parametrize("size", SIZES)
async def test_a_picture_is_drawn(
    server: SandboxServer, tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with using(server, tmp_path, size=size, settings=dms()) as user:
        await shown(user, "refunds by week")
        cells = [block for block in user.turn.blocks if isinstance(block, CodeBlock)]
        picture = next(output.image for cell in cells for output in cell.outputs if output.image)
        await to_unit(user, "code", picture)
        await user.press("v")
        await user.until(lambda: isinstance(user.app.screen, PictureScreen) and user.sees("▄▄▄"))
        drawn = [line for line in user.lines() if "▄▄▄" in line]
        assert len(drawn) > size[1] // 3
        await user.press("w")
        await user.until(lambda: list((tmp_path / "downloads").glob("*.png")))
        await user.press("escape")
        await user.until(lambda: user.app.screen is user.chat)
        # Without the extra it is said, and the file can be had all the same.
        monkeypatch.setitem(sys.modules, "PIL", None)
        await user.press("v")
        await user.until(lambda: user.sees("extra `pictures`"))


@pytest.mark.parametrize("data", ["", "bm90IGEgcGljdHVyZQ==", "iVBORw0KGgoAAAANSUhEUg==", "!"])
def test_what_is_no_picture(data: str) -> None:
    with pytest.raises(NoPicture):
        cells_of(data, 80, 24)


async def test_blocks_are_numbered_once(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, size=(80, 24), settings=dms()) as user:
        await shown(user, "table 12")
        await user.press("Y")
        await user.until(lambda: user.sees("1  sql SELECT * FROM t"))
        assert not user.sees("1  1")
