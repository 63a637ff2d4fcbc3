"""What a switch is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Group = Literal[
    "gateway",
    "service",
    "line",
    "frames",
    "turn",
    "stop",
    "lists",
    "agents",
    "reports",
    "session",
    "events",
    "files",
    "assistants",
    "runs",
    "run-frames",
    "responses",
    "sign-in",
]


ANY = "*"
"""In the place of an action."""


@dataclass(frozen=True, slots=True)
class Switch:
    """`default` is the argument where none is given; empty where the switch takes none."""

    name: str
    text: str
    default: str = ""
    group: Group = field(kw_only=True)
    action: str = field(default="ChatMessages", kw_only=True)
    """The action that it holds for unless it is written with `@Action`."""
