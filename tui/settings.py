"""The settings: defaults < settings file < environment < flags, checked by name with the nearest valid key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from tui.options import Options
from tui.words import _

Bandwidth = Literal["auto", "full", "low"]
Origin = Literal["default", "file", "environment", "flag"]
"""Where the value of a setting comes from; each wins over the ones before it."""


T = TypeVar("T")
COMMAND_SECONDS = 20.0


class SettingsError(Exception):
    """The settings file cannot be used; the message names file, key and what is allowed."""


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """What goes with one credentials profile."""

    environment: str = ""
    """Shown in words on a coloured ground at the right end of the context bar: `prod`, `staging` ..."""
    region: str = ""
    read_only: bool = False
    """Nothing may be sent that changes something; questions may."""
    label: str = ""
    dashscope_key_file: str = ""
    """A file that holds the API key of DashScope; empty for its usual places."""
    dashscope_region: str = ""
    """Whose host and keys it uses: `cn-beijing`, `ap-southeast-1` ..."""
    dashscope_workspace: str = ""
    """Only for API keys of a sub-workspace."""


class ToolCommand(NamedTuple):
    """A command that answers a function of an assistant; see `tui.tool_commands`."""

    argv: tuple[str, ...]
    """The command and its arguments, run without a shell."""
    timeout: float = COMMAND_SECONDS
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings with their defaults; the string under a field is its help text."""

    language: str = ""
    """Language of the program: `en`, `zh`, or empty for the environment's."""
    theme: str = "auto"
    """`auto`: the terminal's own 16 colours over SSH, else `dark`; or the name of a palette."""
    bandwidth: Bandwidth = "auto"
    """`auto` measures the round trip; `low` draws less and hides the list."""
    mouse: Literal["auto", "on", "off"] = "auto"
    """`auto`: off over SSH, so that the terminal's own selection works."""
    ascii: bool = False
    """No marks outside ASCII."""
    send: Literal["enter", "ctrl+j"] = "enter"
    """The key that sends; the other one makes a newline."""
    profile: str = ""
    """The credentials profile; empty for the default chain."""
    service: Literal["rds", "dms", "dashscope"] = "rds"
    """The service of a new conversation."""
    region: str = "cn-hangzhou"
    """The region that questions are about (`Inputs.RegionId`)."""
    answer_language: str = ""
    """`zh-CN`, `zh-TW`, `en-US`, `ja-JP`, or empty for the program's language."""
    timezone: str = ""
    """IANA name for times in answers; empty for the machine's."""
    resume: bool = True
    """Answers that were running when the program ended are fetched at the next start."""
    notify: Literal["bell", "off"] = "bell"
    """Ring when an answer ends in a conversation that is not on screen."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Binding id -> keys, comma separated; `none` disables."""
    profiles: Mapping[str, ProfileSettings] = field(default_factory=dict)
    """`[profiles.NAME]` for each credentials profile: `environment`, `region`, `read_only`, `label`, `dashscope_*`."""
    tool_commands: Mapping[str, ToolCommand] = field(default_factory=dict)
    """`[tool_commands.FUNCTION]` for each function that a command answers: `argv` (a list, no shell), `timeout`."""

    def for_profile(self, name: str) -> ProfileSettings:
        """The settings of profile `name`; the defaults where the file has none."""
        return self.profiles.get(name or "default", ProfileSettings())


_ENVIRONMENT = {
    name: f"YUNLIAO_{name.upper()}" for name in ("language", "theme", "bandwidth", "mouse", "profile", "region")
}


def load_settings(path: Path, options: Options = Options()) -> Settings:  # noqa: B008  # frozen
    """Read and check `path` (a missing file is all defaults), then layer environment and flags on it.

    Raises:
        SettingsError: the file cannot be read or holds a key or value that is not known.
    """
    table = _read(path)
    for name, variable in _ENVIRONMENT.items():
        if value := os.environ.get(variable):
            _check(Settings, {name: value}, variable, "")
            table[name] = value
    profiles = table.pop("profiles", {})
    if not isinstance(profiles, dict):
        raise SettingsError(_("{path}: profiles must be tables like [profiles.ops].").format(path=path))
    commands = _tool_commands(table.pop("tool_commands", {}), path)
    settings = _check(Settings, table, path, "")
    settings = replace(
        settings,
        profiles={name: _check(ProfileSettings, entry, path, f"profiles.{name}.") for name, entry in profiles.items()},
        tool_commands=commands,
    )
    return replace(settings, **_flags(options))


def _read(path: Path) -> dict[str, Any]:
    """The table in `path`, empty when there is no such file. Raises SettingsError."""
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(_("{path} cannot be read: {error}.").format(path=path, error=error.strerror)) from error
    import tomli

    try:
        return tomli.loads(source.decode())
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(_("{path} is not valid TOML: {error}.").format(path=path, error=error)) from error


