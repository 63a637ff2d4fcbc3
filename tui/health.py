"""Health reports of one account: asked for, followed until they are ready, read, and made by schedules.

Pure asyncio. What is followed goes on whatever screen is shown; the service keeps the reports, so nothing is on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tui.finishing import finish
from tui.models import Problem
from tui.services.errors import ServiceError
from tui.services.rds_reports import Inspection, Levels, Report, ReportEntry, Schedule
from tui.words import _

if TYPE_CHECKING:  # httpx comes with it
    from tui.services.rds_inspections import RdsInspections

PAUSES = (2.0, 3.0, 5.0, 5.0, 10.0, 10.0, 15.0, 20.0, 30.0)
"""Seconds between looks at a report that is being made; the last one is repeated."""
PATIENCE = 2 * 3600.0
"""Seconds after which a report is no longer waited for; the list still has it."""
KEPT_REPORTS = 60
AT_ONCE = 4
"""Schedules whose reports are read at the same time."""
CLOCKS = timedelta(minutes=10)
"""How far the service's clock may be from ours where reports are looked for by date."""


@dataclass(frozen=True, slots=True)
class HealthHooks:
    """What the owner of `Health` lends. All but the first must be cheap."""

    inspections: Callable[[], Awaitable[RdsInspections]]
    """Raises ServiceError where the service cannot be used."""
    spawn: Callable[[str, Coroutine[Any, Any, None]], None]
    changed: Callable[[], None]
    say: Callable[[str], None]
    """Tell the user, wherever they are."""
    now: Callable[[], datetime]
    failed: Callable[[Problem], None] = lambda _problem: None
    """Something went wrong that nobody waits for any more."""
    pauses: Sequence[float] = PAUSES


@dataclass(frozen=True, slots=True)
class Followed:
    """An inspection that was asked for in this run."""

    task: str
    order: Inspection
    asked_at: datetime
    problem: Problem | None = None
    """Why the last look at it failed."""


