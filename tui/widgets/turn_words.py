"""The state and the rating of a turn in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.words import _

if TYPE_CHECKING:
    from tui.models import Rating, TurnState


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
