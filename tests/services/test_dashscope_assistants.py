"""Assistants on the sandbox: what is sent, what stays as it was, what is refused, and how lists end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from tests.services.dashscope_calls import ADD, FULL, dashscope_of, held, requests
from tui.sandbox.server import SandboxServer
from tui.services.assistant_models import ASSISTANT_FIELDS, AssistantChange, BuiltinTool, PluginAuth
from tui.services.base import Page
from tui.services.dashscope import DashScope
from tui.services.dashscope_assistants import AssistantConflict
from tui.services.errors import (
    AuthenticationError,
    BusyError,
    ConfigurationError,
    NotFoundError,
    PermissionDeniedError,
    ServiceError,
)
from tui.services.keys import Secret


@pytest.fixture
async def service(sandbox: SandboxServer) -> AsyncIterator[DashScope]:
    made = dashscope_of(sandbox)
    yield made
    await made.aclose()


CHANGES: dict[str, tuple[Any, ...]] = {
    "model": ("qwen-max",),
    "name": ("another", ""),
    "description": ("another", ""),
    "instructions": ("another\ntext", ""),
    "tools": ((BuiltinTool("quark_search"),), (ADD,), ()),
    "file_ids": (("file_9",), ()),
    "metadata": ({"team": "dba"}, {}),
    "temperature": (1.5, None),
    "top_p": (0.1, None),
    "top_k": (3, None),
    "max_tokens": (7, None),
}
"""For every field: another value, and what clears it."""


def test_every_field_is_in_the_table() -> None:
    assert tuple(CHANGES) == ASSISTANT_FIELDS
    assert FULL.names == ASSISTANT_FIELDS


async def test_what_is_created_comes_back(service: DashScope, sandbox: SandboxServer) -> None:
    made = await service.assistants.create(FULL)
    assert made.id.startswith("asst_")
    assert made.created_at is not None
    assert FULL.applied(made) == made
    assert await service.assistants.retrieve(made.id) == made
    assert await service.assistants.all() == (made,)
    assert held(sandbox, made)["tools"][2]["auth"] == {"type": "user_http", "user_token": "TOKEN-1"}
    assert "TOKEN-1" not in repr(made)


async def test_only_what_is_set_is_sent(service: DashScope, sandbox: SandboxServer) -> None:
    await service.assistants.create(AssistantChange(model="qwen-plus"))
    [sent] = requests(sandbox, "CreateAssistant")
    assert sent["body"] == {"model": "qwen-plus"}


@pytest.mark.parametrize("name", ASSISTANT_FIELDS)
async def test_an_update_of_one_field_leaves_all_others(name: str, service: DashScope, sandbox: SandboxServer) -> None:
    made = await service.assistants.create(FULL)
    for value in CHANGES[name]:
        before = held(sandbox, made)
        change = AssistantChange(**{name: value})
        assert change.names == (name,)
        updated = await service.assistants.update(made.id, change)
        assert getattr(updated, name) == value
        after = held(sandbox, made)
        assert {key for key in after if after[key] != before[key]} == {name}
        assert list(requests(sandbox, "UpdateAssistant")[-1]["body"]) == [name]


async def test_a_change_is_what_differs(service: DashScope) -> None:
    made = await service.assistants.create(FULL)
    wanted = replace(made, name="", temperature=None, metadata={})
    change = AssistantChange.between(made, wanted)
    assert change.names == ("name", "metadata", "temperature")
    assert await service.assistants.update(made.id, change) == wanted
    assert not AssistantChange.between(made, made)
    assert AssistantChange.whole(made) == FULL


async def test_nothing_changed_sends_nothing(service: DashScope, sandbox: SandboxServer) -> None:
    made = await service.assistants.create(FULL)
    assert await service.assistants.update(made.id, AssistantChange()) == made
    assert not requests(sandbox, "UpdateAssistant")


async def test_a_service_that_wants_the_model_gets_it(service: DashScope, sandbox: SandboxServer) -> None:
    made = await service.assistants.create(FULL)
    sandbox.set_faults("model-needed")
    assert (await service.assistants.update(made.id, AssistantChange(name="new"))).name == "new"
    assert [sent["body"] for sent in requests(sandbox, "UpdateAssistant")] == [
        {"name": "new"},
        {"model": "qwen-plus", "name": "new"},
    ]


async def test_two_editors_lose_nothing_silently(service: DashScope, sandbox: SandboxServer) -> None:
    mine = theirs = await service.assistants.create(FULL)
    await service.assistants.update(theirs.id, AssistantChange(instructions="theirs"), expected=theirs)
    with pytest.raises(AssistantConflict) as conflict:
        await service.assistants.update(mine.id, AssistantChange(name="mine"), expected=mine)
    assert conflict.value.current.instructions == "theirs"
    assert held(sandbox, mine)["name"] == FULL.name
    merged = await service.assistants.update(mine.id, AssistantChange(name="mine"), expected=conflict.value.current)
    assert (merged.name, merged.instructions) == ("mine", "theirs")


async def test_clone_and_delete(service: DashScope, sandbox: SandboxServer) -> None:
    made = await service.assistants.create(FULL)
    copy = await service.assistants.create(AssistantChange.whole(made))
    assert replace(copy, id=made.id, created_at=made.created_at) == made
    await service.assistants.delete(made.id)
    assert await service.assistants.all() == (copy,)
    with pytest.raises(NotFoundError):
        await service.assistants.retrieve(made.id)


async def test_a_plugin_whose_token_is_not_shown(service: DashScope, sandbox: SandboxServer) -> None:
    sandbox.set_faults("no-auth-echo")
    plugin = BuiltinTool("my_plugin", PluginAuth(Secret("TOKEN-1")))
    made = await service.assistants.create(AssistantChange(model="qwen-plus", tools=(plugin,)))
    assert made.tools == (BuiltinTool("my_plugin"),)
    renamed = await service.assistants.update(made.id, AssistantChange(name="new"), expected=made)
    assert renamed.name == "new"
    sandbox.set_faults()
    assert (await service.assistants.retrieve(made.id)).tools == (plugin,)


async def test_a_list_has_all_pages(service: DashScope, sandbox: SandboxServer) -> None:
    made = [await service.assistants.create(AssistantChange(model="qwen-plus", name=str(n))) for n in range(101)]
    for switch in ("", "default-limit", "oldest-first", "after-newer", "no-last-id", "old-list-items"):
        sandbox.set_faults(switch)
        found = await service.assistants.all()
        assert [one.name for one in found] == [one.name for one in reversed(made)], switch


async def test_a_page(service: DashScope) -> None:
    for number in range(5):
        await service.assistants.create(AssistantChange(model="qwen-plus", name=str(number)))
    first = await service.assistants.page(Page(limit=3))
    assert [one.name for one in first.items] == ["4", "3", "2"]
    assert first.next is not None
    second = await service.assistants.page(first.next)
    assert [one.name for one in second.items] == ["1", "0"]
    assert second.next is None


async def test_models(service: DashScope) -> None:
    found = await service.assistants.models()
    assert "qwen-plus" in {model.id for model in found}
    assert list(found) == sorted(found, key=lambda model: model.id)


REFUSED: dict[str, type[ServiceError]] = {
    "wrong-key": AuthenticationError,
    "no-permission": PermissionDeniedError,
    "throttled": BusyError,
}
FRAMINGS = ("", "compatible-errors", "sse-error", "sse-error-json", "sse-error-200", "error-status=418")


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("switch", sorted(REFUSED))
async def test_errors_in_every_framing(framing: str, switch: str, service: DashScope, sandbox: SandboxServer) -> None:
    sandbox.set_faults(f"{switch}@*", framing)
    with pytest.raises(REFUSED[switch]) as error:
        await service.assistants.create(AssistantChange(model="qwen-plus"))
    assert error.value.problem.delivered == "no"
    assert error.value.problem.request_id
    assert error.value.problem.sentence


@pytest.mark.parametrize("framing", [*FRAMINGS[:-1], "not-found-404"])
async def test_what_is_not_there_is_told_from_bad_input(
    framing: str, service: DashScope, sandbox: SandboxServer
) -> None:
    sandbox.set_faults(framing)
    with pytest.raises(NotFoundError):
        await service.assistants.retrieve("asst_gone")
    with pytest.raises(NotFoundError):
        await service.threads.retrieve("thread_gone")
    with pytest.raises(ServiceError) as error:
        await service.assistants.create(AssistantChange(model="qwen-plus", temperature=9.0))
    assert not isinstance(error.value, NotFoundError)


@pytest.mark.parametrize("value", ["", "../files/f", "a/b?c=d", "asst 1", "asst_é", "a" * 200, "%2e%2e"])
async def test_what_is_no_id_leads_nowhere(value: str, service: DashScope, sandbox: SandboxServer) -> None:
    for call in (service.assistants.retrieve, service.assistants.delete, service.threads.retrieve):
        with pytest.raises(ConfigurationError):
            await call(value)
    with pytest.raises(ConfigurationError):
        await service.threads.cancel("thread_1", value)
    assert not sandbox.state()["dashscope"]["requests"]


async def test_a_model_must_be_given(service: DashScope, sandbox: SandboxServer) -> None:
    with pytest.raises(ConfigurationError):
        await service.assistants.create(AssistantChange(name="x"))
    assert not requests(sandbox, "CreateAssistant")


async def test_writes_are_never_repeated(service: DashScope, sandbox: SandboxServer) -> None:
    made = await service.assistants.create(FULL)
    sandbox.set_faults("http-500@CreateAssistant", "http-500@UpdateAssistant", "http-500@DeleteAssistant")
    for call in (
        service.assistants.create(FULL),
        service.assistants.update(made.id, AssistantChange(name="x")),
        service.assistants.delete(made.id),
    ):
        with pytest.raises(ServiceError) as error:
            await call
        assert error.value.problem.delivered == "unknown"
    for operation in ("UpdateAssistant", "DeleteAssistant"):
        assert len(requests(sandbox, operation)) == 1
    assert len(requests(sandbox, "CreateAssistant")) == 2


async def test_the_workspace_goes_with_every_request(sandbox: SandboxServer) -> None:
    sandbox.set_faults("workspace-needed")
    inside = dashscope_of(sandbox, workspace="ws-1")
    assert await inside.assistants.all() == ()
    await inside.aclose()
    outside = dashscope_of(sandbox)
    with pytest.raises(PermissionDeniedError):
        await outside.assistants.all()
    await outside.aclose()


async def test_another_account_sees_nothing(service: DashScope, sandbox: SandboxServer) -> None:
    made = await service.assistants.create(FULL)
    other = dashscope_of(sandbox, key=sandbox.info.dashscope["other_api_key"])
    assert await other.assistants.all() == ()
    with pytest.raises(NotFoundError):
        await other.assistants.retrieve(made.id)
    await other.aclose()


async def test_hostile_texts_are_clean(service: DashScope) -> None:
    evil = "\x1b]0;owned\x07[bold]x[/]\u202e"
    made = await service.assistants.create(
        AssistantChange(model="qwen-plus", name=evil, instructions=evil, metadata={evil: evil})
    )
    shown = f"{made.name}{made.instructions}{made.metadata}"
    assert "\x1b" not in shown
    assert "\u202e" not in shown
