"""The app itself, on the sandbox that the environment names. FOLDER STEPS SEED: walks at random, see `walking`."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from textual.pilot import Pilot

from screens.chat import ChatScreen
from tests.pty.apps.walking import walk
from tui.app import YunliaoApp
from tui.options import Options
from tui.settings import Settings

# Nothing of which terminals disagree how wide it is.
QUESTIONS = ("bench 1", "table 12", "code", "chart", "echo 主从延迟在 14:02 之后开始上升 🚀 done ✅ 结束")
SCREENS = ("help", "settings", "conversations", "search", "uploads", "agents", "assistants", "integrations", "capacity")
THEMES = ("dark", "light", "terminal")


class Walker:
    """Somebody who tries everything."""

    def __init__(self, app: YunliaoApp, pilot: Pilot[object], seed: str) -> None:
        self.app, self.pilot = app, pilot
        self.chance = random.Random(seed)

    @property
    def chat(self) -> ChatScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    async def step(self) -> None:
        chance, press = self.chance, self.pilot.press
        while len(self.app.screen_stack) > 1:
            self.app.pop_screen()
        await self.pilot.pause()
        action = chance.choice(("ask", "ask", "ask", "keys", "keys", "type", "screen", "palette", "list", "theme"))
        if action == "ask":
            self.chat.composer.focus()
            self.chat.composer.insert(chance.choice(QUESTIONS))
            await press("enter")
        elif action == "keys":
            keys = chance.choices(("j", "k", "J", "K", "g", "G", "a", "space", "pageup", "pagedown"), k=4)
            await press("escape", *keys)
        elif action == "type":
            self.chat.composer.focus()
            await press(*chance.choices("ab c索引🚀", k=5), chance.choice(("backspace", "ctrl+j", "ctrl+u", "left")))
        elif action == "screen":
            self.app.navigate(chance.choice(SCREENS))
            await self.pilot.pause()
            await press(*chance.choices(("down", "tab", "end", "up"), k=3))
        elif action == "palette":
            await press("ctrl+p", "t", "h")
        elif action == "list":
            await press("f9")
        else:
            self.app.theme = chance.choice(THEMES)

    def resting(self) -> bool:
        """Nothing runs: a running answer has a clock."""
        chat = self.chat
        return (
            self.app.ready
            and self.app.index_loaded
            and chat.transcript.settled
            and not (chat.conversation_id and self.app.activity(chat.conversation_id))
        )


def main(folder: Path, steps: int, seed: str) -> None:
    app = YunliaoApp(Options(data_dir=folder / "data"), settings=Settings(bandwidth="full", notify="off"))

    async def pilot(pilot: Pilot[object]) -> None:
        walker = Walker(app, pilot, seed)
        await walk(app, folder, steps, walker.step, walker.resting)

    app.run(auto_pilot=pilot, mouse=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
