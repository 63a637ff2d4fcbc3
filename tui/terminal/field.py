"""A text area as a slow line wants it: drawn right after its key, with the terminal's own cursor.

With `display` and `driver` the only module that knows names which Textual keeps to itself;
tests/unit/test_textual_names.py lists them and fails when one is gone.
"""

from __future__ import annotations

from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import TextArea

from tui.terminal.display import PaintedDisplay


class TerminalTextArea(TextArea):
    """A `TextArea` that costs little to draw. It is soft-wrapped, and nothing of it blinks."""

    terminal_cursor = True
    _styled = False
    """The theme of the text area knows the styles as they are."""

    @property
    def _draw_cursor(self) -> bool:
        return super()._draw_cursor and not self._painted

    @property
    def _painted(self) -> bool:
        """The app has the terminal's cursor stand where this one would be."""
        return isinstance(self.app, PaintedDisplay) and self.app.paints

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styled = False

    def render_lines(self, crop: Region) -> list[Strip]:
        styles = self.styles
        if not self._painted or styles.gutter.width or styles.gutter.height or styles.tint.a or self.opacity < 1:
            return super().render_lines(crop)
        if not self._styled and self._theme is not None:
            self._theme.apply_css(self)
            self._styled = True
        width, base = self.size.width, self.rich_style
        # A placeholder is only as wide as its text.
        strips = [self.render_line(y).extend_cell_length(width, base) for y in crop.line_range]
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    async def _on_key(self, event: events.Key) -> None:
        await super()._on_key(event)
        if event.is_printable and isinstance(self.app, PaintedDisplay):
            self.app.paint_now(self)
