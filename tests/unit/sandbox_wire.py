"""A few lines of plain client for tests of the sandbox itself: signs by the protocol notes, reads raw bytes."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from tui.sandbox.server import SandboxInfo


def signed(
    info: SandboxInfo,
    action: str,
    parameters: dict[str, str],
    line: str = "POST /",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> httpx.Request:
    """A signed request. Of `headers` those that begin with x-acs are signed too; an empty one is left out."""
    method, _, path = line.partition(" ")
    names = {
        "host": urlsplit(info.url).netloc,
        "x-acs-action": action,
        "x-acs-version": "2025-05-07",
        "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": secrets.token_hex(16),
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        **(headers or {}),
    }
    names = {name: value for name, value in names.items() if value}
    covered = sorted(name for name in names if name == "host" or name.startswith("x-acs-"))
    query = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(parameters.items()))
    head = "".join(f"{name}:{names[name]}\n" for name in covered)
    canonical = "\n".join((method, path, query, head, ";".join(covered), names["x-acs-content-sha256"]))
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    mark = hmac.new(info.access_key_secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    names["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={info.access_key_id},SignedHeaders={';'.join(covered)},Signature={mark}"
    )
    url = info.url + path + (f"?{urlencode(parameters)}" if parameters else "")
    return httpx.Request(method, url, headers=names, content=body)


def call(info: SandboxInfo, action: str, fault: str = "", **parameters: str) -> httpx.Response:
    """One operation, read to its end. A stream's bytes are `response.content`."""
    with httpx.Client(trust_env=False, verify=False, timeout=10) as client:
        extra = {"x-sandbox-fault": fault}
        return client.send(signed(info, action, parameters, headers=extra))


ECHO = "echo one two three four five six"


def ask(info: SandboxInfo, query: str = ECHO, fault: str = "", **more: str) -> httpx.Response:
    return call(info, "ChatMessages", fault, Query=query, EventMode="separate", **more)


@contextmanager
def asking(info: SandboxInfo, query: str, fault: str = "", **more: str) -> Iterator[httpx.Response]:
    """A stream that is still open."""
    extra = {"x-sandbox-fault": fault}
    with httpx.Client(trust_env=False, verify=False, timeout=10) as client:
        request = signed(info, "ChatMessages", {"Query": query, "EventMode": "separate", **more}, headers=extra)
        response = client.send(request, stream=True)
        try:
            yield response
        finally:
            response.close()


def blocks(body: bytes) -> list[bytes]:
    """The frames of a stream as they stood in it, comments included."""
    return [block for block in body.replace(b"\r\n", b"\n").split(b"\n\n") if block]


def frames(body: bytes) -> list[Any]:
    """The JSON of the frames that can be read."""
    found = []
    for block in blocks(body):
        lines = [line.removeprefix(b"data:") for line in block.split(b"\n") if line.startswith(b"data:")]
        try:
            found.append(json.loads(b"\n".join(lines)))
        except ValueError:
            continue
    return found


def events(body: bytes) -> list[str]:
    return [frame.get("Event", "") for frame in frames(body) if isinstance(frame, dict)]


def text(body: bytes) -> str:
    """The joined deltas."""
    return "".join(f["Answer"] for f in frames(body) if isinstance(f, dict) and f.get("Event") == "message")


def history(info: SandboxInfo, fault: str = "") -> list[Any]:
    """The messages of the newest conversation."""
    conversation = call(info, "GetConversations").json()["Data"][0]["Id"]
    reply = call(info, "GetMessages", fault, ConversationId=conversation, EventMode="separate").json()
    messages: list[Any] = reply["Data"]
    return messages
