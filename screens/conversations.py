"""The list of conversations on the whole screen: what 80 columns show instead of the left pane."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import DescendantBlur, DescendantFocus
from textual.getters import app as app_getter
from textual.screen import Screen
from textual.widgets import Input

from tui.contract import Context, YunliaoApi
from tui.widgets.context_bar import ContextBar
from tui.widgets.conversation_list import ConversationList
from tui.widgets.hints import LIMIT, HintLine, shown_hints
from tui.words import _


class ConversationsScreen(Screen[None]):
    """Context bar, list, hints."""

    CSS_PATH = "conversations.tcss"
    AUTO_FOCUS = "ConversationList"
    hides_chat = True
    """What ends in the chat meanwhile is not seen."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,h", "back", "back", id="conversations_screen.back", show=False),
        Binding("q", "app.request_quit", "quit", id="conversations_screen.quit", show=False),
    ]

    app = app_getter(YunliaoApi)

    def __init__(self, current: str = "") -> None:
        super().__init__()
        self._current = current
        """The conversation of the chat below; "" looks there."""

    def compose(self) -> ComposeResult:
        bar = ContextBar(id="context")
        bar.set_reactive(ContextBar.service, None)
        yield bar
        conversations = ConversationList(now=lambda: self.app.now().astimezone(), id="conversations")
        below = self.app.screen_stack[0]
        conversations.set_reactive(
            ConversationList.current, self._current or str(getattr(below, "conversation_id", ""))
        )
        yield conversations
        yield HintLine(id="hints")

    def on_mount(self) -> None:
        self.app.context_changed.subscribe(self, self._context_changed)
        self._context_changed(self.app.context)

    def _context_changed(self, context: Context) -> None:
        bar = self.query_one(ContextBar)
        bar.context = context
        bar.subject = _("Conversations")
        self._update_hints()

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _update_hints(self) -> None:
        if isinstance(self.focused, Input):
            hints = [("Enter", _("to the hits")), ("Esc", _("show all"))]
        else:
            hints = [*shown_hints(self, LIMIT), ("?", _("more"))]
        self.query_one(HintLine).hints = hints

    @on(ConversationList.Opened)
    def _opened(self, event: ConversationList.Opened) -> None:
        event.stop()
        self.app.show_conversation(event.conversation_id)

    def action_back(self) -> None:
        if len(self.app.screen_stack) > 1:
            self.dismiss(None)
