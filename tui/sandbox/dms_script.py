"""What the Data Agent does with a question: looks at the data, asks, runs SQL, draws, concludes, writes reports.

Every number comes from the statements that it shows. Scripts are played again after an interruption
(`dms_turn.AgentTurn`): what they perform must come out the same the second time.
"""

from __future__ import annotations

import re
from dataclasses import replace

from tui.sandbox import analysis_report, dms_samples
from tui.sandbox.analysis_findings import finding, points_of
from tui.sandbox.analysis_load import Column, Dataset, Table, Unreadable, quoted
from tui.sandbox.analysis_plan import Exclusion, Inquiry, inquiries
from tui.sandbox.analysis_query import QueryError, Result
from tui.sandbox.analysis_report import Section
from tui.sandbox.analysis_roles import roles_of
from tui.sandbox.dms_desk import Desk, reading_of
from tui.sandbox.dms_records import UploadedFile
from tui.sandbox.dms_steps import Ask, Block, Cell, Data, Offer, executing, table_output
from tui.sandbox.dms_texts import follow_ups, said
from tui.sandbox.wire import compact

_ALL_SQL = re.compile(r"后续所有|所有SQL|run all|all later|all statements", re.IGNORECASE)
_DOUBTFUL = re.compile(r"cancel|refund|return|invalid|取消|退款|退货|作废", re.IGNORECASE)
_KEEP = re.compile(r"\b(include|count|keep)|包含|计入|保留", re.IGNORECASE)
_LEAVE_OUT = re.compile(r"exclude|without|leave|\bno\b|\bnot\b|排除|不|去掉|剔除", re.IGNORECASE)
_SHOWN_ROWS = 50
_PICTURES = 1


async def perform(desk: Desk) -> None:
    """What the agent does in a turn."""
    special = dms_samples.script_for(desk.question)
    if desk.record.kind == "report":
        await report(desk)
    elif desk.record.kind == "decline":
        await decline_report(desk)
    elif desk.question.strip() == "datasource":
        await ask_for_data(desk)
    elif special:
        await special(desk, desk.question.strip().partition(" ")[2])
    else:
        await analyse(desk)


async def analyse(desk: Desk) -> None:
    """The turn of a question about data."""
    tongue = desk.tongue
    await desk.do(_status("IDLE", "PLANNING", desk.question))
    await desk.do(Block("think", said(tongue, "think", question=_shortened(desk.question)), pause=0.6))
    try:
        dataset, table, is_sample = await desk.dataset()
    except Unreadable as error:
        await desk.do(Block("output_conclusion", said(tongue, "unreadable", reason=error)))
        return
    if is_sample:
        has_database = any(source.get("DataSourceType") == "database" for source in desk.session.sources)
        await desk.do(Block("think", said(tongue, "database" if has_database else "sample", table=table.name)))
    await _Analysis(desk, dataset, table).run()


async def ask_for_data(desk: Desk) -> None:
    """The turn of an agent that wants a data source before it begins."""
    await desk.do(Ask("request_datasource", said(desk.tongue, "datasource"), event="data"))
    await analyse(desk)


