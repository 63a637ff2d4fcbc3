"""The list of what a command that is being typed may become."""

from __future__ import annotations

import asyncio
import zoneinfo
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from tui import slash
from tui.services.errors import ServiceError
from tui.services.rds_options import APPROVAL_MODES, LANGUAGES
from tui.widgets.composer import Composer
from tui.widgets.copilot_words import (
    REGIONS,
    approval_name,
    default_model,
    effort_name,
    language_name,
    model_notes,
)
from tui.widgets.slash_menu import Entry, SlashMenu
from tui.words import _

if TYPE_CHECKING:
    from screens.commanding import CommandingScreen

MOST_SESSIONS = 50
THINKING = ("on", "off")


class SlashList:
    """The list above one composer."""

    def __init__(self, screen: CommandingScreen) -> None:
        self._screen = screen
        self._zones: Sequence[str] = ()
        self._asked_for: set[slash.Values] = set()
        """Lists that were asked for while this command is typed."""
        self._dismissed = ""
        """The text for which the list was closed with Esc."""
        self._menu = SlashMenu(self._choose, id="slash")
        screen.mount(self._menu, before="#prompt")

    def take(self, text: str) -> bool:
        """Run `text`, where it is a command; whether it is."""
        raise NotImplementedError

    @property
    def lists(self) -> bool:
        """The list is open."""
        return self._menu.is_open

    def show(self) -> None:
        """Show what the text in the composer may become."""
        self._show()
        self._screen.menu_changed()

    def _show(self) -> None:
        text = self._screen.composer.text
        begun = slash.beginning(text) if text != self._dismissed and not self._screen.answer_prompt else None
        if begun is None:
            self._asked_for.clear()
            self._menu.close()
            return
        self._dismissed = ""
        name, argument = begun
        if argument is None:
            self._menu.show(self._command_entries(text[0]), name)
            if self._screen.service == "rds" and not self._screen.app.copilot.known_skills:
                self._read_list("skills")
            return
        command = next((one for one in slash.offered(self._screen.service) if one.name == name), None)
        if command is None or not command.values:
            self._menu.close()
            return
        entries = [
            Entry(f"{text[0]}{name} {value}", value, note, runs=True) for value, note in self._values(command.values)
        ]
        self._menu.show(entries, argument)
        if not entries or (command.values == "thinking" and not self._screen.app.copilot.known_models):
            self._read_list(command.values)

    def _command_entries(self, sign: str) -> list[Entry]:
        entries = [
            Entry(f"{sign}{one.name}", f"{sign}{one.name}", one.what, runs=True)
            for one in slash.offered(self._screen.service)
        ]
        if self._screen.service == "rds":
            names = {one.name for one in slash.commands()}
            entries += [
                Entry(f"/{skill.name} ", f"/{skill.name}", skill.description)
                for skill in self._screen.app.copilot.known_skills
                if skill.name and skill.name not in names
            ]
        return entries

    def _values(self, kind: slash.Values) -> list[tuple[str, str]]:
        """(value, what it is) of an argument, as far as it is known."""
        copilot = self._screen.app.copilot
        match kind:
            case "models":
                return [(model.id, model_notes(model)) for model in copilot.known_models]
            case "agents":
                named = [
                    (one.form.name or one.id, one.form.system_prompt.partition("\n")[0]) for one in copilot.known_agents
                ]
                return [*named, ("default", _("no custom agent"))] if named else []
            case "skills":
                return [(skill.name, skill.description) for skill in copilot.known_skills]
            case "languages":
                return [(tag, language_name(tag)) for tag in LANGUAGES]
            case "zones":
                return [(zone, "") for zone in self._zones]
            case "regions":
                return [(region, "") for region in REGIONS]
            case "modes":
                return [(mode, approval_name(mode)) for mode in APPROVAL_MODES]
            case "thinking":
                words = {"on": _("the model thinks before it answers"), "off": _("it answers at once")}
                depths = [(level, effort_name(level)) for level in self.levels() or ()]
                return [*((state, words[state]) for state in THINKING), *depths]
            case "sessions":
                own = [one for one in self._screen.app.summaries() if one.service == self._screen.service]
                listed = ((short_id(one.id), one.title) for one in own[:MOST_SESSIONS])
                return [("ls", _("all conversations")), *listed]
        return []

    def levels(self) -> Sequence[str] | None:
        """The depths of thinking of the model that answers; None where they are not known."""
        models = self._screen.app.copilot.known_models
        chosen = self._screen.options().get("model", "")
        model = next((one for one in models if one.id == chosen), None) if chosen else default_model(models)
        return model.thinking_levels if model else None

    def _read_list(self, kind: slash.Values) -> None:
        """Read a list that the menu needs, once while one command is typed."""
        if kind not in self._asked_for:
            self._asked_for.add(kind)
            self._screen.run_worker(self._read(kind), group="slash-lists")

    async def _read(self, kind: slash.Values) -> None:
        """What cannot be read is said where it is asked for, not while it is typed."""
        copilot = self._screen.app.copilot
        with suppress(ServiceError):
            match kind:
                case "agents":
                    await copilot.agents()
                case "models" | "thinking":
                    await copilot.models()
                case "zones":
                    self._zones = sorted(await asyncio.to_thread(zoneinfo.available_timezones))
                case "skills":
                    await copilot.skills()
            self.show()

    def take_key(self, key: str) -> bool:
        """A key of the composer; whether it was meant for the list."""
        if key == "escape" and self._menu.is_open:
            self._dismissed = self._screen.composer.text
        taken = self._menu.take_key(key)
        self._screen.menu_changed()
        return taken

    def _choose(self, entry: Entry, run: bool) -> None:
        typed = self._screen.composer.text
        if run and entry.runs:
            self._screen.composer.put("")
            self.take(entry.text)
            return
        takes_more = any(f"/{one.name}" == entry.text and one.values for one in slash.offered(self._screen.service))
        self._screen.composer.put(f"{entry.text} " if takes_more else entry.text)
        if run and typed.strip() == entry.text.strip():  # a skill by its whole name, with nothing else to say
            self._screen.composer.put("")
            self._screen.composer.post_message(Composer.Submitted(self._screen.composer, typed.strip()))


def short_id(conversation_id: str) -> str:
    """The part of an id that is not its time and service."""
    return conversation_id.rpartition("-")[2]
