"""Custom agents of the Data Agent: list and describe (protocol notes, section 6.4)."""

from __future__ import annotations

import functools
from importlib import resources
from typing import TYPE_CHECKING, Any

import tomli
from aiohttp import web

from tui.sandbox.dms_reply import DmsCall, Rejection, finish

if TYPE_CHECKING:
    from tui.sandbox.dms_state import DataAgents


@functools.cache
def catalogue() -> tuple[dict[str, Any], ...]:
    """The custom agents that every account has."""
    text = resources.files("tui.sandbox").joinpath("dms_agents.toml").read_text(encoding="utf-8")
    return tuple(tomli.loads(text)["agents"])


def find(agent_id: str) -> dict[str, Any] | None:
    """The custom agent of that id."""
    return next((agent for agent in catalogue() if agent["CustomAgentId"] == agent_id), None)


def _described(agent: dict[str, Any]) -> dict[str, object]:
    return {
        **agent,
        "AliyunUid": "1234567890",
        "AliyunParentId": "1234567890",
        "CreatorUserName": "sandbox",
        "DMSUnit": "cn-hangzhou",
        "DmsUnit": "cn-hangzhou",
        "GmtCreated": "2026-01-02T03:04:05.000+00:00",
        "GmtModified": "2026-01-02T03:04:05.000+00:00",
        "IsScheduleTask": False,
        "Region": "cn-hangzhou",
        "ReleaseTime": "2026-01-02T03:04:05.000+00:00" if agent["Status"] == "RELEASED" else "",
    }


async def list_agents(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """The custom agents, filtered, page by page."""
    number, size = call.whole("PageNumber", 1, 1, 10_000), call.whole("PageSize", 20, 1, 100)
    state, kind, words = call.text("Status"), call.text("AgentType"), call.text("SearchKey").lower()
    found = [
        _described(agent)
        for agent in catalogue()
        if state in ("", agent["Status"])
        and kind in ("", agent["AgentType"])
        and words in f"{agent['Name']} {agent['Description']}".lower()
    ]
    data = {
        "Content": found[(number - 1) * size : number * size],
        "PageNumber": number,
        "PageSize": size,
        "TotalElements": len(found),
        "TotalPages": -(-len(found) // size),
    }
    return finish(call, data)


async def describe_agent(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """One custom agent."""
    agent = find(call.required("CustomAgentId"))
    if agent is None:
        raise Rejection("DMS.DataAgent.CustomAgentNotExist", "The custom agent does not exist. (sandbox data)")
    return finish(call, _described(agent))
