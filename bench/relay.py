"""A wire between the app and the sandbox that notes when each character of an answer came through."""

from __future__ import annotations

import re
import socket
import threading
import time
from types import TracebackType

FIRST, LAST = 0x4E00, 0x9FFF
_MARKS = re.compile(f"[{chr(FIRST)}-{chr(LAST)}]")


class Relay:
    """Listens on `url` and passes everything on to the host and port of `target`.

    `arrived` has the time at which each Chinese character first came from there.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition("//")[2].partition(":")
        self._target = host, int(port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.arrived: dict[str, float] = {}
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _address = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            for source, sink, noted in ((near, far, False), (far, near, True)):
                sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass, args=(source, sink, noted), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, noted: bool) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
                if noted:
                    now = time.monotonic()
                    for mark in _MARKS.findall(data.decode("utf-8", "ignore")):
                        self.arrived.setdefault(mark, now)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
