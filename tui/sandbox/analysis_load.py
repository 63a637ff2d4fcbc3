"""CSV and Excel files into tables of a sqlite3 database; column types come from the values."""

from __future__ import annotations

import codecs
import csv
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tui.sandbox.analysis_values import CONVERTERS, Kind, Value, cell_text, is_nothing, joined, kind_of

_PROBE = 1 << 20
_MOST_COLUMNS = 500
_LOT = 2_000


class Unreadable(Exception):
    """A file is not what its name says. The message is English."""


class Stopped(Exception):
    """Nobody waits for the result any more."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column and what SQL found in it. `low` and `high` as sqlite orders the values."""

    name: str
    kind: Kind
    nulls: int
    distinct: int
    low: Value
    high: Value


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the database; `name` is that of the sheet, or of the file without its extension."""

    name: str
    rows: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """One file, loaded. `database` is read, never written, from here on."""

    file_name: str
    database: Path
    tables: tuple[Table, ...]


def quoted(name: str) -> str:
    """An identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def load(source: Path, file_name: str, database: Path, stopped: Callable[[], bool] = lambda: False) -> Dataset:
    """Read `source` into a new `database`. Takes seconds for large files: run it in a thread.

    Args:
        file_name: what the user calls the file; its extension decides how it is read.
        stopped: asked every few thousand rows.

    Raises:
        Unreadable: no table can be read from it.
        Stopped: `stopped` said so.
    """
    suffix = Path(file_name).suffix.lower()
    if suffix in (".csv", ".tsv", ".txt"):
        sheets: Iterable[tuple[str, Callable[[], Iterator[list[str]]]]] = [
            (Path(file_name).stem, lambda: _csv_rows(source))
        ]
    elif suffix in (".xlsx", ".xls"):
        sheets = _excel_sheets(source)
    else:
        raise Unreadable(f"Files of the type {suffix or '(none)'} cannot be analysed.")
    database.unlink(missing_ok=True)
    tables = []
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
        for name, rows in sheets:
            # sqlite keeps names that begin with sqlite_ for itself.
            table = _load_table(connection, f"t_{name}" if name.lower().startswith("sqlite_") else name, rows, stopped)
            if table is not None:
                tables.append(table)
    if not tables:
        raise Unreadable(f"{file_name} has no rows below a line of headings.")
    return Dataset(file_name, database, tuple(tables))


def _load_table(
    connection: sqlite3.Connection, name: str, rows: Callable[[], Iterator[list[str]]], stopped: Callable[[], bool]
) -> Table | None:
    headings = _headings(next(rows(), []))
    kinds: list[Kind | None] = [None] * len(headings)
    open_columns = set(range(len(headings)))
    """Those that may still be something narrower than text."""
    count = 0
    for row in _body(rows, stopped):
        count += 1
        for position, text in enumerate(row):
            if position in open_columns and not is_nothing(text):
                kind = kinds[position] = joined(kinds[position], kind_of(text))
                if kind == "text":
                    open_columns.discard(position)
    if not count:
        return None
    known = [kind or "text" for kind in kinds]
    columns = ", ".join(quoted(heading) for heading in headings)
    connection.execute(f"CREATE TABLE {quoted(name)} ({columns})")
    width, converters = len(headings), [CONVERTERS[kind] for kind in known]

    def values() -> Iterator[list[Value]]:
        for row in _body(rows, stopped):
            if len(row) != width:
                row = row[:width] + [""] * (width - len(row))
            yield [convert(text) for convert, text in zip(converters, row, strict=True)]

    marks = ", ".join("?" * width)
    connection.executemany(f"INSERT INTO {quoted(name)} VALUES ({marks})", values())
    connection.commit()
    return Table(name, count, tuple(_profile(connection, name, *pair) for pair in zip(headings, known, strict=True)))


def _body(rows: Callable[[], Iterator[list[str]]], stopped: Callable[[], bool]) -> Iterator[list[str]]:
    """The rows below the headings; empty ones are left out."""
    lines = rows()
    next(lines, None)
    for number, row in enumerate(lines):
        if number % _LOT == 0 and stopped():
            raise Stopped
        if any(row):
            yield row


def _profile(connection: sqlite3.Connection, table: str, column: str, kind: Kind) -> Column:
    name = quoted(column)
    found = connection.execute(
        f"SELECT COUNT(*) - COUNT({name}), COUNT(DISTINCT {name}), MIN({name}), MAX({name}) FROM {quoted(table)}"
    ).fetchone()
    return Column(column, kind, *found)


def _headings(row: list[str]) -> list[str]:
    """Column names of the first line: never empty, each there once as sqlite compares them."""
    if not row or len(row) > _MOST_COLUMNS:
        raise Unreadable("The file has no line of headings." if not row else "The file has too many columns.")
    names: list[str] = []
    taken: set[str] = set()
    for number, text in enumerate(row, 1):
        name = base = " ".join(text.replace("\0", "").split()) or f"column_{number}"
        again = 1
        while name.lower() in taken:
            again += 1
            name = f"{base}_{again}"
        taken.add(name.lower())
        names.append(name)
    return names


def _encoding(head: bytes) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _csv_rows(source: Path) -> Iterator[list[str]]:
    with source.open("rb") as file:
        head = file.read(_PROBE)
    if b"\0" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Unreadable("The file is not text: it has NUL bytes.")
    encoding = _encoding(head)
    first = head.decode(encoding, "replace").split("\n", 1)[0]
    delimiter = max(",;\t|", key=first.count)
    csv.field_size_limit(16 << 20)
    with source.open(encoding=encoding, errors="replace", newline="") as text:
        try:
            yield from csv.reader(text, delimiter=delimiter)
        except csv.Error as error:
            raise Unreadable(f"The file is not proper CSV: {error}.") from error


def _excel_sheets(source: Path) -> Iterator[tuple[str, Callable[[], Iterator[list[str]]]]]:
    try:
        from python_calamine import CalamineError, CalamineSheet, load_workbook
    except ImportError as error:
        raise Unreadable("Excel files need the package python-calamine, which is not installed.") from error

    try:
        book = load_workbook(str(source))
    except CalamineError as error:
        raise Unreadable(f"The file is not an Excel workbook: {error}.") from error

    def rows_of(sheet: CalamineSheet) -> Callable[[], Iterator[list[str]]]:
        def rows() -> Iterator[list[str]]:
            lines = ([cell_text(cell) for cell in row] for row in sheet.iter_rows())
            first = next((line for line in lines if any(line)), None)
            if first is not None:
                yield first
                yield from lines

        return rows

    for name in book.sheet_names:
        try:
            sheet = book.get_sheet_by_name(name)
        except CalamineError:  # a sheet of charts only
            continue
        if sheet.height > 1:
            yield name, rows_of(sheet)
