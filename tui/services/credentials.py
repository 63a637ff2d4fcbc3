"""Where the access key comes from: the vendor's default chain and the profiles of its CLI, without its traps.

The order is that of `alibabacloud-credentials`: environment, OIDC, CLI profile (`~/.aliyun/config.json`), ini file,
URI. Three things differ. The package's last step asks a metadata address on the network, for seconds where there is
none: here an ECS role is used only where a profile names one. The first place that is filled in is the one: where
it fails, that is told, and no other account is taken in its stead. And plain keys (environment, profiles of the modes
AK and StsToken) are read without importing the package, which costs half a second; everything that has to be
fetched or refreshed is left to it, in a thread.
"""

from __future__ import annotations

import asyncio
import configparser
import json
import logging
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tui.models import Problem
from tui.services.codes import NO_CREDENTIALS
from tui.services.errors import ConfigurationError
from tui.services.keys import AccessKey, Secret
from tui.text import clean_line
from tui.words import _

REFRESH_BEFORE = 15 * 60.0
"""Seconds before its end from which a token is renewed; the package's own figure."""
USABLE_FOR = 60.0
"""A token that ends sooner is not used, even where it cannot be renewed."""
RENEW_UNDATED = timedelta(minutes=10)
"""A fetched key that does not say when it ends is fetched anew after so long."""


@dataclass(frozen=True, slots=True)
class Source:
    """A place that has (or can fetch) a key. Exactly one of `fixed` and `provider` is filled."""

    name: str
    """`env`, `oidc`, `cli_profile/NAME`, `ini/NAME` or `uri`."""
    fixed: AccessKey | None = None
    provider: Callable[[], Any] | None = None
    """Makes the package's provider; imports it, so only in a thread."""
    region: str = ""
    """The profile's region; empty where it names none."""


