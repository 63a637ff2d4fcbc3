"""Inspections and their schedules, as the sandbox keeps them: one is ready some seconds after it began."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from tui.sandbox.records import new_id
from tui.sandbox.shelf import Shelf

DAY = 86_400.0
DAILY = "DAILY"
MOST_RUNS = 100
"""Runs of a schedule that are made up for at once: one that nobody looked at for a year has the newest of them."""


@dataclass(slots=True)
class Inspection:
    """One report: of the time from `begins` to `ends`, all in seconds since 1970."""

    id: str
    account: str
    instances: list[str]
    items: list[str]
    begins: float
    ends: float
    region: str
    language: str
    created_at: float
    ready_at: float
    failed: bool = False
    schedule: str = ""


@dataclass(slots=True)
class Schedule:
    id: str
    account: str
    name: str
    description: str
    instances: list[str]
    items: list[str]
    frequency: str
    start: str
    """`02:00:00Z`"""
    hours: int
    region: str
    language: str
    created_at: float
    ran_until: float

    def due(self, now: float) -> list[float]:
        """The moments after `ran_until` and up to `now` at which it runs."""
        days = self.frequency.split(",")
        clock = time.fromisoformat(self.start.removesuffix("Z"))
        first = max(self.ran_until, now - MOST_RUNS * DAY)
        day = datetime.fromtimestamp(first, UTC).date()
        found = []
        while (moment := datetime.combine(day, clock, UTC).timestamp()) <= now:
            if moment > self.ran_until and (DAILY in days or f"{day:%A}" in days):
                found.append(moment)
            day += timedelta(days=1)
        return found


class InspectionDesk:
    """The inspections and schedules of all accounts.

    Args:
        now: seconds since 1970.
    """

    def __init__(self, now: Callable[[], float], folder: Path | None) -> None:
        self._now = now
        self._reports = Shelf(folder / "inspections") if folder else None
        self._plans = Shelf(folder / "schedules") if folder else None
        self.inspections: dict[str, Inspection] = {}
        self.schedules: dict[str, Schedule] = {}
        for report in self._reports.load(lambda data: Inspection(**data)) if self._reports else ():
            self.inspections[report.id] = report
        for schedule in self._plans.load(lambda data: Schedule(**data)) if self._plans else ():
            self.schedules[schedule.id] = schedule

    def save(self, report: Inspection) -> None:
        self.inspections[report.id] = report
        if self._reports:
            self._reports.save(report.id, asdict(report))

    def save_schedule(self, schedule: Schedule) -> None:
        self.schedules[schedule.id] = schedule
        if self._plans:
            self._plans.save(schedule.id, asdict(schedule))

    def remove_schedule(self, schedule: Schedule) -> None:
        """Its reports stay."""
        del self.schedules[schedule.id]
        if self._plans:
            self._plans.remove(schedule.id)

    def run_due(self, seconds: float) -> None:
        """Make the reports of schedules whose time has come; each takes `seconds`."""
        now = self._now()
        for schedule in [*self.schedules.values()]:
            for moment in schedule.due(now)[-MOST_RUNS:]:
                begins = moment - schedule.hours * 3600
                self.save(
                    Inspection(
                        new_id(),
                        schedule.account,
                        list(schedule.instances),
                        list(schedule.items),
                        begins,
                        moment,
                        schedule.region,
                        schedule.language,
                        moment,
                        moment + seconds,
                        schedule=schedule.id,
                    )
                )
                schedule.ran_until = moment
                self.save_schedule(schedule)

    # --- as a part of the world --------------------------------------------------------------------------------

    def describe(self) -> dict[str, object]:
        return {
            "reports": {
                report.id: {"instances": report.instances, "items": report.items, "language": report.language}
                for report in self.inspections.values()
            },
            "schedules": {schedule.id: asdict(schedule) for schedule in self.schedules.values()},
        }

    def release(self) -> int:
        return 0

    async def close(self) -> None:
        pass

    async def reset(self) -> None:
        self.inspections.clear()
        self.schedules.clear()
        for shelf in (self._reports, self._plans):
            if shelf:
                shelf.clear()
