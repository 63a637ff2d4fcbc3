"""The profiles `full` and `low`: how much is drawn, by the setting and by what is measured of the line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.events import DescendantFocus
from textual.signal import Signal
from textual.widgets import Input, TextArea

import themes
from tui.contract import YunliaoApi
from tui.terminal.display import PaintedDisplay
from tui.ticks import Ticks
from tui.words import _

if TYPE_CHECKING:
    from tui.turns import TurnUpdate

TICKS, LOW_TICKS = 20, 8
"""How often a second the screen learns what has arrived, at most. A line that pours is looked at less often
(`tui.services.sse.READ_PAUSE`), so that what was read never waits for a tick."""

MINUTE = 60.0
"""Seconds after which ages are told anew."""

BESIDE_STRIDE, LOW_STRIDE = 4, 6
"""Lines that the answer moves at a time: where moving it means to draw again what stands beside it; on a slow line."""


class FrugalDisplay(PaintedDisplay[int], YunliaoApi):
    """A display that draws as much as the line takes."""

    _environ: Mapping[str, str]
    _ticks: Ticks

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._said = False
        self._minute_from = 0.0
        super().__init__(*args, **kwargs)
        self.minute_passed = Signal(self, "minute passed")

    @property
    def low_bandwidth(self) -> bool:  # type: ignore[override]  # read as any attribute
        return self.bandwidth.low

    def stride(self, *, beside: bool) -> int:
        if self.bandwidth.low:
            return LOW_STRIDE
        return BESIDE_STRIDE if beside and self.paints and not self.capabilities.margins else 1

    def follow_line(self) -> None:
        """Draw as the settings and the line want it."""
        self.bandwidth.choice = self.settings.bandwidth
        low = self.bandwidth.low
        self._ticks.rate = LOW_TICKS if low else TICKS
        # The terminal's own colours take the fewest bytes, and are readable on every background.
        self.theme = themes.choose("terminal" if low else self.settings.theme, self._environ, self.available_themes)

    def note_key(self) -> None:
        """A key is about to be dealt with."""
        now = self.seconds()
        if now - self._minute_from >= MINUTE:
            self._minute_from = now
            self.minute_passed.publish(None)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        if isinstance(event.widget, (Input, TextArea)):
            # A cursor that blinks is a stream of bytes that never ends.
            event.widget.cursor_blink = False

    def measured(self) -> Sequence[tuple[str, str]]:
        able = self.capabilities
        has = [
            name
            for name, value in (
                (_("margins"), able.margins),
                (_("synchronized output"), able.synchronized),
                (_("background colour erase"), able.bce),
                (_("scroll regions"), able.scroll),
                (_("repetition"), able.repeat),
            )
            if value
        ]
        profile = _("low") if self.bandwidth.low else _("full")
        return [
            (_("terminal"), " ".join(part for part in (able.term, able.multiplexer) if part)),
            (_("it can do"), _(", ").join(has)),
            (_("profile"), f"{self.settings.bandwidth} ({profile})"),
            *self.meter.lines(),
        ]

    def _meter_answer(self, update: TurnUpdate) -> None:
        self.meter.answer_grows(update.turn_id)
        if update.ended and (conversation := self.conversation(update.conversation_id)) is not None:
            turn = next((turn for turn in reversed(conversation.turns) if turn.id == update.turn_id), None)
            self.meter.answer_ended(update.turn_id, len(turn.answer.encode("utf-8", "replace")) if turn else 0)

    def line_changed(self) -> None:
        was_low = self._ticks.rate == LOW_TICKS
        self.follow_line()
        if self._running:
            self.context_changed.publish(self.context)
        if self.bandwidth.low and not was_low and not self._said:
            self._said = True
            self.notify(_("The line is slow: less is drawn. F2 has the setting `bandwidth`."), markup=False)
