"""A turn in words: its state, its rating, its details."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.words import _

if TYPE_CHECKING:
    from tui.models import Rating, Turn, TurnState


def state_name(state: TurnState) -> str:
    """The state in a word or two: `running`, `cut off`."""
    names: dict[TurnState, str] = {
        "queued": _("queued"),
        "sending": _("sending"),
        "running": _("running"),
        "waiting": _("waits for you"),
        "stopping": _("stopping"),
        "done": _("done"),
        "stopped": _("stopped"),
        "cut_off": _("cut off"),
        "interrupted": _("interrupted"),
        "failed": _("failed"),
    }
    return names[state]


def rating_name(rating: Rating) -> str:
    """`helpful` or `not helpful`; "" where it was not rated."""
    names: dict[Rating, str] = {"": "", "like": _("helpful"), "dislike": _("not helpful")}
    return names[rating]


def turn_details(turn: Turn) -> list[tuple[str, str]]:
    """What `i` shows of a turn: for a support ticket, so the ids come first."""
    rows = [
        (_("request id"), (turn.problem.request_id if turn.problem else "") or turn.ids.request),
        (_("conversation id"), turn.ids.conversation),
        (_("message id"), turn.ids.message),
        (_("task id"), turn.ids.task),
        (_("state"), state_name(turn.state)),
        (_("asked"), turn.asked_at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")),
    ]
    if turn.finished_at:
        rows.append(
            (_("took"), _("{seconds} s").format(seconds=round((turn.finished_at - turn.asked_at).total_seconds(), 1)))
        )
    if turn.usage:
        rows.append((_("tokens"), f"{turn.usage.input_tokens} / {turn.usage.output_tokens}"))
    if turn.problem:
        rows += [(_("error"), turn.problem.code), (_("HTTP status"), str(turn.problem.status or ""))]
    rows += [
        (_("broken frames left out"), str(turn.frames_skipped or "")),
        (_("unknown events"), str(turn.unknown_events or "")),
        (_("rated"), rating_name(turn.rating)),
    ]
    return [(name, value) for name, value in rows if value]
