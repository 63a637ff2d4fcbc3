"""The assistants: those of the service and the profiles of this machine in a list, the form of one beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantFocus, Resize
from textual.getters import query_one
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from screens.assistant_actions import AssistantActions
from tui.assistants.drafts import Draft
from tui.assistants.fields import fields_of, problems
from tui.contract import Context
from tui.widgets.assistant_rows import (
    ORDERS,
    ListLine,
    Order,
    field_row,
    form_title,
    list_lines,
    list_row,
    order_name,
    ordered,
    preview,
    send_line,
)
from tui.widgets.choices import Choices, Row
from tui.widgets.context_bar import ContextBar
from tui.widgets.conversation_rows import TitleFilter
from tui.widgets.hints import HintLine
from tui.words import _

WIDE = 100
"""Columns from which on the list stands beside the form."""
LIST_CELLS = 40
"""Width of the list beside the form, as the sheet has it."""


class AssistantList(Choices):
    """All assistants; the one under the cursor is in the form."""

    BINDING_GROUP_TITLE = "Assistants"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,right", "select", "open", id="assistants.open", show=False, tooltip="To its fields"),
        Binding("slash", "screen.filter", "filter", id="assistants.filter", show=False, tooltip="Filter by any word"),
        Binding("x", "screen.export", "export", id="assistants.export_one", show=False, tooltip="Write it to a file"),
        Binding("o", "screen.order", "order", id="assistants.order", show=False, tooltip="Newest, by name, by model"),
    ]


class FieldList(Choices):
    """The fields of one assistant, a line each."""

    HELP = "Enter changes a field. Nothing is sent before w, which shows first what will change."
    BINDING_GROUP_TITLE = "Assistant"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,right", "select", "change", id="assistant.change", show=False, tooltip="Change this field"),
        Binding("e", "screen.edit_externally", "editor", id="assistant.editor", show=False, tooltip="In $EDITOR"),
        Binding("x", "screen.unset", "unset", id="assistant.unset", show=False, tooltip="Leave this field unset"),
        Binding("z", "screen.revert", "as saved", id="assistant.revert", show=False, tooltip="This field as saved"),
        Binding("Z", "screen.discard", "drop", id="assistant.discard", show=False, tooltip="Drop all changes; asks"),
        Binding("h,left", "screen.leave_form", "list", id="assistant.leave", show=False, tooltip="Back to the list"),
        Binding("J", "screen.scroll_value(3)", "value down", id="assistant.value_down", show=False),
        Binding("K", "screen.scroll_value(-3)", "value up", id="assistant.value_up", show=False),
    ]


class AssistantsScreen(AssistantActions):
    """List and form side by side from `WIDE` columns on, else one at a time."""

    DEFAULT_CSS = Path(__file__).with_name("assistants.tcss").read_text("utf-8")
    AUTO_FOCUS = "AssistantList"
    BINDING_GROUP_TITLE = "Assistants"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "back", id="assistants.back", show=False, tooltip="To the list, then back"),
    ]

    list_pane = query_one("#assistants", AssistantList)
    form = query_one("#fields", FieldList)
    filter_bar = query_one("#filter", Input)

    def __init__(self, assistant_id: str = "") -> None:
        """`assistant_id`: the one that is shown first."""
        super().__init__()
        self._key = assistant_id
        self._lines: list[ListLine] = []
        self._width = 0
        self._order: Order = "newest"
        self._wrong: dict[str, str] = {}
        self._in_form = False
        self._end_watch: Callable[[], None] = lambda: None
        self._planned = False

    # --- layout --------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        bar = ContextBar(id="context")
        bar.set_reactive(ContextBar.service, "dashscope")
        yield bar
        with Horizontal(id="panes"):
            with Vertical(id="left"):
                yield Input(id="filter", select_on_focus=False)
                yield AssistantList(id="assistants")
                yield Static(id="list-note", markup=False)
            with Vertical(id="right"):
                yield Static(id="form-title", markup=False)
                yield FieldList(id="fields")
                with VerticalScroll(id="value", can_focus=False):
                    yield Static(id="value-text", markup=False)
                yield Static(id="sends", markup=False)
        yield HintLine(id="hints")

    def on_mount(self) -> None:
        self._end_watch = self.desk.watch(self._plan)
        self.app.context_changed.subscribe(self, self._context_changed)
        self.filter_bar.display = False
        self._context_changed(self.app.context)
        self._place()
        self.refresh_list()

    def on_unmount(self) -> None:
        self._end_watch()

    def _context_changed(self, context: Context) -> None:
        bar = self.query_one(ContextBar)
        bar.context = context
        bar.subject = _("Assistants")
        self.filter_bar.placeholder = _("filter by name, model or id")
        self._plan()

    def on_resize(self, _event: Resize) -> None:
        self._place()
        self._plan()

    @property
    def _wide(self) -> bool:
        return self.app.size.width >= WIDE

    def _place(self) -> None:
        wide = self._wide
        self.set_class(not wide, "-narrow")
        self.query_one("#left").display = wide or not self._in_form
        self.query_one("#right").display = wide or self._in_form

    # --- what is shown -------------------------------------------------------------------------------------

    def _plan(self) -> None:
        """Show everything anew, once however many changes there are, and after the layout."""
        if not self._planned and self.is_mounted:
            self._planned = True
            self.call_after_refresh(self._show)

    def _show(self) -> None:
        self._planned = False
        if self.is_mounted:
            self._show_list()
            self._show_form()
            self._show_hints()

    def _show_list(self) -> None:
        desk = self.desk
        found = TitleFilter(self.filter_bar.value)
        lines = list_lines(desk.server, desk.profiles, desk.drafts.values(), found)
        groups = [
            (_("On the service"), ordered([line for line in lines if not line.local], self._order)),
            (_("On this machine"), ordered([line for line in lines if line.local], self._order)),
        ]
        width = (LIST_CELLS if self._wide else self.app.size.width) - 2
        shown: list[ListLine] = []
        for title, part in groups:
            if part:
                shown += [ListLine("", f"{title}  {len(part)}"), *part]
        self._put_lines(shown, width)
        keys = [line.key for line in shown]
        at = (
            keys.index(self._key)
            if self._key and self._key in keys
            else next((n for n, key in enumerate(keys) if key), None)
        )
        if at is not None:
            self._key = keys[at]
            with self.prevent(OptionList.OptionHighlighted):
                self.list_pane.highlighted = at
        elif not found:
            self._key = ""
        self.query_one("#list-note", Static).update(self._note(bool(lines), bool(found)))

    def _put_lines(self, shown: list[ListLine], width: int) -> None:
        """Show these lines; where they are those of before, only what changed in them."""
        before, before_width = self._lines, self._width
        self._lines, self._width = shown, width
        if width == before_width and [line.key for line in shown] == [line.key for line in before]:
            for number, (old, new) in enumerate(zip(before, shown, strict=True)):
                if old != new:
                    self.list_pane.replace_option_prompt_at_index(number, Row(partial(list_row, new, width)))
            return
        with self.prevent(OptionList.OptionHighlighted):
            self.list_pane.clear_options()
            self.list_pane.add_options(
                [Option(Row(partial(list_row, line, width)), disabled=not line.key) for line in shown]
            )

    def _note(self, any_shown: bool, filtered: bool) -> Content:
        desk = self.desk
        if desk.problem is not None:
            parts = [Content.styled(f"! {desk.problem.title}{_(': ')}{desk.problem.sentence}", "$error")]
            parts += [Content.styled(line, "$muted") for line in (_("R tries again."), desk.problem.remedy) if line]
            return Content("\n").join(parts)
        if not desk.loaded:
            return Content.styled(_("reading the list …"), "$muted")
        if not any_shown:
            text = _("nothing found") if filtered else _("There is none yet: n makes one.")
            return Content.styled(text, "$muted")
        text = _("reading the list …") if desk.loading else order_name(self._order)
        return Content.styled(text, "$muted")

    def _show_form(self) -> None:
        draft = self.draft
        title, sends = self.query_one("#form-title", Static), self.query_one("#sends", Static)
        if draft is None:
            title.update("")
            sends.update("")
            self.form.clear_options()
            self.query_one("#value-text", Static).update(self._welcome())
            return
        title.update(form_title(draft))
        sends.update(send_line(draft))
        self._wrong = dict(problems(draft.value)) if draft.key in self.desk.drafts else {}
        # Worked out: a pane that has just come into sight has no size yet.
        width = self.app.size.width - (LIST_CELLS + 1 if self._wide else 0) - 2
        fields = fields_of(draft.value)
        rows = [Option(field_row(field, draft, width, field.name in self._wrong), id=field.name) for field in fields]
        at = self.form.highlighted or 0
        with self.prevent(OptionList.OptionHighlighted):
            self.form.clear_options()
            self.form.add_options(rows)
            self.form.highlighted = min(at, len(rows) - 1)
        self._show_value()

    def _welcome(self) -> Content:
        if not self.desk.loaded and self.desk.problem is None:
            return Content("")
        lines = [
            _("An assistant is a model with instructions, tools and functions of your own."),
            "",
            _("n makes one on the service, N one on this machine that the Responses API runs."),
            _("a fetches one by its id, I reads a file that was exported."),
        ]
        return Content("\n".join(lines))

    def _show_value(self) -> None:
        draft, field = self.draft, self.field
        if draft is not None and field is not None:
            text = preview(field, draft, self._wrong.get(field.name, ""))
            self.query_one("#value-text", Static).update(text)
            self.query_one("#value", VerticalScroll).scroll_home(animate=False)

    @on(DescendantFocus)
    def _show_hints(self) -> None:
        focused = self.focused
        if isinstance(focused, Input):
            hints = [("Enter", _("to the list")), ("Esc", _("no filter"))]
        elif focused is self.form:
            hints = [("Enter", _("change")), ("w", _("save")), ("z", _("as saved")), ("t", _("talk")), ("h", _("list"))]
        else:
            hints = [("Enter", _("open")), ("n", _("new")), ("t", _("talk")), ("c", _("clone")), ("/", _("filter"))]
        self.query_one("#hints", HintLine).hints = [*hints, ("?", _("more"))]

    # --- where the cursor is -------------------------------------------------------------------------------

    @property
    def key(self) -> str:
        return self._key

    def select(self, key: str, *, form: bool = False) -> None:
        """Show another one; `form`: and go to its fields."""
        self._key = key
        if key not in {line.key for line in self._lines}:
            self.filter_bar.value = ""
        self.form.highlighted = 0
        self._show()
        if form:
            self._open_form()

    @on(OptionList.OptionHighlighted, "#assistants")
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        line = self._lines[event.option_index]
        if line.key and line.key != self._key:
            self._key = line.key
            self._show_form()

    @on(OptionList.OptionSelected, "#assistants")
    def _opened(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._open_form()

    def _open_form(self) -> None:
        if self.draft is not None:
            self._in_form = True
            self._place()
            self.form.focus()
            self._plan()

    def action_leave_form(self) -> None:
        self._in_form = False
        self._place()
        self.list_pane.focus()
        self._plan()

    @on(OptionList.OptionHighlighted, "#fields")
    def _field_moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._show_value()

    @on(OptionList.OptionSelected, "#fields")
    def _field_chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_change()

    def action_scroll_value(self, lines: int) -> None:
        self.query_one("#value", VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_back(self) -> None:
        """Esc: out of the filter, out of the form, out of the screen; drafts stay."""
        if isinstance(self.focused, Input):
            self.filter_bar.value = ""
            self.filter_bar.display = False
            self.list_pane.focus()
        elif self.form.has_focus:
            self.action_leave_form()
        else:
            self.dismiss(None)

    # --- filter and order ----------------------------------------------------------------------------------

    def action_filter(self) -> None:
        self.filter_bar.display = True
        self.filter_bar.focus()

    @on(Input.Changed, "#filter")
    def _filter(self, event: Input.Changed) -> None:
        event.stop()
        self._plan()

    @on(Input.Submitted, "#filter")
    def _filtered(self, event: Input.Submitted) -> None:
        event.stop()
        self.filter_bar.display = bool(event.value)
        self.list_pane.focus()

    def action_order(self) -> None:
        self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
        self._show_list()

    @property
    def draft(self) -> Draft | None:
        return self.desk.draft_of(self._key) if self._key else None
