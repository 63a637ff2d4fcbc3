"""Which of DashScope's two backends a conversation has; apart, since it is asked where none of them is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Backend = Literal["assistants", "responses"]


def backend_of(options: Mapping[str, str]) -> Backend:
    """What the options of a conversation say: `backend` itself, else an `assistant` without a `profile`."""
    match options.get("backend", ""):
        case "assistants":
            return "assistants"
        case "responses":
            return "responses"
    return "assistants" if options.get("assistant") and not options.get("profile") else "responses"
