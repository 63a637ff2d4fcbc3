"""The end of the program: whatever ends it, the terminal is given back as it was found.

A full-screen program changes modes of the terminal (alternate screen, mouse, focus and paste reports, margins,
keyboard protocol) and of its line discipline (echo, line mode). `Lifecycle` undoes them once, on whichever path
comes first: normal exit, an exception, SIGTERM, SIGHUP, SIGINT or `atexit`. After SIGKILL nothing of the program
is left to do it; `reset_terminal` is for that, as `yunliao --reset-terminal`.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import signal
import stat
import termios
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

TerminalAttributes = list[Any]
"""What `termios.tcgetattr` returns."""

EXIT_CODES = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}
"""By the convention of shells: 128 and the number of the signal."""

DEADLINE = 0.7
"""Seconds that an orderly end may take after a signal; then the process ends where it stands."""

RESET = "".join(
    (
        "\x1b\\",  # ends a control string that was cut off; ESC alone aborts any other sequence
        "\x1b[?2026l",  # synchronized output
        "\x1b[?69l",  # left and right margins
        "\x1b[<u",  # kitty keyboard protocol; its stack belongs to the alternate screen, so before leaving that
        "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l",  # mouse
        "\x1b[?1004l\x1b[?2004l\x1b[?2048l",  # focus, paste and resize reports
        "\x1b[?1l\x1b>\x1b[4l\x1b[?6l",  # cursor keys, keypad, insert and origin mode
        # 1049 restores the saved cursor even on the main screen: save it, so that it stays where it is there.
        "\x1b7\x1b[?1049l",
        "\x1b7\x1b[r\x1b8",  # DECSTBM homes the cursor
        "\x1b(B\x0f\x1b[?7h\x1b[?25h\x1b[0m",  # character set, wrap, cursor, pen
    )
)
"""Undoes every mode that the program, Textual and what the program starts may leave behind."""


def write_without_waiting(fd: int, data: bytes) -> bool:
    """Write `data` to the terminal that `fd` is open on; True when all of it was taken.

    Never blocks and never raises: a terminal whose line has dropped answers EIO, one whose line has stalled
    would block for ever. What had piled up before a stall is thrown away to make room.
    """
    try:
        # A file description of its own: O_NONBLOCK on the inherited one would also be the shell's.
        own = os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return False
    try:
        for _attempt in range(2):
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(own, data) :]
            if not data:
                return True
            termios.tcflush(own, termios.TCOFLUSH)
    except (OSError, termios.error):
        pass
    finally:
        os.close(own)
    return False


def sane(attributes: TerminalAttributes) -> TerminalAttributes:
    """`attributes` of a line discipline with what a shell expects: line mode, echo, signals (as `stty sane`)."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, cc = attributes
    iflag |= termios.BRKINT | termios.ICRNL | termios.IXON
    iflag &= ~(termios.INLCR | termios.IGNCR)
    oflag |= termios.OPOST | termios.ONLCR
    lflag |= termios.ISIG | termios.ICANON | termios.IEXTEN | termios.ECHO | termios.ECHOE | termios.ECHOK
    return [iflag, oflag, cflag, lflag, ispeed, ospeed, cc]


def reset_terminal() -> bool:
    """Give the controlling terminal back its usual modes; for use after a crash. False when there is none."""
    try:
        fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return False
    try:
        write_without_waiting(fd, RESET.encode())
        with contextlib.suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSANOW, sane(termios.tcgetattr(fd)))
    finally:
        os.close(fd)
    return True


class Lifecycle:
    """Ends the program in order when a signal asks for it, and restores the terminal on every path, once.

    `on_hangup` is called once, on the event loop when that still runs, and else from a watching thread; it must
    bring what is in memory to disk within a few hundred milliseconds, and not touch the terminal. `stop` asks the
    app to end, with an exit code.
    """

    def __init__(self, on_hangup: Callable[[], None], stop: Callable[[int], None], *, deadline: float = DEADLINE):
        self.exit_code = 0
        """What the process should exit with: 0 but after a signal."""
        self._on_hangup = on_hangup
        self._stop = stop
        self._deadline = deadline
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fd: int | None = None
        self._attributes: TerminalAttributes | None = None
        self._mute: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._flushed = False
        self._previous: dict[signal.Signals, Any] = {}

    def install(self) -> None:
        """Take SIGTERM, SIGHUP and SIGINT. Only the main thread may; a signal that is ignored (nohup) stays so."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in EXIT_CODES:
            if (previous := signal.getsignal(number)) is not signal.SIG_IGN:
                self._previous[number] = previous
                # Not loop.add_signal_handler: this one also runs while the loop is busy or blocked on a lock.
                signal.signal(number, self._handle)
        atexit.register(self.restore)

    def uninstall(self) -> None:
        """Give the signals back to whoever had them."""
        for number, previous in self._previous.items():
            signal.signal(number, previous)
        self._previous.clear()
        atexit.unregister(self.restore)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say which loop the app runs on."""
        self._loop = loop

    def entered(self, fd: int, attributes: TerminalAttributes | None, mute: Callable[[], None]) -> None:
        """The terminal's modes are about to change. `mute` stops all further output but what is given here."""
        self._fd, self._attributes, self._mute = fd, attributes, mute

    def left(self) -> None:
        """The terminal's modes were restored in the usual way (exit, suspension)."""
        self._fd = None

    def restore(self) -> None:
        """Restore the terminal now, if its modes are changed. Idempotent, never blocks, never raises."""
        with self._lock:
            fd, self._fd = self._fd, None
        if fd is None:
            return
        self._mute()
        write_without_waiting(fd, RESET.encode())
        if self._attributes is not None:
            with contextlib.suppress(termios.error, OSError):
                termios.tcsetattr(fd, termios.TCSANOW, self._attributes)

    def hang_up(self) -> None:
        """End as on SIGHUP: the terminal is gone. From any thread."""
        self._end(signal.SIGHUP)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._end(signal.Signals(number))

    def _end(self, number: signal.Signals) -> None:
        if self.exit_code:
            return
        self.exit_code = EXIT_CODES[number]
        threading.Thread(target=self._watch, name="end-watch", daemon=True).start()
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._end_in_order, number)

    def _end_in_order(self, number: signal.Signals) -> None:
        self._flush()
        self.restore()
        if number == signal.SIGHUP:
            _forget_terminal()
        self._stop(self.exit_code)

    def _flush(self) -> None:
        with self._lock:
            flushed, self._flushed = self._flushed, True
        if not flushed:
            # The process ends in any case; the terminal must still be restored.
            with contextlib.suppress(Exception):
                self._on_hangup()

    def _watch(self) -> None:
        """End the process where it stands when it has not ended in order in time."""
        if self._loop is not None:
            threading.Event().wait(self._deadline)
        self._flush()
        self.restore()
        os._exit(self.exit_code)


def _forget_terminal() -> None:
    """Put /dev/null where the dead terminal was, so that late writes neither fail nor change the exit code."""
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            # Not isatty: a terminal that is gone answers EIO to that, and is a character device still.
            if stat.S_ISCHR(os.fstat(fd).st_mode):
                os.dup2(null, fd)
        if null > 2:
            os.close(null)
