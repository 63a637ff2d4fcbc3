"""Whether a chat platform takes the credentials of a bot: one call that sends no message and changes nothing.

Source: the platforms' public documentation: DingTalk `POST /v1.0/oauth2/accessToken`; Lark and Feishu
`POST /open-apis/auth/v3/tenant_access_token/internal`, then `GET /open-apis/bot/v3/info`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import httpx

from tui.models import Problem
from tui.services.endpoints import Endpoint, parse_endpoint
from tui.services.errors import AuthenticationError
from tui.services.fields import Fields, as_object
from tui.services.http import open_client, repeat_read, transport_error
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.problems import from_response
from tui.services.signing import HeaderAuth
from tui.text import clean_line
from tui.words import _

Platform = Literal["dingtalk", "feishu", "lark"]
HOSTS: dict[Platform, str] = {
    "dingtalk": "api.dingtalk.com",
    "feishu": "open.feishu.cn",
    "lark": "open.larksuite.com",
}
NAMES: dict[Platform, str] = {"dingtalk": "DingTalk", "feishu": "Feishu", "lark": "Lark"}


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot whose credentials are good; `name` where the platform tells it."""

    platform: Platform
    name: str = ""


def bot_endpoint(platform: Platform, environ: Mapping[str, str]) -> Endpoint:
    """The platform's host, unless `YUNLIAO_BOT_ENDPOINT` names one. Raises ConfigurationError."""
    return parse_endpoint(environ.get("YUNLIAO_BOT_ENDPOINT", "").strip() or HOSTS[platform], "YUNLIAO_BOT_ENDPOINT")


async def check_bot(platform: Platform, app_id: str, secret: Secret, endpoint: Endpoint) -> Bot:
    """The bot, where the platform takes its credentials. The token that it gives is dropped.

    Raises:
        ServiceError: refused, or no line.
    """
    async with await open_client(endpoint) as client:
        return await repeat_read(lambda: _check(client, platform, app_id, secret, endpoint.host))


async def _check(client: httpx.AsyncClient, platform: Platform, app_id: str, secret: Secret, host: str) -> Bot:
    try:
        if platform == "dingtalk":
            body = {"appKey": app_id, "appSecret": secret.reveal()}
            response = await client.post("/v1.0/oauth2/accessToken", json=body)
            _token(platform, response, "accessToken")
            return Bot(platform)
        body = {"app_id": app_id, "app_secret": secret.reveal()}
        response = await client.post("/open-apis/auth/v3/tenant_access_token/internal", json=body)
        auth = HeaderAuth(FixedKey(AccessKey("", _token(platform, response, "tenant_access_token"))))
        response = await client.get("/open-apis/bot/v3/info", auth=auth)
        bot = as_object(_answer(platform, response).first("bot"))
        return Bot(platform, bot.line("app_name") if bot else "")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise transport_error(error, host=host) from error


def _answer(platform: Platform, response: httpx.Response) -> Fields:
    """The object in an answer. Lark and Feishu refuse with status 200 and a `code` that is not 0."""
    table = as_object(response.text)
    if table is None or response.status_code == 429 or response.is_server_error:
        raise from_response(NAMES[platform], response.status_code, response.headers, response.content)
    code = table.first("code")
    if response.is_success and code in (None, 0):
        return table
    raise AuthenticationError(
        Problem(
            NAMES[platform],
            _("It does not take these credentials: {reason}").format(
                reason=table.line("message", "msg") or _("no reason given")
            ),
            _("Compare id and secret with the app's page; an app that is not published has no bot."),
            code=clean_line(str(code or ""), 60),
            status=response.status_code,
            request_id=table.line("requestid", "log_id"),
            delivered="yes",
        )
    )


def _token(platform: Platform, response: httpx.Response, name: str) -> Secret:
    token = _answer(platform, response).text(name)
    if not token:
        raise from_response(NAMES[platform], response.status_code, response.headers, b"")
    return Secret(token)
