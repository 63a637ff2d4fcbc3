"""A call of an RPC product by two clients, ours and the official one, and what must be alike in what they send."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alibabacloud_tea_openapi.models import OpenApiRequest
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.runtime import RuntimeOptions

from tests.referee.recording import Captured, Recorder
from tui.services.endpoints import parse_endpoint
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.rpc import Api, RpcClient

KEY_ID, SECRET, TOKEN = "FAKE_AK_ID", "FAKE_AK_SECRET", "FAKE_STS_TOKEN"
WAYS = [("", False), (TOKEN, True)]
"""Without and with a token of STS, each by one half of the official client: is it the asynchronous one?"""


def our_rpc(recorder: Recorder, api: Api, token: str = "") -> RpcClient:
    """Our client, for a service to be built on."""
    keys = FixedKey(AccessKey(KEY_ID, Secret(SECRET), Secret(token)))
    return RpcClient(api, parse_endpoint(f"http://{recorder.address}", "test"), keys)


async def official(
    recorder: Recorder, client: type[Any], method: str, request: Any, token: str, *, asynchronous: bool
) -> Captured:
    """What the vendor's client sends for a call of it; `request` is None for an operation without parameters."""
    config = Config(access_key_id=KEY_ID, access_key_secret=SECRET, endpoint=recorder.address, protocol="http")
    if token:
        config.security_token = token
    streams = method.endswith("_sse")
    arguments = [argument for argument in (request, RuntimeOptions() if streams else None) if argument is not None]
    call = getattr(client(config), f"{method}_async" if asynchronous else method)
    if streams and asynchronous:
        async for _frame in call(*arguments):
            pass
    elif asynchronous:
        await call(*arguments)
    else:
        await asyncio.to_thread(lambda: list(call(*arguments)) if streams else call(*arguments))
    return recorder.requests[-1]


def assert_all_are_compared(client: type[Any], adapters: str, methods: Iterable[str]) -> None:
    """Every operation that the `adapters` name, a pattern of files, is among the official methods, and no other."""
    source = "".join(path.read_text() for path in Path("tui/services").glob(adapters))
    names = [name for name in dir(client) if hasattr(client, f"{name}_async")]
    used = {name for name in names if f'"{"".join(part.capitalize() for part in name.split("_"))}"' in source}
    assert used == {method.removesuffix("_with_sse") for method in methods}


def assert_same(ours: Captured, theirs: Captured) -> None:
    """The same form, and the headers that must be equal; parameters are for the caller to compare."""
    assert ours is not theirs
    assert (ours.method, ours.path, ours.body) == (theirs.method, theirs.path, theirs.body) == ("POST", "/", b"")
    for header in ("host", "x-acs-action", "x-acs-version", "x-acs-content-sha256"):
        assert ours.headers[header] == theirs.headers[header]
    for header in ("x-acs-accesskey-id", "x-acs-security-token"):
        assert ours.headers.get(header) == theirs.headers.get(header)
    assert set(ours.headers) - set(theirs.headers) <= {"connection", "user-agent", "accept"}
    assert "+" not in ours.target


def assert_signed(ours: Captured) -> None:
    """The signature is the one that the official code computes, and it covers what it must."""
    signed = ours.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", *(header for header in ours.headers if header.startswith("x-acs-"))} == set(signed)
    request = OpenApiRequest(headers={header: ours.headers[header] for header in signed}, query=ours.query)
    request.method, request.pathname = ours.method, ours.path
    hashed = ours.headers["x-acs-content-sha256"]
    theirs = Utils.get_authorization(request, "ACS3-HMAC-SHA256", hashed, KEY_ID, SECRET)
    assert ours.headers["authorization"] == theirs
