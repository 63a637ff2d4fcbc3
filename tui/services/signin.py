"""A console without a log-on: temporary rights from STS, a token for them, a URL that opens a console page once.

Source: protocol notes (RDS Copilot) 6.1. What is made here is never kept: the caller shows it, copies it, drops it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import httpx

from tui.models import Problem
from tui.services.endpoints import Endpoint, parse_endpoint
from tui.services.errors import ConfigurationError, ProtocolError
from tui.services.fields import Fields, as_object, as_time
from tui.services.http import open_client, repeat_read, transport_error
from tui.services.keys import AccessKey, KeySource, Secret
from tui.services.problems import from_response
from tui.services.rpc import Api, RpcClient
from tui.words import _

STS = Api("sts", "2015-04-01", "sts")
STS_HOST = "sts.aliyuncs.com"
SIGNIN_HOST = "signin.aliyun.com"
SHORTEST, LONGEST, USUAL = 900, 43_200, 3_600
"""Seconds that an assumed role may be asked for. The role's own maximum, `USUAL` where nobody changed it, rules."""
TOKEN_SECONDS = 30
"""How long a sign-in token opens a console, by the strictest of the vendor's pages; and it does so once."""
ROLE_ARN = r"acs:ram::\d+:role/[\w.\-]{1,64}"
SESSION_NAME = r"[\w.@\-]{2,64}"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signs, as STS says."""

    account: str
    kind: str
    """`Account` for the root account, which can assume no role; `RAMUser`, `AssumedRoleUser` ..."""
    arn: str


@dataclass(frozen=True, slots=True)
class LogonFreeUrl:
    """A URL that opens a console page once, until `expires_at`; then the rights of the page last to `rights_until`."""

    url: Secret
    expires_at: datetime
    rights_until: datetime


def sts_endpoint(environ: Mapping[str, str]) -> Endpoint:
    """STS, unless `YUNLIAO_STS_ENDPOINT` names another host. Raises ConfigurationError."""
    return parse_endpoint(environ.get("YUNLIAO_STS_ENDPOINT", "").strip() or STS_HOST, "YUNLIAO_STS_ENDPOINT")


def signin_endpoint(environ: Mapping[str, str]) -> Endpoint:
    """The sign-in page, unless `YUNLIAO_SIGNIN_ENDPOINT` names another host. Raises ConfigurationError."""
    return parse_endpoint(environ.get("YUNLIAO_SIGNIN_ENDPOINT", "").strip() or SIGNIN_HOST, "YUNLIAO_SIGNIN_ENDPOINT")


class SignIn:
    """Makes logon-free URLs with the rights of a role that the caller may assume."""

    def __init__(self, sts: Endpoint, page: Endpoint, keys: KeySource) -> None:
        self._sts = RpcClient(STS, sts, keys)
        self._page = page

    async def identity(self) -> Identity:
        """Who the access key is. Raises ServiceError."""
        answer = Fields(await self._sts.read("GetCallerIdentity", {}))
        return Identity(answer.line("AccountId"), answer.line("IdentityType"), answer.line("Arn"))

    async def assume(self, role_arn: str, session: str, seconds: int = USUAL, policy: str = "") -> AccessKey:
        """Temporary rights of a role; nothing on the account changes by it.

        Args:
            session: a name that the account's audit log shows, of the form `SESSION_NAME`.
            policy: narrows the rights further, JSON.

        Raises:
            ServiceError: not trusted, no such role, a longer time than the role allows ...
        """
        answer = Fields(
            await self._sts.read(
                "AssumeRole",
                {"RoleArn": role_arn, "RoleSessionName": session, "DurationSeconds": seconds, "Policy": policy},
            )
        )
        found = as_object(answer.first("Credentials")) or Fields({})
        key_id, secret, token = (found.text(name) for name in ("AccessKeyId", "AccessKeySecret", "SecurityToken"))
        if not (key_id and secret and token):
            raise ProtocolError(
                Problem(
                    _("Sign-in"),
                    _("STS answered without credentials."),
                    _("Try again; if it stays, tell the vendor the request id."),
                    request_id=answer.line("RequestId"),
                )
            )
        return AccessKey(key_id, Secret(secret), Secret(token), as_time(found.first("Expiration")), "sts")

    async def url(self, rights: AccessKey, destination: str, login_page: str, now: datetime) -> LogonFreeUrl:
        """A URL that opens the console page `destination` with `rights`.

        Args:
            login_page: where the browser goes when the session has ended: a page that makes a new URL.
            now: the time that the lifetime is counted from.

        Raises:
            ServiceError: the rights are not taken, or no line to the sign-in page.
        """
        token = await repeat_read(lambda: self._token(rights))
        query = urlencode(
            {
                "Action": "Login",
                "LoginUrl": login_page,
                "Destination": destination,
                "SigninToken": token.reveal(),
            },
            quote_via=quote,
            safe="",
        )
        until = datetime.fromtimestamp(now.timestamp() + TOKEN_SECONDS, UTC)
        return LogonFreeUrl(Secret(f"{self._page.url}/federation?{query}"), until, rights.expires_at or until)

    async def _token(self, rights: AccessKey) -> Secret:
        query = urlencode(
            {
                "Action": "GetSigninToken",
                "AccessKeyId": rights.id,
                "AccessKeySecret": rights.secret.reveal(),
                "SecurityToken": rights.token.reveal(),
                "TicketType": "mini",
            },
            quote_via=quote,
            safe="",
        )
        async with await open_client(self._page) as client:
            # Not in the URL: httpx puts URLs into logs and error texts, and this one holds the whole secret.
            request = client.build_request("GET", "/federation", extensions={"target": f"/federation?{query}".encode()})
            request.headers["accept"] = "application/json"
            try:
                response = await client.send(request)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise transport_error(error, host=self._page.host) from error
        table = as_object(response.text)
        token = table.text("SigninToken") if table and response.is_success else ""
        if not token:
            raise from_response("signin", response.status_code, response.headers, response.content)
        return Secret(token)

    async def aclose(self) -> None:
        await self._sts.aclose()


def check_destination(url: str) -> str:
    """`url`, where it is a page of the vendor's consoles over https.

    Raises:
        ConfigurationError: it is not; the sign-in page would refuse it.
    """
    try:
        parts = httpx.URL(url.strip())
    except httpx.InvalidURL:
        parts = httpx.URL("")
    if parts.scheme != "https" or not parts.host.endswith((".aliyun.com", ".alibabacloud.com")) or parts.userinfo:
        raise ConfigurationError(
            Problem(
                _("Destination"),
                _("It must be a page of the vendor's console, over https."),
                _("For example https://rdsnext.console.aliyun.com/"),
                delivered="no",
            )
        )
    return url.strip()
