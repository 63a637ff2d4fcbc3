"""Frames out of bytes, however the wire cuts them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.lines import LAST_CHUNK, STREAM_HEAD, Seen, chunk, line_server
from tui.services.errors import TransportError
from tui.services.sse import READ_PAUSE, Frame, FrameParser, Oversized, gathered, read_frames

DATA = ['{"Answer":"磁盘 🚀"}', '{"Answer":"second"}', '{"a":\n"two lines"}']


def parse(*chunks: bytes, max_frame: int = 1000) -> list[Frame | Oversized]:
    parser = FrameParser(max_frame)
    found = [frame for piece in chunks for frame in parser.feed(piece)]
    return found + parser.flush()


def texts(frames: list[Frame | Oversized]) -> list[str]:
    return [frame.data for frame in frames if isinstance(frame, Frame)]


def body(*, newline: str, comments: bool, ids: bool, space: bool, bom: bool, blank_at_end: bool) -> bytes:
    lines: list[str] = []
    for number, data in enumerate(DATA):
        lines += [": ping"] if comments else []
        lines += [f"id: {number}", "event: message", "retry: 5"] if ids else []
        lines += [f"data:{' ' if space else ''}{part}" for part in data.split("\n")]
        lines.append("")
    text = newline.join(lines) + newline
    if not blank_at_end:
        text = text[: -2 * len(newline)]
    return (b"\xef\xbb\xbf" if bom else b"") + text.encode()


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.lists(st.integers(0, 400), max_size=30),
)
def test_any_cutting_gives_the_same_frames(
    newline: str, comments: bool, ids: bool, space: bool, bom: bool, blank_at_end: bool, cuts: list[int]
) -> None:
    whole = body(newline=newline, comments=comments, ids=ids, space=space, bom=bom, blank_at_end=blank_at_end)
    places = [0, *sorted(cuts), len(whole)]

    found = parse(*(whole[start:end] for start, end in pairwise(places)))

    assert texts(found) == DATA


_LINES = st.sampled_from(
    ["data:a", "data: b", "data:", "data: ", "event: e", "id: 7", ": c", "", "", "{}", "data:1\r2"]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.lists(_LINES, max_size=4).map("\n".join), max_size=8), st.booleans())
def test_pieces_give_what_their_sum_gives(pieces: list[str], empty_frames: bool) -> None:
    """However much of an event a piece holds: one whole event in a piece is read on a way of its own."""
    whole = FrameParser(empty_frames=empty_frames)
    cut = FrameParser(empty_frames=empty_frames)
    text = [f"{piece}\n" for piece in pieces]

    found = [frame for piece in text for frame in cut.feed(piece.encode())] + cut.flush()

    # Not as one piece: that could be one event, too.
    assert found == [frame for letter in "".join(text) for frame in whole.feed(letter.encode())] + whole.flush()


@pytest.mark.parametrize(
    "noise",
    [
        b"",
        b"\n\n\n",
        b": only a comment\n\n",
        b"id: 7\n\n\n\n",
        b"event: ping\n\n",
        b"data:\n\n",
        b"nonsense\n\n",
        b"\xff\xfe\n\n",
    ],
)
def test_what_is_no_frame_gives_none(noise: bytes) -> None:
    assert parse(noise) == []
    assert texts(parse(noise, b"data:1\n\n")) == ["1"]


def test_broken_utf_8_costs_a_character_and_not_the_frame() -> None:
    assert texts(parse(b'data:{"a":"\xe7\xa3"}\n\n')) == ['{"a":"\ufffd"}']


def test_a_bare_json_line_is_taken_for_a_frame() -> None:
    assert texts(parse(b'{"Code":"InvalidOrder"}')) == ['{"Code":"InvalidOrder"}']


@pytest.mark.parametrize("size", [1, 7, 5000])
def test_a_frame_that_is_too_long_is_left_out_and_the_next_ones_come(size: int) -> None:
    whole = b"data:first\n\n" + b"data:" + b"x" * 4000 + b"\n\ndata:last\n\n"

    found = parse(*(whole[start : start + size] for start in range(0, len(whole), size)))

    if size < 1000:
        assert [type(frame) for frame in found] == [Frame, Oversized, Frame]
        assert isinstance(found[1], Oversized)
        assert found[1].size > 4000
    assert (texts(found)[0], texts(found)[-1]) == ("first", "last")


def test_memory_is_bounded_while_a_frame_does_not_end() -> None:
    parser = FrameParser(max_frame=1000)
    parser.feed(b"data:")
    for _piece in range(100):
        parser.feed(b"x" * 1000)
        assert sum(map(len, parser._lines.buffer)) <= 2000


async def read(*pieces: bytes, end: bytes = LAST_CHUNK) -> tuple[list[list[Frame | Oversized]], str]:
    """What is read from a body that is sent in these pieces, and how its reading ended."""
    go_on = asyncio.Event()

    async def handler(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD)
        for piece in pieces:
            writer.write(chunk(piece))
            await writer.drain()
            await go_on.wait()
            go_on.clear()
        writer.write(end)

    batches: list[list[Frame | Oversized]] = []
    async with (
        asyncio.timeout(10),
        line_server(handler) as server,
        httpx.AsyncClient(timeout=5) as client,
        client.stream("POST", server.url) as response,
    ):
        try:
            async for batch in read_frames(response, host="test"):
                batches.append(batch)
                go_on.set()
        except TransportError as error:
            return batches, error.problem.delivered
    return batches, "end"


async def test_every_read_is_a_sign_of_life() -> None:
    batches, ended = await read(b": ping\n", b"data:{", b"}\n\n", b"data:2\n\ndata:3\n\n")

    assert [texts(batch) for batch in batches] == [[], [], ["{}"], ["2", "3"]]
    assert ended == "end"


async def test_what_came_before_the_line_broke_is_given_out() -> None:
    """A frame that lacks nothing but its empty line counts; and the service has the question."""
    batches, delivered = await read(b"data:1\n\n", b"data:2", end=b"5\r\nab")

    assert texts(batches[0]) == ["1"]
    assert texts(batches[-1])[0].startswith("2")
    assert delivered == "yes"


class Line:
    """Pieces that arrive at set times, on a clock that only moves when somebody waits."""

    def __init__(self, *arrivals: float) -> None:
        self.arrivals = list(arrivals)
        self.time = 0.0
        self.pauses: list[float] = []

    async def pieces(self) -> AsyncIterator[bytes]:
        for number, arrives in enumerate(self.arrivals):
            self.time = max(self.time, arrives)
            yield b"%d" % number

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(self.time)
        self.time += seconds

    async def read(self) -> list[tuple[bytes, float]]:
        """Each piece, and how long after its arrival it was given out."""
        gathering = gathered(self.pieces(), sleep=self.sleep, now=lambda: self.time)
        return [(piece, self.time - self.arrivals[int(piece)]) async for piece in gathering]


@pytest.mark.parametrize("rate", [40, 200, 1000])
async def test_pieces_that_pour_in_are_gathered_and_all_come_in_order(rate: int) -> None:
    line = Line(*(number / rate for number in range(200)))

    read = await line.read()

    assert [piece for piece, _late in read] == [b"%d" % number for number in range(200)]
    # The first ones are shorter.
    assert len(line.pauses) <= 200 / rate / READ_PAUSE + 5
    assert max(late for _piece, late in read) <= READ_PAUSE


async def test_a_line_that_does_not_pour_is_never_held_up() -> None:
    line = Line(*(number * 0.05 for number in range(20)))  # 20 a second

    read = await line.read()

    assert line.pauses == []
    assert max(late for _piece, late in read) == 0


async def test_an_answer_that_comes_all_at_once_is_never_held_up() -> None:
    line, late = Line(), []

    async def pieces() -> AsyncIterator[bytes]:
        for _read in range(20):
            line.time = arrived = line.time + 0.005
            yield b"x" * 65536
            late.append(line.time - arrived)

    async for _piece in gathered(pieces(), sleep=line.sleep, now=lambda: line.time):
        pass

    assert max(late) == 0


async def test_what_is_there_already_is_never_held_up() -> None:
    line = Line(*[0.0] * 1000)

    await line.read()

    assert line.pauses == []
