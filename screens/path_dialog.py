"""Asking for a file on this machine."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from screens.dialogs import Dialog
from tui.widgets.path_input import PathInput
from tui.words import _


class PathDialog(Dialog[Path]):
    """The answer is a path as it was typed, made whole; whether there is a file is for the caller to find out.

    Args:
        folder: where it begins; the home folder is written as `~`.
        suffixes: of the files that Tab offers; all of them where there are none.
    """

    def __init__(self, title: str, folder: Path, lines: Sequence[str] = (), suffixes: Collection[str] = ()) -> None:
        super().__init__(title, lines, [("Tab", _("complete")), ("Enter", _("take")), ("Esc", _("cancel"))])
        self._folder = folder
        self._suffixes = suffixes

    def body(self) -> Iterable[Widget]:
        home, folder = os.path.expanduser("~"), str(self._folder)
        inside = folder == home or folder.startswith(f"{home}/")
        yield PathInput(f"{'~' + folder[len(home) :] if inside else folder}/", suffixes=self._suffixes, id="file")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if typed := event.value.strip():
            self.dismiss(Path(os.path.abspath(os.path.expanduser(typed))))
