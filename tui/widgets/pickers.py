"""Choosing one or several of a long list: filter, marks, a description of the highlighted entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Resize
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.widgets.choices import Choices, Row
from tui.widgets.conversation_line import fit
from tui.widgets.conversation_rows import TitleFilter
from tui.words import _

MOST_LABEL = 40
"""Cells of the label's column at most."""


@dataclass(frozen=True, slots=True)
class PickItem:
    """One entry. All texts are clean lines."""

    id: str
    label: str
    description: str = ""
    note: str = ""
    """A word beside the label: `reads`, `writes` ..."""
    alert: bool = False
    """It stands out: choosing it has consequences."""

    @property
    def searched(self) -> str:
        return f"{self.label} {self.note} {self.description}"


class PickList(Choices):
    """The entries; Space marks one."""

    BINDING_GROUP_TITLE = "List"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "want('toggle')", "mark", id="picker.mark", show=False, tooltip="Choose it, or not"),
        Binding("x", "want('clear')", "none", id="picker.none", show=False, tooltip="Choose none"),
        Binding(
            "o", "want('only')", "chosen", id="picker.only", show=False, tooltip="Show what is chosen / everything"
        ),
        Binding("slash", "want('filter')", "filter", id="picker.filter", show=False, tooltip="Filter by any word"),
    ]

    @dataclass
    class Wanted(Message):
        """A key was pressed whose meaning is the picker's."""

        what: str

    def action_want(self, what: str) -> None:
        self.post_message(self.Wanted(what))


class FilterInput(Input):
    """Down and Enter go to the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "leave", "list", id="picker.leave", show=False, tooltip="To the list"),
    ]

    def action_leave(self) -> None:
        self.post_message(self.Submitted(self, self.value))


class Picker(Vertical):
    """The list under a filter line.

    Args:
        chosen: ids that are marked; ids that `items` lack stay chosen, and are shown as not known.
        several: whether more than one can be chosen; with one only, there are no marks.
    """

    DEFAULT_CSS = """
    Picker {
        height: auto;

        FilterInput { margin: 0; }
        PickList { height: auto; max-height: 14; margin: 1 0 0 0; }
        .about { height: auto; min-height: 1; max-height: 3; margin: 1 0 0 0; color: $muted; text-style: $muted-style; }
    }
    """

    filter_line = query_one(FilterInput)
    entries = query_one(PickList)

    @dataclass
    class Taken(Message):
        """Enter on an entry."""

        picker: Picker
        item_id: str

        @property
        def control(self) -> Picker:
            return self.picker

    @dataclass
    class Marked(Message):
        """What is chosen has changed."""

        picker: Picker

        @property
        def control(self) -> Picker:
            return self.picker

    def __init__(
        self,
        items: Sequence[PickItem],
        chosen: Iterable[str] = (),
        *,
        several: bool = True,
        ascii_only: bool = False,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._chosen = dict.fromkeys(chosen)
        known = {item.id for item in items}
        unknown = [
            PickItem(name, name, _("Not in the list of the service."), _("not known"), alert=True)
            for name in self._chosen
            if name not in known
        ]
        self._items = [*items, *unknown]
        self._several = several
        self._mark = "x" if ascii_only else "✓"
        self._shown: list[PickItem] = []
        self._only = False

    @property
    def chosen(self) -> tuple[str, ...]:
        """The ids that are marked: in the list's order."""
        return tuple(item.id for item in self._items if item.id in self._chosen)

    def compose(self) -> ComposeResult:
        yield FilterInput(placeholder=_("filter"), select_on_focus=False)
        yield PickList()
        yield Static(classes="about", markup=False)

    def on_mount(self) -> None:
        self._show()
        first = next((place for place, item in enumerate(self._shown) if item.id in self._chosen), 0)
        if self._shown and not self._several:
            self.entries.highlighted = first
        self.entries.focus()

    def on_resize(self, _event: Resize) -> None:
        self._show()

    # --- rows ----------------------------------------------------------------------------------------------

    def _show(self) -> None:
        found = TitleFilter(self.filter_line.value)
        self._shown = [
            item
            for item in self._items
            if (not found or found.matches(item.searched)) and (not self._only or item.id in self._chosen)
        ]
        width = max(20, self.entries.content_size.width - 3)
        label = min(MOST_LABEL, max((cell_len(item.label) for item in self._items), default=0))
        note = max((cell_len(item.note) for item in self._items), default=0)
        at = self.entries.highlighted or 0
        self.entries.clear_options()
        rows = (Row(partial(self._row, item, width, label, note)) for item in self._shown)
        self.entries.add_options([Option(row) for row in rows])
        if self._shown:
            self.entries.highlighted = min(at, len(self._shown) - 1)
        self._describe()

    def _row(self, item: PickItem, width: int, label: int, note: int) -> Content:
        parts: list[Content | str | tuple[str, str]] = []
        if self._several:
            parts.append(f"{self._mark if item.id in self._chosen else ' '} ")
        parts.append(fit(item.label, label))
        if note:
            parts += ["  ", (fit(item.note, note), "bold $warning" if item.alert else "$muted")]
        rest = width - label - note - 6
        if rest > 8:
            parts += ["  ", (fit(item.description, rest), "$muted")]
        return Content.assemble(*parts)

    def _describe(self) -> None:
        index = self.entries.highlighted
        if index is not None and index < len(self._shown):
            item = self._shown[index]
            text = _(": ").join(part for part in (item.label, item.description) if part)
        else:
            text = _("nothing found") if self._items else _("The service has none.")
        count = _("{count} chosen").format(count=len(self._chosen)) if self._several else ""
        about = self.query_one(".about", Static)
        about.update(Content("   ".join(part for part in (count, text) if part)))

    # --- keys ----------------------------------------------------------------------------------------------

    @on(PickList.Wanted)
    def _wanted(self, event: PickList.Wanted) -> None:
        event.stop()
        index = self.entries.highlighted
        match event.what:
            case "toggle" if index is not None and self._several:
                item = self._shown[index]
                if item.id in self._chosen:
                    del self._chosen[item.id]
                else:
                    self._chosen[item.id] = None
            case "clear":
                self._chosen.clear()
            case "only":
                self._only = not self._only
            case "filter":
                self.filter_line.focus()
                return
        self._show()
        self.post_message(self.Marked(self))

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._describe()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Taken(self, self._shown[event.option_index].id))

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        event.stop()
        self._show()

    @on(Input.Submitted)
    def _filtered(self, event: Input.Submitted) -> None:
        event.stop()
        self.entries.focus()
