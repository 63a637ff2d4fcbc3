"""The outputs of functions that a run waits for: all in one request, in the order of the calls, at most once.

Source: protocol notes (DashScope) 3.4 and 6.3.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from tui.services.assistant_models import ToolOutput
from tui.services.base import AnswerRequest
from tui.services.dashscope_frames import RunReader, ask_number, same_calls
from tui.services.dashscope_line import RunLine
from tui.services.dashscope_work import Work, ask_again
from tui.services.errors import NotFoundError, ServiceError
from tui.services.events import Asked, Event, Failed, Finished, Noted, ToolProgress
from tui.words import _


async def answered(line: RunLine, work: Work, request: AnswerRequest) -> AsyncGenerator[Event]:
    """What comes of one answer; where it is not taken the ask comes again, and the turn ends as waiting."""
    ref, ask, outputs = request.ref, request.ask, request.reply.outputs_for(request.ask)
    if request.reply.action == "refuse":
        async for event in _refuse(line, work, request):
            yield event
        return
    try:
        run = await line.threads.retrieve_run(work.thread, work.run)
    except ServiceError as error:
        if isinstance(error, NotFoundError):
            yield Failed(replace(error.problem, delivered="yes"))
            return
        for event in ask_again(ask, error.problem.sentence):
            yield event
        return
    if run.status != "requires_action":
        yield Noted(_("the run no longer waits: it was answered elsewhere, or has ended"))
        async for event in line.recover(ref):
            yield event
        return
    if not same_calls(ask, run):
        yield Noted(_("the run waits for other outputs by now; yours were not sent"))
        for event in RunReader(work.thread, work.run, number=ask_number(ask) + 1).ask(run):
            yield event
        return
    if len(outputs) != len(run.calls):
        wanted = _("{n} calls wait, so as many outputs are needed").format(n=len(run.calls))
        for event in ask_again(ask, wanted):
            yield event
        return
    for call, output in zip(ask.calls, outputs, strict=True):
        yield ToolProgress(call.call_id, call.name, "running", call.arguments, output)
    sent = [ToolOutput(call.id, output) for call, output in zip(run.calls, outputs, strict=True)]
    reader = RunReader(work.thread, work.run, held=ref.text, number=ask_number(ask) + 1)
    try:
        async with line.threads.submit(work.thread, work.run, sent) as opened:
            for call in ask.calls:
                yield ToolProgress(call.call_id, call.name, "done")
            async with aclosing(line.read(work, opened, reader)) as events:
                async for event in events:
                    yield event
    except ServiceError as error:
        if error.problem.delivered == "no" and not reader.begun:
            for event in ask_again(ask, error.problem.sentence):
                yield event
            return
        if not error.problem.status:  # the line broke: the turn is looked for as after any loss
            yield Failed(error.problem)
            return
        # Whoever answered in place of the service: whether the outputs are there, the run itself tells.
        told = replace(ask, answered=request.reply.in_words())
        blocks = tuple(told if block == ask else block for block in ref.blocks)
        try:
            async for event in line.recover(replace(ref, blocks=blocks)):
                yield event
        except ServiceError:
            yield Failed(error.problem)


async def _refuse(line: RunLine, work: Work, request: AnswerRequest) -> AsyncGenerator[Event]:
    """Nobody gives the outputs: the run is cancelled. Where the service does not take that, it goes on waiting."""
    outcome = await line.cancel(work)
    if outcome == "already_over":
        async for event in line.recover(request.ref):
            yield event
        return
    if outcome == "not_possible":
        reason = work.refused.sentence if work.refused else _("the service does not cancel runs")
        yield Noted(_("not cancelled: {reason}").format(reason=reason))
        yield Noted(_("an output such as `declined` lets the run go on; a new conversation leaves it behind"))
        yield Asked(replace(request.ask, answered=""))
        yield Finished("waiting")
        return
    for call in request.ask.calls:
        yield ToolProgress(call.call_id, call.name, "failed")
    yield Finished("stopped")
