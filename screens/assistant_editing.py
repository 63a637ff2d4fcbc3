"""The part of the assistant manager that changes fields and saves them: what is sent is shown first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.getters import app as app_getter
from textual.getters import query_one
from textual.screen import Screen

from screens.assistant_conflict import ConflictDialog
from screens.assistant_metadata import MetadataDialog
from screens.assistant_text import TextScreen
from screens.assistant_tools import ToolsScreen
from screens.changes import ChangesDialog
from screens.dialogs import ChooseDialog, TextDialog, answer_of
from screens.model_choice import choose_model
from screens.read_only import may_change
from tui.assistants.fields import (
    Field,
    WrongValue,
    changes,
    fields_of,
    full,
    help_of,
    label,
    parse,
    problems,
    tokenless_plugins,
)
from tui.contract import YunliaoApi
from tui.services.assistant_models import Assistant
from tui.services.errors import ServiceError
from tui.widgets.choices import Choices
from tui.words import _

if TYPE_CHECKING:
    from tui.assistants.desk import AssistantDesk
    from tui.assistants.drafts import Comparison, Draft


class AssistantEditing(Screen[None]):
    """A screen with the form `#fields` of one draft."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "save", "save", id="assistants.save", show=False, tooltip="Save; shows first what will change"),
    ]

    app = app_getter(YunliaoApi)
    fields_list = query_one("#fields", Choices)

    @property
    def desk(self) -> AssistantDesk:
        return self.app.assistants

    @property
    def draft(self) -> Draft | None:
        """What the form shows."""
        raise NotImplementedError

    def select(self, key: str, *, form: bool = False) -> None:
        """Show another one; `form`: and go to its fields."""
        raise NotImplementedError

    @property
    def field(self) -> Field | None:
        """The field under the cursor."""
        draft, at = self.draft, self.fields_list.highlighted
        fields = fields_of(draft.value) if draft is not None else ()
        return fields[at] if at is not None and at < len(fields) else None

    # --- one field -----------------------------------------------------------------------------------------

    @work(group="change", exclusive=True)
    async def action_change(self) -> None:
        """Change the field under the cursor, each kind in its own way."""
        draft, field = self.draft, self.field
        if draft is None or field is None:
            return
        value = getattr(draft.value, field.name)
        match field.kind:
            case "model":
                changed: Any = await choose_model(self.app, value, [help_of("model")])
            case "text" | "ids":
                text = await answer_of(
                    self.app, TextScreen(label(field.name), full(field, draft.value), help_of(field.name))
                )
                changed = None if text is None else parse(field, text)
            case "tools":
                changed = await answer_of(self.app, ToolsScreen(value, local=not isinstance(draft.value, Assistant)))
            case "metadata":
                changed = await answer_of(self.app, MetadataDialog(value))
            case "thinking":
                names = [_("as the model does"), _("yes"), _("no")]
                at = {None: 0, True: 1, False: 2}[value]
                dialog = ChooseDialog(label(field.name), [(name, "") for name in names], at)
                found = await answer_of(self.app, dialog)
                if found is not None:
                    self.desk.edit(draft, thinking=(None, True, False)[found])
                return
            case _:
                await self._change_line(draft, field)
                return
        if changed is not None:
            self.desk.edit(draft, **{field.name: changed})

    async def _change_line(self, draft: Draft, field: Field) -> None:
        typed, note = full(field, draft.value), ""
        while True:
            lines = [line for line in (help_of(field.name), note) if line]
            dialog = TextDialog(label(field.name), typed, lines, verb=_("take"), allow_empty=True)
            found = await answer_of(self.app, dialog)
            if found is None:
                return
            try:
                self.desk.edit(draft, **{field.name: parse(field, found)})
            except WrongValue as error:
                typed, note = found, f"! {error}"
            else:
                return

    @work(group="change", exclusive=True)
    async def action_edit_externally(self) -> None:
        draft, field = self.draft, self.field
        if draft is None or field is None:
            return
        if field.kind != "text":
            self.app.notify(_("Only texts go to $EDITOR; in the tools, functions do too."))
            return
        before = getattr(draft.value, field.name)
        text = await self.app.edit_externally(before)
        if text != before:
            self.desk.edit(draft, **{field.name: parse(field, text.rstrip("\n"))})

    def action_unset(self) -> None:
        draft, field = self.draft, self.field
        if draft is not None and field is not None:
            empty: dict[str, Any] = {"tools": (), "ids": (), "metadata": {}, "line": "", "text": "", "model": ""}
            self.desk.edit(draft, **{field.name: empty.get(field.kind)})

    def action_revert(self) -> None:
        draft, field = self.draft, self.field
        if draft is not None and field is not None and field.name in draft.changed:
            self.desk.edit(draft, **{field.name: getattr(draft.base, field.name)})

    def action_discard(self) -> None:
        draft = self.draft
        if draft is None or draft.key not in self.desk.drafts:
            return

        async def drop() -> None:
            self.desk.discard(draft.key)

        names = _(", ").join(label(name) for name in draft.changed)
        self.app.confirm(_("Drop what was changed?"), [names] if names else [], _("drop"), drop)

    # --- saving --------------------------------------------------------------------------------------------

    @work(group="save")
    async def action_save(self) -> None:
        """Look at the service, show what will change, and send exactly that."""
        draft = self.draft
        if draft is None:
            return
        if wrong := problems(draft.value):
            name, reason = wrong[0]
            at = [field.name for field in fields_of(draft.value)].index(name)
            self.fields_list.highlighted = at
            self.app.notify(f"{label(name)}{_(': ')}{reason}", severity="error", markup=False)
            return
        if not draft.changed:
            self.app.notify(_("Nothing was changed."))
            return
        if isinstance(draft.value, Assistant) and not may_change(self.app):
            return
        await self._save(draft.key)

    async def _save(self, key: str) -> None:
        from tui.services.dashscope_assistants import AssistantConflict

        while True:
            try:
                comparison = await self.desk.compare(key)
            except ServiceError as error:
                self.app.show_problem(error.problem)
                return
            if comparison.theirs:
                if not await self._settle(comparison):
                    return
                continue
            if not await self._agreed(comparison):
                return
            try:
                saved = await self.desk.save(comparison)
            except AssistantConflict:
                continue  # once more changed, between the look and the save
            except ServiceError as error:
                self.app.show_problem(error.problem)
                if error.problem.delivered != "no":
                    await self.desk.refresh()
                return
            self.select(saved.id)
            name = saved.name or saved.model
            self.app.notify(_("{name} is saved.").format(name=name), markup=False)
            return

    async def _settle(self, comparison: Comparison) -> bool:
        """Somebody else changed it meanwhile: whether there is something left to save, on top of theirs."""
        answer = await answer_of(self.app, ConflictDialog(comparison))
        if answer == "theirs":
            self.desk.take_theirs(comparison)
        elif answer == "mine":
            if self.desk.rebase(comparison).changed:
                return True
            self.app.notify(_("Both are the same now: there is nothing to save."))
        return False

    async def _agreed(self, comparison: Comparison) -> bool:
        draft = comparison.draft
        name = comparison.merged.name or comparison.merged.model
        title = (_("Create {name}?") if draft.is_new else _("Save {name}?")).format(name=name)
        fields = _(", ").join(label(field) for field in draft.changed)
        if isinstance(draft.value, Assistant) and not draft.is_new:
            line = _("Sent: {names}. Everything else stays as it is.").format(names=fields)
        elif isinstance(draft.value, Assistant):
            line = _("Sent: {names}, and nothing else.").format(names=fields)
        else:
            line = _("Written to this machine: {names}.").format(names=fields)
        lines = [line]
        if "tools" in draft.changed and (bare := tokenless_plugins(comparison.merged)):
            text = _("Without a token: {names}. One that the service has and does not show is lost by this.")
            lines.append(text.format(names=_(", ").join(bare)))
        verb = _("create") if draft.is_new else _("save")
        shown = changes(comparison.current, comparison.merged)
        return await answer_of(self.app, ChangesDialog(title, shown, verb, lines)) is True
