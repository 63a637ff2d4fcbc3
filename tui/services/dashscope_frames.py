"""From the frames of a run's stream to events; no I/O. Source: protocol notes (DashScope) 6 and 11.

The event's name is trusted above the status inside its data. The text comes in pieces, and whole at a message's end,
which repairs what broke on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tui.models import AskBlock, AskCall, FileBlock, Problem, ToolStatus, TurnIds
from tui.services.assistant_models import Run, StepCall, ToolCall
from tui.services.dashscope_problems import read_error_table, refused
from tui.services.dashscope_wire import (
    line,
    read_content,
    read_message,
    read_run,
    read_step,
    read_step_call,
    tables,
)
from tui.services.dashscope_wire import table as as_table
from tui.services.events import (
    Asked,
    Event,
    Failed,
    FileReady,
    Finished,
    FrameSkipped,
    Noted,
    Status,
    ToolProgress,
    TurnStarted,
    Unknown,
    UsageReported,
)
from tui.services.fields import as_json
from tui.services.growing_text import GrowingText
from tui.services.problems import Refusal
from tui.services.sse import Frame, Oversized
from tui.text import clean_line
from tui.words import _

STEP_ENDS: dict[str, ToolStatus] = {
    "completed": "done",
    "failed": "failed",
    "cancelled": "failed",
    "expired": "failed",
}


def call_key(run_id: str, number: int, index: int) -> str:
    """What names a function's call to the user's side: the service's own ids may be empty. `number` is the ask's."""
    return f"{run_id}:{number}:{index}"


def ask_of(run_id: str, number: int, calls: Sequence[ToolCall]) -> AskBlock:
    """The ask of a run that waits, the `number`-th of it from 0."""
    return AskBlock(
        "tool_outputs",
        f"{run_id}:{number}",
        calls=tuple(
            AskCall(call_key(run_id, number, index), call.name, call.arguments) for index, call in enumerate(calls)
        ),
    )


def ask_number(ask: AskBlock) -> int:
    """Which ask of its run it is, from 0."""
    number = ask.ask_id.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


def same_calls(ask: AskBlock, run: Run) -> bool:
    """Whether the run waits for what was asked."""
    return [(call.name, call.arguments) for call in ask.calls] == [(call.name, call.arguments) for call in run.calls]


def run_end(run: Run, status: str) -> list[Event]:
    """What is said at the end of a run, and how it ended."""
    events: list[Event] = []
    if run.usage is not None:
        events.append(UsageReported(run.usage.input_tokens, run.usage.output_tokens))
    if status == "failed":
        refusal = Refusal(run.error_code or "server_error", run.error_message, run.request_id)
        events.append(Failed(refused(refusal, accepted=True).problem))
    elif status == "expired":
        events.append(Failed(run_expired(run.request_id)))
    elif status == "cancelled":
        events.append(Finished("stopped"))
    else:
        if status == "incomplete":
            events.append(Noted(_("the service ended the answer before it was complete")))
        events.append(Finished())
    return events


def run_expired(request_id: str = "") -> Problem:
    return Problem(
        _("Expired"),
        _("The run waited too long and was ended by the service."),
        _("Ask again; what had arrived is kept."),
        code="RunExpired",
        request_id=request_id,
        delivered="yes",
    )


@dataclass
class _Tool:
    """One call as its pieces come."""

    key: str
    function: bool = False
    name: str = ""
    arguments: str = ""
    output: str = ""

    def progress(self, status: ToolStatus) -> ToolProgress:
        return ToolProgress(self.key, self.name, status, self.arguments, self.output)


@dataclass
class RunReader:
    """One stream of a run.

    `held` is the answer text of the streams before, `number` how many asks of the run were answered in them.
    """

    thread: str = ""
    run: str = ""
    held: str = ""
    number: int = 0
    end: Finished | Failed | None = None
    """How the turn ended, once a frame has said so."""
    begun: bool = False
    """A frame of the run has come."""
    _steps: set[str] = field(default_factory=set)
    """Steps that began in this stream."""
    _tools: dict[tuple[str, int], _Tool] = field(default_factory=dict)
    _functions: dict[str, int] = field(default_factory=dict)
    """How many functions each step has called."""

    def __post_init__(self) -> None:
        self._text = GrowingText(self.held)

    @property
    def text(self) -> str:
        """The whole answer text so far."""
        return self._text.whole

    def feed(self, part: Frame | Oversized) -> list[Event]:
        """The events of one frame; never raises."""
        if isinstance(part, Oversized):
            return [FrameSkipped(part.size, "too long")]
        name = part.event.strip()
        if name == "done" or part.data.strip() == "[DONE]":
            return []
        data = as_json(part.data)
        if name == "error" or (isinstance(data, Mapping) and _is_error(data)):
            return self._error(data, part.data)
        if not isinstance(data, Mapping):
            return [FrameSkipped(len(part.data), "not a JSON object")]
        return self.take(name if name not in ("", "message") else _name_of(data), data)

    def take(self, name: str, data: Mapping[str, Any]) -> list[Event]:
        """The events of a frame that was read."""
        if name == "thread.created":
            self.thread = line(data, "id") or self.thread
            return [TurnStarted(TurnIds(conversation=self.thread, request=line(data, "request_id")))]
        if name == "thread.run.step.delta":
            return self._step_delta(data)
        if name.startswith("thread.run.step."):
            return self._step(name.rpartition(".")[2], data)
        if name.startswith("thread.run."):
            return self._run(name.rpartition(".")[2], data)
        if name == "thread.message.delta":
            return self._delta(data)
        if name in ("thread.message.completed", "thread.message.incomplete"):
            return self._message(data)
        if name in ("thread.message.created", "thread.message.in_progress"):
            # Named as soon as it is there, so that a turn that is stopped is known by its answer too.
            own = line(data, "id") if line(data, "role") != "user" else ""
            return [TurnStarted(TurnIds(message=own))] if own and name.endswith("created") else []
        return [Unknown(name or "unnamed")]

    # --- the run -----------------------------------------------------------------------------------------------

    def _run(self, status: str, data: Mapping[str, Any]) -> list[Event]:
        run = read_run({**data, "status": status})
        self.begun = True
        self.run = run.id or self.run
        self.thread = run.thread_id or self.thread
        events: list[Event] = [TurnStarted(TurnIds(conversation=self.thread, task=self.run, request=run.request_id))]
        if status in ("created", "queued"):
            return [*events, Status(_("queued"))]
        if status == "in_progress":
            return [*events, Status("")]
        if status == "cancelling":
            return [*events, Status(_("stopping"))]
        if status == "requires_action":
            events += self.ask(run)
        elif status in ("completed", "failed", "cancelled", "expired", "incomplete"):
            events += run_end(run, status)
        else:
            return [*events, Unknown(f"thread.run.{status}")]
        if isinstance(end := events[-1], (Finished, Failed)):
            self.end = end
            events.pop()
        return events

    def ask(self, run: Run) -> list[Event]:
        """The run waits: its calls, the ask, the end of this part of the turn."""
        if not run.calls:
            problem = Problem(
                _("Nothing to answer"),
                _("The run waits for something that this version does not know."),
                _("Stop it, or go on in the vendor's console."),
                code="RequiredActionUnknown",
                request_id=run.request_id,
                delivered="yes",
            )
            return [Failed(problem)]
        ask = ask_of(run.id or self.run, self.number, run.calls)
        waiting = [ToolProgress(call.call_id, call.name, "waiting", call.arguments) for call in ask.calls]
        return [*waiting, Asked(ask), Finished("waiting")]

    def _error(self, data: object, raw: str) -> list[Event]:
        refusal = read_error_table(data) if isinstance(data, Mapping) else Refusal(message=clean_line(raw, 300))
        self.end = Failed(refused(refusal, accepted=self.begun).problem)
        return []

    # --- messages ------------------------------------------------------------------------------------------------

    def _delta(self, data: Mapping[str, Any]) -> list[Event]:
        delta = as_table(data.get("delta"))
        if line(delta, "role") == "user":
            return []
        piece, images = read_content(delta.get("content"))
        return [*_pictures(images), *self._text.add(line(data, "id"), piece)]

    def _message(self, data: Mapping[str, Any]) -> list[Event]:
        message = read_message(data)
        if message.role == "user":
            return []
        named = TurnStarted(TurnIds(message=message.id))
        return [named, *_pictures(message.images), *self._text.complete(message.id, message.text)]

    # --- tools ---------------------------------------------------------------------------------------------------

    def _tool(self, step: str, index: int, call: StepCall) -> _Tool:
        tool = self._tools.get((step, index))
        if tool is None:
            if call.type == "function":
                place = self._functions.get(step, 0)
                self._functions[step] = place + 1
                # The step that a submitted output ends began in the stream before this one.
                number = self.number if step in self._steps else max(0, self.number - 1)
                tool = _Tool(call_key(self.run, number, place), function=True)
            else:
                tool = _Tool(f"{step}:{index}")
            self._tools[step, index] = tool
        tool.name = call.name or tool.name or ("" if tool.function else call.type)
        return tool

    def _step(self, state: str, data: Mapping[str, Any]) -> list[Event]:
        step = read_step(data)
        self.run = step.run_id or self.run
        if state == "created":
            self._steps.add(step.id)
        status: ToolStatus = STEP_ENDS.get(state, "running")
        events: list[Event] = []
        for index, call in enumerate(step.calls):
            tool = self._tool(step.id, index, call)
            tool.arguments = call.arguments or tool.arguments
            tool.output = call.output or tool.output or step.error
            events.append(tool.progress(status))
        if not step.calls and status != "running":  # the end names no calls: those whose pieces came are over
            events = [tool.progress(status) for (owner, _index), tool in self._tools.items() if owner == step.id]
        return events

    def _step_delta(self, data: Mapping[str, Any]) -> list[Event]:
        step = line(data, "id")
        details = as_table(as_table(data.get("delta")).get("step_details"))
        events: list[Event] = []
        for place, raw in enumerate(tables(details.get("tool_calls"))):
            index = raw.get("index")
            index = index if isinstance(index, int) else place
            call = read_step_call(raw)
            tool = self._tool(step, index, call)
            tool.arguments += call.arguments
            tool.output += call.output
            events.append(tool.progress("running"))
        return events


def _pictures(images: Sequence[str]) -> list[Event]:
    return [FileReady(FileBlock(name=image, file_id=image, kind="image")) for image in images]


def _is_error(data: Mapping[str, Any]) -> bool:
    return "object" not in data and "id" not in data and ("code" in data or "error" in data)


def _name_of(data: Mapping[str, Any]) -> str:
    """The name of a frame that came without one, from what it holds."""
    kind = line(data, "object")
    return f"{kind}.{line(data, 'status')}" if kind in ("thread.run", "thread.run.step") else kind
