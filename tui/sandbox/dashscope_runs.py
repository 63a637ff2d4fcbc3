"""Runs and their steps (protocol notes, section 3.4)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tui.sandbox import dashscope_checks as checks
from tui.sandbox.call import drop_after_accept
from tui.sandbox.dashscope_assistants import check_model
from tui.sandbox.dashscope_call import DashCall, page, reply
from tui.sandbox.dashscope_records import Assistant, Json, Run, Step, Thread, new_id
from tui.sandbox.dashscope_refusals import Refused, gone, invalid
from tui.sandbox.dashscope_state import DashScope
from tui.sandbox.dashscope_stream import stream_run
from tui.sandbox.dashscope_threads import check_idle, new_thread
from tui.sandbox.dashscope_turn import Frame


async def create(agents: DashScope, call: DashCall) -> web.StreamResponse:
    thread = agents.thread(call.account, call.path("thread"))
    check_idle(thread, call)
    body = call.fields()
    run = _new_run(agents, call, thread, body)
    if not thread.messages:
        raise invalid("messages must not be empty.")
    return await _begin(agents, call, thread, run, body)


async def create_with_thread(agents: DashScope, call: DashCall) -> web.StreamResponse:
    """POST /threads/runs: the stream begins with the thread."""
    body = call.fields()
    _assistant(agents, call, body)
    given = body.get("thread")
    if not isinstance(given, dict) or not given.get("messages"):
        raise invalid("messages must not be empty.")
    thread = new_thread(agents, call, given)
    run = _new_run(agents, call, thread, body)
    made = Frame("thread.created", {**thread.wire(), "request_id": call.request_id})
    return await _begin(agents, call, thread, run, body, made)


def _assistant(agents: DashScope, call: DashCall, body: Json) -> Assistant:
    name = checks.text("assistant_id", body.get("assistant_id"))
    if not name:
        raise invalid("assistant_id is required.")
    return agents.assistant(call.account, name)


def _new_run(agents: DashScope, call: DashCall, thread: Thread, body: Json) -> Run:
    """A run with the assistant's fields, or what the body has in their place."""
    assistant = _assistant(agents, call, body)
    fields = {**assistant.fields, "truncation_strategy": checks.truncation(body.get("truncation_strategy"))}
    if body.get("model"):
        fields["model"] = check_model(body["model"])
    if body.get("instructions"):
        fields["instructions"] = checks.text("instructions", body["instructions"])
    if more := checks.text("additional_instructions", body.get("additional_instructions")):
        fields["instructions"] = f"{fields['instructions']}\n{more}".strip()
    given = checks.tools("tools", body.get("tools"))
    if given or (body.get("tools") == [] and "empty-tools-keep" not in call.faults):
        fields["tools"] = given
    for name, check in checks.SAMPLING.items():
        if body.get(name) is not None:
            fields[name] = check(name, body[name])
    fields["tool_choice"] = body.get("tool_choice")
    metadata = checks.metadata("metadata", body.get("metadata"))
    return Run(new_id("run"), thread.id, assistant.id, agents.stamp(), fields, metadata)


async def _begin(
    agents: DashScope, call: DashCall, thread: Thread, run: Run, body: Json, first: Frame | None = None
) -> web.StreamResponse:
    thread.runs.append(run)
    agents.counts["runs"] += 1
    play = agents.begin_run(thread, run, call.request_id, call.faults)
    agents.threads.save(thread)
    drop_after_accept(call.request, call.faults)
    if body.get("stream") and "stream-json" not in call.faults:
        return await stream_run(agents, call, play, first)
    return reply(call, run.created_wire())


async def list_all(agents: DashScope, call: DashCall) -> web.StreamResponse:
    thread = agents.thread(call.account, call.path("thread"))
    return page(call, thread.runs, lambda run: run.id, Run.wire, unset=0)


def _run(agents: DashScope, call: DashCall) -> tuple[Thread, Run]:
    return agents.run(call.account, call.path("thread"), call.path("run"))


