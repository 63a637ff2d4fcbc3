"""The capacity planner: what so many packages carry, and what they cost by the list."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.getters import app as app_getter
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets.option_list import Option

from screens.dialogs import TextDialog, answer_of
from tui.contract import YunliaoApi
from tui.integrations.capacity import DURATIONS, MOST_PACKAGES, Capacity, capacity_for
from tui.widgets.choices import Choices
from tui.widgets.context_bar import service_bar
from tui.widgets.hints import HintLine
from tui.words import _

CELLS = (9, 14, 16, 14, 12)
BILLION = 1_000_000_000


class CapacityScreen(Screen[None]):
    """One line for each number of packages; the price is that of the chosen duration."""

    CSS_PATH = "integrations.tcss"
    AUTO_FOCUS = "Choices"
    BINDING_GROUP_TITLE = "Capacity"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,h", "close", "close", id="capacity.close"),
        Binding("m", "duration", "months", id="capacity.duration", show=False, tooltip="The next duration"),
        Binding("t", "tasks", "tasks", id="capacity.tasks", show=False, tooltip="What is needed: questions at once"),
        Binding("b", "tokens", "tokens", id="capacity.tokens", show=False, tooltip="What is needed: tokens a day"),
        Binding("y,c", "copy", "copy", id="capacity.copy", show=False, tooltip="Copy this line"),
    ]

    app = app_getter(YunliaoApi)

    def __init__(self) -> None:
        super().__init__()
        self._months = DURATIONS[0]
        self._tasks = 0
        self._tokens = 0.0

    def compose(self) -> ComposeResult:
        yield service_bar(self.app.context, None, _("Capacity of the Professional Edition"))
        yield Static(id="table", markup=False)
        yield Choices(*(Option(Content(self._line(count)), id=str(count)) for count in range(MOST_PACKAGES + 1)))
        yield Static(id="help", markup=False)
        yield HintLine(
            [
                ("t", _("questions at once")),
                ("b", _("tokens a day")),
                ("m", _("duration")),
                ("y", _("copy")),
                ("Esc", _("close")),
            ]
        )

    def on_mount(self) -> None:
        self._redraw()

    def _line(self, packages: int) -> str:
        capacity = Capacity(packages)
        cells = (
            str(packages),
            str(capacity.tasks),
            _("{number} billion").format(number=f"{capacity.tokens_a_day / BILLION:g}"),
            f"{capacity.price('CNY', self._months):,}",
            f"{capacity.price('USD', self._months):,}",
        )
        return _columns(cells)

    def _redraw(self) -> None:
        heads = (_("packages"), _("at once"), _("tokens a day"), "CNY", "USD")
        self.query_one("#table", Static).update(Content(_columns(heads)))
        choices = self.query_one(Choices)
        for packages in range(MOST_PACKAGES + 1):
            choices.replace_option_prompt(str(packages), Content(self._line(packages)))
        needed = capacity_for(self._tasks, round(self._tokens * BILLION))
        lines = []
        if self._tasks or self._tokens:
            parts = [_("{count} questions at once").format(count=self._tasks)] if self._tasks else []
            if self._tokens:
                parts.append(_("{number} billion tokens a day").format(number=f"{self._tokens:g}"))
            wanted = ", ".join(parts)
            if needed is None:
                lines.append(_("{wanted}: more than is sold.").format(wanted=wanted))
            else:
                lines.append(_("{wanted}: {count} packages.").format(wanted=wanted, count=needed.packages))
                choices.highlighted = needed.packages
        lines.append(
            _("List price for {months} months; no discount is known.").format(months=self._months)
            if self._months > 1
            else _("List price for one month; no discount is known.")
        )
        lines.append(_("The Standard Edition is free while in public preview: 1 million tokens a month."))
        self.query_one("#help", Static).update(Content("\n".join(lines)))

    def action_duration(self) -> None:
        self._months = DURATIONS[(DURATIONS.index(self._months) + 1) % len(DURATIONS)]
        self._redraw()

    @work(group="ask", exclusive=True)
    async def action_tasks(self) -> None:
        found = await self._number(_("Questions at once"), str(self._tasks or ""))
        if found is not None:
            self._tasks = int(found)
            self._redraw()

    @work(group="ask", exclusive=True)
    async def action_tokens(self) -> None:
        found = await self._number(_("Tokens a day, in billions"), f"{self._tokens:g}" if self._tokens else "")
        if found is not None:
            self._tokens = found
            self._redraw()

    async def _number(self, title: str, held: str) -> float | None:
        text = await answer_of(self.app, TextDialog(title, held, verb=_("work it out"), allow_empty=True))
        if text is None:
            return None
        try:
            number = float(text.replace(",", "") or 0)
        except ValueError:
            number = -1
        if not 0 <= number < 1_000_000:
            self.app.notify(_("Write a number, for example 12."), severity="warning")
            return None
        return number

    def action_copy(self) -> None:
        packages = self.query_one(Choices).highlighted or 0
        capacity = Capacity(packages)
        text = _("{count} packages: {tasks} at once, {tokens} tokens a day, CNY {cny} or USD {usd} for {months} months")
        self.app.copy_text(
            text.format(
                count=packages,
                tasks=capacity.tasks,
                tokens=f"{capacity.tokens_a_day:,}",
                cny=f"{capacity.price('CNY', self._months):,}",
                usd=f"{capacity.price('USD', self._months):,}",
                months=self._months,
            ),
            _("the line"),
        )

    def action_close(self) -> None:
        self.app.pop_screen()


def _columns(cells: tuple[str, ...]) -> str:
    """Right-aligned, Chinese heads too."""
    return "".join(" " * max(1, width - cell_len(cell)) + cell for cell, width in zip(cells, CELLS, strict=True))
