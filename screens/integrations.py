"""The systems around RDS Copilot, one line each: how far each is set up."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import ScreenResume
from textual.getters import app as app_getter
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.contract import YunliaoApi
from tui.integrations.guides import Guide, guides
from tui.widgets.choices import Choices
from tui.widgets.context_bar import service_bar
from tui.widgets.conversation_line import fit
from tui.widgets.hints import HintLine
from tui.words import _

TITLE_CELLS = 30


class IntegrationsScreen(Screen[None]):
    """Enter opens the checklist of a system."""

    CSS_PATH = "integrations.tcss"
    AUTO_FOCUS = "Choices"
    BINDING_GROUP_TITLE = "Integrations"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,h", "close", "close", id="integrations.close"),
        Binding("l", "open", "open", id="integrations.open", show=False, tooltip="Open the checklist"),
    ]

    app = app_getter(YunliaoApi)

    def compose(self) -> ComposeResult:
        yield service_bar(self.app.context, None, _("Integrations"))
        yield Choices(*(Option(self._row(guide), id=guide.id) for guide in guides()))
        yield Static(id="help", markup=False)
        yield HintLine([("Enter", _("open")), ("Esc", _("close")), ("?", _("more"))])

    @work(exclusive=True)
    async def on_mount(self) -> None:
        try:
            await self.app.integrations.load()
        except OSError as error:
            self.app.notify(
                _("What was ticked cannot be read: {reason}").format(reason=error.strerror),
                severity="warning",
                markup=False,
            )
        self._show_progress()

    @on(ScreenResume)
    def _show_progress(self) -> None:
        choices = self.query_one(Choices)
        for guide in guides():
            choices.replace_option_prompt(guide.id, self._row(guide))

    def _row(self, guide: Guide) -> Content:
        done, count = self.app.integrations.done(guide), len(guide.steps)
        ascii_only = self.app.settings.ascii
        mark = ("*" if ascii_only else "✓") if done == count else " "
        progress = _("{done} of {count}").format(done=done, count=count) if done else ""
        return Content.assemble(f"{mark} ", (fit(guide.title, TITLE_CELLS), "bold"), "  ", (progress, "$muted"))

    @on(OptionList.OptionHighlighted)
    def _explain(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.query_one("#help", Static).update(Content(guides()[event.option_index].summary))

    @on(OptionList.OptionSelected)
    def _opened(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.app.navigate("guide", guide=guides()[event.option_index])

    def action_open(self) -> None:
        self.query_one(Choices).action_select()

    def action_close(self) -> None:
        self.app.pop_screen()
