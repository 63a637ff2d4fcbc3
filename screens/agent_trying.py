"""The part of the agents' screen that tries an agent out: a scratch conversation beside the form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from screens.reading import ReadingScreen
from tui.widgets.ask_panel import AskPanel
from tui.widgets.composer import Composer
from tui.widgets.find_bar import FindBar
from tui.widgets.still import Still
from tui.widgets.transcript import Transcript
from tui.words import _

if TYPE_CHECKING:
    from tui.agent_editing import Draft
    from tui.models import ServiceName
    from tui.turns import TurnUpdate


class TryingScreen(ReadingScreen):
    """A screen with the pane `#try`: hidden, and without a conversation, until an agent is tried out."""

    _tried = ""
    """The key of the agent that the scratch conversation is with."""

    def compose_try(self) -> ComposeResult:
        with Vertical(id="try"):
            yield Still(id="try-title")
            yield Transcript(id="transcript", ascii_only=self.app.settings.ascii)
            yield FindBar(id="find")
            yield AskPanel(
                seconds=self.app.seconds,
                last_key=lambda: self.composer.last_key,
                ascii_only=self.app.settings.ascii,
                id="ask",
            )
            with Horizontal(id="prompt"):
                yield Static(" > ", id="caret", markup=False)
                yield Composer(id="composer", send_key=self.app.settings.send, seconds=self.app.seconds)

    def watch_turns(self) -> None:
        """To be called once the screen is mounted."""
        self.app.turn_changed.subscribe(self, self._turn_changed)

    async def try_out(self, draft: Draft) -> None:
        """Begin a conversation with an agent, or go on with the one that was begun with it."""
        if self._tried != draft.key or not self.conversation_id:
            self.leave_answer()
            options = {"agent": draft.agent_id, "agent_name": draft.form.name}
            if draft.service == "dms":
                # What is not released can only be used so.
                options["agent_stage"] = "debug"
            self.service = draft.service
            self.conversation_id = await self.app.create_conversation(draft.service, options)
            self._tried = draft.key
            self.transcript.empty_text = _("Ask {name} something; the conversation is kept in the list.").format(
                name=draft.form.name
            )
            self.transcript.show((), key=self.conversation_id)
            self._put_draft("")
            self.composer.at_opens_files = draft.service == "dms"
            self.composer.set_history(self.app.input_history(draft.service))
        self.composer.placeholder = _("ask {service}").format(service=draft.form.name)
        self.show_tried(draft)
        self.composer.focus()

    def show_tried(self, draft: Draft) -> None:
        """Say which version answers."""
        text = _("Trying out {name}").format(name=draft.form.name)
        note = "   " + _("as saved, without what is not saved yet") if draft.unsaved else ""
        self.query_one("#try-title", Still).show(Content.assemble((text, "bold"), (note, "$warning")))

    @property
    def is_tried(self) -> str:
        """The key of the agent that is tried out; "" for none."""
        return self._tried

    def end_trying(self) -> None:
        """Forget the scratch conversation; it stays in the list where something was asked in it."""
        self.leave_answer()
        self.find_bar.close()
        self.conversation_id = self._tried = ""

    def _turn_changed(self, update: TurnUpdate) -> None:
        if update.conversation_id != self.conversation_id or not self.conversation_id:
            return
        conversation = self.app.conversation(self.conversation_id)
        if conversation is None:
            return
        for turn in reversed(conversation.turns):
            self.transcript.update_turn(turn)
            if turn.id == update.turn_id:
                break
        if update.put_back:
            self._give_back(update.put_back)
        self.update_ask()
        self.answer_changed()

    @on(Composer.Submitted)
    def _ask_agent(self, event: Composer.Submitted) -> None:
        event.stop()
        if not self.take_answer(event.text):
            self._ask_text(event.text)

    @work(group="ask")
    async def _ask_text(self, text: str) -> None:
        self.app.ask(self.conversation_id, text)
        self.transcript.follow_end()
        self.composer.set_history(self.app.input_history(self.service))
        conversation = self.app.conversation(self.conversation_id)
        if conversation is not None and conversation.turns:
            self.transcript.update_turn(conversation.turns[-1])
        self.answer_changed()

    # --- what the parts of a chat ask of their screen --------------------------------------------------------

    def action_new(self, service: ServiceName | None = None) -> None:
        """A new scratch conversation with the same agent."""
        self.end_trying()

    def options_changed(self) -> None:
        self.answer_changed()

    def typing(self) -> None:
        """Nothing here depends on it."""
