"""The vendor's RPC style, as RdsAi and DMS speak it: `POST /`, every parameter in the query, an empty body.

Source: protocol notes 1.2 and 1.3. Nested values are compact JSON in one parameter, with non-ASCII kept.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from tui.models import Problem
from tui.services.endpoints import Endpoint
from tui.services.errors import AuthenticationError, ConfigurationError, ProtocolError, ServiceError
from tui.services.http import READ_TIMEOUT, STREAM_TIMEOUT, not_connected, open_client, repeat_read, transport_error
from tui.services.keys import KeySource
from tui.services.problems import (
    clock_offset,
    embedded_status,
    from_refusal,
    from_response,
    is_refusal,
    read_refusal,
)
from tui.services.signing import Acs3Auth, encode_query
from tui.services.sse import Frame, Oversized, read_frames
from tui.words import _

FrameStream = AsyncIterator[list[Frame | Oversized]]
"""One list per read from the line, see `read_frames`."""
Value = str | int | bool | Mapping[str, Any] | Sequence[Any] | None

LONG_QUERY = 60_000
"""Bytes of encoded query from which proxies on the way are known to refuse; the user is told."""
MAX_QUERY = 400_000
"""Bytes; beyond it nothing is sent."""
MAX_BODY = 64 * 1024 * 1024
"""Bytes of one answer that is no stream."""
MAX_ERROR_BODY = 256 * 1024
_PARSE_IN_THREAD = 256 * 1024
"""Bytes of JSON from which parsing would be felt on the event loop."""


@dataclass(frozen=True, slots=True)
class Api:
    """One product of the vendor."""

    service: str
    """As `tui.services.codes.service_title` knows it."""
    version: str
    ram_prefix: str
    """Of RAM actions: `rdsai` in `rdsai:ChatMessages`."""
    empty_frames: bool = False
    """Events of its streams may have a name and no data."""


def encode_params(params: Mapping[str, Value]) -> list[tuple[str, str]]:
    """`params` as they go into the query: None and "" are left out, an empty list is `[]`, numbers are decimal."""
    encoded: list[tuple[str, str]] = []
    for name, value in params.items():
        if value is None or value == "":
            continue
        if isinstance(value, bool):
            text = "true" if value else "false"
        elif isinstance(value, (str, int)):
            text = str(value)
        else:
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        # A lone surrogate has no UTF-8; the service gets a question mark.
        encoded.append((name, text.encode("utf-8", "replace").decode()))
    return encoded


class RpcClient:
    """Signed calls of one product at one endpoint.

    Reads are repeated by the rule of `repeat_read`. Everything else is sent once, and once more only where no
    connection was made at all, so that not a byte of it can have arrived.
    """

    def __init__(
        self, api: Api, endpoint: Endpoint, keys: KeySource, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.api = api
        self.endpoint = endpoint
        self.clock_offset = timedelta()
        """How far the service's clock was ahead of ours in its newest answer."""
        self._keys = keys
        self._auth: httpx.Auth = Acs3Auth(keys)
        self._transport = transport
        self._clients: dict[bool, httpx.AsyncClient] = {}
        self._opening = asyncio.Lock()

    async def read(self, action: str, params: Mapping[str, Value]) -> dict[str, Any]:
        """The answer of an operation that changes nothing; repeated where that may help."""
        query = self._query(params)
        return await repeat_read(lambda: self._call(action, query, idempotent=True))

    async def write(self, action: str, params: Mapping[str, Value]) -> dict[str, Any]:
        """The answer of an operation that changes something; never sent twice."""
        return await self._call(action, self._query(params), idempotent=False)

    def query_size(self, params: Mapping[str, Value]) -> int:
        """Bytes of the encoded query."""
        return len(encode_query(encode_params(params)))

    @asynccontextmanager
    async def stream(self, action: str, params: Mapping[str, Value]) -> AsyncIterator[FrameStream]:
        """Open a stream of frames; what the iterator yields is of `read_frames`. Leaving closes the connection.

        Raises:
            ServiceError: not sent, or refused; `problem.delivered` says which. Status and content type are looked
                at before any frame, so a refusal keeps its reason.
        """
        response = await self._send(action, self._query(params), idempotent=False, stream=True)
        try:
            content_type = response.headers.get("content-type", "")
            if not response.is_success or "text/event-stream" not in content_type:
                raise await self._refused(action, response)
            yield read_frames(response, host=self.endpoint.host, empty_frames=self.api.empty_frames)
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    # --- one request -----------------------------------------------------------------------------------------

    def _query(self, params: Mapping[str, Value]) -> str:
        query = encode_query(encode_params(params))
        if len(query) > MAX_QUERY:
            raise ConfigurationError(
                Problem(
                    _("Question too long"),
                    _("It makes a request of {n} KB; more than {limit} KB are not sent.").format(
                        n=len(query) // 1000, limit=MAX_QUERY // 1000
                    ),
                    _("Shorten it: all of it travels in the address of the request, where Chinese takes 9 bytes each."),
                    delivered="no",
                )
            )
        return query

    async def _client(self, keepalive: bool) -> httpx.AsyncClient:
        async with self._opening:
            if keepalive not in self._clients:
                self._clients[keepalive] = await open_client(
                    self.endpoint, keepalive=keepalive, transport=self._transport
                )
            return self._clients[keepalive]

    def _request(self, client: httpx.AsyncClient, action: str, query: str) -> httpx.Request:
        """The request of an operation, not signed yet."""
        return client.build_request(
            "POST",
            "/",
            content=b"",
            headers={"x-acs-action": action, "x-acs-version": self.api.version},
            # Not in the URL: httpx takes no URL over 64 KB, and puts URLs into logs and error texts.
            extensions={"target": f"/?{query}".encode() if query else b"/"},
        )

    async def _send(self, action: str, query: str, *, idempotent: bool, stream: bool = False) -> httpx.Response:
        client = await self._client(keepalive=idempotent)
        request = self._request(client, action, query)
        request.headers["accept"] = "text/event-stream, application/json" if stream else "application/json"
        timeout = STREAM_TIMEOUT if stream else READ_TIMEOUT
        request.extensions = {**request.extensions, "timeout": timeout.as_dict()}
        for attempt in (1, 2):
            try:
                response = await client.send(request, auth=self._auth, stream=True)
                break
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if attempt == 2 or not not_connected(error):
                    raise transport_error(error, host=self.endpoint.host) from error
        offset = clock_offset(response.headers)
        if offset is not None:
            self.clock_offset = offset
        return response

    async def _call(self, action: str, query: str, *, idempotent: bool) -> dict[str, Any]:
        response = await self._send(action, query, idempotent=idempotent)
        try:
            if not response.is_success:
                raise await self._refused(action, response)
            body = await self._body(response, MAX_BODY)
        finally:
            await response.aclose()
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
            table = await asyncio.to_thread(json.loads, body) if len(body) > _PARSE_IN_THREAD else json.loads(body)
        except (ValueError, RecursionError):
            table = None
        if not isinstance(table, dict):
            raise from_response(self.api.service, response.status_code, response.headers, body)
        if is_refusal(table):
            raise self._refusal(action, table, response)
        return table

    async def _refused(self, action: str, response: httpx.Response) -> ServiceError:
        """The error in a response that is no answer: another status, or another content type than was asked for."""
        body = await self._body(response, MAX_ERROR_BODY)
        error = from_response(
            self.api.service, response.status_code, response.headers, body, action=f"{self.api.ram_prefix}:{action}"
        )
        if isinstance(error, AuthenticationError):
            self._keys.forget()
        return error

    def _refusal(self, action: str, table: Mapping[str, Any], response: httpx.Response) -> ServiceError:
        error = from_refusal(
            self.api.service,
            read_refusal(table),
            status=embedded_status(table) or response.status_code,
            headers=response.headers,
            action=f"{self.api.ram_prefix}:{action}",
        )
        if isinstance(error, AuthenticationError):
            self._keys.forget()
        return error

    async def _body(self, response: httpx.Response, limit: int) -> bytes:
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
