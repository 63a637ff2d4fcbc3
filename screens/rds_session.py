"""How RDS Copilot shall answer in a conversation: one line a setting; Enter changes it."""

from __future__ import annotations

import asyncio
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from textual import work

from screens.dialogs import ChooseDialog, TextDialog, TypedConfirmDialog
from screens.option_rows import OptionsDialog
from screens.picking import PickDialog
from tui.services.errors import ServiceError
from tui.services.rds_options import APPROVAL_MODES, LANGUAGES, OPTIONS, THINKING, fitting
from tui.widgets.copilot_words import (
    REGIONS,
    approval_name,
    default_model,
    effort_name,
    language_name,
    model_notes,
    name_of,
    thinking_name,
)
from tui.widgets.pickers import PickItem
from tui.words import _

if TYPE_CHECKING:
    from tui.services.rds_catalog import ChatModel


class RdsSessionScreen(OptionsDialog):
    """The options of one conversation with RDS Copilot."""

    BINDING_GROUP_TITLE = "Session"

    def __init__(self, options: Mapping[str, str], begun: bool = False, place: Mapping[str, str] | None = None) -> None:
        """`begun`: it has been asked something; `place`: what goes with every question, `language`, `region` ..."""
        lines = [
            _("These go with each question from now on."),
            _("What writing tools may do sticks to the conversation: it stays until you send another mode."),
        ]
        super().__init__(_("How RDS Copilot shall answer"), lines, OPTIONS, options)
        self._sent_mode = options.get("approval", "") if begun else ""
        self._place = dict(place or {})
        self._models: Sequence[ChatModel] = ()

    def on_mount(self) -> None:
        super().on_mount()
        self._read_models()

    @work(group="models", exclusive=True)
    async def _read_models(self) -> None:
        try:
            self._models = await self.app.copilot.models()
        except ServiceError as error:
            self.app.show_problem(error.problem)
        self.show()

    @property
    def _model(self) -> ChatModel | None:
        """The model that will answer; None where that is not known."""
        chosen = self.options.get("model", "")
        if not chosen:
            return default_model(self._models)
        return next((model for model in self._models if model.id == chosen), None)

    # --- rows ----------------------------------------------------------------------------------------------

    def label(self, name: str) -> str:
        return name_of(name)

    def value(self, name: str) -> str:
        value = self.options.get(name, "")
        match name:
            case "model":
                model = self._model
                if not value:
                    return _("{model} (the default)").format(model=model.id) if model else _("the default")
                return value if model or not self._models else _("{model} (not offered any more)").format(model=value)
            case "thinking":
                return thinking_name(value)
            case "effort":
                return self.fixed(name) or effort_name(value)
            case "approval":
                if self.app.context.read_only:
                    return _("read only: the profile is")
                return approval_name(value)
            case "agent":
                return self.options.get("agent_name", "") or value or _("none")
            case "language":
                return language_name(value) if value else self._inherited(name, language_name)
        return value or self._inherited(name)

    def _inherited(self, name: str, words: Callable[[str], str] = str) -> str:
        held = self._place.get(name, "")
        return _("{value} (as everywhere)").format(value=words(held)) if held else _("as the service has it")

    def fixed(self, name: str) -> str:
        if name == "approval" and self.app.context.read_only:
            return _("This profile is read-only: writing tools are refused.")
        if name == "effort":
            if self.options.get("thinking") == "false":
                return _("thinking is off")
            model = self._model
            if model is not None and not model.thinking_levels:
                return _("this model's thinking has no depth")
        return ""

    # --- changing ------------------------------------------------------------------------------------------

    async def change(self, name: str) -> None:
        match name:
            case "model":
                await self._choose_model()
            case "thinking":
                values: tuple[str, ...] = ("", *THINKING)
                await self.choose(name, values, [(thinking_name(value), "") for value in values])
                self._fit()
            case "effort":
                levels = self._model.thinking_levels if self._model else ()
                values = ("", *levels)
                await self.choose(name, values, [(effort_name(value), "") for value in values])
            case "language":
                values = ("", *LANGUAGES)
                words = [(self._inherited(name, language_name), ""), *((language_name(one), "") for one in LANGUAGES)]
                await self.choose(name, values, words)
            case "timezone":
                await self._choose_zone()
            case "region":
                await self._choose_region()
            case "agent":
                await self._choose_agent()
            case "approval":
                await self._choose_approval()

    def _fit(self) -> None:
        """Drop what the chosen model cannot do."""
        self.options = fitting(self.options, self._model.thinking_levels if self._model else None)

    async def _choose_model(self) -> None:
        try:
            self._models = await self.app.copilot.models(again=not self._models)
        except ServiceError as error:
            self.app.show_problem(error.problem)
            return
        values = ["", *(model.id for model in self._models)]
        first = default_model(self._models)
        words = [(_("the default: {model}").format(model=first.id if first else "?"), "")]
        words += [(f"{model.id}   {model_notes(model)}".rstrip(), "") for model in self._models]
        await self.choose("model", values, words)
        self._fit()

    async def _choose_zone(self) -> None:
        zones = await asyncio.to_thread(zoneinfo.available_timezones)
        items = [PickItem(zone, zone) for zone in sorted(zones) if "/" in zone or zone == "UTC"]
        held = self.options.get("timezone", "") or self._place.get("timezone", "")
        dialog = PickDialog(name_of("timezone"), items, [held] if held in zones else (), several=False)
        if found := await self.app.push_screen_wait(dialog):
            self.set(timezone=found[0])

    async def _choose_region(self) -> None:
        values = ["", *REGIONS]
        held = self.options.get("region", "")
        words = [(self._inherited("region"), ""), *((region, "") for region in REGIONS), (_("another…"), "")]
        chosen = values.index(held) if held in values else len(values)
        found = await self.app.push_screen_wait(ChooseDialog(name_of("region"), words, chosen))
        if found is not None and found < len(values):
            self.set(region=values[found])
            return
        typed = await self.app.push_screen_wait(TextDialog(_("Region id"), held, verb=_("use"))) if found else ""
        if typed:
            self.set(region=typed.strip())

    async def _choose_agent(self) -> None:
        try:
            agents = await self.app.copilot.agents()
        except ServiceError as error:
            self.app.show_problem(error.problem)
            return
        names = {agent.id: agent.form.name or agent.id for agent in agents}
        items = [PickItem("", _("none"))]
        items += [PickItem(one.id, names[one.id], one.form.system_prompt.partition("\n")[0][:120]) for one in agents]
        held = self.options.get("agent", "")
        found = await self.app.push_screen_wait(PickDialog(name_of("agent"), items, [held], several=False))
        if found is not None:
            self.set(agent=found[0], agent_name=names.get(found[0], ""))

    async def _choose_approval(self) -> None:
        values = APPROVAL_MODES if self._sent_mode else ("", *APPROVAL_MODES)
        before = self.options.get("approval", "")
        await self.choose("approval", values, [(approval_name(value), "") for value in values])
        environment = self.app.context.environment
        became_auto = before != "auto" and self.options.get("approval", "") == "auto"
        if became_auto and environment.lower().startswith("prod"):
            lines = [_("Calls that change something will run without a person, if the sub-agent lets them pass.")]
            dialog = TypedConfirmDialog(_("Writing tools without a person?"), lines, _("use auto"), environment)
            if not await self.app.push_screen_wait(dialog):
                self.set(approval=before)

    def reset(self, name: str) -> None:
        if name == "agent":
            self.set(agent="", agent_name="")
        elif name == "approval" and self._sent_mode:
            self.app.notify(_("It was sent already and stays; choose another mode."), severity="warning")
        else:
            super().reset(name)
            self._fit()
