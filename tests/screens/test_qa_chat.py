"""What was found by using the app for a day's work: each was broken once."""

from __future__ import annotations

from pathlib import Path

from tests.screens.whole import using
from tui.sandbox.server import SandboxServer


async def test_an_ask_leaves_the_rest_of_the_screen_in_its_place(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, size=(80, 24)) as user:
        await user.send("approve 2")
        await user.until(lambda: user.chat.ask_panel.display)
        await user.pilot.pause()
        assert user.chat.query_one("#body").region.width == 80
