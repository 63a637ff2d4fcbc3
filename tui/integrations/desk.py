"""The checklists of one user: what is ticked, what was verified, what can be made. Pure asyncio.

Secrets that are typed in live in this object for as long as the screen that asked for them; nothing of them is written
but into the `.env` file that the user asks for.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tui.integrations.guides import Check, Guide, guides
from tui.integrations.progress import Progress, read, update
from tui.models import Problem
from tui.services.endpoints import Endpoint, parse_endpoint
from tui.services.errors import ConfigurationError
from tui.services.keys import NO_SECRET, AccessKey, KeySource, Secret
from tui.words import _

if TYPE_CHECKING:  # httpx comes with some of them
    from tui.integrations.env_file import BotEnv
    from tui.services.memories import MemoryProject
    from tui.services.signin import LogonFreeUrl, SignIn


@dataclass(frozen=True, slots=True)
class Account:
    """What the services of this run are spoken with."""

    keys: KeySource
    sandbox: Endpoint | None = None
    """In place of every other host."""


@dataclass(frozen=True, slots=True)
class IntegrationHooks:
    """What the owner of `Integrations` lends."""

    account: Callable[[], Awaitable[Account]]
    """Raises ServiceError where there is none."""
    order: Callable[[], Awaitable[None]]
    """A call that changes nothing and is refused where the Professional Edition is not active."""
    environ: Mapping[str, str]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class Integrations:
    """Reading is immediate once `load` was awaited. What fails raises ServiceError, or OSError for the ticks' file."""

    def __init__(self, hooks: IntegrationHooks, path: Path | None) -> None:
        self._hooks = hooks
        self._path = path
        """None: nothing is kept."""
        self.progress = Progress()
        self.memory_key = NO_SECRET

    # --- checklists ----------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read the ticks. Raises OSError."""
        if self._path is not None:
            self.progress = await asyncio.to_thread(read, self._path)

    def done(self, guide: Guide) -> int:
        """Steps that are ticked."""
        return sum(self.progress.ticked(guide.id, step.id) for step in guide.steps)

    async def toggle(self, guide: str, step: str) -> None:
        """Tick a step, or take the tick back. Raises OSError where it could not be kept."""
        ticked = not self.progress.ticked(guide, step)
        await self._keep(lambda progress: progress.with_tick(guide, step, ticked=ticked))

    async def set_value(self, guide: str, parameter: str, value: str) -> None:
        """Keep a value that is not secret. Raises OSError where it could not be kept."""
        await self._keep(lambda progress: progress.with_value(guide, parameter, value))

    def value(self, guide: str, parameter: str) -> str:
        """A parameter's value, or its default."""
        kept = self.progress.value(guide, parameter)
        return kept or next(
            (item.default for one in guides() if one.id == guide for item in one.parameters if item.id == parameter), ""
        )

    async def _keep(self, change: Callable[[Progress], Progress]) -> None:
        self.progress = change(self.progress)
        if self._path is not None:
            self.progress = await asyncio.to_thread(update, self._path, change)

    # --- what can be verified ------------------------------------------------------------------------------

    async def verify(self, guide: str, step: str, check: Check, app_id: str = "", secret: Secret = NO_SECRET) -> str:
        """Verify a step and tick it; what was found, in words.

        Args:
            app_id, secret: of a bot, for the checks `dingtalk` and `lark`.

        Raises:
            ServiceError: it does not hold, or could not be asked.
        """
        found = await self._verify(check, app_id, secret)
        await self._keep(lambda progress: progress.with_tick(guide, step))
        return found

    async def _verify(self, check: Check, app_id: str, secret: Secret) -> str:
        if check == "identity":
            return await self._identity()
        if check == "assume":
            signin = await self._signin()
            try:
                rights = await self._assume(signin)
            finally:
                await signin.aclose()
            return _("The role can be assumed: {key}.").format(key=rights.masked)
        if check == "destination":
            from tui.services.signin import check_destination

            return _("A console page: {url}").format(url=check_destination(self._url_value("destination")))
        if check in ("dingtalk", "lark"):
            return await self._bot(check, app_id, secret)
        if check == "order":
            await self._hooks.order()
            return _("The service takes calls of the Professional Edition.")
        if check == "memory":
            project = await self.memories()
            try:
                await project.check()
            finally:
                await project.aclose()
            return _("The project answers, and takes the key.")
        raise ValueError(check)

    async def _identity(self) -> str:
        signin = await self._signin()
        try:
            identity = await signin.identity()
        finally:
            await signin.aclose()
        if identity.kind == "Account":
            raise ConfigurationError(
                Problem(
                    _("Root account"),
                    _("This profile signs as the root account, which can assume no role."),
                    _("Create a RAM user and use its AccessKey."),
                    delivered="yes",
                )
            )
        return _("Signs as {arn}.").format(arn=identity.arn)

    async def _bot(self, platform: Check, app_id: str, secret: Secret) -> str:
        from tui.services.bot_checks import NAMES, Platform, bot_endpoint, check_bot

        international = self.value("lark", "domain") == "lark"
        name: Platform = "dingtalk" if platform == "dingtalk" else "lark" if international else "feishu"
        account = await self._hooks.account()
        endpoint = account.sandbox or bot_endpoint(name, self._hooks.environ)
        bot = await check_bot(name, app_id, secret, endpoint)
        return _("{platform} takes these credentials.").format(platform=NAMES[name]) + (
            " " + _("The bot is “{name}”.").format(name=bot.name) if bot.name else ""
        )

    # --- what can be made ----------------------------------------------------------------------------------

    async def logon_free_url(self) -> LogonFreeUrl:
        """A URL with the values of the guide; made anew at each call, kept nowhere."""
        from tui.services.signin import check_destination

        destination = check_destination(self._url_value("destination"))
        page = self._url_value("login_page")
        if not page.startswith("https://"):
            raise _missing(_("LoginUrl"), _("Name your page that makes a new URL, over https."))
        signin = await self._signin()
        try:
            rights = await self._assume(signin)
            return await signin.url(rights, destination, page, self._hooks.now())
        finally:
            await signin.aclose()

    async def write_env(self, env: BotEnv, path: str) -> None:
        """Write the gateway's `.env`, a new file that only its owner can read; `~` is the home folder.

        Raises:
            FileExistsError: there is a file of this name.
            ValueError: a value cannot stand in such a file.
            OSError: it could not be written.
        """
        from tui.integrations.env_file import write_env

        await asyncio.to_thread(write_env, env, path)

    async def memories(self) -> MemoryProject:
        """The memory project at the guide's address with the key that was typed in; close it after use."""
        from tui.services.memories import MemoryProject

        account = await self._hooks.account()
        if not self.memory_key:
            raise _missing(_("API key"), _("The project's key is not typed in yet; it is kept for this run only."))
        if account.sandbox is not None:
            return MemoryProject(account.sandbox, self.memory_key)
        url = self.value("memory", "memory_url")
        if not url:
            raise _missing(_("Address"), _("Name the project's public connection string."))
        return MemoryProject(parse_endpoint(url, _("Address")), self.memory_key)

    async def _signin(self) -> SignIn:
        from tui.services.signin import SignIn, signin_endpoint, sts_endpoint

        account = await self._hooks.account()
        if account.sandbox is not None:
            return SignIn(account.sandbox, account.sandbox, account.keys)
        environ = self._hooks.environ
        return SignIn(sts_endpoint(environ), signin_endpoint(environ), account.keys)

    async def _assume(self, signin: SignIn) -> AccessKey:
        """Temporary rights of the guide's role."""
        from tui.services.signin import LONGEST, ROLE_ARN, SESSION_NAME, SHORTEST, USUAL

        role, session = self._url_value("role_arn"), self._url_value("session")
        if not re.fullmatch(ROLE_ARN, role):
            raise _missing(_("Role ARN"), _("It must be like acs:ram::1234:role/name."))
        if not re.fullmatch(SESSION_NAME, session):
            raise _missing(_("Session name"), _("2 to 64 letters, digits, and . @ _ - are allowed."))
        text = self._url_value("seconds")
        seconds = int(text) if text.isdecimal() else USUAL
        if not SHORTEST <= seconds <= LONGEST:
            raise _missing(_("Seconds"), _("{low} to {high} can be asked for.").format(low=SHORTEST, high=LONGEST))
        return await signin.assume(role, session, seconds)

    def _url_value(self, parameter: str) -> str:
        return self.value("logon_free_url", parameter)


def _missing(title: str, sentence: str) -> ConfigurationError:
    return ConfigurationError(Problem(title, sentence, delivered="no"))
