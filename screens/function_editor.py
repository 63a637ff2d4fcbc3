"""A function of an assistant: name, description, and its arguments as JSON Schema, checked while it is written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantFocus, Resize
from textual.getters import app as app_getter
from textual.getters import query_one
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from screens.dialogs import ChooseDialog, answer_of
from tui.assistants.arguments import TEMPLATES, Argument, arguments_of
from tui.assistants.schema import CheckedSchema, SchemaIssue, check_schema, function_name_problem, schema_text
from tui.contract import YunliaoApi
from tui.services.assistant_models import FunctionTool
from tui.text import clean, clean_line
from tui.widgets.choices import Choices
from tui.widgets.context_bar import service_bar
from tui.widgets.hints import HintLine
from tui.widgets.prompt_editor import PromptEditor
from tui.words import _

WIDE = 100
CHECK_PAUSE = 0.15
"""Seconds after the last key before the schema is checked."""


class IssueList(Choices):
    """What is wrong; Enter goes there."""

    BINDING_GROUP_TITLE = "Errors"


class FunctionEditor(Screen[FunctionTool]):
    """Esc goes back with the function as it stands; with errors it asks first. The answer None leaves it as it was."""

    DEFAULT_CSS = Path(__file__).with_name("function_editor.tcss").read_text("utf-8")
    AUTO_FOCUS = "#name"
    HELP = "The arguments are JSON Schema. Errors stand below with line and column: F3 goes to the next one."
    BINDING_GROUP_TITLE = "Function"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "take", "take", id="function.take", show=False, tooltip="Back, with the function as it is"),
        Binding("ctrl+x", "drop", "drop", id="function.drop", show=False, priority=True, tooltip="As it was before"),
        Binding("f3", "next_issue", "next error", id="function.next", show=False, tooltip="To the next error"),
        Binding("f4,ctrl+r", "template", "template", id="function.template", show=False, tooltip="From a template"),
        Binding("f5", "tidy", "tidy", id="function.tidy", show=False, tooltip="Indent the arguments anew"),
    ]

    app = app_getter(YunliaoApi)
    name_line = query_one("#name", Input)
    description_line = query_one("#description", Input)
    schema = query_one("#schema", PromptEditor)
    issues = query_one("#issues", IssueList)

    def __init__(self, function: FunctionTool, others: Sequence[str] = ()) -> None:
        """`others`: names that the assistant's other functions have."""
        super().__init__()
        self._function = function
        self._others = others
        self._checked = CheckedSchema({})
        self._next = 0

    # --- layout --------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield service_bar(self.app.context, "dashscope", _("Function"))
        with Horizontal(classes="line"):
            yield Static(_("name"), classes="label", markup=False)
            yield Input(self._function.name, id="name", select_on_focus=False)
        yield Static(id="name-note", markup=False)
        with Horizontal(classes="line"):
            yield Static(_("description"), classes="label", markup=False)
            yield Input(clean_line(self._function.description, 4000), id="description", select_on_focus=False)
        with Horizontal(id="panes"):
            with Vertical(id="left"):
                yield Static(_("arguments (JSON Schema)"), classes="part", markup=False)
                yield PromptEditor(id="schema")
            with Vertical(id="right"):
                yield Static(_("what the model fills in"), classes="part", markup=False)
                with VerticalScroll(id="preview", can_focus=False):
                    yield Static(id="form", markup=False)
        yield IssueList(id="issues")
        yield HintLine(id="hints")

    def on_mount(self) -> None:
        self.schema.put(schema_text(self._function.parameters))
        self._place()
        self._check()
        self._show_name_note()

    def on_resize(self, _event: Resize) -> None:
        self._place()

    def _place(self) -> None:
        self.set_class(self.app.size.width < WIDE, "-narrow")

    @on(DescendantFocus)
    def _show_hints(self) -> None:
        if self.focused is self.issues:
            hints = [("Enter", _("go there")), ("Tab", _("next part"))]
        else:
            hints = [("Tab", _("next part")), ("F4", _("template")), ("F3", _("next error"))]
            hints += [("^O", "$EDITOR")] if self.focused is self.schema.area else []
        self.query_one("#hints", HintLine).hints = [*hints, ("Esc", _("take")), ("F1", _("more"))]

    # --- checking ------------------------------------------------------------------------------------------

    @on(PromptEditor.Changed)
    def _schema_changed(self, event: PromptEditor.Changed) -> None:
        event.stop()
        self._check()

    @on(Input.Changed)
    def _name_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._show_name_note()

    @on(Input.Submitted)
    def _next_part(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_next()

    @property
    def _typed_name(self) -> str:
        return self.name_line.value.strip()

    def _show_name_note(self) -> None:
        reason = function_name_problem(self._typed_name, self._others) if self._typed_name else ""
        note = self.query_one("#name-note", Static)
        note.display = bool(reason)
        note.update(Content.styled(f"! {reason}", "$error"))

    @work(group="check", exclusive=True)
    async def _check(self) -> None:
        await asyncio.sleep(CHECK_PAUSE)
        await self._check_now()

    async def _check_now(self) -> CheckedSchema:
        self._checked = await asyncio.to_thread(check_schema, self.schema.text)
        self._show_checked()
        return self._checked

    def _show_checked(self) -> None:
        checked = self._checked
        self._next = 0
        self.issues.clear_options()
        self.issues.add_options([Option(issue_row(issue)) for issue in checked.issues])
        self.issues.display = bool(checked.issues)
        if checked.schema is not None:
            self.query_one("#form", Static).update(form(arguments_of(checked.schema)))

    @on(OptionList.OptionSelected, "#issues")
    def _issue_chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._go_to(self._checked.issues[event.option_index])

    def action_next_issue(self) -> None:
        issues = self._checked.issues
        if not issues:
            self.app.notify(_("There are no errors."))
            return
        self._go_to(issues[self._next % len(issues)])
        self._next += 1

    def _go_to(self, issue: SchemaIssue) -> None:
        area = self.schema.area
        area.focus()
        area.move_cursor((issue.line - 1, issue.column - 1), center=True)

    # --- templates -----------------------------------------------------------------------------------------

    @work(group="template", exclusive=True)
    async def action_template(self) -> None:
        choices = [(template.name, template.description) for template in TEMPLATES]
        found = await answer_of(self.app, ChooseDialog(_("Begin with"), choices))
        if found is None:
            return
        template = TEMPLATES[found]
        self.name_line.value = self._typed_name or template.name
        self.description_line.value = self.description_line.value or template.description
        self._rewrite(schema_text(template.parameters))

    def action_tidy(self) -> None:
        if self._checked.schema is None:
            self.action_next_issue()
        else:
            self._rewrite(schema_text(self._checked.schema))

    def _rewrite(self, text: str) -> None:
        """Put `text` in place of what is there, as one step that can be undone."""
        area = self.schema.area
        area.replace(text, area.document.start, area.document.end)
        area.move_cursor((0, 0))

    # --- leaving -------------------------------------------------------------------------------------------

    @work(group="take", exclusive=True)
    async def action_take(self) -> None:
        checked = await self._check_now()
        reason = function_name_problem(self._typed_name, self._others)
        if not reason and checked.usable:
            assert checked.schema is not None
            before = self._function
            kept = self.description_line.value == clean_line(before.description, 4000)
            description = before.description if kept else clean(self.description_line.value.strip())
            self.dismiss(replace(before, name=self._typed_name, description=description, parameters=checked.schema))
            return
        if not self._typed_name and not self.schema.text.strip():
            self.dismiss(None)
            return
        issue = next((issue for issue in checked.issues if issue.level == "error"), None)
        what = reason or (issue_text(issue) if issue is not None else "")
        choices = [(_("go on editing"), what), (_("leave it as it was before"), _("What you typed here is dropped."))]
        found = await answer_of(self.app, ChooseDialog(_("It cannot be taken as it is"), choices))
        if found == 1:
            self.dismiss(None)
        elif reason:
            self.name_line.focus()
        elif issue is not None:
            self._go_to(issue)

    def action_drop(self) -> None:
        self.dismiss(None)


def issue_text(issue: SchemaIssue) -> str:
    return _("line {line}, column {column}: {message}").format(
        line=issue.line, column=issue.column, message=issue.message
    )


def issue_row(issue: SchemaIssue) -> Content:
    mark, style = ("! ", "$error") if issue.level == "error" else ("? ", "$warning")
    return Content.assemble((mark, style), issue_text(issue))


def form(arguments: Sequence[Argument]) -> Content:
    """The arguments as the form that the model fills in; `*` marks those that it must."""
    if not arguments:
        return Content.styled(_("no arguments"), "$muted")
    lines = []
    for argument in arguments:
        star = ("*", "$warning") if argument.required else (" ", "")
        parts = [
            ("  " * argument.depth, ""),
            star,
            (argument.name, "bold"),
            (f"  {argument.kind}", "$muted"),
            (f"  {argument.facts}" if argument.facts else "", ""),
            (f"  {argument.description}" if argument.description else "", "$muted"),
        ]
        lines.append(Content.assemble(*parts))
    return Content("\n").join(lines)
