"""`yunliao assistants`: export, import, diff and apply files of assistants, for git; no terminal library."""

from __future__ import annotations

import argparse
import asyncio
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from tui.exits import Exit
from tui.options import Options
from tui.words import _

if TYPE_CHECKING:
    from tui.assistants.fields import AnyAssistant
    from tui.assistants.plan import Planned

Command = Literal["list", "export", "import", "diff", "apply"]
MOST_BYTES = 4 * 1024 * 1024


class _Adds(Protocol):
    """What `argparse`'s `add_subparsers` returns; its class has no public name."""

    def add_parser(self, name: str, **options: Any) -> argparse.ArgumentParser: ...


@dataclass(frozen=True, slots=True)
class AssistantsOptions:
    """What the command line says."""

    command: Command
    ids: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    form: Literal["toml", "json"] = "toml"
    output: Path | None = None
    """None is stdout."""
    yes: bool = False


def add_commands(
    parser: argparse.ArgumentParser, formatter: Any, add_common: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Put the sub-commands on the parser of `yunliao assistants`; `add_common` gives each help and the common flags."""
    commands = cast("_Adds", parser.add_subparsers(dest="assistants_command", metavar=_("command"), required=True))

    def add(name: Command, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text, formatter_class=formatter, add_help=False)
        add_common(made)
        return made

    add("list", _("print id, place, model and name of each, a line each"))
    export = add("export", _("write assistants and local profiles as TOML or JSON, without their secrets"))
    export.add_argument("ids", nargs="*", metavar="ID", help=_("which; all where none is named"))
    export.add_argument("--format", choices=("toml", "json"), default="toml", help=_("TOML is made for git"))
    export.add_argument("-o", "--output", type=Path, default=None, metavar="FILE", help=_("where to; else stdout"))
    reading: tuple[tuple[Command, str], ...] = (
        ("import", _("make a new assistant of each in the files, whatever is there")),
        ("diff", _("say in what the files differ from what is there")),
        ("apply", _("make what is there as the files say: by id, else by name, else a new one")),
    )
    for name, text in reading:
        made = add(name, text)
        made.add_argument("files", nargs="+", type=Path, metavar="FILE", help=_("TOML or JSON; - is stdin"))
        if name != "diff":
            made.add_argument("-y", "--yes", action="store_true", help=_("do not ask"))


def options_of(parsed: argparse.Namespace) -> AssistantsOptions:
    return AssistantsOptions(
        command=parsed.assistants_command,
        ids=tuple(getattr(parsed, "ids", ())),
        files=tuple(getattr(parsed, "files", ())),
        form=getattr(parsed, "format", "toml"),
        output=getattr(parsed, "output", None),
        yes=getattr(parsed, "yes", False),
    )


def run(options: Options, wanted: AssistantsOptions) -> int:
    """Do it; the exit code (`tui.exits`). `diff` ends with `Exit.DIFFERS` where something differs."""
    from tui.assistants.files import FileProblem
    from tui.services.codes import kind_of
    from tui.services.errors import ServiceError
    from tui.settings import SettingsError

    try:
        return asyncio.run(_Run(options, wanted).main())
    except (SettingsError, FileProblem) as error:
        return _complain(str(error), Exit.USAGE)
    except ServiceError as error:
        problem = error.problem
        text = " ".join(part for part in (f"{problem.title}: {problem.sentence}", problem.remedy) if part)
        if problem.request_id:
            text += " " + _("request id {id}").format(id=problem.request_id)
        refused = kind_of(problem.code, problem.status) in ("auth", "permission", "order")
        return _complain(text, Exit.NOT_ALLOWED if refused else Exit.FAILED)
    except OSError as error:
        return _complain(f"{error.filename or ''}: {error.strerror or error}".lstrip(": "), Exit.FAILED)


def _complain(text: str, code: Exit) -> int:
    print(f"yunliao: {text}", file=sys.stderr)
    return code


class _Run:
    """One run of the command."""

    def __init__(self, options: Options, wanted: AssistantsOptions) -> None:
        from tui import paths
        from tui.settings import load_settings

        self._options = options
        self._wanted = wanted
        self._places = paths.resolve(options.data_dir)
        self._settings = load_settings(self._places.settings, options)

    async def main(self) -> int:
        from tui.assistants.desk import AssistantDesk, DeskHooks
        from tui.services.dashscope import DashScope
        from tui.services.dashscope_assistants import Assistants
        from tui.services.dashscope_keys import dashscope_place
        from tui.services.errors import ServiceError
        from tui.services.registry import open_services

        state = self._places.state
        services = await open_services(
            profile=self._settings.profile,
            sandbox=self._options.sandbox,
            faults=self._options.faults,
            sandbox_folder=state / "sandbox" if state else None,
            dashscope=dashscope_place(self._settings.for_profile(self._settings.profile)),
        )
        if services.on_sandbox:
            print(_("sandbox: {reason}").format(reason=services.sandbox_reason), file=sys.stderr)

        async def client() -> Assistants:
            return cast("DashScope", await services.get("dashscope")).assistants

        hooks = DeskHooks(
            client=client,
            failed=lambda problem: print(f"yunliao: {problem.title}: {problem.sentence}", file=sys.stderr),
        )
        self._desk = AssistantDesk(hooks, state)
        try:
            await self._desk.refresh()
            if self._desk.problem is not None:
                raise ServiceError(self._desk.problem)
            return await self._do()
        finally:
            await services.aclose()

    async def _do(self) -> int:
        match self._wanted.command:
            case "list":
                return self._list()
            case "export":
                return await self._export()
        return await self._apply()

    @property
    def _known(self) -> list[AnyAssistant]:
        return [*self._desk.server, *self._desk.profiles]

    def _list(self) -> int:
        from tui.services.assistant_models import Assistant
        from tui.text import clean_line

        for one in self._known:
            place = "assistants" if isinstance(one, Assistant) else "responses"
            print("\t".join((one.id, place, clean_line(one.model), clean_line(one.name))))
        return Exit.ANSWERED

    async def _export(self) -> int:
        from tui.assistants.files import dump

        chosen = [self._desk.find(name) or await self._desk.retrieve(name) for name in self._wanted.ids] or self._known
        text = dump(chosen, self._wanted.form)
        if self._wanted.output is None:
            print(text, end="")
        else:
            await asyncio.to_thread(_write, self._wanted.output, text.encode())
        return Exit.ANSWERED

    async def _apply(self) -> int:
        from tui.assistants.files import Entry, FileProblem, load
        from tui.assistants.plan import plan, plan_lines

        entries: list[Entry] = []
        for path in self._wanted.files:
            try:
                entries += load(_read(path))
            except FileProblem as error:
                raise FileProblem(f"{path}{_(': ')}{error}") from error
        planned = plan(entries, self._known, fresh=self._wanted.command == "import")
        for one in planned:
            print("\n".join(plan_lines(one)))
        work = [one for one in planned if one.action != "same"]
        if self._wanted.command == "diff":
            return Exit.DIFFERS if work else Exit.ANSWERED
        if not work:
            return Exit.ANSWERED
        if self._settings.for_profile(self._settings.profile).read_only:
            return _complain(_("This profile is read-only: nothing is changed on the service."), Exit.NOT_ALLOWED)
        if not self._wanted.yes and not _agreed(len(work)):
            return _complain(_("nothing was changed; --yes does it without a question."), Exit.USAGE)
        for one in work:
            await self._save(one)
        return Exit.ANSWERED

    async def _save(self, planned: Planned) -> None:
        from tui.assistants.drafts import NEW, Draft, compared

        key = planned.held.id or f"{NEW}{uuid.uuid4().hex}"
        draft = Draft(key, planned.held, planned.after)
        saved = await self._desk.save(compared(draft, planned.held))
        words = _("created {name}: {id}") if planned.action == "create" else _("changed {name}: {id}")
        print(words.format(name=saved.name or saved.model, id=saved.id))


def _write(path: Path, data: bytes) -> None:
    """Replace a file as a whole; what is there and is none, a pipe or a device, is written to. Raises OSError."""
    from tui.cache import files

    if path.exists() and not path.is_file():
        path.write_bytes(data)
    else:
        files.replace(path.resolve(), data)


def _read(path: Path) -> str:
    """The text of a file, or of stdin. Raises FileProblem, OSError."""
    from tui.assistants.files import FileProblem

    if str(path) == "-":
        data = sys.stdin.buffer.read(MOST_BYTES + 1)
    else:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise FileProblem(_("It is too large."))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileProblem(_("It is no text.")) from error


def _agreed(count: int) -> bool:
    """Ask on the terminal; False where there is none."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(_("Do this with {count}? Type yes: ").format(count=count), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("yes", "是")
