"""The official SDK is the referee of our requests: the same method, path, query, headers and body for each operation.

Where its habits are harmful ours differ, and a test states how: it always sends `file_ids` and `metadata` of an
assistant, cannot clear a text, and creates a thread with the JSON text `""`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import dashscope
import pytest

from tests.referee.recording import Captured, Recorder, recording
from tui.services.assistant_models import AssistantChange, BuiltinTool, FunctionTool, PluginAuth, ToolOutput
from tui.services.base import Page
from tui.services.dashscope import DashScope
from tui.services.endpoints import parse_endpoint
from tui.services.errors import ServiceError
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.rest import Opened, RestClient

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

KEY, WORKSPACE = "sk-fake-0001", "ws-fake"
PARAMETERS = {"type": "object", "properties": {"port": {"type": "string"}}, "required": ["port"]}
FUNCTION = FunctionTool("lookup_tide", "tide for a port 潮汐", PARAMETERS)
PLUGIN = BuiltinTool("my_plugin", PluginAuth(Secret("TOKEN")))
TOOLS = (BuiltinTool("code_interpreter"), FUNCTION, PLUGIN)
THEIR_TOOLS = [
    {"type": "code_interpreter"},
    {
        "type": "function",
        "function": {"name": "lookup_tide", "description": "tide for a port 潮汐", "parameters": PARAMETERS},
    },
    {"type": "my_plugin", "auth": {"type": "user_http", "user_token": "TOKEN"}},
]
THEIR_FIELDS: dict[str, Any] = {
    "model": "qwen-plus",
    "name": "潮汐",
    "description": "d",
    "instructions": "i\n\nj",
    "tools": THEIR_TOOLS,
    "file_ids": ["file_6666"],
    "metadata": {"k": "v"},
    "temperature": 0.0,
    "top_p": 0.8,
    "top_k": 50,
    "max_tokens": 100,
}
WHOLE = AssistantChange(**{**THEIR_FIELDS, "tools": TOOLS, "file_ids": ("file_6666",)})


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Refuses everything."""
    reply = b'{"code":"InvalidParameter","message":"noted","request_id":"r"}'
    with recording(lambda _captured: (400, "application/json", reply)) as made:
        yield made


def body(captured: Captured) -> Any:
    return json.loads(captured.body) if captured.body else None


def shape(captured: Captured) -> tuple[object, ...]:
    """What both clients must have alike."""
    kept = ("authorization", "x-dashscope-workspace", "content-type")
    headers = {name: captured.headers.get(name) for name in kept}
    return captured.method, captured.path, captured.query, headers, body(captured)


Ours = Callable[[DashScope], Awaitable[object]]
Theirs = Callable[[dict[str, Any]], object]


async def _opened(stream: Any) -> None:
    async with stream as opened:
        assert isinstance(opened, Opened)


