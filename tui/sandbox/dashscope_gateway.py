"""The front of DashScope: Bearer keys, JSON bodies, and what the switches do to a request before it is answered."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from aiohttp import web

from tui.sandbox.auth import MAIN
from tui.sandbox.call import faults_of, on_the_way, page
from tui.sandbox.dashscope_call import DashCall, refuse
from tui.sandbox.dashscope_refusals import Refused, invalid
from tui.sandbox.dashscope_state import DashScope
from tui.sandbox.faults import Faults
from tui.sandbox.refusals import Refusal

API_KEY, OTHER_API_KEY = "sk-sandbox-0123456789abcdef", "sk-sandbox-other-0123456789"
NATIVE_PATH, COMPATIBLE_PATH = "/api/v1", "/compatible-mode/v1"
OLD_COMPATIBLE_PATH = "/api/v2/apps/protocols/compatible-mode/v1"
"""Of the Responses API, on its way out (protocol notes, section 9.1)."""
WORKSPACE_HEADER = "X-DashScope-WorkSpace"
_KEYS = {API_KEY: MAIN.account, OTHER_API_KEY: "other"}
_REFUSING = {
    "wrong-key": "InvalidApiKey",
    "no-permission": "AccessDenied",
    "throttled": "Throttling.RateQuota",
    "too-many-requests": "Throttling",
    "quota-exceeded": "Throttling.AllocationQuota",
    "order-invalid": "AccessDenied.Unpurchased",
    "moderation": "DataInspectionFailed",
    "invalid-parameter": "InvalidParameter",
    "http-500": "InternalError",
}
"""Switches of the other products that have their like here."""

Handler: TypeAlias = Callable[[DashScope, DashCall], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Operation:
    """`path` is below the base of its plane. `fault_action` is what switches call it, where that is another name."""

    name: str
    method: str
    path: str
    handler: Handler
    compatible: bool = False
    fault_action: str = ""

    @property
    def is_retired(self) -> bool:
        """Whether it goes when the Assistants API goes."""
        return self.path.startswith(("/assistants", "/threads"))


class DashScopeGateway:
    """Routes of all operations."""

    def __init__(self, agents: DashScope, operations: Iterable[Operation]) -> None:
        self._agents = agents
        self._operations = tuple(operations)

    def routes(self) -> list[web.RouteDef]:
        """With a last one for whatever is no path of DashScope's."""
        found = []
        for operation in self._operations:
            bases = [COMPATIBLE_PATH if operation.compatible else NATIVE_PATH]
            if operation.path.startswith("/responses"):
                bases.append(OLD_COMPATIBLE_PATH)
            found += [web.route(operation.method, base + operation.path, self._bound(operation)) for base in bases]
        nowhere = Operation("Unknown", "*", "", _unknown)
        for base in (NATIVE_PATH, COMPATIBLE_PATH, OLD_COMPATIBLE_PATH):
            found.append(web.route("*", base + "/{path:.*}", self._bound(nowhere)))
        return found

    def _bound(self, operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self.handle(request, operation)

        return handle

    async def handle(self, request: web.Request, operation: Operation) -> web.StreamResponse:
        """Answer one request, whatever happens to it."""
        agents, world = self._agents, self._agents.world
        request_id = world.new_request_id()
        faults = Faults()
        try:
            account = _account(request)
            faults = faults_of(world, request, operation.fault_action or operation.name)
            workspace = request.headers.get(WORKSPACE_HEADER, "")
            world.counts.received[operation.name] += 1
            agents.workspaces[workspace] += 1
            body = await _body(request)
            agents.requests.append(
                {
                    "operation": operation.name,
                    "method": request.method,
                    "path": request.path,
                    "query": dict(request.query),
                    "workspace": workspace,
                    "body": body,
                }
            )
            early = await _accidents(request, operation, workspace, faults)
            if early is not None:
                return early
            agents.sweep(faults)
            return await operation.handler(
                agents, DashCall(world, request, operation.name, account, body, faults, request_id)
            )
        except Refusal as refusal:
            world.counts.refused[refusal.code] += 1
            looked_up = operation.compatible and request.method != "POST"
            return refuse(refusal, request_id, faults, compatible=looked_up)


def _account(request: web.Request) -> str:
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    for key, account in _KEYS.items():
        if kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), key.encode()):
            return account
    raise Refused("InvalidApiKey")


async def _accidents(
    request: web.Request, operation: Operation, workspace: str, faults: Faults
) -> web.StreamResponse | None:
    """A reply in the place of the operation's, or nothing.

    Raises:
        Refused: by a switch.
        ConnectionDropped: the connection was closed.
    """
    if (early := await on_the_way(request, faults)) is not None:
        return early
    if "service-unavailable" in faults:
        return page("503 Service Unavailable", 503)
    if code := faults.argument("refuse"):
        raise Refused(code)
    for name, code in _REFUSING.items():
        if name in faults:
            raise Refused(code)
    if "assistants-retired" in faults and operation.is_retired:
        raise Refused("UnsupportedOperation", "The Assistants API has been taken offline. (sandbox data)")
    if "workspace-needed" in faults and not workspace:
        raise Refused("AccessDenied", "Workspace access denied: no workspace was given. (sandbox data)")
    return None


async def _body(request: web.Request) -> Any:
    """The JSON of a post; any content type will do, and none is as good as null."""
    if request.method != "POST" or request.content_type.startswith("multipart/"):
        return None
    data = await request.read()
    if not data.strip():
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise invalid("The request body is not valid JSON.") from None


async def _unknown(agents: DashScope, call: DashCall) -> web.StreamResponse:
    raise invalid("url error, please check url!")
