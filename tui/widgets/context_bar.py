"""The context bar: who, where, which service, about what, and the environment, which is never cut off."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.app import RenderResult
from textual.reactive import reactive
from textual.widget import Widget

from tui.contract import Context
from tui.models import ServiceName
from tui.words import _

SERVICE_NAMES: dict[ServiceName, str] = {"rds": "RDS Copilot", "dms": "Data Agent", "dashscope": "DashScope"}


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
        & > .context-bar--who { color: $text-muted; }
        & > .context-bar--service { color: $foreground; text-style: bold; }
        & > .context-bar--subject { color: $foreground; }
        & > .context-bar--environment { background: $secondary; color: $background; text-style: bold; }
        & > .context-bar--production { background: $error; color: $background; text-style: bold; }
        & > .context-bar--sandbox { background: $warning; color: $background; text-style: bold; }
    }
    """

    context: reactive[Context] = reactive(Context)
    service: reactive[ServiceName] = reactive[ServiceName]("rds")
    subject: reactive[str] = reactive("")
    """The conversation's title; clean text."""

    def render(self) -> RenderResult:
        width = self.size.width
        context = self.context
        right = Text()
        if context.read_only:
            right.append(_(" read-only "), self.get_component_rich_style("context-bar--who"))
        if context.sandbox:
            right.append(_(" SANDBOX "), self.get_component_rich_style("context-bar--sandbox"))
        elif context.environment:
            production = context.environment.lower().startswith("prod")
            name = "context-bar--production" if production else "context-bar--environment"
            right.append(f" {context.environment.upper()} ", self.get_component_rich_style(name))
        room = max(0, width - right.cell_len - 1)
        who = "@".join(part for part in (context.profile or context.account, context.region) if part)
        left = Text(no_wrap=True)
        service = SERVICE_NAMES[self.service]
        for text, style in (
            (f" {who}  " if who and room >= 60 else " ", "context-bar--who"),
            (service, "context-bar--service"),
            (f"   {self.subject}" if self.subject else "", "context-bar--subject"),
        ):
            free = room - left.cell_len
            if text and free > 1:
                cut = text if cell_len(text) <= free else set_cell_size(text, free - 1) + "…"
                left.append(cut, self.get_component_rich_style(style))
        return left + Text(" " * max(1, width - left.cell_len - right.cell_len)) + right
