"""The plan of a turn: a script's beats, changed by the switches that change what happens."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from tui.sandbox import samples
from tui.sandbox.faults import Faults
from tui.sandbox.script import Beat, Fail, Hold, Pause, Step, beats

_CHART = {
    "Event": "chart",
    "Answer": '{"title":"sandbox data: CPU %","x_field":"time","y_field":"cpu",'
    '"data":[{"time":"02:00","cpu":31},{"time":"02:05","cpu":87}]}',
}


def make_plan(steps: Iterable[Step], faults: Faults, chance: random.Random) -> list[Beat]:
    """All beats of a turn. The counts of `faults` count the frames on the line, workflow_started being the first."""
    plan = list(beats(steps, chance))
    if "empty-answer" in faults:
        plan = [beat for beat in plan if beat.event != "message"]
    if "one-frame" in faults:
        plan = list(_joined(plan))
    if "pings" in faults:
        plan = [new for beat in plan for new in ([Beat({"Event": "ping"})] * (beat.event == "tool_call") + [beat])]
    if "chart" in faults:
        _insert(plan, len(plan) // 2, Beat(_CHART))
    if (size := faults.count("huge-frame")) is not None:
        _insert(plan, 4, Beat({"Event": "message", "Answer": samples.filler(size)}))
    if (seconds := faults.number("silence")) is not None:
        _insert(plan, 5, *beats([Pause(seconds, real=True)], chance))
    if (count := faults.count("hold")) is not None:
        _insert(plan, count, *beats([Hold()], chance))
    if (count := faults.count("message-replace")) is not None:
        at = _position(plan, count)
        text = "".join(str(beat.fields["Answer"]) for beat in plan[:at] if beat.event == "message")
        plan.insert(at, Beat({"Event": "message_replace", "Answer": f"(corrected) {text}"}))
    for name in ("error-frame", "error-frame-lower"):
        if (count := faults.count(name)) is not None:
            fail = Fail("InternalError", "a tool's back end failed (sandbox data)", lower=name != "error-frame")
            plan = [*plan[: _position(plan, count)], *beats([fail], chance)]
    return plan


def _position(plan: list[Beat], count: int) -> int:
    """Where in the plan `count` frames are out, workflow_started included; the end where there are fewer."""
    out = 1
    for position, beat in enumerate(plan):
        if out >= count:
            return position
        out += bool(beat.fields)
    return len(plan)


def _insert(plan: list[Beat], count: int, *new: Beat) -> None:
    at = _position(plan, count)
    plan[at:at] = new


def _joined(plan: Iterable[Beat]) -> Iterator[Beat]:
    """Runs of text of one kind as one beat."""
    run: Beat | None = None
    for beat in plan:
        if run and beat.event == run.event and not beat.pause:
            run = Beat({**run.fields, "Answer": f"{run.fields['Answer']}{beat.fields['Answer']}"}, run.pause)
            continue
        if run:
            yield run
            run = None
        if beat.event in ("message", "thinking"):
            run = beat
        else:
            yield beat
    if run:
        yield run
