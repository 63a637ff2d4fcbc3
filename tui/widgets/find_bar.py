"""The line in which the user types what to find; it stays while matches are marked and counts them."""

from __future__ import annotations

from textual import on
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from tui.words import _


class FindBar(Horizontal):
    """Hidden, and empty, until `open`; `close` hides it and forgets the text."""

    DEFAULT_CSS = """
    FindBar {
        display: none;
        height: 1;
        background: $surface;

        #find-caret { width: 3; color: $primary; text-style: bold; }
        #find-text { width: 1fr; padding: 0; background: $surface; }
        #find-count { width: auto; padding: 0 1; color: $muted; text-style: $muted-style; }
    }
    """

    class Changed(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Submitted(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    @property
    def text(self) -> str:
        return self.query_one(Input).value if self.children else ""

    def open(self) -> None:
        self.show()
        self.query_one(Input).focus()

    def show(self, text: str = "") -> None:
        """Show the bar, with what is looked for already where that is told, and leave the focus where it is."""
        if not self.children:
            self.mount(
                Static(" / ", id="find-caret", markup=False),
                Input(text, id="find-text", placeholder=_("find in this conversation"), compact=True),
                Static(id="find-count", markup=False),
            )
        elif text:
            with self.prevent(Input.Changed):
                self.query_one(Input).value = text
        self.display = True

    def close(self) -> None:
        self.display = False
        if self.children:
            with self.prevent(Input.Changed):
                self.query_one(Input).value = ""
        self.count(0, 0)

    def count(self, number: int, matches: int) -> None:
        """Show that the `number`-th of `matches` is the current one."""
        text = _("{number} of {matches}").format(number=number, matches=matches)
        if not matches:
            text = _("nothing found") if self.text.strip() else ""
        for label in self.query("#find-count").results(Static):
            label.update(text)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted(event.value))
