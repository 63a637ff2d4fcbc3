"""Health reports on screen: ordered, followed, read instance by instance; schedules made, changed, deleted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from screens.health import HealthScreen
from screens.health_forms import InspectionForm, ScheduleForm
from tests.screens.test_rds_session import SETTINGS
from tests.screens.whole import User, using
from tests.turns.desk import control
from tui.sandbox.server import SandboxServer
from tui.services.rds_reports import Inspection
from tui.settings import ProfileSettings, Settings

LEVELS = re.compile(r"\d+ (error|warning|not checked|normal)")
SIZES = [(120, 40), (80, 24)]


def screen(user: User) -> HealthScreen:
    assert isinstance(user.app.screen, HealthScreen)
    return user.app.screen


async def opened(user: User) -> None:
    """By its slash command."""
    await user.type("/health")
    await user.press("enter")
    await user.until(lambda: isinstance(user.app.screen, HealthScreen))
    await user.until(lambda: not user.sees("Loading …"))


async def at(user: User, name: str) -> None:
    """Go to a line of a form."""
    form = user.app.screen
    assert isinstance(form, (InspectionForm, ScheduleForm))
    for _step in range(12):
        if form._highlighted == name:
            return
        await user.press("j")
    raise AssertionError(name)


async def inspect(user: User, instances: str) -> None:
    await user.press("i")
    await user.until(lambda: isinstance(user.app.screen, InspectionForm))
    await at(user, "instances")
    await user.press("enter")
    await user.until(lambda: user.sees("Ids with spaces"))
    await user.press(*instances)
    await user.press("enter")
    await user.until(lambda: isinstance(user.app.screen, InspectionForm))
    await user.press("w")
    await user.until(lambda: isinstance(user.app.screen, HealthScreen))


@pytest.mark.parametrize("size", SIZES)
async def test_a_report_is_ordered_followed_and_read(
    server: SandboxServer, tmp_path: Path, size: tuple[int, int]
) -> None:
    control(server, "faults", {"set": ["inspection-seconds=3600"]})
    async with using(server, tmp_path, size=size, settings=SETTINGS) as user:
        await opened(user)
        assert user.sees("No report in this time")
        await inspect(user, "rm-sandbox01,pgm-sandbox03")
        await user.until(lambda: user.sees("being made"))
        control(server, "clock", {"advance": 3601})
        await user.until(lambda: any("is ready" in notice for notice in user.notices()))
        await user.until(lambda: any(LEVELS.search(line) for line in user.lines()))
        assert not user.sees("being made")

        await user.press("1", "enter")
        await user.until(lambda: user.sees("pgm-sandbox03"))
        await user.until(lambda: user.sees("All instances"))
        assert user.sees("rm-sandbox01")
        await user.press("enter")
        await user.until(lambda: user.sees("Health report of"))
        assert screen(user).focused is screen(user).transcript
        await user.press("escape", "escape")
        assert screen(user).focused is screen(user).report_list
        await user.press("escape")
        await user.until(lambda: not isinstance(user.app.screen, HealthScreen))
        assert server.state()["received"]["CreateInspectionTask"] == 1


async def test_a_report_of_one_instance_opens_its_text(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        task = await user.app.health.inspect(Inspection(("rm-sandbox01",), language="zh-CN"))
        await user.until(lambda: task not in user.app.health.followed)
        await opened(user)
        await user.press("enter")
        await user.until(lambda: user.sees("订单库 orders-main · MySQL"))
        await user.press("g")  # its length varies with the hour: it may stand at its end
        await user.until(lambda: user.sees("rm-sandbox01 巡检报告"))
        await user.press("slash", *"sandbox", "enter")
        await user.until(lambda: user.sees(" of "))
        assert screen(user).focused is screen(user).transcript
        await user.press("plus", "r")  # nothing to rate or ask again here
        await user.press("l")
        await user.until(lambda: any("wide table" in notice for notice in user.notices()))
        await user.press("v")  # no terminal is there to be given away, but it was asked for
        await user.until(lambda: any("cannot be given away" in notice for notice in user.notices()))
        await user.press("escape")
        assert not screen(user).find_bar.display
        await user.press("y")
        await user.until(lambda: any(notice.startswith("the report") for notice in user.notices()))


async def test_a_schedule_is_made_changed_and_deleted(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await opened(user)
        await user.press("s")
        await user.until(lambda: isinstance(user.app.screen, ScheduleForm))
        await user.press("w")
        await user.until(lambda: any("needs a name" in notice for notice in user.notices()))
        await user.press("enter")
        await user.press(*"nightly", "enter")
        await at(user, "instances")
        await user.press("enter")
        await user.press(*"all", "enter")
        await at(user, "start")
        await user.press("enter")
        await user.press(*["backspace"] * 5, *"03:30", "enter")
        await user.until(lambda: user.sees("03:30"))
        await user.press("w")
        await user.until(lambda: user.sees("every day 03:30"))
        (made,) = control(server, "state")["inspections"]["schedules"].values()
        assert (made["name"], made["start"], made["frequency"]) == ("nightly", "03:30:00Z", "DAILY")
        assert len(made["instances"]) == 3

        await user.press("2", "e")
        await user.until(lambda: isinstance(user.app.screen, ScheduleForm))
        assert user.sees("rm-sandbox01 rm-sandbox02 pgm-sandbox03")
        await at(user, "days")
        await user.press("enter")
        await user.until(lambda: user.sees("Tuesday"))
        await user.press("x", "space", "enter")  # none, then Monday
        await user.until(lambda: isinstance(user.app.screen, ScheduleForm))
        await at(user, "hours")
        await user.press("enter", "6")
        await user.until(lambda: user.sees("from 1 to 168"))
        await user.press("backspace", "backspace", *"999", "enter")
        await user.until(lambda: any("From 1 to 168" in notice for notice in user.notices()))
        await user.press("w")
        await user.until(lambda: user.sees("Monday 03:30"))

        control(server, "clock", {"advance": 8 * 86_400})
        await user.press("R")
        await user.until(lambda: user.sees("by schedule"))
        await user.press("2", "d")
        await user.until(lambda: user.sees("Delete the schedule “nightly”?"))
        await user.press("enter")
        await user.until(lambda: isinstance(user.app.screen, HealthScreen))
        assert control(server, "state")["inspections"]["schedules"]
        await user.press("d")
        await user.until(lambda: user.sees("Delete the schedule “nightly”?"))
        await user.press("y")
        await user.until(lambda: user.sees("None; s makes one."))
        assert not control(server, "state")["inspections"]["schedules"]


async def test_what_the_service_refuses_stands_where_the_reports_would(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"set": ["user-order-invalid"]})
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await opened(user)
        await user.until(lambda: user.sees("No valid order"))
        control(server, "faults", {"set": []})
        await user.press("R")
        await user.until(lambda: user.sees("No report in this time"))
        control(server, "faults", {"set": ["permission-denied@CreateInspectionTask"]})
        await inspect(user, "all")
        await user.until(lambda: any("PermissionDenied" in n or "right" in n.lower() for n in user.notices()))
        assert not user.app.health.followed


async def test_reports_are_shown_where_schedules_cannot_be_read(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"set": ["permission-denied@ListScheduledTasks"]})
    async with using(server, tmp_path, settings=SETTINGS) as user:
        task = await user.app.health.inspect(Inspection(("rm-sandbox01",)))
        await user.until(lambda: task not in user.app.health.followed)
        await opened(user)
        await user.until(lambda: user.sees("Not permitted") or user.sees("right"))
        assert any(LEVELS.search(line) for line in user.lines())


async def test_a_failed_inspection_is_said(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"once": ["inspection-fails"]})
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await opened(user)
        await inspect(user, "rm-sandbox02")
        await user.until(lambda: any("of rm-sandbox02 failed" in notice for notice in user.notices()))
        await user.until(lambda: user.sees("failed"))
        await user.press("1", "enter")
        await user.until(lambda: user.sees("the service has no report"))


async def test_words_that_nobody_published_and_a_list_that_lags(server: SandboxServer, tmp_path: Path) -> None:
    control(server, "faults", {"set": ["inspection-words=巡检中/已生成/异常", "late-reports"]})
    async with using(server, tmp_path, settings=SETTINGS) as user:
        task = await user.app.health.inspect(Inspection(("rm-sandbox01",)))
        await user.until(lambda: task not in user.app.health.followed)
        assert any("is ready" in notice for notice in user.notices())
        control(server, "faults", {"set": ["inspection-words=巡检中/已生成/异常"]})
        await opened(user)
        await user.until(lambda: user.sees("? "))
        await user.press("enter")
        await user.until(lambda: user.sees("rm-sandbox01"))


async def test_a_read_only_profile_orders_nothing(server: SandboxServer, tmp_path: Path) -> None:
    locked = Settings(theme="dark", language="en", notify="off", profiles={"default": ProfileSettings(read_only=True)})
    async with using(server, tmp_path, settings=locked) as user:
        await opened(user)
        await user.press("i", "s")
        await user.until(lambda: any("nothing is ordered" in notice for notice in user.notices()))
        assert isinstance(user.app.screen, HealthScreen)


async def test_the_instances_of_the_conversation_are_offered(server: SandboxServer, tmp_path: Path) -> None:
    async with using(server, tmp_path, settings=SETTINGS) as user:
        await user.ask("why did replication lag rise on rm-bp1k3xyz01?")
        await user.until(lambda: user.conversation.tags)
        await opened(user)
        await user.press("i")
        await user.until(lambda: user.sees("rm-bp1k3xyz01"))
