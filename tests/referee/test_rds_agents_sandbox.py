"""The official client and ours on the same agents of the sandbox: what one makes the other reads, in every odd form."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio.to_thread
import pytest
from alibabacloud_rdsai20250507 import models

from tests.services.turns import service_of
from tui.sandbox.server import SandboxServer
from tui.services.rds import RdsCopilot
from tui.services.rds_agents import AGENT_FIELDS, AgentForm

FORM = AgentForm(
    "copilot-agent", "你查看实例 [describe_db_instances]", True, ("describe_db_instances",), ("skill-sandbox-1",)
)
CHANGED = AgentForm("copilot-agent", "brief\n& 100% + ~", False, (), ())


class Client:
    """The official client, the blocking or the asynchronous one."""

    def __init__(self, client: Any, asynchronous: bool) -> None:
        self._client, self._asynchronous = client, asynchronous

    async def call(self, method: str, *request: Any) -> Any:
        if self._asynchronous:
            return (await getattr(self._client, f"{method}_async")(*request)).body
        return (await anyio.to_thread.run_sync(getattr(self._client, method), *request)).body


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def client(request: pytest.FixtureRequest, official: Callable[..., Any]) -> Client:
    return Client(official(), request.param)


@pytest.fixture
async def rds(sandbox: SandboxServer) -> AsyncIterator[RdsCopilot]:
    service = service_of(sandbox)
    yield service
    await service.aclose()


def parameters(form: AgentForm) -> dict[str, Any]:
    return {
        "name": form.name,
        "system_prompt": form.system_prompt,
        "enable_tools": form.enable_tools,
        "tools": [*form.tools],
        "skill_ids": [*form.skill_ids],
    }


async def test_what_the_official_client_makes_ours_reads(client: Client, rds: RdsCopilot) -> None:
    for number in range(44):
        await rds.agents.create(AgentForm(f"other {number}", "x"))
    made = await client.call("create_custom_agent", models.CreateCustomAgentRequest(**parameters(FORM)))
    listed = await rds.agents.list()
    assert len(listed) == 45
    assert [agent.id for agent in listed if agent.form.name == FORM.name] == [made.id]
    assert (await rds.agents.get(made.id)).form == FORM

    request = models.UpdateCustomAgentRequest(custom_agent_id=made.id, **parameters(CHANGED))
    updated = await client.call("update_custom_agent", request)
    assert updated.enable_tools == "false"
    assert (await rds.agents.get(made.id)).form == CHANGED

    await client.call("delete_custom_agent", models.DeleteCustomAgentRequest(custom_agent_id=made.id))
    assert len(await rds.agents.list()) == 44


async def test_what_ours_makes_the_official_client_reads(client: Client, rds: RdsCopilot) -> None:
    made = await rds.agents.create(FORM)
    got = await client.call("get_custom_agent", models.GetCustomAgentRequest(custom_agent_id=made.id))
    assert (got.id, got.name, got.system_prompt) == (made.id, FORM.name, FORM.system_prompt)
    assert (got.enable_tools, got.tools, [skill.id for skill in got.skills]) == (
        True,
        [*FORM.tools],
        [*FORM.skill_ids],
    )

    await rds.agents.update(made.id, CHANGED, AGENT_FIELDS)
    got = await client.call("get_custom_agent", models.GetCustomAgentRequest(custom_agent_id=made.id))
    assert (got.system_prompt, got.enable_tools, got.tools, got.skills) == (CHANGED.system_prompt, False, [], [])

    await rds.agents.delete(made.id)
    listed = await client.call("list_custom_agent", models.ListCustomAgentRequest(page_number=1, page_size=30))
    assert listed.data == []


async def test_the_catalogue_is_the_same_for_both(client: Client, rds: RdsCopilot) -> None:
    offered = await client.call("get_chat_model", models.GetChatModelRequest())
    assert [(model.id, model.default, [*model.thinking_levels]) for model in await rds.catalog.models()] == [
        (model.model_id, model.default, model.thinking_levels) for model in offered.data
    ]
    tools = await client.call("list_custom_agent_tools")
    for language, field in (("zh-CN", "zh"), ("zh-TW", "tc"), ("en-US", "en"), ("ja-JP", "ja")):
        assert [(tool.name, tool.description, tool.kind) for tool in await rds.catalog.tools(language)] == [
            (tool.name, getattr(tool, field), tool.type) for tool in tools.data
        ]
    skills = await client.call("list_skill", models.ListSkillRequest(language="zh-CN", page_number=1, page_size=100))
    assert [(skill.id, skill.name, skill.description) for skill in await rds.catalog.skills("zh-CN")] == [
        (skill.id, skill.name, skill.description) for skill in skills.data
    ]
