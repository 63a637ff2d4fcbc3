"""Health reports: asked for, followed by their list, read as a whole and by instance; schedules."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from tui.sandbox.server import SandboxServer
from tui.services.errors import ApiError, ProtocolError, ServiceError
from tui.services.fields import Fields
from tui.services.rds import RdsCopilot
from tui.services.rds_reports import (
    ITEMS,
    Finding,
    Inspection,
    Levels,
    Schedule,
    instance_ids,
    read_clock,
    read_entry,
    read_report,
    read_schedule,
    state_of,
)

INSTANCES = ("rm-sandbox01", "pgm-sandbox03")


async def test_a_report_from_its_order_to_the_text_of_an_instance(rds: RdsCopilot) -> None:
    began = datetime(2026, 11, 20, 2, tzinfo=UTC)
    order = Inspection(INSTANCES, ITEMS[1:3], began, began + timedelta(hours=2), "cn-beijing", "en-US")

    task = await rds.inspections.create(order)

    (entry,) = await rds.inspections.reports()
    assert (entry.task, entry.state, entry.region, entry.language) == (task, "done", "cn-beijing", "en-US")
    assert (entry.items, entry.begins, entry.ends) == (ITEMS[1:3], began, began + timedelta(hours=2))
    whole = await rds.inspections.report(task)
    assert [one.instance for one in whole.instances] == [*INSTANCES]
    assert "sandbox data" in whole.markdown
    assert all(one.levels.checks == 2 and not one.markdown for one in whole.instances)
    one = (await rds.inspections.report(task, "rm-sandbox01")).instances[0]
    assert "rm-sandbox01" in one.markdown
    assert sum(len(group.findings) for group in one.groups) == 2
    assert (one.engine, one.description) == ("MySQL", "订单库 orders-main")


async def test_all_means_all_and_no_times_the_last_day(rds: RdsCopilot) -> None:
    task = await rds.inspections.create(Inspection(("all",)))

    (entry,) = await rds.inspections.reports()
    assert entry.begins
    assert entry.ends
    assert entry.ends - entry.begins == timedelta(days=1)
    assert len((await rds.inspections.report(task)).instances) == 3


async def test_a_running_one_has_no_report_yet(rds: RdsCopilot, sandbox: SandboxServer) -> None:
    sandbox.fault_once("inspection-seconds@CreateInspectionTask=60")
    task = await rds.inspections.create(Inspection(INSTANCES))

    assert (await rds.inspections.reports())[0].state == "running"
    assert (await rds.inspections.report(task)).instances == ()
    sandbox.advance(61)
    assert (await rds.inspections.reports())[0].state == "done"


async def test_lists_by_date_in_pages_newest_first(rds: RdsCopilot, sandbox: SandboxServer) -> None:
    for number in range(3):
        await rds.inspections.create(Inspection((f"rm-sandbox0{number + 1}",)))
        sandbox.advance(86_400)
    now = datetime.now(UTC)

    listed = await rds.inspections.reports()
    assert [(entry.created_at or now) > now + timedelta(hours=12) for entry in listed] == [True, True, False]
    recent = await rds.inspections.reports(since=now + timedelta(hours=36), until=now + timedelta(hours=60))
    assert recent == listed[:1]


async def test_a_schedule_made_changed_run_and_deleted(rds: RdsCopilot, sandbox: SandboxServer) -> None:
    plan = Schedule(
        name="夜间巡检",
        description="every night",
        start=time(18, 30, tzinfo=UTC),
        hours=12,
        items=ITEMS[:2],
        language="zh-CN",
        region="cn-hangzhou",
        instances=INSTANCES,
    )
    made = await rds.inspections.create_schedule(plan)

    (listed,) = await rds.inspections.schedules()
    assert (listed.id, listed.name, listed.days, listed.start, listed.hours) == (made, "夜间巡检", (), plan.start, 12)
    assert (listed.items, listed.language, listed.instance_count) == (ITEMS[:2], "zh-CN", 2)
    found = await rds.inspections.scheduled_instances(made)
    assert [one.instance for one in found] == [*INSTANCES]
    sandbox.advance(2 * 86_400)
    reports = await rds.inspections.scheduled_reports(made)
    assert len(reports) == 2
    assert {entry.schedule for entry in reports} == {made}
    assert await rds.inspections.reports() == ()

    changed = Schedule(id=made, name="weekly", days=("Monday", "Friday"), hours=168, language="en-US")
    await rds.inspections.change_schedule(changed)

    (listed,) = await rds.inspections.schedules()
    assert (listed.name, listed.days, listed.hours, listed.language) == ("weekly", ("Monday", "Friday"), 168, "en-US")
    assert listed.items == ITEMS  # none named is all of them
    assert listed.instance_count == 2  # none named leaves them

    await rds.inspections.delete_schedule(made)
    assert await rds.inspections.schedules() == ()


async def test_what_the_service_refuses_is_said(rds: RdsCopilot, sandbox: SandboxServer) -> None:
    with pytest.raises(ApiError) as caught:
        await rds.inspections.report("no-such-task")
    assert (caught.value.problem.code, caught.value.problem.status) == ("TaskNotFound", 404)
    task = await rds.inspections.create(Inspection(INSTANCES))
    sandbox.fault_once("task-not-found")
    with pytest.raises(ApiError, match="no longer has this task"):
        await rds.inspections.report(task)
    sandbox.reset()
    sandbox.fault_once("success-false")
    with pytest.raises(ServiceError, match="back end is busy"):
        await rds.inspections.create(Inspection(INSTANCES))
    assert await rds.inspections.reports() == ()
    for code, switch in (("InvalidUserOrder", "user-order-invalid"), ("PermissionDenied", "permission-denied")):
        sandbox.fault_once(switch)
        with pytest.raises(ServiceError) as refused:
            await rds.inspections.create(Inspection(INSTANCES))
        assert refused.value.problem.code == code
        assert refused.value.problem.remedy


async def test_an_order_is_sent_once(rds: RdsCopilot, sandbox: SandboxServer) -> None:
    sandbox.fault_once("http-500@CreateInspectionTask")
    with pytest.raises(ServiceError):
        await rds.inspections.create(Inspection(INSTANCES))
    assert sandbox.state()["received"]["CreateInspectionTask"] == 1
    sandbox.fault_once("empty-json@CreateInspectionTask")
    with pytest.raises(ProtocolError) as caught:
        await rds.inspections.create(Inspection(INSTANCES))
    assert caught.value.problem.delivered == "yes"


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("RUNNING", "running"),
        ("Pending", "running"),
        ("SUCCESS", "done"),
        ("finished", "done"),
        ("Failed", "failed"),
        ("timeout", "failed"),
        ("巡检中", "unknown"),
        ("", "unknown"),
    ],
)
def test_words_for_a_state_are_guessed(said: str, state: str) -> None:
    assert state_of(said) == state


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("02:00:00Z", time(2, tzinfo=UTC)),
        ("2:05Z", time(2, 5, tzinfo=UTC)),
        ("2026-11-20T23:59:59Z", time(23, 59, 59, tzinfo=UTC)),
        ("25:00:00Z", None),
        ("soon", None),
    ],
)
def test_times_of_day(text: str, clock: time | None) -> None:
    assert read_clock(text) == clock


def test_daily_wins_over_weekdays_and_odd_forms_are_taken() -> None:
    odd = Fields({"scheduledid": 7, "Name": "x\x1b[2J", "Frequency": "Monday, daily", "TimeRange": "900"})
    schedule = read_schedule(odd)
    assert (schedule.id, schedule.days, schedule.hours) == ("7", (), 24)
    assert "\x1b" not in schedule.name
    assert read_schedule(Fields({"Frequency": "sunday,Monday"})).days == ("Monday", "Sunday")


def test_levels_are_counted_where_the_summary_is_missing() -> None:
    items = [
        {"Name": "a", "Level": "NORMAL"},
        {"Name": "b", "Level": "Warn", "Data": [{"Key": "k", "Value": 3}]},
        {"Name": "c", "Level": "critical"},
    ]
    (one,) = read_report({"Data": [{"InstanceId": "rm-1", "Data": [{"Group": "g", "Items": items}]}]}).instances
    assert one.levels == Levels(normal=1, warning=1)
    assert one.groups[0].findings[1] == Finding("b", "warning", "Warn", "", (("k", "3"),))
    assert (one.groups[0].findings[2].level, one.groups[0].findings[2].said) == (None, "critical")
    assert (one.levels.worst, Levels().worst, Levels(1, 0, 2, 9).worst) == ("warning", None, "error")


def test_what_the_service_says_is_cleaned() -> None:
    entry = read_entry(Fields({"TaskId": "t\x1b]0;x\x07", "Status": "[bold]\u202eDONE"}))
    assert "\x1b" not in entry.task
    assert "\u202e" not in entry.said


def test_instances_out_of_any_text() -> None:
    assert instance_ids("rm-a1, rm-b2；rm-a1\npgm-c3") == ("rm-a1", "rm-b2", "pgm-c3")
    assert instance_ids("  ") == ()
    with pytest.raises(ValueError, match="rm_a"):
        instance_ids("rm-a1 rm_a?")


def test_what_is_wrong_with_a_schedule_is_known_before_it_is_sent() -> None:
    assert Schedule(name=" ", instances=INSTANCES).wrong() == "name"
    assert Schedule(name="x" * 65, instances=INSTANCES).wrong() == "long_name"
    assert Schedule(name="x", hours=169, instances=INSTANCES).wrong() == "hours"
    assert Schedule(name="x").wrong() == "instances"
    assert Schedule(name="x", id="s-1").wrong() is None
