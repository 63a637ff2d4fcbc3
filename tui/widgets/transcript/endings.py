"""How a turn ended, where that is not plain to see: its state in words, its error with what to try."""

from __future__ import annotations

from tui.models import Problem, Turn
from tui.widgets.transcript.blocks import ERROR, WARNING
from tui.widgets.transcript.cells import Spans, cut, wrap
from tui.widgets.transcript.lines import Look
from tui.widgets.transcript.styles import BOLD, DIM, TEXT
from tui.words import _


def end_rows(turn: Turn, look: Look) -> list[Spans]:
    """How the turn stands, where that is not plain to see."""
    rows: list[Spans] = []
    width = look.content
    words = {
        "queued": _("queued: it is sent when the answer before it has ended"),
        "sending": _("sending {dots}").format(dots=look.marks.ellipsis),
        "stopping": _("stopping: asked the service to stop, waiting for its word"),
        "stopped": _("stopped"),
        "cut_off": _("cut off: the stream ended before the service said that the answer was complete"),
        "interrupted": _("interrupted: the program ended before the answer did"),
    }
    if turn.state in words:
        rows += wrap(((words[turn.state], WARNING if turn.state in ("cut_off", "interrupted") else DIM),), width)
    elif turn.state == "done" and not turn.blocks:
        rows += wrap(((_("the service finished without an answer"), WARNING),), width)
    if turn.recovered:
        rows += wrap(((_("part of this answer was fetched afterwards from the service's history"), DIM),), width)
    if turn.frames_skipped:
        count = turn.frames_skipped
        text = (
            _("{n} unreadable frames of the stream were left out")
            if count > 1
            else _("one unreadable frame of the stream was left out")
        )
        rows += wrap(((text.format(n=count), DIM),), width)
    if turn.problem is not None:
        rows += problem_rows(turn.problem, look)
    if turn.rating:
        mark = _("you marked this answer as helpful") if turn.rating == "like" else _("you marked this as not helpful")
        rows += wrap(((mark, DIM),), width)
    return rows


def problem_rows(problem: Problem, look: Look) -> list[Spans]:
    """`✗ title: sentence`, then dim what to try and the request id."""
    sign = look.marks.failed + " "
    text = wrap(
        (
            (problem.title, ERROR | BOLD),
            (_(": ") if problem.title and problem.sentence else "", TEXT),
            (problem.sentence, TEXT),
        ),
        look.content - 2,
    )
    rows = [(((sign if index == 0 else "  "), ERROR), *row) for index, row in enumerate(text)]
    code = " ".join(part for part in (problem.code, f"HTTP {problem.status}" if problem.status else "") if part)
    request = _("request {id}").format(id=problem.request_id) if problem.request_id else ""
    facts = f" {look.marks.dot} ".join(part for part in (problem.remedy, code, request) if part)
    if facts:
        rows += [(("  ", TEXT), *row) for row in wrap(((cut(facts, 4000), DIM),), look.content - 2)]
    return rows
