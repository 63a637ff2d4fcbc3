"""Where DashScope's API key comes from, and what goes with it. Source: protocol notes (DashScope) 1.2.

The order is that of the vendor's SDK: what the profile names, `DASHSCOPE_API_KEY`, the file of
`DASHSCOPE_API_KEY_FILE_PATH`, `~/.dashscope/api_key`. The first place that is named is the one: where it cannot be
read, that is told, and no other key is taken in its stead.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tui.models import Problem
from tui.services.codes import NO_CREDENTIALS
from tui.services.errors import ConfigurationError
from tui.services.keys import AccessKey, Secret
from tui.settings import ProfileSettings
from tui.text import clean_line
from tui.words import _

_LONGEST = 4096
"""Bytes of a key file; a longer one holds something else."""
_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class DashScopePlace:
    """What a profile of the settings says of DashScope; all of it may be empty."""

    key_file: str = ""
    """A file that holds the API key and nothing else."""
    region: str = ""
    """Whose host it is, and whose keys it takes: `cn-beijing`, `ap-southeast-1` ..."""
    workspace: str = ""
    """Only for keys of a sub-workspace."""


def dashscope_place(profile: ProfileSettings) -> DashScopePlace:
    return DashScopePlace(profile.dashscope_key_file, profile.dashscope_region, profile.dashscope_workspace)


class DashScopeKeys:
    """The API key of one account, as a `KeySource`: `secret` is the key. Files are read in a thread."""

    def __init__(self, environ: Mapping[str, str] | None = None, key_file: str = "") -> None:
        self._environ = os.environ if environ is None else environ
        self._key_file = key_file
        self._held: AccessKey | None = None

    def find(self) -> AccessKey | None:
        """The key; None where no place is named and the default file is not there. Reads a file.

        Raises:
            ConfigurationError: the file that is named cannot be used.
        """
        if self._key_file:
            return self._from_file(self._key_file)
        if key := self._environ.get("DASHSCOPE_API_KEY", "").strip():
            return _api_key(key, "DASHSCOPE_API_KEY")
        if path := self._environ.get("DASHSCOPE_API_KEY_FILE_PATH", "").strip():
            return self._from_file(path)
        default = self._home() / ".dashscope" / "api_key"
        return self._from_file(str(default)) if default.exists() else None

    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the files that hold the key, one sentence each."""
        named = self._key_file or self._environ.get("DASHSCOPE_API_KEY_FILE_PATH", "").strip()
        path = self._path(named) if named else self._home() / ".dashscope" / "api_key"
        try:
            mode = path.stat().st_mode
        except OSError:
            return ()
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            return (_("{path} can be read by others on this machine: chmod 600 it.").format(path=path),)
        return ()

    async def key(self) -> AccessKey:
        """The key, read when it is first needed. Raises ConfigurationError where there is none."""
        if self._held is None:
            found = await asyncio.to_thread(self.find)
            if found is None:
                raise no_key()
            self._held = found
        return self._held

    def forget(self) -> None:
        """Read anew next time: the file may have changed since the service refused."""
        self._held = None

    def _home(self) -> Path:
        return Path(self._environ.get("HOME") or os.path.expanduser("~"))  # where there is none, it stays `~`

    def _path(self, name: str) -> Path:
        return self._home() / name[2:] if name.startswith("~/") else Path(name)

    def _from_file(self, name: str) -> AccessKey:
        path = self._path(name)
        try:
            with path.open("rb") as file:
                text = file.read(_LONGEST + 1).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise _unusable(str(path), reason) from None
        if len(text) > _LONGEST or not text or any(char.isspace() for char in text):
            raise _unusable(str(path), _("it must hold the key and nothing else"))
        return _api_key(text, str(path))


def check_workspace(workspace: str) -> str:
    """`workspace`, which goes into a header. Raises ConfigurationError where it cannot be one."""
    if not workspace or _WORKSPACE.fullmatch(workspace):
        return workspace
    raise ConfigurationError(
        Problem(
            _("Workspace"),
            _("{value} cannot be the id of a workspace.").format(value=clean_line(workspace, 60)),
            _("It is made of letters, digits, - and _; only keys of a sub-workspace need it."),
            delivered="no",
        )
    )


def no_key() -> ConfigurationError:
    return ConfigurationError(
        Problem(
            _("No API key"),
            _("No API key of DashScope was found."),
            _("Set DASHSCOPE_API_KEY, or put the key into ~/.dashscope/api_key."),
            NO_CREDENTIALS,
            delivered="no",
        )
    )


def _api_key(key: str, source: str) -> AccessKey:
    if not key.isascii() or not key.isprintable() or " " in key:
        raise _unusable(source, _("it holds characters that no key has"))
    return AccessKey(f"{key[:4]}…", Secret(key), source=source)


def _unusable(where: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        Problem(
            _("API key"),
            _("{where} gives no API key: {reason}.").format(where=clean_line(where, 120), reason=clean_line(reason)),
            _("Put the key of DashScope there, or take the name away."),
            NO_CREDENTIALS,
            delivered="no",
        )
    )
