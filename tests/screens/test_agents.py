"""The agents' screen as a whole, on the sandbox, by keys alone, at both sizes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from textual.widgets import Input, Static

from screens.agents import AgentsScreen
from screens.changes import ChangesDialog
from tests.screens.whole import User, using
from tests.turns.desk import control, services_of
from tui.sandbox.server import SandboxServer
from tui.services.dms import DmsDataAgent
from tui.services.rds import RdsCopilot
from tui.services.rds_agents import AgentForm, RdsAgent
from tui.settings import Settings
from tui.widgets.pickers import Picker
from tui.widgets.prompt_editor import PromptArea
from tui.words import use_language

SIZES = [(120, 40), (80, 24)]
FORM = AgentForm("copilot-agent", "be brief", True, ("describe_db_instances",), ())
PROMPT = "You watch RDS instances. Use [describe_db_instances]."


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    use_language("en")


class Agents(User):
    """Someone at the screen of the agents."""

    @property
    def screen(self) -> AgentsScreen:
        found = [screen for screen in self.app.screen_stack if isinstance(screen, AgentsScreen)]
        assert found
        return found[-1]

    @property
    def names(self) -> list[str]:
        return [line.name for line in self.screen.lines]

    @property
    def footer(self) -> str:
        """What Save will send, or what was refused."""
        return str(self.screen.query_one("#sends", Static).visual)

    async def open(self, *, from_palette: bool = False) -> None:
        if from_palette:
            await self.press("ctrl+p", *"agents:")
            await self.until(lambda: self.sees("Custom agents: make, change, try out"))
            await self.press("enter")
        else:
            self.app.navigate("agents")
        await self.until(lambda: isinstance(self.app.screen, AgentsScreen) and self.screen.loaded)
        await self.until(lambda: self.screen.held is not None)

    async def type_keys(self, text: str) -> None:
        await self.press(*("space" if key == " " else key for key in text))

    async def to(self, field: str) -> None:
        """To a field of the form."""
        await self.press("g")
        for _number in range(10):
            if self.screen.field is not None and self.screen.field.name == field:
                return
            await self.press("j")
        raise AssertionError(f"no field {field}")

    async def fill(self, text: str) -> None:
        """In the dialog that is open: replace the line."""
        await self.until(lambda: isinstance(self.app.focused, Input))
        await self.press("ctrl+u", "ctrl+k")
        await self.type_keys(text)
        await self.press("enter")
        await self.until(lambda: self.app.screen is self.screen)

    async def save(self) -> None:
        await self.press("ctrl+s")
        await self.until(lambda: isinstance(self.app.screen, ChangesDialog))
        await self.press("y")
        await self.until(lambda: self.app.screen is self.screen and not self.screen.busy)

    def notices_say(self, text: str) -> bool:
        return any(text in notice for notice in self.notices())


@asynccontextmanager
async def at_agents(
    server: SandboxServer, folder: Path, size: tuple[int, int], language: str = "en"
) -> AsyncIterator[Agents]:
    settings = Settings(theme="dark", language=language, notify="off")
    async with using(server, folder, size=size, settings=settings) as user:
        yield Agents(user.app, user.pilot)


async def make(server: SandboxServer, forms: Sequence[AgentForm]) -> list[RdsAgent]:
    services = services_of(server)
    agents = cast("RdsCopilot", await services.get("rds")).agents
    made = [await agents.create(form) for form in forms]
    await services.aclose()
    return made


async def all_of(server: SandboxServer) -> tuple[RdsAgent, ...]:
    services = services_of(server)
    found = await cast("RdsCopilot", await services.get("rds")).agents.list()
    await services.aclose()
    return found


@pytest.mark.parametrize("size", SIZES)
async def test_the_vendors_example(server: SandboxServer, tmp_path: Path, size: tuple[int, int]) -> None:
    """Create `copilot-agent` with a tool, update its prompt, find it among 45, talk through it, delete it."""
    await make(server, [AgentForm(f"agent {number:02}", "x") for number in range(44)])
    async with at_agents(server, tmp_path, size) as user:
        await user.open(from_palette=True)
        assert len(user.names) == 44 + 4

        await user.press("n", "enter")
        await user.fill("copilot-agent")
        await user.to("tools")
        await user.press("enter")
        await user.until(lambda: user.app.screen.query(Picker))
        await user.press("slash", *"inst", "enter", "space", "enter")
        await user.until(lambda: user.app.screen is user.screen)
        await user.to("system_prompt")
        await user.press("enter")
        await user.until(lambda: isinstance(user.app.focused, PromptArea))
        await user.type_keys("be brief")
        await user.until(lambda: user.footer == "~ Save sends CreateCustomAgent: name, use tools, tools, system prompt")
        await user.save()
        await user.until(lambda: user.notices_say("Saved: copilot-agent"))
        (made,) = [agent for agent in await all_of(server) if agent.form.name == "copilot-agent"]
        assert made.form == AgentForm("copilot-agent", "be brief", True, ("describe_db_instances",))

        await user.press("escape")
        await user.to("system_prompt")
        await user.press("enter", "end")
        await user.type_keys(" too")
        await user.until(lambda: user.sees("~ system prompt"))
        await user.until(lambda: user.footer == "~ Save sends UpdateCustomAgent: system prompt")
        await user.save()
        await user.until(lambda: user.footer == "As on the service.")
        assert {agent.form.system_prompt for agent in await all_of(server)} == {"x", "be brief too"}

        await user.press("escape", "q")
        await user.until(lambda: user.app.screen is user.chat)
        await user.open()
        await user.press("slash", *"copil", "enter")
        await user.until(lambda: user.names == ["copilot-agent"])
        await user.press("t")
        await user.until(lambda: user.screen.conversation_id and user.app.focused is user.screen.composer)
        await user.type_keys("disk?")
        await user.press("enter")
        conversation = user.screen.conversation_id
        await user.until(lambda: user.app.activity(conversation) is None and user.screen.transcript.turns)
        await user.until(lambda: "copilot-agent" in user.screen.transcript.turns[-1].answer)
        held = user.app.conversation(conversation)
        assert held is not None
        assert held.options["agent"] == made.id
        assert not held.unread

        await user.press("escape", "escape", "escape", "escape", "d")
        await user.until(lambda: user.app.screen is not user.screen)
        await user.press("y")
        await user.until(lambda: user.notices_say("Deleted: copilot-agent"))
        assert len(await all_of(server)) == 44
        assert "copilot-agent" not in {line.name for line in user.app.agents.lines()}


async def test_somebody_else_at_the_same_agent(server: SandboxServer, tmp_path: Path) -> None:
    (made,) = await make(server, [FORM])
    async with at_agents(server, tmp_path, (80, 24)) as user:
        await user.open()
        await user.press("enter")
        await user.to("system_prompt")
        await user.press("enter", "end")
        await user.type_keys(" mine")
        services = services_of(server)
        other = cast("RdsCopilot", await services.get("rds")).agents
        await other.update(made.id, AgentForm("renamed", "theirs"), ["name", "system_prompt"])

        await user.press("ctrl+s")
        await user.until(lambda: isinstance(user.app.screen, ChangesDialog))
        await user.press("y")
        await user.until(lambda: user.sees("Somebody else made these changes"))
        await user.until(lambda: user.sees("Changed on both sides, and here as you have it: system prompt"))
        assert (await other.get(made.id)).form.system_prompt == "theirs"
        await user.press("escape")
        await user.until(lambda: user.app.screen is user.screen)
        await user.until(lambda: user.sees("renamed"))
        assert user.screen.editor.text == "be brief mine"

        await user.save()
        await user.until(lambda: user.footer == "As on the service.")
        assert (await other.get(made.id)).form.system_prompt == "be brief mine"
        await services.aclose()


async def test_what_somebody_else_changed_is_in_the_text_field_that_is_being_written_in(
    server: SandboxServer, tmp_path: Path
) -> None:
    (made,) = await make(server, [FORM])
    async with at_agents(server, tmp_path, (120, 40)) as user:
        await user.open()
        await user.press("enter")
        user.app.agents.change(user.screen.key, "name", "mine")
        await user.to("system_prompt")
        await user.press("enter")
        services = services_of(server)
        other = cast("RdsCopilot", await services.get("rds")).agents
        await other.update(made.id, AgentForm(system_prompt="theirs"), ["system_prompt"])

        await user.press("ctrl+s")
        await user.until(lambda: isinstance(user.app.screen, ChangesDialog))
        await user.press("y")
        await user.until(lambda: user.sees("Somebody else made these changes"))
        await user.press("escape")
        await user.until(lambda: user.app.screen is user.screen)
        assert user.screen.editor.text == "theirs"
        await user.press("end", "2")
        await user.save()
        await user.until(lambda: user.footer == "As on the service.")
        assert (await other.get(made.id)).form == AgentForm("mine", "theirs2", True, FORM.tools)
        await services.aclose()


async def test_errors_stand_at_the_field_and_in_the_footer(server: SandboxServer, tmp_path: Path) -> None:
    async with at_agents(server, tmp_path, (80, 24)) as user:
        await user.open()
        await user.press("n")
        await user.press("ctrl+s")
        await user.until(lambda: user.notices_say("An agent needs a name."))
        await user.until(lambda: user.sees("! name"))
        await user.press("enter")
        await user.fill("a")
        await user.to("system_prompt")
        await user.press("enter", "x")

        control(server, "faults", {"set": ["agent-name-taken"]})
        await user.save()
        await user.until(lambda: user.sees("! name"))
        await user.until(lambda: user.sees("Name a is taken by another agent."))

        control(server, "faults", {"set": ["agent-quota"]})
        await user.press("enter")
        await user.fill("b")
        await user.save()
        await user.until(lambda: user.footer.startswith("! Limit reached: The account may have no more of these"))

        control(server, "faults", {"set": ["no-permission@CreateCustomAgent"]})
        await user.save()
        await user.until(lambda: user.footer.startswith("! Not permitted: The account lacks the RAM permission"))
        await user.until(lambda: "request id" in user.footer)
        assert len(await all_of(server)) == 0

        control(server, "faults", {"set": []})
        await user.save()
        await user.until(lambda: user.footer == "As on the service.")
        assert [agent.form.name for agent in await all_of(server)] == ["b"]


async def test_a_list_that_cannot_be_read(server: SandboxServer, tmp_path: Path) -> None:
    await make(server, [FORM])
    control(server, "faults", {"set": ["no-permission@ListCustomAgent"]})
    async with at_agents(server, tmp_path, (80, 24)) as user:
        user.app.navigate("agents")
        await user.until(lambda: isinstance(user.app.screen, AgentsScreen) and user.screen.loaded)
        await user.until(lambda: user.sees("! RDS Copilot: The account lacks the RAM permission"))
        control(server, "faults", {"set": []})
        await user.press("R")
        await user.until(lambda: "copilot-agent" in user.names)
        assert not user.sees("! RDS Copilot")


async def test_the_life_of_an_agent_of_the_data_agent(server: SandboxServer, tmp_path: Path) -> None:
    async with at_agents(server, tmp_path, (120, 40)) as user:
        await user.open()
        await user.press("N", "enter")
        await user.fill("weekly")
        await user.to("skips")
        await user.press("enter")
        await user.until(lambda: user.app.screen.query(Picker))
        await user.press("space", "j", "space", "enter")
        await user.to("questions")
        await user.press("enter", *"one?", "enter", *"two?", "escape")
        await user.to("instruction")
        await user.press("enter", *"compare")
        await user.save()
        await user.until(lambda: user.notices_say("Saved: weekly"))
        key = user.screen.key
        services = services_of(server)
        agents = cast("DmsDataAgent", await services.get("dms")).agents
        saved = await agents.describe(key.removeprefix("dms:"))
        assert (saved.form.skips, saved.form.questions, saved.status) == (("plan", "sql"), ("one?", "two?"), "NEW")

        await user.press("escape", "r")
        await user.until(lambda: user.sees("Release this agent?"))
        await user.press("y")
        await user.until(lambda: user.notices_say("Released: weekly"))
        await user.press("h", "d")
        await user.until(lambda: user.notices_say("take it offline first"))
        await user.press("O")
        await user.until(lambda: user.sees("Take this agent offline?"))
        await user.press("y")
        await user.until(lambda: user.notices_say("Offline: weekly"))
        await user.press("d")
        await user.until(lambda: user.sees("Delete this agent?"))
        await user.press("y")
        await user.until(lambda: user.notices_say("Deleted: weekly"))
        assert key.removeprefix("dms:") not in {agent.id for agent in await agents.all()}
        await services.aclose()


async def test_an_agent_is_used_in_the_conversation_of_the_chat(server: SandboxServer, tmp_path: Path) -> None:
    (made,) = await make(server, [FORM])
    async with at_agents(server, tmp_path, (120, 40)) as user:
        await user.ask("hello")
        conversation = user.chat.conversation_id
        await user.open()
        await user.press("b")
        await user.until(lambda: user.sees("In “hello”"))
        await user.press("2")
        await user.until(lambda: user.app.screen is user.chat)
        assert user.chat.conversation_id == conversation
        assert user.conversation.options["agent"] == made.id
        await user.until(lambda: "copilot-agent" in user.chat.context_bar.subject)
        turn = await user.ask("how full is the disk?")
        assert "copilot-agent" in turn.answer

        await user.open()
        await user.press("b", "1")
        await user.until(lambda: user.app.screen is user.chat and user.chat.conversation_id != conversation)
        await user.until(lambda: "copilot-agent" in user.chat.context_bar.subject)


async def test_a_draft_of_an_earlier_run_is_compared_with_the_service_first(
    server: SandboxServer, tmp_path: Path
) -> None:
    (made,) = await make(server, [FORM])
    async with at_agents(server, tmp_path, (80, 24)) as user:
        await user.open()
        user.app.agents.change(f"rds:{made.id}", "system_prompt", "mine")
    services = services_of(server)
    await cast("RdsCopilot", await services.get("rds")).agents.update(made.id, AgentForm("renamed"), ["name"])
    await services.aclose()
    async with at_agents(server, tmp_path, (80, 24)) as user:
        await user.open()
        await user.until(lambda: user.notices_say("The agent was changed on the service meanwhile."))
        await user.press("enter")
        await user.until(lambda: user.sees("  name          renamed"))
        await user.until(lambda: user.sees("~ system prompt 4 characters: mine"))
        await user.press("t")
        await user.until(lambda: user.screen.is_tried)


async def test_the_scratch_conversation_waits_and_can_be_begun_anew(server: SandboxServer, tmp_path: Path) -> None:
    await make(server, [FORM, AgentForm("other", "x")])
    async with at_agents(server, tmp_path, (120, 40)) as user:
        await user.open()
        screen = user.screen
        await user.press("t")
        await user.until(lambda: user.app.focused is screen.composer)
        first = screen.conversation_id
        await user.press(*"disk", "enter", *"half", "escape", "escape", "escape")
        await user.until(lambda: not screen.is_tried)
        await user.press("t")
        await user.until(lambda: screen.is_tried and user.app.focused is screen.composer)
        assert (screen.conversation_id, screen.composer.text) == (first, "half")
        await user.until(lambda: screen.transcript.turns and screen.transcript.turns[-1].final)

        await user.press("escape", "escape", "T")
        await user.until(lambda: not screen.transcript.turns and user.app.focused is screen.composer)
        await user.press("ctrl+u", *"lag", "enter")
        await user.until(lambda: screen.transcript.turns and screen.transcript.turns[-1].final)
        assert screen.conversation_id not in ("", first)
        assert "copilot-agent" in screen.transcript.turns[-1].answer
        await user.press(*"rest", "escape", "escape", "escape", "escape", "j", "t")
        await user.until(lambda: screen.is_tried and "other" in str(screen.composer.placeholder))
        assert screen.composer.text == ""
        assert user.app.input_history("rds")[-1] == "rest"


async def test_export_and_import(server: SandboxServer, tmp_path: Path) -> None:
    await make(server, [FORM])
    async with at_agents(server, tmp_path, (80, 24)) as user:
        await user.open()
        await user.press("e")
        await user.until(lambda: user.notices_say("Written to"))
        (path,) = user.app.downloads.glob("copilot-agent*.toml")
        path.write_text(path.read_text().replace("be brief", "be kind"))

        await user.press("i")
        await user.until(lambda: isinstance(user.app.focused, Input))
        user.app.focused.value = str(path)  # type: ignore[union-attr]  # a long path; it is an Input
        await user.press("enter")
        await user.until(lambda: user.sees("As changes of the agent that is there"))
        await user.press("1")
        await user.until(lambda: user.sees("~ system prompt"))
        await user.save()
        assert [agent.form.system_prompt for agent in await all_of(server)] == ["be kind"]

        await user.press("h", "E")
        await user.until(lambda: [*user.app.downloads.glob("agents*.toml")])
        (path,) = user.app.downloads.glob("agents*.toml")
        assert path.read_text().count("[[agent]]") == 5

        await user.press("i")
        await user.until(lambda: isinstance(user.app.focused, Input))
        user.app.focused.value = "/nowhere/x.toml"  # type: ignore[union-attr]
        await user.press("enter")
        await user.until(lambda: user.notices_say("Not read: No such file"))


async def test_details_and_hostile_texts(server: SandboxServer, tmp_path: Path) -> None:
    hostile = "[/] [red]x[/nope] \x1b]52;c;AAAA\x07 \x9b2J \u202e主从"
    (made,) = await make(server, [AgentForm(hostile, hostile, True)])
    async with at_agents(server, tmp_path, (80, 24)) as user:
        await user.open()
        await user.until(lambda: user.sees("[/] [red]x[/nope] ␛]52;c;AAAA␇"))
        assert not any("\x1b" in line or "\u202e" in line for line in user.lines())
        await user.press("v")
        await user.until(lambda: user.sees(made.id))


async def test_the_prompt_in_the_external_editor(server: SandboxServer, tmp_path: Path) -> None:
    await make(server, [FORM])
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nprintf "second line" >> "$1"\n')
    os.chmod(script, 0o700)
    async with at_agents(server, tmp_path, (80, 24)) as user:
        user.app._environ = {**user.app._environ, "EDITOR": str(script), "VISUAL": ""}
        await user.open()
        await user.press("enter")
        await user.to("system_prompt")

        async def edit(text: str, suffix: str = ".md") -> str:
            return f"{text}\nsecond line"

        user.app.edit_externally = edit  # type: ignore[method-assign]  # a test's screen cannot be suspended
        await user.press("e")
        await user.until(lambda: user.screen.editor.text == "be brief\nsecond line")
        await user.until(lambda: user.sees("~ system prompt"))


async def test_a_read_only_profile_changes_nothing(server: SandboxServer, tmp_path: Path) -> None:
    await make(server, [FORM])
    async with at_agents(server, tmp_path, (80, 24)) as user:
        await user.open()
        user.app.context = user.app.context._replace(read_only=True)
        await user.press("d")
        await user.until(lambda: user.notices_say("This profile is read-only"))
        await user.press("c")
        await user.until(lambda: user.screen._pane == "form")
        await user.press("w")
        assert user.app.screen is user.screen
        assert len(await all_of(server)) == 1


async def test_production_wants_the_name_typed(server: SandboxServer, tmp_path: Path) -> None:
    await make(server, [FORM])
    async with at_agents(server, tmp_path, (80, 24)) as user:
        await user.open()
        user.app.context = user.app.context._replace(environment="prod")
        await user.press("d")
        await user.until(lambda: user.sees("Type copilot-agent and press Enter to delete."))
        await user.fill("copilot-agent")
        await user.until(lambda: user.notices_say("Deleted: copilot-agent"))
        assert len(await all_of(server)) == 0


async def test_what_is_typed_survives_leaving_and_is_asked_about_before_it_is_dropped(
    server: SandboxServer, tmp_path: Path
) -> None:
    await make(server, [FORM])
    async with at_agents(server, tmp_path, (120, 40)) as user:
        await user.open()
        await user.press("enter")
        await user.to("system_prompt")
        await user.press("enter", "end", "4", "2", "escape", "escape", "escape")
        await user.until(lambda: user.app.screen is user.chat)
        await user.open()
        await user.until(lambda: user.sees("~R copilot-agent"))
        await user.press("enter", "Z")
        await user.until(lambda: user.sees("Drop the changes?"))
        await user.press("enter")
        await user.until(lambda: user.app.screen is user.screen)
        await user.until(lambda: user.sees("~R copilot-agent"))
        await user.press("Z", "y")
        await user.until(lambda: not user.sees("~R copilot-agent"))
        assert user.screen.editor.text == "be brief"


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_tools_are_described_in_the_language_and_what_writes_stands_out(
    server: SandboxServer, tmp_path: Path, language: str
) -> None:
    await make(server, [AgentForm("a", "x", True, ("kill_session",))])
    async with at_agents(server, tmp_path, (120, 40), language) as user:
        user.app.navigate("agents")
        await user.until(lambda: isinstance(user.app.screen, AgentsScreen) and user.screen.held is not None)
        await user.until(lambda: user.app.agents.known_skills)
        await user.press("enter")
        await user.to("tools")
        await user.until(lambda: user.sees("Ends a session." if language == "en" else "结束会话。"))
        await user.until(lambda: user.sees("writing: 1" if language == "en" else "写工具 1"))
        await user.press("enter")
        await user.until(lambda: user.app.screen.query(Picker))
        row = "reads   Lists the instances" if language == "en" else "读  查询地域下的实例列表"
        await user.until(lambda: user.sees(row))
