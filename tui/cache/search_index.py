"""The search index: every turn's text in SQLite, found by any three characters of it (FTS5, trigram).

Derived: it may be deleted at any time and is made again from the conversations. The trigrams do not know words of
one or two characters, half of all Chinese words. Such a word is looked for in the newest texts; where it is rare
there, in those others that have a trigram which begins with it.

All methods block. One object is used by one thread at a time, but for `interrupt`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tui.cache import files
from tui.cache.matching import SearchHit, Wanted, hit_of
from tui.models import ServiceName

if TYPE_CHECKING:
    import sqlite3

_FORMAT = 2
_GRAM = 3
_MOST_GRAMS = 12
"""Trigrams of a word that are looked up; the rest is compared with the text."""
_BATCH = 50
_NEWEST = 3000
"""Texts that are read for a short word before trigrams that begin with it are: where it is frequent, these suffice."""
_MOST_TERMS = 1000
_END = "\n\n"
"""Behind each text, so that a trigram begins with any two characters of it."""
_SUFFIXES = ("", "-wal", "-shm", "-journal")
_TABLES = """
CREATE TABLE turns (
    id INTEGER PRIMARY KEY, conversation TEXT NOT NULL, turn TEXT NOT NULL, service TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX turns_of ON turns (conversation);
CREATE TABLE files (
    conversation TEXT PRIMARY KEY, inode INTEGER NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL
) WITHOUT ROWID;
CREATE VIRTUAL TABLE terms USING fts5vocab (grams, 'row');
CREATE VIRTUAL TABLE grams USING fts5 (
    text, content = 'turns', content_rowid = 'id', tokenize = 'trigram', detail = none, columnsize = 0
);
INSERT INTO grams (grams, rank) VALUES ('hashsize', 16777216);
"""


class Unusable(Exception):
    """There is no index to be had here; the conversations themselves can be read."""


class Broken(Unusable):
    """The file is no index, or no longer a whole one: it may be deleted and made again."""


class Text(NamedTuple):
    """What is searched of one turn."""

    turn_id: str
    asked_at: datetime
    text: str


class SearchIndex:
    """See the module. Raises Unusable where this Python's SQLite cannot do it, or the disk does not let it."""

    def __init__(self, path: Path) -> None:
        try:
            self._db = _opened(path)
        except Broken:
            remove(path)
            self._db = _opened(path)

    # --- writing -------------------------------------------------------------------------------------------

    def stamps(self) -> Mapping[str, files.Stamp]:
        """What each conversation's file was when it was taken in. Raises Unusable."""
        rows = self._run("SELECT conversation, inode, size, modified FROM files")
        return {row[0]: files.Stamp(*row[1:]) for row in rows}

    def begin(self) -> None:
        """Begin a batch of changes, which `commit` ends: they are seen all at once. Raises Unusable."""
        self._run("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Raises Unusable."""
        self._run("COMMIT")

    def tidy(self) -> None:
        """Give back the room that a long run of changes took beside the file."""
        with suppress(Unusable):  # somebody reads: another time
            self._run("PRAGMA wal_checkpoint (TRUNCATE)")

    def put(self, conversation_id: str, service: ServiceName, stamp: files.Stamp, texts: Iterable[Text]) -> None:
        """Take a conversation in, in place of what was known of it. Raises Unusable."""
        self.remove(conversation_id)
        for turn_id, asked_at, text in texts:
            row = _row(asked_at)
            while self._run("SELECT 1 FROM turns WHERE id = ?", row):
                row += 1
            self._run("INSERT INTO turns VALUES (?, ?, ?, ?, ?)", row, conversation_id, turn_id, service, text + _END)
            self._run("INSERT INTO grams (rowid, text) VALUES (?, ?)", row, text + _END)
        self._run("INSERT INTO files VALUES (?, ?, ?, ?)", conversation_id, *stamp)

    def remove(self, conversation_id: str) -> None:
        """Forget a conversation. Raises Unusable."""
        held = self._run("SELECT id, text FROM turns WHERE conversation = ?", conversation_id)
        for row, text in held:
            self._run("INSERT INTO grams (grams, rowid, text) VALUES ('delete', ?, ?)", row, text)
        self._run("DELETE FROM turns WHERE conversation = ?", conversation_id)
        self._run("DELETE FROM files WHERE conversation = ?", conversation_id)

    def erase(self, conversation_id: str) -> None:
        """Forget a conversation that was deleted, and leave nothing of its text in the file. Raises Unusable."""
        import sqlite3

        self.begin()
        # Without it the trigrams of a text stay until they are merged with others; it is too slow for every change.
        if has_switch := sqlite3.sqlite_version_info >= (3, 42):
            self._run("INSERT INTO grams (grams, rank) VALUES ('secure-delete', 1)")
        self.remove(conversation_id)
        if has_switch:
            self._run("INSERT INTO grams (grams, rank) VALUES ('secure-delete', 0)")
        self.commit()
        self.tidy()

    def _run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        import sqlite3

        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._db.rollback()
            raise _told(error) from error

    # --- searching -----------------------------------------------------------------------------------------

    def find(self, wanted: Wanted) -> Iterator[SearchHit]:
        """The turns that match, newest first, as they are found. Ends early when interrupted. Raises Unusable."""
        import sqlite3

        try:
            for statement, values in self._queries(wanted):
                cursor = self._db.execute(statement, values)
                while rows := cursor.fetchmany(_BATCH):
                    for row, conversation_id, turn_id, text in rows:
                        if wanted.matches(text):
                            yield hit_of(wanted, conversation_id, turn_id, _time(row), text)
        except sqlite3.Error as error:
            if "interrupted" not in str(error):
                raise _told(error) from error

    def _queries(self, wanted: Wanted) -> Iterator[tuple[str, list[object]]]:
        """The statements whose results, one after the other, are all candidates, newest first."""
        long = [word for word in wanted.words if len(word) >= _GRAM]
        if long or not wanted.words:
            yield _query(wanted, [" AND ".join(f'"{gram}"' for gram in _grams(word)) for word in long])
            return
        newest = self._db.execute("SELECT id FROM turns ORDER BY id DESC LIMIT 1 OFFSET ?", (_NEWEST,)).fetchone()
        if newest is None:
            yield _query(wanted)
            return
        yield _query(wanted, after=newest[0])
        terms = [self._terms(word) for word in wanted.words]
        if not all(terms):
            return
        grams = [" OR ".join(f'"{term}"' for term in each) for each in terms if len(each) < _MOST_TERMS]
        yield _query(wanted, grams, until=newest[0])

    def _terms(self, word: str) -> list[str]:
        """Trigrams that begin with a word, not more than `_MOST_TERMS`: with so many it is frequent."""
        begins = word.lower()
        statement = "SELECT term FROM terms WHERE term >= ? AND term < ? LIMIT ?"
        found = self._db.execute(statement, (begins, begins + chr(0x10FFFF), _MOST_TERMS))
        return [term.replace('"', '""') for (term,) in found]

    def interrupt(self) -> None:
        """End a `find` that runs in another thread, soon."""
        self._db.interrupt()

    def close(self) -> None:
        self._db.close()


def remove(path: Path) -> None:
    """Delete the index; the next one is made anew."""
    for suffix in _SUFFIXES:
        with suppress(OSError):
            path.with_name(path.name + suffix).unlink()


def _opened(path: Path) -> sqlite3.Connection:
    try:
        import sqlite3
    except ImportError as error:
        raise Unusable(str(error)) from error
    db: sqlite3.Connection | None = None
    try:
        os.close(files.open_private(path, os.O_RDWR | os.O_CREAT))
        db = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA secure_delete = ON")  # what was deleted is not left in free pages
        _prepare(db)
    except (sqlite3.Error, OSError) as error:
        if db is not None:
            db.close()
        raise _told(error) from error
    return db


def _told(error: Exception) -> Unusable:
    """SQLite's error by what can be done: an OperationalError (locked, full, no such module) is none of the file."""
    import sqlite3

    is_broken = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
    return Broken(str(error)) if is_broken else Unusable(str(error))


def _prepare(db: sqlite3.Connection) -> None:
    """Make the tables where they are not there yet."""
    if _version(db) == _FORMAT:
        return
    db.execute("BEGIN IMMEDIATE")
    if not (version := _version(db)):  # no other process was quicker
        for statement in _TABLES.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {_FORMAT}")
    db.execute("COMMIT")
    if version not in (0, _FORMAT):
        raise Broken(f"format {version}")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _query(
    wanted: Wanted, grams: Sequence[str] = (), *, after: int | None = None, until: int | None = None
) -> tuple[str, list[object]]:
    """The statement that finds candidates: LIKE folds case as ASCII does, and `_` and `%` stand for anything.

    Where there is no case, as in Chinese, `instr` finds the same three times faster. `grams` are expressions of the
    full-text search, all of which hold; `after` and `until` are rows.
    """
    source = "turns AS t"
    where = ["instr(t.text, ?)" if _has_no_case(word) else "t.text LIKE ?" for word in wanted.words]
    values: list[object] = [word if _has_no_case(word) else f"%{word}%" for word in wanted.words]
    if grams:
        source = "grams AS g JOIN turns AS t ON t.id = g.rowid"
        where.insert(0, "grams MATCH ?")
        values.insert(0, " AND ".join(f"({each})" for each in grams))
    if wanted.services:
        where.append(f"t.service IN ({', '.join('?' * len(wanted.services))})")
        values += sorted(wanted.services)
    order = "g.rowid" if grams else "t.id"
    for bound, comparison in (
        (_row(wanted.since) if wanted.since else None, ">="),
        (_row(wanted.until) if wanted.until else None, "<"),
        (after, ">"),
        (until, "<="),
    ):
        if bound is not None:
            where.append(f"{order} {comparison} ?")
            values.append(bound)
    if wanted.conversations is not None:
        import json

        where.append("t.conversation IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(sorted(wanted.conversations)))
    # The values are bound; what is put together here are names and question marks.
    conditions = " AND ".join(where) or "1"
    statement = f"SELECT t.id, t.conversation, t.turn, t.text FROM {source} WHERE {conditions} ORDER BY {order} DESC"
    return statement, values


def _has_no_case(word: str) -> bool:
    return word.lower() == word.upper()


def _grams(word: str) -> list[str]:
    """Trigrams that cover a word, as quoted strings of the query language without their quotes."""
    last = len(word) - _GRAM
    starts = dict.fromkeys([*range(0, last + 1, _GRAM), last])
    return [word[at : at + _GRAM].replace('"', '""') for at in list(starts)[:_MOST_GRAMS]]


_SHIFT = 10
"""Rows of turns asked in the same millisecond are told apart by so many bits."""


def _row(at: datetime) -> int:
    return max(0, int(at.timestamp() * 1000)) << _SHIFT


def _time(row: int) -> datetime:
    return datetime.fromtimestamp((row >> _SHIFT) / 1000, UTC)
