"""One system's checklist: steps with ticks, values, questions and answers, and what can be made from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.getters import app as app_getter
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from screens.dialogs import TextDialog, answer_of
from screens.secret_dialog import SecretDialog
from tui.contract import YunliaoApi
from tui.integrations.guides import Action, Guide, Parameter, Step
from tui.models import Problem
from tui.services.errors import ServiceError
from tui.services.keys import NO_SECRET, Secret
from tui.text import clean_line
from tui.widgets.choices import Choices
from tui.widgets.context_bar import service_bar
from tui.widgets.conversation_line import fit
from tui.widgets.hints import HintLine
from tui.words import _

NAME_CELLS = 14
VALUE_CELLS = 44


@dataclass(frozen=True, slots=True)
class _Row:
    kind: Literal["action", "step", "value", "question"]
    index: int


class GuideScreen(Screen[None]):
    """Space ticks, `v` verifies what can be verified, Enter does what the line is for."""

    CSS_PATH = "integrations.tcss"
    AUTO_FOCUS = "Choices"
    BINDING_GROUP_TITLE = "Checklist"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,h", "close", "close", id="guide.close"),
        Binding("space", "tick", "tick", id="guide.tick", show=False, tooltip="Tick this step, or take it back"),
        Binding("v", "verify", "verify", id="guide.verify", show=False, tooltip="Verify this step at the service"),
        Binding("y,c", "copy", "copy", id="guide.copy", show=False, tooltip="Copy the text of this line"),
    ]

    app = app_getter(YunliaoApi)

    def __init__(self, guide: Guide) -> None:
        super().__init__()
        self.guide = guide
        self._rows = [
            *(_Row("step", index) for index in range(len(guide.steps))),
            *(_Row("value", index) for index in range(len(guide.parameters))),
            *(_Row("action", index) for index in range(len(guide.actions))),
            *(_Row("question", index) for index in range(len(guide.questions))),
        ]
        self._found: dict[str, str] = {}
        """What the last verification of a step said."""

    def compose(self) -> ComposeResult:
        yield service_bar(self.app.context, None, self.guide.title)
        yield Static(self.guide.summary, id="summary", markup=False)
        yield Choices(*self._options())
        yield Static(id="help", markup=False)
        yield HintLine()

    # --- lines ---------------------------------------------------------------------------------------------

    def _options(self) -> list[Option | None]:
        options: list[Option | None] = []
        for number, row in enumerate(self._rows):
            if number and row.kind != self._rows[number - 1].kind:
                options.append(None)
            options.append(Option(self._line(row), id=f"{row.kind}{row.index}"))
        return options

    def _line(self, row: _Row) -> Content:
        if row.kind == "step":
            step = self.guide.steps[row.index]
            ticked = self.app.integrations.progress.ticked(self.guide.id, step.id)
            return Content.assemble(
                "[x] " if ticked else "[ ] ",
                f"{row.index + 1:>2} ",
                ("v " if step.check else "  ", "$muted"),
                step.text,
            )
        if row.kind == "value":
            parameter = self.guide.parameters[row.index]
            value = self.app.integrations.value(self.guide.id, parameter.id)
            shown = (fit(value, VALUE_CELLS), "bold") if value else (parameter.values, "$muted")
            return Content.assemble(f"    {fit(parameter.id, NAME_CELLS)}  ", shown)
        if row.kind == "action":
            return Content.assemble("  » ", (action_name(self.guide.actions[row.index]), "bold"))
        return Content.assemble("  ? ", self.guide.questions[row.index][0])

    @property
    def _row(self) -> _Row:
        return self._rows[self.query_one(Choices).highlighted or 0]

    @on(OptionList.OptionHighlighted)
    def _explain(self) -> None:
        row = self._row
        if row.kind == "step":
            step = self.guide.steps[row.index]
            place = _("v verifies it from here.") if step.check else _("Done in the console; tick it yourself.")
            lines = [step.text, self._found.get(step.id, "") or place]
            hints = [("Space", _("tick")), *([("v", _("verify"))] if step.check else [])]
        elif row.kind == "value":
            parameter = self.guide.parameters[row.index]
            lines = [parameter.text, _("Allowed: {values}").format(values=parameter.values)]
            hints = [("Enter", _("change"))]
        elif row.kind == "action":
            lines = [action_help(self.guide.actions[row.index])]
            hints = [("Enter", _("open"))]
        else:
            lines = [*self.guide.questions[row.index]]
            hints = []
        self.query_one("#help", Static).update(Content("\n".join(line for line in lines if line)))
        self.query_one(HintLine).hints = [*hints, ("y", _("copy")), ("Esc", _("close")), ("?", _("more"))]

    def _redraw(self) -> None:
        choices = self.query_one(Choices)
        for row in self._rows:
            choices.replace_option_prompt(f"{row.kind}{row.index}", self._line(row))
        self._explain()

    # --- what the keys do ----------------------------------------------------------------------------------

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        row = self._row
        if row.kind == "step":
            step = self.guide.steps[row.index]
            if step.check and not self.app.integrations.progress.ticked(self.guide.id, step.id):
                self.action_verify()
            else:
                self.action_tick()
        elif row.kind == "value":
            self._change(self.guide.parameters[row.index])
        elif row.kind == "action":
            self._act(self.guide.actions[row.index])

    @work(group="tick")
    async def action_tick(self) -> None:
        row = self._row
        if row.kind == "step":
            try:
                await self.app.integrations.toggle(self.guide.id, self.guide.steps[row.index].id)
            except OSError as error:
                self._not_kept(error)
            self._redraw()

    @work(group="change", exclusive=True)
    async def _change(self, parameter: Parameter) -> None:
        value = self.app.integrations.value(self.guide.id, parameter.id)
        lines = [parameter.text, _("Allowed: {values}").format(values=parameter.values)]
        found = await answer_of(self.app, TextDialog(parameter.id, value, lines, allow_empty=True))
        if found is not None:
            try:
                await self.app.integrations.set_value(self.guide.id, parameter.id, found)
            except OSError as error:
                self._not_kept(error)
            self._redraw()

    def _not_kept(self, error: OSError) -> None:
        self.app.notify(_("Not saved: {reason}").format(reason=error.strerror), severity="error", markup=False)

    @work(group="verify", exclusive=True)
    async def action_verify(self) -> None:
        row = self._row
        step = self.guide.steps[row.index] if row.kind == "step" else None
        if step is None or not step.check:
            self.app.notify(_("This can only be seen in the console; tick it when it is done."))
            return
        app_id, secret = "", NO_SECRET
        if step.check in ("dingtalk", "lark"):
            asked = await self._ask_credentials()
            if asked is None:
                return
            app_id, secret = asked
        elif step.check == "memory" and not await self._ask_memory_key():
            return
        self._say(step, _("Asking …"))
        try:
            found = await self.app.integrations.verify(self.guide.id, step.id, step.check, app_id, secret)
        except ServiceError as error:
            self._say(step, _sentence(error.problem))
        except OSError as error:
            self._not_kept(error)
        else:
            self._say(step, ("" if self.app.settings.ascii else "✓ ") + found)

    def _say(self, step: Step, text: str) -> None:
        self._found[step.id] = text
        if self.is_attached:
            self._redraw()

    async def _ask_credentials(self) -> tuple[str, Secret] | None:
        lines = [_("Client ID or App ID, from the app's page.")]
        app_id = await answer_of(self.app, TextDialog(_("Id of the app"), "", lines, verb=_("go on")))
        if app_id is None:
            return None
        secret = await answer_of(self.app, SecretDialog(_("Secret of the app"), [_("It is not kept.")]))
        return (app_id, secret) if secret else None

    async def _ask_memory_key(self) -> bool:
        """The project's key, for this run."""
        desk = self.app.integrations
        if not desk.memory_key:
            lines = [_("The project's API key; it is held in memory for this run.")]
            desk.memory_key = await answer_of(self.app, SecretDialog(_("API key"), lines)) or NO_SECRET
        return bool(desk.memory_key)

    @work(group="act", exclusive=True)
    async def _act(self, action: Action) -> None:
        if action == "capacity":
            self.app.navigate("capacity")
        elif action == "memories":
            if await self._ask_memory_key():
                self.app.navigate("memories")
        elif action == "url":
            await self._make_url()
        else:
            from screens.env_writing import write_env

            await write_env(self.app, "dingtalk" if self.guide.id == "dingtalk" else "feishu")

    async def _make_url(self) -> None:
        from screens.logon_free import LogonFreeDialog

        try:
            made = await self.app.integrations.logon_free_url()
        except ServiceError as error:
            self.app.show_problem(error.problem)
        else:
            await self.app.push_screen_wait(LogonFreeDialog(made))

    def action_copy(self) -> None:
        row = self._row
        if row.kind == "step":
            self.app.copy_text(self.guide.steps[row.index].text, _("the step"))
        elif row.kind == "value":
            value = self.app.integrations.value(self.guide.id, self.guide.parameters[row.index].id)
            self.app.copy_text(value, _("the value"))
        elif row.kind == "question":
            self.app.copy_text("\n".join(self.guide.questions[row.index]), _("the answer"))

    def action_close(self) -> None:
        self.app.pop_screen()


def action_name(action: Action) -> str:
    names: dict[Action, str] = {
        "url": _("Make a URL"),
        "env": _("Write the gateway's .env"),
        "capacity": _("Plan the capacity"),
        "memories": _("Look into the memories"),
    }
    return names[action]


def action_help(action: Action) -> str:
    texts: dict[Action, str] = {
        "url": _("Assumes the role, gets a sign-in token and builds the URL. It is shown, never kept."),
        "env": _("Asks for ids and secrets and writes a new file that only you can read. They are kept nowhere else."),
        "capacity": _("Questions at once, tokens a day and the list price, by packages."),
        "memories": _("Search, add and delete what is remembered for a user."),
    }
    return texts[action]


def _sentence(problem: Problem) -> str:
    request = _("request id {id}").format(id=problem.request_id) if problem.request_id else ""
    parts = (f"{problem.title}: {problem.sentence}", problem.remedy, request)
    return clean_line(" ".join(part for part in parts if part), 600)
