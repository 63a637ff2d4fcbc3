"""The command line: flags, exit codes, `ask` and `sandbox`, from outside."""

from __future__ import annotations

import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tui.cli import main
from tui.exits import Exit, meanings
from tui.questions import Questions
from tui.sandbox.server import SandboxServer

Run = Callable[..., "Ran"]
YUNLIAO = [sys.executable, "-m", "tui"]


class Ran:
    """What a run left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def sandbox(server: SandboxServer) -> SandboxServer:
    return server


@pytest.fixture
def environ(sandbox: SandboxServer) -> dict[str, str]:
    """An account, as far as `ask` can see: the sandbox as the service."""
    return {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": sandbox.info.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": sandbox.info.access_key_secret,
        "YUNLIAO_RDS_ENDPOINT": sandbox.info.url,
    }


@pytest.fixture
def run(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Run the command line in this process."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    umask = os.umask(0o022)

    def run(*arguments: str, stdin: str | bytes = "") -> Ran:
        source = tmp_path / "stdin"
        source.write_bytes(stdin if isinstance(stdin, bytes) else stdin.encode())
        with source.open(encoding="utf-8") as opened:
            monkeypatch.setattr(sys, "stdin", opened)
            try:
                code = main(["--data-dir", str(tmp_path / "data"), *arguments])
            except SystemExit as ended:
                code = int(ended.code or 0)
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    yield run
    os.umask(umask)


# --- ask -----------------------------------------------------------------------------------------------------


def test_the_answer_is_on_stdout_and_everything_else_on_stderr(run: Run) -> None:
    ran = run("ask", "why did replication lag rise on rm-bp1k3?")

    assert ran.code == Exit.ANSWERED
    assert "rm-bp1k3" in ran.out
    assert ran.out.endswith("\n")
    assert "describe_" not in ran.out
    assert "describe_" in ran.err
    assert "thinking" in ran.err
    assert "\x1b" not in ran.out + ran.err


def test_quiet_says_nothing_but_the_answer(run: Run) -> None:
    ran = run("ask", "-q", "echo 你好")

    assert (ran.code, ran.out, ran.err) == (0, "你好\n", "")


@pytest.mark.parametrize("argument", [["-"], []])
def test_the_question_may_come_from_stdin(argument: list[str], run: Run) -> None:
    assert run("ask", "-q", *argument, stdin="echo from stdin\n").out == "from stdin\n"


def test_with_both_stdin_is_evidence_below_the_question(run: Run, sandbox: SandboxServer) -> None:
    run("ask", "-q", "echo why?", stdin="a `lock` wait\n```\nfenced\n")

    (asked,) = sandbox.state()["accepted"]
    assert asked == "echo why?\n\n````\na `lock` wait\n```\nfenced\n````"


def test_nothing_to_ask_is_wrong_usage(run: Run, sandbox: SandboxServer) -> None:
    ran = run("ask", stdin="  \n")

    assert ran.code == Exit.USAGE
    assert "no question" in ran.err
    assert sandbox.state()["accepted"] == {}


def test_too_much_on_stdin_is_not_sent(run: Run, sandbox: SandboxServer) -> None:
    ran = run("ask", stdin="x" * 1_100_000)

    assert ran.code == Exit.USAGE
    assert "1000 KB" in ran.err
    assert sandbox.state()["received"] == {}


def test_bytes_that_are_no_text_and_controls_are_made_harmless(run: Run, sandbox: SandboxServer) -> None:
    run("ask", "-q", stdin=b"echo \xff\xfe \x1b[31m red")

    (asked,) = sandbox.state()["accepted"]
    assert "\x1b" not in asked
    assert "red" in asked


def test_json_is_one_object_a_line_with_a_summary_at_the_end(run: Run) -> None:
    ran = run("ask", "--json", "echo 你好, JSON")
    *events, summary = ran.lines

    assert "".join(event["text"] for event in events if event["event"] == "text_delta") == "你好, JSON"
    assert {"turn_started", "text_delta", "finished"} <= {event["event"] for event in events}
    assert summary["event"] == "summary"
    assert (summary["text"], summary["state"], summary["exit"], summary["problem"]) == ("你好, JSON", "done", 0, None)
    assert summary["ids"]["conversation"]
    assert summary["conversation"]


def test_a_conversation_goes_on_by_either_id(run: Run, sandbox: SandboxServer) -> None:
    first = run("ask", "--json", "echo one").lines[-1]

    ours = run("ask", "--json", "--conversation", first["conversation"], "echo two").lines[-1]
    theirs = run("ask", "--json", "--conversation", first["ids"]["conversation"], "echo three").lines[-1]

    assert ours["conversation"] == theirs["conversation"] == first["conversation"]
    (conversation,) = sandbox.state()["conversations"]
    assert conversation["messages"] == 3


def test_a_conversation_that_began_elsewhere_can_be_gone_on_with(run: Run, sandbox: SandboxServer) -> None:
    elsewhere = run("ask", "--json", "--no-save", "echo one").lines[-1]["ids"]["conversation"]

    here = run("ask", "--json", "--conversation", elsewhere, "echo two").lines[-1]

    assert here["ids"]["conversation"] == elsewhere
    assert len(sandbox.state()["conversations"]) == 1


def test_question_and_answer_are_kept_for_their_owner_alone(run: Run, tmp_path: Path) -> None:
    conversation = run("ask", "--json", "echo kept").lines[-1]["conversation"]

    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    (journal,) = [path for path in files if conversation in path.name and path.suffix == ".toml"]
    assert "echo kept" in journal.read_text()
    for path in (tmp_path / "data").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_without_saving_nothing_is_written(run: Run, tmp_path: Path) -> None:
    assert run("ask", "-q", "--no-save", "echo gone").code == 0

    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file()]


def test_where_nothing_can_be_kept_it_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "state").write_text("no folder")

    ran = run("ask", "echo x")

    assert (ran.code, ran.out) == (Exit.ANSWERED, "x\n")
    assert "memory only" in ran.err
    (hint,) = [line for line in ran.err.splitlines() if line.startswith("go on with")]
    known = hint.split()[-2]
    assert run("ask", "--json", "--conversation", known, "echo y").lines[-1]["ids"]["conversation"] == known


def test_no_secret_is_in_any_file_or_output(run: Run, tmp_path: Path, environ: dict[str, str]) -> None:
    ran = run("ask", "--json", "why did replication lag rise on rm-bp1k3?")

    secret = environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
    assert secret not in ran.out + ran.err
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("faults", "question", "code", "says"),
    [
        ("order-invalid", "echo x", Exit.NOT_ALLOWED, "No valid order"),
        ("wrong-signature", "echo x", Exit.NOT_ALLOWED, "secret does not belong"),
        ("no-permission", "echo x", Exit.NOT_ALLOWED, "rdsai:ChatMessages"),
        ("throttled", "echo x", Exit.FAILED, "no more requests"),
        ("html-502", "echo x", Exit.FAILED, "HTTP 502"),
        ("error-frame=12", "why did replication lag rise?", Exit.FAILED, "The service failed"),
        ("", "approve 2", Exit.APPROVAL, "approval"),
        ("drop-after=8", "why did replication lag rise?", Exit.ANSWERED, ""),
        ("no-finish", "echo x", Exit.ANSWERED, ""),
    ],
)
def test_the_exit_code_says_how_it_went(
    faults: str, question: str, code: Exit, says: str, run: Run, sandbox: SandboxServer
) -> None:
    """A lost line and a missing end marker are made good from the service's history."""
    sandbox.set_faults(*([faults] if faults else []))

    ran = run("ask", question)

    assert ran.code == code
    assert says in ran.err
    assert max(sandbox.state()["accepted"].values(), default=0) <= 1
    if code in (Exit.NOT_ALLOWED, Exit.FAILED) and "html" not in faults:
        assert "request id: SANDBOX-" in ran.err


