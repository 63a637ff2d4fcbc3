"""The desk of the assistants on the sandbox: drafts, exact saves, conflicts, versions, deletion, carrying over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.services.dashscope_calls import FULL, dashscope_of, held, requests
from tests.services.test_dashscope_assistants import CHANGES
from tui.assistants.desk import AssistantDesk, DeskHooks, conversation_options
from tui.assistants.drafts import Draft
from tui.assistants.files import dump, load
from tui.cache.edits import EditFiles
from tui.models import Problem
from tui.sandbox.server import SandboxServer
from tui.services.assistant_models import (
    ASSISTANT_FIELDS,
    Assistant,
    AssistantChange,
    AssistantProfile,
    BuiltinTool,
    PluginAuth,
)
from tui.services.dashscope import DashScope
from tui.services.dashscope_assistants import AssistantConflict
from tui.services.errors import ServiceError
from tui.services.keys import Secret


@dataclass
class Manager:
    """A desk on a folder, with the service behind it."""

    service: DashScope
    folder: Path | None
    failures: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.desk = self.another()

    def another(self) -> AssistantDesk:
        """As a restart, or a second window, has it."""

        async def client() -> Any:
            return self.service.assistants

        drafts = EditFiles(self.folder / "drafts" if self.folder else None)
        return AssistantDesk(DeskHooks(client=client, failed=self.failures.append), self.folder, drafts)

    def draft(self, key: str) -> Draft:
        found = self.desk.draft_of(key)
        assert found is not None
        return found

    async def full(self) -> Assistant:
        """An assistant with every field set, in the list."""
        made = await self.service.assistants.create(FULL)
        await self.desk.refresh()
        return made


async def until(ready: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not ready():  # noqa: ASYNC110  # several things change, without one event
            await asyncio.sleep(0.01)


@pytest.fixture
async def manager(server: SandboxServer, tmp_path: Path) -> AsyncIterator[Manager]:
    service = dashscope_of(server)
    made = Manager(service, tmp_path / "state")
    yield made
    made.desk.close()
    await service.aclose()
    assert not made.failures


@pytest.mark.parametrize("name", ASSISTANT_FIELDS)
async def test_saving_one_field_sends_it_alone(name: str, manager: Manager, server: SandboxServer) -> None:
    """For every field, another value and no value: nothing else of what the service holds changes."""
    desk = manager.desk
    made = await manager.full()
    for value in CHANGES[name]:
        before = held(server, made)
        draft = desk.edit(manager.draft(made.id), **{name: value})
        assert draft.changed == (name,)
        comparison = await desk.compare(made.id)
        assert not comparison.theirs
        await desk.save(comparison)
        after = held(server, made)
        assert {key for key in after if after[key] != before[key]} == {name}
        assert list(requests(server, "UpdateAssistant")[-1]["body"]) == [name]
        assert not desk.drafts


async def test_a_new_one_sends_what_is_set(manager: Manager, server: SandboxServer) -> None:
    desk = manager.desk
    draft = desk.begin(Assistant("", "qwen-plus", "adder", tools=(BuiltinTool("quark_search"),)))
    saved = await desk.save(await desk.compare(draft.key))
    [sent] = requests(server, "CreateAssistant")
    assert sent["body"] == {"model": "qwen-plus", "name": "adder", "tools": [{"type": "quark_search"}]}
    assert [*desk.server] == [saved]


async def test_a_save_that_nobody_waits_for_is_made_once(manager: Manager, server: SandboxServer) -> None:
    """The screen is left, or the key pressed again, while a creation is on its way: there is one, and it is known."""
    desk = manager.desk
    draft = desk.begin(Assistant("", "qwen-plus", "adder"))
    comparison = await desk.compare(draft.key)
    saves = [asyncio.create_task(desk.save(comparison)) for _number in range(3)]
    await asyncio.sleep(0)
    saves[0].cancel()
    first, second = await asyncio.gather(*saves[1:])
    assert first is second
    assert len(requests(server, "CreateAssistant")) == 1
    other = desk.begin(Assistant("", "qwen-plus", "other"))
    comparison = await desk.compare(other.key)
    left = asyncio.create_task(desk.save(comparison))
    await asyncio.sleep(0)
    left.cancel()
    await until(lambda: not desk.drafts)
    assert [one.name for one in desk.server] == ["other", "adder"]
    failing = desk.begin(Assistant("", "qwen-plus", "failing"))
    comparison = await desk.compare(failing.key)
    server.set_faults("assistants-retired")
    left = asyncio.create_task(desk.save(comparison))
    await asyncio.sleep(0)
    left.cancel()
    await until(lambda: manager.failures)
    manager.failures.clear()
    assert failing.key in desk.drafts


@pytest.mark.parametrize("is_new", [True, False])
async def test_what_is_typed_during_a_save_is_kept(manager: Manager, server: SandboxServer, is_new: bool) -> None:
    desk = manager.desk
    made = await manager.full()
    draft = desk.begin(Assistant("", "qwen-plus")) if is_new else desk.edit(manager.draft(made.id), name="saved")
    save = asyncio.create_task(desk.save(await desk.compare(draft.key)))
    await asyncio.sleep(0)
    desk.edit(manager.draft(draft.key), description="typed later")
    saved = await save
    assert desk.drafts[saved.id].changed == ("description",)
    assert [*desk.drafts] == [saved.id]
    await desk.save(await desk.compare(saved.id))
    assert held(server, saved if isinstance(saved, Assistant) else made)["description"] == "typed later"
    assert not desk.drafts


async def test_what_somebody_else_changed_is_kept_and_told(manager: Manager, server: SandboxServer) -> None:
    desk = manager.desk
    made = await manager.full()
    desk.edit(manager.draft(made.id), name="mine", instructions="mine")
    await manager.service.assistants.update(made.id, AssistantChange(instructions="theirs", description="theirs"))
    comparison = await desk.compare(made.id)
    assert comparison.theirs == ("description", "instructions")
    assert comparison.clashes == ("instructions",)
    draft = desk.rebase(comparison)
    assert draft.changed == ("name", "instructions")
    again = await desk.compare(made.id)
    assert not again.theirs
    await desk.save(again)
    assert {name: held(server, made)[name] for name in ("name", "description", "instructions")} == {
        "name": "mine",
        "description": "theirs",
        "instructions": "mine",
    }
    assert [version.entry.values["instructions"] for version in await desk.versions(made.id)] == ["mine", "theirs"]


async def test_theirs_can_be_taken(manager: Manager) -> None:
    desk = manager.desk
    made = await manager.full()
    desk.edit(manager.draft(made.id), name="mine")
    await manager.service.assistants.update(made.id, AssistantChange(name="theirs"))
    draft = desk.take_theirs(await desk.compare(made.id))
    assert draft is not None
    assert (draft.value.name, draft.changed, dict(desk.drafts)) == ("theirs", (), {})


async def test_a_change_between_look_and_save_stops_the_save(manager: Manager, server: SandboxServer) -> None:
    desk = manager.desk
    made = await manager.full()
    desk.edit(manager.draft(made.id), name="mine")
    comparison = await desk.compare(made.id)
    await manager.service.assistants.update(made.id, AssistantChange(description="theirs"))
    with pytest.raises(AssistantConflict):
        await desk.save(comparison)
    assert held(server, made)["name"] == FULL.name
    assert made.id in desk.drafts


async def test_versions_are_kept_and_restored(manager: Manager, server: SandboxServer) -> None:
    desk = manager.desk
    made = await manager.full()
    for name in ("second", "third"):
        desk.edit(manager.draft(made.id), name=name, temperature=None)
        await desk.save(await desk.compare(made.id))
    versions = await desk.versions(made.id)
    assert [(version.why, version.entry.name) for version in versions] == [
        ("saved", "third"),
        ("saved", "second"),
        ("found", FULL.name),
    ]
    # A value that was not set then is not set again, and the plugin keeps the token that is there.
    desk.edit_to(manager.draft(made.id), versions[2].entry)
    saved = await desk.save(await desk.compare(made.id))
    assert saved == made
    desk.edit_to(manager.draft(made.id), versions[0].entry)
    assert desk.drafts[made.id].changed == ("name", "temperature")


async def test_what_was_deleted_can_be_made_again(manager: Manager, server: SandboxServer) -> None:
    desk = manager.desk
    made = await manager.full()
    await desk.delete(made)
    assert not await manager.service.assistants.all()
    [version] = await desk.deleted()
    draft = desk.begin(version.entry.fresh())
    saved = await desk.save(await desk.compare(draft.key))
    assert saved.id != made.id
    without = tuple(replace(tool, auth=None) if isinstance(tool, BuiltinTool) else tool for tool in made.tools)
    assert isinstance(saved, Assistant)
    assert replace(saved, id=made.id, created_at=made.created_at) == replace(made, tools=without)


async def test_drafts_outlive_the_program(manager: Manager) -> None:
    """What was typed is there at the next start, and tokens are the service's: none is on disk."""
    made = await manager.full()
    manager.desk.edit(manager.draft(made.id), instructions="half a sent")
    new = manager.desk.begin(Assistant("", "qwen-max", "draft"))
    manager.desk.close()
    other = manager.another()
    await other.refresh()
    assert other.drafts[made.id].changed == ("instructions",)
    assert other.drafts[new.key].value.name == "draft"
    assert manager.folder is not None
    assert not [path for path in manager.folder.rglob("*") if path.is_file() and b"TOKEN-1" in path.read_bytes()]
    await other.save(await other.compare(made.id))
    other.discard(new.key)
    other.close()
    third = manager.another()
    await third.refresh()
    assert not third.drafts


