"""The list of models (protocol notes, section 1.1): models in general, not those that assistants accept."""

from __future__ import annotations

import functools
import re
from importlib import resources

import tomli
from aiohttp import web

from tui.sandbox.dashscope_call import DashCall, reply
from tui.sandbox.dashscope_records import Json
from tui.sandbox.dashscope_state import DashScope

_FAMILY = re.compile(r"(qwen|qwq|qvq|deepseek|glm|kimi|llama|baichuan|farui)[a-z0-9._-]*")


@functools.cache
def models() -> tuple[Json, ...]:
    """All models, read once."""
    text = resources.files("tui.sandbox").joinpath("dashscope_models.toml").read_text(encoding="utf-8")
    return tuple(
        {
            "model": code,
            "name": name,
            "provider": provider,
            "source": provider,
            "type": kind,
            "opensource": provider != "qwen",
            "description": f"{name} (sandbox data)",
        }
        for code, name, provider, kind in tomli.loads(text)["models"]
    )


def is_known(name: str) -> bool:
    """Whether a model is listed, or looks like one of a known family (snapshots are not all listed)."""
    return any(model["model"] == name for model in models()) or bool(_FAMILY.fullmatch(name))


async def list_all(agents: DashScope, call: DashCall) -> web.StreamResponse:
    """`output` of the page, as the official SDK reads it; `model` in the query asks for one by its name."""
    wanted = call.query("model")
    page = call.page([model for model in models() if not wanted or model["model"] == wanted])
    output = {"total": page.total, "page_no": page.number, "page_size": page.size, "models": page.items}
    return reply(call, {"output": output})
