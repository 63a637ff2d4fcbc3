"""A small app that keeps the contract with nothing behind it: lists, dialogs, help and settings stand in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.signal import Signal

import themes
from tui import routes
from tui.contract import Context, YunliaoApi
from tui.models import ConversationSummary, ServiceName, TurnState
from tui.settings import Origin, Settings
from tui.turns import TurnUpdate

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""A Friday noon."""


def summary(
    number: int,
    title: str = "",
    *,
    ago: timedelta = timedelta(0),
    service: ServiceName = "rds",
    state: TurnState = "done",
    pinned: bool = False,
    unread: bool = False,
) -> ConversationSummary:
    """A line of the list, `ago` before `NOW`."""
    return ConversationSummary(
        id=f"c{number}",
        service=service,
        title=title or f"conversation {number}",
        created_at=NOW - ago,
        updated_at=NOW - ago,
        remote_id=f"remote-{number}",
        turns=1,
        state=state,
        pinned=pinned,
        unread=unread,
    )


class Host(YunliaoApi):
    CSS_PATH = str(themes.BASE_CSS)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1,question_mark", "help", "help", id="app.help"),
        Binding("ctrl+q", "quit", "quit", id="app.quit", show=False),
    ]

    def __init__(
        self,
        *,
        conversations: Sequence[ConversationSummary] = (),
        settings: Settings | None = None,
        theme: str = "dark",
        screen: Callable[[], Screen[Any]] | None = None,
        keymap: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings or Settings()
        self.context = Context()
        self.banner = ""
        self.turn_changed = Signal[TurnUpdate](self, "turn changed")
        self.conversations_changed = Signal[str](self, "conversations changed")
        self.minute_passed = Signal[None](self, "minute passed")
        self.context_changed = Signal[Context](self, "context changed")
        self.held = list(conversations)
        self.loaded = True
        self.done: list[tuple[Any, ...]] = []
        """What was asked of the app, in order."""
        self._first = screen
        for entry in themes.load():
            self.register_theme(entry)
        self.theme = theme
        if keymap:
            self.set_keymap(dict(keymap))

    def get_default_screen(self) -> Screen[Any]:
        return self._first() if self._first else Screen()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.variable_defaults()

    def summaries(self) -> Sequence[ConversationSummary]:
        return tuple(self.held)

    @property
    def index_loaded(self) -> bool:
        return self.loaded

    def change(self, conversation_id: str, **values: Any) -> None:
        """Change a line and say so; the order is as the contract has it."""
        self.held = [replace(one, **values) if one.id == conversation_id else one for one in self.held]
        self.held.sort(key=lambda one: (not one.pinned, -one.updated_at.timestamp()))
        self.conversations_changed.publish(conversation_id)

    def now(self) -> datetime:
        return NOW

    def seconds(self) -> float:
        return 0.0

    more = 0
    """Pages that a service has behind what is listed."""

    @property
    def has_more_conversations(self) -> bool:
        return self.more > 0

    async def more_conversations(self) -> None:
        self.done.append(("more",))
        self.more -= 1
        number = len(self.held) + 1
        self.held.append(summary(number, f"from the service {number}", ago=timedelta(days=900 + number)))
        self.conversations_changed.publish("")

    async def archive_conversation(self, conversation_id: str, archived: bool) -> None:
        self.done.append(("archive", conversation_id, archived))
        self.change(conversation_id, archived=archived)

    async def change_tags(self, conversation_id: str, add: Sequence[str], remove: Sequence[str]) -> None:
        self.done.append(("tags", conversation_id, tuple(add), tuple(remove)))
        held = next(one for one in self.held if one.id == conversation_id)
        self.change(conversation_id, tags=tuple(tag for tag in (*held.tags, *add) if tag not in remove))

    def show_conversation(self, conversation_id: str, turn_id: str = "", *, find: str = "") -> None:
        self.done.append(("show", conversation_id))

    async def rename_conversation(self, conversation_id: str, title: str) -> None:
        self.done.append(("rename", conversation_id, title))
        self.change(conversation_id, title=title)

    async def pin_conversation(self, conversation_id: str, pinned: bool) -> None:
        self.done.append(("pin", conversation_id, pinned))
        self.change(conversation_id, pinned=pinned)

    async def delete_conversations(self, conversation_ids: Sequence[str]) -> None:
        self.done.append(("delete", *conversation_ids))
        self.held = [one for one in self.held if one.id not in conversation_ids]
        self.conversations_changed.publish("")

    async def delete_on_service(self, conversation_ids: Sequence[str]) -> int:
        self.done.append(("delete there", *conversation_ids))
        return len(conversation_ids)

    async def undo_delete(self) -> str:
        self.done.append(("undo",))
        return "taken back"

    def copy_text(self, text: str, what: str) -> None:
        self.done.append(("copy", text, what))

    def navigate(self, route: str, **arguments: Any) -> None:
        self.push_screen(routes.build(route, **arguments))

    def action_help(self) -> None:
        self.navigate("help")

    def confirm(self, title: str, lines: Sequence[str], verb: str, then: Callable[[], Awaitable[None]]) -> None:
        async def ask() -> None:
            if await self.push_screen_wait(routes.build("confirm", title=title, lines=lines, verb=verb)):
                await then()

        self.run_worker(ask())

    async def save_settings(self, changes: Mapping[str, object]) -> None:
        self.done.append(("settings", dict(changes)))
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]  # names of Settings
        self.theme = themes.choose(self.settings.theme, {})
        self.context_changed.publish(self.context)

    @property
    def settings_path(self) -> Path:
        return Path("/home/ops/.config/yunliao/settings.toml")

    def setting_origins(self) -> Mapping[str, Origin]:
        return {entry.name: "default" for entry in fields(Settings)}
