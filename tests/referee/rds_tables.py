"""Every operation of RdsAi that we use: how ours is called, the official method, and its request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time
from typing import Any

from alibabacloud_rdsai20250507 import models

from tui.models import TurnIds
from tui.services.base import Page, TurnRequest
from tui.services.rds import RdsCopilot
from tui.services.rds_agents import AGENT_FIELDS, PAGE_SIZE, AgentForm
from tui.services.rds_reports import ITEMS, Inspection, Schedule

Ours = Callable[[RdsCopilot], Awaitable[object]]
Table = dict[str, tuple[Ours, str, Any]]


async def _asks(service: RdsCopilot, request: TurnRequest) -> None:
    async with service.stream(request) as events:
        async for _event in events:
            pass


# --- turns and the history ---------------------------------------------------------------------------------------

QUESTION = 'disk of rm-x & 100% + 磁盘? ~ * \' "quoted"\nsecond line\ttab'
OPTIONS = {
    "region": "cn-hangzhou",
    "language": "en-US",
    "timezone": "Asia/Shanghai",
    "agent": "agent-0001",
    "thinking": "true",
    "effort": "high",
    "model": "qwen-fake",
    "approval": "manual",
    "resume_call": "call-1",
    "workspace": "ws-1",
}
INPUTS = models.ChatMessagesRequestInputs(
    region_id="cn-hangzhou",
    language="en-US",
    timezone="Asia/Shanghai",
    custom_agent_id="agent-0001",
    enable_thinking="true",
    think_effort="high",
    model_id="qwen-fake",
    tool_approval_mode="manual",
    resume_call_id="call-1",
    workspace_id="ws-1",
)
TURNS: Table = {
    "ask": (
        lambda service: _asks(service, TurnRequest("disk?")),
        "chat_messages_with_sse",
        models.ChatMessagesRequest(query="disk?", event_mode="separate"),
    ),
    "ask on, with every option": (
        lambda service: _asks(service, TurnRequest(QUESTION, "conv-0001", OPTIONS)),
        "chat_messages_with_sse",
        models.ChatMessagesRequest(query=QUESTION, conversation_id="conv-0001", event_mode="separate", inputs=INPUTS),
    ),
    "stop": (
        lambda service: service.stop(TurnIds(task="task-1")),
        "chat_messages_task_stop",
        models.ChatMessagesTaskStopRequest(task_id="task-1"),
    ),
    "conversations, first page": (
        lambda service: service.conversations(Page(limit=10)),
        "get_conversations",
        models.GetConversationsRequest(limit="10"),
    ),
    "conversations, next page": (
        lambda service: service.conversations(Page("conv-1", 10)),
        "get_conversations",
        models.GetConversationsRequest(last_id="conv-1", limit="10"),
    ),
    "messages, first page": (
        lambda service: service.history("conv-0001", Page(limit=20)),
        "get_messages",
        models.GetMessagesRequest(conversation_id="conv-0001", event_mode="separate", limit=20),
    ),
    "messages, older page": (
        lambda service: service.history("conv-0001", Page("msg-0009", 20)),
        "get_messages",
        models.GetMessagesRequest(conversation_id="conv-0001", event_mode="separate", first_id="msg-0009", limit=20),
    ),
    "feedback": (
        lambda service: service.feedback(TurnIds(message="m-1"), "like", "很好 + clear"),
        "modify_messages_feedbacks",
        models.ModifyMessagesFeedbacksRequest(message_id="m-1", rating="like", content="很好 + clear"),
    ),
    "feedback without a comment": (
        lambda service: service.feedback(TurnIds(message="m-1"), "dislike"),
        "modify_messages_feedbacks",
        models.ModifyMessagesFeedbacksRequest(message_id="m-1", rating="dislike"),
    ),
}

# --- custom agents and the catalogue -----------------------------------------------------------------------------

PROMPT = '你查看实例 & 100% + ~ * \' "quoted" [describe_db_instances]\nsecond line\ttab 🚀'
FORM = AgentForm("copilot-agent 一号", PROMPT, True, ("describe_db_instances", "describe_backups"), ("s-1", "技能"))
EVERYTHING = {
    "name": FORM.name,
    "system_prompt": FORM.system_prompt,
    "enable_tools": True,
    "tools": list(FORM.tools),
    "skill_ids": list(FORM.skill_ids),
}
AGENTS: Table = {
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

# --- health reports ----------------------------------------------------------------------------------------------

BEGINS, ENDS = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
SCHEDULE = Schedule(
    name="夜间 + weekly",
    description="for the team & co",
    days=("Monday", "Sunday"),
    start=time(18, 30, tzinfo=UTC),
    hours=168,
    items=ITEMS[:2],
    language="ja-JP",
    region="cn-beijing",
    instances=("rm-a1", "pgm-b2"),
)
CHANGED = Schedule(id="s-1", name="nightly")
ALL_ITEMS = ",".join(ITEMS)
INSPECTIONS: Table = {
    "an inspection": (
        lambda service: service.inspections.create(
            Inspection(("rm-a1", "pgm-b2"), ITEMS[1:3], BEGINS, ENDS, "cn-beijing", "en-US")
        ),
        "create_inspection_task",
        models.CreateInspectionTaskRequest(
            instance_ids="rm-a1,pgm-b2",
            inspection_items="resource_usage,connection_session_management",
            start_time="2026-01-02T03:04:05Z",
            end_time="2026-01-03T00:00:00Z",
            region_id="cn-beijing",
            report_language="en-US",
        ),
    ),
    "an inspection of everything": (
        lambda service: service.inspections.create(Inspection(("all",))),
        "create_inspection_task",
        models.CreateInspectionTaskRequest(instance_ids="all"),
    ),
    "a report": (
        lambda service: service.inspections.report("t-1"),
        "get_inspection_report",
        models.GetInspectionReportRequest(task_id="t-1"),
    ),
    "a report of one instance": (
        lambda service: service.inspections.report("t-1", "rm-a1"),
        "get_inspection_report",
        models.GetInspectionReportRequest(task_id="t-1", instance_id="rm-a1"),
    ),
    "reports of some days": (
        lambda service: service.inspections.reports(BEGINS, ENDS),
        "get_stand_alone_reports",
        models.GetStandAloneReportsRequest(
            start_time="2026-01-02T03:04:05Z", end_time="2026-01-03T00:00:00Z", page_number=1, page_size=100
        ),
    ),
    "reports of a schedule": (
        lambda service: service.inspections.scheduled_reports("s-1"),
        "get_scheduled_reports",
        models.GetScheduledReportsRequest(scheduled_id="s-1", page_number=1, page_size=100),
    ),
    "schedules": (
        lambda service: service.inspections.schedules(),
        "list_scheduled_tasks",
        models.ListScheduledTasksRequest(page_number=1, page_size=100),
    ),
    "instances of a schedule": (
        lambda service: service.inspections.scheduled_instances("s-1"),
        "get_scheduled_instances",
        models.GetScheduledInstancesRequest(scheduled_id="s-1", page_number=1, page_size=100),
    ),
    "a new schedule": (
        lambda service: service.inspections.create_schedule(SCHEDULE),
        "create_scheduled_task",
        models.CreateScheduledTaskRequest(
            name="夜间 + weekly",
            description="for the team & co",
            instance_ids="rm-a1,pgm-b2",
            frequency="Monday,Sunday",
            start_time="18:30:00Z",
            time_range="168",
            report_language="ja-JP",
            inspection_items="instance_info,resource_usage",
            region_id="cn-beijing",
        ),
    ),
    "a changed schedule": (
        lambda service: service.inspections.change_schedule(CHANGED),
        "modify_scheduled_task",
        models.ModifyScheduledTaskRequest(
            scheduled_id="s-1",
            name="nightly",
            frequency="DAILY",
            start_time="02:00:00Z",
            time_range="24",
            inspection_items=ALL_ITEMS,
        ),
    ),
    "a schedule less": (
        lambda service: service.inspections.delete_schedule("s-1"),
        "delete_scheduled_task",
        models.DeleteScheduledTaskRequest(scheduled_id="s-1"),
    ),
}
