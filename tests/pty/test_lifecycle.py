"""The terminal is given back as it was found, whatever ends the program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.pty.terminal import ROOT, Terminal, app

BARE = {"1049": False, "25": True, "1000": False, "1003": False, "1006": False, "1004": False, "2004": False, "7": True}
"""What a shell expects of the private modes."""


@pytest.fixture
def flushed(tmp_path: Path) -> Path:
    return tmp_path / "flushed"


def start(flushed: Path, *arguments: str, answers: bool = True) -> Terminal:
    terminal = Terminal([*app("plain"), *arguments], environ={"YUNLIAO_TEST_FILE": str(flushed)}, answers=answers)
    terminal.until_text("ready")
    return terminal


def assert_bare(terminal: Terminal) -> None:
    modes = terminal.modes()
    assert not modes["1049"], "nothing was restored"
    assert {mode: modes[mode] for mode in BARE if mode in modes} == {mode: BARE[mode] for mode in BARE if mode in modes}


def assert_given_back(terminal: Terminal) -> None:
    assert_bare(terminal)
    assert terminal.attributes() == terminal.before


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)], ids=["term", "hup", "int"]
)
@pytest.mark.parametrize("mouse", ["--mouse", ""])
def test_a_signal_flushes_restores_and_ends_with_its_code(
    flushed: Path, number: signal.Signals, code: int, mouse: str
) -> None:
    with start(flushed, mouse) as terminal:
        assert terminal.modes()["1049"]
        assert terminal.attributes() != terminal.before
        began = time.monotonic()
        terminal.process.send_signal(number)
        assert terminal.wait() == code
        assert time.monotonic() - began < 5, "the end is bounded"
        assert flushed.read_text() == "flushed"
        assert_given_back(terminal)


def test_a_busy_event_loop_does_not_keep_the_program_alive(flushed: Path) -> None:
    with start(flushed) as terminal:
        terminal.send("hang\r")
        terminal.until(flushed.with_suffix(".busy").exists, "the event loop is busy")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.wait(10) == 143
        assert flushed.read_text() == "flushed"
        assert_given_back(terminal)


def test_a_terminal_that_takes_nothing_does_not_keep_the_program_alive(flushed: Path) -> None:
    with start(flushed) as terminal:
        termios.tcflow(terminal.slave, termios.TCOOFF)
        terminal.send("x" * 200)
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(10) == 143
        assert flushed.read_text() == "flushed"
        termios.tcflow(terminal.slave, termios.TCOON)
        assert terminal.attributes() == terminal.before


def test_a_line_that_drops_ends_the_program_in_order(flushed: Path) -> None:
    with start(flushed) as terminal:
        # The kernel sends SIGHUP to the session as the last master is closed; every write fails from then on.
        os.close(terminal.slave)
        os.close(terminal.master)
        assert terminal.process.wait(10) == 129
        assert flushed.read_text() == "flushed"


def test_a_line_that_drops_without_a_signal_is_seen_too(flushed: Path) -> None:
    ignoring = "import runpy, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
    running = "runpy.run_module('tests.pty.apps.plain', run_name='__main__')"
    with Terminal([sys.executable, "-c", ignoring + running], environ={"YUNLIAO_TEST_FILE": str(flushed)}) as terminal:
        terminal.until_text("ready")
        os.close(terminal.slave)
        os.close(terminal.master)
        assert terminal.process.wait(10) == 129
        assert flushed.read_text() == "flushed"


def test_quitting_restores(flushed: Path) -> None:
    with start(flushed) as terminal:
        terminal.send("quit\r")
        assert terminal.wait() == 0
        assert not flushed.exists()
        assert_given_back(terminal)


def test_an_exception_restores_and_is_shown(flushed: Path) -> None:
    with start(flushed) as terminal:
        terminal.send("raise\r")
        assert terminal.wait() == 1
        assert_given_back(terminal)
        assert b"a mistake in the program" in terminal.output


def test_a_terminal_that_never_answers_is_no_obstacle(flushed: Path) -> None:
    with start(flushed, answers=False) as terminal:
        terminal.send("quit\r")
        assert terminal.wait() == 0
        assert_given_back(terminal)


def test_the_reset_after_a_crash(flushed: Path) -> None:
    with start(flushed, "--mouse") as terminal:
        terminal.process.send_signal(signal.SIGKILL)
        terminal.wait()
        assert terminal.modes()["1049"]
        assert not terminal.attributes()[3] & termios.ECHO
        script = "from tui.terminal.lifecycle import reset_terminal; raise SystemExit(not reset_terminal())"
        code = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);" + script
        terminal.process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=terminal.slave, cwd=ROOT, start_new_session=True
        )
        assert terminal.wait() == 0
        assert_bare(terminal)
        input_flags, output_flags, _, local_flags = terminal.attributes()[:4]
        assert input_flags & termios.ICRNL
        assert output_flags & termios.OPOST
        assert local_flags & termios.ECHO
        assert local_flags & termios.ICANON
        assert local_flags & termios.ISIG
