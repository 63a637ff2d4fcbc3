"""What a script of the Data Agent works with: its question, the settings of the session, tables, files."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from tui.sandbox import analysis_png, analysis_query, analysis_sample
from tui.sandbox.analysis_load import Dataset, Table
from tui.sandbox.analysis_plan import Chart, Inquiry, Tongue
from tui.sandbox.analysis_query import Result
from tui.sandbox.analysis_report import Section
from tui.sandbox.dms_records import Artifact, Session, TurnRecord, UploadedFile
from tui.sandbox.dms_turn import Perform
from tui.sandbox.question import Question
from tui.sandbox.wire import compact

if TYPE_CHECKING:
    from tui.sandbox.dms_state import DataAgents

AGENT_FILES = "data_agent/agent_file_upload"
_YES = re.compile(r"\s*(确认|同意|可以|继续|好|执行|是|confirm|yes|ok|go\b|run|approve|agree)", re.IGNORECASE)
_NO = re.compile(r"\s*(不|否|拒绝|取消|停止|no\b|refuse|reject|cancel|stop|do not|don't|exclude)", re.IGNORECASE)
_SHORT = 24
_MODES = {"ask_data": "quick", "lite": "quick", "insight": "deep", "ultra": "deep"}
Reading = Literal["yes", "no", "else"]


def reading_of(answer: str) -> Reading:
    """What a short answer says; longer ones are read by the script."""
    if len(answer.strip()) > _SHORT:
        return "else"
    return "no" if _NO.match(answer) else "yes" if _YES.match(answer) else "else"


class Desk:
    """The agent's desk in one turn."""

    def __init__(self, agents: DataAgents, session: Session, record: TurnRecord, do: Perform) -> None:
        self._agents = agents
        self.do = do
        self.session = session
        self.record = record
        language = str(session.config.get("Language") or "").upper()
        spoken = Question(record.text).tongue
        self.tongue: Tongue = "zh" if language == "CHINESE" else "en" if language == "ENGLISH" else spoken

    @property
    def question(self) -> str:
        return self.record.text

    @property
    def mode(self) -> str:
        """`quick`, `usual` or `deep`."""
        return _MODES.get(str(self.session.config.get("Mode") or "").lower(), "usual")

    def setting(self, name: str) -> bool:
        """A switch of SessionConfig, or where it has none, of the custom agent."""
        config = self.session.config
        agent = self._agents.custom.find(self.session.account, str(config.get("CustomAgentId") or "")) or {}
        value = config[name] if name in config else agent.get("ExecutionConfig", {}).get(name)
        return str(value).lower() == "true"

    def has(self, switch: str) -> bool:
        """Whether a fault switch is on for this turn."""
        return any(text.partition("=")[0] == switch for text in self.record.switches)

    def new_id(self, what: str) -> str:
        """The same each time the turn is played."""
        return f"{what}-{self.record.number}"

    async def dataset(self) -> tuple[Dataset, Table, bool]:
        """The tables of the session's newest source, the one to look at, and whether it is the sandbox's sample.

        Raises:
            analysis_load.Unreadable: the file has no tables.
        """
        source = self._source()
        file = self._agents.files.get(str(source.get("FileId") or ""))
        if file is None or file.account != self.session.account:
            key = f"data_agent/sample/{self.tongue}.csv"
            name = analysis_sample.file_name(self.tongue)
            if self._agents.objects.get(key) is None:
                self._agents.objects.put(key, analysis_sample.sample_csv(self.tongue), "text/csv")
            dataset = await self._agents.dataset(key, name)
            return dataset, dataset.tables[0], True
        dataset = await self._agents.dataset(file.key, file.name)
        wanted = [str(name) for name in source.get("Tables") or ()]
        chosen = [table for table in dataset.tables if table.name in wanted] or list(dataset.tables)
        return dataset, max(chosen, key=lambda table: table.rows), False

    def _source(self) -> Mapping[str, Any]:
        sources = [source for source in self.session.sources if source.get("FileId")]
        if sources:
            return sources[-1]
        return {"FileId": self.session.file_id}

    async def query(self, dataset: Dataset, statement: str) -> Result:
        """Rows of one SELECT.

        Raises:
            analysis_query.QueryError: it failed.
        """
        return await asyncio.to_thread(analysis_query.run, dataset.database, statement, self._agents.is_stopping)

    async def explain(self, dataset: Dataset, statement: str, table: Table) -> str:
        """One line about how a statement would be run; of one that is wrong, why."""
        try:
            return await asyncio.to_thread(analysis_query.explain, dataset.database, statement, table.rows)
        except analysis_query.QueryError as error:
            return str(error)

    async def chart(self, chart: Chart, points: list[tuple[str, float]]) -> tuple[bytes, str]:
        """A PNG, and its base64."""
        data = await asyncio.to_thread(analysis_png.draw, chart, [value for _, value in points])
        return data, base64.b64encode(data).decode()

    def keep_sections(self, title: str, sections: list[Section]) -> None:
        """Keep what a web report will be drawn from."""
        data = {"title": title, "sections": [asdict(section) for section in sections]}
        self._agents.objects.put(self._sections_key, compact(data).encode(), "application/json")

    def kept_sections(self) -> tuple[str, list[Section]]:
        """What the session's newest analysis kept; nothing where there was none."""
        stored = self._agents.objects.get(self._sections_key)
        if stored is None:
            return "", []
        data = json.loads(stored.path.read_text(encoding="utf-8"))
        return data["title"], [_section(section) for section in data["sections"]]

    @property
    def _sections_key(self) -> str:
        return f"data_agent/kept/{self.session.id}.json"

    def start_artifact(self) -> None:
        """Tell in the session that the report which this turn's message asked for is being made."""
        if all(artifact.id != self.record.message_id for artifact in self.session.artifacts):
            name = f"report-{self.record.number}.html"
            new = Artifact(self.record.message_id, name, "WebReport", "RUNNING", self._agents.now())
            self.session.artifacts.append(new)

    def finish_artifact(self, *, failed: bool = False) -> None:
        for artifact in self.session.artifacts:
            if artifact.id == self.record.message_id:
                artifact.status, artifact.finished = "FAILED" if failed else "SUCCESS", self._agents.now()

    def store(self, name: str, category: str, data: bytes, content_type: str) -> UploadedFile:
        """Put a file of the agent's own beside the session; the same name again replaces it."""
        key = f"{AGENT_FILES}/{self.session.account}/{self.session.id}/{name}"
        stored = self._agents.objects.put(key, data, content_type)
        known = next((file for file in self._agents.files.values() if file.key == key), None)
        file = UploadedFile(
            id=known.id if known else f"f-{secrets.token_hex(8)}",
            account=self.session.account,
            name=name,
            size=stored.size,
            key=key,
            created_at=self._agents.now(),
            category=category,
            source="Agent",
            session_id=self.session.id,
        )
        self._agents.files.save(file)
        return file


def _section(data: dict[str, Any]) -> Section:
    rows = tuple(tuple(row) for row in data["result"]["rows"])
    result = Result(tuple(data["result"]["columns"]), rows)
    return Section(Inquiry(**data["inquiry"]), data["sql"], result, data["text"])
