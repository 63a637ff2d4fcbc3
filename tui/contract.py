"""What a screen or widget may ask of the app. Screens import this, the app implements it; neither knows the other.

The model is the truth and updates are hints: a subscriber re-reads what it shows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.signal import Signal

from tui.context import Context
from tui.settings import Origin, Settings

if TYPE_CHECKING:
    from textual.widget import Widget

    from tui.agents.desk import Agents
    from tui.assistants.desk import AssistantDesk
    from tui.copilot import Copilot
    from tui.exporting import Exporting
    from tui.health import Health
    from tui.integrations.desk import Integrations
    from tui.models import Conversation, ConversationSummary, Problem, Rating, ServiceName
    from tui.search import Search
    from tui.services.base import AskReply, Capabilities
    from tui.services.dms_agents import CustomAgent
    from tui.turns import TurnActivity, TurnUpdate
    from tui.uploads import Transfers


class YunliaoApi(App[int]):
    """The app as screens see it."""

    settings: Settings
    context: Context
    banner: str
    """A sentence that stays on screen until it is no longer true (nothing is kept on disk ...), or empty."""

    turn_changed: Signal[TurnUpdate]
    """At most once a tick and conversation while an answer streams; always once when a turn ends."""
    conversations_changed: Signal[str]
    """The id of the conversation whose line changed, or "" when the list did."""
    context_changed: Signal[Context]
    transfers_changed: Signal[None]
    """A file on its way to or from the service is further; at most a few times a second."""
    transfers: Transfers
    agents: Agents
    """Custom agents of RDS Copilot and of the Data Agent, and drafts of them."""
    assistants: AssistantDesk
    """DashScope's assistants, local profiles, and drafts of both."""
    health_changed: Signal[None]
    """Reports or schedules became others, or one that is being made is further."""
    health: Health
    copilot: Copilot
    """What RDS Copilot offers to choose from, and its approval rounds."""
    search_changed: Signal[None]
    """How far the search index is changed."""
    search: Search
    exporting: Exporting
    integrations: Integrations
    """Checklists of the systems around RDS Copilot, and what of them can be made from here."""

    # --- reading; all of these are immediate -----------------------------------------------------------------

    def summaries(self) -> Sequence[ConversationSummary]:
        """All conversations, pinned first, then newest first; live states included. A cached sequence: cheap."""
        raise NotImplementedError

    def conversation(self, conversation_id: str) -> Conversation | None:
        """The conversation as it stands, when it is in memory (see `open_conversation`)."""
        raise NotImplementedError

    def activity(self, conversation_id: str) -> TurnActivity | None:
        """What the running turn is doing (since when, last byte, status in words); None when none runs."""
        raise NotImplementedError

    def service_capabilities(self, service: ServiceName) -> Capabilities:
        raise NotImplementedError

    def input_history(self, service: ServiceName) -> Sequence[str]:
        """Sent questions, oldest first."""
        raise NotImplementedError

    def question_options(self, service: ServiceName) -> Mapping[str, str]:
        """What goes with every question to a service unless the conversation says otherwise."""
        raise NotImplementedError

    def place(self, service: ServiceName) -> Sequence[str]:
        """What goes with the next question, in words: region, language, model."""
        raise NotImplementedError

    def now(self) -> datetime:
        """The wall clock of all times on screen; aware, UTC."""
        raise NotImplementedError

    def seconds(self) -> float:
        """The monotonic clock of all durations on screen."""
        raise NotImplementedError

    minute_passed: Signal[None]
    """A key has come, a minute or more after the last of these: ages on the screen may read differently now. No timer
    tells of it, because a screen that nobody touches sends nothing."""

    low_bandwidth: bool
    """Little should be drawn: the line is slow, or the user wants it so. `context_changed` tells of changes."""

    def stride(self, *, beside: bool) -> int:
        """Lines that a growing text should move at a time; `beside`: something else stands beside it."""
        raise NotImplementedError

    def measured(self) -> Sequence[tuple[str, str]]:
        """Names and values, in words, of what is known of the terminal and the line to it."""
        raise NotImplementedError

    @property
    def index_loaded(self) -> bool:
        """False while the list of conversations is still being read."""
        raise NotImplementedError

    # --- conversations ---------------------------------------------------------------------------------------

    async def open_conversation(self, conversation_id: str) -> Conversation:
        """Load it into memory (off the loop, or from the service where only that has it) and mark it read.

        Raises:
            KeyError: there is none.
            ServiceError: only the service has it, and it could not be fetched.
        """
        raise NotImplementedError

    def show_conversation(self, conversation_id: str, turn_id: str = "", *, find: str = "") -> None:
        """Bring the chat screen to the front with this conversation; "" shows a new one.

        With `turn_id` at that turn, and with `find` at the first place of these words from there on.
        """
        raise NotImplementedError

    def show_conversations(self) -> None:
        """Bring the list to the front: the left pane takes the focus, or at narrow widths its own screen opens."""
        raise NotImplementedError

    async def create_conversation(self, service: ServiceName, options: Mapping[str, str] | None = None) -> str:
        """A new, empty conversation; its id. It is in the list once something was asked in it.

        `options` go with each of its turns; see `Conversation.options`.
        """
        raise NotImplementedError

    async def fork_conversation(self, conversation_id: str, turn_id: str) -> str:
        """A new conversation with the turns before `turn_id`, to be read; its id. The service does not know them."""
        raise NotImplementedError

    async def adopt_conversation(
        self, service: ServiceName, remote_id: str, options: Mapping[str, str] | None = None
    ) -> str:
        """Fetch a conversation that the service has and does not list, by its id there; its id here.

        Raises ServiceError.
        """
        raise NotImplementedError

    async def set_options(self, conversation_id: str, options: Mapping[str, str]) -> None:
        """Change what goes with each turn of a conversation from now on."""
        raise NotImplementedError

    async def rename_conversation(self, conversation_id: str, title: str) -> None:
        raise NotImplementedError

    async def pin_conversation(self, conversation_id: str, pinned: bool) -> None:
        raise NotImplementedError

    async def delete_conversations(self, conversation_ids: Sequence[str]) -> None:
        """Delete here (kept in the trash for 30 days); the services keep theirs."""
        raise NotImplementedError

    async def delete_on_service(self, conversation_ids: Sequence[str]) -> int:
        """Delete conversations on their services, where those can, for good; how many that were. Errors are shown."""
        raise NotImplementedError

    async def undo_delete(self) -> str:
        """Take back the newest deletion of this run; its title, or "" when there is none."""
        raise NotImplementedError

    async def archive_conversation(self, conversation_id: str, archived: bool) -> None:
        """Out of the list, or back into it."""
        raise NotImplementedError

    async def change_tags(self, conversation_id: str, add: Sequence[str], remove: Sequence[str]) -> None:
        """Give tags and take some off; what was found in the text and taken off does not come back by itself."""
        raise NotImplementedError

    @property
    def has_more_conversations(self) -> bool:
        """A service has conversations that are not in the list yet."""
        raise NotImplementedError

    async def more_conversations(self) -> None:
        """The next page of what the services have; errors are shown."""
        raise NotImplementedError

    async def refresh_conversations(self) -> None:
        """Read the list anew, from the cache and from the services that can list theirs; errors are shown."""
        raise NotImplementedError

    def set_draft(self, conversation_id: str, text: str, service: ServiceName = "rds") -> None:
        """Keep what is in the composer; written soon, and at once when the program is told to end.

        The id "" is the conversation with `service` that has not begun.
        """
        raise NotImplementedError

    def draft_of_new(self, service: ServiceName) -> str:
        """The draft of the conversation with `service` that has not begun."""
        raise NotImplementedError

    def remember_input(self, service: ServiceName, text: str) -> None:
        """Put a text that was cleared into the input history."""
        raise NotImplementedError

    async def take_over(self, conversation_id: str) -> None:
        """Become the writer of a conversation that another window has open."""
        raise NotImplementedError

    # --- turns -----------------------------------------------------------------------------------------------

    def ask(self, conversation_id: str, text: str) -> None:
        """Store the question and send it; while a turn runs in this conversation it is queued, visibly."""
        raise NotImplementedError

    def answer(self, conversation_id: str, ask_id: str, reply: AskReply) -> bool:
        """Answer what the newest turn waits for; at most once. False where it no longer waits for that."""
        raise NotImplementedError

    def stop(self, conversation_id: str) -> bool:
        """Stop the running turn, on the service first; False when none runs."""
        raise NotImplementedError

    def unqueue(self, conversation_id: str, turn_id: str) -> None:
        """Take back a question that is still queued; its text goes back into the composer."""
        raise NotImplementedError

    def recover(self, conversation_id: str, turn_id: str) -> None:
        """Look into the service's history for the rest of an interrupted or cut-off answer."""
        raise NotImplementedError

    async def custom_agents(self) -> Sequence[CustomAgent]:
        """The Data Agent's custom agents, to be chosen for a session. Raises ServiceError."""
        raise NotImplementedError

    async def rate(self, conversation_id: str, turn_id: str, rating: Rating, comment: str = "") -> None:
        raise NotImplementedError

    # --- side effects ----------------------------------------------------------------------------------------

    def paint_now(self, widget: Widget) -> None:
        """Draw what has changed of `widget` at once; where it cannot be, the next frame does."""

    def copy_text(self, text: str, what: str) -> None:
        """Copy by whatever way this terminal has, and say honestly what was done. `what` is in the sentence."""
        raise NotImplementedError

    def save_text(self, text: str | bytes, name: str) -> None:
        """Write to a new file (0600) below the downloads folder and say where."""
        raise NotImplementedError

    def save_picture(self, data: str, name: str) -> None:
        """As `save_text`, for a PNG in base64."""
        raise NotImplementedError

    async def show_plain(self, text: str) -> None:
        """`text` alone on the terminal, for its own selection, until Enter (the app is suspended meanwhile)."""
        raise NotImplementedError

    def show_problem(self, problem: Problem) -> None:
        """An error with no place of its own on the screen."""
        raise NotImplementedError

    def navigate(self, route: str, **arguments: Any) -> None:
        """Open the screen that `tui.routes` knows by this name."""
        raise NotImplementedError

    async def edit_externally(self, text: str, suffix: str = ".md") -> str:
        """`text` after the user edited it in $EDITOR (the app is suspended meanwhile)."""
        raise NotImplementedError

    def confirm(self, title: str, lines: Sequence[str], verb: str, then: Callable[[], Awaitable[None]]) -> None:
        """Ask before something that cannot be undone; Cancel has the focus, Enter alone never approves."""
        raise NotImplementedError

    def request_quit(self) -> None:
        """Quit; asks first while answers are running (they go on at the service and are fetched next time)."""
        raise NotImplementedError

    async def save_settings(self, changes: Mapping[str, object]) -> None:
        """Write `changes` (setting -> value) to the settings file and apply them at once where that is possible
        (theme, language, bandwidth, mouse, notify ...). What cannot be written is said, and applied for this run."""
        raise NotImplementedError

    @property
    def settings_path(self) -> Path:
        """The settings file, whether it exists or not."""
        raise NotImplementedError

    def setting_origins(self) -> Mapping[str, Origin]:
        """Where each setting's value comes from. Immediate: read at the start and after `save_settings`."""
        raise NotImplementedError

    @property
    def downloads(self) -> Path:
        raise NotImplementedError


__all__ = ["Context", "YunliaoApi"]
