"""The desk of custom agents on a real sandbox: drafts, saving, somebody else at the same agent, lost answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import cast

import pytest

from tests.turns.desk import control, services_of
from tui.agents.desk import AgentHooks, Agents
from tui.agents.editing import AgentChanged, AgentGone
from tui.agents.fields import AgentService
from tui.cache.edits import EditFiles
from tui.models import Problem
from tui.sandbox.server import SandboxServer
from tui.services.dms import DmsDataAgent
from tui.services.dms_agents import CustomAgent, DmsAgentForm
from tui.services.errors import ServiceError
from tui.services.rds import RdsCopilot
from tui.services.rds_agents import AgentField, AgentForm, RdsAgent
from tui.services.registry import Services

FORM = AgentForm("copilot-agent", "be brief", True, ("describe_db_instances",), ("skill-sandbox-1",))


class Desk:
    """An account's agents, and the services that somebody else uses too."""

    def __init__(self, services: Services, folder: Path | None = None) -> None:
        self.services = services
        self.folder = folder
        self.failures: list[Problem] = []
        self.agents = self.again()

    def again(self, account: str = "me") -> Agents:
        """The desk of another start of the program."""
        hooks = AgentHooks(self.rds, self.dms, lambda: "en-US", self.failures.append)
        return Agents(hooks, EditFiles(self.folder, lambda: account, ".toml"))

    async def rds(self) -> RdsCopilot:
        return cast("RdsCopilot", await self.services.get("rds"))

    async def dms(self) -> DmsDataAgent:
        return cast("DmsDataAgent", await self.services.get("dms"))

    async def made(self, form: AgentForm = FORM) -> str:
        """The key of a saved agent, opened."""
        agent = await (await self.rds()).agents.create(form)
        return (await self.agents.open(f"rds:{agent.id}")).key


@pytest.fixture
async def desk(server: SandboxServer, tmp_path: Path) -> AsyncIterator[Desk]:
    services = services_of(server)
    yield Desk(services, tmp_path / "agents")
    await services.aclose()


def faults(server: SandboxServer, *switches: str) -> None:
    control(server, "faults", {"set": [*switches]})


async def test_the_list_has_both_services_by_name(desk: Desk) -> None:
    for name in ("zebra", "Ant"):
        await desk.made(AgentForm(name, "x"))
    draft = desk.agents.begin("dms", DmsAgentForm("my new one"))

    await desk.agents.load()

    lines = desk.agents.lines()
    assert [(line.service, line.name) for line in lines] == [
        ("dms", "my new one"),
        ("rds", "Ant"),
        ("rds", "zebra"),
        ("dms", "Data Agent"),
        ("dms", "Inventory (draft)"),
        ("dms", "Weekly sales review"),
        ("dms", "退款分析"),
    ]
    assert (lines[0].key, lines[0].is_new, lines[0].unsaved) == (draft.key, True, True)
    assert lines[-1].status == "RELEASED"


async def test_one_service_that_fails_does_not_hide_the_other(desk: Desk, server: SandboxServer) -> None:
    await desk.made()
    control(server, "faults", {"set": ["business-error@ListCustomAgent"]})

    await desk.agents.load()

    assert [line.name for line in desk.agents.lines()] == ["copilot-agent"]
    assert list(desk.agents.problems) == ["dms"]
    faults(server)
    await desk.agents.load()
    assert desk.agents.problems == {}


async def test_a_new_agent_is_saved_and_opened_under_its_id(desk: Desk) -> None:
    draft = desk.agents.begin("rds")
    for name, value in (("name", "copilot-agent"), ("system_prompt", "be brief"), ("tools", FORM.tools)):
        desk.agents.change(draft.key, name, value)

    saved = await desk.agents.save(draft.key)

    assert saved.key == f"rds:{saved.agent_id}"
    assert (saved.unsaved, saved.form) == (False, AgentForm("copilot-agent", "be brief", True, FORM.tools))
    assert desk.agents.draft(draft.key) is saved
    assert [line.key for line in desk.agents.lines()] == [saved.key]


