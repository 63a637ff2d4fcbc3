"""How long what a Data Agent session needs is there. Source: protocol notes (DMS) 7."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

RUNTIME_IDLE = timedelta(hours=1)
"""The agent's runtime is taken away so long after its last session fell silent."""
SESSION_KEPT = timedelta(hours=6)
"""A session is taken away so long after its task ended when nothing follows."""
SESSION_EXPIRED = "SessionExpired"
"""`Problem.code` of a session that is no longer there: a new one with the same data can take its place."""


class Lifetime(NamedTuple):
    """Until when what a session needs is there, counted from the end of its newest turn."""

    runtime_until: datetime
    session_until: datetime


def lifetime(ended_at: datetime) -> Lifetime:
    """What is to be expected after a turn that ended (or fell silent) at `ended_at`."""
    return Lifetime(ended_at + RUNTIME_IDLE, ended_at + SESSION_KEPT)
