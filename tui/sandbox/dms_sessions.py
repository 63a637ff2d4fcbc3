"""Sessions of the Data Agent: create, describe, list, and feedback on them (protocol notes, sections 6.1, 6.2, 7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from aiohttp import web

from tui.sandbox.dms_links import link_to
from tui.sandbox.dms_records import Session
from tui.sandbox.dms_reply import DmsCall, Rejection, finish
from tui.sandbox.dms_state import DataAgents
from tui.sandbox.refusals import Refusal, invalid_parameter
from tui.sandbox.wire import compact

_LANGUAGES = ("CHINESE", "ENGLISH")
_FEEDBACK = ("ISSUE_REPORT", "CANCEL_CHAT", "LIKE", "DISLIKE")
_FEEDBACK_FIELDS = ("FeedbackContent", "FeedbackType", "LikeValue", "SessionId", "TargetId", "TargetType")


async def create_session(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """Make a session, and start the runtime where there is none."""
    title = call.text("Title")
    if len(title) > 128:
        raise invalid_parameter("Title has more than 128 characters.")
    config = call.structure("SessionConfig", dict)
    if str(config.get("Language") or "CHINESE").upper() not in _LANGUAGES:
        raise invalid_parameter("SessionConfig.Language must be CHINESE or ENGLISH.")
    file = agents.files.get(call.text("File"))
    if call.text("File") and (file is None or file.account != call.account):
        raise Rejection("DMS.DataAgent.FileNotExist", "The file does not exist. (sandbox data)")
    session = agents.new_session(call.account, title, call.faults)
    session.file_id = file.id if file else ""
    session.config = config
    agents.sessions.save(session)
    return finish(call, _session(agents, call, session))


async def describe_session(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """A session that is not there, or is somebody else's, looks like one that is being made: no error."""
    session_id = call.required("SessionId")
    session = agents.sessions.get(session_id)
    if session is None or session.account != call.account:
        return finish(call, {"SessionId": session_id, "AgentId": "", "SessionStatus": "CREATING"})
    runtime = agents.runtimes.get(session.account)
    if runtime and not runtime.stopped and not session.reclaimed:
        agents.place(session, call.faults)
    data = _session(agents, call, session)
    data["FavoriteInWorkspace"] = "false"
    data["Artifacts"] = [
        {
            "Id": artifact.id,
            "Name": artifact.name,
            "Type": artifact.kind,
            "Status": artifact.status,
            "Description": "sandbox data",
            "ReceiveTime": str(int(artifact.received)),
            "StartTime": str(int(artifact.received)),
            "FinishTime": str(int(artifact.finished)) if artifact.finished else "",
        }
        for artifact in session.artifacts
    ]
    data["Messages"] = [
        {"Id": sent.id, "Content": sent.text, "SendTime": int(sent.at * 1000), "Status": "SENT"}
        for sent in session.messages
    ]
    data["Capabilities"] = data["RecallResults"] = []
    data["DataSources"] = [{"Category": "CHAT", "Detail": compact(source)} for source in session.sources]
    data["ChatHistoryLocations"] = (
        [{"Key": session.history_key, "Url": link_to(agents, call, session.history_key)}] if session.history_key else []
    )
    return finish(call, data)


def _session(agents: DataAgents, call: DmsCall, session: Session) -> dict[str, object]:
    runtime = agents.runtimes.get(session.account)
    if session.reclaimed:
        agent_id, agent_status, status = "", "STOPPED", "STOPPED"
    elif runtime is None or runtime.agent_id != session.agent_id:
        agent_id, agent_status, status = session.agent_id, "STOPPED", session.status
    else:
        agent_id, agent_status, status = runtime.agent_id, runtime.status(agents.now()), session.status
        if agent_status in ("STARTING", "FAILED"):
            status = "CREATING" if agent_status == "STARTING" else "FAILED"
    if "session-creating" in call.faults:
        status = "CREATING"
    if "lower-status" in call.faults:
        agent_status, status = agent_status.lower(), status.lower()
    return {
        "AgentId": agent_id,
        "AgentStatus": agent_status,
        "CreateTime": int(session.created_at * 1000),
        "File": session.file_id,
        "Saved": False,
        "SessionConfig": session.config,
        "SessionId": session.id,
        "SessionStatus": status,
        "Title": session.title,
        "UserId": "1234567890",
    }


async def list_sessions(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """The caller's sessions, newest first."""
    page = call.page(list(_matching(agents, call)))
    chosen = [_session(agents, call, session) | {"FavoriteInWorkspace": False} for session in page.items]
    counts = {"PageNumber": page.number, "PageSize": page.size, "TotalPages": page.pages}
    if call.by_key and "pascal-keys" not in call.faults:
        content = [{**item, "Status": item["SessionStatus"]} for item in chosen]
        return finish(call, {"Content": content, **counts, "TotalElements": page.total})
    return finish(call, chosen, **counts, Total=page.total)


def _matching(agents: DataAgents, call: DmsCall) -> Iterable[Session]:
    whole = 10**15
    first = call.whole("StartTime", call.whole("CreateStartTime", 0, 0, whole), 0, whole)
    last = call.whole("EndTime", call.whole("CreateEndTime", whole, 0, whole), 0, whole)
    title, agent = call.text("Title").lower(), call.text("CustomAgentId")
    for session in sorted(agents.sessions.values(), key=lambda session: session.created_at, reverse=True):
        fits = session.account == call.account and first <= int(session.created_at * 1000) <= last
        if fits and title in session.title.lower() and agent in ("", str(session.config.get("CustomAgentId") or "")):
            yield session


async def create_feedback(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """Rate a session, or something in it."""
    if call.text("FeedbackType") not in _FEEDBACK:
        raise invalid_parameter(f"FeedbackType must be one of {', '.join(_FEEDBACK)}.")
    if call.text("LikeValue") not in ("", "1", "-1"):
        raise invalid_parameter("LikeValue must be 1 or -1.")
    session = agents.sessions.get(call.required("SessionId"))
    if session is None or session.account != call.account:
        raise Refusal(404, "SessionNotFound", "The session does not exist. (sandbox data)")
    given = {name: call.text(name) for name in _FEEDBACK_FIELDS}
    agents.feedback.append({**given, "At": datetime.fromtimestamp(agents.now(), UTC).isoformat()})
    data = {**given, "LikeValue": int(given["LikeValue"] or 0), "RegionId": "cn-hangzhou"}
    return finish(call, data, Code="200", HttpStatusCode=200, Message="")
