"""ChatMessages and its stop (protocol notes, sections 2.1, 2.2 and 3)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from tui.sandbox import answers, approvals
from tui.sandbox.call import Call, drop_after_accept, reply
from tui.sandbox.plans import make_plan
from tui.sandbox.question import Question
from tui.sandbox.rds_agents import check_model, find_agent
from tui.sandbox.rds_history import conversation_of
from tui.sandbox.rds_stream import stream
from tui.sandbox.records import ApprovalRound, Conversation, Message, new_id
from tui.sandbox.refusals import Refusal, invalid_parameter, quota_exceeded, too_many_requests
from tui.sandbox.script import AskApproval, Step
from tui.sandbox.world import TOKENS_A_DAY, TURNS_AT_ONCE

_LANGUAGES = ("zh-cn", "zh-tw", "en-us", "ja-jp")
_APPROVAL_MODES = ("read_only", "manual", "auto")


async def chat_messages(call: Call) -> web.StreamResponse:
    """Take a question in and stream its turn."""
    query = call.text("Query")
    inputs = call.structure("Inputs", dict)
    resume = str(inputs.get("ResumeCallId") or "")
    if not query and not resume:
        raise Refusal(400, "MissingQuery", "Query is mandatory for this action.")
    if call.text("EventMode", "inline") not in ("inline", "separate"):
        raise invalid_parameter("EventMode must be inline or separate.")
    call.structure("Files", list)
    _check_inputs(inputs)
    agent_id = str(inputs.get("CustomAgentId") or call.text("CustomAgentId"))
    agent = find_agent(call, agent_id) if agent_id else None
    conversation_id = call.text("ConversationId")
    conversation = conversation_of(call, conversation_id) if conversation_id else None
    waiting = _round_to_resume(conversation, resume) if resume else None
    _check_capacity(call)
    if conversation is None:
        conversation = call.world.new_conversation(call.account, answers.name_of(query))
    conversation.approval_mode = str(inputs.get("ToolApprovalMode") or conversation.approval_mode)
    asked = Question(
        text=query,
        before=tuple(message.query for message in conversation.messages),
        region=str(inputs.get("RegionId") or "cn-hangzhou"),
        language=str(inputs.get("Language") or ""),
        thinking=str(inputs.get("EnableThinking") or "").lower() != "false",
        approval_mode=conversation.approval_mode,
        agent_name=agent.name or agent.id if agent else "",
        tools=frozenset(agent.tools if agent.enable_tools else ()) if agent else None,
    )
    if waiting:
        steps = approvals.resumed(asked, waiting)
    else:
        steps = approvals.console(query, call.world.of_account(call.account)) or answers.script_for(asked)
    turn = call.world.begin_turn(conversation, *_message_and_plan(call, conversation, query, steps))
    drop_after_accept(call.request, call.faults)
    return await stream(call, turn)


def _message_and_plan(
    call: Call, conversation: Conversation, query: str, steps: Sequence[Step]
) -> tuple[Message, list[Any]]:
    for step in steps:
        if isinstance(step, AskApproval):
            calls: dict[str, dict[str, object]] = {
                wanted.call_id: {
                    "tool": wanted.tool,
                    "arguments": dict(wanted.arguments),
                    "description": wanted.description,
                    "status": "pending",
                }
                for wanted in step.calls
            }
            conversation.rounds.append(ApprovalRound(step.round_id, calls))
    plan = make_plan(steps, call.faults, random.Random(query))
    message = Message(
        id=new_id(),
        conversation_id=conversation.id,
        task_id=new_id(),
        query=query,
        created_at=call.world.clock(),
        plan=[dict(beat.fields) for beat in plan if beat.fields],
        separate=call.text("EventMode") == "separate" and "inline" not in call.faults,
        inputs=call.structure("Inputs", dict),
    )
    return message, plan


def _check_inputs(inputs: Mapping[str, Any]) -> None:
    language = str(inputs.get("Language") or "zh-CN")
    if language.lower().replace("_", "-") not in _LANGUAGES:
        raise invalid_parameter(f"Inputs.Language {language} is not supported.")
    zone = str(inputs.get("Timezone") or "UTC")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise invalid_parameter(f"Inputs.Timezone {zone} is not known.") from None
    if model := inputs.get("ModelId"):
        check_model(str(model))
    mode = str(inputs.get("ToolApprovalMode") or "auto")
    if mode not in _APPROVAL_MODES:
        raise invalid_parameter(f"Inputs.ToolApprovalMode {mode} is not known.")


def _check_capacity(call: Call) -> None:
    at_once = call.faults.count("turns-at-once")
    at_once = TURNS_AT_ONCE if at_once is None else at_once
    if len(call.world.running(call.account)) >= at_once:
        raise too_many_requests(at_once)
    limit = call.faults.count("tokens-a-day")
    if call.world.used(call.account).tokens >= (TOKENS_A_DAY if limit is None else limit):
        raise quota_exceeded()


def _round_to_resume(conversation: Conversation | None, call_id: str) -> ApprovalRound:
    waiting = conversation.round_of(call_id) if conversation else None
    if waiting is None:
        raise invalid_parameter(f"Inputs.ResumeCallId {call_id} is not of this conversation.")
    if waiting.is_open:
        raise invalid_parameter("Inputs.ResumeCallId: not all calls of the round are decided.")
    if waiting.resumed:
        raise invalid_parameter("Inputs.ResumeCallId: the round has been resumed already.")
    waiting.resumed = True
    return waiting


async def stop_task(call: Call) -> web.Response:
    """Stop a running turn; success too for one that is over."""
    task_id = call.required("TaskId")
    call.world.counts.stops[task_id] += 1
    turn = call.world.turns.get(task_id)
    known = turn is not None and conversation_of(call, turn.message.conversation_id)
    if turn is None or not known or "stop-unknown" in call.faults:
        raise Refusal(404, "TaskNotFound", f"The task {task_id} does not exist. (sandbox data)")
    if "stop-ignored" not in call.faults and not turn.over:
        turn.cut_when_stopped = "stop-cuts" in call.faults
        turn.stop()
    return reply(call, {"Result": "success"})
