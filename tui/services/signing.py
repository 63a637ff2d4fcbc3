"""How a request says whose it is: the signature of Alibaba Cloud's RPC calls, or a key in a header.

ACS3-HMAC-SHA256 is made over `host` and `x-acs-*` only. Other headers are left out on purpose: proxies and HTTP
libraries add and repeat them (`accept`, `user-agent`), and a signature that covers them breaks. Source: protocol notes
1.3, compared with the vendor's own clients.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import httpx

from tui.models import Problem
from tui.services.codes import NO_CREDENTIALS
from tui.services.errors import ConfigurationError
from tui.services.keys import AccessKey, KeySource
from tui.words import _

ALGORITHM = "ACS3-HMAC-SHA256"


def encode_query(params: Iterable[tuple[str, str]]) -> str:
    """`params` sorted by name, percent-encoded with `%20` for a space: canonical, and fit for the wire."""
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(params))


def authorization(method: str, path: str, query: str, headers: Mapping[str, str], key_id: str, secret: str) -> str:
    """The Authorization header over all of `headers` (lower-case names); `x-acs-content-sha256` must be there.

    `query` is of `encode_query`.
    """
    names = ";".join(sorted(headers))
    canonical_headers = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    canonical = "\n".join([method, path, query, canonical_headers, names, headers["x-acs-content-sha256"]])
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    # The plain secret is the key; there is no date-derived key as elsewhere.
    signature = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Acs3Auth(httpx.Auth):
    """Signs each request as it leaves, with the key of that moment and a nonce of its own.

    The query is that of the `target` extension (see `tui.services.rpc`), as `encode_query` wrote it.
    """

    def __init__(
        self,
        keys: KeySource,
        now: Callable[[], datetime] = _utc_now,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._keys = keys
        self._now = now
        self._nonce = nonce

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        raise RuntimeError("keys are fetched asynchronously; use httpx.AsyncClient")

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        key = await self._keys.key()
        _check(key.source, key.id, key.secret.reveal(), key.token.reveal())
        self.sign(request, key)
        yield request

    def sign(self, request: httpx.Request, key: AccessKey) -> None:
        """Put date, nonce, body hash, token and signature into the headers of `request`."""
        headers = request.headers
        headers["x-acs-date"] = self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        headers["x-acs-signature-nonce"] = self._nonce()
        headers["x-acs-content-sha256"] = hashlib.sha256(request.content).hexdigest()
        if key.token:
            headers["x-acs-accesskey-id"] = key.id
            headers["x-acs-security-token"] = key.token.reveal()
        signed = {
            name: value for name, value in headers.items() if name in ("host", "content-type") or name[:6] == "x-acs-"
        }
        target: bytes = request.extensions.get("target", b"/")
        path, _mark, query = target.decode("ascii").partition("?")
        headers["authorization"] = authorization(request.method, path, query, signed, key.id, key.secret.reveal())


class HeaderAuth(httpx.Auth):
    """Puts the secret of a key into one header, for services that want no signature."""

    def __init__(self, keys: KeySource, header: str = "authorization", scheme: str = "Bearer ") -> None:
        self._keys = keys
        self._header = header
        self._scheme = scheme

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        key = await self._keys.key()
        _check(key.source, key.secret.reveal())
        request.headers[self._header] = f"{self._scheme}{key.secret.reveal()}"
        yield request


def _check(source: str, *parts: str) -> None:
    """Refuse a key that cannot be one, such as a pasted one with a line break in it or typed in full width.

    Raises:
        ConfigurationError: where HTTP would refuse it too, but name the whole of it.
    """
    if all(part.isascii() and part.isprintable() and " " not in part for part in parts):
        return
    raise ConfigurationError(
        Problem(
            _("Access key"),
            _("The key from {source} has a character that no key has.").format(source=source)
            if source
            else _("The key has a character that no key has."),
            _("Look for a blank, a line break or a full-width character in it."),
            NO_CREDENTIALS,
            delivered="no",
        )
    )
