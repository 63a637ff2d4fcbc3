"""The object store beside the Data Agent: one form upload with a signed policy, downloads by pre-signed links.

Nothing of our own credentials ever goes there: no ACS signature, no cookies, and a redirect is an error, so that
the form is not carried elsewhere. Source: protocol notes (DMS) 9.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx

from tui.models import Delivered, Problem
from tui.services.endpoints import Endpoint, is_loopback
from tui.services.errors import ApiError, ConfigurationError, ProtocolError, ServiceError, TransportError
from tui.services.http import open_client, transport_error
from tui.services.problems import Refusal, read_body
from tui.text import clean_line
from tui.words import _

CHUNK = 256 * 1024
"""Bytes read from disk at a time; a file is never in memory."""
MAX_ERROR = 64 * 1024
TIMEOUT = httpx.Timeout(connect=10, read=120, write=60, pool=10)
_EXPIRED = frozenset({"SecurityTokenExpired", "InvalidSecurityToken", "RequestTimeTooSkewed"})
EXPIRED = "Expired"
"""`Problem.code` where leave to upload, or a link, has ended: a new one can be asked for."""


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart form whose last part is a file: OSS looks at nothing after it."""

    fields: Sequence[tuple[str, str]]
    file_name: str
    media_type: str
    boundary: str

    @classmethod
    def make(cls, fields: Sequence[tuple[str, str]], file_name: str, media_type: str) -> Form:
        return cls(fields, file_name, media_type, secrets.token_hex(16))

    @property
    def content_type(self) -> str:
        return f"multipart/form-data; boundary={self.boundary}"

    def head(self) -> bytes:
        """Everything before the file's bytes."""
        parts = [
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in self.fields
        ]
        parts.append(
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="file"; filename="{self.file_name}"\r\n'
            f"Content-Type: {self.media_type}\r\n\r\n"
        )
        return "".join(parts).encode()

    def tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()


class FileChanged(Exception):
    """The file is another one than when it was checked."""


async def post_form(
    url: str, form: Form, path: Path, size: int, sent: Callable[[int], None], *, local: bool = False
) -> None:
    """Send the form with the file at `path`, streamed from disk; `sent` is told how many of its bytes have left.

    Raises:
        ServiceError: not connected, broken off, or refused; `Expired` where the leave to upload has ended.
        OSError: the file cannot be read.
        FileChanged: it does not have `size` bytes (any more).
    """
    endpoint, target = parse_url(url, local=local)
    head, tail = form.head(), form.tail()

    async def body() -> AsyncGenerator[bytes]:
        yield head
        with await asyncio.to_thread(path.open, "rb") as file:
            left = size
            while left:
                chunk = await asyncio.to_thread(file.read, min(CHUNK, left))
                if not chunk:
                    raise FileChanged
                left -= len(chunk)
                yield chunk
                sent(size - left)
            if await asyncio.to_thread(file.read, 1):
                raise FileChanged
        yield tail

    length = len(head) + size + len(tail)
    headers = {"content-type": form.content_type, "content-length": str(length), "accept": "*/*"}
    async with await open_client(endpoint, keepalive=False, timeout=TIMEOUT) as client:
        request = client.build_request("POST", "/", content=body(), headers=headers)
        response = await _send(client, request, endpoint, target)
        try:
            if response.status_code not in (200, 201, 204):
                raise await _refused(response, endpoint)
        finally:
            await response.aclose()


@asynccontextmanager
async def open_link(
    url: str, start: int = 0, *, local: bool = False
) -> AsyncIterator[tuple[int, int, AsyncIterator[bytes]]]:
    """Open a pre-signed link, from byte `start` on if that is granted.

    The link goes out as it is, unchanged and without any credential. Gives the byte at which the answer begins
    (`start`, or 0), the whole size (0 where not told) and the bytes.

    Raises:
        ServiceError: as `post_form`.
    """
    endpoint, target = parse_url(url, local=local)
    headers = {"range": f"bytes={start}-"} if start else {}
    async with await open_client(endpoint, keepalive=False, timeout=TIMEOUT) as client:
        response = await _send(client, client.build_request("GET", "/", headers=headers), endpoint, target)
        try:
            if response.status_code not in ((200, 206) if start else (200,)):
                raise await _refused(response, endpoint)
            begin = start if response.status_code == 206 else 0
            length = response.headers.get("content-length", "")
            yield begin, begin + int(length) if length.isdecimal() else 0, _bytes(response, endpoint)
        finally:
            await response.aclose()


async def _send(client: httpx.AsyncClient, request: httpx.Request, endpoint: Endpoint, target: str) -> httpx.Response:
    """Send `request` to `target`, path and query as they are: httpx would encode them anew."""
    request.extensions = {**request.extensions, "target": target.encode("ascii")}
    try:
        return await client.send(request, stream=True, auth=None)
    except httpx.HTTPError as error:
        raise transport_error(error, host=endpoint.host) from error


