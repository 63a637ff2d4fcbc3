"""What reaches the terminal, in figures: for the debug screen and `--stats`."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
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
        """Name and value of each figure, to show. Names are keys of `tui.words`."""
        rate = f"{self.rate / 1000:.1f} KB/s" if self.rate else "-"
        return [
            ("bytes written", f"{self.bytes:,}"),
            ("frames", f"{self.frames:,}"),
            ("largest frame", f"{self.largest_frame:,}"),
            ("full repaints", f"{self.full_repaints:,}"),
            ("rows repainted", f"{self.rows_repainted:,}"),
            ("deferred frames", f"{self.deferred:,}"),
            ("questions to the terminal", f"{self.questions:,}"),
            ("round trip", f"{1000 * self.round_trip:.1f} ms, {1000 * self.best_round_trip:.1f} ms"),
            ("rate of the line", rate),
            ("backlog", f"{self.backlog:,}"),
            ("key echo", f"{self.echo(0.5):.1f} ms, {self.echo(0.95):.1f} ms, {self.echo(1.0):.1f} ms"),
        ]
