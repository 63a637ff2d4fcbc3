"""The part of the chat that reads: what the transcript asks for about the turns of a conversation."""

from __future__ import annotations

from collections.abc import Sequence

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

    # --- a conversation and its newest turn ----------------------------------------------------------------

    async def opens(self, conversation_id: str) -> bool:
        """Have a conversation in memory; False, said, where that cannot be."""
        from tui.services.errors import ServiceError

        try:
            await self.app.open_conversation(conversation_id)
        except KeyError:
            self.app.notify(_("This conversation is not there any more."), severity="warning")
            return False
        except ServiceError as error:
            self.app.show_problem(error.problem)
            return False
        return True

    def suggestions(self) -> Sequence[str]:
        """What the newest answer suggests to ask next."""
        from tui.models import SuggestionsBlock

        conversation = self.app.conversation(self.conversation_id) if self.conversation_id else None
        blocks = conversation.turns[-1].blocks if conversation and conversation.turns else ()
        return next((block.items for block in reversed(blocks) if isinstance(block, SuggestionsBlock)), ())

    def action_recover(self) -> None:
        """Look on the service for what the newest answer lacks; nothing is sent again."""
        conversation = self.app.conversation(self.conversation_id) if self.conversation_id else None
        turn = conversation.turns[-1] if conversation and conversation.turns else None
        if self.app.copilot.approvals.look_now(self.conversation_id):
            return
        if turn is None or turn.state in ("done", "stopped"):
            self.app.notify(_("Nothing is missing from the newest answer."))
        elif turn.state in ("interrupted", "cut_off", "failed", "waiting"):
            self.app.recover(self.conversation_id, turn.id)
