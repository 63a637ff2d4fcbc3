"""Custom agents of the Data Agent, to be chosen for a session. Source: protocol notes (DMS) 6.4."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tui.services.base import Page, PageOf
from tui.services.dms_calls import Calls
from tui.services.fields import Fields, as_items, as_object, as_time

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class CustomAgent:
    """An agent with instructions of its own; `id` (`ca-…`) is the session option `agent`."""

    id: str
    name: str
    description: str = ""
    status: str = ""
    """NEW, RELEASED, DRAFT, OFFLINE as the service says."""
    instruction: str = ""
    knowledge: str = ""
    modified_at: datetime | None = None
    creator: str = ""


class CustomAgents:
    """Reading the account's custom agents."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def list(self, page: Page, search: str = "") -> PageOf[CustomAgent]:
        """A page of agents whose name has `search` in it."""
        number = int(page.after) if page.after.isdecimal() else 1
        size = min(page.limit, PAGE_SIZE)
        answer = await self._calls.read(
            "ListCustomAgent", {"PageNumber": number, "PageSize": size, "SearchKey": search}
        )
        data = as_object(answer.first("Data")) or answer
        items = tuple(agent for item in as_items(data.first("Content")) if (agent := read_agent(item)).id)
        total = data.first("TotalElements", "Total")
        more = number * size < int(total) if str(total).isdecimal() else len(items) == size
        return PageOf(items, Page(str(number + 1), page.limit) if more and items else None)

    async def describe(self, agent_id: str) -> CustomAgent:
        answer = await self._calls.read("DescribeCustomAgent", {"CustomAgentId": agent_id})
        return read_agent(as_object(answer.first("Data")) or answer)


def read_agent(fields: Fields) -> CustomAgent:
    return CustomAgent(
        id=fields.line("CustomAgentId", "Id"),
        name=fields.line("Name"),
        description=fields.text("Description"),
        status=fields.line("Status", limit=40),
        instruction=fields.text("Instruction"),
        knowledge=fields.text("Knowledge"),
        modified_at=as_time(fields.first("GmtModified", "GmtCreated")),
        creator=fields.line("CreatorUserName"),
    )
