"""The hint line: the keys that matter for what has the focus, at most five, then `? more`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.app import RenderResult
from textual.reactive import reactive

from tui.keys import key_name
from tui.widgets.looks import MarkupStyle, Painted
from tui.words import _

if TYPE_CHECKING:
    from textual.screen import Screen

LIMIT = 5
GAP = 3


def shown_hints(screen: Screen[Any], limit: int = LIMIT) -> list[tuple[str, str]]:
    """(key, what it does) of the active bindings that ask to be shown, those of the focused part first."""
    found: dict[str, tuple[str, str]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.show and active.enabled and not binding.system:
            found.setdefault(binding.action, (binding.key_display or key_name(binding.key), _(binding.description)))
    return list(found.values())[:limit]


class HintLine(Painted):
    """One line of `key what`, as many as fit; the last is always there."""

    LOOKS: ClassVar[Mapping[str, MarkupStyle]] = {
        "key": MarkupStyle("$hint-key bold"),
        "text": MarkupStyle("$muted", "muted-style"),
    }
    DEFAULT_CSS = """
    HintLine {
        height: 1;
        width: 1fr;
        padding: 0 1;
    }
    """

    hints: reactive[Sequence[tuple[str, str]]] = reactive[Sequence[tuple[str, str]]](())

    def __init__(self, hints: Sequence[tuple[str, str]] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.set_reactive(HintLine.hints, hints)

    def render(self) -> RenderResult:
        key_style = self.looks["key"]
        text_style = self.looks["text"]
        line = Text(no_wrap=True, end="")
        *others, last = self.hints or [("", "")]
        room = self.content_size.width - cell_len(f"{last[0]} {last[1]}") - GAP
        for hint in [*others, last]:
            key, what = hint
            gap = GAP if line else 0
            if hint is not last and line.cell_len + gap + cell_len(f"{key} {what}") > room:
                continue
            line.append(" " * gap)
            line.append(key, key_style)
            line.append(f" {what}" if key else what, text_style)
        return line
