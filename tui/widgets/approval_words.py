"""An approval round of RDS Copilot in words: its calls with arguments, and how looking for the decision stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.services.rds_rounds import CONSOLE, decision_of
from tui.words import _

if TYPE_CHECKING:
    from tui.approvals import Watch
    from tui.models import AskBlock, AskCall


def call_lines(ask: AskBlock, marks: tuple[str, str]) -> list[str]:
    """The calls, each with its arguments below. `marks`: of one that is open, of one that is decided."""
    lines: list[str] = []
    for call in ask.calls:
        decision = decision_of(call.status)
        state = "" if decision == "open" else f"  {decision_name(call)}"
        lines.append(f"{marks[decision != 'open']} {call.name}{state}")
        if call.description:
            lines.append(f"  {call.description}")
        lines += [f"    {line}" for line in _arguments(call.arguments)]
    return lines


def decision_name(call: AskCall) -> str:
    """What was decided; a word of the service that is not known stands as it came."""
    return {
        "approved": _("approved"),
        "refused": _("refused"),
        "expired": _("expired"),
        "open": _("not decided"),
    }.get(decision_of(call.status), call.status)


def _arguments(text: str) -> list[str]:
    if not text:
        return []
    try:
        values = json.loads(text)
    except ValueError:
        return text.split("\n")
    if not isinstance(values, Mapping):
        return text.split("\n")
    return [
        f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in values.items()
    ]


def where(watch: Watch | None, *, sandbox: bool = False) -> str:
    """Where the decision is made, and when it was last looked for."""
    lines = [_("Approve or refuse in the RDS console; no program can: {address}").format(address=CONSOLE)]
    if sandbox:
        lines = [_("Ask `console approve` or `console reject` in another conversation: the sandbox plays the console.")]
    if watch is None:
        return lines[0]
    if watch.problem is not None:
        lines.append(_("The last look failed: {reason}").format(reason=watch.problem.sentence or watch.problem.title))
    elif watch.given_up:
        lines.append(_("It is no longer looked for; g looks once more."))
    elif watch.looked_at is not None:
        said = _("Looked at {time}; the answer goes on by itself once all is decided.")
        lines.append(said.format(time=f"{watch.looked_at.astimezone():%H:%M:%S}"))
    return "\n".join(lines)