async def _bytes(response: httpx.Response, endpoint: Endpoint) -> AsyncGenerator[bytes]:
    try:
        async for chunk in response.aiter_bytes(CHUNK):
            yield chunk
    except httpx.HTTPError as error:
        raise transport_error(error, host=endpoint.host, began=True) from error


async def _refused(response: httpx.Response, endpoint: Endpoint) -> ServiceError:
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_ERROR:
                break
    except httpx.HTTPError:  # the status alone says enough
        pass
    refusal = read_body(bytes(body), response.headers.get("content-type", "")) or Refusal()
    return refusal_error(response.status_code, refusal, endpoint.host)


def refusal_error(status: int, refusal: Refusal, host: str) -> ServiceError:
    """What a refusal of the object store means to the user."""
    code, message = refusal.code, refusal.message
    delivered: Delivered = "no"
    kind: type[ServiceError] = ApiError
    retryable = False
    if code in _EXPIRED or (status == 403 and "expired" in message.lower()):
        code = EXPIRED
        sentence, remedy = _("The leave to do this has expired."), _("It is asked for anew when you try again.")
        retryable = True
    elif code == "EntityTooLarge" or status == 413:
        sentence, remedy = _("The file is larger than the service takes."), _("At most 200 MB; split the file.")
    elif code == "EntityTooSmall":
        sentence, remedy = _("The file is smaller than the service takes."), ""
    elif 300 <= status < 400:
        kind = ProtocolError
        sentence = _("{host} answered with a redirect, which is not followed with a file.").format(host=host)
        remedy = _("Check whether the network wants a login.")
    elif status == 507 or status >= 500:
        kind, delivered, retryable = TransportError, "unknown", True
        sentence = _("The object store cannot take it at the moment: {reason}.").format(
            reason=message.rstrip(".") or f"HTTP {status}"
        )
        remedy = _("Try again in a minute.")
    else:
        sentence = message or _("The object store refused (HTTP {status}).").format(status=status)
        remedy = _("Try again; name the request id when you report it.")
    return kind(
        Problem(
            _("Object store"),
            sentence,
            remedy,
            code=code or str(status),
            status=status,
            request_id=refusal.request_id,
            delivered=delivered,
            retryable=retryable,
        )
    )


def parse_url(url: str, *, local: bool = False) -> tuple[Endpoint, str]:
    """The host of an upload address or a link, and its path with query, unchanged.

    `local`: who named it is on this machine; nobody else may send us there.

    Raises:
        ConfigurationError: it is not https, or on this machine without leave.
    """
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    loopback = is_loopback(host)
    try:
        httpx.URL(f"https://[{host}]" if ":" in host else f"https://{host}")
    except httpx.InvalidURL:  # what looks like a number and is none
        host = ""
    usable = host.isascii() and host.isprintable() and " " not in host and url.isascii() and parts.username is None
    allowed = parts.scheme in ("http", "https") if loopback and local else parts.scheme == "https" and not loopback
    if not host or not usable or not allowed:
        raise ConfigurationError(
            Problem(
                _("Object store"),
                _("The service named an address that is not used: {url}.").format(
                    url=clean_line(url.partition("?")[0], 100)
                ),
                _("Files go over https only. Check the endpoint."),
                delivered="no",
            )
        )
    shown = f"[{host}]" if ":" in host else host
    if port is not None:
        shown = f"{shown}:{port}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(f"{parts.scheme}://{shown}", shown, loopback), target


def _numbered(target: Path) -> Iterator[Path]:
    """`target`, then its name with a number: `orders (2).csv`."""
    yield target
    for number in range(2, 1000):
        yield target.with_name(f"{target.stem} ({number}){target.suffix}")


def open_new(folder: Path, name: str) -> tuple[BinaryIO, Path, Path]:
    """A new file for a download, 0600, where it is, and where it will be when it is whole: nothing is there yet.

    Blocking. `name` must be safe. The file is called `<target>.part`; of two downloads each gets a name of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for target in _numbered(folder / name):
        if target.exists() or target.is_symlink():
            continue
        part = target.with_name(f"{target.name}.part")
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            continue
        return os.fdopen(descriptor, "wb"), part, target
    raise FileExistsError(str(folder / name))


def put_in_place(part: Path, target: Path) -> Path:
    """Give a whole download its name, without overwriting what came there meanwhile; where it is. Blocking."""
    for place in _numbered(target):
        try:
            os.link(part, place, follow_symlinks=False)
        except FileExistsError:
            continue
        except OSError:  # a file system without links
            if place.exists():
                continue
            os.replace(part, place)
            return place
        part.unlink()
        return place
    raise FileExistsError(str(target))
