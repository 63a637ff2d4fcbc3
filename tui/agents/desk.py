"""Custom agents of both services: the list, drafts of what is being edited, and saving without overwriting others.

Pure asyncio. A draft is on disk until it is saved or thrown away. The services have no versions: an agent is read again
right before it is saved, and what somebody else changed meanwhile is taken in first and shown. What happens in the
moment between that reading and the saving cannot be seen.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.agents.editing import Agent, AgentChanged, AgentGone, AgentLine, Draft
from tui.agents.fields import (
    FORMS,
    AgentService,
    Form,
    Value,
    changed,
    changes,
    check,
    find_field,
    label,
    merge,
    value_of,
    with_value,
)
from tui.agents.files import AgentFile, AgentFileError, read, write
from tui.agents.remote import Operation, RemoteAgents, service_of
from tui.cache.edits import EditFiles
from tui.changes import Change
from tui.finishing import finish, wait_for_end
from tui.models import Problem
from tui.services.dms_agents import CustomAgent
from tui.services.errors import ApiError, ServiceError
from tui.services.rds_agents import RdsAgent
from tui.words import _

if TYPE_CHECKING:  # httpx comes with them
    from tui.services.dms import DmsDataAgent
    from tui.services.rds import RdsCopilot
    from tui.services.rds_catalog import Skill, Tool


@dataclass(frozen=True, slots=True)
class AgentHooks:
    """What the owner of `Agents` lends."""

    rds: Callable[[], Awaitable[RdsCopilot]]
    """Raises ServiceError where the service cannot be used; so does `dms`."""
    dms: Callable[[], Awaitable[DmsDataAgent]]
    language: Callable[[], str]
    """Of the texts of tools and skills: `zh-CN`, `en-US` ..."""
    failed: Callable[[Problem], None] = lambda _problem: None
    """Something went wrong that nobody waits for any more."""


class Agents:
    """All agents of the account and the drafts of this run."""

    def __init__(self, hooks: AgentHooks, files: EditFiles) -> None:
        self._hooks = hooks
        self._remote = RemoteAgents(hooks.rds, hooks.dms)
        self._files = files
        self._agents: dict[str, Agent] = {}
        self._drafts: dict[str, Draft] = {}
        self._tools: dict[str, tuple[Tool, ...]] = {}
        self._skills: dict[str, tuple[Skill, ...]] = {}
        self._saving: dict[str, asyncio.Task[Draft]] = {}
        self._renamed: dict[str, str] = {}
        """By the key of a draft that was new: the key of what became of it."""
        self._drafts_read = False
        self.problems: dict[AgentService, Problem] = {}
        """Why a service's agents could not be listed."""

    # --- the list ------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """List the agents of both services; what fails is in `problems`. Drafts without changes are read anew."""
        self._drafts = {key: draft for key, draft in self._drafts.items() if draft.unsaved}
        await asyncio.gather(self._list("rds"), self._list("dms"))
        if not self._drafts_read:  # after the lists: whose drafts they are is known once a service was spoken with
            await self._take_up()
            self._drafts_read = True

    async def _take_up(self) -> None:
        """The drafts of an earlier run; what cannot be read stays on disk as it is."""
        for key, text in await self._files.read():
            with suppress(AgentFileError):
                mine, *base = read(text)
                self._drafts.setdefault(key, Draft(key, mine.service, base[0].form if base else None, mine.form))

    async def _list(self, service: AgentService) -> None:
        before = [key for key in self._agents if service_of(key) == service]
        try:
            found = await self._remote.list(service)
        except ServiceError as error:
            self.problems[service] = error.problem
            return
        self.problems.pop(service, None)
        # The other service's, and what was made here while the list was on its way.
        kept = {key: agent for key, agent in self._agents.items() if key not in before}
        self._agents = kept | found

    def lines(self) -> Sequence[AgentLine]:
        """New ones first, then by service and name."""
        found = []
        for key, draft in self._drafts.items():
            if key not in self._agents and draft.unsaved:
                found.append(AgentLine(key, draft.service, draft.form.name, "", None, unsaved=True, is_new=True))
        for key, agent in self._agents.items():
            held = self._drafts.get(key)
            service: AgentService = "rds" if isinstance(agent, RdsAgent) else "dms"
            status = agent.status if isinstance(agent, CustomAgent) else ""
            updated = agent.updated_at if isinstance(agent, RdsAgent) else agent.modified_at
            unsaved = held is not None and held.unsaved
            found.append(AgentLine(key, service, agent.form.name, status, updated, unsaved, is_new=False))
        return sorted(found, key=lambda line: (not line.is_new, line.service != "rds", line.name.casefold(), line.key))

    # --- what agents are made of ---------------------------------------------------------------------------

    async def tools(self) -> tuple[Tool, ...]:
        """The tools of RDS Copilot in the user's language, read once. Raises ServiceError."""
        language = self._hooks.language()
        if language not in self._tools:
            self._tools[language] = await (await self._hooks.rds()).catalog.tools(language)
        return self._tools[language]

    async def skills(self) -> tuple[Skill, ...]:
        """The skills of RDS Copilot in the user's language, read once. Raises ServiceError."""
        language = self._hooks.language()
        if language not in self._skills:
            self._skills[language] = await (await self._hooks.rds()).catalog.skills(language)
        return self._skills[language]

    @property
    def known_tools(self) -> Sequence[Tool]:
        """Those that were read; `known_skills` alike."""
        return self._tools.get(self._hooks.language(), ())

    @property
    def known_skills(self) -> Sequence[Skill]:
        return self._skills.get(self._hooks.language(), ())

    @property
    def skill_names(self) -> Mapping[str, str]:
        """By id, as far as they were read."""
        agents = [agent for agent in self._agents.values() if isinstance(agent, RdsAgent)]
        known = [*(skill for agent in agents for skill in agent.skills), *self.known_skills]
        return {skill.id: skill.name for skill in known if skill.name}

    # --- drafts --------------------------------------------------------------------------------------------

    def draft(self, key: str) -> Draft | None:
        """The draft under this key, also where a save has given it another one since."""
        return self._drafts.get(self._renamed.get(key, key))

    async def saved(self, key: str) -> Agent:
        """An agent as the service has it; the draft is left alone. Raises ServiceError."""
        return await self._remote.read(key)

    def begin(self, service: AgentService, form: Form | None = None) -> Draft:
        """A new agent that nobody has saved yet."""
        made = form or FORMS[service]()
        draft = Draft(f"new:{uuid.uuid4().hex[:12]}", service, None, made)
        self._drafts[draft.key] = draft
        self._keep(draft)
        return draft

    def clone(self, key: str) -> Draft:
        """A new agent like this one, as it is being edited."""
        held = self._drafts[key]
        name = _("{name} copy").format(name=held.form.name)
        return self.begin(held.service, with_value(held.form, "name", name))

    async def open(self, key: str) -> Draft:
        """The draft of an agent, read from the service again; what was being edited is kept.

        Raises:
            ServiceError: it cannot be read.
            AgentChanged, AgentGone: see there; the draft stands.
        """
        held = self._drafts.get(key)
        if held is not None and held.base is None:
            return held
        if held is not None and held.unsaved:
            await self._meet(held)
            return held
        agent = await self.saved(key)
        held = self._drafts.get(key)
        if held is None or not held.unsaved:  # else it was changed while this was read
            self._agents[key] = agent
            held = self._drafts[key] = Draft(key, service_of(key), agent.form, agent.form, agent)
        return held

    def change(self, key: str, name: str, value: Value) -> None:
        """Change a field of a draft; kept on disk soon."""
        draft = self._drafts[key]
        draft.form = with_value(draft.form, name, value)
        draft.problems.pop(name, None)
        if draft.unsaved:
            self._keep(draft)
        else:
            self._files.forget(key)

    def replace(self, key: str, form: Form) -> None:
        """Change everything of a draft at once."""
        for name in changed(self._drafts[key].form, form):
            self.change(key, name, value_of(form, name))

    def discard(self, key: str) -> None:
        """Throw away what was not saved; nothing happens where it was saved meanwhile."""
        draft = self._drafts.get(key)
        if draft is None:
            return
        if draft.base is None:
            del self._drafts[key]
        else:
            draft.form = draft.base
            draft.problems.clear()
        self._files.forget(key)

    def changes(self, key: str) -> tuple[Change, ...]:
        """What a save would change, in words."""
        draft = self._drafts[key]
        return changes(draft.service, draft.base, draft.form, self.skill_names)

    def check(self, key: str) -> dict[str, str]:
        """What is wrong with a draft, by field: what can be seen from here, and what the service said."""
        draft = self._drafts[key]
        known = {}
        if self.known_tools:
            known["tools"] = {tool.name for tool in self.known_tools}
        if self.known_skills:
            known["skill_ids"] = {skill.id for skill in self.known_skills}
        return {**draft.problems, **check(draft.service, draft.base, draft.form, known)}

    def write_now(self) -> None:
        """Bring drafts to disk at once: the program is told to end."""
        self._files.write_now()

    def close(self) -> None:
        """Bring drafts to disk, and leave them to the next start or window."""
        self._files.close()

    # --- changing the service ------------------------------------------------------------------------------

    async def save(self, key: str) -> Draft:
        """Send what is changed; the draft as it then stands, under its new key where it was new.

        Where the service keeps other values than were sent, the draft still shows them as changed. It goes on when
        its caller is cancelled; while one save of a draft is under way, another is the same one.

        Raises:
            ServiceError: nothing was saved, as far as can be known; what it said of a field is in `check`.
            AgentChanged, AgentGone: see there.
        """
        task = self._saving.get(key)
        if task is None:
            task = self._saving[key] = asyncio.create_task(self._save(self._drafts[key]), name=f"save:{key}")
            task.add_done_callback(lambda _task: self._saving.pop(key, None))
        return await wait_for_end(task, self._hooks.failed)

    async def _save(self, draft: Draft) -> Draft:
        if draft.base is not None:
            await self._meet(draft)
        before = draft.agent
        sent = draft.form  # what is typed meanwhile is not
        try:
            # One answer may name an agent by number, another by UUID: it stays under the id that it was listed by.
            key, made = draft.key, None
            if draft.base is None:
                key, made = await self._remote.create(sent, [*self._agents])
            else:
                await self._remote.update(key, draft.base, sent)
        except ServiceError as error:
            field_name = find_field(draft.service, error.problem.sentence)
            draft.problems = {field_name: error.problem.sentence} if field_name else {}
            raise
        agent: Agent | None = None
        with suppress(ServiceError):  # it is saved all the same, and read when somebody looks at it
            agent = await self.saved(key)
        self._files.forget(draft.key)
        self._drafts.pop(draft.key, None)
        if made is not None:
            self._renamed[draft.key] = key
        if (known := agent or made) is not None:
            self._agents[key] = known
        base = agent.form if agent is not None else sent
        saved = self._drafts[key] = Draft(key, draft.service, base, draft.form, agent)
        saved.refused = changed(base, sent)
        if isinstance(before, CustomAgent) and isinstance(agent, CustomAgent):
            saved.also_changed = agent.differs_elsewhere(before)
        if saved.unsaved:
            self._keep(saved)
        return saved

    async def delete(self, key: str) -> None:
        """Delete an agent on the service, and its draft. Raises ServiceError."""
        await finish(self._delete(key), self._hooks.failed)

    async def _delete(self, key: str) -> None:
        await self._remote.delete(key)
        self._agents.pop(key, None)
        self._drafts.pop(key, None)
        self._files.forget(key)

    async def operate(self, key: str, operation: Operation) -> None:
        """Release an agent of the Data Agent, or take it offline. Raises ServiceError."""
        await finish(self._operate(key, operation), self._hooks.failed)

    async def _operate(self, key: str, operation: Operation) -> None:
        await self._remote.operate(key, operation)
        agent = self._agents[key] = await self.saved(key)
        if (draft := self._drafts.get(key)) is not None:
            draft.agent = agent

    def _keep(self, draft: Draft) -> None:
        """Bring a draft to disk soon: the agent as it is being edited, and below it the one that it was made of."""
        agents = [AgentFile(draft.service, draft.form)]
        if draft.base is not None:
            agents.append(AgentFile(draft.service, draft.base, draft.agent_id))
        self._files.keep(draft.key, lambda: write(agents))

    # --- inside --------------------------------------------------------------------------------------------

    async def _meet(self, draft: Draft) -> None:
        """Read the agent again, and put the draft on what the service has now."""
        assert draft.base is not None
        try:
            agent = await self.saved(draft.key)
        except ApiError as error:
            if type(error) is not ApiError or error.problem.retryable or not await self._is_gone(draft):
                raise
            draft.base, draft.agent = None, None
            draft.problems.clear()
            self._files.forget(draft.key)
            del self._drafts[draft.key]
            draft.key = f"new:{uuid.uuid4().hex[:12]}"
            self._drafts[draft.key] = draft
            self._keep(draft)
            raise AgentGone from None
        before, draft.agent = draft.base, agent
        self._agents[draft.key] = agent
        if not changed(before, agent.form):
            return
        theirs = changes(draft.service, before, agent.form, self.skill_names)
        draft.form, both = merge(before, draft.form, agent.form)
        draft.base = agent.form
        self._keep(draft)
        raise AgentChanged(theirs, [label(name) for name in both])

    async def _is_gone(self, draft: Draft) -> bool:
        """It could not be read: because it is not there any more?"""
        await self._list(draft.service)
        return draft.service not in self.problems and draft.key not in self._agents