class _Analysis:
    """One question, one table."""

    def __init__(self, desk: Desk, dataset: Dataset, table: Table) -> None:
        self._desk = desk
        self._tongue = desk.tongue
        self._dataset = dataset
        self._table = table
        self._question = desk.question
        self._exclusion: Exclusion | None = None
        self._steps: list[Inquiry] = []
        self._sections: list[Section] = []
        self._notes: list[str] = []
        """Steps without a result, and why."""
        self._cells = 0
        self._all_sql = False
        self._pictures: list[tuple[str, bytes]] = []

    async def run(self) -> None:
        quick = self._desk.mode == "quick"
        if not quick:
            await self._clarify()
        self._make_steps()
        columns = len(self._table.columns)
        values = {"table": self._table.name, "rows": f"{self._table.rows:,}", "columns": columns}
        await self._do_think("think more", **values, count=len(self._steps))
        plan_mode = str(self._desk.session.config.get("PlanMode") or "enable").lower()
        if (plan_mode == "force" or (not quick and plan_mode != "disable")) and not await self._agree_on_plan():
            return
        for number, step in enumerate(self._steps, 1):
            if not quick:
                await self._desk.do(Data("plan", self._plan(number, "running")))
            await self._take(step, confirm=not quick)
        if quick:
            await self._conclude_quickly()
        else:
            await self._desk.do(Data("plan", self._plan(len(self._steps), "finished")))
            await self._conclude()

    def _make_steps(self) -> None:
        self._steps = inquiries(
            self._question,
            self._table,
            self._tongue,
            deep=self._desk.mode != "quick",
            exclusion=self._exclusion,
        )

    async def _do_think(self, text: str, /, **values: object) -> None:
        await self._desk.do(Block("think", said(self._tongue, text, **values)))

    def _plan(self, current: int, status: str) -> dict[str, object]:
        def status_of(number: int) -> str:
            if number < current or status == "finished":
                return "finished"
            return "running" if number == current else "pending"

        steps = [
            {
                "order": number,
                "name": step.title,
                "description": step.description,
                "type": "query" if step.aim in ("profile", "total") else "analysis",
                "status": status_of(number),
            }
            for number, step in enumerate(self._steps, 1)
        ]
        return {
            "plan_id": self._desk.new_id("pl"),
            "plan_status": status,
            "current_step": current,
            "plans": [{"plan": {"steps": steps}}],
        }

    # --- questions to the user ---------------------------------------------------------------------------------

    async def _clarify(self) -> None:
        """Ask about rows that may not count, when the data has such and the question does not say."""
        if _DOUBTFUL.search(self._question) or self._desk.setting("SkipAskHuman"):
            return
        column, values = await self._doubtful()
        if column is None:
            return
        listed = ", ".join(values)
        answer = await self._desk.do(Ask("ask_human", said(self._tongue, "clarify", column=column.name, values=listed)))
        if _LEAVE_OUT.search(answer) or (reading_of(answer) == "no" and not _KEEP.search(answer)):
            self._exclusion = Exclusion(column.name, values)
            await self._do_think("left out", column=column.name, values=listed)
        else:
            await self._do_think("kept")

    async def _doubtful(self) -> tuple[Column | None, tuple[str, ...]]:
        for column in roles_of(self._table).groups:
            if column.kind != "text":
                continue
            name = quoted(column.name)
            statement = f"SELECT DISTINCT {name} FROM {quoted(self._table.name)} WHERE {name} IS NOT NULL ORDER BY 1"
            found = await self._desk.query(self._dataset, statement)
            if values := tuple(str(row[0]) for row in found.rows if _DOUBTFUL.search(str(row[0]))):
                return column, values
        return None, ()

    async def _agree_on_plan(self) -> bool:
        """Ask until the plan is agreed to or refused; other answers change it."""
        await self._desk.do(Data("ask_plan", self._plan(0, "pending")))
        while not self._desk.setting("SkipPlan"):
            answer = await self._desk.do(Ask("ask_plan", self._plan(0, "pending")))
            match reading_of(answer):
                case "yes":
                    break
                case "no":
                    await self._desk.do(Block("output_conclusion", said(self._tongue, "refused plan")))
                    return False
            self._question = f"{self._question} {answer}"
            self._make_steps()
            await self._do_think("changed plan", change=_shortened(answer))
        return True

    async def _agree_on_sql(self, step: Inquiry) -> str:
        """The statement to run; empty when it was refused."""
        if self._all_sql or self._desk.setting("SkipSqlConfirm"):
            return step.sql
        content = {
            "sql": step.sql,
            "question": said(self._tongue, "sql question"),
            "explain_result": await self._desk.explain(self._dataset, step.sql, self._table),
        }
        answer = (await self._desk.do(Ask("ask_sql", content))).strip()
        if _ALL_SQL.search(answer):
            self._all_sql = True
        elif re.match(r"(select|with)\b", answer, re.IGNORECASE):
            await self._do_think("own sql")
            return answer
        elif reading_of(answer) == "no":
            return ""
        elif reading_of(answer) == "else":
            await self._do_think("noted", note=_shortened(answer))
        return step.sql

    # --- steps -------------------------------------------------------------------------------------------------

    async def _take(self, step: Inquiry, *, confirm: bool) -> None:
        sql = await self._agree_on_sql(step) if confirm else step.sql
        if not sql:
            self._notes.append(said(self._tongue, "refused sql", title=step.title))
            return
        await self._desk.do(_status("PLANNING", "QUERY_PROCESSING", step.title))
        self._cells += 1
        cell = Cell(f"c{self._desk.record.number}-{self._cells}", step.title, "sql", sql)
        await self._desk.do(replace(cell, outputs=[executing()], seconds=0.2))
        try:
            result = await self._desk.query(self._dataset, sql)
        except QueryError as error:
            told = str(error)
            output = {"output_type": "error", "ename": "OperationalError", "evalue": told, "traceback": [told]}
            await self._desk.do(replace(cell, outputs=[output], seconds=0.4))
            self._notes.append(said(self._tongue, "failed", title=step.title, reason=error))
            return
        table = table_output(result.columns, result.records(_SHOWN_ROWS))
        await self._desk.do(replace(cell, outputs=[table], seconds=0.8))
        self._sections.append(Section(step, sql, result, finding(step, result, self._table, self._tongue)))
        if points_of(step, result) and len(self._pictures) < _PICTURES and self._desk.mode != "quick":
            await self._draw(step, result)

    async def _draw(self, step: Inquiry, result: Result) -> None:
        points = points_of(step, result)
        data, encoded = await self._desk.chart(step.chart, points)
        self._pictures.append((step.title, data))
        top = max(points, key=lambda point: point[1])
        outputs: list[dict[str, object]] = [
            {
                "output_type": "stream",
                "name": "stdout",
                "text": [f"{len(points)} points\n", f"max {top[0]} {top[1]}\n"],
            },
            {"output_type": "display_data", "metadata": {}, "data": {"image/png": encoded, "text/plain": "<Figure>"}},
        ]
        self._cells += 1
        source = f"df.plot(kind={step.chart!r}, x={step.x!r}, y={step.y!r})  # sandbox data"
        title = said(self._tongue, "chart", title=step.title)
        await self._desk.do(
            Cell(f"c{self._desk.record.number}-{self._cells}", title, "code", source, outputs, seconds=0.6)
        )

    # --- the end -----------------------------------------------------------------------------------------------

    def _summary(self) -> str:
        text = " ".join([*(section.text for section in self._sections[-2:]), *self._notes])
        return said(self._tongue, "summary", text=text, note=analysis_report.note(self._tongue))

    async def _conclude_quickly(self) -> None:
        texts = [*(section.text for section in self._sections), *self._notes]
        text = "\n\n".join([*texts, f"*{analysis_report.note(self._tongue)}*"])
        await self._desk.do(Block("llm", text))
        await self._desk.do(Data("recommended_question", {"questions": list(follow_ups(self._tongue))}))

    async def _conclude(self) -> None:
        if self._sections and not self._desk.setting("SkipWebReportConfirm"):
            await self._desk.do(Offer({"message": said(self._tongue, "offer")}))
        for order, text in enumerate([*(section.text for section in self._sections), self._summary()], 1):
            content = {"mission_idx": self._desk.record.number, "objective_order": order, "result": text}
            await self._desk.do(Block("output_conclusion", content, size=48))
        files = self._write_files()
        results: list[dict[str, object]] = [_task_result(section) for section in self._sections]
        for file in files:
            anchor = f'<a href="#file-{file.id}">{file.name}</a>'
            results.append({"title": said(self._tongue, "files"), "summary": "", "data": anchor})
        await self._desk.do(Data("task_finish", results))
        await self._desk.do(Data("recommended_question", {"questions": list(follow_ups(self._tongue))}))
        for file in files:
            await self._desk.do(Data("file_upload_finish", said(self._tongue, "uploaded", name=file.name), pause=0.2))
        if self._sections and self._desk.setting("SkipWebReportConfirm"):
            await write_page(self._desk, self._sections, self._title, "default")

    @property
    def _title(self) -> str:
        return f"{said(self._tongue, 'report')}: {_shortened(self._desk.question)}"

    def _write_files(self) -> list[UploadedFile]:
        if not self._sections:
            return []
        desk, number = self._desk, self._desk.record.number
        desk.keep_sections(self._title, self._sections)
        text = analysis_report.markdown(self._title, self._sections, self._tongue)
        files = [desk.store(f"report-{number}.md", "TextReport", text.encode(), "text/markdown")]
        for order, section in enumerate(self._sections, 1):
            data = analysis_report.table_csv(section.result)
            files.append(desk.store(f"result-{number}-{order}.csv", "DefaultArtifact", data, "text/csv"))
        for order, (_, picture) in enumerate(self._pictures, 1):
            files.append(desk.store(f"chart-{number}-{order}.png", "DefaultArtifact", picture, "image/png"))
        return files


