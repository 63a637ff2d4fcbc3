"""The Responses API of the compatible mode (protocol notes, section 9.1)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

from aiohttp import web

from tui.sandbox import dashscope_checks as checks
from tui.sandbox.call import drop_after_accept
from tui.sandbox.dashscope_assistants import check_model
from tui.sandbox.dashscope_call import DashCall, page, reply_as
from tui.sandbox.dashscope_records import Json
from tui.sandbox.dashscope_refusals import Refused, invalid
from tui.sandbox.dashscope_state import DashScope
from tui.sandbox.dashscope_stream import write_stream
from tui.sandbox.dashscope_turn import Play
from tui.sandbox.responses_records import StoredResponse, nested_tools, read_input, text_of

LIFE = 7 * 24 * 3600.0
"""Seconds that a response is kept."""
_EFFORTS = (None, "none", "minimal", "low", "medium", "high", "xhigh")
_IGNORED = ("input", "stream")


async def create(agents: DashScope, call: DashCall) -> web.StreamResponse:
    body = call.fields()
    response = _new_response(agents, call, body)
    if "limit-200" in call.faults:
        return await _limited(agents, call, response, bool(body.get("stream")))
    context = [*_history(agents, call, response.previous), *response.input]
    _check_outputs(call, response, context)
    if _newest(response):
        call.world.counts.accepted[_newest(response)] += 1
    agents.counts["responses created"] += 1
    agents.counts["submits"] += any(item["type"] == "function_call_output" for item in response.input)
    agents.responses.save(response)
    # Imported with the first response: an app that embeds the sandbox starts without it.
    from tui.sandbox.responses_play import ResponsePlay

    script = ResponsePlay(agents, response, context, call.faults)
    play = agents.begin(response.id, script.begin(), script, call.faults)
    drop_after_accept(call.request, call.faults)
    if body.get("stream") and "stream-json" not in call.faults:
        return await _stream(agents, call, play)
    await play.log.wait()
    return reply_as(call, response.wire())


def _new_response(agents: DashScope, call: DashCall, body: Json) -> StoredResponse:
    """A response with what the body asks for.

    Raises:
        Refused: something in it is not valid.
    """
    check_model(body.get("model"))
    checks.text("instructions", body.get("instructions"))
    checks.metadata("metadata", body.get("metadata"))
    checks.number(0, 2, below=True)("temperature", body.get("temperature"))
    checks.number(0, 1)("top_p", body.get("top_p"))
    checks.number(16, 1_000_000, whole=True)("max_output_tokens", body.get("max_output_tokens"))
    nested_tools(body.get("tools"))
    if body.get("top_p") == 0:
        raise invalid("top_p must be greater than 0.")
    reasoning = body.get("reasoning") or {}
    if not isinstance(reasoning, dict) or reasoning.get("effort") not in _EFFORTS:
        raise invalid("reasoning.effort must be one of none, minimal, low, medium, high.")
    if body.get("previous_response_id") and body.get("conversation"):
        raise invalid("previous_response_id and conversation exclude each other.")
    if body.get("conversation"):
        raise invalid("conversation does not exist.")
    items = read_input(body.get("input"))
    request = {name: value for name, value in body.items() if name not in _IGNORED and value is not None}
    return StoredResponse(f"resp_{uuid.uuid4()}", call.account, agents.stamp(), request, items)


def _newest(response: StoredResponse) -> str:
    """The question that the request ends with; empty where it ends with something else."""
    last = response.input[-1]
    return text_of([last]) if last["type"] == "message" and last["role"] == "user" else ""


def _check_outputs(call: DashCall, response: StoredResponse, context: list[Json]) -> None:
    known = {item["call_id"] for item in context if item["type"] == "function_call"}
    outputs = [item["call_id"] for item in response.input if item["type"] == "function_call_output"]
    if outputs and response.previous and "no-chained-outputs" in call.faults:
        raise invalid("function_call_output cannot be given with previous_response_id.")
    for name in outputs:
        if name not in known:
            raise invalid(f"No tool call found for function call output with call_id {name}.")


def _find(agents: DashScope, call: DashCall, name: str) -> StoredResponse | None:
    """A response that is still kept."""
    found = agents.responses.get(name)
    life = call.faults.number("previous-life") or LIFE
    if found is None or found.account != call.account or not found.is_stored:
        return None
    return found if agents.world.seconds() - found.created_at / 1000 < life else None


def _history(agents: DashScope, call: DashCall, name: str) -> list[Json]:
    """All items of a response and of those before it, oldest first; instructions are not among them."""
    items: list[Json] = []
    while name:
        found = _find(agents, call, name)
        if found is None or "previous-expired" in call.faults:
            raise Refused(
                "InvalidParameter", f"Previous response with id {name} does not exist or has expired. (sandbox data)"
            )
        items = [*found.input, *found.output, *items]
        name = found.previous
    return items


async def _stream(agents: DashScope, call: DashCall, play: Play) -> web.StreamResponse:
    faults = call.faults

    async def events() -> AsyncIterator[tuple[str, object]]:
        async for frame in play.log.follow():
            if frame.event == "response.completed" and "no-run-end" in faults:
                continue
            yield frame.event, frame.data
            if "duplicate-frames" in faults and ".delta" not in frame.event:
                yield frame.event, frame.data
        if "response-done" in faults:
            yield "done", "[DONE]"

    return await write_stream(agents, call, events(), play, numbered="plain-frames" not in faults)


async def _limited(agents: DashScope, call: DashCall, response: StoredResponse, stream: bool) -> web.StreamResponse:
    """A rate limit, hidden in a 200."""
    call.world.counts.refused["server_error"] += 1
    message = "You exceeded your current requests list. (sandbox data)"
    told = {**response.wire(), "status": "failed", "model": "", "error": {"code": "server_error", "message": message}}
    if not stream or "stream-json" in call.faults:
        return reply_as(call, told)

    async def events() -> AsyncIterator[tuple[str, object]]:
        yield "response.failed", {"type": "response.failed", "sequence_number": 0, "response": told}

    return await write_stream(agents, call, events(), numbered="plain-frames" not in call.faults)


def _stored(agents: DashScope, call: DashCall) -> StoredResponse:
    name = call.path("response")
    found = _find(agents, call, name)
    if found is None:
        raise Refused("InvalidParameter", f"Response with id {name} not found. (sandbox data)", 404, gone=True)
    return found


async def retrieve(agents: DashScope, call: DashCall) -> web.StreamResponse:
    return reply_as(call, _stored(agents, call).wire())


async def delete(agents: DashScope, call: DashCall) -> web.StreamResponse:
    response = _stored(agents, call)
    agents.responses.remove(response)
    return reply_as(call, {"id": response.id, "object": "response.deleted", "deleted": True})


async def input_items(agents: DashScope, call: DashCall) -> web.StreamResponse:
    """Times in milliseconds, unlike those of the response."""
    response = _stored(agents, call)
    return page(
        call, response.input, lambda item: str(item["id"]), lambda item: {**item, "created_at": response.created_at}
    )
