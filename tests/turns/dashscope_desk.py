"""What tests of DashScope's turns share: an assistant as on the vendor's page, and what the sandbox has of a thread."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from tests.turns.desk import Desk, control
from tui.models import NoticeBlock, TextBlock, Turn
from tui.sandbox.server import SandboxServer
from tui.services.assistant_models import AssistantChange, AssistantProfile, BuiltinTool, FunctionTool
from tui.services.base import AskReply
from tui.services.dashscope import DashScope
from tui.turns import open_ask

BIG_ADD = FunctionTool(
    "big_add",
    "Add two numbers",
    {
        "type": "object",
        "properties": {"left": {"type": "integer"}, "right": {"type": "integer"}},
        "required": ["left", "right"],
    },
)
TOOLS = (BuiltinTool("quark_search"), BIG_ADD)
PROFILE = AssistantProfile("adder", "qwen-plus", "Adder", instructions="Be brief.", tools=(BIG_ADD,))


class Profiles:
    """The local profiles of a test."""

    def __init__(self, *profiles: AssistantProfile) -> None:
        self.held = {profile.id: profile for profile in profiles}

    async def profile(self, profile_id: str) -> AssistantProfile | None:
        return self.held.get(profile_id)


async def dashscope(desk: Desk) -> DashScope:
    service = await desk.services.get("dashscope")
    assert isinstance(service, DashScope)
    return service


async def with_assistant(desk: Desk) -> str:
    """A conversation with a new assistant; its id."""
    service = await dashscope(desk)
    assistant = await service.assistants.create(AssistantChange(model="qwen-plus", name="Adder", tools=TOOLS))
    return await desk.conversations.create("dashscope", {"assistant": assistant.id})


async def with_profile(desk: Desk, profile: AssistantProfile = PROFILE) -> str:
    """A conversation with a local profile; its id."""
    desk.services.use_profiles(Profiles(profile))
    return await desk.conversations.create("dashscope", {"profile": profile.id})


async def give(desk: Desk, conversation_id: str, turn: Turn, output: str = "788988737") -> Turn:
    """Give every call `output` until the turn waits no more."""
    while turn.state == "waiting":
        ask = open_ask(turn)
        assert ask is not None
        turn = await desk.answer(conversation_id, AskReply("reply", outputs=(output,) * len(ask.calls)))
    return turn


def state(server: SandboxServer) -> dict[str, Any]:
    """What the sandbox's DashScope holds, `accepted` (questions by text) among it."""
    told = control(server, "state")
    return {**told["dashscope"], "accepted": told["accepted"]}


def text_of(turn: Turn) -> str:
    return "".join(block.text for block in turn.blocks if isinstance(block, TextBlock))


def notes(turn: Turn) -> str:
    return "\n".join(block.text for block in turn.blocks if isinstance(block, NoticeBlock))


def served_text(server: SandboxServer, turn: Turn) -> str:
    """What the service keeps as the answer to `turn`."""
    held = state(server)
    if turn.ids.message.startswith("resp_"):
        found = [one for one in held["responses"] if one["id"] == turn.ids.message]
        return "".join(one["text"] for one in found)
    [thread] = [one for one in held["threads"] if one["id"] == turn.ids.conversation]
    messages = thread["messages"]
    asked = next((index for index, one in enumerate(messages) if one["text"] == turn.question), len(messages))
    following = (one for one in messages[asked + 1 :])
    return "\n\n".join(one["text"] for one in takewhile(lambda one: one["role"] != "user", following))
