"""The agents that both services keep, behind one face. Agents go by their key: `rds:ID` or `dms:ID`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, cast

from tui.agents.editing import Agent
from tui.agents.fields import AgentService, Form, changed
from tui.services.dms_agents import DmsAgentField
from tui.services.errors import ServiceError
from tui.services.rds_agents import AgentField, AgentForm

if TYPE_CHECKING:  # httpx comes with them
    from tui.services.dms import DmsDataAgent
    from tui.services.rds import RdsCopilot

Operation = Literal["RELEASE", "OFFLINE"]


def service_of(key: str) -> AgentService:
    return "rds" if key.startswith("rds:") else "dms"


class RemoteAgents:
    """Everything raises ServiceError. No write is repeated: where its answer is lost, what came of it is read."""

    def __init__(self, rds: Callable[[], Awaitable[RdsCopilot]], dms: Callable[[], Awaitable[DmsDataAgent]]) -> None:
        self._rds = rds
        self._dms = dms

    async def list(self, service: AgentService) -> dict[str, Agent]:
        """All agents of a service by key; of lists alone not everything is known."""
        found: Sequence[Agent] = (
            await (await self._rds()).agents.list() if service == "rds" else await (await self._dms()).agents.all()
        )
        return {f"{service}:{agent.id}": agent for agent in found}

    async def read(self, key: str) -> Agent:
        agent_id = key.partition(":")[2]
        if service_of(key) == "rds":
            return await (await self._rds()).agents.get(agent_id)
        return await (await self._dms()).agents.describe(agent_id)

    async def create(self, form: Form, known: Sequence[str]) -> tuple[str, Agent]:
        """Make an agent; its key, and what the answer tells of it.

        Args:
            known: the keys of agents that were there before.
        """
        service: AgentService = "rds" if isinstance(form, AgentForm) else "dms"
        try:
            made: Agent = (
                await (await self._rds()).agents.create(form)
                if isinstance(form, AgentForm)
                else await (await self._dms()).agents.create(form)
            )
        except ServiceError as error:
            found = None
            if error.problem.delivered != "no":
                with suppress(ServiceError):
                    found = await self._find_made(service, form, known)
            if found is None:
                raise
            return found
        return f"{service}:{made.id}", made

    async def _find_made(self, service: AgentService, form: Form, known: Sequence[str]) -> tuple[str, Agent] | None:
        listed = await self.list(service)
        fresh = [key for key, agent in listed.items() if key not in known and agent.form.name == form.name]
        if len(fresh) != 1:
            return None
        agent = await self.read(fresh[0])
        return None if changed(agent.form, form) else (fresh[0], agent)  # else it is somebody else's of this name

    async def update(self, key: str, base: Form | None, form: Form) -> None:
        """Send the fields in which `form` differs from `base`."""
        names, agent_id = changed(base, form), key.partition(":")[2]
        try:
            if isinstance(form, AgentForm):
                rds = await self._rds()
                await rds.agents.update(agent_id, form, cast("tuple[AgentField, ...]", names))
            else:
                dms = await self._dms()
                await dms.agents.modify(agent_id, form, cast("tuple[DmsAgentField, ...]", names))
        except ServiceError as error:
            if error.problem.delivered != "no":
                with suppress(ServiceError):
                    if not changed((await self.read(key)).form, form):
                        return
            raise

    async def delete(self, key: str) -> None:
        agent_id = key.partition(":")[2]
        if service_of(key) == "rds":
            await (await self._rds()).agents.delete(agent_id)
        else:
            await (await self._dms()).agents.delete(agent_id)

    async def operate(self, key: str, operation: Operation) -> None:
        """Release an agent of the Data Agent, or take it offline."""
        await (await self._dms()).agents.operate(key.partition(":")[2], operation)
