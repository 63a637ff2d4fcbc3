"""The metadata of an assistant: pairs of texts, a line each, within the service's limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from rich.cells import cell_len
from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.getters import query_one
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from screens.dialogs import Dialog, TextDialog, answer_of
from tui.assistants.fields import metadata_problem
from tui.services.assistant_models import METADATA_PAIRS
from tui.text import clean_line
from tui.widgets.choices import Choices
from tui.widgets.conversation_line import fit
from tui.words import _


class MetadataDialog(Dialog[dict[str, str]]):
    """The answer is all pairs, None where it was left with Esc."""

    BINDING_GROUP_TITLE = "Metadata"
    AUTO_FOCUS = "Choices"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "new", id="metadata.new", show=False, tooltip="Another pair"),
        Binding("r", "rename", "rename", id="metadata.rename", show=False, tooltip="Change its name"),
        Binding("d,delete", "remove", "remove", id="metadata.remove", show=False, tooltip="Remove this pair"),
        Binding("w", "take", "take", id="metadata.take", show=False, tooltip="Take these pairs"),
    ]

    pairs_list = query_one(Choices)

    def __init__(self, metadata: Mapping[str, str]) -> None:
        hints = [("Enter", _("change")), ("n", _("new")), ("d", _("remove")), ("w", _("take")), ("Esc", _("cancel"))]
        super().__init__(_("Metadata"), [_("{count} pairs at most.").format(count=METADATA_PAIRS)], hints)
        self._pairs = dict(metadata)

    def body(self) -> Iterable[Widget]:
        yield Choices()

    def on_mount(self) -> None:
        super().on_mount()
        self._show()

    def _show(self, at: int = 0) -> None:
        self.pairs_list.clear_options()
        width = min(24, max((cell_len(clean_line(key)) for key in self._pairs), default=0))
        rows = [
            Option(Content.assemble((fit(clean_line(key), width), "bold"), "  ", clean_line(value)))
            for key, value in self._pairs.items()
        ]
        self.pairs_list.add_options(rows or [Option(_("none yet: n makes one"), disabled=True)])
        if rows:
            self.pairs_list.highlighted = min(at, len(rows) - 1)

    @property
    def _key(self) -> str | None:
        at, keys = self.pairs_list.highlighted, [*self._pairs]
        return keys[at] if at is not None and at < len(keys) else None

    @on(OptionList.OptionSelected)
    @work(group="pair", exclusive=True)
    async def _change(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if (key := self._key) is not None:
            await self._ask_value(key, self._pairs[key])

    @work(group="pair", exclusive=True)
    async def action_new(self) -> None:
        if len(self._pairs) >= METADATA_PAIRS:
            self.app.notify(_("There may be {count} pairs at most.").format(count=METADATA_PAIRS), severity="warning")
            return
        key = await answer_of(self.app, TextDialog(_("Name of the pair"), verb=_("next")))
        if key is not None:
            await self._ask_value(key, self._pairs.get(key, ""))

    async def _ask_value(self, key: str, value: str) -> None:
        dialog = TextDialog(_("Value of {name}").format(name=key), value, verb=_("take"), allow_empty=True)
        found = await answer_of(self.app, dialog)
        if found is not None:
            self._put({**self._pairs, key: found}, key)

    @work(group="pair", exclusive=True)
    async def action_rename(self) -> None:
        if (key := self._key) is None:
            return
        found = await answer_of(self.app, TextDialog(_("Name of the pair"), key, verb=_("take")))
        if found is not None:
            self._put({found if held == key else held: value for held, value in self._pairs.items()}, found)

    def _put(self, pairs: dict[str, str], key: str) -> None:
        if reason := metadata_problem(pairs):
            self.app.notify(reason, severity="error", markup=False)
            return
        self._pairs = pairs
        self._show([*pairs].index(key))

    def action_remove(self) -> None:
        if (key := self._key) is not None:
            at = [*self._pairs].index(key)
            del self._pairs[key]
            self._show(at)

    def action_take(self) -> None:
        self.dismiss(self._pairs)
