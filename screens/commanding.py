"""The part of the chat that takes commands: `/` at the start of the composer. What they do comes with the first one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.widgets import TextArea

from screens.forking import ForkingScreen

if TYPE_CHECKING:
    from screens.slash_commands import Commander

SIGNS = ("/", "$")


class CommandingScreen(ForkingScreen):
    """A screen whose composer takes commands, listed above it while one is typed."""

    _commander: Commander | None = None

    def on_mount(self) -> None:
        self.composer.keys_first = self._take_menu_key

    @on(TextArea.Changed, "#composer")
    def _command_changed(self) -> None:
        if self._commander is not None or self.composer.text.startswith(SIGNS):
            self._commands().show()

    def _commands(self) -> Commander:
        if self._commander is None:
            from screens.slash_commands import Commander

            self._commander = Commander(self)
        return self._commander

    @property
    def lists_commands(self) -> bool:
        """A command is typed, and listed."""
        return self._commander is not None and self._commander.lists

    def menu_changed(self) -> None:
        """Told when the list of commands may have opened or closed."""
        raise NotImplementedError

    def _take_menu_key(self, key: str) -> bool:
        """A key of the composer; whether it was meant for the list."""
        return self._commander is not None and self._commander.take_key(key)

    def take_command(self, text: str) -> bool:
        """`text` was sent from the composer: whether it was a command. Everything else is a question, unchanged."""
        return text.startswith(SIGNS) and self._commands().take(text)
