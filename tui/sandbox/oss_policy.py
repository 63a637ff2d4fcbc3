"""The checks of a form upload, in the order of the protocol notes (section 9.3)."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tui.sandbox import oss_signing
from tui.sandbox.auth import Key
from tui.sandbox.refusals import Refusal

_AGE, _SKEW = timedelta(days=7), timedelta(minutes=15)


class OssError(Refusal):
    """An XML error of the bucket."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A verified policy. Sizes in bytes."""

    smallest: int
    largest: int

    def check_size(self, size: int, *, complete: bool) -> None:
        """Refuse what is too large as soon as it is, and what is too small at the end.

        Raises:
            OssError: EntityTooLarge or EntityTooSmall.
        """
        if size > self.largest:
            raise OssError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.")
        if complete and size < self.smallest:
            raise OssError(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size.")


def verify(fields: Mapping[str, str], find_key: Callable[[str], Key | None], region: str, now: datetime) -> Policy:
    """Check the fields that stood before the file.

    Raises:
        OssError: as the bucket would refuse.
    """
    if fields.get("x-oss-signature-version") != oss_signing.VERSION:
        raise OssError(400, "InvalidArgument", "x-oss-signature-version must be OSS4-HMAC-SHA256.")
    secret, day = _check_credential(fields, find_key, region)
    policy = fields.get("policy", "")
    expected = oss_signing.policy_signature(secret, day, region, policy)
    if not hmac.compare_digest(expected.encode(), fields.get("x-oss-signature", "").encode()):
        raise OssError(403, "SignatureDoesNotMatch", "The request signature we calculated does not match yours.")
    _check_date(fields.get("x-oss-date", ""), day, now)
    document = _decoded(policy)
    expires = _moment(str(document["expiration"]))
    if now >= expires:
        raise _failed("Policy expired")
    smallest, largest = 0, 5 * 1024**3
    for condition in document["conditions"]:
        if isinstance(condition, list) and condition and condition[0] == "content-length-range":
            smallest, largest = int(condition[1]), int(condition[2])
        elif not _holds(condition, fields):
            raise _failed(f"Policy Condition failed: {json.dumps(condition)}")
    return Policy(smallest, largest)


def _failed(reason: str) -> OssError:
    return OssError(403, "AccessDenied", f"Invalid according to Policy: {reason}.")


def _check_credential(fields: Mapping[str, str], find_key: Callable[[str], Key | None], region: str) -> tuple[str, str]:
    parts = fields.get("x-oss-credential", "").split("/")
    if len(parts) != 5 or parts[2:] != [region, oss_signing.SERVICE, oss_signing.REQUEST]:
        raise OssError(400, "InvalidArgument", "x-oss-credential is not well formed.")
    key = find_key(parts[0])
    if key is None:
        raise OssError(403, "InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records.")
    if fields.get("x-oss-security-token", "") != key.token:
        raise OssError(403, "InvalidSecurityToken", "The provided security token is invalid.")
    return key.access_key_secret, parts[1]


def _check_date(value: str, day: str, now: datetime) -> None:
    try:
        date = datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise OssError(400, "InvalidArgument", "x-oss-date is not well formed.") from None
    if not value.startswith(day) or date - now > _SKEW or now - date > _AGE:
        raise OssError(403, "AccessDenied", "x-oss-date does not fit the credential or the clock.")


def _decoded(policy: str) -> dict[str, Any]:
    try:
        document = json.loads(base64.b64decode(policy, validate=True))
        valid = isinstance(document["conditions"], list) and isinstance(document["expiration"], str)
        _moment(document["expiration"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        valid = False
    if not valid:
        raise OssError(400, "InvalidPolicyDocument", "The content of the form does not meet the conditions specified.")
    found: dict[str, Any] = document
    return found


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _holds(condition: object, fields: Mapping[str, str]) -> bool:
    match condition:
        case dict():
            return all(fields.get(name) == value for name, value in condition.items())
        case ["eq", str(name), value]:
            return fields.get(name.removeprefix("$")) == value
        case ["starts-with", str(name), str(start)]:
            return fields.get(name.removeprefix("$"), "").startswith(start)
        case ["in", str(name), list(values)]:
            return fields.get(name.removeprefix("$")) in values
        case ["not-in", str(name), list(values)]:
            return fields.get(name.removeprefix("$")) not in values
    return False
