"""Custom agents of the Data Agent. Source: protocol notes (DMS) 6.4."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, get_args

from tui.models import Problem
from tui.services.base import Page, PageOf
from tui.services.dms_options import SKIP_FIELDS
from tui.services.errors import ApiError
from tui.services.fields import Fields, as_bool, as_items, as_names, as_object, as_time
from tui.services.paging import all_pages
from tui.words import _

if TYPE_CHECKING:
    from tui.services.dms_calls import Calls  # it brings httpx along, which screens must not load
    from tui.services.rpc import Value

PAGE_SIZE = 20
MOST_TEXT = 10_000
"""Characters of the instruction and of the knowledge."""
MOST_QUESTIONS = 10
THEMES = ("default", "journal", "legacy", "neobrutalism", "infographic")
"""Of web reports."""
SKIPS = {**SKIP_FIELDS, "data": "ForbiddenAppendDataSource"}
"""Fields of ExecutionConfig by our names: the confirmations that are left out, and `data`: no data may be added."""

OTHER_PARAMETERS = (
    "DataJson",
    "KnowledgeConfigList",
    "KnowledgeSemanticConfigList",
    "ScheduleTaskConfig",
    "CallbackConfig",
    "RelatedSessionId",
    "TextReportConfig",
    "WebReportConfig",
    "UserSpecifiedSkillList",
)
"""What else an agent has; set in the console, and left as it is here."""

DmsAgentField = Literal["name", "description", "instruction", "knowledge", "questions", "skips", "theme"]
DMS_AGENT_FIELDS: tuple[DmsAgentField, ...] = get_args(DmsAgentField)


@dataclass(frozen=True, slots=True)
class DmsAgentForm:
    """What can be edited of a custom agent; what else it has stays as it is."""

    name: str = ""
    description: str = ""
    instruction: str = ""
    knowledge: str = ""
    questions: tuple[str, ...] = ()
    """Recommended questions."""
    skips: tuple[str, ...] = ()
    """Of `SKIPS`."""
    theme: str = ""
    """Of `THEMES`; empty for the service's own choice."""


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
    is_default: bool = False
    """The account's own agent, which is always there."""
    questions: tuple[str, ...] = ()
    skips: tuple[str, ...] = ()
    theme: str = ""
    other: Fields = field(default_factory=lambda: Fields({}))
    """The whole answer: data source, schedule, knowledge bases ..."""

    @property
    def form(self) -> DmsAgentForm:
        return DmsAgentForm(
            self.name, self.description, self.instruction, self.knowledge, self.questions, self.skips, self.theme
        )

    def differs_elsewhere(self, before: CustomAgent) -> tuple[str, ...]:
        """The parameters that are no fields of the form and have another value than `before`."""
        return tuple(name for name in OTHER_PARAMETERS if self.other.first(name) != before.other.first(name))

    @property
    def others(self) -> tuple[str, ...]:
        """The parameters that are no fields of the form and are set."""
        return tuple(name for name in OTHER_PARAMETERS if self.other.first(name) not in (None, "", [], {}))

    @property
    def can_release(self) -> bool:
        return self.status.upper() != "RELEASED"

    @property
    def can_go_offline(self) -> bool:
        return self.status.upper() in ("RELEASED", "DRAFT") and not self.is_default

    @property
    def can_delete(self) -> bool:
        """The service deletes only what is new or offline, and the default agent never."""
        return self.status.upper() in ("NEW", "OFFLINE") and not self.is_default


