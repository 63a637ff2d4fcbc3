"""Help for what has the focus: every key as it is bound now, what the marks mean, and how text gets out over SSH."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import ClassVar, TypeAlias

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult, RenderResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.getters import app as app_getter
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.contract import YunliaoApi
from tui.widgets.bindings import Command, commands
from tui.widgets.conversation_line import ASCII, UNICODE
from tui.widgets.conversation_rows import TitleFilter
from tui.widgets.hints import HintLine
from tui.widgets.transcript.cells import wrap
from tui.words import _

Groups: TypeAlias = list[tuple[str, list[tuple[str, str]]]]
"""(heading, rows of (keys, what they do))."""
KEY_CELLS = 18
"""The column of keys is not wider; longer ones push what they do to the right."""


class KeyTable(Widget):
    """Under headings, keys and what they do in two columns; what is too long goes on in its own column."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._about = ""
        self._groups: Groups = []

    def show(self, about: str, groups: Groups) -> None:
        """`about` stands above the groups."""
        self._about, self._groups = about, groups
        self.refresh(layout=True)

    def lines(self, width: int) -> list[Content]:
        """All lines, of at most `width` cells."""
        keys = [cell_len(key) for _heading, rows in self._groups for key, _what in rows]
        column = min(max(keys, default=0), KEY_CELLS)
        lines = [Content(line) for line in _wrapped(self._about, width)] if self._about else []
        for heading, rows in self._groups:
            lines += [Content(""), Content(heading).stylize("bold")] if lines else [Content(heading).stylize("bold")]
            for key, what in rows:
                room = width - 4 - max(column, cell_len(key))
                for number, line in enumerate(_wrapped(what, room)):
                    left = _pad(key, column) if number == 0 else " " * max(column, cell_len(key))
                    lines.append(Content.assemble("  ", (left, "$primary"), "  ", line))
        return lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.lines(width))

    def render(self) -> RenderResult:
        return Content("\n").join(self.lines(self.content_size.width))


