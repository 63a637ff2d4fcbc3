"""An approval round in the app: its calls are shown, decided in the console, and the answer goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from screens.dialogs import ConfirmDialog
from tests.screens.test_rds_session import SETTINGS
from tests.screens.whole import User, using
from tests.turns.desk import control
from tui.models import AskBlock
from tui.sandbox.server import SandboxServer

SIZES = [(120, 40), (80, 24)]


async def waiting(user: User, calls: int = 2) -> None:
    """Ask for something that needs a person, in manual mode, by the keyboard."""
    await user.type("/approval manual")
    await user.press("enter")
    await user.until(lambda: user.notices())
    user.app.clear_notifications()  # they would stand before the panel's keys
    assert user.chat.options().get("approval") == "manual"
    await user.send(f"approve {calls}")
    await user.until(lambda: user.chat.conversation_id and user.turn.state == "waiting")
    await user.until(lambda: user.chat.ask_panel.display)


async def answer(user: User, key: str) -> None:
    """Press a key of the panel, which takes the focus by itself once nobody types."""
    await user.until(lambda: user.chat.ask_panel.awake and user.chat.focused is user.chat.ask_panel)
    await user.press(key)


async def leave(user: User) -> None:
    """Press `x` until it is asked about: a key that comes while the panel sleeps only puts its waking off."""
    panel = user.chat.ask_panel

    def asked() -> bool:
        return isinstance(user.app.screen, ConfirmDialog)

    while not asked():
        await user.until(lambda: asked() or (panel.awake and user.chat.focused is panel))
        await user.press("x")
        await user.pilot.pause()
    await user.until(lambda: user.sees("Go on without these calls?"))


def decide(server: SandboxServer, user: User, *decisions: str) -> None:
    """Press the console's buttons: what no program can do at the real service."""
    ask = next(block for block in user.conversation.turns[0].blocks if isinstance(block, AskBlock))
    for call, decision in zip(ask.calls, decisions, strict=False):
        control(server, f"approvals/{ask.ask_id}", {"call_id": call.call_id, "decision": decision})


@pytest.mark.parametrize("size", SIZES)
async def test_a_round_is_shown_decided_elsewhere_and_the_answer_goes_on(
    server: SandboxServer, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with using(server, tmp_path, size=size, settings=SETTINGS) as user:
        await waiting(user)
        await user.until(lambda: user.sees("2 calls wait for a decision"))
        await user.until(lambda: user.sees("restart_db_instance"))
        assert user.sees("DBInstanceId: rm-sandbox01")
        assert user.sees("in the RDS console; no program can")
        assert user.sees("go on without it")

        decide(server, user, "approved", "rejected")
        await answer(user, "g")  # look now
        await user.until(lambda: len(user.conversation.turns) == 2 and user.turn.state == "done")

        assert not user.chat.ask_panel.display
        assert "modify_parameter" in user.turn.answer
        assert any("the answer goes on" in notice for notice in user.notices())
        assert server.state()["accepted"] == {"approve 2": 1, "Please go on.": 1}
        await user.until(lambda: user.sees("Please go on."))


async def test_y_approves_nothing(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await waiting(user)
        for key in ("y", "a", "enter", "space"):
            await answer(user, key)
        await user.pilot.pause(0.1)
        assert user.turn.state == "waiting"
        assert server.state()["conversations"][0]["status"] == "pending_approval"


async def test_f5_looks_too_and_a_failed_look_is_said(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        control(server, "faults", {"set": ["no-permission@GetMessages"]})
        await waiting(user)
        await user.until(lambda: user.sees("The last look failed"))
        control(server, "faults", {"set": []})
        decide(server, user, "approved", "approved")
        await user.press("f5")
        await user.until(lambda: len(user.conversation.turns) == 2 and user.turn.state == "done")


async def test_one_may_go_on_without_it(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await waiting(user)
        # It takes the focus once, when it wakes; who goes back to writing is left alone.
        await user.until(lambda: user.chat.focused is user.chat.ask_panel)
        user.chat.composer.focus()
        await user.send("echo meanwhile")
        assert user.turn.state == "queued"
        await user.press("escape")
        await leave(user)
        await user.press("enter")  # never agrees
        await user.until(lambda: user.app.screen is user.chat)
        assert user.turn.state == "queued"
        await leave(user)
        await user.press("y")
        await user.until(lambda: user.turn.state == "done")
        assert user.turn.answer == "meanwhile"
        assert control(server, "state")["conversations"][0]["rounds"][0]["calls"]


async def test_a_round_of_the_run_before_is_taken_up_when_its_conversation_is_opened(
    server: SandboxServer, tmp_path: Path
) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await waiting(user)
        known = user.chat.conversation_id
        decide(server, user, "approved", "approved")
    async with using(server, tmp_path, settings=SETTINGS) as user:
        user.app.show_conversation(known)
        await user.until(lambda: (found := user.app.conversation(known)) and len(found.turns) == 2)
        await user.until(lambda: user.turn.state == "done")
        assert server.state()["accepted"]["Please go on."] == 1


async def test_on_the_sandbox_of_its_own_the_console_is_played_by_a_question(tmp_path: Path) -> None:
    async with using(None, tmp_path, settings=SETTINGS) as user:
        await waiting(user)
        known = user.chat.conversation_id
        await user.until(lambda: user.sees("console approve"))
        user.chat.action_new("rds")
        await user.ask("console approve")
        assert "2 calls were approved" in user.turn.answer
        await user.until(lambda: (found := user.app.conversation(known)) and len(found.turns) == 2)
        await user.until(lambda: (found := user.app.conversation(known)) and found.turns[-1].state == "done")
        assert any("the answer goes on" in notice for notice in user.notices())
