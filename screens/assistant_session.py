"""With whom a conversation of DashScope is: an assistant, a profile of this machine, or a model alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.getters import query_one
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from screens.dialogs import Dialog, TextDialog, answer_of
from screens.picking import PickDialog
from tui.assistants.fields import AnyAssistant
from tui.services.assistant_models import Assistant
from tui.text import clean_line
from tui.widgets.assistant_words import backend_name, partner_name
from tui.widgets.choices import Choices
from tui.widgets.conversation_line import fit
from tui.widgets.pickers import PickItem
from tui.words import _

if TYPE_CHECKING:
    from tui.contract import YunliaoApi

ALONE, MANAGE = "\0alone", "\0manage"
"""Entries of the list that are no assistants."""
ROWS = ("partner", "last_messages", "thread")


async def choose_partner(app: YunliaoApi, held: str = "", *, only_local: bool = False) -> dict[str, str] | None:
    """The options that make a conversation one with whom the user chooses; None where nothing was chosen.

    Args:
        held: the id under the cursor.
        only_local: what runs through the Responses API alone.
    """
    from tui.assistants.desk import conversation_options

    desk = app.assistants
    if not desk.loaded:
        await desk.refresh()
    known: list[AnyAssistant] = [*(() if only_local else desk.server), *desk.profiles]
    items = [_item(one) for one in known]
    items.append(PickItem(ALONE, _("a model alone"), _("without instructions and tools, through the Responses API")))
    if not only_local:
        items.append(PickItem(MANAGE, _("the assistants …"), _("make, change and delete them")))
    lines = [f"! {desk.problem.title}{_(': ')}{desk.problem.sentence}"] if desk.problem is not None else []
    dialog = PickDialog(_("Talk with"), items, (held,) if held else (), several=False, lines=lines)
    found = await answer_of(app, dialog)
    if not found:
        return None
    if found[0] == MANAGE:
        app.navigate("assistants")
        return None
    if found[0] == ALONE:
        model = await answer_of(app, TextDialog(_("Model"), "qwen-plus", verb=_("take")))
        return {"backend": "responses", "model": model} if model else None
    chosen = desk.find(found[0])
    return conversation_options(chosen) if chosen is not None else None


def _item(one: AnyAssistant) -> PickItem:
    where = _("on the service") if isinstance(one, Assistant) else _("on this machine")
    return PickItem(one.id, clean_line(one.name) or _("unnamed"), clean_line(f"{one.model}  {one.description}"), where)


class AssistantSession(Dialog[dict[str, str]]):
    """The options of one conversation; the answer is all of them, None where it was left with Esc."""

    BINDING_GROUP_TITLE = "Session"
    AUTO_FOCUS = "Choices"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,right", "change", "change", id="partner.change", show=False, tooltip="Change this setting"),
        Binding("y", "copy", "copy", id="partner.copy", show=False, tooltip="Copy the thread's id"),
        Binding("w,ctrl+j", "take", "use", id="partner.take", show=False, tooltip="Use these settings"),
    ]

    rows = query_one(Choices)

    def __init__(self, options: Mapping[str, str], thread: str = "", begun: bool = False) -> None:
        """`thread`: the service's id of the conversation; `begun`: something was asked in it."""
        lines = (
            [_("With another partner the conversation goes on: through the Responses API it is sent whole, once.")]
            if begun
            else []
        )
        hints = [("Enter", _("change")), ("w", _("use these")), ("y", _("copy the thread's id")), ("Esc", _("cancel"))]
        super().__init__(_("This conversation"), lines, hints)
        self._options = dict(options)
        self._thread = thread
        self._begun = begun

    def body(self) -> Iterable[Widget]:
        yield Choices(*(Option(self._row(name), id=name) for name in ROWS))

    def _row(self, name: str) -> Content:
        labels = {"partner": _("with"), "last_messages": _("messages it sees"), "thread": _("thread")}
        match name:
            case "partner":
                value = f"{partner_name(self._options)}  ({backend_name(self._options)})"
            case "last_messages":
                value = self._options.get("last_messages", "") or _("the last 10, as the service does")
            case _:
                value = self._thread or _("none yet")
        return Content(f"{fit(labels[name], 20)}{clean_line(value)}")

    @on(OptionList.OptionSelected)
    @work(group="change", exclusive=True)
    async def action_change(self) -> None:
        match ROWS[self.rows.highlighted or 0]:
            case "partner":
                held = self._options.get("profile", "") or self._options.get("assistant", "")
                found = await choose_partner(self.app, held)
                if found is not None:
                    await self._change_partner(found)
            case "last_messages":
                lines = [_("How many messages of the thread an assistant sees; empty for the service's 10.")]
                held = self._options.get("last_messages", "")
                dialog = TextDialog(_("Messages it sees"), held, lines, verb=_("take"), allow_empty=True)
                typed = await answer_of(self.app, dialog)
                if typed is not None and (not typed or (typed.isdecimal() and int(typed) > 0)):
                    self._options["last_messages"] = typed
                elif typed is not None:
                    self.app.notify(_("{text} is no whole number.").format(text=typed), severity="warning")
            case _:
                self.action_copy()
        for name in ROWS:
            self.rows.replace_option_prompt(name, self._row(name))

    async def _change_partner(self, found: Mapping[str, str]) -> None:
        mine = ("assistant", "profile", "assistant_name", "backend", "model")
        kept = {name: value for name, value in self._options.items() if name not in mine}
        self._options = {**kept, **found}

    def action_copy(self) -> None:
        if self._thread:
            self.app.copy_text(self._thread, _("the thread's id"))

    def action_take(self) -> None:
        self.dismiss({name: value for name, value in self._options.items() if value})
