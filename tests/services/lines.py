"""A server on loopback that answers with exactly the bytes it is told to: for faults below HTTP's own manners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

Handler = Callable[["Seen", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Seen:
    """One request as it came in."""

    line: str
    headers: dict[str, str]
    header_names: list[str]

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(self.line.split(" ")[1].partition("?")[2], keep_blank_values=True))

    @property
    def action(self) -> str:
        return self.headers.get("x-acs-action", "")


@dataclass
class LineServer:
    url: str
    seen: list[Seen] = field(default_factory=list)


@asynccontextmanager
async def line_server(handler: Handler) -> AsyncIterator[LineServer]:
    """Run `handler` for every request (one per connection unless it keeps the connection open itself)."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            first, *rest = head.decode("ascii").split("\r\n")[:-2]
            pairs = [line.split(": ", 1) for line in rest]
            seen = Seen(first, {name.lower(): value for name, value in pairs}, [name for name, _value in pairs])
            server.seen.append(seen)
            await handler(seen, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20)
    port = listener.sockets[0].getsockname()[1]
    server = LineServer(f"http://127.0.0.1:{port}")
    try:
        yield server
    finally:
        listener.close()
        for task in [*tasks]:
            task.cancel()
        if tasks:
            await asyncio.wait([*tasks])


def response(body: bytes, *, status: str = "200 OK", content_type: str = "application/json", **headers: str) -> bytes:
    """A whole HTTP response; keyword `x_acs_retry_after` is the header `x-acs-retry-after`."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream;charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


LAST_CHUNK = b"0\r\n\r\n"


def replies(*answers: bytes) -> Handler:
    """Each request gets the next of `answers`; the last one again and again."""
    left = list(answers)

    async def handler(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    return handler
