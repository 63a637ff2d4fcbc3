"""Textual's Linux driver with an output thread of our own, replies told from keys, an end for a dead line.

Together with `display` and `field` the only module that knows names which Textual keeps to itself;
tests/unit/test_textual_names.py lists them and fails when one is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import sys
import termios
import threading
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.keys import Keys
from textual.message import Message

from tui.terminal.capabilities import Capabilities, Reply, StatusReport, parse_reply, probes
from tui.terminal.lifecycle import Lifecycle
from tui.terminal.output import Output

LAST_REPLY_PATIENCE = 0.4
"""Seconds that the end waits for an answer which is under way: it would otherwise be typed into the shell."""


class TerminalHost(Protocol):
    """What the driver expects of the app. All but `terminal_key` are called on the event loop."""

    lifecycle: Lifecycle
    capabilities: Capabilities

    def terminal_started(self) -> None: ...
    def terminal_reply(self, reply: Reply, at: float) -> None: ...
    def terminal_cursor_report(self, row: int, column: int) -> None: ...
    def terminal_farewell(self) -> str: ...
    def terminal_key(self, at: float) -> None: ...


class ReplyParser(XTermParser):
    """Takes the terminal's reports out of its input: Textual would take most of them for keys, one by one."""

    def __init__(self, on_reply: Callable[[Reply], None], debug: bool = False) -> None:
        self._on_reply = on_reply
        super().__init__(debug)

    @property
    def waiting(self) -> bool:
        """In the middle of a sequence that may also be a lone Esc."""
        return self._timeout_time is not None

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if sequence.startswith("\x1b[") and (reply := parse_reply(sequence)) is not None:
            self._on_reply(reply)
            # Textual asks for modes too, and understands the answers.
            if isinstance(reply, StatusReport) or reply.mode == 69:
                return (events.Key(Keys.Ignore, sequence),)
        return super()._sequence_to_key_events(sequence, alt)


class TerminalDriver(LinuxDriver):
    """The driver of an app that is a `TerminalHost`."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        assert sys.__stderr__ is not None
        self.output = Output(sys.__stderr__.fileno())
        self._asked = 0
        self._answered = threading.Condition()

    @property
    def host(self) -> TerminalHost:
        """The app, as what this driver needs of it."""
        host: TerminalHost = self._app  # type: ignore[assignment]
        return host

    def write(self, data: str) -> None:
        self.output.write(data)

    def ask(self, query: str) -> None:
        """Send a question that one status report answers."""
        with self._answered:
            self._asked += 1
        self.write(query)

    def start_application_mode(self) -> None:
        attributes = None
        with contextlib.suppress(termios.error):
            attributes = termios.tcgetattr(self.fileno)
        self.host.lifecycle.attach(asyncio.get_running_loop())
        self.host.lifecycle.entered(self.output.fd, attributes, self.output.mute)
        self.output.start()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self.input_tty and (questions := probes(self.host.capabilities, os.environ)):
            self.ask(questions)
        self.host.terminal_started()

    def stop_application_mode(self) -> None:
        with self._answered:
            self._answered.wait_for(lambda: self._asked == 0, LAST_REPLY_PATIENCE)
            self._asked = 0
        self.write(self.host.terminal_farewell())
        super().stop_application_mode()

    def close(self) -> None:
        super().close()
        self.output.stop()
        self.host.lifecycle.left()

    def run_input_thread(self) -> None:
        parser = ReplyParser(self._on_reply, self._debug)
        # Not strict: a byte that is not UTF-8 is one wrong character, not the end of the program.
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(0.01 if parser.waiting else 0.1):
                    try:
                        data = os.read(self.fileno, 4096)
                    except OSError:
                        data = b""
                    if not data:
                        # End of input: the line has dropped. Without this the thread would spin.
                        self.host.lifecycle.hang_up()
                        return
                    for message in parser.feed(decode(data)):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)

    def send_message(self, message: Message) -> None:
        # As Textual does it, but without a task for each key.
        self._loop.call_soon_threadsafe(self._app.post_message, message)

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.CursorPosition):
            if message.y == 0:
                self._modified_f3(message.x + 1)
            else:
                self._loop.call_soon_threadsafe(self.host.terminal_cursor_report, message.y + 1, message.x + 1)
            return
        if isinstance(message, events.Key):
            self.host.terminal_key(time.monotonic())
        super().process_message(message)

    def _modified_f3(self, modifier: int) -> None:
        """`CSI 1 ; n R` is a key: nobody here asks for the cursor in the first row."""
        keys = ANSI_SEQUENCES_KEYS.get(f"\x1b[1;{modifier}R")
        if isinstance(keys, tuple):
            for key in keys:
                super().process_message(events.Key(key.value, None))

    def _on_reply(self, reply: Reply) -> None:
        now = time.monotonic()
        if isinstance(reply, StatusReport):
            with self._answered:
                self._asked = max(0, self._asked - 1)
                self._answered.notify_all()
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.host.terminal_reply, reply, now)
