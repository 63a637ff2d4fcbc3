"""One signed request as a product's handler sees it, and the replies it can give."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, TypeVar
from xml.etree import ElementTree

from aiohttp import web

from tui.sandbox.faults import Faults
from tui.sandbox.refusals import Refusal, invalid_parameter
from tui.sandbox.wire import Numbered, encode_json, whole_number
from tui.sandbox.world import World

T = TypeVar("T")


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
        number = whole_number(text, low, high) if text else default
        if number is None:
            raise invalid_parameter(f"{name} must be a number from {low} to {high}.")
        return number

    def page(self, found: Sequence[T], size: int = 20) -> Numbered[T]:
        """The page that is asked for by its number; `size` where it has no size."""
        return Numbered(found, self.whole("PageNumber", 1, 1, 100_000), self.whole("PageSize", size, 1, 100))

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
        body, content_type = xml_error(fields), "text/xml;charset=utf-8"
    if "bare-error" in faults:
        body = b""
    headers = {"x-acs-request-id": request_id, **refusal.headers}
    return _packed(body, content_type, refusal.status, headers, faults)


def xml_error(fields: Mapping[str, object]) -> bytes:
    """`<Error>` with an element for each field."""
    root = ElementTree.Element("Error")
    for name, value in fields.items():
        ElementTree.SubElement(root, name).text = str(value)
    return ElementTree.tostring(root)


def page(title: str, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """An HTML page, as proxies answer."""
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1>sandbox data</body></html>\n"
    return web.Response(status=status, text=body, content_type="text/html", headers=headers)


class ConnectionDropped(Exception):
    """The connection was closed on purpose; there is nobody to answer."""


def drop(request: web.Request, *, reset: bool = False) -> NoReturn:
    """Close the connection; with `reset`, by RST in place of FIN.

    Raises:
        ConnectionDropped: always.
    """
    transport = request.transport
    if transport is not None:
        if reset:
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            transport.close()
    raise ConnectionDropped


def drop_after_accept(request: web.Request, faults: Faults) -> None:
    """Close the connection of a request that has been taken in, where that is switched on.

    Raises:
        ConnectionDropped: it is.
    """
    if "drop-after-accept" in faults:
        drop(request)


def faults_of(world: World, request: web.Request, action: str) -> Faults:
    """The switches for a request of `action`.

    Raises:
        Refusal: its header names one that is not there.
    """
    try:
        return world.board.take(action, request.headers.get("x-sandbox-fault", ""))
    except ValueError as error:
        raise Refusal(400, "Sandbox.UnknownSwitch", str(error)) from None


async def on_the_way(request: web.Request, faults: Faults) -> web.Response | None:
    """What the switches put between a client and the service: a reply in its place, or nothing.

    Raises:
        ConnectionDropped: the connection was closed.
    """
    if (seconds := faults.number("slow-start")) is not None:
        await asyncio.sleep(seconds)
    if "drop-before-accept" in faults:
        drop(request)
    if (longest := faults.count("url-limit")) is not None and len(request.raw_path) > longest:
        return page("414 Request-URI Too Large", 414)
    if "html-502" in faults:
        return page("502 Bad Gateway", 502)
    if "html-200" in faults:
        return page("Welcome to this network", 200)
    if "redirect" in faults:
        return page("302 Found", 302, {"Location": "/_sandbox/moved"})
    return None
