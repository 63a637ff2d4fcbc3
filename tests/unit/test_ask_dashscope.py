"""`yunliao ask` with DashScope: a model, an assistant, a local profile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tui.assistants.store import AssistantStore
from tui.cli import main
from tui.exits import Exit
from tui.paths import resolve
from tui.sandbox.server import SandboxServer
from tui.services.assistant_models import AssistantProfile

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(pace="unlimited") as running:
        yield running


@pytest.fixture
def run(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """Run the command line in this process, with the sandbox's API key alone."""
    server.reset()
    monkeypatch.setenv("DASHSCOPE_API_KEY", server.info.dashscope["api_key"])
    monkeypatch.setenv("YUNLIAO_DASHSCOPE_BASE_URL", server.info.url)
    empty = tmp_path / "stdin"
    empty.touch()

    def run(*arguments: str) -> tuple[int, str, str]:
        with empty.open() as opened:
            monkeypatch.setattr("sys.stdin", opened)
            code = main(["--data-dir", str(tmp_path / "data"), "ask", *arguments])
        told = capfd.readouterr()
        return code, told.out, told.err

    return run


def assistant(server: SandboxServer) -> str:
    info = server.info.dashscope
    body = {
        "model": "qwen-plus",
        "tools": [{"type": "function", "function": {"name": "big_add", "parameters": {"type": "object"}}}],
    }
    headers = {"Authorization": f"Bearer {info['api_key']}"}
    answer = httpx.post(f"{info['base_url']}/assistants", json=body, headers=headers, trust_env=False)
    return str(answer.json()["id"])


def test_a_model_answers(run: Run) -> None:
    assert run("-q", "-s", "dashscope", "echo 你好") == (Exit.ANSWERED, "你好\n", "")


def test_an_assistant_answers_and_is_gone_on_with(run: Run, server: SandboxServer) -> None:
    code, out, _err = run("--assistant", assistant(server), "--json", "echo one")
    assert code == Exit.ANSWERED
    told = json.loads(out.splitlines()[-1])
    assert told["ids"]["conversation"].startswith("thread_")
    code, out, _err = run("-q", "--conversation", told["conversation"], "recall")
    assert (code, "one" in out) == (Exit.ANSWERED, True)
    assert server.state()["dashscope"]["counts"]["threads created"] == 1


def test_a_thread_of_elsewhere_is_gone_on_with(run: Run, server: SandboxServer) -> None:
    name = assistant(server)
    _code, out, _err = run("--assistant", name, "--json", "--no-save", "echo elsewhere")
    thread = json.loads(out.splitlines()[-1])["ids"]["conversation"]
    code, out, _err = run("-q", "--assistant", name, "--conversation", thread, "recall")
    assert (code, "elsewhere" in out) == (Exit.ANSWERED, True)


def test_a_local_profile_answers(run: Run, tmp_path: Path, server: SandboxServer) -> None:
    state = resolve(tmp_path / "data").state
    AssistantStore(state).put_profile(AssistantProfile("brief", "qwen-flash", instructions="Be brief."))
    code, out, _err = run("-q", "--assistant", "brief", "echo local")
    assert (code, out) == (Exit.ANSWERED, "local\n")
    newest = server.state()["dashscope"]["responses"][-1]
    assert (newest["model"], newest["instructions"]) == ("qwen-flash", "Be brief.")


def test_what_is_not_there(run: Run, server: SandboxServer) -> None:
    code, out, err = run("-q", "--assistant", "nobody", "echo x")
    assert (code, out) == (Exit.FAILED, "")
    assert "nobody" in err
    code, out, err = run("-q", "--assistant", "asst_gone", "echo x")
    assert (code, out) == (Exit.FAILED, "")
    assert "asst_gone" in err
    assert server.state()["dashscope"]["counts"].get("runs", 0) == 0


def test_a_function_waits(run: Run, server: SandboxServer) -> None:
    code, _out, err = run("--assistant", assistant(server), "call")
    assert code == Exit.APPROVAL
    assert "big_add" in err
    assert "outputs" in err
