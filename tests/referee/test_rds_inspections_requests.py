"""The official client is the referee of the requests about health reports: the same parameters for each operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time
from typing import Any

import pytest
from alibabacloud_rdsai20250507 import models

from tests.referee.test_rds_requests import (
    Recorder,
    official_client,
    our_client,
    recorder,
)
from tui.services.errors import ProtocolError
from tui.services.rds_inspections import RdsInspections
from tui.services.rds_reports import ITEMS, Inspection, Schedule

__all__ = ["recorder"]

BEGINS, ENDS = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
SCHEDULE = Schedule(
    name="夜间 + weekly",
    description="for the team & co",
    days=("Monday", "Sunday"),
    start=time(18, 30, tzinfo=UTC),
    hours=168,
    items=ITEMS[:2],
    language="ja-JP",
    region="cn-beijing",
    instances=("rm-a1", "pgm-b2"),
)
CHANGED = Schedule(id="s-1", name="nightly")
EVERYTHING = ",".join(ITEMS)

Ours = Callable[[RdsInspections], Awaitable[object]]
CASES: dict[str, tuple[Ours, str, Any]] = {
    "an inspection": (
        lambda own: own.create(Inspection(("rm-a1", "pgm-b2"), ITEMS[1:3], BEGINS, ENDS, "cn-beijing", "en-US")),
        "create_inspection_task",
        models.CreateInspectionTaskRequest(
            instance_ids="rm-a1,pgm-b2",
            inspection_items="resource_usage,connection_session_management",
            start_time="2026-01-02T03:04:05Z",
            end_time="2026-01-03T00:00:00Z",
            region_id="cn-beijing",
            report_language="en-US",
        ),
    ),
    "an inspection of everything": (
        lambda own: own.create(Inspection(("all",))),
        "create_inspection_task",
        models.CreateInspectionTaskRequest(instance_ids="all"),
    ),
    "a report": (
        lambda own: own.report("t-1"),
        "get_inspection_report",
        models.GetInspectionReportRequest(task_id="t-1"),
    ),
    "a report of one instance": (
        lambda own: own.report("t-1", "rm-a1"),
        "get_inspection_report",
        models.GetInspectionReportRequest(task_id="t-1", instance_id="rm-a1"),
    ),
    "reports of some days": (
        lambda own: own.reports(BEGINS, ENDS),
        "get_stand_alone_reports",
        models.GetStandAloneReportsRequest(
            start_time="2026-01-02T03:04:05Z", end_time="2026-01-03T00:00:00Z", page_number=1, page_size=100
        ),
    ),
    "reports of a schedule": (
        lambda own: own.scheduled_reports("s-1"),
        "get_scheduled_reports",
        models.GetScheduledReportsRequest(scheduled_id="s-1", page_number=1, page_size=100),
    ),
    "schedules": (
        lambda own: own.schedules(),
        "list_scheduled_tasks",
        models.ListScheduledTasksRequest(page_number=1, page_size=100),
    ),
    "instances of a schedule": (
        lambda own: own.scheduled_instances("s-1"),
        "get_scheduled_instances",
        models.GetScheduledInstancesRequest(scheduled_id="s-1", page_number=1, page_size=100),
    ),
    "a new schedule": (
        lambda own: own.create_schedule(SCHEDULE),
        "create_scheduled_task",
        models.CreateScheduledTaskRequest(
            name="夜间 + weekly",
            description="for the team & co",
            instance_ids="rm-a1,pgm-b2",
            frequency="Monday,Sunday",
            start_time="18:30:00Z",
            time_range="168",
            report_language="ja-JP",
            inspection_items="instance_info,resource_usage",
            region_id="cn-beijing",
        ),
    ),
    "a changed schedule": (
        lambda own: own.change_schedule(CHANGED),
        "modify_scheduled_task",
        models.ModifyScheduledTaskRequest(
            scheduled_id="s-1",
            name="nightly",
            frequency="DAILY",
            start_time="02:00:00Z",
            time_range="24",
            inspection_items=EVERYTHING,
        ),
    ),
    "a schedule less": (
        lambda own: own.delete_schedule("s-1"),
        "delete_scheduled_task",
        models.DeleteScheduledTaskRequest(scheduled_id="s-1"),
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_our_request_is_the_official_clients(name: str, recorder: Recorder) -> None:
    ours_acts, method, request = CASES[name]
    await getattr(official_client(recorder.address), f"{method}_async")(request)
    async with our_client(recorder.address) as service:
        try:
            await ours_acts(service.inspections)
        except ProtocolError:  # the recorder names nothing that was made
            assert name in ("an inspection", "an inspection of everything", "a new schedule")

    official, ours = recorder.requests
    assert ours.params == official.params
    assert ours.headers["x-acs-action"] == official.headers["x-acs-action"]
    assert (ours.method, ours.path, ours.body) == (official.method, official.path, official.body) == ("POST", "/", b"")


def test_every_operation_is_compared() -> None:
    own = {name for name in vars(RdsInspections) if not name.startswith("_")}
    assert len(own) == len({method for _acts, method, _request in CASES.values()})
