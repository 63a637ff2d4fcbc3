"""Long-term memory: the data plane of a project, a Mem0-compatible REST API.

Source: protocol notes (RDS Copilot) 6: header `Authorization: Token <key>`, add, search, list, delete. The paths are
those of Mem0's own API and not confirmed for the vendor's; answers are taken as a list or as `{"results": [...]}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from tui.models import Problem
from tui.services.endpoints import Endpoint
from tui.services.errors import ConfigurationError, ProtocolError
from tui.services.fields import Fields, as_items, as_object, as_time
from tui.services.http import open_client, repeat_read, transport_error
from tui.services.keys import Secret
from tui.services.problems import from_response
from tui.words import _

MOST = 100
"""Memories of one list or search."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class Memory:
    id: str
    text: str
    score: float | None = None
    """How well it fits what was searched for, 0 to 1; None in a list."""
    created_at: datetime | None = None


class MemoryProject:
    """The memories of one project. Every method raises ServiceError."""

    def __init__(self, endpoint: Endpoint, key: Secret) -> None:
        self._endpoint = endpoint
        self._key = key
        self._client: httpx.AsyncClient | None = None

    async def check(self) -> None:
        """Ask for the memories of a user that nobody is: shows whether the line, the whitelist and the key are good."""
        await self.list("yunliao-connectivity-check")

    async def add(self, user: str, text: str) -> None:
        """Have a text remembered for a user; sent once. What is kept of it, the service decides."""
        body = {"messages": [{"role": "user", "content": text}], "user_id": user}
        await self._call("POST", "/v1/memories/", body=body)

    async def search(self, user: str, query: str) -> tuple[Memory, ...]:
        """What fits the query, the best first."""
        body = {"query": query, "user_id": user, "limit": MOST}
        return _memories(await repeat_read(lambda: self._call("POST", "/v1/memories/search/", body=body)))

    async def list(self, user: str) -> tuple[Memory, ...]:
        return _memories(await repeat_read(lambda: self._call("GET", "/v1/memories/", query={"user_id": user})))

    async def delete(self, memory_id: str) -> None:
        """Delete one for good."""
        if not _ID.fullmatch(memory_id):
            raise ConfigurationError(Problem(_("Memory"), _("This id is not one of a memory."), delivered="no"))
        await self._call("DELETE", f"/v1/memories/{memory_id}/")

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def _call(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, query: Mapping[str, str] | None = None
    ) -> Any:
        if self._client is None:
            self._client = await open_client(self._endpoint, keepalive=False)
        headers = {"authorization": f"Token {self._key.reveal()}", "accept": "application/json"}
        try:
            response = await self._client.request(method, path, json=body, params=query, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise transport_error(error, host=self._endpoint.host) from error
        if not response.is_success:
            raise from_response("memory", response.status_code, response.headers, _told(response.content))
        if not response.content.strip():
            return None
        try:
            return response.json()
        except ValueError:
            raise ProtocolError(
                Problem(
                    _("Memory"),
                    _("{host} answered with something else than JSON.").format(host=self._endpoint.host),
                    _("Check that the address is the project's connection string."),
                    delivered="yes",
                )
            ) from None


def _told(body: bytes) -> bytes:
    """An error in the vendor's form; Mem0 says `{"detail": ...}` or `{"error": ...}`."""
    try:
        table = as_object(json.loads(body))
    except ValueError:
        return body
    if table is None or table.first("Code", "Message"):
        return body
    text = table.text("detail", "error")
    return json.dumps({"Code": "MemoryRefused", "Message": text}).encode() if text else body


def _memories(answer: object) -> tuple[Memory, ...]:
    table = as_object(answer)
    items = as_items(table.first("results", "memories", "data") if table is not None else answer)
    return tuple(found for item in items if (found := _memory(item)).id)[:MOST]


def _memory(item: Fields) -> Memory:
    score = item.first("score")
    return Memory(
        item.line("id"),
        item.text("memory", "text"),
        float(score) if isinstance(score, (int, float)) and not isinstance(score, bool) else None,
        as_time(item.first("created_at")),
    )
