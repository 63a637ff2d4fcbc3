"""Everything that the products of the sandbox share: keys, switches, accounts, counters, running turns."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, TypeVar

from tui.sandbox.auth import Keyring
from tui.sandbox.faults import FaultBoard
from tui.sandbox.log import News
from tui.sandbox.pace import Pace
from tui.sandbox.records import Agent, ApprovalRound, Conversation, Message, new_id
from tui.sandbox.script import Beat
from tui.sandbox.shelf import Kept
from tui.sandbox.turns import Turn
from tui.sandbox.wire import utc_text

TOKENS_A_DAY = 500_000_000
TURNS_AT_ONCE = 5
_REMEMBERED_TURNS = 100
"""Finished turns whose task id is still known to stop."""


@dataclass(slots=True)
class Usage:
    """The tokens of one account on one day."""

    day: str = ""
    tokens: int = 0


@dataclass(slots=True)
class Counts:
    """What a test needs to prove that nothing was sent twice."""

    received: Counter[str] = field(default_factory=Counter)
    """Signed requests by action."""
    accepted: Counter[str] = field(default_factory=Counter)
    """Questions taken in, by text."""
    refused: Counter[str] = field(default_factory=Counter)
    """Refusals by code."""
    stops: Counter[str] = field(default_factory=Counter)
    """Stop calls by task id."""
    moved: int = 0
    """Requests to the path that `redirect` points to."""


class Part:
    """What one product remembers for itself. There is one of each kind in a world; `name` is its entry in the state."""

    name: ClassVar[str]

    def __init__(self, world: World) -> None:
        self.world = world

    def describe(self) -> object:
        """Its entry in `GET /_sandbox/state`."""
        return {}

    def release(self) -> int:
        """Let all of its turns go on that hold; how many there were."""
        return 0

    async def close(self) -> None:
        """End its tasks and let go of its files."""

    def reset(self) -> None:
        """Forget everything, on disk too; it has been closed."""


P = TypeVar("P", bound=Part)


class World:
    """The state of one sandbox. All methods are called in its event loop."""

    def __init__(self, pace: Pace, faults: Iterable[str], folder: Path | None, clock: Callable[[], float]) -> None:
        self.pace = pace
        self.clock = clock
        self.keyring = Keyring()
        self.board = FaultBoard(faults)
        self.counts = Counts()
        self.news = News()
        """Told whenever a turn begins, holds or ends."""
        self.folder = folder
        self.conversations = Kept(folder, "conversations", Conversation.from_json)
        self.agents = Kept(folder, "agents", lambda data: Agent(**data))
        self.turns: dict[str, Turn] = {}
        """By task id, the newest of the finished ones too."""
        self.usage: dict[str, Usage] = {}
        self.parts: dict[str, Part] = {}
        self.ahead = 0.0
        """Seconds that lives (of runtimes, sessions, links) are ahead of the clock; signatures are not."""
        for conversation in self.conversations.values():
            for message in conversation.messages:
                if message.status == "running":  # it went on when the sandbox ended
                    message.complete(self.clock())

    def part(self, kind: type[P]) -> P:
        """The part of that kind; made when it is first asked for."""
        found = self.parts.get(kind.name)
        if not isinstance(found, kind):
            found = self.parts[kind.name] = kind(self)
        return found

    def now(self) -> datetime:
        """By the clock that signatures and temporary credentials run on."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def seconds(self) -> float:
        """Seconds since 1970 by the clock that lives run on."""
        return self.clock() + self.ahead

    def advance(self, seconds: float) -> None:
        """Let the lives of runtimes, sessions and links be that much older."""
        self.ahead += seconds

    def set_pace(self, pace: str | float) -> None:
        """For the turns that begin from now on.

        Raises:
            ValueError: it is none.
        """
        self.pace = Pace.of(pace)

    def new_request_id(self) -> str:
        """Like the vendor's, and plainly not one of theirs."""
        return f"SANDBOX-{secrets.token_hex(4)}-{secrets.token_hex(6)}".upper()

    def issue_temporary(self, seconds: float) -> dict[str, str]:
        """A new STS credential, with the fields of `SandboxInfo.sts`."""
        key = self.keyring.issue_temporary(self.now(), timedelta(seconds=seconds))
        assert key.expires is not None
        return {
            "access_key_id": key.access_key_id,
            "access_key_secret": key.access_key_secret,
            "security_token": key.token,
            "expiration": utc_text(key.expires.timestamp()),
        }

    # --- conversations -----------------------------------------------------------------------------------------

    def of_account(self, account: str) -> list[Conversation]:
        """The account's conversations, newest first."""
        own = [c for c in self.conversations.values() if c.account == account]
        return sorted(own, key=lambda c: c.updated_at, reverse=True)

    def new_conversation(self, account: str, name: str) -> Conversation:
        now = self.clock()
        conversation = Conversation(new_id(), account, name, now, now)
        self.conversations[conversation.id] = conversation
        return conversation

    # --- turns -------------------------------------------------------------------------------------------------

    def running(self, account: str) -> list[Turn]:
        return [
            turn
            for turn in self.turns.values()
            if not turn.over and self.conversations[turn.message.conversation_id].account == account
        ]

    def begin_turn(self, conversation: Conversation, message: Message, plan: Sequence[Beat]) -> Turn:
        """Take a question in and set its turn going."""
        conversation.messages.append(message)
        conversation.updated_at = message.created_at
        self.counts.accepted[message.query] += 1
        turn = Turn(message, plan, self.pace, self.clock, self._turn_changed)
        finished = [task_id for task_id, old in self.turns.items() if old.over]
        for task_id in finished[:-_REMEMBERED_TURNS]:
            del self.turns[task_id]
        self.turns[message.task_id] = turn
        self.conversations.save(conversation)
        turn.start()
        self.news.tell()
        return turn

    def _turn_changed(self, turn: Turn) -> None:
        self.news.tell()
        if not turn.over:
            return
        message = turn.message
        conversation = self.conversations.get(message.conversation_id)
        if conversation is None:  # forgotten by a reset in the meantime
            return
        conversation.updated_at = max(conversation.updated_at, message.finished_at)
        message.plan = []
        self.used(conversation.account).tokens += (len(message.query) + len(message.answer)) // 2 + 1
        self.conversations.save(conversation)

    def used(self, account: str) -> Usage:
        """Today's usage of the account."""
        today = self.now().date().isoformat()
        usage = self.usage.setdefault(account, Usage())
        if usage.day != today:
            usage.day, usage.tokens = today, 0
        return usage

    def release(self) -> int:
        """Let all turns go on that hold; how many there were."""
        turns = sum(turn.release() for turn in self.turns.values())
        return turns + sum(part.release() for part in self.parts.values())

    def find_round(self, round_id: str) -> tuple[Conversation, ApprovalRound] | None:
        for conversation in self.conversations.values():
            for waiting in conversation.rounds:
                if waiting.id == round_id:
                    return conversation, waiting
        return None

    async def close(self) -> None:
        # Lists of their own: requests still come in, and turns end, while others are waited for.
        for turn in [*self.turns.values()]:
            await turn.abandon()
        for part in [*self.parts.values()]:
            await part.close()

    async def reset(self) -> None:
        """Forget everything but the keys."""
        await self.close()
        for part in self.parts.values():
            part.reset()
        self.ahead = 0.0
        for things in (self.turns, self.conversations, self.agents, self.usage):
            things.clear()
        self.counts = Counts()
        self.board.clear()

    def describe(self) -> dict[str, object]:
        """The answer of `GET /_sandbox/state`."""
        return {
            "received": dict(self.counts.received),
            "accepted": dict(self.counts.accepted),
            "refused": dict(self.counts.refused),
            "stop_calls": self.counts.stops.total(),
            "stops": dict(self.counts.stops),
            "moved": self.counts.moved,
            "running": [turn.message.task_id for turn in self.turns.values() if not turn.over],
            "holding": [turn.message.task_id for turn in self.turns.values() if turn.holds],
            "conversations": [
                {
                    "id": c.id,
                    "name": c.name,
                    "status": c.status,
                    "messages": len(c.messages),
                    "inputs": [message.inputs for message in c.messages],
                    "rounds": [{"id": r.id, "calls": r.calls} for r in c.rounds],
                }
                for c in self.conversations.values()
            ],
            "tokens": {account: usage.tokens for account, usage in self.usage.items()},
            "faults": self.board.describe(),
            **{name: part.describe() for name, part in self.parts.items()},
        }
