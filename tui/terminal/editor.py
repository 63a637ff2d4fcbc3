"""Writing in the user's own editor, while answers go on arriving."""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path

from textual.app import App

from tui.text import clean


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """The argument list of the editor: $VISUAL, $EDITOR, else vi."""
    return shlex.split(environ.get("VISUAL") or environ.get("EDITOR") or "") or ["vi"]


async def edit(app: App[int], text: str, suffix: str, environ: Mapping[str, str]) -> str:
    """`text` after the editor ended; the unchanged text when it failed. The loop is not blocked meanwhile.

    The file is private (0600), lies in the runtime folder where there is one, and is removed afterwards.

    Raises:
        OSError: the editor cannot be started, or the file not be written or read.
    """
    folder = environ.get("XDG_RUNTIME_DIR")
    handle, name = tempfile.mkstemp(suffix, "yunliao-", folder if folder and os.access(folder, os.W_OK) else None)
    path = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # batch_update: nothing of the app may be drawn into the editor's screen.
        with app.batch_update(), app.suspend():
            process = await asyncio.create_subprocess_exec(*editor_command(environ), name)
            code = await process.wait()
        if code:
            return text
        return clean(await asyncio.to_thread(path.read_text, "utf-8", "replace")).rstrip("\n")
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)
