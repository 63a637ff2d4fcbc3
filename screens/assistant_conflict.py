"""Somebody else changed an assistant while it was edited here: both changes, and three ways on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from screens.changes import ChangesBody, change_lines
from screens.dialogs import Dialog
from tui.assistants.fields import changes, label
from tui.words import _

if TYPE_CHECKING:
    from tui.assistants.drafts import Comparison


class ConflictDialog(Dialog[str]):
    """The answer is "mine", "theirs", or None: go on editing. Nothing was sent, and nothing is here."""

    BINDING_GROUP_TITLE = "Conflict"
    AUTO_FOCUS = "ChangesBody"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "choose('mine')", "mine on top", id="conflict.mine", show=False, tooltip="Theirs, then mine"),
        Binding("t", "choose('theirs')", "theirs", id="conflict.theirs", show=False, tooltip="Drop mine"),
        Binding("enter,q", "cancel", "cancel", id="conflict.cancel", show=False),
    ]
    DEFAULT_CSS = """
    ConflictDialog {
        ChangesBody { height: auto; max-height: 60vh; margin: 1 0 0 0; scrollbar-size-vertical: 1; }
        ChangesBody > Static { height: auto; }
    }
    """

    def __init__(self, comparison: Comparison) -> None:
        lines = [_("It was changed on the service since you read it. Nothing was sent.")]
        if comparison.clashes:
            names = _(", ").join(label(name) for name in comparison.clashes)
            lines.append(_("Both of you changed: {names}. Yours would replace theirs there.").format(names=names))
        hints = [
            ("m", _("mine on top of theirs")),
            ("t", _("take theirs, drop mine")),
            ("Esc", _("go on editing")),
        ]
        super().__init__(_("Changed meanwhile"), lines, hints)
        self._comparison = comparison

    def body(self) -> Iterable[Widget]:
        held = self._comparison
        parts = [Content.styled(_("Theirs, since you read it"), "bold $warning")]
        parts += [line for change in changes(held.draft.base, held.current) for line in change_lines(change)]
        parts += [Content(""), Content.styled(_("Yours, not saved"), "bold $warning")]
        parts += [line for change in changes(held.draft.base, held.draft.value) for line in change_lines(change)]
        yield ChangesBody(Static(Content("\n").join(parts), markup=False))

    def action_choose(self, answer: str) -> None:
        self.dismiss(answer)
