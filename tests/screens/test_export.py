"""The export screen: choices change what stands below, and what stands below is what is written."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from screens.export import ExportScreen
from tests.screens.whole import User, using
from tui.exports.portable import from_json
from tui.sandbox.server import SandboxServer

LAG = "why did replication lag rise on rm-bp1k3?"
SECRET = "is password=hunter22 too short?"


async def export(user: User) -> ExportScreen:
    """Open the screen on the conversation that is shown."""
    await user.press("escape", "E")
    await user.until(lambda: isinstance(user.app.screen, ExportScreen) and user.sees(" KB "))
    screen = user.app.screen
    assert isinstance(screen, ExportScreen)
    return screen


def files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "downloads").rglob("*") if path.is_file())


async def write(user: User, folder: Path, count: int = 1) -> list[Path]:
    before = len(files(folder))
    await user.until(lambda: user.sees(" KB "))
    await user.press("w")
    await user.until(lambda: len(files(folder)) == before + count and user.sees("Written to"))
    return files(folder)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_what_is_shown_is_what_is_written(server: SandboxServer, tmp_path: Path, size: tuple[int, int]) -> None:
    async with using(server, tmp_path, size=size) as user:
        await user.ask(LAG)
        await export(user)
        assert user.sees("Markdown")
        assert user.sees("# why did replication lag rise on rm-bp1k3?")
        (path,) = await write(user, tmp_path)
        assert path.suffix == ".md"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        text = path.read_text()
        assert user.turn.ids.message in text
        assert "describe_slow_log_records" in text
        await user.press("escape")
        assert user.app.screen is user.chat


async def test_each_form(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.ask(LAG)
        held = user.conversation
        await export(user)
        await user.press("j", "enter")
        await user.until(lambda: user.sees("<!doctype html>"))
        await user.press("l")
        await user.until(lambda: user.sees("yunliao/conversations"))
        (path,) = await write(user, tmp_path)
        (back,) = from_json(path.read_bytes())
        assert back.turns == held.turns
        await user.press("l")
        await user.until(lambda: user.sees("manifest.json") and user.sees("incident"))
        await user.press("h")
        await user.until(lambda: user.sees("yunliao/conversations"))


async def test_secrets_are_taken_out_unless_somebody_wants_them(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.ask(SECRET)
        await export(user)
        assert user.sees("taken out: secret")
        (path,) = await write(user, tmp_path)
        assert "hunter22" not in path.read_text() + path.name
        await user.press("j", "j", "l", "l")
        await user.until(lambda: user.sees("go out with it"))
        paths = await write(user, tmp_path)
        assert any("hunter22" in path.read_text() for path in paths)


async def test_one_question_alone(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.ask("first")
        await user.ask("second")
        await export(user)
        await user.press("enter")
        await user.until(lambda: user.sees("this question and its answer"))
        (path,) = await write(user, tmp_path)
        assert "> second" in path.read_text()
        assert "> first" not in path.read_text()


async def test_several_from_the_list_are_a_bundle(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.ask("first")
        await user.press("f8")
        await user.ask("second")
        await user.press("escape", "escape", "asterisk", "x")
        await user.until(lambda: user.sees("Export 2 conversations") and user.sees("manifest.json"))
        await user.press("G", "enter", *"night", "enter")
        await user.until(lambda: user.sees("night-"))
        await user.press("k", "k", "k", "k", "l")
        await user.until(lambda: user.sees("a folder"))
        paths = await write(user, tmp_path, count=2 + 2 * 3 + 2)
        manifest = json.loads(next(path for path in paths if path.name == "manifest.json").read_text())
        assert manifest["title"] == "night"
        assert len(manifest["conversations"]) == 2


async def test_a_new_conversation_has_nothing_to_export(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.press("escape", "E")
        await user.until(lambda: "There is nothing to export yet." in user.notices())
        assert user.app.screen is user.chat
