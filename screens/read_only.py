"""Profiles that change nothing."""

from __future__ import annotations

from tui.contract import YunliaoApi
from tui.words import _


def may_change(app: YunliaoApi) -> bool:
    """Whether this profile may change anything on the service; it is said where not."""
    if app.context.read_only:
        app.notify(_("This profile is read-only: nothing is changed on the service."), severity="warning")
    return not app.context.read_only
