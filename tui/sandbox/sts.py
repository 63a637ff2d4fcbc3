"""STS and the sign-in page: temporary rights, the token that a console opens with (protocol notes, RDS Copilot 6.1)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from aiohttp import web

from tui.sandbox.call import Call, faults_of, reply
from tui.sandbox.refusals import Refusal, invalid_parameter, unknown_action
from tui.sandbox.wire import encode_json, utc_text
from tui.sandbox.world import Part, World

ACCOUNT = "1000"
ROLE = f"acs:ram::{ACCOUNT}:role/rdscopilot-console"
TOKEN_SECONDS = 30
_ROLE = re.compile(r"acs:ram::\d+:role/[\w.\-]{1,64}")
_SESSION = re.compile(r"[\w.@\-]{2,64}")
_SHORTEST, _LONGEST = 900, 3600
"""Seconds of an assumed role; the longest is the default of roles."""


class Sts:
    """The operations of STS 2015-04-01 that a logon-free URL needs."""

    version = "2015-04-01"

    async def answer(self, call: Call) -> web.StreamResponse:
        if call.action == "GetCallerIdentity":
            arn = f"acs:ram::{ACCOUNT}:user/sandbox-{call.account}"
            kind = "Account" if "root-account" in call.faults else "RAMUser"
            return reply(call, {"AccountId": ACCOUNT, "IdentityType": kind, "Arn": arn, "UserId": "2000"})
        if call.action == "AssumeRole":
            return _assume_role(call)
        raise unknown_action(call.action)


def _assume_role(call: Call) -> web.Response:
    role, session = call.required("RoleArn"), call.required("RoleSessionName")
    if not _ROLE.fullmatch(role):
        raise Refusal(400, "InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed.")
    if not _SESSION.fullmatch(session):
        raise Refusal(400, "InvalidParameter.RoleSessionName", "The parameter RoleSessionName is wrongly formed.")
    seconds = call.whole("DurationSeconds", _LONGEST, 1, 10**9)
    if not _SHORTEST <= seconds <= _LONGEST:
        text = f"The Min/Max value of DurationSeconds is {_SHORTEST}/{_LONGEST}."
        raise Refusal(400, "InvalidParameter.DurationSeconds", text)
    if "root-account" in call.faults:
        raise Refusal(403, "NoPermission", "Roles may not be assumed by root accounts.")
    if "role-untrusted" in call.faults:
        text = "You are not authorized to do this action. You should be authorized by RAM."
        raise Refusal(403, "NoPermission", text)
    if role != ROLE and not role.endswith("/rdscopilot-console"):
        raise Refusal(404, "EntityNotExist.Role", "The role not exists: sandbox data.")
    key = call.world.keyring.issue_temporary(call.world.now(), timedelta(seconds=seconds))
    assert key.expires is not None
    return reply(
        call,
        {
            "AssumedRoleUser": {"Arn": f"{role.replace('role/', 'assumed-role/')}/{session}", "AssumedRoleId": "3000"},
            "Credentials": {
                "AccessKeyId": key.access_key_id,
                "AccessKeySecret": key.access_key_secret,
                "SecurityToken": key.token,
                "Expiration": utc_text(key.expires.timestamp()),
            },
        },
    )


@dataclass
class _Token:
    until: float
    used: bool = False


class SignIn(Part):
    """`signin.aliyun.com`: tokens that live `TOKEN_SECONDS` and open a console once."""

    name = "sign-in"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._tokens: dict[str, _Token] = {}

    def describe(self) -> object:
        return {"tokens": len(self._tokens)}

    def reset(self) -> None:
        self._tokens.clear()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/federation", self._handle)]

    async def _handle(self, request: web.Request) -> web.Response:
        try:
            faults = faults_of(self.world, request, "GetSigninToken")
            action = request.query.get("Action", "")
            self.world.counts.received[f"federation:{action}"] += 1
            if action == "GetSigninToken":
                if "signin-refused" in faults:
                    raise Refusal(401, "InvalidCredential.AuthenticateFail", "Authenticate fail. (sandbox data)")
                return self._token(request.query)
            if action == "Login":
                return self._login(request.query)
            raise Refusal(400, "InvalidAction", "The action is invalid.")
        except Refusal as refusal:
            body = encode_json(refusal.body(self.world.new_request_id()))
            return web.Response(status=refusal.status, body=body, content_type="application/json")

    def _token(self, query: Mapping[str, str]) -> web.Response:
        for name in ("AccessKeyId", "AccessKeySecret", "SecurityToken"):
            if not query.get(name):
                raise Refusal(400, f"MissingParameter.{name}", f"{name} is missing.")
        if query.get("TicketType") != "mini":
            raise invalid_parameter("TicketType")
        key = self.world.keyring.find(query["AccessKeyId"])
        same = key is not None and (key.access_key_secret, key.token) == (
            query["AccessKeySecret"],
            query["SecurityToken"],
        )
        if key is None or not same or key.expires is None or self.world.now() >= key.expires:
            raise Refusal(401, "InvalidCredential.AuthenticateFail", "Authenticate fail.")
        token = f"sandbox-signin-{secrets.token_urlsafe(24)}"
        self._tokens[token] = _Token(self.world.seconds() + TOKEN_SECONDS)
        body = encode_json({"RequestId": self.world.new_request_id(), "SigninToken": token})
        return web.Response(body=body, content_type="application/json")

    def _login(self, query: Mapping[str, str]) -> web.Response:
        for name in ("LoginUrl", "SigninToken", "Destination"):
            if not query.get(name):
                raise Refusal(400, f"MissingParameter.{name}", f"{name} is missing.")
        token = self._tokens.get(query["SigninToken"])
        if token is None or token.used or self.world.seconds() >= token.until:
            raise Refusal(401, "InvalidCredential.SigninToken", "The token is not valid any more.")
        if not (urlsplit(query["Destination"]).hostname or "").endswith(".aliyun.com"):
            raise invalid_parameter("Destination")
        token.used = True
        return web.Response(status=302, headers={"Location": query["Destination"]})
