"""Commands in the composer: listed and filtered while they are typed; what is none goes out unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from screens.help import HelpScreen
from screens.picking import PickDialog
from tests.screens.test_rds_session import SETTINGS, inputs
from tests.screens.whole import User, using
from tests.turns.desk import control
from tui import slash
from tui.models import ToolBlock
from tui.sandbox.server import SandboxServer
from tui.widgets.slash_menu import Entry, SlashMenu

SIZES = [(120, 40), (80, 24)]


def menu(user: User) -> SlashMenu | None:
    found = [*user.chat.query(SlashMenu)]
    return found[0] if found and found[0].is_open else None


def labels(user: User) -> list[str]:
    shown = menu(user)
    return [entry.label for entry in shown._shown] if shown else []


async def told(user: User, text: str) -> None:
    """Wait until the user is told something with this text."""
    await user.until(lambda: any(text in notice for notice in user.notices()))


@pytest.mark.parametrize("size", SIZES)
async def test_a_skill_is_called_by_its_slash_word(
    server: SandboxServer, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with using(server, tmp_path, size=size, settings=SETTINGS) as user:
        await user.press("slash")
        await user.until(lambda: "/slow-sql-review" in labels(user))
        assert labels(user)[0] == "/new"
        await user.press(*"slow")
        await user.until(lambda: labels(user)[:1] == ["/slow-sql-review"])
        await user.press("tab")
        assert user.chat.composer.text == "/slow-sql-review "
        assert menu(user) is None
        await user.press(*"rm-bp1k3", "enter")
        await user.until(lambda: user.chat.conversation_id and user.turn.state == "done")

        assert user.turn.question == "/slow-sql-review rm-bp1k3"
        assert "Skill **slow-sql-review**" in user.turn.answer
        assert "load_skill" in [block.name for block in user.turn.blocks if isinstance(block, ToolBlock)]
        assert "/slow-sql-review rm-bp1k3" in server.state()["accepted"]


async def test_what_is_no_command_is_sent_unchanged(server: SandboxServer, tmp_path: Path) -> None:
    questions = ["/unheard-of thing", "/stop the replication", " /new", "/new\nand more", "$5 a day"]
    async with using(server, tmp_path, settings=SETTINGS) as user:
        for question in questions:
            await user.ask(question)
        assert list(server.state()["accepted"]) == questions


async def test_commands_set_what_goes_with_questions(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.type("/mod")
        await user.until(lambda: labels(user)[:1] == ["/model"])
        await user.press("tab")
        await user.until(lambda: labels(user) == ["qwen-max", "qwen-plus", "glm-sandbox"])
        await user.press("down", "enter")
        await user.until(lambda: user.sees("qwen-plus"))
        for command, said in (
            ("/think off", "Thinking: off."),
            ("/language zh_cn", "Answers are in zh-CN now."),
            ("/tz asia/tokyo", "The time zone is Asia/Tokyo now."),
            ("$approval manual", "Writing tools: manual."),
        ):
            await user.type(command)
            await user.press("enter")
            await told(user, said)
        await user.press("up")
        assert user.chat.composer.text == "$approval manual"
        user.chat.composer.put("")
        await user.ask("echo hello")
        sent = inputs(server)[-1]
        assert sent["ModelId"] == "qwen-plus"
        assert (sent["EnableThinking"], sent["Language"], sent["Timezone"]) == ("false", "zh-CN", "Asia/Tokyo")
        assert sent["ToolApprovalMode"] == "manual"
        assert list(server.state()["accepted"]) == ["echo hello"]


async def test_an_argument_that_names_nothing_is_put_back(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.type("/model quen-max")
        await user.press("enter")
        await user.until(lambda: any("Did you mean qwen-max" in notice for notice in user.notices()))
        assert user.chat.composer.text == "/model quen-max"
        assert not user.chat.options()
        assert "accepted" not in server.state() or not server.state()["accepted"]


async def test_an_agent_is_bound_by_its_name(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        from tui.services.rds_agents import AgentForm

        rds = await user.app._rds_copilot()
        agent = await rds.agents.create(AgentForm("慢SQL专家", "You know slow SQL."))
        await user.type("/agent 慢SQL专家")
        await user.press("enter")
        await user.until(lambda: user.chat.options().get("agent") == agent.id)
        assert user.chat.options()["agent_name"] == "慢SQL专家"
        await user.type("/agent ls")
        await user.press("escape", "enter") if menu(user) else await user.press("enter")
        await user.until(lambda: labels(user) == ["慢SQL专家", "default"])
        user.chat.composer.put("")
        await user.type("/agent default")
        await user.press("enter")
        await user.until(lambda: not user.chat.options())


async def test_skills_are_listed_and_filtered(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.type("/skills")
        await user.press("enter")
        await user.until(lambda: isinstance(user.app.screen, PickDialog))
        assert user.sees("Reviews slow SQL and proposes indexes.")
        await user.press("j", "enter")
        await user.until(lambda: user.chat.composer.text == "/capacity-plan ")


async def test_skills_that_cannot_be_read_are_said(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"set": ["no-permission@ListSkill"]})
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.type("/skills")
        await user.press("escape", "enter")
        await user.until(lambda: any("rdsai:ListSkill" in notice for notice in user.notices()))


async def test_conversations_by_id_help_and_whose(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.ask("echo first")
        first = user.chat.conversation_id
        await user.type("/new")
        await user.press("enter")
        await user.until(lambda: not user.chat.conversation_id)
        await user.ask("echo second")
        await user.type(f"/session {first[-8:]}")
        await user.press("enter")
        await user.until(lambda: user.chat.conversation_id == first)
        await user.type("/session nosuchid")
        await user.press("enter")
        await user.until(lambda: any("0 conversations" in notice for notice in user.notices()))
        user.chat.composer.put("")
        await user.type("/session")
        await user.press("enter")
        await user.until(lambda: user.sees("id on the service"))
        await user.press("escape")
        await user.type("/myid")
        await user.press("enter")
        await user.until(lambda: user.sees("Who speaks here"))
        await user.press("escape")
        await user.type("/help")
        await user.press("enter")
        await user.until(lambda: isinstance(user.app.screen, HelpScreen))


async def test_esc_closes_the_list_only_and_a_paste_runs_nothing(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.press("slash", "n")
        await user.until(lambda: labels(user)[:1] == ["/new"])
        await user.press("escape")
        assert menu(user) is None
        assert user.chat.focused is user.chat.composer
        assert user.chat.composer.text == "/n"
        await user.press("e")
        await user.until(lambda: menu(user))
        await user.press("escape", "escape")
        assert user.chat.focused is not user.chat.composer


async def test_the_data_agent_has_the_commands_that_make_sense_there(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        user.chat.action_new("dms")
        await user.type("/")
        await user.until(lambda: menu(user))
        assert "/new" in labels(user)
        assert not {"/model", "/approval", "/slow-sql-review"} & {*labels(user)}
        assert slash.parse("/model qwen", "dms") is None


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("/new", slash.Typed("new")),
        ("$new  ", slash.Typed("new")),
        ("/agent ls", slash.Typed("agent", "ls")),
        ("/language  zh-CN ", slash.Typed("language", "zh-CN")),
        ("/new one", None),
        ("//new", None),
        ("/NEW", None),
        ("new", None),
        ("", None),
    ],
)
def test_what_is_a_command(text: str, typed: slash.Typed | None) -> None:
    assert slash.parse(text, "rds") == typed


async def test_names_of_the_service_are_no_markup(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.press("slash")
        await user.until(lambda: menu(user))
        shown = menu(user)
        assert shown is not None
        shown.show([Entry("/x ", "/[red]x[/]", "[@click=app.quit]press[/]")], "x")
        await user.until(lambda: user.sees("/[red]x[/]"))
        assert user.sees("[@click=app.quit]press[/]")
