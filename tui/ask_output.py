"""What `yunliao ask` prints: plain text for people and pipes, or one JSON object a line for programs."""

from __future__ import annotations

import json
import os
import queue
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Protocol

from tui.exits import Exit
from tui.models import Problem, TableBlock, Turn
from tui.services.events import (
    Asked,
    ChartFound,
    DocumentFound,
    Event,
    FrameSkipped,
    Heartbeat,
    Status,
    TableFound,
    TextDelta,
    TextReplaced,
    ThinkingDelta,
    ToolProgress,
)
from tui.text import clean
from tui.words import _


class _Stdout:
    """Writes in a thread of its own: a pager that does not read must not hold up signals, the line and the disk."""

    def __init__(self, on_broken: Callable[[], None]) -> None:
        self._on_broken = on_broken
        self._texts: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="stdout", daemon=True)
        self._thread.start()

    def put(self, text: str) -> None:
        self._texts.put(text)

    def close(self) -> None:
        """Wait until all is written."""
        self._texts.put(None)
        self._thread.join()

    def _write(self) -> None:
        try:
            while (text := self._texts.get()) is not None:
                sys.stdout.write(text)
                sys.stdout.flush()
        except (BrokenPipeError, OSError):
            # The reader has gone (`| head`): the interpreter's own flush at exit must not complain of it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            self._on_broken()


class Output(Protocol):
    """Where a question's events go. Nothing blocks but `close`."""

    def start(self, on_broken: Callable[[], None]) -> None:
        """`on_broken` is called, from another thread, when stdout is closed by its reader."""

    def event(self, event: Event) -> None: ...

    def say(self, sentence: str) -> None:
        """Progress, in words."""

    def problem(self, problem: Problem) -> None: ...

    def end(self, conversation: str, turn: Turn, code: Exit) -> None: ...

    def close(self) -> None: ...


class PlainOutput:
    """The answer's Markdown on stdout, everything else on stderr."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._both = sys.stdout.isatty() and sys.stderr.isatty()
        self._printed: list[str] = []
        self._last = "\n"
        self._tools: dict[str, str] = {}
        self._thinking = False

    def start(self, on_broken: Callable[[], None]) -> None:
        self._stdout = _Stdout(on_broken)

    def event(self, event: Event) -> None:
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

    def end(self, conversation: str, turn: Turn, code: Exit) -> None:
        if self._last != "\n":
            self._print("\n")
        if turn.problem is not None and conversation:
            self.problem(turn.problem)
        if code == Exit.CUT_OFF:
            self.say(_("the answer ended without its end marker"))
        elif code == Exit.ANSWERED and not self._printed:
            self.say(_("the service finished without an answer"))
        if conversation:
            self.say(_("go on with: yunliao ask --conversation {id} ...").format(id=conversation))

    def close(self) -> None:
        self._stdout.close()

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

    def start(self, on_broken: Callable[[], None]) -> None:
        self._stdout = _Stdout(on_broken)

    def event(self, event: Event) -> None:
        if not isinstance(event, Heartbeat):
            name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(event).__name__).lower()
            self._put({"event": name, **asdict(event)})

    def say(self, sentence: str) -> None:
        if not self._quiet:
            print(clean(sentence), file=sys.stderr, flush=True)

    def problem(self, problem: Problem) -> None:
        """It is in the summary."""

    def end(self, conversation: str, turn: Turn, code: Exit) -> None:
        self._put(
            {
                "event": "summary",
                "conversation": conversation,
                "ids": asdict(turn.ids),
                "state": turn.state,
                "text": turn.answer,
                "problem": asdict(turn.problem) if turn.problem else None,
                "frames_skipped": turn.frames_skipped,
                "exit": int(code),
            }
        )

    def close(self) -> None:
        self._stdout.close()

    def _put(self, table: dict[str, object]) -> None:
        self._stdout.put(json.dumps(table, ensure_ascii=False) + "\n")
