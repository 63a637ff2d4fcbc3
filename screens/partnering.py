"""The part of the chat that knows with whom a conversation of DashScope is."""

from __future__ import annotations

from textual import work
from textual.worker import WorkerCancelled

from screens.analysing import AnalysingScreen
from tui import routes
from tui.widgets.assistant_words import backend_name
from tui.words import _


class PartneringScreen(AnalysingScreen):
    """A screen with a conversation that may have an assistant, a local profile or a model for a partner."""

    _is_choosing = False
    """The partner of a new conversation is being chosen, or the list to choose from is being read."""

    @work(group="partner", exclusive=True)
    async def action_session(self) -> None:
        """Of a new conversation its partner; of one that has begun all that can be changed, with its thread's id."""
        if self.service != "dashscope":
            super().action_session()
            return
        conversation = self.app.conversation(self.conversation_id) if self.conversation_id else None
        if conversation is None:
            self._choose_partner()
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
        self.give_back(question)
        try:
            return await self._choose_partner(question).wait()
        except WorkerCancelled:
            return False

    @work(group="first-partner")
    async def _choose_partner(self, question: str = "") -> bool:
        """Choose the partner of the new conversation; whether `question` can be asked then, which is taken away."""
        from screens.assistant_session import choose_partner

        if self._is_choosing:  # Enter came twice
            return False
        held, asked_in = self.options(), (self.conversation_id, self.service)
        self._is_choosing = True
        try:
            found = await choose_partner(self.app, held.get("profile", "") or held.get("assistant", ""))
        finally:
            self._is_choosing = False
        if found is None:
            return False
        if asked_in != (self.conversation_id, self.service):
            self.app.notify(_("Not set: another conversation is shown by now."), severity="warning")
            return False
        await self.set_options(found)
        text = self.composer.text
        if not text.startswith(question):  # changed or cleared meanwhile: it is not what is to be asked any more
            return False
        # In the same step as the options: from now on an Enter asks at once.
        if question:
            self.composer.put(text.removeprefix(question).lstrip())
        return True

    def leave_choice(self) -> None:
        """Another conversation is shown: nobody is asked any more for the partner of the one that had not begun."""
        self.workers.cancel_group(self, "first-partner")

    def place(self) -> list[str]:
        words = super().place()
        return [*words, backend_name(self.options())] if self.service == "dashscope" and self.options() else words
