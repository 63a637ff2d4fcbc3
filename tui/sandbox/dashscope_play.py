"""What a run does, frame by frame (protocol notes, sections 6.3 and 11). Making a frame changes the records."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tui.sandbox import samples
from tui.sandbox.dashscope_brain import Ask, Asked, Step, script_for
from tui.sandbox.dashscope_records import SAMPLING, Json, Message, Run, Thread, new_id, text_part
from tui.sandbox.dashscope_records import Step as RunStep
from tui.sandbox.dashscope_tools import UseTool
from tui.sandbox.dashscope_turn import Beat, End, Frame, Growing, Rest
from tui.sandbox.faults import Faults
from tui.sandbox.script import Fail, Hold, Pause, Say, deltas

if TYPE_CHECKING:
    from tui.sandbox.dashscope_state import DashScope

_LAST_MESSAGES = 10
"""How many messages the model sees, unless truncation_strategy says otherwise."""
_STATUS_OF: dict[End, str] = {
    "cancelled": "cancelled",
    "failed": "failed",
    "error": "failed",
    "lost": "failed",
    "expired": "expired",
    "incomplete": "incomplete",
}


class _RunFailed(Exception):
    """The script fails here."""


class RunPlay:
    """The script of one request's part of a run; all of its frames carry that request's id."""

    def __init__(self, agents: DashScope, thread: Thread, run: Run, request_id: str, faults: Faults) -> None:
        self._agents = agents
        self._thread = thread
        self._run = run
        self._request_id = request_id
        self._faults = faults
        self._message: Message | None = None
        self._text = Growing(lambda text: None)
        self._written = 0

    # --- beats --------------------------------------------------------------------------------------------------

    def begin(self) -> Iterator[Beat]:
        """From the creation of the run."""
        yield self._of_run("created")
        yield from self._work()

    def go_on(self) -> Iterator[Beat]:
        """From the outputs of its functions: the old step ends, then the run works on."""
        run = self._run
        step = next((step for step in reversed(run.steps) if step.type == "tool_calls"), None)
        if step is not None:
            entries = [
                {"id": call["id"], "type": "function", "function": dict(given)}
                for call, given in zip(run.calls, run.rounds[-1], strict=False)
            ]
            step.details, step.status = {"type": "tool_calls", "tool_calls": entries}, "completed"
            # The captures have it without a time.
            frame = self._frame("thread.run.step.completed", step.wire(run))
            step.times["completed_at"] = self._agents.stamp()
            yield frame
        if "required-action-gone" in self._faults:
            run.required_action = None
        yield from self._work()

    def catch_up(self) -> None:
        """Do without anybody listening what a run that was cut off had still to do."""
        run = self._run
        if run.status == "cancelling":
            for _frame in self.cut("cancelled"):
                pass
            return
        answered = bool(run.rounds) and any(_is_open(step, "tool_calls") for step in run.steps)
        lost = [step for step in run.steps if _is_open(step) and not (answered and step.type == "tool_calls")]
        messages = {step.details.get("message_creation", {}).get("message_id") for step in lost}
        run.steps = [step for step in run.steps if step not in lost]
        self._thread.messages = [message for message in self._thread.messages if message.id not in messages]
        for _beat in self.go_on() if answered else self._work():
            pass

    def _work(self) -> Iterator[Beat]:
        run, faults = self._run, self._faults
        run.status = "queued"
        yield self._of_run("queued")
        if (seconds := faults.number("run-queued")) is not None:
            yield Rest(seconds, real=True)
        run.status = "in_progress"
        yield self._of_run("in_progress")
        yield Rest(0.3)
        asked = self._asked()
        steps = script_for(asked)
        if "function-again" in faults and len(run.rounds) == 1:
            last = run.rounds[0][0]
            steps = [Ask(((str(last["name"]), str(last["arguments"])),))]
        try:
            for step in steps:
                if isinstance(step, Ask):
                    yield from self._park(step)
                    return
                yield from self._do(step)
        except _RunFailed:
            yield from self.cut("failed")
            return
        yield from self._end_message()
        if (seconds := faults.number("late-completion")) is not None:
            yield Rest(seconds, real=True)
        run.status = "completed"
        run.usage = self._usage(asked)
        yield self._of_run("completed")

    def _do(self, step: Step) -> Iterator[Beat]:
        match step:
            case UseTool():
                yield from self._end_message()
                yield from self._use(step)
            case Say(text, size):
                yield from self._begin_message()
                for piece in deltas(text, size):
                    self._written += len(piece)
                    yield self._delta(piece)
            case Pause(seconds, real):
                yield Rest(seconds, real)
            case Hold():
                yield Rest(hold=True)
            case Fail(code, message):
                self._run.last_error = {"code": "server_error", "message": f"{code}: {message}"}
                raise _RunFailed

    # --- messages -----------------------------------------------------------------------------------------------

    def _begin_message(self) -> Iterator[Frame]:
        if self._message is not None:
            return
        run, thread = self._run, self._thread
        message = Message(new_id("message"), thread.id, self._agents.stamp(), "assistant", [])
        message.assistant_id, message.run_id = run.assistant_id, run.id
        details = {"type": "message_creation", "message_creation": {"message_id": message.id}}
        yield from self._new_step("message_creation", details)
        self._message = message
        self._text = Growing(lambda text: setattr(message, "content", [text_part(text)]))
        thread.messages.append(message)
        yield self._frame("thread.message.created", message.wire())
        yield self._frame("thread.message.in_progress", message.wire())

    def _delta(self, text: str) -> Frame:
        message = self._message
        assert message is not None
        self._text.add(text)
        delta = {"role": "assistant", "content": [text_part(text)], "file_ids": []}
        return self._frame(
            "thread.message.delta", {"id": message.id, "object": "thread.message.delta", "delta": delta}, paced=True
        )

    def _end_message(self) -> Iterator[Frame]:
        message, self._message = self._message, None
        if message is None:
            return
        empty = {"role": "assistant", "content": [text_part("")], "file_ids": []}
        yield self._frame(
            "thread.message.delta", {"id": message.id, "object": "thread.message.delta", "delta": empty}, paced=True
        )
        message.completed_at = self._agents.stamp()
        message.content = [text_part(self._text.flush())]
        yield self._frame("thread.message.completed", message.wire())
        yield self._complete(self._run.steps[-1])

    # --- tools --------------------------------------------------------------------------------------------------

    def _use(self, use: UseTool) -> Iterator[Beat]:
        """A built-in tool, with the oddities of the captures (section 6.4)."""
        kind, faults = use.type, self._faults
        yield from self._new_step("tool_calls", {"type": "tool_calls", "tool_calls": []})
        step = self._run.steps[-1]
        key = kind if "typed-outputs" in faults else "plugin_name"
        output: object = [use.output] if "list-output" in faults else use.output
        yield self._tool_delta(step, {"type": kind, kind: {"arguments": ""}})
        half = len(use.arguments) // 2
        for piece in (use.arguments[:half], use.arguments[half:]):
            yield self._tool_delta(step, {"type": kind, kind: {"arguments": piece}})
        yield Rest(use.seconds)
        yield self._tool_delta(step, {"type": kind, key: {"output": output}})
        yield self._tool_delta(step, {kind: {"output": [] if "list-output" in faults else ""}})
        entry = {"type": kind, key: {"arguments": use.arguments, "output": use.output}}
        step.details = {"type": "tool_calls", "tool_calls": [entry]}
        # The frame says in_progress inside, though the step is complete.
        frame = self._frame("thread.run.step.completed", step.wire(self._run))
        done = self._complete(step)
        yield done if "true-step-status" in faults else frame

    def _park(self, ask: Ask) -> Iterator[Beat]:
        """Wait for the outputs of functions; the stream is over."""
        run, faults = self._run, self._faults
        yield from self._end_message()
        step = RunStep(new_id("step"), self._agents.stamp(), "tool_calls", {"type": "tool_calls", "tool_calls": []})
        run.steps.append(step)
        if "function-silent" not in faults:
            yield self._frame("thread.run.step.created", step.wire(run))
            yield self._frame("thread.run.step.in_progress", step.wire(run))
        calls: list[Json] = []
        for index, (name, arguments) in enumerate(ask.calls):
            call_id = f"call_{secrets.token_hex(12)}" if "call-ids" in faults else ""
            calls.append({"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}})
            if "function-silent" in faults or "function-no-deltas" in faults:
                continue
            half = len(arguments) // 2
            for part, piece in ((name, arguments[:half]), ("", arguments[half:])):
                function = {"name": part, "arguments": piece, "output": ""}
                entry = {"index": index, "id": call_id, "type": "function", "function": function}
                yield self._tool_delta(step, entry)
        action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}}
        run.required_action = action
        run.status = "requires_action"
        run.parked_at = self._agents.stamp()
        if "expires-at" in faults:
            run.times["expires_at"] = run.parked_at + int(self._agents.run_life(faults) * 1000)
        yield self._of_run("requires_action")

    def _new_step(self, kind: str, details: Json) -> Iterator[Frame]:
        step = RunStep(new_id("step"), self._agents.stamp(), kind, details)
        self._run.steps.append(step)
        yield self._frame("thread.run.step.created", step.wire(self._run))
        yield self._frame("thread.run.step.in_progress", step.wire(self._run))

    def _complete(self, step: RunStep) -> Frame:
        step.status = "completed"
        step.times["completed_at"] = self._agents.stamp()
        return self._frame("thread.run.step.completed", step.wire(self._run))

    def _tool_delta(self, step: RunStep, entry: Json) -> Frame:
        delta = {"step_details": {"type": "tool_calls", "tool_calls": [entry]}}
        data = {"id": step.id, "object": "thread.run.step.delta", "delta": delta}
        return self._frame("thread.run.step.delta", data, paced=True)

    # --- ends before their time ---------------------------------------------------------------------------------

    def cut(self, end: End, why: str = "") -> Iterator[Frame]:
        """The run ends as `end`; an open step and message with it."""
        run, status = self._run, _STATUS_OF[end]
        now = self._agents.stamp()
        if end == "cancelled":
            run.status = "cancelling"
            if "cancelling-event" in self._faults:
                yield self._of_run("cancelling")
        message, self._message = self._message, None
        if message is not None:
            self._text.flush()
            message.incomplete_at, message.incomplete_details = now, {"reason": f"run_{status}"}
            if end != "error":
                yield self._frame("thread.message.incomplete", message.wire())
        step_status = "failed" if status == "incomplete" else status
        for step in run.steps:
            if step.status == "in_progress":
                step.status = step_status
                step.times[f"{step_status}_at"] = now
                if end != "error":
                    yield self._frame(f"thread.run.step.{step_status}", step.wire(run))
        run.status = status
        if status in ("cancelled", "failed"):
            run.times[f"{status}_at"] = now
        if status == "failed" and not run.last_error:
            code = "rate_limit_exceeded" if "rate-limited" in self._faults else "server_error"
            run.last_error = {"code": code, "message": why or "the model's back end failed (sandbox data)"}
        if end == "error":
            told = {"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded. (sandbox data)"}
            yield self._frame("error", told)
        else:
            yield self._of_run(status)

    def huge(self, size: int) -> Frame:
        text = samples.filler(size)
        if self._message is None:
            return self._of_run("in_progress")
        return self._delta(text)

    def settled(self) -> None:
        if self._thread.id in self._agents.threads:
            self._agents.threads.save(self._thread)

    # --- frames -------------------------------------------------------------------------------------------------

    def _frame(self, event: str, data: Json, *, paced: bool = False) -> Frame:
        return Frame(event, {**data, "request_id": self._request_id}, paced)

    def _of_run(self, status: str) -> Frame:
        return self._frame(f"thread.run.{status}", self._run.wire())

    # --- what the model sees ------------------------------------------------------------------------------------

    def _asked(self) -> Asked:
        run, agents, settings = self._run, self._agents, self._run.settings
        own = [message for message in self._thread.messages if message.run_id != run.id]
        strategy = settings["truncation_strategy"] or {}
        seen = own[-int(strategy.get("last_messages") or _LAST_MESSAGES) :]
        newest = next((message for message in reversed(seen) if message.role == "user"), None)
        before = [(message.role, message.text) for message in seen if message is not newest]
        assistant = agents.assistants.get(run.assistant_id)
        names = ("model", "instructions", *SAMPLING)
        files = [*settings["file_ids"], *(newest.file_ids if newest else ())]
        return Asked(
            newest.text if newest else "",
            tuple(before),
            tuple(settings["tools"]),
            tuple(tuple(calls) for calls in run.rounds),
            str(assistant.fields["name"] or "") if assistant else "",
            {name: settings[name] for name in names},
            tuple(agents.files[name].name if name in agents.files else name for name in files),
            settings.get("tool_choice") or "auto",
        )

    def _usage(self, asked: Asked) -> Json:
        texts: Sequence[str] = [
            asked.text,
            str(self._run.settings["instructions"]),
            *(text for _, text in asked.before),
        ]
        given, made = sum(len(text) for text in texts) // 3 + 1, self._written // 3 + 1
        names = (
            ("prompt_tokens", "completion_tokens")
            if "usage-openai" in self._faults
            else (
                "input_tokens",
                "output_tokens",
            )
        )
        return {names[0]: given, names[1]: made, "total_tokens": given + made}


def _is_open(step: RunStep, kind: str = "") -> bool:
    return step.status == "in_progress" and kind in ("", step.type)
