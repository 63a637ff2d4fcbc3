"""Health reports of RDS Copilot and their schedules: what they are made of, read from the service's answers.

Source: protocol notes 2.7 and 2.8. No value of a report's status is published, so that it is taken by its words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any, Literal

from tui.services.fields import Fields, as_count, as_items, as_names, as_object, as_text, as_time
from tui.text import clean, clean_line

ITEMS = (
    "instance_info",
    "resource_usage",
    "connection_session_management",
    "performance_metrics",
    "slow_query_analysis",
    "error_log_analysis",
    "lock_wait_deadlock_analysis",
    "backup_recovery_analysis",
    "high_availability_disaster_recovery_analysis",
    "security_configuration_analysis",
    "storage_engine_analysis",
    "schema_object_analysis",
)
"""What can be inspected; none named means all of it."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAILY = "DAILY"
REPORT_LANGUAGES = ("zh-CN", "zh-TW", "en-US", "ja-JP")
HOURS = range(1, 169)
"""How far back a scheduled inspection may look."""
NAME_CHARACTERS = 64
DEFAULT_START = time(2, tzinfo=UTC)

State = Literal["running", "done", "failed", "unknown"]
Level = Literal["normal", "warning", "error", "failed"]
LEVELS: tuple[Level, ...] = ("normal", "warning", "error", "failed")
"""From the least to the greatest trouble; `failed`: the check itself did."""
_CLOCK = re.compile(r"(?:^|T|\s)(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?Z?$")
_INSTANCE = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,62}$")


@dataclass(frozen=True, slots=True)
class Levels:
    """How many checks ended how."""

    normal: int = 0
    warning: int = 0
    error: int = 0
    failed: int = 0

    @property
    def worst(self) -> Level | None:
        """None where nothing was checked."""
        return next((level for level in reversed(_BY_WEIGHT) if getattr(self, level)), None)

    @property
    def checks(self) -> int:
        return self.normal + self.warning + self.error + self.failed


