"""Custom agents of RDS Copilot. Source: protocol notes 2.6 and 5.1; all odd forms of the answers end here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, get_args

from tui.services.fields import Fields, as_bool, as_items, as_names, as_time
from tui.services.paging import all_pages, pages_of
from tui.services.rds_catalog import Skill, read_skill

if TYPE_CHECKING:
    from tui.services.rpc import RpcClient, Value  # it brings httpx along, which screens must not load

PAGE_SIZE = 30
"""As the vendor's own example asks; the most that a page may have is not published."""
PROMPT_BYTES = 20_000
"""Bytes of the encoded prompt that are known to go through; it travels in the address (protocol notes 5.1)."""

AgentField = Literal["name", "system_prompt", "enable_tools", "tools", "skill_ids"]
AGENT_FIELDS: tuple[AgentField, ...] = get_args(AgentField)
_PARAMETERS: dict[AgentField, str] = {
    "name": "Name",
    "system_prompt": "SystemPrompt",
    "enable_tools": "EnableTools",
    "tools": "Tools",
    "skill_ids": "SkillIds",
}


@dataclass(frozen=True, slots=True)
class AgentForm:
    """What a custom agent is made of."""

    name: str = ""
    system_prompt: str = ""
    enable_tools: bool = True
    tools: tuple[str, ...] = ()
    """Names of ListCustomAgentTools."""
    skill_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RdsAgent:
    """A custom agent as the service has it; `id` is the option `agent` of a conversation."""

    id: str
    form: AgentForm
    skills: tuple[Skill, ...] = ()
    """The agent's skills with their names, as far as the answer told them."""
    skills_told: bool = False
    """False in lists, which do not say whose skills they name: then `form.skill_ids` is not known."""
    created_at: datetime | None = None
    updated_at: datetime | None = None


class RdsAgents:
    """Reading and changing the account's custom agents. Everything raises ServiceError; no write is repeated."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def list(self) -> tuple[RdsAgent, ...]:
        """All agents, of all pages, in the service's order."""
        pages = pages_of(self._rpc, "ListCustomAgent")
        return await all_pages(pages, read_agent, lambda agent: agent.id, size=PAGE_SIZE)

    async def get(self, agent_id: str) -> RdsAgent:
        return read_agent(Fields(await self._rpc.read("GetCustomAgent", {"CustomAgentId": agent_id})))

    async def create(self, form: AgentForm) -> RdsAgent:
        """A new agent; only the prompt is needed. What is empty is not sent."""
        given = [name for name in AGENT_FIELDS if name == "enable_tools" or getattr(form, name)]
        return read_agent(Fields(await self._rpc.write("CreateCustomAgent", _parameters(form, given))))

    async def update(self, agent_id: str, form: AgentForm, changed: Collection[AgentField]) -> RdsAgent:
        """Change only the fields `changed`: what is not sent stays as it is on the service."""
        parameters = {"CustomAgentId": agent_id, **_parameters(form, changed)}
        return read_agent(Fields(await self._rpc.write("UpdateCustomAgent", parameters)))

    async def delete(self, agent_id: str) -> None:
        await self._rpc.write("DeleteCustomAgent", {"CustomAgentId": agent_id})

    def prompt_size(self, prompt: str) -> int:
        """Bytes that `prompt` takes in the address."""
        return self._rpc.query_size({"SystemPrompt": prompt})


def _parameters(form: AgentForm, which: Collection[AgentField]) -> dict[str, Value]:
    values: dict[AgentField, Value] = {
        "name": form.name,
        "system_prompt": form.system_prompt,
        "enable_tools": form.enable_tools,
        "tools": list(form.tools),
        "skill_ids": list(form.skill_ids),
    }
    return {_PARAMETERS[name]: values[name] for name in AGENT_FIELDS if name in which}


def read_agent(item: Fields) -> RdsAgent:
    """One agent, whatever form its fields have: numbers for ids, EnableTools as text, Tools as text or JSON."""
    listed = item.first("Skills", "SkillIds")
    skills = tuple(read_skill(skill) for skill in as_items(listed))
    return RdsAgent(
        id=item.line("Id", "CustomAgentId"),
        form=AgentForm(
            name=item.line("Name"),
            system_prompt=item.text("SystemPrompt"),
            enable_tools=as_bool(item.first("EnableTools")),
            tools=as_names(item.first("Tools")),
            skill_ids=tuple(skill.id for skill in skills if skill.id) or as_names(listed),
        ),
        skills=skills,
        skills_told="Skills" in item or "SkillIds" in item,
        created_at=as_time(item.first("CreatedAt")),
        updated_at=as_time(item.first("UpdatedAt", "CreatedAt")),
    )
