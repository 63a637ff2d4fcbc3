"""A custom agent as it is being edited, a line of the list of agents, and what may come between reading and saving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from tui.agents.fields import AgentService, Form, changed
from tui.changes import Change
from tui.services.dms_agents import CustomAgent
from tui.services.rds_agents import RdsAgent
from tui.words import _

Agent: TypeAlias = RdsAgent | CustomAgent


@dataclass
class Draft:
    """An agent as it is being edited. `base` is what the service has, None for a new one."""

    key: str
    service: AgentService
    base: Form | None
    form: Form
    agent: Agent | None = None
    """As it was read last."""
    problems: dict[str, str] = field(default_factory=dict)
    """What the service said of a field when it was saved last, until that field is changed."""
    refused: tuple[str, ...] = ()
    """Right after a save: fields of which the service keeps another value than was sent."""
    also_changed: tuple[str, ...] = ()
    """Right after a save: what the service changed beside what was sent, by its own names."""

    @property
    def agent_id(self) -> str:
        """The service's id; "" for an agent that is not there yet."""
        return self.key.partition(":")[2] if self.base is not None else ""

    @property
    def is_read(self) -> bool:
        """Whether it was compared with the service in this run; one that was left on disk is not at first."""
        return self.base is None or self.agent is not None

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of the fields that differ from what the service has."""
        return changed(self.base, self.form)

    @property
    def unsaved(self) -> bool:
        return self.base is None or bool(self.changed)


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One line of the list."""

    key: str
    service: AgentService
    name: str
    status: str
    """Of the Data Agent's agents."""
    updated_at: datetime | None
    unsaved: bool
    is_new: bool


class AgentChanged(Exception):
    """Somebody else changed the agent meanwhile; the draft stands on their version now, and nothing was saved.

    `both`: fields that are changed on both sides; they keep the draft's value, and the next save overwrites theirs.
    """

    def __init__(self, theirs: Sequence[Change], both: Sequence[str]) -> None:
        super().__init__(_("The agent was changed on the service meanwhile."))
        self.theirs = tuple(theirs)
        self.both = tuple(both)


class AgentGone(Exception):
    """Somebody deleted the agent meanwhile; the draft is that of a new one now."""

    def __init__(self) -> None:
        super().__init__(_("The agent was deleted on the service meanwhile; saving makes a new one."))
