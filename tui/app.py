"""The app: it owns the services, the cache, the conversations, the theme and the keys, and no layout."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.events import Event, Key, Paste
from textual.screen import Screen
from textual.signal import Signal

import themes
from tui import paths, routes
from tui.connection import Connection
from tui.context import Context
from tui.desks import Desks
from tui.frugal import TICKS, FrugalDisplay
from tui.options import Options
from tui.settings import Origin, Settings, SettingsError, load_settings, setting_origins, store_settings
from tui.ticks import Ticks
from tui.typeahead import TypeAhead
from tui.words import _, use_language
from tui.writing import Writing, WritingHooks

# Below the screens nothing is needed for the first paint: it is imported, and made, right after it (`_begin`).
if TYPE_CHECKING:
    from tui.cache.store import Store
    from tui.conversations import Conversations
    from tui.models import Conversation, ServiceName
    from tui.turns import TurnUpdate

CHANGE_PATIENCE = 3.0
"""Seconds that the end of the program waits for a change that was asked for and is under way."""


class YunliaoApp(FrugalDisplay, Desks):
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
        # With NO_COLOR Textual makes greys of colours that it knows, and black of the terminal's own.
        super().__init__(plain=options.plain_display, ansi_color=True if "NO_COLOR" in environ else None)
        self._type_ahead = TypeAhead(self, super().on_event)
        self.turn_changed = Signal(self, "turn changed")
        self.conversations_changed = Signal(self, "conversations changed")
        self.context_changed = Signal(self, "context changed")
        self.context = Context(profile=self.settings.profile)
        self.context = self.context._replace(region=self._region)
        self._store_open = asyncio.Event()
        self._connection = Connection(options, environ)
        self.transfers_changed = Signal(self, "transfers changed")
        self.health_changed = Signal(self, "health changed")
        self.search_changed = Signal(self, "search changed")
        self._ticks = Ticks(self._publish_turn, TICKS, self._received)
        self._writing = Writing(
            WritingHooks(
                opened=lambda: self._store if self._store_open.is_set() else None,
                store=self._opened_store,
                hold=lambda conversation_id, text: self.conversations.hold_draft(conversation_id, text),
                spawn=self._spawn,
            )
        )
        own, self._broken_palettes = themes.load_folder(self._places.config / "themes")
        for theme in (*themes.load(), *own):
            self.register_theme(theme)
        self.follow_line()
        if self.settings.keys:
            # `none` is a key that never arrives: Textual takes no empty one.
            self.set_keymap(dict(self.settings.keys))

    @cached_property
    def _store(self) -> Store:
        from tui.cache.store import Store

        store = Store(self._places.state, clock=self.now, fallback=self._places.runtime)
        store.banner_changed = self._announce
        return store

    @cached_property
    def conversations(self) -> Conversations:
        from tui.conversations import Conversations, Hooks

        hooks = Hooks(
            turn_changed=self._note_turn,
            list_changed=self._note_list,
            spawn=self._spawn,
            service=self._connection.service,
            options=self.question_options,
            enforced=self._enforced_options,
            seconds=self.seconds,
            now=self.now,
            failed=self.show_problem,
        )
        return Conversations(self._store, hooks)

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
            # An answer is many small objects, and hardly any is part of a circle: looking less often costs less.
            gc.set_threshold(10_000, 20, 20)
            gc.enable()
        await self._store.open()
        self._store_open.set()
        await self._writing.read()
        self._announce()
        await asyncio.gather(self._connect(), self.conversations.load_list())
        broken = [f"{palette.path}: {palette.reason}" for palette in self._broken_palettes]
        self._tell_repairs()
        for notice in broken:
            self.notify(notice, severity="warning", timeout=10, markup=False)
        if not self._connection.error and (lost := await self.transfers.finish_lost()):
            self.notify(_("{count} uploaded files were not registered yet; that is done now.").format(count=lost))
        if self.settings.resume:
            resumed = await self.conversations.resume_all()
            if len(resumed) == 1:
                from tui.widgets.conversation_line import title_of

                title = next((title_of(one) for one in self.summaries() if one.id == resumed[0]), "")
                text = _("One answer went on without you; fetching it: {title}").format(title=title)
                self.notify(text, markup=False)
            elif resumed:
                self.notify(_("{count} answers went on without you; fetching them.").format(count=len(resumed)))
        if not self._connection.error:
            # What cannot be listed now is told when somebody asks for it.
            await self.conversations.merging.refresh()
        self._spawn("watch", self.conversations.watch())

    async def _connect(self) -> None:
        """Find out on whose account to speak, or start the sandbox; what fails is told with each question."""
        from tui.services.errors import ServiceError

        try:
            settings = replace(self.settings, profile=self.context.profile)  # which may be another one by now
            self.context = await self._connection.open(settings, self._places.state, self.context)
            self._connection.use_profiles(self.assistants)
            self._announce()
            for warning in self._connection.warnings:
                self.notify(warning, severity="warning", timeout=10, markup=False)
            if account := await self._connection.account():
                self.context = self.context._replace(account=account)
                self._announce()
        except ServiceError as error:
            self.show_problem(error.problem)

    def _tell_repairs(self) -> None:
        """Say what was found broken in the cache, and what was done about it."""
        while self._store.notices:
            self.notify(self._store.notices.pop(0), severity="warning", timeout=10, markup=False)

    async def _opened_store(self) -> Store:
        await self._store_open.wait()
        return self._store

    def _announce(self) -> None:
        if self._running:
            self.context_changed.publish(self.context)

    @property
    def banner(self) -> str:  # type: ignore[override]
        return self._store.banner if self._store_open.is_set() else ""

    def on_hangup(self) -> None:
        """Bring everything that is only in memory to disk: the program is told to end, perhaps in mid-air."""
        self._writing.write_now()
        for desk in self._editing_desks():
            desk.write_now()
        self.conversations.flush_now()

    async def on_unmount(self) -> None:
        from tui.finishing import settle

        await settle(CHANGE_PATIENCE)
        await self.conversations.close()
        for desk in self._editing_desks():
            desk.close()
        if "search" in self.__dict__:
            self.search.close()
        if self._store_open.is_set():
            await self._writing.write()
        await self._store.close()
        await self._connection.aclose()

    def request_quit(self) -> None:
        running, files = self.conversations.running(), self.transfers.running
        if not running and not files:
            self.exit(0)
            return
        lines = []
        if running:
            many = _("{count} answers are still running. They go on at the service.").format(count=len(running))
            lines.append(_("One answer is still running. It goes on at the service.") if len(running) == 1 else many)
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

    @property
    def ready(self) -> bool:
        """The cache is open and it is known on whose account to speak."""
        return self._store_open.is_set() and self._connection.known

    @property
    def _region(self) -> str:
        # Of the profile whose credentials are used: one that is set now counts from the next start.
        return self.settings.for_profile(self.context.profile).region or self.settings.region

    def place(self, service: ServiceName) -> Sequence[str]:
        return tuple(part for part in (self._answer_language,) if part)

    def question_options(self, service: ServiceName) -> Mapping[str, str]:
        options = {"region": self._region, "language": self._answer_language}
        if self.settings.timezone:
            options["timezone"] = self.settings.timezone
        return options

    def _enforced_options(self, service: ServiceName) -> Mapping[str, str]:
        return {"approval": "read_only"} if service == "rds" and self.context.read_only else {}

    @property
    def settings_path(self) -> Path:
        return self._places.settings

    def setting_origins(self) -> Mapping[str, Origin]:
        return setting_origins(self._places.settings, self.options)

    @property
    def downloads(self) -> Path:
        return self._places.downloads

    # --- what the model tells ------------------------------------------------------------------------------

    def _note_turn(self, update: TurnUpdate) -> None:
        self._ticks.add(update)

    def _received(self, conversation_id: str) -> int:
        activity = self.activity(conversation_id)
        return activity.received if activity else 0

    def _publish_turn(self, update: TurnUpdate) -> None:
        self.turn_changed.publish(update)
        self._meter_answer(update)
        if update.put_back:
            self._put_back(update)
        if update.ended:
            self.copilot.look_after(update.conversation_id)
            self.conversations_changed.publish(update.conversation_id)
            if self._shown() != update.conversation_id:
                self._spawn(f"unread:{update.conversation_id}", self.conversations.mark_unread(update.conversation_id))
                if self.settings.notify == "bell":
                    self.bell()

    def _put_back(self, update: TurnUpdate) -> None:
        """What was not sent of a conversation that is not on screen goes into its draft."""
        conversation = self.conversation(update.conversation_id)
        if conversation is None or self._shown() == update.conversation_id or update.put_back in conversation.draft:
            return
        held = conversation.draft
        self.set_draft(update.conversation_id, f"{update.put_back}\n\n{held}" if held.strip() else update.put_back)

    def _note_list(self, conversation_id: str) -> None:
        if self._running:
            self.conversations_changed.publish(conversation_id)

    def _shown(self) -> str:
        """The conversation that is on screen, or right below a dialog or the help."""
        if not self._running or not self.screen_stack:
            return ""
        if getattr(self.screen, "hides_chat", False):
            return str(getattr(self.screen, "conversation_id", ""))
        return self._shown_below()

    async def open_conversation(self, conversation_id: str) -> Conversation:
        try:
            conversation = await super().open_conversation(conversation_id)
        finally:
            self._tell_repairs()
        self.copilot.look_after(conversation_id)
        return conversation

    # --- side effects --------------------------------------------------------------------------------------

    async def on_event(self, event: Event) -> None:
        if isinstance(event, (Key, Paste)) and not event.is_forwarded:
            self.note_key()
            await self._type_ahead.take(event, lambda: self.focused or self.screen)
        else:
            await super().on_event(event)

    def pop_screen(self) -> AwaitComplete:
        # Textual ends a screen's workers when its widgets are gone: one that goes on in between finds none and
        # takes the app down with it.
        leaving = self.screen
        gone = super().pop_screen()
        self.workers.cancel_node(leaving)
        return gone

    def navigate(self, route: str, **arguments: Any) -> None:
        self.push_screen(routes.build(route, **arguments))

    def action_navigate(self, route: str) -> None:
        self.navigate(route)

    def action_command_palette(self) -> None:
        from tui.commands import open_palette

        open_palette(self)

    def action_help(self) -> None:
        self.navigate("help")

    async def save_settings(self, changes: Mapping[str, object]) -> None:
        try:
            await asyncio.to_thread(store_settings, self._places.settings, changes)
        except (OSError, SettingsError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self.notify(_("Settings not saved: {reason}").format(reason=reason), severity="error", markup=False)
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]  # names are those of Settings
        with suppress(KeyError):
            self.follow_line()
        use_language(self.settings.language)
        self.context = self.context._replace(region=self._region)
        self._announce()


def _import_the_rest() -> None:
    """Import what the first paint did without: a tenth of a second that keys need not wait for."""
    from tui import conversations, uploads  # noqa: F401
    from tui.assistants import desk  # noqa: F401
    from tui.cache import store  # noqa: F401
    from tui.services import registry  # noqa: F401


def run(options: Options) -> int:
    """Run the app until it ends; the exit code."""
    app = YunliaoApp(options)
    mouse = app.settings.mouse == "on" or (app.settings.mouse == "auto" and "SSH_CONNECTION" not in os.environ)
    code = app.run(mouse=mouse) or app.return_code or 0
    if options.stats:
        print("\n".join(f"{name}: {value}" for name, value in app.measured()), file=sys.stderr)
    return code
