"""JSON over plain HTTP paths with a bearer key, as DashScope speaks it. Source: protocol notes (DashScope) 1 and 2.

Reads are repeated by the rule of `repeat_read`. Everything else is sent once, and once more only where no connection
was made at all, so that not a byte of it can have arrived.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from tui.models import Problem
from tui.services.dashscope_problems import read_error_table, refused, response_error
from tui.services.endpoints import Endpoint
from tui.services.errors import AuthenticationError, ProtocolError, ServiceError
from tui.services.http import READ_TIMEOUT, STREAM_TIMEOUT, not_connected, open_client, repeat_read, transport_error
from tui.services.keys import KeySource
from tui.services.problems import clock_offset
from tui.services.sse import Body, Frame, Oversized, read_frames
from tui.text import clean_line
from tui.words import _

NATIVE = "/api/v1"
COMPATIBLE = "/compatible-mode/v1"
MAX_BODY = 64 * 1024 * 1024
"""Bytes of one answer that is no stream."""
MAX_ERROR_BODY = 256 * 1024
_IN_THREAD = 256 * 1024
"""Bytes of JSON from which parsing would be felt on the event loop."""
_STREAM_LINES = (b"event:", b"data:", b"id:", b"retry:", b":")
"""How a stream begins, whatever its content type says."""
Query = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Opened:
    """The answer to a request for a stream: frames as `read_frames` gives them, or one JSON object in their place."""

    frames: AsyncIterator[list[Frame | Oversized]] | None = None
    whole: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = ""
    """From the head of the answer, where it has one."""


class RestClient:
    """One host with one API key.

    Args:
        workspace: goes with every request where it is not empty; only keys of a sub-workspace need it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        keys: KeySource,
        *,
        workspace: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.clock_offset = timedelta()
        """How far the service's clock was ahead of ours in its newest answer."""
        self._keys = keys
        self._auth: httpx.Auth = _BearerAuth(keys)
        self._headers = {"x-dashscope-workspace": workspace} if workspace else {}
        self._transport = transport
        self._clients: dict[bool, httpx.AsyncClient] = {}
        self._opening = asyncio.Lock()

    # --- calls -------------------------------------------------------------------------------------------------

    async def get(self, path: str, query: Query | None = None) -> dict[str, Any]:
        """The object at `path`; repeated where that may help. Raises ServiceError."""

        async def once() -> dict[str, Any]:
            return await self._call("GET", path, query=query)

        return await repeat_read(once)

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send `body` (None: an empty one) once. Raises ServiceError."""
        return await self._call("POST", path, content=None if body is None else encode(body))

    async def delete(self, path: str) -> dict[str, Any]:
        """Delete once. Raises ServiceError."""
        return await self._call("DELETE", path)

    async def upload(self, path: str, files: Sequence[tuple[str, Any]], texts: Mapping[str, str]) -> dict[str, Any]:
        """A multipart form, sent once; `files` as httpx takes them. Raises ServiceError."""
        return await self._call("POST", path, files=files, data=texts)

    @asynccontextmanager
    async def stream(self, path: str, body: Mapping[str, Any]) -> AsyncIterator[Opened]:
        """Send `body` once and open the answer. Leaving closes the connection.

        Raises:
            ServiceError: not sent, or refused; `problem.delivered` says which.
        """
        response = await self._send("POST", path, content=encode(body), stream=True)
        try:
            if not response.is_success:
                raise await self._refused(response)
            begun = await _Begun.read(response, self.endpoint.host)
            request_id = clean_line(response.headers.get("x-request-id", ""), 100)
            if "text/event-stream" in response.headers.get("content-type", "") or begun.is_stream:
                yield Opened(frames=read_frames(begun, host=self.endpoint.host), request_id=request_id)
            else:
                yield Opened(whole=await self._object(response, begun), request_id=request_id)
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    # --- one request ---------------------------------------------------------------------------------------------

    async def _client(self, keepalive: bool) -> httpx.AsyncClient:
        async with self._opening:
            if keepalive not in self._clients:
                self._clients[keepalive] = await open_client(
                    self.endpoint, keepalive=keepalive, transport=self._transport
                )
            return self._clients[keepalive]

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        content: bytes | None = None,
        files: Any = None,
        data: Any = None,
        stream: bool = False,
    ) -> httpx.Response:
        client = await self._client(keepalive=method == "GET")
        headers = {**self._headers, "accept": "text/event-stream, application/json" if stream else "application/json"}
        if content is not None:
            headers["content-type"] = "application/json; charset=utf-8"
        request = client.build_request(
            method,
            path,
            params=query,
            content=content,
            files=files,
            data=data,
            headers=headers,
            timeout=STREAM_TIMEOUT if stream or files else READ_TIMEOUT,
        )
        for attempt in (1, 2):
            try:
                response = await client.send(request, auth=self._auth, stream=True)
                break
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if attempt == 2 or not not_connected(error):
                    raise transport_error(error, host=self.endpoint.host) from error
        self.clock_offset = clock_offset(response.headers) or self.clock_offset
        return response

    async def _call(self, method: str, path: str, **what: Any) -> dict[str, Any]:
        response = await self._send(method, path, **what)
        try:
            if not response.is_success:
                raise await self._refused(response)
            return await self._object(response)
        finally:
            await response.aclose()

    async def _object(self, response: httpx.Response, begun: Body | None = None) -> dict[str, Any]:
        """The JSON object of an answer; one that is an error in truth is raised."""
        body = await self._body(begun or response, MAX_BODY)
        if len(body) > MAX_BODY:
            raise ProtocolError(
                Problem(
                    _("Answer too long"),
                    _("{host} sent more than {n} MB in one answer.").format(
                        host=self.endpoint.host, n=MAX_BODY // (1024 * 1024)
                    ),
                    delivered="yes",
                )
            )
        try:
            table = await asyncio.to_thread(json.loads, body) if len(body) > _IN_THREAD else json.loads(body)
        except (ValueError, RecursionError):
            table = None
        if not isinstance(table, dict):
            raise response_error(response.status_code, response.headers, body)
        if _is_error(table):
            raise refused(read_error_table(table), status=response.status_code, headers=response.headers)
        return table

    async def _refused(self, response: httpx.Response) -> ServiceError:
        error = response_error(response.status_code, response.headers, await self._body(response, MAX_ERROR_BODY))
        if isinstance(error, AuthenticationError):
            self._keys.forget()
        return error

    async def _body(self, response: Body, limit: int) -> bytes:
        """The body, or of a longer one its beginning: at least `limit` + 1 bytes."""
        body = bytearray()
        try:
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > limit:
                    break
        except httpx.HTTPError as error:
            raise transport_error(error, host=self.endpoint.host) from error
        return bytes(body)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A response whose first piece was read already: streams have come under the name of JSON."""

    first: bytes
    rest: AsyncIterator[bytes]

    @classmethod
    async def read(cls, response: httpx.Response, host: str) -> _Begun:
        rest = response.aiter_bytes()
        try:
            return cls(await anext(rest, b""), rest)
        except httpx.HTTPError as error:
            raise transport_error(error, host=host) from error

    @property
    def is_stream(self) -> bool:
        return self.first.lstrip().startswith(_STREAM_LINES)

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        yield self.first
        async for piece in self.rest:
            yield piece


class _BearerAuth(httpx.Auth):
    def __init__(self, keys: KeySource) -> None:
        self._keys = keys

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        key = await self._keys.key()
        request.headers["authorization"] = f"Bearer {key.secret.reveal()}"
        yield request


def encode(body: Mapping[str, Any]) -> bytes:
    """`body` as it goes over the wire: UTF-8, with a question mark for a lone surrogate, which has none."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _is_error(table: Mapping[str, Any]) -> bool:
    """True for an object that is no result: `{code, message, request_id}`, or an `error` with nothing beside it."""
    if "id" in table or "data" in table or "output" in table:
        return False
    return bool(table.get("code")) or isinstance(table.get("error"), Mapping)