@pytest.mark.parametrize(
    "switches",
    [
        ("numeric-agent-id", "tools-string", "enable-tools-string"),
        ("numeric-agent-id@ListCustomAgent", "tools-string@GetCustomAgent", "total-count"),
        ("numeric-agent-id@GetCustomAgent", "enable-tools-string@ListCustomAgent"),
    ],
)
async def test_answers_in_odd_forms(desk: Desk, server: SandboxServer, switches: tuple[str, ...]) -> None:
    await (await desk.rds()).agents.create(FORM)
    faults(server, *switches)
    await desk.agents.load()
    (key,) = [line.key for line in desk.agents.lines() if line.service == "rds"]
    assert (await desk.agents.open(key)).form == FORM
    desk.agents.change(key, "enable_tools", False)
    desk.agents.change(key, "tools", ())

    saved = await desk.agents.save(key)

    assert (saved.key, saved.unsaved) == (key, False)
    assert [line.key for line in desk.agents.lines() if line.service == "rds"] == [key]
    assert (await desk.agents.open(key)).form == AgentForm(FORM.name, FORM.system_prompt, False, (), FORM.skill_ids)
    await desk.agents.delete(key)
    assert [line for line in desk.agents.lines() if line.service == "rds"] == []


async def test_what_is_made_while_the_list_is_read_stays_in_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    key = await desk.made(AgentForm("gone", "x"))
    rds = await desk.rds()
    read, is_made = rds.agents.list, asyncio.Event()

    async def slow() -> tuple[RdsAgent, ...]:
        found = await read()
        await is_made.wait()
        return found[:0]

    monkeypatch.setattr(rds.agents, "list", slow)
    loading = asyncio.create_task(desk.agents.load())
    saved = await desk.agents.save(desk.agents.begin("rds", FORM).key)
    is_made.set()
    await loading

    keys = [line.key for line in desk.agents.lines()]
    assert saved.key in keys
    assert key not in keys


async def test_an_update_sends_what_changed_alone(desk: Desk, server: SandboxServer) -> None:
    key = await desk.made()
    desk.agents.change(key, "system_prompt", "new prompt")
    assert [(change.field, change.old, change.new) for change in desk.agents.changes(key)] == [
        ("system prompt", "be brief", "new prompt")
    ]

    saved = await desk.agents.save(key)

    assert saved.form == AgentForm(FORM.name, "new prompt", True, FORM.tools, FORM.skill_ids)
    assert not saved.unsaved


async def test_the_life_of_an_agent_of_the_data_agent(desk: Desk) -> None:
    draft = desk.agents.begin("dms", DmsAgentForm("周报", instruction="先看总体。"))
    key = (await desk.agents.save(draft.key)).key
    await desk.agents.operate(key, "RELEASE")
    assert [line.status for line in desk.agents.lines() if line.key == key] == ["RELEASED"]
    with pytest.raises(ServiceError):
        await desk.agents.delete(key)

    await desk.agents.operate(key, "OFFLINE")
    await desk.agents.delete(key)
    assert key not in {line.key for line in desk.agents.lines()}


# --- somebody else ---------------------------------------------------------------------------------------------


async def test_what_somebody_else_changed_is_shown_and_not_overwritten(desk: Desk) -> None:
    key = await desk.made()
    other = await desk.rds()
    theirs = AgentForm("renamed", "their prompt", True, FORM.tools, FORM.skill_ids)
    await other.agents.update(key.removeprefix("rds:"), theirs, ["name", "system_prompt"])
    desk.agents.change(key, "system_prompt", "my prompt")
    desk.agents.change(key, "enable_tools", False)

    with pytest.raises(AgentChanged) as met:
        await desk.agents.save(key)

    assert [(change.field, change.new) for change in met.value.theirs] == [
        ("name", "renamed"),
        ("system prompt", "their prompt"),
    ]
    assert met.value.both == ("system prompt",)
    assert (await other.agents.get(key.removeprefix("rds:"))).form == theirs
    draft = desk.agents.draft(key)
    assert draft is not None
    assert draft.form == AgentForm("renamed", "my prompt", False, FORM.tools, FORM.skill_ids)
    assert draft.changed == ("system_prompt", "enable_tools")

    await desk.agents.save(key)
    assert (await other.agents.get(key.removeprefix("rds:"))).form == draft.form


