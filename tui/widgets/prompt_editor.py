"""A large text field for prompts and instructions: it says how long the text is, here and on the way to the service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast
from urllib.parse import quote

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Paste
from textual.getters import query_one
from textual.message import Message
from textual.timer import Timer
from textual.widgets import TextArea

from tui.contract import YunliaoApi
from tui.text import clean
from tui.widgets.still import Still
from tui.words import _

COUNT_PAUSE = 0.2
"""Seconds after the last change before the length of a text of `LONG` characters is worked out."""
LONG = 5_000


def encoded_length(text: str) -> int:
    """Bytes that `text` takes in the address of a request: one for letters, digits and `-._~`, else three per byte."""
    return len(quote(text, safe="~", errors="replace"))


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a text may be; 0 is no limit."""

    characters: int = 0
    encoded: int = 0
    """Bytes in the address of the request."""


class PromptArea(TextArea):
    """The field itself."""

    HELP = "Ctrl+O opens the text in $EDITOR; Esc goes back, and the text stays as it is."
    BINDING_GROUP_TITLE = "Text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "edit_externally", "editor", id="prompt.edit", tooltip="Write in $EDITOR"),
        # The text area has a meaning of its own for this one.
        Binding("f6", "app.focus_next", "next part", id="prompt.next_part", show=False),
        Binding("ctrl+c", "copy_selection", "copy", id="prompt.copy", show=False, tooltip="Copy what is selected"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            id=id, soft_wrap=True, compact=True, highlight_cursor_line=False, tab_behavior="focus", max_checkpoints=200
        )
        # A blinking cursor is a byte stream of its own over SSH.
        self.cursor_blink = False

    async def _on_paste(self, event: Paste) -> None:
        event.stop()
        event.prevent_default()
        if not self.read_only:
            self.replace(clean(event.text), *self.selection, maintain_selection_offset=False)

    def action_copy_selection(self) -> None:
        if self.selected_text:
            cast("YunliaoApi", self.app).copy_text(self.selected_text, _("the selection"))

    @work(group="editor", exclusive=True)
    async def action_edit_externally(self) -> None:
        if self.read_only:
            return
        before = self.text
        text = await cast("YunliaoApi", self.app).edit_externally(before)
        if text != before.rstrip("\n"):
            # One step of undo.
            self.replace(text, self.document.start, self.document.end)
        self.focus()


class PromptEditor(Vertical):
    """A `PromptArea` over a line that counts."""

    DEFAULT_CSS = """
    PromptEditor {
        height: 1fr;

        PromptArea, PromptArea:focus { height: 1fr; border: none; padding: 0 1; background: $background; }
        .count { height: 1; padding: 0 1; color: $muted; text-style: $muted-style; }
    }
    """

    area = query_one(PromptArea)

    @dataclass
    class Changed(Message):
        """The user changed the text."""

        editor: PromptEditor
        text: str

        @property
        def control(self) -> PromptEditor:
            return self.editor

    def __init__(self, *, limit: Limit = Limit(), id: str | None = None) -> None:  # frozen
        super().__init__(id=id)
        self._limit = limit
        self._count_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield PromptArea()
        yield Still(classes="count")

    def on_mount(self) -> None:
        self._count()

    @property
    def text(self) -> str:
        return self.area.text

    def put(self, text: str, limit: Limit | None = None) -> None:
        """Show another text, with its own undo history and limit; no `Changed` is posted for it."""
        self._limit = limit or self._limit
        with self.prevent(TextArea.Changed):
            self.area.load_text(text)
        self._count()

    @property
    def over_limit(self) -> bool:
        """The text is longer than what is known to be taken."""
        text, limit = self.text, self._limit
        return bool(
            (limit.characters and len(text) > limit.characters)
            or (limit.encoded and encoded_length(text) > limit.encoded)
        )

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._count_timer is not None:
            self._count_timer.stop()
            self._count_timer = None
        if len(event.text_area.text) > LONG:
            self._count_timer = self.set_timer(COUNT_PAUSE, self._count)
        else:
            self._count()
        self.post_message(self.Changed(self, event.text_area.text))

    def _count(self) -> None:
        self._count_timer = None
        for line in self.query(".count").results(Still):
            line.show(count_line(self.text, self._limit))


def count_line(text: str, limit: Limit) -> Content:
    """How long `text` is, and what of it is too long, in words."""
    count = _("{n} of {limit} characters") if limit.characters else _("{n} characters")
    parts = [Content(count.format(n=f"{len(text):,}", limit=f"{limit.characters:,}"))]
    if limit.encoded:
        size = encoded_length(text)
        parts.append(
            Content(_("{size} of {limit} KB in the address").format(size=_kilobytes(size), limit=limit.encoded // 1000))
        )
        if size > limit.encoded:
            parts.append(Content.styled(_("! a proxy on the way may refuse it"), "$warning"))
    if limit.characters and len(text) > limit.characters:
        parts.append(Content.styled(_("! {n} too many").format(n=f"{len(text) - limit.characters:,}"), "$warning"))
    return Content("   ").join(parts)


def _kilobytes(size: int) -> str:
    return f"{size / 1000:.1f}"
