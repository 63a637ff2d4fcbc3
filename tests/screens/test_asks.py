"""What the Data Agent asks, answered key by key in the whole app on the sandbox; and that nothing answers by itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult

from screens.uploads import UploadsScreen
from tests.screens.whole import User, using
from tests.turns.desk import control
from tui.models import AskBlock, CodeBlock, FileBlock, PlanStep
from tui.sandbox.server import SandboxServer
from tui.services.upload_checks import check_file
from tui.settings import Settings
from tui.widgets.ask_panel import AskPanel
from tui.widgets.ask_words import seems_to_read

SIZES = [(120, 40), (80, 24)]
WEEKS = "refunds by week"
SQL = "SELECT week, COUNT(*) n\nFROM refunds GROUP BY week"


def dms() -> Settings:
    return Settings(service="dms")


def accepted(server: SandboxServer) -> dict[str, int]:
    return dict(control(server, "state")["accepted"])


def focused(user: User) -> object:
    return user.chat.focused


async def asked(user: User, kind: str) -> AskBlock:
    """Wait until the agent asks for that, and the keys are awake."""
    panel = user.chat.ask_panel
    await user.until(lambda: panel.display and panel.ask is not None and panel.ask.kind == kind and panel.awake)
    assert panel.ask is not None
    return panel.ask


# --- the panel alone, with a clock of its own ------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class PanelApp(App[None]):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.typed = 0.0
        self.answers: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        yield AskPanel(seconds=self.clock, last_key=lambda: self.typed, id="ask")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        import themes

        return themes.variable_defaults()

    def on_ask_panel_answered(self, event: AskPanel.Answered) -> None:
        self.answers.append((event.choice, event.option))

    @property
    def panel(self) -> AskPanel:
        return self.query_one(AskPanel)


def awake(app: PanelApp) -> bool:
    return app.panel.awake


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands still; the panel's timers come at once and find how late it is."""
    clock = Clock()
    made = AskPanel.set_timer

    def at_once(self: AskPanel, _delay: float, callback: Callable[[], Any] | None = None, **options: Any) -> Any:
        return made(self, 0.001, callback, **options)

    monkeypatch.setattr(AskPanel, "set_timer", at_once)
    return clock


async def test_keys_sleep_until_the_panel_has_stood_and_no_key_came(clock: Clock) -> None:
    app = PanelApp(clock)
    async with app.run_test() as pilot:
        app.panel.show(AskBlock("sql", "17", SQL))
        app.panel.focus()
        await pilot.press("y")
        assert app.answers == []
        clock.now += 0.6
        await pilot.press("y")  # too early, and it puts the waking off
        clock.now += 0.6
        await pilot.press("y")
        assert app.answers == []
        clock.now += 0.71
        await pilot.pause(0.05)
        assert awake(app)
        await pilot.press("enter", "space", "escape")
        assert app.answers == []
        await pilot.press("y")
        assert app.answers == [("approve", "")]


async def test_keys_that_went_elsewhere_put_it_off_too(clock: Clock) -> None:
    app = PanelApp(clock)
    async with app.run_test() as pilot:
        app.panel.show(AskBlock("plan", "3", "Run this plan?"), [PlanStep("1", "by week"), PlanStep("2", "by shop")])
        app.typed = clock.now + 0.5
        clock.now += 0.8
        await pilot.pause(0.05)
        assert not awake(app)
        clock.now += 0.5
        await pilot.pause(0.05)
        assert awake(app)
        app.panel.focus()
        await pilot.press("a")  # not offered for a plan
        assert app.answers == []
        await pilot.press("r")
        assert app.answers == [("refuse", "")]


async def test_options_are_answered_by_their_digit(clock: Clock) -> None:
    app = PanelApp(clock)
    async with app.run_test() as pilot:
        app.panel.show(AskBlock("question", "41", "Which?", options=("net", "gross")))
        clock.now += 1
        await pilot.pause(0.05)
        app.panel.focus()
        await pilot.press("3", "2")
        assert app.answers == [("change", "gross")]


