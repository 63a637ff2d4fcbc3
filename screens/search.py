"""Search what was said, in all conversations, as it is typed; a hit opens at its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import DescendantBlur, DescendantFocus
from textual.getters import app as app_getter
from textual.getters import query_one
from textual.screen import Screen
from textual.widgets import Input, Static

from tui import routes
from tui.contract import Context, YunliaoApi
from tui.search import LIMIT
from tui.search_query import SearchQuery, tags_of, with_filter
from tui.widgets.context_bar import SERVICE_NAMES, ContextBar
from tui.widgets.hints import LIMIT as HINTS
from tui.widgets.hints import HintLine, shown_hints
from tui.widgets.search_hits import SearchHits
from tui.widgets.search_rows import HitRows
from tui.words import _

if TYPE_CHECKING:
    from tui.cache.matching import SearchHit

SERVICES = {"1": "rds", "2": "dms", "3": "dashscope", "0": ""}
SPANS = ("", "today", "7d", "30d", "1y")
"""What `d` goes through."""


class SearchScreen(Screen[None]):
    """The line to type in, what it means in words, the hits."""

    CSS_PATH = "search.tcss"
    AUTO_FOCUS = "#typed"
    TITLE = "Search"
    BINDING_GROUP_TITLE = "Search"
    HELP = 'Words, "a phrase", #tag, service:dms, since:7d or since:2026-11, until:yesterday. All of them must be true.'
    hides_chat = True
    """What ends in the chat meanwhile is not seen."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "back", id="search_screen.back", show=False),
        Binding("down", "move(1)", "next hit", id="search_screen.down", show=False),
        Binding("up", "move(-1)", "previous hit", id="search_screen.up", show=False),
        Binding("pagedown", "page(1)", "page down", id="search_screen.page_down", show=False),
        Binding("pageup", "page(-1)", "page up", id="search_screen.page_up", show=False),
        Binding("slash,s,i", "type", "type", id="search_screen.type", tooltip="Back to the words"),
        Binding("t", "tag", "tag", id="search_screen.tag", tooltip="Only conversations with a tag"),
        Binding("d", "span", "since when", id="search_screen.span", tooltip="Today, 7 days, 30 days, a year, all"),
        Binding("1", "service('1')", "RDS Copilot only", id="search_screen.service_rds", show=False),
        Binding("2", "service('2')", "Data Agent only", id="search_screen.service_dms", show=False),
        Binding("3", "service('3')", "DashScope only", id="search_screen.service_dashscope", show=False),
        Binding("0", "service('0')", "all services", id="search_screen.service_all", show=False),
    ]

    app = app_getter(YunliaoApi)
    input = query_one("#typed", Input)
    hits = query_one("#hits", SearchHits)

    def __init__(self, typed: str = "") -> None:
        super().__init__()
        self._typed = typed
        self._query = SearchQuery()
        self._searching = False
        self._rows = HitRows()
        self._left_at: str | None = None
        """The words of last time, until their hits are there: then the cursor goes where it was."""

    def compose(self) -> ComposeResult:
        bar = ContextBar(id="context")
        bar.set_reactive(ContextBar.service, None)
        yield bar
        with Horizontal(id="line"):
            yield Static(" / ", id="caret", markup=False)
            yield Input(
                self._typed or self.app.search.typed,
                id="typed",
                placeholder=_('words, "a phrase", #tag, service:dms, since:7d'),
                select_on_focus=True,
                compact=True,
            )
        yield Static(id="told", markup=False)
        yield SearchHits(id="hits")
        yield HintLine(id="hints")

    def on_mount(self) -> None:
        self.app.context_changed.subscribe(self, self._context_changed)
        self.app.search_changed.subscribe(self, lambda _nothing: self._tell())
        self._context_changed(self.app.context)
        self.app.search.refresh()
        self._left_at = self.input.value
        self._search(self.input.value)

    def _context_changed(self, context: Context) -> None:
        bar = self.query_one(ContextBar)
        bar.context = context
        bar.subject = _("Search what was said")
        self._tell()
        self._update_hints()

    # --- searching -----------------------------------------------------------------------------------------

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._search(event.value)

    @work(group="search", exclusive=True)
    async def _search(self, typed: str) -> None:
        search = self.app.search
        search.typed = typed
        query = self._query = search.query(typed)
        found: list[SearchHit] = []
        if not query:
            self._searching = False
            self._show([], keep=False)
            return
        self._searching = True
        self._tell()
        shown = False
        async for batch in search.find(query):
            found += batch
            self._show(found, keep=shown)
            shown = True
        self._searching = False
        self._show(found, keep=shown)
        if typed == self._left_at:
            self._left_at = None
            self.hits.select(*search.chosen)

    def _show(self, found: list[SearchHit], *, keep: bool) -> None:
        self._rows = HitRows(found, LIMIT)
        lines = {summary.id: summary for summary in self.app.summaries()}
        self.hits.show(self._rows, lines, self._note(), keep=keep)
        self._tell()

    def _note(self) -> tuple[str, ...]:
        """What stands in place of hits."""
        if not self._query:
            return (
                _("Type what was said: any part of a word, in any language, in questions, answers and SQL."),
                "",
                _("#rm-bp1k3      conversations about an instance"),
                _("service:dms    one service; 1 2 3 among the hits"),
                _("since:7d       also 24h, today, 2026-11, 2026-11-20; until: likewise"),
                _('"a phrase"     these words in this order'),
            )
        if self._searching:
            return ()
        return _("Nothing was found."), "", _("All words must stand in one question and its answer.")

    def _tell(self) -> None:
        """The line below: what is searched, how many hits, how far the index is."""
        query, search = self._query, self.app.search
        parts = [
            *(SERVICE_NAMES[service] for service in sorted(query.services)),
            *(f"#{tag}" for tag in query.tags),
        ]
        if query.since:
            parts.append(_("since {time}").format(time=f"{query.since:%Y-%m-%d %H:%M}"))
        if query.until:
            parts.append(_("before {time}").format(time=f"{query.until:%Y-%m-%d %H:%M}"))
        parts += [_("“{text}” is no filter").format(text=text) for text in query.unclear]
        count, conversations = len(self._rows.hits), len(self._rows.groups)
        if count:
            told = _("{count} hits in {conversations} conversations")
            if self._rows.cut:
                told = _("the newest {count} hits, in {conversations} conversations")
            elif conversations == 1:
                told = _("{count} hits in one conversation") if count > 1 else _("one hit")
            parts.append(told.format(count=count, conversations=conversations))
        if self._searching:
            parts.append(_("searching …"))
        if progress := search.progress:
            told = _("index: {done} of {total}")
            parts.append(told.format(done=f"{progress.done:,}", total=f"{progress.total:,}"))
        elif search.without_index:
            parts.append(_("without an index: every conversation is read"))
        self.query_one("#told", Static).update(" · ".join(parts))

    # --- keys ----------------------------------------------------------------------------------------------

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _update_hints(self) -> None:
        if self.focused is self.input:
            hints = [("Enter", _("open")), ("Up Down", _("choose")), ("Tab", _("to the hits")), ("Esc", _("back"))]
        else:
            hints = [*shown_hints(self, HINTS), ("?", _("more"))]
        self.query_one(HintLine).hints = hints

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.hits.action_open()

    @on(SearchHits.Opened)
    def _opened(self, event: SearchHits.Opened) -> None:
        event.stop()
        hit = event.hit
        self.app.search.chosen = hit.conversation_id, hit.turn_id
        words = max(self._query.words, key=len, default="")
        self.app.show_conversation(hit.conversation_id, hit.turn_id, find=words)

    def action_move(self, step: int) -> None:
        self.hits.action_move(step)

    def action_page(self, pages: int) -> None:
        self.hits.action_page(pages)

    def action_type(self) -> None:
        self.input.focus()

    def _filter(self, name: str, value: str) -> None:
        self.input.value = with_filter(self.input.value, name, value)

    def action_service(self, key: str) -> None:
        self._filter("service", SERVICES[key])

    def action_span(self) -> None:
        """To the next of `SPANS`."""
        typed = self.input.value
        now = next((span for span in SPANS[1:] if f"since:{span}" in typed.split()), "")
        self._filter("since", SPANS[(SPANS.index(now) + 1) % len(SPANS)])

    @work(group="choose", exclusive=True)
    async def action_tag(self) -> None:
        tags = tags_of(self.app.summaries())
        if not tags:
            self.app.notify(_("No conversation has a tag yet."))
            return
        choices = [(f"#{tag}  {count}", "") for tag, count in tags[:99]]
        dialog = routes.build("choose", title=_("Only conversations with"), choices=[(_("any tag"), ""), *choices])
        chosen = await self.app.push_screen_wait(dialog)
        if chosen is not None:
            self._filter("#", tags[chosen - 1][0] if chosen else "")

    def action_back(self) -> None:
        if len(self.app.screen_stack) > 1:
            self.dismiss(None)
