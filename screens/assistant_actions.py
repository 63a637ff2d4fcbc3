"""What can be done with assistants as a whole: new, clone, delete, fetch, files, versions, carry over, talk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from screens.assistant_editing import AssistantEditing
from screens.assistant_versions import VersionsDialog
from screens.changes import NotesDialog
from screens.dialogs import ChooseDialog, TextDialog, TypedConfirmDialog, answer_of
from screens.path_dialog import PathDialog
from screens.read_only import may_change
from tui.assistants.fields import AnyAssistant
from tui.assistants.files import FileFormat, FileProblem, dump, load
from tui.services.assistant_models import Assistant, AssistantProfile
from tui.services.errors import ServiceError
from tui.text import clean_line, safe_file_name
from tui.words import _

if TYPE_CHECKING:
    from tui.assistants.files import Entry

FIRST_MODEL = "qwen-plus"
"""Named by the vendor's pages for assistants; a new one begins with it."""
MOST_IMPORTED = 4 * 1024 * 1024
"""Bytes of a file that is read."""


class AssistantActions(AssistantEditing):
    """A screen with a list of assistants."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "new", id="assistants.new", show=False, tooltip="A new one on the service"),
        Binding(
            "N", "new('local')", "new profile", id="assistants.new_local", show=False, tooltip="A new profile here"
        ),
        Binding("c", "clone", "clone", id="assistants.clone", show=False, tooltip="A new one like this"),
        Binding(
            "d,delete", "delete", "delete", id="assistants.delete", show=False, tooltip="Delete; asks for its name"
        ),
        Binding("t", "talk", "talk", id="assistants.talk", show=False, tooltip="A conversation with it"),
        Binding("T", "adopt", "thread", id="assistants.adopt", show=False, tooltip="Go on in a thread, by its id"),
        Binding("a", "fetch", "fetch", id="assistants.fetch", show=False, tooltip="Fetch one by its id"),
        Binding("R,f5", "refresh", "refresh", id="assistants.refresh", show=False, tooltip="Read the list anew"),
        Binding("v", "versions", "versions", id="assistants.versions", show=False, tooltip="Its earlier versions"),
        Binding("V", "deleted", "deleted", id="assistants.deleted", show=False, tooltip="Bring back a deleted one"),
        Binding("E", "export", "export", id="assistants.export", show=False, tooltip="Write it to a file"),
        Binding(
            "X,A", "export('all')", "export all", id="assistants.export_all", show=False, tooltip="All to one file"
        ),
        Binding("I,i", "import", "import", id="assistants.import", show=False, tooltip="Read a file of assistants"),
        Binding("m", "carry_over", "carry over", id="assistants.carry", show=False, tooltip="To the Responses API"),
        Binding("y", "copy_id", "copy id", id="assistants.copy_id", show=False, tooltip="Copy its id"),
    ]

    @property
    def held(self) -> AnyAssistant | None:
        """The saved assistant of the form; None for a draft of a new one."""
        draft = self.draft
        return draft.base if draft is not None and not draft.is_new else None

    def _saved(self) -> AnyAssistant | None:
        """The saved assistant, or a word that there is none yet."""
        held = self.held
        if held is None and self.draft is not None:
            self.app.notify(_("It is not saved yet: w saves it."))
        return held

    # --- the list ------------------------------------------------------------------------------------------

    @work(group="refresh", exclusive=True)
    async def refresh_list(self) -> None:
        await self.desk.refresh()

    def action_refresh(self) -> None:
        self.refresh_list()

    @work(group="fetch", exclusive=True)
    async def action_fetch(self) -> None:
        dialog = TextDialog(_("Id of the assistant"), "", [_("For one that the list does not show.")], verb=_("fetch"))
        typed = await answer_of(self.app, dialog)
        if not typed:
            return
        try:
            found = await self.desk.retrieve(typed)
        except ServiceError as error:
            self.app.show_problem(error.problem)
        else:
            self.select(found.id, form=True)

    def action_copy_id(self) -> None:
        if (held := self._saved()) is not None:
            self.app.copy_text(held.id, _("the id"))

    # --- new ones ------------------------------------------------------------------------------------------

    def action_new(self, where: str = "") -> None:
        blank: AnyAssistant = AssistantProfile("", FIRST_MODEL) if where == "local" else Assistant("", FIRST_MODEL)
        self.select(self.desk.begin(blank).key, form=True)

    def action_clone(self) -> None:
        if (draft := self.draft) is not None:
            self.select(self.desk.clone(draft.value).key, form=True)

    @work(group="carry", exclusive=True)
    async def action_carry_over(self) -> None:
        held = self._saved()
        if held is None:
            return
        if not isinstance(held, Assistant):
            self.app.notify(_("It runs through the Responses API already."))
            return
        carried = self.desk.carry_over(held)
        title = _("Carry {name} over to the Responses API?").format(name=held.name or held.model)
        lines = [_("A profile on this machine is made of it; the assistant on the service stays as it is.")]
        if await answer_of(self.app, NotesDialog(title, carried.notes, _("make the profile"), lines)):
            draft = self.desk.begin(carried.profile)
            self.select(draft.key, form=True)
            self.action_save()

    # --- deleting ------------------------------------------------------------------------------------------

    @work(group="delete", exclusive=True)
    async def action_delete(self) -> None:
        draft = self.draft
        if draft is None:
            return
        if draft.is_new:
            self.action_discard()
            return
        held = draft.base
        server = isinstance(held, Assistant)
        if server and not may_change(self.app):
            return
        name = clean_line(held.name or held.id)
        lines = [
            _("It is deleted on the service with what is tied to it, for good.")
            if server
            else _("The profile is deleted on this machine."),
            _("Its versions stay here: V makes a new one of the last."),
        ]
        dialog = TypedConfirmDialog(_("Delete {name}?").format(name=name), lines, _("delete"), name)
        if not await answer_of(self.app, dialog):
            return
        try:
            await self.desk.delete(held)
        except ServiceError as error:
            self.app.show_problem(error.problem)
            await self.desk.refresh()
        else:
            self.app.notify(_("{name} is deleted.").format(name=name), markup=False)

    @work(group="versions", exclusive=True)
    async def action_deleted(self) -> None:
        found = await self.desk.deleted()
        if not found:
            self.app.notify(_("None was deleted here, or those that were are there again."))
            return
        title = _("Deleted here")
        version = await answer_of(self.app, VersionsDialog(title, found, None, self.app.now()))
        if version is not None:
            self.select(self.desk.begin(version.entry.fresh()).key, form=True)

    @work(group="versions", exclusive=True)
    async def action_versions(self) -> None:
        draft, held = self.draft, self._saved()
        if draft is None or held is None:
            return
        found = await self.desk.versions(held.id)
        if not found:
            self.app.notify(_("No versions yet: each save keeps one, the last 20."))
            return
        title = _("Versions of {name}").format(name=clean_line(held.name or held.id))
        version = await answer_of(self.app, VersionsDialog(title, found, draft.value, self.app.now()))
        if version is not None:
            self.select(self.desk.edit_to(draft, version.entry).key, form=True)

    # --- files ---------------------------------------------------------------------------------------------

    @work(group="files", exclusive=True)
    async def action_export(self, what: str = "") -> None:
        held = None if what == "all" else self._saved()
        chosen: Sequence[AnyAssistant] = (
            [*self.desk.server, *self.desk.profiles] if what == "all" else [held] if held is not None else []
        )
        if not chosen:
            return
        forms: tuple[FileFormat, ...] = ("toml", "json")
        choices = [("TOML", _("for git: a changed line of a text is a changed line of the file")), ("JSON", "")]
        found = await answer_of(self.app, ChooseDialog(_("Export as"), choices))
        if found is None:
            return
        form = forms[found]
        text = await asyncio.to_thread(dump, chosen, form)
        name = "assistants" if what == "all" else safe_file_name(chosen[0].name or chosen[0].id, "assistant")
        self.app.save_text(text, f"{name}.{form}")

    @work(group="files", exclusive=True)
    async def action_import(self) -> None:
        lines = [_("TOML or JSON, as the export writes it.")]
        dialog = PathDialog(_("Read assistants from a file"), self.app.downloads, lines, (".toml", ".json"))
        path = await answer_of(self.app, dialog)
        if path is None:
            return
        try:
            entries = await asyncio.to_thread(_read, path)
        except FileProblem as error:
            self.app.notify(f"{clean_line(str(path))}{_(': ')}{error}", severity="error", timeout=10, markup=False)
            return
        first = ""
        for entry in entries:
            key = self._take(entry)
            first = first or key
        if first:
            self.select(first, form=True)
            self.app.notify(
                _("{count} read into the form: look at them, then w saves each.").format(count=len(entries))
            )

    def _take(self, entry: Entry) -> str:
        """Make a draft of what a file says: of the assistant that has its id, else of a new one; its key."""
        known = self.desk.draft_of(entry.id) if entry.id else None
        if known is not None and isinstance(known.value, Assistant) == (entry.backend == "assistants"):
            return self.desk.edit_to(known, entry).key
        return self.desk.begin(entry.fresh()).key

    # --- talking -------------------------------------------------------------------------------------------

    @work(group="talk", exclusive=True)
    async def action_talk(self) -> None:
        held = self._saved()
        if held is None:
            return
        from tui.assistants.desk import conversation_options

        if self.draft is not None and self.draft.changed:
            self.app.notify(_("It answers as it is saved: your changes are not part of it yet."))
        conversation_id = await self.app.create_conversation("dashscope", conversation_options(held))
        self.app.show_conversation(conversation_id)

    @work(group="talk", exclusive=True)
    async def action_adopt(self) -> None:
        """Bring a thread that is not in the list into it: threads cannot be listed."""
        held = self._saved()
        if not isinstance(held, Assistant):
            self.app.notify(_("Choose an assistant of the service first: it goes on in the thread."))
            return
        from tui.assistants.desk import conversation_options

        lines = [_("Its messages are fetched; {name} answers from now on.").format(name=held.name or held.model)]
        typed = await answer_of(self.app, TextDialog(_("Id of the thread"), "", lines, verb=_("fetch")))
        if not typed:
            return
        try:
            found = await self.app.adopt_conversation("dashscope", typed, conversation_options(held))
        except ServiceError as error:
            self.app.show_problem(error.problem)
        else:
            self.app.show_conversation(found)


def _read(path: Path) -> tuple[Entry, ...]:
    """The assistants in a file. Blocking. Raises FileProblem."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_IMPORTED + 1)
        if len(data) > MOST_IMPORTED:
            raise FileProblem(_("It is too large."))
        return load(data.decode("utf-8-sig"))
    except OSError as error:
        raise FileProblem(clean_line(error.strerror or str(error))) from error
    except UnicodeDecodeError as error:
        raise FileProblem(_("It is no text.")) from error
