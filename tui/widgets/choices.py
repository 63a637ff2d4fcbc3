"""Textual's option list with the list keys of this program."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import OptionList


class Choices(OptionList):
    """A short list: `j k g G` beside the keys that Textual gives it."""

    BINDING_GROUP_TITLE = "List"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "down", id="choices.down", show=False),
        Binding("k", "cursor_up", "up", id="choices.up", show=False),
        Binding("g", "first", "first", id="choices.first", show=False),
        Binding("G", "last", "last", id="choices.last", show=False),
        Binding("ctrl+d", "page_down", "page down", id="choices.page_down", show=False),
        Binding("ctrl+u", "page_up", "page up", id="choices.page_up", show=False),
    ]
