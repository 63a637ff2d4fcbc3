"""From a refusal of the service to the error that the user reads; the one place that knows its codes.

A refusal comes as an HTTP error, as JSON with status 200, or as a frame inside a stream; all three end here.
Source of codes and body forms: protocol notes, section 7.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree

from tui.models import Delivered, Problem
from tui.services.codes import Text, find_text, service_title, values
from tui.services.errors import (
    ApiError,
    AuthenticationError,
    BusyError,
    OrderError,
    PermissionDeniedError,
    ProtocolError,
    ServiceError,
)
from tui.services.fields import Fields, as_object
from tui.text import clean_line
from tui.words import _

_ERRORS: dict[str, type[ApiError]] = {
    "auth": AuthenticationError,
    "permission": PermissionDeniedError,
    "order": OrderError,
    "busy": BusyError,
    "api": ApiError,
}
_ANY_ACTION = {"rds": "rdsai:*", "dms": "dms:*", "sts": "sts:*"}
"""What a refusal speaks of that names no action."""
_CODES = ("Code", "ErrorCode")
"""RdsAi and the gateway say `Code`, DMS says `ErrorCode`."""
_SUCCESS = frozenset({"", "0", "ok", "success", "200"})
_STATUS = re.compile(r"[1-5]\d\d")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a service said as it refused, in whatever form it came."""

    code: str = ""
    message: str = ""
    request_id: str = ""
    status: int = 0
    """The HTTP status as the refusal itself names it; 0 where it does not."""
    recommend: str = ""
    denied_action: str = ""
    """The RAM action that was denied, from AccessDeniedDetail."""


def read_refusal(table: Mapping[str, Any]) -> Refusal:
    """The parts of an error object, in any spelling of its keys."""
    fields = Fields(table)
    detail = as_object(fields.first("AccessDeniedDetail"))
    status = fields.line("HttpStatusCode", "Status")
    return Refusal(
        code=_code(fields),
        message=fields.line("ErrorMessage", "Message", "Msg", limit=500),
        request_id=fields.line("RequestId", limit=100),
        status=int(status) if _STATUS.fullmatch(status) else 0,
        recommend=fields.line("Recommend", limit=300),
        denied_action=detail.line("AuthAction", limit=100) if detail else "",
    )


def is_refusal(table: Mapping[str, Any]) -> bool:
    """True for an answer that carries an error code (the service sends some with HTTP status 200).

    The code goes before `Success`: a busy DMS session answers `success: true` with an error code.
    """
    fields = Fields(table)
    return bool(_code(fields)) or fields.line("Success").lower() == "false"


def _code(fields: Fields) -> str:
    """The error code; empty for one that means success."""
    return next((code for name in _CODES if (code := fields.line(name, limit=100)).lower() not in _SUCCESS), "")


def read_body(body: bytes, content_type: str) -> Refusal | None:
    """The refusal in an error body: JSON in either casing or the gateway's XML; None where it is neither."""
    start = body.lstrip()[:1]
    if start == b"{":
        try:
            table = json.loads(body)
        except (ValueError, RecursionError):
            return None
        return read_refusal(table) if isinstance(table, dict) else None
    if start == b"<" and ("xml" in content_type or b"<Error" in body[:200]) and b"<!" not in body:
        try:
            root = ElementTree.fromstring(body)  # no doctype, so no entities to expand
        except ElementTree.ParseError:
            return None
        if root.tag == "Error":
            return read_refusal({child.tag: child.text for child in root})
    return None


def from_response(
    service: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    action: str = "",
    now: datetime | None = None,
) -> ServiceError:
    """The error for an answer that is a refusal, or no answer of the protocol at all.

    `action` is the RAM action that the call needs, for example `rdsai:ChatMessages`.
    """
    refusal = read_body(body, headers.get("content-type", ""))
    if refusal is None or not (refusal.code or refusal.message):
        return _not_of_the_protocol(service, status, headers, refusal)
    return from_refusal(service, refusal, status=status, headers=headers, action=action, now=now)


