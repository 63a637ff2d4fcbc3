"""What is being typed, one small file a conversation, replaced whole."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import get_args

from tui.cache import files, journal
from tui.cache.ids import is_conversation_id
from tui.models import ServiceName
from tui.text import clean

_NEW = {name: f"new-{name}" for name in get_args(ServiceName)}


class Drafts:
    """The folder. All methods but `of_new` block. Without a folder everything is in memory."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._unwritten: dict[str, str] = {}
        self._new: dict[str, str] = {}

    def _path(self, key: str) -> Path | None:
        if key not in _NEW.values() and not is_conversation_id(key):
            raise KeyError(key)
        return self._folder / f"{key}.toml" if self._folder else None

    def read_new(self) -> None:
        """Read the drafts of new conversations, for `of_new`."""
        self._new = {key: self.read(key) for key in _NEW.values()}

    def of_new(self, service: ServiceName) -> str:
        return self._new.get(_NEW[service], "")

    def read(self, key: str) -> str:
        """The draft, empty where there is none."""
        path = self._path(key)
        if path is None or key in self._unwritten:
            return self._unwritten.get(key, "")
        with suppress(OSError, ValueError, KeyError, TypeError):
            data, _stamp = files.read_from(path)
            return clean(journal.read_head(data)["draft"]["text"])
        return ""

    def write(self, key: str, text: str) -> OSError | None:
        """Keep a draft, or forget it where `text` is empty; the error where it could only be kept in memory."""
        self._path(key)
        self._unwritten[key] = text
        if key in _NEW.values():
            self._new[key] = text
        return self.flush()

    def flush(self) -> OSError | None:
        """Write what is in memory only; the error where that is not possible now."""
        for key, text in list(self._unwritten.items()):
            path = self._path(key)
            if path is None:
                continue
            try:
                if text:
                    files.replace(path, journal.head_fragment({"draft": {"text": text}}))
                else:
                    path.unlink(missing_ok=True)
            except OSError as error:
                return error
            del self._unwritten[key]
        return None
