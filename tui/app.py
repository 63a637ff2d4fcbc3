"""The app: it owns the services, the cache, the conversations, the theme and the keys, and no layout."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast, get_args

from textual import work
from textual.binding import Binding, BindingType
from textual.events import Event, Key, Paste
from textual.screen import Screen
from textual.signal import Signal

import themes
from tui import paths, routes
from tui.context import Context
from tui.contract import YunliaoApi
from tui.options import Options
from tui.settings import Origin, Settings, load_settings, setting_origins, store_settings
from tui.terminal.display import PaintedDisplay
from tui.text import clean_line
from tui.ticks import Ticks
from tui.typeahead import TypeAhead
from tui.words import _, language, use_language

# Below the screens nothing is needed for the first paint: it is imported, and made, right after it (`_begin`).
if TYPE_CHECKING:
    from tui.cache.store import Store
    from tui.conversations import Conversations
    from tui.models import Conversation, ConversationSummary, Problem, Rating, ServiceName
    from tui.services.base import AskReply, Capabilities, ConversationService
    from tui.services.dms import DmsDataAgent
    from tui.services.dms_agents import CustomAgent
    from tui.services.dms_files import RemoteFiles
    from tui.services.errors import ServiceError
    from tui.services.registry import Services
    from tui.turns import TurnActivity, TurnUpdate
    from tui.uploads import Transfers

MOST_AGENTS = 200
"""Custom agents that are listed."""
TICKS = 15
"""How often a second the screen learns what has arrived."""
DRAFT_PAUSE = 0.5
"""Seconds after the last key before a draft is written."""
ANSWER_LANGUAGE = {"zh": "zh-CN", "en": "en-US"}


class YunliaoApp(PaintedDisplay[int], YunliaoApi):
    """See `tui.contract.YunliaoApi` for what screens may ask of it."""

    TITLE = "Yunliao"
    CSS_PATH = str(themes.BASE_CSS)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark", "help", "help", id="app.help", show=False, tooltip="Every key of this place"),
        Binding("ctrl+p,colon", "command_palette", "palette", id="app.palette", show=False, tooltip="Every action"),
        Binding("f2", "navigate('settings')", "settings", id="app.settings", show=False, tooltip="Settings"),
        Binding("ctrl+l", "redraw", "redraw", id="app.redraw", show=False, tooltip="Draw the whole screen again"),
        Binding("ctrl+z", "suspend_process", "suspend", id="app.suspend", show=False, priority=True),
        Binding("ctrl+q", "request_quit", "quit", id="app.quit", show=False, priority=True),
    ]

    def __init__(
        self,
        options: Options = Options(),  # noqa: B008  # frozen
        *,
        settings: Settings | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.options = options
        self._environ = environ
        self._places = paths.resolve(options.data_dir, environ)
        self.settings = settings or load_settings(self._places.settings, options)
        use_language(self.settings.language)
        super().__init__(plain=options.plain_display)
        self._type_ahead = TypeAhead(self, super().on_event)
        self.turn_changed = Signal(self, "turn changed")
        self.conversations_changed = Signal(self, "conversations changed")
        self.context_changed = Signal(self, "context changed")
        self.context = Context(profile=self.settings.profile, region=self._region)
        self._services: Services | None = None
        self._store_open = asyncio.Event()
        self._connected = asyncio.Event()
        self._connect_error: ServiceError | None = None
        self._service_capabilities: dict[ServiceName, Capabilities] = {}
        self.transfers_changed = Signal(self, "transfers changed")
        self._ticks = Ticks(self._publish_turn, TICKS)
        self._drafts: dict[str, str] = {}
        self._draft_timer: asyncio.TimerHandle | None = None
        self._inputs: dict[ServiceName, list[str]] = {}
        own, self._broken_palettes = themes.load_folder(self._places.config / "themes")
        for theme in (*themes.load(), *own):
            self.register_theme(theme)
        self.theme = themes.choose(self.settings.theme, environ, self.available_themes)
        if self.settings.keys:
            # `none` is a key that never arrives: Textual takes no empty one.
            self.set_keymap(dict(self.settings.keys))

    @cached_property
    def _store(self) -> Store:
        from tui.cache.store import Store

        return Store(self._places.state, clock=self.now, fallback=self._places.runtime)

    @cached_property
    def conversations(self) -> Conversations:
        from tui.conversations import Conversations, Hooks

        hooks = Hooks(
            turn_changed=self._note_turn,
            list_changed=self._note_list,
            spawn=self._spawn,
            service=self._service,
            options=self._question_options,
            seconds=self.seconds,
            now=self.now,
            failed=self.show_problem,
        )
        return Conversations(self._store, hooks)

    @cached_property
    def transfers(self) -> Transfers:  # type: ignore[override]  # made late; read as any attribute
        from tui.uploads import TransferHooks, Transfers

        hooks = TransferHooks(
            files=self._remote_files,
            spawn=self._spawn,
            changed=self._note_transfers,
            account=lambda: self.context.account or ("sandbox" if self.context.sandbox else ""),
            now=self.now,
        )
        return Transfers(hooks, self._places.state / "uploads" if self._places.state else None, self.downloads)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.variable_defaults()

    def get_default_screen(self) -> Screen[Any]:
        screen: Screen[Any] = routes.build("chat")
        return screen

    def refresh_css(self, animate: bool = True) -> None:
        if self.screen_stack:
            super().refresh_css(animate)
        else:  # The theme was set before the first screen, with which all sheets are parsed anyway.
            self.stylesheet.set_variables(self.get_css_variables())

    # --- start and end -------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        # Nothing of this is needed for the first paint.
        self.call_after_refresh(self._begin)

    @work(group="begin")
    async def _begin(self) -> None:
        """Open the cache, connect, read the list, take up what was interrupted; the screen is usable meanwhile."""
        await asyncio.to_thread(_import_the_rest)
        if not gc.isenabled():  # as the command line starts it
            gc.freeze()
            gc.enable()
        from tui.models import ServiceName

        await self._store.open()
        for name in get_args(ServiceName):
            self._inputs[name] = [*await self._store.input_history(name), *self._inputs.get(name, [])]
        self._store_open.set()
        self._announce()
        await asyncio.gather(self._connect(), self.conversations.load_list())
        broken = [f"{palette.path}: {palette.reason}" for palette in self._broken_palettes]
        for notice in (*self._store.notices, *broken):
            self.notify(notice, severity="warning", timeout=10, markup=False)
        if not self._connect_error and (lost := await self.transfers.finish_lost()):
            self.notify(_("{count} uploaded files were not registered yet; that is done now.").format(count=lost))
        if self.settings.resume:
            count = await self.conversations.resume_all()
            if count:
                self.notify(
                    _("{count} answers went on without you; fetching them.").format(count=count)
                    if count > 1
                    else _("One answer went on without you; fetching it.")
                )

    async def _connect(self) -> None:
        """Find out on whose account to speak, or start the sandbox; what fails is told with each question."""
        from tui.services.errors import ServiceError
        from tui.services.registry import open_services

        profile = self.settings.for_profile(self.settings.profile)
        try:
            services = self._services = await open_services(
                profile=self.settings.profile,
                sandbox=self.options.sandbox,
                faults=self.options.faults,
                sandbox_folder=self._places.state / "sandbox" if self._places.state else None,
                environ=self._environ,
            )
        except ServiceError as error:
            self._connect_error = error
            self._connected.set()
            self.show_problem(error.problem)
            return
        self.context = replace(
            self.context,
            sandbox=services.on_sandbox,
            sandbox_reason=services.sandbox_reason,
            environment=profile.environment,
            read_only=profile.read_only,
        )
        self._connected.set()
        self._announce()
        for warning in services.warnings:
            self.notify(warning, severity="warning", timeout=10, markup=False)
        if not services.on_sandbox:
            try:
                account = await services.account()
            except ServiceError as error:
                self.show_problem(error.problem)
            else:
                self.context = replace(self.context, account=account.masked)
                self._announce()

    def _announce(self) -> None:
        if self._running:
            self.context_changed.publish(self.context)

    @property
    def banner(self) -> str:  # type: ignore[override]
        return self._store.banner if self._store_open.is_set() else ""

    def on_hangup(self) -> None:
        """Bring everything that is only in memory to disk: the program is told to end, perhaps in mid-air."""
        for conversation_id, text in self._drafts.items():
            self._store.set_draft_now(conversation_id, text)
        self._drafts.clear()
        self.conversations.flush_now()

    async def on_unmount(self) -> None:
        await self.conversations.close()
        for conversation_id, text in self._drafts.items():
            await self._store.set_draft(conversation_id, text)
        await self._store.close()
        if self._services is not None:
            await self._services.aclose()

    def request_quit(self) -> None:
        running, files = self.conversations.running(), self.transfers.running
        if not running and not files:
            self.exit(0)
            return
        lines = []
        if running:
            lines.append(_("{count} answers are still running. They go on at the service.").format(count=len(running)))
            lines.append(_("The next start fetches what comes meanwhile."))
        if files:
            lines.append(
                _("{count} files are still on their way; they stop, and can be sent again.").format(count=files)
            )

        async def leave() -> None:
            self.exit(0)

        self.confirm(_("Quit?"), lines, _("quit"), leave)

    def action_request_quit(self) -> None:
        self.request_quit()

    # --- reading -------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return datetime.now(UTC)

    def seconds(self) -> float:
        return time.monotonic()

    def summaries(self) -> Sequence[ConversationSummary]:
        return self.conversations.summaries() if self._store_open.is_set() else ()

    def conversation(self, conversation_id: str) -> Conversation | None:
        return self.conversations.conversation(conversation_id) if self._store_open.is_set() else None

    def activity(self, conversation_id: str) -> TurnActivity | None:
        return self.conversations.activity(conversation_id) if self._store_open.is_set() else None

    def service_capabilities(self, service: ServiceName) -> Capabilities:
        from tui.services.base import Capabilities

        return self._service_capabilities.get(service, Capabilities())

    def input_history(self, service: ServiceName) -> Sequence[str]:
        return self._inputs.get(service, [])

    @property
    def ready(self) -> bool:
        """The cache is open and it is known on whose account to speak."""
        return self._store_open.is_set() and self._connected.is_set()

    @property
    def index_loaded(self) -> bool:
        return self._store_open.is_set() and self.conversations.loaded

    @property
    def _region(self) -> str:
        return self.settings.for_profile(self.settings.profile).region or self.settings.region

    def place(self, service: ServiceName) -> Sequence[str]:
        return tuple(part for part in (self._answer_language,) if part)

    @property
    def _answer_language(self) -> str:
        return self.settings.answer_language or ANSWER_LANGUAGE[language()]

    def _question_options(self, service: ServiceName) -> Mapping[str, str]:
        options = {"region": self._region, "language": self._answer_language}
        if self.settings.timezone:
            options["timezone"] = self.settings.timezone
        return options

    @property
    def settings_path(self) -> Path:
        return self._places.settings

    def setting_origins(self) -> Mapping[str, Origin]:
        return setting_origins(self._places.settings, self.options)

    @property
    def downloads(self) -> Path:
        return self._places.downloads

    # --- what the model tells ------------------------------------------------------------------------------

    def _spawn(self, name: str, coroutine: Coroutine[Any, Any, None]) -> None:
        self.run_worker(coroutine, name=name, group=name)

    def _note_turn(self, update: TurnUpdate) -> None:
        self._ticks.add(update)

    def _publish_turn(self, update: TurnUpdate) -> None:
        self.turn_changed.publish(update)
        if update.put_back:
            self._put_back(update)
        if update.ended:
            self.conversations_changed.publish(update.conversation_id)
            if self._shown() != update.conversation_id:
                self._spawn(f"unread:{update.conversation_id}", self.conversations.mark_unread(update.conversation_id))
                if self.settings.notify == "bell":
                    self.bell()

    def _put_back(self, update: TurnUpdate) -> None:
        """A failed question of a conversation that is not on screen becomes its draft."""
        if self._shown() != update.conversation_id:
            conversation = self.conversation(update.conversation_id)
            if conversation is not None and not conversation.draft.strip():
                self.set_draft(update.conversation_id, update.put_back)

    def _note_transfers(self) -> None:
        if self._running:
            self.transfers_changed.publish(None)

    def _note_list(self, conversation_id: str) -> None:
        if self._running:
            self.conversations_changed.publish(conversation_id)

    def _shown(self) -> str:
        """The conversation that is on screen, or right below a dialog or the help."""
        if not self._running or not self.screen_stack or getattr(self.screen, "hides_chat", False):
            return ""
        return self._shown_below()

    async def _service(self, name: ServiceName) -> ConversationService:
        await self._connected.wait()
        if self._connect_error is not None:
            raise self._connect_error
        assert self._services is not None
        service = await self._services.get(name)
        self._service_capabilities[name] = service.capabilities
        return service

    async def _data_agent(self) -> DmsDataAgent:
        return cast("DmsDataAgent", await self._service("dms"))

    async def _remote_files(self) -> RemoteFiles:
        return (await self._data_agent()).files

    async def custom_agents(self) -> Sequence[CustomAgent]:
        from tui.services.base import Page

        agents = (await self._data_agent()).agents
        found: list[CustomAgent] = []
        page: Page | None = Page()
        while page is not None and len(found) < MOST_AGENTS:
            listed = await agents.list(page)
            found += listed.items
            page = listed.next
        return found

    # --- conversations -------------------------------------------------------------------------------------

    async def open_conversation(self, conversation_id: str) -> Conversation:
        await self._store_open.wait()
        conversation = await self.conversations.open(conversation_id)
        if conversation.read_only:
            self._spawn(f"follow:{conversation_id}", self.conversations.follow(conversation_id))
        return conversation

    def show_conversation(self, conversation_id: str, turn_id: str = "") -> None:
        chat = self.screen_stack[0]
        while len(self.screen_stack) > 1:
            self.pop_screen()
        chat.show(conversation_id, turn_id)  # type: ignore[attr-defined]  # the chat screen, known by name only

    def show_conversations(self) -> None:
        chat = self.screen_stack[0]
        if not chat.focus_list():  # type: ignore[attr-defined]
            self.navigate("conversations")

    async def create_conversation(self, service: ServiceName, options: Mapping[str, str] | None = None) -> str:
        await self._store_open.wait()
        return await self.conversations.create(service, options)

    async def set_options(self, conversation_id: str, options: Mapping[str, str]) -> None:
        await self.conversations.set_options(conversation_id, options)

    async def rename_conversation(self, conversation_id: str, title: str) -> None:
        await self.conversations.rename(conversation_id, title)

    async def pin_conversation(self, conversation_id: str, pinned: bool) -> None:
        await self.conversations.pin(conversation_id, pinned)

    async def delete_conversations(self, conversation_ids: Sequence[str]) -> None:
        await self.conversations.delete(conversation_ids)
        if self._shown_below() in conversation_ids:
            self.screen_stack[0].show("", focus=False)  # type: ignore[attr-defined]

    def _shown_below(self) -> str:
        return str(getattr(self.screen_stack[0], "conversation_id", ""))

    async def undo_delete(self) -> str:
        return await self.conversations.undo_delete()

    async def take_over(self, conversation_id: str) -> None:
        from tui.turns import TurnUpdate

        if await self.conversations.take_over(conversation_id):
            self.turn_changed.publish(TurnUpdate(conversation_id, ""))
        else:
            self.notify(_("The other window did not let go of it."), severity="warning")

    async def refresh_conversations(self) -> None:
        await self.conversations.load_list()

    def draft_of_new(self, service: ServiceName) -> str:
        kept = self._drafts.get(f"new-{service}", "")
        return kept or (self._store.draft_of_new(service) if self._store_open.is_set() else "")

    def set_draft(self, conversation_id: str, text: str, service: ServiceName = "rds") -> None:
        self._drafts[conversation_id or f"new-{service}"] = text
        if conversation_id:
            self.conversations.hold_draft(conversation_id, text)
        if self._draft_timer is None:
            self._draft_timer = asyncio.get_running_loop().call_later(DRAFT_PAUSE, self._write_drafts)

    def _write_drafts(self) -> None:
        self._draft_timer = None
        drafts, self._drafts = self._drafts, {}

        async def write() -> None:
            await self._store_open.wait()
            for conversation_id, text in drafts.items():
                await self._store.set_draft(conversation_id, text)

        self._spawn("drafts", write())

    def remember_input(self, service: ServiceName, text: str) -> None:
        history = self._inputs.setdefault(service, [])
        if text.strip() and (not history or history[-1] != text):
            history.append(text)
            # As in a shell, a leading space keeps a line out of what is stored.
            if not text.startswith(" "):
                self._spawn("history", self._store.add_input(service, text))

    # --- turns ---------------------------------------------------------------------------------------------

    def ask(self, conversation_id: str, text: str) -> None:
        conversation = self.conversation(conversation_id)
        if conversation is not None:
            self.remember_input(conversation.service, text)
            self.conversations.ask(conversation_id, text)

    def answer(self, conversation_id: str, ask_id: str, reply: AskReply) -> bool:
        return self.conversations.answer(conversation_id, ask_id, reply)

    def stop(self, conversation_id: str) -> bool:
        return self.conversations.stop(conversation_id)

    def unqueue(self, conversation_id: str, turn_id: str) -> None:
        self.conversations.unqueue(conversation_id, turn_id)

    def recover(self, conversation_id: str, turn_id: str) -> None:
        self.conversations.recover(conversation_id, turn_id)

    async def rate(self, conversation_id: str, turn_id: str, rating: Rating, comment: str = "") -> None:
        from tui.services.errors import ServiceError

        try:
            await self.conversations.rate(conversation_id, turn_id, rating, comment)
        except ServiceError as error:
            self.show_problem(error.problem)
        else:
            self.notify(_("Thank you: rated as helpful.") if rating == "like" else _("Rated as not helpful."))

    # --- side effects --------------------------------------------------------------------------------------

    def copy_text(self, text: str, what: str) -> None:
        from tui.terminal.clipboard import copy

        async def go() -> None:
            try:
                verdict = await copy(text, write=self._write_control, folder=self.downloads, environ=self._environ)
            except OSError as error:
                self.notify(_("Not copied: {reason}").format(reason=error.strerror), severity="error", markup=False)
                return
            self.notify(clean_line(what) + _(": ") + verdict.sentence, markup=False)

        self._spawn("copy", go())

    async def on_event(self, event: Event) -> None:
        if isinstance(event, (Key, Paste)) and not event.is_forwarded:
            await self._type_ahead.take(event, lambda: self.focused or self.screen)
        else:
            await super().on_event(event)

    def save_text(self, text: str | bytes, name: str) -> None:
        from tui.terminal.clipboard import save

        async def go() -> None:
            try:
                path = await save(text, self.downloads, name)
            except OSError as error:
                self.notify(_("Not saved: {reason}").format(reason=error.strerror), severity="error", markup=False)
                return
            self.notify(_("Written to {path}").format(path=path), timeout=10, markup=False)

        self._spawn("save", go())

    def _write_control(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)

    def show_problem(self, problem: Problem) -> None:
        lines = [_(": ").join(part for part in (problem.title, problem.sentence) if part), problem.remedy]
        if problem.request_id:
            lines.append(_("request id {id}").format(id=problem.request_id))
        self.notify("\n".join(line for line in lines if line), severity="error", timeout=15, markup=False)

    def navigate(self, route: str, **arguments: Any) -> None:
        self.push_screen(routes.build(route, **arguments))

    def action_navigate(self, route: str) -> None:
        self.navigate(route)

    def action_command_palette(self) -> None:
        from tui.commands import open_palette

        open_palette(self)

    def action_help(self) -> None:
        self.navigate("help")

    def confirm(self, title: str, lines: Sequence[str], verb: str, then: Callable[[], Awaitable[None]]) -> None:
        async def ask() -> None:
            if await self.push_screen_wait(routes.build("confirm", title=title, lines=lines, verb=verb)):
                await then()

        self._spawn("confirm", ask())

    async def edit_externally(self, text: str, suffix: str = ".md") -> str:
        from tui.terminal.editor import edit

        try:
            return await edit(self, text, suffix, self._environ)
        except OSError as error:
            self.notify(_("The editor did not start: {reason}").format(reason=error), severity="error", markup=False)
            return text

    async def save_settings(self, changes: Mapping[str, object]) -> None:
        try:
            await asyncio.to_thread(store_settings, self._places.settings, changes)
        except OSError as error:
            self.notify(_("Settings not saved: {reason}").format(reason=error.strerror), severity="error", markup=False)
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]  # names are those of Settings
        with suppress(KeyError):
            self.theme = themes.choose(self.settings.theme, self._environ, self.available_themes)
        use_language(self.settings.language)
        self._announce()


def _import_the_rest() -> None:
    """Import what the first paint did without: a tenth of a second that keys need not wait for."""
    from tui import conversations, uploads  # noqa: F401
    from tui.cache import store  # noqa: F401
    from tui.services import registry  # noqa: F401


def run(options: Options) -> int:
    """Run the app until it ends; the exit code."""
    app = YunliaoApp(options)
    mouse = app.settings.mouse == "on" or (app.settings.mouse == "auto" and "SSH_CONNECTION" not in os.environ)
    return app.run(mouse=mouse) or app.return_code or 0
