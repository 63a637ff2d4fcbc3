"""Questions to the Data Agent for tests and demonstrations; each is the first word of the question.

| question       | turn                                                                                       |
|----------------|--------------------------------------------------------------------------------------------|
| `echo TEXT`    | exactly TEXT, as the llm text of a plain answer                                            |
| `conclude TEXT`| the same as output_conclusion                                                              |
| `hold [N]`     | N words (3), then the turn waits until it is released or cancelled, then the rest          |
| `slow [S]`     | silence of S seconds (20), whatever the pace                                               |
| `ask`          | a question to the user; the answer is repeated                                             |
| `datasource`   | asks for data by `request_datasource`, then analyses it                                    |
| `cells [N]`    | N SQL cells (10) with tables, a conclusion                                                 |
| `table [N]`    | one table of N rows (200), twelve columns                                                  |
| `long [N]`     | a conclusion of N paragraphs (40)                                                          |
| `bench [N]`    | a conclusion of N KB (20) of Markdown, the same each time                                  |
| `everything`   | every category that is known, in every form                                                |
| `parallel`     | two lines of work at once: their frames alternate, each with a channel of its own          |
| `control`      | llm control output that is nobody's answer, then the answer                                |
| `error`        | a cell that fails, then SSE_FAILURE                                                        |
| `empty`        | no text at all                                                                             |
| `hostile`      | control characters, markup and overlong lines wherever text can be                         |
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from tui.sandbox import samples
from tui.sandbox.dms_desk import Desk
from tui.sandbox.dms_steps import Ask, Block, Cell, Data, Failure, Offer, Rest, Together, executing, table_output
from tui.sandbox.question import number_in

Script = Callable[[Desk, str], Awaitable[None]]
_NOTE = "\n\n*sandbox data*\n"
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYPgPAAEDAQCM0ZnNAAAAAElFTkSuQmCC"


def script_for(text: str) -> Script | None:
    """The script of a special question; None where it is not one."""
    word, _, rest = text.strip().partition(" ")
    script = _SPECIALS.get(word)
    free = word in ("echo", "conclude", "hostile")
    return script if script and (free or re.fullmatch(r"\s*\d*\s*", rest)) else None


async def _echo(desk: Desk, rest: str) -> None:
    await desk.do(Block("llm", rest))


async def _conclude(desk: Desk, rest: str) -> None:
    await desk.do(Block("output_conclusion", rest))


async def _hold(desk: Desk, rest: str) -> None:
    words = samples.words(number_in(rest, 3, 1000))
    await desk.do(Block("think", words, size=6))
    await desk.do(Rest())
    await desk.do(Block("output_conclusion", f"{words} and the rest.{_NOTE}"))


async def _slow(desk: Desk, rest: str) -> None:
    await desk.do(Block("think", "This takes a while.\n"))
    await desk.do(Rest(float(number_in(rest, 20, 3600))))
    await desk.do(Block("output_conclusion", "It is done." + _NOTE))


async def _ask(desk: Desk, rest: str) -> None:
    answer = await desk.do(Ask("ask_human", "Should GMV include cancelled orders? (sandbox data)"))
    await desk.do(Block("output_conclusion", f"You said: {answer}{_NOTE}"))


async def _cells(desk: Desk, rest: str) -> None:
    count = number_in(rest, 10, 2000)
    for number in range(1, count + 1):
        records: list[dict[str, object]] = [{"week": f"2026-{week:02}", "n": week * number} for week in range(1, 9)]
        cell = f"c{desk.record.number}-{number}"
        title = f"Cell {number}"
        await desk.do(Cell(cell, title, "sql", f"SELECT {number}", [executing()]))
        output = table_output(["week", "n"], records)
        await desk.do(Cell(cell, title, "sql", f"SELECT {number}", [output], seconds=0.3))
    await desk.do(Block("output_conclusion", f"{count} cells were run.{_NOTE}"))


async def _table(desk: Desk, rest: str) -> None:
    count = number_in(rest, 200, 20_000)
    columns = ["编号", *(f"指标{number} metric" for number in range(1, 12))]
    records: list[dict[str, object]] = [
        {
            name: row if name == "编号" else round((row * 37 + number * 11) % 997 / 7, 2)
            for number, name in enumerate(columns)
        }
        for row in range(1, count + 1)
    ]
    output = table_output(columns, records)
    await desk.do(Cell(f"c{desk.record.number}-1", f"{count} rows", "sql", "SELECT * FROM t", [output]))
    await desk.do(Block("output_conclusion", f"A table of {count} rows.{_NOTE}"))


async def _long(desk: Desk, rest: str) -> None:
    await desk.do(Block("output_conclusion", samples.paragraphs(number_in(rest, 40, 5000)) + _NOTE))


async def _bench(desk: Desk, rest: str) -> None:
    await desk.do(Block("output_conclusion", samples.bench_text(number_in(rest, 20, 4096) * 1024), size=5))


async def _everything(desk: Desk, rest: str) -> None:
    plan = {"plans": [{"plan": {"steps": [{"order": 1, "name": "step", "description": "", "status": "pending"}]}}]}
    cell = f"c{desk.record.number}"
    for step in (
        Data("chat", {"previous": "IDLE", "current": "PLANNING"}, event="status_change"),
        Block("think", "thinking (sandbox data)\n"),
        Block("llm_reasoning", "reasoning\n"),
        Data("ask_plan", plan),
        Data("ask_report_render", "{}"),
        Block("tool_call_response", {"result_type": "plan", "result": plan}),
        Block("tool_call_response", {"result_type": "empty", "result": ""}),
        Data("plan", {"current_step": 1, "plan_status": "running", **plan}),
        Cell(f"{cell}-1", "Rows", "sql", "SELECT 1 AS n", [executing()]),
        Cell(f"{cell}-1", "Rows", "sql", "SELECT 1 AS n", [table_output(["n"], [{"n": 1}])]),
        Cell(f"{cell}-2", "Notes", "markdown", "## A heading\n\nand text", [_text_output("text/plain", "saved")]),
        Cell(
            f"{cell}-3",
            "Code",
            "code",
            "print(1)",
            [
                {"output_type": "stream", "name": "stdout", "text": ["1\n", "2\n"]},
                {"output_type": "stream", "name": "stderr", "text": "a warning\n"},
                {"output_type": "execute_result", "metadata": {}, "data": {"text/plain": "42"}},
                {
                    "output_type": "display_data",
                    "metadata": {},
                    "data": {"text/markdown": "**bold**", "text/plain": "bold", "image/png": _PIXEL},
                },
                {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": ["KeyError: 'x'"]},
            ],
        ),
        Data("tool_call_choices", {"choices": []}),
        Data("metric_agent_config", {"metrics": []}),
        Block("output_conclusion", {"mission_idx": 1, "objective_order": 1, "result": "First version."}),
        Block(
            "output_conclusion",
            {"mission_idx": 1, "objective_order": 1, "result": '<trace id="t1">Second</trace> version (sandbox data).'},
        ),
        Block("output_conclusion", f"![chart](data:image/png;base64,{_PIXEL})\n\n![x](mocked image data)\n"),
        Data("task_finish", "A task is **done** (sandbox data)."),
        Data("task_finish", [{"title": "Rows", "data": {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}}]),
        Data("task_finish", {"conclusion": "an object", "sql": "SELECT 1"}),
        Data("mission_report", {"title": "Report"}),
        Data("jsx_report", {"type": "WebReport"}),
        Data("recommended_question", {"recommendQuestions": ["What about June?"]}),
        Data("recommended_question", ["And by shop?"]),
        Data("weather_report", {"rain": True}),
        Offer("{}"),
        Data("file_upload_finish", "nothing.md 上传完成"),
    ):
        await desk.do(step)


def _text_output(kind: str, text: str) -> dict[str, object]:
    return {"output_type": "display_data", "metadata": {}, "data": {kind: text}}


async def _parallel(desk: Desk, rest: str) -> None:
    await desk.do(Block("think", "Two lines of work.\n"))
    lines = [{"mission_idx": n, "objective_order": 1, "result": f"Line {n} is done (sandbox data)."} for n in (1, 2)]
    await desk.do(Together(tuple(Block("output_conclusion", line, size=16) for line in lines)))


async def _control(desk: Desk, rest: str) -> None:
    await desk.do(Block("llm", '{"action":"query","reason":"count rows","answers":[]}'))
    await desk.do(Block("llm", '```json\n<result>{"action":"stop","reason":"","answers":["1"]}</result>\n```'))
    await desk.do(Block("llm", "<requirement><plan>count</plan></requirement>"))
    await desk.do(Block("llm", "There are 42 rows." + _NOTE))


async def _error(desk: Desk, rest: str) -> None:
    error = {"output_type": "error", "ename": "KeyError", "evalue": "'t_missing'", "traceback": ["KeyError: t_missing"]}
    await desk.do(Cell(f"c{desk.record.number}-1", "", "code", 'df=load("t_missing")', [error]))
    await desk.do(Failure("runtime lost (sandbox data)", as_text=desk.has("failure-text")))


async def _empty(desk: Desk, rest: str) -> None:
    await desk.do(Block("think", "There is nothing to say. (sandbox data)"))


async def _hostile(desk: Desk, rest: str) -> None:
    bad = samples.CONTROLS
    plan = {
        "plans": [{"plan": {"steps": [{"order": bad, "name": f"[b]{bad}[/b]", "description": bad, "status": bad}]}}]
    }
    cell = f"c{desk.record.number}"
    records: list[dict[str, object]] = [{f"[red]{bad}": f"[/red]{bad}", "deep": [[{"a": bad}]]}, {}]
    for step in (
        Block("think", f"thinking {bad}\n"),
        Data("plan", {"current_step": "one", "plan_status": bad, **plan}),
        Cell(f"{cell}-1", f"title {bad}", "sql", f"SELECT '{bad}'", [table_output([f"[red]{bad}", "deep"], records)]),
        Cell(f"{cell}-2", "x" * 5000, bad, bad, [{"output_type": bad}, {"output_type": "stream", "text": [bad, bad]}]),
        Block("tool_call_response", {"result_type": "jupyter_cell", "result": f"not JSON {bad}"}),
        Block("tool_call_response", "no JSON at all"),
        Data("task_finish", [{"title": bad, "data": f'<a href="#file-{bad}">../../{bad}</a>'}, 5, None]),
        Data("recommended_question", {"questions": [bad, 5, None, {"a": 1}]}),
        Data("file_upload_finish", f"../../etc/{bad}passwd 上传完成"),
        Block("output_conclusion", samples.HOSTILE_MARKDOWN, size=7),
        Block("output_conclusion", "沙箱x" * 300_000 + _NOTE, size=100_000),
    ):
        await desk.do(step)


_SPECIALS: Mapping[str, Script] = {
    "echo": _echo,
    "conclude": _conclude,
    "hold": _hold,
    "slow": _slow,
    "ask": _ask,
    "cells": _cells,
    "table": _table,
    "long": _long,
    "bench": _bench,
    "everything": _everything,
    "parallel": _parallel,
    "control": _control,
    "error": _error,
    "empty": _empty,
    "hostile": _hostile,
}
