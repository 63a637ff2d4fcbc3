"""Approval rounds that wait: looked at until they are decided in the console, then the answer is taken up again.

Pure asyncio. A round is looked at while its conversation is open here; it is taken up at most once, and not at all
where that happened elsewhere or where the profile is read-only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from tui.models import AskBlock, Conversation, Problem, Turn
from tui.services.errors import ServiceError
from tui.services.rds_rounds import Round, decision_of, way_on
from tui.turns import open_ask

if TYPE_CHECKING:  # httpx comes with it
    from tui.services.rds_approvals import RdsApprovals

PAUSES = (2.0, 3.0, 5.0, 5.0, 10.0, 10.0, 15.0, 30.0)
"""Seconds between looks; the last one is repeated."""
PATIENCE = 6 * 3600.0
"""Seconds after which nobody is expected to decide any more; a key looks again."""

News = Literal["resumed", "elsewhere", "locked", "gone"]
"""All calls are decided and the answer goes on; it went on elsewhere; it may not from here; the round is not found."""


@dataclass(frozen=True, slots=True)
class ApprovalHooks:
    """What the owner of `Approvals` lends. All but the first must be cheap."""

    rounds: Callable[[], Awaitable[RdsApprovals]]
    """Raises ServiceError where the service cannot be used."""
    conversation: Callable[[str], Conversation | None]
    keep: Callable[[str, Turn], Awaitable[None]]
    """Put a changed turn into its conversation, on disk too."""
    ask: Callable[[str, str, Mapping[str, str]], object]
    """Ask in a conversation with more options than its own."""
    spawn: Callable[[str, Coroutine[Any, Any, None]], None]
    told: Callable[[str, News], None]
    changed: Callable[[str], None]
    """What is known of the round in this conversation changed."""
    now: Callable[[], datetime]
    language: Callable[[], str] = lambda: ""
    read_only: Callable[[], bool] = lambda: False
    pauses: Sequence[float] = PAUSES


@dataclass(frozen=True, slots=True)
class Watch:
    """How it stands with looking at one round."""

    ask_id: str
    looked_at: datetime | None = None
    problem: Problem | None = None
    """Why the last look failed."""
    given_up: bool = False


class Approvals:
    """The rounds of all open conversations."""

    def __init__(self, hooks: ApprovalHooks) -> None:
        self._hooks = hooks
        self._watches: dict[str, Watch] = {}
        self._look_now: dict[str, asyncio.Event] = {}
        self._taken_up: set[str] = set()

    def watch_of(self, conversation_id: str) -> Watch | None:
        return self._watches.get(conversation_id)

    def watch(self, conversation_id: str) -> None:
        """Look at the round that a conversation waits for, if it does, until it is decided.

        One that was decided while no program looked is looked at once: the answer may not have gone on.
        """
        waiting = self._waiting(conversation_id) or self._left_over(conversation_id)
        if waiting is None or conversation_id in self._look_now:
            return
        self._look_now[conversation_id] = asyncio.Event()
        self._watches[conversation_id] = Watch(waiting[1].ask_id)
        self._hooks.spawn(f"approval:{conversation_id}", self._follow(conversation_id, waiting[1].ask_id))

    def look_now(self, conversation_id: str) -> bool:
        """Look at once; False where no round waits."""
        if self._waiting(conversation_id) is None:
            return False
        if event := self._look_now.get(conversation_id):
            event.set()
        else:
            self.watch(conversation_id)
        return True

    async def leave(self, conversation_id: str, said: str) -> bool:
        """Go on without the round: it is noted as answered with `said`, and the service is told nothing."""
        waiting = self._waiting(conversation_id)
        if waiting is None:
            return False
        await self._note(conversation_id, waiting[0], replace(waiting[1], answered=said))
        return True

    def _waiting(self, conversation_id: str) -> tuple[Turn, AskBlock] | None:
        conversation = self._hooks.conversation(conversation_id)
        if conversation is None or conversation.service != "rds" or conversation.read_only:
            return None
        turn = next((turn for turn in reversed(conversation.turns) if turn.state != "queued"), None)
        ask = open_ask(turn) if turn is not None and turn.state in ("waiting", "done") else None
        if turn is None or ask is None or ask.kind != "approval":
            return None
        return turn, ask

    def _left_over(self, conversation_id: str) -> tuple[Turn, AskBlock] | None:
        """A round that is decided, at the very end of a conversation: nothing came of it yet."""
        conversation = self._hooks.conversation(conversation_id)
        if conversation is None or conversation.service != "rds" or conversation.read_only or not conversation.turns:
            return None
        turn = conversation.turns[-1]
        asks = [block for block in turn.blocks if isinstance(block, AskBlock) and block.kind == "approval"]
        if turn.state != "done" or not asks or asks[-1].ask_id in self._taken_up:
            return None
        decided = all(decision_of(call.status) != "open" for call in asks[-1].calls)
        return (turn, asks[-1]) if decided and asks[-1].answered else None

    async def _follow(self, conversation_id: str, ask_id: str) -> None:
        waited, looks = 0.0, 0
        try:
            if (left_over := self._left_over(conversation_id)) is not None:
                await self._look_back(conversation_id, *left_over)
            while (waiting := self._waiting(conversation_id)) is not None and waiting[1].ask_id == ask_id:
                if await self._look(conversation_id, *waiting):
                    return
                pause = self._hooks.pauses[min(looks, len(self._hooks.pauses) - 1)]
                waited, looks = waited + pause, looks + 1
                if waited > PATIENCE:
                    self._set(conversation_id, given_up=True)
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._look_now[conversation_id].wait(), pause)
                    self._look_now[conversation_id].clear()
        finally:
            del self._look_now[conversation_id]

    async def _look_back(self, conversation_id: str, turn: Turn, ask: AskBlock) -> None:
        """Take a decided round up that nobody has taken up; where that is not known, nothing happens."""
        with suppress(ServiceError):
            found = await self._find(conversation_id, turn, ask)
            if found.found and found.decided and not found.taken_up and self._left_over(conversation_id):
                if self._hooks.read_only():
                    self._hooks.told(conversation_id, "locked")
                else:
                    self._take_up(conversation_id, ask, elsewhere=False)

    async def _find(self, conversation_id: str, turn: Turn, ask: AskBlock) -> Round:
        conversation = self._hooks.conversation(conversation_id)
        remote_id = conversation.remote_id if conversation else ""
        return await (await self._hooks.rounds()).look(remote_id or turn.ids.conversation, ask)

    def _set(self, conversation_id: str, **changes: Any) -> None:
        self._watches[conversation_id] = replace(self._watches[conversation_id], **changes)
        self._hooks.changed(conversation_id)

    async def _look(self, conversation_id: str, turn: Turn, ask: AskBlock) -> bool:
        """Look once; True where nothing is left to wait for."""
        try:
            found = await self._find(conversation_id, turn, ask)
        except ServiceError as error:
            self._set(conversation_id, problem=error.problem, looked_at=self._hooks.now())
            return False
        self._set(conversation_id, problem=None, looked_at=self._hooks.now())
        waiting = self._waiting(conversation_id)
        if waiting is None or waiting[1].ask_id != ask.ask_id:
            return True  # left, or gone on, while it was looked at
        if not found.found:
            self._set(conversation_id, given_up=True)
            self._hooks.told(conversation_id, "gone")
            return True
        if not found.decided:
            if found.ask != ask:
                await self._note(conversation_id, waiting[0], found.ask)
            return False
        if not found.taken_up and self._hooks.read_only():
            await self._note(conversation_id, waiting[0], replace(found.ask, answered=""))
            self._hooks.told(conversation_id, "locked")
            return True
        # Asked first: should the program end in between, the next look finds that it was taken up.
        self._take_up(conversation_id, found.ask, elsewhere=found.taken_up)
        await self._note(conversation_id, waiting[0], found.ask)
        return True

    async def _note(self, conversation_id: str, turn: Turn, ask: AskBlock) -> None:
        def is_it(block: object) -> bool:
            return isinstance(block, AskBlock) and block.ask_id == ask.ask_id

        blocks = tuple(ask if is_it(block) else block for block in turn.blocks)
        state = "done" if ask.answered and turn.state == "waiting" else turn.state
        await self._hooks.keep(conversation_id, replace(turn, blocks=blocks, state=state))

    def _take_up(self, conversation_id: str, ask: AskBlock, *, elsewhere: bool) -> None:
        if elsewhere or ask.ask_id in self._taken_up:
            self._hooks.told(conversation_id, "elsewhere")
        else:
            self._taken_up.add(ask.ask_id)
            conversation = self._hooks.conversation(conversation_id)
            language = (conversation.options.get("language", "") if conversation else "") or self._hooks.language()
            text, options = way_on(ask, language)
            self._hooks.told(conversation_id, "resumed")
            self._hooks.ask(conversation_id, text, options)
