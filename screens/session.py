"""How the Data Agent shall work in a conversation: one line a setting; Enter changes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from screens.databases import ask_database
from screens.dialogs import ChooseDialog, Dialog
from tui.services.dms_options import MODES, SKIPS, DataSource, read_data, write_data
from tui.services.errors import ServiceError
from tui.widgets.choices import Choices
from tui.widgets.conversation_line import fit
from tui.widgets.session_words import mode_name, skip_name
from tui.words import _

LANGUAGES = ("", "zh-CN", "en-US")
PLANS = ("", "disable", "enable", "force")
SETTINGS = ("mode", "plan", "language", "search", "agent", "skip", "files", "databases")
LATER = frozenset({"files", "databases", "language"})
"""What can be changed in a conversation that has begun: the rest counts with its first message only."""


class SessionScreen(Dialog[dict[str, str]]):
    """The options of one conversation; the answer is all of them, None where it was left with Esc."""

    BINDING_GROUP_TITLE = "Session"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,right", "change", "change", id="session.change", show=False, tooltip="Change this setting"),
        Binding("x", "reset", "default", id="session.reset", show=False, tooltip="Back to what the agent does"),
        Binding("w,ctrl+j", "take", "use", id="session.take", show=False, tooltip="Use these settings"),
    ]

    def __init__(self, options: Mapping[str, str], begun: bool = False) -> None:
        """`begun`: the conversation has a session already."""
        lines = [_("The session has begun: mode, plan, agent and confirmations stay as they are.")] if begun else []
        super().__init__(
            _("How the Data Agent shall work"),
            lines,
            [("Enter", _("change")), ("x", _("default")), ("w", _("use these")), ("Esc", _("cancel"))],
        )
        self._options = dict(options)
        self._begun = begun

    def body(self) -> Iterable[Widget]:
        yield Choices(*(Option(self._row(name), id=name) for name in SETTINGS), id="settings")

    # --- rows ----------------------------------------------------------------------------------------------

    def _sources(self) -> tuple[DataSource, ...]:
        return read_data(self._options.get("data", ""))

    def _value(self, name: str) -> str:
        value = self._options.get(name, "")
        match name:
            case "mode":
                return mode_name(value or "ANALYSIS")
            case "plan":
                return _plan_name(value)
            case "language":
                return value or _("as the program")
            case "search":
                return _("yes") if value == "true" else _("no")
            case "agent":
                return self._options.get("agent_name", "") or value or _("none")
            case "skip":
                skipped = [skip_name(part) for part in value.split(",") if part]
                return _(", ").join(skipped) or _("asks about everything")
            case "files":
                return _(", ").join(one.name or one.id for one in self._sources() if one.file_id) or _("none: @ or F4")
        return _(", ").join(one.name or one.id for one in self._sources() if one.database_id) or _("none")

    def _row(self, name: str) -> Content:
        labels = {
            "mode": _("mode"),
            "plan": _("plan"),
            "language": _("language"),
            "search": _("search the web"),
            "agent": _("custom agent"),
            "skip": _("do not ask about"),
            "files": _("files"),
            "databases": _("databases"),
        }
        fixed = self._begun and name not in LATER
        text = f"{fit(labels[name], 18)}{self._value(name)}"
        return Content.styled(text, "$muted") if fixed else Content(text)

    def _show(self) -> None:
        choices = self.query_one("#settings", Choices)
        for name in SETTINGS:
            choices.replace_option_prompt(name, self._row(name))

    @property
    def _setting(self) -> str:
        return SETTINGS[self.query_one("#settings", Choices).highlighted or 0]

    # --- changing ------------------------------------------------------------------------------------------

    @on(OptionList.OptionSelected, "#settings")
    def action_change(self) -> None:
        name = self._setting
        if self._begun and name not in LATER:
            self.app.notify(_("The session has begun; a new conversation can have another."), severity="warning")
        else:
            self._change(name)

    @work(group="change", exclusive=True)
    async def _change(self, name: str) -> None:
        match name:
            case "mode":
                await self._choose(name, _("Mode"), MODES, mode_name)
            case "plan":
                await self._choose(name, _("Plan"), PLANS, _plan_name)
            case "language":
                await self._choose(name, _("Language"), LANGUAGES, lambda value: value or _("as the program"))
            case "search":
                self._set(search="" if self._options.get("search") == "true" else "true")
            case "agent":
                await self._choose_agent()
            case "skip":
                await self._choose_skips()
            case "files":
                self._set(data=write_data(one for one in self._sources() if not one.file_id))
                self.app.notify(_("Files are chosen with @ or F4 in the chat."))
            case "databases":
                await self._choose_database()
        self._show()

    def _set(self, **changes: str) -> None:
        self._options = {name: value for name, value in {**self._options, **changes}.items() if value}

    async def _choose(self, name: str, title: str, values: Sequence[str], words: object) -> None:
        assert callable(words)
        held = self._options.get(name, "")
        chosen = values.index(held) if held in values else 0
        found = await self.app.push_screen_wait(ChooseDialog(title, [(words(value), "") for value in values], chosen))
        if found is not None:
            self._set(**{name: values[found]})

    async def _choose_agent(self) -> None:
        try:
            agents = await self.app.custom_agents()
        except ServiceError as error:
            self.app.show_problem(error.problem)
            return
        choices = [(_("none"), ""), *((f"{one.name}  {one.id}  {one.status}", one.description) for one in agents)]
        ids = ["", *(one.id for one in agents)]
        held = self._options.get("agent", "")
        dialog = ChooseDialog(_("Custom agent"), choices, ids.index(held) if held in ids else 0)
        found = await self.app.push_screen_wait(dialog)
        if found is not None:
            self._set(agent=ids[found], agent_name=agents[found - 1].name if found else "")

    async def _choose_skips(self) -> None:
        """One after the other, until Esc or the last line."""
        chosen = 0
        while True:
            skipped = {part for part in self._options.get("skip", "").split(",") if part}
            choices = [(f"{'✓' if name in skipped else ' '} {skip_name(name)}", "") for name in SKIPS]
            dialog = ChooseDialog(_("Do not ask me about"), [*choices, (_("done"), "")], chosen)
            found = await self.app.push_screen_wait(dialog)
            if found is None or found == len(SKIPS):
                return
            chosen = found
            skipped ^= {SKIPS[found]}
            self._set(skip=",".join(name for name in SKIPS if name in skipped))
            self._show()

    async def _choose_database(self) -> None:
        added = await ask_database(self.app)
        if added is not None:
            self._set(data=write_data([*(one for one in self._sources() if one.id != added.id), added]))

    def action_reset(self) -> None:
        name = self._setting
        if self._begun and name not in LATER:
            return
        if name == "databases":
            self._set(data=write_data(one for one in self._sources() if one.file_id))
        elif name == "files":
            self._set(data=write_data(one for one in self._sources() if not one.file_id))
        elif name == "agent":
            self._set(agent="", agent_name="")
        else:
            self._set(**{name: ""})
        self._show()

    def action_take(self) -> None:
        self.dismiss(dict(self._options))


def _plan_name(plan: str) -> str:
    return {
        "": _("as the agent decides"),
        "disable": _("no plan"),
        "enable": _("with a plan where it helps"),
        "force": _("always with a plan"),
    }.get(plan, plan)
