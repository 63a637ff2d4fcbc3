"""Dialogs: each is a question with a typed answer. Esc cancels, and Enter alone never approves anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, TypeVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.getters import app as app_getter
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from tui.contract import YunliaoApi
from tui.text import clean, clean_line, safe_file_name
from tui.widgets.choices import Choices
from tui.widgets.hints import HintLine
from tui.words import _

T = TypeVar("T")
PREVIEW_LINES = 8


async def answer_of(app: YunliaoApi, screen: Screen[T]) -> T | None:
    """What the user answers on `screen`; None where it was left with Esc. For workers."""
    return await app.push_screen_wait(screen)


class Dialog(ModalScreen[T]):
    """A title, a body and a line of hints, at most 90 columns wide."""

    CSS_PATH = "dialogs.tcss"
    BINDING_GROUP_TITLE = "Dialog"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", id="dialog.cancel", show=False),
    ]

    app = app_getter(YunliaoApi)

    def __init__(self, title: str, lines: Sequence[str] = (), hints: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        self._title = clean_line(title)
        self._lines = [clean(line) for line in lines]
        self._hints = hints

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="title", markup=False)
            if self._lines:
                yield Static("\n".join(self._lines), classes="lines", markup=False)
            yield from self.body()
            if self._hints:
                yield HintLine(self._hints)

    def on_mount(self) -> None:
        self.set_class(self.app.settings.ascii, "-ascii")

    def body(self) -> Iterable[Widget]:
        """What stands between the text and the hints."""
        return ()

    def action_cancel(self) -> None:
        self.dismiss(None)


class ConfirmDialog(Dialog[bool]):
    """Yes by its named key only; Cancel has the focus, so Enter cancels."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "approve", "yes", id="confirm.approve", show=False),
        Binding("n,enter", "cancel", "cancel", id="confirm.cancel", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[str], verb: str) -> None:
        super().__init__(title, lines)
        self._verb = clean_line(verb)

    def body(self) -> Iterable[Widget]:
        yield Static(
            Content.assemble((_(" Cancel "), "$cursor-text on $cursor"), "    ", ("y", "bold"), f" {self._verb}"),
            id="answers",
        )

    def action_approve(self) -> None:
        self.dismiss(True)

    def action_cancel(self) -> None:
        self.dismiss(False)


