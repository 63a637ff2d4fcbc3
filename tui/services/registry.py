"""The services of one run: made on first use, on the user's account or on the sandbox."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui.models import Problem, ServiceName
from tui.services.base import ConversationService
from tui.services.codes import service_title
from tui.services.dashscope_keys import DashScopeKeys, DashScopePlace, check_workspace, no_key
from tui.services.endpoints import (
    DMS_REGION,
    Endpoint,
    dashscope_endpoint,
    dms_endpoint,
    dms_key_endpoints,
    parse_endpoint,
    rds_endpoint,
)
from tui.services.errors import ConfigurationError
from tui.services.keys import AccessKey, FixedKey, KeySource, Secret
from tui.words import _

if TYPE_CHECKING:
    from tui.sandbox.server import SandboxServer
    from tui.services.assistant_models import AssistantProfile, ProfileSource
    from tui.services.dashscope_recovery import LookTiming


class Services:
    """Hands out the services by name, each made once. `aclose` ends them all, and the sandbox with them."""

    def __init__(
        self,
        keys: KeySource,
        endpoints: Mapping[ServiceName, Endpoint],
        *,
        sandbox: SandboxServer | None = None,
        sandbox_reason: str = "",
        warnings: Sequence[str] = (),
        dms_key: DmsKey | None = None,
        dashscope_key: DashScopeKey | None = None,
    ) -> None:
        self.keys = keys
        self.endpoints = endpoints
        self.sandbox_reason = sandbox_reason
        """Why the sandbox is used, one sentence; empty on a real account."""
        self.warnings = tuple(warnings)
        """What is wrong with the credentials' files, one sentence each."""
        self._sandbox = sandbox
        self._makers: dict[ServiceName, Callable[[Endpoint, KeySource], ConversationService]] = {
            "rds": _make_rds,
            "dms": dms_key.make if dms_key else _make_dms,
        }
        self._dashscope_key = dashscope_key
        if dashscope_key is not None:
            self._makers["dashscope"] = dashscope_key.make
        self._made: dict[ServiceName, ConversationService] = {}
        self._lock = asyncio.Lock()

    @property
    def names(self) -> tuple[ServiceName, ...]:
        """The services that can be had."""
        return tuple(self.endpoints)

    @property
    def on_sandbox(self) -> bool:
        return self._sandbox is not None

    async def get(self, name: ServiceName) -> ConversationService:
        """The service; httpx and what it needs are imported here.

        Raises:
            ConfigurationError: this version does not have it.
        """
        async with self._lock:
            if name not in self._made:
                make = self._makers.get(name)
                if make is None or name not in self.endpoints:
                    raise ConfigurationError(_not_to_be_had(name))
                self._made[name] = await asyncio.to_thread(make, self.endpoints[name], self.keys)
            return self._made[name]

    def use_profiles(self, profiles: ProfileSource) -> None:
        """Where DashScope finds the local profiles that conversations name."""
        if self._dashscope_key is not None:
            self._dashscope_key.profiles = profiles

    async def account(self) -> AccessKey:
        """The key that signs, for its `masked` id, its source and how long it lives. May fetch it.

        Raises:
            ConfigurationError: there is none.
        """
        return await self.keys.key()

    async def aclose(self) -> None:
        """End them all, whatever one of them raises."""
        async with AsyncExitStack() as stack:
            if self._sandbox is not None:
                stack.push_async_callback(asyncio.to_thread, self._sandbox.stop)
            for service in self._made.values():
                stack.push_async_callback(service.aclose)
            self._made.clear()


def _not_to_be_had(name: ServiceName) -> Problem:
    """Why there is no such service: its key is not there, while that of another one is."""
    if name == "dashscope":
        return no_key().problem
    return Problem(
        _("No access key"),
        _("Only an API key of another service was found; {name} needs an access key.").format(name=service_title(name)),
        _("Set up a profile with `aliyun configure`, or ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET."),
        delivered="no",
    )


def _make_rds(endpoint: Endpoint, keys: KeySource) -> ConversationService:
    from tui.services.rds import RDS_AI, RdsCopilot
    from tui.services.rpc import RpcClient

    return RdsCopilot(RpcClient(RDS_AI, endpoint, keys))


def _make_dms(endpoint: Endpoint, keys: KeySource) -> ConversationService:
    from tui.services.dms import DmsDataAgent, Place
    from tui.services.dms_calls import DATA_AGENT, SignedCalls
    from tui.services.rpc import RpcClient

    return DmsDataAgent(SignedCalls(RpcClient(DATA_AGENT, endpoint, keys)), Place(endpoint.region or DMS_REGION))


