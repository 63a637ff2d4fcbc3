"""The list of conversations: one widget that paints lines, however many there are.

The cursor stays on a conversation and not on a row, so that it does not move to another one when the order changes
while somebody aims at it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Self

from rich.cells import cell_len
from rich.segment import Segment
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Blur, Click, Focus, MouseScrollDown, MouseScrollUp, Resize
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widgets import Input

from tui.contract import Context
from tui.widgets.context_bar import SERVICE_NAMES
from tui.widgets.conversation_keys import BINDINGS
from tui.widgets.conversation_line import ASCII, LOOKS, UNICODE, empty_note, fit, paint, words_of
from tui.widgets.conversation_rows import Rows, TitleFilter, relative_time
from tui.widgets.list_actions import OF_ONE, ListActions
from tui.words import _

if TYPE_CHECKING:
    from tui.models import ConversationSummary, ServiceName

SLICE = 1000
"""Titles searched between two looks at the keyboard: about 2 ms."""
HEAD = 2
"""Lines above the rows: the filter and a blank one."""
SERVICES: dict[str, ServiceName] = {"1": "rds", "2": "dms", "3": "dashscope"}


def local_now() -> datetime:
    return datetime.now(UTC).astimezone()


class FilterInput(Input):
    """The line at the top; it stands over the hint that is painted there."""


class ConversationList(ListActions, can_focus=True):
    """All conversations, newest first, in groups by age."""

    HELP = "Each line: service (R RDS Copilot, D Data Agent, A DashScope), state, title, age."
    BINDING_GROUP_TITLE = "Conversations"
    BINDINGS: ClassVar[list[BindingType]] = BINDINGS
    LOOKS = LOOKS
    DEFAULT_CSS = """
    ConversationList {
        width: 1fr;
        height: 1fr;
        FilterInput { dock: top; display: none; background: $background; }
        FilterInput:focus { background: $background; }
    }
    """

    _lines: Sequence[tuple[object, ...]] = ()
    """What stands in each line, when that is known to be what was painted last."""

    current: reactive[str] = reactive("")
    """The id of the conversation that the chat shows."""

    class Opened(Message):
        """The user wants to see this conversation."""

        def __init__(self, conversation_id: str) -> None:
            super().__init__()
            self.conversation_id = conversation_id

    def __init__(self, *, now: Callable[[], datetime] = local_now, id: str | None = None) -> None:
        """`now` is an aware clock in the zone in which days begin."""
        super().__init__(id=id)
        self._now = now
        self._all: Sequence[ConversationSummary] = ()
        self._rows = Rows((), now())
        self._filter = TitleFilter("")
        self._searched: tuple[TitleFilter, Sequence[ConversationSummary]] = self._filter, ()
        self._service: ServiceName | None = None
        self._cursor = ""
        """The id under the cursor."""
        self._index = 0
        """Where it stands, and where the cursor stays when that conversation goes."""
        self._top = 0
        """The first row in view."""
        self._archived = False
        """The archived ones are shown in place of the others."""
        self._stale = False
        self._ages: list[str] = []
        """The ages in view when they were painted."""

    # --- reading the app -----------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield FilterInput(placeholder=_("filter"), select_on_focus=False, id="filter")

    def on_mount(self) -> None:
        self.app.conversations_changed.subscribe(self, self._changed)
        self.app.context_changed.subscribe(self, self._context_changed)
        self.read()
        self.app.minute_passed.subscribe(self, lambda _nothing: self._minute())

    def _context_changed(self, _context: Context) -> None:
        """The language may be another one: headings are made with the rows."""
        self.query_one(FilterInput).placeholder = _("filter")
        self._lines = ()
        self._show(self._rows.items)

    def _changed(self, _conversation_id: str) -> None:
        # Many may come at once (a list that is being read): once per turn of the loop is enough.
        if not self._stale:
            self._stale = True
            self.call_next(self.read)

    def read(self) -> None:
        """Show what the app has now."""
        self._stale = False
        self._all = self.app.summaries()
        self._marked &= {item.id for item in self._all} if self._marked else set()
        self._select(again=True)

    def _select(self, *, again: bool = False) -> None:
        """Find what passes the filters; `again` when the conversations themselves have changed."""
        archived = self._archived
        items = [item for item in self._all if item.archived is archived and self._service in (None, item.service)]
        before, hits = self._searched
        base = hits if before and not again and self._filter.narrows(before) else items
        if not self._filter:
            self.workers.cancel_group(self, "filter")
            self._searched = self._filter, ()
            self._show(items)
        elif len(base) <= SLICE:
            self.workers.cancel_group(self, "filter")
            self._found([item for item in base if self._filter.matches(words_of(item))])
        else:
            self._search(base)

    @work(group="filter", exclusive=True)
    async def _search(self, base: Sequence[ConversationSummary]) -> None:
        wanted = self._filter
        hits: list[ConversationSummary] = []
        for start in range(0, len(base), SLICE):
            hits += [item for item in base[start : start + SLICE] if wanted.matches(words_of(item))]
            await asyncio.sleep(0)
        self._found(hits)

    def _found(self, hits: Sequence[ConversationSummary]) -> None:
        self._searched = self._filter, hits
        self._show(hits)

    def _show(self, items: Sequence[ConversationSummary]) -> None:
        self._rows = Rows(items, self._now())
        wanted = self._cursor or self.current
        index = next((number for number, item in enumerate(items) if item.id == wanted), None)
        self._place(min(self._index, max(0, len(items) - 1)) if index is None else index)
        before, after = self._lines, self._lines_in_view()
        if not before or len(before) != len(after):
            self.refresh()
        elif changed := [y for y, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))
        self._lines = after

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        self._lines = ()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _lines_in_view(self) -> Sequence[tuple[object, ...]]:
        """All that the lines depend on which can change without a new size or style; nothing when there are none."""
        if not self._rows.items:
            return ()
        now, focused = self._now(), self.has_focus_within
        lines: list[tuple[object, ...]] = [(self._head(self.content_size.width),), ()]
        for row in range(self._top, self._top + self._view):
            item = self._rows.at(row)
            if isinstance(item, str):
                lines.append((item,))
                continue
            summary = self._rows.items[item]
            age = relative_time(summary.updated_at, now)
            here = item == self._index and focused, summary.id == self.current, summary.id in self._marked
            lines.append((summary, age, self._filter, *here))
        return lines

    def _minute(self) -> None:
        """Ages grow by themselves; nothing is painted unless one of those in view reads differently now."""
        if self._now().date() != self._rows.day:
            self._show(self._rows.items)
        elif self.is_attached and self.screen.is_active and self._ages != self._ages_in_view():
            self.refresh()

    # --- cursor and view -----------------------------------------------------------------------------------

    @property
    def items(self) -> Sequence[ConversationSummary]:
        return self._rows.items

    @property
    def selected(self) -> ConversationSummary | None:
        """The conversation under the cursor."""
        items = self._rows.items
        return items[self._index] if self._index < len(items) else None

    @property
    def _view(self) -> int:
        """Rows in view."""
        return max(1, self.content_size.height - HEAD)

    def _place(self, index: int) -> None:
        """Put the cursor on an item and bring it into view, with its group's heading where that fits."""
        self._index = max(0, min(index, len(self._rows.items) - 1))
        selected = self.selected
        self._cursor = selected.id if selected else ""
        top = self._top
        if selected and self.content_size.height:
            row = self._rows.row_of(self._index)
            first = row - 1 if isinstance(self._rows.at(row - 1), str) else row
            top = max(row - self._view + 1, min(top, first))
        self._top = max(0, min(top, self._rows.height - self._view))

    def _move(self, index: int) -> None:
        before, top = self._index, self._top
        self._place(index)
        if self._top != top:
            self.refresh()
        elif self._index != before and self._rows.items:
            lines = [0, *(self._rows.row_of(one) - top + HEAD for one in (before, self._index))]
            self.refresh(*(Region(0, line, self.size.width, 1) for line in lines))

    def on_resize(self, event: Resize) -> None:
        self._place(self._index)

    def watch_current(self) -> None:
        self.refresh()

    def on_focus(self, event: Focus) -> None:
        self.refresh()

    def on_blur(self, event: Blur) -> None:
        self.refresh()

    # --- painting ------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        if y < HEAD:
            if y == 0:
                self._ages = self._ages_in_view()
                return self._head(width)
            return Strip.blank(width, self.rich_style)
        row = self._top + y - HEAD
        styles = self.looks
        if not self._rows.items:
            notes = empty_note(
                self._filter,
                self._service,
                archived=self._archived,
                loaded=self.app.index_loaded,
                more=self.app.has_more_conversations,
            )
            note = notes[y - HEAD] if y - HEAD < len(notes) else ""
            return Strip([Segment(fit(f" {note}", width), self.looks["quiet"])], width)
        item = self._rows.at(row)
        if isinstance(item, str):
            return Strip([Segment(fit(f" {item}", width), styles["heading"])], width)
        summary = self._rows.items[item]
        return paint(
            summary,
            width,
            relative_time(summary.updated_at, self._now()),
            styles,
            ASCII if self.app.settings.ascii else UNICODE,
            found=self._filter,
            cursor=item == self._index and self.has_focus_within,
            current=summary.id == self.current,
            marked=summary.id in self._marked,
        )

    def _head(self, width: int) -> Strip:
        """The filter in words, and at the right where the cursor is in a list longer than the view."""
        count = len(self._rows.items)
        parts = [_("archived")] if self._archived else []
        parts += [SERVICE_NAMES[self._service]] if self._service else []
        if self._marked:
            parts.append(_("{count} marked").format(count=len(self._marked)))
        if self._rows.height > self._view:
            parts.append(f"{self._index + 1}/{count}{'+' if self.app.has_more_conversations else ''}")
        right = " · ".join(parts) + " " if parts else ""
        left = f" / {self._filter.typed or _('filter')}"
        return Strip([Segment(fit(left, width - cell_len(right)) + right, self.looks["quiet"])]).adjust_cell_length(
            width, self.rich_style
        )

    def _ages_in_view(self) -> list[str]:
        now = self._now()
        shown = (self._rows.at(row) for row in range(self._top, self._top + self._view))
        return [relative_time(self._rows.items[item].updated_at, now) for item in shown if isinstance(item, int)]

    # --- moving --------------------------------------------------------------------------------------------

    def action_move(self, step: int) -> None:
        self._move(self._index + step)
        if step > 0:
            self._fetch_at_the_end()

    def action_move_to(self, index: int) -> None:
        self._move(index if index >= 0 else len(self._rows.items) - 1)
        if index < 0:
            self._fetch_at_the_end()

    def action_page(self, pages: float) -> None:
        self.action_move(round(pages * max(1, self._view - 1)))

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self._move(self._index + 3)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self._move(self._index - 3)

    def on_click(self, event: Click) -> None:
        item = self._rows.at(self._top + event.y - HEAD) if event.y >= HEAD else ""
        if isinstance(item, int):
            self._move(item)
            self.action_open()

    # --- filters -------------------------------------------------------------------------------------------

    @property
    def _input(self) -> FilterInput:
        return self.query_one(FilterInput)

    def action_filter(self) -> None:
        self._input.display = True
        self._input.focus()

    def action_close_filter(self) -> None:
        self._input.value = ""
        self._leave_input()

    def _leave_input(self) -> None:
        if self._input.has_focus:
            self.focus()
        self._input.display = False
        self.refresh()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._filter = TitleFilter(event.value)
        self._select()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        """Enter keeps the filter and goes to the hits; a single hit is what was looked for."""
        event.stop()
        self._leave_input()
        if self._filter and len(self._rows.items) == 1:
            self.action_open()

    def action_service(self, key: str) -> None:
        self._service = SERVICES.get(key)
        self._select(again=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "close_filter":
            return bool(self._filter or self._input.display) if self.is_mounted else False
        if action in OF_ONE and not self._rows.items:
            return None
        return True

    def action_archived(self) -> None:
        """The archived ones in place of the others, or back."""
        self._archived = not self._archived
        self._cursor = ""
        self._select(again=True)

    def action_open(self) -> None:
        if self.selected:
            self.post_message(self.Opened(self.selected.id))
