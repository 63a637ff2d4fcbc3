"""An analysis whose line is cut after every single frame, one run a frame: the same turn, and no message twice.

Each frame is cut with both kinds of checkpoints and with both ways of a stream at an ask, in two of the four variants;
`make prove` cuts it in all four.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.turns.desk import control
from tests.turns.dms_line import CutDesk, Line, model, sandbox_apart, whole_analysis
from tui.sandbox.server import SandboxServer

STEP = 1 if "YUNLIAO_PROVE" in os.environ else 2
AT_ONCE = 6
"""Runs at the same time: as many as keep the sandbox busy."""

# Both kinds of checkpoints, and both ways of a stream at an ask.
COUNTING, ENDING = {"SendChatMessage": "counting-checkpoints"}, {"GetChatContent": "ask-finishes"}
VARIANTS: dict[str, tuple[dict[str, str], int]] = {
    "shared checkpoints, asks leave the stream open": ({}, 1),
    "shared checkpoints, asks end the stream": (ENDING, 2),
    "counting checkpoints, asks leave the stream open": (COUNTING, 2),
    "counting checkpoints, asks end the stream": (COUNTING | ENDING, 1),
}
"""Switches by action, and the first frame that is cut where not all are."""


@pytest.fixture(scope="module")
def apart() -> Iterator[SandboxServer]:
    with sandbox_apart() as server:
        yield server


@pytest.mark.parametrize(("faults", "first"), VARIANTS.values(), ids=VARIANTS.keys())
async def test_a_cut_after_every_frame(
    apart: SandboxServer, tmp_path: Path, faults: dict[str, str], first: int
) -> None:
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
            frames = min(first, STEP)
            while await cut(stream, frames):
                frames += STEP
            return frames

        counts = await asyncio.gather(*(cut_stream(stream) for stream in range(1, streams + 1)))
    assert sum(counts) > 100 + STEP * streams
    # Each run sent the question and three answers, and nothing a second time.
    assert Counter(control(apart, "state")["accepted"]) == {text: count * runs for text, count in accepted.items()}
