"""What the service asks during `yunliao ask`: shown on stderr, answered by a typed line or by what was agreed to."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable

from tui.models import AskBlock, PlanStep
from tui.services.base import AskReply, ReplyAction
from tui.text import clean
from tui.widgets.ask_words import facts_of, offers_of, seems_to_read, title_of
from tui.words import _

_WORDS: dict[str, ReplyAction] = {
    "y": "approve",
    "yes": "approve",
    "a": "approve_all",
    "all": "approve_all",
    "r": "refuse",
    "no": "refuse",
}


_HERE = frozenset({"plan", "sql", "question", "report", "datasource"})
"""Kinds of asks that a typed line answers; the others are answered in the app or in a console."""


def answerable(ask: AskBlock) -> bool:
    return ask.kind in _HERE


def describe(ask: AskBlock, steps: tuple[PlanStep, ...]) -> list[str]:
    """What is asked and how it is answered, line by line."""
    lines = [title_of(ask)]
    if ask.details:
        lines.append(_("estimate: {text}").format(text=ask.details))
    if ask.kind == "sql":
        lines += ask.text.split("\n")
    lines += facts_of(ask, steps, ("[ ]", "[x]"))
    offers = [
        f"{offer.key} {offer.what}" for offer in offers_of(ask) if offer.choice not in ("change", "files", "database")
    ]
    lines.append("   ".join([*offers, _("or answer in words")]))
    return lines


def reply_of(ask: AskBlock, typed: str) -> AskReply | None:
    """What a typed line answers to an ask that is answered here; None where it says nothing."""
    text = clean(typed).strip()
    offers = offers_of(ask)
    if not text:
        return None
    action = _WORDS.get(text.lower())
    if action is not None and any(offer.choice == action for offer in offers):
        return AskReply(action)
    if text.isascii() and text.isdigit() and 1 <= int(text) <= len(ask.options):
        return AskReply("reply", ask.options[int(text) - 1])
    return AskReply("reply" if ask.kind in ("question", "datasource") else "change", text)


def agreed(ask: AskBlock) -> AskReply | None:
    """The answer where the user agreed before (`--yes`): to a plan, and to a statement that only reads."""
    if ask.kind == "plan" or (ask.kind == "sql" and seems_to_read(ask.text)):
        return AskReply("approve")
    return None


def forbidden(ask: AskBlock, reply: AskReply, *, read_only: bool, production: bool) -> str:
    """Why this may not be answered here, "" where it may: as in the app, but that nothing is typed twice."""
    if ask.kind != "sql" or reply.action not in ("approve", "approve_all"):
        return ""
    if read_only and (reply.action == "approve_all" or not seems_to_read(ask.text)):
        return _("This profile is read-only: agree to statements that only read, one by one.")
    if production and reply.action == "approve_all":
        return _("This is a production profile: agree to its statements one by one.")
    return ""


def can_ask() -> bool:
    """Somebody sits at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


async def typed_line(show: Callable[[str], None]) -> str:
    """A line from the terminal, "" at its end; the loop is not blocked meanwhile."""
    show("> ")
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    handle = sys.stdin.fileno()
    loop.add_reader(handle, ready.set)
    try:
        await ready.wait()
        return os.read(handle, 4096).decode("utf-8", "replace")
    finally:
        loop.remove_reader(handle)
