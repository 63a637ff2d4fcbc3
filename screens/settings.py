"""Every setting with its value, where that comes from and what it is for; Enter changes it, at once where possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from rich.cells import cell_len
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.getters import app as app_getter
from textual.screen import Screen
from textual.theme import BUILTIN_THEMES
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from screens.dialogs import ChooseDialog, TextDialog
from tui.contract import Context, YunliaoApi
from tui.settings import Origin, Settings, setting_help
from tui.text import clean_line
from tui.widgets.choices import Choices
from tui.widgets.context_bar import ContextBar, service_bar
from tui.widgets.hints import HintLine
from tui.words import _

ORIGINS: dict[Origin, str] = {
    "default": "default",
    "file": "settings file",
    "environment": "environment",
    "flag": "command line",
}
LANGUAGES = (("", "of the environment"), ("en", "English"), ("zh", "中文"))
ANSWER_LANGUAGES = ("", "zh-CN", "zh-TW", "en-US", "ja-JP")
NEXT_START = frozenset({"mouse", "profile", "service"})
"""Settings that are looked at when the program starts, and never again."""


class SettingsScreen(Screen[None]):
    """One line a setting; the help of the one under the cursor below."""

    CSS_PATH = "settings.tcss"
    AUTO_FOCUS = "Choices"
    BINDING_GROUP_TITLE = "Settings"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,h", "close", "close", id="settings.close"),
        Binding("enter,l", "change", "change", id="settings.change"),
        Binding("x", "reset", "default", id="settings.reset", tooltip="Back to the default"),
        Binding("t", "test_keys", "test keys", id="settings.test_keys", tooltip="What arrives for each key"),
        Binding("y,c", "copy_path", "copy path", id="settings.copy_path", tooltip="Copy the path of the settings file"),
    ]

    app = app_getter(YunliaoApi)

    def __init__(self) -> None:
        super().__init__()
        self._help = setting_help()
        self._hints: Mapping[str, Any] = get_type_hints(Settings)
        self._names = [entry.name for entry in fields(Settings)]
        self._shown = self.app.settings

    def compose(self) -> ComposeResult:
        yield service_bar(self.app.context, None, _("Settings"))
        yield Static(str(self.app.settings_path), id="path", classes="muted", markup=False)
        yield Choices(*(Option(self._row(name), id=name) for name in self._names))
        yield Static(id="help", markup=False)
        yield HintLine(
            [("Enter", _("change")), ("x", _("default")), ("t", _("test keys")), ("Esc", _("close")), ("?", _("more"))]
        )

    def on_mount(self) -> None:
        self.app.context_changed.subscribe(self, self._context_changed)

    def _row(self, name: str) -> Content:
        value = getattr(self.app.settings, name)
        origin = self.app.setting_origins().get(name, "default")
        return Content.assemble(
            _pad(name, 17),
            " ",
            (_pad(shown(value), 26), "" if origin == "default" else "bold"),
            "  ",
            _(ORIGINS[origin]),
        )

    @property
    def _list(self) -> Choices:
        return self.query_one(Choices)

    @property
    def _setting(self) -> str:
        return self._names[self._list.highlighted or 0]

    @on(OptionList.OptionHighlighted)
    def _explain(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        name = self._names[event.option_index]
        lines = [_(self._help.get(name, ""))]
        if not self._can_change(name):
            lines.append(_("Change it in the settings file."))
        if name in NEXT_START:
            lines.append(_("It counts from the next start."))
        origin = self.app.setting_origins().get(name, "default")
        if origin in ("environment", "flag"):
            lines.append(_("The next start takes it from the {origin} again.").format(origin=_(ORIGINS[origin])))
        self.query_one("#help", Static).update(Content("\n".join(lines)))

    # --- changing ------------------------------------------------------------------------------------------

    def _can_change(self, name: str) -> bool:
        return get_origin(self._hints[name]) is not Mapping

    def _choices(self, name: str) -> Sequence[tuple[Any, str]]:
        """(value, label) where a setting has few; empty where any text is taken."""
        if name == "theme":
            return [(value, value) for value in ("auto", *sorted(self.app.available_themes.keys() - BUILTIN_THEMES))]
        if name == "language":
            return [(value, _(label)) for value, label in LANGUAGES]
        if name == "answer_language":
            return [(value, value or _("as the program")) for value in ANSWER_LANGUAGES]
        hint = self._hints[name]
        return [(value, str(value)) for value in get_args(hint)] if get_origin(hint) is Literal else ()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_change()

    @work(group="change", exclusive=True)
    async def action_change(self) -> None:
        name = self._setting
        value = getattr(self.app.settings, name)
        if not self._can_change(name):
            return
        if isinstance(value, bool):
            await self._save(name, not value)
        elif choices := self._choices(name):
            values = [one for one, _label in choices]
            at = values.index(value) if value in values else 0
            chosen = await self.app.push_screen_wait(ChooseDialog(name, [(label, "") for _one, label in choices], at))
            if chosen is not None:
                await self._save(name, values[chosen])
        else:
            text = await self.app.push_screen_wait(
                TextDialog(name, value, [_(self._help.get(name, ""))], allow_empty=True)
            )
            if text is not None and (problem := _wrong(name, text)):
                self.app.notify(problem, severity="warning", markup=False)
            elif text is not None:
                await self._save(name, text)

    @work(group="change", exclusive=True)
    async def action_reset(self) -> None:
        if self._can_change(self._setting):
            await self._save(self._setting, getattr(Settings(), self._setting))

    async def _save(self, name: str, value: object) -> None:
        if value != getattr(self.app.settings, name):
            await self.app.save_settings({name: value})

    async def _context_changed(self, context: Context) -> None:
        """Show what was changed here or from the palette; in another language every word is another."""
        before, self._shown = self._shown, self.app.settings
        if before.language != self._shown.language:
            at, focused = self._list.highlighted, self._list.has_focus
            await self.recompose()
            self._list.highlighted = at
            if focused:
                self._list.focus()
            return
        self.query_one(ContextBar).context = context
        for name in self._names:
            if getattr(before, name) != getattr(self._shown, name):
                self._list.replace_option_prompt(name, self._row(name))

    def action_test_keys(self) -> None:
        self.app.navigate("key_test")

    def action_copy_path(self) -> None:
        self.app.copy_text(str(self.app.settings_path), _("the path"))

    def action_close(self) -> None:
        self.dismiss(None)


def shown(value: object) -> str:
    """A value in words of the settings file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return _("{count} entries").format(count=len(value)) if value else "-"
    return clean_line(str(value)) or "-"


def _wrong(name: str, text: str) -> str:
    """Why `text` cannot be the value, or ""."""
    if name == "timezone" and text:
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(text)
        except (ValueError, OSError, KeyError):
            return _("{name} is not a time zone, such as Asia/Shanghai.").format(name=text)
    return ""


def _pad(text: str, cells: int) -> str:
    return text + " " * max(0, cells - cell_len(text))
