"""Words for what a user of the assistant manager does and sees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from textual.widgets import Input

from screens.assistants import AssistantsScreen
from tests.screens.whole import User, using
from tui.assistants.desk import AssistantDesk
from tui.sandbox.server import SandboxServer
from tui.settings import Settings
from tui.widgets.prompt_editor import PromptArea

QUIET = Settings(language="en", notify="off", service="dashscope")
QUESTION = "Add 87787 to 788988737."
SUM = "789076524"


class Keeper:
    """Someone in front of the assistants; everything is done with keys."""

    def __init__(self, user: User) -> None:
        self.user = user

    @property
    def desk(self) -> AssistantDesk:
        return self.user.app.assistants

    @property
    def screen(self) -> AssistantsScreen:
        return cast("AssistantsScreen", self.user.app.screen)

    def state(self) -> str:
        """Of the newest turn."""
        return self.user.turn.state

    async def press(self, *keys: str) -> None:
        await self.user.press(*keys)

    async def sees(self, *texts: str) -> None:
        for text in texts:
            await self.user.until(lambda text=text: self.user.sees(text))  # type: ignore[misc]

    async def shows(self, name: str) -> None:
        """Wait until a screen of this class is on top and drawn."""
        await self.user.until(lambda: type(self.user.app.screen).__name__ == name)
        await self.user.pilot.pause()

    async def type(self, text: str) -> None:
        """Type into whatever has the focus: a long text as one paste."""
        focused = self.user.app.focused
        if isinstance(focused, PromptArea):
            focused.insert(text)
            await self.user.pilot.pause()
        elif isinstance(focused, Input) and len(text) > 3:
            focused.insert_text_at_cursor(text)
            await self.user.pilot.pause()
        else:
            await self.press(*(["space" if char == " " else char for char in text]))

    async def open(self) -> None:
        """From the chat into the manager, by the palette."""
        await self.press("ctrl+p")
        await self.shows("Palette")
        await self.type("assistants of dashscope")
        await self.sees("Assistants of DashScope")
        await self.press("enter")
        await self.shows("AssistantsScreen")
        await self.user.until(lambda: self.desk.loaded and not self.desk.loading)
        await self.user.pilot.pause()

    async def field(self, name: str) -> None:
        """Go to a field of the form."""
        form = self.screen.form
        form_fields = [option.id for option in form.options]
        steps = form_fields.index(name) - (form.highlighted or 0)
        await self.press(*(["j"] * steps if steps > 0 else ["k"] * -steps))

    async def set_line(self, name: str, text: str) -> None:
        await self.field(name)
        await self.press("enter")
        await self.shows("TextDialog")
        await self.press("ctrl+u")
        await self.type(text)
        await self.press("enter")
        await self.shows("AssistantsScreen")

    async def set_text(self, name: str, text: str) -> None:
        await self.field(name)
        await self.press("enter")
        await self.shows("TextScreen")
        await self.type(text)
        await self.press("escape")
        await self.shows("AssistantsScreen")

    async def save(self) -> None:
        """w, look, y."""
        await self.press("w")
        await self.shows("ChangesDialog")
        await self.press("y")
        await self.shows("AssistantsScreen")
        await self.user.until(lambda: self.screen.draft is not None and not self.screen.draft.changed)

    async def make_adder(self) -> str:
        """An assistant with the search tool and `big_add`, as on the vendor's page; its id."""
        await self.press("n")
        await self.user.until(lambda: self.screen.form.has_focus)
        await self.set_line("name", "adder")
        await self.set_text("instructions", "You add numbers with big_add.")
        await self.field("tools")
        await self.press("enter")
        await self.shows("ToolsScreen")
        await self.press("j", "space", "n")
        await self.shows("FunctionEditor")
        await self.press("f4")
        await self.shows("ChooseDialog")
        await self.press("1")
        await self.shows("FunctionEditor")
        await self.user.until(lambda: self.user.sees("left  integer"))
        await self.press("escape")
        await self.shows("ToolsScreen")
        await self.press("escape")
        await self.shows("AssistantsScreen")
        await self.sees("quark_search, big_add()", "Save creates it with: name, model, instructions, tools")
        await self.save()
        [made] = self.desk.server
        return made.id

    async def talk(self, question: str = QUESTION) -> None:
        """A conversation with the assistant under the cursor; until the run waits or is over."""
        await self.press("t")
        await self.shows("ChatScreen")
        await self.ask(question)

    async def ask(self, question: str = QUESTION) -> None:
        user = self.user
        before = len(user.conversation.turns) if user.chat.conversation_id else 0
        await user.type(question)
        await self.press("enter")
        await user.until(
            lambda: (
                user.chat.conversation_id
                and len(user.conversation.turns) > before
                and user.turn.state in ("waiting", "done", "failed")
            )
        )

    async def open_outputs(self) -> None:
        await self.user.until(lambda: self.user.chat.ask_panel.has_focus and self.user.chat.ask_panel.awake)
        await self.press("c")
        await self.shows("ToolOutputsScreen")

    async def give(self, output: str = SUM) -> None:
        """Write the output of the one call that waits, and send it."""
        await self.open_outputs()
        await self.press("enter")
        await self.shows("TextScreen")
        await self.type(output)
        await self.press("escape")
        await self.shows("ToolOutputsScreen")
        await self.send_outputs()

    async def send_outputs(self) -> None:
        await self.press("w")
        await self.shows("NotesDialog")
        await self.press("y")
        await self.shows("ChatScreen")
        await self.user.until(lambda: self.user.app.activity(self.user.chat.conversation_id) is None)
        await self.user.until(lambda: self.user.turn.state in ("waiting", "done", "failed"))


@asynccontextmanager
async def keeping(
    server: SandboxServer, folder: Path, *, size: tuple[int, int] = (120, 40), settings: Settings = QUIET
) -> AsyncIterator[Keeper]:
    """The whole app on the sandbox's DashScope, as on a real account."""
    environ = {
        "DASHSCOPE_API_KEY": server.info.dashscope["api_key"],
        "YUNLIAO_DASHSCOPE_BASE_URL": server.info.url,
    }
    async with using(server, folder, size=size, settings=settings, environ=environ) as user:
        yield Keeper(user)
