"""DashScope (Alibaba Cloud Model Studio) behind the common protocol of the services, with two backends.

A conversation's options tell which one it has: `assistant` is the id of an assistant on the service, whose turns run in
a thread of the Assistants API; `profile` is the id of a local profile, whose turns run through the Responses API; with
neither, a model (`model`) answers plainly through Responses. `backend` (`assistants` or `responses`) decides where
both are there. `last_messages` says how many messages of its thread an assistant sees (10 unless it is said).
The thread's id is the conversation's `remote_id`; threads cannot be listed, so it is the only trace of one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress

from tui.models import Problem, Rating, ServiceName, Turn, TurnIds
from tui.services.assistant_models import AssistantProfile
from tui.services.backends import backend_of
from tui.services.base import (
    AnswerRequest,
    Capabilities,
    Page,
    PageOf,
    RemoteConversation,
    StopOutcome,
    TurnRef,
    TurnRequest,
)
from tui.services.dashscope_assistants import Assistants
from tui.services.dashscope_history import thread_turns
from tui.services.dashscope_recovery import LookTiming
from tui.services.dashscope_threads import Files, Threads
from tui.services.dashscope_turns import ThreadTurns
from tui.services.errors import ConfigurationError, NotFoundError
from tui.services.events import Event
from tui.services.responses import ResponseTurns, started
from tui.services.responses_input import DEFAULT_MODEL
from tui.services.rest import RestClient
from tui.text import clean_line
from tui.words import _

CLOSE_GRACE = 5.0
"""Seconds that a cancel which is under way is given when the program ends."""


async def _none(_profile_id: str) -> AssistantProfile | None:
    return None


class DashScope:
    """One account's DashScope. `assistants`, `threads` and `files` are what it has beside the turns."""

    def __init__(
        self,
        rest: RestClient,
        *,
        profiles: Callable[[str], Awaitable[AssistantProfile | None]] = _none,
        timing: LookTiming | None = None,
    ) -> None:
        self._rest = rest
        self.assistants = Assistants(rest)
        self.threads = Threads(rest)
        self.files = Files(rest)
        self._profiles = profiles
        self._turns = ThreadTurns(self.threads, timing=timing, clock_offset=lambda: rest.clock_offset)
        self._responses = ResponseTurns(rest, timing=timing)

    @property
    def name(self) -> ServiceName:
        return "dashscope"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(stop=True, history=True)

    # --- a turn ----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def stream(self, request: TurnRequest) -> AsyncIterator[AsyncIterator[Event]]:
        """See `ConversationService.stream`."""
        if backend_of(request.options) == "assistants":
            async with self._turns.stream(request) as events:
                yield events
        else:
            profile = await self._profile(request.options)
            async with self._responses.stream(request, profile) as events:
                yield events

    @asynccontextmanager
    async def answer(self, request: AnswerRequest) -> AsyncIterator[AsyncIterator[Event]]:
        """See `AskAnswerer.answer`: the outputs of all calls in one request, in their order."""
        if started(request.ref.ids):
            profile = await self._profile(request.options)
            async with self._responses.answer(request, profile) as events:
                yield events
        else:
            async with self._turns.answer(request) as events:
                yield events

    async def stop(self, ids: TurnIds, turn: str = "") -> StopOutcome:
        """See `ConversationService.stop`. A run may go on at the service: cancelling it is best effort."""
        outcome = await self._responses.stop(turn)
        return outcome if outcome == "stopped" else await self._turns.stop(ids, turn)

    async def recover(self, turn: TurnRef) -> AsyncGenerator[Event]:
        """See `ConversationService.recover`."""
        backend = self._responses if started(turn.ids) else self._turns
        async with aclosing(backend.recover(turn)) as events:
            async for event in events:
                yield event

    # --- what the service keeps ------------------------------------------------------------------------------

    async def conversations(self, page: Page) -> PageOf[RemoteConversation]:
        """None: the service does not list threads."""
        return PageOf(())

    async def history(self, conversation: str, page: Page) -> PageOf[Turn]:
        """The messages of a thread as turns: all of them, since only whole lists are sure to be in order."""
        return PageOf(tuple(await thread_turns(self.threads, conversation)))

    def can_delete(self, conversation: str) -> bool:
        """See `ConversationDeleter`: threads; what the Responses API keeps goes by itself."""
        return conversation.startswith("thread")

    async def delete_conversation(self, conversation: str) -> None:
        """See `ConversationDeleter`."""
        with suppress(NotFoundError):
            await self.threads.delete(conversation)

    async def feedback(self, ids: TurnIds, rating: Rating, comment: str = "") -> None:
        raise ConfigurationError(Problem(_("Not rated"), _("DashScope takes no ratings."), delivered="no"))

    async def aclose(self) -> None:
        """Close the connections; a cancel that is under way is let through first."""
        await self._turns.aclose(CLOSE_GRACE)
        await self._rest.aclose()

    async def _profile(self, options: Mapping[str, str]) -> AssistantProfile:
        """Raises ConfigurationError where the profile that the conversation names is not there."""
        name = options.get("profile", "")
        if not name:
            return AssistantProfile(id="", model=options.get("model", "") or DEFAULT_MODEL)
        found = await self._profiles(name)
        if found is None:
            raise ConfigurationError(
                Problem(
                    _("No profile"),
                    _("The profile {name} of this conversation is not there.").format(name=clean_line(name, 60)),
                    _("Restore or make it in the assistants, or begin a conversation with another one."),
                    delivered="no",
                )
            )
        return found
