"""Every refusal becomes one clear sentence with what to try."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tui.models import Delivered
from tui.services.codes import _texts
from tui.services.errors import (
    ApiError,
    AuthenticationError,
    BusyError,
    OrderError,
    PermissionDeniedError,
    ProtocolError,
    ServiceError,
)
from tui.services.problems import from_response

NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)


def refused(code: str, message: str = "the reason", status: int = 400, **headers: str) -> ServiceError:
    body = json.dumps({"RequestId": "R-1", "HostId": "h", "Code": code, "Message": message}).encode()
    named = {"content-type": "application/json", **{key.replace("_", "-"): value for key, value in headers.items()}}
    return from_response("rds", status, named, body, action="rdsai:ChatMessages", now=NOW)


@pytest.mark.parametrize(
    ("code", "status", "error", "says", "delivered", "retryable"),
    [
        ("InvalidOrder", 400, OrderError, "not active", "no", False),
        ("InvalidUserOrder", 403, OrderError, "not active", "no", False),
        ("RDS.InvalidOrder.Expired", 400, OrderError, "not active", "no", False),
        ("TooManyRequests", 429, BusyError, "same time", "no", True),
        ("MoQuotaExceeded", 429, OrderError, "all tokens", "no", False),
        ("ContentModeration", 451, ApiError, "does not answer this text", "no", False),
        ("UserNotFound", 404, PermissionDeniedError, "does not know this account", "no", False),
        ("PermissionDenied", 403, PermissionDeniedError, "instances", "no", False),
        ("TaskNotFound", 404, ApiError, "no longer has", "no", False),
        ("InvalidParameter", 400, ApiError, "the reason", "no", False),
        ("InvalidParameter.Language", 400, ApiError, "the reason", "no", False),
        ("InvalidAccessKeyId.NotFound", 404, AuthenticationError, "does not know this access key", "no", False),
        ("InvalidAccessKeyId", 404, AuthenticationError, "does not know this access key", "no", False),
        ("SignatureDoesNotMatch", 400, AuthenticationError, "secret does not belong", "no", False),
        ("IncompleteSignature", 400, AuthenticationError, "secret does not belong", "no", False),
        ("InvalidTimeStamp.Expired", 400, AuthenticationError, "15 minutes", "no", False),
        ("SignatureNonceUsed", 400, AuthenticationError, "twice", "unknown", False),
        ("InvalidSecurityToken.Expired", 400, AuthenticationError, "temporary credentials", "no", False),
        ("InvalidSecurityToken.MismatchWithAccessKey", 403, AuthenticationError, "another key", "no", False),
        ("NoPermission", 403, PermissionDeniedError, "rdsai:ChatMessages", "no", False),
        ("Forbidden.RAM", 403, PermissionDeniedError, "rdsai:ChatMessages", "no", False),
        ("Throttling", 400, BusyError, "no more requests", "no", True),
        ("Throttling.User", 429, BusyError, "no more requests", "no", True),
        ("Throttling.Api", 503, BusyError, "no more requests", "no", True),
        ("ServiceUnavailable", 503, ApiError, "cannot answer", "unknown", True),
        ("InternalError", 500, ApiError, "the reason", "unknown", True),
        ("InvalidAction.NotFound", 404, ApiError, "does not offer", "no", False),
        ("InvalidVersion", 404, ApiError, "does not offer", "no", False),
        ("SomethingNew", 400, ApiError, "the reason", "no", False),
        ("SomethingNew", 401, AuthenticationError, "the reason", "no", False),
        ("SomethingNew", 403, PermissionDeniedError, "the reason", "no", False),
        ("SomethingNew", 429, BusyError, "the reason", "no", True),
        ("SomethingNew", 503, ApiError, "the reason", "unknown", True),
    ],
)
def test_a_code_has_a_text(
    code: str, status: int, error: type[ServiceError], says: str, delivered: Delivered, retryable: bool
) -> None:
    caught = refused(code, status=status)
    problem = caught.problem

    assert type(caught) is error
    assert says in problem.sentence
    assert problem.title
    assert (problem.code, problem.status, problem.request_id) == (code, status, "R-1")
    assert (problem.delivered, problem.retryable) == (delivered, retryable)


def test_every_text_fills_its_fields_and_says_what_to_try() -> None:
    for code in _texts():
        problem = refused(code, "a {brace} and 100 %").problem
        assert "{" not in problem.sentence.replace("{brace}", "")
        assert problem.remedy or code == "TaskNotFound"


def test_an_order_is_known_by_its_message_too() -> None:
    caught = refused("Whatever", "No valid order found for this user.")

    assert type(caught) is OrderError
    assert "rdsCopilotProfessional" in caught.problem.remedy


@pytest.mark.parametrize(
    ("minutes", "says"),
    [(7, "7 min slow"), (-20, "20 min fast"), (0, "did not accept the time")],
)
def test_the_clocks_are_compared(minutes: int, says: str) -> None:
    date = format_datetime(NOW + timedelta(minutes=minutes), usegmt=True)

    assert says in refused("InvalidTimeStamp.Expired", date=date).problem.sentence


def test_without_a_date_the_clock_is_still_named() -> None:
    assert "clock of this machine is wrong" in refused("InvalidTimeStamp.Expired", date="gibberish").problem.sentence


def test_the_denied_action_and_a_policy_are_named() -> None:
    body = {
        "Code": "Forbidden.RAM",
        "Message": "no",
        "AccessDeniedDetail": {"AuthAction": "rdsai:GetMessages", "AuthPrincipalType": "SubUser"},
    }
    problem = from_response("rds", 403, {}, json.dumps(body).encode(), action="rdsai:ChatMessages").problem

    assert "rdsai:GetMessages" in problem.sentence
    assert '"Action": "rdsai:GetMessages"' in problem.remedy


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x_acs_retry_after": "1500"}, 1.5),
        ({"retry_after": "3"}, 3.0),
        ({"retry_after": "Wed, 21 Oct"}, None),
        ({}, None),
    ],
)
def test_the_services_own_word_on_when_to_come_again(headers: dict[str, str], seconds: float | None) -> None:
    caught = refused("Throttling.User", status=429, **headers)

    assert caught.retry_after == seconds
    assert ("Try again in" in caught.problem.remedy) is (seconds is not None)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"code":"InvalidOrder","message":"m","requestId":"R-1"}', "application/json"),
        (b'{"code":"InvalidOrder","message":"m","request_id":"R-1"}', ""),
        (
            b"<?xml version='1.0'?><Error><RequestId>R-1</RequestId><Code>InvalidOrder</Code></Error>",
            "text/xml;charset=utf-8",
        ),
        (b"<Error><RequestId>R-1</RequestId><Code>InvalidOrder</Code></Error>", "text/html"),
    ],
)
def test_every_form_of_body_is_read(body: bytes, content_type: str) -> None:
    caught = from_response("rds", 400, {"content-type": content_type}, body)

    assert type(caught) is OrderError
    assert caught.problem.request_id == "R-1"


@pytest.mark.parametrize(
    ("status", "body", "says", "delivered"),
    [
        (502, b"<html><h1>Bad Gateway</h1></html>", "page of its own (HTTP 502)", "unknown"),
        (504, b"", "page of its own (HTTP 504)", "unknown"),
        (414, b"<html>", "for its length (HTTP 414)", "no"),
        (431, b"", "for its length (HTTP 431)", "no"),
        (407, b"", "proxy wants a login", "no"),
        (302, b"", "redirect (HTTP 302)", "no"),
        (200, b"<html>hotel</html>", "not of the service's protocol", "unknown"),
        (200, b"", "not of the service's protocol", "unknown"),
        (400, b"{broken", "not of the service's protocol", "unknown"),
        (500, b"[" * 100_000, "HTTP 500", "unknown"),
        (500, b'{"RequestId":"R-1"}', "HTTP 500", "unknown"),
        (500, b"<!DOCTYPE x [<!ENTITY a 'b'>]><Error><Code>&a;</Code></Error>", "HTTP 500", "unknown"),
    ],
)
def test_what_is_not_of_the_protocol_is_said_to_be_that(status: int, body: bytes, says: str, delivered: str) -> None:
    caught = from_response("rds", status, {"x-acs-request-id": "R-9"}, body)

    assert type(caught) is ProtocolError
    assert says in caught.problem.sentence
    assert caught.problem.remedy
    assert caught.problem.delivered == delivered
    assert caught.problem.request_id in ("R-1", "R-9")


def test_what_a_service_says_cannot_drive_a_terminal() -> None:
    problem = refused("Bad\x1b[31m", "line\r\n\x1b]0;owned\x07 \x9b31m [bold]x[/] {brace} %s").problem

    shown = f"{problem.title}{problem.sentence}{problem.remedy}{problem.code}"
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)
    assert "[bold]x[/] {brace} %s" in shown
