"""The official client against the sandbox's health reports: what it cannot read, the sandbox does not speak right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from alibabacloud_rdsai20250507 import models

from tui.sandbox.server import SandboxServer

Official = Callable[..., Any]
INSTANCES = "rm-sandbox01,pgm-sandbox03"


def _order(client: Any, **changes: str) -> str:
    request = models.CreateInspectionTaskRequest(**{"instance_ids": INSTANCES, "report_language": "en-US", **changes})
    body = client.create_inspection_task(request).body
    assert (body.success, body.message) == (True, "success")
    return str(body.data.task_id)


def test_an_inspection_and_its_report(official: Official) -> None:
    client = official()
    task = _order(client, inspection_items="resource_usage,error_log_analysis")

    listed = client.get_stand_alone_reports(models.GetStandAloneReportsRequest()).body
    (entry,) = listed.reports
    assert (entry.task_id, entry.status, entry.report_language) == (task, "SUCCESS", "en-US")
    assert entry.inspection_items == "resource_usage,error_log_analysis"
    assert (listed.total_count, listed.page_number, listed.page_size, listed.success) == (1, 1, 20, True)
    whole = client.get_inspection_report(models.GetInspectionReportRequest(task_id=task)).body
    assert [one.instance_id for one in whole.data] == INSTANCES.split(",")
    assert whole.markdown_text
    for one in whole.data:
        summary = one.level_summary
        assert summary.normal + summary.warning + summary.error + summary.failed == 2
        assert not one.markdown_text
        assert {item.level for group in one.data for item in group.items} <= {"Normal", "Warning", "Error", "Failed"}
    request = models.GetInspectionReportRequest(task_id=task, instance_id="pgm-sandbox03")
    (one,) = client.get_inspection_report(request).body.data
    assert "pgm-sandbox03" in one.markdown_text
    assert (one.engine_type, one.region) == ("PostgreSQL", "cn-hangzhou")
    assert one.data[0].items[0].data[0].key


def test_a_running_one_is_empty_until_it_is_ready(sandbox: SandboxServer, official: Official) -> None:
    client = official()
    sandbox.fault_once("inspection-seconds@CreateInspectionTask=60")
    task = _order(client)

    request = models.GetInspectionReportRequest(task_id=task)
    assert client.get_stand_alone_reports(models.GetStandAloneReportsRequest()).body.reports[0].status == "RUNNING"
    assert not client.get_inspection_report(request).body.data
    sandbox.advance(61)
    assert client.get_inspection_report(request).body.data


def test_a_schedule_and_its_reports(sandbox: SandboxServer, official: Official) -> None:
    client = official()
    made = client.create_scheduled_task(
        models.CreateScheduledTaskRequest(name="nightly", instance_ids="all", frequency="DAILY,Monday")
    ).body
    assert made.success
    (schedule,) = client.list_scheduled_tasks(models.ListScheduledTasksRequest()).body.schedules
    assert (schedule.scheduled_id, schedule.frequency, schedule.instance_count) == (made.scheduled_id, "DAILY", 3)
    assert (schedule.task_start_time, schedule.time_range) == ("02:00:00Z", "24")
    found = client.get_scheduled_instances(models.GetScheduledInstancesRequest(scheduled_id=made.scheduled_id)).body
    assert [one.instance_id for one in found.instances] == ["rm-sandbox01", "rm-sandbox02", "pgm-sandbox03"]
    sandbox.advance(86_400)
    reports = client.get_scheduled_reports(models.GetScheduledReportsRequest(scheduled_id=made.scheduled_id)).body
    assert (reports.total_count, reports.reports[0].status) == (1, "SUCCESS")
    assert not client.get_stand_alone_reports(models.GetStandAloneReportsRequest()).body.reports

    changed = client.modify_scheduled_task(
        models.ModifyScheduledTaskRequest(scheduled_id=made.scheduled_id, frequency="Friday", time_range="168")
    ).body
    assert changed.success
    request = models.ListScheduledTasksRequest(scheduled_id=made.scheduled_id)
    (schedule,) = client.list_scheduled_tasks(request).body.schedules
    assert (schedule.name, schedule.frequency, schedule.time_range) == ("nightly", "Friday", "168")

    assert client.delete_scheduled_task(models.DeleteScheduledTaskRequest(scheduled_id=made.scheduled_id)).body.success
    assert not client.list_scheduled_tasks(models.ListScheduledTasksRequest()).body.schedules


@pytest.mark.parametrize(
    ("request_", "method", "code"),
    [
        (models.CreateInspectionTaskRequest(instance_ids="not an id"), "create_inspection_task", "InvalidParameter"),
        (models.CreateInspectionTaskRequest(), "create_inspection_task", "InvalidParameter"),
        (
            models.CreateInspectionTaskRequest(instance_ids="all", inspection_items="disk"),
            "create_inspection_task",
            "InvalidParameter",
        ),
        (models.GetInspectionReportRequest(task_id="gone"), "get_inspection_report", "TaskNotFound"),
        (models.CreateScheduledTaskRequest(name="x" * 65), "create_scheduled_task", "InvalidParameter"),
        (models.CreateScheduledTaskRequest(name="x", time_range="169"), "create_scheduled_task", "InvalidParameter"),
        (models.CreateScheduledTaskRequest(name="x", start_time="02:00"), "create_scheduled_task", "InvalidParameter"),
        (models.CreateScheduledTaskRequest(name="x", frequency="Funday"), "create_scheduled_task", "InvalidParameter"),
        (models.DeleteScheduledTaskRequest(scheduled_id="gone"), "delete_scheduled_task", "InvalidParameter"),
    ],
)
def test_what_is_not_valid_is_refused(official: Official, request_: Any, method: str, code: str) -> None:
    with pytest.raises(Exception, match=code) as caught:
        getattr(official(), method)(request_)
    assert code in str(getattr(caught.value, "code", ""))


@pytest.mark.parametrize(
    ("switch", "code"), [("user-order-invalid", "InvalidUserOrder"), ("permission-denied", "PermissionDenied")]
)
def test_refusals_of_this_service(sandbox: SandboxServer, official: Official, switch: str, code: str) -> None:
    sandbox.fault_once(switch)
    with pytest.raises(Exception, match=code):
        _order(official())
