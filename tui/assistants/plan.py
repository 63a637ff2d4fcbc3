"""What applying a file of assistants would do, and that in lines for a terminal or a pipe. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tui.assistants.fields import AnyAssistant, changed_fields, changes, has_secret
from tui.assistants.files import Entry, FileProblem
from tui.changes import Change, diff_lines
from tui.services.assistant_models import Assistant, AssistantProfile
from tui.text import clean, clean_line
from tui.words import _

Action = Literal["create", "update", "same"]
SIGNS: dict[Action, str] = {"create": "+", "update": "~", "same": "="}
_MARKS = {"kept": " ", "removed": "-", "added": "+", "skipped": " "}


@dataclass(frozen=True, slots=True)
class Planned:
    """One assistant of a file: what is there of it (a blank one where nothing is), and what it would become."""

    entry: Entry
    held: AnyAssistant
    after: AnyAssistant

    @property
    def action(self) -> Action:
        if not self.held.id:
            return "create"
        return "update" if changed_fields(self.held, self.after) else "same"


def plan(entries: Iterable[Entry], known: Sequence[AnyAssistant], *, fresh: bool = False) -> tuple[Planned, ...]:
    """What each entry means: the assistant with its id, else the one with its name, else a new one.

    Args:
        fresh: every entry is a new one, whatever is there.

    Raises:
        FileProblem: an id that is not there, a name that several have, or a new one without a model.
    """
    found = []
    for entry in entries:
        held = None if fresh else _held(entry, known)
        blank: AnyAssistant = Assistant("", "") if entry.backend == "assistants" else AssistantProfile("", "")
        after = entry.fresh() if held is None else entry.over(held)
        if not after.model:
            raise FileProblem(_("{name} is new, so it needs a model.").format(name=clean_line(entry.title)))
        found.append(Planned(entry, held if held is not None else blank, after))
    ids = [one.held.id for one in found if one.held.id]
    if twice := next((held_id for held_id in ids if ids.count(held_id) > 1), ""):
        raise FileProblem(_("{id} is meant by two of them.").format(id=twice))
    return tuple(found)


def _held(entry: Entry, known: Sequence[AnyAssistant]) -> AnyAssistant | None:
    kind = Assistant if entry.backend == "assistants" else AssistantProfile
    same = [one for one in known if isinstance(one, kind)]
    if entry.id:
        held = next((one for one in same if one.id == entry.id), None)
        if held is None:
            raise FileProblem(
                _("{id} is not there. Take its id out of the file to make a new one.").format(id=entry.id)
            )
        return held
    named = [one for one in same if entry.name and one.name == entry.name]
    if len(named) > 1:
        ids = _(", ").join(one.id for one in named)
        raise FileProblem(
            _("{count} have the name {name}: give the id ({ids}).").format(
                count=len(named), name=clean_line(entry.name), ids=ids
            )
        )
    return named[0] if named else None


def plan_lines(planned: Planned) -> Iterator[str]:
    """A head line, then each field that changes."""
    place = _("on the service") if isinstance(planned.after, Assistant) else _("on this machine")
    name = clean_line(planned.after.name or planned.after.model)
    where = planned.held.id or f"{_('new')}{_(', ')}{place}"
    yield f"{SIGNS[planned.action]} {name}  ({clean_line(where)})"
    for change in changes(planned.held, planned.after):
        yield from _change_lines(change)
    for plugin in planned.entry.tokens_left_out:
        if not any(tool.type == plugin and has_secret(tool) for tool in planned.after.tools):
            yield "    ! " + _("{plugin} has no token: the file holds none, nor has the assistant.").format(
                plugin=plugin
            )


def _change_lines(change: Change) -> Iterator[str]:
    if change.is_short:
        old, new = (clean_line(value) or _("not set") for value in (change.old, change.new))
        yield f"    {change.field}: {old} -> {new}"
        return
    yield f"    {change.field}:"
    for line in diff_lines(clean(change.old), clean(change.new)):
        text = _("… {count} lines as before").format(count=line.count) if line.kind == "skipped" else line.text
        yield f"      {_MARKS[line.kind]} {text}"
