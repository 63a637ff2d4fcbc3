"""Dms, version 2025-04-14: the operations of the Data Agent (protocol notes, sections 2 to 6)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields

from aiohttp import web

from tui.sandbox import dms_agents, dms_chat, dms_files, dms_sessions, dms_stream
from tui.sandbox.call import Call
from tui.sandbox.dms_reply import Caseless, DmsCall, Rejection, reject
from tui.sandbox.dms_state import DataAgents
from tui.sandbox.refusals import unknown_action
from tui.sandbox.world import World

OPERATIONS: Mapping[str, Callable[[DataAgents, DmsCall], Awaitable[web.StreamResponse]]] = {
    "CreateDataAgentSession": dms_sessions.create_session,
    "DescribeDataAgentSession": dms_sessions.describe_session,
    "ListDataAgentSession": dms_sessions.list_sessions,
    "SendChatMessage": dms_chat.send_chat_message,
    "GetChatContent": dms_stream.get_chat_content,
    "CreateDataAgentFeedback": dms_sessions.create_feedback,
    "ListCustomAgent": dms_agents.list_agents,
    "DescribeCustomAgent": dms_agents.describe_agent,
    "CreateCustomAgent": dms_agents.create_agent,
    "ModifyCustomAgent": dms_agents.modify_agent,
    "OperateCustomAgent": dms_agents.operate_agent,
    "DeleteCustomAgent": dms_agents.delete_agent,
    "DescribeFileUploadSignature": dms_files.describe_signature,
    "FileUploadCallback": dms_files.upload_callback,
    "ListFileUpload": dms_files.list_files,
    "DeleteFileUpload": dms_files.delete_file,
}


class Dms:
    """The product Dms, as far as its Data Agent goes."""

    version = "2025-04-14"

    def __init__(self, world: World) -> None:
        self.agents = world.part(DataAgents)
        self.agents.resume()

    async def answer(self, call: Call, *, by_key: bool = False) -> web.StreamResponse:
        operation = OPERATIONS.get(call.action)
        if operation is None:
            raise unknown_action(call.action)
        values = {field.name: getattr(call, field.name) for field in fields(Call)}
        dms_call = DmsCall(**values | {"parameters": Caseless(call.parameters)}, by_key=by_key)
        self.agents.reclaim(call.faults)
        try:
            if code := call.faults.argument("business-error"):
                raise Rejection(code, "A business error with the status 200. (sandbox data)")
            return await operation(self.agents, dms_call)
        except Rejection as rejection:
            call.world.counts.refused[rejection.code] += 1
            return reject(dms_call, rejection)
