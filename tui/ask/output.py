"""What `yunliao ask` prints: plain text for people and pipes, or one JSON object a line for programs."""

from __future__ import annotations

import json
import queue
import re
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Protocol

from tui.exits import Exit
from tui.models import (
    ChartBlock,
    CodeBlock,
    FileBlock,
    PlanBlock,
    Problem,
    ServiceName,
    TableBlock,
    TextBlock,
    Turn,
)
from tui.services.events import (
    Asked,
    ChartFound,
    CodeCell,
    DocumentFound,
    Event,
    FileReady,
    FrameSkipped,
    Heartbeat,
    PlanChanged,
    PositionMoved,
    Status,
    TableFound,
    TextDelta,
    TextReplaced,
    ThinkingDelta,
    ToolProgress,
)
from tui.stdout import give_up
from tui.text import clean
from tui.turns import open_ask
from tui.words import _


class _Stdout:
    """Writes in a thread of its own: a pager that does not read must not hold up signals, the line and the disk."""

    def __init__(self, on_broken: Callable[[str], None]) -> None:
        self._on_broken = on_broken
        self._failure = ""
        self._texts: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="stdout", daemon=True)
        self._thread.start()

    def put(self, text: str) -> None:
        self._texts.put(text)

    def close(self) -> str:
        """Wait until all is written; why it could not be, "" where it is (or nobody wants to read it)."""
        self._texts.put(None)
        self._thread.join()
        return self._failure

    def _write(self) -> None:
        try:
            while (text := self._texts.get()) is not None:
                sys.stdout.write(text)
                sys.stdout.flush()
        except OSError as error:
            self._failure = give_up(error)
            self._on_broken(self._failure)


class Output(Protocol):
    """Where a question's events go. Nothing blocks but `close`."""

    def start(self, on_broken: Callable[[str], None]) -> None:
        """`on_broken` is called, from another thread, when stdout takes no more; "" when its reader left."""

    def begin(self, service: ServiceName) -> None:
        """With whom the conversation is; told before any event."""

    def event(self, event: Event) -> None: ...

    def say(self, sentence: str) -> None:
        """Progress, in words."""

    def ask(self, lines: Sequence[str]) -> None:
        """What the service waits for, whether progress is wanted or not."""

    def prompt(self, text: str) -> None:
        """Before a line that is typed."""

    def problem(self, problem: Problem) -> None: ...

    def end(self, conversation: str, turn: Turn, code: Exit, go_on: str = "") -> None:
        """`go_on`: the id by which `--conversation` finds it again; "" where nothing does."""

    def close(self) -> str:
        """Wait until all is written; why that failed, or ""."""


