"""Edits that are not saved yet, one small file each. Several windows on one folder are normal.

A window holds the lock of a file that bears its name for as long as it lives. What it edits is left to it; what it
leaves behind is taken over by the next window that reads the folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from threading import Lock

from tui.cache import files
from tui.cache.locks import WriterLock, owner

PAUSE = 0.5
"""Seconds after the first change before it is written, with those that came meanwhile."""


class EditFiles:
    """The edits of this window.

    Args:
        folder: where they are; None for nowhere.
        account: whose they are: those of another account are left alone.
        suffix: what the files' names end with.
        failed: told when edits cannot be read or written; of writing once, until they can be again.
    """

    def __init__(
        self,
        folder: Path | None,
        account: Callable[[], str] = lambda: "",
        suffix: str = ".draft",
        failed: Callable[[OSError], None] = lambda _error: None,
    ) -> None:
        self._folder = folder
        self._account = account
        self._suffix = suffix
        self._failed = failed
        self._told = False
        self._window = token_hex(6)
        self._lock = WriterLock(folder / f"{self._window}.lock") if folder else None
        self._waiting: dict[Path, Callable[[], str] | None] = {}
        """What is to be written; None is to be removed."""
        self._taking = Lock()
        self._writing = Lock()
        self._timer: asyncio.TimerHandle | None = None

    async def read(self) -> list[tuple[str, str]]:
        """Key and text of the edits that no other window has, oldest first; they are this window's from now on."""
        try:
            return await asyncio.to_thread(self._read)
        except OSError as error:
            self._failed(error)
            return []

    def keep(self, key: str, text: Callable[[], str]) -> None:
        """Write an edit soon; `text` is called then, in a thread."""
        self._note(key, text)

    def forget(self, key: str) -> None:
        """Remove an edit soon."""
        self._note(key, None)

    def write_now(self) -> None:
        """Write everything that waits. Blocking."""
        self._stop_timer()
        with suppress(OSError):  # it is in memory all the same
            self._write()

    def close(self) -> None:
        """Write everything that waits, and leave the edits to the next window. Blocking."""
        self.write_now()
        if self._lock is not None:
            self._lock.release()

    # --- writing -------------------------------------------------------------------------------------------

    def _note(self, key: str, text: Callable[[], str] | None) -> None:
        if self._folder is None:
            return
        account = self._account()
        with self._taking:
            self._waiting[self._path(self._folder, account, key)] = text and (lambda: f"# {account}\n# {key}\n{text()}")
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._begin)

    def _begin(self) -> None:
        self._timer = None
        # No task: one that the loop does not come to any more would take what it was to write along.
        asyncio.get_running_loop().run_in_executor(None, self._write).add_done_callback(self._written)

    def _written(self, done: asyncio.Future[None]) -> None:
        try:
            done.result()
        except OSError as error:
            if not self._told:
                self._failed(error)
            self._told = True
        else:
            self._told = False

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _write(self) -> None:
        """Raises OSError; what could not be written waits on."""
        with self._writing:
            with self._taking:
                waiting, self._waiting = self._waiting, {}
            if self._folder is None or self._lock is None or not waiting:
                return
            try:
                files.private_folder(self._folder)
                self._lock.acquire()
                for path in [*waiting]:
                    text = waiting[path]
                    if text is None:
                        path.unlink(missing_ok=True)
                    else:
                        files.replace(path, text().encode("utf-8", "replace"))
                    del waiting[path]
            except OSError:
                with self._taking:
                    self._waiting = waiting | self._waiting
                raise

    def _path(self, folder: Path, account: str, key: str) -> Path:
        name = sha256(f"{account}\n{key}".encode()).hexdigest()[:24]
        return folder / f"{name}.{self._window}{self._suffix}"

    # --- reading -------------------------------------------------------------------------------------------

    def _read(self) -> list[tuple[str, str]]:
        folder, account, found = self._folder, self._account(), []
        if folder is None or self._lock is None or not folder.is_dir():
            return []
        with self._writing:
            self._lock.acquire()
            # Where two windows left an edit of the same thing, the newer one counts.
            for path in sorted(folder.glob(f"*{self._suffix}"), key=_modified, reverse=True):
                with suppress(OSError, ValueError):  # it is left as it is
                    whose, key, text = files.read_from(path)[0].decode().split("\n", 2)
                    key = key.removeprefix("# ")
                    if whose == f"# {account}" and self._take_over(path, self._path(folder, account, key)):
                        found.append((key, text))
            for path in folder.glob("*.lock"):
                if not owner(path):
                    path.unlink(missing_ok=True)
        return found[::-1]

    def _take_over(self, path: Path, mine: Path) -> bool:
        """Whether an edit is this window's now."""
        window = path.name.removesuffix(self._suffix).partition(".")[2]
        if path == mine:
            return True
        if mine.exists() or (window and owner(path.with_name(f"{window}.lock"))):
            return False
        path.rename(mine)
        return True


def _modified(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_mtime_ns
    return 0
