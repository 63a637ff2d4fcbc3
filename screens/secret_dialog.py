"""Asking for a secret: what is typed is shown as dots and goes nowhere but into the answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from screens.dialogs import Dialog
from tui.services.keys import Secret
from tui.words import _


class SecretDialog(Dialog[Secret]):
    """The answer is the secret, an empty one where nothing was typed, None where it was left with Esc."""

    def __init__(self, title: str, lines: Sequence[str], held: bool = False) -> None:
        """`held`: there is one already, which nothing typed takes away."""
        note = _("There is one; Enter without a text takes it away.") if held else ""
        hints = [("Enter", _("take")), ("Esc", _("cancel"))]
        super().__init__(title, [*lines, note] if note else lines, hints)

    def body(self) -> Iterable[Widget]:
        yield Input(password=True, id="secret")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(Secret(event.value.strip()))