_BY_WEIGHT: tuple[Level, ...] = ("normal", "failed", "warning", "error")
"""A check that could not be made says less than one that found trouble."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one instance."""

    name: str
    level: Level | None
    """None where the service has a word of its own for it: `said`."""
    said: str = ""
    message: str = ""
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FindingGroup:
    name: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class InstanceReport:
    """What was found out about one instance."""

    instance: str
    description: str = ""
    engine: str = ""
    region: str = ""
    begins: datetime | None = None
    ends: datetime | None = None
    levels: Levels = field(default_factory=Levels)
    markdown: str = ""
    """Filled only where the report of this instance alone was asked for."""
    groups: tuple[FindingGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report."""

    task: str
    markdown: str = ""
    template: str = ""
    instances: tuple[InstanceReport, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """A report as the lists have it."""

    task: str
    said: str = ""
    """The service's word for its state."""
    created_at: datetime | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    items: tuple[str, ...] = ()
    region: str = ""
    language: str = ""
    kind: str = ""
    schedule: str = ""
    """The id of the schedule that made it; empty for one that was asked for."""

    @property
    def state(self) -> State:
        return state_of(self.said)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Inspections that the service makes by itself."""

    id: str = ""
    name: str = ""
    description: str = ""
    days: tuple[str, ...] = ()
    """Names out of `WEEKDAYS`; empty for every day."""
    start: time = DEFAULT_START
    """In UTC, to the second."""
    hours: int = 24
    """How far back each inspection looks."""
    items: tuple[str, ...] = ()
    language: str = ""
    region: str = ""
    instances: tuple[str, ...] = ()
    """Lists do not have them: see `RdsInspections.scheduled_instances`."""
    instance_count: int = 0
    created_at: datetime | None = None

    def wrong(self) -> Literal["name", "long_name", "instances", "hours"] | None:
        """What the service would refuse; None where it may take it."""
        if not self.name.strip():
            return "name"
        if len(self.name) > NAME_CHARACTERS:
            return "long_name"
        if self.hours not in HOURS:
            return "hours"
        return None if self.instances or self.id else "instances"


@dataclass(frozen=True, slots=True)
class ScheduledInstance:
    instance: str
    description: str = ""
    engine: str = ""
    region: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Inspection:
    """An inspection that is asked for. Without times it looks at the last 24 hours."""

    instances: tuple[str, ...]
    items: tuple[str, ...] = ()
    """Empty for all of `ITEMS`."""
    begins: datetime | None = None
    ends: datetime | None = None
    region: str = ""
    language: str = ""


def instance_ids(text: str) -> tuple[str, ...]:
    """The instance ids in `text`, divided by anything; each once. `all` is one.

    Raises:
        ValueError: with the first word that cannot be one.
    """
    found: dict[str, None] = {}
    for word in re.split(r"[\s,;，；、]+", text):
        if word and not _INSTANCE.match(word):
            raise ValueError(clean_line(word, 60))
        if word:
            found[word] = None
    return tuple(found)


def state_of(said: str) -> State:
    """What the service's word for a report's state means; no value of it is published."""
    word = said.lower()
    if any(part in word for part in ("fail", "error", "cancel", "timeout", "reject")):
        return "failed"
    if any(part in word for part in ("success", "succeed", "finish", "complete", "done", "normal", "generated")):
        return "done"
    if any(part in word for part in ("run", "process", "pend", "creat", "init", "wait", "queue", "start", "progress")):
        return "running"
    return "unknown"


def utc(moment: datetime) -> str:
    """The form of times in requests: `2026-01-02T03:04:05Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- reading answers ---------------------------------------------------------------------------------------------


def read_report(reply: Mapping[str, Any]) -> Report:
    """The answer of GetInspectionReport."""
    fields = Fields(reply)
    return Report(
        task=fields.line("TaskId"),
        markdown=fields.text("MarkdownText"),
        template=fields.line("TemplateName", "TemplateId"),
        instances=tuple(_instance(item) for item in as_items(fields.first("Data"))),
    )


def _instance(item: Fields) -> InstanceReport:
    groups = tuple(
        FindingGroup(group.line("Group", "Name"), tuple(_finding(entry) for entry in as_items(group.first("Items"))))
        for group in as_items(item.first("Data"))
    )
    summary = as_object(item.first("LevelSummary"))
    return InstanceReport(
        instance=item.line("InstanceId"),
        description=item.line("InstanceDesc", "InstanceDescription"),
        engine=item.line("EngineType", limit=60),
        region=item.line("Region", "RegionId", limit=60),
        begins=as_time(item.first("StartTime")),
        ends=as_time(item.first("EndTime")),
        levels=Levels(*(as_count(summary.first(level)) for level in LEVELS)) if summary else _counted(groups),
        markdown=item.text("MarkdownText"),
        groups=groups,
    )


def _finding(item: Fields) -> Finding:
    said = item.line("Level", limit=40)
    word = said.lower()
    level: Level | None = next((known for known in LEVELS if known.startswith(word[:4]) and word), None)
    return Finding(
        name=item.line("Name"),
        level=level,
        said=said,
        message=item.text("Message"),
        values=tuple((entry.line("Key"), _short(entry.first("Value"))) for entry in as_items(item.first("Data"))),
    )


def _short(value: object) -> str:
    return clean(as_text(value)) if value is not None else ""


def _counted(groups: tuple[FindingGroup, ...]) -> Levels:
    found = [finding.level for group in groups for finding in group.findings]
    return Levels(*(found.count(level) for level in LEVELS))


def read_entry(item: Fields, schedule: str = "") -> ReportEntry:
    """One report of a list."""
    return ReportEntry(
        task=item.line("TaskId"),
        said=item.line("Status", limit=60),
        created_at=as_time(item.first("CreatedTime", "CreateTime")),
        begins=as_time(item.first("StartTime")),
        ends=as_time(item.first("EndTime")),
        items=as_names(item.first("InspectionItems")),
        region=item.line("RegionId", limit=60),
        language=item.line("ReportLanguage", limit=20),
        kind=item.line("ReportType", limit=60),
        schedule=schedule,
    )


def read_schedule(item: Fields) -> Schedule:
    """One schedule of a list; `DAILY` among weekdays wins over them."""
    frequency = as_names(item.first("Frequency"))
    daily = any(part.upper() == DAILY for part in frequency)
    hours = as_count(item.first("TimeRange"))
    return Schedule(
        id=item.line("ScheduledId"),
        name=item.line("Name"),
        description=item.line("Description", limit=1000),
        days=() if daily else tuple(day for day in WEEKDAYS if day.lower() in {part.lower() for part in frequency}),
        start=read_clock(item.line("TaskStartTime", "StartTime")) or DEFAULT_START,
        hours=hours if hours in HOURS else 24,
        items=as_names(item.first("InspectionItems")),
        language=item.line("ReportLanguage", limit=20),
        region=item.line("RegionId", limit=60),
        instance_count=as_count(item.first("InstanceCount")),
        created_at=as_time(item.first("CreateTime", "CreatedTime")),
    )


def read_scheduled_instance(item: Fields) -> ScheduledInstance:
    return ScheduledInstance(
        instance=item.line("InstanceId"),
        description=item.line("InstanceDesc", "InstanceDescription"),
        engine=item.line("EngineType", limit=60),
        region=item.line("Region", "RegionId", limit=60),
        status=item.line("Status", limit=60),
    )


def read_clock(text: str) -> time | None:
    """A time of day in UTC out of `02:00:00Z`, or out of a whole moment; None where there is none."""
    match = _CLOCK.search(text.strip())
    if match is None:
        return None
    hour, minute, second = (int(part or 0) for part in match.groups())
    return time(hour, minute, second, tzinfo=UTC) if hour < 24 and minute < 60 and second < 60 else None
