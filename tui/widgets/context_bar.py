"""The context bar: who, where, which service, about what, and the environment, which is never cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.context import Context
from tui.widgets.status import spread
from tui.words import _

if TYPE_CHECKING:
    from tui.models import ServiceName

SERVICE_NAMES: dict[ServiceName, str] = {"rds": "RDS Copilot", "dms": "Data Agent", "dashscope": "DashScope"}


def service_bar(context: Context, service: ServiceName, subject: str) -> ContextBar:
    """The bar of a screen that stands above another: it shows the same as long as the screen is there."""
    bar = ContextBar()
    bar.set_reactive(ContextBar.context, context)
    bar.set_reactive(ContextBar.service, service)
    bar.set_reactive(ContextBar.subject, subject)
    return bar


class ContextBar(Widget):
    """One line; the subject is shortened first, then the account, the environment never."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "context-bar--who",
        "context-bar--service",
        "context-bar--subject",
        "context-bar--environment",
        "context-bar--production",
        "context-bar--sandbox",
    }
    DEFAULT_CSS = """
    ContextBar {
        height: 1;
        width: 1fr;
        background: $surface;
        color: $foreground;
        & > .context-bar--who { color: $muted; text-style: $muted-style; }
        & > .context-bar--service { text-style: bold; }
        & > .context-bar--subject { color: $foreground; }
        & > .context-bar--environment { background: $env-other; color: $env-other-text; text-style: bold; }
        & > .context-bar--production { background: $env-prod; color: $env-prod-text; text-style: bold; }
        & > .context-bar--sandbox { background: $env-staging; color: $env-staging-text; text-style: bold; }
    }
    """

    context: reactive[Context] = reactive(Context)
    service: reactive[ServiceName] = reactive("rds")
    subject: reactive[str] = reactive("")
    """The conversation's title; clean text."""

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        style = self.get_component_rich_style
        context = self.context
        right: list[Segment] = []
        if context.read_only:
            right.append(Segment(_(" read-only "), style("context-bar--who")))
        if context.sandbox:
            right.append(Segment(_(" SANDBOX "), style("context-bar--sandbox")))
        elif context.environment:
            production = context.environment.lower().startswith("prod")
            name = "context-bar--production" if production else "context-bar--environment"
            right.append(Segment(f" {context.environment.upper()} ", style(name)))
        room = max(0, width - Segment.get_line_length(right) - 1)
        who = "@".join(part for part in (context.profile or context.account, context.region) if part)
        left: list[Segment] = []
        for text, name in (
            (f" {who}  " if who and room >= 60 else " ", "context-bar--who"),
            (SERVICE_NAMES[self.service], "context-bar--service"),
            (f"   {self.subject}" if self.subject else "", "context-bar--subject"),
        ):
            free = room - Segment.get_line_length(left)
            if text and free > 1:
                cut = text if cell_len(text) <= free else set_cell_size(text, free - 1) + "…"
                left.append(Segment(cut, style(name)))
        return spread(left, right, width, self.rich_style)
