"""The files of the Data Agent: those here, those on the service, those on their way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import DescendantFocus, Resize
from textual.getters import app as app_getter
from textual.getters import query_one
from textual.screen import Screen
from textual.widgets import DirectoryTree, Input, OptionList, Static, Tree
from textual.widgets.tree import TreeNode

from screens.dialogs import ChooseDialog
from screens.read_only import may_change
from tui.contract import Context, YunliaoApi
from tui.services.dms_options import DataSource
from tui.services.errors import ServiceError
from tui.services.upload_checks import check_file
from tui.text import clean_line
from tui.transfer import Transfer
from tui.widgets.context_bar import ContextBar
from tui.widgets.conversation_rows import TitleFilter
from tui.widgets.file_lines import names_line
from tui.widgets.file_lists import FilePreview, RemoteList, TransferList
from tui.widgets.file_tree import FileTree
from tui.widgets.hints import HintLine
from tui.widgets.path_input import PathInput
from tui.words import _

WIDE = 100
PREVIEW_PAUSE = 0.15
"""Seconds that the cursor rests on a file before it is looked into."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a conversation shall work on."""

    sources: tuple[DataSource, ...]
    pending: tuple[str, ...] = ()
    """Uploads that are still on their way, to be added when they are ready."""


class UploadsScreen(Screen[Chosen]):
    """Browse at the left, the service at the right, transfers below; Esc goes back with what is attached."""

    CSS_PATH = "uploads.tcss"
    AUTO_FOCUS = "FileTree"
    BINDING_GROUP_TITLE = "Files"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "back", id="uploads.back", show=False, tooltip="Back, with what is attached"),
        Binding("u", "upload", "upload", id="uploads.upload", show=False, tooltip="Upload what is marked"),
        Binding("slash", "filter", "filter", id="uploads.filter", show=False, tooltip="Filter by name"),
        Binding("p", "path", "path", id="uploads.path", show=False, tooltip="Type a path"),
        Binding("o", "recent", "recent", id="uploads.recent", show=False, tooltip="Recent folders"),
        Binding("1", "pane('here')", "here", id="uploads.here", show=False, tooltip="To the files here"),
        Binding("2", "pane('service')", "service", id="uploads.service", show=False, tooltip="To the service's files"),
        Binding("3", "pane('transfers')", "transfers", id="uploads.transfers", show=False, tooltip="To the transfers"),
    ]

    app = app_getter(YunliaoApi)
    browser = query_one("#tree", FileTree)
    remote = query_one("#remote", RemoteList)
    lines = query_one("#transfers", TransferList)
    preview = query_one("#preview", FilePreview)
    filter_bar = query_one("#filter", Input)

    def __init__(self, session: str = "", chosen: Sequence[DataSource] = (), folder: str = "") -> None:
        """`session`: the service's id of the conversation, where it has one; `chosen`: what is attached to it."""
        super().__init__()
        self._session = session
        self._only_session = False
        self._chosen = {source.id: source for source in chosen}
        self._begun: list[str] = []
        """Uploads that were begun here and are not attached yet."""
        self._checking: list[Path] = []
        """Files that are uploaded when nothing is wrong with them."""
        self._leaving = False
        """As soon as all of them were checked."""
        self._folder = folder
        self._filtered: FileTree | RemoteList | None = None

    # --- layout --------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        bar = ContextBar(id="context")
        bar.set_reactive(ContextBar.service, "dms")
        yield bar
        yield Static(id="attached", markup=False)
        with Horizontal(id="panes"):
            with Vertical(id="here"):
                yield PathInput(id="path")
                yield FileTree(self._start_folder(), ascii_only=self.app.settings.ascii, id="tree")
                yield FilePreview(id="preview")
            with Vertical(id="service"):
                yield Static(id="service-title", classes="title", markup=False)
                yield RemoteList(id="remote")
        yield TransferList(id="transfers")
        yield Input(id="filter")
        yield HintLine(id="hints")

    def _start_folder(self) -> Path:
        recent = self.app.transfers.recent
        return Path(self._folder) if self._folder else recent[0] if recent else Path.cwd()

    def on_mount(self) -> None:
        self.app.transfers_changed.subscribe(self, lambda _none: self._show_transfers())
        self.app.context_changed.subscribe(self, self._context_changed)
        self._context_changed(self.app.context)
        self.filter_bar.display = False
        self._place("here")
        self._show_transfers()
        self.action_refresh_remote()

    def _context_changed(self, context: Context) -> None:
        bar = self.query_one(ContextBar)
        bar.context = context
        bar.subject = _("Files")
        self.query_one(PathInput).placeholder = _("path: Tab completes, Enter goes there")
        self.filter_bar.placeholder = _("filter by name")
        self._update_hints()
        self._show_attached()

    def on_resize(self, event: Resize) -> None:
        self._place("service" if self.remote.has_focus else "here")
        self._show_transfers()
        self._show_remote()

    def _place(self, pane: str) -> None:
        """Both panes where there is room, else one."""
        wide = self.app.size.width >= WIDE
        self.query_one("#here").display = wide or pane == "here"
        self.query_one("#service").display = wide or pane == "service"

    def action_pane(self, pane: str) -> None:
        if pane != "transfers":
            self._place(pane)
        {"here": self.browser, "service": self.remote, "transfers": self.lines}[pane].focus()

    @on(DescendantFocus)
    def _update_hints(self) -> None:
        focused = self.focused
        if focused is self.remote:
            hints = [("Space", _("attach")), ("w", _("download")), ("d", _("delete")), ("1", _("here"))]
        elif focused is self.lines:
            hints = [("x", _("cancel")), ("r", _("retry")), ("d", _("clear")), ("1", _("here"))]
        elif isinstance(focused, PathInput):
            hints = [("Tab", _("complete")), ("Enter", _("go"))]
        elif isinstance(focused, Input):
            hints = [("Enter", _("to the list"))]
        else:
            hints = [("Space", _("mark")), ("u", _("upload")), ("p", _("path")), ("2", _("service"))]
        help_key = "F1" if isinstance(focused, Input) else "?"  # which is typed there
        self.query_one(HintLine).hints = [*hints, ("Esc", _("back")), (help_key, _("more"))]

    # --- what is attached ----------------------------------------------------------------------------------

    def _show_attached(self) -> None:
        names = [source.name or source.id for source in self._chosen.values()]
        names += [_("{name} (on its way)").format(name=held.name) for held in self._pending()]
        names += [_("{name} (being checked)").format(name=path.name) for path in self._checking]
        text = _("attached: {names}").format(names=names_line(names))
        self.query_one("#attached", Static).update(Content(clean_line(text, 400)))

    def _pending(self) -> list[Transfer]:
        held = [self.app.transfers.get(transfer_id) for transfer_id in self._begun]
        return [transfer for transfer in held if transfer is not None and not transfer.is_over]

    def action_back(self) -> None:
        if isinstance(self.focused, Input):
            self._close_inputs()
        elif self._checking and not self._leaving:
            self._leaving = True
            text = _("Checking {names}; then back. Esc again leaves without what is not checked.")
            self.app.notify(text.format(names=_names(self._checking)), markup=False)
        else:
            self._leave()

    def _leave(self) -> None:
        self.dismiss(Chosen(tuple(self._chosen.values()), tuple(held.id for held in self._pending())))

    def _close_inputs(self) -> None:
        if self.focused is self.filter_bar:
            self.filter_bar.value = ""
            self.filter_bar.display = False
            (self._filtered or self.browser).focus()
        else:
            self.browser.focus()

    # --- here ----------------------------------------------------------------------------------------------

    def action_path(self) -> None:
        self._place("here")
        path = self.query_one(PathInput)
        path.value = f"{Path(self.browser.path).absolute()}/"
        path.focus()
        path.action_end()

    @on(Input.Submitted, "#path")
    @work(group="path", exclusive=True)
    async def _go_to(self, event: Input.Submitted) -> None:
        event.stop()
        found = await asyncio.to_thread(_look_up, event.value)
        if found is None:
            self.app.notify(
                _("There is no {path}.").format(path=clean_line(event.value)), severity="warning", markup=False
            )
            return
        folder, file = found
        self.browser.path = folder
        if file is not None and file not in self.browser.marked:
            self.browser.mark(file)
            self._preview(file)
        self.browser.focus()

    @work(group="recent", exclusive=True)
    async def action_recent(self) -> None:
        folders = self.app.transfers.recent
        if not folders:
            self.app.notify(_("No file was uploaded yet."))
            return
        dialog = ChooseDialog(_("Recent folders"), [(str(folder), "") for folder in folders])
        chosen = await self.app.push_screen_wait(dialog)
        if chosen is not None:
            self.browser.path = folders[chosen]
            self.action_pane("here")

    @on(Tree.NodeHighlighted)
    def _highlighted(self, event: Tree.NodeHighlighted[object]) -> None:
        event.stop()
        node: TreeNode[object] = event.node
        here = self.browser.here
        if here is not None and not node.allow_expand:
            self._preview(here)

    @work(group="preview", exclusive=True)
    async def _preview(self, path: Path) -> None:
        await asyncio.sleep(PREVIEW_PAUSE)
        self.preview.show(await asyncio.to_thread(check_file, path))

    @on(DirectoryTree.FileSelected)
    def _file_selected(self, event: DirectoryTree.FileSelected) -> None:
        event.stop()
        self.browser.mark(event.path)

    @work(group="upload")
    async def action_upload(self) -> None:
        """Check what is marked (or the file under the cursor), and send what passes."""
        here = self.browser.here
        paths = [*self.browser.marked] or ([here] if here is not None and not self.browser.on_folder else [])
        if not paths:
            self.app.notify(_("Mark a file with Space, then u uploads it."))
            return
        self.browser.unmark_all()
        self._checking += paths
        self._show_attached()
        while paths:
            try:
                check = await asyncio.to_thread(check_file, paths[0])
            except asyncio.CancelledError:  # the panel was left
                text = _("Not uploaded: {names}").format(names=_names(paths))
                self.app.notify(text, severity="warning", timeout=10, markup=False)
                raise
            self._checking.remove(paths.pop(0))
            if check.problem is not None:
                self.app.show_problem(check.problem)
                self.preview.show(check)
            else:
                self._begun.append(self.app.transfers.upload(check))
        self._show_attached()
        if self._leaving and not self._checking:
            self.call_later(self._leave_checked)

    def _leave_checked(self) -> None:
        self._leaving = False
        if self.is_active and not self._checking:  # else a dialog or the help is open above it
            self._leave()

    # --- on their way --------------------------------------------------------------------------------------

    def _show_transfers(self) -> None:
        width = max(20, self.app.size.width - 3)
        self.lines.show(self.app.transfers.transfers, width, ascii_only=self.app.settings.ascii)
        self._take_ready()

    def _take_ready(self) -> None:
        """Attach the uploads of this panel that are ready."""
        ready = [held for held in map(self.app.transfers.get, self._begun) if held is not None and held.source]
        for held in ready:
            assert held.source is not None
            self._begun.remove(held.id)
            self._chosen[held.source.id] = held.source
        self._show_attached()
        if ready:
            self.action_refresh_remote()

    def action_cancel(self) -> None:
        self.app.transfers.cancel(self.lines.here)

    def action_retry(self) -> None:
        self.app.transfers.retry(self.lines.here)

    def action_dismiss_one(self) -> None:
        self.app.transfers.dismiss(self.lines.here)
        if not self.app.transfers.transfers:
            self.browser.focus()

    # --- on the service ------------------------------------------------------------------------------------

    @work(group="remote", exclusive=True)
    async def action_refresh_remote(self) -> None:
        title = self.query_one("#service-title", Static)
        if not self.remote.files:
            title.update(Content(_("On the service: reading the list …")))
        try:
            self.remote.files = await self.app.transfers.listed(self._session if self._only_session else "")
        except ServiceError as error:
            title.update(Content(_("On the service: {reason}").format(reason=error.problem.sentence)))
            return
        self._show_remote()

    def _show_remote(self) -> None:
        if not self.is_mounted:
            return
        count = self.remote.show(self._chosen, self.app.now(), ascii_only=self.app.settings.ascii)
        what = _("of this conversation") if self._only_session else _("all")
        self.query_one("#service-title", Static).update(
            Content(_("On the service ({what}): {count}").format(what=what, count=count))
        )

    @on(OptionList.OptionSelected, "#remote")
    def _toggle_attached(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        file = self.remote.here
        if file is None:
            return
        if file.id in self._chosen:
            del self._chosen[file.id]
        else:
            self._chosen[file.id] = DataSource(file_id=file.id, name=file.name)
        self._show_attached()
        self._show_remote()

    def action_scope(self) -> None:
        if not self._session:
            self.app.notify(_("This conversation has no session yet."))
            return
        self._only_session = not self._only_session
        self.action_refresh_remote()

    def action_download(self) -> None:
        if (file := self.remote.here) is not None:
            self.app.transfers.download(file)

    def action_delete(self) -> None:
        file = self.remote.here
        if file is None or not may_change(self.app):
            return

        async def delete() -> None:
            try:
                await self.app.transfers.delete(file.id)
            except ServiceError as error:
                self.app.show_problem(error.problem)
                return
            self._chosen.pop(file.id, None)
            self._show_attached()
            self.action_refresh_remote()

        lines = [file.name, _("It is deleted on the service and cannot be brought back. Copies here stay.")]
        self.app.confirm(_("Delete this file?"), lines, _("delete"), delete)

    # --- filter --------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        self._filtered = self.remote if self.focused is self.remote else self.browser
        self.filter_bar.display = True
        self.filter_bar.focus()

    @on(Input.Changed, "#filter")
    @work(group="filter", exclusive=True)
    async def _filter(self, event: Input.Changed) -> None:
        event.stop()
        if self._filtered is self.remote:
            self.remote.found = TitleFilter(event.value)
            self._show_remote()
        else:
            await self.browser.filter(event.value)

    @on(Input.Submitted, "#filter")
    def _filtered_enough(self, event: Input.Submitted) -> None:
        event.stop()
        self.filter_bar.display = bool(event.value)
        (self._filtered or self.browser).focus()


def _names(paths: Sequence[Path]) -> str:
    return clean_line(names_line([path.name for path in paths]))


def _look_up(typed: str) -> tuple[Path, Path | None] | None:
    """The folder that a typed path names, and the file in it; None where there is nothing. Blocking."""
    path = Path(os.path.abspath(os.path.expanduser(typed)))
    if path.is_dir():
        return path, None
    return (path.parent, path) if path.is_file() else None
