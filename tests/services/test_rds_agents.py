"""Custom agents of RDS Copilot and what they are made of, against the sandbox; every odd form of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tui.sandbox.server import SandboxServer
from tui.services.errors import ApiError, PermissionDeniedError
from tui.services.fields import Fields
from tui.services.paging import MOST_PAGES, all_pages
from tui.services.rds import RdsCopilot
from tui.services.rds_agents import AgentForm, RdsAgents, read_agent
from tui.services.rds_catalog import RdsCatalog
from tui.services.rpc import RpcClient, Value

FORM = AgentForm(
    name="copilot-agent",
    system_prompt="You watch instances.\n用 [describe_db_instances] 查询实例。",
    tools=("describe_db_instances",),
    skill_ids=("skill-sandbox-2",),
)
ODD_FORMS = ["", "numeric-agent-id", "tools-string", "enable-tools-string", "numeric-agent-id,tools-string"]


# --- what there is to choose from ------------------------------------------------------------------------------


async def test_models_have_their_depths_and_one_is_the_default(rds: RdsCopilot) -> None:
    models = await rds.catalog.models()

    assert [model.id for model in models] == ["qwen-max", "qwen-plus", "glm-sandbox"]
    assert [model.default for model in models] == [True, False, False]
    assert models[0].thinking_levels == ("default", "low", "high")
    assert models[2].thinking_levels == ()
    assert models[1].features == ("text", "vision")
    assert models[1].context_window == 1_000_000


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh-CN", "重启实例。"),
        ("zh-TW", "重新啟動實例。"),
        ("ja-JP", "インスタンスを再起動します。"),
        ("en-US", "Restarts an instance."),
        ("fr-FR", "Restarts an instance."),
    ],
)
async def test_tools_are_described_in_the_language(rds: RdsCopilot, language: str, text: str) -> None:
    tools = {tool.name: tool for tool in await rds.catalog.tools(language)}

    assert tools["restart_db_instance"].description == text


async def test_only_what_is_known_to_read_does_not_write(rds: RdsCopilot) -> None:
    writing = [tool.name for tool in await rds.catalog.tools() if tool.writes]

    assert writing == ["restart_db_instance", "modify_parameter", "create_backup", "kill_session"]


async def test_a_tool_without_text_in_a_language_has_another_and_without_type_writes() -> None:
    catalog = RdsCatalog(told({"Data": [{"Name": "a", "Ja": "ja", "Zh": ""}, {"Name": "b", "Type": "LIST"}, {}]}))

    first, second = await catalog.tools("zh-CN")

    assert (first.description, first.writes) == ("ja", True)
    assert (second.description, second.writes) == ("", False)


async def test_skills_of_all_pages_in_the_language(rds: RdsCopilot) -> None:
    chinese, english = await rds.catalog.skills("zh-CN"), await rds.catalog.skills("en-US")

    assert [skill.name for skill in english] == ["slow-sql-review", "capacity-plan", "upgrade-check"]
    assert chinese[0].description == "审查慢 SQL 并给出索引建议。"
    assert english[0].databases == ("mysql", "postgresql")


async def test_deleted_skills_are_left_out() -> None:
    catalog = RdsCatalog(told({"Data": [{"Id": 7, "Name": "a"}, {"Id": 8, "Name": "b", "IsDeleted": "true"}]}))

    assert [skill.id for skill in await catalog.skills()] == ["7"]


# --- agents ----------------------------------------------------------------------------------------------------


async def test_the_assistant_has_agents(rds: RdsCopilot) -> None:
    assert rds.capabilities.agents


@pytest.mark.parametrize("faults", ODD_FORMS)
async def test_create_read_change_delete(rds: RdsCopilot, sandbox: SandboxServer, faults: str) -> None:
    sandbox.set_faults(*(fault for fault in faults.split(",") if fault))

    made = await rds.agents.create(FORM)
    assert made.form == FORM
    assert made.created_at is not None
    assert [skill.name for skill in made.skills] == ["capacity-plan"]

    changed = AgentForm("copilot-agent", "Be brief.", False, ("describe_backups", "kill_session"), ())
    updated = await rds.agents.update(made.id, changed, {"system_prompt", "enable_tools", "tools", "skill_ids"})
    assert (updated.id, updated.form) == (made.id, changed)

    read = await rds.agents.get(made.id)
    assert read.form == changed
    assert read.skills_told
    (listed,) = await rds.agents.list()
    assert listed.form == changed
    assert not listed.skills_told

    await rds.agents.delete(made.id)
    assert await rds.agents.list() == ()


async def test_what_is_not_named_stays(rds: RdsCopilot) -> None:
    made = await rds.agents.create(FORM)

    updated = await rds.agents.update(made.id, AgentForm(name="other"), {"name"})

    assert updated.form == AgentForm("other", FORM.system_prompt, True, FORM.tools, FORM.skill_ids)


async def test_all_agents_of_all_pages(rds: RdsCopilot) -> None:
    for number in range(45):
        await rds.agents.create(AgentForm(f"agent {number}", "x"))

    assert [agent.form.name for agent in await rds.agents.list()] == [f"agent {number}" for number in range(45)]


async def test_refusals_keep_their_words(rds: RdsCopilot, sandbox: SandboxServer) -> None:
    with pytest.raises(ApiError) as unknown:
        await rds.agents.create(AgentForm("a", "x", tools=("no_such_tool",)))
    assert "no_such_tool" in unknown.value.problem.sentence
    with pytest.raises(ApiError) as gone:
        await rds.agents.get("no-such-agent")
    assert gone.value.problem.code == "InvalidParameter"
    sandbox.set_faults("no-permission@ListCustomAgent")
    with pytest.raises(PermissionDeniedError) as denied:
        await rds.agents.list()
    assert "rdsai:ListCustomAgent" in denied.value.problem.sentence


def test_the_size_of_a_prompt_is_that_in_the_address() -> None:
    agents = RdsAgents(RpcClient.__new__(RpcClient))

    assert agents.prompt_size("ab") == len("SystemPrompt=ab")
    assert agents.prompt_size("磁盘") == len("SystemPrompt=") + 18


def test_service_text_cannot_drive_the_terminal() -> None:
    agent = read_agent(Fields({"Id": "a\x1b[2J", "Name": "n\x1b]0;t\x07", "SystemPrompt": "p\x1b[31m\r\nq"}))

    assert "\x1b" not in f"{agent.id}{agent.form.name}{agent.form.system_prompt}"
    assert agent.form.system_prompt == "p␛[31m\nq"


# --- pages -----------------------------------------------------------------------------------------------------


async def test_a_service_that_gives_fewer_than_asked_is_asked_on() -> None:
    async def read(number: int, size: int) -> Fields:
        data = [{"Id": number * 10 + place} for place in range(2 if number < 3 else 1)]
        return Fields({"Data": data, "PageSize": "2"})

    assert await all_pages(read, lambda item: item.line("Id"), str) == ("10", "11", "20", "21", "30")


async def test_a_list_that_repeats_itself_ends() -> None:
    asked: list[int] = []

    async def read(number: int, size: int) -> Fields:
        asked.append(number)
        return Fields({"Data": [{"Id": place} for place in range(size)]})

    found = await all_pages(read, lambda item: item.line("Id"), str, size=5)

    assert found == ("0", "1", "2", "3", "4")
    assert asked == [1, 2]


async def test_a_list_without_end_is_given_up() -> None:
    async def read(number: int, size: int) -> Fields:
        return Fields({"Data": [{"Id": number}]})

    assert len(await all_pages(read, lambda item: item.line("Id"), str, size=1)) == MOST_PAGES


def told(answer: dict[str, Any]) -> RpcClient:
    """A client for which the service answers this to everything."""

    class Told(RpcClient):
        def __init__(self) -> None: ...

        async def read(self, action: str, params: Mapping[str, Value]) -> dict[str, Any]:
            return answer

    return Told()
