"""Health reports and schedules as lines of lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from textual.content import Content

from tui.services.rds_reports import DAILY, WEEKDAYS, Level, Levels
from tui.widgets.conversation_line import fit
from tui.words import _

if TYPE_CHECKING:
    from tui.services.rds_reports import InstanceReport, ReportEntry, Schedule

_STYLES: dict[Level, str] = {"error": "$error", "warning": "$warning", "failed": "$muted", "normal": "$success"}
"""The worst first."""


def item_name(item: str) -> str:
    """What can be inspected, in the user's language; one that is not known as the service calls it."""
    return {
        "instance_info": _("instance"),
        "resource_usage": _("resources"),
        "connection_session_management": _("connections and sessions"),
        "performance_metrics": _("performance"),
        "slow_query_analysis": _("slow queries"),
        "error_log_analysis": _("error log"),
        "lock_wait_deadlock_analysis": _("lock waits and deadlocks"),
        "backup_recovery_analysis": _("backups"),
        "high_availability_disaster_recovery_analysis": _("high availability"),
        "security_configuration_analysis": _("security"),
        "storage_engine_analysis": _("storage engine"),
        "schema_object_analysis": _("schema and objects"),
    }.get(item, item)


def items_words(items: Sequence[str]) -> str:
    if not items:
        return _("all checks")
    if len(items) <= 2:
        return _(", ").join(item_name(item) for item in items)
    return _("{count} checks").format(count=len(items))


def level_name(level: Level) -> str:
    return {
        "normal": _("normal"),
        "warning": _("warning"),
        "error": _("error"),
        "failed": _("not checked"),
    }[level]


def levels_line(levels: Levels) -> Content:
    """`1 error  2 warning  9 normal`: in words and in colour, what there is none of left out."""
    parts = [
        Content.styled(f"{getattr(levels, level)} {level_name(level)}", _STYLES[level])
        for level in _STYLES
        if getattr(levels, level)
    ]
    return Content("  ").join(parts) if parts else Content.styled(_("nothing was checked"), "$muted")


def entry_line(entry: ReportEntry, levels: Levels | None, *, ascii_only: bool = False) -> Content:
    """One report of the list: its state, when it was made, what was found where that is known."""
    sign = {"running": "*" if ascii_only else "●", "failed": "!", "unknown": "?"}.get(entry.state, " ")
    made = f"{entry.created_at.astimezone():%m-%d %H:%M}" if entry.created_at else "           "
    if entry.state == "running":
        words = Content.styled(_("being made"), "$running")
    elif entry.state == "failed":
        words = Content.styled(_("failed"), "$error")
    elif levels is not None:
        words = levels_line(levels)
    else:
        said = "" if entry.state == "done" else entry.said
        words = Content.styled("  ".join(part for part in (said, items_words(entry.items)) if part), "$muted")
    mark = Content.styled("  " + _("by schedule"), "$muted") if entry.schedule else Content("")
    return Content.assemble(f"{sign} {made}  ", words, mark)


def instance_line(one: InstanceReport, cells: int) -> Content:
    """One instance of a report, its levels at a glance; its name takes `cells`."""
    about = "  ".join(part for part in (one.engine, one.description) if part)
    return Content.assemble((fit(one.instance, cells), "bold"), levels_line(one.levels), (f"   {about}", "$muted"))


def schedule_line(schedule: Schedule, today: date) -> Content:
    """One schedule: name, days, time here and in UTC, how many instances."""
    local = local_clock(schedule.start, today)
    facts = [
        _("{count} instances").format(count=schedule.instance_count),
        items_words(schedule.items),
        f"{schedule.start:%H:%M} UTC" if local.utcoffset() else "",
    ]
    return Content.assemble(
        (fit(schedule.name, 16), "bold"),
        f" {days_words(schedule.days)} {local:%H:%M}",
        Content.styled(" · " + " · ".join(fact for fact in facts if fact), "$muted"),
    )


def day_name(day: str) -> str:
    return {
        "Monday": _("Monday"),
        "Tuesday": _("Tuesday"),
        "Wednesday": _("Wednesday"),
        "Thursday": _("Thursday"),
        "Friday": _("Friday"),
        "Saturday": _("Saturday"),
        "Sunday": _("Sunday"),
        DAILY: _("every day"),
    }.get(day, day)


def days_words(days: Sequence[str]) -> str:
    if not days or len(days) == len(WEEKDAYS):
        return _("every day")
    return _(", ").join(day_name(day) for day in days)


def local_clock(start: time, today: date) -> datetime:
    """The moment of `start` (UTC) on a day, in the zone of this machine."""
    return datetime.combine(today, start.replace(tzinfo=None), UTC).astimezone()


def clock_words(start: time, today: date) -> str:
    """`10:00 (02:00 UTC)`; once where both are the same."""
    local = local_clock(start, today)
    if local.utcoffset() == timedelta(0):
        return f"{start:%H:%M} UTC"
    return f"{local:%H:%M} ({start:%H:%M} UTC)"


def day_shift(start: time, today: date) -> int:
    """By how many days the service's weekdays, which are counted in UTC, are off from those here at that time."""
    return (local_clock(start, today).date() - today).days


def span_words(begins: datetime | None, ends: datetime | None) -> str:
    """The time that was looked at."""
    if begins is None or ends is None:
        return ""
    first, last = begins.astimezone(), ends.astimezone()
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%m-%d %H:%M}"
    return f"{first:%Y-%m-%d %H:%M} – {end}"
