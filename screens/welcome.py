"""What a new conversation says before anything was asked in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.widgets.assistant_words import describe_partner
from tui.widgets.context_bar import SERVICE_NAMES
from tui.widgets.copilot_words import describe as describe_copilot
from tui.widgets.session_words import describe_options
from tui.words import _

if TYPE_CHECKING:
    from tui.models import ServiceName

SERVICES: tuple[ServiceName, ...] = ("rds", "dms", "dashscope")
"""Those that a new conversation can be begun with, by their digits."""


def welcome(service: ServiceName, options: Mapping[str, str]) -> str:
    """`options`: what the conversation will begin with."""
    others = [f"{number} {SERVICE_NAMES[name]}" for number, name in enumerate(SERVICES, 1) if name != service]
    lines = [
        _("A new conversation with {service}.").format(service=SERVICE_NAMES[service]),
        "",
        _("Write a question and press Enter. Ctrl+J makes a new line."),
        _("F1 shows the keys of the place you are in, Ctrl+P every action."),
        _("Another service: Esc, then {choices}.").format(choices="   ".join(others)),
    ]
    if service == "dms":
        lines += [_("@ chooses files for the agent, F7 its mode, plan, language and confirmations."), ""]
        lines += describe_options(options)
    elif service == "rds":
        lines += [_("F7 chooses model, thinking, language, approvals; / lists commands."), ""]
        lines += describe_copilot(options)
    else:
        lines += describe_partner(options)
    return "\n".join(lines)
