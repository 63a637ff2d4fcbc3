"""The official client is the referee of our requests: the same parameters, and a signature that it would compute."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from alibabacloud_rdsai20250507.client import Client

from tests.referee.rds_tables import AGENTS, FORM, INSPECTIONS, TURNS
from tests.referee.recording import Captured, Recorder, recording
from tests.referee.rpc_calls import WAYS, assert_all_are_compared, assert_same, assert_signed, official, our_rpc
from tui.services.errors import ProtocolError
from tui.services.rds import RDS_AI, RdsCopilot
from tui.services.rds_agents import AgentForm

CASES = {
    f"{part}: {name}": case
    for part, table in (("turns", TURNS), ("agents", AGENTS), ("inspections", INSPECTIONS))
    for name, case in table.items()
}


def _success(captured: Captured) -> tuple[int, str, bytes]:
    """What both clients take for success."""
    if captured.action == "ChatMessages":
        return 200, "text/event-stream", b'data:{"Event":"workflow_finished"}\n\n'
    return 200, "application/json", b'{"RequestId":"R","Data":[]}'


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording(_success) as found:
        yield found


@asynccontextmanager
async def our_client(recorder: Recorder, token: str = "") -> AsyncIterator[RdsCopilot]:
    service = RdsCopilot(our_rpc(recorder, RDS_AI, token))
    try:
        with suppress(ProtocolError):  # the recorder names nothing that was made
            yield service
    finally:
        await service.aclose()


@pytest.mark.parametrize(("token", "asynchronous"), WAYS, ids=["key", "sts"])
@pytest.mark.parametrize("name", CASES)
async def test_our_request_is_the_official_clients(
    name: str, token: str, asynchronous: bool, recorder: Recorder
) -> None:
    """But for booleans: the Python client writes `True`, all others write `true`, as ours does."""
    ours_acts, method, request = CASES[name]
    theirs = await official(recorder, Client, method, request, token, asynchronous=asynchronous)
    async with our_client(recorder, token) as service:
        await ours_acts(service)

    assert len(recorder.requests) == 2
    ours = recorder.requests[-1]
    assert_same(ours, theirs)
    assert ours.query == {
        parameter: value.lower() if value in ("True", "False") else value for parameter, value in theirs.query.items()
    }
    assert_signed(ours)


async def test_lists_are_one_parameter_each(recorder: Recorder) -> None:
    async with our_client(recorder) as service:
        await service.agents.create(FORM)
        await service.agents.update("agent-1", AgentForm(), ["tools", "skill_ids"])

    filled, emptied = recorder.requests
    assert filled.query["Tools"] == '["describe_db_instances","describe_backups"]'
    assert filled.query["SkillIds"] == '["s-1","技能"]'
    assert emptied.target == "/?CustomAgentId=agent-1&SkillIds=%5B%5D&Tools=%5B%5D"


def test_every_operation_that_we_use_is_refereed() -> None:
    assert_all_are_compared(Client, "rds*.py", (method for _ours, method, _request in CASES.values()))
