"""One line of the conversation list: marks, title, age, cut and aligned by cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.text import clean_line
from tui.widgets.context_bar import SERVICE_NAMES
from tui.widgets.conversation_rows import TitleFilter
from tui.widgets.looks import MarkupStyle
from tui.words import _

if TYPE_CHECKING:
    from tui.models import ConversationSummary, ServiceName, TurnState

LETTERS = {"rds": "R", "dms": "D", "dashscope": "A"}
AGE_CELLS = 4
TAGS_FROM = 40
"""Cells that a title must have before tags get some."""


class Signs(NamedTuple):
    """One cell each."""

    current: str = "▌"
    marked: str = "✓"
    running: str = "●"
    waiting: str = "?"
    failed: str = "!"
    ellipsis: str = "…"


UNICODE = Signs()
ASCII = Signs(current=">", marked="x", running="*", ellipsis="~")


LOOKS = {
    "title": MarkupStyle("$foreground"),
    "unread": MarkupStyle("$foreground bold"),
    "quiet": MarkupStyle("$muted", "muted-style"),
    "heading": MarkupStyle("$muted", "muted-style"),
    "running": MarkupStyle("$running"),
    "waiting": MarkupStyle("$waiting bold"),
    "failed": MarkupStyle("$failed bold"),
    "bar": MarkupStyle("$question"),
    "hit": MarkupStyle("$find-text on $find", "find-style"),
    "cursor": MarkupStyle("$cursor-text on $cursor"),
}
_UNDER_CURSOR = {"unread": Style(bold=True), "hit": Style(underline=True)}


def title_of(summary: ConversationSummary) -> str:
    """The title as one clean line; the first question, or words for a conversation without either."""
    return clean_line(summary.title or summary.snippet) or _("New conversation")


def fit(text: str, cells: int, ellipsis: str = "…") -> str:
    """`text` in exactly `cells` cells: padded, or cut before a cluster that does not fit and marked as cut."""
    if cells <= 0:
        return ""
    if cell_len(text) <= cells:
        return text + " " * (cells - cell_len(text))
    return set_cell_size(set_cell_size(text, cells - 1).rstrip() + ellipsis, cells)


def state_sign(state: TurnState, signs: Signs) -> str:
    """The mark of the newest turn's state; blank where nothing runs, waits or went wrong."""
    if state in ("sending", "running", "stopping", "queued"):
        return signs.running
    if state == "waiting":
        return signs.waiting
    return signs.failed if state in ("failed", "interrupted", "cut_off") else " "


def words_of(summary: ConversationSummary) -> str:
    """What the filter looks at: title and tags. Ten thousand times a key: not as `title_of`."""
    title = summary.title or summary.snippet
    return f"{title} {_tags(summary.tags)}" if summary.tags else title


def _tags(tags: Sequence[str]) -> str:
    return " ".join(f"#{tag}" for tag in tags)


def empty_note(
    found: TitleFilter, service: ServiceName | None, *, archived: bool, loaded: bool, more: bool
) -> list[str]:
    """The lines that stand in place of the conversations when there are none to show."""
    if not loaded:
        return [_("Loading …")]
    if found:
        note = [_("Nothing matches “{text}”.").format(text=found.typed), "", _("Esc shows all.")]
        return [*note, _("s searches what was said."), *([_("G fetches older ones.")] if more else [])]
    if archived:
        return [_("Nothing is archived."), "", _("A shows the others.")]
    if service:
        return [_("No conversations with {service}.").format(service=SERVICE_NAMES[service]), "", _("0 shows all.")]
    return [_("No conversations yet."), "", _("n begins one.")]


def paint(
    summary: ConversationSummary,
    width: int,
    age: str,
    styles: Mapping[str, Style],
    signs: Signs,
    *,
    found: TitleFilter,
    cursor: bool,
    current: bool,
    marked: bool,
) -> Strip:
    """The line as a strip of exactly `width` cells; `styles` has all of `LOOKS`, complete with their ground.

    Under the cursor everything has one style: its ground may be any of the terminal's 16 colours, on which the
    colours of the marks could not be read.
    """
    side = signs.marked if marked else signs.current if current else " "
    sign = state_sign(summary.state, signs)
    room = width - 6 - AGE_CELLS - 1
    title = title_of(summary)
    tags = _tags([tag for tag in summary.tags if tag not in title.lower()]) if room > TAGS_FROM else ""
    if tags:
        tags = "  " + fit(tags, min(cell_len(tags), room // 3), signs.ellipsis)
        title = fit(title, min(cell_len(title), room - cell_len(tags)), signs.ellipsis)
        tags += " " * (room - cell_len(title) - cell_len(tags))
    else:
        title = fit(title, room, signs.ellipsis)
    base = "unread" if summary.unread else "title"
    pieces = [
        (side, "bar"),
        (LETTERS[summary.service] + " ", "quiet"),
        (sign + " ", {signs.running: "running", signs.waiting: "waiting"}.get(sign, "failed")),
    ]
    for text, name in ((title, base), (tags, "quiet")):
        at = 0
        for start, end in found.spans(text) if found else ():
            pieces += [(text[at:start], name), (text[start:end], "hit")]
            at = end
        pieces.append((text[at:], name))
    pieces += [(" " * max(1, AGE_CELLS + 1 - cell_len(age)) + age + " ", "quiet")]
    ground = styles["cursor"] if cursor else styles["title"]
    segments = [
        Segment(text, ground + _UNDER_CURSOR.get(name, Style.null()) if cursor else styles[name])
        for text, name in pieces
        if text
    ]
    return Strip(segments).adjust_cell_length(width, ground)
