"""From a refusal of DashScope to the error that the user reads. Source: protocol notes (DashScope) 2.3.

"Not there" comes as 400 InvalidParameter like any wrong value, so the message's text has to tell the two apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tui.models import Problem
from tui.services.errors import ApiError, ConfigurationError, NotFoundError, ServiceError
from tui.services.problems import Refusal, from_refusal, from_response, read_refusal
from tui.text import clean_line
from tui.words import _

SERVICE = "dashscope"
_NOT_THERE = re.compile(r"not exist|not found|deleted", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def checked_id(value: str, what: str = "") -> str:
    """`value`, which is about to be part of an address.

    Raises:
        ConfigurationError: it could lead to another one.
    """
    if _ID.fullmatch(value):
        return value
    raise ConfigurationError(
        Problem(
            _("Not an id"),
            _("{value} cannot be an id of the service.").format(value=clean_line(value, 60) or '""'),
            _("An id is made of letters, digits, - and _, for example {example}.").format(example=what or "asst_1a2b"),
            delivered="no",
        )
    )


def read_error(body: bytes) -> Refusal | None:
    """The refusal in an error body: JSON, JSON inside `error`, or either in the frame of an event; None for others."""
    text = body.decode("utf-8", "replace").strip()
    if not text.startswith("{"):
        lines = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
        text = lines[-1] if lines else ""
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return read_error_table(table) if isinstance(table, dict) else None


def read_error_table(table: Mapping[str, Any]) -> Refusal:
    """The parts of an error object; the compatible paths keep code and message inside `error`."""
    outer = read_refusal(table)
    inner = table.get("error")
    if not isinstance(inner, Mapping):
        return outer
    refusal = read_refusal(inner)
    code = refusal.code or clean_line(str(inner.get("type") or ""), 100) or outer.code
    return replace(refusal, code=code, request_id=refusal.request_id or outer.request_id)


def response_error(status: int, headers: Mapping[str, str], body: bytes) -> ServiceError:
    """The error for an HTTP answer that is a refusal, or no answer of the protocol at all."""
    refusal = read_error(body)
    if refusal is None or not (refusal.code or refusal.message):
        return from_response(SERVICE, status, headers, body)
    request_id = refusal.request_id or clean_line(headers.get("x-request-id", ""), 100)
    return refused(replace(refusal, request_id=request_id), status=status, headers=headers)


def refused(
    refusal: Refusal, *, status: int = 0, headers: Mapping[str, str] | None = None, accepted: bool = False
) -> ServiceError:
    """The error for `refusal`; `accepted`: the service had begun on the question when it came."""
    # A rate limit inside a 200 has the wrong code, and says so in its message only.
    if refusal.code in ("server_error", "rate_limit_exceeded") and _is_throttling(refusal):
        refusal = replace(refusal, code="Throttling.RateQuota")
    error = from_refusal(SERVICE, refusal, status=status, headers=headers, accepted=accepted)
    if type(error) is not ApiError:
        return error
    if status in (0, 200, 400, 404) and is_missing(refusal):
        problem = replace(
            error.problem,
            title=_("Not there"),
            sentence=_("The service says: {message}").format(message=refusal.message or refusal.code),
            remedy=_("It was deleted, or belongs to another account, workspace or region."),
        )
        return NotFoundError(problem, error.retry_after)
    if refusal.code == "UnsupportedOperation":
        remedy = _("Where the service has given up assistants, carry this one over to Responses.")
        return ApiError(replace(error.problem, remedy=remedy), error.retry_after)
    if refusal.code.startswith("InvalidParameter"):
        return ApiError(replace(error.problem, remedy=""), error.retry_after)
    return error


def is_missing(refusal: Refusal) -> bool:
    """True where what was named is not there (any more)."""
    return bool(_NOT_THERE.search(refusal.message)) or refusal.code.lower() in ("notfound", "not_found")


def _is_throttling(refusal: Refusal) -> bool:
    words = refusal.message.lower()
    return refusal.code == "rate_limit_exceeded" or any(
        word in words for word in ("rate limit", "too many requests", "throttl", "quota")
    )