async def test_an_agent_that_somebody_else_deleted_becomes_a_new_one(desk: Desk) -> None:
    key = await desk.made()
    desk.agents.change(key, "system_prompt", "my long work")
    await (await desk.rds()).agents.delete(key.removeprefix("rds:"))

    with pytest.raises(AgentGone):
        await desk.agents.save(key)

    (line,) = [line for line in desk.agents.lines() if line.service == "rds"]
    assert line.is_new
    saved = await desk.agents.save(line.key)
    assert saved.form.name == FORM.name
    assert isinstance(saved.form, AgentForm)
    assert saved.form.system_prompt == "my long work"


async def test_an_unreachable_service_does_not_make_an_agent_gone(desk: Desk, server: SandboxServer) -> None:
    key = await desk.made()
    desk.agents.change(key, "system_prompt", "my long work")
    faults(server, "invalid-parameter@GetCustomAgent", "http-500@ListCustomAgent")

    with pytest.raises(ServiceError):
        await desk.agents.save(key)

    assert desk.agents.draft(key) is not None


# --- lost answers ----------------------------------------------------------------------------------------------


async def test_a_creation_whose_answer_is_lost_is_found_and_not_sent_again(desk: Desk, server: SandboxServer) -> None:
    await desk.made(AgentForm("copilot-agent", "another of that name"))
    draft = desk.agents.begin("rds", FORM)
    await desk.agents.load()
    faults(server, "drop-after-accept@CreateCustomAgent")

    saved = await desk.agents.save(draft.key)

    assert saved.form == FORM
    assert len(await (await desk.rds()).agents.list()) == 2


async def test_a_creation_that_never_arrived_is_not_found(desk: Desk, server: SandboxServer) -> None:
    draft = desk.agents.begin("rds", FORM)
    faults(server, "drop-before-accept@CreateCustomAgent")

    with pytest.raises(ServiceError):
        await desk.agents.save(draft.key)

    assert desk.agents.draft(draft.key) is draft
    assert await (await desk.rds()).agents.list() == ()


async def test_somebody_elses_agent_of_the_same_name_is_not_taken_for_the_one_that_was_made(
    desk: Desk, server: SandboxServer
) -> None:
    await (await desk.rds()).agents.create(AgentForm(FORM.name, "theirs"))
    draft = desk.agents.begin("rds", FORM)
    faults(server, "drop-before-accept@CreateCustomAgent")

    with pytest.raises(ServiceError):
        await desk.agents.save(draft.key)

    assert desk.agents.draft(draft.key) is draft


@pytest.mark.parametrize("service", ["rds", "dms"])
async def test_a_creation_that_cannot_be_read_back_was_made_all_the_same(
    desk: Desk, server: SandboxServer, service: AgentService
) -> None:
    """Else the next save would make a second one."""
    form = FORM if service == "rds" else DmsAgentForm("周报", instruction="先看总体。")
    draft = desk.agents.begin(service, form)
    faults(server, "http-500@GetCustomAgent", "http-500@DescribeCustomAgent")

    saved = await desk.agents.save(draft.key)

    assert (saved.base, saved.unsaved, saved.is_read) == (form, False, False)
    assert desk.agents.draft(draft.key) is saved
    assert [line.name for line in desk.agents.lines()] == [form.name]
    faults(server)
    assert (await desk.agents.open(saved.key)).form == form


async def test_a_new_agent_that_is_saved_twice_at_once_is_made_once(desk: Desk) -> None:
    """The screen is left and opened again while the creation is on its way."""
    draft = desk.agents.begin("rds", FORM)

    first, second = await asyncio.gather(desk.agents.save(draft.key), desk.agents.save(draft.key))

    assert first is second
    assert len(await (await desk.rds()).agents.list()) == 1
    desk.agents.discard(draft.key)  # what was asked before it was saved
    assert desk.agents.draft(first.key) is first


