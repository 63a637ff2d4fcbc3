"""Custom agents of the Data Agent: list, describe, create, change, release, delete (protocol notes, section 6.4).

What the notes leave open: a changed agent that was released is a DRAFT until it is released again; what is not given
to ModifyCustomAgent stays; the second value of OperateType is OFFLINE.
"""

from __future__ import annotations

import copy
import functools
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

import tomli
from aiohttp import web

from tui.sandbox.call import drop_after_accept
from tui.sandbox.dms_reply import DmsCall, Rejection, finish
from tui.sandbox.shelf import Shelf

if TYPE_CHECKING:
    from tui.sandbox.dms_state import DataAgents

MOST_CHARACTERS = {"Instruction": 10_000, "Knowledge": 10_000, "TextReportConfig": 10_000, "WebReportConfig": 50_000}
MOST_QUESTIONS = 10
THEMES = ("default", "journal", "legacy", "neobrutalism", "infographic")
_TEXTS = ("Name", "Description", "DataJson", "RelatedSessionId", "WebReportTheme", *MOST_CHARACTERS)
_STRUCTURES: Mapping[str, type] = {
    "ExecutionConfig": dict,
    "ScheduleTaskConfig": dict,
    "CallbackConfig": dict,
    "KnowledgeConfigList": list,
    "KnowledgeSemanticConfigList": list,
    "RecommendQuestionList": list,
    "UserSpecifiedSkillList": list,
}
_STARTED = "2026-01-02T03:04:05.000+00:00"

AgentTable = dict[str, Any]


@functools.cache
def catalogue() -> tuple[AgentTable, ...]:
    """The custom agents that every account has at first."""
    text = resources.files("tui.sandbox").joinpath("dms_agents.toml").read_text(encoding="utf-8")
    return tuple(tomli.loads(text)["agents"])


def _at_first(agent: AgentTable) -> AgentTable:
    released = _STARTED if agent["Status"] == "RELEASED" else ""
    return {
        **copy.deepcopy(agent),
        "GmtCreated": _STARTED,
        "GmtModified": _STARTED,
        "ReleaseTime": released,
        "OfflineTime": "",
    }


class CustomAgents:
    """Each account's custom agents; those of `catalogue` at first."""

    def __init__(self, shelf: Shelf | None) -> None:
        self._shelf = shelf
        self._own: dict[str, dict[str, AgentTable]] = {}
        for kept in shelf.load(dict) if shelf else ():
            self._own[kept["account"]] = {agent["CustomAgentId"]: agent for agent in kept["agents"]}

    def of(self, account: str) -> dict[str, AgentTable]:
        """By id, in the order of their making."""
        if account not in self._own:
            self._own[account] = {agent["CustomAgentId"]: _at_first(agent) for agent in catalogue()}
        return self._own[account]

    def find(self, account: str, agent_id: str) -> AgentTable | None:
        return self.of(account).get(agent_id)

    def save(self, account: str) -> None:
        if self._shelf:
            self._shelf.save(account, {"account": account, "agents": [*self.of(account).values()]})

    def reset(self) -> None:
        self._own.clear()
        if self._shelf:
            self._shelf.clear()


def _described(agent: AgentTable) -> AgentTable:
    return {
        **agent,
        "AliyunUid": "1234567890",
        "AliyunParentId": "1234567890",
        "CreatorUserName": "sandbox",
        "DMSUnit": "cn-hangzhou",
        "DmsUnit": "cn-hangzhou",
        "IsScheduleTask": bool(agent.get("ScheduleTaskConfig")),
        "Region": "cn-hangzhou",
    }


def _wrong(what: str) -> Rejection:
    return Rejection("DMS.DataAgent.InvalidParameter", f"{what} (sandbox data)")


def _agent_of(agents: DataAgents, call: DmsCall) -> AgentTable:
    agent = agents.custom.find(call.account, call.required("CustomAgentId"))
    if agent is None:
        raise Rejection("DMS.DataAgent.CustomAgentNotExist", "The custom agent does not exist. (sandbox data)")
    return agent


def _now(agents: DataAgents) -> str:
    return datetime.fromtimestamp(agents.now(), UTC).isoformat(timespec="milliseconds")


