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
    from tui.agents.editing import Draft
    from tui.models import ServiceName
    from tui.turns import TurnUpdate


class TryingScreen(ReadingScreen):
    """A screen with the pane `#try`: hidden, and without a conversation, until an agent is tried out."""

    _tried = ""
    """The key of the agent that the scratch conversation is with."""
    _is_open = False
    """Whether the pane is wanted; closed, the conversation waits."""

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
        if self._tried != draft.key:
            self.leave_answer()
            if (written := self.composer.take()).strip():
                self.app.remember_input(self.service, written)
            self.service = draft.service
            self.new_options[draft.service] = self._options_of(draft)
            self._tried = draft.key
            self.transcript.empty_text = _("Ask {name} something; the conversation is kept in the list.").format(
                name=draft.form.name
            )
            await self._begin()
            self.composer.at_opens_files = draft.service == "dms"
            self.composer.set_history(self.app.input_history(draft.service))
        self._is_open = True
        # As text it would be parsed as markup.
        self.composer.placeholder = Content(_("ask {service}").format(service=draft.form.name))
        self.show_tried(draft)
        self.composer.focus()

    @staticmethod
    def _options_of(draft: Draft) -> dict[str, str]:
        options = {"agent": draft.agent_id, "agent_name": draft.form.name}
        # What is not released can only be used so.
        return {**options, "agent_stage": "debug"} if draft.service == "dms" else options

    async def _begin(self) -> None:
        """A conversation of its own, with what is in `new_options`."""
        self.conversation_id = await self.app.create_conversation(self.service, self.new_options.get(self.service))
        self._draft = ""
        self.transcript.show((), key=self.conversation_id)

    def show_tried(self, draft: Draft) -> None:
        """Say which version answers."""
        text = _("Trying out {name}").format(name=draft.form.name)
        note = "   " + _("as saved, without what is not saved yet") if draft.unsaved else ""
        self.query_one("#try-title", Still).show(Content.assemble((text, "bold"), (note, "$warning")))

    @property
    def is_tried(self) -> str:
        """The key of the agent that is tried out in the open pane; "" for none."""
        return self._tried if self._is_open else ""

    def end_trying(self) -> None:
        """Close the pane; the conversation goes on when the same agent is tried out again."""
        self.leave_answer()
        self.find_bar.close()
        self._is_open = False

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
            self.give_back(update.put_back)
        self.update_ask()
        self.answer_changed()

    @on(Composer.Submitted)
    def _ask_agent(self, event: Composer.Submitted) -> None:
        event.stop()
        if not self.take_answer(event.text):
            self._ask_text(event.text)

    @work(group="ask")
    async def _ask_text(self, text: str) -> None:
        if not self.conversation_id:
            await self._begin()
        self.app.ask(self.conversation_id, text)
        self.transcript.follow_end()
        self.composer.set_history(self.app.input_history(self.service))
        conversation = self.app.conversation(self.conversation_id)
        if conversation is not None and conversation.turns:
            self.transcript.update_turn(conversation.turns[-1])
        self.answer_changed()

    # --- what the parts of a chat ask of their screen --------------------------------------------------------

    def action_new(self, service: ServiceName | None = None) -> None:
        """A new scratch conversation with the same agent, begun with its first question."""
        self.leave_answer()
        self.conversation_id = ""
        self.transcript.show((), key="")
        self.update_ask()

    def options_changed(self) -> None:
        self.answer_changed()

    def _keep_draft(self) -> None:
        """Of a conversation that has not begun there is one draft, and that is the chat's."""
        if self.conversation_id:
            super()._keep_draft()

    def typing(self) -> None:
        """Nothing here depends on it."""
