"""The status line: what runs, for how long, since when no byte has come; then the keys that matter now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer

from tui.widgets.looks import MarkupStyle, Painted
from tui.words import _

if TYPE_CHECKING:
    from tui.models import Usage
    from tui.turns import TurnActivity

TEXT = "text"
SILENCE = 30.0
"""Seconds without a byte after which the line says so."""
PAUSE_AFTER_KEY = 1.0
"""Seconds after a key in which the clock stands still: its bytes would come before the echo of the next key."""


class StatusLine(Painted):
    """One line. While a turn runs its clock moves once a second, but not while somebody types.

    `clock = False` leaves the seconds out, so that nothing is drawn but what happened.
    """

    LOOKS: ClassVar[Mapping[str, MarkupStyle]] = {
        "running": MarkupStyle("$running"),
        "waiting": MarkupStyle("$waiting bold"),
        "text": MarkupStyle("$muted", "muted-style"),
        "key": MarkupStyle("$hint-key bold"),
    }
    DEFAULT_CSS = """
    StatusLine {
        height: 1;
        width: 1fr;
        background: $surface;
        color: $muted;
    }
    """

    activity: reactive[TurnActivity | None] = reactive(None, repaint=False)
    """What runs. It changes with every byte that comes; the line is drawn again when its words do."""
    clock: reactive[bool] = reactive(True)
    """Show how long it runs."""
    place: reactive[str] = reactive("")
    """Region, language, model: what goes with the next question."""
    usage: reactive[Usage | None] = reactive(None)
    note: reactive[str] = reactive("")
    """What to know while nothing runs, in place of "ready"."""
    hints: reactive[Sequence[tuple[str, str]]] = reactive[Sequence[tuple[str, str]]](())
    """(key, what it does), most important first; at most five are shown."""

    ascii_only: reactive[bool] = reactive(False)

    def __init__(self, seconds: Callable[[], float], *, ascii_only: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._seconds = seconds
        self.set_reactive(StatusLine.ascii_only, ascii_only)
        self._timer: Timer | None = None
        self._typed = 0.0
        self._shown = ""

    def typing(self) -> None:
        """Somebody types."""
        self._typed = self._seconds()

    def watch_activity(self, before: TurnActivity | None, activity: TurnActivity | None) -> None:
        if _words(before) != _words(activity):
            self.refresh()
        if activity is not None and self._timer is None:
            self._timer = self.set_interval(1.0, self._tick)
        elif activity is None and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _tick(self) -> None:
        typing = self._seconds() - self._typed < PAUSE_AFTER_KEY
        if not typing and "".join(text for text, _name in self._left()) != self._shown:
            self.refresh()

    def _left(self) -> list[tuple[str, str]]:
        """(text, its look) from left to right."""
        activity = self.activity
        parts: list[tuple[str, str]] = []
        if activity is not None:
            now = self._seconds()
            silence = int(now - activity.last_byte)
            words = activity.status or _("answering")
            parts.append((" * " if self.ascii_only else " ● ", "running"))
            if self.clock:
                parts.append((_("{what} {elapsed} s").format(what=words, elapsed=int(now - activity.began)), TEXT))
            else:
                parts.append((words, TEXT))
                silence -= silence % int(SILENCE)
            if silence >= SILENCE:
                parts.append((" · " + _("no data for {seconds} s").format(seconds=silence), "waiting"))
            elif self.clock:
                parts.append((" · " + _("last byte {seconds} s").format(seconds=silence), TEXT))
            if activity.queued:
                parts.append((" · " + _("{count} queued").format(count=activity.queued), TEXT))
        else:
            parts.append((" " + (self.note or _("ready")), "waiting" if self.note else TEXT))
        if self.usage is not None:
            tokens = _("{input} in, {output} out tokens")
            parts.append((" · " + tokens.format(input=self.usage.input_tokens, output=self.usage.output_tokens), TEXT))
        if self.place:
            parts.append((f" · {self.place}", TEXT))
        return parts

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        left = self._left()
        self._shown = "".join(text for text, _name in left)
        right: list[Segment] = []
        room = width - min(cell_len(self._shown), width // 2) - 2
        sizes = [cell_len(f"{key} {what}  ") for key, what in self.hints]
        for number, (key, what) in enumerate(self.hints):
            # The last one tells where the others are.
            if number + 1 < len(sizes) and sum(sizes[number : number + 1] + sizes[-1:]) > room:
                continue
            room -= sizes[number]
            right.append(Segment(key, self.looks["key"]))
            right.append(Segment(f" {what}  ", self.looks[TEXT]))
        segments = [Segment(text, self.looks[name]) for text, name in left]
        return spread(segments, right, width, self.rich_style)


def _words(activity: TurnActivity | None) -> tuple[str, int] | None:
    """What of an activity is no matter of time."""
    return None if activity is None else (activity.status, activity.queued)


def spread(left: list[Segment], right: list[Segment], width: int, style: Style) -> Strip:
    """A line with one part at each end; the left one is cut where both do not fit."""
    room = width - Segment.get_line_length(right)
    line: list[Segment] = []
    used = 0
    for text, segment_style, _control in left:
        size = cell_len(text)
        if used + size > room - 1:
            cut = set_cell_size(text, max(0, room - 2 - used)) + "…" if room - 1 > used else ""
            line.append(Segment(cut, segment_style))
            used += cell_len(cut)
            break
        line.append(Segment(text, segment_style))
        used += size
    return Strip([*line, Segment(" " * (room - used), style), *right]).simplify()
