"""What the transcript's keys do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from textual.message import Message

from tui.widgets.transcript import messages
from tui.widgets.transcript.cursor import BlockCursor
from tui.widgets.transcript.lines import QUESTION, Shown, Unit
from tui.widgets.transcript.viewport import Viewport
from tui.widgets.transcript.views import ViewActions
from tui.words import _

if TYPE_CHECKING:
    from tui.models import Turn
    from tui.widgets.transcript.search import Mark, Match

_PATIENCE = 0.25
"""Seconds that a key may spend on laying out a turn that it needs as a whole."""


class TranscriptActions(ViewActions):
    """Mixed into the widget: movements, folds, search, and requests to the screen."""

    _view: Viewport
    _cursor: BlockCursor
    has_focus: bool

    if TYPE_CHECKING:

        def _sync(self) -> None: ...
        def post_message(self, message: Message) -> bool: ...

    _query = ""
    _matches: Sequence[Match] = ()
    _match = -1
    _match_at: tuple[int, int, int] | None = None
    """Turn, line and column of the current match."""

    # --- moving --------------------------------------------------------------------------------------------

    def _move(self, lines: int) -> None:
        self._view.scroll(lines)
        self._sync()

    def action_scroll_lines(self, lines: int) -> None:
        self._move(lines)

    def action_scroll_screens(self, screens: float) -> None:
        size = max(1, round((self._view.height - 1) * abs(screens)))
        self._move(size if screens > 0 else -size)

    def scroll_page_up(self, **_options: object) -> None:
        """A page up, for the composer's PgUp."""
        self.action_scroll_screens(-1.0)

    def scroll_page_down(self, **_options: object) -> None:
        """A page down, for the composer's PgDn."""
        self.action_scroll_screens(1.0)

    def action_go_top(self) -> None:
        self._view.to_top()
        if self._view.turns:
            self._cursor.put(0, 0)
        self._sync()

    def action_go_end(self) -> None:
        self._view.to_end()
        if self._view.turns and self.has_focus:
            last = len(self._view.turns) - 1
            self._cursor.put(last, len(self._view.units(last)) - 1)
        self._sync()

    def follow_end(self) -> None:
        """To the end, and stay there as it grows."""
        self._view.to_end()
        self._sync()

    @property
    def current_turn(self) -> str:
        """The id of the turn that keys act on; "" where there is none."""
        turn = self._turn()
        return turn.id if turn is not None else ""

    def scroll_to_turn(self, turn_id: str) -> None:
        """Put the question of a turn at the top."""
        for index, turn in enumerate(self._view.turns):
            if turn.id == turn_id:
                self._view.to_line(index, 0)
                self._cursor.put(index, 0)
                self._sync()
                return

    def action_go_question(self, step: int) -> None:
        if not self._view.turns:
            return
        index, line = self._view.top
        if step > 0:
            index += 1
        elif line == 0:
            index -= 1
        if index >= len(self._view.turns):
            self.action_go_end()
        else:
            self.scroll_to_turn(self._view.turns[max(0, index)].id)

    def action_move_cursor(self, step: int) -> None:
        self._cursor.move(step)
        self._sync()

    # --- where the keys act --------------------------------------------------------------------------------

    def _here(self) -> tuple[Turn, Unit] | None:
        """The turn and the block that keys act on: under the cursor, else the end."""
        view = self._view
        if not view.turns:
            return None
        found = self._cursor.here()
        if found is None:
            index = len(view.turns) - 1
            units = view.units(index)
            return (view.turns[index], units[-1]) if units else None
        return view.turns[found[0]], found[1]

    def _turn(self) -> Turn | None:
        here = self._here()
        return None if here is None else here[0]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing: grey where they belong to the turn, left to others where they are movements."""
        if action in (
            "retry",
            "edit_resend",
            "quote",
            "rate",
            "details",
            "links",
            "copy_message",
            "choose_block",
            "save",
        ):
            turn = self._turn()
            if turn is None:
                return None
            if action == "retry":
                return True if turn.final or turn.state == "queued" else None
            if action == "rate":
                return True if turn.final and turn.blocks else None
        if action == "export_table":
            return True if self._table_here() else None
        if action == "stop":
            return True if any(turn.active for turn in self._view.turns) else None
        if action in ("find_next", "find_previous"):
            return True if self._matches else None
        return True

    # --- copying and requests ------------------------------------------------------------------------------

    def copy_text_of_message(self) -> str:
        """The source of the message under the cursor: the question, or the whole answer."""
        here = self._here()
        if here is None:
            return ""
        from tui.widgets.transcript.selection import message_text

        return here[0].question if here[1].section == QUESTION else message_text(here[0])

    def copy_text_of_block(self, number: int) -> str:
        """The source of a numbered block of the answer under the cursor, "" where there is none."""
        return next((choice.text for choice in self._choices() if choice.number == number), "")

    def _choices(self) -> list[messages.Choice]:
        turn = self._turn()
        if turn is None:
            return []
        from tui.widgets.transcript.selection import choices_of

        index = next(number for number, known in enumerate(self._view.turns) if known.id == turn.id)
        return choices_of(self._view.units(index, _PATIENCE))

    def action_copy_message(self) -> None:
        here = self._here()
        if here:
            what = _("the question") if here[1].section == QUESTION else _("the answer")
            self.post_message(messages.CopyRequested(self.copy_text_of_message(), what))

    def action_choose_block(self) -> None:
        self.post_message(messages.ChooseBlock(_("Copy which block?"), self._choices()))

    def action_save(self) -> None:
        from tui.widgets.transcript.selection import file_name

        here = self._here()
        if here and (file := self._file(*here)) is not None:
            self.post_message(messages.FetchFile(file))
        elif here and (pictures := self._pictures(*here)):
            name = file_name(*here).rpartition(".")[0]
            for number, data in enumerate(pictures, 1):
                self.post_message(messages.SavePicture(data, f"{name}{f'-{number}' if number > 1 else ''}.png"))
        elif here:
            turn, unit = here
            text = unit.source if unit.number else self.copy_text_of_message()
            self.post_message(messages.SaveRequested(text, file_name(turn, unit if unit.number else None)))

    def action_export_table(self) -> None:
        from tui.widgets.transcript.selection import file_name

        here = self._table_here()
        if here:
            self.post_message(messages.ExportTable(here[1].source, file_name(*here).rpartition(".")[0]))

    def action_retry(self) -> None:
        self._request(messages.Retry)

    def action_edit_resend(self) -> None:
        self._request(messages.EditResend)

    def action_quote(self) -> None:
        here = self._here()
        if here:
            turn, unit = here
            text = turn.question if unit.section == QUESTION else unit.source or self.copy_text_of_message()
            self.post_message(messages.QuoteRequested(text))

    def action_details(self) -> None:
        self._request(messages.Details)

    def action_stop(self) -> None:
        turn = next((turn for turn in reversed(self._view.turns) if turn.active), None)
        if turn is not None:
            self.post_message(messages.Stop(turn))

    def action_rate(self, rating: Literal["like", "dislike"]) -> None:
        turn = self._turn()
        if turn is not None:
            self.post_message(messages.Feedback(turn, rating))

    def action_links(self) -> None:
        from tui.widgets.transcript.selection import links_of

        turn = self._turn()
        if turn is not None:
            self.post_message(messages.Links(turn, _("Links and files of this answer"), links_of(turn)))

    def action_compose(self) -> None:
        self.post_message(messages.ComposeRequested())

    def _request(self, message: type[messages.Retry | messages.EditResend | messages.Details]) -> None:
        turn = self._turn()
        if turn is not None:
            self.post_message(message(turn))

    # --- find ----------------------------------------------------------------------------------------------

    def action_find(self) -> None:
        self.post_message(messages.FindRequested())

    def find(self, query: str) -> int:
        """Mark all that matches `query` and go to the first match from the view on; how many there are.

        An empty query takes the marks away.
        """
        from tui.widgets.transcript.search import find_all

        self._clear_find()
        self._query = query.strip()
        self._matches = find_all(self._view.turns, self._query)
        if self._matches:
            order = {turn.id: index for index, turn in enumerate(self._view.turns)}
            top = self._view.top[0] if not self._view.following else len(order) - 1
            self._match = next((n for n, match in enumerate(self._matches) if order[match.turn] >= top), 0)
            self._go_to_match()
        self._sync()
        self._tell_match()
        return len(self._matches)

    def find_next(self, step: int = 1) -> None:
        """To the next match, or with -1 to the one before."""
        if not self._matches:
            return
        from tui.widgets.transcript.search import find_all

        known = self._matches[self._match] if 0 <= self._match < len(self._matches) else None
        self._matches = find_all(self._view.turns, self._query)  # answers grow
        if not self._matches:
            return
        here = next((number for number, match in enumerate(self._matches) if match == known), self._match)
        self._match = (here + step) % len(self._matches)
        self._go_to_match()
        self._sync()
        self._tell_match()

    def find_previous(self) -> None:
        self.find_next(-1)

    def action_find_next(self) -> None:
        self.find_next()

    def action_find_previous(self) -> None:
        self.find_next(-1)

    @property
    def match_number(self) -> int:
        """Which match is the current one, from 1; 0 for none."""
        return self._match + 1 if self._matches else 0

    def _tell_match(self) -> None:
        self.post_message(messages.MatchChanged(self.match_number, len(self._matches)))

    def _clear_find(self) -> None:
        self._query, self._matches, self._match, self._match_at = "", (), -1, None

    def _go_to_match(self) -> None:
        """Unfold where the match is, find its line and bring that into view."""
        from tui.widgets.transcript.search import line_pattern, marks_in

        view = self._view
        match = self._matches[self._match]
        index = next(number for number, turn in enumerate(view.turns) if turn.id == match.turn)
        unit = next((unit for unit in view.units(index, _PATIENCE) if unit.section == match.section), None)
        if unit is not None and unit.foldable and not view.look.fold.is_open(match.turn, match.section):
            view.look.fold.toggle(match.turn, match.section)
            view.refold(match.turn, match.section)
        units = view.units(index, _PATIENCE)
        layout = view.layout(index)
        start, end = layout.section_lines(match.section)
        found = [
            (start + line, mark.start)
            for line, marks in sorted(
                marks_in([line.text for line in layout.lines[start:end]], line_pattern(self._query)).items()
            )
            for mark in marks
        ]
        first, last = layout.section_lines(match.section, match.position)
        inside = [place for place in found if first <= place[0] < last]
        if match.ordinal < len(found) and first <= found[match.ordinal][0] < last:
            line, column = found[match.ordinal]
        else:
            line, column = inside[0] if inside else (first, 0)
        self._match_at = (index, line, column)
        number = next((n for n, unit in enumerate(units) if unit.start <= line < unit.end), 0)
        self._cursor.put(index, number)
        top = view.top
        if view.following or not (top <= (index, line) and index == top[0] and line < top[1] + view.height):
            view.to_line(index, line, view.height // 3)

    def _marks(self, shown: Sequence[Shown]) -> dict[int, tuple[Mark, ...]]:
        """What is to be marked in the lines in view, by row."""
        if not self._query or not shown:
            return {}
        from tui.widgets.transcript.search import Mark, line_pattern, marks_in

        found = marks_in([item.line.text for item in shown], line_pattern(self._query))
        result: dict[int, tuple[Mark, ...]] = {}
        for y, marks in found.items():
            item = shown[y]
            result[y] = tuple(
                Mark(mark.start, mark.end, self._match_at == (item.turn, item.number, mark.start)) for mark in marks
            )
        return result
