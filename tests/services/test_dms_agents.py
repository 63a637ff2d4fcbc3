"""Custom agents of the Data Agent on the sandbox: their life, their rules, what a refusal says."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.services.dms_desk import data_agent, set_faults
from tui.sandbox.server import SandboxServer
from tui.services.base import Page
from tui.services.dms_agents import DMS_AGENT_FIELDS, CustomAgents, DmsAgentForm, read_agent
from tui.services.dms_calls import KeyCalls
from tui.services.endpoints import parse_endpoint
from tui.services.errors import ApiError
from tui.services.fields import Fields
from tui.services.keys import Secret

FORM = DmsAgentForm(
    name="周报 agent",
    description="compares weeks",
    instruction="先看总体。\nThen the regions.",
    knowledge="A week begins on Monday.",
    questions=("哪一周？", "x" * 300),
    skips=("sql", "data"),
    theme="journal",
)


@pytest.fixture
async def agents(sandbox: SandboxServer) -> AsyncIterator[CustomAgents]:
    async with data_agent(sandbox) as service:
        yield service.agents


async def test_made_changed_released_taken_offline_deleted(agents: CustomAgents) -> None:
    made = await agents.create(FORM)
    assert (made.status, made.form) == ("NEW", FORM)
    assert (made.can_release, made.can_go_offline, made.can_delete) == (True, False, True)

    await agents.operate(made.id, "RELEASE")
    released = await agents.describe(made.id)
    assert released.status == "RELEASED"
    assert (released.can_release, released.can_go_offline, released.can_delete) == (False, True, False)

    changed = DmsAgentForm("周报", "d", "i", "k", (), ("plan",), "legacy")
    draft = await agents.modify(made.id, changed, DMS_AGENT_FIELDS)
    assert (draft.status, draft.form) == ("DRAFT", changed)

    await agents.operate(made.id, "OFFLINE")
    await agents.delete(made.id)
    assert made.id not in {agent.id for agent in await agents.all()}


async def test_the_same_with_an_api_key(sandbox: SandboxServer) -> None:
    endpoint, key = parse_endpoint(sandbox.info.url, "test"), Secret(sandbox.info.dms["api_key"])
    async with data_agent(sandbox, calls=KeyCalls(endpoint, endpoint, key, "cn-hangzhou")) as service:
        made = await service.agents.create(FORM)
        assert made.form == FORM
        await service.agents.operate(made.id, "RELEASE")
        await service.agents.modify(made.id, DmsAgentForm(name="b"), ["name"])
        changed = await service.agents.describe(made.id)
        assert (changed.name, changed.status, changed.knowledge) == ("b", "DRAFT", FORM.knowledge)
        await service.agents.operate(made.id, "OFFLINE")
        await service.agents.delete(made.id)
        assert made.id not in {agent.id for agent in await service.agents.all()}


async def test_what_is_not_named_stays(agents: CustomAgents) -> None:
    made = await agents.create(FORM)

    changed = await agents.modify(made.id, DmsAgentForm(knowledge="new"), ["knowledge"])

    assert changed.form == DmsAgentForm(
        FORM.name, FORM.description, FORM.instruction, "new", FORM.questions, FORM.skips, FORM.theme
    )


async def test_all_of_all_pages(agents: CustomAgents) -> None:
    for number in range(45):
        await agents.create(DmsAgentForm(name=f"agent {number}"))

    everything = await agents.all()

    assert len(everything) == 49
    first = await agents.list(Page())
    assert (len(first.items), first.next) == (20, Page("2"))


@pytest.mark.parametrize("agent_id", ["ca-sandbox-weekly", "ca-sandbox-default", "ca-sandbox-draft"])
async def test_only_new_and_offline_ones_are_deleted(agents: CustomAgents, agent_id: str) -> None:
    assert not (await agents.describe(agent_id)).can_delete
    with pytest.raises(ApiError) as refused:
        await agents.delete(agent_id)
    assert "cannot be deleted" in refused.value.problem.sentence


async def test_the_default_agent_stays_online(agents: CustomAgents) -> None:
    default = await agents.describe("ca-sandbox-default")

    assert (default.is_default, default.can_go_offline) == (True, False)
    with pytest.raises(ApiError):
        await agents.operate(default.id, "OFFLINE")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (DmsAgentForm(), "Name is needed"),
        (DmsAgentForm("a", instruction="x" * 10_001), "more than 10000 characters"),
        (DmsAgentForm("a", questions=tuple(f"{n}?" for n in range(11))), "more than 10 entries"),
        (DmsAgentForm("a", theme="pink"), "WebReportTheme must be one of"),
    ],
)
async def test_what_the_service_does_not_take(agents: CustomAgents, form: DmsAgentForm, words: str) -> None:
    with pytest.raises(ApiError) as refused:
        await agents.create(form)
    assert words in refused.value.problem.sentence
    assert refused.value.problem.delivered == "no"


async def test_quota_and_name(agents: CustomAgents, sandbox: SandboxServer) -> None:
    for switch, code in (("agent-quota", "CustomAgentQuotaExceeded"), ("agent-name-taken", "CustomAgentNameExist")):
        set_faults(sandbox, switch)
        with pytest.raises(ApiError) as refused:
            await agents.create(FORM)
        assert refused.value.problem.code == f"DMS.DataAgent.{code}"


async def test_a_refusal_inside_the_data(agents: CustomAgents) -> None:
    class Calls:
        async def write(self, _action: str, _params: object) -> Fields:
            return Fields({"Success": True, "RequestId": "R", "Data": {"Success": "false", "Message": "in use\x1b"}})

    with pytest.raises(ApiError) as refused:
        await CustomAgents(Calls()).delete("ca-1")  # type: ignore[arg-type]  # only `write` is used
    assert (refused.value.problem.sentence, refused.value.problem.request_id) == ("in use␛", "R")


def test_odd_forms() -> None:
    agent = read_agent(
        Fields(
            {
                "custom_agent_id": 7,
                "name": "a",
                "agentType": "DEFAULT",
                "ExecutionConfig": '{"skipPlan":"true","SkipSqlConfirm":0}',
                "RecommendQuestionList": '["a, b?"]',
            }
        )
    )

    assert (agent.id, agent.is_default, agent.skips, agent.questions) == ("7", True, ("plan",), ("a, b?",))
