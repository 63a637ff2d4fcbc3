"""What custom agents are made of, field by field: kinds, limits, names, checks, and three-way merge. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias

from tui.changes import Change, changes_between
from tui.services.dms_agents import MOST_QUESTIONS, MOST_TEXT, SKIPS, DmsAgentForm
from tui.services.rds_agents import PROMPT_BYTES, AgentForm
from tui.words import _

AgentService = Literal["rds", "dms"]
Form: TypeAlias = AgentForm | DmsAgentForm
Value: TypeAlias = str | bool | tuple[str, ...]
Kind = Literal[
    "line",
    "text",  # several lines
    "lines",  # a list, one entry a line
    "switch",
    "tools",
    "skills",
    "skips",
    "theme",
]
FORMS: dict[AgentService, type[Form]] = {"rds": AgentForm, "dms": DmsAgentForm}
UNORDERED = frozenset({"tools", "skill_ids", "skips"})
"""Fields whose order means nothing: a service may give them back in another one."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field. `characters` and `encoded` (bytes in the address) are its limits, 0 for none."""

    name: str
    kind: Kind
    parameter: str
    """What it is called on the wire."""
    characters: int = 0
    encoded: int = 0


FIELDS: dict[AgentService, tuple[FieldSpec, ...]] = {
    "rds": (
        FieldSpec("name", "line", "Name"),
        FieldSpec("enable_tools", "switch", "EnableTools"),
        FieldSpec("tools", "tools", "Tools"),
        FieldSpec("skill_ids", "skills", "SkillIds"),
        FieldSpec("system_prompt", "text", "SystemPrompt", encoded=PROMPT_BYTES),
    ),
    "dms": (
        FieldSpec("name", "line", "Name"),
        FieldSpec("skips", "skips", "ExecutionConfig"),
        FieldSpec("theme", "theme", "WebReportTheme"),
        FieldSpec("description", "text", "Description"),
        FieldSpec("questions", "lines", "RecommendQuestionList"),
        FieldSpec("knowledge", "text", "Knowledge", characters=MOST_TEXT),
        FieldSpec("instruction", "text", "Instruction", characters=MOST_TEXT),
    ),
}
"""In the order of the form; the last is the prompt."""


def label(name: str) -> str:
    """The field's name in the user's language."""
    return {
        "name": _("name"),
        "system_prompt": _("system prompt"),
        "enable_tools": _("use tools"),
        "tools": _("tools"),
        "skill_ids": _("skills"),
        "description": _("description"),
        "instruction": _("instruction"),
        "knowledge": _("knowledge"),
        "questions": _("questions"),
        "skips": _("does without"),
        "theme": _("report theme"),
    }.get(name, name)


def skip_label(skip: str) -> str:
    """What an agent of the Data Agent does without."""
    return {
        "plan": _("confirming the plan"),
        "sql": _("confirming SQL"),
        "question": _("asking back"),
        "report": _("confirming the web report"),
        "data": _("data added in the session"),
    }.get(skip, skip)


def value_of(form: Form, name: str) -> Value:
    value: Value = getattr(form, name)
    return value


def with_value(form: Form, name: str, value: Value) -> Form:
    change: dict[str, Any] = {name: value}
    return replace(form, **change)


def same(one: Form, other: Form, name: str) -> bool:
    """Whether a field has the same value in both."""
    values = value_of(one, name), value_of(other, name)
    return values[0] == values[1] or (
        name in UNORDERED
        and isinstance(values[0], tuple)
        and isinstance(values[1], tuple)
        and set(values[0]) == set(values[1])
    )


def changed(base: Form | None, form: Form) -> tuple[str, ...]:
    """The names of the fields that differ; all that are filled where there is no base."""
    base = base or type(form)()
    return tuple(entry.name for entry in fields(form) if not same(base, form, entry.name))


def in_words(value: Value, kind: Kind, names: Mapping[str, str]) -> str:
    """A value as it stands in a comparison: lists one entry a line, skills by `names`."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str):
        return value
    if kind == "skips":
        return "\n".join(skip_label(entry) for entry in value)
    return "\n".join(names.get(entry, entry) for entry in value)


def changes(service: AgentService, base: Form | None, form: Form, names: Mapping[str, str]) -> tuple[Change, ...]:
    """What a save would change, field by field."""
    rows = []
    for spec in FIELDS[service]:
        if base is not None and same(base, form, spec.name):
            continue
        old = in_words(value_of(base, spec.name), spec.kind, names) if base is not None else ""
        rows.append((label(spec.name), old, in_words(value_of(form, spec.name), spec.kind, names)))
    return changes_between(rows)


def check(service: AgentService, base: Form | None, form: Form, known: Mapping[str, Collection[str]]) -> dict[str, str]:
    """What is wrong with what a save would send, by field, each a sentence; empty where it can be sent.

    `known`: for `tools` and `skill_ids` what the service offers, as far as it was read.
    """
    found: dict[str, str] = {}
    known = {"skips": SKIPS, **known}
    for spec in FIELDS[service]:
        value = value_of(form, spec.name)
        if base is not None and same(base, form, spec.name):
            continue  # The service has it so, and it is not sent.
        if isinstance(value, str):
            text = value.strip()
            if spec.characters and len(value) > spec.characters:
                found[spec.name] = _("{n} characters; the service takes {limit}.").format(
                    n=len(value), limit=spec.characters
                )
            elif not text and spec.name in ("name", "system_prompt"):
                found[spec.name] = _("An agent needs a {field}.").format(field=label(spec.name))
            elif not text and base is not None and value_of(base, spec.name):
                found[spec.name] = _("The service takes no empty text: it would keep the old one.")
        elif isinstance(value, tuple) and (offered := known.get(spec.name)) is not None:
            unknown = [entry for entry in value if entry not in offered]
            if unknown:
                found[spec.name] = _("The service does not offer: {names}").format(names=_(", ").join(unknown))
        if spec.name == "questions" and isinstance(value, tuple) and len(value) > MOST_QUESTIONS:
            found[spec.name] = _("At most {limit} questions.").format(limit=MOST_QUESTIONS)
    return found


def merge(base: Form, mine: Form, theirs: Form) -> tuple[Form, tuple[str, ...]]:
    """`mine` on top of `theirs`: what only they changed is theirs. And the fields that both changed, differently."""
    merged, both = mine, []
    for name in changed(base, theirs):
        if same(mine, base, name):
            merged = with_value(merged, name, value_of(theirs, name))
        elif not same(mine, theirs, name):
            both.append(name)
    return merged, tuple(both)


def find_field(service: AgentService, message: str) -> str:
    """The field that a refusal names, by the parameter in its words; "" where it names none."""
    named: Sequence[FieldSpec] = sorted(FIELDS[service], key=lambda spec: -len(spec.parameter))
    return next((spec.name for spec in named if spec.parameter in message), "")
