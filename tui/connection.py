"""On whose account the services are spoken with: found out once, waited for by whoever asks. Pure asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tui.context import Context
from tui.options import Options
from tui.settings import Settings

if TYPE_CHECKING:
    from tui.integrations.desk import Account
    from tui.models import ServiceName
    from tui.services.assistant_models import ProfileSource
    from tui.services.base import Capabilities, ConversationService
    from tui.services.errors import ServiceError
    from tui.services.registry import Services


class Connection:
    """The services of this run; `service` waits until it is known which ones there are."""

    def __init__(self, options: Options, environ: Mapping[str, str]) -> None:
        self._options = options
        self._environ = environ
        self._services: Services | None = None
        self._known = asyncio.Event()
        self._capabilities: dict[ServiceName, Capabilities] = {}
        self.error: ServiceError | None = None
        """Why no service can be used."""

    @property
    def known(self) -> bool:
        return self._known.is_set()

    async def open(self, settings: Settings, state: Path | None, context: Context) -> Context:
        """Find the credentials of the profile, or start the sandbox; the context with what was found.

        Raises:
            ServiceError: neither could be done; each service raises it from now on.
        """
        from tui.services.dashscope_keys import dashscope_place
        from tui.services.errors import ServiceError
        from tui.services.registry import open_services

        profile = settings.for_profile(settings.profile)
        try:
            self._services = await open_services(
                profile=settings.profile,
                sandbox=self._options.sandbox,
                faults=self._options.faults,
                sandbox_folder=state / "sandbox" if state else None,
                dashscope=dashscope_place(profile),
                environ=self._environ,
            )
        except ServiceError as error:
            self.error = error
            raise
        finally:
            self._known.set()
        return context._replace(
            sandbox=self._services.on_sandbox,
            sandbox_reason=self._services.sandbox_reason,
            environment=profile.environment,
            read_only=profile.read_only,
        )

    def use_profiles(self, profiles: ProfileSource) -> None:
        """Who keeps the profiles that conversations with DashScope name; before its first use."""
        if self._services is not None:
            self._services.use_profiles(profiles)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the credentials' files, one sentence each."""
        return self._services.warnings if self._services else ()

    async def account(self) -> str:
        """The masked id of the key that signs, "" on the sandbox. Raises ServiceError."""
        if self._services is None or self._services.on_sandbox:
            return ""
        return (await self._services.account()).masked

    async def signer(self) -> Account:
        """What signs calls to the vendor beside the assistants. Raises ServiceError."""
        from tui.integrations.desk import Account

        await self._known.wait()
        if self.error is not None:
            raise self.error
        assert self._services is not None
        services = self._services
        return Account(services.keys, services.endpoints["rds"] if services.on_sandbox else None)

    async def service(self, name: ServiceName) -> ConversationService:
        """The service, made on first use. Raises ServiceError."""
        await self._known.wait()
        if self.error is not None:
            raise self.error
        assert self._services is not None
        service = await self._services.get(name)
        self._capabilities[name] = service.capabilities
        return service

    def capabilities(self, name: ServiceName) -> Capabilities:
        """What a service can do; nothing until it was used."""
        from tui.services.base import Capabilities

        return self._capabilities.get(name, Capabilities())

    async def aclose(self) -> None:
        if self._services is not None:
            await self._services.aclose()
