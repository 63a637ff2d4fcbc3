"""Threads and messages (protocol notes, sections 3.2, 3.3 and 5). There is no list of threads, and no message goes."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tui.sandbox import dashscope_checks as checks
from tui.sandbox.call import drop_after_accept
from tui.sandbox.dashscope_call import DashCall, page, reply
from tui.sandbox.dashscope_records import Json, Message, Thread, new_id, text_part
from tui.sandbox.dashscope_refusals import Refused, gone, invalid
from tui.sandbox.dashscope_state import DashScope


async def create(agents: DashScope, call: DashCall) -> web.StreamResponse:
    """Nothing, null, {} and the JSON string "" (as the official SDK sends it) are all an empty thread."""
    thread = new_thread(agents, call, call.body or {})
    drop_after_accept(call.request, call.faults)
    return reply(call, thread.wire())


def new_thread(agents: DashScope, call: DashCall, body: Any) -> Thread:
    """A thread with the messages of `body`.

    Raises:
        Refused: one of them is not valid; then there is no thread.
    """
    if not isinstance(body, dict):
        raise invalid("thread must be an object.")
    given = body.get("messages")
    if given is not None and not isinstance(given, list):
        raise invalid("messages must be an array.")
    thread = Thread(new_id("thread"), call.account, agents.stamp(), checks.metadata("metadata", body.get("metadata")))
    thread.messages = [_new_message(agents, call, thread, one) for one in given or ()]
    for message in thread.messages:
        _count(call, message)
    agents.threads.save(thread)
    agents.counts["threads created"] += 1
    return thread


async def retrieve(agents: DashScope, call: DashCall) -> web.StreamResponse:
    return reply(call, agents.thread(call.account, call.path("thread")).wire())


async def update(agents: DashScope, call: DashCall) -> web.StreamResponse:
    thread = agents.thread(call.account, call.path("thread"))
    thread.metadata = _new_metadata(call, thread.metadata)
    agents.threads.save(thread)
    return reply(call, thread.wire())


async def delete(agents: DashScope, call: DashCall) -> web.StreamResponse:
    """Its messages, runs and steps go with it."""
    thread = agents.thread(call.account, call.path("thread"))
    for run in thread.runs:
        if play := agents.plays.get(run.id):
            play.stop("lost")
    agents.threads.remove(thread)
    agents.counts["threads deleted"] += 1
    return reply(call, {"id": thread.id, "object": "thread.deleted", "deleted": True})


def _new_metadata(call: DashCall, old: Json) -> Json:
    """What `metadata` of the body makes of the old: null clears, unless that is switched off."""
    body = call.fields()
    if "metadata" not in body or (body["metadata"] is None and "null-keeps" in call.faults):
        return old
    return checks.metadata("metadata", body["metadata"])


# --- messages --------------------------------------------------------------------------------------------------


def _new_message(agents: DashScope, call: DashCall, thread: Thread, body: Any) -> Message:
    if not isinstance(body, dict):
        raise invalid("a message must be an object.")
    role = body.get("role")
    if role not in ("user", "assistant") or (role == "assistant" and "any-role" not in call.faults):
        raise invalid(f"role must be user, got {role!r}.")
    files = checks.file_ids("file_ids", body.get("file_ids"))
    for name in files:
        agents.file(call.account, name)
    message = Message(new_id("message"), thread.id, agents.stamp(), role, _content(body.get("content")))
    message.file_ids, message.metadata = files, checks.metadata("metadata", body.get("metadata"))
    return message


def _content(given: Any) -> list[Json]:
    """Parts, of a string or of parts in either form."""
    if isinstance(given, str) and given:
        return [text_part(given)]
    if not isinstance(given, list) or not given:
        raise Refused("BadRequest.EmptyInput")
    parts = []
    for part in given:
        text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
        text = text.get("value") if isinstance(text, dict) else text
        if not isinstance(text, str):
            raise invalid("content must be a string or parts of text.")
        parts.append(text_part(text))
    return parts


def _count(call: DashCall, message: Message) -> None:
    call.world.counts.accepted[message.text] += 1


def check_idle(thread: Thread, call: DashCall) -> None:
    """Refuse what would come between a run and its end (undocumented; as other services do)."""
    run = thread.active_run
    if run and "busy-allowed" not in call.faults:
        raise invalid(f"Thread {thread.id} already has an active run {run.id}.")


async def create_message(agents: DashScope, call: DashCall) -> web.StreamResponse:
    thread = agents.thread(call.account, call.path("thread"))
    check_idle(thread, call)
    message = _new_message(agents, call, thread, call.fields())
    thread.messages.append(message)
    _count(call, message)
    agents.threads.save(thread)
    drop_after_accept(call.request, call.faults)
    if "accepted-500" in call.faults:
        raise Refused("InternalError")
    return reply(call, message.wire())


async def list_messages(agents: DashScope, call: DashCall) -> web.StreamResponse:
    thread = agents.thread(call.account, call.path("thread"))
    lacking = call.faults.count("history-lags")
    newest = next((one for one in reversed(thread.messages) if one.role == "assistant"), None)

    def wire(message: Message) -> Json:
        made = message.wire()
        if lacking and message is newest:
            made["content"] = [text_part(message.text[:-lacking])]
        return made

    found = [] if "history-empty" in call.faults else thread.messages
    return page(call, found, lambda one: one.id, wire)


def _message(agents: DashScope, call: DashCall) -> tuple[Thread, Message]:
    thread = agents.thread(call.account, call.path("thread"))
    name = call.path("message")
    message = next((one for one in thread.messages if one.id == name), None)
    if message is None:
        raise gone("Message", name)
    return thread, message


async def retrieve_message(agents: DashScope, call: DashCall) -> web.StreamResponse:
    return reply(call, _message(agents, call)[1].wire())


async def update_message(agents: DashScope, call: DashCall) -> web.StreamResponse:
    """Its metadata is all that can change."""
    thread, message = _message(agents, call)
    message.metadata = _new_metadata(call, message.metadata)
    agents.threads.save(thread)
    return reply(call, message.wire())


def _message_file(message: Message, name: str) -> Json:
    return {
        "id": name,
        "object": "thread.message.file",
        "created_at": message.created_at,
        "message_id": message.id,
    }


async def list_message_files(agents: DashScope, call: DashCall) -> web.StreamResponse:
    message = _message(agents, call)[1]
    return page(call, message.file_ids, str, lambda name: _message_file(message, name))


async def retrieve_message_file(agents: DashScope, call: DashCall) -> web.StreamResponse:
    message, name = _message(agents, call)[1], call.path("file")
    if name not in message.file_ids:
        raise gone("File", name)
    return reply(call, _message_file(message, name))
