"""The bucket: uploads by a form with a signed policy, downloads by pre-signed links (protocol notes, section 9)."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from aiohttp import BodyPartReader, web

from tui.sandbox import oss_signing
from tui.sandbox.call import drop, drop_after_accept, faults_of, on_the_way, xml_error
from tui.sandbox.dms_links import BUCKET_PATH, LINK_KEY, REGION
from tui.sandbox.dms_state import DataAgents
from tui.sandbox.faults import Faults
from tui.sandbox.oss_policy import OssError, Policy, verify
from tui.sandbox.oss_store import BUCKET
from tui.sandbox.refusals import HOST_ID, Refusal

_CHUNK = 256 * 1024
_LONGEST_FIELD = 16 * 1024
_STRANGERS = ("authorization", "cookie")


class Bucket:
    """The routes of the bucket."""

    def __init__(self, agents: DataAgents) -> None:
        self._agents = agents

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(BUCKET_PATH, self._guarded("PostObject", self._post)),
            web.post(f"{BUCKET_PATH}/", self._guarded("PostObject", self._post)),
            web.get(BUCKET_PATH + "/{key:.+}", self._guarded("GetObject", self._get)),
        ]

    def _guarded(
        self, action: str, handler: Callable[[web.Request, Faults], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guard(request: web.Request) -> web.StreamResponse:
            world = self._agents.world
            request_id = world.new_request_id()
            try:
                faults = faults_of(world, request, action)
                world.counts.received[action] += 1
                return await self._accidents(request, faults) or await handler(request, faults)
            except Refusal as error:
                world.counts.refused[error.code] += 1
                return _xml(error, request_id)
            except ValueError as error:
                return _xml(OssError(400, "InvalidArgument", str(error)), request_id)

        return guard

    async def _accidents(self, request: web.Request, faults: Faults) -> web.Response | None:
        """What holds for any request to the bucket: a reply in its place, or nothing."""
        leaked = [name for name in request.headers if name.lower() in _STRANGERS or name.lower().startswith("x-acs-")]
        if leaked:
            self._agents.counts["credentials leaked"] += 1
            raise OssError(400, "InvalidArgument", f"The header {leaked[0]} has no business here.")
        if (early := await on_the_way(request, faults)) is not None:
            return early
        if "service-unavailable" in faults:
            raise OssError(503, "ServiceUnavailable", "Please reduce your request rate. (sandbox data)")
        if "http-500" in faults:
            raise OssError(500, "InternalError", "We encountered an internal error. Please try again. (sandbox data)")
        return None

    # --- uploads -----------------------------------------------------------------------------------------------

    async def _post(self, request: web.Request, faults: Faults) -> web.StreamResponse:
        if not request.content_type.startswith("multipart/form-data"):
            raise OssError(412, "PreconditionFailed", "The body is not multipart/form-data.")
        reader = await request.multipart()
        fields: dict[str, str] = {}
        names: list[str] = []
        form: dict[str, object] = {"fields": names, "key": "", "size": 0, "status": 0}
        self._agents.forms.append(form)
        try:
            while True:
                part = await reader.next()
                if not isinstance(part, BodyPartReader):
                    raise OssError(400, "MalformedPOSTRequest", "The form has no field called file.")
                name = part.name or ""
                names.append(name)
                if name == "file":
                    break
                fields[name.lower()] = await _field(part)
            form["key"] = fields.get("key", "")
            form["file_name"], form["file_type"] = part.filename, part.headers.get("Content-Type", "")
            status = await self._store(request, fields, part, form, faults)
            # What stands after the file is not looked at.
            form["status"] = status
        except OssError as error:
            form["status"], form["code"] = error.status, error.code
            raise
        finally:
            self._agents.world.news.tell()
        drop_after_accept(request, faults)
        return web.Response(status=status)

    async def _store(
        self,
        request: web.Request,
        fields: dict[str, str],
        part: BodyPartReader,
        form: dict[str, object],
        faults: Faults,
    ) -> int:
        now = datetime.fromtimestamp(self._agents.now(), UTC)
        policy = verify(fields, self._agents.upload_keys.get, REGION, now)
        key = fields.get("key", "").replace("${filename}", part.filename or "")
        if not key or key.startswith("/") or ".." in key.split("/"):
            raise OssError(400, "InvalidObjectName", "The specified object is not valid.")
        written = self._agents.objects.beside(key)
        try:
            await self._receive(request, written, part, policy, form, faults)
            content_type = part.headers.get("Content-Type", "application/octet-stream")
            self._agents.objects.take(key, written, content_type)
        finally:
            written.unlink(missing_ok=True)
        status = fields.get("success_action_status", "204")
        return int(status) if status in ("200", "201", "204") else 204

    async def _receive(
        self,
        request: web.Request,
        written: Path,
        part: BodyPartReader,
        policy: Policy,
        form: dict[str, object],
        faults: Faults,
    ) -> None:
        """Write the file as it comes."""
        rate, breaks, full = faults.number("slow-upload"), faults.count("drop-upload"), faults.count("disk-full")
        size = 0
        with written.open("wb") as file:
            while chunk := await part.read_chunk(_CHUNK):
                size += len(chunk)
                form["size"] = size
                policy.check_size(size, complete=False)
                if full is not None and size >= full:
                    raise OssError(507, "InsufficientStorage", "The bucket is full. (sandbox data)")
                file.write(chunk)
                if breaks is not None and size >= breaks:
                    form["code"] = "dropped"
                    drop(request)
                if rate:
                    await asyncio.sleep(len(chunk) / rate)
        policy.check_size(size, complete=True)

    # --- downloads ---------------------------------------------------------------------------------------------

    async def _get(self, request: web.Request, faults: Faults) -> web.StreamResponse:
        key = request.match_info["key"]
        expires = request.query.get("Expires", "")
        given = request.query.get("Signature", "")
        if request.query.get("OSSAccessKeyId") != LINK_KEY.access_key_id:
            raise OssError(
                403, "InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records."
            )
        expected = oss_signing.link_signature(LINK_KEY.access_key_secret, BUCKET, key, expires)
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise OssError(403, "SignatureDoesNotMatch", "The request signature we calculated does not match yours.")
        if "link-expired" in faults or self._agents.now() >= int(expires):
            raise OssError(403, "AccessDenied", "Request has expired.")
        stored = self._agents.objects.get(key)
        if stored is None:
            raise OssError(404, "NoSuchKey", "The specified key does not exist.")
        self._agents.counts["downloads"] += 1
        breaks = faults.count("drop-download")
        if breaks is not None:
            await _broken_off(request, stored.path.read_bytes(), breaks)
        return web.FileResponse(stored.path, headers={"Content-Type": stored.content_type})


async def _field(part: BodyPartReader) -> str:
    data = b""
    while chunk := await part.read_chunk(_LONGEST_FIELD):
        data += chunk
        if len(data) > _LONGEST_FIELD:
            raise OssError(400, "MalformedPOSTRequest", "A field of the form is too long.")
    return data.decode("utf-8", "replace")


async def _broken_off(request: web.Request, data: bytes, count: int) -> NoReturn:
    """The beginning of an object, whose whole length was promised; then the connection is closed.

    Raises:
        ConnectionDropped: always.
    """
    response = web.StreamResponse(headers={"Content-Length": str(len(data))})
    await response.prepare(request)
    await response.write(data[:count])
    drop(request)


def _xml(error: Refusal, request_id: str) -> web.Response:
    fields = {"Code": error.code, "Message": error.message, "RequestId": request_id, "HostId": HOST_ID}
    body = b'<?xml version="1.0" encoding="UTF-8"?>\n' + xml_error({**fields, "EC": "0000-00000000"})
    return web.Response(status=error.status, body=body, content_type="application/xml")