class TypedConfirmDialog(Dialog[bool]):
    """Yes by typing `expected` (a count, a name) and Enter; anything else does nothing."""

    def __init__(self, title: str, lines: Sequence[str], verb: str, expected: str) -> None:
        # What can be typed: a service's name may begin with a blank, or hold what no key makes.
        self._expected = clean_line(expected).strip(" …") or "yes"
        verb = clean_line(verb)
        ask = _("Type {expected} and press Enter to {verb}.").format(expected=self._expected, verb=verb)
        super().__init__(title, [*lines, ask], [("Enter", verb), ("Esc", _("cancel"))])

    def body(self) -> Iterable[Widget]:
        yield Input(id="typed", select_on_focus=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip() == self._expected:
            self.dismiss(True)
        else:
            self.query_one(HintLine).hints = [
                ("", _("This is not {expected}.").format(expected=self._expected)),
                ("Esc", _("cancel")),
            ]

    def action_cancel(self) -> None:
        self.dismiss(False)


class TextDialog(Dialog[str]):
    """One line of text; Enter takes it, and an empty one only where `allow_empty`."""

    def __init__(
        self, title: str, value: str = "", lines: Sequence[str] = (), *, verb: str = "", allow_empty: bool = False
    ) -> None:
        super().__init__(title, lines, [("Enter", verb or _("save")), ("Esc", _("cancel"))])
        # A blank at the end stays: what is typed then is another word.
        self._value = _whole_line(value) + " " * value.endswith(" ")
        self._allow_empty = allow_empty

    def body(self) -> Iterable[Widget]:
        yield Input(self._value, id="text", select_on_focus=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = _whole_line(event.value)
        if text or self._allow_empty:
            self.dismiss(text)


def _whole_line(text: str) -> str:
    """One clean line of all of it: what is typed, or stood there, is never cut."""
    return clean_line(text, len(text) + 1)


class ChooseDialog(Dialog[int]):
    """A numbered list of (label, text) with a preview of the text; the answer is the index.

    A digit chooses at once; where two digits may follow (10 and more), it moves there and the second chooses.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(digit, f"digit({digit})", "choose by number", id=f"choose.digit_{digit}", show=False)
            for digit in "1234567890"
        ),
    ]

    def __init__(self, title: str, choices: Sequence[tuple[str, str]], chosen: int = 0) -> None:
        digits = f"1-{min(9, len(choices))}" if len(choices) > 1 else "1"
        super().__init__(
            title, (), [(digits, _("choose")), ("j k", _("move")), ("Enter", _("choose")), ("Esc", _("cancel"))]
        )
        self._choices = [(clean_line(label), clean(text)) for label, text in choices]
        self._chosen = chosen
        self._number = 0

    def body(self) -> Iterable[Widget]:
        digits = len(str(len(self._choices)))
        choices = Choices(
            *(Content(f"{number:>{digits}}  {label}") for number, (label, _text) in enumerate(self._choices, 1))
        )
        choices.highlighted = self._chosen
        yield choices
        if any(text for _label, text in self._choices):
            yield Static("", id="preview", markup=False)

    def on_key(self, event: Key) -> None:
        if not event.key.isdigit():
            self._number = 0

    def action_digit(self, digit: int) -> None:
        number = self._number * 10 + digit
        count = len(self._choices)
        if not 1 <= number <= count:
            number = digit
        if not 1 <= number <= count:
            self._number = 0
        elif number * 10 > count:
            self.dismiss(number - 1)
        else:
            self._number = number
            self.query_one(Choices).highlighted = number - 1

    @on(OptionList.OptionHighlighted)
    def _preview(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        for preview in self.query("#preview").results(Static):
            lines = self._choices[event.option_index][1].split("\n")
            more = len(lines) - PREVIEW_LINES
            if more > 0:
                lines[PREVIEW_LINES:] = [_("… {count} more lines").format(count=more)]
            preview.update(Content("\n".join(lines)))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option_index)


class DetailsDialog(Dialog[None]):
    """Names and values, each of which can be copied: what a support ticket needs."""

    BINDING_GROUP_TITLE = "Details"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,c", "copy", "copy the value", id="details.copy", show=False),
        Binding("Y", "copy_all", "copy all", id="details.copy_all", show=False),
        Binding("w", "save", "write a file", id="details.save", show=False, tooltip="Write all of it to a file"),
        Binding("q", "cancel", "close", id="details.close", show=False),
    ]

    def __init__(self, rows: Sequence[tuple[str, str]], title: str = "") -> None:
        super().__init__(
            title or _("Details"),
            (),
            [("y", _("copy")), ("Y", _("copy all")), ("w", _("write a file")), ("j k", _("move")), ("Esc", _("close"))],
        )
        self._rows = [(clean_line(name), clean(value)) for name, value in rows]

    def body(self) -> Iterable[Widget]:
        width = max((cell_len(name) for name, _value in self._rows), default=0)
        yield Choices(
            *(
                Content.assemble(name + " " * (width - cell_len(name) + 2), (value, "bold"))
                for name, value in self._rows
            )
        )

    @on(OptionList.OptionSelected)
    def action_copy(self) -> None:
        index = self.query_one(Choices).highlighted
        if index is not None:
            name, value = self._rows[index]
            self.app.copy_text(value, name)

    @property
    def _text(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self._rows)

    def action_copy_all(self) -> None:
        self.app.copy_text(self._text, self._title)

    def action_save(self) -> None:
        self.app.save_text(self._text, f"{safe_file_name(self._title, 'details')}.txt")