@dataclass(frozen=True, slots=True)
class DmsKey:
    """An API key of the Data Agent, from `YUNLIAO_DMS_API_KEY`; it goes before the access key."""

    key: Secret
    stream: Endpoint
    """The host of messages and streams; that of everything else is the service's endpoint."""

    def make(self, endpoint: Endpoint, _keys: KeySource) -> ConversationService:
        from tui.services.dms import DmsDataAgent, Place
        from tui.services.dms_calls import KeyCalls

        region = endpoint.region or DMS_REGION
        return DmsDataAgent(KeyCalls(endpoint, self.stream, self.key, region), Place(region))


@dataclass(slots=True)
class DashScopeKey:
    """The API key of DashScope, which the access key cannot stand in for."""

    keys: KeySource
    workspace: str = ""
    profiles: ProfileSource | None = None
    timing: LookTiming | None = None

    def make(self, endpoint: Endpoint, _keys: KeySource) -> ConversationService:
        from tui.services.dashscope import DashScope
        from tui.services.rest import RestClient

        rest = RestClient(endpoint, self.keys, workspace=self.workspace)
        return DashScope(rest, profiles=self._profile, timing=self.timing)

    async def _profile(self, profile_id: str) -> AssistantProfile | None:
        return await self.profiles.profile(profile_id) if self.profiles is not None else None


async def open_services(
    *,
    profile: str = "",
    dashscope: DashScopePlace = DashScopePlace(),  # noqa: B008  # frozen
    sandbox: bool = False,
    faults: Sequence[str] = (),
    sandbox_folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Services:
    """The services on the account of `profile` or of the default chain; on the embedded sandbox where there is none.

    Reads files and environment in a thread and touches no network. A profile that is named must be there: the
    sandbox never stands in for it.

    Args:
        dashscope: what the profile says of DashScope.
        sandbox: use the sandbox even where credentials are found.
        faults: switches of the sandbox.
        sandbox_folder: where the sandbox keeps its conversations; None for in memory.

    Raises:
        ConfigurationError: the profile or the endpoint setting is not usable, or the sandbox knows no such switch.
    """
    environment = os.environ if environ is None else environ
    if sandbox or faults:
        return await asyncio.to_thread(_on_sandbox, _("asked for"), faults, sandbox_folder)

    from tui.services.credentials import CredentialChain

    chain = CredentialChain(profile, environ=environment)
    source = await asyncio.to_thread(chain.find)
    endpoints: dict[ServiceName, Endpoint] = {}
    warnings: tuple[str, ...] = ()
    keys: KeySource = chain
    region = source.region if source else environment.get("ALIBABA_CLOUD_REGION_ID", "")
    if source is not None:
        warnings = await asyncio.to_thread(chain.warnings)
        endpoints |= {"rds": rds_endpoint(region, environment), "dms": dms_endpoint(region, environment)}
    dms_key = dashscope_key = None
    if api_key := Secret(environment.get("YUNLIAO_DMS_API_KEY", "").strip()):
        endpoints["dms"], stream = dms_key_endpoints(region, environment)
        dms_key = DmsKey(api_key, stream)
        keys = (
            keys if source else FixedKey(AccessKey(f"{api_key.reveal()[:4]}…", api_key, source="YUNLIAO_DMS_API_KEY"))
        )
    agent_keys = DashScopeKeys(environment, dashscope.key_file)
    if await asyncio.to_thread(_is_meant, agent_keys):
        endpoints["dashscope"] = dashscope_endpoint(dashscope.region, environment)
        dashscope_key = DashScopeKey(agent_keys, check_workspace(dashscope.workspace))
        warnings = (*warnings, *await asyncio.to_thread(agent_keys.warnings))
        keys = keys if source or dms_key else agent_keys
    if not endpoints:
        return await asyncio.to_thread(_on_sandbox, _("no credentials were found"), faults, sandbox_folder)
    return Services(keys, endpoints, warnings=warnings, dms_key=dms_key, dashscope_key=dashscope_key)


def _is_meant(keys: DashScopeKeys) -> bool:
    """True where a key is there, or named but not usable: that is told when it is needed, and stops nothing else."""
    try:
        return keys.find() is not None
    except ConfigurationError:
        return True


def _on_sandbox(reason: str, faults: Sequence[str], folder: Path | None) -> Services:
    from tui.sandbox.server import SandboxServer

    try:
        server = SandboxServer(faults=faults, folder=folder)
        info = server.start()
    except (ValueError, OSError) as error:
        raise ConfigurationError(
            Problem(_("Sandbox"), _("It does not start: {reason}.").format(reason=error), delivered="no")
        ) from error
    key = AccessKey(info.access_key_id, Secret(info.access_key_secret), source="sandbox")
    endpoint = parse_endpoint(info.url, "sandbox")
    agent_key = FixedKey(AccessKey("", Secret(info.dashscope["api_key"]), source="sandbox"))
    return Services(
        FixedKey(key),
        {"rds": endpoint, "dms": endpoint, "dashscope": endpoint},
        sandbox=server,
        sandbox_reason=reason,
        dashscope_key=DashScopeKey(agent_key),
    )
