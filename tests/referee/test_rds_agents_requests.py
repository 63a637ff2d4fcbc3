"""The official client is the referee of what is sent for custom agents and for the catalogue."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_rdsai20250507 import models
from alibabacloud_rdsai20250507.client import Client
from alibabacloud_tea_openapi.models import OpenApiRequest
from alibabacloud_tea_openapi.utils import Utils

from tests.referee.test_rds_requests import (
    KEY_ID,
    SECRET,
    TOKEN,
    Ours,
    Recorder,
    _official_calls,
    official_client,
    our_client,
    recorder,
)
from tui.services.rds_agents import AGENT_FIELDS, PAGE_SIZE, AgentForm

__all__ = ["recorder"]

PROMPT = '你查看实例 & 100% + ~ * \' "quoted" [describe_db_instances]\nsecond line\ttab 🚀'
FORM = AgentForm("copilot-agent 一号", PROMPT, True, ("describe_db_instances", "describe_backups"), ("s-1", "技能"))
EVERYTHING = {
    "name": FORM.name,
    "system_prompt": FORM.system_prompt,
    "enable_tools": True,
    "tools": list(FORM.tools),
    "skill_ids": list(FORM.skill_ids),
}

CASES: dict[str, tuple[Ours, str, Any]] = {
    "create": (
        lambda service: service.agents.create(FORM),
        "create_custom_agent",
        models.CreateCustomAgentRequest(**EVERYTHING),
    ),
    "create without tools and skills": (
        lambda service: service.agents.create(AgentForm("a", "b", False)),
        "create_custom_agent",
        models.CreateCustomAgentRequest(name="a", system_prompt="b", enable_tools=False),
    ),
    "update everything": (
        lambda service: service.agents.update("agent-1", FORM, list(AGENT_FIELDS)),
        "update_custom_agent",
        models.UpdateCustomAgentRequest(custom_agent_id="agent-1", **EVERYTHING),
    ),
    "update the prompt alone": (
        lambda service: service.agents.update("agent-1", FORM, ["system_prompt"]),
        "update_custom_agent",
        models.UpdateCustomAgentRequest(custom_agent_id="agent-1", system_prompt=PROMPT),
    ),
    "take all tools and skills": (
        lambda service: service.agents.update("agent-1", AgentForm(enable_tools=False), list(AGENT_FIELDS)[2:]),
        "update_custom_agent",
        models.UpdateCustomAgentRequest(custom_agent_id="agent-1", enable_tools=False, tools=[], skill_ids=[]),
    ),
    "get": (
        lambda service: service.agents.get("agent-1"),
        "get_custom_agent",
        models.GetCustomAgentRequest(custom_agent_id="agent-1"),
    ),
    "list": (
        lambda service: service.agents.list(),
        "list_custom_agent",
        models.ListCustomAgentRequest(page_number=1, page_size=PAGE_SIZE),
    ),
    "delete": (
        lambda service: service.agents.delete("agent-1"),
        "delete_custom_agent",
        models.DeleteCustomAgentRequest(custom_agent_id="agent-1"),
    ),
    "tools": (lambda service: service.catalog.tools(), "list_custom_agent_tools", None),
    "models": (lambda service: service.catalog.models(), "get_chat_model", models.GetChatModelRequest()),
    "skills": (
        lambda service: service.catalog.skills("ja-JP"),
        "list_skill",
        models.ListSkillRequest(language="ja-JP", page_number=1, page_size=100),
    ),
}


async def _official(client: Client, method: str, request: Any, asynchronous: bool) -> None:
    if request is not None:
        await _official_calls(client, method, request, asynchronous=asynchronous)
    elif asynchronous:
        await getattr(client, f"{method}_async")()
    else:
        import asyncio

        await asyncio.to_thread(getattr(client, method))


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("token", ["", TOKEN], ids=["key", "sts"])
@pytest.mark.parametrize("name", CASES)
async def test_our_request_is_the_official_clients(
    name: str, token: str, asynchronous: bool, recorder: Recorder
) -> None:
    """But for booleans: the Python client writes `True`, all others write `true`, as ours does."""
    ours_acts, method, request = CASES[name]

    await _official(official_client(recorder.address, token), method, request, asynchronous)
    async with our_client(recorder.address, token) as service:
        await ours_acts(service)

    official, ours = recorder.requests
    theirs = dict(official.params)
    if "EnableTools" in theirs:
        assert theirs["EnableTools"] in ("True", "False")
        assert ours.params["EnableTools"] in ("true", "false")
        theirs["EnableTools"] = theirs["EnableTools"].lower()
    assert ours.params == theirs
    assert (ours.method, ours.path, ours.body) == (official.method, official.path, official.body) == ("POST", "/", b"")
    for header in ("host", "x-acs-action", "x-acs-version", "x-acs-content-sha256"):
        assert ours.headers[header] == official.headers[header]
    assert "+" not in ours.query


async def test_lists_are_one_parameter_each(recorder: Recorder) -> None:
    async with our_client(recorder.address) as service:
        await service.agents.create(FORM)
        await service.agents.update("agent-1", AgentForm(), ["tools", "skill_ids"])

    filled, emptied = recorder.requests
    assert filled.params["Tools"] == '["describe_db_instances","describe_backups"]'
    assert filled.params["SkillIds"] == '["s-1","技能"]'
    assert emptied.query == "CustomAgentId=agent-1&SkillIds=%5B%5D&Tools=%5B%5D"


@pytest.mark.parametrize("token", ["", TOKEN], ids=["key", "sts"])
@pytest.mark.parametrize("name", CASES)
async def test_the_official_code_computes_our_signature(name: str, token: str, recorder: Recorder) -> None:
    async with our_client(recorder.address, token) as service:
        await CASES[name][0](service)

    (ours,) = recorder.requests
    signed = ours.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = OpenApiRequest(headers={header: ours.headers[header] for header in signed}, query=ours.params)
    request.method, request.pathname = ours.method, ours.path

    theirs = Utils.get_authorization(request, "ACS3-HMAC-SHA256", ours.headers["x-acs-content-sha256"], KEY_ID, SECRET)

    assert ours.headers["authorization"] == theirs


def test_every_operation_that_we_use_is_refereed() -> None:
    source = "".join(Path(f"tui/services/{name}.py").read_text() for name in ("rds_agents", "rds_catalog"))
    used = set(re.findall(r'"((?:Create|Update|Get|List|Delete)[A-Z]\w+)"', source)) & {
        "".join(part.capitalize() for part in name.split("_"))
        for name, _member in inspect.getmembers(Client)
        if not name.startswith("_")
    }
    methods = {method for _ours, method, _request in CASES.values()}
    assert used == {"".join(part.capitalize() for part in method.split("_")) for method in methods}
