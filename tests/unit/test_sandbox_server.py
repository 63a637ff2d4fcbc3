"""The sandbox as a whole: starting, stopping, running alone, remembering, limits, the control endpoint."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.unit.sandbox_wire import ask, asking, call, events, frames, history, text
from tui.sandbox import specials, switches
from tui.sandbox.memories import KEY
from tui.sandbox.pace import Pace
from tui.sandbox.server import SandboxInfo, SandboxServer
from tui.sandbox.world import World


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(pace="unlimited") as server:
        yield server


def test_it_starts_and_stops_more_than_once() -> None:
    before = {*threading.enumerate()}
    server = SandboxServer(pace="unlimited")
    server.stop()
    for _ in range(2):
        info = server.start()
        assert info.url.startswith("http://127.0.0.1:")
        assert ask(info).status_code == 200
        server.stop()
        server.stop()
        with pytest.raises(httpx.ConnectError):
            ask(info)
    assert not [thread for thread in {*threading.enumerate()} - before if thread.name == "sandbox"]


def test_a_port_that_is_taken(sandbox: SandboxServer) -> None:
    port = int(sandbox.info.url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        SandboxServer(port=port).start()


def test_what_is_not_known_is_said_at_once() -> None:
    for pace, faults in (("hurry", []), (0.0, []), ("fast", ["no-such"])):
        with pytest.raises(ValueError, match=r"."):
            SandboxServer(pace=pace, faults=faults)


def test_stopping_ends_open_streams() -> None:
    server = SandboxServer(pace="unlimited")
    with server, asking(server.start(), "hold 3") as response:
        server.wait_for(lambda state: state["holding"])
        server.stop()
        with pytest.raises(httpx.TransportError):
            response.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_alone(number: signal.Signals) -> None:
    code = "from tui.sandbox.server import serve; raise SystemExit(serve(0, 'unlimited', ['late-task']))"
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdout
        assert process.stderr
        info = SandboxInfo(**json.loads(process.stdout.readline()))
        assert info.sts.keys() == {"access_key_id", "access_key_secret", "security_token", "expiration"}
        body = ask(info).content
        assert "TaskId" not in frames(body)[0]
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stdout.read() == b""
        assert process.stderr.read() == b""


def test_it_remembers_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    with SandboxServer(pace="unlimited", folder=folder) as server:
        ask(server.info, "echo kept")
        agent = call(server.info, "CreateCustomAgent", SystemPrompt="p", Name="kept").json()["Id"]
        with asking(server.info, "hold 2"):
            server.wait_for(lambda state: state["holding"])
            server.stop()
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*.json")} == {0o600}
    (folder / "conversations" / "broken.json").write_text("{", encoding="utf-8")

    with SandboxServer(pace="unlimited", folder=folder) as server:
        listed = call(server.info, "GetConversations").json()["Data"]
        assert [(c["Name"], c["Status"]) for c in listed] == [("hold 2", "idle"), ("echo kept", "idle")]
        assert history(server.info)[0]["Answer"] == "word1 word2 and the rest.\n\n*sandbox data*\n"
        assert call(server.info, "GetCustomAgent", CustomAgentId=agent).json()["Name"] == "kept"
        server.reset()
    assert [path.name for path in folder.rglob("*.json")] == []


def test_a_reset_forgets_all_parts_and_their_files(tmp_path: Path) -> None:
    headers = {"authorization": f"Token {KEY}"}
    said = {"messages": [{"role": "user", "content": "kept"}], "user_id": "u"}
    with SandboxServer(pace="unlimited", folder=tmp_path) as server:
        assert call(server.info, "CreateScheduledTask", Name="n", InstanceIds="all").json()["Success"]
    with (
        SandboxServer(pace="unlimited", folder=tmp_path) as server,
        httpx.Client(base_url=server.info.url, headers=headers, trust_env=False, verify=False) as client,
    ):
        client.post("/v1/memories/", json=said)
        assert len(client.get("/v1/memories/", params={"user_id": "u"}).json()) == 1
        assert client.get("/v1/memories/", headers={"x-sandbox-fault": "nonsense"}).status_code == 400
        server.reset()
        assert client.get("/v1/memories/", params={"user_id": "u"}).json() == []
        assert call(server.info, "ListScheduledTasks").json()["Schedules"] == []
    assert [path.name for path in tmp_path.rglob("*.json")] == []


async def test_turns_may_begin_and_end_while_it_closes() -> None:
    world = World(Pace.of("unlimited"), (), None, time.time)

    class Closing:
        async def abandon(self) -> None:
            world.turns.setdefault("one that began meanwhile", world.turns["first"])

    world.turns["first"] = Closing()  # type: ignore[assignment]
    await world.close()
    assert len(world.turns) == 2


def test_so_many_turns_at_once(sandbox: SandboxServer) -> None:
    with ExitStack() as stack:
        for number in range(5):
            stack.enter_context(asking(sandbox.info, f"hold {number + 1}"))
        state = sandbox.wait_for(lambda state: len(state["holding"]) == 5)
        assert len(state["running"]) == 5
        refused = ask(sandbox.info)
        assert (refused.status_code, refused.json()["Code"]) == (429, "TooManyRequests")
        listed = call(sandbox.info, "GetConversations").json()["Data"]
        assert {(c["IsRunning"], c["Status"]) for c in listed} == {(True, "running")}
        sandbox.release()
        sandbox.wait_for(lambda state: not state["running"])
        assert ask(sandbox.info).status_code == 200


def test_tokens_are_counted(sandbox: SandboxServer) -> None:
    sandbox.set_faults("tokens-a-day=100")
    assert ask(sandbox.info, "echo " + "x" * 300).status_code == 200
    assert ask(sandbox.info).json()["Code"] == "MoQuotaExceeded"


@pytest.mark.parametrize(
    "parameters",
    [
        {"Query": ""},
        {"Query": "x", "ConversationId": "of-nobody"},
        {"Query": "x", "EventMode": "both"},
        {"Query": "x", "Inputs": "{broken"},
        {"Query": "x", "Inputs": "[]"},
        {"Query": "x", "Inputs": '{"Language":"xx"}'},
        {"Query": "x", "Inputs": '{"Timezone":"Mars/Base"}'},
        {"Query": "x", "Inputs": '{"ModelId":"gone"}'},
        {"Query": "x", "Inputs": '{"CustomAgentId":"gone"}'},
        {"Query": "x", "Inputs": '{"ToolApprovalMode":"yes"}'},
        {"Query": "x", "Inputs": '{"ResumeCallId":"gone"}'},
    ],
)
def test_parameters_are_checked(sandbox: SandboxServer, parameters: dict[str, str]) -> None:
    reply = call(sandbox.info, "ChatMessages", **parameters)
    assert reply.status_code == 400
    assert reply.json()["Code"] in ("InvalidParameter", "MissingQuery")
    assert sandbox.state()["accepted"] == {}
    assert sandbox.state()["conversations"] == []


def test_approval_modes(sandbox: SandboxServer) -> None:
    info = sandbox.info

    def asked(mode: str, query: str = "restart rm-bp1k3") -> tuple[str, list[str]]:
        body = ask(info, query, Inputs=json.dumps({"ToolApprovalMode": mode})).content
        return text(body), events(body)

    assert "read-only" in asked("read_only")[0]
    assert "tool_approval" in asked("manual")[1]
    assert call(info, "GetConversations").json()["Data"][0]["Status"] == "pending_approval"
    assert "tool_call" in asked("auto")[1]
    assert asked("auto", "approve 3")[1].count("tool_approval") == 3


def test_the_control_endpoint(sandbox: SandboxServer) -> None:
    info = sandbox.info
    with httpx.Client(base_url=f"{info.url}/_sandbox", trust_env=False, verify=False) as control:
        assert control.post("/faults", json={"set": ["crlf"], "once": ["http-500"]}).json() == {
            "set": ["crlf@ChatMessages"],
            "once": ["http-500@ChatMessages"],
        }
        assert control.post("/faults", json={"set": ["no-such"]}).status_code == 400
        assert control.post("/faults", content=b"[").status_code == 400
        assert ask(info).status_code == 500
        assert b"\r\n" in ask(info).content
        assert control.post("/pace", json={"pace": "fast"}).json() == {"rate": "400.0"}
        asked = frames(ask(info, "approve").content)[-2]
        round_path = f"/approvals/{asked['RoundId']}"
        assert control.post(round_path, json={"call_id": "none", "decision": "approved"}).status_code == 404
        assert control.post(round_path, json={"call_id": asked["CallId"], "decision": "maybe"}).status_code == 400
        assert control.post(round_path, json={"call_id": asked["CallId"], "decision": "rejected"}).status_code == 200
        assert control.post("/release").json() == {"released": 0}
        assert control.post("/sts", json={"seconds": 900}).json()["security_token"]
        assert control.get("/credentials").json()["Code"] == "Success"
        state = control.get("/state").json()
        assert state == sandbox.state()
        assert state["received"]["ChatMessages"] == 3
        assert control.get("/state", headers={"Origin": "http://evil.example"}).status_code == 403
        assert control.get("/state", headers={"Host": "evil.example"}).status_code == 403
        assert control.post("/reset").json() == {"ok": True}
        assert control.get("/state").json()["conversations"] == []


def test_the_document_lists_every_switch_and_question() -> None:
    document = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    assert document.endswith(switches.markdown()), "run: python -m tui.sandbox.switches"
    for word in specials.WORDS:
        assert f"| `{word}" in document
