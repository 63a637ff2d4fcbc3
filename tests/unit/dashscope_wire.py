"""A plain client of the sandbox's DashScope for tests of the sandbox itself: bodies by the protocol notes, streams as
raw bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.unit.sandbox_wire import blocks
from tui.sandbox.server import SandboxServer

BIG_ADD = {
    "type": "function",
    "function": {
        "name": "big_add",
        "description": "Add to number",
        "parameters": {
            "type": "object",
            "properties": {
                "left": {"type": "integer", "description": "The left operator"},
                "right": {"type": "integer", "description": "The right operator."},
            },
            "required": ["left", "right"],
        },
    },
}
"""As on the vendor's page."""
FLAT_ADD = {"type": "function", **BIG_ADD["function"]}  # type: ignore[dict-item]
QUESTION = "Add 87787 to 788988737."
ECHO = "echo one two three 四五六 seven eight nine"


class DashScope:
    """DashScope of a sandbox, with an assistant and a thread."""

    def __init__(self, server: SandboxServer, key: str = "") -> None:
        self.server = server
        info = server.info.dashscope
        self.native, self.compatible = info["base_url"], info["compatible_base_url"]
        self.key = key or info["api_key"]
        self.assistant = ""
        self.thread = ""
        self.run = ""

    def send(
        self, line: str, body: Any = None, fault: str = "", *, compatible: bool = False, **options: Any
    ) -> httpx.Response:
        """One request: `send("POST /threads", {})`; read to its end."""
        with httpx.Client(trust_env=False, verify=False, timeout=10) as client:
            return client.send(self._request(client, line, body, fault, compatible, options))

    def _request(
        self, client: httpx.Client, line: str, body: Any, fault: str, compatible: bool, options: dict[str, Any]
    ) -> httpx.Request:
        method, path = line.split(" ")
        headers = {"Authorization": f"Bearer {self.key}", "x-sandbox-fault": fault, **options.pop("headers", {})}
        url = (self.compatible if compatible else self.native) + path
        if body is not None:
            options["json"] = body
        return client.build_request(method, url, headers=headers, **options)

    def ok(self, line: str, body: Any = None, fault: str = "", **options: Any) -> Any:
        """The JSON of a reply that is a success."""
        reply = self.send(line, body, fault, **options)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def refused(self, line: str, body: Any = None, fault: str = "", **options: Any) -> tuple[int, str]:
        """Status and code of a reply that refuses."""
        reply = self.send(line, body, fault, **options)
        told = reply.json()
        return reply.status_code, told["code"] if "code" in told else told["error"]["code"]

    def read(self, line: str, body: Any, fault: str = "", **options: Any) -> bytes:
        """The bytes of a stream, to its end or to where the line breaks."""
        data = bytearray()
        with httpx.Client(trust_env=False, verify=False, timeout=10) as client:
            request = self._request(client, line, body, fault, options.pop("compatible", False), options)
            try:
                response = client.send(request, stream=True)
                for chunk in response.iter_bytes():
                    data += chunk
            except httpx.TransportError:
                pass
        return bytes(data)

    @contextmanager
    def reading(self, line: str, body: Any, fault: str = "", **options: Any) -> Iterator[Iterator[str]]:
        """The lines of a stream that stays open."""
        with httpx.Client(trust_env=False, verify=False, timeout=10) as client:
            request = self._request(client, line, body, fault, options.pop("compatible", False), options)
            response = client.send(request, stream=True)
            try:
                yield response.iter_lines()
            finally:
                response.close()

    # --- assistants and threads ---------------------------------------------------------------------------------

    def begin(self, *tools: Any, **fields: Any) -> Any:
        """A new assistant and a new thread; the assistant."""
        made = self.ok("POST /assistants", {"model": "qwen-plus", "tools": list(tools), **fields})
        self.assistant = made["id"]
        self.thread = self.ok("POST /threads", {})["id"]
        return made

    def say(self, text: str, fault: str = "") -> Any:
        return self.ok(f"POST /threads/{self.thread}/messages", {"role": "user", "content": text}, fault)

    @property
    def runs(self) -> str:
        return f"/threads/{self.thread}/runs"

    def ask(self, text: str = ECHO, fault: str = "", **more: Any) -> bytes:
        """A message and the bytes of its run's stream."""
        self.say(text)
        body = {"assistant_id": self.assistant, "stream": True, **more}
        data = self.read(f"POST {self.runs}", body, fault)
        self.run = next(
            (f["id"] for e, f in events(data) if isinstance(f, dict) and f.get("id", "").startswith("run_")), ""
        )
        return data

    def submit(self, *outputs: str, fault: str = "", stream: bool = True) -> bytes:
        body = {"tool_outputs": [{"tool_call_id": "", "output": one} for one in outputs], "stream": stream}
        return self.read(f"POST {self.runs}/{self.run}/submit_tool_outputs", body, fault)

    def status(self) -> str:
        return str(self.ok(f"GET {self.runs}/{self.run}")["status"])

    def settle(self) -> str:
        """Wait until the newest run is over or waits for outputs; its status."""

        def rests(state: dict[str, Any]) -> bool:
            runs = next(one["runs"] for one in state["dashscope"]["threads"] if one["id"] == self.thread)
            self.run = runs[-1]["id"]
            return runs[-1]["status"] not in ("queued", "in_progress", "cancelling")

        self.server.wait_for(rests)
        return self.status()

    def answer(self) -> str:
        """The text of the newest message."""
        page = self.ok(f"GET /threads/{self.thread}/messages?limit=1")
        return "".join(part["text"]["value"] for part in page["data"][0]["content"])

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.server.state()["dashscope"]
        return state

    # --- responses ----------------------------------------------------------------------------------------------

    def respond(self, given: Any, fault: str = "", **more: Any) -> Any:
        """The JSON of a response that is not streamed."""
        body = {"model": "qwen3.7-plus", "input": given, **more}
        return self.ok("POST /responses", body, fault, compatible=True)

    def stream(self, given: Any, fault: str = "", **more: Any) -> bytes:
        body = {"model": "qwen3.7-plus", "input": given, "stream": True, **more}
        return self.read("POST /responses", body, fault, compatible=True)


def events(body: bytes) -> list[tuple[str, Any]]:
    """Event name and JSON of every frame that can be read; `[DONE]` as it is."""
    found: list[tuple[str, Any]] = []
    for block in blocks(body.removeprefix(b"\xef\xbb\xbf")):
        lines = block.split(b"\n")
        name = next((line[6:].strip().decode() for line in lines if line.startswith(b"event:")), "")
        data = b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:"))
        if not data:
            continue
        try:
            found.append((name, json.loads(data)))
        except ValueError:
            if data == b"[DONE]":
                found.append((name, "[DONE]"))
    return found


def names(body: bytes) -> list[str]:
    return [name for name, _data in events(body)]


def text(body: bytes) -> str:
    """The joined deltas of a run or of a response."""
    parts = []
    for name, data in events(body):
        if name == "thread.message.delta" and "delta" in data:
            parts += [part["text"]["value"] for part in data["delta"]["content"]]
        elif name == "response.output_text.delta":
            parts.append(data["delta"])
    return "".join(parts)


def completed(body: bytes) -> str:
    """The text of the completed message."""
    return "".join(
        part["text"]["value"]
        for name, data in events(body)
        if name == "thread.message.completed"
        for part in data["content"]
    )
