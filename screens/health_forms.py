"""What an inspection looks at, and when a schedule makes one: a line a field; Enter changes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from screens.dialogs import ChooseDialog, TextDialog
from screens.option_rows import OptionsDialog
from screens.picking import PickDialog
from tui.services.rds_reports import (
    DEFAULT_START,
    HOURS,
    ITEMS,
    REPORT_LANGUAGES,
    WEEKDAYS,
    Inspection,
    Schedule,
    instance_ids,
    read_clock,
)
from tui.text import clean_line
from tui.widgets.copilot_words import REGIONS, language_name
from tui.widgets.health_words import clock_words, day_name, day_shift, days_words, item_name, items_words, local_clock
from tui.widgets.pickers import PickItem
from tui.words import _

SPANS = ("1", "6", "24", "72", "168")
"""Hours that an inspection may look back."""


class _HealthForm(OptionsDialog):
    """Fields that inspections and schedules share."""

    BINDING_GROUP_TITLE = "Health"

    def label(self, name: str) -> str:
        return {
            "instances": _("instances"),
            "items": _("checks"),
            "hours": _("looks back"),
            "region": _("region"),
            "language": _("report in"),
            "name": _("name"),
            "description": _("description"),
            "days": _("days"),
            "start": _("at"),
        }[name]

    def value(self, name: str) -> str:
        value = self.options.get(name, "")
        match name:
            case "instances":
                return value or _("none yet: their ids, or all")
            case "items":
                return items_words(_parts(value))
            case "hours":
                return hours_words(int(value or 24))
            case "language":
                return language_name(value) if value else _("as the service has it")
        return value or "–"

    async def change(self, name: str) -> None:
        match name:
            case "instances":
                await self._change_instances()
            case "items":
                held = _parts(self.options.get("items", "")) or ITEMS
                picked = await self.app.push_screen_wait(
                    PickDialog(_("Checks"), [PickItem(item, item_name(item), item) for item in ITEMS], held)
                )
                if picked is not None:
                    self.set(items="" if len(picked) == len(ITEMS) else ",".join(picked))
            case "region":
                values = [*dict.fromkeys([self.options.get("region", ""), *REGIONS])]
                await self.choose(name, values, [(value, "") for value in values])
            case "language":
                await self.choose(name, REPORT_LANGUAGES, [(language_name(one), "") for one in REPORT_LANGUAGES])
            case _:
                typed = await self._typed(self.label(name), self.options.get(name, ""), allow_empty=True)
                if typed is not None:
                    self.set(**{name: typed.strip()})

    async def _typed(
        self, title: str, value: str, lines: Sequence[str] = (), *, allow_empty: bool = False
    ) -> str | None:
        dialog = TextDialog(title, value, lines, verb=_("use"), allow_empty=allow_empty)
        return await self.app.push_screen_wait(dialog)

    async def _change_instances(self) -> None:
        text = self.options.get("instances", "")
        lines = [_("Ids with spaces or commas between them, or: all")]
        while True:
            typed = await self._typed(_("Instances"), text, lines)
            if typed is None:
                return
            try:
                self.set(instances=" ".join(instance_ids(typed)))
                return
            except ValueError as error:
                text = typed
                lines = [_("{text} is not the id of an instance.").format(text=clean_line(str(error), 60))]

    def _warn(self, text: str) -> None:
        self.app.notify(text, severity="warning", markup=False)


class InspectionForm(_HealthForm):
    """What is to be inspected now; the answer is the form's options, see `inspection_of`."""

    def __init__(self, options: dict[str, str]) -> None:
        lines = [_("The service looks at these instances and writes a report for each.")]
        fields = ("instances", "items", "hours", "region", "language")
        super().__init__(_("Inspect instances"), lines, fields, options, _("inspect"))

    async def change(self, name: str) -> None:
        if name == "hours":
            await self.choose(name, SPANS, [(hours_words(int(span)), "") for span in SPANS])
        else:
            await super().change(name)

    def action_take(self) -> None:
        if not self.options.get("instances", "").strip():
            self._warn(_("No instance is named."))
        else:
            super().action_take()


