"""Write conversations to a file: in which form, what goes in, what is taken out; what it will be stands below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.getters import app as app_getter
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui import routes
from tui.contract import Context, YunliaoApi
from tui.exporting import FORMS, Exported, ExportRequest, Form
from tui.services.errors import ServiceError
from tui.widgets.choices import Choices
from tui.widgets.context_bar import ContextBar
from tui.widgets.conversation_line import fit
from tui.widgets.hints import HintLine
from tui.words import _

if TYPE_CHECKING:
    from tui.exports.redaction import Level

LABEL_CELLS = 18
PREVIEW_LINES = 400
LEVELS: tuple[Level, ...] = ("secrets", "all", "off")
BUNDLES = ("zip", "folder")


class ExportScreen(Screen[None]):
    """One line a choice; Enter, space or l goes to its next value."""

    CSS_PATH = "export.tcss"
    AUTO_FOCUS = "#rows"
    TITLE = "Export"
    BINDING_GROUP_TITLE = "Export"
    HELP = "Files are written for you alone. What looks like a secret is taken out; look at the result all the same."
    hides_chat = True
    """What ends in the chat meanwhile is not seen."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "back", id="export.back", show=False),
        Binding("w,ctrl+j", "write", "write the file", id="export.write", tooltip="Write it to the downloads"),
        Binding("l,right,space", "change(1)", "change", id="export.change", tooltip="The next value"),
        Binding("h,left", "change(-1)", "the value before", id="export.change_back", show=False),
        Binding("y", "copy", "copy", id="export.copy", tooltip="Copy it instead of writing a file"),
        Binding("c", "copy_path", "copy the path", id="export.copy_path", show=False, tooltip="Of what was written"),
        Binding("ctrl+d,pagedown", "page(1)", "page down", id="export.page_down", show=False),
        Binding("ctrl+u,pageup", "page(-1)", "page up", id="export.page_up", show=False),
    ]

    app = app_getter(YunliaoApi)

    def __init__(self, conversation_ids: Sequence[str], turn_id: str = "") -> None:
        """`turn_id`: the question that may be exported alone."""
        super().__init__()
        self._turn = turn_id
        several = len(conversation_ids) > 1
        self._request = ExportRequest(tuple(conversation_ids), form="zip" if several else "md")
        self._exported: Exported | None = None
        self._path = ""

    def compose(self) -> ComposeResult:
        yield ContextBar(id="context")
        yield Choices(id="rows")
        yield Static(id="told", markup=False)
        with VerticalScroll(id="scroll", can_focus=False):
            yield Static(id="preview", markup=False)
        yield HintLine(id="hints")

    def on_mount(self) -> None:
        self.app.context_changed.subscribe(self, self._context_changed)
        self._context_changed(self.app.context)
        self._make()

    def _context_changed(self, context: Context) -> None:
        bar = self.query_one(ContextBar)
        bar.context = context
        count = len(self._request.conversations)
        chosen = self._request.conversations
        services = {one.service for one in self.app.summaries() if one.id in chosen}
        bar.service = services.pop() if len(services) == 1 else None
        bar.subject = _("Export {count} conversations").format(count=count) if count > 1 else _("Export a conversation")
        self._show_rows()
        self.query_one(HintLine).hints = [
            ("Enter", _("change")),
            ("w", _("write the file")),
            ("y", _("copy")),
            ("Esc", _("back")),
            ("?", _("more")),
        ]

    # --- the choices ---------------------------------------------------------------------------------------

    @property
    def _names(self) -> list[str]:
        names = ["form", "redact", "thinking", "tools"]
        if self._turn:
            names.insert(0, "turn")
        if self._request.form in BUNDLES:
            names.append("title")
        return names

    def _row(self, name: str) -> tuple[str, str]:
        """What a choice is called, and how it stands, in words."""
        request = self._request
        match name:
            case "turn":
                return _("what"), _("this question and its answer") if request.turn else _("the whole conversation")
            case "form":
                return _("format"), form_name(request.form)
            case "redact":
                return _("taken out"), level_name(request.redact)
            case "thinking":
                return _("thoughts"), _("go in") if request.thinking else _("are left out")
            case "tools":
                return _("tool calls"), _("arguments and results") if request.tools else _("names only")
        return _("incident"), request.title or _("named after the first conversation")

    def _show_rows(self) -> None:
        rows = self.query_one(Choices)
        at = rows.highlighted or 0
        contents = [(name, Content(fit(self._row(name)[0], LABEL_CELLS) + self._row(name)[1])) for name in self._names]
        rows.clear_options()
        rows.add_options([Option(content, id=name) for name, content in contents])
        rows.highlighted = min(at, len(contents) - 1)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_change(1)

    def action_change(self, step: int) -> None:
        name = self._names[self.query_one(Choices).highlighted or 0]
        request = self._request
        match name:
            case "turn":
                request = replace(request, turn="" if request.turn else self._turn)
            case "form":
                request = replace(request, form=cast("Form", _next(FORMS, request.form, step)))
            case "redact":
                request = replace(request, redact=cast("Level", _next(LEVELS, request.redact, step)))
            case "thinking":
                request = replace(request, thinking=not request.thinking)
            case "tools":
                request = replace(request, tools=not request.tools)
            case "title":
                self._ask_title()
                return
        if request.form in BUNDLES:
            request = replace(request, turn="")
        self._change(request)

    @work(group="title", exclusive=True)
    async def _ask_title(self) -> None:
        dialog = routes.build("text", title=_("What the incident is called"), value=self._request.title)
        title = await self.app.push_screen_wait(dialog)
        if title:
            self._change(replace(self._request, title=title))

    def _change(self, request: ExportRequest) -> None:
        self._request = request
        self._show_rows()
        self._make()

    # --- what it will be -----------------------------------------------------------------------------------

    @work(group="render", exclusive=True)
    async def _make(self) -> None:
        self._exported, self._path = None, ""
        self._tell(_("reading …"))
        try:
            exported = await self.app.exporting.render(self._request)
        except KeyError:
            self._tell(_("This conversation is not there any more."))
            return
        except ServiceError as error:
            self._tell(_(": ").join((error.problem.title, error.problem.sentence)))
            return
        self._exported = exported
        self._tell()
        lines = preview_of(exported).split("\n")
        if len(lines) > PREVIEW_LINES:
            lines[PREVIEW_LINES:] = [_("… {count} more lines").format(count=len(lines) - PREVIEW_LINES)]
        self.query_one("#preview", Static).update(Content("\n".join(lines)))
        self.query_one("#scroll").scroll_home(animate=False)

    def _tell(self, words: str = "") -> None:
        """The line between the choices and the preview."""
        told = self.query_one("#told", Static)
        if not words and self._exported is not None:
            words = (
                f"{self._exported.name} · {size_in_words(self._exported.size)} · {taken_out(self._exported.redacted)}"
            )
            if self._request.redact == "off":
                words += "\n" + _("Passwords and keys that stand in the text go out with it.")
        if self._path:
            words = _("Written to {path}").format(path=self._path)
        told.set_class(self._request.redact == "off" and not self._path, "-open")
        told.update(words)

    # --- doing ---------------------------------------------------------------------------------------------

    @work(group="write", exclusive=True)
    async def action_write(self) -> None:
        if self._exported is None:
            return
        try:
            path = await self.app.exporting.write(self._exported, self.app.downloads)
        except OSError as error:
            self.app.notify(_("Not saved: {reason}").format(reason=error.strerror), severity="error", markup=False)
            return
        self._path = str(path)
        self._tell()

    def action_copy(self) -> None:
        if self._exported is None:
            return
        if self._request.form in BUNDLES:
            self.app.notify(_("A bundle is files: w writes them."), severity="warning")
        else:
            text = next(iter(self._exported.files.values())).decode()
            self.app.copy_text(text, _("the export"))

    def action_copy_path(self) -> None:
        if self._path:
            self.app.copy_text(self._path, _("the path"))
        else:
            self.app.notify(_("Nothing is written yet: w does that."))

    def action_page(self, pages: int) -> None:
        scroll = self.query_one("#scroll", VerticalScroll)
        scroll.scroll_relative(y=pages * max(1, scroll.size.height - 1), animate=False)

    def action_back(self) -> None:
        if len(self.app.screen_stack) > 1:
            self.dismiss(None)


def form_name(form: Form) -> str:
    return {
        "md": "Markdown",
        "html": _("HTML: one page, no scripts"),
        "json": _("JSON: for this program on another machine"),
        "zip": _("incident bundle: one zip file"),
        "folder": _("incident bundle: a folder"),
    }[form]


def level_name(level: Level) -> str:
    return {
        "secrets": _("passwords, keys, signed addresses"),
        "all": _("those, and e-mail, phone and ID numbers, private addresses"),
        "off": _("nothing"),
    }[level]


def taken_out(counts: Mapping[str, int]) -> str:
    """What was taken out, in words."""
    if not counts:
        return _("nothing had to be taken out")
    return _("taken out: {what}").format(what=_(", ").join(f"{kind} {count}" for kind, count in sorted(counts.items())))


def size_in_words(size: int) -> str:
    return f"{size / 1000:.1f} KB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def preview_of(exported: Exported) -> str:
    """What is shown of an export: the text of a file, the names of a bundle's files."""
    if len(exported.files) == 1 and not exported.name.endswith(".zip"):
        return next(iter(exported.files.values())).decode()
    return "\n".join(exported.contents)


def _next(values: Sequence[str], value: str, step: int) -> str:
    return values[(values.index(value) + step) % len(values)]
