"""One signed request as a product's handler sees it, and the replies it can give."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from xml.etree import ElementTree

from aiohttp import web

from tui.sandbox.faults import Faults
from tui.sandbox.refusals import Refusal, invalid_parameter
from tui.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Call:
    """`parameters` are those of query and form, decoded; an empty value is as good as none."""

    world: World
    request: web.Request
    action: str
    parameters: Mapping[str, str]
    account: str
    faults: Faults
    request_id: str

    def text(self, name: str, default: str = "") -> str:
        return self.parameters.get(name) or default

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise Refusal(400, f"Missing{name}", f"{name} is mandatory for this action.")
        return value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number of the parameters, within bounds."""
        text = self.text(name)
        if not text:
            return default
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise invalid_parameter(f"{name} must be a number from {low} to {high}.")
        return int(text)

    def flag(self, name: str) -> bool | None:
        """A boolean in any case; None where it is not given."""
        text = self.text(name).lower()
        if text not in ("", "true", "false"):
            raise invalid_parameter(f"{name} must be true or false.")
        return None if not text else text == "true"

    def structure(self, name: str, kind: type) -> Any:
        """A JSON value of the parameters; an empty `kind` where it is not given."""
        text = self.text(name)
        if not text:
            return kind()
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if not isinstance(value, kind):
            raise invalid_parameter(f"{name} must be JSON ({'object' if kind is dict else 'array'}).")
        return value


class Product(Protocol):
    """The handler of one OpenAPI product."""

    version: str

    async def answer(self, call: Call) -> web.StreamResponse:
        """The reply to `call`.

        Raises:
            Refusal: for an error reply.
        """


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode_json(value: object) -> bytes:
    """UTF-8; lone surrogates as escapes, since nothing else can carry them."""
    try:
        return _compact(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def _packed(body: bytes, content_type: str, status: int, headers: Mapping[str, str], faults: Faults) -> web.Response:
    sent = {"Content-Type": content_type, **headers}
    if "gzip" in faults:
        body = gzip.compress(body)
        sent["Content-Encoding"] = "gzip"
    return web.Response(status=status, body=body, headers=sent)


def reply(call: Call, fields: Mapping[str, object]) -> web.Response:
    """A JSON reply with its RequestId, as the switches want it."""
    return reply_as(call, {"RequestId": call.request_id, **fields})


def reply_as(call: Call, fields: Mapping[str, object]) -> web.Response:
    """A JSON reply of exactly these fields, as the switches want it."""
    body = encode_json(fields)
    if "empty-json" in call.faults:
        body = b"{}"
    if "truncated-json" in call.faults:
        body = body[: len(body) // 2]
    return _packed(body, "application/json;charset=utf-8", 200, {"x-acs-request-id": call.request_id}, call.faults)


def refuse(refusal: Refusal, request_id: str, faults: Faults) -> web.Response:
    """An error reply, as the switches want it."""
    fields = refusal.body(request_id)
    body, content_type = encode_json(fields), "application/json;charset=utf-8"
    if "lower-error" in faults:
        body = encode_json({name[0].lower() + name[1:]: value for name, value in fields.items()})
    if "xml-error" in faults:
        root = ElementTree.Element("Error")
        for name, value in fields.items():
            ElementTree.SubElement(root, name).text = str(value)
        body, content_type = ElementTree.tostring(root), "text/xml;charset=utf-8"
    if "bare-error" in faults:
        body = b""
    headers = {"x-acs-request-id": request_id, **refusal.headers}
    return _packed(body, content_type, refusal.status, headers, faults)


def page(title: str, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """An HTML page, as proxies answer."""
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1>sandbox data</body></html>\n"
    return web.Response(status=status, text=body, content_type="text/html", headers=headers)


class ConnectionDropped(Exception):
    """The connection was closed on purpose; there is nobody to answer."""


def drop(request: web.Request, *, reset: bool = False) -> None:
    """Close the connection; with `reset`, by RST in place of FIN.

    Raises:
        ConnectionDropped: always.
    """
    transport = request.transport
    if transport is not None:
        if reset:
            import socket
            import struct

            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            transport.close()
    raise ConnectionDropped
