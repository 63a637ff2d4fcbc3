"""The `.env` of the vendor's bot gateway. Source of the names: protocol notes (RDS Copilot) 6."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tui.services.keys import NO_SECRET, Secret

Bridge = Literal["dingtalk", "feishu"]
Policy = Literal["disabled", "allowlist", "open"]
_PREFIX: dict[Bridge, str] = {"dingtalk": "DINGTALK", "feishu": "FEISHU"}
_NAMES: dict[Bridge, tuple[str, str]] = {
    "dingtalk": ("DINGTALK_APP_CLIENT_ID", "DINGTALK_APP_CLIENT_SECRET"),
    "feishu": ("FEISHU_APP_ID", "FEISHU_APP_SECRET"),
}
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:/@,+=")


@dataclass(frozen=True, slots=True)
class BotEnv:
    """What the gateway is told; a key or secret that is not typed in stands there empty, to be filled in by hand."""

    bridge: Bridge
    app_id: str
    app_secret: Secret
    access_key_id: str = ""
    access_key_secret: Secret = NO_SECRET
    international: bool = False
    """Of Lark: the app is on the international site."""
    direct: Policy = "allowlist"
    group: Policy = "allowlist"
    people: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    more: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> Secret:
        """The whole file."""
        prefix = _PREFIX[self.bridge]
        id_name, secret_name = _NAMES[self.bridge]
        values = {
            "ACCESS_KEY_ID": self.access_key_id,
            "ACCESS_SECRET": self.access_key_secret.reveal(),
            "RDS_BOT_BRIDGES": self.bridge,
            id_name: self.app_id,
            secret_name: self.app_secret.reveal(),
            **({"FEISHU_DOMAIN": "lark"} if self.international and self.bridge == "feishu" else {}),
            f"{prefix}_DM_ALLOW_POLICY": self.direct,
            f"{prefix}_DM_ALLOW_LIST": ",".join(self.people),
            f"{prefix}_GROUP_ALLOW_POLICY": self.group,
            f"{prefix}_GROUP_ALLOW_LIST": ",".join(self.groups),
            **self.more,
        }
        return Secret("".join(f"{name}={_quoted(value)}\n" for name, value in values.items()))


def _quoted(value: str) -> str:
    """As dotenv readers and `sh` agree to read it: bare where nothing in it is special, else in single quotes.

    Raises:
        ValueError: a quote or a line break, on which they do not agree.
    """
    if "'" in value or any(not character.isprintable() for character in value):
        raise ValueError("a quote or a control character cannot stand in a .env file")
    return value if not set(value) - _PLAIN else f"'{value}'"


def write_env(env: BotEnv, path: str) -> None:
    """Write a new file, 0600; never over one that is there. `~` is the home folder.

    Raises:
        FileExistsError: there is one.
        ValueError: see `_quoted`.
        OSError: it could not be written.
    """
    from tui.cache.files import create

    # Not `Path.expanduser`, which raises where there is no such user.
    create(Path(os.path.expanduser(path)), env.text().reveal().encode())
