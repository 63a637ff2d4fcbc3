"""How the Data Agent shall work in a conversation: one line a setting; Enter changes it."""

from __future__ import annotations

from collections.abc import Mapping

from screens.databases import ask_database
from screens.dialogs import ChooseDialog
from screens.option_rows import OptionsDialog
from screens.picking import PickDialog
from tui.services.dms_options import MODES, SKIPS, DataSource, read_data, write_data
from tui.services.errors import ServiceError
from tui.text import clean_line
from tui.widgets.pickers import PickItem
from tui.widgets.session_words import mode_name, skip_name
from tui.words import _

LANGUAGES = ("", "zh-CN", "en-US")
PLANS = ("", "disable", "enable", "force")
SETTINGS = ("mode", "plan", "language", "search", "agent", "skip", "files", "databases")
LATER = frozenset({"files", "databases", "language"})
"""What can be changed in a conversation that has begun: the rest counts with its first message only."""


class SessionScreen(OptionsDialog):
    """The options of one conversation with the Data Agent."""

    BINDING_GROUP_TITLE = "Session"

    def __init__(self, options: Mapping[str, str], begun: bool = False) -> None:
        """`begun`: the conversation has a session already."""
        lines = [_("The session has begun: mode, plan, agent and confirmations stay as they are.")] if begun else []
        super().__init__(_("How the Data Agent shall work"), lines, SETTINGS, options)
        self._begun = begun

    # --- rows ----------------------------------------------------------------------------------------------

    def _sources(self, kind: str) -> list[DataSource]:
        """The files, or the databases, that it works on."""
        sources = read_data(self.options.get("data", ""))
        return [one for one in sources if bool(one.file_id) == (kind == "files")]

    def label(self, name: str) -> str:
        return {
            "mode": _("mode"),
            "plan": _("plan"),
            "language": _("language"),
            "search": _("search the web"),
            "agent": _("custom agent"),
            "skip": _("do not ask about"),
            "files": _("files"),
            "databases": _("databases"),
        }[name]

    def value(self, name: str) -> str:
        value = self.options.get(name, "")
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
                return self.options.get("agent_name", "") or value or _("none")
            case "skip":
                skipped = [skip_name(part) for part in value.split(",") if part]
                return _(", ").join(skipped) or _("asks about everything")
        names = _(", ").join(_name_of(one) for one in self._sources(name))
        return names or (_("none: @ or F4") if name == "files" else _("none"))

    def fixed(self, name: str) -> str:
        return (
            _("The session has begun; a new conversation can have another.")
            if self._begun and name not in LATER
            else ""
        )

    # --- changing ------------------------------------------------------------------------------------------

    async def change(self, name: str) -> None:
        match name:
            case "mode":
                await self.choose(name, MODES, [(mode_name(mode), "") for mode in MODES])
            case "plan":
                await self.choose(name, PLANS, [(_plan_name(plan), "") for plan in PLANS])
            case "language":
                await self.choose(name, LANGUAGES, [(value or _("as the program"), "") for value in LANGUAGES])
            case "search":
                self.set(search="" if self.options.get("search") == "true" else "true")
            case "agent":
                await self._choose_agent()
            case "skip":
                held = [part for part in self.options.get("skip", "").split(",") if part]
                items = [PickItem(name, skip_name(name)) for name in SKIPS]
                found = await self.app.push_screen_wait(PickDialog(_("Do not ask me about"), items, held))
                if found is not None:
                    self.set(skip=",".join(found))
            case "files":
                await self._keep_files()
            case "databases":
                added = await ask_database(self.app)
                if added is not None:
                    others = [one for one in self._sources("databases") if one.id != added.id]
                    self._put("databases", [*others, added])

    async def _choose_agent(self) -> None:
        try:
            agents = await self.app.custom_agents()
        except ServiceError as error:
            self.app.show_problem(error.problem)
            return
        choices = [(_("none"), ""), *((f"{one.name}  {one.id}  {one.status}", one.description) for one in agents)]
        ids = ["", *(one.id for one in agents)]
        held = self.options.get("agent", "")
        dialog = ChooseDialog(self.label("agent"), choices, ids.index(held) if held in ids else 0)
        found = await self.app.push_screen_wait(dialog)
        if found is not None:
            self.set(agent=ids[found], agent_name=agents[found - 1].name if found else "")

    async def _keep_files(self) -> None:
        """Which of the attached files stay; others are attached in the chat."""
        files = self._sources("files")
        if not files:
            self.app.notify(_("Files are chosen with @ or F4 in the chat."))
            return
        items = [PickItem(one.id, _name_of(one)) for one in files]
        lines = [_("What is not marked is taken off. Others are attached with @ or F4 in the chat.")]
        dialog = PickDialog(self.label("files"), items, [one.id for one in files], lines=lines)
        found = await self.app.push_screen_wait(dialog)
        if found is not None:
            self._put("files", [one for one in files if one.id in found])

    def _put(self, kind: str, sources: list[DataSource]) -> None:
        """Work on these files, or databases, in place of those of before."""
        held = {"files": self._sources("files"), "databases": self._sources("databases"), kind: sources}
        self.set(data=write_data([*held["files"], *held["databases"]]))

    def reset(self, name: str) -> None:
        if name in ("files", "databases"):
            self._put(name, [])
        elif name == "agent":
            self.set(agent="", agent_name="")
        else:
            super().reset(name)


def _name_of(source: DataSource) -> str:
    return clean_line(source.name or source.id, 60)


def _plan_name(plan: str) -> str:
    return {
        "": _("as the agent decides"),
        "disable": _("no plan"),
        "enable": _("with a plan where it helps"),
        "force": _("always with a plan"),
    }.get(plan, plan)
