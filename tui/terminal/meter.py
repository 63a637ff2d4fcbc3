"""What reaches the terminal, in figures: for the debug screen and `--stats`."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tui.words import _


@dataclass(slots=True, eq=False, repr=False)
class Meter:
    """Counts since the start."""

    bytes: int = 0
    """Written to the terminal."""
    frames: int = 0
    largest_frame: int = 0
    full_repaints: int = 0
    rows_repainted: int = 0
    """Rows that were sent anew from the first cell to the last."""
    deferred: int = 0
    """Frames that waited because the line had not drawn the one before."""
    questions: int = 0
    round_trip: float = 0.0
    """Seconds, the last."""
    best_round_trip: float = 0.0
    rate: float = 0.0
    """Bytes a second that the line takes; 0 where it is too fast to tell."""
    backlog: int = 0
    """Bytes that the kernel had not taken yet at the last frame."""
    echoes: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    """Seconds from a key to the frame that follows it, the newest last."""
    answers: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=100))
    """Of each answer: bytes written to the terminal while it came, bytes of its text."""
    clock: Callable[[], float] = time.monotonic
    began: float = 0.0
    _answer_from: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.began = self.clock()

    def answer_grows(self, turn_id: str) -> None:
        """Something has come of the answer of a turn that is on the screen."""
        self._answer_from.setdefault(turn_id, self.bytes)

    def answer_ended(self, turn_id: str, size: int) -> None:
        """The answer is over; it has `size` bytes."""
        before = self._answer_from.pop(turn_id, None)
        if before is not None and size:
            self.answers.append((self.bytes - before, size))

    def frame(self, size: int, backlog: int) -> None:
        """A frame was sent."""
        self.bytes += size
        self.frames += 1
        self.largest_frame = max(self.largest_frame, size)
        self.backlog = backlog

    def echo(self, part: float) -> float:
        """The time from key to frame, milliseconds, that `part` of all keys stay below; 0 without keys."""
        ordered = sorted(self.echoes)
        return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0

    def lines(self) -> list[tuple[str, str]]:
        """Name and value of each figure, to show."""
        seconds = max(1e-3, self.clock() - self.began)
        written, received = (sum(each) for each in zip(*self.answers, strict=True)) if self.answers else (0, 0)
        milliseconds = "{:.1f} / {:.1f} / {:.1f} ms".format
        return [
            (_("bytes written"), f"{self.bytes:,}"),
            (_("bytes a second"), f"{self.bytes / seconds:,.0f}"),
            (_("answers"), f"{len(self.answers):,}"),
            (_("bytes written for an answer"), f"{written / len(self.answers):,.0f}" if self.answers else "-"),
            (_("bytes written for a byte of an answer"), f"{written / received:.2f}" if received else "-"),
            (_("frames"), f"{self.frames:,}"),
            (_("largest frame"), _("{count} bytes").format(count=f"{self.largest_frame:,}")),
            (_("screens drawn in full"), f"{self.full_repaints:,}"),
            (_("rows drawn in full"), f"{self.rows_repainted:,}"),
            (_("frames that waited for the line"), f"{self.deferred:,}"),
            (_("questions to the terminal"), f"{self.questions:,}"),
            (_("round trip: last, best"), f"{1000 * self.round_trip:.1f} / {1000 * self.best_round_trip:.1f} ms"),
            (_("the line takes"), f"{self.rate / 1000:.1f} KB/s" if self.rate else _("all that comes")),
            (_("not taken yet"), _("{count} bytes").format(count=f"{self.backlog:,}")),
            (_("a key on the screen: median, 95 %, most"), milliseconds(*map(self.echo, (0.5, 0.95, 1.0)))),
        ]
