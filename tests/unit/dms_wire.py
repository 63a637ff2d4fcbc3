"""A plain client of the Data Agent for tests of the sandbox itself: signed calls, streams as raw bytes.

It waits less long than a heartbeat takes: a stream that nobody ends makes a test fail, not hang.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx

from tests.unit.sandbox_wire import blocks, signed
from tui.sandbox.auth import Key
from tui.sandbox.server import SandboxInfo, SandboxServer

VERSION = "2025-04-14"


class Agent:
    """The Data Agent of a sandbox, with one session; `key` in the place of the main account's."""

    def __init__(self, server: SandboxServer, key: Key | None = None) -> None:
        self.server = server
        self._key = key
        self.session = ""
        self.agent = ""

    @property
    def _info(self) -> SandboxInfo:
        info, key = self.server.info, self._key
        if key is None:
            return info
        return replace(info, access_key_id=key.access_key_id, access_key_secret=key.access_key_secret)

    def post(self, action: str, fault: str = "", line: str = "POST /", **parameters: Any) -> httpx.Response:
        """One signed call; parameters that are no text become JSON."""
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
        headers = {"x-acs-version": VERSION, "x-sandbox-fault": fault}
        with httpx.Client(trust_env=False, verify=False, timeout=10) as client:
            return client.send(signed(self._info, action, texts, line, headers=headers))

    def data(self, action: str, fault: str = "", **parameters: Any) -> Any:
        """`Data` of a reply that says success."""
        body = self.post(action, fault, **parameters).json()
        assert body["ErrorCode"] == "success", body
        return body["Data"]

    def refused(self, action: str, fault: str = "", **parameters: Any) -> str:
        """The code of a reply that refuses."""
        body = self.post(action, fault, **parameters).json()
        code = body.get("Code") or body.get("error_code") or body.get("ErrorCode")
        assert code != "success", body
        return str(code)

    def begin(self, fault: str = "", **parameters: Any) -> Any:
        """A new session; `Data` of the reply."""
        data = self.data("CreateDataAgentSession", fault, Title="a session", **parameters)
        self.session, self.agent = data["SessionId"], data["AgentId"]
        return data

    def describe(self, fault: str = "") -> Any:
        return self.data("DescribeDataAgentSession", fault, SessionId=self.session)

    def send(self, text: str, fault: str = "", **parameters: Any) -> Any:
        """`Data` of the reply; the AgentId is taken from it."""
        data = self.data("SendChatMessage", fault, SessionId=self.session, Message=text, **parameters)
        self.agent, self.session = data["AgentId"], data["SessionId"]
        return data

    @property
    def log(self) -> dict[str, Any]:
        """What the sandbox's state tells of the session."""
        sessions = self.server.state()["dms"]["sessions"]
        return next(session for session in sessions if session["id"] == self.session)

    def settle(self) -> dict[str, Any]:
        """Wait until the turn is over or asks."""

        def rests(state: dict[str, Any]) -> bool:
            session = next(session for session in state["dms"]["sessions"] if session["id"] == self.session)
            return session["status"] in ("IDLE", "WAIT_INPUT")

        self.server.wait_for(rests, timeout=30)
        return self.log

    def read(self, fault: str = "", checkpoint: int | None = 0) -> bytes:
        """The bytes of a stream, to its end or to where the line breaks."""
        parameters: dict[str, str] = {"SessionId": self.session, "AgentId": self.agent}
        if checkpoint is not None:
            parameters["Checkpoint"] = str(checkpoint)
        headers = {"x-acs-version": VERSION, "x-sandbox-fault": fault}
        request = signed(self._info, "GetChatContent", parameters, headers=headers)
        data = b""
        with httpx.Client(trust_env=False, verify=False, timeout=10) as client:
            try:
                response = client.send(request, stream=True)
                assert response.headers["content-type"].startswith("text/event-stream"), response.read()
                for chunk in response.iter_bytes():
                    data += chunk
            except httpx.TransportError:
                pass
        return data

    def events(self, fault: str = "", checkpoint: int | None = 0) -> list[dict[str, Any]]:
        """The JSON of a stream's frames; waits for the turn first, unless it is cut short by a fault."""
        return parsed(self.read(fault, checkpoint))

    @contextmanager
    def reading(self, fault: str = "", checkpoint: int = 0) -> Iterator[Iterator[dict[str, Any]]]:
        """The frames of a stream that stays open."""
        parameters = {"SessionId": self.session, "AgentId": self.agent, "Checkpoint": str(checkpoint)}
        headers = {"x-acs-version": VERSION, "x-sandbox-fault": fault}
        request = signed(self._info, "GetChatContent", parameters, headers=headers)
        with httpx.Client(trust_env=False, verify=False, timeout=10) as client:
            response = client.send(request, stream=True)
            try:
                yield (json.loads(line[5:]) for line in response.iter_lines() if line.startswith("data:") and line[5:])
            finally:
                response.close()


def parsed(body: bytes) -> list[dict[str, Any]]:
    """The JSON of the frames that can be read."""
    found = []
    for block in blocks(body):
        for line in block.split(b"\n"):
            if line.startswith(b"data:"):
                try:
                    found.append(json.loads(line[5:]))
                except ValueError:
                    continue
    return found


def text_of(frames: list[dict[str, Any]], category: str) -> str:
    """The joined deltas of a category."""
    return "".join(f["content"] for f in frames if f["category"] == category and f["event_type"] == "delta")


def kinds(frames: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(frame["event_type"], frame["category"]) for frame in frames]
