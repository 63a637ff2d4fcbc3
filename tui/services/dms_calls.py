"""How the Data Agent is called: signed (AK/SK), or with an API key. Source: protocol notes (DMS) 1, 2 and 4."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import httpx

from tui.models import Problem
from tui.services.endpoints import Endpoint
from tui.services.errors import ProtocolError
from tui.services.fields import Fields, as_json
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.rpc import Api, FrameStream, RpcClient, Value
from tui.services.signing import HeaderAuth
from tui.words import _

DATA_AGENT = Api(service="dms", version="2025-04-14", ram_prefix="dms", empty_frames=True)
_ON_STREAM_PLANE = frozenset({"SendChatMessage", "GetChatContent", "CreateDataAgentFeedback"})
"""With an API key; all else is on the control plane."""
_KEY_PATH = "/apikey"


class Calls(Protocol):
    """Calls of the Data Agent's operations; what they raise is of `RpcClient`."""

    @property
    def host(self) -> str:
        """For error texts."""

    @property
    def local(self) -> bool:
        """The service is on this machine: what it names may be, too."""

    async def read(self, action: str, params: Mapping[str, Value]) -> Fields:
        """The answer's outer object; repeated where that may help, so only for what changes nothing."""

    async def write(self, action: str, params: Mapping[str, Value]) -> Fields:
        """The answer of an operation that is sent once."""

    def stream(self, action: str, params: Mapping[str, Value]) -> AbstractAsyncContextManager[FrameStream]: ...

    async def aclose(self) -> None: ...


class SignedCalls:
    """With an access key: one host for everything."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    @property
    def host(self) -> str:
        return self._rpc.endpoint.host

    @property
    def local(self) -> bool:
        return self._rpc.endpoint.loopback

    async def read(self, action: str, params: Mapping[str, Value]) -> Fields:
        return unwrap(await self._rpc.read(action, params))

    async def write(self, action: str, params: Mapping[str, Value]) -> Fields:
        return unwrap(await self._rpc.write(action, params))

    def stream(self, action: str, params: Mapping[str, Value]) -> AbstractAsyncContextManager[FrameStream]:
        return self._rpc.stream(action, params)

    async def aclose(self) -> None:
        await self._rpc.aclose()


class KeyCalls:
    """With an API key: JSON bodies, and a host each for control and stream."""

    def __init__(
        self,
        control: Endpoint,
        stream: Endpoint,
        key: Secret,
        region: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._control = _KeyClient(control, key, region, transport)
        self._stream = _KeyClient(stream, key, region, transport)

    @property
    def host(self) -> str:
        return self._control.endpoint.host

    @property
    def local(self) -> bool:
        return self._control.endpoint.loopback

    def _plane(self, action: str) -> RpcClient:
        return self._stream if action in _ON_STREAM_PLANE else self._control

    async def read(self, action: str, params: Mapping[str, Value]) -> Fields:
        return unwrap(await self._plane(action).read(action, params))

    async def write(self, action: str, params: Mapping[str, Value]) -> Fields:
        return unwrap(await self._plane(action).write(action, params))

    def stream(self, action: str, params: Mapping[str, Value]) -> AbstractAsyncContextManager[FrameStream]:
        return self._plane(action).stream(action, params)

    async def aclose(self) -> None:
        await self._control.aclose()
        await self._stream.aclose()


class _KeyClient(RpcClient):
    """`RpcClient` with another way to write and to authorise a request."""

    def __init__(
        self, endpoint: Endpoint, key: Secret, region: str, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        keys = FixedKey(AccessKey("", key, source="YUNLIAO_DMS_API_KEY"))
        super().__init__(DATA_AGENT, endpoint, keys, transport=transport)
        self._auth = HeaderAuth(keys, "x-api-key", "")
        self._region = region

    def _query(self, params: Mapping[str, Value]) -> str:
        """The parameters as one JSON object, to which `_request` adds the operation."""
        filled = {name: value for name, value in params.items() if value is not None and value != ""}
        return json.dumps(filled, ensure_ascii=False)

    def _request(self, client: httpx.AsyncClient, action: str, query: str) -> httpx.Request:
        head = {"Action": action, "Version": self.api.version, "RegionId": self._region}
        body = {**head, **json.loads(query)}
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        return client.build_request(
            "POST", _KEY_PATH, content=content, headers={"content-type": "application/json; charset=utf-8"}
        )


def unwrap(table: Mapping[str, Any]) -> Fields:
    """The outer object of an answer: with an API key it may be wrapped once more in `data`."""
    outer = Fields(table)
    inner = as_json(outer.first("Data"))
    if isinstance(inner, Mapping):
        names = Fields(inner)
        if "Data" in names and ("Success" in names or "RequestId" in names or "ErrorCode" in names):
            return names
    return outer


def need(answer: Fields, name: str, value: str) -> str:
    """`value`, which the answer must have; `name` is what the service calls it.

    Raises:
        ProtocolError: it is not there, so that nothing can be built on the answer.
    """
    if value:
        return value
    raise ProtocolError(
        Problem(
            _("DMS Data Agent"),
            _("The service's answer lacks {name}.").format(name=name),
            _("Try again; name the request id when you report it."),
            request_id=answer.line("RequestId"),
            delivered="yes",
        )
    )
