"""The options of a conversation with DashScope in words."""

from __future__ import annotations

from collections.abc import Mapping

from tui.words import _


def partner_name(options: Mapping[str, str]) -> str:
    """With whom the conversation is; "" where nobody was chosen yet."""
    named = options.get("assistant_name", "")
    return named or options.get("assistant", "") or options.get("profile", "") or options.get("model", "")


def backend_name(options: Mapping[str, str]) -> str:
    """Which of the service's interfaces runs it."""
    if options.get("backend") == "responses" or options.get("profile") or not options.get("assistant"):
        return _("through Responses")
    return _("in a thread")


def describe_partner(options: Mapping[str, str]) -> list[str]:
    """What a new conversation says about its partner."""
    name = partner_name(options)
    if not name:
        return [_("F7 chooses an assistant, and Enter asks for one; Esc, M manages them.")]
    return [_("With {name}, {how}. F7 chooses another.").format(name=name, how=backend_name(options))]
