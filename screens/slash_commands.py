"""What the commands of the chat's composer do, and the list of them while one is typed."""

from __future__ import annotations

import asyncio
import zoneinfo
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from tui import slash
from tui.services.errors import ServiceError
from tui.services.rds_options import APPROVAL_MODES, LANGUAGES, fitting, language_tag
from tui.text import clean_line
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


class Commander:
    """The commands of one chat screen."""

    def __init__(self, screen: CommandingScreen) -> None:
        self._screen = screen
        self._app = screen.app
        self._zones: Sequence[str] = ()
        self._asked_for: set[slash.Values] = set()
        """Lists that were asked for while this command is typed."""
        self._dismissed = ""
        """The text for which the list was closed with Esc."""
        self._menu = SlashMenu(self._choose, id="slash")
        screen.mount(self._menu, before="#prompt")

    # --- the list ------------------------------------------------------------------------------------------

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
            if self._screen.service == "rds" and not self._app.copilot.known_skills:
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
        if not entries or (command.values == "thinking" and not self._app.copilot.known_models):
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
                for skill in self._app.copilot.known_skills
                if skill.name and skill.name not in names
            ]
        return entries

    def _values(self, kind: slash.Values) -> list[tuple[str, str]]:
        """(value, what it is) of an argument, as far as it is known."""
        copilot = self._app.copilot
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
                depths = [(level, effort_name(level)) for level in self._levels() or ()]
                return [*((state, words[state]) for state in THINKING), *depths]
            case "sessions":
                own = [one for one in self._app.summaries() if one.service == self._screen.service][:MOST_SESSIONS]
                return [("ls", _("all conversations")), *((_short(one.id), one.title) for one in own)]
        return []

    def _levels(self) -> Sequence[str] | None:
        """The depths of thinking of the model that answers; None where they are not known."""
        models = self._app.copilot.known_models
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
        copilot = self._app.copilot
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

    # --- running -------------------------------------------------------------------------------------------

    def take(self, text: str) -> bool:
        """`text` was sent from the composer: whether it was a command. Everything else is a question, unchanged."""
        typed = slash.parse(text, self._screen.service)
        if typed is None:
            return False
        self._app.remember_input(self._screen.service, text)
        self._screen.composer.set_history(self._app.input_history(self._screen.service))
        self._screen.run_worker(self._run(typed, text), group="command")
        return True

    async def _run(self, typed: slash.Typed, text: str) -> None:
        try:
            said = await self._do(typed.name, typed.argument)
        except ServiceError as error:
            self._app.show_problem(error.problem)
            said = None
        except LookupError as error:
            self._screen.composer.put(text)
            self._app.notify(str(error.args[0]), severity="warning", markup=False)
            said = None
        if said:
            self._app.notify(said, markup=False)

    async def _do(self, name: str, argument: str) -> str | None:
        """Run a command; what it says.

        Raises:
            LookupError: the argument names nothing; with a sentence that says so.
            ServiceError: a list could not be read.
        """
        match name:
            case "new":
                self._screen.action_new()
            case "stop":
                if not (self._screen.conversation_id and self._app.stop(self._screen.conversation_id)):
                    return _("Nothing runs in this conversation.")
            case "btw":
                self._screen.transcript.follow_end()
                if not (self._screen.conversation_id and self._app.activity(self._screen.conversation_id)):
                    return _("Nothing runs in this conversation.")
            case "help":
                self._app.navigate("help")
            case "settings":
                self._screen.action_session()
            case "health":
                self._app.navigate("health", **self._instances())
            case "myid":
                self._app.navigate("details", rows=self._whose(), title=_("Who speaks here"))
            case "retry" | "fork" | "quote":
                return self._with_last_turn(name)
            case "session":
                return self._session(argument)
            case "skills":
                await self._skills(argument)
            case _:
                return await self._set_option(name, argument)
        return None

    def _with_last_turn(self, name: str) -> str | None:
        conversation = self._app.conversation(self._screen.conversation_id) if self._screen.conversation_id else None
        turn = conversation.turns[-1] if conversation and conversation.turns else None
        if turn is None:
            return _("Nothing has been asked in this conversation.")
        if name == "retry":
            self._screen.composer.put(turn.question)
        elif name == "fork":
            self._screen.fork(turn)
        else:
            self._screen.quote(turn.answer or turn.question)
        return None

    def _session(self, argument: str) -> str | None:
        if argument == "ls":
            self._app.show_conversations()
        elif argument:
            found = [
                one
                for one in self._app.summaries()
                if argument in (one.id, _short(one.id)) or one.remote_id.startswith(argument)
            ]
            if len(found) != 1:
                raise LookupError(
                    _("{count} conversations go by the id {text}.").format(
                        count=len(found), text=clean_line(argument, 40)
                    )
                )
            self._app.show_conversation(found[0].id)
        elif not self._screen.conversation_id:
            return _("This conversation has not begun.")
        else:
            conversation = self._app.conversation(self._screen.conversation_id)
            if conversation is not None:
                rows = [
                    (_("title"), conversation.title),
                    (_("id here"), conversation.id),
                    (_("id on the service"), conversation.remote_id or _("none yet")),
                    *((name, value) for name, value in sorted(conversation.options.items())),
                ]
                self._app.navigate("details", rows=rows)
        return None

    def _instances(self) -> dict[str, str]:
        """The instances that this conversation speaks of, as an inspection is told."""
        from tui.tags import instances_in

        conversation = self._app.conversation(self._screen.conversation_id) if self._screen.conversation_id else None
        found = instances_in(" ".join(conversation.tags)) if conversation else []
        return {"instances": " ".join(found), "region": self._screen.options().get("region", "")}

    def _whose(self) -> list[tuple[str, str]]:
        context = self._app.context
        rows = [
            (_("account"), _("the sandbox") if context.sandbox else context.account),
            (_("profile"), context.profile or "default"),
            (_("region"), context.region),
            (_("environment"), context.environment),
        ]
        return [(name, value) for name, value in rows if value]

    async def _skills(self, wanted: str) -> None:
        from screens.picking import PickDialog
        from tui.widgets.pickers import PickItem

        skills = await self._app.copilot.skills(again=not wanted)
        if any(skill.name == wanted for skill in skills):
            self._screen.composer.put(f"/{wanted} ")
            return
        items = [
            PickItem(skill.name, f"/{skill.name}", skill.description, ", ".join(skill.databases))
            for skill in skills
            if wanted.lower() in f"{skill.name} {skill.description}".lower()
        ]
        if not items:
            raise LookupError(_("No skill has {text} in its name.").format(text=clean_line(wanted, 40)))
        lines = [_("Enter puts it into the composer; what you write after it goes along.")]
        found = await self._app.push_screen_wait(PickDialog(_("Skills"), items, several=False, lines=lines))
        if found:
            self._screen.composer.put(f"/{found[0]} ")
            self._screen.composer.focus()

    # --- options -------------------------------------------------------------------------------------------

    async def _set_option(self, name: str, argument: str) -> str | None:
        if not argument:
            self._screen.composer.put(f"/{name} ")
            return None
        changes = await self._changes(name, argument)
        if name == "approval" and changes["approval"] == "auto" and not await self._may_use_auto():
            return None
        kept = {option: value for option, value in {**self._screen.options(), **changes}.items() if value}
        await self._screen.set_options(
            fitting(kept, self._levels() if name != "model" else await self._levels_of(argument))
        )
        words = {
            "model": _("Answers come from {value} now."),
            "think": _("Thinking: {value}."),
            "agent": _("The agent is {value} now."),
            "language": _("Answers are in {value} now."),
            "tz": _("The time zone is {value} now."),
            "region": _("The region is {value} now."),
            "approval": _("Writing tools: {value}. This stays with the conversation."),
        }
        value = argument if name == "think" else changes.get("agent_name") or next(iter(changes.values())) or argument
        return words[name].format(value=clean_line(value, 60))

    async def _may_use_auto(self) -> bool:
        """On a production profile, no person is done without only by typing its name."""
        from screens.dialogs import TypedConfirmDialog

        environment = self._app.context.environment
        if not environment.lower().startswith("prod"):
            return True
        lines = [_("Calls that change something will run without a person, if the sub-agent lets them pass.")]
        dialog = TypedConfirmDialog(_("Writing tools without a person?"), lines, _("use auto"), environment)
        return await self._app.push_screen_wait(dialog)

    async def _levels_of(self, model_id: str) -> Sequence[str] | None:
        models = await self._app.copilot.models()
        return next((model.thinking_levels for model in models if model.id == model_id), None)

    async def _changes(self, name: str, argument: str) -> dict[str, str]:
        """The options that a command changes. Raises LookupError, ServiceError."""
        copilot = self._app.copilot
        match name:
            case "model":
                return {"model": _one_of(argument, [model.id for model in await copilot.models()])}
            case "think":
                await copilot.models()
                depths = list(self._levels() or ())
                chosen = _one_of(argument, [*THINKING, *depths])
                if chosen in THINKING:
                    return {"thinking": "true" if chosen == "on" else "false"}
                return {"thinking": "true", "effort": chosen}
            case "language":
                return {"language": _one_of(language_tag(argument), LANGUAGES)}
            case "tz":
                return {"timezone": _one_of(argument, await asyncio.to_thread(zoneinfo.available_timezones))}
            case "region":
                return {"region": argument}
            case "approval":
                if self._app.context.read_only:
                    raise LookupError(_("This profile is read-only: writing tools are refused."))
                return {"approval": _one_of(argument, APPROVAL_MODES)}
        if argument == "default":
            return {"agent": "", "agent_name": ""}
        agents = await copilot.agents()
        named = [one for one in agents if argument in (one.id, one.form.name)]
        if len(named) != 1:
            if named:
                raise LookupError(_("Several agents have this name: choose one with F7."))
            _one_of(argument, [one.form.name for one in agents])
        return {"agent": named[0].id, "agent_name": named[0].form.name}


def _short(conversation_id: str) -> str:
    """The part of an id that is not its time and service."""
    return conversation_id.rpartition("-")[2]


def _one_of(wanted: str, names: Iterable[str]) -> str:
    """The one of `names` that is meant, whatever its case.

    Raises:
        LookupError: with a sentence that names the nearest ones.
    """
    known = [*names]
    for name in known:
        if name.lower() == wanted.lower():
            return name
    close = slash.nearest(wanted, known)
    text = _("There is no {text}.").format(text=clean_line(wanted, 40))
    raise LookupError(text + (" " + _("Did you mean {names}?").format(names=_(", ").join(close)) if close else ""))
