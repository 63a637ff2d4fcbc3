"""The part of the agents' screen that makes, copies, deletes, releases, exports and binds agents."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work

from screens.agent_editing import AgentEditing
from screens.dialogs import ChooseDialog, TypedConfirmDialog, answer_of
from screens.path_dialog import PathDialog
from screens.read_only import may_change
from tui.agents.editing import AgentChanged, AgentGone
from tui.agents.files import MOST_CHARACTERS, AgentFile, AgentFileError, read, write
from tui.services.dms_agents import CustomAgent
from tui.services.errors import ServiceError
from tui.text import safe_file_name
from tui.widgets.agent_rows import details
from tui.words import _

if TYPE_CHECKING:
    from tui.agents.editing import Draft
    from tui.agents.fields import AgentService
    from tui.agents.remote import Operation


class AgentActions(AgentEditing):
    """What can be done with the agent that is shown."""

    @property
    def key(self) -> str:
        """The agent under the cursor; "" for none."""
        raise NotImplementedError

    def action_new_agent(self, service: AgentService) -> None:
        draft = self.desk.begin(service)
        self.problem = None
        self.select(draft.key)
        self.go_to("form")

    @work(group="agent-open", exclusive=True)
    async def action_clone(self) -> None:
        if (draft := await self.opened()) is not None:
            self._tell_what_stays(draft)
            made = self.desk.clone(draft.key)
            self.select(made.key)
            self.go_to("form")

    async def opened(self) -> Draft | None:
        """The draft of the agent under the cursor, read where it was not yet; None where that failed, which is said."""
        if not self.key:
            return None
        if self.held is not None and self.held.is_read:
            return self.held
        try:
            return await self.desk.open(self.key)
        except (AgentChanged, AgentGone) as met:
            self.app.notify(str(met), severity="warning", markup=False)
            return self.desk.draft(self.key)
        except ServiceError as error:
            self.app.show_problem(error.problem)
            return None

    def _tell_what_stays(self, draft: Draft) -> None:
        """Copies and files hold the form, no more."""
        if isinstance(draft.agent, CustomAgent) and (others := draft.agent.others):
            text = _("Not taken along, to be set in the console: {names}").format(names=_(", ").join(others))
            self.app.notify(text, severity="warning", timeout=10, markup=False)

    @work(group="agent-open", exclusive=True)
    async def action_details(self) -> None:
        """Everything that the service tells of the agent."""
        draft = await self.opened()
        if draft is not None and draft.agent is not None:
            self.app.navigate("details", rows=details(draft.agent), title=draft.form.name)

    # --- on the service ------------------------------------------------------------------------------------

    @work(group="agent-open", exclusive=True)
    async def action_delete_agent(self) -> None:
        draft = await self.opened()
        if draft is None:
            return
        if draft.base is None:
            self.action_discard()
            return
        if not may_change(self.app):
            return
        agent = draft.agent
        if isinstance(agent, CustomAgent) and not agent.can_delete:
            reason = (
                _("The default agent cannot be deleted.")
                if agent.is_default
                else _("Only a new agent or one that is offline can be deleted: take it offline first (O).")
            )
            self.app.notify(reason, severity="warning")
            return
        name = draft.form.name or draft.agent_id
        lines = [name, _("It is deleted on the service and cannot be brought back; x writes it to a file first.")]
        lines.append(_("Conversations with it stay; F7 in each chooses another agent, or none."))

        async def delete() -> None:
            if await self._do(_("deleting …"), lambda: self.desk.delete(draft.key)):
                self.app.notify(_("Deleted: {name}").format(name=name), markup=False)
                self.select("")
                self.go_to("list")

        environment = self.app.context.environment
        if environment.lower().startswith("prod"):
            dialog = TypedConfirmDialog(_("Delete this agent?"), lines, _("delete"), name)
            if await self.app.push_screen_wait(dialog):
                await delete()
        else:
            self.app.confirm(_("Delete this agent?"), lines, _("delete"), delete)

    async def _do(self, words: str, act: Callable[[], Awaitable[None]]) -> bool:
        """Do something on the service; False where it was refused, which the form then says."""
        self._say(words)
        try:
            await act()
        except ServiceError as error:
            self.problem = error.problem
            return False
        else:
            self.problem = None
            return True
        finally:
            self._say("")

    def action_release(self) -> None:
        self._operate("RELEASE")

    def action_offline(self) -> None:
        self._operate("OFFLINE")

    @work(group="agent-open", exclusive=True)
    async def _operate(self, operation: Operation) -> None:
        draft = await self.opened()
        if draft is None or not may_change(self.app):
            return
        agent = draft.agent
        if not isinstance(agent, CustomAgent):
            self.app.notify(_("Only saved agents of the Data Agent are released."), severity="warning")
            return
        if draft.unsaved:
            self.app.notify(_("Save it first: only what is saved is released."), severity="warning")
            return
        if not (agent.can_release if operation == "RELEASE" else agent.can_go_offline):
            self.app.notify(_("That does not fit its state."), severity="warning")
            return

        async def operate() -> None:
            if await self._do(_("changing …"), lambda: self.desk.operate(draft.key, operation)):
                self.select(draft.key, same=True)
                done = _("Released: {name}") if operation == "RELEASE" else _("Offline: {name}")
                self.app.notify(done.format(name=agent.name), markup=False)

        if operation == "RELEASE":
            lines = [agent.name, _("Others can use it from then on, as it is saved.")]
            self.app.confirm(_("Release this agent?"), lines, _("release"), operate)
        else:
            lines = [agent.name, _("Nobody can use it until it is released again.")]
            self.app.confirm(_("Take this agent offline?"), lines, _("take offline"), operate)

    async def _choose(self, title: str, labels: Sequence[str]) -> int | None:
        """One of the labels, by its place; None for Esc."""
        return await self.app.push_screen_wait(ChooseDialog(title, [(label, "") for label in labels]))

    # --- conversations -------------------------------------------------------------------------------------

    async def _able_to_answer(self) -> Draft | None:
        """The agent under the cursor, where it can answer; None, said, where not."""
        draft = await self.opened()
        if draft is not None and not draft.agent_id:
            self.app.notify(_("Save it first: the service answers as the saved agent."), severity="warning")
            return None
        return draft

    @work(group="agent-open", exclusive=True)
    async def action_try_out(self) -> None:
        if (draft := await self._able_to_answer()) is not None:
            await self.try_out(draft)
            self.go_to("try")

    def action_try_anew(self) -> None:
        if self.is_tried:
            self.action_new()
        self.action_try_out()

    @work(group="agent-open", exclusive=True)
    async def action_bind(self) -> None:
        """Use the agent in the conversation of the chat, or in a new one."""
        draft = await self._able_to_answer()
        if draft is None:
            return
        bound = {"agent": draft.agent_id, "agent_name": draft.form.name}
        below = str(getattr(self.app.screen_stack[0], "conversation_id", ""))
        conversation = self.app.conversation(below) if below else None
        chosen = 0
        # The Data Agent takes an agent with the first message only.
        if conversation is not None and conversation.service == draft.service == "rds":
            title = conversation.title or _("the conversation in the chat")
            labels = [_("In a new conversation"), _("In “{title}”").format(title=title)]
            found = await self._choose(_("Use this agent"), labels)
            if found is None:
                return
            chosen = found
        if chosen and conversation is not None:
            await self.app.set_options(conversation.id, {**conversation.options, **bound})
            conversation_id = conversation.id
        else:
            conversation_id = await self.app.create_conversation(draft.service, bound)
        self.app.show_conversation(conversation_id)

    # --- files ---------------------------------------------------------------------------------------------

    @work(group="agent-file", exclusive=True)
    async def action_export(self) -> None:
        if (draft := await self.opened()) is not None:
            self._tell_what_stays(draft)
            name = safe_file_name(draft.form.name, "agent")
            self.app.save_text(write([AgentFile(draft.service, draft.form, draft.agent_id)]), f"{name}.toml")

    @work(group="agent-file", exclusive=True)
    async def action_export_all(self) -> None:
        """All agents in one file, each read anew: lists do not tell everything."""
        found = []
        lines = [line for line in self.desk.lines() if not line.is_new]
        for number, line in enumerate(lines, 1):
            self._say(_("reading {number} of {count} …").format(number=number, count=len(lines)))
            try:
                agent = await self.desk.saved(line.key)
            except ServiceError as error:
                self._say("")
                self.app.show_problem(error.problem)
                return
            found.append(AgentFile(line.service, agent.form, agent.id))
        self._say("")
        if found:
            self.app.save_text(write(found), "agents.toml")

    @work(group="agent-file", exclusive=True)
    async def action_import(self) -> None:
        """Agents of a file become drafts; nothing is sent."""
        lines = [_("TOML, as the export writes it.")]
        dialog = PathDialog(_("Import agents from a file"), self.app.downloads, lines, (".toml",))
        path = await answer_of(self.app, dialog)
        if path is None:
            return
        try:
            agents = read(await asyncio.to_thread(_read_file, path))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self.app.notify(_("Not read: {reason}").format(reason=reason), severity="error", markup=False)
            return
        except AgentFileError as error:
            self.app.notify(str(error), severity="error", timeout=15, markup=False)
            return
        key = ""
        for agent in agents:
            key = await self._take_in(agent) or key
        if key:
            self.select(key)
            self.go_to("form")

    async def _take_in(self, agent: AgentFile) -> str:
        """A new draft, or changes of the agent that it was exported from; its key, or "" where it was left out."""
        known = f"{agent.service}:{agent.id}"
        if agent.id and any(line.key == known for line in self.desk.lines()):
            labels = [_("As changes of the agent that is there"), _("As a new agent")]
            chosen = await self._choose(agent.form.name or known, labels)
            if chosen is None:
                return ""
            if chosen == 0:
                try:
                    self.desk.replace((await self.desk.open(known)).key, agent.form)
                except (ServiceError, AgentChanged, AgentGone) as error:
                    self.app.notify(str(error), severity="error", markup=False)
                    return ""
                return known
        return self.desk.begin(agent.service, agent.form).key


def _read_file(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.read(MOST_CHARACTERS + 1)
