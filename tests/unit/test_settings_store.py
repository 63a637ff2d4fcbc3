"""Writing the settings file, where values come from, and the help texts of the fields."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from tui.options import Options
from tui.settings import Settings, SettingsError, load_settings, setting_help, setting_origins, store_settings

WRITTEN = """\
# mine, since 2026
theme = "light"  # the office is bright

# keys
[keys]
"composer.edit" = "ctrl+g"

[profiles.ops]  # the real thing
environment = "prod"
"""


def test_comments_order_and_tables_stay(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(WRITTEN, "utf-8")
    store_settings(path, {"theme": "dark", "language": "zh", "ascii": True})
    text = path.read_text("utf-8")
    for comment in ("# mine, since 2026", "# the office is bright", "# keys", "# the real thing"):
        assert comment in text
    settings = load_settings(path)
    assert (settings.theme, settings.language, settings.ascii) == ("dark", "zh", True)
    assert settings.for_profile("ops").environment == "prod"
    assert settings.keys == {"composer.edit": "ctrl+g"}


def test_a_default_is_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(WRITTEN, "utf-8")
    store_settings(path, {"theme": "auto"})
    assert "theme" not in path.read_text("utf-8")
    assert load_settings(path).theme == "auto"


def test_a_new_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "config" / "yunliao" / "settings.toml"
    before = os.umask(0)
    try:
        store_settings(path, {"mouse": "off"})
    finally:
        os.umask(before)
    assert load_settings(path).mouse == "off"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["settings.toml"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "yunliao.toml"
    real.parent.mkdir()
    real.write_text(WRITTEN, "utf-8")
    path = tmp_path / "settings.toml"
    path.symlink_to(real)
    store_settings(path, {"theme": "dark"})
    assert path.is_symlink()
    assert load_settings(real).theme == "dark"


@pytest.mark.parametrize("changes", [{"bandwidth": "fast"}, {"colour": "dark"}, {"ascii": "yes"}])
def test_a_wrong_value_writes_nothing(tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(WRITTEN, "utf-8")
    with pytest.raises(SettingsError):
        store_settings(path, changes)
    assert path.read_text("utf-8") == WRITTEN


@pytest.mark.parametrize("content", [b"theme = [", b"\xff\xfe"])
def test_a_broken_file_is_never_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError):
        store_settings(path, {"theme": "dark"})
    assert path.read_bytes() == content


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(WRITTEN, "utf-8")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store_settings(path, {"theme": "dark"})
    assert path.read_text("utf-8") == WRITTEN
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["settings.toml"]


def test_where_values_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('theme = "light"\nregion = "cn-beijing"\nlanguage = "zh"\n', "utf-8")
    monkeypatch.setenv("YUNLIAO_REGION", "cn-shanghai")
    origins = setting_origins(path, Options(language="en"))
    assert list(origins) == [entry.name for entry in fields(Settings)]
    assert origins["theme"] == "file"
    assert origins["region"] == "environment"
    assert origins["language"] == "flag"
    assert origins["mouse"] == "default"


def test_a_file_that_was_broken_since_the_start_has_no_values(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("theme = [")
    assert setting_origins(path, Options(language="en"))["theme"] == "default"


def test_a_wrong_value_of_the_environment_is_said_of_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YUNLIAO_BANDWIDTH", "fast")
    with pytest.raises(SettingsError, match=r"^YUNLIAO_BANDWIDTH: bandwidth is fast; allowed: auto, full, low"):
        load_settings(tmp_path / "settings.toml")


def test_every_setting_has_a_help_text() -> None:
    texts = setting_help()
    wanted = {entry.name for entry in fields(Settings)} - {"profiles"}
    assert wanted <= texts.keys()
    assert texts["send"] == "The key that sends; the other one makes a newline."
