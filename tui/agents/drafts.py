"""Drafts of custom agents on disk, so that nothing that was typed is lost when the program ends."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from tui.agents.fields import Form
from tui.agents.files import AgentFile, AgentFileError, read, write

PAUSE = 0.5
"""Seconds after the last change before a draft is written."""


@dataclass(frozen=True, slots=True)
class _Kept:
    mine: AgentFile
    base: AgentFile | None


class DraftFiles:
    """One file a draft: the agent as it is being edited, and below it the one that it was made of.

    Args:
        folder: where they are; None for nowhere.
        account: whose they are: drafts of another account are left alone.
    """

    def __init__(self, folder: Path | None, account: Callable[[], str]) -> None:
        self._folder = folder
        self._account = account
        self._waiting: dict[str, _Kept | None] = {}
        """What is to be written; None is to be removed."""
        self._taking = Lock()
        self._writing = Lock()
        self._timer: asyncio.TimerHandle | None = None

    async def read(self) -> list[tuple[str, AgentFile, Form | None]]:
        """Key, agent and base of every draft of this account; files that cannot be read are left as they are."""
        return await asyncio.to_thread(self._read)

    def keep(self, key: str, mine: AgentFile, base: AgentFile | None) -> None:
        """Write a draft soon."""
        self._note(key, _Kept(mine, base))

    def forget(self, key: str) -> None:
        """Remove a draft soon."""
        self._note(key, None)

    def write_now(self) -> None:
        """Write everything that waits. Blocking."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._write()

    # --- inside --------------------------------------------------------------------------------------------

    def _note(self, key: str, kept: _Kept | None) -> None:
        if self._folder is None:
            return
        with self._taking:
            self._waiting[key] = kept
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._begin)

    def _begin(self) -> None:
        self._timer = None
        # No task: one that the loop does not come to any more would take what it was to write along.
        asyncio.get_running_loop().run_in_executor(None, self._write)

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        name = hashlib.sha256(f"{self._account()}\n{key}".encode()).hexdigest()[:24]
        return self._folder / f"{name}.toml"

    def _write(self) -> None:
        """Write what waits; of two that come here at once the second has the newer."""
        from tui.cache import files

        with self._writing:
            with self._taking:
                waiting, self._waiting = self._waiting, {}
            if self._folder is None or not waiting:
                return
            with suppress(OSError):  # it is in memory all the same
                files.private_folder(self._folder)
                for key, kept in waiting.items():
                    if kept is None:
                        self._path(key).unlink(missing_ok=True)
                        continue
                    head = f"# {self._account()}\n# {key}\n"
                    agents = [kept.mine, kept.base] if kept.base is not None else [kept.mine]
                    files.replace(self._path(key), (head + write(agents)).encode("utf-8", "replace"))

    def _read(self) -> list[tuple[str, AgentFile, Form | None]]:
        if self._folder is None or not self._folder.is_dir():
            return []
        found = []
        for path in sorted(self._folder.glob("*.toml")):
            with suppress(OSError, ValueError, AgentFileError):
                text = path.read_text(encoding="utf-8")
                account, key = (line.removeprefix("# ") for line in text.split("\n", 2)[:2])
                if account == self._account():
                    mine, *base = read(text)
                    found.append((key, mine, base[0].form if base else None))
        return found
