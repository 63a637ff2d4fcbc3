"""The ladder of ways to the clipboard, with stand-ins for the tools on PATH, and what is said about each."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from tui.terminal.clipboard import SCREEN_CHUNK, Place, Verdict, copy, osc52, readable_size, save

SSH = {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22", "TERM": "xterm-256color"}


class Bench:
    """A PATH of its own, what the terminal was sent, and what each tool was given."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.exports = folder / "exports"
        self.sent: list[str] = []
        self.folder = folder
        monkeypatch.setenv("PATH", f"{self.bin}:/usr/bin:/bin")
        for name in ("wl-copy", "xclip", "xsel", "pbcopy", "clip.exe", "tmux"):
            self.tool(name, "exit 1")

    def tool(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def keeps(self, name: str) -> Path:
        target = self.folder / f"{name}.got"
        self.tool(name, f"cat > {target}")
        return target

    async def copy(self, text: str, **environ: str) -> Verdict:
        return await copy(text, write=self.sent.append, folder=self.exports, environ=environ)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def payload(sequence: str) -> str:
    return base64.b64decode(sequence.partition("52;c;")[2].partition("\x07")[0]).decode()


async def test_over_ssh_the_terminal_is_sent_osc52_and_copied_is_not_claimed(bench: Bench) -> None:
    got = bench.keeps("wl-copy")
    verdict = await bench.copy("select 1; -- 云", **SSH, WAYLAND_DISPLAY="wayland-0")
    assert [payload(sequence) for sequence in bench.sent] == ["select 1; -- 云"]
    assert verdict.tried == ("osc52",)
    assert not verdict.confirmed
    assert "not confirmed" in verdict.sentence
    assert "opied" not in verdict.sentence
    assert not got.exists(), "a native tool would fill the clipboard of the server"


async def test_on_this_machine_the_native_tool_is_the_ground_for_saying_copied(bench: Bench) -> None:
    bench.tool("wl-copy", "exit 1")
    got = bench.keeps("xclip")
    verdict = await bench.copy("text", WAYLAND_DISPLAY="wayland-0", DISPLAY=":0", TERM="xterm")
    assert got.read_text() == "text"
    assert verdict.confirmed
    assert verdict.sentence == "Copied to the clipboard with xclip, 4 bytes."
    assert verdict.tried == ("wl-copy", "xclip", "osc52")


async def test_tmux_that_passes_on_needs_no_osc52(bench: Bench) -> None:
    target = bench.folder / "tmux.got"
    bench.tool("tmux", f'case "$1" in load-buffer) echo "$@" > {target}; cat >> {target};; *) echo external;; esac')
    verdict = await bench.copy("a\nb", **SSH, TMUX="/tmp/t,1,0")
    assert target.read_text() == "load-buffer -w -\na\nb"
    assert verdict.tried == ("tmux",)
    assert bench.sent == []
    assert "does not confirm" in verdict.sentence


async def test_tmux_with_set_clipboard_off_says_so_and_tries_osc52_besides(bench: Bench) -> None:
    bench.tool("tmux", 'case "$1" in load-buffer) cat > /dev/null;; *) echo off;; esac')
    verdict = await bench.copy("text", **SSH, TMUX="/tmp/t,1,0")
    assert verdict.tried == ("tmux", "osc52")
    assert "set-clipboard is off" in verdict.sentence
    assert payload(bench.sent[0]) == "text"
    assert "\x1bPtmux;\x1b\x1b]52;c;" in bench.sent[0]


async def test_an_old_tmux_without_w_still_gets_the_text(bench: Bench) -> None:
    target = bench.folder / "tmux.got"
    bench.tool("tmux", f'[ "$1 $2" = "load-buffer -" ] && cat > {target}')
    verdict = await bench.copy("text", **SSH, TMUX="/tmp/t,1,0")
    assert target.read_text() == "text"
    assert verdict.tried == ("tmux", "osc52")


async def test_what_is_too_long_for_the_terminal_goes_to_a_private_file(bench: Bench) -> None:
    text = "x" * 60_000
    verdict = await bench.copy(text, **SSH)
    assert bench.sent == []
    assert verdict.path is not None
    assert verdict.path.read_text() == text
    assert stat.S_IMODE(verdict.path.stat().st_mode) == 0o600
    assert str(verdict.path) in verdict.sentence
    assert verdict.tried == ("file",)


async def test_a_tool_that_hangs_is_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.terminal.clipboard.PATIENCE", 0.1)
    bench.tool("wl-copy", "exec sleep 60")
    verdict = await bench.copy("text", WAYLAND_DISPLAY="wayland-0", TERM="xterm")
    assert not verdict.confirmed
    assert "osc52" in verdict.tried


async def test_nothing_to_copy(bench: Bench) -> None:
    assert (await bench.copy("")).tried == ()
    assert bench.sent == []


async def test_a_lone_surrogate_does_not_break_the_copy(bench: Bench) -> None:
    await bench.copy("a\ud800b", **SSH)
    assert payload(bench.sent[0]) == "a?b"


def test_screen_gets_pieces_that_it_can_hold() -> None:
    encoded = base64.b64encode(b"y" * 2000).decode()
    sequence = osc52(encoded, Place.of({"TERM": "screen.xterm", "STY": "1.pts"}))
    pieces = sequence.split("\x1bP")[1:]
    assert all(piece.endswith("\x1b\\") and len(piece) <= SCREEN_CHUNK + 2 for piece in pieces)
    assert "".join(piece[:-2] for piece in pieces) == f"\x1b]52;c;{encoded}\x07"


def test_behind_an_unknown_multiplexer_every_wrapping_is_sent() -> None:
    sequence = osc52("eA==", Place.of({"TERM": "screen-256color", "SSH_TTY": "/dev/pts/1"}))
    assert sequence.startswith("\x1b]52;c;eA==\x07")
    assert "\x1bPtmux;" in sequence
    assert "\x1bP\x1b]52;" in sequence


async def test_files_never_overwrite_and_keep_to_their_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "exports"
    first = await save("1", folder, "../../answer.sql")
    second = await save("2", folder, "../../answer.sql")
    assert (first.parent, second.parent) == (folder, folder)
    assert (first.read_text(), second.read_text()) == ("1", "2")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1234, "1.2 KB"), (2_500_000, "2.5 MB")]
)
def test_sizes_are_readable(size: int, text: str) -> None:
    assert readable_size(size) == text