class CustomAgents:
    """Reading and changing the account's custom agents. Everything raises ServiceError; no write is repeated."""

    def __init__(self, calls: Calls, unit: str = "") -> None:
        self._calls = calls
        self._unit = unit

    async def list(self, page: Page, search: str = "") -> PageOf[CustomAgent]:
        """A page of agents whose name has `search` in it."""
        number = int(page.after) if page.after.isdecimal() else 1
        size = min(page.limit, PAGE_SIZE)
        data = await self._page(number, size, search)
        items = tuple(agent for item in as_items(data.first("Content")) if (agent := read_agent(item)).id)
        total = data.first("TotalElements", "Total")
        more = number * size < int(total) if str(total).isdecimal() else len(items) == size
        return PageOf(items, Page(str(number + 1), page.limit) if more and items else None)

    async def all(self) -> tuple[CustomAgent, ...]:
        """All agents, of all pages."""
        return await all_pages(self._page, read_agent, lambda agent: agent.id, field="Content", size=PAGE_SIZE)

    async def describe(self, agent_id: str) -> CustomAgent:
        return _agent(await self._calls.read("DescribeCustomAgent", {"CustomAgentId": agent_id}))

    async def create(self, form: DmsAgentForm) -> CustomAgent:
        """A new agent; it is in the state NEW, and used by others once it is released."""
        given = [name for name in DMS_AGENT_FIELDS if getattr(form, name)]
        parameters = {"AgentType": "Common", "DMSUnit": self._unit, **_parameters(form, given)}
        return _agent(await self._calls.write("CreateCustomAgent", parameters))

    async def modify(self, agent_id: str, form: DmsAgentForm, changed: Collection[DmsAgentField]) -> CustomAgent:
        """Change only the fields `changed`. What the service does to the others is not published: read them again."""
        parameters = {"CustomAgentId": agent_id, "DMSUnit": self._unit, **_parameters(form, changed)}
        return _agent(await self._calls.write("ModifyCustomAgent", parameters))

    async def operate(self, agent_id: str, operation: Literal["RELEASE", "OFFLINE"]) -> None:
        """Release an agent, or take it offline (that second value is a guess, protocol notes 13)."""
        query: dict[str, Value] = {"CustomAgentId": agent_id, "OperateType": operation}
        _check(await self._calls.write("OperateCustomAgent", query))

    async def delete(self, agent_id: str) -> None:
        _check(await self._calls.write("DeleteCustomAgent", {"CustomAgentId": agent_id}))

    async def _page(self, number: int, size: int, search: str = "") -> Fields:
        answer = await self._calls.read(
            "ListCustomAgent", {"PageNumber": number, "PageSize": size, "SearchKey": search}
        )
        return as_object(answer.first("Data")) or answer


def _parameters(form: DmsAgentForm, which: Collection[DmsAgentField]) -> dict[str, Value]:
    values: dict[DmsAgentField, tuple[str, Value]] = {
        "name": ("Name", form.name),
        "description": ("Description", form.description),
        "instruction": ("Instruction", form.instruction),
        "knowledge": ("Knowledge", form.knowledge),
        "questions": ("RecommendQuestionList", list(form.questions)),
        "skips": ("ExecutionConfig", {parameter: name in form.skips for name, parameter in SKIPS.items()}),
        "theme": ("WebReportTheme", form.theme),
    }
    return dict(values[name] for name in DMS_AGENT_FIELDS if name in which)


def _agent(answer: Fields) -> CustomAgent:
    return read_agent(as_object(answer.first("Data")) or answer)


def _check(answer: Fields) -> None:
    """A refusal may stand inside `Data`, too.

    Raises:
        ApiError: it does.
    """
    data = as_object(answer.first("Data"))
    success = data.first("Success") if data else None
    if data and success is not None and not as_bool(success):
        reason = data.line("Message", limit=500) or _("no reason was given")
        request_id = answer.line("RequestId", limit=100)
        raise ApiError(Problem("DMS Data Agent", reason, request_id=request_id, status=200, delivered="yes"))


def read_agent(fields: Fields) -> CustomAgent:
    """One agent of a list or on its own."""
    execution = as_object(fields.first("ExecutionConfig")) or Fields({})
    return CustomAgent(
        id=fields.line("CustomAgentId", "Id"),
        name=fields.line("Name"),
        description=fields.text("Description"),
        status=fields.line("Status", limit=40),
        instruction=fields.text("Instruction"),
        knowledge=fields.text("Knowledge"),
        modified_at=as_time(fields.first("GmtModified", "GmtCreated")),
        creator=fields.line("CreatorUserName"),
        is_default=fields.line("AgentType", limit=40).lower() == "default",
        questions=as_names(fields.first("RecommendQuestionList"), MOST_TEXT),
        skips=tuple(name for name, parameter in SKIPS.items() if as_bool(execution.first(parameter))),
        theme=fields.line("WebReportTheme", limit=40),
        other=fields,
    )
