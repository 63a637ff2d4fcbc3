"""The way to the terminal: at once what fits into the kernel's buffer, the rest by a thread, so that a slow or stalled
line never holds up the event loop."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections import deque

CHUNK = 4096
"""Bytes of one write. A pty takes about that much before it blocks."""

AT_ONCE = 2048
"""Bytes that a terminal whose buffer is (nearly) empty takes without blocking. Handing them to the thread would cost
more than writing them, and with the interpreter's lock taken many milliseconds."""


class Output:
    """Writes to a file descriptor in order.

    Never raises and never blocks the caller. A terminal whose line has dropped (EIO) swallows everything.
    `backlog` says how many bytes the kernel has not taken yet: the sender is expected to look at it.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.written = 0
        """Bytes handed in since the beginning."""
        self._queue: deque[bytes] = deque()
        self._wake = threading.Condition()
        self._backlog = 0
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._muted = False
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)

    @property
    def backlog(self) -> int:
        """Bytes that wait to be taken by the kernel."""
        return self._backlog

    def start(self) -> None:
        """Begin to write, again after `stop`."""
        self._stopping = self._muted = False
        self._thread = threading.Thread(target=self._run, name="terminal-output", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Write `text`, or queue it."""
        data = text.encode("utf-8", "replace")
        with self._wake:
            if self._muted or not data:
                return
            self.written += len(data)
            if not self._backlog and self._thread is not None and len(data) <= AT_ONCE:
                data = self._write_at_once(data)
                if not data:
                    return
            self._queue.append(data)
            self._backlog += len(data)
            self._wake.notify()

    def _write_at_once(self, data: bytes) -> bytes:
        """Write what the kernel takes without waiting; the rest."""
        try:
            # Ready means: the terminal is not stopped, and fewer than 256 bytes wait in its buffer.
            if self._poll.poll(0) == [(self.fd, select.POLLOUT)]:
                return data[os.write(self.fd, data) :]
        except OSError:
            # The thread meets the same error, and knows what to do.
            pass
        return data

    def mute(self) -> None:
        """Drop what is queued and all that comes, until the next `start`."""
        with self._wake:
            self._muted = True
            self._queue.clear()
            self._backlog = 0
            self._wake.notify()

    def stop(self, patience: float = 1.0) -> None:
        """Write what is queued, waiting at most `patience` seconds for a terminal that does not take it."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with self._wake:
            self._stopping = True
            self._wake.notify()
        thread.join(patience)
        if thread.is_alive():
            self.mute()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._queue and not self._stopping and not self._muted:
                    self._wake.wait()
                if self._muted or not self._queue:
                    return
                data = b"".join(self._queue)
                self._queue.clear()
            view = memoryview(data)
            while view and not self._muted:
                try:
                    count = os.write(self.fd, view[:CHUNK])
                except BlockingIOError:
                    # Somebody made the shared file description non-blocking.
                    with contextlib.suppress(OSError, ValueError):
                        select.select((), (self.fd,), (), 0.5)
                    continue
                except OSError:
                    self.mute()
                    return
                view = view[count:]
                with self._wake:
                    self._backlog = max(0, self._backlog - count)
