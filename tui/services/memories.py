"""Long-term memory: the data plane of a project, a Mem0-compatible REST API.

Source: protocol notes (RDS Copilot) 6: header `Authorization: Token <key>`, add, search, list, delete. The paths are
those of Mem0's own API and not confirmed for the vendor's; answers are taken as a list or as `{"results": [...]}`.
"""

from __future__ import annotations

import json
import re
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tui.models import Problem
from tui.services.endpoints import Endpoint
from tui.services.errors import ConfigurationError, ProtocolError
from tui.services.fields import Fields, as_items, as_object, as_time
from tui.services.host_client import MAX_ERROR_BODY, HostClient
from tui.services.http import repeat_read
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.problems import from_response
from tui.services.signing import HeaderAuth
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


class MemoryProject(HostClient):
    """The memories of one project. Every method raises ServiceError."""

    def __init__(self, endpoint: Endpoint, key: Secret) -> None:
        keys = FixedKey(AccessKey("", key))
        super().__init__(endpoint, keys, HeaderAuth(keys, scheme="Token "))

    async def check(self) -> None:
        """Ask for the memories of a user that nobody is: shows whether the line, the whitelist and the key are good."""
        await self.list("yunliao-connectivity-check")

    async def add(self, user: str, text: str) -> None:
        """Have a text remembered for a user; sent once. What is kept of it, the service decides."""
        body = {"messages": [{"role": "user", "content": text}], "user_id": user}
        await self._call("POST", "/v1/memories/", json=body)

    async def search(self, user: str, query: str) -> tuple[Memory, ...]:
        """What fits the query, the best first."""
        body = {"query": query, "user_id": user, "limit": MOST}
        return _memories(await self._read("POST", "/v1/memories/search/", json=body))

    async def list(self, user: str) -> tuple[Memory, ...]:
        return _memories(await self._read("GET", "/v1/memories/", params={"user_id": user}))

    async def delete(self, memory_id: str) -> None:
        """Delete one for good."""
        if not _ID.fullmatch(memory_id):
            raise ConfigurationError(Problem(_("Memory"), _("This id is not one of a memory."), delivered="no"))
        await self._call("DELETE", f"/v1/memories/{memory_id}/")

    async def _read(self, method: str, path: str, **what: Any) -> object:
        return await repeat_read(lambda: self._call(method, path, idempotent=True, **what))

    async def _call(self, method: str, path: str, *, idempotent: bool = False, **what: Any) -> object:
        """The JSON of the answer, None where it is empty; `what` goes with the request, as httpx takes it."""
        response = await self._send(lambda client: client.build_request(method, path, **what), idempotent=idempotent)
        async with aclosing(response):
            if not response.is_success:
                body = await self._body(response, MAX_ERROR_BODY)
                raise from_response("memory", response.status_code, response.headers, _told(body))
            body, answer = await self._json(response)
        if answer is None and body.strip():
            raise ProtocolError(
                Problem(
                    _("Memory"),
                    _("{host} answered with something else than JSON.").format(host=self.endpoint.host),
                    _("Check that the address is the project's connection string."),
                    delivered="yes",
                )
            )
        return answer


def _told(body: bytes) -> bytes:
    """An error in the vendor's form; Mem0 says `{"detail": ...}` or `{"error": ...}`."""
    table = as_object(body.decode("utf-8", "replace"))
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
