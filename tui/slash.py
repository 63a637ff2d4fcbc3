"""Commands that are typed: `/model`, `/agent ls`. What is none of them is a question and goes out unchanged.

A command matches as a whole: `/stop the replication` is a question. `$` is as good as `/` (protocol notes 9); a
leading space makes a question of anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tui.models import ServiceName
from tui.words import _

Values = Literal["", "agents", "languages", "zones", "skills", "models", "thinking", "regions", "modes", "sessions"]

_TYPED = re.compile(r"[/$]([a-z_]+)(?:[ \t]+(\S.*?))?[ \t]*$")
_RDS: frozenset[ServiceName] = frozenset({"rds"})
_ALL: frozenset[ServiceName] = frozenset({"rds", "dms", "dashscope"})


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `what` is a key of the catalogue."""

    name: str
    what: str
    values: Values = ""
    """What its argument is chosen from; without any it takes none."""
    services: frozenset[ServiceName] = _ALL


@dataclass(frozen=True, slots=True)
class Typed:
    """A command as it was typed, with its argument."""

    name: str
    argument: str = ""


def commands() -> tuple[Command, ...]:
    """All commands, in the order in which they are listed."""
    return (
        Command("new", _("begin a new conversation")),
        Command("model", _("which model answers"), "models", _RDS),
        Command("think", _("thinking on, off, or how deep"), "thinking", _RDS),
        Command("skills", _("what the assistant has learnt; a skill is called by its name"), "skills", _RDS),
        Command("agent", _("bind a custom agent to this conversation"), "agents", _RDS),
        Command("language", _("the language of answers"), "languages", _RDS),
        Command("tz", _("the time zone that is meant"), "zones", _RDS),
        Command("region", _("the region that is asked about"), "regions", _RDS),
        Command("approval", _("what writing tools may do"), "modes", _RDS),
        Command("health", _("health reports of instances"), "", _RDS),
        Command("session", _("the ids of this conversation; or another one, by its id"), "sessions"),
        Command("btw", _("to the end of what has been answered so far")),
        Command("stop", _("stop the running answer")),
        Command("retry", _("put the last question into the composer again")),
        Command("fork", _("edit the last question in a new conversation")),
        Command("quote", _("quote the last answer")),
        Command("myid", _("whose account and profile speaks here")),
        Command("settings", _("how this conversation is answered")),
        Command("help", _("every key and command")),
    )


def offered(service: ServiceName) -> tuple[Command, ...]:
    """The commands that make sense with a service."""
    return tuple(command for command in commands() if service in command.services)


def parse(text: str, service: ServiceName) -> Typed | None:
    """The command that `text` is, as a whole; None for everything else."""
    match = _TYPED.match(text)
    if match is None or "\n" in text:
        return None
    name, argument = match.group(1), match.group(2) or ""
    command = next((command for command in offered(service) if command.name == name), None)
    if command is None or (argument and not command.values):
        return None
    return Typed(name, argument)


def beginning(text: str) -> tuple[str, str | None] | None:
    """What is being typed of a command: its name as far as it stands, and its argument once a space follows.

    None where it is no command that is typed.
    """
    if text[:1] not in ("/", "$") or "\n" in text:
        return None
    name, space, argument = text[1:].partition(" ")
    return name, argument if space else None


def nearest(wanted: str, names: Iterable[str]) -> list[str]:
    """A few of `names` that `wanted` may have meant."""
    from difflib import get_close_matches

    known = {name.lower(): name for name in names}
    close = get_close_matches(wanted.lower(), known, 3, 0.5)
    inside = [name for name in known if wanted.lower() in name and name not in close]
    return [known[name] for name in (*close, *inside)][:3]
