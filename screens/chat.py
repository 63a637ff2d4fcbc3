"""The chat: the list at the left where there is room, the transcript, the composer and the status line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import DescendantFocus, Resize, ScreenResume
from textual.getters import query_one
from textual.widgets import Static

from screens.chat_hints import hints_for
from screens.chat_keys import BINDINGS
from screens.commanding import CommandingScreen
from screens.welcome import SERVICES, welcome
from tui.contract import Context
from tui.widgets.ask_panel import AskPanel
from tui.widgets.assistant_words import partner_name
from tui.widgets.composer import Composer
from tui.widgets.context_bar import SERVICE_NAMES, ContextBar
from tui.widgets.conversation_list import ConversationList
from tui.widgets.find_bar import FindBar
from tui.widgets.status import StatusLine
from tui.widgets.transcript import Transcript
from tui.words import _

if TYPE_CHECKING:
    from tui.models import Conversation, ServiceName
    from tui.turns import TurnActivity, TurnUpdate

WIDE = 100
"""Columns from which on the list stands beside the chat."""


class ChatScreen(CommandingScreen):
    """One conversation; the list beside it at `WIDE` columns and more."""

    # Not CSS_PATH: a sheet that comes with a screen makes Textual parse every sheet anew, before the first paint.
    DEFAULT_CSS = Path(__file__).with_name("chat.tcss").read_text("utf-8")
    AUTO_FOCUS = "Composer"
    BINDING_GROUP_TITLE = "Chat"
    BINDINGS: ClassVar[list[BindingType]] = BINDINGS

    list_pane = query_one("#list", ConversationList)
    status = query_one("#status", StatusLine)
    context_bar = query_one("#context", ContextBar)

    def __init__(self, conversation_id: str = "", turn_id: str = "") -> None:
        super().__init__()
        self.conversation_id = conversation_id
        self._turn_id = turn_id
        self._list_wanted = True
        self._told: tuple[object, ...] = ()
        self._was_up = False

    # --- layout --------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        ascii_only = self.app.settings.ascii
        yield ContextBar(id="context")
        yield Static(id="banner", markup=False)
        with Horizontal(id="body"):
            yield ConversationList(now=lambda: self.app.now().astimezone(), id="list")
            yield Transcript(id="transcript", ascii_only=ascii_only)
        yield FindBar(id="find")
        yield AskPanel(
            seconds=self.app.seconds, last_key=lambda: self.composer.last_key, ascii_only=ascii_only, id="ask"
        )
        with Horizontal(id="prompt"):
            yield Static(" > ", id="caret", markup=False)
            yield Composer(id="composer", send_key=self.app.settings.send, seconds=self.app.seconds)
        yield StatusLine(self.app.seconds, ascii_only=ascii_only, id="status")

    @on(ScreenResume)
    def _came_up(self, event: ScreenResume) -> None:
        # When it comes up first, all that it consists of was styled a moment ago.
        event.refresh_styles = event.refresh_styles and self._was_up
        self._was_up = True

    def on_mount(self) -> None:
        self.service = self.app.settings.service
        self._place_list(self.app.size.width)
        self.app.turn_changed.subscribe(self, self._turn_changed, immediate=True)
        self.app.conversations_changed.subscribe(self, self._conversations_changed)
        self.app.context_changed.subscribe(self, self._context_changed)
        self.app.transfers_changed.subscribe(self, self.note_transfers)
        self._context_changed(self.app.context)
        self.show(self.conversation_id, self._turn_id)

    def on_resize(self, event: Resize) -> None:
        self._place_list(event.size.width)
        self._update_hints()

    def _place_list(self, width: int) -> None:
        wide = width >= WIDE and self._list_wanted and not self.app.low_bandwidth
        self.set_class(width < WIDE, "-narrow")
        if self.list_pane.display != wide:
            if not wide and self.list_pane.has_focus_within:
                self.composer.focus()
            self.list_pane.display = wide
        self.transcript.stride = self.app.stride(beside=wide)

    # --- what is shown -------------------------------------------------------------------------------------

    def show(self, conversation_id: str, turn_id: str = "", *, focus: bool = True, find: str = "") -> None:
        """Show another conversation, or a new one for "" ; `focus`: and begin to write.

        With `turn_id` at that turn, with `find` at these words in it or after it; then it is there to be read.
        """
        self.leave_answer()
        self.find_bar.close()
        self.leave_choice()
        self.leave_unopened()
        self._keep_draft()
        self.conversation_id = conversation_id
        self.shown += 1
        self.is_opening = bool(conversation_id)
        self._put_draft("")
        self.list_pane.current = conversation_id
        if focus:
            (self.transcript if turn_id else self.composer).focus()
        if conversation_id:
            self._open(conversation_id, turn_id, find)
        else:
            self._show_new()

    def _show_new(self) -> None:
        self.transcript.empty_text = welcome(self.service, self.new_options.get(self.service, {}))
        self.transcript.show((), key="")
        self.context_bar.subject = ""
        self.composer.at_opens_files = self.service == "dms"
        self._put_draft(self.app.draft_of_new(self.service))
        self._update_status()

    @work(group="open", exclusive=True)
    async def _open(self, conversation_id: str, turn_id: str, find: str) -> None:
        if self.app.conversation(conversation_id) is None:
            self.transcript.empty_text = _("Loading …")
            self.transcript.show((), key="")
        if not await self.opens(conversation_id):
            if conversation_id == self.conversation_id:
                self.show("")
            return
        if conversation_id != self.conversation_id:
            return  # another one was chosen while this one was read
        # Read after the wait, with no await in between: what came meanwhile is in it.
        conversation = self.app.conversation(conversation_id)
        if conversation is None:
            return
        self.service = conversation.service
        self.transcript.show(conversation.turns, key=conversation.id)
        if turn_id:
            self.transcript.scroll_to_turn(turn_id)
        if find:
            self.find_bar.show(find)
            self.transcript.find(find)
        typed = self.composer.text
        self.is_opening = False
        self.composer.at_opens_files = self.service == "dms"
        self._put_draft(conversation.draft)
        if typed.strip():  # while it was being read
            self.composer.put("\n".join(part for part in (conversation.draft, typed) if part))
            self._keep_draft()
        self._update_title()
        self._update_status()

    def _turn_changed(self, update: TurnUpdate) -> None:
        if update.conversation_id == self.conversation_id and self.is_opening:
            # The transcript still has the conversation before; `_open` shows all that comes meanwhile.
            if update.put_back:
                self.give_back(update.put_back)
        elif update.conversation_id == self.conversation_id:
            conversation = None if update.turn_id else self.app.conversation(self.conversation_id)
            if conversation is not None:  # the whole of it: turns may have come in anywhere
                self.transcript.show(conversation.turns, key=conversation.id)
            self._show_turns(update.turn_id, update.put_back)
            self.app.paint_now(self.transcript)

    def _show_turns(self, first: str = "", put_back: str = "") -> None:
        """Show the newest turns, from the turn `first` on."""
        conversation = self.app.conversation(self.conversation_id)
        if conversation is None:
            return
        for turn in reversed(conversation.turns):
            # A queued question that ran, and the one that runs: both are near the end.
            self.transcript.update_turn(turn)
            if turn.id == first:
                break
        if put_back:
            self.give_back(put_back)
        activity = self.app.activity(self.conversation_id)
        told = _what_is_told(conversation, activity)
        if told != self._told or put_back:
            self._told = told
            self._update_status()
        else:
            self.status.activity = activity

    def _conversations_changed(self, conversation_id: str) -> None:
        if conversation_id in ("", self.conversation_id):
            self._update_title()

    def _context_changed(self, context: Context) -> None:
        self.context_bar.context = context
        self.status.clock = not self.app.low_bandwidth
        ascii_only = self.app.settings.ascii
        self.transcript.ascii_only = self.status.ascii_only = self.ask_panel.ascii_only = ascii_only
        self._place_list(self.app.size.width)
        banner = self.query_one("#banner", Static)
        banner.update(self.app.banner)
        banner.display = bool(self.app.banner)
        if not self.conversation_id and not self.composer.text:  # the cache has been opened meanwhile
            self._put_draft(self.app.draft_of_new(self.service))
        self.composer.set_history(self.app.input_history(self.service))
        # In another language than before, perhaps.
        self.transcript.ask_hint = _("not answered yet")
        if not self.conversation_id:
            self.transcript.empty_text = welcome(self.service, self.new_options.get(self.service, {}))
        self._update_status()

    def _update_title(self) -> None:
        conversation = self.app.conversation(self.conversation_id) if self.conversation_id else None
        self.context_bar.service = self.service
        options = self.options()
        agent = options.get("agent_name", "") or options.get("agent", "")
        named = [agent, partner_name(options) if conversation else "", conversation.title if conversation else ""]
        self.context_bar.subject = " · ".join(part for part in named if part)

    def _update_status(self) -> None:
        self.context_bar.service = self.service
        activity = self.app.activity(self.conversation_id) if self.conversation_id else None
        self.status.activity = activity
        conversation = self.app.conversation(self.conversation_id) if self.conversation_id else None
        last = conversation.turns[-1] if conversation and conversation.turns else None
        self.status.usage = last.usage if last else None
        self.update_ask()
        asks = self.ask_panel.display
        self.status.note = _("waits for you") if asks and last is not None and last.state == "waiting" else ""
        self.status.place = " · ".join(
            part for part in (conversation.read_only if conversation else "", self.life(), *self.place()) if part
        )
        if self.status.note:
            prompt = _("the agent waits; a question that you send now is queued")
        elif activity:
            prompt = _("answering; what you send now is queued")
        else:
            prompt = _("ask {service}").format(service=SERVICE_NAMES[self.service])
        self.composer.placeholder = Content(self.answer_prompt or prompt)
        self._update_hints()

    @on(DescendantFocus)
    def _update_hints(self) -> None:
        running = bool(self.conversation_id and self.app.activity(self.conversation_id))
        self.status.hints = hints_for(self, running=running, narrow=self.app.size.width < WIDE)

    # --- asking --------------------------------------------------------------------------------------------

    @on(Composer.Submitted)
    def _ask(self, event: Composer.Submitted) -> None:
        event.stop()
        if not self.take_answer(event.text) and not self.take_command(event.text):
            self._ask_text(event.text)

    @work(group="ask")
    async def _ask_text(self, text: str) -> None:
        # It belongs to what is shown now, whatever is opened while something is waited for.
        conversation_id, service, shown = self.conversation_id, self.service, self.shown
        if not conversation_id:
            if not await self.has_partner(text):
                return
            conversation_id = await self.begin(service, shown)
        if self.app.conversation(conversation_id) is None and not await self.opens(conversation_id):
            self.give_back(text)
            return
        conversation = self.app.conversation(conversation_id)
        if conversation is not None and conversation.read_only:
            self.give_back(text)
            self.app.notify(conversation.read_only, severity="warning", markup=False)
            return
        self.app.ask(conversation_id, text)
        if conversation_id == self.conversation_id:
            self.list_pane.current = conversation_id
            self.composer.set_history(self.app.input_history(self.service))
            if not self.is_opening:
                self.transcript.follow_end()
                self._show_turns()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "take_over":
            conversation = self.app.conversation(self.conversation_id) if self.conversation_id else None
            return bool(conversation and conversation.read_only)
        if action == "digit":
            offered = self.suggestions() if self.conversation_id else SERVICES
            return int(str(parameters[0])) <= len(offered) or None
        return super().check_action(action, parameters)

    def action_export(self) -> None:
        if self.conversation_id:
            turn_id = self.transcript.current_turn
            self.app.navigate("export", conversation_ids=[self.conversation_id], turn_id=turn_id)
        else:
            self.app.notify(_("There is nothing to export yet."))

    @work(group="take-over", exclusive=True)
    async def action_take_over(self) -> None:
        """Become the writer of a conversation that another window has."""
        await self.app.take_over(self.conversation_id)
        self._update_status()

    # --- actions -------------------------------------------------------------------------------------------

    def action_back(self) -> None:
        """Esc: ends the search, else out of the composer, then to the list. It never quits and clears no draft.

        While the service asks, it goes from the composer to what is asked, which stays pending.
        """
        if self.find_bar.display and (self.find_bar.has_focus_within or self.focused is self.transcript):
            self.find_bar.close()
            self.transcript.find("")
            self.transcript.focus()
            self._update_status()  # where the focus was there already
        elif self.answer_prompt:
            self.leave_answer()
            self.ask_panel.focus()
        elif self.focused is self.composer:
            (self.ask_panel if self.ask_panel.display else self.transcript).focus()
        elif self.focused is self.ask_panel:
            self.transcript.focus()
        elif self.list_pane.has_focus_within:
            self.composer.focus()
        else:
            self.app.show_conversations()

    def action_toggle_list(self) -> None:
        if self.size.width < WIDE:
            self.app.show_conversations()
            return
        self._list_wanted = not self._list_wanted
        self._place_list(self.size.width)

    def focus_list(self) -> bool:
        """Give the focus to the list beside the chat; False when it is not shown."""
        if not self.list_pane.display:
            return False
        self.list_pane.focus()
        return True

    def answer_changed(self) -> None:
        self._update_status()

    def typing(self) -> None:
        self.status.typing()

    def menu_changed(self) -> None:
        self._update_hints()

    def show_fork(self, conversation_id: str, text: str) -> None:
        self.show(conversation_id)
        self.composer.put(text)

    def options_changed(self) -> None:
        if not self.conversation_id:
            self.transcript.empty_text = welcome(self.service, self.new_options.get(self.service, {}))
        self._update_status()

    def action_new(self, service: ServiceName | None = None) -> None:
        if service is not None:
            self._keep_draft()
            self.service = service
            self._draft = self.composer.text
        self.show("")

    def action_digit(self, digit: int) -> None:
        """In a new conversation the service; else the suggestion of that number is asked."""
        if not self.conversation_id:
            if digit <= len(SERVICES):
                self.action_new(SERVICES[digit - 1])
            return
        items = self.suggestions()
        if digit <= len(items):
            self._ask_text(items[digit - 1])

    @on(ConversationList.Opened)
    def _opened(self, event: ConversationList.Opened) -> None:
        event.stop()
        self.show(event.conversation_id)


def _what_is_told(conversation: Conversation, activity: TurnActivity | None) -> tuple[object, ...]:
    """What of the running answer is said outside the transcript: most of what comes changes none of it."""
    turn = conversation.turns[-1] if conversation.turns else None
    if turn is None or activity is None:
        return (object(),)
    return turn.id, turn.state, turn.usage, len(turn.blocks), activity.status, activity.queued
