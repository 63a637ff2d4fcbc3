"""The whole app on a pty, against its sandbox: what reaches the terminal and what is left of it at the end."""

from __future__ import annotations

import re
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.pty.terminal import Terminal
from tests.pty.test_lifecycle import assert_bare, assert_given_back

SIZES = [(120, 40), (80, 24)]

# What the painter sends: nothing that sets a title, a clipboard, a palette or asks for a report beyond its own.
_KNOWN = re.compile(
    r"\x1b\[[0-9;]*[ABCDGHJKSTXbmrd]|\x1b\[\?(?:25|69|2026)[hl]|\x1b\[\d+;\d+s|\x1b[78]|\x1b\[5n|[\r\n\b]"
)


@pytest.fixture(params=[(), ("--plain-display",)], ids=["painted", "plain"])
def display(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The flags for the painter, and for Textual's own painting."""
    flags: tuple[str, ...] = request.param
    return flags


def start(folder: Path, size: tuple[int, int] = (120, 40), *flags: str, margins: bool = False) -> Terminal:
    """The app, without its bell: a bell in the output is then somebody else's."""
    settings = folder / "data" / "config" / "settings.toml"
    if not settings.exists():
        settings.parent.mkdir(mode=0o700, parents=True)
        settings.write_text('notify = "off"\n')
        settings.chmod(0o600)
    command = [sys.executable, "-m", "tui", "--sandbox", "--data-dir", str(folder / "data"), *flags]
    terminal = Terminal(command, size=size, environ={"LANG": "C.UTF-8"}, margins=margins)
    terminal.until_text("SANDBOX", 60)
    return terminal


def ask(terminal: Terminal, question: str) -> None:
    terminal.send(question)
    terminal.until_text(question)
    terminal.send("\r")


def until_quiet(terminal: Terminal, seconds: float = 1.5) -> None:
    """Until the terminal has received nothing for so long."""
    quiet_since = time.monotonic()
    deadline = quiet_since + 60
    while time.monotonic() - quiet_since < seconds:
        assert time.monotonic() < deadline, "the program never comes to rest"
        if terminal.pump(0.1):
            quiet_since = time.monotonic()


def resize(terminal: Terminal, size: tuple[int, int]) -> None:
    terminal.resize(*size)
    terminal.until(lambda: "SANDBOX" in terminal.screen.lines[0], "the first row of the new size")
    until_quiet(terminal)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(
    "flags", [(), ("--plain-display",), ("--low",)], ids=lambda flags: " ".join(flags) or "painted"
)
def test_a_question_is_answered_and_the_end_is_clean(
    tmp_path: Path, size: tuple[int, int], flags: tuple[str, ...]
) -> None:
    with start(tmp_path, size, *flags) as terminal:
        ask(terminal, "echo 主从延迟 is the answer")
        terminal.until(
            lambda: sum("is the answer" in line for line in terminal.screen.lines) >= 2, "question and answer"
        )
        until_quiet(terminal)
        terminal.send("\x11")
        assert terminal.wait() == 0
        assert_given_back(terminal)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["term", "hup"])
def test_a_signal_in_mid_answer(tmp_path: Path, number: signal.Signals, code: int, display: tuple[str, ...]) -> None:
    with start(tmp_path, (120, 40), *display) as terminal:
        ask(terminal, "bench 20")
        terminal.until_text("Findings")
        terminal.process.send_signal(number)
        assert terminal.wait(20) == code
        assert_given_back(terminal)
        assert b"Traceback" not in terminal.output


def test_after_a_kill_the_next_start_works_and_the_reset_helps(tmp_path: Path, display: tuple[str, ...]) -> None:
    with start(tmp_path, (120, 40), *display) as terminal:
        ask(terminal, "bench 20")
        terminal.until_text("Findings")
        terminal.process.kill()
        terminal.wait()
    reset = [sys.executable, "-m", "tui", "--reset-terminal"]
    with Terminal(reset) as terminal:
        assert terminal.wait() == 0
        assert_bare(terminal)
    with start(tmp_path, (120, 40), *display) as terminal:
        terminal.until_text("bench 20")


