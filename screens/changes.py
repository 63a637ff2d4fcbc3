"""What a save will change, before it is sent: short values side by side, long texts line by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from screens.dialogs import Dialog
from tui.changes import Change, DiffLine, diff_lines
from tui.text import clean, clean_line
from tui.words import _

MARKS = {"kept": "  ", "removed": "- ", "added": "+ ", "skipped": "  "}
STYLES = {"kept": "$muted", "removed": "$diff-removed", "added": "$diff-added", "skipped": "$muted"}


class ChangesBody(VerticalScroll):
    """The changes; longer than the screen they scroll."""

    BINDING_GROUP_TITLE = "Changes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "down", id="changes.down", show=False),
        Binding("k", "scroll_up", "up", id="changes.up", show=False),
        Binding("ctrl+d", "page_down", "page down", id="changes.page_down", show=False),
        Binding("ctrl+u", "page_up", "page up", id="changes.page_up", show=False),
        Binding("g", "scroll_home", "first", id="changes.first", show=False),
        Binding("G", "scroll_end", "last", id="changes.last", show=False),
    ]


class ChangesDialog(Dialog[bool]):
    """Yes by `y` only: Enter and Esc leave everything as it is.

    Args:
        changes: what differs; values are shown clean, and "" as not set.
        verb: what `y` does, for example "save".
        lines: what else must be known before.
    """

    BINDING_GROUP_TITLE = "Changes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "approve", "yes", id="changes.approve", show=False, tooltip="Do what is shown"),
        Binding("n,enter,q", "cancel", "cancel", id="changes.cancel", show=False),
    ]
    AUTO_FOCUS = "ChangesBody"
    DEFAULT_CSS = """
    ChangesDialog {
        ChangesBody { height: auto; max-height: 70vh; margin: 1 0 0 0; scrollbar-size-vertical: 1; }
        ChangesBody > Static { height: auto; }
    }
    """

    def __init__(self, title: str, changes: Sequence[Change], verb: str, lines: Sequence[str] = ()) -> None:
        hints = [("y", clean_line(verb)), ("j k", _("move")), ("Esc", _("cancel"))]
        super().__init__(title, lines, hints)
        self._changes = changes

    def body(self) -> Iterable[Widget]:
        parts = [line for change in self._changes for line in change_lines(change)]
        yield ChangesBody(Static(Content("\n").join(parts), markup=False))

    def action_approve(self) -> None:
        self.dismiss(True)

    def action_cancel(self) -> None:
        self.dismiss(False)


class NotesDialog(ChangesDialog):
    """Sentences to be read before something is done, in place of changes."""

    def __init__(self, title: str, notes: Sequence[str], verb: str, lines: Sequence[str] = ()) -> None:
        super().__init__(title, (), verb, lines)
        self._notes = [clean_line(note, 1000) for note in notes]

    def body(self) -> Iterable[Widget]:
        yield ChangesBody(Static("\n".join(f"- {note}" for note in self._notes), markup=False))


def change_lines(change: Change) -> Iterable[Content]:
    """One change: a line where both values are short, else the name and the lines that differ."""
    name = Content.styled(clean_line(change.field), "bold")
    if change.is_short:
        yield Content.assemble(
            name, _(": "), _value(change.old, STYLES["removed"]), " → ", _value(change.new, STYLES["added"])
        )
        return
    yield name
    for line in diff_lines(clean(change.old), clean(change.new)):
        yield Content.styled("  " + MARKS[line.kind] + _text(line), STYLES[line.kind])


def _value(value: str, style: str) -> Content:
    shown = clean_line(value)
    return Content.styled(shown, style) if shown else Content.styled(_("not set"), "$muted")


def _text(line: DiffLine) -> str:
    return _("… {count} lines as before").format(count=line.count) if line.kind == "skipped" else line.text
