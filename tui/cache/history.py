"""What was asked before, for the composer: a file of fragments, one a question, all services in one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tui.cache import files, journal
from tui.models import ServiceName
from tui.text import clean

LIMIT = 1000
"""Questions that are kept, of all services together."""


def _head() -> bytes:
    return journal.head_fragment({"history": {"of": "questions"}})


class History:
    """The file. All methods block. Without a path everything is in memory."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._unwritten: list[tuple[str, str]] = []

    def read(self) -> list[tuple[str, str]]:
        """(service, text), oldest first, the newest `LIMIT` of them."""
        found: list[tuple[str, str]] = []
        if self._path is not None:
            with suppress(OSError):
                data, _stamp = files.read_from(self._path)
                fragments = journal.scan(data).fragments
                for begin, end in fragments[-LIMIT:]:
                    with suppress(ValueError, KeyError, TypeError):
                        table = journal.read_record(data[begin:end])
                        found.append((clean(table["service"]), clean(table["text"])))
                if len(fragments) > 2 * LIMIT:
                    self._shorten()
        return [*found, *self._unwritten][-LIMIT:]

    def add(self, service: ServiceName, text: str) -> OSError | None:
        """Keep a question; the error where it could only be kept in memory.

        As in a shell, a question that begins with a space is not kept.
        """
        if not text.strip() or text.startswith(" "):
            return None
        self._unwritten.append((service, text))
        return self.flush()

    def flush(self) -> OSError | None:
        """Write what is in memory only; the error where that is not possible now."""
        if self._path is None or not self._unwritten:
            return None
        records = [{"service": service, "text": text} for service, text in self._unwritten]
        data = b"".join(journal.record_fragment(record) for record in records)
        try:
            files.append_or_create(self._path, data, _head())
        except OSError as error:
            return error
        self._unwritten.clear()
        return None

    def _shorten(self) -> None:
        assert self._path is not None
        with suppress(OSError), files.locked(self._path):
            data, _stamp = files.read_from(self._path)
            kept = journal.scan(data).fragments[-LIMIT:]
            files.replace(self._path, _head() + b"".join(data[begin:end] for begin, end in kept))
