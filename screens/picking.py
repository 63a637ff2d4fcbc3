"""A dialog around a picker: choose several entries of a list, or one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.getters import query_one
from textual.widget import Widget
from textual.widgets import Input

from screens.dialogs import Dialog
from tui.widgets.pickers import Picker, PickItem
from tui.words import _


class PickDialog(Dialog[tuple[str, ...]]):
    """The answer is the ids that are chosen, in the list's order; None where it was left with Esc.

    With `several`, Space marks and Enter takes all that is marked; else Enter takes the highlighted one.
    """

    picker = query_one(Picker)
    AUTO_FOCUS = "PickList"

    def __init__(
        self,
        title: str,
        items: Sequence[PickItem],
        chosen: Iterable[str] = (),
        *,
        several: bool = True,
        lines: Sequence[str] = (),
    ) -> None:
        hints = [("Space", _("mark")), ("/", _("filter")), ("o", _("chosen only")), ("Enter", _("take"))]
        super().__init__(title, lines, [*(hints if several else hints[1:2] + hints[3:]), ("Esc", _("cancel"))])
        self._items = items
        self._chosen = tuple(chosen)
        self._several = several

    def body(self) -> Iterable[Widget]:
        yield Picker(self._items, self._chosen, several=self._several, ascii_only=self.app.settings.ascii)

    @on(Picker.Taken)
    def _taken(self, event: Picker.Taken) -> None:
        event.stop()
        self.dismiss(self.picker.chosen if self._several else (event.item_id,))

    def action_cancel(self) -> None:
        """Esc leaves the filter first."""
        if isinstance(self.focused, Input):
            self.picker.entries.focus()
        else:
            self.dismiss(None)
