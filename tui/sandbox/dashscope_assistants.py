"""Assistants and their files (protocol notes, sections 3.1 and 4)."""

from __future__ import annotations

import copy
from typing import Any

from aiohttp import web

from tui.sandbox import dashscope_checks as checks
from tui.sandbox.dashscope_call import DashCall, page, reply
from tui.sandbox.dashscope_models import is_known
from tui.sandbox.dashscope_records import Assistant, Json, new_id
from tui.sandbox.dashscope_refusals import Refused, gone, invalid
from tui.sandbox.dashscope_state import DashScope


def _told(assistant: Assistant, call: DashCall) -> Json:
    fields = copy.deepcopy(assistant.wire())
    if "no-auth-echo" in call.faults:
        for tool in fields["tools"]:
            tool.pop("auth", None)
    return fields


def check_model(model: Any) -> str:
    """The name of a model that there is.

    Raises:
        Refused: none is named, or it is not known.
    """
    name = checks.text("model", model)
    if not name:
        raise Refused("BadRequest.EmptyModel")
    if not is_known(name):
        raise Refused("InvalidParameter", "Model not exist. (sandbox data)")
    return name


async def create(agents: DashScope, call: DashCall) -> web.StreamResponse:
    body = call.fields()
    fields = {name: check(name, body.get(name)) for name, check in checks.ASSISTANT.items()}
    fields["model"] = check_model(body.get("model"))
    stamp = agents.stamp()
    assistant = Assistant(new_id("asst"), call.account, stamp, fields, dict.fromkeys(fields["file_ids"], stamp))
    agents.assistants.save(assistant)
    agents.counts["assistants created"] += 1
    return reply(call, _told(assistant, call))


async def list_all(agents: DashScope, call: DashCall) -> web.StreamResponse:
    own = [one for one in agents.assistants.values() if one.account == call.account]
    return page(call, own, lambda one: one.id, lambda one: _told(one, call))


async def retrieve(agents: DashScope, call: DashCall) -> web.StreamResponse:
    return reply(call, _told(agents.assistant(call.account, call.path("assistant")), call))


async def update(agents: DashScope, call: DashCall) -> web.StreamResponse:
    """Merge by the presence of keys. `file_ids: []` and `metadata: null` clear, unless that is switched off."""
    assistant = agents.assistant(call.account, call.path("assistant"))
    body = call.fields()
    if "model-needed" in call.faults and not body.get("model"):
        raise Refused("BadRequest.EmptyModel")
    if "null-keeps" in call.faults:
        body = {k: v for k, v in body.items() if not (k in ("file_ids", "metadata") and not v)}
    changed = {name: check(name, body[name]) for name, check in checks.ASSISTANT.items() if name in body}
    if "model" in changed:
        changed["model"] = check_model(body["model"])
    if "file_ids" in changed:
        stamp = agents.stamp()
        assistant.attached = {name: assistant.attached.get(name, stamp) for name in changed["file_ids"]}
    assistant.fields = {**assistant.fields, **changed}
    agents.assistants.save(assistant)
    agents.counts["assistants updated"] += 1
    return reply(call, _told(assistant, call))


async def delete(agents: DashScope, call: DashCall) -> web.StreamResponse:
    assistant = agents.assistant(call.account, call.path("assistant"))
    agents.assistants.remove(assistant)
    agents.counts["assistants deleted"] += 1
    return reply(call, {"id": assistant.id, "object": "assistant.deleted", "deleted": True})


# --- files -----------------------------------------------------------------------------------------------------


def _file(assistant: Assistant, name: str) -> Json:
    return {
        "id": name,
        "object": "assistant.file",
        "created_at": assistant.attached[name],
        "assistant_id": assistant.id,
    }


def _attached(agents: DashScope, call: DashCall) -> tuple[Assistant, str]:
    assistant = agents.assistant(call.account, call.path("assistant"))
    name = call.path("file")
    if name not in assistant.attached:
        raise gone("File", name)
    return assistant, name


def _set_files(agents: DashScope, assistant: Assistant) -> None:
    assistant.fields = {**assistant.fields, "file_ids": list(assistant.attached)}
    agents.assistants.save(assistant)


async def attach(agents: DashScope, call: DashCall) -> web.StreamResponse:
    assistant = agents.assistant(call.account, call.path("assistant"))
    name = checks.text("file_id", call.fields().get("file_id"))
    if not name:
        raise invalid("file_id is required.")
    agents.file(call.account, name)
    assistant.attached.setdefault(name, agents.stamp())
    _set_files(agents, assistant)
    return reply(call, _file(assistant, name))


async def list_files(agents: DashScope, call: DashCall) -> web.StreamResponse:
    assistant = agents.assistant(call.account, call.path("assistant"))
    return page(call, list(assistant.attached), str, lambda name: _file(assistant, name))


async def retrieve_file(agents: DashScope, call: DashCall) -> web.StreamResponse:
    return reply(call, _file(*_attached(agents, call)))


async def detach(agents: DashScope, call: DashCall) -> web.StreamResponse:
    assistant, name = _attached(agents, call)
    del assistant.attached[name]
    _set_files(agents, assistant)
    return reply(call, {"id": name, "object": "assistant.file.deleted", "deleted": True})
