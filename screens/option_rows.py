"""A dialog of options, one line each: Enter changes, a key goes back to the default, another takes them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from screens.dialogs import ChooseDialog, Dialog
from tui.widgets.choices import Choices
from tui.widgets.conversation_line import fit
from tui.words import _

LABEL_CELLS = 20


class OptionsDialog(Dialog[dict[str, str]]):
    """The answer is all options, None where it was left with Esc. Texts that are empty are options that are not set."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,right", "change", "change", id="options.change", show=False, tooltip="Change this setting"),
        Binding("x", "reset", "default", id="options.reset", show=False, tooltip="Back to what the service does"),
        Binding("w,ctrl+j", "take", "use", id="options.take", show=False, tooltip="Use these settings"),
    ]

    def __init__(
        self,
        title: str,
        lines: Sequence[str],
        names: Sequence[str],
        options: Mapping[str, str],
        verb: str = "",
        keys: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`verb`: what `w` does; to use these options where none is said. `keys`: hints of the dialog's own keys."""
        take = verb or _("use these")
        hints = [("Enter", _("change")), ("x", _("default")), ("w", take), *keys, ("Esc", _("cancel"))]
        super().__init__(title, lines, hints)
        self._names = tuple(names)
        self.options = dict(options)

    def body(self) -> Iterable[Widget]:
        yield Choices(*(Option(self._row(name), id=name) for name in self._names), id="settings")

    # --- for the dialog of one service ---------------------------------------------------------------------

    def label(self, name: str) -> str:
        """What the option is called."""
        raise NotImplementedError

    def value(self, name: str) -> str:
        """How it stands, in words."""
        raise NotImplementedError

    def fixed(self, name: str) -> str:
        """Why it cannot be changed (any more); "" where it can."""
        return ""

    async def change(self, name: str) -> None:
        """Ask for another value."""
        raise NotImplementedError

    # --- inside --------------------------------------------------------------------------------------------

    def _row(self, name: str) -> Content:
        text = f"{fit(self.label(name), LABEL_CELLS)}{self.value(name)}"
        return Content.styled(text, "$muted") if self.fixed(name) else Content(text)

    def show(self) -> None:
        """Show all options as they stand."""
        choices = self.query_one("#settings", Choices)
        for name in self._names:
            choices.replace_option_prompt(name, self._row(name))

    def set(self, **changes: str) -> None:
        """Change options; an empty text unsets one."""
        self.options = {name: value for name, value in {**self.options, **changes}.items() if value}

    async def choose(self, name: str, values: Sequence[str], words: Sequence[tuple[str, str]]) -> None:
        """Choose one of `values`, shown as `words` (a label and a longer text each)."""
        held = self.options.get(name, "")
        chosen = values.index(held) if held in values else 0
        found = await self.app.push_screen_wait(ChooseDialog(self.label(name), words, chosen))
        if found is not None:
            self.set(**{name: values[found]})

    @property
    def _highlighted(self) -> str:
        return self._names[self.query_one("#settings", Choices).highlighted or 0]

    @on(OptionList.OptionSelected, "#settings")
    def action_change(self) -> None:
        if reason := self.fixed(self._highlighted):
            self.app.notify(reason, severity="warning", markup=False)
        else:
            self._change(self._highlighted)

    @work(group="change", exclusive=True)
    async def _change(self, name: str) -> None:
        await self.change(name)
        self.show()

    def action_reset(self) -> None:
        if reason := self.fixed(self._highlighted):
            self.app.notify(reason, severity="warning", markup=False)
        else:
            self.reset(self._highlighted)
            self.show()

    def reset(self, name: str) -> None:
        """Unset an option."""
        self.set(**{name: ""})

    def action_take(self) -> None:
        self.dismiss(dict(self.options))
