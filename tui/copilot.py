"""What RDS Copilot offers in conversations: models, skills, custom agents, and the approval rounds that wait.

Pure asyncio. Lists are read once a run and language, and again when a caller asks for that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tui.approvals import ApprovalHooks, Approvals, News
from tui.turns import TurnUpdate
from tui.words import _

if TYPE_CHECKING:  # httpx comes with them
    from tui.models import Conversation, Turn
    from tui.services.rds import RdsCopilot
    from tui.services.rds_agents import RdsAgent
    from tui.services.rds_approvals import RdsApprovals
    from tui.services.rds_catalog import ChatModel, Skill


@dataclass(frozen=True, slots=True)
class CopilotHooks:
    """What the owner of a `Copilot` lends. All but the first must be cheap."""

    service: Callable[[], Awaitable[RdsCopilot]]
    """Raises ServiceError where the service cannot be used."""
    conversation: Callable[[str], Conversation | None]
    keep: Callable[[str, Turn], Awaitable[None]]
    """Put a changed turn into its conversation, on disk too."""
    ask: Callable[[str, str, Mapping[str, str]], object]
    """Ask in a conversation with more options than its own."""
    spawn: Callable[[str, Coroutine[Any, Any, None]], None]
    turn_changed: Callable[[TurnUpdate], None]
    say: Callable[[str, str], None]
    """Tell the user something about a conversation."""
    now: Callable[[], datetime]
    language: Callable[[], str]
    """The language of answers: `zh-CN` ..."""
    read_only: Callable[[], bool]
    """Nothing may be sent that changes something."""


class Copilot:
    """One account's choices. Whatever reads raises ServiceError."""

    def __init__(self, hooks: CopilotHooks) -> None:
        self._hooks = hooks
        self._models: tuple[ChatModel, ...] = ()
        self._skills: dict[str, tuple[Skill, ...]] = {}
        self._agents: tuple[RdsAgent, ...] = ()
        self.approvals = Approvals(
            ApprovalHooks(
                rounds=self._rounds,
                conversation=hooks.conversation,
                keep=hooks.keep,
                ask=hooks.ask,
                spawn=hooks.spawn,
                told=lambda conversation_id, news: hooks.say(conversation_id, _words(news)),
                changed=self._approval_changed,
                now=hooks.now,
                language=hooks.language,
                read_only=hooks.read_only,
            )
        )

    # --- lists ---------------------------------------------------------------------------------------------

    async def models(self, *, again: bool = False) -> Sequence[ChatModel]:
        """The chat models. The service changes the list now and then."""
        if again or not self._models:
            self._models = await (await self._hooks.service()).catalog.models()
        return self._models

    async def skills(self, *, again: bool = False) -> Sequence[Skill]:
        """The skills, described in the language of answers."""
        language = self._hooks.language()
        if again or language not in self._skills:
            self._skills[language] = await (await self._hooks.service()).catalog.skills(language)
        return self._skills[language]

    async def agents(self) -> Sequence[RdsAgent]:
        """The custom agents, read anew: they are edited elsewhere too."""
        self._agents = await (await self._hooks.service()).agents.list()
        return self._agents

    @property
    def known_models(self) -> Sequence[ChatModel]:
        """The models as far as they have been read; immediate, as the next two."""
        return self._models

    @property
    def known_skills(self) -> Sequence[Skill]:
        return self._skills.get(self._hooks.language(), ())

    @property
    def known_agents(self) -> Sequence[RdsAgent]:
        return self._agents

    # --- approvals -----------------------------------------------------------------------------------------

    def look_after(self, conversation_id: str) -> None:
        """Look at the round that the conversation waits for, if it does."""
        self.approvals.watch(conversation_id)

    async def _rounds(self) -> RdsApprovals:
        return (await self._hooks.service()).approvals

    def _approval_changed(self, conversation_id: str) -> None:
        conversation = self._hooks.conversation(conversation_id)
        if conversation is not None and conversation.turns:
            self._hooks.turn_changed(TurnUpdate(conversation_id, conversation.turns[-1].id))


def _words(news: News) -> str:
    return {
        "resumed": _("Decided in the console; the answer goes on."),
        "elsewhere": _("Decided, and the answer went on in the console: it is read there."),
        "locked": _("Decided in the console. This profile is read-only: the answer does not go on from here."),
        "gone": _("The service's history does not show this round any more."),
    }[news]
