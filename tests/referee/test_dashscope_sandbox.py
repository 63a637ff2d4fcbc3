"""The official DashScope library (2.0.2) against the sandbox: every operation, streams, functions, errors.

Its Assistants part has no asynchronous client and no event handler; files and models have an asynchronous one, which is
asked too.
"""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import dashscope
import pytest
import requests
from dashscope.v2.errors import AuthenticationError, BadRequestError, NotFoundError

from tests.unit.dashscope_wire import BIG_ADD, QUESTION
from tui.sandbox.dashscope import OPERATIONS
from tui.sandbox.server import SandboxServer

with warnings.catch_warnings():
    # It says at each import that these parts go.
    warnings.simplefilter("ignore", DeprecationWarning)
    from dashscope.assistants.assistants import Assistants
    from dashscope.assistants.files import Files as AssistantFiles
    from dashscope.files import Files
    from dashscope.models import Models
    from dashscope.threads.messages.files import Files as MessageFiles
    from dashscope.threads.messages.messages import Messages
    from dashscope.threads.runs.runs import Runs
    from dashscope.threads.runs.steps import Steps
    from dashscope.threads.thread_types import Run, RunStep, RunStepDelta, ThreadMessage, ThreadMessageDelta
    from dashscope.threads.threads import Threads
    from dashscope.v2.client import AsyncClient, Client

pytestmark = pytest.mark.filterwarnings("ignore:The Assistants API:DeprecationWarning")

GONE = "does not exist"

