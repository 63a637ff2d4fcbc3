"""One host, as one account speaks with it: what all clients of the services have in common.

What changes nothing may be sent again. Everything else is sent once, and once more only where no connection was made
at all, so that not a byte of it can have arrived.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import httpx

from tui.models import Problem
from tui.services.endpoints import Endpoint
from tui.services.errors import AuthenticationError, ProtocolError, ServiceError
from tui.services.http import READ_TIMEOUT, STREAM_TIMEOUT, not_connected, open_client, transport_error
from tui.services.keys import KeySource
from tui.services.problems import clock_offset
from tui.services.sse import Body
from tui.words import _

MAX_BODY = 64 * 1024 * 1024
"""Bytes of one answer that is no stream."""
MAX_ERROR_BODY = 256 * 1024
_PARSE_IN_THREAD = 256 * 1024
"""Bytes of JSON from which parsing would be felt on the event loop."""

E = TypeVar("E", bound=ServiceError)


class HostClient:
    """Connections to `endpoint`, each made when it is first needed, and what its answers say of its clock.

    Args:
        keys: told when the service refuses its key.
        auth: puts that key into requests.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        keys: KeySource,
        auth: httpx.Auth,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.clock_offset = timedelta()
        """How far the service's clock was ahead of ours in its newest answer."""
        self._keys = keys
        self._auth = auth
        self._transport = transport
        self._clients: dict[bool, httpx.AsyncClient] = {}
        self._opening = asyncio.Lock()

    async def aclose(self) -> None:
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    async def _client(self, keepalive: bool) -> httpx.AsyncClient:
        async with self._opening:
            if keepalive not in self._clients:
                self._clients[keepalive] = await open_client(
                    self.endpoint, keepalive=keepalive, transport=self._transport
                )
            return self._clients[keepalive]

    async def _send(
        self,
        build: Callable[[httpx.AsyncClient], httpx.Request],
        *,
        idempotent: bool,
        stream: bool = False,
        timeout: httpx.Timeout | None = None,
    ) -> httpx.Response:
        """The head of the answer to the request that `build` makes; whoever gets it must close it.

        Raises:
            ServiceError: there is no key, or no answer came; `problem.delivered` says whether it may have arrived.
        """
        client = await self._client(keepalive=idempotent)
        request = build(client)
        request.headers["accept"] = "text/event-stream, application/json" if stream else "application/json"
        timeout = timeout or (STREAM_TIMEOUT if stream else READ_TIMEOUT)
        request.extensions = {**request.extensions, "timeout": timeout.as_dict()}
        for last in (idempotent, True):  # what may be repeated is repeated elsewhere
            try:
                response = await client.send(request, auth=self._auth, stream=True)
                break
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if last or not not_connected(error):
                    raise transport_error(error, host=self.endpoint.host) from error
        offset = clock_offset(response.headers)
        if offset is not None:
            self.clock_offset = offset
        return response

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

    async def _json(self, response: Body) -> tuple[bytes, object]:
        """The body of an answer, and what it says in JSON; None where it is none.

        Raises:
            ServiceError: it is longer than anything that is expected, or the line broke.
        """
        body = await self._body(response, MAX_BODY)
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
            return body, await asyncio.to_thread(json.loads, body) if len(body) > _PARSE_IN_THREAD else json.loads(body)
        except (ValueError, RecursionError):
            return body, None

    def _noted(self, error: E) -> E:
        """`error`, that a request ended with: a key that was not accepted is read anew next time."""
        if isinstance(error, AuthenticationError):
            self._keys.forget()
        return error
