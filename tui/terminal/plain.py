"""A text alone on the terminal: no gutter, no border, no hard wrap, to be selected as any output is."""

from __future__ import annotations

import asyncio
import os
import sys

from textual.app import App

from tui.text import clean
from tui.words import _


async def show(app: App[int], text: str) -> None:
    """Leave the screen to `text` until a line is typed. The loop is not blocked meanwhile.

    Raises:
        OSError: standard input cannot be waited for.
        SuspendNotSupported: there is no terminal.
    """
    loop = asyncio.get_running_loop()
    typed = asyncio.Event()
    # batch_update: nothing of the app may be drawn below the text.
    with app.batch_update(), app.suspend():
        stream, keys = sys.__stderr__, sys.__stdin__
        assert stream is not None
        assert keys is not None
        ending = _("(Enter goes back)")
        await asyncio.to_thread(stream.write, f"{clean(text).rstrip()}\n\n{ending}\n")
        await asyncio.to_thread(stream.flush)
        loop.add_reader(keys.fileno(), typed.set)
        try:
            await typed.wait()
        finally:
            loop.remove_reader(keys.fileno())
        os.read(keys.fileno(), 4096)