async def report(desk: Desk) -> None:
    """The turn that draws the web report of the session's newest analysis."""
    desk.start_artifact()
    title, sections = desk.kept_sections()
    if not sections:
        desk.finish_artifact(failed=True)
        await desk.do(Block("output_conclusion", said(desk.tongue, "no report")))
        return
    await desk.do(_status("IDLE", "STEP_EXECUTION", "draw report"))
    theme = str(desk.record.task.get("ReportTheme") or "default")
    file = await write_page(desk, sections, title, theme)
    desk.finish_artifact()
    await desk.do(Block("output_conclusion", said(desk.tongue, "report done", name=file.name)))


async def decline_report(desk: Desk) -> None:
    """The turn of an answer that refuses the offered report."""
    await desk.do(Block("output_conclusion", said(desk.tongue, "declined")))


async def write_page(desk: Desk, sections: list[Section], title: str, theme: str) -> UploadedFile:
    """Make the web report and tell of it."""
    page = analysis_report.page(title, sections, desk.tongue, theme)
    await desk.do(Data("jsx_report", {"type": "WebReport", "title": title}, pause=1.5))
    file = desk.store(f"report-{desk.record.number}.html", "WebReport", page.encode(), "text/html")
    await desk.do(Data("file_upload_finish", said(desk.tongue, "uploaded", name=file.name), pause=0.3))
    return file


def _status(previous: str, current: str, task: str) -> Data:
    content = {"previous": previous, "current": current, "current_task": _shortened(task)}
    return Data("chat", content, event="status_change")


def _task_result(section: Section) -> dict[str, object]:
    rows = compact(section.result.records(_SHOWN_ROWS))
    result: dict[str, object] = {"title": section.inquiry.title, "summary": section.text, "data": rows}
    if section.inquiry.chart:
        result["chart_type"] = section.inquiry.chart
    return result


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:79] + "…"
