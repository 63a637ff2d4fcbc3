"""One request to DashScope as an operation sees it, and the replies it can give (protocol notes, section 2)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from tui.sandbox.dashscope_records import Json
from tui.sandbox.dashscope_refusals import Refused, invalid
from tui.sandbox.faults import Faults
from tui.sandbox.refusals import Refusal
from tui.sandbox.wire import Numbered, encode_json, whole_number
from tui.sandbox.world import World

T = TypeVar("T")
_UNKNOWN: dict[str, object] = {"plugin_call": {}, "enable_search": None, "stop": "", "观测": "沙箱"}
_OPTIONAL_OBJECTS = ("required_action", "last_error", "incomplete_details")


@dataclass(frozen=True, slots=True)
class DashCall:
    """`body` is the JSON of a post, None where there is none."""

    world: World
    request: web.Request
    operation: str
    account: str
    body: Any
    faults: Faults
    request_id: str

    def path(self, name: str) -> str:
        return self.request.match_info[name]

    def query(self, name: str) -> str:
        """Empty is as good as absent."""
        return self.request.query.get(name, "")

    def fields(self) -> Json:
        """The body as an object.

        Raises:
            Refused: it is none.
        """
        if not isinstance(self.body, dict):
            raise invalid("The request body must be a JSON object.")
        return self.body

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number of the query, within bounds."""
        text = self.query(name)
        number = whole_number(text, low, high) if text else default
        if number is None:
            raise invalid(f"{name} must be between {low} and {high}, got {text!r}.")
        return number

    def page(self, found: Sequence[T]) -> Numbered[T]:
        """The page that is asked for by its number."""
        return Numbered(found, self.whole("page_no", 1, 1, 10_000), self.whole("page_size", 10, 1, 100))


def reply(call: DashCall, fields: Mapping[str, object], *, unset: object = None) -> web.Response:
    """200 with `fields` and the request id; times that are not set and objects that are not there as switched on."""
    return reply_as(call, {**shaped(fields, call.faults, unset), "request_id": call.request_id})


def reply_as(call: DashCall, fields: Mapping[str, object]) -> web.Response:
    """200 with exactly these fields."""
    body = encode_json(fields)
    if "empty-json" in call.faults:
        body = b"{}"
    if "truncated-json" in call.faults:
        body = body[: len(body) // 2]
    return json_response(200, body, call.request_id)


def json_response(status: int, body: bytes, request_id: str, content_type: str = "application/json") -> web.Response:
    headers = {"Content-Type": content_type, "x-request-id": request_id}
    return web.Response(status=status, body=body, headers=headers)


def shaped(fields: Mapping[str, object], faults: Faults, unset: object = None) -> dict[str, object]:
    """An object of the wire, its unset values written as the switches want them."""
    if written := faults.argument("unset"):
        unset = json.loads(written)
    made: dict[str, object] = {}
    for name, value in fields.items():
        if name == "file_ids" and "no-file-ids" in faults:
            continue
        if value is None and name.endswith("_at"):
            value = unset
        if value is None and name in _OPTIONAL_OBJECTS and "empty-objects" in faults:
            value = {}
        if name == "last_error" and isinstance(value, dict) and value and "string-last-error" in faults:
            value = f"{value['code']}: {value['message']}"
        made[name] = value
    return {**made, **_UNKNOWN} if "unknown-keys" in faults else made


def page(
    call: DashCall,
    found: Sequence[T],
    id_of: Callable[[T], str],
    wire: Callable[[T], Mapping[str, object]],
    *,
    unset: object = None,
) -> web.Response:
    """A page of `found` (oldest first) as `limit`, `order`, `after` and `before` want it (section 2.4)."""
    faults = call.faults
    limit = call.whole("limit", faults.count("default-limit") or 20, 1, 100)
    order = call.query("order") or ("asc" if "oldest-first" in faults else "desc")
    if order not in ("asc", "desc"):
        raise invalid(f"order must be asc or desc, got {order!r}.")
    after, before = call.query("after"), call.query("before")
    if after and before:
        raise invalid("after and before exclude each other.")
    if "endless-pages" in faults:
        after = ""
    listed = list(found) if order == "asc" else list(reversed(found))
    ids = [id_of(one) for one in listed]
    for name in filter(None, (after, before)):
        if name not in ids:
            raise invalid(f"{name} does not exist.")
    if "after-newer" in faults and order == "desc":
        after, before = before, after
    if after:
        listed = listed[ids.index(after) + (0 if "overlapping-pages" in faults else 1) :]
    chosen = listed[:limit]
    has_more = len(listed) > limit
    if before:
        listed = listed[: ids.index(before)]
        chosen, has_more = listed[-limit:], len(listed) > limit
    data = [shaped(wire(one), faults, unset) for one in chosen]
    if "old-list-items" in faults:
        data = [_as_of_old(item, call.account) for item in data]
    edges: dict[str, object] = {
        "first_id": id_of(chosen[0]) if chosen else None,
        "last_id": id_of(chosen[-1]) if chosen else None,
    }
    if "no-last-id" in faults:
        edges = {}
    more = has_more or "endless-pages" in faults
    return reply(call, {"object": "list", "data": data, **edges, "has_more": more})


def _as_of_old(item: dict[str, object], account: str) -> dict[str, object]:
    item = {name: value for name, value in item.items() if name != "file_ids"}
    stamp = item.get("created_at")
    return {**item, "account_id": account, "gmt_crete": stamp, "gmt_update": stamp, "is_deleted": False}


def refuse(refusal: Refusal, request_id: str, faults: Faults, *, compatible: bool = False) -> web.Response:
    """An error reply, as the switches want it; `compatible`: in the form of the compatible mode."""
    status, message = refusal.status, refusal.message
    gone = isinstance(refusal, Refused) and refusal.gone
    if gone and "not-found-404" in faults:
        status = 404
    if gone and "not-found-unsaid" in faults:
        message = "The request parameter is not valid. (sandbox data)"
    if (wanted := faults.count("error-status")) is not None:
        status = wanted
    body: Json = {"code": refusal.code, "message": message, "request_id": request_id}
    if compatible or "compatible-errors" in faults:
        inner = {"message": message, "type": "invalid_request_error", "code": refusal.code, "param": None}
        body = {"error": inner, "request_id": request_id}
    data = encode_json(body)
    if "bare-error" in faults:
        data = b""
    if "sse-error" in faults or "sse-error-json" in faults or "sse-error-200" in faults:
        data = b"id:1\nevent:error\n:HTTP_STATUS/%d\ndata:%s\n\n" % (status, data)
        kind = "application/json" if "sse-error-json" in faults else "text/event-stream;charset=UTF-8"
        return json_response(200 if "sse-error-200" in faults else status, data, request_id, kind)
    return json_response(status, data, request_id)
