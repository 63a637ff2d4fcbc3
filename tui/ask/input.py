"""The question of `yunliao ask`: from the argument, from stdin, or from both."""

from __future__ import annotations

import os
import select
import stat
import sys

from tui.text import clean
from tui.words import _

MAX_STDIN = 1_000_000
"""Bytes that are read from stdin; a request takes much less."""
STDIN_HINT_AFTER = 2.0
"""Seconds without input on a pipe after which it is said that it is waited for."""


def read_question(argument: str) -> str:
    """The question from the argument, from stdin, or from both: then stdin is evidence below the question.

    Raises:
        ValueError: there is none, or stdin holds more than is ever sent.
    """
    piped = ""
    if argument in ("", "-") or not sys.stdin.isatty():
        piped = _read_stdin(hint=argument not in ("", "-"))
    if argument in ("", "-"):
        question = piped.strip()
    elif piped.strip():
        fence = "```"
        while fence in piped:
            fence += "`"
        question = f"{argument}\n\n{fence}\n{piped.rstrip()}\n{fence}"
    else:
        question = argument
    if not question.strip():
        raise ValueError(_("there is no question; give it as an argument or on stdin."))
    return clean(question)


def _read_stdin(*, hint: bool) -> str:
    stream = sys.stdin.buffer
    mode = os.fstat(stream.fileno()).st_mode
    if hint and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        # A pipe that nobody writes to and nobody closes, as a job scheduler or `ssh HOST COMMAND` leaves it.
        ready, _writable, _broken = select.select([stream], [], [], STDIN_HINT_AFTER)
        if not ready:
            print(_("yunliao: waiting for stdin; `</dev/null` says that there is nothing to read."), file=sys.stderr)
    data = stream.read(MAX_STDIN + 1)
    if len(data) > MAX_STDIN:
        raise ValueError(_("stdin holds more than {n} KB; send less.").format(n=MAX_STDIN // 1000))
    return data.decode("utf-8", "replace")
