"""Earlier versions of an assistant: what differs from now, and back into the form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from screens.changes import change_lines
from screens.dialogs import Dialog
from tui.assistants.fields import AnyAssistant, changes
from tui.assistants.store import Version
from tui.text import clean_line
from tui.widgets.choices import Choices
from tui.widgets.conversation_rows import relative_time
from tui.words import _


class VersionsDialog(Dialog[Version]):
    """The answer is the version that shall go into the form; nothing is sent for it.

    Args:
        held: what the form shows, to compare with; None where the assistants themselves are chosen from.
    """

    BINDING_GROUP_TITLE = "Versions"
    AUTO_FOCUS = "Choices"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("J", "scroll_diff(3)", "down", id="versions.down", show=False, tooltip="Scroll the difference"),
        Binding("K", "scroll_diff(-3)", "up", id="versions.up", show=False, tooltip="Scroll the difference"),
    ]
    DEFAULT_CSS = """
    VersionsDialog {
        Choices { max-height: 8; }
        #diff { height: auto; max-height: 40vh; margin: 1 0 0 0; }
        #diff-text { height: auto; }
    }
    """

    versions_list = query_one(Choices)

    def __init__(self, title: str, versions: Sequence[Version], held: AnyAssistant | None, now: datetime) -> None:
        hints = [("Enter", _("into the form")), ("J K", _("scroll")), ("Esc", _("cancel"))]
        super().__init__(title, [_("The form gets it; nothing is sent before you save.")], hints)
        self._versions = versions
        self._held = held
        self._now = now

    def body(self) -> Iterable[Widget]:
        yield Choices(*(Option(self._row(version)) for version in self._versions))
        with VerticalScroll(id="diff", can_focus=False):
            yield Static(id="diff-text", markup=False)

    def _row(self, version: Version) -> Content:
        why = {"found": _("as it was found"), "saved": _("saved"), "deleted": _("deleted")}[version.why]
        at = version.at.astimezone().strftime("%Y-%m-%d %H:%M")
        name = clean_line(version.entry.title, 40)
        return Content.assemble(
            f"{at}  ", (f"{relative_time(version.at, self._now):>4}", "$muted"), f"  {why}  ", (name, "bold")
        )

    @on(OptionList.OptionHighlighted)
    def _compare(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        version = self._versions[event.option_index]
        before = self._held if self._held is not None else type(version.entry.fresh())("", "")
        found = changes(before, version.entry.over(before))
        lines = [line for change in found for line in change_lines(change)]
        self.query_one("#diff-text", Static).update(
            Content("\n").join(lines) if lines else Content.styled(_("as it is in the form"), "$muted")
        )

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._versions[event.option_index])

    def action_scroll_diff(self, lines: int) -> None:
        self.query_one("#diff", VerticalScroll).scroll_relative(y=lines, animate=False)
