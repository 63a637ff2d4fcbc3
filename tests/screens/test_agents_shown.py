"""Which agent the form shows, whatever the list is filtered by; and that a name is no markup."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.screens.test_agents import SIZES, Agents, at_agents, make
from tui.sandbox.server import SandboxServer
from tui.services.rds_agents import AgentForm

TWO = [AgentForm("copilot-a", "one"), AgentForm("copilot-b", "two")]


def is_read(user: Agents, agent_id: str) -> bool:
    return user.screen.key == f"rds:{agent_id}" and user.screen.held is not None and user.screen.held.is_read


async def filtered(user: Agents) -> None:
    await user.open()
    await user.press("slash", *"copil", "enter")
    await user.until(lambda: user.names == ["copilot-a", "copilot-b"])


@pytest.mark.parametrize("key", ["n", "N"])
async def test_a_new_agent_is_in_the_form_though_the_filter_hides_it(
    server: SandboxServer, tmp_path: Path, key: str
) -> None:
    await make(server, TWO)
    async with at_agents(server, tmp_path, (120, 40)) as user:
        await filtered(user)
        await user.press(key)
        assert user.screen.key.startswith("new:")
        await user.press("enter")
        await user.fill("mine")
        assert user.screen.held is not None
        assert (user.screen.held.base, user.screen.held.form.name) == (None, "mine")
        assert [line.name for line in user.app.agents.lines() if line.unsaved] == ["mine"]


async def test_an_agent_that_is_renamed_stays_in_the_form(server: SandboxServer, tmp_path: Path) -> None:
    made, other = await make(server, TWO)
    async with at_agents(server, tmp_path, (120, 40)) as user:
        await filtered(user)
        for key, agent in (("j", other), ("k", made)):  # both have been read
            await user.press(key)
            await user.until(partial(is_read, user, agent.id))
        await user.press("enter")
        await user.to("name")
        await user.press("enter")
        await user.fill("renamed")
        await user.save()
        await user.until(lambda: user.notices_say("Saved: renamed"))
        assert user.screen.key == f"rds:{made.id}"
        assert user.screen.held is not None
        assert user.screen.held.form.name == "renamed"
        assert user.screen.field is not None
        assert user.screen.field.name == "name"


@pytest.mark.parametrize("size", SIZES)
async def test_the_name_of_an_agent_is_no_markup_where_it_is_asked(
    server: SandboxServer, tmp_path: Path, size: tuple[int, int]
) -> None:
    await make(server, [AgentForm("DBA [/]", "x")])
    async with at_agents(server, tmp_path, size) as user:
        await user.open()
        await user.press("t")
        await user.until(lambda: user.app.focused is user.screen.composer and user.sees("ask DBA [/]"))