def test_what_came_after_a_drop_is_printed_once(run: Run, sandbox: SandboxServer) -> None:
    whole = run("ask", "-q", "long 5").out
    sandbox.set_faults("drop-after=60")

    assert run("ask", "-q", "long 5").out == whole


def test_a_refusal_in_json_is_in_the_summary(run: Run, sandbox: SandboxServer) -> None:
    sandbox.set_faults("order-invalid")

    summary = run("ask", "--json", "echo x").lines[-1]

    assert (summary["exit"], summary["state"]) == (3, "failed")
    assert summary["problem"]["code"] == "InvalidOrder"
    assert summary["problem"]["delivered"] == "no"


@pytest.mark.parametrize("seconds", ["0.0001", "0.5"])
def test_a_time_limit_stops_the_service_too(seconds: str, run: Run, sandbox: SandboxServer) -> None:
    """Also one that is over before the question was sent, or before the service named its task."""
    ran = run("ask", "--timeout", seconds, "hold 3")

    assert ran.code == Exit.TIMED_OUT
    state = sandbox.state()
    assert state["running"] == []
    assert state["stop_calls"] == sum(state["accepted"].values())


def test_a_signal_between_the_key_and_the_send_is_not_lost(
    run: Run, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Questions.ask

    def interrupted(self: Questions, conversation_id: str, text: str, options: Any = None) -> Any:
        turn = send(self, conversation_id, text, options)
        os.kill(os.getpid(), signal.SIGINT)
        return turn

    monkeypatch.setattr(Questions, "ask", interrupted)

    assert run("ask", "hold 3").code == Exit.STOPPED
    assert sandbox.state()["running"] == []


def test_what_was_stopped_before_it_was_sent_says_so(run: Run, sandbox: SandboxServer) -> None:
    summary = run("ask", "--json", "--timeout", "0.0001", "echo x").lines[-1]

    assert (summary["event"], summary["exit"], summary["problem"]["delivered"]) == ("summary", 5, "no")
    assert sandbox.state()["accepted"] == {}


def test_hostile_text_does_not_reach_the_terminal(run: Run) -> None:
    ran = run("ask", "hostile")

    for text in (ran.out, ran.err):
        assert not [char for char in text if (ord(char) < 32 and char not in "\n\t") or 0x7F <= ord(char) < 0xA0]


def test_a_profile_that_is_not_there_asks_nobody(run: Run, sandbox: SandboxServer) -> None:
    ran = run("--profile", "prod", "ask", "echo x")

    assert ran.code == Exit.NOT_ALLOWED
    assert "prod" in ran.err
    assert sandbox.state()["received"] == {}


def test_an_address_that_is_not_safe_is_wrong_usage(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YUNLIAO_RDS_ENDPOINT", "http://rdsai.aliyuncs.com")

    ran = run("ask", "echo x")

    assert ran.code == Exit.USAGE
    assert "TLS" in ran.err


def test_a_setting_that_is_wrong_is_named(run: Run, tmp_path: Path) -> None:
    settings = tmp_path / "data" / "config" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('regoin = "cn-beijing"\n')

    ran = run("ask", "echo x")

    assert ran.code == Exit.USAGE
    assert "regoin" in ran.err
    assert "region" in ran.err


def test_without_credentials_it_is_the_sandbox_and_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        monkeypatch.delenv(name)

    ran = run("ask", "echo hello")

    assert (ran.code, ran.out) == (0, "hello\n")
    assert "sandbox" in ran.err


# --- as a process of its own ---------------------------------------------------------------------------------


def start(environ: dict[str, str], tmp_path: Path, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*YUNLIAO, "--data-dir", str(tmp_path / "data"), *arguments],
        env={**os.environ, **environ},
        stdin=options.pop("stdin", subprocess.DEVNULL),
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_service_first(
    number: signal.Signals, environ: dict[str, str], sandbox: SandboxServer, tmp_path: Path
) -> None:
    process = start(environ, tmp_path, "ask", "hold 3")
    until(lambda: sandbox.state()["holding"])

    process.send_signal(number)
    out, err = process.communicate(timeout=20)

    assert process.returncode == Exit.STOPPED
    assert "word3" in out
    assert "stopping" in err
    state = sandbox.state()
    assert (state["stop_calls"], state["running"]) == (1, [])


def test_a_second_signal_does_not_wait_for_the_service(
    environ: dict[str, str], sandbox: SandboxServer, tmp_path: Path
) -> None:
    sandbox.set_faults("slow-start@ChatMessagesTaskStop=30")
    with start(environ, tmp_path, "ask", "hold 3") as process:
        until(lambda: sandbox.state()["holding"])
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        for line in process.stderr:
            if "stopping" in line:
                break
        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=10) == Exit.STOPPED


def test_a_reader_that_goes_away_is_no_traceback(
    environ: dict[str, str], sandbox: SandboxServer, tmp_path: Path
) -> None:
    sandbox.set_pace(200)
    with start(environ, tmp_path, "ask", "long 200") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()

        assert process.wait(timeout=20) == Exit.STOPPED
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
    assert "stopping" not in err
    assert sandbox.state()["running"] == []


def test_what_the_encoding_of_stdout_does_not_have_is_no_end(environ: dict[str, str], tmp_path: Path) -> None:
    process = start({**environ, "PYTHONIOENCODING": "ascii"}, tmp_path, "ask", "-q", "echo lag 延迟 rose")

    assert process.communicate(timeout=20) == ("lag ?? rose\n", "")
    assert process.returncode == Exit.ANSWERED


def test_a_pipe_that_stays_open_is_hinted_at(environ: dict[str, str], tmp_path: Path) -> None:
    process = start(environ, tmp_path, "ask", "-q", "echo x", stdin=subprocess.PIPE)
    assert process.stderr is not None

    assert "waiting for stdin" in process.stderr.readline()
    out, _err = process.communicate(timeout=20)
    assert out == "x\n"


def test_on_a_terminal_there_is_no_escape_code_either(
    environ: dict[str, str], tmp_path: Path, sandbox: SandboxServer
) -> None:
    primary, secondary = pty.openpty()
    process = subprocess.Popen(
        [*YUNLIAO, "--data-dir", str(tmp_path / "data"), "ask", "why did replication lag rise?"],
        env={**os.environ, **environ},
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
    )
    os.close(secondary)
    shown = bytearray()
    try:
        while piece := os.read(primary, 65536):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(primary)

    assert process.wait(timeout=20) == 0
    assert b"\x1b" not in shown
    assert b"go on with" in shown


def test_ask_loads_no_terminal_library(environ: dict[str, str], tmp_path: Path) -> None:
    code = (
        "import sys\n"
        # Only the test extras bring it; where it is there, httpx loads rich for a command of its own.
        "sys.modules['click'] = None\n"
        "from tui.cli import main\n"
        f"code = main(['--data-dir', {str(tmp_path / 'data')!r}, 'ask', '-q', 'echo x'])\n"
        "print(code, sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'textual', 'rich', 'aiohttp', 'requests', 'alibabacloud_credentials', 'pygments', 'markdown_it'}))\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert ran.stdout.splitlines() == ["x", "0 []"]


# --- the rest ------------------------------------------------------------------------------------------------


def test_help_and_version_load_next_to_nothing() -> None:
    code = (
        "import sys\n"
        "from tui.cli import main\n"
        "try:\n    main(['ask', '--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted(name for name in sys.modules if name.partition('.')[0] in "
        "('textual', 'rich', 'httpx', 'asyncio', 'aiohttp')), file=sys.stderr)\n"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert ran.stderr.strip() == "[]"


def test_every_exit_code_is_in_the_help(run: Run) -> None:
    shown = run("--help").out

    assert set(meanings()) == set(Exit)
    for code, meaning in meanings().items():
        assert f"{code.value}  {meaning}" in shown


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").out.startswith("yunliao ")


@pytest.mark.parametrize("arguments", [["--no-such-flag"], ["no-such-command"], ["ask", "-s", "no-such-service", "x"]])
def test_wrong_usage_is_code_2(arguments: list[str], run: Run) -> None:
    assert run(*arguments).code == Exit.USAGE


def test_without_a_terminal_the_app_says_what_does_without_one(run: Run) -> None:
    ran = run()

    assert ran.code == Exit.USAGE
    assert "yunliao ask" in ran.err


def test_the_sandbox_prints_its_address_as_one_line_of_json() -> None:
    process = subprocess.Popen([*YUNLIAO, "sandbox", "--pace", "unlimited"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        info = json.loads(process.stdout.readline())
        assert info["url"].startswith("http://127.0.0.1:")
        assert {"access_key_id", "access_key_secret", "sts"} <= set(info)
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
        process.stdout.close() if process.stdout else None


@pytest.mark.parametrize("arguments", [["--fault", "nonsense"], ["--pace", "nonsense"]])
def test_a_sandbox_that_cannot_be_is_wrong_usage(arguments: list[str], run: Run) -> None:
    ran = run("sandbox", *arguments)

    assert ran.code == Exit.USAGE
    assert "nonsense" in ran.err


def test_the_umask_comes_first(run: Run) -> None:
    os.umask(0)
    run("--version")

    assert os.umask(0o022) == 0o077


def test_the_language_is_that_of_the_flag(run: Run) -> None:
    from tui.words import language, use_language

    run("--lang", "zh", "--version")
    assert language() == "zh"
    use_language("en")


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_can_show_no_screen_is_told_so(
    term: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not filled with sequences that it prints as they are."""
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["--sandbox"]) == Exit.USAGE
    assert "TERM" in capsys.readouterr().err


def test_help_is_wrapped_to_the_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main(["ask", "--help"])
    out = capsys.readouterr().out
    assert max(map(len, out.split("\n"))) <= 80
    assert "\n  0  " in out
