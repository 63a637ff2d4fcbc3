"""Health reports and their schedules: the operations (protocol notes, sections 2.7 and 2.8)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from aiohttp import web

from tui.sandbox import inspection_texts
from tui.sandbox.call import Call, reply
from tui.sandbox.inspections import DAILY, DAY, Inspection, InspectionDesk, Schedule
from tui.sandbox.records import new_id
from tui.sandbox.refusals import Refusal, invalid_parameter
from tui.sandbox.wire import utc_moment, utc_text

T = TypeVar("T")

SECONDS = 6.0
"""How long an inspection takes at the natural pace."""
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LANGUAGES = ("zh-CN", "zh-TW", "en-US", "ja-JP")
_INSTANCE = re.compile(r"(?:rm|pgm|pxc|rr|pc)-[a-z0-9-]{3,40}$")


def _desk(call: Call) -> InspectionDesk:
    """The account's and everybody's inspections, schedules that are due included."""
    desk = call.world.part(InspectionDesk)
    desk.run_due(_seconds(call))
    return desk


def _now(call: Call) -> float:
    return call.world.seconds()


def _seconds(call: Call) -> float:
    asked = call.faults.number("inspection-seconds")
    return call.world.pace.pause(SECONDS) if asked is None else asked


# --- parameters --------------------------------------------------------------------------------------------------


def _refuse(call: Call) -> None:
    """What the switches refuse with, in this service's own codes."""
    if "user-order-invalid" in call.faults:
        raise Refusal(403, "InvalidUserOrder", "No valid order of the Professional Edition. (sandbox data)")
    if "permission-denied" in call.faults:
        raise Refusal(403, "PermissionDenied", "No right to inspect these instances. (sandbox data)")


def _instances(call: Call) -> list[str]:
    names = [part.strip() for part in call.text("InstanceIds").split(",") if part.strip()]
    if names == ["all"]:
        return list(inspection_texts.INVENTORY)
    if wrong := [name for name in names if not _INSTANCE.match(name)]:
        raise invalid_parameter(f"InstanceIds: {wrong[0]}")
    return list(dict.fromkeys(names))


def _items(call: Call) -> list[str]:
    items = [part.strip() for part in call.text("InspectionItems").split(",") if part.strip()]
    if wrong := [item for item in items if item not in inspection_texts.ITEMS]:
        raise invalid_parameter(f"InspectionItems: {wrong[0]}")
    return items


def _language(call: Call, default: str = "zh-CN") -> str:
    language = call.text("ReportLanguage", default)
    if language not in _LANGUAGES:
        raise invalid_parameter(f"ReportLanguage: {language}")
    return language


def _time(call: Call, name: str, default: float) -> float:
    text = call.text(name)
    if not text:
        return default
    try:
        return utc_moment(text).timestamp()
    except ValueError:
        raise invalid_parameter(f"{name} must look like 2026-01-02T03:04:05Z.") from None


def _frequency(call: Call, default: str) -> str:
    days = [part.strip() for part in call.text("Frequency", default).split(",") if part.strip()]
    if wrong := [day for day in days if day not in (DAILY, *_WEEKDAYS)]:
        raise invalid_parameter(f"Frequency: {wrong[0]}")
    return DAILY if DAILY in days else ",".join(days)


def _start(call: Call, default: str) -> str:
    text = call.text("StartTime", default)
    try:
        datetime.strptime(text, "%H:%M:%SZ")
    except ValueError:
        raise invalid_parameter("StartTime must look like 02:00:00Z.") from None
    return text


def _name(call: Call) -> str:
    name = call.required("Name")
    if len(name) > 64:
        raise invalid_parameter("Name has more than 64 characters.")
    return name


def _page(call: Call, entries: Sequence[T]) -> tuple[Sequence[T], dict[str, object]]:
    page = call.page(entries)
    return page.items, {"PageNumber": page.number, "PageSize": page.size, "TotalCount": page.total}


def _done(call: Call, fields: Mapping[str, object]) -> web.Response:
    """A reply with `Success`, which may be false in an answer with status 200."""
    if "success-false" in call.faults:
        return reply(call, {"Success": False, "Message": "The back end is busy. (sandbox data)"})
    return reply(call, {"Success": True, "Message": "success", **fields})


# --- reports -----------------------------------------------------------------------------------------------------


async def create_task(call: Call) -> web.Response:
    """Take an inspection in; its report is ready later."""
    _refuse(call)
    instances, items = _instances(call), _items(call)
    if not instances:
        raise invalid_parameter("InstanceIds is empty.")
    now = _now(call)
    begins, ends = _time(call, "StartTime", now - DAY), _time(call, "EndTime", now)
    if begins >= ends:
        raise invalid_parameter("StartTime is not before EndTime.")
    desk = _desk(call)
    report = Inspection(
        new_id(),
        call.account,
        instances,
        items,
        begins,
        ends,
        call.text("RegionId", "cn-hangzhou"),
        _language(call),
        now,
        now + _seconds(call),
        failed="inspection-fails" in call.faults,
    )
    if "success-false" not in call.faults:
        desk.inspections.save(report)
    return _done(call, {"Data": {"TaskId": report.id}})


def _status(call: Call, report: Inspection) -> str:
    """Words that are not published; a switch may give others."""
    running, done, failed = (call.faults.argument("inspection-words") or "RUNNING/SUCCESS/FAILED").split("/")
    if _now(call) < report.ready_at:
        return running
    return failed if report.failed else done