async def test_what_fails_when_nobody_waits_is_told(desk: Desk, server: SandboxServer) -> None:
    draft = desk.agents.begin("rds", FORM)
    faults(server, "agent-quota")
    waiting = asyncio.create_task(desk.agents.save(draft.key))
    await asyncio.sleep(0)
    waiting.cancel()
    async with asyncio.timeout(10):
        while not desk.failures:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)
    assert [problem.title for problem in desk.failures] == ["Limit reached"]


async def test_the_order_of_what_has_none_is_no_change(desk: Desk) -> None:
    made = await (await desk.dms()).agents.create(DmsAgentForm("a", skips=("plan",)))
    key = (await desk.agents.open(f"dms:{made.id}")).key
    desk.agents.change(key, "skips", ("sql", "plan"))

    saved = await desk.agents.save(key)

    assert (saved.refused, saved.unsaved) == ((), False)


async def test_a_save_goes_on_when_nobody_waits_for_it(desk: Desk) -> None:
    draft = desk.agents.begin("rds", FORM)
    waiting = asyncio.create_task(desk.agents.save(draft.key))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    async with asyncio.timeout(10):
        while desk.agents.draft(draft.key) is draft:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)
    assert [agent.form for agent in await (await desk.rds()).agents.list()] == [
        AgentForm(FORM.name, FORM.system_prompt, True, FORM.tools)
    ]


async def test_what_is_typed_while_the_agent_is_read_or_saved_is_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await desk.made()
    rds = await desk.rds()
    get, update = rds.agents.get, rds.agents.update
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow_get(agent_id: str) -> RdsAgent:
        found = await get(agent_id)
        asked.set()
        await go_on.wait()
        return found

    async def slow_update(agent_id: str, form: AgentForm, names: Collection[AgentField]) -> RdsAgent:
        asked.set()
        await go_on.wait()
        return await update(agent_id, form, names)

    monkeypatch.setattr(rds.agents, "get", slow_get)
    reading = asyncio.create_task(desk.agents.open(key))
    await asked.wait()
    desk.agents.change(key, "system_prompt", "typed while it was read")
    go_on.set()
    draft = await reading
    assert draft.form == AgentForm(FORM.name, "typed while it was read", True, FORM.tools, FORM.skill_ids)

    monkeypatch.setattr(rds.agents, "update", slow_update)
    saving = asyncio.create_task(desk.agents.save(key))
    asked.clear()
    go_on.clear()
    monkeypatch.setattr(rds.agents, "get", get)
    await asked.wait()
    desk.agents.change(key, "system_prompt", "typed while it was saved")
    go_on.set()
    saved = await saving
    assert saved.base == AgentForm(FORM.name, "typed while it was read", True, FORM.tools, FORM.skill_ids)
    assert saved.changed == ("system_prompt",)
    assert saved.refused == ()
    desk.agents.close()
    again = desk.again()
    await again.load()
    assert [line.key for line in again.lines() if line.unsaved] == [key]


