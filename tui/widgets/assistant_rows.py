"""Lines of the assistant manager: the list, the form, the value under the cursor. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from textual.content import Content

from tui.assistants.fields import AnyAssistant, Field, fields_of, full, help_of, label, short
from tui.services.assistant_models import Assistant
from tui.text import clean_line
from tui.widgets.conversation_line import fit
from tui.widgets.conversation_rows import TitleFilter
from tui.words import _

if TYPE_CHECKING:
    from tui.assistants.drafts import Draft

Order = Literal["newest", "name", "model"]
ORDERS: tuple[Order, ...] = ("newest", "name", "model")
LABEL_CELLS = 18
MOST_PREVIEW = 200
"""Lines of a value that are shown below the form."""


@dataclass(frozen=True, slots=True)
class ListLine:
    """A line of the list: an assistant or a new draft; a heading has no key."""

    key: str
    name: str
    model: str = ""
    local: bool = False
    unsaved: bool = False
    created_at: datetime | None = None


def list_lines(
    server: Sequence[AnyAssistant], profiles: Sequence[AnyAssistant], drafts: Iterable[Draft], found: TitleFilter
) -> list[ListLine]:
    """Every assistant and new draft that the filter lets through, by name, model or id; in no order yet."""
    held = {draft.key: draft for draft in drafts}
    new = [draft for draft in held.values() if draft.is_new]
    known = {one.id for one in (*server, *profiles)}
    # Deleted elsewhere meanwhile: what was typed is still there, to be cloned.
    orphans = [draft for draft in held.values() if not draft.is_new and draft.key not in known]
    lines = [
        *(_line(draft.key, draft.value, True) for draft in new),
        *(_line(one.id, held[one.id].value if one.id in held else one, one.id in held) for one in (*server, *profiles)),
        *(_line(draft.key, draft.value, True) for draft in orphans),
    ]
    return [line for line in lines if not found or found.matches(f"{line.name} {line.model} {clean_line(line.key)}")]


def _line(key: str, assistant: AnyAssistant, unsaved: bool) -> ListLine:
    server = isinstance(assistant, Assistant)
    return ListLine(
        key,
        clean_line(assistant.name) or _("unnamed"),
        clean_line(assistant.model),
        local=not server,
        unsaved=unsaved,
        created_at=assistant.created_at if isinstance(assistant, Assistant) else None,
    )


def ordered(lines: Sequence[ListLine], order: Order) -> list[ListLine]:
    """The lines of one place; `newest` keeps the order in which they are listed."""
    if order == "newest":
        return [*lines]
    return sorted(lines, key=lambda line: ((line.name if order == "name" else line.model).casefold(), line.name))


def list_row(line: ListLine, width: int) -> Content:
    """`~ name        model` in exactly `width` cells; the mark is for what is not saved. A heading is its name."""
    if not line.key:
        return Content.styled(line.name, "bold $muted")
    model = min(14, max(0, width - 16))
    return Content.assemble(
        ("~ " if line.unsaved else "  ", "$warning"),
        fit(line.name, width - model - 3),
        " ",
        (fit(line.model, model), "$muted"),
    )


def order_name(order: Order) -> str:
    return {"newest": _("newest first"), "name": _("by name"), "model": _("by model")}[order]


# --- the form ----------------------------------------------------------------------------------------------


def field_row(field: Field, draft: Draft, width: int, wrong: bool = False) -> Content:
    """`~ label   value`, in one line of `width` cells. `~`: not as saved; `!`: cannot be saved so."""
    value = short(field, draft.value)
    changed = field.name in draft.changed
    mark, style = ("! ", "$error") if wrong else ("~ ", "$warning") if changed else ("  ", "")
    room = max(8, width - LABEL_CELLS - 2)
    return Content.assemble(
        (mark, style),
        (fit(label(field.name), LABEL_CELLS), "$muted"),
        (fit(value, room), "bold" if changed else "") if value else (fit(_("not set"), room), "$muted"),
    )


def form_title(draft: Draft) -> Content:
    """Where it is, and under which id."""
    if draft.is_new:
        where = _("new, not saved yet") if isinstance(draft.value, Assistant) else _("new profile, not saved yet")
        return Content.styled(where, "$warning")
    if isinstance(draft.value, Assistant):
        parts = [_("on the service"), draft.value.id]
        if draft.value.created_at is not None:
            parts.append(draft.value.created_at.astimezone().strftime("%Y-%m-%d"))
    else:
        parts = [_("on this machine, run through Responses"), draft.value.id]
    return Content.styled(" · ".join(parts), "$muted")


def send_line(draft: Draft) -> Content:
    """What Save will send: the names of the fields, and nothing else."""
    changed = draft.changed
    if not changed:
        return Content.styled(_("As saved."), "$muted")
    names = _(", ").join(label(name) for name in changed)
    if draft.is_new:
        text = _("Save creates it with: {names}").format(names=names)
    elif isinstance(draft.value, Assistant):
        text = _("Save sends: {names}").format(names=names)
    else:
        text = _("Save writes: {names}").format(names=names)
    return Content.assemble(("~ ", "$warning"), text)


def preview(field: Field, draft: Draft, reason: str = "") -> Content:
    """The help of a field, why its value cannot be saved, and the value in full."""
    parts = [Content.styled(help_of(field.name, local=not isinstance(draft.value, Assistant)), "$muted")]
    if reason:
        parts.append(Content.styled(f"! {reason}", "$error"))
    value = full(field, draft.value)
    if field.kind in ("text", "tools", "metadata", "ids") and value:
        lines = value.splitlines()
        if len(lines) > MOST_PREVIEW:
            lines[MOST_PREVIEW:] = [_("… {count} more lines").format(count=len(lines) - MOST_PREVIEW)]
        parts += [Content(""), *(Content(line) for line in lines)]
    return Content("\n").join(parts)


def field_at(draft: Draft, name: str) -> Field:
    """The field of this name of a draft's kind."""
    return next(field for field in fields_of(draft.value) if field.name == name)
