"""The tools of an assistant: built-in ones to be ticked, plugins with their token, functions with their schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
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
from screens.dialogs import TextDialog, answer_of
from screens.function_editor import FunctionEditor
from screens.secret_dialog import SecretDialog
from tui.assistants.fields import RESPONSES_TOOLS, has_secret, tool_text
from tui.assistants.masks import MASK, filled, masked
from tui.contract import YunliaoApi
from tui.services.assistant_models import (
    BUILTIN_TOOLS,
    BuiltinTool,
    FunctionTool,
    PluginAuth,
    Tool,
)
from tui.text import clean_line
from tui.widgets.choices import Choices
from tui.widgets.context_bar import service_bar
from tui.widgets.hints import HintLine
from tui.words import _


class ToolsScreen(Screen[tuple[Tool, ...]]):
    """Built-in tools first, then plugins, then functions. Esc goes back with them as they stand."""

    DEFAULT_CSS = """
    ToolsScreen {
        Choices { height: auto; max-height: 60%; border-top: solid $rule; }
        #about { height: 1fr; padding: 0 1 0 4; border-top: solid $rule; }
        #about-text { height: auto; }
    }
    """
    AUTO_FOCUS = "Choices"
    HELP = "Space ticks a tool; Enter opens a function or a plugin. Esc takes them into the form: nothing is sent."
    BINDING_GROUP_TITLE = "Tools"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,h", "take", "take", id="tools.take", show=False, tooltip="Back, with the tools as they are"),
        Binding("ctrl+x", "drop", "drop", id="tools.drop", show=False, tooltip="Back, with the tools as they were"),
        Binding("space", "tick", "tick", id="tools.toggle", show=False, tooltip="Use it, or not"),
        Binding("n", "new_function", "function", id="tools.new", show=False, tooltip="A new function"),
        Binding("p", "new_plugin", "plugin", id="tools.plugin", show=False, tooltip="A plugin, by its id"),
        Binding("a", "auth", "token", id="tools.auth", show=False, tooltip="The token that a plugin gets"),
        Binding("e", "extra", "details", id="tools.extra", show=False, tooltip="Further keys, as JSON: rag's bases"),
        Binding("d,delete", "remove", "remove", id="tools.remove", show=False, tooltip="Remove a function or plugin"),
    ]

    app = app_getter(YunliaoApi)
    tools_list = query_one(Choices)

    def __init__(self, tools: Sequence[Tool], *, local: bool = False) -> None:
        """`local`: of a profile, whose built-in tools are those of the Responses API."""
        super().__init__()
        self._before = tuple(tools)
        self._known = RESPONSES_TOOLS if local else BUILTIN_TOOLS
        self._tools: list[Tool] = [*tools]

    def compose(self) -> ComposeResult:
        yield service_bar(self.app.context, "dashscope", _("Tools"))
        yield Choices()
        with VerticalScroll(id="about", can_focus=False):
            yield Static(id="about-text", markup=False)
        yield HintLine(
            [("Space", _("tick")), ("n", _("function")), ("p", _("plugin")), ("Esc", _("take")), ("?", _("more"))]
        )

    def on_mount(self) -> None:
        self._show()

    # --- rows ----------------------------------------------------------------------------------------------

    def _rows(self) -> list[tuple[str, Tool | None]]:
        """(type, the tool where it is used) of each line."""
        used = {tool.type: tool for tool in self._tools if isinstance(tool, BuiltinTool)}
        known: list[tuple[str, Tool | None]] = [(name, used.get(name)) for name in self._known]
        others = [(tool.type, tool) for tool in self._tools if tool.type not in self._known]
        return [*known, *others]

    def _show(self, at: int | None = None) -> None:
        before = at if at is not None else self.tools_list.highlighted or 0
        tick = "x" if self.app.settings.ascii else "✓"
        rows = []
        for kind, tool in self._rows():
            name = f"{tool.name}()" if isinstance(tool, FunctionTool) else kind
            note = clean_line(tool.description, 80) if isinstance(tool, FunctionTool) else tool_note(kind)
            if isinstance(tool, BuiltinTool) and tool.auth is not None:
                note = f"{note}  {_('token: ***')}".strip()
            rows.append(
                Option(
                    Content.assemble(
                        (f"{tick} " if tool is not None else "  ", "$success"),
                        (f"{clean_line(name):<24}", "bold" if tool is not None else ""),
                        ("  " + note, "$muted"),
                    )
                )
            )
        self.tools_list.clear_options()
        self.tools_list.add_options(rows)
        self.tools_list.highlighted = max(0, min(before, len(rows) - 1))
        self._describe()

    @property
    def _row(self) -> tuple[str, Tool | None]:
        return self._rows()[self.tools_list.highlighted or 0]

    @on(OptionList.OptionHighlighted)
    def _describe(self) -> None:
        kind, tool = self._row
        text = tool_text(tool) if tool is not None else tool_note(kind)
        self.query_one("#about-text", Static).update(Content(text))

    # --- changing ------------------------------------------------------------------------------------------

    def action_tick(self) -> None:
        kind, tool = self._row
        if tool is None:
            self._tools.append(BuiltinTool(kind))
        elif isinstance(tool, FunctionTool) or kind not in self._known:
            self.app.notify(_("d removes a function or a plugin."))
            return
        else:
            self._tools.remove(tool)
        self._show()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        _kind, tool = self._row
        if isinstance(tool, FunctionTool):
            self._edit_function(tool)
        elif tool is not None and tool.type not in self._known:
            self.action_auth()
        else:
            self.action_tick()

    @work(group="tool", exclusive=True)
    async def _edit_function(self, tool: FunctionTool) -> None:
        others = [one.name for one in self._tools if isinstance(one, FunctionTool) and one is not tool]
        found = await answer_of(self.app, FunctionEditor(tool, others))
        if found is not None:
            self._tools[self._tools.index(tool)] = found
            self._show()

    @work(group="tool", exclusive=True)
    async def action_new_function(self) -> None:
        others = [one.name for one in self._tools if isinstance(one, FunctionTool)]
        found = await answer_of(self.app, FunctionEditor(FunctionTool(""), others))
        if found is not None:
            self._tools.append(found)
            self._show(len(self._rows()))

    @work(group="tool", exclusive=True)
    async def action_new_plugin(self) -> None:
        lines = [_("Its id, as the vendor's console shows it. A token is asked for with a.")]
        found = await answer_of(self.app, TextDialog(_("Plugin"), "", lines, verb=_("add")))
        if found and found not in {tool.type for tool in self._tools}:
            self._tools.append(BuiltinTool(found))
            self._show(len(self._rows()))

    @work(group="tool", exclusive=True)
    async def action_auth(self) -> None:
        _kind, tool = self._row
        if not isinstance(tool, BuiltinTool):
            self.app.notify(_("Only a plugin that is used gets a token."))
            return
        lines = [_("The service hands it to the plugin. It is kept in no file here, and shown nowhere.")]
        held = tool.auth is not None
        found = await answer_of(self.app, SecretDialog(_("Token of {name}").format(name=tool.type), lines, held))
        if found is not None:
            auth = PluginAuth(found) if found else None
            self._replace(tool, replace(tool, auth=auth))

    @work(group="tool", exclusive=True)
    async def action_extra(self) -> None:
        _kind, tool = self._row
        if not isinstance(tool, BuiltinTool):
            self.app.notify(_("Tick it first; a function is opened with Enter."))
            return
        text = json.dumps(masked(tool.extra), ensure_ascii=False, indent=2)
        while True:
            help_text = _("Further keys of the tool as a JSON object: for rag the ids of its knowledge bases.")
            if has_secret(tool):
                help_text += " " + _("A secret is shown as {mask}, and stays where you leave that.").format(mask=MASK)
            found = await answer_of(self.app, TextScreen(tool.type, text, help_text))
            if found is None:
                return
            try:
                extra = json.loads(found) if found.strip() else {}
            except ValueError as error:
                self.app.notify(clean_line(str(error)), severity="error", markup=False)
                text = found
                continue
            if isinstance(extra, dict) and not {"type", "auth"} & extra.keys():
                self._replace(tool, replace(tool, extra=filled(extra, tool.extra)))
                return
            self.app.notify(_("It must be an object, without type and auth."), severity="error")
            text = found

    def _replace(self, tool: Tool, other: Tool) -> None:
        self._tools[self._tools.index(tool)] = other
        self._show()

    def action_remove(self) -> None:
        _kind, tool = self._row
        if tool is not None:
            self._tools.remove(tool)
            self._show()

    def action_take(self) -> None:
        self.dismiss(tuple(self._tools))

    def action_drop(self) -> None:
        self.dismiss(self._before)


def tool_note(kind: str) -> str:
    """What a built-in tool is for, in a few words."""
    return {
        "code_interpreter": _("runs Python that the model writes"),
        "quark_search": _("searches the web"),
        "search": _("searches the web; an older name of quark_search"),
        "web_search": _("searches the web"),
        "web_extractor": _("reads web pages"),
        "text_to_image": _("draws pictures"),
        "wanx": _("draws pictures; an older name of text_to_image"),
        "calculator": _("calculates"),
        "generate_qrcode": _("makes QR codes"),
        "github_search": _("searches GitHub"),
        "rag": _("looks into a knowledge base; e names it"),
        "file_search": _("looks into files; e names the stores"),
        "mcp": _("a server of the Model Context Protocol; e names it"),
    }.get(kind, _("plugin"))