class HelpScreen(ModalScreen[None]):
    """The keys of the screen below, by where they apply; typing after `/` filters them."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "#keys"
    BINDING_GROUP_TITLE = "Help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f1,question_mark", "close", "close", id="help.close"),
        Binding("slash", "filter", "filter", id="help.filter"),
        Binding("ctrl+p,colon", "palette", "palette", id="help.palette", show=False, tooltip="Every action"),
        Binding("i", "ids", "ids", id="help.ids", show=False, tooltip="Names of the actions, for other keys"),
        Binding("j,down", "scroll(1)", "down", id="help.down", show=False),
        Binding("k,up", "scroll(-1)", "up", id="help.up", show=False),
        Binding("g,home", "edge(0)", "first line", id="help.first", show=False),
        Binding("G,end", "edge(1)", "last line", id="help.last", show=False),
        Binding("ctrl+d,pagedown,space", "page(1)", "page down", id="help.page_down", show=False),
        Binding("ctrl+u,pageup", "page(-1)", "page up", id="help.page_up", show=False),
    ]

    app = app_getter(YunliaoApi)

    def __init__(self) -> None:
        super().__init__()
        self._commands: list[Command] = []
        self._about = ""
        """What to know of the part that has the focus, before its keys."""
        self._ids = False
        """Each action stands with the name that the settings know it by."""

    def compose(self) -> ComposeResult:
        yield Static(_("Keys"), id="title", classes="title", markup=False)
        yield Input(placeholder=_("filter"), select_on_focus=False, id="filter")
        with VerticalScroll(id="keys"):
            yield KeyTable(id="text")
        yield HintLine(
            [
                ("j k", _("scroll")),
                ("/", _("filter")),
                ("i", _("other keys")),
                ("^P", _("find an action and run it")),
                ("Esc", _("close")),
            ]
        )

    def on_mount(self) -> None:
        below = self.app.screen_stack[-2] if len(self.app.screen_stack) > 1 else self
        self._commands = commands(below, self.app.settings.keys)
        node = below.focused or below
        self._about = _(node.HELP or "")
        self._show("")

    def _show(self, typed: str) -> None:
        found = TitleFilter(typed)
        groups: Groups = [
            (part or _("Everywhere"), named(entries) if self._ids else rows_of(entries))
            for part, entries in groupby(self._commands, key=lambda entry: entry.part)
        ]
        if not self._ids:
            groups += [(_("Marks"), marks(ascii_only=self.app.settings.ascii)), (_("Getting text out"), copying())]
        shown = [
            (heading, [row for row in rows if not found or found.matches(f"{row[0]} {row[1]}")])
            for heading, rows in groups
        ]
        shown = [(heading, rows) for heading, rows in shown if rows]
        about = self._about if not found else ""
        if self._ids:
            file = self.app.settings_path
            line = _("Other keys: in {file} below [keys] a line like {line}; `none` takes a key away.")
            about = line.format(file=file, line='"chat.new" = "ctrl+g,f8"')
        nothing = "" if shown else _("Nothing matches “{text}”.").format(text=found.typed)
        self.query_one(KeyTable).show(about or nothing, shown)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._show(event.value)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._keys.focus()

    @property
    def _keys(self) -> VerticalScroll:
        return self.query_one("#keys", VerticalScroll)

    def action_filter(self) -> None:
        field = self.query_one(Input)
        field.display = True
        field.focus()

    def action_palette(self) -> None:
        """The palette of the screen below: what stands here is its actions."""
        self.dismiss(None)
        self.app.call_next(self.app.action_command_palette)

    def action_ids(self) -> None:
        self._ids = not self._ids
        self._show(self.query_one(Input).value)

    def action_close(self) -> None:
        field = self.query_one(Input)
        if field.display:
            field.value = ""
            field.display = False
            self._keys.focus()
        else:
            self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        self._keys.scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        self._keys.scroll_relative(y=pages * max(1, self._keys.size.height - 1), animate=False)

    def action_edge(self, end: int) -> None:
        self._keys.scroll_to(y=self._keys.max_scroll_y if end else 0, animate=False)


def rows_of(commands: Iterable[Command]) -> list[tuple[str, str]]:
    """(keys, what they do); keys that do the same in many ways (a digit each) share a row."""
    keys: dict[str, list[str]] = {}
    for entry in commands:
        if entry.keys:
            keys.setdefault(entry.what, []).extend(entry.keys)
    return [(" ".join(each if len(each) <= 4 else [each[0], "…", each[-1]]), what) for what, each in keys.items()]


def named(commands: Iterable[Command]) -> list[tuple[str, str]]:
    """(keys, name and what it does) of each action; those without a key can be given one."""
    return [(" ".join(entry.keys) or "-", f"{entry.id}  {entry.what}") for entry in commands]


def _pad(text: str, cells: int) -> str:
    return text + " " * (cells - cell_len(text))


def _wrapped(text: str, width: int) -> list[str]:
    return ["".join(piece for piece, _style in line) for line in wrap([(text, 0)], width)]


def marks(*, ascii_only: bool) -> list[tuple[str, str]]:
    """(mark, what it means)."""
    signs = ASCII if ascii_only else UNICODE
    return [
        ("R D A", _("RDS Copilot, Data Agent, DashScope")),
        (signs.running, _("an answer is running")),
        (signs.waiting, _("the service waits for you")),
        (signs.failed, _("the newest answer failed or was cut off; open it to see why")),
        (signs.current, _("the conversation on screen; in it: a question")),
        (signs.marked, _("marked with Space")),
        ("2m 3h 1d 4w", _("minutes, hours, days, weeks since the last change; bold is unread")),
    ]


def copying() -> list[tuple[str, str]]:
    """(key, what to know) about copying over SSH."""
    return [
        ("y Y", _("copies the source text, through tmux or the terminal (OSC 52) over SSH; the notice says how")),
        ("w", _("writes it to a file instead, where nothing arrives in the clipboard")),
        ("Shift", _("held, the terminal selects by itself while the mouse is on; over SSH the mouse is off")),
    ]
