"""What a long-term memory project remembers for a user: searched, added, deleted."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.getters import app as app_getter
from textual.getters import query_one
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static

from screens.dialogs import TextDialog, answer_of
from screens.read_only import may_change
from tui.contract import YunliaoApi
from tui.services.errors import ServiceError
from tui.services.memories import Memory
from tui.text import clean_line
from tui.widgets.choices import Choices
from tui.widgets.context_bar import ContextBar, service_bar
from tui.widgets.hints import HintLine
from tui.words import _


class MemoriesScreen(Screen[None]):
    """The user is asked for first; a search with an empty line lists all."""

    CSS_PATH = "integrations.tcss"
    AUTO_FOCUS = "Choices"
    BINDING_GROUP_TITLE = "Memories"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,h", "close", "close", id="memories.close"),
        Binding("slash", "search", "search", id="memories.search", show=False, tooltip="Search in the memories"),
        Binding("u", "user", "user", id="memories.user", show=False, tooltip="Another user's memories"),
        Binding("a", "add", "add", id="memories.add", show=False, tooltip="Have something remembered"),
        Binding("d", "delete", "delete", id="memories.delete", show=False, tooltip="Delete this memory"),
        Binding("R", "refresh", "again", id="memories.refresh", show=False, tooltip="Read the list again"),
        Binding("y,c", "copy", "copy", id="memories.copy", show=False, tooltip="Copy this memory"),
    ]

    app = app_getter(YunliaoApi)
    choices = query_one(Choices)
    search_line = query_one("#search", Input)

    def __init__(self) -> None:
        super().__init__()
        self._user = ""
        self._found: tuple[Memory, ...] = ()

    def compose(self) -> ComposeResult:
        yield service_bar(self.app.context, None, _("Memories"))
        yield Input(placeholder=_("search"), id="search", select_on_focus=False)
        yield Choices()
        yield Static(id="help", markup=False)
        hints = [("/", _("search")), ("a", _("add")), ("d", _("delete")), ("u", _("user"))]
        yield HintLine([*hints, ("Esc", _("close")), ("?", _("more"))])

    def on_mount(self) -> None:
        self.action_user()

    @work(group="user", exclusive=True)
    async def action_user(self) -> None:
        lines = [_("The user_id that memories are kept under.")]
        found = await answer_of(self.app, TextDialog(_("Whose memories?"), self._user, lines, verb=_("read")))
        if found is not None:
            self._user = found
            self.query_one(ContextBar).subject = clean_line(_("Memories of {user}").format(user=found))
            self._read()
        elif not self._user:
            self.action_close()

    @work(group="read", exclusive=True)
    async def _read(self) -> None:
        self._say(_("Loading …"))
        query = self.search_line.value.strip()
        try:
            project = await self.app.integrations.memories()
            try:
                self._found = await (project.search(self._user, query) if query else project.list(self._user))
            finally:
                await project.aclose()
        except ServiceError as error:
            self._found = ()
            self.app.show_problem(error.problem)
        self.choices.set_options([Content(clean_line(memory.text, 300)) for memory in self._found])
        if self._found:
            self.choices.highlighted = 0
        else:
            self._say(_("Nothing fits.") if query else _("Nothing is remembered for this user."))

    def _say(self, text: str) -> None:
        self.query_one("#help", Static).update(Content(text))

    @on(OptionList.OptionHighlighted)
    def _explain(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        memory = self._found[event.option_index]
        facts = [
            memory.created_at.astimezone().strftime("%Y-%m-%d %H:%M") if memory.created_at else "",
            _("fits {percent} %").format(percent=round(memory.score * 100)) if memory.score is not None else "",
            memory.id,
        ]
        self._say(memory.text + "\n" + "  ".join(fact for fact in facts if fact))

    def action_search(self) -> None:
        self.search_line.focus()

    @on(Input.Submitted, "#search")
    def _search(self, event: Input.Submitted) -> None:
        event.stop()
        self.choices.focus()
        self._read()

    @property
    def _memory(self) -> Memory | None:
        index = self.choices.highlighted
        return self._found[index] if index is not None and index < len(self._found) else None

    @work(group="add", exclusive=True)
    async def action_add(self) -> None:
        if not may_change(self.app):
            return
        lines = [_("The service decides what it keeps of it, and when.")]
        text = await answer_of(self.app, TextDialog(_("What shall be remembered?"), "", lines, verb=_("add")))
        if text is None:
            return
        try:
            project = await self.app.integrations.memories()
            try:
                await project.add(self._user, text)
            finally:
                await project.aclose()
        except ServiceError as error:
            self.app.show_problem(error.problem)
        else:
            self.app.notify(_("Sent; it is in the list once the service has kept it."))
            self._read()

    def action_delete(self) -> None:
        memory = self._memory
        if memory is None or not may_change(self.app):
            return

        async def delete() -> None:
            try:
                project = await self.app.integrations.memories()
                try:
                    await project.delete(memory.id)
                finally:
                    await project.aclose()
            except ServiceError as error:
                self.app.show_problem(error.problem)
            self._read()

        lines = [clean_line(memory.text, 200), _("The service deletes it for good.")]
        self.app.confirm(_("Delete this memory?"), lines, _("delete"), delete)

    def action_refresh(self) -> None:
        self._read()

    def action_copy(self) -> None:
        if self._memory is not None:
            self.app.copy_text(self._memory.text, _("the memory"))

    def action_close(self) -> None:
        if self.search_line.has_focus:
            self.choices.focus()
        else:
            self.app.pop_screen()
