"""Where files go, in each of the homes that people have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tui import paths

HOME_VARIABLES = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "XDG_DOWNLOAD_DIR")


@pytest.fixture(autouse=True)
def _no_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in HOME_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def everything(found: paths.Paths) -> list[Path]:
    return [path for path in (found.config, found.state, found.cache, found.downloads) if path is not None]


def test_by_default_the_xdg_folders_of_the_home() -> None:
    found = paths.resolve()
    home = Path.home()
    assert found.state == home / ".local/state/yunliao"
    assert found.settings == home / ".config/yunliao/settings.toml"
    assert found.cache == home / ".cache/yunliao"
    assert found.downloads.is_relative_to(home)
    assert found.runtime is None


def test_nothing_is_made() -> None:
    paths.resolve()
    assert list(Path.home().iterdir()) == []


def test_the_xdg_variables_are_obeyed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    found = paths.resolve()
    assert found.state == tmp_path / "s/yunliao"
    assert found.settings == tmp_path / "c/yunliao/settings.toml"


def test_a_data_folder_holds_all_that_is_written(tmp_path: Path) -> None:
    found = paths.resolve(tmp_path / "data")
    assert all(path.is_relative_to(tmp_path / "data") for path in everything(found))
    assert len(set(everything(found))) == 4
    assert found.runtime is None


def test_the_flag_wins_over_the_variable_and_the_variable_over_xdg(tmp_path: Path) -> None:
    environ = {"YUNLIAO_DATA_DIR": str(tmp_path / "variable"), "XDG_STATE_HOME": str(tmp_path / "xdg")}
    assert paths.resolve(tmp_path / "flag", environ).state == tmp_path / "flag/state"
    assert paths.resolve(None, environ).state == tmp_path / "variable/state"


def test_a_data_folder_may_be_relative_or_in_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert paths.resolve(Path("here")).state == tmp_path / "here/state"
    assert paths.resolve(Path("~/there")).state == Path.home() / "there/state"


def test_a_home_that_is_not_there_is_not_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "missing"))
    assert paths.resolve().state is None
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert paths.resolve().state == tmp_path / "state/yunliao"


def test_without_a_home_no_folder_is_relative_to_where_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_name: str) -> str:
        return "~"

    monkeypatch.setattr("os.path.expanduser", nobody)
    found = paths.resolve(environ={})
    assert found.state is None
    assert all(path.is_absolute() for path in everything(found))


def test_the_runtime_folder_stands_in_when_it_is_there(tmp_path: Path) -> None:
    assert paths.resolve(environ={"XDG_RUNTIME_DIR": str(tmp_path)}).runtime == tmp_path / "yunliao"
    assert paths.resolve(environ={"XDG_RUNTIME_DIR": str(tmp_path / "missing")}).runtime is None
    assert paths.resolve(environ={"XDG_RUNTIME_DIR": "relative"}).runtime is None


def test_importing_it_is_cheap() -> None:
    code = "import sys, tui.paths; print('platformdirs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"False\n"
