"""A long text on a screen of its own."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.getters import app as app_getter
from textual.getters import query_one
from textual.screen import Screen
from textual.widgets import Static

from tui.contract import YunliaoApi
from tui.widgets.context_bar import service_bar
from tui.widgets.hints import HintLine
from tui.widgets.prompt_editor import PromptEditor
from tui.words import _


class TextScreen(Screen[str]):
    """Write; Esc goes back with the text as it stands, Ctrl+X with the text as it was (the answer is None then)."""

    DEFAULT_CSS = """
    TextScreen {
        #help { height: auto; padding: 0 1; color: $muted; text-style: $muted-style; border-bottom: solid $rule; }
    }
    """
    AUTO_FOCUS = "PromptArea"
    BINDING_GROUP_TITLE = "Text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "take", "take", id="text.take", show=False, tooltip="Back, with the text as it stands"),
        Binding("ctrl+x", "drop", "drop", id="text.drop", show=False, priority=True, tooltip="Back, as it was before"),
    ]

    app = app_getter(YunliaoApi)
    editor = query_one(PromptEditor)

    def __init__(self, title: str, text: str, help: str = "") -> None:
        super().__init__()
        self._title, self._text, self._help = title, text, help

    def compose(self) -> ComposeResult:
        yield service_bar(self.app.context, "dashscope", self._title)
        if self._help:
            yield Static(self._help, id="help", markup=False)
        yield PromptEditor()
        yield HintLine([("Esc", _("take")), ("^O", "$EDITOR"), ("^X", _("as it was")), ("F1", _("more"))])

    def on_mount(self) -> None:
        self.editor.put(self._text)
        self.editor.area.focus()

    def action_take(self) -> None:
        self.dismiss(self.editor.text)

    def action_drop(self) -> None:
        self.dismiss(None)
