"""Folders and the files in them that the Data Agent takes: Textual's tree with marks, a filter and safe names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from rich.style import Style
from rich.text import Text, TextType
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DirectoryTree
from textual.widgets.directory_tree import DirEntry
from textual.widgets.tree import TreeNode

from tui.services.upload_checks import MEDIA_TYPES
from tui.text import clean_line
from tui.widgets.conversation_rows import TitleFilter


class FileTree(DirectoryTree):
    """csv, xlsx and xls files below a folder; several can be marked."""

    BINDING_GROUP_TITLE = "Files here"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "cursor_down", "down", id="file_tree.down", show=False),
        Binding("k,up", "cursor_up", "up", id="file_tree.up", show=False),
        Binding("g,home", "scroll_home", "first", id="file_tree.first", show=False),
        Binding("G,end", "scroll_end", "last", id="file_tree.last", show=False),
        Binding("l,right,enter", "select_cursor", "open", id="file_tree.open", show=False, tooltip="Open or mark"),
        Binding("h,left", "close", "close", id="file_tree.close", show=False, tooltip="Close the folder"),
        Binding("space", "mark", "mark", id="file_tree.mark", show=False, tooltip="Mark this file for uploading"),
        Binding("backspace,minus", "parent", "parent folder", id="file_tree.parent", show=False),
        Binding("full_stop", "hidden", "hidden files", id="file_tree.hidden", show=False, tooltip="Show hidden files"),
    ]
    ICON_NODE_EXPANDED = "▾ "
    ICON_NODE = "▸ "
    ICON_FILE = "  "

    class Marked(Message):
        """What is marked changed."""

    def __init__(self, path: Path, *, ascii_only: bool = False, id: str | None = None) -> None:
        self.marked: dict[Path, None] = {}
        """In the order in which they were marked."""
        self._found = TitleFilter("")
        self._hidden = False
        self._sign = "x " if ascii_only else "✓ "
        if ascii_only:
            self.ICON_NODE_EXPANDED, self.ICON_NODE = "- ", "+ "
        super().__init__(path, id=id)
        self.guide_depth = 2
        self.show_guides = False

    # --- what is shown -------------------------------------------------------------------------------------

    def process_label(self, label: TextType) -> Text:
        """Names are text, not markup, and may hold anything."""
        return Text(clean_line(label if isinstance(label, str) else label.plain))

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        return [path for path in paths if (self._hidden or not path.name.startswith(".")) and self._is_wanted(path)]

    def _is_wanted(self, path: Path) -> bool:
        try:
            if path.is_dir():
                return True
        except OSError:
            return False
        wanted = path.suffix.lower() in MEDIA_TYPES
        return wanted and (not self._found or self._found.matches(path.name))

    def render_label(self, node: TreeNode[DirEntry], base_style: Style, style: Style) -> Text:
        label = super().render_label(node, base_style, style)
        if node.data is not None and node.data.path in self.marked:
            return Text.assemble((self._sign, "bold"), label.plain.lstrip(), style=style)
        return label

    async def filter(self, typed: str) -> None:
        """Show only the files whose names match."""
        self._found = TitleFilter(typed)
        await self.reload()

    @property
    def here(self) -> Path | None:
        """The file or folder under the cursor."""
        node = self.cursor_node
        return node.data.path if node is not None and node.data is not None else None

    @property
    def on_folder(self) -> bool:
        """The cursor is on a folder."""
        return self.cursor_node is not None and self.cursor_node.allow_expand

    # --- actions -------------------------------------------------------------------------------------------

    def mark(self, path: Path) -> None:
        """Mark a file, or take the mark away."""
        if path in self.marked:
            del self.marked[path]
        else:
            self.marked[path] = None
        self._changed()

    def unmark_all(self) -> None:
        self.marked.clear()
        self._changed()

    def _changed(self) -> None:
        self._clear_line_cache()
        self.refresh()
        self.post_message(self.Marked())

    def action_mark(self) -> None:
        path = self.here
        if path is not None and not (self.cursor_node and self.cursor_node.allow_expand):
            self.mark(path)
            self.action_cursor_down()

    def action_close(self) -> None:
        node = self.cursor_node
        if node is None:
            return
        if node.is_expanded and node.allow_expand and node is not self.root:
            node.collapse()
        elif node.parent is not None and node.parent is not self.root:
            self.move_cursor(node.parent)
        else:
            self.action_parent()

    def action_parent(self) -> None:
        self.path = Path(self.path).absolute().parent

    async def action_hidden(self) -> None:
        self._hidden = not self._hidden
        await self.reload()
