"""Lists of the file panel: the service's files, the transfers, and the first rows of a file here."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static
from textual.widgets.option_list import Option

from tui.terminal.clipboard import readable_size
from tui.transfer import Transfer
from tui.widgets.choices import Choices
from tui.widgets.conversation_rows import TitleFilter
from tui.widgets.file_lines import names_line, preview_lines, remote_line, transfer_line

if TYPE_CHECKING:
    from tui.services.dms_files import RemoteFile
    from tui.services.upload_checks import FileCheck


class RemoteList(Choices):
    """The service's files."""

    BINDING_GROUP_TITLE = "Files on the service"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "select", "attach", id="remote.attach", show=False, tooltip="Attach to the conversation"),
        Binding("d", "screen.delete", "delete", id="remote.delete", show=False, tooltip="Delete; asks first"),
        Binding("w", "screen.download", "download", id="remote.download", show=False, tooltip="Download the file"),
        Binding("s", "screen.scope", "scope", id="remote.scope", show=False, tooltip="All files / this conversation's"),
        Binding("R", "screen.refresh_remote", "refresh", id="remote.refresh", show=False, tooltip="List them anew"),
    ]

    files: Sequence[RemoteFile] = ()
    """All of them; what the filter leaves is shown."""
    found = TitleFilter("")
    _shown: Sequence[RemoteFile] = ()

    @property
    def here(self) -> RemoteFile | None:
        """The file under the cursor."""
        index = self.highlighted
        return self._shown[index] if index is not None and index < len(self._shown) else None

    def show(self, chosen: Container[str], now: datetime, *, ascii_only: bool = False) -> int:
        """Show them anew, those with a mark whose ids are `chosen`; how many the filter leaves."""
        shown = [file for file in self.files if not self.found or self.found.matches(file.name)]
        width = max(30, self.content_size.width - 3)
        before = self.highlighted
        self.clear_options()
        self.add_options(
            Option(
                Content(remote_line(file, width, now, chosen=file.id in chosen, ascii_only=ascii_only)), id=f"f{number}"
            )
            for number, file in enumerate(shown)
        )
        self._shown = shown
        if shown:
            self.highlighted = min(before or 0, len(shown) - 1)
        return len(shown)


class TransferList(Choices):
    """Files on their way, newest last; hidden while there are none."""

    BINDING_GROUP_TITLE = "Transfers"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "screen.cancel", "cancel", id="transfers.cancel", show=False, tooltip="Cancel this transfer"),
        Binding("r", "screen.retry", "retry", id="transfers.retry", show=False, tooltip="Go on from the failed step"),
        Binding("d,delete", "screen.dismiss_one", "clear", id="transfers.dismiss", show=False, tooltip="Off the list"),
    ]

    _shown: tuple[str, ...] = ()

    @property
    def here(self) -> str:
        """The id of the transfer under the cursor, "" where there is none."""
        return self._shown[self.highlighted] if self.highlighted is not None else ""

    def show(self, transfers: Sequence[Transfer], width: int, *, ascii_only: bool = False) -> None:
        """Show them as they stand, in lines of `width` cells."""
        texts = {held.id: Content(transfer_line(held, width, ascii_only=ascii_only)) for held in transfers}
        self.display = bool(texts)
        if (*texts,) != self._shown:
            before = self.highlighted
            self._shown = (*texts,)
            self.clear_options()
            self.add_options(Option(text, id=transfer_id) for transfer_id, text in texts.items())
            if texts:
                self.highlighted = min(before if before is not None else len(texts) - 1, len(texts) - 1)
        else:
            for transfer_id, text in texts.items():
                self.replace_option_prompt(transfer_id, text)


class FilePreview(Static):
    """What a file here is, and its first rows or what is wrong with it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)

    def show(self, check: FileCheck) -> None:
        facts = [
            check.name,
            readable_size(check.size),
            check.encoding,
            names_line(check.sheets) if check.sheets else "",
        ]
        parts = [Content.styled("  ".join(fact for fact in facts if fact), "bold")]
        if check.problem is not None:
            parts.append(Content.styled(check.problem.sentence, "$error"))
        elif check.preview is not None:
            parts += [Content(line) for line in preview_lines(check.preview, max(20, self.content_size.width))]
        self.update(Content("\n").join(parts))
