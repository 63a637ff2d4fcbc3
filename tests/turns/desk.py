"""Conversations on a real store against a real sandbox, driven without a screen."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tui.cache.store import Store
from tui.conversations import Conversations, Hooks
from tui.models import Problem, ServiceName, Turn
from tui.sandbox.server import SandboxServer
from tui.services.base import AskReply, ConversationService
from tui.services.dashscope_recovery import LookTiming
from tui.services.endpoints import parse_endpoint
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.registry import DashScopeKey, Services
from tui.turns import TurnUpdate, open_ask

QUICK_LOOKS = LookTiming(first_pause=0.05, longest_pause=0.2, sure=0.3, sure_of_run=0.3)


def control(server: SandboxServer, path: str, body: object | None = None) -> Any:
    """Ask the sandbox's control endpoint; GET without a body."""
    request = urllib.request.Request(
        f"{server.info.url}/_sandbox/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def services_of(server: SandboxServer) -> Services:
    """The services on a sandbox that runs already, as if it were the real endpoint."""
    info = server.info
    key = AccessKey(info.access_key_id, Secret(info.access_key_secret))
    endpoint = parse_endpoint(info.url, "test")
    agent_key = FixedKey(AccessKey("", Secret(info.dashscope["api_key"])))
    return Services(
        FixedKey(key),
        {"rds": endpoint, "dms": endpoint, "dashscope": endpoint},
        dashscope_key=DashScopeKey(agent_key, timing=QUICK_LOOKS),
    )


@dataclass
class Desk:
    """What a user has: a store, services, conversations, and what came up meanwhile."""

    server: SandboxServer
    root: Path
    updates: list[TurnUpdate] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    errors: list[BaseException] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    on_disk: bool = True
    pauses: tuple[float, ...] = (0.05, 0.1, 0.2)

    def __post_init__(self) -> None:
        self.services = services_of(self.server)
        self.store = Store(self.root if self.on_disk else None)
        self.changed = asyncio.Event()
        self.conversations = Conversations(
            self.store,
            Hooks(
                turn_changed=self._changed,
                list_changed=lambda _id: self.changed.set(),
                spawn=self._spawn,
                service=self._service,
                pauses=self.pauses,
                failed=self.problems.append,
            ),
        )

    async def __aenter__(self) -> Desk:
        await self.store.open()
        await self.conversations.load_list()
        return self

    async def __aexit__(self, *_error: object) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.store.close()
        await self.services.aclose()

    async def _service(self, name: ServiceName) -> ConversationService:
        return await self.services.get(name)

    def _changed(self, update: TurnUpdate) -> None:
        if update.ended or not self.updates or self.updates[-1] != update:
            self.updates.append(update)
        self.changed.set()

    def _spawn(self, name: str, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine, name=name)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.errors.append(error)
            self.changed.set()

    async def until(self, ready: Callable[[], object], patience: float = 20.0) -> None:
        """Wait for a state that some change brings."""
        async with asyncio.timeout(patience):
            while not ready():
                if self.errors:
                    raise self.errors[0]
                self.changed.clear()
                await self.changed.wait()

    def turn(self, conversation_id: str, turn_id: str) -> Turn:
        conversation = self.conversations.conversation(conversation_id)
        assert conversation is not None
        return next(turn for turn in conversation.turns if turn.id == turn_id)

    async def ask(self, conversation_id: str, text: str) -> Turn:
        """Ask and wait for the end."""
        turn = self.conversations.ask(conversation_id, text)
        await self.ended(turn.id)
        return self.turn(conversation_id, turn.id)

    async def ended(self, turn_id: str) -> None:
        await self.until(lambda: any(u.ended and u.turn_id == turn_id for u in self.updates))

    async def answer(self, conversation_id: str, reply: AskReply) -> Turn:
        """Answer what is asked and wait until the turn is over or asks again."""
        conversation = self.conversations.conversation(conversation_id)
        assert conversation is not None
        turn = conversation.newest_sent
        assert turn is not None
        ask = open_ask(turn)
        assert ask is not None
        before = len(self.updates)
        assert self.conversations.answer(conversation_id, ask.ask_id, reply)
        await self.until(lambda: any(u.ended and u.turn_id == turn.id for u in self.updates[before:]))
        return self.turn(conversation_id, turn.id)

    def put_back(self, turn_id: str) -> str:
        return next((update.put_back for update in self.updates if update.turn_id == turn_id and update.put_back), "")
