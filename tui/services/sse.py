"""Server-sent events out of a response body, tolerant of what the wire does to them.

Lines are taken apart by httpx-sse; around it stands what a long-lived stream needs: pieces that end in the middle
of a character, a last frame without its empty line, a bound on memory, and a sign of life for every read.
Source of the tolerances: protocol notes 1.6, 3.1 and 3.6.
"""

from __future__ import annotations

import asyncio
import codecs
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import httpx
from httpx_sse._decoders import SSEDecoder, SSELineDecoder

from tui.services.http import transport_error

MAX_FRAME = 16 * 1024 * 1024
"""Characters of one frame; a longer one is skipped, so that memory is bounded."""
READ_PAUSE = 0.065
"""Seconds from one look at a pouring line to the next: more than a tick of the screen, so that what was read is shown
at once."""
_MORE_WAITS = 16 * 1024
"""Bytes in one look from which more is waiting than one read of the line takes: a pause would only add up."""
_FIRST_PAUSE = 0.008
"""Seconds of the first pause, each being twice the one before: a line that brings all at once may begin slowly."""
_POURING = 0.03
"""Seconds of waiting for a piece below which they pour."""
_WAITED = 0.002
"""Seconds beyond which a piece was not there yet when it was asked for."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The `data` of one event and the value of its `event:` line, of which only DMS makes use."""

    data: str
    event: str = ""


@dataclass(frozen=True, slots=True)
class Oversized:
    """A frame that was longer than allowed and was left out; `size` in characters."""

    size: int


class FrameParser:
    """Bytes in, frames out; knows no HTTP."""

    def __init__(self, max_frame: int = MAX_FRAME, *, empty_frames: bool = False) -> None:
        self._empty_frames = empty_frames
        self._text = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._lines = SSELineDecoder()
        self._events = SSEDecoder()
        self._max = max_frame
        self._pending = 0
        self._skipping = False
        self._between = True
        """No line of an event has come since the last one ended."""

    def feed(self, chunk: bytes) -> list[Frame | Oversized]:
        """The frames that `chunk` completes; may be none."""
        return self._take(self._text.decode(chunk))

    def flush(self) -> list[Frame | Oversized]:
        """What is left at the end of the body: a last frame counts without its empty line."""
        found = self._take(self._text.decode(b"", final=True))
        for line in (*self._lines.flush(), ""):
            found.extend(self._line(line))
        return found

    def _take(self, text: str) -> list[Frame | Oversized]:
        if not text:
            return []
        if self._is_one_event(text):
            return [Frame(text[5:-2].removeprefix(" "), "message")]
        self._pending += len(text)
        found: list[Frame | Oversized] = []
        for line in self._lines.decode(text):
            found.extend(self._line(line))
        if self._pending > self._max:
            self._lines.buffer.clear()
            self._events = SSEDecoder()
            self._skipping = True
        return found

    def _is_one_event(self, text: str) -> bool:
        """Whether `text` is an event of one line and no more, as nearly every piece is: nothing to take apart."""
        return (
            self._between
            and text.startswith("data:")
            and text.endswith("\n\n")
            and 8 < len(text) <= self._max
            and text.find("\n") == len(text) - 2
            and "\r" not in text
            and not (self._lines.buffer or self._lines.trailing_cr or self._skipping)
        )

    def _line(self, line: str) -> list[Frame | Oversized]:
        self._between = not line
        if line:
            if not self._skipping:
                # A bare JSON line is no SSE; gateways answer so when they refuse in the name of the service.
                self._events.decode(f"data:{line}" if line.startswith("{") else line)
            return []
        size, self._pending = self._pending, 0
        if self._skipping:
            self._skipping = False
            return [Oversized(size)]
        event = self._events.decode("")
        return [Frame(event.data, event.event)] if event is not None and (event.data or self._empty_frames) else []


async def gathered(
    chunks: AsyncIterator[bytes],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    now: Callable[[], float] = time.monotonic,
) -> AsyncIterator[bytes]:
    """`chunks` as they come, but while they pour in the line is read only every `READ_PAUSE`.

    Reading a piece costs many times what is in it (system calls, TLS, HTTP), and nobody sees 200 of them a second.
    Pieces that have arrived already are never held up, nor are those of a line that is not pouring, or brings all at
    once.
    """
    looked, size, pause = float("-inf"), 0, 0.0
    while True:
        began = now()
        try:
            chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        came = now()
        if came - began > _WAITED:  # nothing more was there
            if came - began < _POURING and size < _MORE_WAITS:
                # It comes with what comes meanwhile: alone it would take the tick that the others could have.
                pause = min(READ_PAUSE, 2 * pause or _FIRST_PAUSE)
                await sleep(max(0.0, looked + pause - came))
            else:
                pause = 0.0
            looked, size = now(), 0
        size += len(chunk)
        yield chunk


class Body(Protocol):
    """What is read: a response of httpx, or what stands for one."""

    def aiter_bytes(self) -> AsyncIterator[bytes]: ...


async def read_frames(
    response: Body, *, host: str, max_frame: int = MAX_FRAME, empty_frames: bool = False
) -> AsyncIterator[list[Frame | Oversized]]:
    """One list per read from the line; an empty list says that bytes came, but no whole frame.

    With `empty_frames` events that have a name and no data are given out too; some end a DMS stream.

    Raises:
        TransportError: the line broke or was silent for too long; what came before has been given out.
    """
    parser = FrameParser(max_frame, empty_frames=empty_frames)
    try:
        async for chunk in gathered(response.aiter_bytes()):
            yield parser.feed(chunk)
    except httpx.HTTPError as error:
        # What had come whole but for its empty line is still an answer.
        if rest := parser.flush():
            yield rest
        raise transport_error(error, host=host, began=True) from error
    if rest := parser.flush():
        yield rest
