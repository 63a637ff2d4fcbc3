"""A walk that is watched from outside: after each step the app tells what its screen should show, and waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from textual._compositor import LayoutUpdate

from tui.terminal.display import PaintedDisplay


def whole_screen(app: PaintedDisplay[Any]) -> str:
    """What Textual itself would show."""
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    assert isinstance(update, LayoutUpdate)
    return "\n".join("".join(strip.text for strip in line) for line in update.strips)


def at_rest(app: PaintedDisplay[Any]) -> bool:
    """The terminal has been sent everything."""
    return app._painter is not None and not app._painter.pending and not app.screen._dirty_widgets


async def walk(
    app: PaintedDisplay[Any],
    folder: Path,
    steps: int,
    step: Callable[[], Awaitable[None]],
    resting: Callable[[], bool] = lambda: True,
) -> None:
    """Take `steps`; after each write what is meant to N.txt in `folder` and wait for N.ok.

    A widget may compose itself anew a while after the step, a clock may go on: what it comes to counts.
    """
    for number in range(steps):
        await step()
        path = folder / f"{number}.txt"
        written = ""
        while not path.with_suffix(".ok").exists():
            await asyncio.sleep(0.05)
            if at_rest(app) and resting() and (text := whole_screen(app)) != written:
                path.with_suffix(".new").write_text(text)
                path.with_suffix(".new").rename(path)
                written = text
    app.exit()