class Health:
    """Reports and schedules. Whatever reads or changes raises ServiceError; an order is sent once."""

    def __init__(self, hooks: HealthHooks) -> None:
        self._hooks = hooks
        self._entries: dict[str, ReportEntry] = {}
        self._reports: dict[tuple[str, str], Report] = {}
        self.followed: dict[str, Followed] = {}
        """By task: those that are not ready yet."""
        self.schedules: tuple[Schedule, ...] = ()

    # --- reports -------------------------------------------------------------------------------------------

    @property
    def entries(self) -> Sequence[ReportEntry]:
        """The reports that were read last, newest first, and what is being made."""
        return sorted(self._entries.values(), key=_made_at, reverse=True)

    async def refresh(self, days: int) -> None:
        """Read the list of reports of the last days (0: of all time), and the schedules with theirs.

        Raises ServiceError, where only the schedules cannot be read after the reports were taken in.
        """
        inspections = await self._hooks.inspections()
        since = self._hooks.now() - timedelta(days=days) if days else None
        listed = await inspections.reports(since)
        self._take_in(listed)
        schedules = await inspections.schedules()
        turns = asyncio.Semaphore(AT_ONCE)

        async def of(schedule: Schedule) -> tuple[ReportEntry, ...]:
            async with turns:
                return await inspections.scheduled_reports(schedule.id, since)

        made = await asyncio.gather(*(of(one) for one in schedules))
        self.schedules = schedules
        self._take_in([entry for entries in (listed, *made) for entry in entries])

    def _take_in(self, listed: Sequence[ReportEntry]) -> None:
        found = {entry.task: entry for entry in listed}
        waiting = {task: self._entries[task] for task in self.followed if task not in found and task in self._entries}
        self._entries = waiting | found
        self._hooks.changed()

    async def report(self, task: str, instance: str = "") -> Report:
        """A report, or the text of one instance in it; read once when it is ready."""
        held = self._reports.get((task, instance))
        if held is not None:
            return held
        found = await (await self._hooks.inspections()).report(task, instance)
        entry = self._entries.get(task)
        if found.instances and (entry is None or entry.state != "running"):
            self._reports[task, instance] = found
            while len(self._reports) > KEPT_REPORTS:
                del self._reports[next(iter(self._reports))]
        return found

    def levels(self, task: str) -> Levels | None:
        """The checks of a whole report by their outcome, where it was read."""
        held = self._reports.get((task, ""))
        return total(held) if held is not None else None

    async def inspect(self, order: Inspection) -> str:
        """Ask for an inspection and follow it, also when the caller is gone meanwhile; its task."""
        return await finish(self._inspect(order), self._hooks.failed)

    async def _inspect(self, order: Inspection) -> str:
        task = await (await self._hooks.inspections()).create(order)
        now = self._hooks.now()
        self._entries[task] = ReportEntry(
            task, "running", now, order.begins, order.ends, order.items, order.region, order.language
        )
        self.followed[task] = Followed(task, order, now)
        self._hooks.changed()
        self._hooks.spawn(f"inspection:{task}", self._follow(task))
        return task

    async def _follow(self, task: str) -> None:
        waited, looks = 0.0, 0
        try:
            while waited < PATIENCE:
                pause = self._hooks.pauses[min(looks, len(self._hooks.pauses) - 1)]
                await asyncio.sleep(pause)
                waited, looks = waited + pause, looks + 1
                if await self._look(task):
                    return
        finally:
            self.followed.pop(task, None)
            self._hooks.changed()

    async def _look(self, task: str) -> bool:
        """Look once; True when there is nothing left to wait for."""
        held = self.followed[task]
        try:
            inspections = await self._hooks.inspections()
            listed = await inspections.reports(held.asked_at - CLOCKS)
            entry = next((one for one in listed if one.task == task), None)
            if entry is not None:
                self._entries[task] = entry
            # A word that is not known, or no line at all: the report itself tells.
            unsure = entry is None or entry.state == "unknown"
            ready = entry is not None and entry.state == "done"
            report = await inspections.report(task) if ready or unsure else None
        except ServiceError as error:
            self.followed[task] = replace(held, problem=error.problem)
            self._hooks.changed()
            return False
        self.followed[task] = replace(held, problem=None)
        if entry is not None and entry.state == "failed":
            self._hooks.say(_("The inspection of {instances} failed.").format(instances=_names(held.order.instances)))
            return True
        if report is not None and report.instances:
            self._reports[task, ""] = report
            if entry is None:
                self._entries[task] = replace(self._entries[task], said="done")
            counts = total(report)
            text = _("The health report of {instances} is ready: {errors} errors, {warnings} warnings.")
            said = text.format(
                instances=_names(tuple(one.instance for one in report.instances)),
                errors=counts.error,
                warnings=counts.warning,
            )
            self._hooks.say(said)
            return True
        self._hooks.changed()
        return False

    # --- schedules -----------------------------------------------------------------------------------------

    async def save_schedule(self, schedule: Schedule) -> str:
        """Make a schedule, or change the one with its id; its id."""
        return await finish(self._save_schedule(schedule), self._hooks.failed)

    async def _save_schedule(self, schedule: Schedule) -> str:
        inspections = await self._hooks.inspections()
        if schedule.id:
            await inspections.change_schedule(schedule)
            made = schedule.id
        else:
            made = await inspections.create_schedule(schedule)
        await self._read_schedules(inspections)
        return made

    async def delete_schedule(self, schedule_id: str) -> None:
        inspections = await self._hooks.inspections()
        await inspections.delete_schedule(schedule_id)
        self.schedules = tuple(one for one in self.schedules if one.id != schedule_id)
        self._hooks.changed()
        await self._read_schedules(inspections)

    async def with_instances(self, schedule: Schedule) -> Schedule:
        """A schedule with the instances that its list leaves out."""
        found = await (await self._hooks.inspections()).scheduled_instances(schedule.id)
        return replace(schedule, instances=tuple(one.instance for one in found))

    async def _read_schedules(self, inspections: RdsInspections) -> None:
        """The list anew; where that fails, what was changed is changed all the same."""
        with suppress(ServiceError):
            self.schedules = await inspections.schedules()
        self._hooks.changed()


def total(report: Report) -> Levels:
    """The checks of all instances by their outcome."""
    levels = [one.levels for one in report.instances]
    return Levels(
        sum(one.normal for one in levels),
        sum(one.warning for one in levels),
        sum(one.error for one in levels),
        sum(one.failed for one in levels),
    )


def _names(instances: Sequence[str]) -> str:
    if len(instances) <= 2:
        return _(", ").join(instances)
    return _("{first} and {count} more").format(first=instances[0], count=len(instances) - 1)


def _made_at(entry: ReportEntry) -> float:
    return entry.created_at.timestamp() if entry.created_at else 0.0
