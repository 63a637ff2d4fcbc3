"""The exit codes of the command line: part of its interface, so that scripts can rely on them."""

from __future__ import annotations

from enum import IntEnum

from tui.words import _


class Exit(IntEnum):
    ANSWERED = 0
    FAILED = 1
    USAGE = 2
    NOT_ALLOWED = 3
    STOPPED = 4
    TIMED_OUT = 5
    APPROVAL = 6
    CUT_OFF = 7
    DIFFERS = 8


def meanings() -> dict[Exit, str]:
    """What each code says, for `--help`."""
    return {
        Exit.ANSWERED: _("answered, or done"),
        Exit.FAILED: _("the service or the line failed; the reason is on stderr"),
        Exit.USAGE: _("wrong usage or settings; nothing was sent"),
        Exit.NOT_ALLOWED: _("key, permission or order not accepted"),
        Exit.STOPPED: _("stopped with Ctrl+C or a signal, on the service first"),
        Exit.TIMED_OUT: _("no answer within --timeout; the service was told to stop"),
        Exit.APPROVAL: _("the service waits for your answer or approval; stderr says for which"),
        Exit.CUT_OFF: _("the answer ended without its end marker; what came is complete on stdout"),
        Exit.DIFFERS: _("`assistants diff`: the files differ from what is there"),
    }