async def test_an_approval_of_rds_has_no_keys(clock: Clock) -> None:
    app = PanelApp(clock)
    async with app.run_test() as pilot:
        app.panel.show(AskBlock("approval", "r1", "Restart?"))
        clock.now += 1
        await pilot.pause(0.05)
        app.panel.focus()
        await pilot.press("y", "a", "r", "enter")
        assert app.answers == []


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        (SQL, True),
        ("-- weekly\n(SELECT 1)", True),
        ("WITH a AS (SELECT 1) DELETE FROM t", False),
        ("DELETE FROM t", False),
        ("/* x */ explain select 1", True),
        ("", False),
    ],
)
def test_statements_that_only_read(sql: str, reads: bool) -> None:
    assert seems_to_read(sql) is reads


# --- the whole app ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_plan_statement_and_report(server: SandboxServer, tmp_path: Path, size: tuple[int, int]) -> None:
    async with using(server, tmp_path, size=size, settings=dms()) as user:
        await user.send(WEEKS)
        await asked(user, "plan")
        assert user.sees("by week")
        assert user.sees("run this plan")
        [line] = user.app.summaries()
        assert (line.service, line.state) == ("dms", "waiting")
        await user.until(lambda: user.chat.ask_panel.has_focus)
        await user.press("enter", "space")
        assert accepted(server) == {WEEKS: 1}
        await user.press("y")
        ask = await asked(user, "sql")
        assert user.sees("SELECT")
        assert user.sees("estimate: rows=")
        assert ask.details
        await user.press("a")
        await asked(user, "report")
        assert user.turn.state == "done"
        await user.press("y")
        await user.until(lambda: any(isinstance(b, FileBlock) and ".html" in b.name for b in user.turn.blocks))
        await user.until(lambda: user.app.activity(user.chat.conversation_id) is None)
        assert not user.chat.ask_panel.display
        assert any(isinstance(b, CodeBlock) and b.outputs for b in user.turn.blocks)
        assert sum(accepted(server).values()) == 4
        assert focused(user) is user.chat.composer


async def test_what_was_typed_before_never_answers(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["hold@SendChatMessage=3"]})
    async with using(server, tmp_path, settings=dms()) as user:
        await user.send(WEEKS)
        await user.until(lambda: user.turn.state == "running")
        await user.type("yes and then y")
        control(server, "release", {})
        await asked(user, "plan")
        assert focused(user) is user.chat.composer  # a draft stands there
        await user.press("y", "enter")  # it is sent as a question, which waits
        await user.until(lambda: len(user.conversation.turns) == 2)
        assert user.turn.state == "queued"
        assert accepted(server) == {WEEKS: 1}
        await user.press("escape")
        assert user.chat.ask_panel.has_focus
        await user.press("escape")  # and Esc leaves it pending
        assert focused(user) is user.transcript
        assert user.conversation.turns[0].state == "waiting"


async def test_a_question_is_answered_in_the_composer(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=dms()) as user:
        await user.send("ask")
        await asked(user, "question")
        await user.until(lambda: user.chat.answer_prompt)
        await user.type("north only")
        await user.press("enter")
        await user.until(lambda: user.turn.state == "done")
        assert "north only" in user.turn.answer
        assert len(user.conversation.turns) == 1
        assert accepted(server) == {"ask": 1, "north only": 1}


async def test_change_keeps_the_draft_and_esc_leaves_it(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=dms()) as user:
        await user.send(WEEKS)
        await asked(user, "plan")
        await user.press("c")
        assert focused(user) is user.chat.composer
        await user.type("by region")
        await user.press("escape")
        assert user.chat.ask_panel.has_focus
        assert user.chat.composer.text == "by region"
        await user.until(lambda: user.chat.ask_panel.awake)
        await user.press("c")
        assert user.chat.composer.text == ""
        await user.type("top 3 products")
        await user.press("enter")
        await user.until(lambda: accepted(server).get("top 3 products"))
        assert user.chat.composer.text == "by region"
        await asked(user, "plan")


async def test_refusing_ends_the_run(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=dms()) as user:
        await user.send(WEEKS)
        await asked(user, "plan")
        await user.press("r")
        await user.until(lambda: user.turn.state == "stopped")
        assert not user.chat.ask_panel.display
        assert (await user.ask("echo again")).state == "done"


