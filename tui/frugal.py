"""The profiles `full` and `low`: how much is drawn, by the setting and by what is measured of the line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import themes
from tui.contract import YunliaoApi
from tui.terminal.display import PaintedDisplay
from tui.ticks import Ticks
from tui.words import _

TICKS, LOW_TICKS = 15, 8
"""How often a second the screen learns what has arrived."""

BESIDE_STRIDE, LOW_STRIDE = 4, 6
"""Lines that the answer moves at a time: where moving it means to draw again what stands beside it; on a slow line."""


class FrugalDisplay(PaintedDisplay[int], YunliaoApi):
    """A display that draws as much as the line takes."""

    _environ: Mapping[str, str]
    _ticks: Ticks

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._said = False
        super().__init__(*args, **kwargs)

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

    def line_changed(self) -> None:
        was_low = self._ticks.rate == LOW_TICKS
        self.follow_line()
        if self._running:
            self.context_changed.publish(self.context)
        if self.bandwidth.low and not was_low and not self._said:
            self._said = True
            self.notify(_("The line is slow: less is drawn. F2 has the setting `bandwidth`."), markup=False)
