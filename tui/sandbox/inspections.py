"""Inspections and their schedules, as the sandbox keeps them: one is ready some seconds after it began."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta

from tui.sandbox.records import new_id
from tui.sandbox.shelf import Kept
from tui.sandbox.world import Part, World

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


class InspectionDesk(Part):
    """The inspections and schedules of all accounts."""

    name = "inspections"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.inspections = Kept(world.folder, "inspections", lambda data: Inspection(**data))
        self.schedules = Kept(world.folder, "schedules", lambda data: Schedule(**data))

    def run_due(self, seconds: float) -> None:
        """Make the reports of schedules whose time has come; each takes `seconds`."""
        now = self.world.seconds()
        for schedule in [*self.schedules.values()]:
            for moment in schedule.due(now)[-MOST_RUNS:]:
                begins = moment - schedule.hours * 3600
                self.inspections.save(
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
                self.schedules.save(schedule)

    # --- as a part of the world --------------------------------------------------------------------------------

    def describe(self) -> dict[str, object]:
        return {
            "reports": {
                report.id: {"instances": report.instances, "items": report.items, "language": report.language}
                for report in self.inspections.values()
            },
            "schedules": {schedule.id: asdict(schedule) for schedule in self.schedules.values()},
        }

    def reset(self) -> None:
        self.inspections.clear()
        self.schedules.clear()
