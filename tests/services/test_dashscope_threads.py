"""Threads, messages, runs, steps and files on the sandbox, one operation after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.services.dashscope_calls import dashscope_of, requests
from tui.sandbox.server import SandboxServer
from tui.services.assistant_models import AssistantChange, BuiltinTool
from tui.services.base import Page
from tui.services.dashscope import DashScope
from tui.services.errors import ApiError, NotFoundError, ServiceError


@pytest.fixture
async def service(sandbox: SandboxServer) -> AsyncIterator[DashScope]:
    made = dashscope_of(sandbox)
    yield made
    await made.aclose()


async def run_in(service: DashScope, thread_id: str, question: str) -> str:
    """Ask in a thread and read to the end; the run's id."""
    tools = (BuiltinTool("quark_search"),)
    assistant = await service.assistants.create(AssistantChange(model="qwen-plus", tools=tools))
    await service.threads.add_message(thread_id, question)
    async with service.threads.run(thread_id, assistant.id) as opened:
        assert opened.frames is not None
        async for _batch in opened.frames:
            pass
    return (await service.threads.runs(thread_id, Page(limit=1))).items[0].id


async def test_a_thread(service: DashScope) -> None:
    made = await service.threads.create({"topic": "潮汐"})
    assert made.id.startswith("thread_")
    assert made.created_at is not None
    assert await service.threads.retrieve(made.id) == made
    assert (await service.threads.set_metadata(made.id, {"topic": "b"})).metadata == {"topic": "b"}
    await service.threads.delete(made.id)
    with pytest.raises(NotFoundError):
        await service.threads.retrieve(made.id)


async def test_messages_over_pages(service: DashScope) -> None:
    thread = await service.threads.create()
    sent = [await service.threads.add_message(thread.id, f"message {number}") for number in range(103)]
    assert sent[0].role == "user"
    assert await service.threads.message(thread.id, sent[0].id) == sent[0]
    found = await service.threads.all_messages(thread.id)
    assert [message.text for message in found] == [message.text for message in sent]
    newest = await service.threads.messages(thread.id, Page(limit=2))
    assert [message.text for message in newest.items] == ["message 102", "message 101"]
    assert newest.next is not None


async def test_a_run_and_its_steps(service: DashScope) -> None:
    thread = await service.threads.create()
    run = await service.threads.retrieve_run(thread.id, await run_in(service, thread.id, "tools 1"))
    assert (run.status, run.is_over, run.calls, run.thread_id) == ("completed", True, (), thread.id)
    assert run.usage is not None
    assert run.request_id
    steps = await service.threads.steps(thread.id, run.id)
    assert [step.type for step in steps] == ["tool_calls", "message_creation"]
    [call] = steps[0].calls
    assert (call.type, bool(call.arguments), bool(call.output)) == ("quark_search", True, True)
    assert steps[1].message_id == (await service.threads.messages(thread.id, Page(limit=1))).items[0].id


async def test_a_thread_as_turns(service: DashScope) -> None:
    thread = await service.threads.create()
    first = await run_in(service, thread.id, "echo one")
    second = await run_in(service, thread.id, "echo two")
    await service.threads.add_message(thread.id, "unanswered")
    turns = (await service.history(thread.id, Page())).items
    assert [(turn.question, turn.answer) for turn in turns] == [
        ("echo one", "one"),
        ("echo two", "two"),
        ("unanswered", ""),
    ]
    assert [turn.ids.task for turn in turns] == [first, second, ""]
    assert [turn.state for turn in turns] == ["done", "done", "cut_off"]
    assert {turn.ids.conversation for turn in turns} == {thread.id}
    assert (await service.conversations(Page())).items == ()


async def test_a_thread_that_is_gone_is_deleted_already(service: DashScope) -> None:
    thread = await service.threads.create()
    await service.delete_conversation(thread.id)
    await service.delete_conversation(thread.id)
    with pytest.raises(NotFoundError):
        await service.threads.retrieve(thread.id)


async def test_files(service: DashScope, sandbox: SandboxServer) -> None:
    made = await service.files.upload("潮汐 tide.txt", b"tide table\n", "tides")
    kept = await service.files.retrieve(made.id)
    assert (kept.name, kept.size, kept.description) == ("潮汐 tide.txt", 11, "tides")
    assert kept.url.startswith(sandbox.info.url)
    found, total = await service.files.page()
    assert ([one.id for one in found], total) == ([made.id], 1)
    await service.files.delete(made.id)
    with pytest.raises(NotFoundError):
        await service.files.retrieve(made.id)


async def test_an_upload_that_failed_inside_a_200(service: DashScope, sandbox: SandboxServer) -> None:
    sandbox.set_faults("upload-fails")
    with pytest.raises(ApiError) as error:
        await service.files.upload("tide.txt", b"x")
    assert "tide.txt" in error.value.problem.sentence
    assert len(requests(sandbox, "UploadFiles")) == 1


async def test_a_refused_cancel_says_why(service: DashScope) -> None:
    thread = await service.threads.create()
    run = await run_in(service, thread.id, "echo one")
    with pytest.raises(ServiceError) as error:
        await service.threads.cancel(thread.id, run)
    assert error.value.problem.sentence
    assert error.value.problem.delivered == "no"
