"""What the transcript's keys do with what has more than one look: tables, charts, pictures, folds, plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from tui.widgets.transcript import messages
from tui.widgets.transcript.lines import TableView, Unit
from tui.widgets.transcript.viewport import Viewport
from tui.words import _

if TYPE_CHECKING:
    from tui.models import FileBlock, Turn


class ViewActions:
    """Mixed into the widget. A key that has nothing to do where the cursor is says what it is for."""

    _view: Viewport

    if TYPE_CHECKING:

        def _sync(self) -> None: ...
        def _here(self) -> tuple[Turn, Unit] | None: ...
        def copy_text_of_message(self) -> str: ...
        def post_message(self, message: Message) -> bool: ...

    # --- folds ---------------------------------------------------------------------------------------------

    def action_fold(self) -> None:
        here = self._here()
        if here and here[1].foldable:
            turn, unit = here
            self._view.look.fold.toggle(turn.id, unit.section)
            self._view.refold(turn.id, unit.section)
            self._sync()
        else:
            self._explain(_("Space unfolds thinking, tool calls and long outputs; J and K go from block to block."))

    def action_fold_all(self) -> None:
        fold = self._view.look.fold
        fold.open_all = not fold.open_all
        fold.flipped.clear()
        self._view.refold_all()
        self._sync()

    # --- tables --------------------------------------------------------------------------------------------

    def _table_here(self) -> tuple[Turn, Unit] | None:
        here = self._here()
        return here if here and here[1].kind in ("table", "chart") else None

    def _look_at(self, turn: Turn, unit: Unit, view: TableView) -> None:
        self._view.look.tables[turn.id, unit.number] = view
        self._view.refold(turn.id, unit.section, unit.number)
        self._sync()

    def action_change_view(self) -> None:
        """A table as rows, a chart as its table, a picture as large as the screen, anything else as bare text."""
        table, here = self._table_here(), self._here()
        if table:
            turn, unit = table
            view = self._view.look.view(turn.id, unit.number)
            self._look_at(turn, unit, TableView(not view.rows, view.column))
        elif here and (pictures := self._pictures(*here)):
            from tui.widgets.transcript.selection import file_name

            self.post_message(messages.ShowPicture(pictures[0], file_name(*here).rpartition(".")[0] + ".png"))
        elif here:
            self.post_message(messages.ShowPlain(self.copy_text_of_message()))

    def action_scroll_columns(self, step: int) -> None:
        here = self._table_here()
        if here and here[1].scroll:
            turn, unit = here
            view = self._view.look.view(turn.id, unit.number)
            # In a narrower window it went further.
            column = max(0, min(unit.scroll, min(unit.scroll, view.column) + step))
            self._look_at(turn, unit, TableView(view.rows, column))
        elif here:
            self._explain(_("All columns of this table are in view; v shows it as rows, x writes it."))
        else:
            self._explain(_("h and l move through a wide table; J and K go from block to block."))

    # --- what is in a block --------------------------------------------------------------------------------

    def _pictures(self, turn: Turn, unit: Unit) -> list[str]:
        """The PNGs of the code cell under the cursor."""
        from tui.models import CodeBlock

        block = turn.blocks[unit.section] if 0 <= unit.section < len(turn.blocks) else None
        if unit.kind in ("table", "chart") or not isinstance(block, CodeBlock):
            return []
        return [output.image for output in block.outputs if output.image]

    def _file(self, turn: Turn, unit: Unit) -> FileBlock | None:
        """The file that the cursor stands on."""
        from tui.models import FileBlock

        block = turn.blocks[unit.section] if 0 <= unit.section < len(turn.blocks) else None
        return block if isinstance(block, FileBlock) else None

    def _explain(self, sentence: str) -> None:
        self.post_message(messages.Explained(sentence))
