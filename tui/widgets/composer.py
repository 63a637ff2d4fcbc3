"""The composer: where a question is written. Enter sends, Ctrl+J makes a newline, a paste never sends."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer

from tui.contract import Context, YunliaoApi
from tui.terminal.field import TerminalTextArea
from tui.text import pasted
from tui.words import _

BURST_GAP = 0.010
"""Seconds between two keys under which they were not typed by hand: a paste without bracketed-paste marks, or
several keys in one packet of a slow line."""
BURST_PAUSE = 0.030
"""How long an Enter inside a burst waits: when more keys follow, it was a newline of a paste."""
PASTE_LIMIT = 200_000
"""Characters; more belongs in a file."""
ENTER_KEYS = frozenset({"ctrl+j", "alt+enter", "shift+enter", "enter"})
"""One of them sends, the others make a newline."""


class Composer(TerminalTextArea):
    """A growing text area, one to six lines high, with the history of what was sent."""

    HELP = (
        "Enter sends and Ctrl+J makes a newline; the setting `send` swaps them. Up on the first line and Down on the "
        "last one walk through what was sent. A paste never sends."
    )

    BINDING_GROUP_TITLE = "Composer"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "edit_externally", "editor", id="composer.edit", tooltip="Write in $EDITOR", show=False),
        Binding("pageup", "page(-1)", "scroll up", id="composer.page_up", tooltip="Scroll the answer", show=False),
        Binding("pagedown", "page(1)", "scroll down", id="composer.page_down", tooltip="Scroll the answer", show=False),
        # The text area has meanings of its own for these two.
        Binding("f6", "app.focus_next", "next part", id="composer.next_part", show=False),
        Binding("f7", "screen.session", "session", id="composer.session", show=False),
        Binding("ctrl+c", "interrupt", "stop / clear", id="composer.interrupt", show=False),
    ]

    class Submitted(Message):
        """The text is to be sent; the composer has been emptied."""

        def __init__(self, composer: Composer, text: str) -> None:
            super().__init__()
            self.composer = composer
            self.text = text

        @property
        def control(self) -> Composer:
            return self.composer

    class EditRequested(Message):
        """The user wants to write in $EDITOR."""

        def __init__(self, composer: Composer) -> None:
            super().__init__()
            self.composer = composer

        @property
        def control(self) -> Composer:
            return self.composer

    class PageRequested(Message):
        """Scroll the transcript by a page without leaving the composer; -1 is up."""

        def __init__(self, direction: int) -> None:
            super().__init__()
            self.direction = direction

    class FilesRequested(Message):
        """`@` where nothing is written yet: files are to be chosen."""

    class Interrupted(Message):
        """Ctrl+C with nothing selected: what it means depends on what runs."""

    class Copied(Message):
        """Ctrl+C with a selection."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self,
        *,
        send_key: str = "enter",
        seconds: Callable[[], float] = time.monotonic,
        id: str | None = None,
    ) -> None:
        super().__init__(
            id=id, soft_wrap=True, compact=True, highlight_cursor_line=False, tab_behavior="focus", max_checkpoints=200
        )
        # A blinking cursor is a byte stream of its own over SSH.
        self.cursor_blink = False
        self.send_key = send_key
        """The other ones make a newline."""
        self._seconds = seconds
        self._last_key = 0.0
        self._last_arrival = 0.0
        self._lines_in_burst = False
        """The burst has more than one line, so it is a paste, and so is its last newline."""
        self._held_enter: Timer | None = None
        self._history: Sequence[str] = ()
        self._walk = 0
        """0: the draft; n: the n-th newest of the history."""
        self._left: dict[int, str] = {}
        """What was in the composer when a place of the walk was left: the draft, entries that were changed."""
        self.keys_first: Callable[[str], bool] = lambda _key: False
        """Asked before a key is dealt with here: whether it was meant for the list above."""
        self.at_opens_files = False
        """Whether `@` in an empty composer asks for files."""

    def on_mount(self) -> None:
        if isinstance(self.app, YunliaoApi):
            self.app.context_changed.subscribe(self, self._context_changed)

    def _context_changed(self, _context: Context) -> None:
        """The setting may be another one."""
        if isinstance(self.app, YunliaoApi):
            self.send_key = self.app.settings.send

    @property
    def last_key(self) -> float:
        """When a key came last, in seconds of the composer's clock."""
        return self._last_key

    # --- text ----------------------------------------------------------------------------------------------

    def set_history(self, history: Sequence[str]) -> None:
        """What Up walks through, oldest first."""
        if history != self._history:
            self._history = history
            self._walk = 0
            self._left.clear()

    def put(self, text: str) -> None:
        """Replace the text (a draft, a question given back), cursor at its end."""
        self._walk = 0
        self._left.clear()
        self._show(text)

    def _show(self, text: str) -> None:
        # Not .text: assigning that after a long paste rebuilds the undo history for ever.
        self.load_text(text)
        self.move_cursor(self.document.end)

    def insert_typed(self, text: str) -> None:
        """Put `text` where the cursor is, in the place of what is selected, as typing does."""
        self.replace(text, *self.selection, maintain_selection_offset=False)

    def take(self) -> str:
        """Empty the composer; what was in it."""
        text = self.text
        self.put("")
        return text

    # --- keys ----------------------------------------------------------------------------------------------

    async def _on_key(self, event: events.Key) -> None:
        now = self._seconds()
        # By when they arrived too: on a busy machine keys of one packet are dealt with far apart.
        in_burst = now - self._last_key < BURST_GAP or event.time - self._last_arrival < BURST_GAP
        self._last_key, self._last_arrival = now, event.time
        self._lines_in_burst = in_burst and self._lines_in_burst
        if self._held_enter is not None:
            # More keys followed at once: the Enter was a newline inside pasted text.
            self._held_enter.stop()
            self._held_enter = None
            self._lines_in_burst = True
            self.insert_typed("\n")
        if not in_burst and self.keys_first(event.key):
            event.stop()
            event.prevent_default()
        elif event.key == self.send_key:
            event.stop()
            event.prevent_default()
            if self._lines_in_burst:
                self.insert_typed("\n")
            elif in_burst:
                self._held_enter = self.set_timer(BURST_PAUSE, self._held_long_enough)
            else:
                self._submit()
        elif event.key in ENTER_KEYS:
            event.stop()
            event.prevent_default()
            self.insert_typed("\n")
        elif event.character == "@" and self.at_opens_files and not self.text and not in_burst:
            event.stop()
            event.prevent_default()
            self.post_message(self.FilesRequested())
        elif event.key in ("up", "down") and self._walk_history(event.key):
            event.stop()
            event.prevent_default()
        else:
            await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text = pasted(event.text)
        if len(text) > PASTE_LIMIT:
            self.app.notify(
                _("The pasted text has {count} characters; only the first {limit} were taken.").format(
                    count=len(text), limit=PASTE_LIMIT
                ),
                severity="warning",
                markup=False,
            )
        self.insert_typed(text[:PASTE_LIMIT])

    def _held_long_enough(self) -> None:
        # Keys that have arrived meanwhile are dealt with first: that they wait is not the user's pause.
        self.app.call_later(self.call_later, self._send_held)

    def _send_held(self) -> None:
        if self._held_enter is not None:
            self._held_enter = None
            self._submit()

    def _submit(self) -> None:
        text = self.text.strip("\n")
        if text.strip():
            self.put("")
            self.post_message(self.Submitted(self, text))

    def _walk_history(self, key: str) -> bool:
        """Go to an older or newer entry when the cursor is on the first or last line; False when it is not."""
        step = 1 if key == "up" else -1
        at_edge = self.cursor_at_first_line if step > 0 else self.cursor_at_last_line
        target = self._walk + step
        if not at_edge or not 0 <= target <= len(self._history) or not self.selection.is_empty:
            return False
        self._left[self._walk] = self.text
        self._walk = target
        self._show(self._left[target] if target in self._left else self._history[-target])
        return True

    # --- actions -------------------------------------------------------------------------------------------

    def action_edit_externally(self) -> None:
        self.post_message(self.EditRequested(self))

    def action_page(self, direction: int) -> None:
        self.post_message(self.PageRequested(direction))

    def action_interrupt(self) -> None:
        self.post_message(self.Copied(self.selected_text) if self.selected_text else self.Interrupted())