async def test_what_the_service_keeps_otherwise_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that cuts prompts, and forgets what was not sent."""
    key = await desk.made()
    rds = await desk.rds()
    update = rds.agents.update

    async def cutting(agent_id: str, form: AgentForm, names: object) -> RdsAgent:
        return await update(agent_id, AgentForm("", form.system_prompt[:5]), ["system_prompt"])

    monkeypatch.setattr(rds.agents, "update", cutting)
    desk.agents.change(key, "system_prompt", "a longer prompt")

    saved = await desk.agents.save(key)

    assert saved.refused == saved.changed == ("system_prompt",)
    assert isinstance(saved.form, AgentForm)
    assert saved.form.system_prompt == "a longer prompt"

    dms = await desk.dms()
    made = await dms.agents.create(DmsAgentForm("a", "d"))
    await dms._calls.write("ModifyCustomAgent", {"CustomAgentId": made.id, "DataJson": '{"tableFlag":true}'})
    key = (await desk.agents.open(f"dms:{made.id}")).key
    modify = dms.agents.modify

    async def forgetting(agent_id: str, form: DmsAgentForm, names: object) -> CustomAgent:
        await dms._calls.write("ModifyCustomAgent", {"CustomAgentId": made.id, "DataJson": "{}"})
        return await modify(agent_id, form, ["description"])

    monkeypatch.setattr(dms.agents, "modify", forgetting)
    desk.agents.change(key, "description", "new")
    assert (await desk.agents.save(key)).also_changed == ("DataJson",)


# --- refusals --------------------------------------------------------------------------------------------------


async def test_a_refusal_stands_at_its_field_until_that_is_changed(desk: Desk, server: SandboxServer) -> None:
    draft = desk.agents.begin("rds", AgentForm("a", "x", tools=("no_such_tool",)))
    with pytest.raises(ServiceError):
        await desk.agents.save(draft.key)
    assert "no_such_tool" in desk.agents.check(draft.key)["tools"]
    desk.agents.change(draft.key, "tools", ())
    assert desk.agents.check(draft.key) == {}

    faults(server, "agent-name-taken")
    with pytest.raises(ServiceError):
        await desk.agents.save(draft.key)
    assert list(desk.agents.check(draft.key)) == ["name"]


async def test_a_quota_is_said_in_words(desk: Desk, server: SandboxServer) -> None:
    draft = desk.agents.begin("rds", FORM)
    faults(server, "agent-quota")

    with pytest.raises(ServiceError) as refused:
        await desk.agents.save(draft.key)

    assert refused.value.problem.title == "Limit reached"
    assert desk.agents.check(draft.key) == {}


async def test_tools_that_the_service_does_not_offer_are_known_before(desk: Desk) -> None:
    draft = desk.agents.begin("rds", AgentForm("a", "x", tools=("no_such_tool",)))
    await desk.agents.tools()

    assert "no_such_tool" in desk.agents.check(draft.key)["tools"]


# --- drafts on disk --------------------------------------------------------------------------------------------


async def test_drafts_outlive_the_program(desk: Desk) -> None:
    key = await desk.made()
    desk.agents.change(key, "system_prompt", "half of a pro\n磁盘")
    new = desk.agents.begin("dms", DmsAgentForm("周报"))
    desk.agents.close()

    again = desk.again()
    await again.load()

    assert [(line.key, line.unsaved) for line in again.lines()][:2] == [(new.key, True), (key, True)]
    draft = await again.open(key)
    assert draft.changed == ("system_prompt",)
    assert draft.form.name == FORM.name
    assert (await again.save(key)).unsaved is False
    again.close()
    assert [path.name for path in (desk.folder or Path()).glob("*.toml")] != []
    third = desk.again()
    await third.load()
    assert [line.key for line in third.lines() if line.unsaved] == [new.key]


async def test_drafts_of_another_account_are_left_alone(desk: Desk) -> None:
    desk.agents.begin("rds", FORM)
    desk.agents.close()

    other = desk.again("you")
    await other.load()

    assert not [line for line in other.lines() if line.unsaved]
    assert desk.folder is not None
    assert len([*desk.folder.glob("*.toml")]) == 1


async def test_a_draft_as_it_was_saved_is_none(desk: Desk) -> None:
    key = await desk.made()
    desk.agents.change(key, "name", "x")
    desk.agents.change(key, "name", FORM.name)
    desk.agents.close()

    assert desk.folder is not None
    assert not [*desk.folder.glob("*.toml")]


async def test_a_broken_draft_is_left_as_it_is(desk: Desk) -> None:
    assert desk.folder is not None
    desk.folder.mkdir(mode=0o700)
    (desk.folder / "broken.toml").write_text("# me\n# rds:x\nschema = [")

    await desk.agents.load()

    assert [path.read_text() for path in desk.folder.glob("*.toml")] == ["# me\n# rds:x\nschema = ["]


async def test_discarding(desk: Desk) -> None:
    key = await desk.made()
    desk.agents.change(key, "name", "x")
    desk.agents.discard(key)
    draft = desk.agents.draft(key)
    assert draft is not None
    assert draft.form == FORM
    new = desk.agents.clone(key)
    assert new.form.name == "copilot-agent copy"
    desk.agents.discard(new.key)
    assert desk.agents.draft(new.key) is None