async def retrieve(agents: DashScope, call: DashCall) -> web.StreamResponse:
    return reply(call, _run(agents, call)[1].wire(), unset=0)


async def update(agents: DashScope, call: DashCall) -> web.StreamResponse:
    """Its metadata is all that can change."""
    thread, run = _run(agents, call)
    body = call.fields()
    if "metadata" in body and not (body["metadata"] is None and "null-keeps" in call.faults):
        run.metadata = checks.metadata("metadata", body["metadata"])
    agents.threads.save(thread)
    return reply(call, run.wire(), unset=0)


async def submit(agents: DashScope, call: DashCall) -> web.StreamResponse:
    """All outputs of the functions in one request; by their ids, or in order where ids are empty."""
    thread, run = _run(agents, call)
    if run.status != "requires_action":
        raise invalid(f"Run {run.id} is {run.status} and waits for no tool outputs.")
    body = call.fields()
    run.rounds.append(_outputs(run, call, body.get("tool_outputs")))
    agents.counts["submits"] += 1
    old = run.wire()
    play = agents.begin_run(thread, run, call.request_id, call.faults, again=True)
    run.status = "in_progress"
    agents.threads.save(thread)
    drop_after_accept(call.request, call.faults)
    if body.get("stream") and "stream-json" not in call.faults:
        return await stream_run(agents, call, play)
    # required_action is still there: only the status tells that it is answered.
    gone_action = {"required_action": None} if "required-action-gone" in call.faults else {}
    return reply(call, {**old, "status": "in_progress", **gone_action}, unset=0)


def _outputs(run: Run, call: DashCall, given: Any) -> list[Json]:
    """Name, arguments and output of each call, in the order of the calls."""
    if not isinstance(given, list) or not given or not all(isinstance(one, dict) for one in given):
        raise invalid("tool_outputs must be a non-empty array of objects.")
    if not all(isinstance(one.get("output"), str) for one in given):
        raise invalid("output must be a string.")
    calls = run.calls
    if len(given) != len(calls) and not ("partial-outputs" in call.faults and len(given) < len(calls)):
        raise invalid(f"tool_outputs must have all {len(calls)} outputs in one request, got {len(given)}.")
    by_id = {one["id"]: one for one in calls if one["id"]}
    made: list[Json] = []
    for number, one in enumerate(given):
        name = one.get("tool_call_id") or ""
        if name and name not in by_id:
            raise invalid(f"tool_call_id {name} does not exist in this run.")
        function = (by_id.get(name) or calls[number])["function"]
        made.append({"name": function["name"], "arguments": function["arguments"], "output": one["output"]})
    return made


async def cancel(agents: DashScope, call: DashCall) -> web.StreamResponse:
    """By the vendor's own pages there is no such operation; it works when it is switched on."""
    thread, run = _run(agents, call)
    call.world.counts.stops[run.id] += 1
    if "cancel-works" not in call.faults:
        raise Refused("UnsupportedOperation", "Cancelling a run is not supported. (sandbox data)")
    if not run.is_active:
        raise invalid(f"Run {run.id} is {run.status} and cannot be cancelled.")
    play = agents.plays.get(run.id)
    if play is None or play.over:
        agents.end_run(thread, run, "cancelled")
    else:
        run.status = "cancelling"
        play.stop("cancelled")
    agents.threads.save(thread)
    return reply(call, run.wire(), unset=0)


# --- steps -----------------------------------------------------------------------------------------------------


async def list_steps(agents: DashScope, call: DashCall) -> web.StreamResponse:
    """Times that are not set are -1 in the vendor's sample of this list."""
    run = _run(agents, call)[1]
    return page(call, run.steps, lambda step: step.id, lambda step: step.wire(run), unset=-1)


async def retrieve_step(agents: DashScope, call: DashCall) -> web.StreamResponse:
    run, name = _run(agents, call)[1], call.path("step")
    step: Step | None = next((one for one in run.steps if one.id == name), None)
    if step is None:
        raise gone("Step", name)
    return reply(call, step.wire(run))
