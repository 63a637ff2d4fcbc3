"""What a switch is."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Switch:
    """`default` is the argument where none is given; empty where the switch takes none."""

    name: str
    group: Group
    text: str
    default: str = ""
    action: str = "ChatMessages"
    """The action that it holds for unless it is written with `@Action`; `*` for all."""
