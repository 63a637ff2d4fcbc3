"""A logon-free URL while it lives: counted down, copied, and gone when this is left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from screens.dialogs import Dialog
from tui.services.signin import LogonFreeUrl
from tui.widgets.hints import HintLine
from tui.words import _


class LogonFreeDialog(Dialog[None]):
    """The URL itself is on screen only when it is asked for."""

    BINDING_GROUP_TITLE = "Logon-free URL"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,c", "copy", "copy", id="logon_free.copy", show=False, tooltip="Copy the URL"),
        Binding("s", "show", "show", id="logon_free.show", show=False, tooltip="Show the URL"),
        Binding("q", "cancel", "close", id="logon_free.close", show=False),
    ]
    DEFAULT_CSS = """
    LogonFreeDialog {
        #url { height: auto; max-height: 12; }
    }
    """

    def __init__(self, made: LogonFreeUrl) -> None:
        super().__init__(
            _("A logon-free URL"),
            [_("Whoever opens it is signed in with the role's rights. It works once.")],
            [("y", _("copy")), ("s", _("show")), ("Esc", _("close"))],
        )
        self._made = made
        self._shown = False

    def body(self) -> Iterable[Widget]:
        yield Static(id="left", markup=False)
        yield Static(id="url", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self._count()
        self.set_interval(1, self._count)

    def _count(self) -> None:
        left = round((self._made.expires_at - self.app.now()).total_seconds())
        until = self._made.rights_until.astimezone().strftime("%H:%M")
        if left > 0:
            text = _("Open it within {seconds} s. The rights last until {time}.").format(seconds=left, time=until)
            self.query_one("#left", Static).update(Content(text))
        elif self._made.url:
            self.query_one("#left", Static).update(Content(_("It has expired; make a new one.")))
            self.query_one("#url", Static).update("")
            self.query_one(HintLine).hints = [("Esc", _("close"))]
            self._made = LogonFreeUrl(type(self._made.url)(""), self._made.expires_at, self._made.rights_until)

    def action_copy(self) -> None:
        if self._made.url:
            self.app.copy_text(self._made.url.reveal(), _("the URL"))

    def action_show(self) -> None:
        if self._made.url:
            self._shown = not self._shown
            self.query_one("#url", Static).update(Content(self._made.url.reveal() if self._shown else ""))
