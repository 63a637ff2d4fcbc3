"""Style keys: what a piece of text is, as one integer, and how that looks in the theme."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from rich.style import Style

BOLD, ITALIC, STRIKE, UNDERLINE = 1, 2, 4, 8
_ATTRIBUTES = 4


class Kind(IntEnum):
    """What text may be; a key is `Kind.X.key` or-ed with attributes."""

    TEXT = 0
    DIM = 1
    BAR = 2
    QUIET_BAR = 3
    CURSOR = 4
    QUESTION = 5
    HEADING = 6
    CODE = 7
    CODE_INLINE = 8
    LINK = 9
    QUOTE = 10
    RULE = 11
    TABLE_HEADER = 12
    ERROR = 13
    WARNING = 14
    SUCCESS = 15
    RUNNING = 16
    ASK = 17
    KEYWORD = 18
    STRING = 19
    NUMBER = 20
    COMMENT = 21
    NAME = 22
    TYPE = 23
    OPERATOR = 24
    MATCH = 25
    MATCH_CURRENT = 26
    CHART_1 = 27
    CHART_2 = 28
    CHART_3 = 29

    @property
    def key(self) -> int:
        return int(self) << _ATTRIBUTES


LOOKS: dict[Kind, tuple[str, str]] = {
    Kind.TEXT: ("$foreground", ""),
    Kind.DIM: ("$muted", "muted-style"),
    Kind.BAR: ("$question", ""),
    Kind.QUIET_BAR: ("$muted", "muted-style"),
    Kind.CURSOR: ("$question", ""),
    Kind.QUESTION: ("bold", ""),
    Kind.HEADING: ("$question bold", ""),
    Kind.CODE: ("$foreground", ""),
    Kind.CODE_INLINE: ("$code-name", ""),
    Kind.LINK: ("$link-color underline", ""),
    Kind.QUOTE: ("italic", ""),
    Kind.RULE: ("$rule", ""),
    Kind.TABLE_HEADER: ("bold", ""),
    Kind.ERROR: ("$failed", ""),
    Kind.WARNING: ("$waiting", ""),
    Kind.SUCCESS: ("$success", ""),
    Kind.RUNNING: ("$running", ""),
    Kind.ASK: ("$waiting", ""),
    Kind.KEYWORD: ("$code-keyword", "code-keyword-style"),
    Kind.STRING: ("$code-string", ""),
    Kind.NUMBER: ("$code-number", ""),
    Kind.COMMENT: ("$code-comment", "code-comment-style"),
    Kind.NAME: ("$code-name", ""),
    Kind.TYPE: ("$code-name", ""),
    Kind.OPERATOR: ("$code-operator", ""),
    Kind.MATCH: ("$find-text on $find", "find-style"),
    Kind.MATCH_CURRENT: ("$find-current-text on $find-current bold", ""),
    Kind.CHART_1: ("$primary", ""),
    Kind.CHART_2: ("$success", ""),
    Kind.CHART_3: ("$warning", ""),
}
"""A style as Textual's markup writes it, and the theme variable with more attributes (`none` is one), if any.

Not component classes: each of those is matched against every rule whenever the widget is styled, also when it gets or
loses the focus, and thirty of them took as long as the rest of the screen.
"""

TEXT = Kind.TEXT.key
DIM = Kind.DIM.key
RULE = Kind.RULE.key


class Palette:
    """Rich styles for keys, resolved once each.

    Args:
        resolve: gives the full Rich style for one of the `LOOKS`.
    """

    def __init__(self, resolve: Callable[[str, str], Style]) -> None:
        self._kinds = tuple(resolve(*LOOKS[kind]) for kind in Kind)
        self._styles: dict[int, Style] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Palette) and self._kinds == other._kinds

    __hash__ = None  # type: ignore[assignment]  # compared, never kept in a set

    def __getitem__(self, key: int) -> Style:
        style = self._styles.get(key)
        if style is None:
            style = self._kinds[key >> _ATTRIBUTES]
            attributes = key & ((1 << _ATTRIBUTES) - 1)
            if attributes:
                style += Style(
                    bold=True if attributes & BOLD else None,
                    italic=True if attributes & ITALIC else None,
                    strike=True if attributes & STRIKE else None,
                    underline=True if attributes & UNDERLINE else None,
                )
            self._styles[key] = style
        return style
