"""The picture in README.md: the real app on the real sandbox, a question asked, the screen exported as SVG."""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path
from typing import cast

from screens.chat import ChatScreen
from tui.app import YunliaoApp
from tui.options import Options
from tui.settings import Settings

PICTURE = Path(__file__).parents[1] / "docs" / "yunliao.svg"
QUESTIONS = ("Why did replication lag rise on rm-bp1k3 after 02:00?", "主库上有没有长事务？")


async def take() -> str:
    """The picture as SVG, the same for the same answers."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(theme="dark", language="en", region="cn-hangzhou", profile="")
        app = YunliaoApp(Options(sandbox=True, data_dir=Path(folder)), settings=settings)
        app.animation_level = "none"
        async with app.run_test(size=(120, 36)) as pilot:
            chat = cast("ChatScreen", app.screen)
            for question in QUESTIONS:
                chat.composer.put(question)
                await pilot.press("enter")
                while not _answered(app, chat, question):
                    await pilot.pause(0.1)
            svg = app.export_screenshot(title="yunliao")
    # Ids that differ from run to run would make each picture a new one.
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    # No reader of the README should load a font from somewhere else.
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def _answered(app: YunliaoApp, chat: ChatScreen, question: str) -> bool:
    conversation = app.conversation(chat.conversation_id) if chat.conversation_id else None
    turn = conversation.turns[-1] if conversation and conversation.turns else None
    return turn is not None and turn.question == question and turn.state == "done"


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(asyncio.run(take()), "utf-8")
    print(PICTURE)
