"""DashScope on a sandbox, as the layers above have it."""

from __future__ import annotations

from typing import Any

from tui.sandbox.server import SandboxServer
from tui.services.assistant_models import Assistant, AssistantChange, BuiltinTool, FunctionTool, PluginAuth
from tui.services.dashscope import DashScope
from tui.services.dashscope_recovery import LookTiming
from tui.services.endpoints import parse_endpoint
from tui.services.keys import AccessKey, FixedKey, Secret
from tui.services.rest import RestClient

QUICK = LookTiming(first_pause=0.02, longest_pause=0.1, sure=0.2, sure_of_run=0.2)
ADD = FunctionTool("big_add", "Add", {"type": "object", "properties": {"left": {"type": "integer"}}})
FULL = AssistantChange(
    model="qwen-plus",
    name="潮汐 tides",
    description="about tides",
    instructions="Be brief.\n\nAnswer in 中文.",
    tools=(
        BuiltinTool("code_interpreter"),
        ADD,
        BuiltinTool("my_plugin", PluginAuth(Secret("TOKEN-1"))),
        BuiltinTool("rag", extra={"knowledge_base_ids": ["kb-1"]}),
    ),
    file_ids=("file_1", "file_2"),
    metadata={"team": "ops", "stage": "test"},
    temperature=0.0,
    top_p=0.8,
    top_k=50,
    max_tokens=100,
)
"""Every field filled, a falsy one among them."""


def client(sandbox: SandboxServer, key: str = "", workspace: str = "") -> RestClient:
    info = sandbox.info
    secret = Secret(key or info.dashscope["api_key"])
    return RestClient(parse_endpoint(info.url, "sandbox"), FixedKey(AccessKey("", secret)), workspace=workspace)


def dashscope_of(sandbox: SandboxServer, key: str = "", workspace: str = "") -> DashScope:
    return DashScope(client(sandbox, key, workspace), timing=QUICK)


def held(sandbox: SandboxServer, assistant: Assistant) -> dict[str, Any]:
    """The assistant as the sandbox has it."""
    state = sandbox.state()["dashscope"]
    found: list[dict[str, Any]] = [one for one in state["assistants"] if one["id"] == assistant.id]
    return found[0]


def requests(sandbox: SandboxServer, operation: str) -> list[dict[str, Any]]:
    return [one for one in sandbox.state()["dashscope"]["requests"] if one["operation"] == operation]
