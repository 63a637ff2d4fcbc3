"""The part of the agents' screen that changes fields and saves them: what is sent is shown first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work
from textual.getters import query_one

from screens.agent_trying import TryingScreen
from screens.changes import ChangesDialog
from screens.dialogs import TextDialog
from screens.picking import PickDialog
from screens.read_only import may_change
from tui.agents.editing import AgentChanged, AgentGone, Draft
from tui.agents.fields import FIELDS, FieldSpec, Value, label, skip_label, value_of
from tui.services.dms_agents import SKIPS, THEMES
from tui.services.errors import ServiceError
from tui.widgets.choices import Choices
from tui.widgets.pickers import PickItem
from tui.widgets.prompt_editor import PromptEditor
from tui.words import _

if TYPE_CHECKING:
    from tui.agents.desk import Agents
    from tui.models import Problem


class AgentEditing(TryingScreen):
    """A screen with the form `#fields` of one draft and the text field `#text` below it."""

    fields_list = query_one("#fields", Choices)
    editor = query_one("#text", PromptEditor)
    busy = ""
    """What is being done on the service, in words."""
    problem: Problem | None = None
    """What the service refused last."""

    @property
    def desk(self) -> Agents:
        return self.app.agents

    @property
    def held(self) -> Draft | None:
        """The draft that the form shows."""
        raise NotImplementedError

    def show_form(self) -> None:
        """Show the draft anew."""
        raise NotImplementedError

    def show_form_anew(self) -> None:
        """Show the draft anew, and in the text field too, even where that is being written in."""
        raise NotImplementedError

    def select(self, key: str, *, same: bool = False) -> None:
        """Show another agent; `same`: it is the one that is shown, so the cursor stays in its field."""
        raise NotImplementedError

    def go_to(self, pane: str) -> None:
        """Give a pane the focus: `list`, `form`, `try`."""
        raise NotImplementedError

    @property
    def field(self) -> FieldSpec | None:
        """The field under the cursor."""
        draft, at = self.held, self.fields_list.highlighted
        fields = FIELDS[draft.service] if draft is not None else ()
        return fields[at] if at is not None and at < len(fields) else None

    # --- one field -----------------------------------------------------------------------------------------

    def put(self, name: str, value: Value) -> None:
        """Change a field of the draft that is shown."""
        if (draft := self.held) is not None and value_of(draft.form, name) != value:
            self.problem = None
            self.desk.change(draft.key, name, value)
            self.show_form()

    @on(PromptEditor.Changed, "#text")
    def _text_changed(self, event: PromptEditor.Changed) -> None:
        event.stop()
        if (spec := self.field) is not None and spec.kind in ("text", "lines"):
            lines = (line.strip() for line in event.text.splitlines())
            self.put(spec.name, event.text if spec.kind == "text" else tuple(line for line in lines if line))

    @work(group="agent-field", exclusive=True)
    async def action_change_field(self) -> None:
        """Change the field under the cursor, each kind in its own way."""
        draft, spec = self.held, self.field
        if draft is None or spec is None:
            return
        value = value_of(draft.form, spec.name)
        match spec.kind:
            case "text" | "lines":
                self.editor.area.focus()
            case "switch":
                self.put(spec.name, not value)
            case "line":
                text = await self.app.push_screen_wait(TextDialog(label(spec.name), str(value), verb=_("take")))
                if text is not None:
                    self.put(spec.name, text)
            case "theme":
                items = [PickItem(theme, theme) for theme in THEMES]
                found = await self.app.push_screen_wait(
                    PickDialog(label(spec.name), items, [str(value)] if value else [], several=False)
                )
                if found:
                    self.put(spec.name, found[0])
            case "tools" | "skills" | "skips" if isinstance(value, tuple):
                await self._pick(spec, value)

    async def _pick(self, spec: FieldSpec, chosen: tuple[str, ...]) -> None:
        try:
            items = await self._items(spec)
        except ServiceError as error:
            self.app.show_problem(error.problem)
            return
        lines = []
        if spec.kind == "tools" and any(item.alert for item in items):
            lines = [_("What writes changes instances when the agent calls it.")]
        found = await self.app.push_screen_wait(PickDialog(label(spec.name), items, chosen, lines=lines))
        if found is not None and set(found) != set(chosen):
            # Those that were there keep their order.
            self.put(spec.name, (*(name for name in chosen if name in found), *(n for n in found if n not in chosen)))
        self.show_form()

    async def _items(self, spec: FieldSpec) -> list[PickItem]:
        if spec.kind == "tools":
            return [
                PickItem(
                    tool.name, tool.name, tool.description, _("writes") if tool.writes else _("reads"), tool.writes
                )
                for tool in await self.desk.tools()
            ]
        if spec.kind == "skills":
            return [
                PickItem(skill.id, skill.name, skill.description, _(", ").join(skill.databases))
                for skill in await self.desk.skills()
            ]
        return [PickItem(skip, skip_label(skip)) for skip in SKIPS]

    def action_edit_field(self) -> None:
        """A text in $EDITOR."""
        spec = self.field
        if spec is not None and spec.kind in ("text", "lines"):
            self.editor.area.action_edit_externally()
        else:
            self.action_change_field()

    def action_revert_field(self) -> None:
        """The field as the service has it."""
        draft, spec = self.held, self.field
        if draft is not None and spec is not None:
            base = draft.base or type(draft.form)()
            self.put(spec.name, value_of(base, spec.name))

    def action_discard(self) -> None:
        draft = self.held
        if draft is None or not draft.unsaved:
            return

        async def discard() -> None:
            self.problem = None
            self.desk.discard(draft.key)
            self.select(draft.key if draft.base is not None else "", same=draft.base is not None)
            if draft.base is None:
                self.go_to("list")

        lines = [draft.form.name or _("no name yet"), _("What is not saved is lost.")]
        self.app.confirm(_("Drop the changes?"), lines, _("drop"), discard)

    # --- saving --------------------------------------------------------------------------------------------

    @work(group="agent-save")
    async def action_save_agent(self) -> None:
        """Show what will change, and send it."""
        draft = self.held
        if draft is None or self.busy or not may_change(self.app):
            return
        if not draft.unsaved:
            self.app.notify(_("Nothing is to be saved."))
            return
        wrong = self.desk.check(draft.key)
        said_here = {name: text for name, text in wrong.items() if name not in draft.problems}
        if said_here:
            name, text = next(iter(said_here.items()))
            self._go_to_field(name)
            self.app.notify(label(name) + _(": ") + text, severity="warning", markup=False)
            return
        title = _("Create this agent?") if draft.base is None else _("Save these changes?")
        lines = []
        if draft.service == "dms" and getattr(draft.agent, "status", "") == "RELEASED":
            lines = [_("It is a draft until it is released again.")]
        changes = self.desk.changes(draft.key)
        if await self.app.push_screen_wait(ChangesDialog(title, changes, _("save"), lines)):
            await self._send(draft)

    async def _send(self, draft: Draft) -> None:
        self._say(_("saving …"))
        try:
            saved = await self.desk.save(draft.key)
        except AgentChanged as met:
            self._say("")
            await self._met(met)
        except AgentGone as gone:
            self._say("")
            self.select(draft.key)
            self.app.notify(str(gone), severity="warning", timeout=10, markup=False)
        except ServiceError as error:
            self.problem = error.problem
            self._say("")
            if draft.problems:
                self._go_to_field(next(iter(draft.problems)))
        else:
            self.problem = None
            self._say("")
            if self.held is None or self.held.key == saved.key:
                self.select(saved.key, same=True)
            if saved.also_changed:
                text = _("The service also changed: {names}").format(names=_(", ").join(saved.also_changed))
                self.app.notify(text, severity="warning", timeout=15, markup=False)
            if saved.refused:
                names = _(", ").join(label(name) for name in saved.refused)
                text = _("Saved, but the service keeps other values than were sent: {fields}").format(fields=names)
                self.app.notify(text, severity="warning", timeout=15, markup=False)
            else:
                self.app.notify(_("Saved: {name}").format(name=saved.form.name), markup=False)

    async def _met(self, met: AgentChanged) -> None:
        """What somebody else changed meanwhile; nothing was saved yet."""
        self.show_form_anew()
        lines = [_("Somebody else made these changes. They are in the form now; nothing was saved.")]
        if met.both:
            text = _("Changed on both sides, and here as you have it: {fields}")
            lines.append(text.format(fields=_(", ").join(met.both)))
        if await self.app.push_screen_wait(ChangesDialog(str(met), met.theirs, _("go on saving"), lines)):
            self.action_save_agent()

    def _go_to_field(self, name: str) -> None:
        draft = self.held
        if draft is None:
            return
        self.go_to("form")
        self.fields_list.highlighted = [spec.name for spec in FIELDS[draft.service]].index(name)
        self.show_form()

    def _say(self, words: str) -> None:
        self.busy = words
        self.show_form()
