"""Turns in flight; see `Turns`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnUpdate:
    """A turn changed; read the conversation for what it is now. `ended`: it is over (or waits for the user)."""

    conversation_id: str
    turn_id: str
    ended: bool = False
    put_back: str = ""
    """The text of a question that failed: it goes back into the composer when that is empty."""


@dataclass(frozen=True, slots=True)
class TurnActivity:
    """What a running turn is doing; times are of the monotonic clock that the turns were given, in seconds."""

    turn_id: str
    began: float
    last_byte: float
    status: str = ""
    """In words, empty where there is nothing to say beyond "answering"."""
    events: int = 0
    queued: int = 0
    """Questions that wait for this turn."""
