"""Custom agents, and what they are made of: tools, models, skills (protocol notes, sections 2.6 and 5)."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from tui.sandbox import catalogue
from tui.sandbox.call import Call, drop_after_accept, reply
from tui.sandbox.records import Agent, new_id
from tui.sandbox.refusals import Refusal, invalid_parameter
from tui.sandbox.wire import utc_text


def find_agent(call: Call, agent_id: str) -> Agent:
    """The caller's own agent of that id, or of that number.

    Raises:
        Refusal: InvalidParameter.
    """
    for agent in call.world.agents.values():
        if agent.account == call.account and agent_id in (agent.id, str(agent.number)):
            return agent
    raise invalid_parameter(f"CustomAgentId {agent_id} does not exist.")


def _skill_list(agent: Agent) -> list[dict[str, object]]:
    return [
        {"Id": skill["id"], "Name": skill["name"], "Description": skill["en"], "SkillType": "system"}
        for skill in catalogue.skills()
        if skill["id"] in agent.skill_ids
    ]


def _fields(call: Call, agent: Agent) -> dict[str, object]:
    """What all replies about an agent share, in the forms that were seen."""
    tools: object = list(agent.tools)
    if "tools-string" in call.faults:
        tools = f"[{', '.join(agent.tools)}]"
    return {
        "Id": agent.number if "numeric-agent-id" in call.faults else agent.id,
        "Name": agent.name,
        "SystemPrompt": agent.system_prompt,
        "EnableTools": str(agent.enable_tools).lower() if "enable-tools-string" in call.faults else agent.enable_tools,
        "Tools": tools,
    }


def _names(call: Call, parameter: str, known: set[str]) -> list[str] | None:
    """A list of names; None where it is not given, which leaves what is there."""
    if not call.text(parameter):
        return None
    names = [str(name) for name in call.structure(parameter, list)]
    if unknown := sorted(set(names) - known):
        raise invalid_parameter(f"{parameter}: {', '.join(unknown)}")
    return names


def _change(call: Call, agent: Agent) -> None:
    """Put what is given into `agent`; all is checked before anything is changed."""
    tools = _names(call, "Tools", {tool["name"] for tool in catalogue.tools()})
    skills = _names(call, "SkillIds", {skill["id"] for skill in catalogue.skills()})
    enable_tools = call.flag("EnableTools")
    agent.name = call.text("Name", agent.name)
    agent.system_prompt = call.text("SystemPrompt", agent.system_prompt)
    agent.tools = agent.tools if tools is None else tools
    agent.skill_ids = agent.skill_ids if skills is None else skills
    agent.enable_tools = agent.enable_tools if enable_tools is None else enable_tools
    agent.updated_at = call.world.clock()


async def create_agent(call: Call) -> web.Response:
    call.required("SystemPrompt")
    if "agent-quota" in call.faults:
        raise Refusal(400, "QuotaExceeded.CustomAgent", "No more custom agents are allowed. (sandbox data)")
    if "agent-name-taken" in call.faults:
        raise invalid_parameter(f"Name {call.text('Name')} is taken by another agent.")
    now = call.world.clock()
    number = 1 + max((agent.number for agent in call.world.agents.values()), default=10_000)
    agent = Agent(new_id(), number, call.account, created_at=now, updated_at=now)
    _change(call, agent)
    call.world.agents.save(agent)
    drop_after_accept(call.request, call.faults)
    created = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return reply(call, {**_fields(call, agent), "CreatedAt": created, "Skills": _skill_list(agent)})


async def update_agent(call: Call) -> web.Response:
    """Change what is given. The reply spells EnableTools as a string."""
    agent = find_agent(call, call.required("CustomAgentId"))
    _change(call, agent)
    call.world.agents.save(agent)
    fields = {**_fields(call, agent), "Skills": _skill_list(agent)}
    return reply(call, {**fields, "EnableTools": str(agent.enable_tools).lower()})


async def get_agent(call: Call) -> web.Response:
    agent = find_agent(call, call.required("CustomAgentId"))
    times = {"CreatedAt": utc_text(agent.created_at), "UpdatedAt": utc_text(agent.updated_at)}
    return reply(call, {**_fields(call, agent), **times, "Skills": _skill_list(agent)})


async def list_agents(call: Call) -> web.Response:
    """A page of agents in the order of their making; TotalCount is not told by default."""
    own = [agent for agent in call.world.agents.values() if agent.account == call.account]
    own.sort(key=lambda agent: agent.number)
    page = call.page(own, 30)
    data = [
        {**_fields(call, agent), "CreatedAt": utc_text(agent.created_at), "UpdatedAt": utc_text(agent.updated_at)}
        for agent in page.items
    ]
    used = {str(skill["Id"]): skill for agent in page.items for skill in _skill_list(agent)}
    fields: dict[str, object] = {
        "Data": data,
        "PageNumber": page.number,
        "PageSize": page.size,
        "Skills": list(used.values()),
    }
    if "total-count" in call.faults:
        fields["TotalCount"] = page.total
    return reply(call, fields)


async def delete_agent(call: Call) -> web.Response:
    agent = find_agent(call, call.required("CustomAgentId"))
    call.world.agents.remove(agent)
    return reply(call, {"Result": "success"})


async def list_tools(call: Call) -> web.Response:
    data = [
        {"Name": tool["name"], "Type": tool["type"], **{key: tool[key.lower()] for key in ("En", "Zh", "Tc", "Ja")}}
        for tool in catalogue.tools()
    ]
    return reply(call, {"Data": data})


async def get_models(call: Call) -> web.Response:
    data = [
        {
            "ModelId": model["id"],
            "Default": bool(model.get("default")),
            "ThinkingLevels": model["levels"],
            "Features": model["features"],
            "ContextWindow": model["window"],
        }
        for model in catalogue.models()
    ]
    return reply(call, {"Data": data})


async def list_skills(call: Call) -> web.Response:
    """A page of skills, described in the language that is asked for."""
    language = "zh" if call.text("Language", "zh-CN").lower().startswith("zh") else "en"
    wanted = call.text("Query").lower()
    found = [skill for skill in catalogue.skills() if wanted in f"{skill['name']} {skill[language]}".lower()]
    page = call.page(found)
    data = [
        {
            "Id": skill["id"],
            "Name": skill["name"],
            "DisplayName": skill["name"].replace("-", " ").capitalize(),
            "Description": skill[language],
            "Content": {kind: f"# {skill['name']}\n\nsandbox data" for kind in skill["dbtypes"]},
            "Dbtypes": skill["dbtypes"],
            "SkillType": "system",
            "Category": skill["category"],
            "Scope": "public",
            "Visibility": "public",
            "Slug": skill["name"],
            "Icon": "",
            "IsDeleted": False,
            "ActiveVersionId": f"{skill['id']}-v1",
            "CreatedAt": "2026-01-02T03:04:05Z",
            "UpdatedAt": "2026-01-02T03:04:05Z",
        }
        for skill in page.items
    ]
    return reply(call, {"Data": data, "PageNumber": page.number, "PageSize": page.size, "TotalCount": page.total})


def check_model(model_id: str) -> None:
    """
    Raises:
        Refusal: a model that the catalogue does not have.
    """
    if model_id not in {model["id"] for model in catalogue.models()}:
        raise Refusal(400, "InvalidParameter", f"Inputs.ModelId {model_id} is not available.")
