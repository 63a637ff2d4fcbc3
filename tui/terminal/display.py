"""Ties the painter to Textual: what the compositor made goes to the terminal as the difference to what it shows.

Together with `driver` and `field` the only module that knows names which Textual keeps to itself;
tests/unit/test_textual_names.py lists them and fails when one is gone.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, RenderableType
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.geometry import Offset, Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.terminal.bandwidth import Bandwidth
from tui.terminal.capabilities import STATUS_QUERY, Capabilities, ModeReport, Reply, StatusReport
from tui.terminal.driver import TerminalDriver
from tui.terminal.flow import Flow
from tui.terminal.lifecycle import Lifecycle
from tui.terminal.meter import Meter
from tui.terminal.painter import Painter
from tui.terminal.strips import Strips, bands_of
from tui.terminal.writer import Abilities

ReturnType = TypeVar("ReturnType")

_CURSOR_PAUSE = 0.03
"""Seconds in which a cursor that moved waits for the frame that explains it."""

_KEY_PATIENCE = 1.0
"""Seconds after which a frame is not taken to be the echo of a key: not every key draws something."""

_URGENT_ROWS = 10
"""A focused widget of at most so many rows is painted even while the line is busy: it is what is typed into."""


class LeanCompositor(Compositor):
    """Asks only those widgets for their lines that something dirty lies on.

    Textual's asks every widget whose container does: with one row dirty at the top and one at the bottom, all.
    """

    _wanted: Sequence[Region] = ()

    def render_partial_update(self) -> ChopsUpdate | None:
        self._wanted = [*self._dirty_regions]
        try:
            return super().render_partial_update()
        finally:
            self._wanted = ()

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if not self._wanted:
            yield from super()._get_renders(crop)
            return
        wanted = self._wanted
        # From the front to the back: what lies behind something that covers a dirty region is not asked either.
        for widget, (region, clip) in self.visible_widgets.items():
            visible = region.intersection(clip)
            if visible and any(visible.overlaps(each) for each in wanted):
                x, y, width, height = visible
                yield region, clip, widget.render_lines(Region(x - region.x, y - region.y, width, height))
                wanted = [each for each in wanted if not visible.contains_region(each)]
                if not wanted:
                    return


class PaintedDisplay(App[ReturnType]):
    """An app that owns its terminal: `class YunliaoApp(PaintedDisplay[int])`.

    `plain` leaves all painting to Textual. A widget with a true attribute `terminal_cursor` gets the terminal's own
    cursor, at `app.cursor_position`, while it has the focus; for the others the cursor is moved there, hidden, so
    that input methods open beside the text.
    """

    def __init__(self, *args: Any, plain: bool = False, **kwargs: Any) -> None:
        self.plain = plain
        self.capabilities = Capabilities.of(os.environ)
        self.lifecycle = Lifecycle(self._hang_up, self._stop_for_signal)
        self.flow = Flow(time.monotonic)
        self.bandwidth = Bandwidth(time.monotonic)
        self.meter = Meter()
        self._painter: Painter | None = None
        self._strips: Strips | None = None
        self._cursor = Offset(0, 0)
        self._cursor_timer: asyncio.TimerHandle | None = None
        self._wait_timer: asyncio.TimerHandle | None = None
        self._key_at: float | None = None
        super().__init__(*args, **kwargs)

    def line_changed(self) -> None:
        """It has been learnt that the line is slow or no longer slow (`bandwidth.low`), or what the terminal can do."""

    def on_hangup(self) -> None:
        """Bring what is in memory to disk, within a few hundred milliseconds; the program is about to end."""

    def get_driver_class(self) -> type[Driver]:
        wanted = super().get_driver_class()
        return TerminalDriver if wanted is LinuxDriver else wanted

    def run(self, *args: Any, **kwargs: Any) -> ReturnType | None:
        self.lifecycle.install()
        try:
            return super().run(*args, **kwargs)
        finally:
            self.lifecycle.restore()
            self.lifecycle.uninstall()

    def action_redraw(self) -> None:
        """Draw the whole screen again, whatever the terminal shows."""
        if self._painter is not None:
            self._painter.invalidate()
        self.refresh(layout=True)

    def _set_pointer_shape(self, shape: str) -> None:
        """Shapes of the mouse pointer are not worth their bytes."""

    # --- the cursor ---------------------------------------------------------------------------------------

    @property
    def cursor_position(self) -> Offset:
        """Where the terminal's cursor belongs, on the screen."""
        return self._cursor

    @cursor_position.setter
    def cursor_position(self, position: Offset) -> None:
        if position == self._cursor:
            return
        self._cursor = position
        if self._painter is not None and self._cursor_timer is None and self._running:
            # A frame that comes meanwhile places it; without one nothing else would.
            loop = asyncio.get_running_loop()
            self._cursor_timer = loop.call_later(_CURSOR_PAUSE, self._paint)

    # --- frames -------------------------------------------------------------------------------------------

    @property
    def paints(self) -> bool:
        """The painter draws, not Textual."""
        return not self.plain and isinstance(self._driver, TerminalDriver) and not self.is_inline

    def paint_now(self, widget: Widget) -> None:
        """Draw what has changed of `widget` at once, before anything that waits in a queue."""
        screen = self.screen
        compositor = screen._compositor
        if (
            self._painter is None
            or not self.paints
            # What is not painted now must stay marked: an editor is open, or the terminal has another size already.
            or self._batch_count
            or not self._running
            or self._closed
            or compositor.size != self.size
            or not widget._repaint_required
            or widget._layout_required
            or screen._layout_required
            or not screen.is_current
            or widget not in compositor.visible_widgets
        ):
            return
        widget._repaint_required = False
        if not self._paint_uncovered(widget, compositor, self._painter):
            compositor.update_widgets({widget})
            self._display(screen, compositor.render_update(screen_stack=self._background_screens))

    def _paint_uncovered(self, widget: Widget, compositor: Compositor, painter: Painter) -> bool:
        """Draw a widget without the compositor, which cuts every row at every widget's edges; False where it is needed.

        It is where something lies over what is to be drawn.
        """
        if compositor.size != (painter.width, painter.height):
            return False
        region, clip = compositor.visible_widgets[widget]
        visible = region.intersection(clip)
        changed = (visible.intersection(part.translate(region.offset)) for part in widget._repaint_regions)
        dirty = sorted(filter(None, changed), key=attrgetter("y"))
        # In the order from the front to the back.
        for other, (its_region, its_clip) in compositor.visible_widgets.items():
            if other is widget:
                break
            covering = its_region.intersection(its_clip)
            if any(covering.overlaps(each) for each in dirty):
                return False
        widget._exchange_repaint_regions()
        strips = self._strips_for(painter)
        spans = []
        for x, y, width, height in dirty:
            lines = widget.render_lines(Region(x - region.x, y - region.y, width, height))
            for row, strip in enumerate(lines, y):
                strips.put_strip(row, x, strip)
                spans.append((row, x, x + width))
        painter.may_scroll(bands_of(spans))
        self._paint()
        self.post_display_hook()
        return True

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if not self.paints:
            super()._display(screen, renderable)
            return
        if type(screen._compositor) is Compositor:
            # From the next update on; this one is made.
            screen._compositor.__class__ = LeanCompositor
        if renderable is None or self._batch_count or not self._running or self._closed:
            self.post_display_hook()
            return
        if type(renderable) is LayoutUpdate:
            self._take_layout(renderable)
        elif type(renderable) is ChopsUpdate:
            self._take_chops(renderable)
        else:
            self._give_up(f"an update of a kind that is not known: {type(renderable).__name__}")
            super()._display(screen, renderable)
            return
        self._paint()
        self.post_display_hook()

    def _take_layout(self, update: LayoutUpdate) -> None:
        """All of the screen."""
        region = update.region
        painter = self._painter_for(region.right, region.bottom)
        strips = self._strips_for(painter)
        for row, line in enumerate(update.strips, region.y):
            strips.put(row, region.x, line)

    def _take_chops(self, update: ChopsUpdate) -> None:
        """Some spans of some rows."""
        # The size that the update was made for, not the app's: while the terminal is resized they differ.
        width, height = update.chop_ends[0][-1], len(update.chops)
        painter = self._painter
        if painter is not None and (painter.width, painter.height) != (width, height):
            # Part of a screen is not enough after a change of size.
            self.call_next(self.screen.refresh)
        painter = self._painter_for(width, height)
        strips = self._strips_for(painter)
        for row, left, right in update.spans:
            pieces = zip(update.chops[row].items(), update.chop_ends[row], strict=False)
            strips.put_pieces(
                row,
                [(x, strip) for (x, strip), end in pieces if strip is not None and x < right and end > left],
            )
        painter.may_scroll(bands_of(update.spans))

    def _painter_for(self, width: int, height: int) -> Painter:
        painter = self._painter
        if painter is None:
            painter = self._painter = Painter(width, height, self._abilities())
        elif (painter.width, painter.height) != (width, height):
            painter.resize(width, height)
        return painter

    def _strips_for(self, painter: Painter) -> Strips:
        if self._strips is None or self._strips.stale(painter):
            name = self.console.color_system
            self._strips = Strips(painter, COLOR_SYSTEMS[name] if name else ColorSystem.TRUECOLOR)
        return self._strips

    def _paint(self) -> None:
        """Bring the terminal nearer to what it should show, by as much as the line takes."""
        driver, painter = self._driver, self._painter
        if self._cursor_timer is not None:
            self._cursor_timer.cancel()
            self._cursor_timer = None
        if not isinstance(driver, TerminalDriver) or painter is None or not self._running or self._batch_count:
            return
        flow, backlog = self.flow, driver.output.backlog
        flow.expire(backlog)
        only = None
        if flow.waiting or backlog:
            self.meter.deferred += painter.pending
            only = self._urgent_rows(painter)
            self._wait(bool(backlog) and not flow.waiting)
            if only is None or not painter.valid:
                return
        frame = painter.frame(self._clamped(painter), visible=self._cursor_visible, budget=flow.budget, only=only)
        if not frame.data:
            return
        size = len(frame.data.encode("utf-8", "replace"))
        more = not frame.complete and only is None
        if flow.sending(size, more=more):
            self.meter.questions += 1
            driver.ask(frame.data + STATUS_QUERY)
            self._wait(False)
        else:
            driver.write(frame.data)
            if more:
                self._wait(True)
        self._measure(size, driver, painter)

    def _clamped(self, painter: Painter) -> tuple[int, int]:
        column, row = self._cursor
        return max(0, min(column, painter.width - 1)), max(0, min(row, painter.height - 1))

    @property
    def _cursor_visible(self) -> bool:
        return bool(self._screen_stacks and getattr(self.focused, "terminal_cursor", False))

    def _urgent_rows(self, painter: Painter) -> range | None:
        """The rows of what is typed into: they do not wait for the line."""
        focused = self.focused
        if focused is None or not 0 < focused.region.height <= _URGENT_ROWS:
            return None
        return range(max(0, focused.region.y), min(painter.height, focused.region.bottom))

    def _wait(self, soon: bool) -> None:
        """Look again, soon or when an answer that is under way should have come."""
        if self._wait_timer is None:
            delay = 0.02 if soon else 0.25
            self._wait_timer = asyncio.get_running_loop().call_later(delay, self._look_again)

    def _look_again(self) -> None:
        self._wait_timer = None
        painter = self._painter
        if painter is not None and painter.pending:
            self._paint()
        elif self.flow.outstanding and isinstance(self._driver, TerminalDriver):
            self.flow.expire(self._driver.output.backlog)
            self._wait(False)

    def _measure(self, size: int, driver: TerminalDriver, painter: Painter) -> None:
        meter = self.meter
        meter.frame(size, driver.output.backlog)
        meter.full_repaints, meter.rows_repainted = painter.full_repaints, painter.rows_repainted
        if self._key_at is not None:
            if (took := time.monotonic() - self._key_at) < _KEY_PATIENCE:
                meter.echoes.append(took)
            self._key_at = None

    def _give_up(self, reason: str) -> None:
        """From here on Textual paints: slower, still right."""
        self.log.warning("painting is left to Textual", reason=reason)
        self.plain = True
        if self._driver is not None:
            self._driver.write(self.terminal_farewell())
        self._painter = None
        self.refresh(layout=True)

    def _abilities(self) -> Abilities:
        able = self.capabilities
        return Abilities(
            bce=able.bce,
            scroll="scroll" if able.scroll else "index" if able.term == "linux" else "",
            margins=able.margins,
            synchronized=able.synchronized,
            repeat=able.repeat,
            trust_ambiguous=not able.ambiguous_wide,
        )

    # --- what the driver calls ----------------------------------------------------------------------------

    def terminal_started(self) -> None:
        """The terminal is in application mode, for the first time or again; what it shows is not known."""
        if isinstance(self._driver, TerminalDriver) and self._driver.input_tty:
            self.flow.asked()
        if self._painter is not None:
            self._painter.invalidate()

    def terminal_reply(self, reply: Reply, at: float) -> None:
        """The terminal has answered, at `at` on the monotonic clock."""
        if isinstance(reply, ModeReport):
            self._learn(self.capabilities.with_mode(reply.mode, reply.setting))
        elif isinstance(reply, StatusReport) and self.flow.answered(at):
            self.meter.round_trip = self.flow.last_round_trip
            self.meter.best_round_trip = self.flow.round_trip or 0.0
            self.meter.rate = self.flow.rate or 0.0
            pending = self._painter is not None and self._painter.pending
            if self.bandwidth.look(self.flow, deferred=pending):
                self.line_changed()
            if pending:
                self._paint()

    def terminal_cursor_report(self, row: int, column: int) -> None:
        """The terminal has said where its cursor is; both count from 1."""
        self._learn(self.capabilities.with_cursor(row, column))

    def terminal_farewell(self) -> str:
        """What undoes the modes that the painter has set."""
        return self._painter.farewell() if self._painter is not None else ""

    def terminal_key(self, at: float) -> None:
        """A key has arrived; called from the input thread."""
        if self._key_at is None:
            self._key_at = at

    def on_resize(self, event: Resize) -> None:
        # Terminals reflow, clip or clear as they like.
        painter = self._painter
        if painter is not None:
            painter.invalidate()
            if event.size == (painter.width, painter.height):
                # Of the same size as before: Textual has no reason to draw.
                self._wait(True)

    def _learn(self, capabilities: Capabilities) -> None:
        if capabilities == self.capabilities:
            return
        self.capabilities = capabilities
        if self._painter is not None:
            self._painter.abilities = self._abilities()
        self.line_changed()

    def _hang_up(self) -> None:
        self.on_hangup()

    def _stop_for_signal(self, exit_code: int) -> None:
        self.exit(return_code=exit_code)
