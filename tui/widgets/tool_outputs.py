"""Lines about calls that wait for their outputs: the list, and one call in full. No I/O."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from textual.content import Content

from tui.models import AskCall
from tui.text import clean, clean_line
from tui.widgets.conversation_line import fit
from tui.words import _

if TYPE_CHECKING:
    from tui.settings import ToolCommand

MOST_SHOWN = 20_000
"""Characters of arguments and of an output that are shown."""


def call_row(number: int, call: AskCall, output: str | None, width: int, *, bound: bool) -> Content:
    """`1  big_add {"left": …}   = 3`: a call, and its output where there is one."""
    given = output is not None
    state = f"= {clean_line(output, 60)}" if output is not None else _("a command is bound") if bound else _("missing")
    room = max(12, width // 3)
    return Content.assemble(
        (f"{number + 1}  ", "$muted"),
        (fit(clean_line(f"{call.name} {call.arguments}", 300), width - room - 6), "bold" if not given else ""),
        "  ",
        (fit(state, room), "$success" if given else "$waiting"),
    )


def call_text(call: AskCall, output: str | None, note: str, command: ToolCommand | None) -> Content:
    """A call in full: its arguments laid out, what is wrong with it, its command, its output."""
    parts = [Content.styled(clean_line(call.name), "bold"), Content(laid_out(call.arguments))]
    if call.description:
        parts.insert(1, Content.styled(clean_line(call.description), "$muted"))
    if note:
        parts += [Content.styled(f"! {line}", "$warning") for line in clean(note).splitlines()]
    if command is not None:
        argv = json.dumps(list(command.argv), ensure_ascii=False)
        parts += [Content(""), Content.styled(_("bound command: {argv}").format(argv=clean_line(argv)), "$muted")]
    parts += [Content(""), Content.styled(_("output"), "$muted")]
    parts.append(Content(clean(output[:MOST_SHOWN])) if output is not None else Content.styled(_("none yet"), "$muted"))
    return Content("\n").join(parts)


def laid_out(text: str) -> str:
    """JSON indented; what is none as it came."""
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    return clean(text[:MOST_SHOWN])
