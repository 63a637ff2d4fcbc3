"""A conversation's options as the Data Agent takes them: session settings and data sources; no I/O.

Source: protocol notes (DMS) 6.1 and 6.2. Options are texts, as `TurnRequest.options` are:

mode      ASK_DATA | ANALYSIS | INSIGHT, or a newer one as it is
language  any spelling; Chinese or English
plan      disable | enable | force
search    "true" to search the web
agent     a custom agent, `ca-…`; `agent_stage` debug | prod
skip      which confirmations are not wanted: any of plan, sql, question, report, separated by commas
data      data sources, see `write_data`
theme     of a web report
region    where files and databases are
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

# The chat knows this module: JSON and what reads it are imported when there are options.
if TYPE_CHECKING:
    from tui.services.fields import Fields
    from tui.services.rpc import Value  # at run time it brings httpx along, which screens must not load

Mode = Literal["ASK_DATA", "ANALYSIS", "INSIGHT"]
MODES: tuple[Mode, ...] = ("ASK_DATA", "ANALYSIS", "INSIGHT")
SKIP_FIELDS = {
    "plan": "SkipPlan",
    "sql": "SkipSqlConfirm",
    "question": "SkipAskHuman",
    "report": "SkipWebReportConfirm",
}
"""Which confirmations are left out, by our names."""
SKIPS = tuple(SKIP_FIELDS)
MAX_TITLE = 128
"""Characters of a session's title."""


class DataSource(NamedTuple):
    """What an analysis works on: an uploaded file (`file_id`), or a database by its ids."""

    file_id: str = ""
    name: str = ""
    """Of the file, or of the database."""
    tables: tuple[str, ...] = ()
    """Of a database; of an Excel file its sheets. Empty is all of a database, and of a file its name."""
    instance_id: str = ""
    """DMS's id of the instance."""
    database_id: str = ""
    """DMS's id of the database."""
    engine: str = ""
    region: str = ""

    @property
    def id(self) -> str:
        """What tells it from others."""
        return self.file_id or self.database_id

    def parameters(self, region: str) -> dict[str, Any]:
        """An item of `DataSources`. The vendor's clients name a file's table after the file."""
        common: dict[str, Any] = {"RegionId": self.region or region}
        if self.file_id:
            tables = self.tables or ((PurePath(self.name).stem,) if self.name else ())
            item = {"DataSourceType": "remote_data_center", "FileId": self.file_id, "Database": self.name}
        else:
            tables = self.tables
            item = {
                "DataSourceType": "database",
                "DmsInstanceId": self.instance_id,
                "DmsDatabaseId": self.database_id,
                "DbName": self.name,
                "Engine": self.engine,
            }
        filled: dict[str, Any] = {name: value for name, value in {**item, **common}.items() if value}
        return {**filled, "Tables": [*tables]} if tables else filled


def write_data(sources: Iterable[DataSource]) -> str:
    """Data sources as the text of the option `data`."""
    tables = []
    for source in sources:
        table = {name: getattr(source, name) for name in DataSource._fields}
        tables.append({name: [*value] if name == "tables" else value for name, value in table.items() if value})
    if not tables:
        return ""
    import json

    return json.dumps(tables, ensure_ascii=False, separators=(",", ":"))


def read_data(text: str) -> tuple[DataSource, ...]:
    """The data sources in the option `data`; what is none of ours is left out."""
    if not text:
        return ()
    from tui.services.fields import as_items

    sources = []
    for item in as_items(text):
        names = [name for name in DataSource._fields if name != "tables"]
        tables = item.first("tables")
        source = DataSource(
            **{name: item.line(name) for name in names},
            tables=tuple(str(table) for table in tables) if isinstance(tables, list) else (),
        )
        if source.id:
            sources.append(source)
    return tuple(sources)


def session_config(options: Mapping[str, str]) -> dict[str, Any]:
    """`SessionConfig` of CreateDataAgentSession."""
    config: dict[str, Any] = {
        "CustomAgentId": options.get("agent", ""),
        "CustomAgentStage": options.get("agent_stage", ""),
        "EnableSearch": True if options.get("search") == "true" else None,
        "Language": wire_language(options.get("language", "")),
        "Mode": options.get("mode", "") or "ANALYSIS",
    }
    return {name: value for name, value in config.items() if value not in (None, "")}


def first_message_config(options: Mapping[str, str]) -> dict[str, Any]:
    """`SessionConfig` of a session's first message, the only one of which it counts."""
    skipped = {name.strip() for name in options.get("skip", "").split(",")}
    plan = options.get("plan", "")
    return {
        **session_config(options),
        **({"PlanMode": plan} if plan in ("disable", "enable", "force") else {}),
        **{field: True for name, field in SKIP_FIELDS.items() if name in skipped},
    }


def data_parameters(sources: Sequence[DataSource], region: str) -> Value:
    """`DataSources` of SendChatMessage; None for none."""
    return [source.parameters(region) for source in sources] or None


def without_known(sources: Sequence[DataSource], described: object) -> tuple[DataSource, ...]:
    """`sources` without those that the session has: `described` is `DataSources` of DescribeDataAgentSession.

    Each `Detail` there is an item as `DataSource.parameters` makes it; without `Tables` it is all of them.
    """
    from tui.services.fields import as_items, as_object

    details = [detail for item in as_items(described) if (detail := as_object(item.first("Detail"))) is not None]
    return tuple(source for source in sources if not any(_has(detail, source) for detail in details))


def _has(detail: Fields, source: DataSource) -> bool:
    if source.id not in (detail.line("FileId"), detail.line("DmsDatabaseId")):
        return False
    there = detail.first("Tables")
    wanted = source.parameters("").get("Tables", [])
    return not isinstance(there, list) or not there or (wanted != [] and {*wanted} <= {str(table) for table in there})


def wire_language(name: str) -> str:
    """`CHINESE` or `ENGLISH` for any spelling of a language; empty for none, which leaves it to the service."""
    tag = name.partition(".")[0].replace("_", "-").lower()
    if not tag or tag in ("c", "posix"):
        return ""
    return "CHINESE" if tag.startswith(("zh", "chinese")) else "ENGLISH"
