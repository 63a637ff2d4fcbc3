"""What the commands of the chat's composer do."""

from __future__ import annotations

import asyncio
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from screens.slash_list import THINKING, SlashList, short_id
from tui import slash
from tui.services.errors import ServiceError
from tui.services.rds_options import APPROVAL_MODES, LANGUAGES, fitting, language_tag
from tui.text import clean_line
from tui.widgets.copilot_words import default_model
from tui.words import _

if TYPE_CHECKING:
    from screens.commanding import CommandingScreen
    from tui.models import ServiceName


class Place(NamedTuple):
    """Where a command was sent: what it does may come when something else is shown."""

    conversation_id: str
    """"" for a conversation that had not begun."""
    service: ServiceName
    shown: int


class Commander(SlashList):
    """The commands of one chat screen."""

    def __init__(self, screen: CommandingScreen) -> None:
        super().__init__(screen)
        self._screen = screen
        self._app = screen.app

    # --- running -------------------------------------------------------------------------------------------

    def take(self, text: str) -> bool:
        """`text` was sent from the composer: whether it was a command. Everything else is a question, unchanged."""
        typed = slash.parse(text, self._screen.service)
        if typed is None:
            return False
        self._app.remember_input(self._screen.service, text)
        self._screen.composer.set_history(self._app.input_history(self._screen.service))
        self._screen.run_worker(self._run(typed, text, self._here), group="command")
        return True

    @property
    def _here(self) -> Place:
        return Place(self._screen.conversation_id, self._screen.service, self._screen.shown)

    async def _run(self, typed: slash.Typed, text: str, place: Place) -> None:
        try:
            said = await self._do(typed.name, typed.argument, place)
        except ServiceError as error:
            self._app.show_problem(error.problem)
            said = None
        except LookupError as error:
            self._offer(text, place)
            self._app.notify(str(error.args[0]), severity="warning", markup=False)
            said = None
        if said:
            self._app.notify(said, markup=False)

    def _offer(self, text: str, place: Place) -> None:
        """Put a command into the composer, where nothing was written meanwhile: with more below it, it is none."""
        if place == self._here and not self._screen.composer.text:
            self._screen.composer.put(text)

    def _call(self, skill: str, place: Place) -> None:
        """Put the call of a skill in front of what was written meanwhile, which goes along."""
        if place == self._here:
            self._screen.composer.put(f"/{skill} {self._screen.composer.text}")

    async def _do(self, name: str, argument: str, place: Place) -> str | None:
        """Run a command; what it says.

        Raises:
            LookupError: the argument names nothing; with a sentence that says so.
            ServiceError: a list could not be read.
        """
        match name:
            case "new":
                self._screen.action_new()
            case "stop":
                if not (place.conversation_id and self._app.stop(place.conversation_id)):
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
                await self._skills(argument, place)
            case _:
                return await self._set_option(name, argument, place)
        return None

    def _with_last_turn(self, name: str) -> str | None:
        conversation = self._app.conversation(self._screen.conversation_id) if self._screen.conversation_id else None
        turn = conversation.turns[-1] if conversation and conversation.turns else None
        if turn is None:
            return _("Nothing has been asked in this conversation.")
        if name == "retry":
            self._screen.give_back(turn.question)
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
                if argument in (one.id, short_id(one.id)) or one.remote_id.startswith(argument)
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

    async def _skills(self, wanted: str, place: Place) -> None:
        from screens.picking import PickDialog
        from tui.widgets.pickers import PickItem

        skills = await self._app.copilot.skills(again=not wanted)
        if any(skill.name == wanted for skill in skills):
            self._call(wanted, place)
            return
        items = [
            PickItem(skill.name, f"/{skill.name}", skill.description, ", ".join(skill.databases))
            for skill in skills
            if wanted.lower() in f"{skill.name} {skill.description}".lower()
        ]
        if not items:
            raise LookupError(_("No skill has {text} in its name.").format(text=clean_line(wanted, 40)))
        if place != self._here:
            return
        lines = [_("Enter puts it into the composer; what you write after it goes along.")]
        found = await self._app.push_screen_wait(PickDialog(_("Skills"), items, several=False, lines=lines))
        if found:
            self._call(found[0], place)
            self._screen.composer.focus()

    # --- options -------------------------------------------------------------------------------------------

    async def _set_option(self, name: str, argument: str, place: Place) -> str | None:
        if not argument or (name, argument) == ("agent", "ls"):
            self._offer(f"/{name} ", place)  # and the list shows what there is
            return None
        changes = await self._changes(name, argument, place)
        if name == "approval" and changes["approval"] == "auto" and not await self._may_use_auto():
            return None
        if not await self._keep(changes, place):
            return None
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

    def _id_of(self, place: Place) -> str:
        """The conversation there; it may have begun meanwhile."""
        return place.conversation_id or self._screen.begun_from(place.shown)

    async def _options(self, place: Place) -> Mapping[str, str] | None:
        """What goes with the questions there, as it is by now; None, said, where that is not to be had."""
        if conversation_id := self._id_of(place):
            if not await self._screen.opens(conversation_id):
                return None
            conversation = self._app.conversation(conversation_id)
            return conversation.options if conversation is not None else None
        if place != self._here:
            self._app.notify(_("Not set: another conversation is shown by now."), severity="warning")
            return None
        return self._screen.options()

    async def _keep(self, changes: Mapping[str, str], place: Place) -> bool:
        """Change what goes with the questions there; False, said, where that cannot be."""
        options = await self._options(place)
        if options is None:
            return False
        kept = {option: value for option, value in {**options, **changes}.items() if value}
        kept = fitting(kept, self._levels_of(kept.get("model", "")))
        if conversation_id := self._id_of(place):
            await self._app.set_options(conversation_id, kept)
            self._screen.options_changed()
        else:
            await self._screen.set_options(kept)
        return True

    def _levels_of(self, model_id: str) -> Sequence[str] | None:
        """The depths of thinking of a model, "" for the default one; None where they are not known."""
        models = self._app.copilot.known_models
        model = next((one for one in models if one.id == model_id), None) if model_id else default_model(models)
        return model.thinking_levels if model else None

    async def _changes(self, name: str, argument: str, place: Place) -> dict[str, str]:
        """The options that a command changes. Raises LookupError, ServiceError."""
        copilot = self._app.copilot
        match name:
            case "model":
                return {"model": _one_of(argument, [model.id for model in await copilot.models()])}
            case "think":
                await copilot.models()
                options = await self._options(place) or {}
                depths = list(self._levels_of(options.get("model", "")) or ())
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
