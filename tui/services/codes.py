"""The service's codes that users meet, each with a text of its own. Source: protocol notes, section 7."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from tui.models import Delivered
from tui.words import _

Kind = Literal["auth", "permission", "order", "busy", "api"]

NO_CREDENTIALS = "NoCredentials"
"""Ours: there is no key, or it could not be fetched."""
RDS_CONSOLE = "https://rdsnext.console.aliyun.com/rdsCopilotProfessional/cn-hangzhou"
"""Where the Professional Edition is ordered and its conversations are; no address within it is published."""
ORDER_GUIDE = "https://help.aliyun.com/zh/rds/apsaradb-rds-for-mysql/manage-rds-colipot-professional-edition"


@dataclass(frozen=True, slots=True)
class Text:
    """`sentence` and `remedy` may hold the fields that `values` fills."""

    title: str
    sentence: str
    remedy: str = ""
    delivered: Delivered = "no"
    retryable: bool = False


def values(message: str, action: str, skew: str) -> dict[str, str]:
    """What the texts' fields stand for: the service's message, the RAM action, the difference of the clocks."""
    return {
        "message": message or _("no reason was given"),
        "action": action,
        "skew": skew,
        "policy": json.dumps({"Effect": "Allow", "Action": action, "Resource": "*"}),
        "page": RDS_CONSOLE,
        "guide": ORDER_GUIDE,
    }


_OTHERS = {"sts": "STS", "signin": "Alibaba Cloud sign-in", "memory": "Long-term memory"}
"""What is spoken with beside the assistants."""


def service_title(service: str) -> str:
    """The name of a service, as it heads an error."""
    return {"rds": "RDS Copilot", "dms": "DMS Data Agent", "dashscope": "DashScope", **_OTHERS}.get(service, service)


def _texts() -> dict[str, tuple[Kind, Text]]:
    """By code; made per error, so that the language is that of the moment."""
    order = Text(
        _("No valid order"),
        _("The Professional Edition of RDS Copilot is not active for this account, or its order has expired."),
        _("Activate or renew it: {page} (guide: {guide})"),
    )
    signature = Text(
        _("Signature not accepted"),
        _("The access key secret does not belong to the access key id."),
        _("Check both halves of the key, and that no space or quote got into them."),
    )
    token = Text(
        _("Session token not accepted"),
        _("The temporary credentials (STS) have expired, or the token is of another key."),
        _("Get new temporary credentials, then send again."),
    )
    unknown_key = Text(
        _("Access key not accepted"),
        _("The service does not know this access key id, or it is disabled."),
        _("Check the profile or ALIBABA_CLOUD_ACCESS_KEY_ID; `yunliao --profile NAME` takes another one."),
    )
    denied = Text(
        _("Not permitted"),
        _("The account lacks the RAM permission {action}."),
        _("Ask for a policy with {policy}"),
    )
    throttled = Text(
        _("Throttled"),
        _("The service takes no more requests from this account at the moment."),
        _("Wait a little, then send again."),
        retryable=True,
    )
    unavailable = Text(
        _("Service unavailable"),
        _("The service cannot answer at the moment."),
        _("Try again in a minute."),
        delivered="unknown",
        retryable=True,
    )
    moderated = Text(
        _("Refused by content moderation"),
        _("The service does not answer this text."),
        _("Put the question in other words."),
    )
    version = Text(
        _("Wrong address"),
        _("This host does not offer the operation: {message}"),
        _("Check the endpoint: RDS Copilot is at rdsai.aliyuncs.com, the Data Agent at dms.REGION.aliyuncs.com."),
    )
    return {
        "InvalidOrder": ("order", order),
        "InvalidUserOrder": ("order", order),
        "MoQuotaExceeded": (
            "order",
            Text(
                _("Token quota used up"),
                _("The account has used all tokens of its quota."),
                _("Wait for the reset or raise the quota; sending again soon does not help."),
            ),
        ),
        "QuotaExceeded": (
            "order",
            Text(
                _("Limit reached"),
                _("The account may have no more of these: {message}"),
                _("Delete what is not needed, or have the limit raised."),
            ),
        ),
        "TooManyRequests": (
            "busy",
            Text(
                _("Too many turns at once"),
                _("The edition allows no more turns at the same time."),
                _("Wait for a running turn or stop one; a package of the Professional Edition adds ten."),
                retryable=True,
            ),
        ),
        "SessionInBusy": (
            "busy",
            Text(
                _("The agent is busy"),
                _("This session works on an earlier message and takes no other one."),
                _("Wait for it or stop it, then send again."),
                retryable=True,
            ),
        ),
        "ContentModeration": ("api", moderated),
        "UserNotFound": (
            "permission",
            Text(
                _("Account not known"),
                _("RDS Copilot does not know this account yet."),
                _("Open the RDS console's Copilot page once with it, and check account and role."),
            ),
        ),
        "TaskNotFound": ("api", Text(_("Not found"), _("The service no longer has this task."))),
        "PermissionDenied": (
            "permission",
            Text(
                _("Not permitted"),
                _("The account may not read these instances."),
                _("Ask for AliyunRDSReadOnlyAccess or rights on the instances."),
            ),
        ),
        "InvalidParameter": (
            "api",
            Text(
                _("Not accepted"),
                _("The service found a value wrong: {message}"),
                _("Check conversation, model, agent, region, language and time zone."),
            ),
        ),
        NO_CREDENTIALS: ("auth", unknown_key),
        "InvalidAccessKeyId": ("auth", unknown_key),
        "SignatureDoesNotMatch": ("auth", signature),
        "IncompleteSignature": ("auth", signature),
        "InvalidTimeStamp": (
            "auth",
            Text(
                _("Clock"),
                _("{skew} The service takes requests only within 15 minutes of its own time."),
                _("Set the clock (`timedatectl set-ntp true`), then send again."),
            ),
        ),
        "SignatureNonceUsed": (
            "auth",
            Text(
                _("Request repeated"),
                _("Something on the way sent the same request twice; the service took at most the first."),
                _("Look into the conversation before sending again."),
                delivered="unknown",
            ),
        ),
        "InvalidSecurityToken": ("auth", token),
        "SecurityTokenExpired": ("auth", token),
        "NoPermission": ("permission", denied),
        "Forbidden.RAM": ("permission", denied),
        "Forbidden": ("permission", denied),
        "Throttling": ("busy", throttled),
        "ServiceUnavailable": ("api", unavailable),
        "InternalError": (
            "api",
            Text(
                _("Error inside the service"),
                _("The service failed: {message}"),
                _("Try again later; name the request id when you report it."),
                delivered="unknown",
                retryable=True,
            ),
        ),
        "InvalidApiKey": (
            "auth",
            Text(
                _("API key not accepted"),
                _("DashScope does not know this API key, or it belongs to another region."),
                _("Check DASHSCOPE_API_KEY and the profile's region: a key is good for one region only."),
            ),
        ),
        "AccessDenied": (
            "permission",
            Text(
                _("Not permitted"),
                _("The API key may not use this: {message}"),
                _("Check the model, the workspace, and whether the service was activated in the console."),
            ),
        ),
        "Arrearage": (
            "order",
            Text(
                _("Account in debt"),
                _("The account cannot pay for the request."),
                _("Settle the bill in the vendor's console, then send again."),
            ),
        ),
        "DataInspectionFailed": ("api", moderated),
        "RequestTimeOut": (
            "api",
            Text(
                _("Took too long"),
                _("The service gave the request up: {message}"),
                _("Try again in a minute."),
                delivered="unknown",
                retryable=True,
            ),
        ),
        "TooLarge": (
            "api",
            Text(
                _("Too long"),
                _("The request is longer than the service takes: {message}"),
                _("Shorten it, or begin a new conversation."),
            ),
        ),
        "InvalidAction": ("api", version),
        "InvalidVersion": ("api", version),
    }


def kind_of(code: str, status: int) -> Kind:
    """What kind of refusal it was, from what is kept of it."""
    return find_text(code, "", status)[0]


def find_text(code: str, message: str, status: int) -> tuple[Kind, Text]:
    """The text for `code`: the code itself, then its stem (`Throttling.User`), then a known code inside it.

    Whether the service puts prefixes before its codes is not published, hence the last step. Where nothing
    fits, the HTTP status decides and the service's own message is the sentence.
    """
    texts = _texts()
    if code in texts:
        return texts[code]
    stem = code
    while "." in stem:
        stem = stem.rpartition(".")[0]
        if stem in texts:
            return texts[stem]
    if "No valid order found" in message:
        return texts["InvalidOrder"]
    lowered = code.lower()
    inside = [known for known in texts if known.lower() in lowered]
    if inside:
        return texts[max(inside, key=len)]
    return _by_status(status)


def _by_status(status: int) -> tuple[Kind, Text]:
    sentence = "{message}"
    if status == 401:
        return "auth", Text(_("Not signed in"), sentence, _("Check the access key."))
    if status == 403:
        return "permission", Text(_("Not permitted"), sentence)
    if status == 429:
        return "busy", Text(_("Too many requests"), sentence, _("Wait a little, then send again."), retryable=True)
    if status == 200 or 400 <= status < 500:
        return "api", Text("", sentence)
    return "api", Text("", sentence, _("Try again later."), delivered="unknown", retryable=status >= 500)
