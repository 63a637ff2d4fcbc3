"""The bodies of the Responses API, and a conversation as its input; no I/O. Source: protocol notes (DashScope) 9.1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tui.models import AskBlock, Block, TextBlock, ToolBlock, Turn
from tui.services.assistant_models import AssistantProfile, FunctionTool, Tool

ID_PREFIX = "resp_"
DEFAULT_MODEL = "qwen-plus"
"""Of a conversation that names neither profile nor model."""

Item = dict[str, Any]


def flat_tool(tool: Tool) -> Item:
    """A tool in the form of this API: a function's name, description and parameters stand beside its type."""
    if isinstance(tool, FunctionTool):
        function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
        return {"type": "function", **function, **tool.extra}
    return {"type": tool.type, **tool.extra}


def request_body(profile: AssistantProfile, items: Sequence[Item], previous: str = "") -> dict[str, Any]:
    """A streamed request. Instructions and tools go with each one: `previous_response_id` does not carry them."""
    body: dict[str, Any] = {"model": profile.model or DEFAULT_MODEL, "input": list(items), "stream": True}
    if profile.instructions:
        body["instructions"] = profile.instructions
    if previous:
        body["previous_response_id"] = previous
    if profile.tools:
        body["tools"] = [flat_tool(tool) for tool in profile.tools]
    for name in ("temperature", "top_p", "max_output_tokens"):
        if (value := getattr(profile, name)) is not None:
            body[name] = value
    if profile.thinking is not None:
        body["enable_thinking"] = profile.thinking
    return body


def message(role: str, text: str) -> Item:
    return {"role": role, "content": text}


def outputs_of(calls: Iterable[str], outputs: Iterable[str]) -> list[Item]:
    """The outputs of functions, by their calls' ids."""
    return [
        {"type": "function_call_output", "call_id": call, "output": output}
        for call, output in zip(calls, outputs, strict=True)
    ]


def turn_items(question: str, blocks: Sequence[Block], outputs: Mapping[str, str] | None = None) -> list[Item]:
    """A turn as input: the question, the calls with their outputs and the text, in the order in which they came.

    A call without an output is left out, as the service takes none. `outputs` are those that are given only now.
    """
    given = outputs or {}
    asks = [block for block in blocks if isinstance(block, AskBlock) and block.kind == "tool_outputs"]
    # Those of a run on the Assistants API go by ids of our own, which have a colon.
    functions = {call.call_id for ask in asks for call in ask.calls if ":" not in call.call_id}
    items = [message("user", question)] if question else []
    for block in blocks:
        if isinstance(block, TextBlock) and block.text.strip():
            items.append(message("assistant", block.text))
        elif isinstance(block, ToolBlock) and block.call_id in functions:
            output = given.get(block.call_id, block.result if block.status == "done" else "")
            if not output and block.call_id not in given:
                continue
            call = {"call_id": block.call_id, "name": block.name, "arguments": block.arguments or "{}"}
            items += [{"type": "function_call", **call}, *outputs_of([block.call_id], [output])]
    return items


def chained(history: Sequence[Turn]) -> tuple[str, list[Item]]:
    """What goes before a new question: the newest response to build on, and what has come since it.

    Only a response that ended well is built on: one that was stopped, failed or still waits for outputs is not
    whole on the service.
    """
    for index in range(len(history) - 1, -1, -1):
        turn = history[index]
        response = turn.ids.message
        if turn.state == "done" and response.startswith(ID_PREFIX) and response != ID_PREFIX:
            return turn.ids.message, local_items(history[index + 1 :])
    return "", local_items(history)


def local_items(history: Sequence[Turn]) -> list[Item]:
    """Turns as they are held here; questions that never arrived are left out."""
    items: list[Item] = []
    for turn in history:
        unsent = turn.state == "queued" or (
            turn.state == "failed" and not turn.blocks and (turn.problem is None or turn.problem.delivered != "yes")
        )
        if not unsent:
            items += turn_items(turn.question, turn.blocks)
    return items
