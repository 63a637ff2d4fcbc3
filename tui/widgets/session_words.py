"""A Data Agent conversation's options in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tui.services.dms_life import lifetime
from tui.services.dms_options import read_data
from tui.words import _


def mode_name(mode: str) -> str:
    return {
        "ASK_DATA": _("ask data: a quick answer"),
        "ANALYSIS": _("analysis: plan, SQL, report"),
        "INSIGHT": _("insight: deep and long"),
    }.get(mode, mode)


def skip_name(skip: str) -> str:
    return {
        "plan": _("the plan"),
        "sql": _("SQL statements"),
        "question": _("questions to me"),
        "report": _("the web report"),
    }.get(skip, skip)


def life_words(ended_at: datetime, now: datetime) -> str:
    """How long the agent and its session are still there after a turn that ended at `ended_at`."""
    life = lifetime(ended_at)
    if now < life.runtime_until:
        return _("agent ready until {time}").format(time=f"{life.runtime_until.astimezone():%H:%M}")
    if now < life.session_until:
        return _("session kept until {time}").format(time=f"{life.session_until.astimezone():%H:%M}")
    return _("session expired")


def describe_options(options: Mapping[str, str]) -> list[str]:
    """What differs from what the agent does by itself, a line each."""
    lines: list[str] = []
    if data := read_data(options.get("data", "")):
        lines.append(_("data: {names}").format(names=_(", ").join(source.name or source.id for source in data)))
    if mode := options.get("mode", ""):
        lines.append(_("mode: {mode}").format(mode=mode_name(mode)))
    if plan := options.get("plan", ""):
        lines.append(_("plan: {plan}").format(plan=plan))
    if agent := options.get("agent_name", "") or options.get("agent", ""):
        lines.append(_("agent: {name}").format(name=agent))
    if options.get("search") == "true":
        lines.append(_("searches the web"))
    if skips := [skip_name(name) for name in options.get("skip", "").split(",") if name]:
        lines.append(_("not asked about: {names}").format(names=_(", ").join(skips)))
    return lines
