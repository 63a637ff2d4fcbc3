"""A typed path that is completed from the disk, off the event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.suggester import Suggester
from textual.widgets import Input

from tui.services.upload_checks import MEDIA_TYPES


class PathSuggester(Suggester):
    """The first folder or file that begins as typed; folders end with a slash."""

    def __init__(self, suffixes: Collection[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._suffixes = suffixes

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(complete_path, value, self._suffixes) if value else None


def complete_path(value: str, suffixes: Collection[str] = MEDIA_TYPES) -> str | None:
    """`value` completed by a name on the disk, a file's with one of `suffixes` (any, where there are none).

    None where nothing fits. Blocking.
    """
    folder, _slash, begun = value.rpartition("/")
    shown = value[: len(value) - len(begun)]
    try:
        with os.scandir(os.path.expanduser(folder or "/") if "/" in value else ".") as entries:
            fitting = sorted(
                entry.name + ("/" if entry.is_dir() else "")
                for entry in entries
                if entry.name.startswith(begun)
                and (begun or not entry.name.startswith("."))
                and (entry.is_dir() or not suffixes or Path(entry.name).suffix.lower() in suffixes)
                and entry.name.isprintable()
            )
    except (OSError, ValueError):
        return None
    return shown + fitting[0] if fitting else None


class PathInput(Input):
    """Tab and Right take the completion; Enter goes there."""

    BINDING_GROUP_TITLE = "path"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "complete", id="path.complete", show=False, tooltip="Complete the path"),
    ]

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        suffixes: Collection[str] = MEDIA_TYPES,
        id: str | None = None,
    ) -> None:
        """`suffixes` of the files that are offered; all of them where there are none."""
        suggester = PathSuggester(suffixes)
        super().__init__(value, placeholder=placeholder, suggester=suggester, select_on_focus=False, id=id)

    def action_complete(self) -> None:
        before = self.value
        self.action_end()
        self.action_cursor_right()
        if self.value == before:
            self.screen.focus_next()
