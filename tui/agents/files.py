"""Custom agents as TOML files that git can hold: written for people, read strictly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args

from tui.agents.fields import FORMS, AgentService, Form
from tui.text import clean, clean_line
from tui.words import _

SCHEMA = 1
MOST_CHARACTERS = 2_000_000
"""Of a file that is read."""
MOST_AGENTS = 200
"""In one file: each becomes a draft, which somebody must look at."""


class AgentFileError(ValueError):
    """The file cannot be used; the text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class AgentFile:
    """One agent of a file. `id` is the service's, where the agent was there when it was written."""

    service: AgentService
    form: Form
    id: str = ""


def write(agents: Sequence[AgentFile]) -> str:
    """The agents as TOML, texts over several lines."""
    import tomli_w

    parts = [f"# {_('Custom agents; read them in again on the screen of the agents.')}\nschema = {SCHEMA}\n"]
    for agent in agents:
        table: dict[str, Any] = {"service": agent.service, "id": agent.id, **asdict(agent.form)}
        table = {name: list(value) if isinstance(value, tuple) else value for name, value in table.items()}
        # One table each: tomli_w would write short ones inline.
        parts.append("[[agent]]\n" + tomli_w.dumps(table, multiline_strings=True))
    return "\n".join(parts)


def read(text: str) -> tuple[AgentFile, ...]:
    """The agents of a file, in its order.

    Raises:
        AgentFileError: it is no TOML, of another format, or has a field that is unknown or of the wrong type.
    """
    import tomli

    if len(text) > MOST_CHARACTERS:
        raise AgentFileError(_("The file is too long to hold agents."))
    try:
        table = tomli.loads(text)
    except (ValueError, RecursionError) as error:
        raise AgentFileError(_("No TOML: {reason}").format(reason=clean_line(str(error)))) from None
    entries = table.get("agent")
    if table.get("schema") != SCHEMA or not isinstance(entries, list) or not entries:
        raise AgentFileError(_("No file of custom agents: it lacks `schema = 1` and `[[agent]]`."))
    if len(entries) > MOST_AGENTS:
        raise AgentFileError(_("There are more than {limit} in one file.").format(limit=MOST_AGENTS))
    return tuple(_agent(number, entry) for number, entry in enumerate(entries, 1))


def _agent(number: int, entry: object) -> AgentFile:
    def refuse(what: str) -> AgentFileError:
        return AgentFileError(_("Agent {number}: {what}").format(number=number, what=clean(what)))

    if not isinstance(entry, dict):
        raise refuse(_("not a table"))
    rest = dict(entry)
    service, agent_id = rest.pop("service", None), rest.pop("id", "")
    if service not in get_args(AgentService):
        raise refuse(_("`service` must be rds or dms"))
    if not isinstance(agent_id, str):
        raise refuse(_("`{field}` has the wrong type").format(field="id"))
    kind = FORMS[service]
    values: dict[str, Any] = {}
    for known in fields(kind):
        if known.name in rest:
            value = _value(rest.pop(known.name), known.default)
            if value is None:
                raise refuse(_("`{field}` has the wrong type").format(field=known.name))
            values[known.name] = value
    if rest:
        raise refuse(_("not known: {fields}").format(fields=_(", ").join(sorted(rest))))
    return AgentFile(service, kind(**values), clean(agent_id))


def _value(value: object, example: object) -> str | bool | tuple[str, ...] | None:
    """`value` where it is of the type of `example`, clean; else None."""
    if isinstance(example, bool):
        return value if isinstance(value, bool) else None
    if isinstance(example, str):
        return clean(value) if isinstance(value, str) else None
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return tuple(clean(entry) for entry in value)
    return None
