"""The desks: what screens work at beside the conversations. Each is made when it is first used."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, cast

from tui.conversation_api import ConversationApi
from tui.paths import Paths
from tui.words import _, language

if TYPE_CHECKING:
    from tui.agents.desk import Agents
    from tui.assistants.desk import AssistantDesk
    from tui.cache.edits import EditFiles
    from tui.cache.store import Store
    from tui.copilot import Copilot
    from tui.exporting import Exporting
    from tui.health import Health
    from tui.integrations.desk import Integrations
    from tui.search import Search
    from tui.services.dashscope import DashScope
    from tui.services.dashscope_assistants import Assistants
    from tui.services.dms import DmsDataAgent
    from tui.services.dms_agents import CustomAgent
    from tui.services.dms_files import RemoteFiles
    from tui.services.rds import RdsCopilot
    from tui.services.rds_inspections import RdsInspections
    from tui.turns import TurnUpdate
    from tui.uploads import Transfers

MOST_AGENTS = 200
"""Custom agents that are listed."""
ANSWER_LANGUAGE = {"zh": "zh-CN", "en": "en-US"}


class Desks(ConversationApi):
    """Nothing of a desk is imported before somebody sits down at it."""

    _places: Paths

    @cached_property
    def transfers(self) -> Transfers:  # type: ignore[override]  # made late; read as any attribute
        from tui.uploads import TransferHooks, Transfers

        hooks = TransferHooks(
            files=self._remote_files,
            spawn=self._spawn,
            changed=self._note_transfers,
            account=self._whose,
            now=self.now,
        )
        return Transfers(hooks, self._places.state / "uploads" if self._places.state else None, self.downloads)

    @cached_property
    def search(self) -> Search:  # type: ignore[override]  # made late, as above
        from tui.search import Search, SearchHooks

        hooks = SearchHooks(
            store=self._opened_store,
            summaries=self.summaries,
            spawn=self._spawn,
            now=self.now,
            changed=lambda: self.search_changed.publish(None) if self._running else None,
        )
        return Search(hooks)

    @cached_property
    def exporting(self) -> Exporting:  # type: ignore[override]  # made late; read as any attribute
        from tui.exporting import Exporting

        return Exporting(self._opened_store, self.conversations.look, self.now)

    @cached_property
    def health(self) -> Health:  # type: ignore[override]  # made late; read as any attribute
        from tui.health import Health, HealthHooks

        async def inspections() -> RdsInspections:
            return (await self._rds_copilot()).inspections

        hooks = HealthHooks(
            inspections=inspections,
            spawn=self._spawn,
            changed=lambda: self.health_changed.publish(None) if self._running else None,
            say=lambda text: self.notify(text, timeout=10, markup=False),
            now=self.now,
            failed=self.show_problem,
        )
        return Health(hooks)

    @cached_property
    def copilot(self) -> Copilot:  # type: ignore[override]  # made late; read as any attribute
        from tui.copilot import Copilot, CopilotHooks

        hooks = CopilotHooks(
            service=self._rds_copilot,
            conversation=self.conversation,
            keep=self.conversations.keep_turn,
            ask=self.conversations.ask,
            spawn=self._spawn,
            turn_changed=self._note_turn,
            say=self._say_of,
            now=self.now,
            language=lambda: self._answer_language,
            read_only=lambda: self.context.read_only,
        )
        return Copilot(hooks)

    @cached_property
    def assistants(self) -> AssistantDesk:  # type: ignore[override]  # made late; read as any attribute
        from tui.assistants.desk import AssistantDesk, DeskHooks

        hooks = DeskHooks(client=self._assistants_client, failed=self.show_problem, now=self.now)
        return AssistantDesk(hooks, self._places.state, self._edits("assistants/drafts"))

    @cached_property
    def agents(self) -> Agents:  # type: ignore[override]  # made late; read as any attribute
        from tui.agents.desk import AgentHooks, Agents

        hooks = AgentHooks(
            rds=self._rds_copilot,
            dms=self._data_agent,
            language=lambda: ANSWER_LANGUAGE[language()],
            failed=self.show_problem,
        )
        return Agents(hooks, self._edits("agents", ".toml"))

    @cached_property
    def integrations(self) -> Integrations:  # type: ignore[override]  # made late; read as any attribute
        from tui.integrations.desk import IntegrationHooks, Integrations

        async def order() -> None:
            await (await self._rds_copilot()).inspections.reports()

        hooks = IntegrationHooks(account=self._connection.signer, order=order, environ=self._environ, now=self.now)
        state = self._places.state
        return Integrations(hooks, state / "integrations.toml" if state else None)

    def _editing_desks(self) -> list[Agents | AssistantDesk]:
        """Those that were used: they hold what is typed and not saved."""
        return [getattr(self, name) for name in ("agents", "assistants") if name in self.__dict__]

    def _edits(self, name: str, suffix: str = ".draft") -> EditFiles:
        """The files of what is being edited, and not saved, at a desk."""
        from tui.cache.edits import EditFiles

        def failed(error: OSError) -> None:
            text = _("Drafts are not kept on disk: {reason}").format(reason=error.strerror)
            self.notify(text, severity="error", markup=False)

        folder = self._places.state / name if self._places.state else None
        return EditFiles(folder, self._whose, suffix, failed)

    # --- what they are given -------------------------------------------------------------------------------

    async def _opened_store(self) -> Store:
        """The cache, waited for."""
        raise NotImplementedError

    def _note_turn(self, update: TurnUpdate) -> None:
        raise NotImplementedError

    def _shown(self) -> str:
        """The conversation that is on screen, or right below a dialog or the help."""
        raise NotImplementedError

    @property
    def _answer_language(self) -> str:
        return self.settings.answer_language or ANSWER_LANGUAGE[language()]

    def _note_transfers(self) -> None:
        if self._running:
            self.transfers_changed.publish(None)

    def _whose(self) -> str:
        """Whose files and drafts are meant."""
        return self.context.account or ("sandbox" if self.context.sandbox else "")

    async def _rds_copilot(self) -> RdsCopilot:
        return cast("RdsCopilot", await self._connection.service("rds"))

    def _say_of(self, conversation_id: str, text: str) -> None:
        """Tell something about a conversation, by its name where it is not the one on screen."""
        conversation = self.conversation(conversation_id)
        title = conversation.title if conversation and conversation_id != self._shown() else ""
        self.notify(title + _(": ") + text if title else text, markup=False)

    async def _assistants_client(self) -> Assistants:
        return cast("DashScope", await self._connection.service("dashscope")).assistants

    async def _data_agent(self) -> DmsDataAgent:
        return cast("DmsDataAgent", await self._connection.service("dms"))

    async def _remote_files(self) -> RemoteFiles:
        return (await self._data_agent()).files

    async def custom_agents(self) -> Sequence[CustomAgent]:
        from tui.services.base import Page

        agents = (await self._data_agent()).agents
        found: list[CustomAgent] = []
        page: Page | None = Page()
        while page is not None and len(found) < MOST_AGENTS:
            listed = await agents.list(page)
            found += listed.items
            page = listed.next
        return found
