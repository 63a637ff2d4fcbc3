"""What is being typed, one small file a conversation, replaced whole."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import get_args

from tui.cache import files, journal
from tui.cache.ids import is_conversation_id, told_by
from tui.models import ServiceName
from tui.text import clean

_NEW: dict[str, ServiceName] = {f"new-{name}": name for name in get_args(ServiceName)}


class Drafts:
    """The folder. All methods but `of_new` block. Without a folder everything is in memory.

    `spare` is given what another window was typing in the same place, before it is overwritten.
    """

    def __init__(
        self, folder: Path | None, spare: Callable[[ServiceName, str], None] = lambda _name, _text: None
    ) -> None:
        self._folder = folder
        self._spare = spare
        self._unwritten: dict[str, str] = {}
        self._new: dict[str, str] = {}
        self._known: dict[str, str] = {}
        """What was read first or written last; where a file holds anything else, another window wrote it."""

    def _path(self, key: str) -> Path | None:
        if key not in _NEW and not is_conversation_id(key):
            raise KeyError(key)
        return self._folder / f"{key}.toml" if self._folder else None

    def read_new(self) -> None:
        """Read the drafts of new conversations, for `of_new`."""
        self._new = {key: self.read(key) for key in _NEW}

    def of_new(self, service: ServiceName) -> str:
        return self._new.get(f"new-{service}", "")

    def read(self, key: str) -> str:
        """The draft, empty where there is none."""
        path = self._path(key)
        if path is None or key in self._unwritten:
            return self._unwritten.get(key, "")
        text = _held(path)
        self._known.setdefault(key, text)  # read once more, it may be another window's, and not in our composer
        return text

    def write(self, key: str, text: str) -> OSError | None:
        """Keep a draft, or forget it where `text` is empty; the error where it could only be kept in memory."""
        self._path(key)
        self._unwritten[key] = text
        if key in _NEW:
            self._new[key] = text
        return self.flush()

    def flush(self) -> OSError | None:
        """Write what is in memory only; the first error where that is not possible now."""
        failed: OSError | None = None
        for key, text in list(self._unwritten.items()):
            path = self._path(key)
            if path is None:
                continue
            try:
                self._replace(key, path, text)
            except OSError as error:
                failed = failed or error
            else:
                del self._unwritten[key]
        return failed

    def _replace(self, key: str, path: Path, text: str) -> None:
        theirs = _held(path)
        if theirs not in ("", text, self._known.get(key, "")):
            if not text:  # ours was sent or cleared; theirs is still being typed
                return
            self._spare(_NEW.get(key) or told_by(key)[0], theirs)
        if text:
            files.replace(path, journal.head_fragment({"draft": {"text": text}}))
        else:
            path.unlink(missing_ok=True)
        self._known[key] = text


def _held(path: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        data, _stamp = files.read_from(path)
        return clean(journal.read_head(data)["draft"]["text"])
    return ""