class PlainOutput:
    """The answer's Markdown on stdout, everything else on stderr."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._both = sys.stdout.isatty() and sys.stderr.isatty()
        self._printed: list[str] = []
        self._last = "\n"
        self._tools: dict[str, str] = {}
        self._thinking = False
        self._late = False

    def start(self, on_broken: Callable[[str], None]) -> None:
        self._stdout = _Stdout(on_broken)

    def begin(self, service: ServiceName) -> None:
        # What the Data Agent says it takes back and replaces: it is printed when the turn is over.
        self._late = service == "dms"

    def ask(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._error(line)

    def prompt(self, text: str) -> None:
        print(text, end="", file=sys.stderr, flush=True)

    def event(self, event: Event) -> None:
        if self._late:
            self._tell(event)
        else:
            self._print_event(event)

    def _tell(self, event: Event) -> None:
        """Progress of an analysis, in words."""
        match event:
            case PlanChanged(steps):
                for step in steps:
                    if step.state in ("running", "done", "failed") and self._tools.get(step.title) != step.state:
                        self._tools[step.title] = step.state
                        self.say(f"{step.title}{_(': ')}{_STATUS[step.state]()}")
            case CodeCell(cell):
                state = "failed" if cell.state == "failed" else "done" if cell.outputs else "running"
                if self._tools.get(cell.cell_id) != state:
                    self._tools[cell.cell_id] = state
                    self.say(f"  {cell.language} {cell.title}{_(': ')}{_STATUS[state]()}")
            case FileReady(file):
                self.say(_("file: {name}").format(name=file.name))
            case ThinkingDelta() | Status() | FrameSkipped():
                self._print_event(event)
            case _:
                pass

    def _print_event(self, event: Event) -> None:
        match event:
            case TextDelta(text):
                self._print(text)
            case TextReplaced(text):
                self._replace(text)
            case TableFound(table):
                self._print_table(table)
            case ChartFound(chart):
                self._print_table(chart.data)
            case ThinkingDelta():
                if not self._thinking:
                    self.say(_("thinking"))
                self._thinking = True
            case ToolProgress(call_id, name, status):
                if self._tools.get(call_id or name) != status:
                    self.say(f"{name or _('unnamed tool')}{_(': ')}{_STATUS[status]()}")
                self._tools[call_id or name] = status
            case DocumentFound(title, links):
                self.say(title)
                for link in links:
                    self.say(f"  {link.title} {link.url}" if link.title != link.url else f"  {link.url}")
            case Asked(ask):
                for call in ask.calls:
                    self.say(f"{call.name} {call.arguments}: {call.status}")
                if not ask.answered and ask.kind == "tool_outputs":
                    self.say(
                        _("it waits for the outputs of these functions; give them in the app, in this conversation")
                    )
                elif not ask.answered:
                    self.say(_("it waits for your approval; decide in the RDS console, then ask again"))
            case Status(text):
                if text:
                    self.say(text)
            case FrameSkipped():
                self.say(_("a broken piece of the answer was left out"))
            case _:
                pass

    def say(self, sentence: str) -> None:
        if not self._quiet:
            self._error(sentence)

    def problem(self, problem: Problem) -> None:
        self._error(_(": ").join(part for part in (problem.title, problem.sentence) if part))
        if problem.remedy:
            self._error(problem.remedy)
        if problem.request_id:
            self._error(_("request id: {id}").format(id=problem.request_id))

    def end(self, conversation: str, turn: Turn, code: Exit, go_on: str = "") -> None:
        if self._late:
            self._print(answer_of(turn))
        if self._last != "\n":
            self._print("\n")
        if turn.problem is not None and conversation:
            self.problem(turn.problem)
        if code == Exit.CUT_OFF:
            self.say(_("the answer ended without its end marker"))
        elif code == Exit.ANSWERED and not self._printed:
            self.say(_("the service finished without an answer"))
        if go_on:
            self.say(_("go on with: yunliao ask --conversation {id} ...").format(id=go_on))

    def close(self) -> str:
        return self._stdout.close()

    def _print(self, text: str) -> None:
        text = clean(text)
        if text:
            self._printed.append(text)
            self._last = text[-1]
            self._stdout.put(text)

    def _error(self, sentence: str) -> None:
        if self._both and self._last != "\n":
            self._last = "\n"
            self._stdout.put("\n")
        print(clean(sentence), file=sys.stderr, flush=True)

    def _replace(self, text: str) -> None:
        """What is printed cannot be taken back: print what follows it, or all of the new text below."""
        held = "".join(self._printed)
        if not text.startswith(held):
            self.say(_("the service replaced its answer; the new text follows"))
            self._print("\n\n" if self._last != "\n" else "\n")
            self._printed.clear()
            held = ""
        self._print(text[len(held) :])

    def _print_table(self, table: TableBlock) -> None:
        def line(cells: tuple[str, ...]) -> str:
            return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

        rows = [line(table.columns), line(tuple("---" for _column in table.columns)), *map(line, table.rows)]
        self._stdout.put(("" if self._last == "\n" else "\n") + "\n" + "\n".join(rows) + "\n\n")
        self._last = "\n"


def answer_of(turn: Turn) -> str:
    """An analysis as Markdown: plan, statements with their results, tables, the answer proper, files."""
    from tui.exports.markdown import Shape, block_parts

    shown = (PlanBlock, CodeBlock, TableBlock, ChartBlock, TextBlock, FileBlock)
    parts = [part for block in turn.blocks if isinstance(block, shown) for part in block_parts(block, Shape())]
    return "\n\n".join(part.strip("\n") for part in parts if part.strip())


_STATUS: dict[str, Callable[[], str]] = {
    "running": lambda: _("running"),
    "waiting": lambda: _("waiting"),
    "done": lambda: _("done"),
    "failed": lambda: _("failed"),
}


class JsonOutput:
    """One object a line: each event by its name, at the end a `summary`; on stderr what a person would want to know."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet

    def start(self, on_broken: Callable[[str], None]) -> None:
        self._stdout = _Stdout(on_broken)

    def begin(self, service: ServiceName) -> None:
        """Events are events, whoever sends them."""

    def ask(self, lines: Sequence[str]) -> None:
        for line in lines:
            print(clean(line), file=sys.stderr, flush=True)

    def prompt(self, text: str) -> None:
        print(text, end="", file=sys.stderr, flush=True)

    def event(self, event: Event) -> None:
        if not isinstance(event, (Heartbeat, PositionMoved)):
            name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(event).__name__).lower()
            self._put({"event": name, **asdict(event)})

    def say(self, sentence: str) -> None:
        if not self._quiet:
            print(clean(sentence), file=sys.stderr, flush=True)

    def problem(self, problem: Problem) -> None:
        """It is in the summary."""

    def end(self, conversation: str, turn: Turn, code: Exit, go_on: str = "") -> None:
        self._put(
            {
                "event": "summary",
                "conversation": conversation,
                "ids": asdict(turn.ids),
                "state": turn.state,
                "text": turn.answer,
                "ask": asdict(ask) if (ask := open_ask(turn)) is not None else None,
                "files": [asdict(block) for block in turn.blocks if isinstance(block, FileBlock)],
                "problem": asdict(turn.problem) if turn.problem else None,
                "frames_skipped": turn.frames_skipped,
                "exit": int(code),
            }
        )

    def close(self) -> str:
        return self._stdout.close()

    def _put(self, table: dict[str, object]) -> None:
        self._stdout.put(json.dumps(table, ensure_ascii=False) + "\n")
