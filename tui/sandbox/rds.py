"""RdsAi, version 2025-05-07: the operations and their checks (protocol notes, sections 2 to 5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from tui.sandbox import rds_agents, rds_chat, rds_history, rds_inspections
from tui.sandbox.call import Call
from tui.sandbox.refusals import unknown_action

_OPERATIONS: Mapping[str, Callable[[Call], Awaitable[web.StreamResponse]]] = {
    "ChatMessages": rds_chat.chat_messages,
    "ChatMessagesTaskStop": rds_chat.stop_task,
    "GetConversations": rds_history.get_conversations,
    "GetMessages": rds_history.get_messages,
    "ModifyMessagesFeedbacks": rds_history.modify_feedbacks,
    "CreateCustomAgent": rds_agents.create_agent,
    "UpdateCustomAgent": rds_agents.update_agent,
    "GetCustomAgent": rds_agents.get_agent,
    "ListCustomAgent": rds_agents.list_agents,
    "DeleteCustomAgent": rds_agents.delete_agent,
    "ListCustomAgentTools": rds_agents.list_tools,
    "GetChatModel": rds_agents.get_models,
    "ListSkill": rds_agents.list_skills,
    "CreateInspectionTask": rds_inspections.create_task,
    "GetInspectionReport": rds_inspections.get_report,
    "GetStandAloneReports": rds_inspections.list_reports,
    "CreateScheduledTask": rds_inspections.create_schedule,
    "ModifyScheduledTask": rds_inspections.modify_schedule,
    "DeleteScheduledTask": rds_inspections.delete_schedule,
    "ListScheduledTasks": rds_inspections.list_schedules,
    "GetScheduledInstances": rds_inspections.list_scheduled_instances,
    "GetScheduledReports": rds_inspections.list_scheduled_reports,
}


class RdsAi:
    """The product RdsAi."""

    version = "2025-05-07"

    async def answer(self, call: Call) -> web.StreamResponse:
        operation = _OPERATIONS.get(call.action)
        if operation is None:
            raise unknown_action(call.action)
        return await operation(call)
