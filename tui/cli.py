"""The command `yunliao`: flags, sub-commands, exit codes. What a sub-command needs is imported when it runs."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tui import __version__, cache_cli, stdout
from tui.exits import Exit, meanings
from tui.options import SERVICES, Options
from tui.words import _, use_language

MODES = ("ask_data", "analysis", "insight")
"""Of the Data Agent."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    # First of all: whatever is written from here on, also by packages, is for its owner alone.
    os.umask(0o077)
    arguments = sys.argv[1:] if arguments is None else arguments
    use_language(_language_flag(arguments))
    parsed = _parser(arguments).parse_args(arguments)
    stdout.take_any_text()
    try:
        code = _run(parsed)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return Exit.STOPPED
    except OSError as error:
        if error.filename is not None:  # not of stdout
            raise
        if reason := stdout.give_up(error):
            print(_("yunliao: the output could not be written: {reason}").format(reason=reason), file=sys.stderr)
            return Exit.FAILED
        return Exit.STOPPED
    return code


def _run(parsed: argparse.Namespace) -> int:
    if parsed.reset_terminal:
        return _reset_terminal()
    if parsed.command == "sandbox":
        return _sandbox(parsed)
    if parsed.command == "ask":
        return _ask(parsed)
    if parsed.command == "assistants":
        return _assistants(parsed)
    if parsed.command in cache_cli.COMMANDS:
        return cache_cli.run(parsed, _options(parsed))
    return _app(parsed)


def _language_flag(arguments: Sequence[str]) -> str:
    """The language is known before the parser is made, so that its help is in it."""
    early = argparse.ArgumentParser(add_help=False)
    early.add_argument("--lang", default="")
    return str(early.parse_known_args([a for a in arguments if a not in ("-h", "--help")])[0].lang)


class _Help(argparse.RawDescriptionHelpFormatter):
    """argparse's own words in the user's language too."""

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, _("usage: ") if prefix is None else prefix)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        # A sentence is wrapped; the table of exit codes stays as it is.
        raw = "\n" in text
        return super()._fill_text(text, width, indent) if raw else textwrap.fill(" ".join(text.split()), width)

    def start_section(self, heading: str | None) -> None:
        words = {"positional arguments": _("arguments"), "options": _("options")}
        super().start_section(words.get(heading or "", heading))


