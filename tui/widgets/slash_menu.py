"""The list above the composer while a command is typed: what it may become, best match first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.fuzzy import FuzzySearch
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.widgets.conversation_line import fit

LINES = 8
MOST = 60
"""Entries that are listed at most: the best ones."""
LONGEST_QUERY = 16
"""Characters that are matched: Textual's matcher tries every way to scatter them."""
LABEL_CELLS = 24


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. All texts are clean."""

    text: str
    """What the composer holds once it is chosen."""
    label: str
    note: str = ""
    runs: bool = False
    """Choosing it with Enter runs it; else it is only written."""


class SlashMenu(OptionList, can_focus=False):
    """Hidden while there is nothing to choose; its keys come from the composer, which keeps the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor_up", "up", id="slash.up", show=False),
        Binding("down", "cursor_down", "down", id="slash.down", show=False),
    ]
    DEFAULT_CSS = f"""
    SlashMenu {{
        display: none;
        height: auto;
        max-height: {LINES};
        margin: 0;
        padding: 0 1;
        border: none;
        background: $surface;
        scrollbar-size-vertical: 1;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }}
    """

    def __init__(self, choose: Callable[[Entry, bool], None], id: str | None = None) -> None:
        """`choose` is told what was taken: by Enter (True) or by Tab, which only writes."""
        super().__init__(id=id, compact=True)
        self._choose = choose
        self._search = FuzzySearch()
        self._shown: list[Entry] = []

    @property
    def is_open(self) -> bool:
        return bool(self.display)

    def show(self, entries: Sequence[Entry], query: str) -> None:
        """Show what of `entries` matches `query`, best first; nothing hides the list."""
        query = query[:LONGEST_QUERY].strip()
        found: list[tuple[float, int, Entry, Sequence[int]]] = []
        for number, entry in enumerate(entries):
            score, offsets = self._search.match(query, entry.label) if query else (1.0, ())
            if score:
                found.append((-score, number, entry, offsets))
        found = sorted(found, key=lambda one: one[:2])[:MOST]
        self._shown = [entry for _score, _number, entry, _offsets in found]
        self.display = bool(found)
        self.clear_options()
        self.add_options(Option(_line(entry, tuple(offsets))) for _score, _number, entry, offsets in found)
        if found:
            self.highlighted = 0

    def close(self) -> None:
        self._shown = []
        self.display = False

    def take_key(self, key: str) -> bool:
        """A key of the composer; whether it was meant for the list."""
        if not self.is_open or self.highlighted is None:
            return False
        match key:
            case "up":
                self.action_cursor_up()
            case "down":
                self.action_cursor_down()
            case "tab":
                self._choose(self._shown[self.highlighted], False)
            case "enter":
                self._choose(self._shown[self.highlighted], True)
            case "escape":
                self.close()
            case _:
                return False
        return True

    def _on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(self._shown[event.option_index], False)


@lru_cache(512)
def _line(entry: Entry, offsets: tuple[int, ...]) -> Content:
    label = Content(fit(entry.label, max(LABEL_CELLS, len(entry.label) + 1)))
    for offset in offsets:
        label = label.stylize("$primary bold", offset, offset + 1)
    return Content.assemble(label, (entry.note, "$muted"))
