"""One writer per conversation, across processes and hosts.

The lock is a file of its own beside the conversations, there only while it is held, with host and process in it for
the message; what counts is the kernel's `flock` on it, which ends with the process however that ends. It does not
depend on the conversation's file, so a compaction may put another file in its place.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from tui.cache.files import is_named, lock, open_private, write_whole

_TRIES, _PAUSE = 5, 0.01
"""Somebody who looks whether a lock is held holds it for an instant."""


class Held(Exception):
    """Another process is the writer; the message says which."""


class WriterLock:
    """The right to write to one conversation."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    @property
    def held(self) -> bool:
        """True while the lock is ours: it was acquired, and nobody took it over."""
        if self._fd >= 0 and not is_named(self._path, self._fd):
            os.close(self._fd)
            self._fd = -1
        return self._fd >= 0

    def acquire(self, *, take_over: bool = False) -> None:
        """Become the writer; nothing happens when we are it. Raises Held, or OSError where no lock can be made.

        With `take_over` from whoever is: that process finds out at its next write, which it then does not do.
        """
        if self.held:
            return
        if take_over:
            with suppress(FileNotFoundError):
                self._path.unlink()
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_PAUSE)
            if self._try():
                return
        raise Held(owner(self._path))

    def _try(self) -> bool:
        fd = open_private(self._path, os.O_RDWR | os.O_CREAT)
        try:
            # Its last holder may have removed it between our opening and our locking.
            if lock(fd, wait=False) and is_named(self._path, fd):
                self._fd, fd = fd, -1
                with suppress(OSError):  # only for the message to others
                    os.ftruncate(self._fd, 0)
                    write_whole(self._fd, f"{os.getpid()} {os.uname().nodename}\n".encode())
                return True
            return False
        finally:
            if fd >= 0:
                os.close(fd)

    def release(self) -> None:
        """Let others write. The file goes first, under the lock: who opens it later makes a new one."""
        if self.held:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._fd)
            self._fd = -1


def owner(path: Path) -> str:
    """Who holds a lock, as "process 4711 on host", or "" when nobody does."""
    try:
        fd = open_private(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        if lock(fd, wait=False, shared=True):
            return ""
        pid, _, host = os.read(fd, 300).decode(errors="replace").strip().partition(" ")
        return f"{pid or '?'} {host}".strip()
    finally:
        os.close(fd)
