"""The answer that everything is measured with: about 20 KB of Markdown of every kind, the same each time."""

from __future__ import annotations

from collections.abc import Iterator

KILOBYTES = 20
DELTA = 5
"""Characters of a delta, about what a model sends."""


def answer() -> str:
    """The text that the sandbox answers `bench 20` with."""
    from tui.sandbox.samples import bench_text

    return bench_text(KILOBYTES * 1024)


def deltas() -> Iterator[str]:
    """The answer in pieces."""
    text = answer()
    for start in range(0, len(text), DELTA):
        yield text[start : start + DELTA]
