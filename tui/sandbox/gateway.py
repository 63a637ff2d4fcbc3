"""What every signed request passes: parameters, switches, signature, then the product that its version names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from urllib.parse import parse_qsl

from aiohttp import web

from tui.sandbox import refusals
from tui.sandbox.auth import Key, SignedRequest
from tui.sandbox.call import Call, Product, faults_of, on_the_way, refuse, reply
from tui.sandbox.faults import Faults
from tui.sandbox.refusals import Refusal
from tui.sandbox.world import World

_REFUSING: Mapping[str, Callable[[Call], Refusal]] = {
    "wrong-key": lambda call: Refusal(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."),
    "wrong-signature": lambda call: Refusal(400, "SignatureDoesNotMatch", "Specified signature does not match."),
    "nonce-used": lambda call: Refusal(400, "SignatureNonceUsed", "Specified signature nonce was used already."),
    "sts-expired": lambda call: Refusal(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired."),
    "no-permission": lambda call: refusals.no_permission(call.action),
    "throttled": lambda call: refusals.throttled(call.faults.count("throttled") or 0),
    "service-unavailable": lambda call: refusals.service_unavailable(),
    "unknown-action": lambda call: refusals.unknown_action(call.action),
    "unknown-version": lambda call: refusals.unknown_version("2025-05-07"),
    "order-invalid": lambda call: refusals.invalid_order(),
    "too-many-requests": lambda call: refusals.too_many_requests(5),
    "quota-exceeded": lambda call: refusals.quota_exceeded(),
    "unknown-user": lambda call: refusals.unknown_user(),
    "moderation": lambda call: refusals.moderation(),
    "invalid-parameter": lambda call: refusals.invalid_parameter("sandbox data."),
    "http-500": lambda call: refusals.internal_error(),
}

_OF_PATH = {"/v1/chat-messages": "ChatMessages", "/api/v1/chat/stream": "GetChatContent"}
"""The action of a request that does not name one: the reference prints a path where clients send the name."""


class Gateway:
    """The front of all OpenAPI products."""

    def __init__(self, world: World, products: Iterable[Product]) -> None:
        self._world = world
        self._products = {product.version: product for product in products}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, whatever happens to it."""
        request_id = self._world.new_request_id()
        faults = Faults()
        try:
            signed, parameters = await _read(request)
            action = request.headers.get("x-acs-action") or parameters.get("Action") or _OF_PATH.get(signed.path, "")
            faults = faults_of(self._world, request, action)
            key = self._verify(signed, faults)
            self._world.counts.received[action] += 1
            call = Call(self._world, request, action, parameters, key.account, faults, request_id)
            return await self._answer(call)
        except Refusal as refusal:
            self._world.counts.refused[refusal.code] += 1
            return refuse(refusal, request_id, faults)

    def _verify(self, signed: SignedRequest, faults: Faults) -> Key:
        ahead = timedelta(seconds=faults.number("clock-skew") or 0)
        return self._world.keyring.verify(signed, self._world.now() + ahead)

    async def _answer(self, call: Call) -> web.StreamResponse:
        early = await accidents(call)
        if early is not None:
            return early
        version = call.request.headers.get("x-acs-version") or call.text("Version")
        product = self._products.get(version)
        if product is None:
            raise refusals.unknown_version(version)
        return await product.answer(call)


async def accidents(call: Call) -> web.Response | None:
    """What the switches of the gateway do to a call before its product sees it: a reply, or nothing.

    Raises:
        Refusal: one of the gateway's.
        ConnectionDropped: the connection was closed.
    """
    if (early := await on_the_way(call.request, call.faults)) is not None:
        return early
    if code := call.faults.argument("error-200"):
        return reply(call, {"Code": code, "Message": "No valid order found, or so. (sandbox data)"})
    for name, refusal in _REFUSING.items():
        if name in call.faults:
            raise refusal(call)
    return None


async def _read(request: web.Request) -> tuple[SignedRequest, dict[str, str]]:
    """The request as it is signed, and its parameters, those of a form included."""
    path, _, query = request.raw_path.partition("?")
    pairs = tuple(parse_qsl(query, keep_blank_values=True, errors="surrogateescape"))
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        lower = name.lower()
        headers[lower] = f"{headers[lower]},{value}" if lower in headers else value
    body = await request.read()
    form: list[tuple[str, str]] = []
    if request.content_type == "application/x-www-form-urlencoded":
        form = parse_qsl(body.decode("utf-8", "surrogateescape"), keep_blank_values=True)
    parameters = {name: value.encode("utf-8", "replace").decode() for name, value in (*pairs, *form)}
    return SignedRequest(request.method, path, pairs, headers, body), parameters