CASES: dict[str, tuple[Ours, Theirs]] = {
    "create": (
        lambda our: our.assistants.create(WHOLE),
        lambda to: dashscope.Assistants.create(**THEIR_FIELDS, **to),
    ),
    "list": (
        lambda our: our.assistants.page(Page(limit=20)),
        lambda to: dashscope.Assistants.list(limit=20, order="desc", **to),
    ),
    "list, next page": (
        lambda our: our.assistants.page(Page(after="asst_9", limit=100)),
        lambda to: dashscope.Assistants.list(limit=100, order="desc", after="asst_9", **to),
    ),
    "retrieve": (
        lambda our: our.assistants.retrieve("asst_1111"),
        lambda to: dashscope.Assistants.retrieve("asst_1111", **to),
    ),
    "update of all": (
        lambda our: our.assistants.update("asst_1111", WHOLE),
        lambda to: dashscope.Assistants.update("asst_1111", **THEIR_FIELDS, **to),
    ),
    "delete": (
        lambda our: our.assistants.delete("asst_1111"),
        lambda to: dashscope.Assistants.delete("asst_1111", **to),
    ),
    "thread with metadata": (
        lambda our: our.threads.create({"k": "v"}),
        lambda to: dashscope.Threads.create(metadata={"k": "v"}, **to),
    ),
    "thread": (
        lambda our: our.threads.retrieve("thread_2222"),
        lambda to: dashscope.Threads.retrieve("thread_2222", **to),
    ),
    "update a thread": (
        lambda our: our.threads.set_metadata("thread_2222", {"k": "v2"}),
        lambda to: dashscope.Threads.update("thread_2222", metadata={"k": "v2"}, **to),
    ),
    "delete a thread": (
        lambda our: our.threads.delete("thread_2222"),
        lambda to: dashscope.Threads.delete("thread_2222", **to),
    ),
    "message": (
        lambda our: our.threads.add_message("thread_2222", "hello 你好"),
        lambda to: dashscope.Messages.create("thread_2222", content="hello 你好", **to),
    ),
    "message with files": (
        lambda our: our.threads.add_message("thread_2222", "hello", ["file_6666"]),
        lambda to: dashscope.Messages.create("thread_2222", content="hello", file_ids=["file_6666"], **to),
    ),
    "messages": (
        lambda our: our.threads.messages("thread_2222", Page(limit=3)),
        lambda to: dashscope.Messages.list("thread_2222", limit=3, order="desc", **to),
    ),
    "one message": (
        lambda our: our.threads.message("thread_2222", "message_3333"),
        lambda to: dashscope.Messages.retrieve("message_3333", thread_id="thread_2222", **to),
    ),
    "run as a stream": (
        lambda our: _opened(our.threads.run("thread_2222", "asst_1111")),
        lambda to: [*dashscope.Runs.create("thread_2222", assistant_id="asst_1111", stream=True, **to)],
    ),
    "run with changes": (
        lambda our: _opened(
            our.threads.run(
                "thread_2222", "asst_1111", truncation_strategy={"type": "last_messages", "last_messages": 4}
            )
        ),
        lambda to: [
            *dashscope.Runs.create(
                "thread_2222",
                assistant_id="asst_1111",
                stream=True,
                extra_body={"truncation_strategy": {"type": "last_messages", "last_messages": 4}},
                **to,
            )
        ],
    ),
    "runs": (
        lambda our: our.threads.runs("thread_2222", Page(limit=5)),
        lambda to: dashscope.Runs.list("thread_2222", limit=5, order="desc", **to),
    ),
    "one run": (
        lambda our: our.threads.retrieve_run("thread_2222", "run_4444"),
        lambda to: dashscope.Runs.retrieve("run_4444", thread_id="thread_2222", **to),
    ),
    "cancel": (
        lambda our: our.threads.cancel("thread_2222", "run_4444"),
        lambda to: dashscope.Runs.cancel("run_4444", thread_id="thread_2222", **to),
    ),
    "outputs": (
        lambda our: _opened(
            our.threads.submit("thread_2222", "run_4444", [ToolOutput("", "4.2 m"), ToolOutput("call_1", "{}")])
        ),
        lambda to: [
            *dashscope.Runs.submit_tool_outputs(
                "run_4444",
                thread_id="thread_2222",
                tool_outputs=[{"tool_call_id": "", "output": "4.2 m"}, {"tool_call_id": "call_1", "output": "{}"}],
                stream=True,
                **to,
            )
        ],
    ),
    "steps": (
        lambda our: our.threads.steps("thread_2222", "run_4444"),
        lambda to: dashscope.Steps.list("run_4444", thread_id="thread_2222", limit=100, order="asc", **to),
    ),
    "files": (
        lambda our: our.files.page(2, 10),
        lambda to: dashscope.Files.list(2, 10, **to),
    ),
    "one file": (
        lambda our: our.files.retrieve("file_6666"),
        lambda to: dashscope.Files.get("file_6666", **to),
    ),
    "delete a file": (
        lambda our: our.files.delete("file_6666"),
        lambda to: dashscope.Files.delete("file_6666", **to),
    ),
}


