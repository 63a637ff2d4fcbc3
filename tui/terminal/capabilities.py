"""What the terminal at the other end of the line can do: guessed from the environment, then asked of it.

Nothing waits for the answers. The program begins with what every terminal of the last thirty years can do, and
uses more from the moment on that the terminal has said so. The questions are chosen so that no answer can be
taken for a key: a status report (`CSI 0 n`) ends each round of questions and times the line, mode reports carry
`$y`, and a cursor report is only ever asked for in a row that is not the first, because `CSI 1 ; n R` is also
what F3 with a modifier sends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

Multiplexer = Literal["", "tmux", "screen"]
Colours = Literal["none", "16", "256", "truecolor"]

PATIENCE = 5.0
"""Seconds after which a terminal that has said nothing is taken to be one that never will."""

STATUS_QUERY = "\x1b[5n"
"""Device status report. Every terminal answers it, in order with what it has drawn before: four bytes there, four
back. `CSI 6 n` would do as well but that its answer can be taken for F3."""

STATUS_REPLY = "\x1b[0n"

_WIDE, _AMBIGUOUS = "云", "…─"
_REPEAT_ROW, _WIDE_ROW, _AMBIGUOUS_ROW = 2, 3, 4

_MODE_REPORT = re.compile(r"\x1b\[\?(\d+);(\d)\$y")
_STATUS_REPORT = re.compile(r"\x1b\[[0-9]n")

# Terminals whose erase and scroll functions fill with the pen's background (terminfo: bce).
_BCE = (
    *("xterm", "tmux", "rxvt", "linux", "konsole", "gnome", "vte", "alacritty"),
    *("foot", "kitty", "wezterm", "ghostty", "putty", "mintty", "iterm", "st-"),
)


class Capabilities(NamedTuple):
    """What may be sent to the terminal."""

    term: str = ""
    multiplexer: Multiplexer = ""
    ssh: bool = False
    colours: Colours = "16"
    bce: bool = False
    """Erasing and scrolling fill with the pen's background; without, with the default background."""
    scroll: bool = True
    """Scroll regions (DECSTBM) with SU and SD."""
    margins: bool = False
    """Left and right margins (DECLRMM)."""
    synchronized: bool = False
    """Synchronized output (mode 2026)."""
    repeat: bool = False
    """REP, also of a character outside ASCII."""
    wide: bool | None = None
    """A Chinese character takes two cells; None while not known."""
    ambiguous_wide: bool | None = None
    """Characters like … and ─ take two cells here, which breaks every frame; None while not known."""
    answers: bool | None = None
    """The terminal answers questions, so that the flow to it can be controlled; None while not known."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Capabilities:
        """What the environment tells."""
        term = environ.get("TERM", "")
        multiplexer: Multiplexer = "tmux" if environ.get("TMUX") else "screen" if environ.get("STY") else ""
        return cls(
            term=term,
            multiplexer=multiplexer,
            ssh=any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")),
            colours=_colours(term, environ),
            bce=multiplexer != "screen" and (multiplexer == "tmux" or term == "st" or term.startswith(_BCE)),
            # The console of Linux has DECSTBM, but neither SU nor SD.
            scroll=term not in ("", "dumb", "linux", "ansi", "vt52"),
        )

    def with_mode(self, mode: int, setting: int) -> Capabilities:
        """After a DECRPM report: `setting` 1 and 2 say that the mode can be set and reset, 0 and 4 that it cannot."""
        able = setting in (1, 2)
        if mode == 69:
            return self._replace(margins=able)
        if mode == 2026:
            return self._replace(synchronized=able)
        return self

    def with_cursor(self, row: int, column: int) -> Capabilities:
        """After a cursor report from one of the rows of `probes`; others change nothing."""
        if row == _REPEAT_ROW:
            return self._replace(repeat=column == 4)
        if row == _WIDE_ROW:
            return self._replace(wide=column == 3)
        if row == _AMBIGUOUS_ROW:
            return self._replace(ambiguous_wide=column != 3)
        return self


def probes(capabilities: Capabilities, environ: Mapping[str, str]) -> str:
    """What asks the terminal all this at once. It draws in rows 2 to 4: send it before the first full repaint."""
    if capabilities.term in ("", "dumb"):
        return ""
    questions = [
        f"\x1b[{_REPEAT_ROW}H─\x1b[2b\x1b[6n",
        f"\x1b[{_WIDE_ROW}H{_WIDE}\x1b[6n",
        f"\x1b[{_AMBIGUOUS_ROW}H{_AMBIGUOUS}\x1b[6n",
        "\x1b[2J",
        STATUS_QUERY,
    ]
    # Apple's Terminal prints the last character of a DECRQM.
    if environ.get("TERM_PROGRAM") != "Apple_Terminal" and capabilities.term != "linux":
        questions.insert(0, "\x1b[?69$p")
    return "".join(questions)


class ModeReport(NamedTuple):
    mode: int
    setting: int


class StatusReport(NamedTuple):
    """The terminal has drawn everything that was sent before the question."""


Reply = ModeReport | StatusReport


def parse_reply(sequence: str) -> Reply | None:
    """The report that `sequence` is, whole, or None when it is something else or not whole yet."""
    if sequence.endswith("n") and _STATUS_REPORT.fullmatch(sequence):
        return StatusReport()
    if sequence.endswith("y") and (match := _MODE_REPORT.fullmatch(sequence)):
        return ModeReport(int(match[1]), int(match[2]))
    return None


def _colours(term: str, environ: Mapping[str, str]) -> Colours:
    if environ.get("NO_COLOR") or term in ("", "dumb"):
        return "none"
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "truecolor"
    return "256" if "256" in term else "16"