def _given(call: DmsCall) -> AgentTable:
    """What the call gives of an agent, checked."""
    given: AgentTable = {name: call.text(name) for name in _TEXTS if call.text(name)}
    given |= {name: call.structure(name, kind) for name, kind in _STRUCTURES.items() if call.text(name)}
    for name, most in MOST_CHARACTERS.items():
        if len(given.get(name, "")) > most:
            raise _wrong(f"{name} has more than {most} characters.")
    if len(given.get("RecommendQuestionList", ())) > MOST_QUESTIONS:
        raise _wrong(f"RecommendQuestionList has more than {MOST_QUESTIONS} entries.")
    if given.get("WebReportTheme", THEMES[0]) not in THEMES:
        raise _wrong(f"WebReportTheme must be one of {', '.join(THEMES)}.")
    if "DataJson" in given:
        try:
            json.loads(given["DataJson"])
        except ValueError:
            raise _wrong("DataJson must be a string of JSON.") from None
    return given


async def list_agents(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """The custom agents, filtered, page by page."""
    state, kind, words = call.text("Status"), call.text("AgentType"), call.text("SearchKey").lower()
    found = [
        _described(agent)
        for agent in agents.custom.of(call.account).values()
        if state in ("", agent["Status"])
        and kind in ("", agent["AgentType"])
        and words in f"{agent['Name']} {agent.get('Description', '')}".lower()
    ]
    page = call.page(found)
    counts = {"PageNumber": page.number, "PageSize": page.size, "TotalElements": page.total, "TotalPages": page.pages}
    return finish(call, {"Content": page.items, **counts})


async def describe_agent(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """One custom agent."""
    return finish(call, _described(_agent_of(agents, call)))


async def create_agent(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """A new agent, in state NEW."""
    given = _given(call)
    if not given.get("Name"):
        raise _wrong("Name is needed.")
    if call.text("AgentType", "Common") != "Common":
        raise _wrong("AgentType must be Common: an account has one Default agent.")
    if "agent-quota" in call.faults:
        raise Rejection("DMS.DataAgent.CustomAgentQuotaExceeded", "No more custom agents are allowed. (sandbox data)")
    if "agent-name-taken" in call.faults:
        raise Rejection("DMS.DataAgent.CustomAgentNameExist", "The Name is taken by another agent. (sandbox data)")
    now = _now(agents)
    agent = {"CustomAgentId": f"ca-{secrets.token_hex(8)}", "AgentType": "Common", "Status": "NEW", **given}
    agent |= {"GmtCreated": now, "GmtModified": now, "ReleaseTime": "", "OfflineTime": ""}
    agents.custom.of(call.account)[agent["CustomAgentId"]] = agent
    agents.custom.save(call.account)
    drop_after_accept(call.request, call.faults)
    return finish(call, _described(agent))


async def modify_agent(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """Change what is given; a released agent becomes a draft."""
    agent = _agent_of(agents, call)
    given = _given(call)
    agent |= given
    agent["GmtModified"] = _now(agents)
    if agent["Status"] == "RELEASED":
        agent["Status"] = "DRAFT"
    agents.custom.save(call.account)
    return finish(call, _described(agent))


async def operate_agent(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """Release an agent, or take it offline."""
    agent = _agent_of(agents, call)
    match call.required("OperateType"), agent["Status"]:
        case "RELEASE", "NEW" | "DRAFT" | "OFFLINE":
            agent |= {"Status": "RELEASED", "ReleaseTime": _now(agents)}
        case "OFFLINE", "RELEASED" | "DRAFT" if agent["AgentType"] != "Default":
            agent |= {"Status": "OFFLINE", "OfflineTime": _now(agents)}
        case operation, status:
            raise _wrong(f"OperateType {operation} does not fit the status {status}.")
    agents.custom.save(call.account)
    return finish(call, {"CustomAgentId": agent["CustomAgentId"], "Message": "success", "Success": True})


async def delete_agent(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """Delete an agent that is NEW or OFFLINE; never the default one."""
    agent = _agent_of(agents, call)
    if agent["AgentType"] == "Default" or agent["Status"] not in ("NEW", "OFFLINE"):
        raise Rejection(
            "DMS.DataAgent.CustomAgentStatusInvalid",
            f"An agent of type {agent['AgentType']} in state {agent['Status']} cannot be deleted. (sandbox data)",
        )
    del agents.custom.of(call.account)[agent["CustomAgentId"]]
    agents.custom.save(call.account)
    return finish(call, {"CustomAgentId": agent["CustomAgentId"], "Message": "success", "Success": True})
