"""The context bar: who, where, which service, about what, and the environment, which is never cut off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip

from tui.context import Context
from tui.widgets.looks import MarkupStyle, Painted
from tui.widgets.status import spread
from tui.words import _

if TYPE_CHECKING:
    from tui.models import ServiceName

SERVICE_NAMES: dict[ServiceName, str] = {"rds": "RDS Copilot", "dms": "Data Agent", "dashscope": "DashScope"}


def service_bar(context: Context, service: ServiceName | None, subject: str) -> ContextBar:
    """The bar of a screen that stands above another: it shows the same as long as the screen is there.

    `service`: None for a screen that belongs to no one of them.
    """
    bar = ContextBar()
    bar.set_reactive(ContextBar.context, context)
    bar.set_reactive(ContextBar.service, service)
    bar.set_reactive(ContextBar.subject, subject)
    return bar


class ContextBar(Painted):
    """One line; the subject is shortened first, then the account, the environment never."""

    LOOKS: ClassVar[Mapping[str, MarkupStyle]] = {
        "who": MarkupStyle("$muted", "muted-style"),
        "service": MarkupStyle("bold"),
        "subject": MarkupStyle("$foreground"),
        "environment": MarkupStyle("$env-other-text on $env-other bold"),
        "production": MarkupStyle("$env-prod-text on $env-prod bold"),
        "sandbox": MarkupStyle("$env-staging-text on $env-staging bold"),
    }
    DEFAULT_CSS = """
    ContextBar {
        height: 1;
        width: 1fr;
        background: $surface;
        color: $foreground;
    }
    """

    context: reactive[Context] = reactive(Context)
    service: reactive[ServiceName | None] = reactive("rds")
    """None: of all services; the subject stands in its place."""
    subject: reactive[str] = reactive("")
    """The conversation's title; clean text."""

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        looks = self.looks
        context = self.context
        right: list[Segment] = []
        if context.read_only:
            right.append(Segment(_(" read-only "), looks["who"]))
        if context.sandbox:
            right.append(Segment(_(" SANDBOX "), looks["sandbox"]))
        elif context.environment:
            production = context.environment.lower().startswith("prod")
            name = "production" if production else "environment"
            right.append(Segment(f" {context.environment.upper()} ", looks[name]))
        room = max(0, width - Segment.get_line_length(right) - 1)
        who = "@".join(part for part in (context.profile or context.account, context.region) if part)
        left: list[Segment] = []
        for text, name in (
            (f" {who}  " if who and room >= 60 else " ", "who"),
            (SERVICE_NAMES[self.service] if self.service else self.subject, "service"),
            (f"   {self.subject}" if self.service and self.subject else "", "subject"),
        ):
            free = room - Segment.get_line_length(left)
            if text and free > 1:
                cut = text if cell_len(text) <= free else set_cell_size(text, free - 1) + "…"
                left.append(Segment(cut, looks[name]))
        return spread(left, right, width, self.rich_style)
