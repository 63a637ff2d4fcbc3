"""Standard output as it is found: of any encoding, on a full disk, into a pipe that nobody reads any more."""

from __future__ import annotations

import io
import os
import sys


def take_any_text() -> None:
    """Characters that the terminal's encoding does not have are written as `?`, not raised (GBK has no emoji)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def give_up(error: OSError) -> str:
    """Write nothing more, not even when the interpreter ends; why, "" where the reader has gone (`| head`)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return "" if isinstance(error, BrokenPipeError) else error.strerror or str(error)
