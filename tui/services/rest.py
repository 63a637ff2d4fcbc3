"""JSON over plain HTTP paths with a bearer key, as DashScope speaks it. Source: protocol notes (DashScope) 1 and 2."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tui.services.dashscope_problems import read_error_table, refused, response_error
from tui.services.endpoints import Endpoint
from tui.services.errors import ServiceError
from tui.services.host_client import MAX_ERROR_BODY, HostClient
from tui.services.http import STREAM_TIMEOUT, repeat_read, transport_error
from tui.services.keys import KeySource
from tui.services.signing import HeaderAuth
from tui.services.sse import Body, Frame, Oversized, read_frames
from tui.text import clean_line

NATIVE = "/api/v1"
COMPATIBLE = "/compatible-mode/v1"
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


class RestClient(HostClient):
    """One host with one API key. Reads are repeated by the rule of `repeat_read`.

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
        super().__init__(endpoint, keys, HeaderAuth(keys), transport=transport)
        self._headers = {"x-dashscope-workspace": workspace} if workspace else {}

    # --- calls -------------------------------------------------------------------------------------------------

    async def get(self, path: str, query: Query | None = None) -> dict[str, Any]:
        """The object at `path`; repeated where that may help. Raises ServiceError."""
        return await repeat_read(lambda: self._call("GET", path, params=query))

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send `body` (None: an empty one) once. Raises ServiceError."""
        return await self._call("POST", path, **_content(body))

    async def delete(self, path: str) -> dict[str, Any]:
        """Delete once. Raises ServiceError."""
        return await self._call("DELETE", path)

    async def upload(self, path: str, files: Sequence[tuple[str, Any]], texts: Mapping[str, str]) -> dict[str, Any]:
        """A multipart form, sent once; `files` as httpx takes them. Raises ServiceError."""
        return await self._call("POST", path, timeout=STREAM_TIMEOUT, files=files, data=texts)

    @asynccontextmanager
    async def stream(self, path: str, body: Mapping[str, Any]) -> AsyncIterator[Opened]:
        """Send `body` once and open the answer. Leaving closes the connection.

        Raises:
            ServiceError: not sent, or refused; `problem.delivered` says which.
        """
        response = await self._send(self._build("POST", path, **_content(body)), idempotent=False, stream=True)
        async with aclosing(response):
            if not response.is_success:
                raise await self._refused(response)
            begun = await _Begun.read(response, self.endpoint.host)
            request_id = clean_line(response.headers.get("x-request-id", ""), 100)
            if "text/event-stream" in response.headers.get("content-type", "") or begun.is_stream:
                yield Opened(frames=read_frames(begun, host=self.endpoint.host), request_id=request_id)
            else:
                yield Opened(whole=await self._object(response, begun), request_id=request_id)

    # --- one request ---------------------------------------------------------------------------------------------

    def _build(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **what: Any
    ) -> Callable[[httpx.AsyncClient], httpx.Request]:
        return lambda client: client.build_request(method, path, headers={**self._headers, **(headers or {})}, **what)

    async def _call(
        self, method: str, path: str, *, timeout: httpx.Timeout | None = None, **what: Any
    ) -> dict[str, Any]:
        build = self._build(method, path, **what)
        response = await self._send(build, idempotent=method == "GET", timeout=timeout)
        async with aclosing(response):
            if not response.is_success:
                raise await self._refused(response)
            return await self._object(response, response)

    async def _object(self, response: httpx.Response, body_of: Body) -> dict[str, Any]:
        """The JSON object of an answer; one that is an error in truth is raised."""
        body, table = await self._json(body_of)
        if not isinstance(table, dict):
            raise response_error(response.status_code, response.headers, body)
        if _is_error(table):
            raise refused(read_error_table(table), status=response.status_code, headers=response.headers)
        return table

    async def _refused(self, response: httpx.Response) -> ServiceError:
        body = await self._body(response, MAX_ERROR_BODY)
        return self._noted(response_error(response.status_code, response.headers, body))


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


def _content(body: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a request is built with that carries `body`."""
    if body is None:
        return {}
    return {"content": encode(body), "headers": {"content-type": "application/json; charset=utf-8"}}


def encode(body: Mapping[str, Any]) -> bytes:
    """`body` as it goes over the wire: UTF-8, with a question mark for a lone surrogate, which has none."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _is_error(table: Mapping[str, Any]) -> bool:
    """True for an object that is no result: `{code, message, request_id}`, or an `error` with nothing beside it."""
    if "id" in table or "data" in table or "output" in table:
        return False
    return bool(table.get("code")) or isinstance(table.get("error"), Mapping)
