"""Cells of the agent's notebook, tables and charts; no I/O. Source: protocol notes (DMS) 8.6."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tui.models import CellOutput, ChartBlock, ChartKind, CodeBlock, StepState, TableBlock
from tui.services.fields import Fields, as_items, as_json, as_object, as_text
from tui.text import clean, clean_line
from tui.words import _

MAX_ROWS = 2000
"""Rows of one table that are kept; how many there were is told in `TableBlock.total_rows`."""
MAX_OUTPUT = 200_000
"""Characters of one text output that are kept."""
_LANGUAGES = {"sql": "sql", "code": "python", "markdown": "markdown"}
_CHART_KINDS: dict[str, ChartKind] = {"bar": "bar", "column": "bar", "line": "line", "pie": "pie", "scatter": "scatter"}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
"""Colours of a Python traceback."""
_NUMERAL = re.compile(r"-?\d[\d,_]*(\.\d+)?(e[+-]?\d+)?\s*%?", re.IGNORECASE)


def read_cell(value: object, fallback_id: str) -> CodeBlock | None:
    """The cell in the `result` of a tool_call_response of type jupyter_cell, which is an object or JSON text."""
    cell = as_object(value)
    if cell is None:
        return None
    kind = cell.line("content_type", limit=40).lower()
    outputs = as_json(cell.first("nb_file_outputs")) or as_json(cell.first("outputs"))
    running = False
    read: list[CellOutput] = []
    # The outputs of a Markdown cell only say that it was saved.
    for output in as_items(outputs) if kind != "markdown" else ():
        if _is_placeholder(output):
            running = True
            continue
        read.extend(_read_output(output))
    state: StepState = "failed" if any(output.error for output in read) else "done"
    return CodeBlock(
        cell_id=cell.line("cell_id", "id") or fallback_id,
        language=_LANGUAGES.get(kind, kind),
        source=cell.text("content"),
        outputs=tuple(read),
        state="running" if running and not read else state,
        title=cell.line("title"),
    )


def _is_placeholder(output: Fields) -> bool:
    metadata = as_object(output.first("metadata"))
    return metadata is not None and metadata.line("content_type") == "dms/executing"


def _read_output(output: Fields) -> list[CellOutput]:
    match output.line("output_type", limit=40).lower():
        case "stream":
            text = _shown(output.first("text"))
            if output.line("name", limit=40).lower() == "stderr":
                return [CellOutput(error=text)] if _is_failure(text) else [CellOutput(text=text)] if text else []
            return [CellOutput(text=text)] if text else []
        case "error":
            name, value = output.line("ename"), output.line("evalue", limit=500)
            traceback = _shown(output.first("traceback"), "\n")
            head = ": ".join(part for part in (name, value) if part)
            return [CellOutput(error=traceback if name and name in traceback else f"{head}\n{traceback}".strip())]
        case _:  # display_data, execute_result
            return _read_display(as_object(output.first("data")))


def _is_failure(text: str) -> bool:
    """Libraries warn on stderr all the time; only a traceback is an error."""
    return "Traceback (most recent call last)" in text


def _read_display(data: Fields | None) -> list[CellOutput]:
    """A table, an image and a text are all shown where there are several, but the text only beside no table."""
    if data is None:
        return []
    outputs: list[CellOutput] = []
    inner = as_object(data.first("application/json"))
    if inner is not None:
        table = read_table(inner.first("data") if inner.first("data") is not None else inner)
        if table is not None:
            outputs.append(CellOutput(table=table))
    image = data.first("image/png")
    if image is not None:
        outputs.append(CellOutput(image=read_image(_joined(image))))
    if not outputs:
        text = _shown(data.first("text/markdown", "text/plain"))
        if text:
            outputs.append(CellOutput(text=text))
    return [output for output in outputs if output != CellOutput()]


def read_image(text: str) -> str:
    """Base64 of a PNG without line breaks or a `data:` head; empty where it is not base64."""
    packed = "".join(text.rpartition("base64,")[2].split())
    return packed if re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", packed) else ""


def _joined(value: object, separator: str = "") -> str:
    """Notebook texts are a string or a list of strings."""
    parts = value if isinstance(value, list) else [value]
    return separator.join(as_text(part) for part in parts if part is not None)


def _shown(value: object, separator: str = "") -> str:
    return clean(_ANSI.sub("", _joined(value, separator)[:MAX_OUTPUT]))


# --- tables and charts -------------------------------------------------------------------------------------------


def read_table(value: object, title: str = "") -> TableBlock | None:
    """A table in any of the forms seen: a list of row objects, or `columns` with `result` / `data` / `rows`."""
    parsed = as_json(value)
    columns: list[tuple[str, str]] = []
    if isinstance(parsed, Mapping):
        table = Fields(parsed)
        columns = _columns(as_json(table.first("columns", "fields", "header")))
        parsed = as_json(table.first("result", "data", "rows"))
    if not isinstance(parsed, Sequence) or isinstance(parsed, str):
        return None
    rows = [row for row in parsed if isinstance(row, (Mapping, list))]
    if not columns:
        names: dict[str, None] = {}
        for row in rows[:MAX_ROWS]:
            if isinstance(row, Mapping):
                names.update(dict.fromkeys(str(name) for name in row))
        columns = [(name, name) for name in names]
    if not columns:
        return None
    return TableBlock(
        columns=tuple(clean_line(shown, 100) for _name, shown in columns),
        rows=tuple(_cells(row, columns) for row in rows[:MAX_ROWS]),
        title=clean_line(title),
        total_rows=len(rows),
    )


def _columns(value: object) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for column in value if isinstance(value, list) else []:
        if isinstance(column, Mapping):
            fields = Fields(column)
            name = fields.first("field", "dataIndex", "key", "name", "title")
            if name is not None:
                found.append((as_text(name), as_text(fields.first("title", "name") or name)))
        elif column is not None:
            found.append((as_text(column), as_text(column)))
    return found


def _cells(row: Mapping[str, Any] | list[Any], columns: list[tuple[str, str]]) -> tuple[str, ...]:
    if isinstance(row, list):
        values = [*row, *[None] * len(columns)][: len(columns)]
    else:
        values = [row.get(name) for name, _shown in columns]
    return tuple(_cell(value) for value in values)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return clean(as_text(value)).replace("\n", " ").replace("\t", " ")


def chart_of(table: TableBlock, kind: str) -> ChartBlock | None:
    """A chart of a table: its first column that is not a number is the axis, its numbers are the values.

    None where `kind` names no chart or there is nothing to draw.
    """
    found = next((value for key, value in _CHART_KINDS.items() if key in kind.lower()), None)
    if found is None or not table.rows:
        return None
    numeric = [
        all(not row[index] or _NUMERAL.fullmatch(row[index]) for row in table.rows)
        and any(row[index] for row in table.rows)
        for index in range(len(table.columns))
    ]
    axis = next((index for index, is_number in enumerate(numeric) if not is_number), 0)
    values = tuple(name for index, name in enumerate(table.columns) if numeric[index] and index != axis)
    if not values:
        return None
    return ChartBlock(found, table.title or _("chart"), table.columns[axis], values, table)