def _add_help(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-h", "--help", action="help", help=_("show this help and exit"))


class Command(NamedTuple):
    """A sub-command."""

    summary: str
    """What it does, in the help of `yunliao`."""
    description: str
    add_flags: Callable[[argparse.ArgumentParser], None]
    service: str | None = ""
    """The help of its flag `--service`; "": with whom new conversations are; None: it has no common flags."""
    answers: bool = False
    """It ends with one of the codes that its help lists."""


def _commands() -> dict[str, Command]:
    ask = _(
        "Send one question and stream the answer to stdout; progress and errors go to stderr. The question is the "
        "argument, or stdin where it is - or missing; with both, what is piped in is put below the question."
    )
    files = _("DashScope's assistants and local profiles as files that git can hold; no secret is in them.")
    alone = _("Run the sandbox until it is told to end; its first line of output is its address, as JSON.")
    assistants = _("DashScope's assistants as files: export, import, diff, apply")
    cached = cache_cli.commands().items()
    service = _("only conversations with this service")
    return {
        "ask": Command(_("ask one question and print the answer"), ask, _add_ask_flags, answers=True),
        "assistants": Command(assistants, files, _add_assistant_flags, answers=True),
        **{name: Command(summary, text, add_flags, service) for name, (summary, text, add_flags) in cached},
        "sandbox": Command(_("run the sandbox alone"), alone, _add_sandbox_flags, service=None),
    }


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser. A sub-command has its flags only where it is named: every start would pay for all of them."""
    codes = "\n".join(f"  {code.value}  {meaning}" for code, meaning in meanings().items())
    epilog = _("exit codes:") + "\n" + codes
    parser = argparse.ArgumentParser(
        prog="yunliao",
        description=_("Conversations with Alibaba Cloud's assistants, from the terminal."),
        epilog=epilog,
        formatter_class=_Help,
        add_help=False,
    )
    parser.set_defaults(
        command="", sandbox=False, profile="", data_dir=None, lang="", fault=[], more_faults=[], service="", region=""
    )
    _add_help(parser)
    parser.add_argument(
        "--version", action="version", version=f"yunliao {__version__}", help=_("show the version and exit")
    )
    _add_common(parser)
    parser.add_argument(
        "--plain-display", action="store_true", help=_("paint as Textual does, without the painter of its own")
    )
    parser.add_argument("--low", action="store_true", help=_("draw less, for a slow line"))
    parser.add_argument("--stats", action="store_true", help=_("print figures of the run to stderr at the end"))
    parser.add_argument(
        "--reset-terminal", action="store_true", help=_("give the terminal its usual modes back after a crash")
    )
    commands = parser.add_subparsers(dest="command", metavar=_("command"))
    for name, command in _commands().items():
        made = commands.add_parser(
            name,
            help=command.summary,
            description=command.description,
            epilog=epilog if command.answers else None,
            formatter_class=_Help,
            add_help=False,
        )
        if name in arguments:
            _add_help(made)
            if command.service is not None:
                _add_common(made, "more_faults", command.service)
            command.add_flags(made)
    return parser


def _add_ask_flags(ask: argparse.ArgumentParser) -> None:
    ask.add_argument(
        "question", nargs="?", default="", metavar=_("question"), help=_("the question; - reads it from stdin")
    )
    ask.add_argument(
        "--conversation", default="", metavar="ID", help=_("go on in this conversation (its id here or on the service)")
    )
    ask.add_argument(
        "--assistant", default="", metavar="ID", help=_("talk to this assistant or local profile of DashScope")
    )
    ask.add_argument(
        "--file",
        dest="files",
        type=Path,
        action="append",
        default=[],
        metavar=_("FILE"),
        help=_("upload this table (csv, xlsx, xls) for the Data Agent; may be repeated"),
    )
    ask.add_argument("--mode", choices=MODES, default="", help=_("how deep the Data Agent works"))
    ask.add_argument(
        "-y", "--yes", action="store_true", help=_("agree to the Data Agent's plan and to statements that only read")
    )
    ask.add_argument("--region", default=argparse.SUPPRESS, help=_("the region that the question is about"))
    ask.add_argument("--json", action="store_true", help=_("print one JSON object a line, the last one a summary"))
    ask.add_argument("--timeout", type=float, default=0.0, metavar=_("SECONDS"), help=_("stop after so long"))
    ask.add_argument("--no-save", action="store_true", help=_("do not keep question and answer on this machine"))
    ask.add_argument("-q", "--quiet", action="store_true", help=_("no progress on stderr"))


def _add_assistant_flags(parser: argparse.ArgumentParser) -> None:
    from tui.assistants.cli import add_commands

    def add_common(parser: argparse.ArgumentParser) -> None:
        _add_help(parser)
        _add_common(parser, "more_faults")

    add_commands(parser, _Help, add_common)


def _add_sandbox_flags(sandbox: argparse.ArgumentParser) -> None:
    sandbox.add_argument("--port", type=int, default=0, help=_("0 is any free port"))
    sandbox.add_argument("--pace", default="natural", help=_("natural, fast, unlimited or pieces a second"))
    sandbox.add_argument("--folder", type=Path, default=None, help=_("keep conversations here; else in memory"))
    _add_faults(sandbox)


def _add_common(parser: argparse.ArgumentParser, faults: str = "fault", service: str = "") -> None:
    """Flags that may stand before or after the sub-command; without defaults, so that the later does not undo.

    `service` is the help of that flag where it does not say with whom new conversations are.
    """
    unset = argparse.SUPPRESS
    parser.add_argument(
        "--sandbox", action="store_true", default=unset, help=_("talk to the embedded sandbox, not to the cloud")
    )
    parser.add_argument("--profile", default=unset, metavar=_("NAME"), help=_("credentials profile"))
    service = service or _("service of new conversations")
    parser.add_argument("-s", "--service", choices=SERVICES, default=unset, help=service)
    parser.add_argument(
        "--data-dir", type=Path, default=unset, metavar=_("FOLDER"), help=_("where everything that is written goes")
    )
    parser.add_argument("--lang", default=unset, metavar="en|zh", help=_("language of the program"))
    _add_faults(parser, faults)


def _add_faults(parser: argparse.ArgumentParser, dest: str = "fault") -> None:
    parser.add_argument(
        "--fault",
        dest=dest,
        action="append",
        default=argparse.SUPPRESS,
        metavar=_("NAME"),
        help=_("a switch of the sandbox, for example drop-after=5; may be repeated"),
    )


def _options(parsed: argparse.Namespace) -> Options:
    faults = (*parsed.fault, *parsed.more_faults)
    return Options(
        sandbox=parsed.sandbox or bool(faults),
        profile=parsed.profile,
        data_dir=parsed.data_dir,
        language=parsed.lang,
        service=parsed.service,
        plain_display=parsed.plain_display,
        low=parsed.low,
        faults=faults,
        stats=parsed.stats,
    )


def _complain(sentence: str) -> int:
    print(f"yunliao: {sentence}", file=sys.stderr)
    return Exit.USAGE


def _app(parsed: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _complain(_("this needs a terminal; `yunliao ask` does without one."))
    if os.environ.get("TERM", "") in ("", "dumb"):
        text = _("a terminal of the type `{term}` shows no full screen; set TERM to its type, or use `yunliao ask`.")
        return _complain(text.format(term=os.environ.get("TERM", "")))
    from tui.settings import SettingsError
    from tui.terminal.environment import prepare

    # Textual reads its settings when it is imported.
    prepare(os.environ)
    # What starting makes is there to stay: the app turns collections on after the first paint.
    gc.disable()
    try:
        from tui.app import run

        return run(_options(parsed))
    except SettingsError as error:
        return _complain(str(error))


def _ask(parsed: argparse.Namespace) -> int:
    from tui.ask.run import AskOptions, ask

    if parsed.assistant and not parsed.service:
        parsed.service = "dashscope"
    elif (parsed.files or parsed.mode or parsed.yes) and not parsed.service and not parsed.conversation:
        parsed.service = "dms"
    return ask(
        _options(parsed),
        AskOptions(
            question=parsed.question,
            conversation=parsed.conversation,
            assistant=parsed.assistant,
            files=tuple(parsed.files),
            mode=parsed.mode.upper(),
            yes=parsed.yes,
            region=parsed.region,
            json=parsed.json,
            timeout=parsed.timeout,
            save=not parsed.no_save,
            quiet=parsed.quiet,
        ),
    )


def _assistants(parsed: argparse.Namespace) -> int:
    from tui.assistants.cli import options_of, run

    return run(_options(parsed), options_of(parsed))


def _sandbox(parsed: argparse.Namespace) -> int:
    from tui.sandbox.server import serve

    try:
        return serve(parsed.port, parsed.pace, tuple(parsed.fault), parsed.folder)
    except (ValueError, OSError) as error:
        return _complain(str(error))


def _reset_terminal() -> int:
    from tui.terminal.lifecycle import reset_terminal

    if reset_terminal():
        return Exit.ANSWERED
    return _complain(_("there is no terminal to reset."))
