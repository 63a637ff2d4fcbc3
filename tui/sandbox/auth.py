"""ACS3-HMAC-SHA256 as the gateway checks it: keys, security tokens, clock, nonces (protocol notes, section 1.3).

Written from the notes alone and on the standard library alone, so that it referees the client's own signing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from tui.sandbox.refusals import Refusal
from tui.sandbox.wire import utc_moment

ALGORITHM = "ACS3-HMAC-SHA256"
SKEW = timedelta(minutes=15)
_MAX_NONCES = 50_000


@dataclass(frozen=True, slots=True)
class Key:
    """One credential: an AccessKey pair of an account, or (with `token` and `expires`) a temporary one."""

    account: str
    access_key_id: str
    access_key_secret: str
    token: str = ""
    expires: datetime | None = None


MAIN = Key("main", "SandboxKeyId", "sandbox-key-secret")
OTHER = Key("other", "SandboxOtherKeyId", "sandbox-other-key-secret")
"""A second account: it must not see what the first one has."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What the signature speaks of, decoded: `query` as it arrived, in order."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    """Lower-case names; several values of one name are joined by a comma."""
    body: bytes


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Sorted and percent-encoded; a space is `%20`."""
    encoded = (
        (quote(name, safe="~", errors="surrogateescape"), quote(value, safe="~", errors="surrogateescape"))
        for name, value in pairs
    )
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def canonical_request(request: SignedRequest, names: Iterable[str], body_hash: str) -> str:
    listed = sorted(names)
    headers = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in listed)
    return "\n".join(
        (request.method, request.path, canonical_query(request.query), headers, ";".join(listed), body_hash)
    )


def signature(secret: str, canonical: str) -> str:
    """Hex; keyed with the plain secret."""
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def _parse_authorization(value: str) -> tuple[str, list[str], str]:
    algorithm, _, rest = value.strip().partition(" ")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if algorithm != ALGORITHM or not {"Credential", "SignedHeaders", "Signature"} <= fields.keys():
        raise Refusal(400, "IncompleteSignature", "The request signature does not conform to the standard.")
    return fields["Credential"], fields["SignedHeaders"].split(";"), fields["Signature"]


class Keyring:
    """All credentials that are accepted, and the nonces that were seen."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {key.access_key_id: key for key in (MAIN, OTHER)}
        self._nonces: dict[str, datetime] = {}

    def issue_temporary(self, now: datetime, lifetime: timedelta) -> Key:
        """A new STS credential of the main account."""
        mark = secrets.token_hex(6)
        key = Key(MAIN.account, f"STS.Sandbox{mark}", secrets.token_hex(16), f"sandbox-token-{mark}", now + lifetime)
        self._keys[key.access_key_id] = key
        return key

    def find(self, access_key_id: str) -> Key | None:
        """The credential of that id."""
        return self._keys.get(access_key_id)

    def verify(self, request: SignedRequest, now: datetime) -> Key:
        """The credential that signed `request`.

        Raises:
            Refusal: as the gateway would: unknown key, signature, clock, nonce, token.
        """
        headers = request.headers
        if not headers.get("authorization"):
            raise Refusal(400, "IncompleteSignature", "The request carries no Authorization header.")
        key_id, names, given = _parse_authorization(headers["authorization"])
        key = self._keys.get(key_id)
        if key is None:
            raise Refusal(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        _check_token(key, headers, now)
        date = _check_date(headers.get("x-acs-date", ""), now)
        body_hash = hashlib.sha256(request.body).hexdigest()
        _check_coverage(headers, names, body_hash)
        canonical = canonical_request(request, names, body_hash)
        if not hmac.compare_digest(signature(key.access_key_secret, canonical).encode(), given.encode()):
            shown = canonical.replace("\n", "\\n")
            raise Refusal(
                400,
                "SignatureDoesNotMatch",
                f"Specified signature does not match our calculation. The canonical request here is [{shown}].",
            )
        self._check_nonce(headers.get("x-acs-signature-nonce", ""), date, now)
        return key

    def _check_nonce(self, nonce: str, date: datetime, now: datetime) -> None:
        if not nonce:
            raise Refusal(400, "MissingSignatureNonce", "x-acs-signature-nonce is mandatory for this action.")
        if nonce in self._nonces:
            raise Refusal(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
        if len(self._nonces) >= _MAX_NONCES:
            self._nonces = {seen: at for seen, at in self._nonces.items() if now - at < 2 * SKEW}
        self._nonces[nonce] = date


def _check_token(key: Key, headers: Mapping[str, str], now: datetime) -> None:
    token = headers.get("x-acs-security-token", "")
    if key.token and not token:
        raise Refusal(400, "MissingSecurityToken", "SecurityToken is mandatory for this action.")
    if token and not key.token:
        raise Refusal(
            400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken is not of this AccessKey."
        )
    if token != key.token:
        raise Refusal(400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.")
    if key.expires and now >= key.expires:
        raise Refusal(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")


def _check_date(value: str, now: datetime) -> datetime:
    try:
        date = utc_moment(value)
    except ValueError:
        raise Refusal(400, "InvalidTimeStamp.Format", "Specified time stamp is not well formatted.") from None
    if abs(now - date) > SKEW:
        raise Refusal(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
    return date


def _check_coverage(headers: Mapping[str, str], names: list[str], body_hash: str) -> None:
    # Not content-type: the vendor's async client sends one that it does not sign.
    needed = {"host", *(name for name in headers if name.startswith("x-acs-"))}
    if missing := sorted(needed - set(names)):
        raise Refusal(400, "IncompleteSignature", f"The signature does not cover: {', '.join(missing)}.")
    if headers.get("x-acs-content-sha256") != body_hash:
        raise Refusal(400, "IncompleteSignature", "x-acs-content-sha256 is missing or is not that of the body.")
