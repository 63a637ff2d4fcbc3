"""Conversations, messages and feedback (protocol notes, sections 2.3 to 2.5 and 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from aiohttp import web

from tui.sandbox.call import Call, reply
from tui.sandbox.records import Conversation, Message
from tui.sandbox.refusals import invalid_parameter
from tui.sandbox.wire import utc_text

Item = TypeVar("Item", Conversation, Message)


def time_text(call: Call, seconds: float) -> str:
    """A time as this API writes it in lists: seconds since 1970, in a string."""
    if "iso-timestamps" in call.faults:
        return utc_text(seconds)
    return str(int(seconds * 1000) if "ms-timestamps" in call.faults else int(seconds))


def conversation_of(call: Call, conversation_id: str) -> Conversation:
    """The caller's own conversation of that id.

    Raises:
        Refusal: InvalidParameter; another account's conversation is not known either.
    """
    found = call.world.conversations.get(conversation_id)
    if found is None or found.account != call.account:
        raise invalid_parameter(f"ConversationId {conversation_id} does not exist.")
    return found


def _page(call: Call, items: Sequence[Item], after: str, limit: int) -> tuple[Sequence[Item], bool]:
    """The part of `items` that follows the one with the id `after`, and whether there is more."""
    start = 0
    if after and "endless-pages" not in call.faults:
        position = next((index for index, item in enumerate(items) if item.id == after), None)
        if position is None:
            raise invalid_parameter(f"{after} is not in the list.")
        start = position + ("overlapping-pages" not in call.faults)
    more = start + limit < len(items) or ("endless-pages" in call.faults and bool(items))
    return items[start : start + limit], more


async def get_conversations(call: Call) -> web.Response:
    """A page of the account's conversations, the one changed last first; HasMore is a string."""
    limit = call.whole("Limit", 100, 1, 100)
    sort_by = call.text("SortBy")
    if sort_by and "sortby-empty" in call.faults:
        return web.json_response({})
    pinned = call.flag("Pinned")
    conversations = call.world.of_account(call.account) if not pinned else []
    if sort_by == "CreatedAt":
        conversations.sort(key=lambda c: c.created_at, reverse=True)
    page, more = _page(call, conversations, call.text("LastId"), limit)
    data = [
        {
            "Id": conversation.id,
            "Name": conversation.name,
            "Introduction": "",
            "CreatedAt": time_text(call, conversation.created_at),
            "UpdatedAt": time_text(call, conversation.updated_at),
            "IsRunning": conversation.is_running,
            "Status": conversation.status,
        }
        for conversation in page
    ]
    has_more = more if "has-more-bool" in call.faults else str(more).lower()
    return reply(call, {"Data": data, "HasMore": has_more, "Limit": limit})


async def get_messages(call: Call) -> web.Response:
    """A page of a conversation's messages, oldest first in the page; `FirstId` leads to older ones."""
    conversation = conversation_of(call, call.required("ConversationId"))
    limit = call.whole("Limit", 100, 1, 100)
    separate = call.text("EventMode", "inline") == "separate"
    newest_first = conversation.messages[::-1] if "history-empty" not in call.faults else []
    page, more = _page(call, newest_first, call.text("FirstId"), limit)
    ordered = page if "newest-first" in call.faults else page[::-1]
    lag = call.faults.count("history-lags") or 0
    newest = newest_first[0].id if newest_first else ""
    data = [_message(call, message, separate, lag if message.id == newest else 0) for message in ordered]
    return reply(call, {"Data": data, "HasMore": more, "Limit": limit})


def _message(call: Call, message: Message, separate: bool, lag: int) -> dict[str, object]:
    answer = message.answer if separate and message.separate else message.inline_answer
    answer = answer[: max(0, len(answer) - lag)]
    events = [_event(message, frame) for frame in message.events] if separate else []
    if "no-answer-field" in call.faults:
        events.append(_event(message, {"Event": "message", "Answer": answer}))
    fields: dict[str, object] = {
        "Id": message.id,
        "ConversationId": message.conversation_id,
        "Query": message.query,
        "Answer": answer,
        "CreatedAt": time_text(call, message.created_at),
        "Feedback": message.feedback,
        "RetrieverResources": [],
        "MessageFiles": [],
        "Events": events,
        "GenerationStatus": message.status,
        "GenerationStartedAt": time_text(call, message.created_at),
        "GenerationFinishedAt": time_text(call, message.finished_at) if message.finished_at else "",
        "StreamKey": f"sandbox:{message.task_id}",
        "LastSentEntryId": str(len(message.answer)),
    }
    if "no-answer-field" in call.faults:
        del fields["Answer"]
    return fields


def _event(message: Message, frame: dict[str, object]) -> dict[str, object]:
    """An event of the history: the keys `event` and `answer` are in lower case, the others are not."""
    names = {"Event": "event", "Answer": "answer"}
    spelt = {names.get(name, name): value for name, value in frame.items() if name != "CreatedAt"}
    return {**spelt, "ConversationId": message.conversation_id, "MessageId": message.id}


async def modify_feedbacks(call: Call) -> web.Response:
    """Rate a message of the caller."""
    message_id = call.required("MessageId")
    rating = call.text("Rating")
    if rating not in ("like", "dislike"):
        raise invalid_parameter("Rating must be like or dislike.")
    for conversation in call.world.of_account(call.account):
        for message in conversation.messages:
            if message.id == message_id:
                message.feedback, message.feedback_text = rating, call.text("Content")
                call.world.conversations.save(conversation)
                return reply(call, {"Result": "success"})
    raise invalid_parameter(f"MessageId {message_id} does not exist.")