# The members of objects in streams, in the order of section 11 of the protocol notes.
_RUN_TIMES = ("expires_at", "started_at", "cancelled_at", "failed_at", "completed_at")
_STEP_TIMES = ("expired_at", "cancelled_at", "failed_at", "completed_at")
_SAMPLING = ("temperature", "top_p", "top_k", "max_tokens", "truncation_strategy")
RUN = [
    *("id", "object", "created_at", "thread_id", "assistant_id", "status", "required_action", "last_error"),
    *(*_RUN_TIMES, "model", "instructions", "tools", "file_ids", "metadata", "usage", *_SAMPLING, "request_id"),
]
STEP = [
    *("id", "object", "created_at", "assistant_id", "thread_id", "run_id", "type", "status", "step_details"),
    *("last_error", *_STEP_TIMES, "metadata", "usage", "request_id"),
]
MESSAGE = [
    *("id", "object", "created_at", "thread_id", "incomplete_details", "completed_at", "incomplete_at", "role"),
    *("content", "assistant_id", "run_id", "file_ids", "metadata", "request_id"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(pace="unlimited") as server:
        yield server


@pytest.fixture
def sandbox(server: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> SandboxServer:
    server.reset()
    monkeypatch.setattr(dashscope, "base_http_api_url", server.info.dashscope["base_url"])
    monkeypatch.setattr(dashscope, "api_key", server.info.dashscope["api_key"])
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return server


@pytest.fixture
def assistant(sandbox: SandboxServer) -> Any:
    """As on the vendor's page."""
    made = Assistants.create(
        model="qwen-max",
        name="smart helper",
        description="a tool helper",
        instructions="You are a helpful assistant.",
        tools=[{"type": "search"}, BIG_ADD],
    )
    assert made.status_code == HTTPStatus.OK
    return made


def ask(assistant: Any, text: str, **more: Any) -> tuple[Any, list[tuple[Any, Any]]]:
    """A new thread with a question, and the events of its run."""
    thread = Threads.create()
    Messages.create(thread.id, content=text)
    return thread, list(Runs.create(thread.id, assistant_id=assistant.id, stream=True, **more))


def joined(events: list[tuple[str, Any]]) -> str:
    deltas = [data.delta for name, data in events if name == "thread.message.delta"]
    return "".join(delta.content.text.value for delta in deltas if delta)


def newest(thread: Any) -> str:
    found: str = Messages.list(thread.id, limit=1).data[0].content[0].text.value
    return found


def wire(sandbox: SandboxServer) -> Any:
    """The newest request as it came."""
    return sandbox.state()["dashscope"]["requests"][-1]


# --- every operation -------------------------------------------------------------------------------------------


def test_every_operation_of_the_library_has_its_answer(sandbox: SandboxServer, tmp_path: Path) -> None:
    """One after the other; each is a success, and there is none that is not called."""
    path = tmp_path / "tides.txt"
    path.write_text("Dover 4.2 m", encoding="utf-8")
    uploaded = Files.upload(str(path), purpose="assistants", description="tides")
    file = uploaded.output["uploaded_files"][0]["file_id"]
    assert uploaded.output["failed_uploads"] == []
    assert Files.list().output["files"][0]["file_id"] == file
    assert Files.get(file).output["name"] == "tides.txt"
    assert Models.list(page_size=3).output["total"] > 3
    assert Models.get("qwen-plus").output["model"] == "qwen-plus"

    made = Assistants.create(
        model="qwen-plus", name="a", tools=[BIG_ADD], metadata={"k": "v"}, top_k=5, temperature=0.0
    )
    assert (made.name, made.top_k, made.temperature, made.metadata) == ("a", 5, 0.0, {"k": "v"})
    assert made.tools[0].function.name == "big_add"
    assert Assistants.call(model="qwen-turbo").model == "qwen-turbo"
    assert [one.id for one in Assistants.list(order="asc", limit=1).data] == [made.id]
    assert Assistants.retrieve(made.id).created_at == Assistants.get(made.id).created_at == made.created_at
    assert Assistants.update(made.id, name="b", metadata={"k": "w"}).name == "b"
    attached = AssistantFiles.create(made.id, file_id=file)
    assert (attached.id, attached.assistant_id) == (file, made.id)
    assert AssistantFiles.call(made.id, file_id=file).id == file
    assert [one.id for one in AssistantFiles.list(made.id).data] == [file]
    assert AssistantFiles.retrieve(file, assistant_id=made.id).id == AssistantFiles.get(file, assistant_id=made.id).id

    thread = Threads.create(messages=[{"role": "user", "content": "hello", "file_ids": [file]}])
    assert Threads.retrieve(thread.id).id == Threads.get(thread.id).id == thread.id
    assert Threads.call().object == "thread"
    assert Threads.update(thread.id, metadata={"k": "v"}).metadata == {"k": "v"}
    message = Messages.create(thread.id, content=QUESTION, metadata={"m": "1"}, file_ids=[file])
    assert message.content[0].text.value == QUESTION
    assert Messages.call(thread.id, content="and more").role == "user"
    assert Messages.retrieve(message.id, thread_id=thread.id).id == Messages.get(message.id, thread_id=thread.id).id
    assert len(Messages.list(thread.id).data) == 3
    assert Messages.update(message.id, thread_id=thread.id, metadata={"m": "2"}).metadata == {"m": "2"}
    assert [one.id for one in MessageFiles.list(message.id, thread_id=thread.id).data] == [file]
    got = MessageFiles.retrieve(file, thread_id=thread.id, message_id=message.id)
    assert got.id == MessageFiles.get(file, thread_id=thread.id, message_id=message.id).id == file

    Messages.create(thread.id, content=QUESTION)
    run = Runs.create(thread.id, assistant_id=made.id)
    run = Runs.wait(run.id, thread_id=thread.id)
    assert run.status == "requires_action"
    assert Runs.update(run.id, thread_id=thread.id, metadata={"r": "1"}).metadata == {"r": "1"}
    assert Runs.submit_tool_outputs(run.id, thread_id=thread.id, tool_outputs=[{"output": "7"}]).status == "in_progress"
    run = Runs.wait(run.id, thread_id=thread.id)
    assert (run.status, Runs.retrieve(run.id, thread_id=thread.id).usage["total_tokens"] > 0) == ("completed", True)
    assert [one.id for one in Runs.list(thread.id).data] == [run.id]
    steps = Steps.list(run.id, thread_id=thread.id, limit=5, order="asc").data
    assert [step.type for step in steps] == ["tool_calls", "message_creation"]
    step = Steps.retrieve(steps[0].id, thread_id=thread.id, run_id=run.id)
    assert step.step_details.tool_calls[0].function.output == "7"
    assert Steps.get(steps[0].id, thread_id=thread.id, run_id=run.id).id == steps[0].id
    assert Runs.call(thread.id, assistant_id=made.id).object == "thread.run"
    given = {"messages": [{"role": "user", "content": "hello"}]}
    assert Runs.create_thread_and_run(assistant_id=made.id, thread=given).object == "thread.run"
    assert Threads.create_and_run(assistant_id=made.id, thread=given).object == "thread.run"
    sandbox.set_faults("cancel-works", "hold@CreateRun=4")
    other = Runs.create_thread_and_run(assistant_id=made.id, thread=given)
    sandbox.wait_for(lambda state: state["dashscope"]["holding"])
    assert Runs.cancel(other.id, thread_id=other.thread_id).status == "cancelling"
    sandbox.set_faults()

    assert AssistantFiles.delete(file, assistant_id=made.id).deleted is True
    assert Files.delete(file).status_code == HTTPStatus.OK
    assert Threads.delete(thread.id).deleted is True
    assert Assistants.delete(made.id).deleted is True

    native = {operation.name for operation in OPERATIONS if not operation.compatible}
    assert native == set(sandbox.state()["received"])
    assert sandbox.state()["refused"] == {}


def test_the_requests_are_those_of_the_notes(sandbox: SandboxServer, assistant: Any) -> None:
    """Section 12.1: what came, as far as it is odd."""
    Assistants.update(assistant.id, name="X")
    assert wire(sandbox)["body"] == {"name": "X", "file_ids": [], "metadata": None}
    Assistants.update(assistant.id, name="", tools=[], file_ids=None, metadata={})
    assert wire(sandbox)["body"] == {"tools": [], "file_ids": None, "metadata": {}}
    thread = Threads.create()
    assert wire(sandbox)["body"] == ""
    Threads.update(thread.id)
    assert wire(sandbox)["body"] == {"metadata": None}
    Assistants.list(limit=2, order="asc", after="", before=assistant.id, workspace="ws-1")
    assert wire(sandbox)["query"] == {"limit": "2", "order": "asc", "after": "", "before": assistant.id}
    assert wire(sandbox)["workspace"] == "ws-1"
    Messages.create(thread.id, content="x")
    Runs.create(
        thread.id,
        assistant_id=assistant.id,
        extra_body={"truncation_strategy": {"type": "last_messages", "last_messages": 1}},
    )
    assert wire(sandbox)["body"]["stream"] is False
    assert wire(sandbox)["body"]["truncation_strategy"]["last_messages"] == 1


def test_its_update_wipes_what_it_does_not_name(sandbox: SandboxServer) -> None:
    made = Assistants.create(model="qwen-plus", file_ids=["f"], metadata={"k": "v"}, instructions="kept")
    wiped = Assistants.update(made.id, name="X")
    assert (wiped.file_ids, wiped.metadata, wiped.instructions) == ([], {}, "kept")
    sandbox.set_faults("null-keeps")
    made = Assistants.create(model="qwen-plus", file_ids=["f"], metadata={"k": "v"})
    kept = Assistants.update(made.id, name="X")
    assert (kept.file_ids, kept.metadata) == (["f"], {"k": "v"})


def test_all_pages(sandbox: SandboxServer) -> None:
    made = [Assistants.create(model="qwen-plus", name=str(n)).id for n in range(5)]
    found: list[str] = []
    last = None
    while True:
        page = Assistants.list(limit=2, after=last)
        found += [one.id for one in page.data]
        if not page.has_more:
            break
        last = page.last_id
    assert found == made[::-1]


# --- streams ---------------------------------------------------------------------------------------------------


def test_the_stream_of_a_run(sandbox: SandboxServer, assistant: Any) -> None:
    thread, events = ask(assistant, "你好，请介绍一下")
    names = [name for name, _data in events]
    assert [names[0], names[-1]] == ["thread.run.created", "thread.run.completed"]
    kinds = {
        "thread.run.created": (Run, RUN),
        "thread.run.step.created": (RunStep, STEP),
        "thread.message.created": (ThreadMessage, MESSAGE),
        "thread.message.completed": (ThreadMessage, MESSAGE),
        "thread.run.step.completed": (RunStep, STEP),
        "thread.run.completed": (Run, RUN),
    }
    by_name = dict(events)
    for name, (kind, members) in kinds.items():
        assert type(by_name[name]) is kind
        assert set(members) | {"status_code"} >= set(vars(by_name[name]))
    assert {type(data) for name, data in events if name == "thread.message.delta"} == {ThreadMessageDelta}
    assert joined(events) == by_name["thread.message.completed"].content[0].text.value == newest(thread)
    assert "沙箱数据" in newest(thread)
    assert by_name["thread.run.completed"].usage["output_tokens"] > 0


def test_the_order_of_members(sandbox: SandboxServer, assistant: Any) -> None:
    """Byte for byte as in the notes, members included."""
    thread = Threads.create(messages=[{"role": "user", "content": "echo Hi, sailor."}])
    reply = requests.post(
        f"{sandbox.info.dashscope['base_url']}/threads/{thread.id}/runs",
        json={"assistant_id": assistant.id, "stream": True},
        headers={"Authorization": f"Bearer {sandbox.info.dashscope['api_key']}"},
        timeout=10,
    )
    assert reply.headers["content-type"] == "text/event-stream;charset=UTF-8"
    expected = {"thread.run": RUN, "thread.run.step": STEP, "thread.message": MESSAGE}
    seen = set()
    for block in reply.content.split(b"\n\n")[:-2]:
        data = json.loads(block.partition(b"\ndata:")[2])
        if members := expected.get(data["object"]):
            assert list(data) == members
            seen.add(data["object"])
    assert seen == set(expected)
    assert reply.content.endswith(b"event:done\ndata:[DONE]\n\n")


def test_a_thread_and_its_run_in_one_stream(sandbox: SandboxServer, assistant: Any) -> None:
    thread = {"messages": [{"role": "user", "content": "echo both"}]}
    events = list(Runs.create_thread_and_run(assistant_id=assistant.id, thread=thread, stream=True))
    assert [name for name, _data in events][:2] == ["thread.created", "thread.run.created"]
    assert events[0][1].id == events[1][1].thread_id
    assert joined(events) == "both"


def test_the_function_of_the_vendors_page(sandbox: SandboxServer, assistant: Any) -> None:
    """The turn of the vendor's example: the sum that is submitted is in the streamed answer."""
    thread, events = ask(assistant, QUESTION)
    name, run = events[-1]
    assert (name, run.status, run.required_action.type) == (
        "thread.run.requires_action",
        "requires_action",
        "submit_tool_outputs",
    )
    assert any(type(data) is RunStepDelta for _name, data in events)
    outputs = []
    for call in run.required_action.submit_tool_outputs.tool_calls:
        assert call.function.name == "big_add"
        arguments = json.loads(call.function.arguments)
        outputs.append({"tool_call_id": call.id, "output": str(arguments["left"] + arguments["right"])})
    again = list(Runs.submit_tool_outputs(run.id, thread_id=thread.id, tool_outputs=outputs, stream=True))
    assert next(name for name, _data in again) == "thread.run.step.completed"
    assert again[-1][1].status == "completed"
    assert "789076524" in joined(again)
    assert "789076524" in newest(thread)


@pytest.mark.parametrize(
    ("kind", "question"),
    [
        ("search", "search the latest news"),
        ("code_interpreter", "run code: 6*7"),
        ("quark_search", "今天天气"),
        ("a_plugin", "use the plugin"),
    ],
)
def test_built_in_tools(sandbox: SandboxServer, kind: str, question: str) -> None:
    made = Assistants.create(model="qwen-plus", tools=[{"type": kind}])
    thread, events = ask(made, question)
    assert events[-1][0] == "thread.run.completed"
    steps = Steps.list(events[-1][1].id, thread_id=thread.id, order="asc").data
    assert [step.type for step in steps] == ["tool_calls", "message_creation"]


@pytest.mark.parametrize(
    "question", ["bench 5", "tools 5", "empty", "long 20", "error", "recall", "settings", "call 2"]
)
def test_whatever_is_asked_it_reads_the_stream(sandbox: SandboxServer, assistant: Any, question: str) -> None:
    thread, events = ask(assistant, question)
    name, run = events[-1]
    assert name in ("thread.run.completed", "thread.run.failed", "thread.run.requires_action")
    if name == "thread.run.completed" and question != "empty":
        assert joined(events) == newest(thread)
    if name == "thread.run.failed":
        assert run.last_error["code"] == "server_error"


FORMS = (
    *("crlf", "comments", "id-lines", "status-lines", "unknown-events", "unknown-keys", "duplicate-frames"),
    *("delta-parts", "delta-index", "no-done", "no-final-blank", "typed-outputs", "list-output", "true-step-status"),
    *("split-utf8", "one-byte-chunks", "glued", "gzip", "object-missing", "no-run-created", "late-completion=0.01"),
    *("call-ids", "function-silent", "unset=0", "unset=-1", "empty-objects", "no-file-ids"),
)


def for_runs(fault: str) -> str:
    """A switch, written so that it holds for the creation of runs."""
    name, sign, argument = fault.partition("=")
    return f"{name}@CreateRun{sign}{argument}"


@pytest.mark.parametrize("fault", FORMS)
def test_forms_of_streams_that_it_reads(sandbox: SandboxServer, assistant: Any, fault: str) -> None:
    """Section 12.2: these it takes. What it cannot take is switched off unless somebody asks for it."""
    sandbox.set_faults(for_runs(fault))
    thread, events = ask(assistant, "search the news, please")
    assert events[-1][0] == "thread.run.completed"
    if fault != "delta-parts":
        assert joined(events) == newest(thread)


@pytest.mark.parametrize("fault", ["data-space", "bare-done", "delta-object", "multi-line-data"])
def test_forms_of_streams_that_break_it(sandbox: SandboxServer, assistant: Any, fault: str) -> None:
    sandbox.fault_once(f"{fault}@CreateRun")
    with pytest.raises((AttributeError, TypeError)):
        ask(assistant, "echo x")


# --- errors ----------------------------------------------------------------------------------------------------

LOOKUPS: dict[str, Callable[[], Any]] = {
    "assistant": lambda: Assistants.retrieve("asst_none"),
    "thread": lambda: Threads.retrieve("thread_none"),
    "run of a thread": lambda: Runs.retrieve("run_none", thread_id="thread_none"),
    "message": lambda: Messages.retrieve("message_none", thread_id="thread_none"),
    "steps": lambda: Steps.list("run_none", thread_id="thread_none"),
    "update": lambda: Assistants.update("asst_none", name="x"),
    "delete": lambda: Assistants.delete("asst_none"),
    "run": lambda: Runs.create("thread_none", assistant_id="asst_none"),
}


@pytest.mark.parametrize("what", LOOKUPS)
def test_it_never_raises_what_is_not_there(sandbox: SandboxServer, what: str) -> None:
    found = LOOKUPS[what]()
    assert (found.status_code, found.code) == (400, "InvalidParameter")
    assert GONE in found.message
    assert found.request_id.startswith("SANDBOX-")
    assert getattr(found, "id", None) is None


def test_a_failed_list_looks_empty(sandbox: SandboxServer) -> None:
    found = Assistants.list(limit=1000)
    assert (found.status_code, found.code, found.data) == (400, "InvalidParameter", [])


def test_a_wrong_key(sandbox: SandboxServer) -> None:
    found = Assistants.list(api_key="sk-wrong")
    assert (found.status_code, found.code) == (401, "InvalidApiKey")
    assert Models.list(api_key="sk-wrong").code == "InvalidApiKey"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("throttled", 429, "Throttling.RateQuota"),
        ("refuse=Arrearage", 400, "Arrearage"),
        ("http-500", 500, "InternalError"),
        ("sse-error,refuse=DataInspectionFailed", 400, "DataInspectionFailed"),
    ],
)
def test_refusals_of_a_stream(sandbox: SandboxServer, assistant: Any, fault: str, status: int, code: str) -> None:
    sandbox.set_faults(*map(for_runs, fault.split(",")))
    _thread, events = ask(assistant, "x")
    name, told = events[0]
    assert (len(events), name, told["status_code"], told["code"]) == (1, None, status, code)


def test_an_error_inside_the_stream(sandbox: SandboxServer, assistant: Any) -> None:
    sandbox.set_faults("error-frame@CreateRun=8")
    _thread, events = ask(assistant, "echo a b c d e f g")
    name, error = events[-1]
    assert (name, error.code) == ("error", "Throttling.RateQuota")
    assert error.request_id.startswith("SANDBOX-")


def test_a_run_that_fails(sandbox: SandboxServer, assistant: Any) -> None:
    sandbox.set_faults("run-fails=8")
    _thread, events = ask(assistant, "echo a b c d e f g")
    assert [name for name, _data in events][-3:] == [
        "thread.message.incomplete",
        "thread.run.step.failed",
        "thread.run.failed",
    ]
    assert events[-1][1].last_error["code"] == "server_error"


def test_cancel_as_the_pages_say(sandbox: SandboxServer, assistant: Any) -> None:
    thread, events = ask(assistant, QUESTION)
    refused = Runs.cancel(events[-1][1].id, thread_id=thread.id)
    assert (refused.status_code, refused.code) == (400, "UnsupportedOperation")


def test_one_run_at_a_time(sandbox: SandboxServer, assistant: Any) -> None:
    thread, _events = ask(assistant, QUESTION)
    assert Messages.create(thread.id, content="x").status_code == 400
    assert Runs.create(thread.id, assistant_id=assistant.id).code == "InvalidParameter"


# --- the newer client: files and models, one way and the other ---------------------------------------------------


def test_files_and_models_by_the_newer_client(sandbox: SandboxServer, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("abc", encoding="utf-8")
    info = sandbox.info.dashscope
    with Client(api_key=info["api_key"], base_url=info["base_url"]) as client:
        file = client.files.upload(file_path=str(path), purpose="file-extract")
        assert client.files.get(file.file_id).size == 3
        assert client.files.list().total_count == 1
        assert client.files.delete(file.file_id).deleted is True
        with pytest.raises(NotFoundError):
            client.files.get(file.file_id)
        models = client.models.list(page_size=5)
        assert (len(models.models), models.total_count > 5) == (5, True)
        assert client.models.get("qwen-max").provider == "qwen"
        with pytest.raises(BadRequestError):
            client.models.list(page_size=1000)
    with Client(api_key="sk-wrong", base_url=info["base_url"]) as client, pytest.raises(AuthenticationError):
        client.models.list()


def test_files_and_models_by_its_asynchronous_twin(sandbox: SandboxServer, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("abc", encoding="utf-8")
    info = sandbox.info.dashscope

    async def calls() -> None:
        async with AsyncClient(api_key=info["api_key"], base_url=info["base_url"]) as client:
            file = await client.files.upload(file_path=str(path), purpose="file-extract")
            assert (await client.files.get(file.file_id)).size == 3
            assert (await client.files.list()).total_count == 1
            assert (await client.files.delete(file.file_id)).deleted is True
            with pytest.raises(NotFoundError):
                await client.files.delete(file.file_id)
            assert (await client.models.get("qwen-max")).model == "qwen-max"
            assert len((await client.models.list(page_size=7)).models) == 7

    asyncio.run(calls())