def _find(call: Call) -> Inspection:
    report = _desk(call).inspections.get(call.required("TaskId"))
    if report is None or report.account != call.account or "task-not-found" in call.faults:
        raise Refusal(404, "TaskNotFound", "The report does not exist or has expired. (sandbox data)")
    return report


async def get_report(call: Call) -> web.Response:
    """A report; texts of an instance only where that instance is named."""
    _refuse(call)
    report = _find(call)
    wanted = call.text("InstanceId")
    if wanted and wanted not in report.instances:
        raise invalid_parameter(f"InstanceId: {wanted}")
    ready = _now(call) >= report.ready_at and not report.failed
    chosen = [wanted] if wanted else report.instances
    data = [inspection_texts.instance_report(report, one, with_text=bool(wanted)) for one in chosen] if ready else []
    text = inspection_texts.summary(report) if ready and not wanted else ""
    return reply(
        call,
        {"TaskId": report.id, "MarkdownText": text, "TemplateId": "", "TemplateName": "sandbox", "Data": data},
    )


def _entries(call: Call, schedule: str) -> web.Response:
    since, until = _time(call, "StartTime", 0.0), _time(call, "EndTime", float("inf"))
    own = [
        report
        for report in _desk(call).inspections.values()
        if report.account == call.account
        and report.schedule == schedule
        and since <= report.created_at <= until
        and "late-reports" not in call.faults
    ]
    own.sort(key=lambda report: report.created_at, reverse=True)
    chosen, counts = _page(call, own)
    reports = [
        {
            "TaskId": report.id,
            "Status": _status(call, report),
            "CreatedTime": utc_text(report.created_at),
            "StartTime": utc_text(report.begins),
            "EndTime": utc_text(report.ends),
            "InspectionItems": ",".join(report.items),
            "RegionId": report.region,
            "ReportLanguage": report.language,
            "ReportType": call.text("ReportType", "RDS"),
        }
        for report in chosen
    ]
    return _done(call, {"Reports": reports, **counts})


async def list_reports(call: Call) -> web.Response:
    """The reports that no schedule made, newest first."""
    _refuse(call)
    return _entries(call, "")


async def list_scheduled_reports(call: Call) -> web.Response:
    """The reports of one schedule, newest first."""
    _refuse(call)
    return _entries(call, _find_schedule(call).id)


# --- schedules ---------------------------------------------------------------------------------------------------


def _find_schedule(call: Call) -> Schedule:
    schedule = _desk(call).schedules.get(call.required("ScheduledId"))
    if schedule is None or schedule.account != call.account:
        raise invalid_parameter("ScheduledId does not exist.")
    return schedule


async def create_schedule(call: Call) -> web.Response:
    _refuse(call)
    now = _now(call)
    schedule = Schedule(
        new_id(),
        call.account,
        _name(call),
        call.text("Description"),
        _instances(call),
        _items(call),
        _frequency(call, DAILY),
        _start(call, "02:00:00Z"),
        call.whole("TimeRange", 24, 1, 168),
        call.text("RegionId", "cn-hangzhou"),
        _language(call),
        now,
        now,
    )
    if "success-false" not in call.faults:
        _desk(call).schedules.save(schedule)
    return _done(call, {"ScheduledId": schedule.id})


async def modify_schedule(call: Call) -> web.Response:
    """Change what is given; all of it is checked first."""
    _refuse(call)
    schedule = _find_schedule(call)
    name = _name(call) if call.text("Name") else schedule.name
    instances, items = _instances(call) or schedule.instances, _items(call) or schedule.items
    frequency, start = _frequency(call, schedule.frequency), _start(call, schedule.start)
    hours, language = call.whole("TimeRange", schedule.hours, 1, 168), _language(call, schedule.language)
    if "success-false" not in call.faults:
        schedule.name, schedule.description = name, call.text("Description", schedule.description)
        schedule.instances, schedule.items, schedule.frequency = instances, items, frequency
        schedule.start, schedule.hours, schedule.language = start, hours, language
        _desk(call).schedules.save(schedule)
    return _done(call, {})


async def delete_schedule(call: Call) -> web.Response:
    _refuse(call)
    schedule = _find_schedule(call)
    if "success-false" not in call.faults:
        _desk(call).schedules.remove(schedule)  # its reports stay
    return _done(call, {})


async def list_schedules(call: Call) -> web.Response:
    _refuse(call)
    wanted = call.text("ScheduledId")
    own = [
        schedule
        for schedule in _desk(call).schedules.values()
        if schedule.account == call.account and wanted in ("", schedule.id)
    ]
    chosen, counts = _page(call, own)
    schedules = [
        {
            "ScheduledId": schedule.id,
            "Name": schedule.name,
            "Description": schedule.description,
            "Frequency": schedule.frequency,
            "InstanceCount": len(schedule.instances),
            "TaskStartTime": schedule.start,
            "TimeRange": str(schedule.hours),
            "CreateTime": utc_text(schedule.created_at),
            "InspectionItems": ",".join(schedule.items),
            "RegionId": schedule.region,
            "ReportLanguage": schedule.language,
            "ReportType": "RDS",
        }
        for schedule in chosen
    ]
    return _done(call, {"Schedules": schedules, **counts})


async def list_scheduled_instances(call: Call) -> web.Response:
    _refuse(call)
    schedule = _find_schedule(call)
    chosen, counts = _page(call, schedule.instances)
    instances = []
    for instance in chosen:
        description, engine = inspection_texts.describe(instance)
        instances.append(
            {
                "InstanceId": instance,
                "InstanceDesc": description,
                "EngineType": engine,
                "Region": schedule.region,
                "Status": "Running",
            }
        )
    return _done(call, {"Instances": instances, **counts})
