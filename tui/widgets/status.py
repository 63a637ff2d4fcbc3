"""The status line: what runs, for how long, since when no byte has come; then the keys that matter now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import RenderResult
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget

from tui.models import Usage
from tui.turns import TurnActivity
from tui.words import _

SILENCE = 30.0
"""Seconds without a byte after which the line says so."""


class StatusLine(Widget):
    """One line. Its clock ticks once a second, only while a turn runs and nobody is typing."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"status--running", "status--waiting", "status--text", "status--key"}
    DEFAULT_CSS = """
    StatusLine {
        height: 1;
        width: 1fr;
        background: $surface;
        color: $text-muted;
        & > .status--running { color: $success; }
        & > .status--waiting { color: $warning; text-style: bold; }
        & > .status--text { color: $text-muted; }
        & > .status--key { color: $foreground; text-style: bold; }
    }
    """

    activity: reactive[TurnActivity | None] = reactive[TurnActivity | None](None)
    place: reactive[str] = reactive("")
    """Region, language, model: what goes with the next question."""
    usage: reactive[Usage | None] = reactive[Usage | None](None)
    hints: reactive[Sequence[tuple[str, str]]] = reactive[Sequence[tuple[str, str]]](())
    """(key, what it does), most important first; at most five are shown."""

    def __init__(self, seconds: Callable[[], float], *, ascii_only: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._seconds = seconds
        self._dot = "*" if ascii_only else "●"
        self._clock: Timer | None = None
        self._typed = 0.0
        self._shown = ""

    def typing(self) -> None:
        """Somebody types: the clock waits, since its bytes would stand before the echo of the keys."""
        self._typed = self._seconds()

    def watch_activity(self, activity: TurnActivity | None) -> None:
        if activity is not None and self._clock is None:
            self._clock = self.set_interval(1.0, self._tick)
        elif activity is None and self._clock is not None:
            self._clock.stop()
            self._clock = None

    def _tick(self) -> None:
        if self._seconds() - self._typed > 1.0 and self._left().plain != self._shown:
            self.refresh()

    def _left(self) -> Text:
        activity = self.activity
        text = Text(no_wrap=True)
        if activity is not None:
            now = self._seconds()
            text.append(f" {self._dot} ", self.get_component_rich_style("status--running"))
            silence = now - activity.last_byte
            words = activity.status or _("answering")
            text.append(_("{what} {elapsed} s").format(what=words, elapsed=int(now - activity.began)))
            if silence >= SILENCE:
                text.append(
                    " · " + _("no data for {seconds} s").format(seconds=int(silence)),
                    self.get_component_rich_style("status--waiting"),
                )
            else:
                text.append(" · " + _("last byte {seconds} s").format(seconds=int(silence)))
            if activity.queued:
                text.append(" · " + _("{count} queued").format(count=activity.queued))
        else:
            text.append(" " + _("ready"))
        if self.usage is not None:
            text.append(
                " · "
                + _("{input} in, {output} out tokens").format(
                    input=self.usage.input_tokens, output=self.usage.output_tokens
                )
            )
        if self.place:
            text.append(f" · {self.place}")
        return text

    def render(self) -> RenderResult:
        width = self.size.width
        left = self._left()
        self._shown = left.plain
        key_style = self.get_component_rich_style("status--key")
        hints = Text(no_wrap=True)
        for index, (key, what) in enumerate(self.hints[:6]):
            hint = Text()
            if index:
                hint.append("  ")
            hint.append(key, key_style)
            hint.append(f" {what}")
            if left.cell_len + hints.cell_len + hint.cell_len + 3 > width and index:
                break
            hints.append_text(hint)
        room = width - hints.cell_len - 2
        if left.cell_len > room:
            left.truncate(max(0, room), overflow="ellipsis")
        return left + Text(" " * max(1, width - left.cell_len - hints.cell_len - 1)) + hints
