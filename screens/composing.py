"""The part of the chat that writes: the composer, its draft and its history."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import on, work
from textual.widgets import TextArea

from screens.partnering import PartneringScreen
from tui.widgets.composer import Composer
from tui.words import _

if TYPE_CHECKING:
    from tui.models import ServiceName

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
    shown = 0
    """Counts what was shown: tells a new conversation from the next one."""
    _begun = (-1, "")
    """Of the conversation that was begun last: `shown` before it had an id, and the id."""

    def __init__(self) -> None:
        super().__init__()
        self._beginning = asyncio.Lock()

    async def begin(self, service: ServiceName, shown: int) -> str:
        """The conversation that the new one of that time has become, with its first question."""
        async with self._beginning:  # a second question may come before the conversation is there
            if known := self.begun_from(shown):
                return known
            options = self.new_options.pop(service, None)
            conversation_id = await self.app.create_conversation(service, options)
            self._begun = shown, conversation_id
            self.wait_for_uploads_of(conversation_id)
            if shown == self.shown:
                self.conversation_id = conversation_id
                self.transcript.show((), key=conversation_id)
                self.app.set_draft("", "", service)
                self._draft = ""
                self._keep_draft()  # what was typed meanwhile is of the new one
            return conversation_id

    def begun_from(self, shown: int) -> str:
        """What the new conversation of that time has become; "" where it has not begun."""
        return self._begun[1] if self._begun[0] == shown else ""

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
        # A part of a longer sentence is not `text`.
        if not (held.startswith(text) or f"\n\n{text}\n\n" in f"\n\n{held}\n\n"):
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
