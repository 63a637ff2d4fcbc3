"""The part of the chat that reads: what the transcript asks for about the turns of a conversation."""

from __future__ import annotations

from textual import on

from screens.composing import ComposingScreen
from tui.widgets.composer import Composer
from tui.widgets.transcript import messages
from tui.widgets.turn_words import turn_details
from tui.words import _


class ReadingScreen(ComposingScreen):
    """A screen with the transcript of a conversation."""

    def take_choice(self, choice: messages.Choice) -> None:
        if choice.kind == "file" and self.service == "dms":
            self.fetch_file(choice.text, choice.label)
        else:
            super().take_choice(choice)

    @on(messages.ComposeRequested)
    def _compose_requested(self, event: messages.ComposeRequested) -> None:
        event.stop()
        self.composer.focus()

    @on(messages.Stop)
    def _stop(self, event: messages.Stop) -> None:
        event.stop()
        if not self.app.stop(self.conversation_id) and not self.refuse():
            self.app.notify(_("Nothing runs in this conversation."))

    @on(messages.Retry)
    def _retry(self, event: messages.Retry) -> None:
        """Ask the same again: a new turn, and only where nothing is known to run for the old one."""
        event.stop()
        from tui.turns import line_was_lost

        turn = event.turn
        if self.has_expired(turn):
            self.begin_anew(turn.question)
        elif turn.state == "queued":
            self.app.unqueue(self.conversation_id, turn.id)
        elif turn.state in ("interrupted", "cut_off") or (turn.problem is not None and line_was_lost(turn.problem)):
            self.app.recover(self.conversation_id, turn.id)
        elif self.app.activity(self.conversation_id) is not None:
            self.app.notify(_("An answer is running; stop it first, or wait."), severity="warning")
        else:
            self.give_back(turn.question)
            self.composer.focus()

    @on(messages.Details)
    def _details(self, event: messages.Details) -> None:
        event.stop()
        self.app.navigate("details", rows=turn_details(event.turn))

    @on(Composer.PageRequested)
    def _page(self, event: Composer.PageRequested) -> None:
        event.stop()
        if event.direction < 0:
            self.transcript.scroll_page_up()
        else:
            self.transcript.scroll_page_down()
