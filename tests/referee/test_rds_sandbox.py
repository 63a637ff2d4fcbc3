"""The official RdsAi client against the sandbox: what it cannot read, the sandbox does not speak right."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio.to_thread
import pytest
from alibabacloud_rdsai20250507 import models
from darabonba.runtime import RuntimeOptions

from tui.sandbox.server import SandboxServer

Official = Callable[..., Any]
QUESTION = "why did replication lag rise on rm-bp1k3?"


def _request(query: str = QUESTION, conversation: str | None = None, **inputs: str) -> Any:
    return models.ChatMessagesRequest(
        query=query,
        conversation_id=conversation,
        event_mode="separate",
        inputs=models.ChatMessagesRequestInputs(region_id="cn-hangzhou", timezone="Asia/Shanghai", **inputs),
    )


def _ask(client: Any, query: str = QUESTION, conversation: str | None = None, **inputs: str) -> list[Any]:
    frames = client.chat_messages_with_sse(_request(query, conversation, **inputs), RuntimeOptions())
    return [frame.body for frame in frames]


async def _ask_async(client: Any, query: str, conversation: str | None = None) -> list[Any]:
    frames = client.chat_messages_with_sse_async(_request(query, conversation), RuntimeOptions())
    return [frame.body async for frame in frames]


def _text(frames: list[Any]) -> str:
    return "".join(frame.answer for frame in frames if frame.event == "message")


async def _refused(sandbox: SandboxServer, act: Callable[[], Any], code: str) -> None:
    """The official client raises its own error for `act`, and the sandbox knows what it refused."""
    with pytest.raises(Exception, match=r".") as caught:
        await anyio.to_thread.run_sync(act)
    assert code in str(caught.value) + str(getattr(caught.value, "code", ""))
    assert code in sandbox.state()["refused"]


def test_a_turn_is_streamed_and_the_history_has_the_same(sandbox: SandboxServer, official: Official) -> None:
    client = official()

    frames = _ask(client)

    assert [frames[0].event, frames[-1].event] == ["workflow_started", "workflow_finished"]
    assert {"thinking", "tool_call", "doc", "message"} <= {frame.event for frame in frames}
    for frame in frames:
        assert all((frame.conversation_id, frame.message_id, frame.task_id, frame.created_at, frame.request_id))
    assert "rm-bp1k3" in _text(frames)
    assert "sandbox data" in _text(frames)
    history = client.get_messages(
        models.GetMessagesRequest(conversation_id=frames[0].conversation_id, event_mode="separate")
    ).body
    (message,) = history.data
    assert message.answer == _text(frames)
    assert (message.query, message.id, message.generation_status) == (QUESTION, frames[0].message_id, "finished")
    assert {event.event for event in message.events} == {"thinking", "tool_call", "doc"}
    assert sandbox.state()["accepted"] == {QUESTION: 1}


async def test_a_turn_is_streamed_to_the_async_client(sandbox: SandboxServer, official: Official) -> None:
    client = official()

    frames = [
        f.body async for f in client.chat_messages_with_sse_async(_request("echo 你好, sandbox"), RuntimeOptions())
    ]

    assert _text(frames) == "你好, sandbox"
    conversation = frames[0].conversation_id
    again = await _ask_async(client, "主从延迟", conversation)
    assert again[0].conversation_id == conversation
    assert "你好, sandbox" in _text(again)
    assert "延迟" in _text(again)
    messages = (await client.get_messages_async(models.GetMessagesRequest(conversation_id=conversation))).body.data
    assert [message.query for message in messages] == ["echo 你好, sandbox", "主从延迟"]


def test_inline_mode_has_message_frames_only(official: Official) -> None:
    client = official()
    request = models.ChatMessagesRequest(query=QUESTION)

    frames = [frame.body for frame in client.chat_messages_with_sse(request, RuntimeOptions())]

    assert {frame.event for frame in frames} == {"workflow_started", "message", "workflow_finished"}
    assert "describe_slow_log_records" in _text(frames)
    history = client.get_messages(models.GetMessagesRequest(conversation_id=frames[0].conversation_id)).body
    assert history.data[0].answer == _text(frames)
    assert not history.data[0].events


@pytest.mark.parametrize("use_async", [False, True])
async def test_stop(sandbox: SandboxServer, official: Official, use_async: bool) -> None:
    client = official()
    heard: list[Any] = []
    listening = threading.Thread(target=lambda: heard.extend(_ask(client, "hold 3")))
    listening.start()
    state = await anyio.to_thread.run_sync(sandbox.wait_for, lambda state: state["holding"])
    (task,) = state["running"]
    stop = models.ChatMessagesTaskStopRequest(task_id=task)

    if use_async:
        reply = await client.chat_messages_task_stop_async(stop)
    else:
        reply = await anyio.to_thread.run_sync(client.chat_messages_task_stop, stop)

    await anyio.to_thread.run_sync(listening.join)
    assert reply.body.result == "success"
    assert _text(heard) == "word1 word2 word3"
    assert heard[-1].event == "workflow_finished"
    assert sandbox.state()["stops"] == {task: 1}
    again = await client.chat_messages_task_stop_async(stop)
    assert again.body.result == "success"
    await _refused(
        sandbox,
        lambda: client.chat_messages_task_stop(models.ChatMessagesTaskStopRequest(task_id="not-there")),
        "TaskNotFound",
    )


def _pages(client: Any, limit: int) -> Iterator[Any]:
    last = None
    while True:
        page = client.get_conversations(models.GetConversationsRequest(last_id=last, limit=str(limit))).body
        yield page
        if page.has_more != "true":
            return
        last = page.data[-1].id


def test_conversations_are_paged_newest_first(official: Official) -> None:
    client = official()
    for number in range(5):
        _ask(client, f"echo {number}")

    pages = list(_pages(client, 2))

    assert [[c.name for c in page.data] for page in pages] == [["echo 4", "echo 3"], ["echo 2", "echo 1"], ["echo 0"]]
    assert [page.has_more for page in pages] == ["true", "true", "false"]
    first = pages[0].data[0]
    assert (first.status, first.is_running) == ("idle", False)
    assert first.created_at.isdigit()


async def test_messages_are_paged_backwards(official: Official) -> None:
    client = official()
    conversation = _ask(client, "echo 0")[0].conversation_id
    for number in range(1, 5):
        _ask(client, f"echo {number}", conversation)
    request = models.GetMessagesRequest(conversation_id=conversation, limit=2)

    newest = (await client.get_messages_async(request)).body
    request.first_id = newest.data[0].id
    older = client.get_messages(request).body

    assert [m.answer for m in newest.data] == ["3", "4"]
    assert [m.answer for m in older.data] == ["1", "2"]
    assert (newest.has_more, older.has_more) == (True, True)
    request.first_id = older.data[0].id
    assert client.get_messages(request).body.has_more is False


@pytest.mark.parametrize("use_async", [False, True])
async def test_feedback(official: Official, use_async: bool) -> None:
    client = official()
    frames = await anyio.to_thread.run_sync(_ask, client, "echo x")
    request = models.ModifyMessagesFeedbacksRequest(message_id=frames[0].message_id, rating="dislike", content="wrong")

    if use_async:
        reply = await client.modify_messages_feedbacks_async(request)
    else:
        reply = client.modify_messages_feedbacks(request)

    assert reply.body.result == "success"
    history = client.get_messages(models.GetMessagesRequest(conversation_id=frames[0].conversation_id)).body
    assert history.data[0].feedback == "dislike"


async def test_a_temporary_credential_signs_until_it_expires(sandbox: SandboxServer, official: Official) -> None:
    sts = sandbox.info.sts
    client = official(
        access_key_id=sts["access_key_id"],
        access_key_secret=sts["access_key_secret"],
        security_token=sts["security_token"],
    )
    assert _text(_ask(client, "echo token")) == "token"
    assert (await client.get_conversations_async(models.GetConversationsRequest())).body.data[0].name == "echo token"

    short = sandbox.issue_sts(-1)
    expired = official(
        access_key_id=short["access_key_id"],
        access_key_secret=short["access_key_secret"],
        security_token=short["security_token"],
    )
    await _refused(
        sandbox,
        lambda: expired.get_conversations(models.GetConversationsRequest()),
        "InvalidSecurityToken.Expired",
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"access_key_secret": "wrong"}, "SignatureDoesNotMatch"),
        ({"access_key_id": "nobody"}, "InvalidAccessKeyId.NotFound"),
        ({"security_token": "of-nobody"}, "InvalidSecurityToken.MismatchWithAccessKey"),
    ],
)
async def test_what_is_not_signed_right_is_refused(
    sandbox: SandboxServer, official: Official, changes: dict[str, str], code: str
) -> None:
    client = official(**changes)
    await _refused(sandbox, lambda: client.get_conversations(models.GetConversationsRequest()), code)
    await _refused(sandbox, lambda: _ask(client, "echo x"), code)
    assert sandbox.state()["accepted"] == {}


async def test_an_account_does_not_see_another_ones(sandbox: SandboxServer, official: Official) -> None:
    from tui.sandbox.auth import OTHER

    conversation = _ask(official(), "echo mine")[0].conversation_id
    other = official(access_key_id=OTHER.access_key_id, access_key_secret=OTHER.access_key_secret)

    assert other.get_conversations(models.GetConversationsRequest()).body.data == []
    await _refused(
        sandbox,
        lambda: other.get_messages(models.GetMessagesRequest(conversation_id=conversation)),
        "InvalidParameter",
    )


def test_an_approval_round(sandbox: SandboxServer, official: Official) -> None:
    client = official()
    frames = _ask(client, "approve 2", tool_approval_mode="manual")
    conversation = frames[0].conversation_id
    asked = [frame for frame in frames if frame.approval_status == "pending"]
    assert [frame.tool_name for frame in asked] == ["restart_db_instance", "modify_parameter"]
    assert asked[0].tool_arguments == {"DBInstanceId": "rm-sandbox01"}
    listed = client.get_conversations(models.GetConversationsRequest()).body.data[0]
    assert listed.status == "pending_approval"

    sandbox.decide(asked[0].round_id, asked[0].call_id, "approved")
    with pytest.raises(Exception, match="not all calls"):
        _ask(client, "go on", conversation, resume_call_id=asked[0].call_id)
    sandbox.decide(asked[1].round_id, asked[1].call_id, "rejected")
    history = client.get_messages(models.GetMessagesRequest(conversation_id=conversation, event_mode="separate")).body
    assert [event.approval_status for event in history.data[0].events] == ["approved", "rejected"]
    resumed = _ask(client, "go on", conversation, resume_call_id=asked[0].call_id)

    assert any(frame.event == "tool_call" and asked[0].call_id in frame.answer for frame in resumed)
    assert "modify_parameter" in _text(resumed)
    assert client.get_conversations(models.GetConversationsRequest()).body.data[0].status == "idle"


async def test_custom_agents(sandbox: SandboxServer, official: Official) -> None:
    client = official()
    made = client.create_custom_agent(
        models.CreateCustomAgentRequest(
            name="审核",
            system_prompt="be brief",
            enable_tools=True,
            tools=["describe_backups"],
            skill_ids=["skill-sandbox-1"],
        )
    ).body
    assert (made.name, made.enable_tools, made.tools) == ("审核", True, ["describe_backups"])
    assert made.skills[0].name == "slow-sql-review"

    changed = await client.update_custom_agent_async(
        models.UpdateCustomAgentRequest(custom_agent_id=made.id, tools=[], enable_tools=False)
    )
    assert changed.body.enable_tools == "false"
    got = client.get_custom_agent(models.GetCustomAgentRequest(custom_agent_id=made.id)).body
    assert (got.name, got.system_prompt, got.enable_tools, got.tools) == ("审核", "be brief", False, [])
    assert got.updated_at.endswith("Z")

    frames = _ask(client, QUESTION, custom_agent_id=made.id)
    assert "审核" in _text(frames)
    assert "tool_call" not in {frame.event for frame in frames}

    listed = client.list_custom_agent(models.ListCustomAgentRequest(page_number=1, page_size=30)).body
    assert ([agent.id for agent in listed.data], listed.total_count) == ([made.id], None)
    assert client.delete_custom_agent(models.DeleteCustomAgentRequest(custom_agent_id=made.id)).body.result == "success"
    await _refused(
        sandbox,
        lambda: client.get_custom_agent(models.GetCustomAgentRequest(custom_agent_id=made.id)),
        "InvalidParameter",
    )


def test_what_agents_are_made_of(official: Official) -> None:
    client = official()

    tools = client.list_custom_agent_tools().body.data
    assert {tool.type for tool in tools} == {"get", "write", "update"}
    assert all(tool.zh and tool.en and tool.tc and tool.ja for tool in tools)
    chat_models = client.get_chat_model(models.GetChatModelRequest()).body.data
    assert [model.default for model in chat_models].count(True) == 1
    skills = client.list_skill(models.ListSkillRequest(language="en-US", page_size=2)).body
    assert (len(skills.data), skills.total_count) == (2, 3)
    assert skills.data[0].description.startswith("Reviews")


async def test_an_action_that_is_not_there(sandbox: SandboxServer, official: Official) -> None:
    await _refused(
        sandbox,
        lambda: official().describe_app_instances(models.DescribeAppInstancesRequest()),
        "InvalidAction.NotFound",
    )
