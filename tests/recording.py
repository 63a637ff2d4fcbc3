"""An app that paints on an emulator in place of a terminal, every frame checked against the painter's model."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual._compositor import LayoutUpdate
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size
from textual.strip import Strip

from tests.emulator import Cell, Emulator
from tui.terminal.capabilities import STATUS_QUERY, StatusReport
from tui.terminal.display import PaintedDisplay
from tui.terminal.driver import TerminalDriver
from tui.terminal.painter import Painter

LONGER = int(os.environ.get("YUNLIAO_PROVE", "1"))
"""How many times as far `make prove` walks."""


class RecordingDriver(TerminalDriver):
    """Draws on `emulator` and answers at once; `frames` and `cells` count what was compared."""

    def __init__(self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: Any = None) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        width, height = size or (80, 24)
        self.emulator = Emulator(width, height, bce=_painted(app).capabilities.bce)
        self.frames = self.cells = self.bytes = 0
        self.answers = True

    def start_application_mode(self) -> None:
        width, height = self.emulator.width, self.emulator.height
        self.host.lifecycle.attach(asyncio.get_running_loop())
        self.tell_size(width, height)
        self.host.terminal_started()

    def tell_size(self, width: int, height: int) -> None:
        """The terminal has this size now."""
        size = Size(width, height)
        self._app.post_message(events.Resize(size, size))

    def resize(self, width: int, height: int) -> None:
        """Change the terminal's size, as its user would."""
        self.emulator.resize(width, height)
        self._size = (width, height)
        self.tell_size(width, height)

    def suspend(self) -> None:
        """Another program has the terminal for a while, and leaves it as it likes."""
        self.stop_application_mode()
        self.emulator.feed("\x1b[2J\x1b[5;5Hvim 另一个程序\x1b[31;44m colours\x1b[3;9r")
        self.start_application_mode()
        self._app.refresh(layout=True)

    def disable_input(self) -> None:
        pass

    def stop_application_mode(self) -> None:
        self.emulator.feed(self.host.terminal_farewell())

    def close(self) -> None:
        pass

    def write(self, data: str) -> None:
        self.bytes += len(data.encode())
        app = _painted(self._app)
        painter = app._painter
        if self.answers and STATUS_QUERY in data:
            self._loop.call_soon(app.terminal_reply, StatusReport(), time.monotonic())
        if painter is None or (painter.width, painter.height) != (self.emulator.width, self.emulator.height):
            # A frame that was made for the size before: real terminals clip it, and all is painted anew after.
            return
        self.emulator.feed(data.replace(STATUS_QUERY, ""))
        self.frames += 1
        self.cells += compare(self.emulator, painter)


def _painted(app: App[Any]) -> PaintedDisplay[Any]:
    assert isinstance(app, PaintedDisplay)
    return app


def recording(app: PaintedDisplay[Any]) -> PaintedDisplay[Any]:
    """`app`, to be run with `run_test(headless=False)`, on an emulator."""
    driver: type[Driver] = RecordingDriver
    app.driver_class = driver
    return app


def driver_of(app: App[Any]) -> RecordingDriver:
    driver = app._driver
    assert isinstance(driver, RecordingDriver)
    return driver


def plain(cells: list[Cell]) -> list[Cell]:
    """Cells with the plainest pen where nothing is to be seen of it."""
    return [(text, pen.blank() if text == " " else pen) for text, pen in cells]


def compare(emulator: Emulator, painter: Painter) -> int:
    """Assert that the emulator shows what the painter believes; the number of cells that were compared."""
    expand, pen = painter.clusters.expand, painter.pens.pen
    for row, (shown, cells) in enumerate(zip(painter.shown, emulator.cells, strict=True)):
        expected = [(expand(text), pen(number)) for text, number in zip(*shown, strict=True)]
        # Most rows are the same as they are.
        assert cells == expected or plain(cells) == expected, f"row {row}: {''.join(text for text, _pen in cells)!r}"
    return painter.width * painter.height


def assert_as_textual(app: App[Any]) -> int:
    """Assert that the emulator shows what Textual would draw of the screen in full; the cells that were compared."""
    emulator = driver_of(app).emulator
    reference = Emulator(emulator.width, emulator.height, strict=False)
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    assert isinstance(update, LayoutUpdate)
    update.strips = [[_without_orphans(strip) for strip in line] for line in update.strips]
    reference.feed(update.render_segments(app.console))
    for row, (drawn, expected) in enumerate(zip(emulator.cells, reference.cells, strict=True)):
        wrong = [pair for pair in zip(plain(drawn), plain(expected), strict=True) if pair[0] != pair[1]]
        assert not wrong, f"row {row}:\n{emulator.lines[row]!r}\n{reference.lines[row]!r}\n{wrong[:3]}"
    return emulator.width * emulator.height


def _without_orphans(strip: Strip) -> Strip:
    """Without the marks that lost their letter where a popup cut a cluster in two: they would go to the popup.

    Where they had a cell of their own, Textual's row is a cell too short: here a blank takes its place.
    """
    segments = [*strip]
    if segments and (text := segments[0].text) and not text[0].isascii() and not cell_len(text[0]):
        kept = next((text[at:] for at, mark in enumerate(text) if mark.isascii() or cell_len(mark)), "")
        segments[0] = Segment(kept, segments[0].style)
    missing = strip.cell_length - Segment.get_line_length(segments)
    if missing > 0:
        segments.insert(0, Segment(" " * missing, segments[0].style if segments else None))
    return Strip(segments)


def tally(name: str, cells: int, least: int) -> None:
    """Assert that `least` cells were compared, and note how many, for `make prove`, which adds them up."""
    assert cells >= least
    if path := os.environ.get("YUNLIAO_PROOF"):
        with open(path, "a") as file:
            file.write(f"{cells} {name}\n")
