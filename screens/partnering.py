"""The part of the chat that knows with whom a conversation of DashScope is."""

from __future__ import annotations

from textual import work

from screens.analysing import AnalysingScreen
from tui import routes
from tui.widgets.assistant_words import backend_name


class PartneringScreen(AnalysingScreen):
    """A screen with a conversation that may have an assistant, a local profile or a model for a partner."""

    @work(group="partner", exclusive=True)
    async def action_session(self) -> None:
        """Of a new conversation its partner; of one that has begun all that can be changed, with its thread's id."""
        if self.service != "dashscope":
            super().action_session()
            return
        conversation = self.app.conversation(self.conversation_id) if self.conversation_id else None
        if conversation is None:
            await self._choose_partner()
            return
        screen = routes.build(
            "assistant_session",
            options=conversation.options,
            thread=conversation.remote_id,
            begun=bool(conversation.turns),
        )
        found = await self.app.push_screen_wait(screen)
        if found is not None:
            await self.set_options(found)

    async def has_partner(self, question: str) -> bool:
        """Whether a new conversation can begin with `question`; one with DashScope asks for its partner first.

        Until there is one the question stays in the composer, so that it is kept whatever happens. For workers.
        """
        if self.service != "dashscope" or self.new_options.get("dashscope"):
            return True
        self.composer.put(question)
        if not await self._choose_partner():
            return False
        self.composer.put("")
        return True

    async def _choose_partner(self) -> bool:
        from screens.assistant_session import choose_partner

        held = self.options()
        found = await choose_partner(self.app, held.get("profile", "") or held.get("assistant", ""))
        if found is None:
            return False
        await self.set_options(found)
        return True

    def place(self) -> list[str]:
        words = super().place()
        return [*words, backend_name(self.options())] if self.service == "dashscope" and self.options() else words
