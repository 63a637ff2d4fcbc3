"""An output of a function from a file."""

from __future__ import annotations

from pathlib import Path

from tui.text import clean, clean_line
from tui.words import _

MOST_OUTPUT = 256 * 1024
"""Bytes of a file that are taken as an output."""


class OutputProblem(ValueError):
    """The file cannot be an output; `str(error)` says why."""


def read_output(path: Path) -> str:
    """The text of a file. Blocking.

    Raises:
        OutputProblem: it is not there, too large, or no text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_OUTPUT + 1)
    except OSError as error:
        raise OutputProblem(clean_line(error.strerror or str(error))) from error
    if len(data) > MOST_OUTPUT:
        raise OutputProblem(_("It has more than {n} KB.").format(n=MOST_OUTPUT // 1024))
    try:
        return clean(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise OutputProblem(_("It is no text.")) from error
