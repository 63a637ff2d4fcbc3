"""A stream on the wire: frames to bytes, bytes to chunks, and the accidents of the line."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Iterator

from aiohttp import web

from tui.sandbox.call import Call, ConnectionDropped, drop, encode_json
from tui.sandbox.faults import Faults
from tui.sandbox.frames import Shaper
from tui.sandbox.turns import Turn

_BROKEN = b'{"Event":"tool_call","TaskId":"t-2","Answer":"{\\"tool_call_name\\":\\"describe_db_ins'


class Encoder:
    """Frames to bytes. What it holds back (`rest`) belongs at the end of the body."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._number = 0
        self._texts = 0
        self._newline = b"\r\n" if "crlf" in faults else b"\n"
        self._held = b""

    def encode(self, value: object) -> bytes:
        """The bytes of one frame, with what goes before and after it."""
        faults, newline = self._faults, self._newline
        self._number += 1
        out = b"\xef\xbb\xbf" if self._number == 1 and "bom" in faults else b""
        if self._number == 1 + (faults.count("malformed") or -1):
            out += self._frame(_BROKEN)
        if "comments" in faults:
            out += b": sandbox" + newline + (newline if self._number % 2 else b"")
        data = encode_json(value)
        if isinstance(value, dict) and value.get("Event") == "message" and value.get("Answer"):
            self._texts += 1
            if self._texts == faults.count("malformed-text"):
                data = data[: len(data) // 2]
        if "multi-line-data" in faults:
            data = json.dumps(value, indent=1).encode()
        return out + self._frame(data)

    def _frame(self, data: bytes) -> bytes:
        faults, newline = self._faults, self._newline
        lines = [b"event: message"] if "event-lines" in faults else []
        if "id-lines" in faults:
            lines.append(b"id: %d" % self._number)
        mark = b"data: " if "data-space" in faults else b"data:"
        lines += [mark + line for line in data.split(b"\n")]
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


async def stream(call: Call, turn: Turn) -> web.StreamResponse:
    """Write the turn's frames, from its first, until it is over or the line breaks."""
    faults = call.faults
    headers = {
        "Content-Type": "text/event-stream;charset=utf-8",
        "Cache-Control": "no-cache",
        "x-acs-request-id": call.request_id,
    }
    if "gzip" in faults:
        headers["Content-Encoding"] = "gzip"
    response = web.StreamResponse(headers=headers)
    line = Line(response, faults)
    shaper, encoder = Shaper(turn.message, call.request_id, faults), Encoder(faults)
    cut, number = Cut(call.request, line, faults), 0
    try:
        await response.prepare(call.request)
        async for frame in turn.follow():
            for value in shaper.shape(frame):
                number += 1
                if await cut.put(encoder.encode(value), number):
                    await line.end()
                    return response
        await line.end()
    except (ConnectionError, ConnectionDropped, asyncio.CancelledError):
        if "dies-with-connection" in faults and not turn.over:
            turn.give_up()
        raise
    return response
