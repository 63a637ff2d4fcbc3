"""The part of the agents' screen that lists: both services, drafts, a filter; the agent under the cursor is read."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.css.query import NoMatches
from textual.getters import query_one
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from screens.agent_actions import AgentActions
from tui.agents.editing import AgentChanged, AgentGone, AgentLine, Draft
from tui.services.errors import ServiceError
from tui.widgets.agent_rows import list_row
from tui.widgets.choices import Choices, Row
from tui.widgets.conversation_rows import TitleFilter
from tui.widgets.still import Still
from tui.words import _

REST = 0.15
"""Seconds that the cursor rests on an agent before it is read."""


class AgentList(Choices):
    """All agents; the one under the cursor is in the form."""

    HELP = "R and D before a name: RDS Copilot and Data Agent. ~ is not saved, + is not on the service yet."
    BINDING_GROUP_TITLE = "Agents"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,right", "select", "open", id="agents.open", show=False, tooltip="To its fields"),
        Binding("slash", "screen.filter", "filter", id="agents.filter", show=False, tooltip="Filter by any word"),
        Binding("n", "screen.new_agent('rds')", "new", id="agents.new_rds", show=False, tooltip="New: RDS Copilot"),
        Binding("N", "screen.new_agent('dms')", "new", id="agents.new_dms", show=False, tooltip="New: Data Agent"),
        Binding("c", "screen.clone", "clone", id="agents.clone", show=False, tooltip="A new one like this"),
        Binding("d", "screen.delete_agent", "delete", id="agents.delete", show=False, tooltip="Delete; asks first"),
        Binding("x,e", "screen.export", "export", id="agents.export", show=False, tooltip="Write it to a TOML file"),
        Binding(
            "X,E", "screen.export_all", "export all", id="agents.export_all", show=False, tooltip="All in one file"
        ),
        Binding("I,i", "screen.import", "import", id="agents.import", show=False, tooltip="Read agents from a file"),
        Binding("R", "screen.refresh", "refresh", id="agents.refresh", show=False, tooltip="List them anew"),
        Binding("v", "screen.details", "details", id="agents.details", show=False, tooltip="Ids, times, the rest"),
        Binding("y", "screen.copy_id", "copy id", id="agents.copy_id", show=False, tooltip="Copy the agent's id"),
    ]


class AgentListing(AgentActions):
    """A screen with the list `#agents`, its filter and its note."""

    list_pane = query_one("#agents", AgentList)
    filter_bar = query_one("#filter", Input)

    def __init__(self, key: str = "") -> None:
        """`key`: the agent that is shown first, `rds:ID` or `dms:ID`."""
        super().__init__()
        self._key = key
        self._lines: list[AgentLine] = []
        self._loaded = False

    @property
    def key(self) -> str:
        return self._key

    @property
    def held(self) -> Draft | None:
        return self.desk.draft(self._key) if self._key else None

    @property
    def lines(self) -> list[AgentLine]:
        """What the list shows."""
        return self._lines

    @property
    def loaded(self) -> bool:
        """False while the list is being read."""
        return self._loaded

    def to_first_field(self) -> None:
        """Another agent is shown: put the cursor of the form where it is wanted first."""
        raise NotImplementedError

    @work(group="agent-list", exclusive=True)
    async def action_refresh(self) -> None:
        if self._loaded:
            self._loaded = False
            self.show_list()
        await self.desk.load()
        self._loaded = True
        self.show_list()
        self.show_form()
        self.read()

    def show_list(self) -> None:
        if self.is_mounted:
            with suppress(NoMatches):  # the screen is on its way out: its parts go before it
                self._show_list()

    def _show_list(self) -> None:
        found = TitleFilter(self.filter_bar.value)
        everything = self.desk.lines()
        self._lines = [line for line in everything if not found or found.matches(f"{line.name} {line.status}")]
        width = max(24, self.list_pane.content_size.width - 3)
        now = self.app.now()
        keys = [line.key for line in self._lines]
        with self.prevent(OptionList.OptionHighlighted):
            self.list_pane.clear_options()
            self.list_pane.add_options([Option(Row(partial(list_row, line, width, now))) for line in self._lines])
            if keys:
                at = keys.index(self._key) if self._key in keys else 0
                self._key = keys[at]
                self.list_pane.highlighted = at
        if not keys:
            self._key = "" if not found else self._key
        self.query_one("#list-note", Still).show(self._note(len(everything), bool(found)))

    def _note(self, count: int, filtered: bool) -> Content:
        names = {"rds": "RDS Copilot", "dms": "Data Agent"}
        parts = []
        for service, problem in self.desk.problems.items():
            text = f"! {names[service]}{_(': ')}{problem.sentence}"
            parts.append(Content.assemble((text, "$error"), (f" {problem.remedy}" if problem.remedy else "", "$muted")))
        if not self._loaded:
            parts.append(Content.styled(_("reading the list …"), "$muted"))
        elif filtered:
            text = _("{count} of {all}").format(count=len(self._lines), all=count)
            parts.append(Content.styled(text if self._lines else _("nothing found"), "$muted"))
        elif count:
            parts.append(Content.styled(_("{count} agents").format(count=count), "$muted"))
        elif not parts:
            parts.append(Content.styled(_("There is none yet: n makes one."), "$muted"))
        return Content("\n").join(parts)

    @on(OptionList.OptionHighlighted, "#agents")
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if self._lines[event.option_index].key != self._key:
            self._key = self._lines[event.option_index].key
            self.problem = None
            self.show_form()
            self.to_first_field()
            self.read(REST)

    @on(OptionList.OptionSelected, "#agents")
    def _opened(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._open()

    @work(group="agent-open", exclusive=True)
    async def _open(self) -> None:
        if await self.opened() is not None:
            self.show_form()
            self.go_to("form")

    @work(group="agent-read", exclusive=True)
    async def read(self, pause: float = 0.0) -> None:
        """Read the agent under the cursor, once the cursor rests there."""
        await asyncio.sleep(pause)
        key = self._key
        if not key or (self.held is not None and self.held.is_read):
            return
        try:
            draft = await self.desk.open(key)
        except (AgentChanged, AgentGone) as met:
            self.app.notify(str(met), severity="warning", timeout=10, markup=False)
        except ServiceError as error:
            if key == self._key:
                self.problem = error.problem
        else:
            if draft.service == "rds":
                self._read_catalogue()
        self.show_list()
        self.show_form()

    @work(group="agent-catalogue", exclusive=True)
    async def _read_catalogue(self) -> None:
        """What tools and skills are, for their descriptions; without it the form shows their names alone."""
        try:
            await self.desk.tools()
            await self.desk.skills()
        except ServiceError:
            return
        self.show_form()

    def action_filter(self) -> None:
        self.filter_bar.display = True
        self.filter_bar.focus()

    @on(Input.Changed, "#filter")
    def _filter(self, event: Input.Changed) -> None:
        event.stop()
        before = self._key
        self.show_list()
        if self._key != before:
            self.show_form()
            self.read(REST)

    @on(Input.Submitted, "#filter")
    def _filtered(self, event: Input.Submitted) -> None:
        event.stop()
        self.filter_bar.display = bool(event.value)
        self.list_pane.focus()