async def test_a_draft_that_another_window_has_open_is_not_taken_up(manager: Manager) -> None:
    """Both would save it: there would be two."""
    new = manager.desk.begin(Assistant("", "a", "one"))
    manager.desk.write_now()
    other = manager.another()
    await other.refresh()
    assert not other.drafts
    manager.desk.close()
    third = manager.another()
    await third.refresh()
    assert [*third.drafts] == [new.key]


async def test_a_draft_that_was_saved_meanwhile_is_still_edited(manager: Manager, server: SandboxServer) -> None:
    """A field is open while the save ends: the new assistant has an id then, or somebody deleted it."""
    desk = manager.desk
    draft = desk.begin(Assistant("", "qwen-plus", "one"))
    saved = await desk.save(await desk.compare(draft.key))
    assert desk.edit(draft, description="typed meanwhile").key == saved.id
    desk.discard(draft.key)
    assert not desk.drafts
    held = manager.draft(saved.id)
    await manager.service.assistants.delete(saved.id)
    await desk.refresh()
    assert desk.edit(held, description="typed meanwhile").value.description == "typed meanwhile"
    assert [*desk.drafts] == [saved.id]


@pytest.mark.parametrize("is_made", [True, False])
async def test_a_creation_whose_answer_is_lost_is_looked_for(
    manager: Manager, server: SandboxServer, monkeypatch: pytest.MonkeyPatch, is_made: bool
) -> None:
    desk = manager.desk
    await manager.full()
    create = manager.service.assistants.create

    async def lost(change: AssistantChange) -> Assistant:
        if is_made:
            await create(change)
        raise ServiceError(Problem("Cut off", "The answer did not arrive.", delivered="unknown"))

    monkeypatch.setattr(manager.service.assistants, "create", lost)
    draft = desk.begin(FULL.applied(Assistant("", "")))
    comparison = await desk.compare(draft.key)
    if is_made:
        saved = await desk.save(comparison)
        assert saved.name == FULL.name
        assert (len(desk.server), dict(desk.drafts)) == (2, {})
    else:
        with pytest.raises(ServiceError):
            await desk.save(comparison)
        assert [*desk.drafts] == [draft.key]
    assert len(requests(server, "CreateAssistant")) == 1 + is_made


