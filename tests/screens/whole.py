"""The whole app against a sandbox that plays the real endpoint, and words for what a user does and sees."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from textual.pilot import Pilot

from screens.chat import ChatScreen
from tui.app import YunliaoApp
from tui.models import Conversation, Turn
from tui.options import Options
from tui.sandbox.server import SandboxServer
from tui.settings import Settings
from tui.widgets.transcript import Transcript


@dataclass
class User:
    """Someone in front of the app."""

    app: YunliaoApp
    pilot: Pilot[int]

    async def until(self, ready: Callable[[], object], patience: float = 20.0) -> None:
        """Wait for a state; the patience is for a machine that is busy with other things."""
        for _ in range(int(patience / 0.02)):
            if ready():
                return
            await self.pilot.pause(0.02)
        raise AssertionError("the expected state was never reached")

    @property
    def chat(self) -> ChatScreen:
        return cast("ChatScreen", self.app.screen_stack[0])

    @property
    def transcript(self) -> Transcript:
        return self.chat.transcript

    @property
    def conversation(self) -> Conversation:
        found = self.app.conversation(self.chat.conversation_id)
        assert found is not None
        return found

    @property
    def turn(self) -> Turn:
        return self.conversation.turns[-1]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        self.chat.composer.insert(text)
        await self.pilot.pause()

    async def send(self, text: str) -> None:
        """Ask; returns when the question stands in the transcript."""
        before = len(self.conversation.turns) if self.chat.conversation_id else 0
        await self.type(text)
        await self.press("enter")
        await self.until(lambda: self.chat.conversation_id and len(self.conversation.turns) == before + 1)

    async def ask(self, text: str) -> Turn:
        """Ask and wait for the end."""
        await self.send(text)
        await self.until(lambda: self.app.activity(self.chat.conversation_id) is None)
        return self.turn

    def lines(self) -> list[str]:
        """What is on the screen, line by line."""
        compositor = self.app.screen._compositor
        width, height = self.app.size
        strips = compositor.render_strips() if hasattr(compositor, "render_strips") else []
        return ["".join(segment.text for segment in strip) for strip in strips][:height] or [" " * width]

    def sees(self, text: str) -> bool:
        return any(text in line for line in self.lines())

    def notices(self) -> list[str]:
        return [str(notice.message) for notice in self.app._notifications]


@asynccontextmanager
async def using(
    server: SandboxServer | None,
    folder: Path,
    *,
    size: tuple[int, int] = (120, 40),
    settings: Settings | None = None,
    environ: dict[str, str] | None = None,
) -> AsyncIterator[User]:
    """The app on `server` as on a real account; on its own embedded sandbox where that is None."""
    environment = {"HOME": str(folder), "LANG": "C.UTF-8", **(environ or {})}
    if server is not None:
        environment |= {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": server.info.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": server.info.access_key_secret,
            "YUNLIAO_RDS_ENDPOINT": server.info.url,
            "YUNLIAO_DMS_ENDPOINT": server.info.url,
        }
    app = YunliaoApp(
        Options(data_dir=folder, sandbox=server is None), settings=settings, environ={**os.environ, **environment}
    )
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        user = User(app, pilot)
        await user.until(lambda: app.index_loaded and app.ready)
        yield user
