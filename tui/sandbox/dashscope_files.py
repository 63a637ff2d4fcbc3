"""Files, by the native and by the compatible paths; both show the same files (protocol notes, section 8)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import BodyPartReader, web

from tui.sandbox.dashscope_call import DashCall, reply, reply_as
from tui.sandbox.dashscope_records import Json, StoredFile
from tui.sandbox.dashscope_refusals import Refused, invalid
from tui.sandbox.dashscope_state import DashScope

PURPOSES = ("file-extract", "fine-tune", "batch", "assistants")
LARGEST = 150 * 1024 * 1024
"""Bytes, for file-extract."""
LINK_PATH = "/_sandbox/dashscope-files"
_LONGEST_FIELD = 16 * 1024


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    path: Path
    size: int
    md5: str


async def _form(agents: DashScope, call: DashCall, file_field: str) -> tuple[list[_Part], dict[str, str]]:
    """The files of a multipart body, written to disk piece by piece, and its texts."""
    if not call.request.content_type.startswith("multipart/"):
        raise invalid("The request must be multipart/form-data.")
    parts: list[_Part] = []
    texts: dict[str, str] = {}
    try:
        async for part in await call.request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            if part.name == file_field and part.filename:
                parts.append(await _take(agents, call, part, part.filename))
            elif part.name:
                texts[part.name] = (await part.read(decode=True))[:_LONGEST_FIELD].decode("utf-8", "replace")
    except ValueError:
        raise invalid("The form cannot be read.") from None
    if not parts:
        raise invalid(f"{file_field} is required.")
    return parts, texts


async def _take(agents: DashScope, call: DashCall, part: BodyPartReader, name: str) -> _Part:
    path = agents.objects.beside(secrets.token_hex(8))
    largest = call.faults.count("upload-limit") or LARGEST
    mark, size = hashlib.md5(usedforsecurity=False), 0
    with path.open("wb") as file:
        while chunk := await part.read_chunk(256 * 1024):
            size += len(chunk)
            if size > largest:
                path.unlink()
                raise Refused("BadRequest.TooLarge")
            mark.update(chunk)
            file.write(chunk)
    return _Part(name, path, size, mark.hexdigest())


def _store(agents: DashScope, call: DashCall, part: _Part, purpose: str, description: str, name: str) -> StoredFile:
    agents.objects.take(name, part.path, "application/octet-stream")
    file = StoredFile(name, call.account, agents.stamp(), part.name, part.size, part.md5, purpose, description)
    agents.files.save(file)
    agents.counts["files uploaded"] += 1
    return file


async def upload(agents: DashScope, call: DashCall) -> web.StreamResponse:
    """Native: parts called `files`, texts `descriptions` and `purpose`. Each file stands or fails for itself."""
    parts, texts = await _form(agents, call, "files")
    done: list[Json] = []
    failed: list[Json] = []
    for part in parts:
        if "upload-fails" in call.faults or not part.size:
            part.path.unlink()
            message = "The file is empty or of a type that is not supported. (sandbox data)"
            failed.append({"name": part.name, "code": "InvalidFile", "message": message})
            continue
        mark = f"{secrets.token_hex(4)}-{secrets.token_hex(6)}"
        file = _store(agents, call, part, texts.get("purpose", ""), texts.get("descriptions", ""), mark)
        done.append({"name": file.name, "file_id": file.id})
    return reply(call, {"data": {"uploaded_files": done, "failed_uploads": failed}})


def _native(call: DashCall, file: StoredFile) -> Json:
    made = datetime.fromtimestamp(file.created_at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    origin = f"http://{call.request.host}"
    return {
        "file_id": file.id,
        "name": file.name,
        "description": file.description,
        "size": file.size,
        "md5": file.md5,
        "gmt_create": made,
        "url": f"{origin}{LINK_PATH}/{file.id}?mark={file.md5}",
        "purpose": file.purpose,
    }


def _own(agents: DashScope, call: DashCall) -> list[StoredFile]:
    return [file for file in reversed(agents.files.values()) if file.account == call.account]


async def list_all(agents: DashScope, call: DashCall) -> web.StreamResponse:
    page = call.page(_own(agents, call))
    files = [_native(call, file) for file in page.items]
    return reply(call, {"data": {"total": page.total, "page_no": page.number, "page_size": page.size, "files": files}})


async def retrieve(agents: DashScope, call: DashCall) -> web.StreamResponse:
    return reply(call, {"data": _native(call, agents.file(call.account, call.path("file")))})


def _remove(agents: DashScope, call: DashCall) -> StoredFile:
    file = agents.file(call.account, call.path("file"))
    agents.objects.remove(file.id)
    agents.files.remove(file)
    return file


async def delete(agents: DashScope, call: DashCall) -> web.StreamResponse:
    _remove(agents, call)
    return reply(call, {})


# --- compatible mode -------------------------------------------------------------------------------------------


def _compatible(file: StoredFile) -> Json:
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.size,
        "created_at": file.created_at // 1000,
        "filename": file.name,
        "purpose": file.purpose or "file-extract",
        "status": "processed",
    }


async def upload_compatible(agents: DashScope, call: DashCall) -> web.StreamResponse:
    parts, texts = await _form(agents, call, "file")
    purpose = texts.get("purpose", "")
    if purpose not in PURPOSES:
        for part in parts:
            part.path.unlink()
        raise invalid(f"purpose must be one of {', '.join(PURPOSES)}.")
    for part in parts[1:]:
        part.path.unlink()
    file = _store(agents, call, parts[0], purpose, "", f"file-fe-{secrets.token_hex(12)}")
    return reply_as(call, _compatible(file))


async def list_compatible(agents: DashScope, call: DashCall) -> web.StreamResponse:
    found = _own(agents, call)
    limit, after = call.whole("limit", 20, 1, 10_000), call.query("after")
    ids = [file.id for file in found]
    if after:
        if after not in ids:
            raise invalid(f"{after} does not exist.")
        found = found[ids.index(after) + 1 :]
    chosen = [_compatible(file) for file in found[:limit]]
    return reply_as(call, {"object": "list", "data": chosen, "has_more": len(found) > limit})


async def retrieve_compatible(agents: DashScope, call: DashCall) -> web.StreamResponse:
    return reply_as(call, _compatible(agents.file(call.account, call.path("file"))))


async def delete_compatible(agents: DashScope, call: DashCall) -> web.StreamResponse:
    file = _remove(agents, call)
    return reply_as(call, {"id": file.id, "object": "file", "deleted": True})


# --- links -----------------------------------------------------------------------------------------------------


def link_routes(agents: DashScope) -> list[web.RouteDef]:
    """The links of files: whoever has one needs no key."""

    async def download(request: web.Request) -> web.StreamResponse:
        file = agents.files.get(request.match_info["file"])
        if file is None or request.query.get("mark") != file.md5:
            raise web.HTTPForbidden
        stored = agents.objects.get(file.id)
        assert stored is not None
        return web.FileResponse(stored.path, headers={"Content-Type": stored.content_type})

    return [web.get(LINK_PATH + "/{file}", download)]
