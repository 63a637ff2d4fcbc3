"""The part of the health screen that reads: a report's instances with their levels, and the text of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from textual import on, work
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from screens.transcript_requests import TranscriptScreen
from tui.health import total
from tui.models import TextBlock, Turn
from tui.services.errors import ServiceError
from tui.services.rds_reports import FindingGroup, InstanceReport, Report, ReportEntry
from tui.widgets.choices import Choices
from tui.widgets.find_bar import FindBar
from tui.widgets.health_words import instance_line, items_words, level_name, levels_line, span_words
from tui.widgets.transcript import Transcript
from tui.words import _


class InstanceList(Choices):
    """The instances of a report."""

    BINDING_GROUP_TITLE = "Instances"


class ReportText(Transcript):
    """A report's text: what asks or rates does not work on it."""

    BINDING_GROUP_TITLE = "Report"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("retry", "edit_resend", "quote", "rate", "details", "stop", "compose"):
            return False
        return super().check_action(action, parameters)


class HealthReading(TranscriptScreen):
    """A screen with a report in its right half."""

    instance_list = query_one("#instances", InstanceList)

    reading = False
    """A report is open."""
    _entry: ReportEntry | None = None
    _report: Report | None = None

    def __init__(self) -> None:
        super().__init__()
        self._read: set[str] = set()
        """Keys of the texts that were shown already."""

    def compose_report(self) -> Iterable[Widget]:
        """The right half."""
        transcript = ReportText(id="text")
        transcript.ascii_only = self.app.settings.ascii
        transcript.empty_text = _("Enter reads the report of an instance.")
        yield Vertical(
            Static(id="report-title", markup=False),
            InstanceList(id="instances"),
            transcript,
            FindBar(id="find"),
            id="right",
        )

    def reading_changed(self, focus: Widget) -> None:
        """Told when a report was opened or closed; `focus` is where the keys go now."""
        raise NotImplementedError

    def reading_hints(self) -> list[tuple[str, str]]:
        """The keys that matter while a report has the focus."""
        if self.find_bar.has_focus_within:
            return [("Enter", _("then n and N go on"))]
        if self.focused is self.transcript:
            return [("y", _("copy")), ("w", _("save")), ("Y", _("blocks")), ("3", _("instances"))]
        return [("Enter", _("its text")), ("1", _("reports"))]

    def stop_reading(self, focus: Widget) -> None:
        """Back to the lists, at narrow widths in the report's place."""
        self.reading = False
        self.reading_changed(focus)

    # --- a report ------------------------------------------------------------------------------------------

    @work(group="report", exclusive=True)
    async def read_report(self, entry: ReportEntry) -> None:
        """Open a report: its instances, and where there is only one its text."""
        self._entry, self._report = entry, None
        self.reading = True
        self.reading_changed(self.instance_list)
        self.instance_list.clear_options()
        self._show_text("", entry.task)
        title = self.query_one("#report-title", Static)
        title.update(_("Loading …"))
        try:
            report = await self.app.health.report(entry.task)
        except ServiceError as error:
            problem = error.problem
            title.update("\n".join(part for part in (problem.title, problem.sentence) if part))
            self.app.show_problem(problem)
            return
        self._report = report
        title.update(self._title(entry, report))
        if not report.instances:
            self._show_text(report.markdown or self._nothing(entry), entry.task, _("All instances"))
            return
        # The worst first: that is what one came for.
        ordered = sorted(report.instances, key=lambda one: (-one.levels.error, -one.levels.warning))
        self._report = replace(report, instances=tuple(ordered))
        cells = max(len(one.instance) for one in ordered) + 2
        self.instance_list.add_options(Option(instance_line(one, cells)) for one in ordered)
        self.instance_list.highlighted = 0
        self._show_text(report.markdown, entry.task, _("All instances"))
        if len(ordered) == 1:
            self.read_instance(ordered[0])
        self.app.health_changed.publish(None)

    def _nothing(self, entry: ReportEntry) -> str:
        if entry.state == "running":
            return _("It is being made. R looks again; you are told when it is ready.")
        if entry.state == "failed":
            return _("The inspection failed: the service has no report.")
        return _("The service has no text for this report.")

    def _title(self, entry: ReportEntry, report: Report) -> Content:
        facts = [
            span_words(entry.begins, entry.ends),
            entry.region,
            items_words(entry.items),
            _("{count} instances").format(count=len(report.instances)) if report.instances else "",
        ]
        line = Content(" · ".join(fact for fact in facts if fact))
        return Content("\n").join([line, levels_line(total(report))]) if report.instances else line

    # --- an instance ---------------------------------------------------------------------------------------

    @on(OptionList.OptionSelected, "#instances")
    def _instance_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self._report is not None:
            self.read_instance(self._report.instances[event.option_index])

    @work(group="instance", exclusive=True)
    async def read_instance(self, one: InstanceReport) -> None:
        """The text of one instance, which comes only when it is asked for by its id."""
        entry = self._entry
        assert entry is not None
        try:
            report = await self.app.health.report(entry.task, one.instance)
        except ServiceError as error:
            self.app.show_problem(error.problem)
            return
        if entry is not self._entry:
            return  # another report was opened meanwhile
        found = next((held for held in report.instances if held.instance == one.instance), one)
        heading = "  ".join(part for part in (one.instance, one.engine, one.description) if part)
        self._show_text(found.markdown or _findings(found.groups), f"{entry.task}:{one.instance}", heading)
        self.transcript.focus()

    def _show_text(self, markdown: str, key: str, heading: str = "") -> None:
        """Show Markdown as an answer under `heading`, so that all of the transcript's keys work on it."""
        made_at = (self._entry.created_at if self._entry else None) or self.app.now()
        turn = Turn(key, heading, made_at, state="done", blocks=(TextBlock(markdown),))
        self.transcript.show([turn] if markdown else [], key=key)
        if markdown and key not in self._read:  # a text that was read before stands where it was left
            self._read.add(key)
            self.transcript.scroll_to_turn(turn.id)

    # --- the transcript asks -------------------------------------------------------------------------------

    def copied(self, what: str) -> str:
        return _("the report")

    def file_name(self, suggested: str) -> str:
        return suggested.replace("answer", "health-report", 1)


def _findings(groups: tuple[FindingGroup, ...]) -> str:
    """The checks as Markdown, for an instance whose text the service left out."""
    lines: list[str] = []
    for group in groups:
        lines += [f"## {group.name}", ""]
        for one in group.findings:
            level = level_name(one.level) if one.level else one.said
            values = ", ".join(f"{name} {value}" for name, value in one.values)
            text = " ".join(part for part in (one.message, f"({values})" if values else "") if part)
            lines.append(f"- **{one.name}** · {level}: {text}")
        lines.append("")
    return "\n".join(lines)