async def captured(recorder: Recorder, ours: Ours, theirs: Theirs) -> tuple[Captured, Captured]:
    """The request of each for the same operation."""
    endpoint = parse_endpoint(f"http://{recorder.address}", "test")
    service = DashScope(RestClient(endpoint, FixedKey(AccessKey("", Secret(KEY))), workspace=WORKSPACE))
    with suppress(ServiceError):
        await ours(service)
    await service.aclose()
    to = {"api_key": KEY, "workspace": WORKSPACE, "base_address": f"http://{recorder.address}/api/v1"}
    await asyncio.to_thread(theirs, to)
    our, their = recorder.requests
    return our, their


@pytest.mark.parametrize("name", sorted(CASES))
async def test_the_same_request(name: str, recorder: Recorder) -> None:
    our, their = await captured(recorder, *CASES[name])
    assert shape(our) == shape(their)


async def test_an_upload_is_the_same_form(recorder: Recorder, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("tide table\n")
    our, their = await captured(
        recorder,
        lambda our: our.files.upload("a.txt", b"tide table\n", "tides"),
        lambda to: dashscope.Files.upload(str(path), purpose="assistants", description="tides", **to),
    )

    def parts(request: Captured) -> list[bytes]:
        boundary = request.headers["content-type"].partition("boundary=")[2].encode()
        found = request.body.replace(b"\r\nContent-Type: text/plain", b"").split(b"--" + boundary)
        return sorted(found)

    assert (our.method, our.path) == (their.method, their.path)
    assert parts(our) == parts(their)


async def test_a_minimal_assistant_sends_no_empty_fields(recorder: Recorder) -> None:
    our, their = await captured(
        recorder,
        lambda our: our.assistants.create(AssistantChange(model="qwen-plus")),
        lambda to: dashscope.Assistants.create(model="qwen-plus", **to),
    )
    assert body(our) == {"model": "qwen-plus"}
    assert body(their) == {"model": "qwen-plus", "file_ids": [], "metadata": None}


async def test_an_update_sends_what_was_changed_and_nothing_else(recorder: Recorder) -> None:
    """The SDK's update of a name wipes the files and the metadata."""
    our, their = await captured(
        recorder,
        lambda our: our.assistants.update("asst_1111", AssistantChange(name="X")),
        lambda to: dashscope.Assistants.update("asst_1111", name="X", **to),
    )
    assert body(our) == {"name": "X"}
    assert body(their) == {"name": "X", "file_ids": [], "metadata": None}


async def test_an_update_can_clear_what_the_sdk_cannot(recorder: Recorder) -> None:
    change = AssistantChange(name="", instructions="", temperature=None, metadata={})
    our, their = await captured(
        recorder,
        lambda our: our.assistants.update("asst_1111", change),
        lambda to: dashscope.Assistants.update("asst_1111", name="", instructions="", metadata={}, **to),
    )
    assert body(our) == {"name": "", "instructions": "", "temperature": None, "metadata": {}}
    assert body(their) == {"file_ids": [], "metadata": {}}


async def test_a_plain_thread_is_an_object(recorder: Recorder) -> None:
    our, their = await captured(
        recorder,
        lambda our: our.threads.create(),
        lambda to: dashscope.Threads.create(**to),
    )
    assert body(our) == {}
    assert body(their) == ""


async def test_an_id_stays_in_its_place(recorder: Recorder) -> None:
    """The SDK pastes it into the address."""
    endpoint = parse_endpoint(f"http://{recorder.address}", "test")
    service = DashScope(RestClient(endpoint, FixedKey(AccessKey("", Secret(KEY)))))
    with pytest.raises(ServiceError):
        await service.assistants.delete("../files/f")
    await service.aclose()
    to = {"api_key": KEY, "base_address": f"http://{recorder.address}/api/v1"}
    await asyncio.to_thread(lambda: dashscope.Assistants.delete("../files/f", **to))
    [their] = recorder.requests
    assert their.path == "/api/v1/files/f"
