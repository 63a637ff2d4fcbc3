"""The lines of the agents' screen: list, fields, what Save will send, the values that are no texts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from tui.agents.editing import Agent, AgentLine, Draft
from tui.agents.fields import FIELDS, FieldSpec, Value, label, skip_label, value_of
from tui.services.dms_agents import CustomAgent
from tui.widgets.conversation_line import LETTERS, fit
from tui.widgets.conversation_rows import relative_time
from tui.words import _

if TYPE_CHECKING:
    from tui.services.rds_catalog import Skill, Tool

LABEL_CELLS = 14
STATUS_CELLS = 8
OPERATIONS = {
    ("rds", True): "CreateCustomAgent",
    ("rds", False): "UpdateCustomAgent",
    ("dms", True): "CreateCustomAgent",
    ("dms", False): "ModifyCustomAgent",
}
"""By service and whether the agent is new."""


def status_word(status: str) -> str:
    """A status of the Data Agent's agents in the user's language; an unknown one as it is."""
    return {
        "NEW": _("new"),
        "RELEASED": _("released"),
        "DRAFT": _("draft"),
        "OFFLINE": _("offline"),
    }.get(status.upper(), status.lower())


def list_row(line: AgentLine, width: int, now: datetime) -> Content:
    """`~R name        released   3d` in `width` cells: `~` not saved, `+` not on the service yet."""
    age = relative_time(line.updated_at, now) if line.updated_at is not None else ""
    status = status_word(line.status) if line.status else ""
    room = width - 4 - (STATUS_CELLS + 1 if status else 0) - 5
    return Content.assemble(
        ("+" if line.is_new else "~" if line.unsaved else " ", "$warning"),
        (LETTERS[line.service], "$muted"),
        " ",
        fit(line.name or _("no name yet"), max(4, room)),
        (" " + fit(status, STATUS_CELLS) if status else "", "$muted"),
        (f" {age:>4}", "$muted"),
    )


def short_value(spec: FieldSpec, value: Value, names: Mapping[str, str]) -> str:
    """A value in one line."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, tuple):
        if spec.kind == "lines":
            return "  ".join(value)
        shown = [skip_label(entry) if spec.kind == "skips" else names.get(entry, entry) for entry in value]
        return f"{len(shown)}: {_(', ').join(shown)}" if shown else ""
    if spec.kind == "text" and value:
        first = next((line.strip() for line in value.splitlines() if line.strip()), "")
        return _("{n} characters: {text}").format(n=f"{len(value):,}", text=first[:200])
    return value


def field_row(
    spec: FieldSpec, draft: Draft, width: int, names: Mapping[str, str], writing: Collection[str], *, wrong: bool
) -> Content:
    """`~ label   value` in `width` cells: `~` not as on the service, `!` cannot be saved so.

    Args:
        names: of skills, by id.
        writing: the tools that write; how many are among the agent's stands out.
    """
    is_changed = spec.name in draft.changed
    value = value_of(draft.form, spec.name)
    text = short_value(spec, value, names)
    count = sum(name in writing for name in value) if spec.kind == "tools" and isinstance(value, tuple) else 0
    alert = _("writing: {count}").format(count=count) + "   " if count else ""
    room = max(8, width - LABEL_CELLS - 2 - cell_len(alert))
    mark, style = ("! ", "$error") if wrong else ("~ ", "$warning") if is_changed else ("  ", "")
    return Content.assemble(
        (mark, style),
        (fit(label(spec.name), LABEL_CELLS), "$muted"),
        (alert, "bold $warning"),
        (fit(text, room), "bold" if is_changed else "") if text else (fit(_("not set"), room), "$muted"),
    )


def title_line(draft: Draft) -> Content:
    """Whose it is, and under which id."""
    where = "RDS Copilot" if draft.service == "rds" else "Data Agent"
    if draft.base is None:
        return Content.styled(f"{where} · {_('new, not saved yet')}", "$warning")
    parts = [where, draft.agent_id]
    if isinstance(draft.agent, CustomAgent):
        parts.insert(1, status_word(draft.agent.status))
    return Content.styled(" · ".join(parts), "$muted")


