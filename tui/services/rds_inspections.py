"""Health reports of RDS Copilot: asking for one, reading it, and the schedules that make them.

Source: protocol notes 2.7 and 2.8. Lists of values travel as one parameter, divided by commas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from tui.models import Problem
from tui.services.errors import ProtocolError
from tui.services.fields import Fields, as_object
from tui.services.paging import all_pages, pages_of
from tui.services.rds_reports import (
    DAILY,
    ITEMS,
    Inspection,
    Report,
    ReportEntry,
    Schedule,
    ScheduledInstance,
    read_entry,
    read_report,
    read_schedule,
    read_scheduled_instance,
    utc,
)
from tui.services.rpc import RpcClient, Value
from tui.words import _


class RdsInspections:
    """The inspections of one account. Everything raises ServiceError; what creates or changes is sent once."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    # --- reports ---------------------------------------------------------------------------------------------

    async def create(self, inspection: Inspection) -> str:
        """Ask for an inspection; the id of its report, which is ready when the list of reports says so."""
        reply = await self._rpc.write(
            "CreateInspectionTask",
            {
                "InstanceIds": ",".join(inspection.instances),
                "InspectionItems": ",".join(inspection.items),
                "StartTime": utc(inspection.begins) if inspection.begins else "",
                "EndTime": utc(inspection.ends) if inspection.ends else "",
                "RegionId": inspection.region,
                "ReportLanguage": inspection.language,
            },
        )
        data = as_object(reply.get("Data"))
        return _named(data or Fields(reply), "TaskId", "InspectionTaskId")

    async def report(self, task: str, instance: str = "") -> Report:
        """A report; the text of an instance is in it only where that one is named."""
        return read_report(await self._rpc.read("GetInspectionReport", {"TaskId": task, "InstanceId": instance}))

    async def reports(self, since: datetime | None = None, until: datetime | None = None) -> tuple[ReportEntry, ...]:
        """The reports that were asked for, newest first."""
        return await self._entries("GetStandAloneReports", {}, since, until)

    async def scheduled_reports(
        self, schedule: str, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[ReportEntry, ...]:
        """The reports that a schedule has made, newest first."""
        return await self._entries("GetScheduledReports", {"ScheduledId": schedule}, since, until, schedule)

    async def _entries(
        self, action: str, params: Mapping[str, Value], since: datetime | None, until: datetime | None, of: str = ""
    ) -> tuple[ReportEntry, ...]:
        times = {"StartTime": utc(since) if since else "", "EndTime": utc(until) if until else ""}
        pages = pages_of(self._rpc, action, {**params, **times})
        found = await all_pages(pages, lambda item: read_entry(item, of), lambda entry: entry.task, field="Reports")
        oldest = datetime.min.replace(tzinfo=UTC)
        return tuple(sorted(found, key=lambda entry: entry.created_at or oldest, reverse=True))

    # --- schedules -------------------------------------------------------------------------------------------

    async def schedules(self) -> tuple[Schedule, ...]:
        """All schedules, in the service's order; without their instances."""
        pages = pages_of(self._rpc, "ListScheduledTasks")
        return await all_pages(pages, read_schedule, lambda schedule: schedule.id, field="Schedules")

    async def scheduled_instances(self, schedule: str) -> tuple[ScheduledInstance, ...]:
        """The instances that a schedule inspects."""
        pages = pages_of(self._rpc, "GetScheduledInstances", {"ScheduledId": schedule})
        return await all_pages(pages, read_scheduled_instance, lambda one: one.instance, field="Instances")

    async def create_schedule(self, schedule: Schedule) -> str:
        """Make a schedule; its id."""
        reply = await self._rpc.write("CreateScheduledTask", {**_of_schedule(schedule), "RegionId": schedule.region})
        return _named(Fields(reply), "ScheduledId")

    async def change_schedule(self, schedule: Schedule) -> None:
        """Put a schedule in the place of the one with its id; without instances those stay as they are."""
        # An empty list of checks would be left out, and so mean the old ones.
        whole = replace(schedule, items=schedule.items or ITEMS)
        await self._rpc.write("ModifyScheduledTask", {"ScheduledId": schedule.id, **_of_schedule(whole)})

    async def delete_schedule(self, schedule: str) -> None:
        """Delete a schedule; the service does not say what becomes of its reports."""
        await self._rpc.write("DeleteScheduledTask", {"ScheduledId": schedule})


def _of_schedule(schedule: Schedule) -> dict[str, Value]:
    return {
        "Name": schedule.name,
        "Description": schedule.description,
        "InstanceIds": ",".join(schedule.instances),
        "Frequency": ",".join(schedule.days) or DAILY,
        "StartTime": f"{schedule.start:%H:%M:%S}Z",
        "TimeRange": str(schedule.hours),
        "ReportLanguage": schedule.language,
        "InspectionItems": ",".join(schedule.items),
    }


def _named(fields: Fields, *names: str) -> str:
    """The id of what was made.

    Raises:
        ProtocolError: there is none; it may exist all the same.
    """
    found = fields.line(*names)
    if not found:
        raise ProtocolError(
            Problem(
                _("Not named"),
                _("The service took it, but did not say under which id."),
                _("Look into the list before you ask for it again."),
                delivered="yes",
            )
        )
    return found