async def test_an_ask_survives_a_start(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=dms()) as user:
        await user.send(WEEKS)
        await asked(user, "plan")
        conversation_id = user.chat.conversation_id
    async with using(server, tmp_path, settings=dms()) as user:
        user.app.show_conversation(conversation_id)
        await asked(user, "plan")
        await user.until(lambda: user.chat.ask_panel.has_focus)
        await user.press("y")
        await asked(user, "sql")
        assert accepted(server)[WEEKS] == 1
        assert sum(accepted(server).values()) == 2


async def test_a_read_only_profile_agrees_to_reading_only(server: SandboxServer, tmp_path: Path) -> None:
    from tui.settings import ProfileSettings

    settings = Settings(service="dms", profiles={"default": ProfileSettings(environment="prod", read_only=True)})
    async with using(server, tmp_path, settings=settings) as user:
        await user.send(WEEKS)
        await asked(user, "plan")
        await user.press("y")
        await asked(user, "sql")
        await user.press("a")
        await user.until(lambda: any("read-only" in notice for notice in user.notices()))
        assert sum(accepted(server).values()) == 2
        await user.press("y")
        await user.until(lambda: sum(accepted(server).values()) == 3)


async def test_the_service_of_a_new_conversation_is_chosen_by_its_digit(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path) as user:
        await user.press("escape", "2")
        await user.until(lambda: user.sees("Data Agent"))
        assert (await user.ask("echo one")).state == "done"
        first = user.conversation
        await user.press("f8", "escape", "1")
        await user.ask("what is a long transaction?")
        assert (first.service, user.conversation.service) == ("dms", "rds")


async def test_a_suggestion_is_sent_by_its_number(server: SandboxServer, tmp_path: Path) -> None:
    settings = Settings(service="dms")
    async with using(server, tmp_path, settings=settings) as user:
        user.chat.new_options["dms"] = {"mode": "ASK_DATA"}
        await user.ask("orders by week")
        await user.until(lambda: user.sees("You may ask"))
        await user.press("escape", "1")
        await user.until(lambda: len(user.conversation.turns) == 2 and user.turn.state == "done")


@pytest.mark.parametrize("size", SIZES)
async def test_data_is_chosen_when_the_agent_asks_for_it(
    server: SandboxServer, tmp_path: Path, size: tuple[int, int]
) -> None:
    """A file through the panel, a database by its ids; the message that answers carries both."""
    (tmp_path / "orders.csv").write_text("week,shop,n\n2026-05-04,north,8\n2026-05-11,south,29\n", encoding="utf-8")
    async with using(server, tmp_path / "app", size=size, settings=dms()) as user:
        await user.send("datasource")
        await asked(user, "datasource")
        assert not user.sees("use the chosen data")
        transfer = user.app.transfers.upload(check_file(tmp_path / "orders.csv"))
        await user.until(lambda: (held := user.app.transfers.get(transfer)) is not None and held.step == "done")
        await user.press("f")
        await user.until(lambda: isinstance(user.app.screen, UploadsScreen) and user.app.screen.is_mounted)
        await user.press("2")
        await user.until(lambda: user.sees("orders.csv"))
        await user.press("space", "escape")
        await user.until(lambda: user.app.screen is user.chat and user.sees("use the chosen data"))
        await asked(user, "datasource")
        await user.press("d")
        for title, text in (("instance id", "1234"), ("database id", "77"), ("its name", "dw"), ("Tables", "a")):
            await user.until(partial(user.sees, title))
            await user.press(*text, "enter")
        await user.until(lambda: user.app.screen is user.chat)
        await asked(user, "datasource")
        await user.press("y")
        for kind in ("plan", "sql"):
            await asked(user, kind)
            await user.until(lambda: user.chat.ask_panel.has_focus)
            await user.press("a" if kind == "sql" else "y")
        await user.until(lambda: user.turn.state == "done")
        assert any(isinstance(block, CodeBlock) and block.outputs for block in user.turn.blocks)
    [session] = control(server, "state")["dms"]["sessions"]
    first, answer = session["messages"][:2]
    assert (first["kind"], answer["kind"]) == ("primary", "additional")
    kinds = [source["DataSourceType"] for source in session["sources"]]
    assert kinds == ["remote_data_center", "database"]
    assert (session["sources"][1]["DmsInstanceId"], session["sources"][1]["Tables"]) == ("1234", ["a"])