def from_refusal(
    service: str,
    refusal: Refusal,
    *,
    status: int = 0,
    headers: Mapping[str, str] | None = None,
    action: str = "",
    now: datetime | None = None,
    accepted: bool = False,
) -> ServiceError:
    """The error for `refusal`. `accepted`: it came inside a stream that had begun, so the service has the question.

    `status` is that of the answer; one that the refusal itself names goes before it.
    """
    headers = headers or {}
    status = refusal.status or status
    kind, text = find_text(refusal.code, refusal.message, status)
    after = retry_after(headers)
    fields = values(
        refusal.message, refusal.denied_action or action or _ANY_ACTION.get(service, ""), _skew(headers, now)
    )
    remedy = text.remedy.format(**fields)
    if after:
        remedy = _("Try again in {seconds} s.").format(seconds=max(1, round(after)))
    elif not remedy and refusal.recommend:
        remedy = refusal.recommend
    problem = Problem(
        title=text.title or service_title(service),
        sentence=text.sentence.format(**fields),
        remedy=remedy,
        code=refusal.code or str(status or ""),
        status=status,
        request_id=refusal.request_id or clean_line(headers.get("x-acs-request-id", ""), 100),
        delivered="yes" if accepted else text.delivered,
        retryable=text.retryable,
    )
    return _ERRORS[kind](problem, after)


def _not_of_the_protocol(
    service: str, status: int, headers: Mapping[str, str], refusal: Refusal | None
) -> ServiceError:
    """An HTML page of a proxy, a redirect, an empty body: whoever spoke, it was not the service."""
    text: Text | None = None
    delivered: Delivered = "unknown"
    if status in (413, 414, 431):
        delivered = "no"
        text = Text(
            _("Question too long"),
            _("A server on the way refused the request for its length (HTTP {status}).").format(status=status),
            _("Shorten the question: all of it travels in the address of the request."),
        )
    elif status == 407:
        delivered = "no"
        text = Text(
            _("Proxy"),
            _("The proxy wants a login."),
            _("Put user and password into HTTPS_PROXY, or set NO_PROXY for the service's host."),
        )
    elif 300 <= status < 400:
        delivered = "no"
        text = Text(
            service_title(service),
            _("The address answered with a redirect (HTTP {status}), as a login page of the network does.").format(
                status=status
            ),
            _("Check the endpoint and whether the network wants a login."),
        )
    elif status >= 500 or status == 429:
        delivered = "no" if status == 429 else "unknown"
        text = Text(
            service_title(service),
            _("A server on the way answered with a page of its own (HTTP {status}) in place of the service.").format(
                status=status
            ),
            _("Try again in a minute."),
        )
    if text is None:
        text = Text(
            service_title(service),
            _("The answer (HTTP {status}) is not of the service's protocol.").format(status=status),
            _("Check the endpoint, and whether a proxy on the way changes answers."),
        )
    after = retry_after(headers)
    return ProtocolError(
        Problem(
            title=text.title,
            sentence=text.sentence,
            remedy=text.remedy,
            status=status,
            request_id=(refusal.request_id if refusal else "") or clean_line(headers.get("x-acs-request-id", ""), 100),
            delivered=delivered,
            retryable=status in (429, 500, 502, 503, 504),
        ),
        after,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait in the service's own words: `x-acs-retry-after` (milliseconds) or `Retry-After` (seconds)."""
    for name, scale in (("x-acs-retry-after", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "")
        if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
            return float(value) / scale
    return None


def clock_offset(headers: Mapping[str, str], now: datetime | None = None) -> timedelta | None:
    """How far the service's clock is ahead of ours, to a second or so; None where it does not say."""
    try:
        theirs = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return theirs.astimezone(UTC) - (now or datetime.now(UTC))


def _skew(headers: Mapping[str, str], now: datetime | None) -> str:
    offset = clock_offset(headers, now)
    if offset is None:
        return _("The clock of this machine is wrong.")
    minutes = round(offset.total_seconds() / 60)
    if minutes > 0:
        return _("The clock of this machine is {n} min slow.").format(n=minutes)
    if minutes < 0:
        return _("The clock of this machine is {n} min fast.").format(n=-minutes)
    return _("The service did not accept the time of the request.")
