"""Custom agents of RDS Copilot and of the Data Agent: the list, the form of one beside it, and trying it out."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.css.query import NoMatches
from textual.events import DescendantFocus, Resize
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from screens.agent_listing import AgentList, AgentListing
from tui.agents.editing import Draft
from tui.agents.fields import FIELDS, value_of
from tui.contract import Context
from tui.widgets.agent_rows import field_row, sends_line, title_line, value_lines
from tui.widgets.choices import Choices
from tui.widgets.context_bar import ContextBar
from tui.widgets.hints import HintLine
from tui.widgets.prompt_editor import Limit, PromptArea, PromptEditor
from tui.widgets.still import Still, differs
from tui.words import _

WIDE = 100
"""Columns from which on two panes stand side by side."""


class AgentFields(Choices):
    """The fields of one agent, a line each."""

    HELP = "Enter changes a field. Nothing is sent before w, which shows first what will change."
    BINDING_GROUP_TITLE = "Agent"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,right", "select", "change", id="agent.change", show=False, tooltip="Change this field"),
        Binding("space", "select", "change", id="agent.change_too", show=False, tooltip="Change this field"),
        Binding("e", "screen.edit_field", "editor", id="agent.editor", show=False, tooltip="In $EDITOR"),
        Binding("z", "screen.revert_field", "as saved", id="agent.revert", show=False, tooltip="This field as saved"),
        Binding("Z", "screen.discard", "drop", id="agent.discard", show=False, tooltip="Drop all changes; asks"),
        Binding("h,left", "screen.back", "list", id="agent.leave", show=False, tooltip="Back to the list"),
    ]


class AgentsScreen(AgentListing):
    """Two panes side by side from `WIDE` columns on, else one at a time."""

    DEFAULT_CSS = Path(__file__).with_name("agents.tcss").read_text("utf-8")
    AUTO_FOCUS = "AgentList"
    BINDING_GROUP_TITLE = "Agents"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="agents.back", show=False, tooltip="Back; drafts stay"),
        Binding("q", "leave", "leave", id="agents.leave", show=False, tooltip="Back to the chat; drafts stay"),
        Binding("w,ctrl+s", "save_agent", "save", id="agents.save", show=False, tooltip="Save; shows what will change"),
        Binding("t,f5", "try_out", "try out", id="agents.try", show=False, tooltip="Talk to it, beside the form"),
        Binding("T", "try_anew", "anew", id="agents.try_anew", show=False, tooltip="A new conversation with it"),
        Binding("b", "bind", "use", id="agents.bind", show=False, tooltip="Use it in a conversation"),
        Binding("r", "release", "release", id="agents.release", show=False, tooltip="Data Agent: release it"),
        Binding("O", "offline", "offline", id="agents.offline", show=False, tooltip="Data Agent: take it offline"),
        Binding("f6", "app.focus_next", "next part", id="agents.next_part", show=False, tooltip="Next part"),
        Binding("f3", "find_next", "next hit", id="agents.find_next", show=False, tooltip="Next hit"),
        Binding("1", "pane('list')", "list", id="agents.pane_list", show=False, tooltip="To the list"),
        Binding("2", "pane('form')", "form", id="agents.pane_form", show=False, tooltip="To the form"),
        Binding("3", "pane('try')", "conversation", id="agents.pane_try", show=False, tooltip="To the conversation"),
    ]

    hides_chat = True
    """What ends in the chat meanwhile is not seen; what ends in the scratch conversation is."""
    _pane = "list"
    """Which one has the focus: `list`, `form` or `try`."""
    _shown_text = ("", "")
    """The draft and the field that the text field shows."""

    # --- layout --------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield ContextBar(id="context")
        with Horizontal(id="panes"):
            with Vertical(id="left"):
                yield Input(id="filter", select_on_focus=False)
                yield AgentList(id="agents")
                yield Still(id="list-note")
            with Vertical(id="right"):
                yield Still(id="form-title")
                yield AgentFields(id="fields")
                with VerticalScroll(id="value", can_focus=False):
                    yield Still(id="value-text")
                yield PromptEditor(id="text")
                yield Still(id="sends")
            yield from self.compose_try()
        yield HintLine(id="hints")

    def on_mount(self) -> None:
        self.watch_turns()
        self.app.context_changed.subscribe(self, self._context_changed)
        self.filter_bar.display = False
        self._context_changed(self.app.context)
        self._place()
        self.action_refresh()

    def on_unmount(self) -> None:
        self.desk.write_now()

    def _context_changed(self, context: Context) -> None:
        bar = self.query_one(ContextBar)
        bar.context = context
        bar.subject = _("Agents")
        self.filter_bar.placeholder = _("filter by name")
        self.show_list()
        self.show_form()

    def on_resize(self, _event: Resize) -> None:
        self._place()
        self.call_after_refresh(self.show_list)
        self.call_after_refresh(self.show_form)

    def _place(self) -> None:
        wide = self.app.size.width >= WIDE
        beside = wide and bool(self.is_tried) and self._pane != "list"
        self.set_class(not wide, "-narrow")
        self.query_one("#left").display = self._pane == "list" or (wide and not beside)
        self.query_one("#right").display = self._pane == "form" or wide
        self.query_one("#try").display = self._pane == "try" or beside

    def go_to(self, pane: str) -> None:
        self._pane = pane
        self._place()
        if pane == "list":
            self.list_pane.focus()
        elif pane == "form":
            self.fields_list.focus()
        else:
            self.composer.focus()
        self.call_after_refresh(self.show_list)
        self.call_after_refresh(self.show_form)

    # --- the form ------------------------------------------------------------------------------------------

    def select(self, key: str, *, same: bool = False) -> None:
        """See `AgentEditing.select`; a filter that hides the agent is taken away."""
        self._list_with(key)
        self.show_form()
        if not same:
            self.to_first_field()
        self.read()

    def _list_with(self, key: str) -> None:
        """Show the list with the cursor on this agent."""
        self._key = key
        self.show_list()
        if key and key not in {line.key for line in self._lines}:
            self.filter_bar.value = ""
            self._key = key  # the list has gone to what the filter let through
            self.show_list()

    def to_first_field(self) -> None:
        """A new agent begins with its name; of others the prompt tells most."""
        with suppress(NoMatches):  # see `show_form`
            if count := self.fields_list.option_count:
                is_new = self.held is not None and self.held.base is None
                self.fields_list.highlighted = 0 if is_new else count - 1

    def show_form(self) -> None:
        if self.is_mounted:
            with suppress(NoMatches):  # the screen is on its way out: its parts go before it
                self._show_form()

    def _show_form(self) -> None:
        draft = self.held
        title, sends = self.query_one("#form-title", Still), self.query_one("#sends", Still)
        if draft is None:
            title.show("")
            self.fields_list.clear_options()
            self._show_text(None)
            self.query_one("#value-text", Still).show(self._welcome())
            sends.show(self._words_below(None))
            return
        line = next((line for line in self._lines if line.key == draft.key), None)
        if line is not None and (line.unsaved != draft.unsaved or (line.is_new and line.name != draft.form.name)):
            self._list_with(draft.key)  # under another name a filter may hide it
        title.show(title_line(draft))
        self.query_one(ContextBar).service = draft.service
        width = max(30, self.fields_list.content_size.width - 3)
        wrong = self.desk.check(draft.key) if draft.unsaved else {}
        at = self.fields_list.highlighted or 0
        names = self.desk.skill_names
        writing = {tool.name for tool in self.desk.known_tools if tool.writes}
        rows = [
            field_row(spec, draft, width, names, writing, wrong=spec.name in wrong) for spec in FIELDS[draft.service]
        ]
        with self.prevent(OptionList.OptionHighlighted):
            if self.fields_list.option_count == len(rows):
                for number, row in enumerate(rows):
                    if differs(row, cast("Content", self.fields_list.get_option_at_index(number).prompt)):
                        self.fields_list.replace_option_prompt_at_index(number, row)
            else:
                self.fields_list.clear_options()
                self.fields_list.add_options([Option(row) for row in rows])
                at = 0 if draft.base is None else len(rows) - 1
            self.fields_list.highlighted = at
        self._show_value(draft)
        sends.show(self._words_below(draft))
        self.show_hints()
        if self.is_tried == draft.key:
            self.show_tried(draft)

    def show_form_anew(self) -> None:
        self._shown_text = ("", "")
        self.show_form()

    def _welcome(self) -> Content:
        if self._key or not self._loaded:
            return Content.styled(_("Loading …"), "$muted") if self._key and self.problem is None else Content("")
        lines = [
            _("A custom agent is an assistant with a prompt, tools and skills of your own."),
            "",
            _("n makes one for RDS Copilot, N one for the Data Agent; I reads a file that was exported."),
        ]
        return Content("\n".join(lines))

    def _words_below(self, draft: Draft | None) -> Content:
        """What is being done, what was refused, or what Save will send."""
        if self.busy:
            return Content.styled(self.busy, "$warning")
        if (problem := self.problem) is not None:
            words = _(": ").join(part for part in (problem.title, problem.sentence) if part)
            request = _("request id {id}").format(id=problem.request_id) if problem.request_id else ""
            rest = "".join(f"\n{part}" for part in (problem.remedy, request) if part)
            return Content.assemble((f"! {words}", "$error"), (rest, "$muted"))
        return sends_line(draft) if draft is not None else Content("")

    def _show_value(self, draft: Draft) -> None:
        spec = self.field
        if spec is None:
            return
        reason = self.desk.check(draft.key).get(spec.name, "") if draft.unsaved else ""
        said = Content.styled(f"! {reason}", "$error") if reason else None
        if spec.kind in ("text", "lines"):
            value = value_of(draft.form, spec.name)
            text = "\n".join(value) if isinstance(value, tuple) else str(value)
            self._show_text((draft.key, spec.name), text, Limit(spec.characters, spec.encoded))
            self.query_one("#value").display = said is not None
            self.query_one("#value-text", Still).show(said or "")
            return
        self._show_text(None)
        tools, skills = self.desk.known_tools, self.desk.known_skills
        words = value_lines(spec, draft, tools, skills)
        self.query_one("#value-text", Still).show(Content("\n").join([said, words]) if said else words)

    def _show_text(self, what: tuple[str, str] | None, text: str = "", limit: Limit = Limit()) -> None:  # noqa: B008
        """Put a field into the text field, or hide that for None. What is being typed there is left alone."""
        self.editor.display = what is not None
        self.query_one("#value").display = what is None
        if what is None:
            self._shown_text = ("", "")
        elif what != self._shown_text or (not self.editor.area.has_focus and self.editor.text != text):
            self._shown_text = what
            self.editor.put(text, limit)

    @on(OptionList.OptionHighlighted, "#fields")
    def _field_moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if (draft := self.held) is not None:
            self._show_value(draft)

    @on(OptionList.OptionSelected, "#fields")
    def _field_chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_change_field()

    # --- keys ----------------------------------------------------------------------------------------------

    @on(DescendantFocus)
    def _focus_moved(self) -> None:
        focused = self.focused
        if focused is self.fields_list or isinstance(focused, PromptArea):
            self._pane = "form"
        elif focused is self.list_pane or focused is self.filter_bar:
            self._pane = "list"
        elif focused is not None:
            self._pane = "try"
        self.show_hints()

    def show_hints(self) -> None:
        if self.is_mounted:
            with suppress(NoMatches):  # see `show_form`
                self._show_hints()

    def _show_hints(self) -> None:
        focused = self.focused
        if isinstance(focused, Input):
            hints = [("Enter", _("to the list")), ("Esc", _("no filter"))]
        elif isinstance(focused, PromptArea):
            hints = [("^O", "$EDITOR"), ("^S", _("save")), ("Esc", _("fields")), ("F5", _("try out"))]
        elif focused is self.fields_list:
            hints = [("Enter", _("change")), ("w", _("save")), ("z", _("as saved")), ("t", _("try out"))]
            hints.append(("h", _("list")))
        elif self._pane == "try":
            running = self.conversation_id and self.app.activity(self.conversation_id) is not None
            hints = [("^C", _("stop"))] if running else []
            hints += [("Enter", _("send")), ("Esc", _("back")), ("F6", _("next part"))]
        else:
            hints = [("Enter", _("open")), ("n", _("new")), ("t", _("try out")), ("b", _("use")), ("/", _("filter"))]
        typing = self._pane == "try" or isinstance(focused, (Input, PromptArea))
        self.query_one("#hints", HintLine).hints = [*hints, ("F1" if typing else "?", _("more"))]

    def action_back(self) -> None:
        """Esc: out of the filter, the text, the conversation, the form, the screen. Nothing is lost on the way."""
        if isinstance(self.focused, Input) and not self.find_bar.has_focus_within:
            self.filter_bar.value = ""
            self.filter_bar.display = False
            self.list_pane.focus()
        elif isinstance(self.focused, PromptArea):
            self.fields_list.focus()
        elif self.find_bar.display:
            self.find_bar.close()
            self.transcript.find("")
            self.transcript.focus()
        elif self._pane == "try" and self.focused is self.composer:
            (self.ask_panel if self.ask_panel.display else self.transcript).focus()
        elif self._pane == "try":
            self.go_to("form")
        elif self._pane == "form" and self.is_tried:
            self.end_trying()
            self.go_to("form")
        elif self._pane == "form":
            self.go_to("list")
        else:
            self.action_leave()

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_pane(self, pane: str) -> None:
        if pane == "try" and not self.is_tried:
            self.action_try_out()
        else:
            self.go_to(pane)

    def action_copy_id(self) -> None:
        if self._key and not self._key.startswith("new:"):
            self.app.copy_text(self._key.partition(":")[2], _("the agent's id"))

    def answer_changed(self) -> None:
        self.show_hints()
