"""The part of the chat that takes something up again: quotes, forks, ratings with a comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work

from screens.reading import ReadingScreen
from tui.widgets.transcript import messages
from tui.words import _

if TYPE_CHECKING:
    from tui.models import Turn

TOLD_CHARACTERS = 6000
"""Of earlier turns that go with the first question of a fork: about 18 KB of address where it is all Chinese."""


class ForkingScreen(ReadingScreen):
    """A screen with a transcript and a composer to write on from what stands there."""

    # --- quoting -------------------------------------------------------------------------------------------

    @on(messages.QuoteRequested)
    def _quote_requested(self, event: messages.QuoteRequested) -> None:
        event.stop()
        self.quote(event.text)

    def quote(self, text: str) -> None:
        """Put `text` as a quote into the composer, where the cursor is in what stands there already."""
        from tui.forks import quoted

        held = self.composer.text
        if not held.strip():
            self.composer.put(quoted(text))
        else:
            gap = "" if held.endswith("\n\n") else "\n" if held.endswith("\n") else "\n\n"
            self.composer.put(f"{held}{gap}{quoted(text)}")
        self.composer.focus()

    # --- forking -------------------------------------------------------------------------------------------

    @on(messages.EditResend)
    def _edit_resend(self, event: messages.EditResend) -> None:
        event.stop()
        self.fork(event.turn)

    @work(group="fork", exclusive=True)
    async def fork(self, turn: Turn) -> None:
        """Edit a question and ask it again: here below, or in a conversation of its own."""
        from screens.dialogs import ChooseDialog
        from tui.forks import told_before

        conversation = self.app.conversation(self.conversation_id) if self.conversation_id else None
        if conversation is None:
            return
        before = next((conversation.turns[:n] for n, one in enumerate(conversation.turns) if one.id == turn.id), ())
        told = told_before(before, TOLD_CHARACTERS)
        choices = [
            (_("in a fork: a new conversation; this one stays as it is"), turn.question),
            (_("here, below what has been said"), turn.question),
        ]
        if before:
            size = _("in a fork that quotes what was said before ({n} characters)").format(n=len(told))
            choices.insert(1, (size, told))
        chosen = await self.app.push_screen_wait(ChooseDialog(_("Edit this question and ask it"), choices))
        if chosen == len(choices) - 1:
            self.give_back(turn.question)
            self.composer.focus()
        elif chosen is not None:
            fork_id = await self.app.fork_conversation(conversation.id, turn.id)
            self.show_fork(fork_id, (told if chosen == 1 else "") + turn.question)

    def show_fork(self, conversation_id: str, text: str) -> None:
        """Show a new conversation with `text` in the composer."""
        raise NotImplementedError

    # --- ratings -------------------------------------------------------------------------------------------

    @on(messages.Feedback)
    @work(group="feedback", exclusive=True)
    async def _feedback(self, event: messages.Feedback) -> None:
        event.stop()
        if not self.app.service_capabilities(self.service).feedback:
            self.app.notify(_("This service takes no feedback."), severity="warning")
            return
        from screens.dialogs import TextDialog

        conversation_id = self.conversation_id
        title = _("What was helpful?") if event.rating == "like" else _("What was wrong with it?")
        lines = [_("Your words go to the service with the rating; Enter alone sends the rating.")]
        comment = await self.app.push_screen_wait(
            TextDialog(title, lines=lines, verb=_("send the rating"), allow_empty=True)
        )
        if comment is not None:
            await self.app.rate(conversation_id, event.turn.id, event.rating, comment)
