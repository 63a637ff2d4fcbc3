"""What the functions of a run gave: typed, pasted, read from a file, or answered by a bound command; sent as one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.getters import app as app_getter
from textual.getters import query_one
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from screens.assistant_text import TextScreen
from screens.changes import NotesDialog
from screens.dialogs import answer_of
from screens.path_dialog import PathDialog
from tui.contract import YunliaoApi
from tui.models import AskBlock, AskCall
from tui.text import clean, clean_line
from tui.tool_outputs import MOST_OUTPUT, OutputProblem, read_output
from tui.widgets.choices import Choices
from tui.widgets.context_bar import service_bar
from tui.widgets.hints import HintLine
from tui.widgets.tool_outputs import call_row, call_text
from tui.words import _


class ToolOutputsScreen(Screen[tuple[str, ...]]):
    """The calls at the top, the one under the cursor below. The answer is an output for each call, in their order.

    Esc leaves the run waiting; what was given so far is kept in `given` for the next time.
    """

    DEFAULT_CSS = """
    ToolOutputsScreen {
        #title { height: auto; padding: 0 1; color: $waiting; text-style: bold; }
        Choices { height: auto; max-height: 8; border-top: solid $rule; }
        #call { height: 1fr; padding: 0 1 0 3; border-top: solid $rule; }
        #call-text { height: auto; }
        #sends { height: 2; padding: 0 1; border-top: solid $rule; }
    }
    """
    AUTO_FOCUS = "Choices"
    HELP = "Give each call its output; w shows all of them and sends them in one request. Esc leaves the run waiting."
    BINDING_GROUP_TITLE = "Outputs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "later", id="outputs.leave", show=False, tooltip="Leave the run waiting"),
        Binding("e", "write", "write", id="outputs.write", show=False, tooltip="Write or paste the output"),
        Binding("f", "file", "file", id="outputs.file", show=False, tooltip="Take it from a file"),
        Binding("c", "command", "command", id="outputs.command", show=False, tooltip="Let the bound command answer"),
        Binding("x", "clear", "clear", id="outputs.clear", show=False, tooltip="No output yet"),
        Binding("y", "copy", "copy", id="outputs.copy", show=False, tooltip="Copy the arguments"),
        Binding("w,ctrl+j", "send", "send", id="outputs.send", show=False, tooltip="Show all outputs, then send them"),
        Binding("J", "scroll_call(3)", "down", id="outputs.down", show=False),
        Binding("K", "scroll_call(-3)", "up", id="outputs.up", show=False),
    ]

    app = app_getter(YunliaoApi)
    calls_list = query_one(Choices)

    def __init__(
        self, ask: AskBlock, schemas: Mapping[str, Mapping[str, object]], given: dict[int, str] | None = None
    ) -> None:
        """`schemas`: of the functions whose arguments are known; `given`: outputs by the number of their call."""
        super().__init__()
        self._ask = ask
        self._schemas = schemas
        self._given: dict[int, str] = {} if given is None else given
        self._notes: dict[int, str] = {}

    # --- what is shown -------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        count = len(self._ask.calls)
        title = (
            _("The run waits for the outputs of {count} calls").format(count=count)
            if count > 1
            else _("The run waits for the output of its call")
        )
        yield service_bar(self.app.context, "dashscope", _("Outputs of functions"))
        yield Static(title, id="title", markup=False)
        yield Choices()
        with VerticalScroll(id="call", can_focus=False):
            yield Static(id="call-text", markup=False)
        yield Static(id="sends", markup=False)
        yield HintLine(id="hints")

    def on_mount(self) -> None:
        self._show()

    def _show(self) -> None:
        at = self.calls_list.highlighted or 0
        width = max(30, self.app.size.width - 4)
        rows = []
        for number, call in enumerate(self._ask.calls):
            bound = call.name in self.app.settings.tool_commands
            rows.append(Option(call_row(number, call, self._given.get(number), width, bound=bound)))
        self.calls_list.clear_options()
        self.calls_list.add_options(rows)
        if rows:
            self.calls_list.highlighted = min(at, len(rows) - 1)
        missing = len(self._ask.calls) - len(self._given)
        sends = self.query_one("#sends", Static)
        if missing:
            text = (
                _("{count} outputs are missing; all go in one request.").format(count=missing)
                if missing > 1
                else _("One output is missing.")
            )
            sends.update(Content.styled(text, "$muted"))
        else:
            sends.update(Content.styled(_("All outputs are there: w shows them and sends them."), "$waiting"))
        self._show_call()

    @property
    def _number(self) -> int:
        return self.calls_list.highlighted or 0

    @property
    def _call(self) -> AskCall:
        return self._ask.calls[self._number]

    @on(OptionList.OptionHighlighted)
    def _show_call(self) -> None:
        number, call = self._number, self._call
        command = self.app.settings.tool_commands.get(call.name)
        text = call_text(call, self._given.get(number), self._notes.get(number, ""), command)
        self.query_one("#call-text", Static).update(text)
        self._check(number)
        hints = [("Enter", _("write")), ("f", _("file"))]
        hints += [("c", _("command"))] if command is not None else []
        self.query_one("#hints", HintLine).hints = [*hints, ("w", _("send")), ("Esc", _("later")), ("?", _("more"))]

    @work(group="check", exclusive=True)
    async def _check(self, number: int) -> None:
        """Say where the arguments do not fit the function's schema: models do make mistakes."""
        call = self._ask.calls[number]
        schema = self._schemas.get(call.name)
        if schema is None or number in self._notes:
            return
        from tui.assistants.arguments import argument_problems

        found = await asyncio.to_thread(argument_problems, schema, call.arguments)
        self._notes[number] = "\n".join(found)
        if found and number == self._number:
            self._show_call()

    def action_scroll_call(self, lines: int) -> None:
        self.query_one("#call", VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_copy(self) -> None:
        self.app.copy_text(self._call.arguments, _("the arguments"))

    # --- giving --------------------------------------------------------------------------------------------

    def _give(self, number: int, output: str) -> None:
        self._given[number] = output
        following = next((n for n in range(len(self._ask.calls)) if n not in self._given), number)
        self.calls_list.highlighted = following
        self._show()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_write()

    @work(group="give", exclusive=True)
    async def action_write(self) -> None:
        number, call = self._number, self._call
        title = _("Output of {call}").format(call=clean_line(f"{call.name} {call.arguments}", 100))
        note = _("Text, or JSON for a structure. It is sent as it stands.")
        text = await answer_of(self.app, TextScreen(title, self._given.get(number, ""), note))
        if text is not None and (text.strip() or number in self._given):
            self._give(number, clean(text))

    @work(group="give", exclusive=True)
    async def action_file(self) -> None:
        number = self._number
        limit = _("Text of up to {n} KB.").format(n=MOST_OUTPUT // 1024)
        path = await answer_of(self.app, PathDialog(_("Output from a file"), self._folder(), [limit]))
        if path is None:
            return
        try:
            text = await asyncio.to_thread(read_output, path)
        except OutputProblem as error:
            self.app.notify(f"{clean_line(str(path))}{_(': ')}{error}", severity="error", markup=False)
        else:
            self._give(number, text)

    def _folder(self) -> Path:
        return self.app.downloads

    @work(group="give", exclusive=True)
    async def action_command(self) -> None:
        """Run the bound command; before its first use it is shown, and what it gave is shown before it is sent."""
        from tui.tool_commands import fingerprint, run_command

        number, call = self._number, self._call
        command = self.app.settings.tool_commands.get(call.name)
        if command is None:
            name = clean_line(call.name)
            text = _("No command is bound to {name}: [tool_commands.{name}] in the settings file binds one.")
            self.app.notify(text.format(name=name), timeout=10, markup=False)
            return
        mark = fingerprint(call.name, command)
        if not await self.app.assistants.is_confirmed(mark):
            notes = [json.dumps(list(command.argv), ensure_ascii=False)]
            lines = [
                _("This command was never run for {name} here. It runs on this machine, without a shell.").format(
                    name=clean_line(call.name)
                ),
                _("It gets the arguments that the model wrote on stdin. This is asked once."),
            ]
            if not await answer_of(self.app, NotesDialog(_("Run this command?"), notes, _("run it"), lines)):
                return
            await self.app.assistants.confirm_command(mark)
        self.query_one("#sends", Static).update(_("the command runs …"))
        outcome = await run_command(command, call.arguments)
        self._notes[number] = outcome.problem
        if outcome.problem:
            self.app.notify(outcome.problem, severity="warning", markup=False)
        if outcome.output or not outcome.problem:
            self._give(number, outcome.output)
            self.calls_list.highlighted = number
        else:
            self._show()

    def action_clear(self) -> None:
        self._given.pop(self._number, None)
        self._show()

    # --- leaving -------------------------------------------------------------------------------------------

    @work(group="send", exclusive=True)
    async def action_send(self) -> None:
        missing = [n for n in range(len(self._ask.calls)) if n not in self._given]
        if missing:
            self.calls_list.highlighted = missing[0]
            self.app.notify(_("Each call needs an output; an empty one can be written too."), severity="warning")
            return
        outputs = tuple(self._given[number] for number in range(len(self._ask.calls)))
        notes = [
            f"{call.name} {clean_line(call.arguments)}  =  {clean_line(output, 600) or _('an empty text')}"
            for call, output in zip(self._ask.calls, outputs, strict=True)
        ]
        dialog = NotesDialog(_("Send these outputs?"), notes, _("send"), [_("All go in one request, in this order.")])
        if await answer_of(self.app, dialog):
            self.dismiss(outputs)

    def action_leave(self) -> None:
        self.dismiss(None)
