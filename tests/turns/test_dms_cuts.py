"""An analysis whose line is cut after every single frame, one run a frame: the same turn, and no message twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.turns.desk import control
from tests.turns.dms_line import CutDesk, Line, model, sandbox_apart, whole_analysis
from tui.sandbox.server import SandboxServer

AT_ONCE = 6
"""Runs at the same time: as many as keep the sandbox busy."""

# Both kinds of checkpoints, and both ways of a stream at an ask.
COUNTING, ENDING = {"SendChatMessage": "counting-checkpoints"}, {"GetChatContent": "ask-finishes"}
VARIANTS: dict[str, dict[str, str]] = {
    "shared checkpoints, asks leave the stream open": {},
    "shared checkpoints, asks end the stream": ENDING,
    "counting checkpoints, asks leave the stream open": COUNTING,
    "counting checkpoints, asks end the stream": COUNTING | ENDING,
}


@pytest.fixture(scope="module")
def apart() -> Iterator[SandboxServer]:
    with sandbox_apart() as server:
        yield server


@pytest.mark.parametrize("faults", VARIANTS.values(), ids=VARIANTS.keys())
async def test_a_cut_after_every_frame(apart: SandboxServer, tmp_path: Path, faults: dict[str, str]) -> None:
    control(apart, "reset", {})
    async with httpx.AsyncHTTPTransport(verify=False) as wire:

        def desk_on(line: Line) -> CutDesk:
            return CutDesk(apart, tmp_path, on_disk=False, line=line)

        async with desk_on(line := Line(faults, wire=wire)) as desk:
            uncut = model(await whole_analysis(desk))
        streams = line.streams
        accepted: Counter[str] = Counter(control(apart, "state")["accepted"])
        assert sum(accepted.values()) == 4
        runs, limit = 1, asyncio.Semaphore(AT_ONCE)

        async def cut(stream: int, frames: int) -> bool:
            """Whether the cut was felt: the stream had that many frames."""
            nonlocal runs
            async with limit, desk_on(line := Line(faults, stream, frames, wire=wire)) as desk:
                assert model(await whole_analysis(desk)) == uncut, f"cut stream {stream} after {frames} frames"
                runs += 1
                return line.streams > streams

        async def cut_stream(stream: int) -> int:
            frames = 1
            while await cut(stream, frames):
                frames += 1
            return frames - 1

        counts = await asyncio.gather(*(cut_stream(stream) for stream in range(1, streams + 1)))
    assert sum(counts) > 100
    # Each run sent the question and three answers, and nothing a second time.
    assert Counter(control(apart, "state")["accepted"]) == {text: count * runs for text, count in accepted.items()}
