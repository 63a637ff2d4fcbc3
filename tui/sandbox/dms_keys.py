"""API-key mode: JSON bodies, two planes, answers in camelCase (protocol notes, section 4)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping

from aiohttp import web

from tui.sandbox.auth import MAIN
from tui.sandbox.call import Call, faults_of
from tui.sandbox.dms import Dms
from tui.sandbox.faults import Faults
from tui.sandbox.gateway import accidents
from tui.sandbox.refusals import Refusal
from tui.sandbox.wire import encode_json
from tui.sandbox.world import World

API_KEY = "sandbox-data-agent-key"
CONTROL_PATH, STREAM_PATH = "/dataagent/apikey", "/dataagent-stream/apikey"
"""Two hosts of the vendor's, two paths here."""
_CONTROL = frozenset(
    (
        "CreateDataAgentSession",
        "DescribeDataAgentSession",
        "ListDataAgentSession",
        "DescribeFileUploadSignature",
        "FileUploadCallback",
        # Sources differ on the plane of these two: either will do.
        "ListFileUpload",
        "DeleteFileUpload",
        "ListCustomAgent",
        "DescribeCustomAgent",
        "CreateCustomAgent",
        "ModifyCustomAgent",
        "OperateCustomAgent",
        "DeleteCustomAgent",
    )
)
_STREAM = frozenset(
    ("SendChatMessage", "GetChatContent", "CreateDataAgentFeedback", "ListFileUpload", "DeleteFileUpload")
)
_PLANES: Mapping[str, frozenset[str]] = {CONTROL_PATH: _CONTROL, STREAM_PATH: _STREAM}


class KeyGateway:
    """The front of the Data Agent for callers with an API key."""

    def __init__(self, world: World, dms: Dms) -> None:
        self._world = world
        self._dms = dms

    def routes(self) -> list[web.RouteDef]:
        return [web.post(path, self.handle) for path in (*_PLANES, "/apikey")]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request. Errors have the HTTP status 200 and tell their own inside."""
        request_id = self._world.new_request_id()
        faults = Faults()
        try:
            given = request.headers.get("x-api-key", "")
            if not hmac.compare_digest(given.encode(), API_KEY.encode()):
                raise Refusal(401, "InvalidApiKey", "The API key is not known. (sandbox data)")
            parameters = await _parameters(request)
            action = parameters.get("Action", "")
            faults = faults_of(self._world, request, action)
            if action not in _PLANES.get(request.path, _CONTROL | _STREAM):
                raise Refusal(404, "InvalidAction.NotFound", f"{action} is not found on this plane. (sandbox data)")
            self._world.counts.received[action] += 1
            call = Call(self._world, request, action, parameters, MAIN.account, faults, request_id)
            return await accidents(call) or await self._dms.answer(call, by_key=True)
        except Refusal as refusal:
            self._world.counts.refused[refusal.code] += 1
            return _refuse(refusal, request_id, faults)


async def _parameters(request: web.Request) -> dict[str, str]:
    """The members of the JSON body; nested ones as JSON text, so that operations find what a query would carry."""
    if request.content_type != "application/json":
        raise Refusal(415, "UnsupportedMediaType", "The body must be application/json. (sandbox data)")
    try:
        body = json.loads(await request.text())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, "InvalidParameter", "The body must be a JSON object. (sandbox data)")
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in body.items()
        if value is not None
    }


def _refuse(refusal: Refusal, request_id: str, faults: Faults) -> web.Response:
    if "key-status" in faults:
        fields: dict[str, object] = {
            "success": False,
            "code": refusal.code,
            "msg": refusal.message,
            "requestId": request_id,
        }
    else:
        fields = {"HttpStatusCode": refusal.status, "Code": refusal.code, "Message": refusal.message}
    status = refusal.status if "key-status" in faults else 200
    headers = {"Content-Type": "application/json;charset=utf-8", **refusal.headers}
    return web.Response(status=status, body=encode_json(fields), headers=headers)
