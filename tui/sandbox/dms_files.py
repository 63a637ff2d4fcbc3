"""The four file operations (protocol notes, sections 6.3 and 9)."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import PurePosixPath

from aiohttp import web

from tui.sandbox.call import drop_after_accept
from tui.sandbox.dms_links import LARGEST, REGION, link_to, upload_policy
from tui.sandbox.dms_records import UploadedFile
from tui.sandbox.dms_reply import DmsCall, Rejection, finish
from tui.sandbox.dms_state import DataAgents
from tui.sandbox.refusals import Refusal, internal_error, invalid_parameter

_TYPES = (".csv", ".xlsx", ".xls", ".json", ".txt")


async def describe_signature(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """Form values for one upload, good for an hour."""
    return finish(call, dict(upload_policy(agents, call)))


async def upload_callback(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """Register an uploaded object; the same location again gives the same id."""
    name, location = call.required("Filename"), call.required("UploadLocation")
    if not call.text("FileSize") and call.by_key:
        raise Refusal(400, "MissingFileSize", "FileSize is mandatory for this action.")
    size = call.whole("FileSize", 0, 0, 10**12)
    if PurePosixPath(name).suffix.lower() not in _TYPES:
        raise invalid_parameter("Filename has an extension that is not supported.")
    if name != PurePosixPath(name).name or not location.endswith(f"/{name}"):
        raise invalid_parameter("UploadLocation must be UploadDir, a slash and Filename.")
    stored = agents.objects.get(location)
    if stored is None or not location.startswith(f"data_agent/file_upload/{call.account}/"):
        raise Rejection("DMS.DataAgent.FileNotExist", f"Nothing was uploaded to {location}. (sandbox data)")
    if call.text("FileSize") and (size != stored.size or size > LARGEST):
        raise Rejection("DMS.DataAgent.FileSizeMismatch", f"The object has {stored.size} bytes. (sandbox data)")
    known = next((file for file in agents.files.values() if file.key == location), None)
    file = known or UploadedFile(f"f-{secrets.token_hex(8)}", call.account, name, stored.size, location, agents.now())
    agents.files.save(file)
    agents.counts["callbacks"] += 1
    call.world.news.tell()
    drop_after_accept(call.request, call.faults)
    if "accepted-500" in call.faults:
        raise internal_error()
    return finish(call, {} if "no-file-id" in call.faults else {"FileId": file.id})


async def list_files(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """The caller's files; those of a session with SessionId."""
    life = call.whole("DownloadLinkExpire", 3600, 3600, 129_600)
    asked = {"id": call.text("FileId"), "category": call.text("FileCategory"), "source": call.text("FileFrom")}
    session = call.text("SessionId")
    late = call.faults.number("late-files") or 0.0
    files = [
        file
        for file in agents.files.values()
        if file.account == call.account
        and all(value in ("", getattr(file, name)) for name, value in asked.items())
        and (not session or _belongs(agents, file, session))
        and (file.source == "User" or agents.now() - file.created_at >= late)
    ]
    newest_first = call.text("SortDirection", "desc").lower() != "asc"
    files.sort(key=lambda file: file.created_at, reverse=newest_first)
    return finish(call, [_described(agents, call, file, life) for file in files])


def _belongs(agents: DataAgents, file: UploadedFile, session_id: str) -> bool:
    session = agents.sessions.get(session_id)
    sources = [source.get("FileId") for source in session.sources] if session else []
    return file.session_id == session_id or file.id in sources or (session is not None and file.id == session.file_id)


def _described(agents: DataAgents, call: DmsCall, file: UploadedFile, life: int) -> dict[str, object]:
    link = link_to(agents, call, file.key)
    return {
        "FileId": file.id,
        "FileName": file.name,
        "FileType": PurePosixPath(file.name).suffix.removeprefix("."),
        "FileSize": file.size,
        "FileCategory": file.category,
        "FileFrom": file.source,
        "SessionId": file.session_id,
        "Region": REGION,
        "UploadLocation": file.key,
        "GmtCreated": datetime.fromtimestamp(file.created_at, UTC).isoformat(timespec="milliseconds"),
        "AliyunUid": "1234567890",
        "AliyunParentUid": "1234567890",
        "DownloadLink": link,
        "IntranetDownloadLink": link.replace("http://", "http://intranet.", 1),
    }


async def delete_file(agents: DataAgents, call: DmsCall) -> web.StreamResponse:
    """Forget a file of the caller's, and its bytes."""
    file = agents.files.get(call.required("FileId"))
    if file is None or file.account != call.account:
        raise Rejection("DMS.DataAgent.FileNotExist", "The file does not exist. (sandbox data)")
    agents.remove_file(file)
    agents.counts["deleted"] += 1
    drop_after_accept(call.request, call.faults)
    return finish(call, {"FileId": file.id})
