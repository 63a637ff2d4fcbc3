"""Textual's option list with the list keys of this program, and rows for long lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual
from textual.widgets import OptionList


class Row(Visual):
    """The prompt of an option that is one line high and made when it is painted: of a thousand, those in view.

    Args:
        make: gives the line, no wider than the list.
    """

    def __init__(self, make: Callable[[], Content]) -> None:
        self.make = make

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        return self.make().render_strips(width, height, style, options)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return self.make().get_optimal_width(rules, container_width)

    def get_height(self, rules: RulesMap, width: int) -> int:
        return 1


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
