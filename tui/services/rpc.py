"""The vendor's RPC style, as RdsAi and DMS speak it: `POST /`, every parameter in the query, an empty body.

Source: protocol notes 1.2 and 1.3. Nested values are compact JSON in one parameter, with non-ASCII kept.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tui.models import Problem
from tui.services.endpoints import Endpoint
from tui.services.errors import ConfigurationError, ServiceError
from tui.services.host_client import MAX_ERROR_BODY, HostClient
from tui.services.http import repeat_read
from tui.services.keys import KeySource
from tui.services.problems import from_refusal, from_response, is_refusal, read_refusal
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


class RpcClient(HostClient):
    """Signed calls of one product at one endpoint. Reads are repeated by the rule of `repeat_read`."""

    def __init__(
        self, api: Api, endpoint: Endpoint, keys: KeySource, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(endpoint, keys, Acs3Auth(keys), transport=transport)
        self.api = api

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
        query = self._query(params)
        response = await self._send(lambda client: self._request(client, action, query), idempotent=False, stream=True)
        async with aclosing(response):
            content_type = response.headers.get("content-type", "")
            if not response.is_success or "text/event-stream" not in content_type:
                raise self._refused(action, response, await self._body(response, MAX_ERROR_BODY))
            yield read_frames(response, host=self.endpoint.host, empty_frames=self.api.empty_frames)

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

    async def _call(self, action: str, query: str, *, idempotent: bool) -> dict[str, Any]:
        response = await self._send(lambda client: self._request(client, action, query), idempotent=idempotent)
        async with aclosing(response):
            if not response.is_success:
                raise self._refused(action, response, await self._body(response, MAX_ERROR_BODY))
            body, table = await self._json(response)
        if not isinstance(table, dict):
            raise self._refused(action, response, body)
        if is_refusal(table):
            raise self._noted(
                from_refusal(
                    self.api.service,
                    read_refusal(table),
                    status=response.status_code,
                    headers=response.headers,
                    action=f"{self.api.ram_prefix}:{action}",
                )
            )
        return table

    def _refused(self, action: str, response: httpx.Response, body: bytes) -> ServiceError:
        """The error in a response that is no answer: another status, or another content type than was asked for."""
        error = from_response(
            self.api.service, response.status_code, response.headers, body, action=f"{self.api.ram_prefix}:{action}"
        )
        return self._noted(error)
