"""With whom a conversation of DashScope is: an assistant, a profile of this machine, or a model alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from screens.dialogs import TextDialog, answer_of
from screens.model_choice import choose_model
from screens.option_rows import OptionsDialog
from screens.picking import PickDialog
from tui.assistants.fields import AnyAssistant
from tui.services.assistant_models import Assistant
from tui.text import clean_line
from tui.widgets.assistant_words import backend_name, partner_name
from tui.widgets.pickers import PickItem
from tui.words import _

if TYPE_CHECKING:
    from tui.contract import YunliaoApi

ALONE, MANAGE = "\0alone", "\0manage"
"""Entries of the list that are no assistants."""
ROWS = ("partner", "last_messages", "thread")
PARTNER = ("assistant", "profile", "assistant_name", "backend", "model")
"""The options that say with whom a conversation is."""


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
        model = await choose_model(app, "qwen-plus")
        return {"backend": "responses", "model": model} if model else None
    chosen = desk.find(found[0])
    return conversation_options(chosen) if chosen is not None else None


def _item(one: AnyAssistant) -> PickItem:
    where = _("on the service") if isinstance(one, Assistant) else _("on this machine")
    return PickItem(one.id, clean_line(one.name) or _("unnamed"), clean_line(f"{one.model}  {one.description}"), where)


class AssistantSession(OptionsDialog):
    """The options of one conversation with DashScope."""

    BINDING_GROUP_TITLE = "Session"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy", id="partner.copy", show=False, tooltip="Copy the thread's id"),
    ]

    def __init__(self, options: Mapping[str, str], thread: str = "", begun: bool = False) -> None:
        """`thread`: the service's id of the conversation; `begun`: something was asked in it."""
        note = _("With another partner the conversation goes on: through the Responses API it is sent whole, once.")
        keys = [("y", _("copy the thread's id"))] if thread else []
        super().__init__(_("This conversation"), [note] if begun else [], ROWS, options, keys=keys)
        self._thread = thread

    def label(self, name: str) -> str:
        return {"partner": _("with"), "last_messages": _("messages it sees"), "thread": _("thread")}[name]

    def value(self, name: str) -> str:
        match name:
            case "partner":
                return clean_line(f"{partner_name(self.options)}  ({backend_name(self.options)})")
            case "last_messages":
                return self.options.get("last_messages", "") or _("the last 10, as the service does")
        return self._thread or _("none yet")

    async def change(self, name: str) -> None:
        match name:
            case "partner":
                held = self.options.get("profile", "") or self.options.get("assistant", "")
                found = await choose_partner(self.app, held or self.options.get("model", ""))
                if found is not None:
                    self.set(**{**dict.fromkeys(PARTNER, ""), **found})
            case "last_messages":
                await self._change_last_messages()
            case _:
                self.action_copy()

    async def _change_last_messages(self) -> None:
        lines = [_("How many messages of the thread an assistant sees; empty for the service's 10.")]
        held = self.options.get("last_messages", "")
        dialog = TextDialog(_("Messages it sees"), held, lines, verb=_("take"), allow_empty=True)
        typed = await answer_of(self.app, dialog)
        if typed is not None and (not typed or (typed.isdecimal() and int(typed) > 0)):
            self.set(last_messages=typed)
        elif typed is not None:
            text = _("{text} is no whole number.").format(text=clean_line(typed, 40))
            self.app.notify(text, severity="warning", markup=False)

    def reset(self, name: str) -> None:
        if name == "last_messages":
            super().reset(name)

    def action_copy(self) -> None:
        if self._thread:
            self.app.copy_text(self._thread, _("the thread's id"))
