"""What the keys of a list of conversations do: mark, change the marked or the one under the cursor, fetch more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import work
from textual.getters import app as app_getter

from tui.contract import YunliaoApi
from tui.widgets.conversation_changes import archive, delete, import_file, pin, rename, tag, take_back
from tui.widgets.looks import Painted
from tui.words import _

if TYPE_CHECKING:
    from tui.models import ConversationSummary

OF_ONE = frozenset({"open", "rename", "pin", "mark", "mark_all", "tags", "archive", "copy_id", "export", "delete"})
"""Actions that need a conversation."""


class ListActions(Painted):
    """To be mixed into the list, which knows what is chosen."""

    app = app_getter(YunliaoApi)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._all: Sequence[ConversationSummary] = ()
        self._marked: set[str] = set()
        self._fetching = False

    @property
    def items(self) -> Sequence[ConversationSummary]:
        """Those that are shown, of `_all`."""
        raise NotImplementedError

    @property
    def selected(self) -> ConversationSummary | None:
        """The conversation under the cursor."""
        raise NotImplementedError

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        raise NotImplementedError

    # --- what is chosen --------------------------------------------------------------------------------------

    def _chosen(self) -> list[ConversationSummary]:
        """The marked ones, or the one under the cursor."""
        marked = [item for item in self._all if item.id in self._marked]
        return marked or ([self.selected] if self.selected else [])

    def _unmark(self) -> None:
        self._marked.clear()
        self.refresh()

    def action_mark(self) -> None:
        if self.selected:
            self._marked ^= {self.selected.id}
            self.action_move(1)
            self.refresh()

    def action_mark_all(self) -> None:
        """All that are shown; none where all of them are marked."""
        shown = {item.id for item in self.items}
        self._marked = self._marked - shown if shown <= self._marked else self._marked | shown
        self.refresh()

    # --- what follows on the services --------------------------------------------------------------------------

    def _fetch_at_the_end(self) -> None:
        """Who comes to the end of the list wants what follows on the services."""
        at_the_end = not self.items or self.selected is self.items[-1]
        if at_the_end and self.app.has_more_conversations:
            self._fetch_more()

    @work(group="more")
    async def _fetch_more(self) -> None:
        if self._fetching:
            return
        self._fetching = True
        try:
            await self.app.more_conversations()
        finally:
            self._fetching = False

    # --- what is done ------------------------------------------------------------------------------------------

    def action_new(self) -> None:
        self.app.show_conversation("")

    def action_copy_id(self) -> None:
        if self.selected:
            self.app.copy_text(self.selected.remote_id or self.selected.id, _("conversation id"))

    def action_export(self) -> None:
        if chosen := self._chosen():
            self.app.navigate("export", conversation_ids=[item.id for item in chosen])

    @work(group="change")
    async def action_import(self) -> None:
        await import_file(self.app)

    @work(group="change")
    async def action_reload(self) -> None:
        await self.app.refresh_conversations()

    @work(group="change")
    async def action_pin(self) -> None:
        chosen = self._chosen()
        self._unmark()
        await pin(self.app, chosen)

    @work(group="change")
    async def action_archive(self) -> None:
        chosen = self._chosen()
        self._unmark()
        await archive(self.app, chosen)

    @work(group="change")
    async def action_tags(self) -> None:
        chosen = self._chosen()
        if chosen and await tag(self.app, chosen):
            self._unmark()

    @work(group="change")
    async def action_rename(self) -> None:
        if self.selected:
            await rename(self.app, self.selected)

    @work(group="change")
    async def action_delete(self) -> None:
        chosen = self._chosen()
        if chosen and await delete(self.app, chosen):
            self._unmark()

    @work(group="change")
    async def action_undo(self) -> None:
        await take_back(self.app)
