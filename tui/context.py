"""Who and where: a module of its own, since the first paint shows it and needs nothing else of the models."""

from __future__ import annotations

from typing import NamedTuple


class Context(NamedTuple):
    """Who and where: the left and right end of the context bar."""

    profile: str = ""
    account: str = ""
    """Masked, for example `LTAI…3f2a`."""
    region: str = ""
    environment: str = ""
    """`prod`, `staging` ...; shown in words and never cut off."""
    sandbox: bool = False
    sandbox_reason: str = ""
    """Why the sandbox is used: asked for, or no credentials were found."""
    read_only: bool = False
