"""The hits of a search: one widget that paints lines, a heading for each conversation and its turns below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Blur, Click, Focus, MouseScrollDown, MouseScrollUp, Resize
from textual.getters import app as app_getter
from textual.message import Message
from textual.strip import Strip

from tui.contract import YunliaoApi
from tui.widgets.conversation_line import LETTERS, fit, title_of
from tui.widgets.conversation_rows import relative_time
from tui.widgets.looks import MarkupStyle, Painted
from tui.widgets.search_rows import HitGroup, HitRows
from tui.words import _

if TYPE_CHECKING:
    from tui.cache.matching import SearchHit
    from tui.models import ConversationSummary

_INDENT = 5
_TAGS_FROM = 60
"""Columns from which on a heading has room for tags."""


class SearchHits(Painted, can_focus=True):
    """See the module. What it shows is given to it."""

    BINDING_GROUP_TITLE = "Hits"
    HELP = "A heading for each conversation: service, title, tags, age; below it what was said, newest first."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,l", "open", "open", id="search.open", tooltip="Open the conversation at this place"),
        Binding("j,down", "move(1)", "down", id="search.down", show=False),
        Binding("k,up", "move(-1)", "up", id="search.up", show=False),
        Binding("J", "next_group(1)", "next conversation", id="search.next_group", show=False),
        Binding("K", "next_group(-1)", "previous conversation", id="search.previous_group", show=False),
        Binding("g,home", "move_to(0)", "first", id="search.first", show=False),
        Binding("G,end", "move_to(-1)", "last", id="search.last", show=False),
        Binding("ctrl+d", "page(0.5)", "half a page down", id="search.half_down", show=False),
        Binding("ctrl+u", "page(-0.5)", "half a page up", id="search.half_up", show=False),
        Binding("pagedown", "page(1)", "page down", id="search.page_down", show=False),
        Binding("pageup", "page(-1)", "page up", id="search.page_up", show=False),
    ]
    LOOKS: ClassVar[Mapping[str, MarkupStyle]] = {
        "title": MarkupStyle("$foreground bold"),
        "text": MarkupStyle("$foreground"),
        "quiet": MarkupStyle("$muted", "muted-style"),
        "match": MarkupStyle("$find-text on $find", "find-style"),
        "cursor": MarkupStyle("$cursor-text on $cursor"),
    }
    DEFAULT_CSS = """
    SearchHits {
        width: 1fr;
        height: 1fr;
    }
    """

    app = app_getter(YunliaoApi)

    @dataclass
    class Opened(Message):
        """The user wants to see this turn."""

        hit: SearchHit

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows = HitRows()
        self._lines: Mapping[str, ConversationSummary] = {}
        self._note: tuple[str, ...] = ()
        self._number = 0
        self._top = 0

    # --- what is shown -------------------------------------------------------------------------------------

    @property
    def rows(self) -> HitRows:
        return self._rows

    @property
    def selected(self) -> SearchHit | None:
        """The hit under the cursor."""
        return self._rows.hits[self._number] if self._number < len(self._rows.hits) else None

    def show(
        self, rows: HitRows, lines: Mapping[str, ConversationSummary], note: tuple[str, ...] = (), *, keep: bool = False
    ) -> None:
        """Show hits; `lines` are the conversations, `note` what stands where there are none.

        With `keep` the cursor stays on its hit; else it goes to the first.
        """
        before = self.selected
        at = rows.find(before.conversation_id, before.turn_id) if keep and before and self._number else None
        self._rows, self._lines, self._note = rows, lines, note
        self._top = self._top if keep else 0
        self._place(at or 0)
        self.refresh()

    def select(self, conversation_id: str, turn_id: str) -> None:
        """Put the cursor on the hit of a turn, where it is one."""
        at = self._rows.find(conversation_id, turn_id)
        if at is not None:
            self._place(at)
            self.refresh()

    # --- moving --------------------------------------------------------------------------------------------

    def _place(self, number: int) -> None:
        self._number = max(0, min(number, len(self._rows.hits) - 1))
        view = max(1, self.content_size.height)
        if self._rows.hits and self.content_size.height:
            row = self._rows.row_of(self._number)
            first = row - 1 if self._rows.is_first(self._number) else row
            self._top = max(row - view + 1, min(self._top, first))
        self._top = max(0, min(self._top, self._rows.height - view))

    def action_move(self, step: int) -> None:
        self._place(self._number + step)
        self.refresh()

    def action_move_to(self, number: int) -> None:
        self._place(number if number >= 0 else len(self._rows.hits) - 1)
        self.refresh()

    def action_page(self, pages: float) -> None:
        self.action_move(round(pages * max(1, self.content_size.height - 1)))

    def action_next_group(self, step: int) -> None:
        firsts = [number for number in range(len(self._rows.hits)) if self._rows.is_first(number)]
        if step > 0:
            self.action_move_to(next((first for first in firsts if first > self._number), self._number))
        else:
            self.action_move_to(next((first for first in reversed(firsts) if first < self._number), 0))

    def action_open(self) -> None:
        if self.selected:
            self.post_message(self.Opened(self.selected))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if action == "open" and not self._rows.hits else True

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.action_move(3)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.action_move(-3)

    def on_click(self, event: Click) -> None:
        item = self._rows.at(self._top + event.y)
        if isinstance(item, int):
            self.action_move_to(item)
            self.action_open()

    def on_resize(self, event: Resize) -> None:
        self._place(self._number)

    def on_focus(self, event: Focus) -> None:
        self.refresh()

    def on_blur(self, event: Blur) -> None:
        self.refresh()

    # --- painting ------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        styles = self.looks
        if not self._rows.hits:
            note = self._note[y - 1] if 0 < y <= len(self._note) else ""
            return Strip([Segment(fit(f" {note}", width), styles["quiet"])], width)
        item = self._rows.at(self._top + y)
        if item is None:
            return Strip.blank(width, self.rich_style)
        if isinstance(item, HitGroup):
            return self._heading(item, width, styles)
        return self._hit(self._rows.hits[item], width, styles, cursor=item == self._number)

    def _heading(self, group: HitGroup, width: int, styles: Mapping[str, Style]) -> Strip:
        line = self._lines.get(group.conversation_id)
        letter = LETTERS[line.service] if line else " "
        title = title_of(line) if line else group.conversation_id
        right = relative_time(group.hits[0].asked_at, self.app.now())
        if line and line.archived:
            right = _("archived") + "  " + right
        if line and width >= _TAGS_FROM:
            tags = "  ".join(f"#{tag}" for tag in line.tags[:3])
            right = f"{fit(tags, min(cell_len(tags), width // 3))}  {right}" if tags else right
        room = width - 3 - cell_len(right) - 2
        return Strip(
            [
                Segment(f" {letter} ", styles["quiet"]),
                Segment(fit(title, room), styles["title"]),
                Segment(f" {right} ", styles["quiet"]),
            ]
        ).adjust_cell_length(width, styles["text"])

    def _hit(self, hit: SearchHit, width: int, styles: Mapping[str, Style], *, cursor: bool) -> Strip:
        ground = styles["cursor"] if cursor else styles["text"]
        match = styles["cursor"] + Style(underline=True, bold=True) if cursor else styles["match"]
        bar = ">" if self.app.settings.ascii else "▌"
        pieces = [Segment((bar if cursor else " ").ljust(_INDENT), ground)]
        shown = fit(hit.snippet or _("(no words)"), width - _INDENT - 1, "~" if self.app.settings.ascii else "…")
        at = 0
        for start, end in hit.spans:
            if start >= len(shown):
                break
            pieces += [Segment(shown[at:start], ground), Segment(shown[start : min(end, len(shown))], match)]
            at = min(end, len(shown))
        pieces.append(Segment(shown[at:], ground))
        return Strip([piece for piece in pieces if piece.text]).adjust_cell_length(width, ground)
