"""How pieces of text look that a widget paints itself: names, and a style in the theme for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from rich.style import Style
from textual.widget import Widget


class MarkupStyle(NamedTuple):
    """A style as Textual's markup writes it, and the theme variable with more attributes (`none` is one), if any."""

    style: str
    attributes: str = ""


def resolve(widget: Widget, look: MarkupStyle) -> Style:
    """`look` in the theme, over the widget's own colours."""
    style = (widget.visual_style + widget.app.stylesheet.parse_style(look.style)).rich_style
    return style + Style.parse(widget.app.theme_variables[look.attributes]) if look.attributes else style


class _Styles(dict[str, Style]):
    """Each is resolved when it is first wanted."""

    def __init__(self, widget: Painted) -> None:
        self._widget = widget

    def __missing__(self, name: str) -> Style:
        style = self[name] = resolve(self._widget, self._widget.LOOKS[name])
        return style


class Painted(Widget):
    """A widget that paints pieces of text in some `LOOKS`; `looks` has their styles.

    They are no component classes: each of those is matched against every rule whenever the widget is styled, also when
    it gets or loses the focus, and those of a few widgets took as long as the rest of the screen.
    """

    LOOKS: ClassVar[Mapping[str, MarkupStyle]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.looks: dict[str, Style] = _Styles(self)
        super().__init__(*args, **kwargs)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.looks:
            self.looks.clear()
            self.refresh()
