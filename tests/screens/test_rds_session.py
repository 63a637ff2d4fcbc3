"""The settings of an RDS conversation: chosen with keys, shown, sent with each question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from screens.dialogs import ChooseDialog
from screens.picking import PickDialog
from screens.rds_session import RdsSessionScreen
from tests.screens.whole import User, using
from tests.turns.desk import control
from tui.sandbox.server import SandboxServer
from tui.settings import ProfileSettings, Settings

SETTINGS = Settings(theme="dark", language="en", notify="off")


def inputs(server: SandboxServer) -> list[dict[str, Any]]:
    """The Inputs of each question that the sandbox took in."""
    return [taken for one in control(server, "state")["conversations"] for taken in one["inputs"]]


async def row(user: User, name: str) -> None:
    """Go to a line of the settings."""
    screen = user.app.screen
    assert isinstance(screen, RdsSessionScreen)
    choices = screen.query_one("#settings")
    for _step in range(10):
        if screen._highlighted == name:
            return
        await user.press("j")
    raise AssertionError(f"{choices} has no line {name}")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_model_and_thinking_are_chosen_shown_and_sent(
    server: SandboxServer, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with using(server, tmp_path, size=size, settings=SETTINGS) as user:
        await user.press("f7")
        await user.until(lambda: user.sees("qwen-max (the default)"))
        assert user.sees("What writing tools may do sticks")
        await user.press("enter")
        await user.until(lambda: isinstance(user.app.screen, ChooseDialog))
        assert user.sees("text, vision · 1000K context")
        await user.press("2")  # the default itself, by its name
        await user.until(lambda: isinstance(user.app.screen, RdsSessionScreen))
        await row(user, "thinking")
        await user.press("enter", "2")
        await row(user, "effort")
        await user.press("enter")
        await user.until(lambda: isinstance(user.app.screen, ChooseDialog))
        await user.press("4")
        await row(user, "approval")
        await user.press("enter", "3")
        await user.until(lambda: user.sees("manual: each writing tool"))
        await user.press("w")

        shown = "qwen-max · thinking high · approvals" if size[0] > 80 else "qwen-max · think"  # cut where it is narrow
        await user.until(lambda: user.sees(shown))
        await user.ask("echo hello")
        sent = inputs(server)[-1]
        assert (sent["ModelId"], sent["EnableThinking"], sent["ThinkEffort"]) == ("qwen-max", "true", "high")
        assert sent["ToolApprovalMode"] == "manual"

        await user.press("f7")
        await user.until(lambda: user.sees("depth of thinking   high"))
        await user.press("enter")
        await user.until(lambda: isinstance(user.app.screen, ChooseDialog))
        await user.press("4")  # a model whose thinking has no depth
        await user.until(lambda: user.sees("this model's thinking has no depth"))
        await row(user, "approval")
        await user.press("x")
        await user.until(lambda: any("was sent already" in notice for notice in user.notices()))
        await user.press("w")
        await user.until(lambda: not isinstance(user.app.screen, RdsSessionScreen))
        await user.ask("echo again")
        sent = inputs(server)[-1]
        assert sent["ModelId"] == "glm-sandbox"
        assert "ThinkEffort" not in sent
        assert user.conversation.options == {"model": "glm-sandbox", "thinking": "true", "approval": "manual"}


async def test_language_zone_region_and_agent(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        rds = await user.app._rds_copilot()
        from tui.services.rds_agents import AgentForm

        agent = await rds.agents.create(AgentForm("slow-sql-expert", "You know slow SQL."))
        await user.press("f7")
        await user.until(lambda: user.sees("qwen-max (the default)"))
        assert user.sees("English (as everywhere)")
        await row(user, "language")
        await user.press("enter", "5")
        await row(user, "timezone")
        await user.press("enter")
        await user.until(lambda: isinstance(user.app.screen, PickDialog))
        await user.press("slash", *"asia/tok", "enter", "enter")
        await user.until(lambda: user.sees("Asia/Tokyo"))
        await row(user, "region")
        await user.press("enter", "0", "9")  # 09
        await user.until(lambda: isinstance(user.app.screen, ChooseDialog) or user.sees("region              "))
        if isinstance(user.app.screen, ChooseDialog):
            await user.press("enter")
        await row(user, "agent")
        await user.press("enter")
        await user.until(lambda: isinstance(user.app.screen, PickDialog))
        await user.press("j", "enter")
        await user.until(lambda: user.sees("slow-sql-expert"))
        await user.press("w")
        await user.until(lambda: not isinstance(user.app.screen, RdsSessionScreen))
        assert user.sees("agent: slow-sql-expert")
        await user.ask("echo hello")

        sent = inputs(server)[-1]
        assert (sent["Language"], sent["Timezone"], sent["CustomAgentId"]) == ("ja-JP", "Asia/Tokyo", agent.id)
        assert user.sees("ja-JP")


async def test_esc_changes_nothing(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.press("f7")
        await user.until(lambda: user.sees("qwen-max (the default)"))
        await user.press("enter", "3")
        await user.until(lambda: isinstance(user.app.screen, RdsSessionScreen))
        await user.press("escape")
        await user.until(lambda: not isinstance(user.app.screen, RdsSessionScreen))
        assert not user.chat.options()


async def test_models_that_cannot_be_read_are_said(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"set": ["no-permission@GetChatModel"]})
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.press("f7")
        await user.until(lambda: any("rdsai:GetChatModel" in notice for notice in user.notices()))
        assert user.sees("the default")


async def test_a_read_only_profile_refuses_writing_tools(server: SandboxServer, tmp_path: Path) -> None:
    locked = Settings(theme="dark", language="en", notify="off", profiles={"default": ProfileSettings(read_only=True)})
    async with using(server, tmp_path, settings=locked) as user:
        await user.press("f7")
        await user.until(lambda: user.sees("read only: the profile is"))
        await row(user, "approval")
        await user.press("enter")
        await user.until(lambda: any("writing tools are refused" in notice for notice in user.notices()))
        await user.press("escape")
        await user.chat.set_options({"approval": "auto"})
        await user.ask("echo hello")
        assert inputs(server)[-1]["ToolApprovalMode"] == "read_only"


async def test_no_person_asked_on_production_is_typed(server: SandboxServer, tmp_path: Path) -> None:
    prod = Settings(
        theme="dark", language="en", notify="off", profiles={"default": ProfileSettings(environment="prod")}
    )
    async with using(server, tmp_path, settings=prod) as user:
        for typed, kept in (("nope", ""), ("prod", "auto")):
            await user.press("f7")
            await user.until(lambda: user.sees("qwen-max (the default)"))
            await row(user, "approval")
            await user.press("enter", "4")
            await user.until(lambda: user.sees("Writing tools without a person?"))
            await user.press(*typed, "enter")
            if not kept:
                await user.press("escape")
            await user.until(lambda: isinstance(user.app.screen, RdsSessionScreen))
            await user.press("w")
            await user.until(lambda: not isinstance(user.app.screen, RdsSessionScreen))
            assert user.chat.options().get("approval", "") == kept
