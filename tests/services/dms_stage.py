"""A small Data Agent on loopback whose stream a test writes, frame by frame; everything that comes is recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.services.dms_frames import Row
from tui.services.dms import DmsDataAgent, Place
from tui.services.dms_calls import DATA_AGENT, SignedCalls
from tui.services.dms_follow import Timing
from tui.services.dms_sessions import Patience
from tui.services.endpoints import parse_endpoint
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.rpc import RpcClient

QUICK = Timing(backoff=(0.0,), tries=4, sure=0.3, ask=0.2, cancel=0.2, finish=0.1, catch_up=0.2)
PATIENT = Patience(first_poll=0.0, slowest_poll=0.0, start=5.0, gone=0.0)


@dataclass
class Stage:
    """What the service does next, and what it was told."""

    parts: list[list[Row]] = field(default_factory=list)
    """Each accepted message plays the next part."""
    served: list[Row] = field(default_factory=list)
    """All frames of the session so far: what a replay is made of."""
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answers: dict[str, Callable[[dict[str, str]], Any]] = field(default_factory=dict)
    """By operation: what it answers instead; raises or returns a response or a table, or what is awaited for one."""
    session: dict[str, Any] = field(default_factory=lambda: {"AgentStatus": "RUNNING", "SessionStatus": "IDLE"})
    drop_at: set[int] = field(default_factory=set)
    """Counting all frames written on any connection: where it is cut off instead."""
    written: int = 0
    keep_open: bool = False
    """At an ask, and when there is nothing more, the connection stays open and silent."""
    connections: int = 0
    more: asyncio.Event = field(default_factory=asyncio.Event)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, parts: list[list[Row]], drop_at: set[int]) -> None:
        """Forget what was, and play these."""
        self.parts, self.drop_at = parts, drop_at
        self.served, self.calls, self.written, self.connections = [], [], 0, 0

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait for a state that a call brings about."""
        while not reached():
            self.called.clear()
            await self.called.wait()

    def messages(self) -> list[dict[str, str]]:
        return [params for action, params in self.calls if action == "SendChatMessage"]

    def actions(self) -> list[str]:
        return [action for action, _params in self.calls]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        action = request.headers["x-acs-action"]
        params = dict(request.query)
        self.calls.append((action, params))
        self.called.set()
        if action in self.answers:
            answer = self.answers[action](params)
            if asyncio.iscoroutine(answer):
                answer = await answer
            if answer is not None:
                return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)
        match action:
            case "GetChatContent":
                response = web.StreamResponse(headers={"content-type": "text/event-stream"})
                response.enable_chunked_encoding()
                await response.prepare(request)
                with suppress(ConnectionError):  # the client leaves as soon as it has what it wants
                    await self._stream(request, response, int(params.get("Checkpoint", "0")))
                return response
            case "SendChatMessage":
                self.accept()
                data: Any = {"AgentId": "ag-1", "SessionId": "se-1", "MessageId": f"m-{len(self.calls)}"}
            case "CreateDataAgentSession" | "DescribeDataAgentSession":
                data = {"AgentId": "ag-1", "SessionId": "se-1", **self.session}
            case _:
                data = {}
        return web.json_response({"RequestId": "r-1", "Success": True, "ErrorCode": "success", "Data": data})

    def accept(self) -> None:
        if self.parts:
            self.served += self.parts.pop(0)
        self.more.set()

    async def _stream(self, request: web.Request, response: web.StreamResponse, checkpoint: int) -> None:
        self.connections += 1
        self.called.set()
        at = 0
        while True:
            self.more.clear()
            while at < len(self.served):
                made = self.served[at]
                at += 1
                if made.get("checkpoint", checkpoint) < checkpoint:
                    continue
                count, self.written = self.written, self.written + 1
                if count in self.drop_at:
                    assert request.transport is not None
                    request.transport.abort()
                    return
                data = json.dumps(made, ensure_ascii=False)
                await response.write(f"event: {made['event_type']}\ndata: {data}\n\n".encode())
            if not self.keep_open:
                await response.write(b"event: SSE_FINISH\ndata: {}\n\n")
                return
            await response.write(b"event: HEARTBEAT\n\n")
            await self.more.wait()


@asynccontextmanager
async def on_stage(stage: Stage, timing: Timing = QUICK, limit: float = 30) -> AsyncIterator[DmsDataAgent]:
    """The service, connected to `stage`; a test that hangs fails."""
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{tail:.*}", stage.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    endpoint = parse_endpoint(f"http://127.0.0.1:{runner.addresses[0][1]}", "test")
    calls = SignedCalls(RpcClient(DATA_AGENT, endpoint, FixedKey(AccessKey("FAKE_AK", Secret("FAKE_SECRET")))))
    service = DmsDataAgent(calls, Place("cn-hangzhou"), timing=timing, patience=PATIENT)
    try:
        async with asyncio.timeout(limit):
            yield service
    finally:
        await service.aclose()
        stage.keep_open = False
        stage.more.set()
        await runner.cleanup()
