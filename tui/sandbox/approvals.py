"""Scripts in which a writing tool waits for a person (protocol notes, section 3.8)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from tui.sandbox.question import Question
from tui.sandbox.records import ApprovalRound, Conversation, Decision
from tui.sandbox.script import AskApproval, CallTool, Say, Step, Think, WantedCall

_WANTS = re.compile(r"^\s*(approve|审批|restart\b|重启)\s*(\d?)", re.IGNORECASE)
_CALLS: tuple[tuple[str, dict[str, object], str], ...] = (
    ("restart_db_instance", {}, "Restarts one instance (sandbox data)"),
    (
        "modify_parameter",
        {"Parameters": {"max_connections": 2000}},
        "Changes a parameter; takes effect at once (sandbox data)",
    ),
    (
        "create_backup",
        {"BackupMethod": "Physical"},
        "Makes a full backup (sandbox data)",
    ),
)


_CONSOLE = re.compile(r"\s*console (approve|reject)\s*$")


def console(text: str, conversations: Iterable[Conversation]) -> list[Step]:
    """For `console approve` and `console reject`: plays a person at the console, who decides all open calls.

    Nothing of the real service does this: it lets the sandbox be shown without a second terminal.
    """
    match = _CONSOLE.match(text)
    if not match:
        return []
    decision: Decision = "approved" if match.group(1) == "approve" else "rejected"
    decided = 0
    for conversation in conversations:
        for waiting in conversation.rounds:
            for call_id, call in waiting.calls.items():
                if call["status"] == "pending":
                    conversation.decide(waiting, call_id, decision)
                    decided += 1
    return [Say(f"At the sandbox's console, {decided} calls were {decision}.\n\n*sandbox data*\n")]


def script_for(question: Question) -> list[Step]:
    """For `approve [n]`, `restart ...` and the same in Chinese; else nothing."""
    match = _WANTS.match(question.text)
    if not match:
        return []
    zh = question.tongue == "zh"
    calls = []
    for number in range(max(1, int(match.group(2) or 1))):
        tool, arguments, description = _CALLS[number % len(_CALLS)]
        arguments = {"DBInstanceId": question.instance, **arguments}
        calls.append(WantedCall(f"call-{secrets.token_hex(4)}", tool, arguments, description))
    if question.approval_mode == "read_only":
        text = "当前会话是只读模式，不会执行写操作。" if zh else "This conversation is read-only: nothing was changed."
        return [Say(f"{text} *sandbox data*\n")]
    if question.approval_mode == "auto" and match.group(1).lower() not in ("approve", "审批"):
        done = [CallTool(call.tool, call.arguments, '{"status":"accepted"}') for call in calls]
        text = "已提交（自动审批）。" if zh else "Done; the approval sub-agent let it pass."
        return [Think("The conversation is in auto mode."), *done, Say(f"{text} *sandbox data*\n")]
    text = (
        "以下操作需要您在控制台审批。\n\n*沙箱数据（sandbox data）*\n"
        if zh
        else f"I need your approval for {len(calls)} call{'s' * (len(calls) > 1)}.\n\n*sandbox data*\n"
    )
    return [Say(text), AskApproval(f"round-{secrets.token_hex(4)}", tuple(calls))]


def resumed(question: Question, waiting: ApprovalRound) -> list[Step]:
    """How the turn goes on when all calls of the round are decided."""
    steps: list[Step] = []
    refused = []
    for call_id, call in waiting.calls.items():
        tool = str(call["tool"])
        if call["status"] == "approved":
            arguments = call["arguments"]
            assert isinstance(arguments, dict)
            steps.append(CallTool(tool, arguments, '{"status":"accepted"}', call_id=call_id))
        else:
            refused.append(tool)
    zh = question.tongue == "zh"
    if steps:
        steps.append(Say("已批准的操作已开始执行。" if zh else "The approved calls have begun. "))
    if refused:
        names = ", ".join(f"`{name}`" for name in refused)
        steps.append(Say(f"以下操作被拒绝，未执行：{names}。" if zh else f"Not run, because you refused: {names}. "))
    return [*steps, Say("\n\n*sandbox data*\n")]