class CredentialChain:
    """The key of one profile, or of the default chain where `profile` is empty. A `KeySource`."""

    def __init__(
        self,
        profile: str = "",
        *,
        environ: Mapping[str, str] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.profile = profile
        self._environ = os.environ if environ is None else environ
        home = Path(self._environ.get("HOME") or os.path.expanduser("~"))  # where there is none, it stays `~`
        self._cli_file = home / ".aliyun" / "config.json"
        self._ini_file = Path(
            self._environ.get("ALIBABA_CLOUD_CREDENTIALS_FILE") or home / ".alibabacloud" / "credentials.ini"
        )
        self._now = now
        self._lock = asyncio.Lock()
        self._source: Source | None = None
        self._provider: Any = None
        self._held: AccessKey | None = None
        self._fetched_at = now()

    # --- what there is; files are read, nothing else --------------------------------------------------------

    def find(self) -> Source | None:
        """The first place that has a key; None where there is none. Touches no network.

        Raises:
            ConfigurationError: the profile that was asked for is not there or not complete.
        """
        if self.profile:
            found = self._from_cli(self.profile) or self._from_ini(self.profile)
            if found is None:
                raise _missing(self.profile, self.profiles())
            return found
        named = self._environ.get("ALIBABA_CLOUD_PROFILE", "")
        return (
            self._from_environment()
            or self._from_oidc()
            or self._from_cli(named)
            or self._from_ini(named or "default")
            or self._from_uri()
        )

    def profiles(self) -> tuple[str, ...]:
        """The names that `profile` may have."""
        names = [str(entry.get("name")) for entry in self._cli_config().get("profiles", []) if isinstance(entry, dict)]
        return tuple(dict.fromkeys([*names, *self._ini().sections()]))

    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the files that hold keys, one sentence each."""
        found = []
        for path in (self._cli_file, self._ini_file):
            try:
                mode = path.stat().st_mode
            except OSError:
                continue
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                found.append(_("{path} can be read by others on this machine: chmod 600 it.").format(path=path))
        return tuple(found)

    def _from_environment(self) -> Source | None:
        get = self._environ.get
        key_id, secret = get("ALIBABA_CLOUD_ACCESS_KEY_ID", ""), get("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "")
        if not key_id or not secret:
            return None
        return Source(
            "env", _fixed(key_id, secret, get("ALIBABA_CLOUD_SECURITY_TOKEN", ""), "env"), region=self._region()
        )

    def _from_oidc(self) -> Source | None:
        get = self._environ.get
        role, idp, token = (
            get("ALIBABA_CLOUD_ROLE_ARN"),
            get("ALIBABA_CLOUD_OIDC_PROVIDER_ARN"),
            get("ALIBABA_CLOUD_OIDC_TOKEN_FILE"),
        )
        if not (role and idp and token):
            return None

        def make() -> Any:
            from alibabacloud_credentials.provider import OIDCRoleArnCredentialsProvider

            return OIDCRoleArnCredentialsProvider(
                role_arn=role,
                oidc_provider_arn=idp,
                oidc_token_file_path=token,
                role_session_name=get("ALIBABA_CLOUD_ROLE_SESSION_NAME"),
            )

        return Source("oidc", provider=make, region=self._region())

    def _from_cli(self, name: str) -> Source | None:
        """The CLI's profile `name`, or the one it calls current; None where it is missing or holds no key."""
        if not self.profile and self._environ.get("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "").lower() == "true":
            return None
        config = self._cli_config()
        name = name or str(config.get("current") or "")
        entry = next(
            (
                item
                for item in config.get("profiles", [])
                if isinstance(item, dict) and name and item.get("name") == name
            ),
            None,
        )
        if entry is None:
            return None
        source, region = f"cli_profile/{name}", str(entry.get("region_id") or "") or self._region()
        mode = entry.get("mode")
        if mode in ("AK", "StsToken"):
            key_id, secret = str(entry.get("access_key_id") or ""), str(entry.get("access_key_secret") or "")
            token = str(entry.get("sts_token") or "") if mode == "StsToken" else ""
            if not key_id or not secret or (mode == "StsToken" and not token):
                return None  # what `aliyun configure` leaves behind when it is broken off
            return Source(source, _fixed(key_id, secret, token, source), region=region)

        def make() -> Any:
            from alibabacloud_credentials.provider import CLIProfileCredentialsProvider

            # The public get_credentials() leaves out when the token ends; what it wraps does not.
            outer = CLIProfileCredentialsProvider(profile_name=name, profile_file=str(self._cli_file))
            return outer._get_credentials_provider(config, name)

        return Source(source, provider=make, region=region)

    def _from_ini(self, name: str) -> Source | None:
        sections = self._ini()
        if not sections.has_section(name):
            return None
        section = {key: value.split("#")[0].strip() for key, value in sections.items(name, raw=True)}
        source = f"ini/{name}"
        if section.get("type") == "access_key":
            key_id, secret = section.get("access_key_id", ""), section.get("access_key_secret", "")
            return (
                Source(source, _fixed(key_id, secret, "", source), region=self._region()) if key_id and secret else None
            )

        def make() -> Any:
            from alibabacloud_credentials.provider import ProfileCredentialsProvider

            outer = ProfileCredentialsProvider(profile_file=str(self._ini_file), profile_name=name)
            return outer._get_credentials_provider(section)

        return Source(source, provider=make, region=self._region())

    def _from_uri(self) -> Source | None:
        uri = self._environ.get("ALIBABA_CLOUD_CREDENTIALS_URI", "")
        if not uri:
            return None

        def make() -> Any:
            from alibabacloud_credentials.provider import URLCredentialsProvider

            return URLCredentialsProvider(uri=uri)

        return Source("uri", provider=make, region=self._region())

    def _region(self) -> str:
        return self._environ.get("ALIBABA_CLOUD_REGION_ID", "").strip()

    def _cli_config(self) -> dict[str, Any]:
        try:
            config = json.loads(self._cli_file.read_bytes())
        except (OSError, ValueError):
            return {}
        return config if isinstance(config, dict) and isinstance(config.get("profiles"), list) else {}

    def _ini(self) -> configparser.ConfigParser:
        parser = configparser.ConfigParser()
        try:
            parser.read(self._ini_file, encoding="utf-8")
        except (OSError, configparser.Error, UnicodeDecodeError):
            return configparser.ConfigParser()
        return parser

    # --- the key ---------------------------------------------------------------------------------------------

    async def key(self) -> AccessKey:
        """The key, fetched or renewed where it must be.

        Raises:
            ConfigurationError: there is none, or it cannot be fetched.
        """
        async with self._lock:
            held = self._held
            if held is not None and self._is_fresh(held):
                return held
            try:
                self._held = key = await asyncio.to_thread(self._read)
            except ConfigurationError:
                remaining = held.remaining(self._now()) if held is not None else None
                if held is None or remaining is None or remaining < USABLE_FOR:
                    raise
                return held
            self._fetched_at = self._now()
            return key

    def forget(self) -> None:
        """Read everything anew next time: the files may have changed since the service refused."""
        self._source = self._provider = self._held = None

    def _is_fresh(self, key: AccessKey) -> bool:
        if self._source is not None and self._source.fixed is not None:
            return True
        remaining = key.remaining(self._now())
        if remaining is None:
            return self._now() - self._fetched_at < RENEW_UNDATED
        return remaining > REFRESH_BEFORE

    def _read(self) -> AccessKey:
        # `forget` may come in between, on the event loop's thread.
        source, provider = self._source or self.find(), self._provider
        if source is None:
            raise _missing("", self.profiles())
        self._source = source
        if source.fixed is not None:
            return source.fixed
        assert source.provider is not None
        try:
            if provider is None:
                self._provider = provider = source.provider()
                _quiet_package()
            found = provider.get_credentials()
            ends = getattr(found, "get_expiration", lambda: None)()
            return AccessKey(
                id=found.get_access_key_id(),
                secret=Secret(found.get_access_key_secret()),
                token=Secret(found.get_security_token() or ""),
                expires_at=datetime.fromtimestamp(ends, UTC) if ends and ends > 0 else None,
                source=source.name,
            )
        except Exception as error:  # noqa: BLE001  # the package passes on whatever its HTTP library raises
            raise _not_fetched(source.name, error) from None


def _fixed(key_id: str, secret: str, token: str, source: str) -> AccessKey:
    return AccessKey(key_id.strip(), Secret(secret.strip()), Secret(token.strip()), source=source)


def _quiet_package() -> None:
    """Take away the handlers with which the package writes to stderr, that is: over the screen."""
    for name in ("credentials", "alibabacloud-tea"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.addHandler(logging.NullHandler())
        logger.propagate = False


def _missing(profile: str, known: tuple[str, ...]) -> ConfigurationError:
    if profile:
        sentence = _("There is no usable credentials profile called {name}.").format(name=clean_line(profile, 60))
        names = _(", ").join(clean_line(name, 40) for name in known[:20])
        remedy = _("Known: {names}").format(names=names) if names else _("Make one with `aliyun configure`.")
    else:
        sentence = _("No Alibaba Cloud credentials were found.")
        remedy = _(
            "Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or run `aliyun configure`; "
            "`--sandbox` needs none."
        )
    return ConfigurationError(Problem(_("No credentials"), sentence, remedy, NO_CREDENTIALS, delivered="no"))


def _not_fetched(source: str, error: Exception) -> ConfigurationError:
    # What follows "result:" is the body of an answer, which may hold half a key.
    reason = str(error).partition("result:")[0].rstrip(" ,")
    return ConfigurationError(
        Problem(
            _("Credentials not fetched"),
            _("{source} gave no key: {reason}").format(
                source=clean_line(source, 60), reason=clean_line(reason, 200) or type(error).__name__
            ),
            _("Check the role and the network, or take another profile with `--profile NAME`."),
            NO_CREDENTIALS,
            delivered="no",
        )
    )
