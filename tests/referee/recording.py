"""A server that notes what clients send it: a vendor's and ours, to be held against each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl


@dataclass
class Captured:
    """What came over the wire; headers by their names in lower case."""

    method: str
    target: str
    """Path and query as they were written."""
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def action(self) -> str:
        """The operation of an RPC call."""
        return self.headers.get("x-acs-action", "")


@dataclass
class Recorder:
    address: str = ""
    requests: list[Captured] = field(default_factory=list)

    def of(self, action: str) -> Captured:
        """The newest request of an operation."""
        return [request for request in self.requests if request.action == action][-1]


@contextmanager
def recording(answer: Callable[[Captured], tuple[int, str, bytes]]) -> Iterator[Recorder]:
    """A server on loopback; `answer` gives status, content type and body."""
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        def take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            path, _, query = self.path.partition("?")
            pairs = parse_qsl(query, keep_blank_values=True)
            assert len(pairs) == len(dict(pairs)), "a parameter came twice"
            headers = {name.lower(): value for name, value in self.headers.items()}
            captured = Captured(self.command, self.path, path, dict(pairs), headers, body)
            recorder.requests.append(captured)
            status, content_type, reply = answer(captured)
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        do_GET = do_POST = do_DELETE = take

        def log_message(self, *_arguments: object) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    recorder.address = f"127.0.0.1:{server.server_port}"
    try:
        yield recorder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
