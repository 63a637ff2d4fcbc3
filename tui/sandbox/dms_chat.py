"""SendChatMessage (protocol notes, sections 6.2, 7 and 8.5)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tui.sandbox.call import drop_after_accept
from tui.sandbox.dms_records import Sent, Session, TurnRecord
from tui.sandbox.dms_reply import DmsCall, Rejection, finish
from tui.sandbox.dms_state import DataAgents
from tui.sandbox.refusals import Refusal, internal_error, invalid_parameter

_KINDS = ("primary", "additional", "report", "cancel")
_NOT_NOW = re.compile(r"\s*(不绘制|不需要|no\b)", re.IGNORECASE)


def live_session(agents: DataAgents, call: DmsCall) -> Session:
    """The session that the call names.

    Raises:
        Rejection: it is not there, it is somebody else's, or it has been reclaimed.
    """
    session = agents.sessions.get(call.required("SessionId"))
    if session is None or session.account != call.account:
        raise Rejection("DMS.DataAgent.SessionNotExist", "The session does not exist. (sandbox data)")
    if session.reclaimed:
        raise Rejection("DMS.DataAgent.SessionExpired", "The session has been reclaimed. (sandbox data)")
    return session


def check_agent(session: Session, call: DmsCall) -> None:
    """Refuse an AgentId that is not that of the session (protocol notes, section 7)."""
    given = call.text("AgentId")
    if "agent-mismatch" in call.faults or (given and given != session.agent_id):
        raise Rejection("DMS.DataAgent.AgentMismatch", "The AgentId does not belong to the session. (sandbox data)")


async def send_chat_message(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """Queue a message; its turn is seen in the stream alone."""
    text = call.required("Message")
    kind = call.text("MessageType", "primary")
    if kind not in _KINDS:
        raise invalid_parameter(f"MessageType must be one of {', '.join(_KINDS)}.")
    config = call.structure("SessionConfig", dict)
    sources = call.structure("DataSources", list)
    single = call.structure("DataSource", dict)
    task = call.structure("TaskConfig", dict)
    if call.text("SessionId"):
        session = live_session(agents, call)
        check_agent(session, call)
    else:
        session = agents.new_session(call.account, text[:128], call.faults)
    if kind == "cancel":
        _cancel(agents, call, session)
    else:
        _check_order(call, session, kind)
        _check_sources(agents, call, sources := [*sources, *([single] if single else [])])
        _take_config(session, config)
        session.sources += sources
    message = Sent(f"msg-{secrets.token_hex(8)}", kind, text, call.text("ReplyTo"), call.text("Question"), agents.now())
    session.messages.append(message)
    call.world.counts.accepted[text] += 1
    session.active_at = agents.now()
    if kind != "cancel":
        _go_on(agents, call, session, message, task)
    agents.sessions.save(session)
    call.world.news.tell()
    drop_after_accept(call.request, call.faults)
    if "accepted-500" in call.faults:
        raise internal_error()
    data = {"AgentId": session.agent_id, "SessionId": session.id, "Message": "success", "MessageId": message.id}
    return finish(call, data, success="true")


def _cancel(agents: DataAgents, call: DmsCall, session: Session) -> None:
    turn = agents.turns.get(session.id)
    if turn and "cancel-ignored" not in call.faults:
        session.ask = 0
        turn.cancel()


def _check_order(call: DmsCall, session: Session, kind: str) -> None:
    """Whether the session takes this message now, and whether it answers what is asked."""
    asks_for_report = kind == "report"
    if session.is_busy or "session-busy" in call.faults or (session.ask and asks_for_report):
        raise Rejection(
            "DMS.DataAgent.SessionInBusy",
            "The session is processing and takes no more messages. (sandbox data)",
            busy=True,
        )
    if kind == "additional":
        if not call.text("Question"):
            raise Refusal(400, "MissingQuestion", "Question is mandatory with the MessageType additional.")
        if not session.ask:
            raise Rejection("DMS.DataAgent.NothingAsked", "No question of the agent is open. (sandbox data)")
    reply_to = call.text("ReplyTo")
    fitting = {str(checkpoint) for checkpoint in (session.ask, session.offer) if checkpoint}
    if reply_to not in ("", "0") and reply_to not in fitting and "any-reply-to" not in call.faults:
        raise Rejection("DMS.DataAgent.InvalidReplyTo", f"Nothing waits at the checkpoint {reply_to}. (sandbox data)")
    if session.ask and "reply-to-needed" in call.faults and reply_to != str(session.ask):
        raise Rejection("DMS.DataAgent.InvalidReplyTo", "The open question must be answered. (sandbox data)")


def _check_sources(agents: DataAgents, call: DmsCall, sources: list[Any]) -> None:
    for source in sources:
        if not isinstance(source, Mapping):
            raise invalid_parameter("DataSources must be an array of objects.")
        if source.get("DataSourceType") not in ("remote_data_center", "database"):
            raise invalid_parameter("DataSourceType must be remote_data_center or database.")
        file = agents.files.get(str(source.get("FileId") or ""))
        if source["DataSourceType"] == "remote_data_center" and (file is None or file.account != call.account):
            raise Rejection("DMS.DataAgent.FileNotExist", "The file of a data source does not exist. (sandbox data)")


def _take_config(session: Session, config: Mapping[str, Any]) -> None:
    """SessionConfig of the first message counts; of later ones PermissionConfig alone."""
    if not session.messages:
        session.config |= config
    elif "PermissionConfig" in config:
        session.config["PermissionConfig"] = config["PermissionConfig"]


def _go_on(agents: DataAgents, call: DmsCall, session: Session, message: Sent, task: Mapping[str, Any]) -> None:
    runtime = agents.place(session, call.faults)
    turn = agents.turns.get(session.id)
    if turn and session.ask:
        turn.answer(message.text)
        return
    offered = bool(session.offer)
    wants_report = message.kind == "report" or (
        offered and message.text.strip() in ("确认绘制网页报告", "绘制网页报告")
    )
    declines = offered and not wants_report and bool(_NOT_NOW.match(message.text)) and len(message.text) < 12
    if wants_report or declines:
        session.offer = 0
    record = TurnRecord(
        number=len(session.turns) + 1,
        kind="report" if wants_report else "decline" if declines else "question",
        text=message.text,
        message_id=message.id,
        first=len(session.frames),
        task=dict(task.get("ReportConfig") or {}),
        switches=call.faults.written(),
    )
    starting = max(0.0, runtime.started_at + runtime.start_up - agents.now())
    agents.begin(session, record, starting + (call.faults.number("queued") or 0.0))
