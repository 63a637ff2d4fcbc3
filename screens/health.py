"""Health reports: what was found at a glance, each instance's text, and the schedules that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import DescendantFocus, Resize
from textual.getters import query_one
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from screens.dialogs import answer_of
from screens.health_forms import InspectionForm, ScheduleForm, inspection_of, schedule_of
from screens.health_reading import HealthReading
from tui.contract import Context
from tui.services.errors import ServiceError
from tui.services.rds_reports import DEFAULT_START, REPORT_LANGUAGES, Schedule
from tui.widgets.choices import Choices
from tui.widgets.context_bar import ContextBar
from tui.widgets.health_words import entry_line, schedule_line
from tui.widgets.hints import HintLine
from tui.words import _

if TYPE_CHECKING:
    from tui.models import Problem

WIDE = 100
PERIODS = (7, 30, 90, 0)
"""Days of which reports are listed; 0: all."""


class ReportList(Choices):
    """The reports by date, newest first."""

    BINDING_GROUP_TITLE = "Health reports"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "screen.period", "period", id="health.period", show=False, tooltip="Reports of how many days"),
    ]


class ScheduleList(Choices):
    """What the service inspects by itself."""

    BINDING_GROUP_TITLE = "Schedules"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "screen.edit_schedule", "change", id="health.edit", show=False, tooltip="Change this schedule"),
        Binding("d", "screen.delete_schedule", "delete", id="health.delete", show=False, tooltip="Delete; asks first"),
    ]


class HealthScreen(HealthReading):
    """Reports and schedules at the left, a report at the right; at narrow widths one of them."""

    CSS_PATH = "health.tcss"
    AUTO_FOCUS = "ReportList"
    BINDING_GROUP_TITLE = "Health"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "back", id="health.back", show=False, tooltip="Back: to the lists, then out"),
        Binding("i,n", "inspect", "inspect", id="health.inspect", show=False, tooltip="Inspect instances now"),
        Binding("s", "new_schedule", "schedule", id="health.schedule", show=False, tooltip="A new schedule"),
        Binding("R", "refresh", "refresh", id="health.refresh", show=False, tooltip="Read the lists anew"),
        Binding("1", "go('reports')", "reports", id="health.reports", show=False, tooltip="To the reports"),
        Binding("2", "go('schedules')", "schedules", id="health.schedules", show=False, tooltip="To the schedules"),
        Binding("3", "go('instances')", "instances", id="health.instances", show=False, tooltip="To the instances"),
        Binding("4", "go('text')", "text", id="health.text", show=False, tooltip="To the report's text"),
    ]

    report_list = query_one("#reports", ReportList)
    schedule_list = query_one("#schedules", ScheduleList)

    def __init__(self, instances: str = "", region: str = "") -> None:
        """`instances`: ids that an inspection is offered for; `region`: where they are."""
        super().__init__()
        self._instances = instances
        self._region = region
        self._period = PERIODS[1]
        self._problem: Problem | None = None
        self._loaded = False
        self._shown: list[str] = []
        self._schedules: list[str] = []

    # --- layout --------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield ContextBar(id="context")
        with Horizontal(id="panes"):
            with Vertical(id="lists"):
                yield Static(id="reports-title", classes="heading", markup=False)
                yield Static(id="reports-empty", classes="empty", markup=False)
                yield ReportList(id="reports")
                yield Static(id="schedules-title", classes="heading", markup=False)
                yield Static(id="schedules-empty", classes="empty", markup=False)
                yield ScheduleList(id="schedules")
            yield from self.compose_report()
        yield HintLine(id="hints")

    def on_mount(self) -> None:
        self.app.health_changed.subscribe(self, lambda _none: self.show_lists())
        self.app.context_changed.subscribe(self, self._context_changed)
        self._place(self.app.size.width)
        self._context_changed(self.app.context)
        self.action_refresh()

    def _context_changed(self, context: Context) -> None:
        bar = self.query_one(ContextBar)
        bar.context = context
        bar.subject = _("Health reports")
        self.show_lists()
        self._update_hints()

    def on_resize(self, event: Resize) -> None:
        self._place(event.size.width)

    def _place(self, width: int) -> None:
        self.set_class(width < WIDE, "-narrow")
        self.query_one("#lists").display = width >= WIDE or not self.reading
        self.query_one("#right").display = width >= WIDE or self.reading

    def reading_changed(self, focus: Widget) -> None:
        # The pane that hides must not have the focus: Textual would give it to the next one.
        for pane in self.query("#lists, #right"):
            pane.display = True
        self.set_focus(focus)
        self._place(self.app.size.width)

    @on(DescendantFocus)
    def _update_hints(self) -> None:
        if self.focused is self.schedule_list:
            hints = [("e", _("change")), ("d", _("delete")), ("s", _("new")), ("Enter", _("its reports"))]
        elif self.focused in (self.report_list, None):
            hints = [("Enter", _("read")), ("i", _("inspect…")), ("s", _("schedule…")), ("t", _("period"))]
        else:
            hints = self.reading_hints()
        typing = isinstance(self.focused, Input)
        back = _("end the search") if typing else _("back")
        self.query_one(HintLine).hints = [*hints, ("Esc", back), ("F1" if typing else "?", _("more"))]

    # --- lists ---------------------------------------------------------------------------------------------

    def show_lists(self) -> None:
        """Show reports and schedules as they are known."""
        self._show_reports()
        self._show_schedules()

    def _show_reports(self) -> None:
        period = _("all") if not self._period else _("{count} days").format(count=self._period)
        self.query_one("#reports-title", Static).update(_("1 Reports · {period}").format(period=period))
        health, ascii_only = self.app.health, self.app.settings.ascii
        entries = health.entries
        ids = [entry.task for entry in entries]
        lines = [entry_line(entry, health.levels(entry.task), ascii_only=ascii_only) for entry in entries]
        _fill(self.report_list, ids, self._shown, lines)
        self._shown = ids
        empty = self.query_one("#reports-empty", Static)
        empty.display = not entries or self._problem is not None
        if self._problem is not None:
            problem = self._problem
            empty.update("\n".join(part for part in (problem.title, problem.sentence, problem.remedy) if part))
        elif self._loaded:
            empty.update(_("No report in this time. i inspects instances now, s lets the service do it by itself."))
        else:
            empty.update(_("Loading …"))

    def _show_schedules(self) -> None:
        self.query_one("#schedules-title", Static).update(_("2 Schedules"))
        schedules, today = self.app.health.schedules, self.app.now().astimezone().date()
        ids = [one.id for one in schedules]
        _fill(self.schedule_list, ids, self._schedules, [schedule_line(one, today) for one in schedules])
        self._schedules = ids
        empty = self.query_one("#schedules-empty", Static)
        empty.display = not schedules
        empty.update(_("None; s makes one.") if self._loaded else "")

    @work(group="health", exclusive=True)
    async def action_refresh(self) -> None:
        try:
            await self.app.health.refresh(self._period)
            self._problem = None
        except ServiceError as error:
            self._problem = error.problem
        self._loaded = True
        self.show_lists()

    def action_period(self) -> None:
        self._period = PERIODS[(PERIODS.index(self._period) + 1) % len(PERIODS)]
        self._loaded = False
        self.show_lists()
        self.action_refresh()

    def action_go(self, part: str) -> None:
        if part in ("reports", "schedules"):
            self.stop_reading(self.query_one(f"#{part}"))
        elif self.reading or self.size.width >= WIDE:
            self.query_one(f"#{part}").focus()

    def action_back(self) -> None:
        """From the text to the instances, to the lists, and out."""
        if self.end_search():
            return
        if self.focused is self.transcript:
            self.instance_list.focus()
        elif self.focused is self.instance_list:
            self.stop_reading(self.report_list)
        else:
            self.dismiss(None)

    # --- reports -------------------------------------------------------------------------------------------

    @on(OptionList.OptionSelected, "#reports")
    def _report_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        entry = next((one for one in self.app.health.entries if one.task == self._shown[event.option_index]), None)
        if entry is not None:
            self.read_report(entry)

    @work(group="inspect", exclusive=True)
    async def action_inspect(self) -> None:
        if self._locked():
            return
        options = {
            "instances": self._instances,
            "region": self._region or self.app.context.region,
            "language": self._language(),
        }
        found = await self.app.push_screen_wait(InspectionForm({**options, "hours": "24"}))
        if found is not None:
            self._instances = found.get("instances", "")
            try:
                await self.app.health.inspect(inspection_of(found, self.app.now()))
            except ServiceError as error:
                self.app.show_problem(error.problem)
            else:
                self.app.notify(_("Ordered; you are told when the report is ready."))

    def _language(self) -> str:
        language = self.app.question_options("rds").get("language", "")
        return language if language in REPORT_LANGUAGES else REPORT_LANGUAGES[0]

    def _locked(self) -> bool:
        """Whether nothing may be ordered or changed here; says so."""
        if self.app.context.read_only:
            self.app.notify(_("This profile is read-only: nothing is ordered or changed."), severity="warning")
        return self.app.context.read_only

    # --- schedules -----------------------------------------------------------------------------------------

    @property
    def _schedule(self) -> Schedule | None:
        index = self.schedule_list.highlighted
        wanted = self._schedules[index] if index is not None and index < len(self._schedules) else ""
        return next((one for one in self.app.health.schedules if one.id == wanted), None)

    @on(OptionList.OptionSelected, "#schedules")
    def _schedule_selected(self, event: OptionList.OptionSelected) -> None:
        """Its newest report."""
        event.stop()
        schedule = self._schedule
        entries = [one for one in self.app.health.entries if schedule and one.schedule == schedule.id]
        if entries:
            self.report_list.highlighted = self._shown.index(entries[0].task)
            self.report_list.focus()
            self.read_report(entries[0])
        else:
            self.app.notify(_("It has made no report in this time."))

    @work(group="schedule", exclusive=True)
    async def action_new_schedule(self) -> None:
        if self._locked():
            return
        empty = Schedule(
            instances=tuple(self._instances.split()),
            start=DEFAULT_START,
            language=self._language(),
            region=self._region or self.app.context.region,
        )
        await self._edit(empty)

    @work(group="schedule", exclusive=True)
    async def action_edit_schedule(self) -> None:
        schedule = self._schedule
        if schedule is None or self._locked():
            return
        try:
            schedule = await self.app.health.with_instances(schedule)
        except ServiceError as error:
            self.app.show_problem(error.problem)
        else:
            await self._edit(schedule)

    async def _edit(self, schedule: Schedule) -> None:
        options: dict[str, str] | None = None
        while True:
            form = ScheduleForm(schedule, self.app.now().astimezone().date())
            form.options = options or form.options
            options = await answer_of(self.app, form)
            if options is None:
                return
            try:
                await self.app.health.save_schedule(schedule_of(options, schedule))
            except ServiceError as error:
                self.app.show_problem(error.problem)  # and the form comes again, with what was typed
            else:
                self.app.notify(_("The schedule is saved."))
                self.schedule_list.focus()
                return

    def action_delete_schedule(self) -> None:
        schedule = self._schedule
        if schedule is None or self._locked():
            return

        async def delete() -> None:
            try:
                await self.app.health.delete_schedule(schedule.id)
            except ServiceError as error:
                self.app.show_problem(error.problem)

        lines = [_("The service inspects no more by it. What becomes of its reports, the service does not say.")]
        self.app.confirm(_("Delete the schedule “{name}”?").format(name=schedule.name), lines, _("delete it"), delete)


def _fill(choices: Choices, ids: list[str], before: list[str], lines: list[Content]) -> None:
    """Show the lines, and stay on the entry that was highlighted."""
    held = before[choices.highlighted] if choices.highlighted is not None and choices.highlighted < len(before) else ""
    if ids == before:
        for number, line in enumerate(lines):
            choices.replace_option_prompt_at_index(number, line)
        return
    choices.clear_options()
    choices.add_options(Option(line) for line in lines)
    if ids:
        choices.highlighted = ids.index(held) if held in ids else 0
