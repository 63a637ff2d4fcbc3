"""`yunliao assistants`: what is printed, what is sent, and the exit codes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.services.dashscope_calls import FULL, dashscope_of, requests
from tui.assistants.drafts import Draft
from tui.cache.edits import EditFiles
from tui.cli import main
from tui.exits import Exit
from tui.sandbox.server import SandboxServer
from tui.services.assistant_models import Assistant

Ran = tuple[int, str, str]
Run = Callable[..., Ran]

NEW = """format = 1
[[assistant]]
name = "adder"
model = "qwen-plus"
instructions = "Be brief."
tools = [{type = "quark_search"}, {type = "some_plugin", auth = "user_http"}]
[[assistant]]
backend = "responses"
name = "local"
model = "qwen-plus"
"""


@pytest.fixture
def run(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """The command on the sandbox as on a real account: (code, stdout, stderr)."""
    monkeypatch.setenv("DASHSCOPE_API_KEY", server.info.dashscope["api_key"])
    monkeypatch.setenv("YUNLIAO_DASHSCOPE_BASE_URL", server.info.url)

    def go(*arguments: str, stdin: str = "") -> Ran:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        code = main(["assistants", *arguments, "--data-dir", str(tmp_path / "data")])
        said = capsys.readouterr()
        return code, said.out, said.err

    return go


async def full(server: SandboxServer) -> Assistant:
    service = dashscope_of(server)
    made = await service.assistants.create(FULL)
    await service.aclose()
    return made


def listed(run: Run) -> list[list[str]]:
    return [line.split("\t") for line in run("list")[1].splitlines()]


def test_apply_makes_and_is_idempotent(run: Run, server: SandboxServer, tmp_path: Path) -> None:
    file = tmp_path / "all.toml"
    file.write_text(NEW)
    code, out, _err = run("diff", str(file))
    assert code == Exit.DIFFERS
    assert "+ adder  (new, on the service)" in out
    assert "+ local  (new, on this machine)" in out
    assert "some_plugin has no token" in out
    assert not listed(run)
    assert run("apply", str(file))[0] == Exit.USAGE, "without a terminal nothing is asked, so nothing is done"
    assert not requests(server, "CreateAssistant")
    assert run("apply", "--yes", str(file))[0] == Exit.ANSWERED
    assert [line[1:] for line in listed(run)] == [
        ["assistants", "qwen-plus", "adder"],
        ["responses", "qwen-plus", "local"],
    ]
    assert run("diff", str(file))[0] == Exit.ANSWERED
    assert run("apply", "-y", str(file))[0] == Exit.ANSWERED
    assert len(requests(server, "CreateAssistant")) == 1
    assert not requests(server, "UpdateAssistant")


def test_apply_sends_what_differs(run: Run, server: SandboxServer, tmp_path: Path) -> None:
    made = asyncio.run(full(server))
    file = tmp_path / "one.toml"
    assert run("export", made.id, "-o", str(file))[0] == Exit.ANSWERED
    assert file.stat().st_mode & 0o777 == 0o600
    assert "TOKEN-1" not in file.read_text()
    assert run("diff", str(file))[0] == Exit.ANSWERED
    file.write_text(file.read_text().replace("Be brief.", "Be brief!"))
    code, out, _err = run("diff", str(file))
    assert code == Exit.DIFFERS
    assert "      - Be brief.\n      + Be brief!" in out
    assert run("apply", "--yes", str(file))[0] == Exit.ANSWERED
    assert list(requests(server, "UpdateAssistant")[-1]["body"]) == ["instructions"]


def test_an_export_goes_where_a_link_leads(run: Run, tmp_path: Path) -> None:
    """Also `-o /dev/null`: as root, the device was replaced by a file."""
    device, file = tmp_path / "null", tmp_path / "link.toml"
    device.symlink_to("/dev/null")
    file.symlink_to(tmp_path / "there.toml")
    for link in (device, file):
        assert run("export", "-o", str(link))[0] == Exit.ANSWERED
        assert link.is_symlink()
    assert "format = 1" in (tmp_path / "there.toml").read_text()
    assert Path("/dev/null").is_char_device()


def test_a_draft_of_the_app_is_left_alone(run: Run, server: SandboxServer, tmp_path: Path) -> None:
    """What is typed there is not saved, and not mixed with what a file says."""
    made = asyncio.run(full(server))

    async def type_something() -> None:
        drafts = EditFiles(tmp_path / "data" / "state" / "assistants" / "drafts")
        drafts.keep(made.id, Draft(made.id, made, replace(made, name="typed")).text)
        drafts.close()

    asyncio.run(type_something())
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*.draft")}
    file = tmp_path / "one.toml"
    file.write_text(f'format = 1\n[[assistant]]\nid = "{made.id}"\ninstructions = "new"\n')
    assert run("apply", "--yes", str(file))[0] == Exit.ANSWERED
    assert len(kept) == 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.draft")} == kept
    assert requests(server, "UpdateAssistant")[-1]["body"] == {"instructions": "new"}


def test_json_through_a_pipe_makes_a_copy(run: Run, server: SandboxServer) -> None:
    asyncio.run(full(server))
    text = run("export", "--format", "json")[1]
    assert run("import", "-y", "-", stdin=text)[0] == Exit.ANSWERED
    assert [line[3] for line in listed(run)] == [FULL.name, FULL.name]
    code, _out, err = run("diff", "-", stdin=NEW.replace('"adder"', f'"{FULL.name}"'))
    assert code == Exit.USAGE
    assert "give the id" in err


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("format = 2", "format = 1"),
        ('format = 1\n[[assistant]]\nid = "asst_gone"', "asst_gone is not there"),
        ('format = 1\n[[assistant]]\nname = "no model"', "needs a model"),
        ('format = 1\n[[assistant]]\nmodel = "a"\ntemprature = 1', "no field temprature"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_sent(
    run: Run, server: SandboxServer, source: str, words: str
) -> None:
    code, _out, err = run("apply", "-y", "-", stdin=source)
    assert code == Exit.USAGE
    assert words in err
    assert not requests(server, "CreateAssistant")


def test_two_entries_are_not_one_assistant(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "all.toml"
    file.write_text(NEW)
    assert run("apply", "-y", str(file))[0] == Exit.ANSWERED
    code, _out, err = run("diff", str(file), str(file))
    assert code == Exit.USAGE
    assert "meant by two" in err


def test_a_wrong_key_is_told_by_its_code(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-wrong")
    code, _out, err = run("list")
    assert code == Exit.NOT_ALLOWED
    assert "sk-wrong" not in err


def test_a_file_that_is_not_there(run: Run) -> None:
    code, _out, err = run("diff", "/nowhere/at/all.toml")
    assert code == Exit.FAILED
    assert "/nowhere/at/all.toml" in err


def test_a_read_only_profile_changes_nothing(run: Run, server: SandboxServer, tmp_path: Path) -> None:
    settings = tmp_path / "data" / "config" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("[profiles.default]\nread_only = true\n")
    code, _out, err = run("apply", "-y", "-", stdin=NEW)
    assert code == Exit.NOT_ALLOWED
    assert "read-only" in err
    assert not requests(server, "CreateAssistant")
