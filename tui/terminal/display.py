"""Ties the painter to Textual: what the compositor made goes to the terminal as the difference to what it shows.

Together with `driver` the only module that knows names which Textual keeps to itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from tui.terminal.capabilities import Capabilities, ModeReport, Reply
from tui.terminal.driver import TerminalDriver
from tui.terminal.lifecycle import Lifecycle

ReturnType = TypeVar("ReturnType")


class PaintedDisplay(App[ReturnType]):
    """An app that owns its terminal: `class YunliaoApp(PaintedDisplay[None])`.

    `plain` leaves all painting to Textual. `on_hangup` is what `Lifecycle` calls when a signal ends the program.
    """

    def __init__(self, *args: Any, plain: bool = False, **kwargs: Any) -> None:
        self.plain = plain
        self.capabilities = Capabilities.of(os.environ)
        self.lifecycle = Lifecycle(self._hang_up, self._stop_for_signal)
        super().__init__(*args, **kwargs)

    def on_hangup(self) -> None:
        """Bring what is in memory to disk, within a few hundred milliseconds; the program is about to end."""

    def get_driver_class(self) -> type[Driver]:
        wanted = super().get_driver_class()
        return TerminalDriver if wanted is LinuxDriver else wanted

    # --- what the driver calls ----------------------------------------------------------------------------

    def terminal_started(self) -> None:
        """The terminal is in application mode, for the first time or again."""

    def terminal_reply(self, reply: Reply, at: float) -> None:
        """The terminal has answered, at `at` on the monotonic clock."""
        if isinstance(reply, ModeReport):
            self.capabilities = self.capabilities.with_mode(reply.mode, reply.setting)

    def terminal_cursor_report(self, row: int, column: int) -> None:
        """The terminal has said where its cursor is; both count from 1."""
        self.capabilities = self.capabilities.with_cursor(row, column)

    def terminal_farewell(self) -> str:
        """What undoes the modes that the painter has set."""
        return ""

    def terminal_key(self, at: float) -> None:
        """A key has arrived; called from the input thread."""

    def _hang_up(self) -> None:
        self.on_hangup()

    def _stop_for_signal(self, exit_code: int) -> None:
        self.exit(return_code=exit_code)


Flush = Callable[[], None]