def _tool_commands(table: Any, path: Path) -> dict[str, ToolCommand]:
    """The bound commands, checked by hand: a list of texts and a number are what no other setting has."""
    found = {}
    for name, entry in table.items() if isinstance(table, dict) else [("tool_commands", table)]:
        values: dict[str, Any] = entry if isinstance(entry, dict) else {}
        argv, timeout = values.get("argv"), values.get("timeout", COMMAND_SECONDS)
        if (
            not isinstance(argv, list)
            or not all(isinstance(part, str) and "\0" not in part for part in argv)
            or not "".join(argv[:1])
            or values.keys() - {"argv", "timeout"}
        ):
            raise SettingsError(
                _('{path}: tool_commands.{name} must be a table with argv = ["command", "argument"].').format(
                    path=path, name=name
                )
            )
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout <= 600:
            raise SettingsError(
                _("{path}: tool_commands.{name}.timeout is in seconds, up to 600.").format(path=path, name=name)
            )
        found[name] = ToolCommand(tuple(argv), float(timeout))
    return found


def _flags(options: Options) -> dict[str, Any]:
    """What the command line sets."""
    flags: dict[str, Any] = {"profile": options.profile, "language": options.language, "service": options.service}
    flags["bandwidth"] = "low" if options.low else ""
    return {name: value for name, value in flags.items() if value}


def setting_origins(path: Path, options: Options = Options()) -> dict[str, Origin]:  # noqa: B008  # frozen
    """Where each setting's value comes from, in the order of the fields. Reads `path`: where that was broken since the
    start, for none."""
    table: dict[str, Any] = {}
    with suppress(SettingsError):
        table = _read(path)
    flags = _flags(options)
    return {
        entry.name: (
            "flag"
            if entry.name in flags
            else "environment"
            if os.environ.get(_ENVIRONMENT.get(entry.name, ""))
            else "file"
            if entry.name in table
            else "default"
        )
        for entry in fields(Settings)
    }


def setting_help() -> dict[str, str]:
    """The help text of each setting: the string under its field, in English (a key of the catalogue)."""
    import ast
    import inspect

    body = next(node for node in ast.parse(inspect.getsource(Settings)).body if isinstance(node, ast.ClassDef)).body
    return {
        field_node.target.id: text.value.value
        for field_node, text in pairwise(body)
        if isinstance(field_node, ast.AnnAssign)
        and isinstance(field_node.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def store_settings(path: Path, changes: Mapping[str, object]) -> None:
    """Set `changes` (setting -> value) in the file, keeping its other lines, comments and order.

    A value that is the default is taken out of the file. The file is replaced as a whole (0600, fsynced), so that a
    crash leaves the old or the new one; where it is a link, the file that it leads to is. Blocking: call it in a
    thread.

    Raises:
        SettingsError: a name or value is not allowed, or the file as it is cannot be read; nothing is written.
        OSError: it cannot be written.
    """
    import tomlkit

    _read(path)
    _check(
        Settings,
        {name: value for name, value in changes.items() if name not in ("profiles", "tool_commands")},
        path,
        "",
    )
    document = tomlkit.parse(path.read_text("utf-8") if path.exists() else "")
    defaults = Settings()
    for name, value in changes.items():
        if value == getattr(defaults, name):
            document.pop(name, None)
        else:
            document[name] = value
    path = path.resolve()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(tomlkit.dumps(document))
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _check(shape: type[T], table: Mapping[str, Any], path: Path | str, prefix: str) -> T:
    """Make a `shape` of `table`, or say which key or value of `path`, a file or a variable, is wrong."""
    if not isinstance(table, Mapping):
        raise SettingsError(_("{path}: {key} must be a table.").format(path=path, key=prefix.rstrip(".")))
    hints = get_type_hints(shape)
    known = set(hints) - {"profiles", "tool_commands"}
    for key, value in table.items():
        if key not in known:
            near = get_close_matches(key, known, 1)
            advice = _("did you mean {name}?").format(name=near[0]) if near else _("no setting has this name")
            raise SettingsError(f"{path}: {prefix}{key}: {advice}")
        hint = hints[key]
        if get_origin(hint) is Literal and value not in get_args(hint):
            allowed = ", ".join(str(choice) or '""' for choice in get_args(hint))
            raise SettingsError(
                _("{path}: {key} is {value}; allowed: {allowed}").format(
                    path=path, key=prefix + key, value=value, allowed=allowed
                )
            )
        if hint in (str, bool) and not isinstance(value, hint):
            wanted = _("text in quotes") if hint is str else "true / false"
            raise SettingsError(_("{path}: {key} must be {wanted}").format(path=path, key=prefix + key, wanted=wanted))
        if get_origin(hint) is Mapping and not (
            isinstance(value, dict) and all(isinstance(entry, str) for entry in value.values())
        ):
            raise SettingsError(_("{path}: {key} must be a table of texts").format(path=path, key=prefix + key))
    return shape(**table)