def sends_line(draft: Draft) -> Content:
    """What Save will send."""
    if not draft.unsaved:
        return Content.styled(_("As on the service."), "$muted")
    # Of a new agent the switch goes along, whatever it says.
    sent = [
        spec.name
        for spec in FIELDS[draft.service]
        if spec.name in draft.changed or (draft.base is None and spec.kind == "switch")
    ]
    fields = _(", ").join(label(name) for name in sent)
    operation = OPERATIONS[draft.service, draft.base is None]
    what = _("Save sends {operation}").format(operation=operation)
    return Content.assemble(("~ ", "$warning"), what + _(": ") + fields)


def value_lines(
    spec: FieldSpec,
    draft: Draft,
    tools: Sequence[Tool],
    skills: Sequence[Skill],
) -> Content:
    """A value that is no text, in full, with what it means."""
    value = value_of(draft.form, spec.name)
    parts = [Content.styled(help_of(spec.name), "$muted")]
    if spec.kind == "tools" and isinstance(value, tuple):
        if value and not getattr(draft.form, "enable_tools", True):
            parts.append(Content.styled(_("Tools are off: these are kept, and not used."), "$warning"))
        known = {tool.name: tool for tool in tools}
        parts += [_entry(name, *_tool_words(known.get(name))) for name in value]
    elif spec.kind == "skills" and isinstance(value, tuple):
        by_id = {skill.id: skill for skill in skills}
        for name in value:
            found = by_id.get(name)
            parts.append(_entry(found.name if found else name, "", found.description if found else ""))
    elif isinstance(value, tuple):
        parts += [Content(f"  {skip_label(entry)}") for entry in value]
    return Content("\n").join(parts)


def tool_mark(tool: Tool) -> str:
    """Whether a tool changes something, in a word."""
    return _("writes") if tool.writes else _("reads")


def _tool_words(tool: Tool | None) -> tuple[str, str]:
    return (tool_mark(tool), tool.description) if tool is not None else ("", "")


def _entry(name: str, mark: str, text: str) -> Content:
    style = "bold $warning" if mark == _("writes") else "$muted"
    return Content.assemble(f"  {name}", (f"  {mark}" if mark else "", style), (f"  {text}" if text else "", "$muted"))


def details(agent: Agent) -> list[tuple[str, str]]:
    """What the service tells beside the form: ids, times, and of the Data Agent what is set in the console."""
    rows = [("id", agent.id)]
    if isinstance(agent, CustomAgent):
        rows += [(_("state"), status_word(agent.status)), (_("made by"), agent.creator)]
        rows += [(_("changed"), _moment(agent.modified_at))]
        rows += [(name, agent.other.text(name)[:2000]) for name in ("ReleaseTime", "OfflineTime", "NextRuntime")]
        rows += [(name, agent.other.text(name)[:2000]) for name in agent.others]
    else:
        rows += [(_("made"), _moment(agent.created_at)), (_("changed"), _moment(agent.updated_at))]
    return [(name, value) for name, value in rows if value]


def _moment(moment: datetime | None) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment is not None else ""


def help_of(name: str) -> str:
    """What a field is for, one sentence."""
    return {
        "name": _("What people see. Names need not differ: the id is what counts."),
        "enable_tools": _("Without tools the agent answers from its prompt and the model alone."),
        "tools": _("What the agent may call. What writes changes instances: choose it with care."),
        "skill_ids": _("Ways of working that the agent knows; a question that begins with /name calls one."),
        "system_prompt": _("Who the agent is and how it works; [tool_name] in it encourages a tool."),
        "skips": _("What the agent does without asking."),
        "theme": _("How web reports look."),
        "description": _("For people who choose an agent."),
        "questions": _("Offered at the beginning of a conversation; one a line, at most ten."),
        "knowledge": _("What the agent must know: terms, rules, calendars."),
        "instruction": _("How the agent works."),
    }.get(name, "")
