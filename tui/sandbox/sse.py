"""A stream on the wire: frames to bytes, bytes to chunks, and the accidents of the line."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

from aiohttp import web

from tui.sandbox.call import ConnectionDropped, drop
from tui.sandbox.faults import Faults
from tui.sandbox.wire import encode_json


class Encoder:
    """Events to the bytes of frames. What it holds back belongs at the end of the body.

    Args:
        broken: what stands in the broken frame that a switch puts in.
        named: frames have an `event:` line.
        spaced: a blank stands after the colons.
        numbered: each frame has an `id:` line and the comment `:HTTP_STATUS/200`.
    """

    def __init__(
        self, faults: Faults, broken: bytes, *, named: bool, spaced: bool = False, numbered: bool = False
    ) -> None:
        self._faults = faults
        self._broken = broken
        self._named = named
        self._space = b" " if spaced or "data-space" in faults else b""
        self._numbered = numbered
        self._newline = b"\r\n" if "crlf" in faults else b"\n"
        self._number = 0
        self._held = b""

    def encode(self, event: str, data: bytes | None) -> bytes:
        """One frame, and what the switches put before it. No `event:` line for "", no `data:` line for None."""
        faults, newline = self._faults, self._newline
        self._number += 1
        out = b"\xef\xbb\xbf" if self._number == 1 and "bom" in faults else b""
        if "comments" in faults:
            out += b": sandbox" + newline + (newline if self._number % 2 else b"")
        if self._number == 1 + (faults.count("malformed") or -1):
            out += self._frame(event, self._broken)
        return out + self._frame(event, data)

    def json(self, value: object) -> bytes:
        """What stands in the `data:` lines of a frame."""
        return json.dumps(value, indent=1).encode() if "multi-line-data" in self._faults else encode_json(value)

    def _frame(self, event: str, data: bytes | None) -> bytes:
        faults, space, newline = self._faults, self._space, self._newline
        lines = []
        if self._numbered or "id-lines" in faults:
            lines.append(b"id:" + space + b"%d" % self._number)
        if event and self._named:
            lines.append(b"event:" + space + event.encode())
        if self._numbered or "status-lines" in faults:
            lines.append(b":HTTP_STATUS/%d" % (429 if event == "error" else 200))
        if event == "error" and "status-lines" in faults:
            lines.append(b"status:429")
        texts = [b"data:" + (space + line if line else b"") for line in data.split(b"\n")] if data is not None else []
        lines = [*texts, *lines] if "data-first" in faults else [*lines, *texts]
        frame = b"".join(line + newline for line in lines)
        if "no-final-blank" in faults:
            before, self._held = self._held, newline
            return before + frame
        return frame + newline


def chunks(data: bytes, faults: Faults) -> Iterator[bytes]:
    """`data` in the chunks that are written one by one."""
    if "one-byte-chunks" in faults:
        yield from (data[at : at + 1] for at in range(len(data)))
    elif "split-utf8" in faults:
        start = 0
        for at, byte in enumerate(data):
            if byte >= 0x80:
                yield from (piece for piece in (data[start:at], data[at : at + 1]) if piece)
                start = at + 1
        if start < len(data):
            yield data[start:]
    else:
        yield data


class Line:
    """The body of one reply; knows how many frames went out."""

    def __init__(self, response: web.StreamResponse, faults: Faults) -> None:
        self._response = response
        self._faults = faults
        self._lot = faults.count("glued") or 1
        self._waiting: list[bytes] = []
        self._gzip = zlib.compressobj(wbits=31) if "gzip" in faults else None

    async def put(self, data: bytes) -> None:
        self._waiting.append(data)
        if len(self._waiting) >= self._lot:
            await self.flush()

    async def flush(self) -> None:
        data = b"".join(self._waiting)
        self._waiting.clear()
        if self._gzip:
            data = self._gzip.compress(data) + self._gzip.flush(zlib.Z_SYNC_FLUSH)
        for chunk in chunks(data, self._faults):
            await self._response.write(chunk)

    async def end(self) -> None:
        await self.flush()
        if self._gzip:
            await self._response.write(self._gzip.flush())
        await self._response.write_eof()


class Cut:
    """Where the switches break a stream off, counted in frames."""

    def __init__(self, request: web.Request, line: Line, faults: Faults) -> None:
        self._request = request
        self._line = line
        self._drop, self._reset = faults.count("drop-after"), faults.count("reset-after")
        self._half, self._end = faults.count("drop-mid-frame"), faults.count("end-after")

    async def put(self, data: bytes, number: int) -> bool:
        """Write the frame of that number; whether the body ends with it.

        Raises:
            ConnectionDropped: the line breaks there.
        """
        line = self._line
        if number == self._half:
            await line.put(data[: len(data) // 2])
            await line.flush()
            drop(self._request)
        await line.put(data)
        if number in (self._drop, self._reset):
            await line.flush()
            drop(self._request, reset=number == self._reset)
        return number == self._end


async def write(
    request: web.Request,
    faults: Faults,
    headers: Mapping[str, str],
    frames: AsyncIterator[tuple[bytes, bool]],
    lost: Callable[[], None] = lambda: None,
) -> web.StreamResponse:
    """Write frames until there are no more, or the line breaks.

    Args:
        headers: those of the product.
        frames: the bytes of each, and whether it counts for the switches that break the line off.
        lost: called when the line breaks.
    """
    sent = {"Content-Type": "text/event-stream;charset=UTF-8", "Cache-Control": "no-cache", **headers}
    if "gzip" in faults:
        sent["Content-Encoding"] = "gzip"
    response = web.StreamResponse(headers=sent)
    line = Line(response, faults)
    cut, number = Cut(request, line, faults), 0
    try:
        await response.prepare(request)
        async for data, counts in frames:
            number += counts
            if await cut.put(data, number):
                break
        await line.end()
    except (ConnectionError, ConnectionDropped, asyncio.CancelledError):
        lost()
        raise
    return response
