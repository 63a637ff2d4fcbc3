"""Style keys: what a piece of text is, as one integer, and how that looks in the theme."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from rich.style import Style

from tui.widgets.looks import MarkupStyle

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
    NEWS = 30

    @property
    def key(self) -> int:
        return int(self) << _ATTRIBUTES


LOOKS: dict[Kind, MarkupStyle] = {
    Kind.TEXT: MarkupStyle("$foreground"),
    Kind.DIM: MarkupStyle("$muted", "muted-style"),
    Kind.BAR: MarkupStyle("$question"),
    Kind.QUIET_BAR: MarkupStyle("$muted", "muted-style"),
    Kind.CURSOR: MarkupStyle("$question"),
    Kind.QUESTION: MarkupStyle("bold"),
    Kind.HEADING: MarkupStyle("$question bold"),
    Kind.CODE: MarkupStyle("$foreground"),
    Kind.CODE_INLINE: MarkupStyle("$code-name"),
    Kind.LINK: MarkupStyle("$link-color underline"),
    Kind.QUOTE: MarkupStyle("italic"),
    Kind.RULE: MarkupStyle("$rule"),
    Kind.TABLE_HEADER: MarkupStyle("bold"),
    Kind.ERROR: MarkupStyle("$failed"),
    Kind.WARNING: MarkupStyle("$waiting"),
    Kind.SUCCESS: MarkupStyle("$success"),
    Kind.RUNNING: MarkupStyle("$running"),
    Kind.ASK: MarkupStyle("$waiting"),
    Kind.KEYWORD: MarkupStyle("$code-keyword", "code-keyword-style"),
    Kind.STRING: MarkupStyle("$code-string"),
    Kind.NUMBER: MarkupStyle("$code-number"),
    Kind.COMMENT: MarkupStyle("$code-comment", "code-comment-style"),
    Kind.NAME: MarkupStyle("$code-name"),
    Kind.TYPE: MarkupStyle("$code-name"),
    Kind.OPERATOR: MarkupStyle("$code-operator"),
    Kind.MATCH: MarkupStyle("$find-text on $find", "find-style"),
    Kind.MATCH_CURRENT: MarkupStyle("$find-current-text on $find-current bold"),
    Kind.CHART_1: MarkupStyle("$primary"),
    Kind.CHART_2: MarkupStyle("$success"),
    Kind.CHART_3: MarkupStyle("$warning"),
    Kind.NEWS: MarkupStyle("$cursor-text on $cursor"),
}

TEXT = Kind.TEXT.key
DIM = Kind.DIM.key
RULE = Kind.RULE.key


class Palette:
    """Rich styles for keys, resolved once each.

    Args:
        resolve: gives the full Rich style for one of the `LOOKS`.
    """

    def __init__(self, resolve: Callable[[MarkupStyle], Style]) -> None:
        self._kinds = tuple(resolve(LOOKS[kind]) for kind in Kind)
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
