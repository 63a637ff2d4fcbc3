"""The small dialogs of the assistant manager: what each answers to each key, and what it shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from screens.assistant_metadata import MetadataDialog
from screens.assistant_versions import VersionsDialog
from screens.path_dialog import PathDialog
from screens.secret_dialog import SecretDialog
from tests.screens.host import NOW, Host
from tests.screens.test_dialogs import HOSTILE, answer
from tests.unit.test_assistant_files import ADDER
from tui.assistants.files import read_entry, to_table
from tui.assistants.store import Version
from tui.services.keys import Secret
from tui.widgets.path_input import complete_path

PAIRS = {"team": "dba", "stage": "test"}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["w"], PAIRS),
        (["escape"], None),
        (["d", "w"], {"stage": "test"}),
        (["j", "enter", "ctrl+u", "x", "enter", "w"], {"team": "dba", "stage": "x"}),
        (["enter", "ctrl+u", "enter", "w"], {"team": "", "stage": "test"}),
        (["r", "ctrl+u", "o", "enter", "w"], {"o": "dba", "stage": "test"}),
        (["n", "k", "enter", "v", "enter", "w"], {**PAIRS, "k": "v"}),
        (["n", "k", "enter", "escape", "w"], PAIRS),
        (["n", *["k"] * 65, "enter", "v", "enter", "w"], PAIRS),
    ],
)
async def test_metadata(keys: list[str], expected: object) -> None:
    assert await answer(MetadataDialog(PAIRS), *keys) == expected


async def test_metadata_is_full_at_16() -> None:
    pairs = {f"k{number}": "" for number in range(16)}
    assert await answer(MetadataDialog(pairs), "n", "w") == pairs


@pytest.mark.parametrize(
    ("keys", "expected"),
    [(["a", "b", "enter"], Secret("ab")), (["enter"], Secret("")), (["a", "escape"], None)],
)
async def test_secret(keys: list[str], expected: object) -> None:
    assert await answer(SecretDialog("Token", [], held=True), *keys) == expected


async def test_a_path_is_made_whole(tmp_path: Path) -> None:
    assert await answer(PathDialog("From", tmp_path), *"x.toml", "enter") == tmp_path / "x.toml"
    assert await answer(PathDialog("From", tmp_path), "ctrl+u", *"~/x", "enter") == Path.home() / "x"
    assert await answer(PathDialog("From", tmp_path), "ctrl+u", "enter") == "open"


def test_only_fitting_files_are_offered(tmp_path: Path) -> None:
    for name in ("all.toml", "all.txt"):
        (tmp_path / name).write_text("x")
    assert complete_path(f"{tmp_path}/a", (".toml",)) == f"{tmp_path}/all.toml"
    assert complete_path(f"{tmp_path}/all.tx", (".toml",)) is None
    assert complete_path(f"{tmp_path}/all.tx", ()) == f"{tmp_path}/all.txt"


def version(minutes: int, **values: object) -> Version:
    held = replace(ADDER, **values)  # type: ignore[arg-type]  # fields of the assistant
    return Version(NOW - timedelta(minutes=minutes), "saved", read_entry(to_table(held)))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_versions_say_what_differs(size: tuple[int, int]) -> None:
    app = Host()
    versions = [version(1), version(90, name=HOSTILE, instructions="old\ntext")]
    answers: list[Version | None] = []
    async with app.run_test(size=size) as pilot:
        dialog = VersionsDialog("Versions", versions, ADDER, NOW)
        app.push_screen(dialog, answers.append)
        await pilot.pause()
        diff = str(dialog.query_one("#diff-text").render())
        assert "as it is in the form" in diff
        await pilot.press("j")
        await pilot.pause()
        diff = str(dialog.query_one("#diff-text").render())
        assert "+ old" in diff
        assert "- Line" in diff
        await pilot.press("enter")
    assert answers == [versions[1]]
