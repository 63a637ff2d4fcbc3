"""Health reports that are ordered: followed to their end, whoever waits for the order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from tui.health import Health, HealthHooks
from tui.models import Problem
from tui.sandbox.server import SandboxServer
from tui.services.rds import RdsCopilot
from tui.services.rds_inspections import RdsInspections
from tui.services.rds_reports import Inspection

ORDER = Inspection(("rm-sandbox01",))


async def until(ready: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not ready():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)


async def test_an_order_goes_on_when_its_screen_is_left(rds: RdsCopilot, sandbox: SandboxServer) -> None:
    said: list[str] = []
    failures: list[Problem] = []
    following: list[asyncio.Task[None]] = []

    async def inspections() -> RdsInspections:
        return rds.inspections

    hooks = HealthHooks(
        inspections=inspections,
        spawn=lambda name, work: following.append(asyncio.create_task(work, name=name)),
        changed=lambda: None,
        say=said.append,
        now=lambda: datetime.now(UTC),
        failed=failures.append,
        pauses=(0.0,),
    )
    health = Health(hooks)

    async def order_and_leave() -> None:
        ordering = asyncio.create_task(health.inspect(ORDER))
        await asyncio.sleep(0)
        ordering.cancel()

    await order_and_leave()
    await until(lambda: said)
    await asyncio.gather(*following)
    assert "rm-sandbox01 is ready" in said[0]
    assert len(await rds.inspections.reports()) == 1

    sandbox.fault_once("no-permission@CreateInspectionTask")
    await order_and_leave()
    await until(lambda: failures)
    assert failures[0].code == "Forbidden.RAM"
    assert not health.followed
