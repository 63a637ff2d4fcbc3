"""Textual's settings, chosen on purpose. They are read when Textual is first imported: call `prepare` before."""

from __future__ import annotations

from collections.abc import MutableMapping

FRAMES = 250
"""Frames a second that Textual may make at most. Deltas come in ticks of their own, so this only bounds how long a
key waits for its frame: 4 ms."""

ESCAPE_LOCAL, ESCAPE_SSH = 30, 100
"""Milliseconds after which Esc is a key and not the beginning of another: a line may tear a sequence apart."""


def prepare(environ: MutableMapping[str, str]) -> None:
    """Set what the user has not set, and forget sizes of the terminal that were exported: they never change."""
    for name in ("COLUMNS", "LINES"):
        environ.pop(name, None)
    ssh = any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))
    for name, value in (
        ("TEXTUAL_FPS", str(FRAMES)),
        # Every step of an animation is a frame.
        ("TEXTUAL_ANIMATIONS", "none"),
        # Needs resize reports in-band and mouse positions in pixels: more bytes up the line.
        ("TEXTUAL_SMOOTH_SCROLL", "0"),
        ("ESCDELAY", str(ESCAPE_SSH if ssh else ESCAPE_LOCAL)),
    ):
        environ.setdefault(name, value)
