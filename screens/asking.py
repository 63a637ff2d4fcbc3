"""The part of the chat that answers: the panel of what the service asks, and the composer while it writes an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work
from textual.events import ScreenResume
from textual.getters import query_one

from screens.transcript_requests import TranscriptScreen
from tui import routes
from tui.widgets.ask_panel import AskPanel
from tui.widgets.ask_words import seems_to_read
from tui.widgets.composer import Composer
from tui.words import _

if TYPE_CHECKING:
    from tui.models import AskBlock, Conversation, Turn
    from tui.services.base import ReplyAction


class AskingScreen(TranscriptScreen):
    """A screen with a composer and an `AskPanel` above it, showing one conversation."""

    composer = query_one("#composer", Composer)
    ask_panel = query_one("#ask", AskPanel)

    conversation_id = ""
    """Ours; empty until the first question of a new conversation."""
    _answering: tuple[AskBlock, ReplyAction] | None = None
    """What the composer writes an answer to."""
    _set_aside = ""
    """The draft that stood in the composer before."""
    _just_answered = ("", "")

    def __init__(self) -> None:
        super().__init__()
        self._outputs: dict[str, dict[int, str]] = {}
        """By ask: outputs that were given and not sent, by the number of their call."""

    def _turn_that_asks(self) -> tuple[Conversation, Turn, AskBlock] | None:
        conversation = self.app.conversation(self.conversation_id) if self.conversation_id else None
        if conversation is None or conversation.read_only:
            return None
        if self.app.activity(self.conversation_id) is not None:
            self._just_answered = ("", "")
            return None
        from tui.turns import open_ask

        turn = conversation.newest_sent
        ask = open_ask(turn) if turn is not None and turn.state in ("waiting", "done") else None
        if turn is None or ask is None or self._just_answered == (self.conversation_id, ask.ask_id):
            return None
        return conversation, turn, ask

    def update_ask(self) -> None:
        """Show what the newest turn waits for, or nothing."""
        found = self._turn_that_asks()
        if self._answering and (found is None or found[2].ask_id != self._answering[0].ask_id):
            self.leave_answer()
        if found is None:
            if self.ask_panel.has_focus_within:
                self.composer.focus()
            self.ask_panel.show(None)
            return
        from tui.models import PlanBlock

        conversation, turn, ask = found
        plans = [block for block in turn.blocks if isinstance(block, PlanBlock)]
        note = ""
        if ask.kind == "approval":
            from tui.widgets.approval_words import where

            note = where(self.app.copilot.approvals.watch_of(conversation.id), sandbox=self.app.context.sandbox)
        data = bool(conversation.options.get("data"))
        self.ask_panel.show(ask, plans[-1].steps if plans else (), data=data, note=note)

    @property
    def answer_prompt(self) -> str:
        """The composer's placeholder while it writes an answer, "" while it does not."""
        if self._answering is None:
            return ""
        ask, action = self._answering
        if action == "reply":
            return _("your answer to the agent")
        return _("your wishes for the report") if ask.kind == "report" else _("what to change")

    # --- the panel -----------------------------------------------------------------------------------------

    @on(AskPanel.Woken)
    def _woken(self, event: AskPanel.Woken) -> None:
        event.stop()
        idle = self.focused is self.composer and not self.composer.text and self.app.screen is self
        ask = self.ask_panel.ask
        if ask is None or not idle or self._answering:
            return
        if self.ask_panel.wants_words:
            self._begin_answer(ask, "reply")
        else:
            self.ask_panel.focus()

    @on(ScreenResume)
    def _keys_went_elsewhere(self) -> None:
        for panel in self.query("#ask").results(AskPanel):
            panel.rearm()

    @on(AskPanel.Answered)
    def _answered(self, event: AskPanel.Answered) -> None:
        event.stop()
        ask = event.ask
        by_words = ask.kind in ("question", "datasource")
        if event.choice == "files":
            self.choose_files()
        elif event.choice == "database":
            self.choose_database()
        elif event.choice == "look" or event.choice == "address" or event.choice == "leave":
            self._approval_key(event.choice)
        elif ask.kind == "tool_outputs" and event.choice == "change":
            self._give_outputs(ask)
        elif event.option:
            self._send_answer(ask, "reply", event.option)
        elif event.choice == "change":
            self._begin_answer(ask, "reply" if by_words else "change")
        elif ask.kind == "datasource" and event.choice == "approve":
            self._send_answer(ask, "reply", _("Use the data that I chose."))
        elif ask.kind == "sql" and event.choice != "refuse":
            self._agree_to_sql(ask, event.choice)
        else:
            self._send_answer(ask, event.choice)

    def choose_files(self) -> None:
        """Choose data for the conversation."""
        raise NotImplementedError

    def choose_database(self) -> None:
        """Name a database for the conversation."""
        raise NotImplementedError

    def _approval_key(self, choice: str) -> None:
        """What can be done here about a round that is decided in the console."""
        from tui.services.rds_rounds import CONSOLE

        approvals, conversation_id = self.app.copilot.approvals, self.conversation_id
        if choice == "look":
            approvals.look_now(conversation_id)
            return
        if choice == "address":
            self.app.copy_text(CONSOLE, _("the console's address"))
            return

        async def leave() -> None:
            await approvals.leave(conversation_id, _("left undecided"))

        lines = [_("The calls are not run from here. Nothing is told to the service: the console still shows them.")]
        self.app.confirm(_("Go on without these calls?"), lines, _("go on"), leave)

    @work(group="agree", exclusive=True)
    async def _agree_to_sql(self, ask: AskBlock, action: ReplyAction) -> None:
        """Agree to a statement; on a locked or a production profile not to everything on one key."""
        context = self.app.context
        if context.read_only and (action == "approve_all" or not seems_to_read(ask.text)):
            self.app.notify(
                _("This profile is read-only: agree to statements that only read, one by one."), severity="warning"
            )
            return
        if action == "approve_all" and context.environment.lower().startswith("prod"):
            from screens.dialogs import TypedConfirmDialog

            lines = [_("All later statements of the agent will run without a question.")]
            dialog = TypedConfirmDialog(_("Run all?"), lines, _("run all"), context.environment)
            if not await self.app.push_screen_wait(dialog):
                return
        self._send_answer(ask, action)

    def refuse(self) -> bool:
        """Refuse what is asked; False where nothing is, or where it is not answered here."""
        found = self._turn_that_asks()
        if found is None or found[2].kind in ("approval", "report"):
            return False
        self._send_answer(found[2], "refuse")
        return True

    @work(group="outputs", exclusive=True)
    async def _give_outputs(self, ask: AskBlock) -> None:
        """The outputs of the functions that a run called, on a screen of their own."""
        conversation = self.app.conversation(self.conversation_id)
        options = conversation.options if conversation is not None else {}
        schemas = self.app.assistants.schemas_of(options.get("profile", "") or options.get("assistant", ""))
        given = self._outputs.setdefault(ask.ask_id, {})
        outputs = await self.app.push_screen_wait(routes.build("tool_outputs", ask=ask, schemas=schemas, given=given))
        if outputs is not None and self._send_answer(ask, "reply", outputs=outputs):
            self._outputs.pop(ask.ask_id, None)

    def _send_answer(self, ask: AskBlock, action: ReplyAction, text: str = "", outputs: tuple[str, ...] = ()) -> bool:
        from tui.services.base import AskReply

        if not self.app.answer(self.conversation_id, ask.ask_id, AskReply(action, text, outputs)):
            self.app.notify(_("It was answered already."), severity="warning")
            return False
        self._just_answered = (self.conversation_id, ask.ask_id)
        self.update_ask()
        return True

    # --- in words ------------------------------------------------------------------------------------------

    def _begin_answer(self, ask: AskBlock, action: ReplyAction) -> None:
        self._answering = (ask, action)
        self._set_aside = self.composer.text
        self.composer.put("")
        self.composer.focus()
        self.answer_changed()

    def leave_answer(self) -> None:
        """Leave the ask pending; what was written of the answer stays in the composer, below the draft."""
        if self._answering is None:
            return
        self._answering = None
        self.composer.put("\n\n".join(text for text in (self._set_aside, self.composer.text) if text.strip()))
        self._set_aside = ""
        self.answer_changed()

    def take_answer(self, text: str) -> bool:
        """`text` was sent from the composer: whether it was an answer."""
        if self._answering is None:
            return False
        ask, action = self._answering
        self._answering = None
        draft, self._set_aside = self._set_aside, ""
        if not self._send_answer(ask, action, text):
            draft = "\n\n".join(part for part in (draft, text) if part)
        self.composer.put(draft)
        self.answer_changed()
        return True

    def answer_changed(self) -> None:
        """Told when the composer begins or ends to write an answer."""
        raise NotImplementedError
