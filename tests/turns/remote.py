"""A program that asks several questions at once and says when something comes; to be killed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tui.cache.store import Store
from tui.conversations import Conversations, Hooks
from tui.models import ServiceName
from tui.services.base import ConversationService
from tui.services.endpoints import parse_endpoint
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.registry import Services
from tui.turns import TurnUpdate


async def run(url: str, key_id: str, secret: str, root: Path, questions: Sequence[str]) -> None:
    services = Services(FixedKey(AccessKey(key_id, Secret(secret))), {"rds": parse_endpoint(url, "test")})
    store = Store(root)
    tasks: set[asyncio.Task[None]] = set()

    async def service(name: ServiceName) -> ConversationService:
        return await services.get(name)

    def changed(update: TurnUpdate) -> None:
        print(update.turn_id, flush=True)

    conversations = Conversations(
        store,
        Hooks(
            turn_changed=changed,
            list_changed=lambda _id: None,
            spawn=lambda name, work: tasks.add(asyncio.create_task(work, name=name)),
            service=service,
        ),
    )
    await store.open()
    for question in questions:
        conversations.ask(await conversations.create("rds"), question)
    while running := {task for task in tasks if not task.done()}:
        await asyncio.wait(running)
