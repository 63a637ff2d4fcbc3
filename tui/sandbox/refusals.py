"""What the sandbox refuses with: the gateway's and the service's errors, in the vendor's body form."""

from __future__ import annotations

from collections.abc import Mapping

HOST_ID = "sandbox.invalid"
"""Stands in every error body, so that nobody takes one for the vendor's."""

_GUIDE = "https://help.aliyun.com/zh/rds/apsaradb-rds-for-mysql/manage-rds-colipot-professional-edition"


class Refusal(Exception):
    """An error reply: HTTP status, code and message, as section 7 of the protocol notes lists them."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        recommend: str = "",
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.recommend = recommend
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def body(self, request_id: str) -> dict[str, object]:
        """The JSON object of the reply."""
        return {
            "RequestId": request_id,
            "HostId": HOST_ID,
            "Code": self.code,
            "Message": self.message,
            "Recommend": self.recommend or f"https://api.alibabacloud.com/troubleshoot?q={self.code}",
            **self.more,
        }


def invalid_parameter(what: str) -> Refusal:
    return Refusal(400, "InvalidParameter", f"The specified parameter is not valid: {what}")


def invalid_order() -> Refusal:
    return Refusal(
        400,
        "InvalidOrder",
        "No valid order found. Activate RDS Copilot Professional Edition for this account. (sandbox data)",
        recommend=_GUIDE,
    )


def too_many_requests(limit: int) -> Refusal:
    return Refusal(429, "TooManyRequests", f"Too many turns at once: this order allows {limit}. (sandbox data)")


def quota_exceeded() -> Refusal:
    return Refusal(429, "MoQuotaExceeded", "The token quota of today is used up. (sandbox data)")


def unknown_user() -> Refusal:
    return Refusal(404, "UserNotFound", "The account is not known to the assistant. (sandbox data)")


def moderation() -> Refusal:
    return Refusal(451, "ContentModeration", "The question was refused by content moderation. (sandbox data)")


def internal_error() -> Refusal:
    return Refusal(500, "InternalError", "The request processing has failed due to some unknown error. (sandbox data)")


def no_permission(action: str) -> Refusal:
    return Refusal(
        403,
        "Forbidden.RAM",
        f"User not authorized to operate on the specified resource: rdsai:{action}. (sandbox data)",
        more={
            "AccessDeniedDetail": {
                "AuthAction": f"rdsai:{action}",
                "AuthPrincipalType": "SubUser",
                "NoPermissionType": "ImplicitDeny",
                "PolicyType": "AccountLevelIdentityBasedPolicy",
            }
        },
    )


def throttled(retry_after_ms: int) -> Refusal:
    return Refusal(
        429,
        "Throttling.User",
        "Request was denied due to user flow control. (sandbox data)",
        headers={"x-acs-retry-after": str(retry_after_ms)},
    )


def service_unavailable() -> Refusal:
    return Refusal(503, "ServiceUnavailable", "The service is temporarily not available. (sandbox data)")


def unknown_action(action: str) -> Refusal:
    return Refusal(404, "InvalidAction.NotFound", f"Specified api is not found: {action or '(none)'}.")


def unknown_version(version: str) -> Refusal:
    return Refusal(404, "InvalidVersion", f"Specified parameter Version is not valid: {version or '(none)'}.")
