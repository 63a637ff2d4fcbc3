"""A memory project, Mem0-compatible, and the token pages of chat platforms (protocol notes, RDS Copilot 6)."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tui.sandbox.call import faults_of
from tui.sandbox.refusals import Refusal
from tui.sandbox.world import Part, World

KEY = "sandbox-memory-key"
BOT_ID, BOT_SECRET = "sandbox-bot", "sandbox-bot-secret"
Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class _Memory:
    id: str
    user: str
    text: str
    at: float

    def fields(self, **more: object) -> dict[str, object]:
        at = datetime.fromtimestamp(self.at, UTC).isoformat()
        return {"id": self.id, "memory": self.text, "user_id": self.user, "created_at": at, **more}


class Memories(Part):
    """The project: a memory is a sentence; a search counts the words that both have."""

    name = "memories"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._kept: dict[str, _Memory] = {}

    def describe(self) -> object:
        return [memory.text for memory in self._kept.values()]

    def reset(self) -> None:
        self._kept.clear()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/memories/", self._guarded(self._add)),
            web.get("/v1/memories/", self._guarded(self._list)),
            web.post("/v1/memories/search/", self._guarded(self._search)),
            web.delete("/v1/memories/{id}/", self._guarded(self._delete)),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            try:
                faults = faults_of(self.world, request, "Memories")
            except Refusal as refusal:
                return web.json_response({"detail": refusal.message}, status=refusal.status)
            self.world.counts.received[f"memories:{request.method}"] += 1
            if request.headers.get("authorization") != f"Token {KEY}" or "memory-key-refused" in faults:
                return web.json_response({"detail": "Invalid API key. (sandbox data)"}, status=401)
            response = await handler(request)
            if "memory-results" in faults and isinstance(found := json.loads(response.text or "null"), list):
                return web.json_response({"results": found})
            return response

        return answer

    async def _add(self, request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        added = []
        for message in body["messages"]:
            memory = _Memory(str(uuid.uuid4()), body["user_id"], message["content"], self.world.clock())
            self._kept[memory.id] = memory
            added.append(memory.fields(event="ADD"))
        return web.json_response(added)

    def _of(self, user: str) -> list[_Memory]:
        return sorted((m for m in self._kept.values() if m.user == user), key=lambda m: m.at, reverse=True)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response([memory.fields() for memory in self._of(request.query.get("user_id", ""))])

    async def _search(self, request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        wanted = _units(body["query"])
        own = self._of(body["user_id"])
        scored = [(len(wanted & _units(memory.text)) / (len(wanted) or 1), memory) for memory in own]
        found = sorted((pair for pair in scored if pair[0]), key=lambda pair: pair[0], reverse=True)
        return web.json_response([memory.fields(score=round(score, 3)) for score, memory in found])

    async def _delete(self, request: web.Request) -> web.Response:
        if self._kept.pop(request.match_info["id"], None) is None:
            return web.json_response({"detail": "Memory not found!"}, status=404)
        return web.json_response({"message": "Memory deleted successfully!"})


def _units(text: str) -> set[str]:
    """Words, and Chinese letters each for itself."""
    return {*re.findall(r"[a-z0-9_-]+", text.lower()), *(letter for letter in text if ord(letter) > 0x2E80)}


def bot_routes(world: World) -> list[web.RouteDef]:
    """What checks a bot's credentials on DingTalk, and on Lark or Feishu."""

    async def dingtalk(request: web.Request) -> web.Response:
        body = await request.json()
        world.counts.received["bots:dingtalk"] += 1
        if (body.get("appKey"), body.get("appSecret")) != (BOT_ID, BOT_SECRET):
            told = {"code": "invalidClientIdOrSecret", "message": "sandbox data", "requestid": "SANDBOX-BOT"}
            return web.json_response(told, status=400)
        return web.json_response({"accessToken": "sandbox-token", "expireIn": 7200})

    async def tenant(request: web.Request) -> web.Response:
        body = await request.json()
        world.counts.received["bots:feishu"] += 1
        if (body.get("app_id"), body.get("app_secret")) != (BOT_ID, BOT_SECRET):
            return web.json_response({"code": 10014, "msg": "app secret invalid (sandbox data)"})
        told = {"code": 0, "msg": "ok", "tenant_access_token": "sandbox-token", "expire": 7200}
        return web.json_response(told)

    async def info(request: web.Request) -> web.Response:
        if request.headers.get("authorization") != "Bearer sandbox-token":
            return web.json_response({"code": 99991663, "msg": "invalid token"}, status=400)
        return web.json_response({"code": 0, "msg": "ok", "bot": {"app_name": "沙箱机器人", "activate_status": 2}})

    return [
        web.post("/v1.0/oauth2/accessToken", dingtalk),
        web.post("/open-apis/auth/v3/tenant_access_token/internal", tenant),
        web.get("/open-apis/bot/v3/info", info),
    ]
