"""The part of the chat that writes: the composer, its draft and its history."""

from __future__ import annotations

from textual import on, work
from textual.widgets import TextArea

from screens.partnering import PartneringScreen
from tui.widgets.composer import Composer
from tui.words import _

QUIT_SECONDS = 2.0
"""A second Ctrl+C within this time quits."""


class ComposingScreen(PartneringScreen):
    """A screen whose composer keeps what is in it as the conversation's draft."""

    _draft = ""
    """What is kept of the composer."""
    is_opening = False
    """The conversation is still being read: its own draft is not known yet, and must not be overwritten."""
    _quit_armed = -QUIT_SECONDS
    """When Ctrl+C found nothing to stop or clear."""

    @on(TextArea.Changed, "#composer")
    def _draft_changed(self) -> None:
        self.typing()
        self._keep_draft()

    def _keep_draft(self) -> None:
        """Keep what is in the composer, when somebody changed it."""
        if self.is_opening:
            return
        text = "\n\n".join(part for part in (self._set_aside, self.composer.text) if part)
        if text != self._draft:
            self._draft = text
            self.app.set_draft(self.conversation_id, text, self.service)

    def leave_unopened(self) -> None:
        """What was written for a conversation that was not there yet is kept where Up finds it."""
        if self.is_opening:
            self.is_opening = False
            if (written := self.composer.take()).strip():
                self.app.remember_input(self.service, written)
            self._draft = ""

    def _put_draft(self, text: str) -> None:
        self._draft = text
        self.composer.put(text)

    @on(Composer.Interrupted)
    def _composer_interrupted(self, event: Composer.Interrupted) -> None:
        event.stop()
        self.action_interrupt()

    @on(Composer.Copied)
    def _composer_copied(self, event: Composer.Copied) -> None:
        event.stop()
        self.app.copy_text(event.text, _("the selection"))

    @on(Composer.EditRequested)
    @work(group="edit", exclusive=True)
    async def _edit_externally(self, event: Composer.EditRequested) -> None:
        event.stop()
        self.composer.put(await self.app.edit_externally(self.composer.text))
        self.composer.focus()

    def give_back(self, text: str) -> None:
        """Put `text` into the composer, in front of what stands there already."""
        held = self.composer.text
        if text not in held:
            self.composer.put(f"{text}\n\n{held}" if held.strip() else text)

    def action_interrupt(self) -> None:
        """Ctrl+C: stop what runs; else clear the draft (into the history); else, twice within 2 s, quit."""
        now = self.app.seconds()
        if self.conversation_id and self.app.stop(self.conversation_id):
            return
        if self.composer.text.strip():
            self.app.remember_input(self.service, self.composer.take())
            self.composer.set_history(self.app.input_history(self.service))
            self.app.notify(_("Cleared; Up brings it back."))
        elif now - self._quit_armed < QUIT_SECONDS:
            self.app.request_quit()
        else:
            self._quit_armed = now
            self.app.notify(_("Ctrl+C again quits."), timeout=QUIT_SECONDS)

    def typing(self) -> None:
        """Told with each change of the composer."""
        raise NotImplementedError
