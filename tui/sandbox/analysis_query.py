"""SQL on a loaded file: read-only, with a limit in time and rows."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tui.sandbox.analysis_values import Value

_SECONDS = 30.0
_MOST_ROWS = 10_000
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}


class QueryError(Exception):
    """The statement failed, took too long, or would write."""


@dataclass(frozen=True, slots=True)
class Result:
    """Rows in the order of the statement; at most 10,000 of them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def records(self, most: int | None = None) -> list[dict[str, Value]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows[:most]]


def run(database: Path, statement: str, stopped: Callable[[], bool] = lambda: False) -> Result:
    """The rows of one SELECT.

    Raises:
        QueryError: it is not one SELECT, it failed or it took more than 30 s.
    """
    until = time.monotonic() + _SECONDS
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        connection.set_authorizer(
            lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY,
        )
        connection.set_progress_handler(lambda: stopped() or time.monotonic() > until, 20_000)
        try:
            cursor = connection.execute(statement)
            rows = cursor.fetchmany(_MOST_ROWS)
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            raise QueryError(str(error)) from error
        if cursor.description is None:
            raise QueryError("the statement gives no rows")
        return Result(_distinct(column[0] for column in cursor.description), tuple(rows))


def explain(database: Path, statement: str, rows: int) -> str:
    """One line: how sqlite would run the statement, and how many rows there are to read.

    Raises:
        QueryError: the statement does not parse.
    """
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        try:
            steps = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise QueryError(str(error)) from error
    counts = Counter(str(step[3]) for step in steps)
    return "; ".join([f"rows={rows}", *(f"{step} (x{count})" if count > 1 else step for step, count in counts.items())])


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    taken: list[str] = []
    for name in names:
        new, again = name, 1
        while new in taken:
            again += 1
            new = f"{name}_{again}"
        taken.append(new)
    return tuple(taken)