async def test_a_profile_is_saved_here_and_found_by_turns(manager: Manager, server: SandboxServer) -> None:
    made = await manager.full()
    carried = manager.desk.carry_over(made)
    draft = manager.desk.begin(carried.profile)
    saved = await manager.desk.save(await manager.desk.compare(draft.key))
    assert isinstance(saved, AssistantProfile)
    assert saved.carried_from == made.id
    assert await manager.another().profile(saved.id) == saved
    assert not requests(server, "UpdateAssistant")
    assert conversation_options(saved) == {"profile": saved.id, "assistant_name": saved.name}
    assert conversation_options(made) == {"assistant": made.id, "assistant_name": made.name}
    await manager.desk.delete(saved)
    assert await manager.another().profile(saved.id) is None


async def test_what_is_lost_on_the_way_is_said(manager: Manager) -> None:
    held = Assistant(
        "asst_1",
        "qwen-max",
        "x",
        tools=(BuiltinTool("quark_search"), BuiltinTool("calculator"), BuiltinTool("p", PluginAuth(Secret("t")))),
        file_ids=("f",),
        metadata={"a": "b"},
        temperature=2,
        top_p=0,
        top_k=4,
        max_tokens=3,
    )
    carried = manager.desk.carry_over(held)
    assert [tool.type for tool in carried.profile.tools] == ["web_search"]
    assert (carried.profile.temperature, carried.profile.top_p, carried.profile.max_output_tokens) == (1.99, None, 16)
    said = "\n".join(carried.notes)
    for word in ("quark_search", "calculator", "p:", "temperature", "top_p", "max_tokens", "top_k", "file", "metadata"):
        assert word in said


async def test_a_file_goes_round(manager: Manager) -> None:
    made = await manager.full()
    text = dump(manager.desk.server, "toml")
    assert "TOKEN-1" not in text
    [entry] = load(text)
    manager.desk.edit(manager.draft(made.id), name="other")
    await manager.desk.save(await manager.desk.compare(made.id))
    manager.desk.edit_to(manager.draft(made.id), entry)
    assert await manager.desk.save(await manager.desk.compare(made.id)) == made


async def test_a_list_that_cannot_be_read_says_why(manager: Manager, server: SandboxServer) -> None:
    await manager.full()
    server.set_faults("assistants-retired")
    await manager.desk.refresh()
    assert manager.desk.problem is not None
    assert len(manager.desk.server) == 1, "what was known stays"
    server.set_faults()
    await manager.desk.refresh()
    assert manager.desk.problem is None


async def test_a_full_disk_hinders_no_save(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await manager.full()

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(manager.desk.store, "_write", full)
    manager.desk.edit(manager.draft(made.id), name="saved all the same")
    saved = await manager.desk.save(await manager.desk.compare(made.id))
    assert saved.name == "saved all the same"
    assert manager.failures
    manager.failures.clear()
    draft = manager.desk.begin(AssistantProfile("", "qwen-plus"))
    with pytest.raises(ServiceError):
        await manager.desk.save(await manager.desk.compare(draft.key))
    assert draft.key in manager.desk.drafts
