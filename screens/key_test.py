"""What arrives for each key: terminals, multiplexers and web pages take some for themselves."""

from __future__ import annotations

from collections import deque
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Key, Paste
from textual.getters import app as app_getter
from textual.screen import Screen
from textual.widgets import Static

from tui.contract import YunliaoApi
from tui.keys import key_name
from tui.text import clean
from tui.widgets.bindings import commands
from tui.widgets.context_bar import service_bar
from tui.widgets.hints import HintLine
from tui.words import _

LINES = 200
TAKEN = {
    "ctrl+b": "tmux uses it as its prefix",
    "ctrl+a": "GNU screen uses it as its prefix",
    "ctrl+s": "may stop the terminal's output; ^Q starts it again",
    "ctrl+w": "web pages close their tab with it",
    "ctrl+t": "web pages open a tab with it",
    "ctrl+n": "web pages open a window with it",
    "ctrl+h": "is Backspace on plain terminals",
    "tab": "is also ^I",
    "enter": "is also ^M",
    "escape": "is also ^[",
}


class KeyTestScreen(Screen[None]):
    """Every key is shown and none does anything, but Esc twice, which closes."""

    CSS_PATH = "key_test.tcss"
    BINDING_GROUP_TITLE = "Key test"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "close", id="key_test.close", show=False)]

    app = app_getter(YunliaoApi)

    def __init__(self) -> None:
        super().__init__()
        self._seen: deque[Content] = deque(maxlen=LINES)
        self._last = ""
        self._actions: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        yield service_bar(self.app.context, None, _("Key test"))
        yield Static(
            _(
                "Press keys. A key that shows nothing, or another one, was taken on the way here: by the terminal, by "
                "tmux or screen, by the web page, or by the input method. Each action can get other keys in the "
                "settings file."
            ),
            id="note",
            classes="muted",
            markup=False,
        )
        yield Static(id="seen", markup=False)
        yield HintLine([("Esc Esc", _("close"))])

    def on_mount(self) -> None:
        if len(self.app.screen_stack) > 1:
            for entry in reversed(commands(self.app.screen_stack[-2], self.app.settings.keys)):
                words = entry.part + _(": ") + entry.what if entry.part else entry.what
                self._actions |= dict.fromkeys(entry.keys, words)

    def on_key(self, event: Key) -> None:
        event.stop()
        event.prevent_default()
        if event.key == self._last == "escape":
            self.dismiss(None)
            return
        self._last = event.key
        name = key_name(event.key)
        character = repr(event.character) if event.character else "-"
        words = [self._actions.get(name, ""), _(TAKEN.get(event.key, ""))]
        self._add(name, f"{event.key:<18}  {character:<8}  {' · '.join(word for word in words if word)}")

    def on_paste(self, event: Paste) -> None:
        event.stop()
        self._add(_("paste"), _("{count} characters in one piece").format(count=len(event.text)))

    def _add(self, name: str, words: str) -> None:
        pad = " " * max(0, 12 - cell_len(name))
        self._seen.appendleft(Content.assemble((name, "bold"), pad, "  ", clean(words)))
        self.query_one("#seen", Static).update(Content("\n").join(self._seen))

    def action_close(self) -> None:
        self.dismiss(None)
