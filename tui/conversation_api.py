"""The conversations as screens see them: what the app's model holds, and what may be done with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui.effects import Effects
from tui.words import _

if TYPE_CHECKING:
    from tui.connection import Connection
    from tui.conversations import Conversations
    from tui.models import Conversation, ConversationSummary, Rating, ServiceName
    from tui.services.base import AskReply, Capabilities
    from tui.turns import TurnActivity
    from tui.writing import Writing


class ConversationApi(Effects):
    """Reading is immediate, and empty until the cache is open."""

    _connection: Connection
    _store_open: asyncio.Event
    _writing: Writing

    @property
    def conversations(self) -> Conversations:
        """The model below; made on first use."""
        raise NotImplementedError

    # --- reading -------------------------------------------------------------------------------------------

    def summaries(self) -> Sequence[ConversationSummary]:
        return self.conversations.summaries() if self._store_open.is_set() else ()

    def conversation(self, conversation_id: str) -> Conversation | None:
        return self.conversations.conversation(conversation_id) if self._store_open.is_set() else None

    def activity(self, conversation_id: str) -> TurnActivity | None:
        return self.conversations.activity(conversation_id) if self._store_open.is_set() else None

    def service_capabilities(self, service: ServiceName) -> Capabilities:
        return self._connection.capabilities(service)

    def input_history(self, service: ServiceName) -> Sequence[str]:
        return self._writing.inputs(service)

    @property
    def index_loaded(self) -> bool:
        return self._store_open.is_set() and self.conversations.loaded

    # --- conversations -------------------------------------------------------------------------------------

    async def open_conversation(self, conversation_id: str) -> Conversation:
        await self._store_open.wait()
        conversation = await self.conversations.open(conversation_id)
        if conversation.read_only:
            self._spawn(f"follow:{conversation_id}", self.conversations.follow(conversation_id))
        return conversation

    def show_conversation(self, conversation_id: str, turn_id: str = "", *, find: str = "") -> None:
        chat = self.screen_stack[0]
        while len(self.screen_stack) > 1:
            self.pop_screen()
        chat.show(conversation_id, turn_id, find=find)  # type: ignore[attr-defined]  # the chat screen, known by name only

    def show_conversations(self) -> None:
        chat = self.screen_stack[0]
        if not chat.focus_list():  # type: ignore[attr-defined]
            self.navigate("conversations")

    async def create_conversation(self, service: ServiceName, options: Mapping[str, str] | None = None) -> str:
        await self._store_open.wait()
        return await self.conversations.create(service, options)

    async def adopt_conversation(
        self, service: ServiceName, remote_id: str, options: Mapping[str, str] | None = None
    ) -> str:
        await self._store_open.wait()
        return await self.conversations.adopt(service, remote_id, options or {})

    async def fork_conversation(self, conversation_id: str, turn_id: str) -> str:
        return await self.conversations.fork(conversation_id, turn_id)

    async def set_options(self, conversation_id: str, options: Mapping[str, str]) -> None:
        await self.conversations.set_options(conversation_id, options)

    async def rename_conversation(self, conversation_id: str, title: str) -> None:
        await self.conversations.rename(conversation_id, title)

    async def pin_conversation(self, conversation_id: str, pinned: bool) -> None:
        await self.conversations.pin(conversation_id, pinned)

    async def delete_conversations(self, conversation_ids: Sequence[str]) -> None:
        if self._shown_below() in await self.conversations.delete(conversation_ids):
            self.screen_stack[0].show("", focus=False)  # type: ignore[attr-defined]

    def _shown_below(self) -> str:
        return str(getattr(self.screen_stack[0], "conversation_id", ""))

    async def delete_on_service(self, conversation_ids: Sequence[str]) -> int:
        return await self.conversations.delete_there(conversation_ids)

    async def undo_delete(self) -> str:
        return await self.conversations.undo_delete()

    async def take_over(self, conversation_id: str) -> None:
        await self._take_over(conversation_id)

    async def _take_over(self, conversation_id: str, *, force: bool = False) -> None:
        from tui.turns import TurnUpdate

        match await self.conversations.take_over(conversation_id, force=force):
            case "taken":
                self.turn_changed.publish(TurnUpdate(conversation_id, ""))
            case "answering":
                lines = [
                    _("The other window is receiving an answer; when that is there, F10 takes over at once."),
                    _("Taken over now, it stops reading, and the rest of the answer is fetched here."),
                ]
                verb = _("take over now")
                self.confirm(
                    _("Take over in mid-answer?"), lines, verb, lambda: self._take_over(conversation_id, force=True)
                )
            case "held":
                self.notify(_("The other window did not let go of it."), severity="warning")

    async def refresh_conversations(self) -> None:
        await self.conversations.refresh()

    @property
    def has_more_conversations(self) -> bool:
        return self._store_open.is_set() and self.conversations.merging.has_more

    async def more_conversations(self) -> None:
        for error in await self.conversations.merging.more():
            self.show_problem(error.problem)

    async def archive_conversation(self, conversation_id: str, archived: bool) -> None:
        await self.conversations.archive(conversation_id, archived)

    async def change_tags(self, conversation_id: str, add: Sequence[str], remove: Sequence[str]) -> None:
        await self.conversations.change_tags(conversation_id, add, remove)

    def draft_of_new(self, service: ServiceName) -> str:
        return self._writing.draft_of_new(service)

    def set_draft(self, conversation_id: str, text: str, service: ServiceName = "rds") -> None:
        self._writing.set_draft(conversation_id, text, service)

    def remember_input(self, service: ServiceName, text: str) -> None:
        self._writing.remember(service, text)

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
