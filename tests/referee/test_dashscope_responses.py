"""The client that the vendor's pages use for the Responses API (openai 3.54.0) against the sandbox.

The vendor's own library has none for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tui.sandbox.server import SandboxServer

MODEL = "qwen3.7-plus"
FUNCTION: Any = {
    "type": "function",
    "name": "big_add",
    "description": "Add to number",
    "parameters": {
        "type": "object",
        "properties": {"left": {"type": "integer"}, "right": {"type": "integer"}},
        "required": ["left", "right"],
    },
}
QUESTION = "Add 87787 to 788988737."


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(pace="unlimited") as server:
        yield server


@pytest.fixture
def sandbox(server: SandboxServer) -> SandboxServer:
    server.reset()
    return server


def settings(sandbox: SandboxServer) -> dict[str, Any]:
    info = sandbox.info.dashscope
    return {"api_key": info["api_key"], "base_url": info["compatible_base_url"], "max_retries": 0, "timeout": 10}


@pytest.fixture
def client(sandbox: SandboxServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(**settings(sandbox)) as client:
        yield client


def stream(client: openai.OpenAI, given: Any, **more: Any) -> list[Any]:
    return list(client.responses.create(model=MODEL, input=given, stream=True, **more))


def test_a_response(client: openai.OpenAI) -> None:
    made = client.responses.create(model=MODEL, input="echo 你好, sailor.", instructions="Be brief.", temperature=0.5)
    assert (made.status, made.output_text) == ("completed", "你好, sailor.")
    assert made.usage is not None
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens
    assert client.responses.retrieve(made.id).output_text == made.output_text
    items = client.responses.input_items.list(made.id)
    assert [item.type for item in items] == ["message"]
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


async def test_a_response_by_the_asynchronous_client(sandbox: SandboxServer) -> None:
    async with openai.AsyncOpenAI(**settings(sandbox)) as client:
        made = await client.responses.create(model=MODEL, input="echo x")
        assert (await client.responses.retrieve(made.id)).output_text == "x"
        kinds = [event.type async for event in await client.responses.create(model=MODEL, input="hello", stream=True)]
        assert kinds[-1] == "response.completed"
        await client.responses.delete(made.id)


def test_a_stream(client: openai.OpenAI) -> None:
    """Every event becomes one of its types; the deltas are the whole text."""
    events = stream(client, "hello")
    assert all(type(event).__name__ != "BaseModel" for event in events)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[0].response.status == "queued"
    done = events[-1]
    assert done.type == "response.completed"
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert done.response.output_text == text
    assert [item.type for item in done.response.output] == ["reasoning", "message"]
    thought = "".join(event.delta for event in events if event.type == "response.reasoning_text.delta")
    assert done.response.output[0].content[0].text == thought


def test_its_accumulator(client: openai.OpenAI) -> None:
    """`responses.stream` checks the order of events while it joins them."""
    with client.responses.stream(model=MODEL, input="search the news", tools=[{"type": "web_search"}]) as events:
        kinds = [event.type for event in events]
        final = events.get_final_response()
    assert "response.web_search_call.searching" in kinds
    assert [item.type for item in final.output] == ["reasoning", "web_search_call", "message"]
    assert "sandbox data" in final.output_text


@pytest.mark.parametrize("fault", ["", "argument-deltas", "plain-frames", "crlf", "split-utf8", "id-lines", "gzip"])
def test_a_function_and_its_output(sandbox: SandboxServer, client: openai.OpenAI, fault: str) -> None:
    if fault:
        sandbox.set_faults(f"{fault}@CreateResponse")
    events = stream(client, QUESTION, tools=[FUNCTION])
    call = next(event.item for event in events if event.type == "response.output_item.done")
    arguments = json.loads(call.arguments)
    output = {"type": "function_call_output", "call_id": call.call_id, "output": str(sum(arguments.values()))}
    first = events[-1].response
    answer = stream(client, [output], previous_response_id=first.id, tools=[FUNCTION])
    assert "789076524" in answer[-1].response.output_text
    whole: Any = [{"role": "user", "content": QUESTION}, call.to_dict(), output]
    again = client.responses.create(model=MODEL, input=whole, tools=[FUNCTION])
    assert "789076524" in again.output_text


def test_a_chain(client: openai.OpenAI) -> None:
    first = client.responses.create(model=MODEL, input="the first")
    second = client.responses.create(model=MODEL, input="recall", previous_response_id=first.id)
    assert "the first" in second.output_text


@pytest.mark.parametrize("question", ["bench 5", "tools 4", "empty", "long 10", "recall", "settings", "code"])
def test_whatever_is_asked_it_reads_the_stream(client: openai.OpenAI, question: str) -> None:
    events = stream(client, question, tools=[{"type": "web_search"}, {"type": "code_interpreter", "container": "x"}])
    assert events[-1].type == "response.completed"


def test_ends_before_their_time(sandbox: SandboxServer, client: openai.OpenAI) -> None:
    failed = stream(client, "error")[-1]
    assert (failed.type, failed.response.error.code) == ("response.failed", "server_error")
    cut = stream(client, "long 2", max_output_tokens=16)[-1]
    assert (cut.type, cut.response.incomplete_details.reason) == ("response.incomplete", "max_output_tokens")
    sandbox.fault_once("limit-200")
    limited = client.responses.create(model=MODEL, input="hello")
    assert limited.error is not None
    assert (limited.status, limited.error.code, limited.model) == ("failed", "server_error", "")
    sandbox.fault_once("error-frame@CreateResponse=8")
    last = stream(client, "hello")[-1]
    assert (last.type, last.code) == ("error", "Throttling.RateQuota")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("refuse=InvalidApiKey", openai.AuthenticationError),
        ("no-permission", openai.PermissionDeniedError),
        ("throttled", openai.RateLimitError),
        ("http-500", openai.InternalServerError),
        ("moderation", openai.BadRequestError),
        ("compatible-errors,refuse=Arrearage", openai.BadRequestError),
    ],
)
def test_refusals(
    sandbox: SandboxServer, client: openai.OpenAI, fault: str, error: type[openai.APIStatusError]
) -> None:
    sandbox.fault_once(*(f"{h}@CreateResponse{e}{t}" for h, e, t in (one.partition("=") for one in fault.split(","))))
    with pytest.raises(error):
        client.responses.create(model=MODEL, input="hello")


def test_an_expired_chain(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="expired"):
        client.responses.create(model=MODEL, input="hello", previous_response_id="resp_none")


def test_files_of_the_compatible_mode(client: openai.OpenAI) -> None:
    made = client.files.create(file=("a.txt", b"abc"), purpose="file-extract")  # type: ignore[arg-type]
    assert (made.filename, made.bytes, made.status) == ("a.txt", 3, "processed")
    assert client.files.retrieve(made.id).id == made.id
    assert [file.id for file in client.files.list()] == [made.id]
    assert client.files.delete(made.id).deleted
    with pytest.raises(openai.BadRequestError):
        client.files.retrieve(made.id)
