"""The part of the chat that belongs to analyses: what a conversation works on, its settings, its files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from textual import on, work

from screens.asking import AskingScreen
from tui import routes
from tui.services.dms_life import SESSION_EXPIRED
from tui.services.dms_options import DataSource, read_data, write_data
from tui.text import clean_line
from tui.widgets import copilot_words
from tui.widgets.composer import Composer
from tui.widgets.session_words import life_words
from tui.widgets.transcript import messages
from tui.words import _

if TYPE_CHECKING:
    from tui.models import ServiceName, Turn


class AnalysingScreen(AskingScreen):
    """A screen with a conversation that may have data and settings of its own."""

    service: ServiceName = "rds"

    def __init__(self) -> None:
        super().__init__()
        self.new_options: dict[ServiceName, dict[str, str]] = {}
        """What the next new conversation with a service begins with."""
        self._awaited: dict[str, str] = {}
        """Uploads on their way, and the conversation that they are for ("" for the new one)."""
        self._fetched: set[str] = set()
        """Downloads that were begun here and are on their way."""

    # --- options -------------------------------------------------------------------------------------------

    def options(self) -> Mapping[str, str]:
        """What goes with each turn of the conversation that is shown, or of the one that begins next."""
        conversation = self.app.conversation(self.conversation_id) if self.conversation_id else None
        return conversation.options if conversation else self.new_options.get(self.service, {})

    async def set_options(self, options: Mapping[str, str]) -> None:
        """Keep what `options` shall be from now on."""
        kept = {name: value for name, value in options.items() if value}
        if self.conversation_id:
            await self.app.set_options(self.conversation_id, kept)
        else:
            self.new_options[self.service] = kept
        self.options_changed()

    def options_changed(self) -> None:
        """Told after the options became other ones."""
        raise NotImplementedError

    def action_new(self, service: ServiceName | None = None) -> None:
        """Begin a new conversation, with another service where one is named."""
        raise NotImplementedError

    def give_back(self, text: str) -> None:
        """Put `text` into the composer, in front of what stands there already."""
        raise NotImplementedError

    @work(group="session", exclusive=True)
    async def action_session(self) -> None:
        begun = bool(self.conversation_id)
        if self.service == "rds":
            place = self.app.question_options("rds")
            screen = routes.build("rds_session", options=self.options(), begun=begun, place=place)
        elif self.service == "dms":
            screen = routes.build("session", options=self.options(), begun=begun)
        else:
            return
        found = await self.app.push_screen_wait(screen)
        if found is not None:
            await self.set_options(found)

    def place(self) -> list[str]:
        """What goes with the next question, in words: of the program, then of the conversation."""
        words = [*self.app.place(self.service)]
        if self.service == "rds":
            options = self.options()
            if language := options.get("language", ""):
                words = [language]
            words += copilot_words.place_words(options)
        return words

    # --- the life of a session -----------------------------------------------------------------------------

    def life(self) -> str:
        """How long the agent and its session are still there, in words; "" where that does not matter."""
        conversation = self.app.conversation(self.conversation_id) if self.conversation_id else None
        if self.service != "dms" or conversation is None or not conversation.turns:
            return ""
        turn = conversation.turns[-1]
        if self.app.activity(self.conversation_id) is not None or not (turn.finished_at or turn.state == "waiting"):
            return ""
        if self.has_expired(turn):
            return _("session expired: Esc, r begins a new one with the same data")
        return life_words(turn.finished_at or conversation.updated_at, self.app.now())

    def has_expired(self, turn: Turn) -> bool:
        """The turn failed because its session is no longer there."""
        return turn.problem is not None and turn.problem.code == SESSION_EXPIRED

    def begin_anew(self, question: str) -> None:
        """A new session with the same data and settings, and the question in the composer.

        What was written for a new conversation, and attached to it, is kept beside them.
        """
        options = dict(self.options())
        if self.composer.text.strip() == question.strip():
            self.composer.put("")
        self.action_new("dms")
        data = read_data(options.get("data", ""))
        waiting = read_data(self.new_options.get("dms", {}).get("data", ""))
        if added := [source for source in waiting if source.id not in {one.id for one in data}]:
            options["data"] = write_data([*data, *added])
        self.new_options["dms"] = options
        self.give_back(question)
        self.options_changed()

    # --- files ---------------------------------------------------------------------------------------------

    @on(Composer.FilesRequested)
    def _files_requested(self, event: Composer.FilesRequested) -> None:
        event.stop()
        self.choose_files()

    def action_files(self) -> None:
        self.choose_files()

    def choose_files(self) -> None:
        self._choose_files()

    def choose_database(self) -> None:
        self._choose_database()

    @work(group="files", exclusive=True)
    async def _choose_database(self) -> None:
        from screens.databases import ask_database

        added = await ask_database(self.app)
        if added is not None:
            known = read_data(self.options().get("data", ""))
            await self._work_on([*(one for one in known if one.id != added.id), added])

    @work(group="files", exclusive=True)
    async def _choose_files(self) -> None:
        conversation = self.app.conversation(self.conversation_id) if self.conversation_id else None
        before = read_data(self.options().get("data", "")) if self.service == "dms" else ()
        session = conversation.remote_id if conversation and conversation.service == "dms" else ""
        chosen = await self.app.push_screen_wait(routes.build("uploads", session=session, chosen=before))
        if chosen is None or (chosen.sources == before and not chosen.pending):
            return
        if self.service != "dms":
            self.app.notify(_("Only the Data Agent works on files: a new conversation with it begins."))
            self.action_new("dms")
        self._awaited |= dict.fromkeys(chosen.pending, self.conversation_id)
        await self._work_on(chosen.sources)
        self.note_transfers()

    @on(messages.FetchFile)
    def _fetch_file(self, event: messages.FetchFile) -> None:
        event.stop()
        self.fetch_file(event.file.file_id, event.file.name)

    @work(group="fetch")
    async def fetch_file(self, file_id: str, name: str) -> None:
        """Fetch a file that the agent made into the downloads folder; it is said when it is there."""
        from tui.services.errors import ServiceError

        conversation = self.app.conversation(self.conversation_id) if self.conversation_id else None
        if conversation is None or conversation.service != "dms" or not conversation.remote_id:
            self.app.notify(_("This service keeps no files to fetch."), severity="warning")
            return
        try:
            found = await self.app.transfers.find(conversation.remote_id, file_id, name)
        except ServiceError as error:
            self.app.show_problem(error.problem)
            return
        if found is None:
            self.app.notify(
                _("The service does not list {name} (yet): F4, 2 shows what it has.").format(name=clean_line(name)),
                severity="warning",
                markup=False,
            )
            return
        self._fetched.add(self.app.transfers.download(found))
        self.app.notify(_("Fetching {name} …").format(name=clean_line(found.name)), timeout=3, markup=False)

    def _tell_fetched(self) -> None:
        """Say which of the files that were asked for here are there, or why not."""
        for transfer in [held for name in self._fetched if (held := self.app.transfers.get(name)) is not None]:
            if transfer.is_over:
                self._fetched.discard(transfer.id)
            if transfer.path is not None:
                self.app.notify(_("Written to {path}").format(path=transfer.path), timeout=10, markup=False)
            elif transfer.problem is not None:
                self.app.show_problem(transfer.problem)

    async def _work_on(self, sources: Iterable[DataSource]) -> None:
        await self.set_options({**self.options(), "data": write_data(sources)})

    def wait_for_uploads_of(self, conversation_id: str) -> None:
        """The new conversation has begun: what was for it is for `conversation_id`."""
        self._awaited = {transfer: known or conversation_id for transfer, known in self._awaited.items()}

    def note_transfers(self, _none: None = None) -> None:
        """Attach the uploads that became ready after the panel was left, and tell of downloads."""
        self._tell_fetched()
        for transfer_id, conversation_id in [*self._awaited.items()]:
            transfer = self.app.transfers.get(transfer_id)
            if transfer is None or transfer.step == "cancelled":
                del self._awaited[transfer_id]
            elif transfer.source is not None:
                del self._awaited[transfer_id]
                self._attach_ready(conversation_id, transfer.source)
            elif transfer.step == "failed" and transfer.problem is not None:
                del self._awaited[transfer_id]
                self.app.show_problem(transfer.problem)

    @work(group="attach")
    async def _attach_ready(self, conversation_id: str, source: DataSource) -> None:
        if conversation_id:
            from tui.services.errors import ServiceError

            try:
                conversation = await self.app.open_conversation(conversation_id)
            except (KeyError, ServiceError):  # deleted meanwhile: the file stays on the service
                return
            held: Mapping[str, str] = conversation.options
        else:
            held = self.new_options.setdefault("dms", {})
        known = read_data(held.get("data", ""))
        data = write_data([*(one for one in known if one.id != source.id), source])
        if conversation_id:
            await self.app.set_options(conversation_id, {**held, "data": data})
        else:
            self.new_options["dms"]["data"] = data
        self.app.notify(_("{name} is ready and attached.").format(name=source.name), markup=False)
        self.options_changed()