class ScheduleForm(_HealthForm):
    """A schedule, new or as it is; the answer is the form's options, see `schedule_of`."""

    def __init__(self, schedule: Schedule, today: date) -> None:
        fields = ("name", "instances", "days", "start", "hours", "items", "language", "region", "description")
        title = _("Change this schedule") if schedule.id else _("A new schedule")
        lines = [_("Days and time are kept in UTC by the service.")]
        super().__init__(title, lines, fields, _options_of(schedule), _("save"))
        self._schedule = schedule
        self._today = today

    def fixed(self, name: str) -> str:
        return _("The region of a schedule stays.") if name == "region" and self._schedule.id else ""

    def value(self, name: str) -> str:
        if name == "days":
            return days_words(_parts(self.options.get("days", "")))
        if name == "start":
            start = read_clock(self.options.get("start", "")) or DEFAULT_START
            words = clock_words(start, self._today)
            shift = day_shift(start, self._today)
            if not shift or not self.options.get("days"):
                return words
            return words + "  " + (_("(a day later here)") if shift > 0 else _("(a day earlier here)"))
        return super().value(name)

    async def change(self, name: str) -> None:
        match name:
            case "days":
                held = _parts(self.options.get("days", "")) or WEEKDAYS
                items = [PickItem(day, day_name(day)) for day in WEEKDAYS]
                picked = await self.app.push_screen_wait(PickDialog(_("Days"), items, held))
                if picked is not None:
                    self.set(days="" if len(picked) in (0, len(WEEKDAYS)) else ",".join(picked))
            case "start":
                await self._change_start()
            case "hours":
                await self._change_hours()
            case _:
                await super().change(name)

    async def _change_start(self) -> None:
        held = read_clock(self.options.get("start", "")) or DEFAULT_START
        local = local_clock(held, self._today)
        lines = [_("Hours and minutes, in the time zone {zone}.").format(zone=local.tzname() or "UTC")]
        typed = await self._typed(_("At what time"), f"{local:%H:%M}", lines)
        wanted = read_clock(typed) if typed else None
        if typed and wanted is None:
            self._warn(_("{text} is no time of day.").format(text=clean_line(typed, 20)))
        elif wanted is not None:
            moment = datetime.combine(self._today, wanted.replace(tzinfo=None)).astimezone().astimezone(UTC)
            self.set(start=f"{moment:%H:%M:%S}Z")

    async def _change_hours(self) -> None:
        values = [*SPANS, "?"]
        words = [(hours_words(int(span)), "") for span in SPANS]
        held = self.options.get("hours", "24")
        found = await self.app.push_screen_wait(
            ChooseDialog(
                self.label("hours"), [*words, (_("another…"), "")], values.index(held) if held in values else 5
            )
        )
        if found is not None and found < len(SPANS):
            self.set(hours=SPANS[found])
        elif found is not None:
            typed = (await self._typed(_("Hours, from 1 to 168"), held) or "").strip()
            if typed.isdecimal() and int(typed) in HOURS:
                self.set(hours=str(int(typed)))
            elif typed:
                self._warn(_("From 1 to 168 hours."))

    def action_take(self) -> None:
        wrong = schedule_of(self.options, self._schedule).wrong()
        said = {
            "name": _("The schedule needs a name."),
            "long_name": _("A name has 64 characters at most."),
            "instances": _("No instance is named."),
            "hours": _("From 1 to 168 hours."),
        }
        if wrong:
            self._warn(said[wrong])
        else:
            super().action_take()


def hours_words(hours: int) -> str:
    if hours % 24 == 0 and hours > 24:
        return _("{count} days").format(count=hours // 24)
    return _("{count} hours").format(count=hours) if hours != 1 else _("one hour")


def inspection_of(options: dict[str, str], now: datetime) -> Inspection:
    """The order that the form's options make; 24 hours are the service's own default, and need no times."""
    hours = int(options.get("hours", "24"))
    return Inspection(
        instances=tuple(options.get("instances", "").split()),
        items=_parts(options.get("items", "")),
        begins=now - timedelta(hours=hours) if hours != 24 else None,
        ends=now if hours != 24 else None,
        region=options.get("region", ""),
        language=options.get("language", ""),
    )


def schedule_of(options: dict[str, str], before: Schedule) -> Schedule:
    """`before` as the form's options make it."""
    return replace(
        before,
        name=options.get("name", ""),
        description=options.get("description", ""),
        instances=tuple(options.get("instances", "").split()),
        days=_parts(options.get("days", "")),
        start=read_clock(options.get("start", "")) or DEFAULT_START,
        hours=int(options.get("hours", "24")),
        items=_parts(options.get("items", "")),
        language=options.get("language", ""),
        region=options.get("region", ""),
    )


def _options_of(schedule: Schedule) -> dict[str, str]:
    return {
        "name": schedule.name,
        "description": schedule.description,
        "instances": " ".join(schedule.instances),
        "days": ",".join(schedule.days),
        "start": f"{schedule.start:%H:%M:%S}Z",
        "hours": str(schedule.hours),
        "items": ",".join(schedule.items),
        "language": schedule.language,
        "region": schedule.region,
    }


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)