@pytest.mark.parametrize("margins", [True, False])
def test_hostile_text_does_not_reach_the_terminal_as_anything_but_text(
    tmp_path: Path, margins: bool, display: tuple[str, ...]
) -> None:
    with start(tmp_path, (120, 40), *display, margins=margins) as terminal:
        until_quiet(terminal)
        before = len(terminal.output)
        ask(terminal, "hostile")
        until_quiet(terminal, 2.5)
        for key in ("\x1b", "\x1b[5~", "\x1b[5~", "G", "g", "a", "i", "\x1b"):
            terminal.send(key)
            until_quiet(terminal, 0.5)
        text = _KNOWN.sub("", bytes(terminal.output[before:]).decode())
        odd = [
            text[max(0, place - 80) : place + 40]
            for place, character in enumerate(text)
            if not character.isprintable() and character not in "\u200d\u3000"
        ]
        assert odd == []
        assert terminal.process.poll() is None


def test_at_rest_nothing_is_sent(tmp_path: Path, display: tuple[str, ...]) -> None:
    with start(tmp_path, (120, 40), *display) as terminal:
        ask(terminal, "echo done")
        until_quiet(terminal, 2.0)
        before = len(terminal.output)
        for _look in range(30):
            terminal.pump(0.1)
        assert terminal.output[before:] == b""


def test_a_resize_leaves_the_screen_whole(tmp_path: Path, display: tuple[str, ...]) -> None:
    with start(tmp_path, (120, 40), *display) as terminal:
        ask(terminal, "table 12")
        until_quiet(terminal)
        for size in ((80, 24), (100, 30), (120, 40)):
            resize(terminal, size)
        terminal.send("\x0c")
        until_quiet(terminal)
        redrawn = terminal.screen.lines
        resize(terminal, (90, 30))
        resize(terminal, (120, 40))
        assert terminal.screen.lines == redrawn


def test_an_answer_alone_on_the_terminal(tmp_path: Path, display: tuple[str, ...]) -> None:
    with start(tmp_path, (80, 24), *display) as terminal:
        ask(terminal, "echo 主从延迟 is the answer")
        terminal.until(lambda: sum("is the answer" in line for line in terminal.screen.lines) >= 2, "the answer")
        until_quiet(terminal)
        terminal.send("\x1b")
        until_quiet(terminal)
        terminal.send("v")
        terminal.until_text("(Enter goes back)")
        # Bare, on the terminal's own screen: neither gutter nor padding, and nothing of the app in between.
        given = bytes(terminal.output).rpartition(b"\x1b[?1049l")[2].decode()
        text = re.sub(r"\x1b\[[0-9;?<>=]*[a-zA-Z]|\x1b[78=>]", "", given)
        assert text.split("\r\n")[:3] == ["主从延迟 is the answer", "", "(Enter goes back)"]
        terminal.send("\r")
        terminal.until_text("SANDBOX")
        until_quiet(terminal)
        terminal.send("\x11")
        assert terminal.wait() == 0
        assert_given_back(terminal)


def test_what_came_while_an_editor_was_open_is_shown_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, display: tuple[str, ...]
) -> None:
    editor = tmp_path / "editor"
    # Leaves when the answer is on disk as a whole.
    editor.write_text(f"#!/bin/sh\nuntil grep -rqs 'kind = \"answer\"' '{tmp_path}/data'; do sleep 0.1; done\n")
    editor.chmod(0o700)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    words = " ".join(f"word{number}" for number in range(150))
    with start(tmp_path, (120, 40), *display) as terminal:
        terminal.send(f"echo {words} end-of-it")
        terminal.until_text("end-of-it")
        terminal.send("\r")
        terminal.until(lambda: sum("word9" in line for line in terminal.screen.lines) >= 2, "the answer begins")
        terminal.send("\x0f")
        terminal.until(lambda: terminal.output.count(b"\x1b[?1049h") == 2, "the app again", 60)
        until_quiet(terminal)
        shown = terminal.screen.lines
        terminal.send("\x0c")
        until_quiet(terminal)
        assert shown == terminal.screen.lines
        assert any("end-of-it" in line for line in shown)


def test_figures_at_the_end(tmp_path: Path) -> None:
    with start(tmp_path, (80, 24), "--stats") as terminal:
        ask(terminal, "echo done")
        until_quiet(terminal)
        terminal.send("\x11")
        assert terminal.wait() == 0
        told = bytes(terminal.output).rpartition(b"\x1b[?1049l")[2].decode()
        assert "bytes written for a byte of an answer: " in told
        assert "round trip" in told
